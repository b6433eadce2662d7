"""The rules of an organisation: settings that hold together, and wordings that never change."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.kernel.change import Actor, Change, Held, Once
from chalicelib.kernel.errors import Invalid
from chalicelib.letters.facts import MOST_LINK
from chalicelib.organisations import defaults, domain
from chalicelib.organisations.defaults import Text
from chalicelib.organisations.domain import (
    Catalogue,
    Controller,
    DataProtectionOfficer,
    Directory,
    Entitlements,
    Hours,
    House,
    Keeping,
    Role,
    Sender,
    SettingRefused,
    Settings,
    Wording,
)
from tests.duly import ADMIN, a_member, a_settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BY = Actor("staff", ADMIN)
ONCE = Once(digest="d", request="r", result="x", expires_at=1)


def founded(language: str = "pl", **changes: Any) -> House:
    """An organisation on its first day."""
    admin = a_member(ADMIN, "Anna Admin", Role.ADMIN)
    return after(
        None, domain.found("agencja", a_settings(language, **changes), "salt", admin, now=NOW)
    )


def after(house: House | None, change: Change) -> House:
    """The house once the change is written."""
    parts = {part.sk: part.data for part in change.parts}
    held = Held(key=change.key, value=change.root, version=change.version + 1, head="h")
    return House(
        held=held,
        catalogue=parts.get("CATALOGUE") or (house.catalogue if house else Catalogue(purposes=())),
        directory=parts.get("STAFF") or (house.directory if house else Directory()),
    )


def entitled(house: House, **flags: bool) -> House:
    """The house on another plan."""
    return after(house, domain.entitle(house, Entitlements(**flags), by=BY, now=NOW))


def words(change: Change) -> dict[str, Wording]:
    """The wordings that a change keeps."""
    return {p.sk: p.data for p in change.parts if p.sk.startswith("WORDING#")}


def texts(text: str = "Tekst", title: str = "Tytuł") -> dict[str, Text]:
    """A purpose's words in the three languages."""
    return {one: Text(title=title, text=f"{text} ({one})") for one in ("pl", "en", "ru")}


def edited(house: House, purpose: str, **changes: Any) -> Change:
    """Another text, or hidden."""
    return domain.edit_purpose(house, purpose, by=BY, now=NOW, **changes)


# The catalogue


def test_an_organisation_starts_with_its_notice_and_three_consents() -> None:
    """S4, S7, S16-S19: each text names the controller, in three languages."""
    admin = a_member(ADMIN, "Anna Admin", Role.ADMIN)
    change = domain.found("agencja", a_settings(), "salt", admin, now=NOW)
    house = after(None, change)
    assert [one.purpose for one in house.catalogue.visible] == list(defaults.PURPOSES)
    kept = words(change)
    assert len(kept) == 18
    notices = [one.text for one in kept.values() if one.purpose == "notice"]
    assert all("Agencja Bezpieczna sp. z o.o." in one for one in notices)
    assert not any("{" in one.text for one in kept.values())
    for one in kept.values():
        assert domain.wording_of(one.purpose, one.language, one.title, one.text) == one


def test_the_channels_have_words_of_their_own() -> None:
    """S18, D9: e-mail and telephone are two consents with two texts."""
    catalogue = founded().catalogue
    for language in ("pl", "en", "ru"):
        shown = [one.texts[language].text for one in catalogue.purposes]
        assert len(set(shown)) == 6


def test_editing_a_text_makes_a_new_wording_and_leaves_the_old_one() -> None:
    """S24, S26: what earlier clients agreed to stays; what did not change is not written."""
    house = founded()
    before = house.catalogue.get("email")
    new = before.texts | {"pl": Text(title="Nowy", text="Nowa treść {controller_name}")}
    change = edited(house, "email", texts=new)
    shown = after(house, change).catalogue.get("email").wordings
    assert shown["pl"] != before.wordings["pl"]
    assert {one: shown[one] for one in ("en", "ru")} == {
        one: before.wordings[one] for one in ("en", "ru")
    }
    assert list(words(change)) == [f"WORDING#{shown['pl']}"]
    assert words(change)[f"WORDING#{shown['pl']}"].text.endswith("Agencja Bezpieczna sp. z o.o.")
    back = edited(after(house, change), "email", texts=before.texts)
    assert after(house, back).catalogue.get("email").wordings == before.wordings


def test_another_controller_makes_new_wordings_where_it_is_named() -> None:
    """S4, S26: settings and what clients are shown can't disagree."""
    house = founded()
    house = after(house, edited(house, "phone", texts=texts()))
    controller = replace(house.settings.controller, name="Inna Agencja")
    change = domain.change_settings(
        house, replace(house.settings, controller=controller), by=BY, now=NOW
    )
    purposes = {one.purpose for one in words(change).values()}
    assert "notice" in purposes
    assert "phone" not in purposes
    same = domain.change_settings(house, house.settings, by=BY, now=NOW)
    assert not words(same)
    assert same.event.body["controller"]["name"] == "Agencja Bezpieczna sp. z o.o."


def test_a_purpose_can_be_hidden_and_shown_again_but_never_the_notice() -> None:
    """S22: not asked for; its words are kept; the notice is a legal duty."""
    house = founded()
    hidden = after(house, edited(house, "phone", hidden=True))
    assert [one.purpose for one in hidden.catalogue.visible] == ["notice", "marketing", "email"]
    assert hidden.catalogue.get("phone").wordings == house.catalogue.get("phone").wordings
    shown = after(hidden, edited(hidden, "phone", hidden=False))
    assert shown.catalogue == house.catalogue
    with pytest.raises(domain.NoticeStays):
        edited(house, "notice", hidden=True)
    with pytest.raises(domain.PurposeUnknown):
        edited(house, "fax", hidden=True)


def test_an_organisation_adds_consents_of_its_own() -> None:
    """S23: at the end, once, and not without end."""
    house = founded()
    change = domain.add_purpose(house, "newsletter", texts(), once=ONCE, by=BY, now=NOW)
    assert change.once == ONCE
    house = after(house, change)
    assert [one.purpose for one in house.catalogue.visible][-1] == "newsletter"
    with pytest.raises(domain.PurposeExists):
        domain.add_purpose(house, "newsletter", texts(), once=ONCE, by=BY, now=NOW)
    while len(house.catalogue.purposes) < domain.MOST_PURPOSES:
        name = f"own{len(house.catalogue.purposes)}"
        house = after(house, domain.add_purpose(house, name, texts(), once=ONCE, by=BY, now=NOW))
    with pytest.raises(domain.TooManyPurposes):
        domain.add_purpose(house, "more", texts(), once=ONCE, by=BY, now=NOW)
    full = domain.change_settings(
        house,
        replace(house.settings, controller=replace(house.settings.controller, name="Inna")),
        by=BY,
        now=NOW,
    )
    assert len(full.parts) + 3 <= 100, "one transaction of DynamoDB has 100 writes"


def test_a_catalogue_has_an_end_in_length_too() -> None:
    """Bad input is a 4xx: the table takes items of 400 KB, and a merged text grows."""
    house, long = founded(), texts("ż" * 11_900)
    with pytest.raises(domain.TooManyPurposes):
        for number in range(domain.MOST_PURPOSES):
            more = domain.add_purpose(house, f"own{number}", long, once=ONCE, by=BY, now=NOW)
            house = after(house, more)
    assert len(house.catalogue.purposes) < domain.MOST_PURPOSES
    house = founded(**controlled(address="u" * 200))
    with pytest.raises(domain.SettingRefused):
        edited(house, "marketing", texts=texts("{controller_address}" * 200))


def test_the_order_is_the_organisations_and_the_notice_comes_first() -> None:
    """S7: the notice before any consent; each purpose exactly once."""
    house = founded()
    order = ["notice", "phone", "email", "marketing", *defaults.FURTHER]
    change = domain.order_purposes(house, order, by=BY, now=NOW)
    assert [one.purpose for one in after(house, change).catalogue.purposes] == order
    assert not words(change)
    for bad in (order[1:], order[::-1], [*order, "phone"], ["notice"] * 6, []):
        with pytest.raises(domain.OrderRefused):
            domain.order_purposes(house, bad, by=BY, now=NOW)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"pl": Text(title="t", text="x")}, "texts"),
        (texts() | {"de": Text(title="t", text="x")}, "texts"),
        (texts("{kontroler}"), "texts.pl.text"),
        (texts("x" * 12_001), "texts.pl.text"),
        (texts("a\x00"), "texts.pl.text"),
        (texts(title="=?x?="), "texts.pl.title"),
        (texts(title="x" * 101), "texts.pl.title"),
    ],
)
def test_a_text_that_no_client_could_be_shown_is_refused(given: Any, field: str) -> None:
    """S24: every language, placeholders that can be merged, no character that turns words round."""
    acts: list[Any] = [
        lambda house: edited(house, "email", texts=given),
        lambda house: domain.add_purpose(house, "own", given, once=ONCE, by=BY, now=NOW),
    ]
    for act in acts:
        with pytest.raises(Invalid) as refused:
            act(founded())
        assert refused.value.field == field


def test_a_language_is_added_once_every_purpose_speaks_it() -> None:
    """S19: nobody is ever asked for something that has no words in their language."""
    house = founded(languages=("pl",))
    only = {"pl": Text(title="t", text="x")}
    house = after(house, domain.add_purpose(house, "own", only, once=ONCE, by=BY, now=NOW))
    wider = replace(house.settings, languages=("pl", "en"))
    with pytest.raises(SettingRefused) as refused:
        domain.change_settings(house, wider, by=BY, now=NOW)
    assert refused.value.field == "languages"
    ready = after(house, edited(house, "own", texts=texts()))
    assert domain.change_settings(ready, wider, by=BY, now=NOW).root.settings == wider


def test_the_plan_decides_what_may_be_edited() -> None:
    """S25, S42, D16: on by default; off, each act is refused."""
    house = founded()
    assert house.organisation.entitlements == Entitlements()
    plain = entitled(house, edit_catalogue=False, default_attachments=False)
    acts: list[Any] = [
        lambda one: edited(one, "email", hidden=True),
        lambda one: domain.add_purpose(one, "own", texts(), once=ONCE, by=BY, now=NOW),
        lambda one: domain.order_purposes(one, domain.BUILT_IN, by=BY, now=NOW),
        lambda one: domain.set_default_attachments(one, ADMIN, ("f",), by=BY, now=NOW),
    ]
    for act in acts:
        assert act(house).version == 1
        with pytest.raises(domain.NotInPlan):
            act(plain)


# The directory


def test_people_are_kept_once_each_and_changed_in_place() -> None:
    """S42, S50: the same id is the same person; default files are the person's own."""
    house = founded()
    ewa = a_member("ewa-0001", "Ewa  Agent", Role.AGENT)
    house = after(house, domain.keep_member(house, ewa, by=BY, now=NOW))
    assert house.directory.get("ewa-0001").name == "Ewa Agent"
    again = replace(ewa, name="Ewa Nowa", department=" Szkody ")
    house = after(house, domain.keep_member(house, again, by=BY, now=NOW))
    assert len(house.directory.members) == 2
    assert house.directory.get("ewa-0001").department == "Szkody"
    change = domain.set_default_attachments(house, "ewa-0001", ("f1", "f2"), by=BY, now=NOW)
    assert after(house, change).directory.get("ewa-0001").default_attachments == ("f1", "f2")
    assert after(house, change).directory.get(ADMIN) == house.directory.get(ADMIN)
    with pytest.raises(domain.MemberUnknown):
        domain.set_default_attachments(house, "nobody", (), by=BY, now=NOW)
    many = Directory(members=tuple(replace(ewa, staff_id=f"e{n}") for n in range(500)))
    with pytest.raises(SettingRefused):
        domain.keep_member(replace(house, directory=many), ewa, by=BY, now=NOW)


def test_a_role_is_changed_where_sign_ins_are_and_nowhere_else() -> None:
    """An administrator keeps a person as they are; whoever runs Duly gives another role."""
    house = founded()
    promoted = a_member(ADMIN, "Anna Admin", Role.HEAD)
    with pytest.raises(domain.RoleElsewhere) as refused:
        domain.keep_member(house, promoted, by=BY, now=NOW)
    assert refused.value.field == "role"
    change = domain.keep_member(house, promoted, by=Actor("system"), now=NOW)
    assert after(house, change).directory.get(ADMIN).role is Role.HEAD


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a\r\nBcc: x"}, "name"),
        ({"email": "a@b, c@d"}, "email"),
        ({"department": "\u202e"}, "department"),
        ({"language": "de"}, "language"),
        ({"hours": Hours(start="17:00", end="09:00")}, "hours"),
        ({"hours": Hours(start="9:00")}, "hours"),
        ({"hours": Hours(end="24:00")}, "hours"),
        ({"hours": Hours(end="17:60")}, "hours"),
        ({"hours": Hours(end="17-00")}, "hours"),
        ({"hours": Hours(end="1٧:00")}, "hours"),
        ({"hours": Hours(days=(0,))}, "hours"),
        ({"hours": Hours(days=(8,))}, "hours"),
    ],
)
def test_a_person_is_described_well(changes: dict[str, Any], field: str) -> None:
    """S50: the name and the address stand in headers of letters."""
    bad = replace(a_member("ewa-0001", "Ewa", Role.AGENT), **changes)
    with pytest.raises(Invalid) as refused:
        domain.keep_member(founded(), bad, by=BY, now=NOW)
    assert refused.value.field == field


# The settings

OFFICER = DataProtectionOfficer(name="Olga", email="iod@agencja.example")


def controlled(**changes: Any) -> dict[str, Any]:
    """Settings with another controller."""
    return {"controller": replace(a_settings().controller, **changes)}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (controlled(name=" "), "controller.name"),
        (controlled(name="x" * 121), "controller.name"),
        (controlled(address=""), "controller.address"),
        (controlled(registry_number=""), "controller.registry_number"),
        (controlled(email="x"), "controller.email"),
        (controlled(phone="x"), "controller.phone"),
        (controlled(dpo=replace(OFFICER, name="=?")), "controller.dpo.name"),
        (controlled(dpo=replace(OFFICER, email="=?")), "controller.dpo.email"),
        ({"sender": Sender(name="x" * 81, email="a@b.example")}, "sender.name"),
        ({"sender": Sender(name="x", email="a@b.example, c@d.example")}, "sender.email"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"policy_pack": "none"}, "policy_pack"),
        ({"languages": ()}, "languages"),
        ({"languages": ("pl", "pl")}, "languages"),
        ({"languages": ("pl", "de")}, "languages"),
        ({"link_days": 0}, "link_days"),
        ({"link_days": 61}, "link_days"),
        ({"keeping": Keeping(unmatched_days=0)}, "keeping.unmatched_days"),
        ({"keeping": Keeping(unmatched_days=366)}, "keeping.unmatched_days"),
        ({"reminder_days": -1}, "reminder_days"),
        ({"reminder_days": 14}, "reminder_days"),
        ({"help_link": "javascript:alert(1)"}, "help_link"),
        ({"help_link": "https://"}, "help_link"),
        ({"help_link": "https://a b"}, "help_link"),
        *[
            ({"host": host}, "host")
            for host in (
                "",
                "https://",
                "zgody.example",
                "http://zgody.example",
                "ftp://zgody.example",
                "https://zgody.example/",
                "https://zgody.example?x",
                "https://zgody.example#x",
                "https://anna@zgody.example",
                "https://zgody .example",
                "https://zgody.exa\nmple",
                "https://żółć.example",
                "https://zgody.example:x",
                "https://zgody.example:",
                "https://-zgody.example",
                "https://" + "h" * 42,
            )
        ],
    ],
)
def test_a_setting_that_does_not_hold_is_named(changes: dict[str, Any], field: str) -> None:
    """Bad input gets a code and the very field; S4, S44, R19."""
    with pytest.raises(Invalid) as refused:
        domain.checked(a_settings(**changes))
    assert refused.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "https://" + "h" * 41},
        {"host": "http://localhost:8080"},
        {"host": "http://127.0.0.1"},
        {"host": "https://a"},
        {"reminder_days": 0, "link_days": 1},
        {"link_days": 60},
        {"help_link": "https://help.example/a?b#c"},
        controlled(dpo=None),
    ],
)
def test_a_setting_that_holds_is_kept(changes: dict[str, Any]) -> None:
    """S4, S62: the bounds themselves, no officer, a help link."""
    settings = a_settings(**changes)
    assert domain.checked(settings) == settings
    assert len(settings.host) + len("/c#") + LONGEST_TOKEN <= MOST_LINK


LONGEST_TOKEN = len("v1.k999.") + 90 + len(".") + 43


def test_settings_are_normalised_and_read_back() -> None:
    """One spelling is stored: trimmed names, domains in lower case, digits."""
    controller = Controller(
        name=" Agencja ",
        address="ul. Długa 1,\n00-001",
        registry_number="1",
        email="Biuro@AGENCJA.example",
        phone="+48 22 123 45 67",
    )
    kept = domain.checked(a_settings(controller=controller))
    assert kept.controller == Controller(
        name="Agencja",
        address="ul. Długa 1, 00-001",
        registry_number="1",
        email="Biuro@agencja.example",
        phone="+48221234567",
    )
    assert domain.checked(kept) == kept
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Settings) == kept
