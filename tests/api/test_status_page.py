"""The private status page through the API (M45, M108, D7)."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import wiring
from chalicelib.complaints import acts, proof_of_work, service, store, visits
from chalicelib.complaints import case as complaints
from chalicelib.complaints.case import Closed, State
from chalicelib.kernel.change import Actor, Change, Held, Key
from chalicelib.organisations.domain import ComplaintSettings
from tests import cases
from tests.duly import Answer, Duly
from tests.public_form import (
    CLIENT_FACTS,
    INSURED,
    a_proof,
    filled,
    for_insured,
    sent,
    token_of,
)

STATUS = "/complaints/status"
# How a case with a private link can end, and the name for it there; an anonymous one has no link.
ENDS = {
    State.ANSWERED: "answered",
    State.ROUTED_OUT: "passed_on",
    State.RETURNED: "returned",
    State.CLOSED_DUPLICATE: "duplicate",
    State.CLOSED_UNANSWERED: "unanswered",
    State.CLOSED_SUSPENDED: "suspended",
    State.CLOSED_NOT_ON_BEHALF: "closed",
}
UPLOAD = {"slot": 0, "name": "rachunek.pdf", "content_type": "application/pdf", "size": 5}


@pytest.fixture(autouse=True)
def light_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try costs next to nothing here."""
    monkeypatch.setattr(proof_of_work, "COST", 1)


def the_key(duly: Duly) -> Key:
    """The key of the one case."""
    (pk,) = {pk for pk, sk in duly.table() if "#COMPLAINT#" in pk and sk == "ROOT"}
    return complaints.key("agencja", pk.rpartition("#")[2])


def registered(duly: Duly) -> complaints.Complaint:
    """The one case, once its moment has come."""
    from types import SimpleNamespace

    one: Any = SimpleNamespace(key=the_key(duly))
    return cases.registered_now(duly, one).value


def ended(duly: Duly, state: State, **known: str) -> None:
    """The one case has come to this end, whatever led there."""
    ports, house = duly.ports(), cases.house(duly)

    def decide(held: Held[complaints.Complaint]) -> Change:
        how = Closed(state=state, at=ports.now, by="officer")
        end = replace(held.value, closed=how, **known)
        return acts.done(held, end, house, "ended", by=Actor("client"), now=ports.now)

    service.act(ports, house, the_key(duly).id, None, decide)


def status(duly: Duly, token: str) -> Answer:
    """What the page is told."""
    return duly.public(STATUS, {"token": token})


def test_the_status_tells_number_stage_and_next_date(duly: Duly) -> None:
    """M45: received, then registered; the day of the answer and the chain that led there."""
    token = token_of(sent(duly))
    case = registered(duly)
    told = status(duly, token)
    assert told.status == 200
    assert told.json["reference"] == case.reference
    assert told.json["stage"] == "registered"
    assert told.json["received_on"] == case.day(case.received_at).isoformat()
    assert case.registered_at is not None
    assert told.json["registered_on"] == case.day(case.registered_at).isoformat()
    assert case.answer_due is not None
    assert told.json["next"]["date"] == case.answer_due.limit.isoformat()
    assert "→" in told.json["next"]["why"]
    assert told.json["may_add"] is True
    assert told.json["where_next"] == []


@pytest.mark.parametrize("mailbox", ["", "reklamacje@szybka.example"])
def test_form_and_status_name_the_mailbox_of_complaints(duly: Duly, mailbox: str) -> None:
    """M2, M3: what is written there joins the case; without one it is the office's own address."""
    duly.found("szybka", complaints=ComplaintSettings(mailbox=mailbox))
    own = cases.house(duly, "szybka").settings.controller.email
    form = duly.public("/complaints/form", {}, "szybka").json
    made = duly.public("/complaints", filled(a_proof(duly, "szybka")), "szybka")
    told = duly.public(STATUS, {"token": token_of(made)}, "szybka").json
    assert form["organisation"] == told["organisation"]
    assert told["organisation"]["email"] == (mailbox or own)


def test_before_the_register_it_is_received(duly: Duly) -> None:
    """M41-M43."""
    token = token_of(sent(duly))
    told = status(duly, token).json
    assert told["stage"] in ("received", "registered")


def test_the_status_holds_no_fact_of_the_case(duly: Duly) -> None:
    """D7: a link in wrong hands tells little."""
    token = token_of(for_insured(duly, claims_authority=True))
    said = json.dumps(status(duly, token).json, ensure_ascii=False)
    for known in CLIENT_FACTS:
        if known != "Warszawa":  # the organisation is there, too
            assert known not in said


def test_reading_the_status_changes_nothing(duly: Duly) -> None:
    """R1: one read, no write."""
    token = token_of(sent(duly))
    before = duly.table()
    with duly.calls() as made:
        status(duly, token)
    assert made == ["dynamodb.GetItem"]
    assert duly.table() == before


def test_a_writer_for_somebody_else_sees_no_more_than_the_letter_says(duly: Duly) -> None:
    """M37, M39, D7: the number; the fixed text, and the name merged in, are with the page."""
    token = token_of(for_insured(duly))
    case = registered(duly)
    told = status(duly, token).json
    assert told.pop("reference") == case.reference
    assert told.pop("organisation")["name"] == cases.house(duly).settings.controller.name
    assert told == {
        "language": "pl",
        "stage": "with_insured",
        "received_on": None,
        "registered_on": None,
        "next": None,
        "may_add": True,
        "where_next": [],
    }


@pytest.mark.parametrize("state", ENDS)
def test_a_writer_for_somebody_else_never_sees_how_it_ends(duly: Duly, state: State) -> None:
    """M37, M39, D7: not a word of the answer differs, whatever the state."""
    token = token_of(for_insured(duly))
    registered(duly)
    before = status(duly, token).json
    assert before["stage"] == "with_insured"
    ended(duly, state)
    assert status(duly, token).json == before


@pytest.mark.parametrize(("state", "stage"), ENDS.items())
def test_the_page_names_the_end_as_the_letter_does(duly: Duly, state: State, stage: str) -> None:
    """M26, M30, M50: passed on, returned; a duplicate, without the number of the other one."""
    token = token_of(sent(duly))
    case = registered(duly)
    ended(duly, state)
    told = status(duly, token).json
    assert (told["stage"], told["next"]) == (stage, None)
    assert told["received_on"] == case.day(case.received_at).isoformat()


def test_every_state_has_its_stage() -> None:
    """D7: a state that comes later is not called by the name of another."""
    assert visits._STAGES.keys() == set(State)


def test_a_duplicate_does_not_name_the_other_submission(duly: Duly) -> None:
    """M32: its page says that it is answered with the other one, and no more."""
    token = token_of(sent(duly))
    registered(duly)
    ended(duly, State.CLOSED_DUPLICATE, duplicate_of="another-case")
    said = status(duly, token)
    assert said.json["stage"] == "duplicate"
    assert "another-case" not in json.dumps(said.json)


def test_a_message_joins_its_case(duly: Duly) -> None:
    """M13, M46: text and files; the page's own answer is the number and the moment."""
    token = token_of(sent(duly))
    form = duly.public(f"{STATUS}/files", {"token": token, **UPLOAD}).json
    assert form["fields"]["key"] == (
        f"quarantine/agencja/case-{the_key(duly).id}/{form['folder']}/0"
    )
    file = {"folder": form["folder"], **UPLOAD}
    body = {"token": token, "text": "Przesyłam rachunek.", "files": [file]}
    added = duly.public(f"{STATUS}/add", body)
    assert added.status == 201, added.json
    (message,) = store.messages(duly.ports(), the_key(duly))
    assert (message.text, message.sender, len(message.files)) == (body["text"], "writer", 1)
    (kept,) = store.files(duly.ports(), the_key(duly))
    assert kept.object_key == form["fields"]["key"]


def test_the_same_message_again_is_the_same(duly: Duly) -> None:
    """Sent twice because the line broke: one message; another text is another."""
    token = token_of(sent(duly))
    for text in ("Jedno.", "Jedno.", " Jedno. ", "Drugie."):
        assert duly.public(f"{STATUS}/add", {"token": token, "text": text}).status == 201
    said = sorted(one.text for one in store.messages(duly.ports(), the_key(duly)))
    assert said == ["Drugie.", "Jedno."]


def test_nothing_is_not_added(duly: Duly) -> None:
    token = token_of(sent(duly))
    answer = duly.public(f"{STATUS}/add", {"token": token, "text": " \n "})
    assert answer.told == (422, "nothing_submitted")
    long = duly.public(f"{STATUS}/add", {"token": token, "text": "a" * 20_001})
    assert long.told == (422, "text_refused")


def test_a_file_of_another_case_can_t_be_named(duly: Duly) -> None:
    """R8: a folder lies below its own case."""
    token = token_of(sent(duly))
    file = {"folder": "a" * 32, **UPLOAD}
    duly.public(f"{STATUS}/add", {"token": token, "text": "x", "files": [file]})
    (kept,) = store.files(duly.ports(), the_key(duly))
    assert kept.object_key.startswith(f"quarantine/agencja/case-{the_key(duly).id}/")


def test_there_is_an_end_to_adding(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that got out can't fill the case without end."""
    from chalicelib.complaints import visits

    monkeypatch.setattr(visits, "MOST_MESSAGES", 2)
    token = token_of(sent(duly))
    for text in ("1", "2"):
        assert duly.public(f"{STATUS}/add", {"token": token, "text": text}).status == 201
    assert status(duly, token).json["may_add"] is False
    third = duly.public(f"{STATUS}/add", {"token": token, "text": "3"})
    assert third.told == (409, "adding_ended")
    assert "call" in third.json["message"]
    assert "later" not in third.json["message"]
    assert duly.public(f"{STATUS}/add", {"token": token, "text": "2"}).status == 201
    form = duly.public(f"{STATUS}/files", {"token": token, **UPLOAD})
    assert form.told == (409, "adding_ended")


@pytest.fixture
def one_hour(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The true moment of the whole test, so that no hour ends within it."""
    moment = wiring.real_now()
    monkeypatch.setattr(wiring, "real_now", lambda: moment)
    return moment


@pytest.mark.usefixtures("one_hour")
def test_who_adds_ten_documents_one_by_one_meets_no_limit(duly: Duly) -> None:
    """R21, M13: each tried three times; one more within the hour is a 429 that names other ways."""
    token = token_of(sent(duly))
    for number in range(10):
        for _ in range(3):
            form = duly.public(f"{STATUS}/files", {"token": token, **UPLOAD})
            assert form.status == 200, form.json
        body = {"token": token, "files": [{"folder": form.json["folder"], **UPLOAD}]}
        assert duly.public(f"{STATUS}/add", body | {"text": f"{number}"}).status == 201
    over = duly.public(f"{STATUS}/files", {"token": token, **UPLOAD})
    assert over.told == (429, "too_many_additions")
    assert "call" in over.json["message"]


def test_an_hour_takes_so_many_messages(
    duly: Duly, monkeypatch: pytest.MonkeyPatch, one_hour: datetime
) -> None:
    """R21: each sends a mail; what was said before is said again freely, the next hour is another.

    Wherever from: a link that got out fills nobody's mailbox from a thousand places.
    """
    token = token_of(sent(duly))

    def add(text: str, place: str = "203.0.113.9") -> Answer:
        headers = {"X-Forwarded-For": place}
        return duly.public(f"{STATUS}/add", {"token": token, "text": text}, headers=headers)

    for number in range(visits.MOST_ADDED):
        assert add(f"{number}", f"203.0.113.{number}").status == 201
    assert add("one more").told == (429, "too_many_additions")
    assert add("0").status == 201
    said = store.messages(duly.ports(), the_key(duly))
    assert len(said) == visits.MOST_ADDED
    monkeypatch.setattr(wiring, "real_now", lambda: one_hour + timedelta(hours=1))
    assert add("one more").status == 201


@pytest.mark.usefixtures("one_hour")
@pytest.mark.parametrize("path", ["/add", "/files"])
def test_a_place_with_many_links_has_an_end_too(
    duly: Duly, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """R21: a line of IPv6 is one place; the limit of one place leaves another's alone."""
    monkeypatch.setattr(visits, "MOST_ADDED", 1)
    monkeypatch.setattr(visits, "MOST_UPLOADS", 1)
    tokens = [token_of(sent(duly)) for _ in range(visits.PLACE_SHARED_BY + 1)]
    more = {"text": "x"} if path == "/add" else UPLOAD
    got = [
        duly.public(
            f"{STATUS}{path}",
            {"token": token, **more},
            headers={"X-Forwarded-For": f"2001:db8::{n}"},
        ).status
        for n, token in enumerate(tokens)
    ]
    assert all(one in (200, 201) for one in got[:-1])
    assert got[-1] == 429
    elsewhere = {"X-Forwarded-For": "2001:db8:0:1::1"}
    answer = duly.public(f"{STATUS}{path}", {"token": tokens[-1], **more}, headers=elsewhere)
    assert answer.status in (200, 201)


def test_what_is_refused_counts_nothing(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """R21: a name that can't be taken costs its sender no upload."""
    monkeypatch.setattr(visits, "MOST_UPLOADS", 1)
    token = token_of(sent(duly))
    for _ in range(3):
        bad = duly.public(f"{STATUS}/files", {"token": token, **UPLOAD, "name": "a\u202efdp.exe"})
        assert bad.status == 422
    with duly.calls() as made:
        assert duly.public(f"{STATUS}/files", {"token": token, **UPLOAD}).status == 200
    assert made == ["dynamodb.GetItem", "dynamodb.TransactWriteItems"]


@pytest.mark.parametrize("path", ["", "/files", "/add"])
def test_a_forged_token_opens_nothing(duly: Duly, path: str) -> None:
    """R8, R16, R21: forged, of another purpose or organisation: one answer, no call."""
    token = token_of(sent(duly))
    for_insured(duly)
    duly.found("inna")
    duly.public("/complaints/form", {})
    forged = [token[:-1] + ("A" if token[-1] != "A" else "B"), "garbage", ""]
    bodies: dict[str, dict[str, Any]] = {"": {}, "/files": UPLOAD, "/add": {"text": "x"}}
    more = bodies[path]
    with duly.calls() as made:
        for one in forged:
            answer = duly.public(f"{STATUS}{path}", {"token": one, **more})
            assert answer.told == (400, "link_invalid")
    assert made == []
    other = duly.public(f"{STATUS}{path}", {"token": token, **more}, "inna")
    assert other.told == (400, "link_invalid")


def test_a_status_link_runs_out(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """R13: by the true clock."""
    token = token_of(sent(duly))
    before = wiring.real_now
    monkeypatch.setattr(wiring, "real_now", lambda: before() + timedelta(days=89))
    assert status(duly, token).told == (410, "link_expired")


def test_the_link_of_the_form_is_as_good_as_the_one_in_the_letter(duly: Duly) -> None:
    """M45: the letter has one of its own."""
    import re

    token_of(sent(duly))
    registered(duly)
    said = duly.mailbox.to("lucja@klient.example")[-1].text
    found = re.search(r"/status#(\S+)", said)
    assert found is not None
    assert status(duly, found[1]).status == 200


def test_the_insured_is_known_to_the_page_by_nothing(duly: Duly) -> None:
    """D7: neither name nor address of theirs is on the writer's page."""
    token = token_of(for_insured(duly))
    said = json.dumps(status(duly, token).json, ensure_ascii=False)
    for known in INSURED.values():
        assert known not in said
