"""Other rules for an open case, through the API: what was not known when it came is set right."""

from typing import Any

import pytest

from tests.api.test_answers import desk
from tests.casework import Office
from tests.duly import AGENT, HEAD, Duly

POLAND = {"pack": "pl-nat-2026-02-13", "time_zone": "Europe/Warsaw"}
BRITAIN = {"pack": "uk-disp-2026", "time_zone": "Europe/London"}
COMPANY = {"audience": "legal", "reason": "Pisze spółka, nie osoba."}
ABOUT_DATA = {"scope": "data_protection", "reason": "Chodzi o dane osobowe."}


@pytest.fixture
def poland(duly: Duly) -> Office:
    """A Polish office on a Monday morning."""
    return Office(duly, **POLAND)


@pytest.fixture
def britain(duly: Duly) -> Office:
    """A British one."""
    return Office(duly, **BRITAIN)


def by_mail(office: Office, **changes: Any) -> Any:
    """A registered case that came by e-mail, a day ago."""
    case = office.case(channel="email", received_at=office.duly.ports().now.isoformat(), **changes)
    office.duly.wait(days=1)
    return case


def last_event(office: Office, case: Any) -> Any:
    """What happened last, with its body."""
    return office.ask("GET", f"/api/complaints/{case['case_id']}/events").json["events"][0]


def test_a_company_that_wrote_by_e_mail_is_handled_under_its_own_rules(poland: Office) -> None:
    """D20, M2, M32: pack and dates of the day of receipt; the event says before, after, and why."""
    case = by_mail(poland)
    assert (case["audience"], case["pack"]) == ("natural", "pl-nat-2026-02-13.1")
    after = poland.done(case, "rules", COMPANY)
    assert (after["audience"], after["scope"]) == ("legal", "complaint")
    assert after["pack"] == "pl-legal-2018.1"
    assert "article 16" in after["pack_title"]
    assert after["limit"] == case["limit"]
    assert {one["key"] for one in after["remarks"]} != {one["key"] for one in case["remarks"]}
    event = last_event(poland, case)
    assert event["kind"] == "rules_set"
    told = event["body"]
    told.pop("origin")
    assert told == {
        "reason": "Pisze spółka, nie osoba.",
        "audience": ["natural", "legal"],
        "scope": ["complaint", "complaint"],
        "pack": ["pl-nat-2026-02-13.1", "pl-legal-2018.1"],
        "limit": [case["limit"], case["limit"]],
    }
    listed = poland.ask("GET", "/api/complaints?list=open").json["cases"]
    assert [one["limit"] for one in listed] == [after["limit"]]


def test_a_complaint_about_data_gets_the_pack_of_its_own(britain: Office) -> None:
    """D20, M2: no day of the answer there, which the event tells; and back again, with its day."""
    case = by_mail(britain)
    after = britain.done(case, "rules", ABOUT_DATA)
    assert (after["scope"], after["pack"]) == ("data_protection", "uk-dp-2026-06-19.1")
    assert (case["limit"] is None, after["limit"]) == (False, None)
    assert {one["rule"] for one in after["deadlines"]} >= {"acknowledge"}
    assert last_event(britain, case)["body"]["limit"] == [case["limit"], None]
    back = britain.done(case, "rules", {"scope": "complaint", "reason": "Nie tylko o dane."})
    assert (back["limit"], back["pack"]) == (case["limit"], case["pack"])
    letters = [one.template for one in britain.letters(case)]
    assert letters == ["submission_taken"]  # confirmed once, whatever the rules are called


def test_it_is_refused_with_a_code_and_a_field(poland: Office) -> None:
    """D20: nothing to change, no such rules, no reason, an unknown audience: never a 5xx."""
    case = by_mail(poland)
    for body, told, field in (
        ({"audience": "natural", "reason": "x"}, (409, "rules_unchanged"), None),
        ({"reason": "x"}, (409, "rules_unchanged"), None),
        (ABOUT_DATA, (422, "rules_unknown"), "scope"),
        (COMPANY | {"reason": " "}, (422, "text_refused"), "reason"),
        ({"audience": "legal"}, (422, "invalid"), "reason"),
        (COMPANY | {"audience": "martian"}, (422, "invalid"), "audience"),
    ):
        answer = poland.act(case, "rules", body)
        assert (answer.told, answer.json.get("field")) == (told, field), body
    assert poland.act(case, "rules", COMPANY, version=1).told == (409, "changed_meanwhile")
    assert poland.act(case, "rules", COMPANY, by=AGENT).told == (403, "role_refused")
    assert poland.act(case, "rules", COMPANY).status == 200


def test_a_closed_case_keeps_the_rules_under_which_it_ended(poland: Office) -> None:
    """D20, M55: and so does one that is not registered yet."""
    new = poland.enter()
    if not new["registered_at"]:
        assert poland.act(new, "rules", COMPANY).told == (409, "not_registered")
    case = by_mail(poland)
    way = {"channel": "post", "posted_on": poland.today()}
    poland.done(case, "route-out", {"note": "likwidacja szkód", "way": way})
    assert poland.act(case, "rules", COMPANY).told == (409, "already_closed")


def test_an_extension_that_was_told_bars_rules_without_one(britain: Office) -> None:
    """M53: the refusal says why; the case stays as it was."""
    case = by_mail(britain)
    elements = {
        key["key"]: "Trwa to dłużej." for key in britain.read(case)["extension"]["elements"]
    }
    way = {"channel": "post", "posted_on": britain.today()}
    body = {"to": britain.today(80), "elements": elements, "way": way}
    britain.done(case, "extend", body)
    answer = britain.act(case, "rules", ABOUT_DATA)
    assert answer.told == (409, "rules_forbid_extension")
    assert "the client was told" in answer.json["message"]
    assert britain.read(case)["pack"] == case["pack"]


def test_an_approval_under_other_rules_is_none(duly: Duly) -> None:
    """M52, M55: the answer goes back to who wrote it, and the second person looks again."""
    one = desk(duly)
    one.draft()
    one.write()
    assert one.act("submit").json["stage"] == "submitted"
    assert one.act("approve", by=HEAD).json["stage"] == "approved"
    where = f"/api/complaints/{one.case_id}/rules"
    assert one.ask("POST", where, COMPANY, by=HEAD).status == 200
    assert one.read()["stage"] == "returned"
    assert one.case.answer is not None
    assert one.case.answer.returned == COMPANY["reason"]
    assert one.act("approve", by=HEAD).told == (409, "answer_not_submitted")
    assert one.act("submit").status == 200
