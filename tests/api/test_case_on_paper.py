"""The case on paper: all of it, in the reader's language, each letter with what became of it."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pypdfium2
import pytest
from msgspec.structs import replace

from chalicelib.complaints import case as cases
from chalicelib.complaints import chapters, files, handling, on_paper, store
from chalicelib.complaints.case import CaseFile, Flag, Logged, Message
from chalicelib.documents import dossier
from chalicelib.kernel.change import Key
from chalicelib.kernel.workdays import local
from chalicelib.organisations import store as organisations
from chalicelib.policy.packs import Audience
from chalicelib.policy.reasons import LANGUAGES
from chalicelib.ports import EventRecord
from tests.api.test_answers import SIGNER, written
from tests.api.test_case_entry import PDF, uploaded
from tests.casework import INSURED, WRITER, Office
from tests.duly import HEAD, Duly

ACTIVE = PDF.replace(b"1 0 obj", b"1 0 obj /JavaScript (x)")


@pytest.fixture
def office(duly: Duly) -> Office:
    """An insurer's office on a Monday morning."""
    return Office(duly)


def a_case(office: Office, **changes: Any) -> Any:
    """A case by e-mail, received now."""
    now = office.duly.ports().now.isoformat()
    return office.case(**{"channel": "email", "received_at": now} | changes)


def told(duly: Duly, org: str, case_id: str, language: str = "ru") -> dossier.Dossier:
    """What the paper of a case says."""
    ports = duly.ports()
    held, items = store.read(ports, cases.key(org, case_id), "STATEMENT")
    return on_paper.sheet(ports, held, items, organisations.fresh_house(ports, org), language)


def said(one: dossier.Dossier) -> str:
    """All words of the paper, as a reader's program finds them, blanks alike."""
    with pypdfium2.PdfDocument(dossier.render(one)) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return " ".join(" ".join(pages).split())


def paper(office: Office, case: Any, language: str = "ru") -> str:
    """The paper of a case, as it is read."""
    return said(told(office.duly, office.org, case["case_id"], language))


def chapter(one: dossier.Dossier, name: str, language: str = "ru") -> list[str]:
    """What stands in one chapter, line by line."""
    title = chapters.words(language)["chapters"][name]
    (found,) = [each for each in one.chapters if each.title == title]
    return [
        " | ".join((line.label, line.value, *line.about, line.more))
        if isinstance(line, dossier.Line)
        else line.text
        for line in found.lines
    ]


def bounce(office: Office, kind: str = "Bounce") -> None:
    """The last letter comes back, or is refused by the mail service."""
    mail = office.duly.mailbox.to(WRITER["email"])[-1]
    office.duly.event(kind, mail, bounce={"bounceType": "Permanent"})


def test_the_paper_of_a_case_is_the_whole_case(office: Office) -> None:
    """Item 10, M88: messages, words of staff, files, contacts, who asks outside, by the link."""
    given = [uploaded(office, PDF, "полис.pdf"), uploaded(office, ACTIVE, "вирус.pdf")]
    case = a_case(office, files=given)
    body = {"channel": "email", "sender": "writer", "text": "Поздний довод про клинику."}
    office.ask("POST", f"/api/complaints/{case['case_id']}/messages", body)
    office.done(
        case,
        "request",
        {"ground": "documents", "text": "Пришлите акт.", "answer_by": office.today(5)},
    )
    call = {"kind": "call_out", "whom": "writer", "at": case["received_at"], "text": "Обещал акт."}
    office.done(case, "contact", call)
    office.done(case, "classify", {"vulnerable": True, "cause": "delay"})
    outside = {
        "body": "ombudsman",
        "stage": "answer_asked",
        "on": office.today(),
        "number": "ОМБ-77",
        "answer_by": office.today(8),
    }
    office.done(case, "outside", outside)
    office.done(case, "hold", {"reason": "Суд в Гааге."})
    office.done(case, "redress", {"redress": "1 500 рублей"})
    office.done(case, "no-answer", {"reason": "repeated", "text": "Уже отвечали."})
    office.duly.tick()
    answer = office.ask("GET", f"/api/complaints/{case['case_id']}/pdf")
    assert answer.status == 200
    ((_, content),) = [
        one for one in office.duly.objects().items() if one[0].startswith("exports/")
    ]
    with pypdfium2.PdfDocument(content) as document:
        found = " ".join(" ".join(p.get_textpage().get_text_bounded() for p in document).split())
        marks = [mark.get_title() for mark in document.get_toc()]
    kept = {one["name"]: one for one in office.read(case)["files"]}
    for one in (
        *("Поздний довод про клинику.", "Пришлите акт.", "Обещал акт.", "ОМБ-77", "Суд в Гааге."),
        *("1 500 рублей", "Уже отвечали.", "delay", "полис.pdf", "вирус.pdf"),
        *(kept["полис.pdf"]["sha256"], kept["вирус.pdf"]["sha256"], f"{len(PDF)} B"),
    ):
        assert one in found, one
    words = chapters.words("ru")
    for group, key in (
        *(("held", "active_content"), ("files", "kept"), ("grounds", "documents")),
        *(("bodies", "ombudsman"), ("outside", "answer_asked"), ("log", "call_out")),
        *(("facts", "vulnerable"), ("results", "silent"), ("sending", "sent")),
    ):
        assert words[group][key] in found, (group, key)
    assert marks == [
        words["chapters"][one]
        for one in (
            *("statement", "messages", "files", "requests", "end", "granted", "outside"),
            *("deadlines", "log", "letters", "timeline"),
        )
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_that_came_back_is_not_told_as_one_that_was_sent(
    office: Office, language: str
) -> None:
    """Item 10, M53: it says so, and when; what arrived says that it arrived."""
    words = chapters.words(language)
    case = a_case(office)
    one = told(office.duly, office.org, case["case_id"], language)
    (sent,) = chapter(one, "letters", language)
    assert words["sending"]["sent"] in sent
    office.duly.wait(hours=1)
    bounce(office)
    one = told(office.duly, office.org, case["case_id"], language)
    (back,) = chapter(one, "letters", language)
    at = words["paper"]["moment"].format(at=local(office.duly.ports().now, "Europe/Moscow"))
    assert f"{words['sending']['bounced']}, {at}" in back
    assert f"{words['sending']['sent']}," not in back


def test_a_letter_that_never_left_says_so_and_why(office: Office) -> None:
    """Item 10, M37: the mail service refused it."""
    case = a_case(office)
    bounce(office, "Reject")
    words = chapters.words("ru")
    (held,) = chapter(told(office.duly, office.org, case["case_id"]), "letters")
    assert f"{words['sending']['held']}, {words['reasons']['reject']}" in held


def test_a_letter_that_arrived_says_when(office: Office) -> None:
    """Item 10: delivered to the mailbox of who it is for; one that went by post, too."""
    case = a_case(office)
    office.duly.event("Delivery", office.duly.mailbox.to(WRITER["email"])[-1])
    way = {"channel": "post", "posted_on": office.today()}
    body = {"ground": "permission", "text": "Подпишите.", "answer_by": office.today(9), "way": way}
    office.done(case, "request", body)
    words = chapters.words("ru")
    arrived, posted = chapter(told(office.duly, office.org, case["case_id"]), "letters")
    assert words["sending"]["delivered"] in arrived
    assert words["sending"]["posted"] in posted
    assert words["letters"]["data_requested"] in posted


def test_a_request_says_what_came_of_it(office: Office) -> None:
    """M62-M71: its words, its day, until when; silent, come back, or answered."""
    words = chapters.words("ru")
    case = a_case(office)
    body = {"ground": "documents", "text": "Пришлите выписку.", "answer_by": office.today(7)}
    office.done(case, "request", body)
    office.duly.tick()
    bounce(office)
    office.done(case, "request", body | {"text": "Пришлите ещё раз."})
    office.done(case, "interval", {"least": 7, "most": 9, "document": "письмо"})
    back, silent, interval = chapter(told(office.duly, office.org, case["case_id"]), "requests")
    assert words["results"]["came_back"] in back and "Пришлите выписку." in back
    assert words["sending"]["bounced"] in back
    assert words["results"]["silent"] in silent and "Пришлите ещё раз." in silent
    assert f"{words['labels']['request']} 2: {words['grounds']['documents']}" in silent
    assert "7–9" in interval
    message = {"channel": "email", "sender": "writer", "text": "Вот она."}
    office.ask("POST", f"/api/complaints/{case['case_id']}/messages", message)
    _, answered, _ = chapter(told(office.duly, office.org, case["case_id"]), "requests")
    assert words["results"]["answered"] in answered


def test_an_extension_and_an_end_that_came_back_are_told_as_such(office: Office) -> None:
    """M53-M55: their words stand, with what became of them."""
    words = chapters.words("ru")
    case = a_case(office)
    elements = {"reason": "Экспертиза.", "expected": "До конца месяца."}
    body = {"to": office.today(50), "reason": "examination", "elements": elements}
    office.done(case, "extend", body)
    office.duly.tick()
    bounce(office)
    (extended,) = chapter(told(office.duly, office.org, case["case_id"]), "extension")
    assert "Экспертиза." in extended and words["sending"]["bounced"] in extended
    office.done(case, "no-answer", {"reason": "abusive", "text": "Грубо."})
    office.duly.tick()
    bounce(office)
    undone, ended = chapter(told(office.duly, office.org, case["case_id"]), "end")
    assert words["results"]["undone"] in undone
    assert words["values"]["closed_unanswered"] in undone
    assert "Грубо." in ended and words["sending"]["bounced"] in ended


def test_the_answer_is_there_with_all_that_it_says(duly: Duly) -> None:
    """M52, M108: outcome, words, each element under its title, who signed; a draft is not."""
    one = written(duly, "Wypłacimy całość.")
    draft = told(duly, "agencja", one.case_id, "pl")
    assert "Wypłacimy całość." not in said(draft)
    words = chapters.words("pl")
    (line,) = chapter(draft, "answer", "pl")
    assert words["stages"]["draft"] in line
    elements = [each["key"] for each in one.read()["elements"] if each["key"] != "signatory"]
    assert one.send().status == 202
    duly.tick()
    found = " ".join(chapter(told(duly, "agencja", one.case_id, "pl"), "answer", "pl"))
    assert words["stages"]["sent"] in found and words["values"]["upheld"] in found
    assert "Wypłacimy całość." in found
    for key in elements:
        assert f"Wyjaśnienie: {key}." in found
    assert SIGNER["name"] in found


def test_an_answer_that_came_back_is_told_with_its_words(duly: Duly) -> None:
    """M55: what was sent and came back; other words since are a draft again."""
    one = written(duly, "Wypłacimy całość.")
    one.send()
    duly.tick()
    mail = duly.mailbox.sent[-1]
    assert duly.event("Bounce", mail, bounce={"bounceType": "Permanent"}) == "bounced"
    words = chapters.words("pl")
    found = " ".join(chapter(told(duly, "agencja", one.case_id, "pl"), "answer", "pl"))
    assert words["sending"]["bounced"] in found and "Wypłacimy całość." in found
    one.version = cases_version(duly, one.case_id)
    one.write("Inaczej.")
    assert "Inaczej." not in said(told(duly, "agencja", one.case_id, "pl"))


def cases_version(duly: Duly, case_id: str) -> int:
    """The version of a case now."""
    return store.get(duly.ports(), "agencja", case_id).version


def test_what_was_granted_says_whether_it_was_done(duly: Duly) -> None:
    """M87, item 9: the day, and how; until then, that nothing is recorded, and by when."""
    one = written(duly, "Wypłacimy całość.")
    one.send()
    duly.tick()
    words = chapters.words("pl")
    (waits,) = chapter(told(duly, "agencja", one.case_id, "pl"), "granted", "pl")
    assert words["results"]["not_performed"] in waits
    one.version = cases_version(duly, one.case_id)
    on = duly.ports().now.date().isoformat()
    where = f"/api/complaints/{one.case_id}/performed"
    assert one.ask("POST", where, {"on": on, "how": "przelew 12/44"}).status == 200
    (done,) = chapter(told(duly, "agencja", one.case_id, "pl"), "granted", "pl")
    assert "przelew 12/44" in done and words["results"]["not_performed"] not in done


def test_the_question_to_the_insured_and_its_answer_are_there(office: Office) -> None:
    """M37-M40: when they were asked, what they said and how, the authority that was seen."""
    words = chapters.words("ru")
    case = a_case(office, insured=INSURED)
    asked, silent = chapter(told(office.duly, office.org, case["case_id"]), "question")
    assert words["labels"]["link_until"] in asked
    assert words["decisions"]["silent"] in silent
    office.done(case, "insured-answer", {"decision": "mine", "how": "по телефону, паспорт"})
    _, decided = chapter(told(office.duly, office.org, case["case_id"]), "question")
    assert words["decisions"]["mine"] in decided and "по телефону, паспорт" in decided
    office.done(case, "authority", {"document": "доверенность 77 АВ 1"})
    assert "доверенность 77 АВ 1" in paper(office, case)


def test_linked_cases_are_named_by_their_numbers(office: Office) -> None:
    """M74: the duplicate, and the case that it repeats; of one that is gone, its id."""
    first, second = a_case(office), a_case(office)
    office.done(second, "duplicate", {"of": first["case_id"]})
    (line,) = chapter(told(office.duly, office.org, second["case_id"]), "linked")
    assert first["reference"] in line
    (line,) = chapter(told(office.duly, office.org, first["case_id"]), "linked")
    assert second["reference"] in line
    case = store.get(office.duly.ports(), office.org, first["case_id"]).value
    whole = chapters.Whole(
        case=replace(case, reopens="gone"), statement=cases.Statement(substance="")
    )
    house = organisations.fresh_house(office.duly.ports(), office.org)
    found = chapters.told(whole, chapters.voice(case, house, "ru"), house)
    assert any("gone" in getattr(line, "value", "") for each in found for line in each.lines)


def test_no_event_is_left_out(office: Office) -> None:
    """Item 10, M86: beyond a thousand, too; the receipt is the first."""
    records = [EventRecord(envelope={"version": n}, digest="", hash="") for n in range(1, 2_345)]

    def events(key: Key, *, before: int = 0, most: int = 50) -> list[EventRecord]:
        end = before - 1 if before else len(records)
        return records[max(0, end - min(most, 400)) : end][::-1]

    ports: Any = SimpleNamespace(ledger=SimpleNamespace(events=events))
    found = list(on_paper._events(ports, cases.key("medex", "x")))
    assert [one.envelope["version"] for one in found] == list(range(2_344, 0, -1))
    case = a_case(office)
    first, *_ = chapter(told(office.duly, office.org, case["case_id"]), "timeline")
    assert chapters.words("ru")["events"]["complaint_received"] in first


def test_what_people_wrote_stays_what_they_wrote(office: Office) -> None:
    """R13, item 10: a formula, a format, a markup and a script are words like any other."""
    hostile = '=HYPERLINK("x") {reference} {0} %s <b>x</b> [x](http://e.x) \\(/JS'
    case = a_case(office, contract_number=hostile[:60], writer=WRITER | {"name": hostile})
    body = {"channel": "email", "sender": "writer", "text": hostile}
    office.ask("POST", f"/api/complaints/{case['case_id']}/messages", body)
    office.done(case, "note", {"text": hostile})
    office.done(case, "hold", {"reason": hostile})
    dense = "".join(paper(office, case).split())
    # the name, the message, the note, the reason of the hold: in front, and where it happened
    assert dense.count("".join(hostile.split())) >= 5


def test_what_was_corrected_and_assigned_is_told(office: Office) -> None:
    """M6, M32: what it was before, and after; to whom it went."""
    case = a_case(office)
    office.done(case, "correct", {"contract_number": "НОВЫЙ-1"})
    office.done(case, "assign", {"assignee": HEAD})
    lines = chapter(told(office.duly, office.org, case["case_id"]), "timeline")
    assert any("ДМС-77-001 › НОВЫЙ-1" in one for one in lines)
    name = next(
        one.name
        for one in organisations.fresh_house(office.duly.ports(), office.org).directory.members
        if one.staff_id == HEAD
    )
    words = chapters.words("ru")
    assert any(f"{words['labels']['assignee']}: {name}" in one for one in lines)


def codes(struct: Any, field: str) -> set[str]:
    """Every code that a field may hold."""
    return set(get_args(struct.__annotations__[field])) - {""}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_case_has_its_words(language: str) -> None:
    """Item 10: who reads the case on paper reads no code, in any language."""
    words = chapters.words(language)
    wanted = {
        "files": codes(CaseFile, "state"),
        "log": codes(Logged, "kind"),
        "people": codes(Message, "sender") | codes(Logged, "whom"),
        "bodies": set(get_args(handling.Body)),
        "outside": set(get_args(handling.Stage)),
        "flags": set(map(str, Flag)),
        "sending": {
            *("promised", "sending", "sent", "delivered", "bounced"),
            *("complained", "held", "unneeded", "posted"),
        },
        "values": set(get_args(Audience)) | {"email", "registered_post", "in_person"},
    }
    source = Path(files.__file__).read_text(encoding="utf-8")
    wanted["held"] = set(re.findall(r'(?:return|reason=) ?"([a-z_]+)"', source))
    assert {"type", "two_in_one", "too_large"} <= wanted["held"]
    for group, known in wanted.items():
        assert known <= words[group].keys(), group
    told_by_events = {name for names in chapters._TOLD.values() for name in names}
    assert told_by_events <= words["labels"].keys()
