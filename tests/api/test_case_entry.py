"""Entry by staff: every channel but the form, with its own moment of receipt."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws import clients
from chalicelib.organisations.domain import Role
from tests.casework import COMPLAINT, INSURED, Office
from tests.duly import AGENT, HEAD, OTHER, Duly

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"


@pytest.fixture
def office(duly: Duly) -> Office:
    """An insurer's office on a Monday morning."""
    return Office(duly)


def test_a_letter_counts_from_the_day_on_which_it_came(office: Office) -> None:
    """M2, M41, M51: received last Thursday, so registered that day and due thirty days after."""
    thursday = office.duly.ports().now - timedelta(days=4)
    case = office.case(channel="post", received_at=thursday.isoformat())
    assert case["paper"] and case["channel"] == "post"
    answer = next(one for one in case["deadlines"] if one["rule"] == "answer")
    assert answer["limit"] == (thursday.date() + timedelta(30)).isoformat()
    register = next(one for one in case["deadlines"] if one["rule"] == "register")
    assert register["limit"] == thursday.date().isoformat()


def test_a_letter_is_confirmed_on_request_only(office: Office) -> None:
    """M48: on paper nobody is written to, until they ask; then by letter or by post."""
    at = office.duly.ports().now.isoformat()
    case = office.case(channel="post", received_at=at)
    assert case["letters"] == []
    asked = office.case(channel="post", received_at=at, acknowledge=True)
    assert [one["template"] for one in asked["letters"]] == ["submission_taken"]
    office.done(case, "acknowledge", {"channel": "email"})
    assert [one["template"] for one in office.read(case)["letters"]] == ["submission_taken"]
    assert office.act(case, "acknowledge", {"channel": "email"}).told == (
        *(409, "already_acknowledged"),
    )


def test_a_call_is_kept_as_it_was_read_back(office: Office) -> None:
    """M4: the words, that the caller agreed, and who took the call."""
    case = office.case(channel="phone", read_back={"agreed": True, "text": "Вам отказали."})
    assert case["read_back"]["text"] == "Вам отказали."
    assert (case["read_back"]["agreed"], case["read_back"]["taken_by"]) == (True, HEAD)
    assert case["substance"] == COMPLAINT["substance"]
    without = office.ask("POST", "/api/complaints", COMPLAINT | {"channel": "phone"})
    assert (without.status, without.json["field"]) == (422, "read_back")


def test_an_agent_enters_and_hands_over(office: Office) -> None:
    """M49: a working day of their own; no other agent knows of the case."""
    at = (office.duly.ports().now - timedelta(hours=1)).isoformat()
    case = office.case(channel="agent", agent_received_at=at, handed_over=False, by=AGENT)
    assert case["agent"] == AGENT and case["handed_over_at"] is None
    assert "hand_over" in {one["kind"] for one in case["steps"]}
    office.join(OTHER, "Inny Agent", Role.AGENT)
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/hand-over")):
        where = f"/api/complaints/{case['case_id']}{path}"
        answer = office.ask(method, where, by=OTHER, version=case["version"])
        assert answer.told == (404, "complaint_unknown")
    handed = office.done(case, "hand-over", by=AGENT)
    assert handed["handed_over_at"]
    assert "hand_over" not in {one["kind"] for one in handed["steps"]}
    assert office.act(case, "hand-over", by=AGENT).told == (409, "already_handed_over")
    listed = office.ask("GET", "/api/complaints?list=agent", by=AGENT).json["cases"]
    assert [one["case_id"] for one in listed] == [case["case_id"]]


def test_the_portal_enters_for_a_client_of_its_own(duly: Duly) -> None:
    """M3: the personal account: the client exists, and what it says of itself need not be told."""
    client = duly.client()
    body = {"channel": "account", "substance": "Proszę o wyjaśnienie.", "kind": "request"}
    answer = duly.staff("POST", "/api/complaints", body | {"client_id": client["client_id"]})
    assert answer.status == 201, answer.json
    assert answer.json["writer"]["email"] == client["identity"]["email"]
    assert (answer.json["channel"], answer.json["client_id"]) == ("account", client["client_id"])
    assert duly.staff("POST", "/api/complaints", body).told == (422, "client_required")
    for wrong in ("x", "A" * 22, "a#b"):
        unknown = duly.staff("POST", "/api/complaints", body | {"client_id": wrong})
        assert unknown.told == (404, "client_unknown")
    Office(duly)
    foreign = body | {"client_id": client["client_id"]}
    answer = duly.staff("POST", "/api/complaints", foreign, org="medex", by=HEAD)
    assert answer.told == (404, "client_unknown")


def test_the_same_entry_again_is_the_same_case(office: Office) -> None:
    """Robustness: a lost answer is asked for again; another body under the key is refused."""
    once = "entry-of-a-complaint"
    first = office.ask("POST", "/api/complaints", COMPLAINT, once=once)
    again = office.ask("POST", "/api/complaints", COMPLAINT, once=once)
    assert (first.status, again.status) == (201, 201)
    assert first.json["case_id"] == again.json["case_id"]
    other = office.ask("POST", "/api/complaints", COMPLAINT | {"subject": "x"}, once=once)
    assert other.told == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"channel": "form"}, 422, "channel"),
        ({"channel": "post"}, 422, "received_at"),
        ({"received_at": "2026-01-01T10:00:00"}, 422, "received_at"),
        ({"received_at": "2016-01-01T10:00:00Z"}, 422, "received_at"),
        ({"received_at": "2096-01-01T10:00:00Z"}, 422, "received_at"),
        ({"agent_received_at": "2026-01-01T10:00:00Z"}, 422, "agent_received_at"),
        ({"product": "umbrella"}, 422, "product"),
        ({"language": "de"}, 422, "language"),
        ({"claims_authority": True}, 422, "claims_authority"),
        ({"substance": " "}, 422, "substance"),
        ({"substance": "x" * 20_001}, 422, "substance"),
        ({"writer": {"email": "a@x.example, b@y.example"}}, 422, "writer.email"),
        ({"writer": {"phone": "12"}}, 422, "writer.phone"),
        ({"insured": {"email": "x"}}, 422, "insured.email"),
        (
            {"files": [{"file_id": "x", "name": "a", "content_type": "a/b", "size": 1}]},
            422,
            "files",
        ),
    ],
)
def test_what_cannot_be_entered(
    office: Office, changes: dict[str, Any], status: int, field: str
) -> None:
    """Issue 3, bad input: a 4xx that names the field."""
    answer = office.ask("POST", "/api/complaints", COMPLAINT | changes)
    assert answer.status == status, answer.json
    assert answer.json["field"].startswith(field), answer.json


def test_nothing_that_is_missing_bars_the_entry(office: Office) -> None:
    """M14, M33, D3: what is missing is listed, and asked for."""
    body = {"channel": "in_person", "substance": "Плохо обслужили.", "writer": {"name": "Анна"}}
    answer = office.ask("POST", "/api/complaints", body)
    assert answer.status == 201
    assert set(answer.json["missing"]) == {"contact", "contract_or_claim"}


def test_anybody_is_heard(office: Office) -> None:
    """M16-M18, M29: clients and who is none yet, brokers, clinics, employees, companies."""
    for writer, more in (
        ({"name": "Клиент", "email": "klient@a.example"}, {"contract_number": "ДМС-1"}),
        ({"name": "Ещё не клиент", "email": "novyj@a.example"}, {"contract_number": ""}),
        ({"name": "Брокер", "company": True, "phone": "+74951234567"}, {"insured": INSURED}),
        ({"name": "Клиника № 5", "company": True, "email": "k5@a.example"}, {"kind": "request"}),
        ({"name": "Сотрудник", "email": "sam@a.example"}, {"kind": "suggestion"}),
        ({"name": "ООО «Ромашка»", "company": True}, {"audience": "legal"}),
    ):
        case = office.case(writer=writer, **more)
        assert case["state"] == "registered"
        assert case["writer"]["name"] == writer["name"]
        assert case["third_party"] == ("insured" in more)


def test_a_known_client_is_not_anonymous_whatever_the_way(duly: Duly) -> None:
    """D2, M34: who is named by their card is the writer, in person as on the telephone."""
    client = duly.client(name="Łucja Żółć", email="lucja@klient.example")
    body = {"channel": "in_person", "substance": "Proszę.", "client_id": client["client_id"]}
    case = duly.staff("POST", "/api/complaints", body).json
    assert (case["anonymous"], case["writer"]["name"]) == (False, "Łucja Żółć")
    duly.wait(days=4)
    duly.tick()
    read = duly.staff("GET", f"/api/complaints/{case['case_id']}", by=HEAD).json
    assert read["state"] != "closed_anonymous"
    chosen = duly.staff("POST", "/api/complaints", body | {"anonymous": True})
    assert chosen.json["anonymous"]


def test_an_anonymous_submission_is_registered_and_closed(office: Office) -> None:
    """M34, D2: by whichever channel it comes."""
    case = office.case(anonymous=True)
    assert case["state"] == "closed_anonymous"
    assert case["letters"] == []


def uploaded(office: Office, content: bytes, name: str = "полис.pdf") -> dict[str, Any]:
    """A file that staff uploaded, as an entry names it."""
    kind = {"content_type": "application/pdf"}
    upload = office.ask("POST", "/api/complaints/uploads", kind)
    assert upload.status == 201, upload.json
    bucket = office.duly.ports().bucket.name  # type: ignore[attr-defined]
    key = upload.json["fields"]["key"]
    clients.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return {"file_id": upload.json["file_id"], "name": name, "size": len(content), **kind}


def test_files_come_with_the_entry_or_later(office: Office) -> None:
    """M13: looked at by the agenda; kept ones can be opened, and what came later is a message."""
    case = office.case(files=[uploaded(office, PDF)])
    (file,) = case["files"]
    assert (file["state"], file["name"]) == ("kept", "полис.pdf")
    assert file["url"]
    body = {"channel": "post", "text": "Ещё копия.", "files": [uploaded(office, PDF, "b.pdf")]}
    where = f"/api/complaints/{case['case_id']}/messages"
    once = "message-of-the-client"
    first = office.ask("POST", where, body, once=once)
    assert first.status == 201, first.json
    office.ask("POST", where, body, once=once)
    office.duly.tick()
    found = office.read(case)
    assert [one["text"] for one in found["messages"]] == ["Ещё копия."]
    assert [one["state"] for one in found["files"]] == ["kept", "kept"]
    empty = office.ask("POST", where, {"channel": "post", "text": " "})
    assert empty.told == (422, "nothing_submitted")


def test_another_persons_upload_is_nothing_here(office: Office) -> None:
    """R13: the place of an upload follows from who asks."""
    file = uploaded(office, PDF)
    case = office.case(files=[file], by=AGENT)
    assert [one["state"] for one in case["files"]] == ["missing"]


def test_a_held_file_is_opened_only_once_released(office: Office) -> None:
    """R13: an officer's act with a reason; there is no link before, and the agent has none."""
    active = PDF.replace(b"1 0 obj", b"1 0 obj /JavaScript (x)")
    case = office.case(files=[uploaded(office, active)], by=HEAD, insured=INSURED)
    (file,) = case["files"]
    assert (file["state"], file["reason"], file["url"]) == ("held", "active_content", "")
    verb = f"files/{file['file_id']}/release"
    assert office.act(case, verb, {"reason": "x"}, by=AGENT).told == (403, "role_refused")
    office.done(case, verb, {"reason": "Просмотрен в изоляции."})
    (released,) = office.read(case)["files"]
    assert released["released_by"] == HEAD and released["url"]
    assert office.act(case, verb, {"reason": "x"}).told == (409, "file_not_held")
    unknown = office.act(case, f"files/{'A' * 22}/release", {"reason": "x"})
    assert unknown.told == (404, "case_file_unknown")
