"""The question to the insured through the API: was this sent for you? (M38, D7, D14)"""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.complaints import proof_of_work
from chalicelib.complaints.case import Complaint
from tests import cases
from tests.api.test_status_page import the_key
from tests.duly import ADMIN, Duly
from tests.public_form import SUBSTANCE, WRITER, for_insured, insured_token, token_of

READ, ACT = "/complaints/insured/read", "/complaints/insured/act"


@pytest.fixture(autouse=True)
def light_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try costs next to nothing here."""
    monkeypatch.setattr(proof_of_work, "COST", 1)


def the_case(duly: Duly) -> Complaint:
    """The one case."""
    return cases.case_of(duly, the_key(duly).id).value


@pytest.fixture
def token(duly: Duly) -> str:
    """A question that was asked."""
    answer = for_insured(duly)
    assert answer.status == 201, answer.json
    one: Any = SimpleNamespace(key=the_key(duly))
    cases.registered_now(duly, one)
    return insured_token(duly)


def test_the_question_tells_what_it_takes_to_answer_it(duly: Duly, token: str) -> None:
    """M38: the number, the day, about whom; not the words, and not who wrote them."""
    told = duly.public(READ, {"token": token})
    assert told.status == 200, told.json
    assert told.json["client_name"] == "Jan Ubezpieczony"
    assert (told.json["state"], told.json["decision"]) == ("open", "")
    said = json.dumps(told.json, ensure_ascii=False)
    for known in (SUBSTANCE, WRITER["name"], WRITER["email"], "AB-123"):
        assert known not in said


def test_opening_the_question_changes_nothing(duly: Duly, token: str) -> None:
    """R1, R3: a hundred scanners, and the insured still decides."""
    before = duly.table()
    for agent in ("SafeLinks", "Proofpoint", "GoogleImageProxy", "Barracuda") * 5:
        assert duly.public(READ, {"token": token}, headers={"User-Agent": agent}).status == 200
    assert duly.table() == before
    assert duly.public(ACT, {"token": token, "decision": "mine"}).status == 200


@pytest.mark.parametrize("decision", [None, "", "yes", True])
def test_an_answer_needs_a_decision(duly: Duly, token: str, decision: Any) -> None:
    """R4, D14: there is no default."""
    body = {"token": token} | ({} if decision is None else {"decision": decision})
    answer = duly.public(ACT, body)
    assert (answer.status, answer.json["field"]) == (422, "decision")
    question = the_case(duly).question
    assert question is not None
    assert question.decided_at is None


@pytest.mark.parametrize("decision", ["mine", "not_mine"])
def test_the_insured_says_so_once(duly: Duly, token: str, decision: str) -> None:
    """R5: the same again is the same, the other one afterwards changes nothing."""
    first = duly.public(ACT, {"token": token, "decision": decision})
    second = duly.public(ACT, {"token": token, "decision": decision})
    assert first.status == second.status == 200
    assert first.json == second.json
    other = {"mine": "not_mine", "not_mine": "mine"}[decision]
    assert duly.public(ACT, {"token": token, "decision": other}).told == (409, "already_decided")
    question = the_case(duly).question
    assert question is not None
    assert question.decision == decision
    shown = duly.public(READ, {"token": token}).json
    assert (shown["state"], shown["decision"]) == ("answered", decision)


def test_a_denial_closes_nothing_by_itself(duly: Duly, token: str) -> None:
    """D7: an officer looks first."""
    duly.public(ACT, {"token": token, "decision": "not_mine"})
    assert the_case(duly).is_open


def test_a_newer_question_supersedes_the_one_before(duly: Duly, token: str) -> None:
    """R14: the old link says so; the new one counts."""
    case_id = the_key(duly).id
    version = cases.case_of(duly, case_id).version
    path = f"/api/complaints/{case_id}/ask-insured"
    asked = duly.staff("POST", path, by=ADMIN, version=version)
    assert asked.status in (200, 202), asked.json
    duly.tick()
    assert duly.public(READ, {"token": token}).told == (410, "link_superseded")
    refused = duly.public(ACT, {"token": token, "decision": "mine"})
    assert refused.told == (410, "link_superseded")
    assert duly.public(READ, {"token": insured_token(duly)}).status == 200


def test_a_question_runs_out(duly: Duly, token: str) -> None:
    """R13: thirty days; then it goes by post."""
    duly.wait(days=31)
    assert duly.public(READ, {"token": token}).told == (410, "link_expired")


def test_a_link_is_good_for_its_own_purpose(duly: Duly, token: str) -> None:
    """R8: the writer's status link answers no question, and the question shows no status."""
    assert duly.public("/complaints/status", {"token": token}).told == (400, "link_invalid")
    duly.found("inna")
    assert duly.public(READ, {"token": token}, "inna").told == (400, "link_invalid")
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    with duly.calls() as made:
        assert duly.public(ACT, {"token": forged, "decision": "mine"}).told == (400, "link_invalid")
    assert made == []


def test_the_writer_cannot_answer_for_the_insured(duly: Duly) -> None:
    """M38: by no link that the writer ever gets."""
    writers = token_of(for_insured(duly))
    for path, more in ((READ, {}), (ACT, {"decision": "mine"})):
        assert duly.public(path, {"token": writers, **more}).told == (400, "link_invalid")


def test_an_answer_is_one_event_with_its_way(duly: Duly, token: str) -> None:
    """M38, R23: who, how, when."""
    duly.public(ACT, {"token": token, "decision": "mine"})
    (event,) = [
        one
        for one in duly.ports().ledger.events(the_key(duly))
        if one.envelope["kind"] == "insured_answered"
    ]
    assert event.body is not None
    assert event.envelope["actor"]["kind"] == "client"
    assert event.body["how"] == "link"
