"""Handling through the API: what each act does, what it refuses, what the view then says."""

import re
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.complaints import routes
from chalicelib.kernel import chain
from chalicelib.kernel.errors import Unavailable
from chalicelib.organisations.domain import Role
from tests.casework import INSURED, WRITER, Office
from tests.duly import ADMIN, AGENT, HEAD, Answer, Duly, moment


@pytest.fixture
def office(duly: Duly) -> Office:
    """An insurer's office on a Monday morning."""
    return Office(duly)


def request(office: Office, **changes: Any) -> dict[str, Any]:
    """A request for documents, to be answered in a week."""
    body = {"ground": "documents", "text": "Пришлите выписку.", "answer_by": office.today(7)}
    return body | changes


def test_the_view_says_what_follows_and_why(office: Office) -> None:
    """M51, issue 3, 2: target, limit, last safe days, the chain in the reader's language."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now)
    answer = next(one for one in case["deadlines"] if one["rule"] == "answer")
    due = (moment(case["registered_at"]).date() + timedelta(30)).isoformat()
    assert (answer["target"], answer["limit"], case["limit"]) == (due, due, due)
    assert answer["email_by"] <= due and answer["post_by"] <= answer["email_by"]
    assert answer["why"].startswith("поступило") and "30-й день" in answer["why"]
    assert case["pack"] == "ru-medexpress-2019.1"
    assert case["superseded_by"] == "ru-442fz-2024"
    assert case["state"] == "registered"
    assert [one["template"] for one in case["letters"]] == ["submission_taken"]
    assert {one["key"] for one in case["closing"]["unanswered"]} == {
        *("unidentified", "unreadable", "repeated", "abusive", "advertising", "not_needed")
    }
    assert case["closing"]["unanswered_by"] == due
    assert case["extension"]["until"] is None and case["extension"]["allowed"]
    assert {one["key"] for one in case["extension"]["elements"]} == {"reason", "expected"}
    assert case["steps"] and all(one["at"] > case["registered_at"] for one in case["steps"])
    assert case["outlook"]["next_from"] == office.today()
    office.join(HEAD, "Hanna Head", Role.HEAD)
    inner = office.read(case)["deadlines"]
    assert next(one for one in inner if one["rule"] == "answer")["why"].startswith("wpłynęło")


def test_what_nobody_has_checked_is_flagged(duly: Duly) -> None:
    """Issue 3, 1: confidence L shows "unverified" to staff."""
    office = Office(duly, pack="ru-442fz-2024")
    case = office.case()
    assert "registration" in case["unverified"] and "rules.no_answer" in case["unverified"]
    assert all(one["unverified"] for one in case["closing"]["unanswered"])
    assert case["outlook"]["unverified"]
    assert all(one["unverified"] for one in case["closing"]["suspended"])
    assert case["closing"]["suspended"]
    remarks = case["remarks"]
    assert remarks
    assert all(one["text"] and one["unverified"] in (True, False) for one in remarks)
    assert Office(duly, "seed").case()["unverified"] == []


def test_the_first_request_says_whether_suspension_can_come_in_time(office: Office) -> None:
    """D19, M62-M70: day 40 at the earliest, the answer on day 30: said at once."""
    case = office.case()
    asked = office.done(case, "request", request(office))
    assert asked["state"] == "awaiting_information"
    assert asked["outlook"]["fit"] == "if_extended"
    assert asked["outlook"]["first_closing"] == office.today(40)
    assert asked["outlook"]["why"].count("202") == 2
    assert asked["limit"] == case["limit"]
    whole = office.read(case)
    (said,) = whole["said"]
    assert (said["text"], said["until"]) == ("Пришлите выписку.", office.today(7))
    draft = whole["next_request"]
    assert (draft["ground"], draft["text"]) == ("documents", "Пришлите выписку.")
    assert (draft["send_from"], draft["send_by"]) == (office.today(5), office.today(10))
    assert draft["answer_by"] == office.today(12)
    letter = next(one for one in whole["letters"] if one["template"] == "data_requested")
    assert (letter["to"], letter["about"]) == ("writer", said["said_id"])


def test_requests_keep_to_their_window(office: Office) -> None:
    """M70: five to ten days apart, with the window in the refusal; after it a new series."""
    case = office.case()
    office.done(case, "request", request(office))
    first, last = office.today(5), office.today(10)
    office.duly.wait(days=4)
    early = office.act(case, "request", request(office))
    assert early.told == (409, "request_too_early")
    assert first in early.json["message"] and last in early.json["message"]
    office.duly.wait(days=1)
    assert office.done(case, "request", request(office))["outlook"]["counted"] == 2
    office.duly.wait(days=11)
    late = office.act(case, "request", request(office))
    assert late.told == (409, "request_too_late") and late.json["field"] == "new_series"
    again = office.done(case, "request", request(office, new_series=True))
    assert again["outlook"]["counted"] == 1


def test_the_clients_own_interval_counts(office: Office) -> None:
    """M71: as his document says."""
    case = office.case()
    office.done(case, "request", request(office))
    office.done(case, "interval", {"least": 1, "most": 20, "document": "письмо от клиента"})
    office.duly.wait(days=2)
    assert office.done(case, "request", request(office))["outlook"]["counted"] == 2
    wrong = office.act(case, "interval", {"least": 9, "most": 2, "document": "x"})
    assert (wrong.status, wrong.json["field"]) == (422, "most")


def test_suspension_is_refused_until_its_ground_holds(office: Office) -> None:
    """M63-M69: code and sentence of the first reason why not; then closed in the ground's words."""
    case = office.case()

    def refused(code: str, ground: str = "documents", obtainable: bool = False) -> str:
        body = {"ground": ground, "obtainable": obtainable}
        answer = office.act(case, "suspend", body)
        assert answer.told[1] == code, answer.json
        return str(answer.json["message"])

    assert "0" in refused("suspension_requests_missing")
    refused("suspension_obtainable", obtainable=True)
    refused("suspension_not_asked", "own_request")
    refused("suspension_ground_unknown", "weather")
    elements = {"reason": "Ждём документы партнёра.", "expected": "Через два месяца."}
    body = {"to": office.today(60), "reason": "documents", "elements": elements}
    office.done(case, "extend", body)
    for _ in range(3):
        office.done(case, "request", request(office))
        office.duly.wait(days=7)
    refused("suspension_waits")
    view = office.read(case)["closing"]["suspended"]
    assert {one["ground"]: one["reason"] for one in view} == {
        "permission": "requests_missing",
        "documents": "waiting",
        "own_request": "not_asked",
    }
    office.duly.wait(days=23)
    closed = office.done(case, "suspend", {"ground": "documents", "obtainable": False})
    assert (closed["state"], closed["closed"]["reason"]) == ("closed_suspended", "documents")
    said = office.read(case)["said"][-1]
    assert said["kind"] == "suspended" and "документов" in said["wording"]
    assert office.act(case, "request", request(office)).told == (409, "already_closed")


def test_the_clients_own_request_suspends_at_once(office: Office) -> None:
    """M72, M73: no count, no wait, and a wording of its own."""
    case = office.case()
    office.done(case, "own-request", {"on": office.today(), "document": "заявление"})
    closed = office.done(case, "suspend", {"ground": "own_request", "obtainable": False})
    assert closed["state"] == "closed_suspended"
    assert "письменной просьбе" in office.read(case)["said"][0]["wording"]


def test_an_extension_has_its_mandatory_content(office: Office) -> None:
    """M53, D6: every element of the pack; the new day moves the ladder and the list."""
    case = office.case()
    body = {"to": office.today(50), "reason": "examination", "elements": {"reason": "Экспертиза."}}
    missing = office.act(case, "extend", body)
    assert missing.told == (422, "extension_element_missing")
    assert missing.json["field"] == "elements.expected"
    elements = {"reason": "Экспертиза.", "expected": "До конца месяца."}
    extended = office.done(case, "extend", body | {"elements": elements})
    assert (extended["state"], extended["limit"]) == ("extended", office.today(50))
    for wrong, field in (
        ({"to": office.today(10)}, "to"),
        ({"reason": "holidays"}, "reason"),
        ({"to": "2099-01-01"}, "to"),
    ):
        answer = office.act(case, "extend", body | {"elements": elements} | wrong)
        assert (answer.status, answer.json["field"]) == (422, field), answer.json
    letter = office.read(case)["letters"][-1]
    assert (letter["template"], letter["to"]) == ("answer_extended", "writer")


def test_leaving_without_an_answer_has_a_reason_and_a_day(office: Office) -> None:
    """M54, M56-M61: six reasons, by the thirtieth day."""
    case, late = office.case(), office.case()
    unknown = office.act(case, "no-answer", {"reason": "boring"})
    assert (unknown.told, unknown.json["field"]) == ((422, "no_answer_unknown"), "reason")
    closed = office.done(case, "no-answer", {"reason": "abusive"})
    assert (closed["state"], closed["closed"]["reason"]) == ("closed_unanswered", "abusive")
    assert closed["keep_until"]
    office.duly.wait(days=31)
    answer = office.act(late, "no-answer", {"reason": "abusive"})
    assert answer.told == (409, "no_answer_too_late")
    assert office.read(late)["closing"]["unanswered"] == []


def test_not_a_submission_and_a_court_decision_leave_by_their_own_doors(office: Office) -> None:
    """M26, M30: routed out with a note; M50: returned with how to appeal."""
    out, court = office.case(kind="request"), office.case()
    routed = office.done(out, "route-out", {"note": "заявление на выплату"})
    assert routed["state"] == "routed_out"
    text = "Решение обжалуется в апелляционном порядке в течение месяца."
    returned = office.done(court, "return-court", {"text": text})
    assert returned["state"] == "returned"
    assert [one["template"] for one in office.read(court)["letters"]][-1] == "court_returned"
    assert office.read(court)["said"][0]["text"] == text


def test_the_view_says_when_a_paper_told_of_the_receipt(office: Office) -> None:
    """M39, M48: whoever looks at the case sees that the writer was told, and on which day."""
    writer = {"name": "Анна Бумажная", "postal_address": "ул. Почтовая, 5, Тверь"}
    received = office.duly.ports().now.isoformat()
    case = office.case(channel="post", received_at=received, writer=writer, acknowledge=True)
    assert case["acknowledged_on"] is None
    way = {"channel": "post", "posted_on": office.today()}
    office.done(case, "acknowledge", way)
    assert office.read(case)["acknowledged_on"] == office.today()


def test_by_post_no_letter_is_promised(office: Office) -> None:
    """M48, M76: who has no e-mail is written to on paper; the day of posting is kept."""
    writer = {"name": "Анна Бумажная", "postal_address": "ул. Почтовая, 5, Тверь"}
    case = office.case(writer=writer)
    assert office.act(case, "request", request(office)).told == (409, "addressee_unreachable")
    way = {"channel": "post", "posted_on": office.today()}
    asked = office.done(case, "request", request(office, way=way))
    assert asked["requests"][0]["channel"] == "post"
    assert office.read(case)["letters"] == []
    future = {"channel": "post", "posted_on": office.today(2)}
    refused = office.act(case, "no-answer", {"reason": "repeated", "way": future})
    assert (refused.status, refused.json["field"]) == (422, "posted_on")


def test_new_information_after_the_end_is_registered_again(office: Office) -> None:
    """M74, D5: another number, another clock, linked both ways; once."""
    case = office.case()
    body = {"channel": "in_person", "substance": "Нашлись новые справки."}
    where = f"/api/complaints/{case['case_id']}/reopen"
    assert office.ask("POST", where, body).told == (409, "not_closed")
    office.done(case, "no-answer", {"reason": "unidentified"})
    office.duly.wait(days=40)
    office.open()
    once = "reopening-of-the-case"
    new = office.ask("POST", where, body, once=once)
    assert new.status == 201, new.json
    again = office.ask("POST", where, body, once=once)
    assert again.json["case_id"] == new.json["case_id"]
    office.duly.tick()
    found, old = office.read(new.json), office.read(case)
    assert (found["reopens"], old["reopened_as"]) == (case["case_id"], found["case_id"])
    assert found["reference"] != old["reference"]
    assert found["limit"] > old["limit"]
    assert found["writer"] == old["writer"]
    assert old["state"] == "closed_unanswered"
    assert office.ask("POST", where, body).told == (409, "already_reopened")


def test_news_that_waited_is_registered_again_as_of_its_receipt(office: Office) -> None:
    """M41-M43, M74, D20: no day that it lay in the closed case is lost to the client."""
    case = office.case()
    office.done(case, "no-answer", {"reason": "unidentified"})
    office.duly.wait(days=1)
    came = office.duly.ports().now
    message = {"channel": "email", "received_at": came.isoformat(), "text": "Нашлись справки."}
    where = f"/api/complaints/{case['case_id']}"
    joined = office.ask("POST", f"{where}/messages", message)
    assert (joined.status, moment(joined.json["waiting_since"])) == (201, came)
    office.duly.wait(days=9)
    body = {"channel": "email", "substance": "Нашлись новые справки."}
    later = body | {"received_at": office.duly.ports().now.isoformat()}
    refused = office.ask("POST", f"{where}/reopen", later)
    assert (*refused.told, refused.json["field"]) == (422, "news_came_earlier", "received_at")
    new = office.ask("POST", f"{where}/reopen", body, once="news-that-waited")
    assert moment(new.json["received_at"]) == came
    assert moment(new.json["entered_at"]) > came
    assert office.read(case)["waiting_since"] is None
    again = office.ask("POST", f"{where}/reopen", body, once="news-that-waited")
    assert (again.status, again.json["case_id"]) == (201, new.json["case_id"])
    due = next(one for one in new.json["deadlines"] if one["rule"] == "answer")
    assert due["limit"] == (came.date() + timedelta(30)).isoformat()


def test_a_duplicate_is_linked_to_the_case_that_stays(office: Office) -> None:
    """Both know of each other, and the earlier day binds."""
    first = office.case()
    office.duly.wait(days=3)
    office.open()
    second = office.case()
    wrong = office.act(first, "duplicate", {"of": second["case_id"]})
    assert wrong.told == (409, "duplicate_due_earlier")
    stale = office.act(second, "duplicate", {"of": first["case_id"]}, version=1)
    assert stale.told == (409, "changed_meanwhile")
    closed = office.done(second, "duplicate", {"of": first["case_id"]})
    assert (closed["state"], closed["duplicate_of"]) == ("closed_duplicate", first["case_id"])
    stays = office.read(first)
    assert (stays["duplicates"], stays["limit"]) == ([second["case_id"]], first["limit"])
    unknown = office.act(first, "duplicate", {"of": "A" * 22})
    assert unknown.told == (404, "complaint_unknown")
    stranger = office.case(writer={"name": "Иной", "email": "inoy@klient.example"})
    other = office.act(stranger, "duplicate", {"of": first["case_id"]})
    assert (other.told, other.json["field"]) == ((422, "duplicate_refused"), "of")


def test_the_history_tells_each_act_and_stands(office: Office) -> None:
    """M88, issue 2, 9: who did what; the export is verified without Duly."""
    case = office.case()
    department = office.department("Клиники")
    office.done(case, "assign", {"assignee": ADMIN, "department": department})
    office.done(case, "note", {"text": "Позвонить в клинику."})
    at = office.duly.ports().now.isoformat()
    contact = {"kind": "call_out", "whom": "writer", "at": at, "text": "Обещал прислать справку."}
    office.done(case, "contact", contact)
    office.done(case, "classify", {"cause": "clinic_refused", "vulnerable": True})
    office.done(case, "redress", {"redress": "5 000 ₽"})
    stage = {"body": "ombudsman", "stage": "opened", "on": office.today(), "number": "У-1"}
    office.done(case, "outside", stage)
    assert office.events(case) == [
        *("complaint_received", "complaint_registered", "assigned", "noted", "contacted"),
        *("classified", "redress_recorded", "went_outside"),
    ]
    whole = office.read(case)
    assert [one["kind"] for one in whole["log"]] == ["note", "call_out"]
    assert (whole["cause"], whole["vulnerable"]) == ("clinic_refused", True)
    assert whole["outside"][0]["number"] == "У-1"
    exported = office.ask("GET", f"/api/complaints/{case['case_id']}/events/export").json
    assert chain.verify(exported["export"]) == 8
    assert "справку" not in exported["export"]


def test_a_hold_is_the_heads(office: Office) -> None:
    """M85: head or administrator; with it nothing is due for erasure."""
    case = office.case()
    office.done(case, "no-answer", {"reason": "advertising"})
    assert office.read(case)["keep_until"]
    held = office.done(case, "hold", {"reason": "судебный спор"})
    assert (held["hold"], held["keep_until"]) == ("судебный спор", None)
    assert office.act(case, "hold", {"reason": "x"}, by=AGENT).told == (403, "role_refused")
    assert office.done(case, "end-hold")["keep_until"]


def test_an_agent_handles_nothing(office: Office) -> None:
    """Agents enter and hand over; their own case is handled by others."""
    case = office.case(by=AGENT)
    for verb, body in (
        ("assign", {"assignee": HEAD}),
        ("note", {"text": "x"}),
        ("request", request(office)),
        ("authority", {"document": "x"}),
        ("no-answer", {"reason": "abusive"}),
    ):
        assert office.act(case, verb, body, by=AGENT).told == (403, "role_refused")


def test_two_officers_at_one_case(office: Office) -> None:
    """S60: one succeeds, the other reads it again; nothing is promised twice."""
    case = office.case()
    version = case["version"]
    body = request(office)
    assert office.act(case, "request", body, version=version).status == 200
    again = office.act(case, "request", body, version=version)
    assert again.told == (409, "changed_meanwhile")
    templates = [one["template"] for one in office.read(case)["letters"]]
    assert templates.count("data_requested") == 1


@pytest.mark.parametrize("kind", ["Bounce", "Reject"])
@pytest.mark.parametrize(
    ("verb", "body", "state"),
    [
        ("no-answer", {"reason": "abusive"}, "closed_unanswered"),
        ("suspend", {"ground": "own_request", "obtainable": False}, "closed_suspended"),
        ("route-out", {"note": "x", "text": "x"}, "routed_out"),
        ("return-court", {"text": "x"}, "returned"),
    ],
)
def test_an_end_that_nobody_learnt_of_is_none(
    office: Office, verb: str, body: dict[str, Any], state: str, kind: str
) -> None:
    """M55, M73, item 9: the case is open again, staff are told, and it is ended by post."""
    case = office.case()
    if verb == "suspend":
        office.done(case, "own-request", {"on": office.today(), "document": "x"})
    office.duly.mailbox.sent.clear()
    office.done(case, verb, body)
    office.duly.tick()
    (mail,) = office.duly.mailbox.sent
    told = office.duly.event(kind, mail, bounce={"bounceType": "Permanent"})
    assert told == {"Bounce": "bounced", "Reject": "held"}[kind]
    assert office.events(case)[-1] == "letter_bounced"
    open_again = office.read(case)
    assert (open_again["state"], bool(open_again["steps"])) == ("registered", True)
    office.duly.mailbox.sent.clear()
    office.duly.wait(minutes=5)
    office.duly.tick()
    office.duly.tick()
    assert [one.tags["kind"] for one in office.duly.mailbox.sent] == ["PERSON"]
    assert case["reference"] in office.duly.mailbox.sent[0].text
    way = {"channel": "post", "posted_on": office.today()}
    assert office.done(case, verb, body | {"way": way})["state"] == state
    office.duly.event(kind, mail, bounce={"bounceType": "Permanent"})
    assert office.read(case)["state"] == state


def test_a_decision_that_was_taken_in_time_is_told_later(office: Office) -> None:
    """M54: by the thirtieth day it is decided; that the letter came back takes nothing away."""
    case = office.case()
    office.duly.mailbox.sent.clear()
    office.done(case, "no-answer", {"reason": "abusive"})
    office.duly.tick()
    (mail,) = office.duly.mailbox.sent
    office.duly.wait(days=40)
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    way = {"channel": "post", "posted_on": office.today()}
    other = office.act(case, "no-answer", {"reason": "repeated", "way": way})
    assert other.told == (409, "no_answer_too_late")
    told = office.done(case, "no-answer", {"reason": "abusive", "way": way})
    assert told["state"] == "closed_unanswered"


def test_new_arguments_end_what_was_decided_before_them(office: Office) -> None:
    """M54, M74: a decision that nobody learnt of does not outlive what the client wrote since."""
    case = office.case()
    office.duly.mailbox.sent.clear()
    office.done(case, "no-answer", {"reason": "abusive"})
    office.duly.tick()
    (mail,) = office.duly.mailbox.sent
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    office.act(case, "messages", {"channel": "in_person", "text": "Новые доводы."})
    office.duly.wait(days=40)
    way = {"channel": "post", "posted_on": office.today()}
    late = office.act(case, "no-answer", {"reason": "abusive", "way": way})
    assert late.told == (409, "no_answer_too_late")


def test_a_receipt_that_came_back_is_owed_on_paper(office: Office) -> None:
    """M45, M48: the address was wrong; the word of the receipt goes by post, or to another one."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now)
    mail = office.duly.mailbox.to(WRITER["email"])[-1]
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    assert "receipt_by_post" in {step["kind"] for step in office.read(case)["steps"]}
    way = {"channel": "post", "posted_on": office.today()}
    assert office.done(case, "acknowledge", way)["acknowledged_on"] == office.today()


def test_words_leave_for_no_other_address_than_they_were_allowed_for(office: Office) -> None:
    """M83: agreed to for this address; another one is somebody's who agreed to nothing."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, email_consent="в заявлении")
    office.done(case, "request", request(office, text=PRIVATE))
    elsewhere = WRITER | {"email": "other@elsewhere.example"}
    office.done(case, "correct", {"writer": elsewhere})
    office.duly.tick()
    held = next(one for one in office.letters(case) if one.template == "data_requested")
    assert (held.state, held.reason) == ("held", "address_changed")
    assert not [one for one in office.duly.mailbox.sent if "C50.9" in one.text]
    assert office.read(case)["state"] == "registered"


def test_a_case_that_was_registered_anew_is_not_opened_by_a_bounce(office: Office) -> None:
    """M74: its client is heard in the new case."""
    case = office.case()
    office.duly.mailbox.sent.clear()
    office.done(case, "no-answer", {"reason": "abusive"})
    office.duly.tick()
    (mail,) = office.duly.mailbox.sent
    news = {"channel": "in_person", "substance": "Нашлись справки."}
    where = f"/api/complaints/{case['case_id']}/reopen"
    assert office.ask("POST", where, news).status == 201
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    assert office.read(case)["state"] == "closed_unanswered"


def test_two_officers_who_register_it_anew_at_once_make_one_case(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M74, S60: one succeeds; the other learns that it was done, even where that broke off."""
    case = office.case()
    office.done(case, "no-answer", {"reason": "unidentified"})
    where = f"/api/complaints/{case['case_id']}/reopen"
    body = {"channel": "in_person", "substance": "Нашлись справки."}

    def broken(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as broken_off:
        broken_off.setattr(routes, "_mark_reopened", broken)
        assert office.ask("POST", where, body).status == 503
    assert office.read(case)["reopened_as"] == ""
    assert office.ask("POST", where, body).told == (409, "already_reopened")
    anew = office.read(case)["reopened_as"]
    assert office.read({"case_id": anew})["reopens"] == case["case_id"]
    found = office.ask("GET", "/api/complaints?list=open").json["cases"]
    assert [one["case_id"] for one in found] == [anew]


# What staff say by e-mail

PRIVATE = "У вас диагноз C50.9, рак груди; выплата 350 000 руб."


def saying(office: Office, words: str) -> dict[str, dict[str, Any]]:
    """Every act whose words reach the client, with these words."""
    elements = {"reason": words, "expected": "До конца месяца."}
    later = {"to": office.today(45), "reason": "documents", "elements": elements}
    return {
        "request": request(office, text=words),
        "extend": later,
        "no-answer": {"reason": "repeated", "text": words},
        "route-out": {"note": "x", "text": words},
        "return-court": {"text": words},
        "suspend": {"ground": "own_request", "obtainable": False, "text": words},
    }


def test_what_is_private_leaves_by_post_whatever_letter_it_is_in(office: Office) -> None:
    """M76-M84: not the answer alone: a request, an extension, every end."""
    case = office.case()
    office.done(case, "own-request", {"on": office.today(), "document": "x"})
    letters = len(office.letters(case))
    for verb, body in saying(office, PRIVATE).items():
        refused = office.act(case, verb, body)
        assert refused.told == (409, "channel_refused"), verb
        assert (refused.json["field"], "health, payout" in refused.json["message"]) == (
            "channel",
            True,
        )
    assert len(office.letters(case)) == letters
    way = {"channel": "post", "posted_on": office.today()}
    body = saying(office, PRIVATE)["request"] | {"way": way}
    assert office.act(case, "request", body).status == 200


def test_an_officer_says_why_what_was_found_is_not_private(office: Office) -> None:
    """M75: with a reason, which is kept with the words and told by the history."""
    for verb in saying(office, ""):
        case = office.case()
        office.done(case, "own-request", {"on": office.today(), "document": "x"})
        some = {"not_private": ["health"], "reason": "Пример из правил страхования."}
        half = office.act(case, verb, saying(office, PRIVATE)[verb] | {"way": some})
        assert (*half.told, half.json["message"][-8:]) == (409, "channel_refused", " payout.")
        way = some | {"not_private": ["health", "payout"]}
        blank = office.act(
            case, verb, saying(office, PRIVATE)[verb] | {"way": way | {"reason": ""}}
        )
        assert blank.told == (422, "correction_needs_reason")
        office.done(case, verb, saying(office, PRIVATE)[verb] | {"way": way})
        events = office.ask("GET", f"/api/complaints/{case['case_id']}/events").json["events"]
        review = events[0]["body"]["review"]
        assert review["reason"] == way["reason"]
        assert {one["kind"] for one in review["removed"]} == {"health", "payout"}


def test_what_a_client_agreed_to_opens_email_for_what_is_private(duly: Duly) -> None:
    """M83: a written consent to this very address; the event says on what it rests."""
    office = Office(duly)
    now = duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, email_consent="в заявлении")
    office.done(case, "request", request(office, text=PRIVATE))
    events = office.ask("GET", f"/api/complaints/{case['case_id']}/events").json["events"]
    assert [one["line"] for one in events[0]["body"]["grounds"]] == ["M83"]


# What the client sent


def asked_thrice(office: Office) -> Any:
    """A case with three requests for documents behind it, and time left for the answer."""
    case = office.case()
    for n in range(3):
        office.done(case, "request", request(office))
        office.duly.wait(days=0 if n == 2 else 5)
    elements = {"reason": "x", "expected": "x"}
    later = {"to": office.today(60), "reason": "documents", "elements": elements}
    office.done(case, "extend", later)
    return case


def test_who_sends_everything_at_once_answered_every_request(office: Office) -> None:
    """M63, M66: documents were asked for, then a permission; both came in one letter."""
    case = asked_thrice(office)
    office.done(case, "request", request(office, ground="permission"))
    message = {"channel": "in_person", "text": "Вот все документы и разрешение."}
    assert office.act(case, "messages", message).status == 201
    office.duly.wait(days=31)
    body = {"ground": "documents", "obtainable": False}
    assert office.act(case, "suspend", body).told == (409, "suspension_requests_missing")


def test_who_answered_a_request_is_not_silent(office: Office) -> None:
    """M63, M66: three requests and a month, but the papers came: nothing to suspend for."""
    case = asked_thrice(office)
    message = {"channel": "in_person", "text": "Вот акт, всё приложил."}
    assert office.act(case, "messages", message).status == 201
    office.duly.wait(days=31)
    body = {"ground": "documents", "obtainable": False}
    refused = office.act(case, "suspend", body)
    assert refused.told == (409, "suspension_requests_missing")
    wrong = office.act(case, "still-missing", {"n": 9, "reason": "x"})
    assert (*wrong.told, wrong.json["field"]) == (409, "request_not_answered", "n")
    seen = office.done(case, "still-missing", {"n": 3, "reason": "Акт другого случая."})
    assert seen["state"] == "awaiting_information"
    assert office.done(case, "suspend", body)["state"] == "closed_suspended"


def test_a_request_that_came_back_counts_for_nothing(office: Office) -> None:
    """M64-M70: nobody was asked: no silence of theirs, and the next request may go at once."""
    case = office.case()
    office.duly.mailbox.sent.clear()
    assert office.done(case, "request", request(office))["state"] == "awaiting_information"
    office.duly.tick()
    (mail,) = office.duly.mailbox.sent
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    seen = office.read(case)
    assert seen["state"] == "registered"
    assert (seen["outlook"]["counted"], seen["outlook"]["next_from"]) == (0, office.today())
    assert office.act(case, "request", request(office)).status == 200
    assert office.read(case)["outlook"]["counted"] == 1


def test_an_extension_that_came_back_is_none(office: Office) -> None:
    """M53: nobody was told that it takes longer, so the day before stands, and staff are told."""
    case = office.case()
    before = office.read(case)["limit"]
    office.duly.mailbox.sent.clear()
    elements = {"reason": "Экспертиза.", "expected": "До конца месяца."}
    body = {"to": office.today(50), "reason": "examination", "elements": elements}
    assert office.done(case, "extend", body)["limit"] == office.today(50)
    office.duly.tick()
    (mail,) = office.duly.mailbox.sent
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    seen = office.read(case)
    assert (seen["limit"], seen["state"]) == (before, "registered")


def test_an_extension_that_came_back_tells_nothing_twice(office: Office) -> None:
    """M53, item 9: what was told while it stood is not told again; what was missed is, at once."""
    case = office.case()
    stage = {"body": "court", "stage": "answer_asked", "on": office.today(), "number": "A-1"}
    office.done(case, "outside", stage | {"answer_by": office.today(8)})
    office.duly.mailbox.sent.clear()
    elements = {"reason": "Экспертиза.", "expected": "До конца месяца."}
    body = {"to": office.today(60), "reason": "examination", "elements": elements}
    office.done(case, "extend", body)
    office.duly.tick()
    mail = next(one for one in office.duly.mailbox.sent if one.tags["kind"] == "COMPLAINT")
    for _ in range(28):
        office.duly.wait(days=1)
        office.duly.tick()
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    office.duly.mailbox.sent.clear()
    for _ in range(2):
        office.duly.wait(days=1)
        office.duly.tick()
        office.duly.tick()
    told = "".join(one.text for one in office.duly.mailbox.sent)
    assert "Осталось дней" in told
    steps = [
        name
        for event in office.ask("GET", f"/api/complaints/{case['case_id']}/events").json["events"]
        if event["kind"] == "escalated"
        for name in event["body"]["steps"]
    ]
    assert len(steps) == len(set(steps))


def test_a_letter_that_the_gate_keeps_back_is_told_as_one_that_came_back(office: Office) -> None:
    """M37, M53: the writer stood outside before the word of the extension left: it is none."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now)
    before = case["limit"]
    elements = {"reason": "Экспертиза.", "expected": "До конца месяца."}
    body = {"to": office.today(50), "reason": "examination", "elements": elements}
    assert office.done(case, "extend", body)["limit"] == office.today(50)
    office.done(case, "correct", {"insured": INSURED})
    office.duly.tick()
    held = next(one for one in office.letters(case) if one.template == "answer_extended")
    assert (held.state, held.reason) == ("held", "third_party")
    assert office.read(case)["limit"] == before
    assert "letter_bounced" in office.events(case)


def test_a_private_link_ends_with_the_address_that_it_was_sent_to(office: Office) -> None:
    """R14, M45, GDPR Art. 32: a mistyped address is a stranger's, who reads and writes nothing."""
    now = office.duly.ports().now.isoformat()
    wrong = WRITER | {"email": "stranger@elsewhere.example"}
    case = office.case(channel="email", received_at=now, writer=wrong)
    token = link_of(office, "stranger@elsewhere.example")
    assert opened(office, token).status == 200
    office.done(case, "correct", {"writer": WRITER})
    assert opened(office, token).told == (410, "link_superseded")
    said = {"token": token, "text": "Отзываю жалобу."}
    added = office.duly.public("/complaints/status/add", said, org=office.org)
    assert added.told == (410, "link_superseded")
    office.duly.tick()
    assert opened(office, link_of(office, WRITER["email"])).json["stage"] == "registered"


def link_of(office: Office, address: str) -> str:
    """The token of the private page in the last letter to this address."""
    found = re.search(r"/status#(\S+)", office.duly.mailbox.to(address)[-1].text)
    assert found is not None
    return found[1]


def opened(office: Office, token: str) -> Answer:
    """What the private page tells."""
    return office.duly.public("/complaints/status", {"token": token}, org=office.org)


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("route-out", {"note": "x", "text": "x"}),
        ("return-court", {"text": "x"}),
        ("suspend", {"ground": "own_request", "obtainable": False}),
    ],
)
def test_an_end_without_an_answer_after_its_last_day_is_explained(
    office: Office, verb: str, body: dict[str, Any]
) -> None:
    """M52, M87: what is overdue does not vanish by another door without a word."""
    case = office.case()
    office.done(case, "own-request", {"on": office.today(), "document": "x"})
    office.duly.wait(days=40)
    refused = office.act(case, verb, body)
    assert (*refused.told, refused.json["field"]) == (409, "delay_unexplained", "delay")
    office.done(case, verb, body | {"delay": "Ответ суда пришёл поздно."})
    events = office.ask("GET", f"/api/complaints/{case['case_id']}/events").json["events"]
    assert events[0]["body"]["delay"] == "Ответ суда пришёл поздно."


def test_who_asks_from_outside_today_is_told_of_today(office: Office) -> None:
    """Item 9: the steps of this morning were taken; this one came after them."""
    case = office.case()
    office.duly.wait(minutes=5)
    office.duly.tick()
    office.duly.mailbox.sent.clear()
    stage = {"body": "ombudsman", "stage": "answer_asked", "on": office.today()}
    office.done(case, "outside", stage | {"answer_by": office.today()})
    office.duly.wait(minutes=5)
    office.duly.tick()
    office.duly.tick()
    told = [one for one in office.duly.mailbox.sent if "Внешняя инстанция ждёт" in one.text]
    assert len(told) == 1
    assert case["reference"] in told[0].text
