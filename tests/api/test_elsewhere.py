"""Where else to turn (M108): what an organisation publishes reaches pages and letters."""

import re
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.complaints import acts, answering, answers, correspondence, elements, visits
from chalicelib.complaints.case import Closed, Complaint, Outcome, Said, State
from chalicelib.complaints.elsewhere import bodies
from chalicelib.complaints.privacy import Kind
from chalicelib.documents.letter import Section
from chalicelib.kernel.change import Held
from chalicelib.kernel.tokens import Claims
from chalicelib.letters.service import Occasion
from chalicelib.policy import PACKS
from chalicelib.policy.packs import load
from chalicelib.ports import Body, Item
from tests import cases
from tests.api.test_answers import Desk
from tests.api.test_information import a_draft, day, publish
from tests.duly import ADMIN, HEAD, Duly

LANGUAGES = ("pl", "en", "ru")
OLD = "Nowogrodzka 47A"
NEW = "ul. Nowa 1, 00-950 Warszawa"
NEGATIVE: tuple[dict[str, Any], ...] = (
    {"state": State.ANSWERED, "outcome": Outcome.REJECTED},
    {"state": State.ANSWERED, "outcome": Outcome.PARTLY},
    {"state": State.CLOSED_UNANSWERED},
    {"state": State.CLOSED_SUSPENDED},
    {"state": State.RETURNED},
)
ENDING = ("not_answered", "suspended", "court_returned")


def words(said: str) -> dict[str, str]:
    """The same in every language."""
    return dict.fromkeys(LANGUAGES, said)


def a_card(name: str = "Rzecznik Finansowy", address: str = NEW, **more: Any) -> dict[str, Any]:
    """Somebody to turn to, as an administrator publishes it."""
    card: dict[str, Any] = {"kind": "contact", "name": words(name), "address": words(address)}
    return card | more


def publishes(duly: Duly, *blocks: dict[str, Any], **changes: Any) -> None:
    """Where else to turn, in force from today unless said otherwise."""
    draft = a_draft(duly, blocks=list(blocks or [a_card()]), **changes)
    answer = publish(duly, draft, "elsewhere")
    assert answer.status == 200, answer.json


def under(duly: Duly, pack: str, **changes: Any) -> Held[Complaint]:
    """A case that was received under this pack."""
    held = cases.registered(duly, **changes)
    return replace(held, value=replace(held.value, pack=load(pack).pin))


def where_next(duly: Duly, held: Held[Complaint], **changes: Any) -> tuple[Body, ...]:
    """What its status page says of it, once it has changed so."""
    ports = duly.ports()
    claims = Claims(
        org=held.key.org,
        owner_id=held.key.id,
        about_id=held.key.id,
        generation=0,
        issued=ports.now,
        expires=ports.now,
    )
    changed = replace(held, value=replace(held.value, **changes))
    visit = visits.Visit(house=cases.house(duly), held=changed, claims=claims)
    return visits.standing(ports, visit).where_next


def elsewhere(duly: Duly, held: Held[Complaint], template: str) -> tuple[Section, ...]:
    """What a letter that ends the case says of it."""
    ports = duly.ports()
    said = Said(said_id="s" * 26, text="Słowa.", wording="Powód.")
    part = Item(key=held.key, sk=f"SAID#{said.said_id}", data=msgspec.json.encode(said))
    letter = acts.letter(template, "writer", ports.now, about=said.said_id)
    occasion = Occasion(house=cases.house(duly), owner=held, letter=letter, part=part)
    facts = cast(Any, correspondence.COMPOSERS[template](ports, occasion).facts)
    found: tuple[Section, ...] = facts.elsewhere
    return found


def texts(found: tuple[Section, ...]) -> str:
    """All of it."""
    return "\n".join(f"{one.title}\n{one.text}" for one in found)


@pytest.mark.parametrize("pack", PACKS)
def test_whoever_is_refused_or_kept_waiting_is_told_where_to_turn(duly: Duly, pack: str) -> None:
    """M108: under every pack, on the page and in the letters, in each language, without a gap."""
    held = under(duly, pack)
    for how in NEGATIVE:
        found = where_next(duly, held, closed=Closed(at=duly.ports().now, **how))
        assert found
        for one in found:
            for language in LANGUAGES:
                assert one.name[language]
                assert one.how[language]
                assert not set("[]{}") & set(one.name[language] + one.how[language])
    for template in ENDING:
        for language in LANGUAGES:
            spoken = replace(held, value=replace(held.value, language=language))
            letter = elsewhere(duly, spoken, template)
            assert letter
            assert all(one.title and one.text for one in letter)


@pytest.mark.parametrize("pack", [one for one in PACKS if "answer" in load(one).rules])
def test_who_waits_beyond_the_limit_is_told_where_to_turn(duly: Duly, pack: str) -> None:
    """M108: on the day after the last lawful one, and not on the last one."""
    held = under(duly, pack)
    due = held.value.answer_due
    assert due is not None
    assert where_next(duly, held) == ()
    duly.clock[0] += due.limit - held.value.day(duly.ports().now)
    assert where_next(duly, held) == ()
    duly.wait(days=1)
    assert where_next(duly, held)


def test_a_new_address_is_told_from_its_day(duly: Duly) -> None:
    """M108, M109: on the page and in every letter; the old one no more."""
    held = under(duly, "pl-nat-2026-02-13")
    publishes(duly, effective_from=day(duly, days=2))

    def told() -> list[str]:
        page = where_next(duly, held, closed=Closed(at=duly.ports().now, **NEGATIVE[0]))
        shown = "\n".join(f"{one.name['pl']}\n{one.how['pl']}" for one in page)
        return [shown, *(texts(elsewhere(duly, held, one)) for one in ENDING)]

    for said in told():
        assert OLD in said
        assert NEW not in said
    duly.wait(days=2)
    for said in told():
        assert NEW in said
        assert OLD not in said
        assert "sąd" in said.lower()  # what names no address stays


def test_a_letter_that_leaves_has_the_new_address(duly: Duly) -> None:
    """M108: through the agenda, as text and as HTML; the page behind its link says the same."""
    held = cases.registered(duly)
    publishes(duly)
    path = f"/api/complaints/{held.key.id}/return-court"
    answer = duly.staff(
        "POST", path, {"text": "Od wyroku przysługuje apelacja."}, by=HEAD, version=held.version
    )
    assert answer.status == 200, answer.json
    duly.tick()
    letter = duly.mailbox.to(cases.WRITER.email)[-1]
    for said in (letter.text, letter.html):
        assert NEW in said
        assert OLD not in said
    found = re.search(r"/status#(\S+)", letter.text)
    assert found
    page = duly.public("/complaints/status", {"token": found[1]}).json
    assert NEW in str(page["where_next"])
    assert OLD not in str(page["where_next"])


def test_an_answer_begins_from_what_is_published(duly: Duly) -> None:
    """M75, M108: the element that the pack wants has the new address, and holds nothing private."""
    publishes(duly, a_card(email="nowy@rf.gov.pl", phones=[{"number": "22 333 73 26"}]))
    desk = Desk(duly, cases.registered(duly))
    drafted = {one["key"]: one["text"] for one in desk.draft("rejected")["elements"]}
    assert drafted["ombudsman"].endswith(f":\n{NEW}\ntel. 22 333 73 26\nnowy@rf.gov.pl")
    assert drafted["court"]
    assert addresses(duly, desk) == []
    held, said = answering.read(duly.ports(), "agencja", desk.case_id, desk.answer_id)
    lacking = {one.rule for one in answers.gaps(held.value, said, "pl")}
    assert "letters.refusal.appeal" in lacking
    assert "letters.refusal.ombudsman" not in lacking


def test_an_answer_that_is_drafted_keeps_its_words(duly: Duly) -> None:
    """M75, M109: what was published later is for later drafts; the earlier is no more private."""
    publishes(duly)
    desk = Desk(duly, cases.registered(duly))
    before = desk.draft("rejected")["elements"]
    publishes(duly, a_card(address="ul. Nowsza 2, 00-951 Warszawa"))
    assert desk.read()["elements"] == before
    assert addresses(duly, desk) == []
    desk.write(outcome="rejected", ombudsman=f"Mieszka Pan: {NEW}")
    assert addresses(duly, desk)


def addresses(duly: Duly, desk: Desk) -> list[Kind]:
    """What the gate takes for an address in the answer as it stands."""
    held, said = answering.read(duly.ports(), "agencja", desk.case_id, desk.answer_id)
    return [one.kind for one in answers.findings(held.value, said) if one.kind is Kind.ADDRESS]


@pytest.mark.parametrize(
    ("pack", "card", "key"),
    [
        ("pl-nat-2015", a_card(), "ombudsman"),
        (
            "pl-nat-2015",
            a_card("Biuro", sites=[{"address": "https://rf.gov.pl/nowa"}]),
            "ombudsman",
        ),
        ("pl-nat-2015", a_card("Biuro", email="BIURO@rf.gov.pl"), "ombudsman"),
        ("pl-nat-2015", a_card("Biuro", role="ombudsman"), "ombudsman"),
        ("ru-442fz-2024", a_card("Финансовый уполномоченный"), "ombudsman"),
        ("ru-442fz-2024", a_card("Банк России"), "regulator"),
        ("ru-442fz-2024", a_card("ВСС", role="union"), "union"),
        ("uk-disp-2026", a_card("Financial Ombudsman Service"), "website"),
        ("uk-dp-2026-06-19", a_card("Information Commissioner’s Office"), "commissioner"),
        ("eu-eiopa", a_card("Financial Arbitrator"), "elsewhere"),
    ],
)
def test_a_card_is_known_by_its_role_name_address_or_site(
    duly: Duly, pack: str, card: dict[str, Any], key: str
) -> None:
    """M101-M105, M108: it takes the place of the pack's own address, of that body alone."""
    publishes(duly, card)
    case = under(duly, pack).value
    told = duly.ports().elsewhere(duly.ports(), "agencja", case.policy.pack)
    found = answering._phrases(case, Outcome.REJECTED, "pl", told)
    assert [one for one, said in found.items() if NEW in said] == [key]
    assert "[" not in found[key]
    assert key in {one.key for one in elements.wanted(case, Outcome.REJECTED)}


@pytest.mark.parametrize(
    ("pack", "name"),
    [
        ("uk-disp-2026", "Financial Ombudsman Service"),
        ("uk-dp-2026-06-19", "Information Commissioner’s Office"),
    ],
)
def test_the_body_that_is_competent_comes_first(duly: Duly, pack: str, name: str) -> None:
    """M108: of what comes with Duly, a complaint about data names the commissioner first."""
    duly.found("brit", "en", policy_pack="uk-disp-2026", time_zone="Europe/London")
    told = duly.ports().elsewhere(duly.ports(), "brit", pack)
    first, *others = bodies(load(pack), told)
    assert first.name["en"] == name
    assert others


def test_a_company_is_not_sent_to_who_takes_people_alone(duly: Duly) -> None:
    """Law D.1: what an officer must think about is in no letter that no officer finishes."""
    publishes(duly, a_card(), a_card("Izba Arbitrażowa", "ul. Sądowa 3"))
    said = texts(elsewhere(duly, under(duly, "pl-legal-2018"), "not_answered"))
    assert NEW not in said
    assert "ul. Sądowa 3" in said


def test_a_text_without_a_contact_is_told_whole(duly: Duly) -> None:
    """M108: whoever publishes paragraphs alone sends nobody to an older address."""
    plain = {"kind": "paragraph", "text": words("Można napisać do Rzecznika.")}
    publishes(duly, plain, {"kind": "list", "items": [words("pocztą"), words("e-mailem")]})
    said = texts(elsewhere(duly, under(duly, "pl-nat-2015"), "not_answered"))
    assert "Można napisać do Rzecznika.\n– pocztą\n– e-mailem" in said
    assert OLD not in said


def test_what_is_published_too_long_for_an_answer_is_left_to_the_officer(duly: Duly) -> None:
    """Issue 3, 8: a draft is never refused for what was published."""
    cards = [a_card(f"Organ {n}", about=words("x" * 900)) for n in range(9)]
    publishes(duly, *cards)
    case = under(duly, "eu-eiopa").value
    told = duly.ports().elsewhere(duly.ports(), "agencja", case.policy.pack)
    assert "[" in answering._phrases(case, Outcome.REJECTED, "pl", told)["elsewhere"]


def test_a_page_in_a_language_that_nobody_published_has_the_first_one(duly: Duly) -> None:
    """R26: no reader meets a gap."""
    duly.found("polska", languages=("pl",), policy_pack="pl-nat-2026-02-13")
    polish = {"kind": "contact", "name": {"pl": "Sąd Polubowny"}, "address": {"pl": NEW}}
    draft = a_draft(duly, titles={"pl": "Gdzie"}, blocks=[polish])
    version = duly.staff("GET", "/api/information", org="polska").json["version"]
    path = "/api/information/elsewhere"
    answer = duly.staff("PUT", path, draft, by=ADMIN, version=version, org="polska")
    assert answer.status == 200, answer.json
    (one,) = duly.ports().elsewhere(duly.ports(), "polska", "pl-nat-2026-02-13").bodies
    assert one.name == words("Sąd Polubowny")
    assert one.how == words(NEW)
