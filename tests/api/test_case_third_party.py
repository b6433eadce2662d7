"""Who wrote for somebody else: every act is driven, no letter to them holds a fact of the case.

They are sent the fixed text alone, whatever staff do; the insured is asked, then told (M36-M40,
D7).
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws import clients
from chalicelib.complaints.routes import routes
from tests.casework import COMPLAINT, INSURED, WRITER, Office
from tests.duly import ADMIN, HEAD, Answer, Duly

PDF = b"%PDF-1.7\n1 0 obj /JavaScript\n%%EOF\n"
# What is known of the case, and what staff say: nothing of it is for the writer.
FACTS = (
    *("кардиолог", "ДМС-77-001", "У-5512", "ДМС-77-002", "Застрахованн", "irina@insured.example"),
    *("СЛОВА", "medical", "НОТА", "7000"),
)


@pytest.fixture
def office(duly: Duly) -> Office:
    """An insurer's office on a Monday morning."""
    return Office(duly)


def a_third_party(office: Office, **changes: Any) -> Any:
    """A registered case that somebody wrote for an insured."""
    body = {"insured": INSURED, "claims_authority": True} | changes
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, **body)
    if (changes.get("insured") or INSURED).get("email"):
        return office.done(case, "insured-address", {"how": "из договора"})
    return case


class Driven:
    """Which acts were driven, and on which cases."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.verbs: set[str] = set()
        self.cases: list[Any] = []

    def case(self, **changes: Any) -> Any:
        """A case of a third party, remembered."""
        self.cases.append(a_third_party(self.office, **changes))
        self.verbs.add("insured-address")
        return self.cases[-1]

    def __call__(self, case: Any, verb: str, body: Any = None, *, status: int = 200) -> Any:
        """An act; its letters go out."""
        answer = self.office.act(case, verb, body)
        assert answer.status == status, (verb, answer.json)
        self.verbs.add(verb)
        self.office.duly.tick()
        self.office.duly.tick()
        return answer.json


def test_no_act_tells_the_writer_anything_of_the_case(office: Office) -> None:
    """M37, M39, D7: every act of handling, each that a case of a third party allows and refuses."""
    drive = Driven(office)
    _ordinary(drive)
    _ends(drive)
    _refused(drive)
    wanted = {
        spec.path.partition("{case_id}/")[2]
        for spec in routes.specs
        if spec.method == "POST" and "{case_id}" in spec.path
    }
    assert drive.verbs == wanted
    for case in drive.cases:
        for letter in office.letters(case):
            if letter.to == "writer":
                assert (letter.template, letter.facts, letter.about) == (
                    "third_party_taken",
                    {},
                    "",
                )
    mails = office.duly.mailbox.to(WRITER["email"])
    for mail in mails:
        said = f"{mail.message['Subject']}\n{mail.text}\n{mail.html}"
        assert not [fact for fact in FACTS if fact in said]
    assert len(mails) == len(drive.cases)
    assert any("СЛОВА" in one.text for one in office.duly.mailbox.to(INSURED["email"]))


def _ordinary(drive: Driven) -> None:
    """Acts that leave the case open."""
    office = drive.office
    case = drive.case()
    now = office.duly.ports().now.isoformat()
    department = office.department("Клиники")
    drive(case, "assign", {"assignee": ADMIN, "department": department})
    drive(case, "note", {"text": "НОТА"})
    drive(case, "contact", {"kind": "call_in", "whom": "writer", "at": now, "text": "НОТА"})
    drive(case, "classify", {"cause": "refusal", "product": "travel"})
    drive(case, "correct", {"contract_number": "ДМС-77-002"})
    drive(case, "ask-insured", status=202)
    drive(case, "insured-posted", {"on": office.today()})
    drive(case, "insured-answer", {"decision": "mine", "how": "НОТА"})
    body = {"ground": "documents", "text": "СЛОВА", "answer_by": office.today(6)}
    drive(case, "request", body)
    drive(case, "messages", {"channel": "email", "text": "НОТА"}, status=201)
    theirs = {"channel": "email", "sender": "insured", "text": "НОТА"}
    drive(case, "messages", theirs, status=201)
    drive(case, "still-missing", {"n": 1, "reason": "НОТА"})
    drive(case, "interval", {"least": 2, "most": 9, "document": "НОТА"})
    drive(case, "redress", {"redress": "7000 ₽"})
    drive(case, "outside", {"body": "court", "stage": "opened", "on": office.today()})
    drive(case, "hold", {"reason": "НОТА"})
    drive(case, "end-hold")
    elements = {"reason": "СЛОВА", "expected": "СЛОВА"}
    drive(case, "extend", {"to": office.today(45), "reason": "documents", "elements": elements})
    drive(case, "own-request", {"on": office.today(), "document": "НОТА"})
    drive(case, "suspend", {"ground": "own_request", "obtainable": False, "text": "СЛОВА"})
    drive(case, "reopen", {"channel": "post", "received_at": now, "substance": "x"}, status=201)
    drive.cases.append(office.read({"case_id": office.read(case)["reopened_as"]}))
    office.duly.tick()
    _release(drive)


def _release(drive: Driven) -> None:
    """A file that was held back."""
    office = drive.office
    kind = {"content_type": "application/pdf"}
    upload = office.ask("POST", "/api/complaints/uploads", kind).json
    bucket = office.duly.ports().bucket.name  # type: ignore[attr-defined]
    clients.client("s3").put_object(Bucket=bucket, Key=upload["fields"]["key"], Body=PDF)
    file = {"file_id": upload["file_id"], "name": "НОТА.pdf", "size": len(PDF), **kind}
    case = drive.case(files=[file])
    drive(case, f"files/{upload['file_id']}/release", {"reason": "НОТА"})
    drive.verbs.remove(f"files/{upload['file_id']}/release")
    drive.verbs.add("files/{file_id}/release")


def _ends(drive: Driven) -> None:
    """Acts that end a case."""
    drive(drive.case(), "no-answer", {"reason": "repeated", "text": "СЛОВА"})
    drive(drive.case(), "route-out", {"note": "НОТА", "text": "СЛОВА"})
    drive(drive.case(), "return-court", {"text": "СЛОВА"})
    first, second = drive.case(), drive.case()
    drive(second, "duplicate", {"of": first["case_id"]})
    denied = drive.case()
    drive(denied, "insured-answer", {"decision": "not_mine", "how": "НОТА"})
    assert drive(denied, "not-on-behalf")["state"] == "closed_not_on_behalf"


def _refused(drive: Driven) -> None:
    """Acts that such a case refuses; the authority, last of all, opens another to its writer."""
    office = drive.office
    drive(drive.case(), "hand-over", status=409)
    rules = {"audience": "legal", "reason": "НОТА"}
    drive(drive.cases[-1], "rules", rules)
    drive(drive.cases[-1], "performed", {"on": office.today(), "how": "НОТА"}, status=409)
    paper = {"channel": "post", "received_at": office.duly.ports().now.isoformat()}
    case = office.case(**COMPLAINT | paper | {"insured": INSURED})
    drive.cases.append(case)
    drive(case, "acknowledge", {"channel": "email"}, status=409)
    drive(case, "authority", {"document": "НОТА"})
    assert [one.to for one in office.letters(case)].count("writer") == 1


def test_once_an_authority_is_recorded_the_writer_is_told(office: Office) -> None:
    """M40: who holds it is the addressee, from then on."""
    case = a_third_party(office)
    body = {"ground": "documents", "text": "СЛОВА", "answer_by": office.today(6)}
    office.done(case, "request", body)
    office.done(case, "authority", {"document": "доверенность 77 АВ 1"})
    seen = office.read(case)
    assert (seen["third_party"], seen["addressed_as"]) == (False, "writer")
    assert seen["authority"]["by"] == HEAD
    office.duly.wait(days=6)
    office.done(case, "request", body | {"answer_by": office.today(6)})
    asked = [one for one in office.letters(case) if one.template == "data_requested"]
    assert sorted(one.to for one in asked) == ["insured", "writer"]


def test_a_denial_waits_for_an_officer_and_stops_every_letter(office: Office) -> None:
    """M38, D7: the insured says no, by telephone; nothing more is sent, then it is closed."""
    case = a_third_party(office)
    assert office.act(case, "not-on-behalf").told == (409, "not_denied")
    office.done(case, "insured-answer", {"decision": "not_mine", "how": "по телефону"})
    again = office.act(case, "insured-answer", {"decision": "mine", "how": "по телефону"})
    assert again.told == (409, "already_decided")
    for verb, body in _letters(office):
        assert office.act(case, verb, body).told == (409, "insured_denied"), verb
    assert office.read(case)["closing"]["not_on_behalf"]
    office.done(case, "not-on-behalf")
    own = office.case()
    assert office.act(own, "not-on-behalf").told == (409, "third_party_only")


def test_words_go_to_the_insureds_address_once_an_officer_knows_that_it_is_theirs(
    office: Office,
) -> None:
    """M37: whoever wrote for them named it; nothing but the question goes there until then."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, insured=INSURED)
    assert not case["may_email"]
    for verb, body in _letters(office):
        assert office.act(case, verb, body).told == (409, "address_unproven"), verb
    assert {one.template for one in office.letters(case)} == {"third_party_taken", "insured_asked"}
    assert office.act(case, "insured-address", {"how": " "}).told == (422, "text_refused")
    assert office.done(case, "insured-address", {"how": "по номеру из договора"})["may_email"]
    again = office.act(case, "insured-address", {"how": "x"})
    assert again.told == (409, "address_already_proven")
    body = {"ground": "documents", "text": "x", "answer_by": office.today(6)}
    assert office.done(case, "request", body)["state"] == "awaiting_information"


def test_an_address_that_nobody_proved_learns_nothing_of_the_case(office: Office) -> None:
    """M37, M39, D7: not that a message joined, not where the answer went, not how far it is."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, insured=INSURED | {"postal_address": "x"})
    joined = {"channel": "email", "sender": "insured", "text": "x"}
    assert office.act(case, "messages", joined).status == 201
    office.done(case, "insured-posted", {"on": office.today()})
    sent_by_post(office, case)
    office.duly.tick()
    office.duly.tick()
    assert {one.template for one in office.letters(case) if one.to == "insured"} == {
        "insured_asked"
    }
    proven = office.case(channel="email", received_at=now, insured=INSURED)
    office.done(proven, "insured-address", {"how": "из договора"})
    office.act(proven, "messages", joined)
    office.duly.tick()
    mail = office.duly.mailbox.to(INSURED["email"])[-1].text
    token = re.search(r"/status#(\S+)", mail)
    assert token is not None
    assert standing(office, token[1]).json["stage"] == "registered"
    office.done(proven, "correct", {"insured": INSURED | {"email": "other@insured.example"}})
    assert standing(office, token[1]).told == (410, "link_superseded")


def sent_by_post(office: Office, case: Any) -> None:
    """The answer, by registered post, today."""
    where = f"/api/complaints/{case['case_id']}/answers"
    draft = office.ask("POST", where, {"outcome": "rejected"}).json
    words = {one["key"]: "x" for one in draft["elements"] if one["key"] != "signatory"}
    body = {"outcome": "rejected", "text": "x", "elements": words}
    signer = {"name": "x", "position": "x"}
    version = office.read(case)["version"]
    one = f"{where}/{draft['answer_id']}"
    assert office.ask("PUT", one, body | {"signer": signer}, version=version).status == 200
    verb = f"answers/{draft['answer_id']}"
    assert office.act(case, f"{verb}/send", {"channel": "registered_post"}).status == 202
    posted = {"posted_on": office.today(), "tracking": "RR1"}
    assert office.act(case, f"{verb}/posted", posted).status == 200


def standing(office: Office, token: str) -> Answer:
    """What the private page tells."""
    return office.duly.public("/complaints/status", {"token": token}, org=office.org)


@pytest.mark.parametrize(
    "named",
    [{"name": WRITER["name"]}, {"name": WRITER["name"].upper(), "email": WRITER["email"]}],
)
def test_who_names_themself_as_the_insured_is_no_third_party(office: Office, named: Any) -> None:
    """M36, M45: the form asks whose insurance it is, and most of us are insured ourselves."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, insured=named, claims_authority=True)
    assert (case["third_party"], case["insured"], case["missing"]) == (False, None, [])
    assert [one.template for one in office.letters(case)] == ["submission_taken"]


@pytest.mark.parametrize("known", ["postal_address", "phone", "email"])
def test_a_namesake_whose_address_differs_is_somebody_else(office: Office, known: str) -> None:
    """M37: a father and a son: nothing of the one is told to the other."""
    other = {"postal_address": "ул. Иная, 7", "phone": "+79160000000", "email": "a@b.example"}
    now = office.duly.ports().now.isoformat()
    insured = {"name": WRITER["name"], known: other[known]}
    case = office.case(channel="email", received_at=now, insured=insured)
    assert case["third_party"]


def test_a_name_put_right_opens_the_case_to_its_writer(office: Office) -> None:
    """M40, M45: a slip of the pen made two people of one; then the writer is told as anybody."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, insured={"name": "Павел Писателль"})
    assert case["third_party"]
    seen = office.done(case, "correct", {"insured": {"name": WRITER["name"]}})
    assert (seen["third_party"], seen["insured"]) == (False, None)
    office.duly.tick()
    assert {one.template for one in office.letters(case)} == {
        "third_party_taken",
        "submission_taken",
    }


def test_a_question_that_came_back_asked_nobody(office: Office) -> None:
    """M38, D7: it goes by post; until then nothing is said to the insured."""
    now = office.duly.ports().now.isoformat()
    case = office.case(channel="email", received_at=now, insured=INSURED)
    mail = office.duly.mailbox.to(INSURED["email"])[-1]
    office.duly.event("Bounce", mail, bounce={"bounceType": "Permanent"})
    steps = {step["kind"] for step in office.read(case)["steps"]}
    assert ("question_by_post" in steps, "insured_silent" in steps) == (True, False)
    way = {"channel": "post", "posted_on": office.today()}
    body = {"ground": "documents", "text": "x", "answer_by": office.today(6), "way": way}
    assert office.act(case, "request", body).told == (409, "insured_not_asked")


@pytest.mark.parametrize("decision", ["mine", "not_mine"])
def test_staff_learn_what_the_insured_said(office: Office, decision: str) -> None:
    """M38, item 9: the answer was waiting for it."""
    case = a_third_party(office)
    office.duly.mailbox.sent.clear()
    office.done(case, "insured-answer", {"decision": decision, "how": "по телефону"})
    office.duly.wait(minutes=5)
    office.duly.tick()
    office.duly.tick()
    assert [one.tags["kind"] for one in office.duly.mailbox.sent] == ["PERSON"]
    assert case["reference"] in office.duly.mailbox.sent[0].text


def test_the_insured_is_asked_before_anything_is_said(office: Office) -> None:
    """M38, D7: without an e-mail address by post; the day of the answer stands."""
    case = a_third_party(office, insured={"name": "Ирина"})
    for verb, body in _letters(office):
        assert office.act(case, verb, body).told == (409, "insured_not_asked"), verb
    assert office.act(case, "ask-insured").told == (409, "addressee_unreachable")
    office.duly.wait(days=1)
    asked = office.done(case, "insured-posted", {"on": office.today(-1)})
    assert asked["limit"] == case["limit"]
    way = {"channel": "post", "posted_on": office.today()}
    body = {"ground": "documents", "text": "x", "answer_by": office.today(6), "way": way}
    assert office.done(case, "request", body)["state"] == "awaiting_information"
    assert [one.to for one in office.letters(case)] == ["writer"]


def _letters(office: Office) -> Iterator[tuple[str, dict[str, Any]]]:
    """The acts that tell the client something."""
    elements = {"reason": "x", "expected": "x"}
    later = (office.duly.ports().now + timedelta(days=45)).date().isoformat()
    yield "request", {"ground": "documents", "text": "x", "answer_by": office.today(6)}
    yield "extend", {"to": later, "reason": "documents", "elements": elements}
    yield "no-answer", {"reason": "repeated"}
    yield "route-out", {"note": "x"}
    yield "return-court", {"text": "x"}
