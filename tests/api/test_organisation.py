"""An organisation's settings and people, through the API."""

from typing import Any

import msgspec

from chalicelib.kernel.change import SYSTEM
from chalicelib.organisations import domain, service
from chalicelib.organisations.domain import Entitlements
from infra import organisation
from tests.duly import ADMIN, AGENT, HEAD, Answer, Duly

NEW = "a7777777-7777-4777-8777-777777777777"


def settings(duly: Duly) -> tuple[Any, int]:
    """The settings in force, and their version."""
    read = duly.staff("GET", "/api/organisation").json
    return read["settings"], read["version"]


def put(duly: Duly, changed: Any, version: int, by: str = ADMIN) -> Answer:
    """The administrator sets them."""
    return duly.staff("PUT", "/api/organisation/settings", changed, by=by, version=version)


def entitle(duly: Duly, **entitlements: bool) -> None:
    """Another plan, as whoever runs Duly sets it."""
    ports = duly.ports()
    service.change(
        ports,
        "agencja",
        None,
        lambda house: domain.entitle(house, Entitlements(**entitlements), by=SYSTEM, now=ports.now),
    )


def test_the_controller_is_the_agency_until_another_is_set(duly: Duly) -> None:
    """S4: a configured party; what clients are shown names it from then on."""
    known, version = settings(duly)
    assert known["controller"]["name"] == "Agencja Bezpieczna sp. z o.o."
    changed = known | {"controller": known["controller"] | {"name": "Inny Administrator S.A."}}
    answer = put(duly, changed, version)
    assert answer.status == 200, answer.json
    assert answer.json["version"] == version + 1
    assert answer.headers["ETag"] == f'"{version + 1}"'
    declared = duly.declared(duly.client())
    assert all("Inny Administrator S.A." in one["text"] for one in declared["answers"])


def test_what_is_out_keeps_the_controller_that_it_named(duly: Duly) -> None:
    """S26: another controller makes new wordings; what a client was shown stays as it was."""
    client = duly.client()
    before = duly.declared(client)
    known, version = settings(duly)
    controller = known["controller"] | {"name": "Inny Administrator S.A."}
    assert put(duly, known | {"controller": controller}, version).status == 200
    after = duly.staff("GET", duly.where(before)).json
    assert after["answers"] == before["answers"]


def test_settings_are_versioned(duly: Duly) -> None:
    """Issue 2, 1: a change names the version that was read: 428 without it, 409 on another."""
    known, version = settings(duly)
    missing = duly.staff("PUT", "/api/organisation/settings", known, by=ADMIN)
    assert (missing.status, missing.json["code"]) == (428, "if_match_required")
    changed = known | {"link_days": 21}
    assert put(duly, changed, version).status == 200
    late = put(duly, known | {"link_days": 7}, version)
    assert (late.status, late.json["code"]) == (409, "changed_meanwhile")
    assert settings(duly)[0]["link_days"] == 21


def test_settings_are_normalised(duly: Duly) -> None:
    """Issue 2, 1: what is stored is what was meant."""
    known, version = settings(duly)
    sender = {"name": "  Agencja   Bezpieczna ", "email": "Zgody@AGENCJA.example"}
    given = put(duly, known | {"sender": sender}, version).json["settings"]["sender"]
    assert given == {"name": "Agencja Bezpieczna", "email": "Zgody@agencja.example"}


def test_another_lifetime_counts_for_the_next_letter(duly: Duly) -> None:
    """S49: the link's lifetime is the organisation's, in whole days from sending."""
    known, version = settings(duly)
    assert put(duly, known | {"link_days": 2, "reminder_days": 0}, version).status == 200
    sent, token = duly.sent(duly.client())
    assert sent["expires_at"][:10] > sent["sent_at"][:10]
    duly.wait(days=2, minutes=1)
    answer = duly.public("/links/read", {"token": token})
    assert (answer.status, answer.json["code"]) == (410, "link_expired")


def test_a_language_is_added_only_when_every_purpose_has_it(duly: Duly) -> None:
    """S24: nobody is shown a purpose without words, in any language of the organisation."""
    known, version = settings(duly)
    polish = put(duly, known | {"languages": ["pl"]}, version)
    assert polish.status == 200, polish.json
    texts = {"pl": {"title": "Konkurs", "text": "Zgadzam się na udział."}}
    added = duly.staff("POST", "/api/catalogue", {"purpose": "contest", "texts": texts}, by=ADMIN)
    assert added.status == 201, added.json
    refused = put(duly, known, added.json["version"])
    assert (refused.status, refused.json["field"]) == (422, "languages")
    texts |= {one: {"title": "Contest", "text": "I agree."} for one in ("en", "ru")}
    edited = duly.staff(
        "PATCH",
        "/api/catalogue/purposes/contest",
        {"texts": texts},
        by=ADMIN,
        version=added.json["version"],
    )
    assert edited.status == 200, edited.json
    assert put(duly, known, edited.json["version"]).status == 200
    client = duly.client(language="en")
    assert duly.declared(client, contest=True)["answers"][-1]["text"] == "I agree."


def test_the_directory_lives_in_the_organisation(duly: Duly) -> None:
    """Issue 2, 11: name, e-mail, role, department, hours; a person who was added may sign in."""
    version = duly.staff("GET", "/api/staff").json["version"]
    person = {
        "name": "Nina Nowa",
        "email": "nina@agencja.example",
        "role": "agent",
        "department": "Majątek",
        "language": "pl",
        "hours": {"days": [1, 3], "start": "08:00", "end": "14:30"},
        "active": True,
    }
    assert duly.staff("GET", "/api/catalogue", by=NEW).status == 401
    path = f"/api/staff/{NEW}"
    answer = duly.staff("PUT", path, person, by=ADMIN, version=version)
    assert answer.status == 200, answer.json
    known = {one["staff_id"]: one for one in answer.json["members"]}
    assert known[NEW].items() >= person.items()
    assert duly.staff("GET", "/api/catalogue", by=NEW).status == 200
    assert {AGENT, HEAD, ADMIN, NEW} == set(known)


def test_the_founding_file_names_the_position_with_which_answers_are_signed(duly: Duly) -> None:
    """M52, item 7: who answers, by name and position; a file that names none takes none back."""

    def kept(**changes: Any) -> Any:
        file = {"name": "Hanna Head", "email": "hanna@agencja.example", "role": "head", **changes}
        one = msgspec.structs.asdict(msgspec.convert(file, organisation.Person))
        organisation._keep("agencja", domain.Member(staff_id=HEAD, **one))
        (found,) = [
            one
            for one in duly.staff("GET", "/api/staff", by=ADMIN).json["members"]
            if one["staff_id"] == HEAD
        ]
        return found["position"], found["department"]

    assert kept(position="Kierowniczka", department="Jakość") == ("Kierowniczka", "Jakość")
    assert kept(department="Szkody") == ("Kierowniczka", "Szkody")
    assert kept(position="Dyrektorka") == ("Dyrektorka", "")


def test_hours_that_are_none_are_refused(duly: Duly) -> None:
    """Issue 2, 11: working hours begin before they end, on days of a week."""
    version = duly.staff("GET", "/api/staff").json["version"]
    person = {"name": "N", "email": "n@agencja.example", "role": "agent"}
    for hours in (
        {"start": "17:00", "end": "09:00"},
        {"start": "9:00", "end": "17:00"},
        {"start": "09:60", "end": "17:00"},
        {"days": [0]},
        {"days": [8]},
    ):
        answer = duly.staff(
            "PUT", f"/api/staff/{NEW}", person | {"hours": hours}, by=ADMIN, version=version
        )
        assert (answer.status, answer.json["field"]) == (422, "hours"), hours


def test_default_attachments_need_the_plan(duly: Duly) -> None:
    """S42, D16: an entitlement of the organisation, on by default, set by whoever runs Duly."""
    assert msgspec.to_builtins(Entitlements()) == {
        "edit_catalogue": True,
        "default_attachments": True,
    }
    entitle(duly, default_attachments=False)
    read = duly.staff("GET", "/api/organisation").json
    assert read["entitlements"] == {"edit_catalogue": True, "default_attachments": False}
    path = f"/api/staff/{AGENT}/default-attachments"
    answer = duly.staff("PUT", path, {"files": []}, version=read["version"])
    assert (answer.status, answer.json["code"]) == (403, "not_in_plan")
    file = {"name": "a.pdf", "content_type": "application/pdf", "size": 10}
    answer = duly.staff("POST", "/api/organisation/files", file)
    assert (answer.status, answer.json["code"]) == (403, "not_in_plan")


def test_staff_change_neither_the_host_of_links_nor_the_domain_of_letters(duly: Duly) -> None:
    """R8, S44: another's host would be handed working links, another's domain be written from."""
    known = duly.staff("GET", "/api/organisation", by=ADMIN).json
    path, version = "/api/organisation/settings", known["version"]
    for change, field in (
        ({"host": "https://evil.example"}, "host"),
        ({"sender": {"name": "Inna", "email": "zgody@inna.example"}}, "sender.email"),
    ):
        answer = duly.staff("PUT", path, known["settings"] | change, by=ADMIN, version=version)
        assert (answer.status, answer.json["code"]) == (409, "address_elsewhere")
        assert answer.json["field"] == field
    within = {"sender": {"name": "Agencja", "email": "oferty@agencja.example"}}
    answer = duly.staff("PUT", path, known["settings"] | within, by=ADMIN, version=version)
    assert answer.status == 200, answer.json


def test_the_last_administrator_stays(duly: Duly) -> None:
    """Issue 2, 11: somebody has to remain who may change the directory."""
    known = duly.staff("GET", "/api/staff", by=ADMIN).json
    admin = next(one for one in known["members"] if one["staff_id"] == ADMIN)
    kept = {name: admin[name] for name in ("name", "email", "role", "department", "language")}
    answer = duly.staff(
        "PUT", f"/api/staff/{ADMIN}", kept | {"active": False}, by=ADMIN, version=known["version"]
    )
    assert (answer.status, answer.json["code"]) == (409, "last_administrator")
