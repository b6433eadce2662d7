"""Cases, for staff: enter, find, read, and every act of handling but the answer.

Agents enter, hand over, and see their own alone; whoever handles cases sees all. What is not
theirs to see is not there.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from chalicelib.clients import store as clients
from chalicelib.clients.domain import Client, ClientUnknown
from chalicelib.complaints import (
    answering,
    closing,
    entry,
    handling,
    receipt,
    register,
    requests,
    rules,
    service,
    store,
    views,
)
from chalicelib.complaints.case import (
    Channel,
    Complaint,
    ComplaintUnknown,
    Message,
    NotClosed,
    refuse,
)
from chalicelib.complaints.closing import AlreadyReopened
from chalicelib.complaints.entry import (
    Desk,
    EntryInput,
    Files,
    Instant,
    MediaType,
    PersonInput,
    ReopenInput,
)
from chalicelib.complaints.files import MOST_BYTES
from chalicelib.complaints.handling import (
    HANDLERS,
    Classes,
    Contact,
    Corrections,
    Outside,
    Way,
    Whom,
)
from chalicelib.complaints.rules import CaseRules
from chalicelib.complaints.views import CasesView, CaseView, WholeCase
from chalicelib.documents import codes
from chalicelib.documents.codes import PaperCodeRefused
from chalicelib.documents.routes import Upload
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import Change, Held, Key
from chalicelib.kernel.errors import ChangedMeanwhile, Invalid
from chalicelib.kernel.workdays import local
from chalicelib.organisations.domain import Role
from chalicelib.organisations.store import lookup_digest
from chalicelib.web import history, paging
from chalicelib.web.blueprint import ApiBlueprint, Call, Nothing
from chalicelib.web.history import EventsView, ExportView, Paged
from chalicelib.web.staff import RoleRefused

routes = ApiBlueprint(__name__)

PAGE = 25
ONE = "/api/complaints/{case_id}"
HEADS = frozenset({Role.HEAD, Role.ADMIN})
Month = Annotated[str, msgspec.Meta(pattern=f"^([0-9]{{4}}-(0[1-9]|1[0-2]))?{entry.END}")]
ListName = Literal["", "open", "unassigned", "mine", "agent", "closed"]


class CaseSearch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of `list`, `reference`, `email` and `contract`; `cursor` goes on.

    `month` is that of closing, for the list `closed`; the present one, if left out.
    """

    list: ListName = ""
    month: Month = ""
    reference: str = ""
    email: str = ""
    contract: str = ""
    cursor: str = ""


class NewUpload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that is about to be uploaded, for a case or for one to be entered."""

    content_type: MediaType


class MessageInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came to a case later, and how; `received_at` now, if left out."""

    channel: entry.Entered
    sender: Literal["writer", "insured", "other"] = "writer"
    received_at: Instant | None = None
    text: str = ""
    files: Files = ()


class CaseAssignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose case it is; "" is nobody's, and no department leaves that as it is."""

    assignee: str
    department: str = ""


class CaseWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text."""

    text: str


class ContactInput(CaseWords, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call, a meeting, a mail, with whom and when (M88)."""

    kind: Contact
    whom: Whom
    at: Instant


class CorrectionInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was wrong or missing; what is left out stays. A person is given whole."""

    writer: PersonInput | None = None
    insured: PersonInput | None = None
    contract_number: str | None = None
    claim_number: str | None = None


class SeenDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document that an officer saw: what it was."""

    document: str


class PostedOn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The day on which it was posted."""

    on: date


class InsuredSaid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the insured said to staff, and how."""

    decision: Literal["mine", "not_mine"]
    how: str


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an officer came to know it."""

    how: str


class RequestInput(CaseWords, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to the client: for what, in which words, by when.

    `new_series`: the window of the last request is over, and the count begins again.
    """

    ground: str
    answer_by: date
    way: Way = Way()
    new_series: bool = False


class StillMissing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which request, and why what came is not what it asked for."""

    n: int
    reason: str


class RequestInterval(SeenDocument, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The interval between requests that the client asked for, in days (M71)."""

    least: int
    most: int


class OwnRequest(SeenDocument, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The client's written request to suspend, and the day on which it came (M72)."""

    on: date


class SuspensionInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ground; whether the organisation can get the documents itself (M63, M67)."""

    ground: str
    obtainable: bool
    text: str = ""
    delay: str = ""
    way: Way = Way()


class ExtensionInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new day, the pack's reason, and a text for each element that the pack wants."""

    to: date
    reason: str = ""
    elements: Annotated[dict[str, str], msgspec.Meta(max_length=20)] = {}
    way: Way = Way()


class NoAnswerInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pack's reason; `way` null where nobody can be told."""

    reason: str
    text: str = ""
    way: Way | None = Way()


class RouteOutInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note for staff on where it goes, and what the client is told beyond the letter's text."""

    note: str
    text: str = ""
    delay: str = ""
    way: Way = Way()


class ReturnInput(CaseWords, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the court's decision is appealed (M50)."""

    delay: str = ""
    way: Way = Way()


class DuplicateInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The case that stays, and answers both."""

    of: entry.Id


class StatedReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: str


class RedressInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the client was granted; "" takes it back."""

    redress: str


class Performed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That what the answer granted was done: on which day, and how."""

    on: date
    how: str


class ReferenceRefused(Invalid):
    """Not the number of any case: too long, too short, or its check character says no."""

    code = "reference_refused"
    sentence = "This is not the number of a case. Compare it letter by letter."


# Entry


@routes.staff("POST", "/api/complaints", takes=EntryInput, gives=CaseView, status=201, creates=True)
def enter_complaint(call: Call) -> CaseView:
    """A submission that came another way than by the form (M1-M4, M49)."""
    given = entry.submission(call.body, _client(call), _desk(call))
    received = service.receive(call.ports, call.house, given, by=call.actor, once=call.once_for)
    held = Held(key=received.key, value=received.case, version=received.version, head="")
    return _view(call, held)


@routes.staff("POST", "/api/complaints/uploads", takes=NewUpload, gives=Upload, status=201)
def upload_case_file(call: Call) -> Upload:
    """A form for one file; entering or adding to a case then names it by its id."""
    file_id = ids.new_id()
    form = call.ports.bucket.upload_form(
        entry.upload_key(_desk(call), file_id),
        content_type=call.body.content_type,
        most=MOST_BYTES,
    )
    return Upload(file_id=file_id, url=form["url"], fields=form["fields"])


@routes.staff(
    "POST", ONE + "/messages", takes=MessageInput, gives=CaseView, status=201, creates=True
)
def add_case_message(call: Call, case_id: str) -> CaseView:
    """Something that came later joins its case, with its files (M13)."""
    given, desk = call.body, _desk(call)
    held = store.get(call.ports, call.org, case_id)
    service.require_visible(held.value, call.member)
    handling.require_kept(held.value)
    added = entry.files(given.files, desk)
    if not given.text.strip() and not added:
        raise receipt.NothingSubmitted(field="text")
    at = given.received_at or desk.now
    refuse(held.value.received_at <= at <= desk.now, "received_at")
    message = Message(
        message_id=ids.new_id(),
        at=at,
        channel=Channel(given.channel),
        sender=given.sender,
        text=receipt.words(given.text, "text"),
        files=tuple(one.file_id for one in added),
    )
    once = call.once_for(case_id)
    joined = service.join(call.ports, call.house, case_id, message, added, by=call.actor, once=once)
    return _view(call, joined)


@routes.staff("POST", ONE + "/hand-over", gives=CaseView, changes=True)
def hand_over_case(call: Call, case_id: str) -> CaseView:
    """The agent passed it on: their own deadline is over (M49)."""
    return _acted(call, case_id, handling.hand_over)


# Reading


@routes.staff("GET", "/api/complaints", query=CaseSearch, gives=CasesView)
def list_cases(call: Call) -> CasesView:
    """A worklist, or the cases of a number, an address, a contract; 25 a page."""
    asked = {
        name: getattr(call.query, name)
        for name in ("list", "reference", "email", "contract")
        if getattr(call.query, name)
    }
    if len(asked) != 1:
        raise Invalid("Give exactly one of list, reference, email and contract.", field="list")
    ((by, value),) = asked.items()
    month = _month(call) if value == "closed" else ""
    keys = call.ports.link_keys()
    query = "\0".join(("cases", call.org, call.member.staff_id, by, value, month))
    after = paging.unseal(call.query.cursor, query, keys)
    if by == "list":
        name = f"O#{call.org}#{_list_name(call, value, month)}"
        page = call.ports.ledger.worklist(name, prefix="", after=after, most=PAGE)
        found, last = list(page.keys), page.after
    else:
        found, last = _found(call, by, value, after)
    held = [one for one in store.listed(call.ports, found) if _is_visible(call, one.value)]
    return CasesView(cases=tuple(map(views.row, held)), cursor=paging.seal(last, query, keys))


@routes.staff("GET", ONE, gives=WholeCase)
def read_case(call: Call, case_id: str) -> WholeCase:
    """The whole case: what is known, what follows and why, what may be done."""
    key = Key(call.org, "COMPLAINT", case_id)
    held, items = store.read(call.ports, key, "STATEMENT")
    service.require_visible(held.value, call.member)
    return views.whole(call.ports, held, items, call.house, call.member.language)


@routes.staff("GET", ONE + "/events", query=Paged, gives=EventsView)
def read_case_events(call: Call, case_id: str) -> EventsView:
    """What happened to a case, newest first: who, when, from where."""
    return history.page(call, _visible(call, case_id))


@routes.staff("GET", ONE + "/events/export", gives=ExportView)
def export_case_events(call: Call, case_id: str) -> ExportView:
    """The whole history of a case, to be verified by anybody without Duly."""
    return history.export(call, _visible(call, case_id))


# Handling


@routes.staff(
    "POST", ONE + "/assign", takes=CaseAssignment, gives=CaseView, roles=HANDLERS, changes=True
)
def assign_case(call: Call, case_id: str) -> CaseView:
    """Whose case it is, and which department's."""
    given = call.body
    return _acted(call, case_id, handling.assign, given.assignee, given.department)


@routes.staff("POST", ONE + "/note", takes=CaseWords, gives=CaseView, roles=HANDLERS, changes=True)
def note_on_case(call: Call, case_id: str) -> CaseView:
    """A note for staff."""
    return _acted(call, case_id, handling.note, call.body.text)


@routes.staff(
    "POST", ONE + "/contact", takes=ContactInput, gives=CaseView, roles=HANDLERS, changes=True
)
def log_contact(call: Call, case_id: str) -> CaseView:
    """A call or a meeting that took place (M88)."""
    given = call.body
    return _acted(call, case_id, handling.contact, given.kind, given.whom, given.at, given.text)


@routes.staff(
    "POST", ONE + "/classify", takes=Classes, gives=CaseView, roles=HANDLERS, changes=True
)
def classify_case(call: Call, case_id: str) -> CaseView:
    """Kind, product, root cause, department, vulnerable (M11, M23, M25-M28)."""
    return _acted(call, case_id, handling.classify, call.body)


@routes.staff("POST", ONE + "/rules", takes=CaseRules, gives=CaseView, roles=HANDLERS, changes=True)
def set_case_rules(call: Call, case_id: str) -> CaseView:
    """Who complains or of what was mistaken: the pack of the day of receipt for that (D20)."""
    return _acted(call, case_id, rules.set_rules, call.body)


@routes.staff(
    "POST", ONE + "/correct", takes=CorrectionInput, gives=CaseView, roles=HANDLERS, changes=True
)
def correct_case(call: Call, case_id: str) -> CaseView:
    """Names, addresses and numbers that were wrong or missing; the words stay (M6, M14)."""
    given = call.body
    corrections = Corrections(
        writer=entry.person(given.writer) if given.writer else None,
        insured=entry.person(given.insured) if given.insured else None,
        contract_number=given.contract_number,
        claim_number=given.claim_number,
    )
    return _acted(call, case_id, handling.correct, corrections, digests=service.digests(call.house))


@routes.staff(
    "POST", ONE + "/authority", takes=SeenDocument, gives=CaseView, roles=HANDLERS, changes=True
)
def record_case_authority(call: Call, case_id: str) -> CaseView:
    """A power of attorney was seen: the writer is answered from now on (M40)."""
    return _acted(call, case_id, handling.record_authority, call.body.document)


@routes.staff(
    "POST", ONE + "/ask-insured", gives=CaseView, status=202, roles=HANDLERS, changes=True
)
def ask_insured_again(call: Call, case_id: str) -> CaseView:
    """The question by a new link; the one before is dead (M38)."""
    return _acted(call, case_id, handling.ask_insured)


@routes.staff(
    "POST", ONE + "/insured-posted", takes=PostedOn, gives=CaseView, roles=HANDLERS, changes=True
)
def insured_asked_by_post(call: Call, case_id: str) -> CaseView:
    """The question to the insured went by post (D7)."""
    return _acted(call, case_id, handling.insured_posted, call.body.on)


@routes.staff(
    "POST", ONE + "/insured-answer", takes=InsuredSaid, gives=CaseView, roles=HANDLERS, changes=True
)
def record_insured_answer(call: Call, case_id: str) -> CaseView:
    """What the insured said to staff: sent for them, or not (M38)."""
    given = call.body
    return _acted(call, case_id, handling.insured_answered, given.decision, given.how)


@routes.staff(
    "POST", ONE + "/insured-address", takes=Seen, gives=CaseView, roles=HANDLERS, changes=True
)
def prove_insured_address(call: Call, case_id: str) -> CaseView:
    """The insured's e-mail address is theirs: from the contract, by a call to a known number (M37).

    Until then nothing but the question goes to it: whoever wrote for them named it.
    """
    return _acted(call, case_id, handling.prove_address, call.body.how)


@routes.staff("POST", ONE + "/acknowledge", takes=Way, gives=CaseView, roles=HANDLERS, changes=True)
def acknowledge_on_request(call: Call, case_id: str) -> CaseView:
    """Who wrote on paper asked that receipt be confirmed (M48)."""
    return _acted(call, case_id, handling.acknowledge, call.body)


@routes.staff("POST", ONE + "/outside", takes=Outside, gives=CaseView, roles=HANDLERS, changes=True)
def record_stage_outside(call: Call, case_id: str) -> CaseView:
    """A stage at the ombudsman, the regulator or the court."""
    return _acted(call, case_id, handling.record_outside, call.body)


@routes.staff(
    "POST", ONE + "/redress", takes=RedressInput, gives=CaseView, roles=HANDLERS, changes=True
)
def record_case_redress(call: Call, case_id: str) -> CaseView:
    """What the client was granted."""
    return _acted(call, case_id, handling.record_redress, call.body.redress)


@routes.staff(
    "POST", ONE + "/performed", takes=Performed, gives=CaseView, roles=HANDLERS, changes=True
)
def record_case_performed(call: Call, case_id: str) -> CaseView:
    """What the answer granted was done: nobody is reminded of its last day any more."""
    given = call.body
    return _acted(call, case_id, handling.record_performed, given.on, given.how)


@routes.staff("POST", ONE + "/hold", takes=StatedReason, gives=CaseView, roles=HEADS, changes=True)
def hold_case(call: Call, case_id: str) -> CaseView:
    """A legal hold: the case is kept as long as it stands (M85)."""
    return _acted(call, case_id, handling.hold, call.body.reason)


@routes.staff("POST", ONE + "/end-hold", takes=Nothing, gives=CaseView, roles=HEADS, changes=True)
def end_case_hold(call: Call, case_id: str) -> CaseView:
    """The legal hold is over."""
    return _acted(call, case_id, handling.end_hold)


@routes.staff(
    "POST",
    ONE + "/files/{file_id}/release",
    takes=StatedReason,
    gives=CaseView,
    roles=HANDLERS,
    changes=True,
)
def release_case_file(call: Call, case_id: str, file_id: str) -> CaseView:
    """A file that was held back may be opened: an officer looked at why it was (R13)."""
    sk = f"FILE#{file_id}"
    found = call.ports.ledger.read(Key(call.org, "COMPLAINT", case_id), sk)
    file = store.file(found[sk]) if sk in found else None
    return _acted(call, case_id, handling.release_file, file, call.body.reason)


# Requests and suspension


@routes.staff(
    "POST", ONE + "/request", takes=RequestInput, gives=CaseView, roles=HANDLERS, changes=True
)
def request_from_client(call: Call, case_id: str) -> CaseView:
    """Ask for documents or a permission; `outlook` says if suspension can come in time (D19)."""
    given = call.body
    return _said(
        call,
        case_id,
        requests.request,
        given.ground,
        given.text,
        given.answer_by,
        given.way,
        new_series=given.new_series,
    )


@routes.staff(
    "POST", ONE + "/still-missing", takes=StillMissing, gives=CaseView, roles=HANDLERS, changes=True
)
def keep_request_open(call: Call, case_id: str) -> CaseView:
    """What came after a request is not what it asked for: its series goes on (M62, M66)."""
    given = call.body
    return _acted(call, case_id, requests.still_missing, given.n, given.reason)


@routes.staff(
    "POST", ONE + "/interval", takes=RequestInterval, gives=CaseView, roles=HANDLERS, changes=True
)
def set_request_interval(call: Call, case_id: str) -> CaseView:
    """The client asked for another interval between requests (M71)."""
    given = call.body
    return _acted(call, case_id, requests.set_interval, given.least, given.most, given.document)


@routes.staff(
    "POST", ONE + "/own-request", takes=OwnRequest, gives=CaseView, roles=HANDLERS, changes=True
)
def record_own_request(call: Call, case_id: str) -> CaseView:
    """The client asked in writing that the case be suspended (M72)."""
    given = call.body
    return _acted(call, case_id, requests.own_request, given.on, given.document)


@routes.staff(
    "POST", ONE + "/suspend", takes=SuspensionInput, gives=CaseView, roles=HANDLERS, changes=True
)
def suspend_case(call: Call, case_id: str) -> CaseView:
    """Close as suspended, once the ground holds (M62-M73)."""
    given = call.body
    return _said(
        call,
        case_id,
        requests.suspend,
        given.ground,
        given.text,
        given.way,
        obtainable=given.obtainable,
        language=call.member.language,
        delay=given.delay,
    )


# More time, and the ends


@routes.staff(
    "POST", ONE + "/extend", takes=ExtensionInput, gives=CaseView, roles=HANDLERS, changes=True
)
def extend_case(call: Call, case_id: str) -> CaseView:
    """More time for the answer, within the pack's limits, told to the client (M53)."""
    given = call.body
    return _said(call, case_id, closing.extend, given.to, given.reason, given.elements, given.way)


@routes.staff(
    "POST", ONE + "/no-answer", takes=NoAnswerInput, gives=CaseView, roles=HANDLERS, changes=True
)
def leave_case_unanswered(call: Call, case_id: str) -> CaseView:
    """Close without an answer, for one of the pack's reasons (M54-M61)."""
    given = call.body
    return _said(call, case_id, closing.leave_unanswered, given.reason, given.text, given.way)


@routes.staff(
    "POST", ONE + "/route-out", takes=RouteOutInput, gives=CaseView, roles=HANDLERS, changes=True
)
def route_case_out(call: Call, case_id: str) -> CaseView:
    """Not a submission in the sense of the rules: on to the ordinary process (M26, M30)."""
    given = call.body
    return _said(
        call, case_id, closing.route_out, given.note, given.text, given.way, delay=given.delay
    )


@routes.staff(
    "POST", ONE + "/return-court", takes=ReturnInput, gives=CaseView, roles=HANDLERS, changes=True
)
def return_case_to_court(call: Call, case_id: str) -> CaseView:
    """It contests a court's decision: back, with how to appeal it (M50)."""
    given = call.body
    return _said(call, case_id, closing.return_court, given.text, given.way, delay=given.delay)


@routes.staff("POST", ONE + "/not-on-behalf", gives=CaseView, roles=HANDLERS, changes=True)
def close_case_not_on_behalf(call: Call, case_id: str) -> CaseView:
    """The insured denied it, and an officer looked (D7)."""
    return _acted(call, case_id, closing.close_not_on_behalf)


@routes.staff(
    "POST", ONE + "/duplicate", takes=DuplicateInput, gives=CaseView, roles=HANDLERS, changes=True
)
def close_case_as_duplicate(call: Call, case_id: str) -> CaseView:
    """Close as a duplicate of a case that stays and is due no later; both are linked."""
    first = store.get(call.ports, call.org, call.body.of)
    closing.require_same(first.value, _of_version(call, case_id).value)

    def link(held: Held[Complaint]) -> Change:
        return closing.link_duplicate(held, case_id, call.house, by=call.actor, now=call.ports.now)

    if case_id not in first.value.duplicates:
        first = service.act(call.ports, call.house, first.key.id, None, link)
    return _acted(call, case_id, closing.close_duplicate, first)


@routes.staff(
    "POST",
    ONE + "/reopen",
    takes=ReopenInput,
    gives=CaseView,
    status=201,
    roles=HANDLERS,
    creates=True,
)
def reopen_case(call: Call, case_id: str) -> CaseView:
    """New information after the end: registered again, linked to the old case (M74)."""
    before = _visible(call, case_id)
    handling.require_kept(before.value)
    if before.value.closed is None:
        raise NotClosed
    if before.value.reopened_as:
        if not call.ports.ledger.was_done(call.org, call.once_for(case_id)):
            raise AlreadyReopened
        return _view(call, store.get(call.ports, call.org, before.value.reopened_as))
    given = entry.again(call.body, case_id, before.value, _desk(call))
    anew = ids.derived(f"{call.org}/{case_id}/anew")  # one case anew, whoever else asks for it
    try:
        received = service.receive(
            call.ports, call.house, given, by=call.actor, once=call.once_for, case_id=anew
        )
    except ChangedMeanwhile as error:
        with suppress(ComplaintUnknown):
            store.get(call.ports, call.org, anew)
            _mark_reopened(call, case_id, anew)
            raise AlreadyReopened from error
        raise
    _mark_reopened(call, case_id, anew)
    held = Held(key=received.key, value=received.case, version=received.version, head="")
    return _view(call, held)


def _mark_reopened(call: Call, case_id: str, anew: str) -> None:
    """The old case names the new one, even where who made it broke off before that."""

    def mark(held: Held[Complaint]) -> Change:
        return closing.mark_reopened(held, anew, call.house, by=call.actor, now=call.ports.now)

    if not store.get(call.ports, call.org, case_id).value.reopened_as:
        service.act(call.ports, call.house, case_id, None, mark)


def _said(
    call: Call, case_id: str, act: Callable[..., Change], *given: Any, **more: Any
) -> CaseView:
    """An act that says something to who is answered, by what is known of them (M81-M83)."""

    def asked(held: Held[Complaint], *rest: Any, **options: Any) -> Change:
        reply = answering.known(call.ports, held).reply
        return act(held, *rest, **options, reply=reply)

    return _acted(call, case_id, asked, *given, **more)


def _acted(
    call: Call, case_id: str, act: Callable[..., Change], *given: Any, **more: Any
) -> CaseView:
    """One act on the version that its reader saw, by who asks, now; the case after it."""
    house, by, now = call.house, call.actor, call.ports.now

    def decide(held: Held[Complaint]) -> Change:
        return act(held, *given, house, by=by, now=now, **more)

    held = service.act(call.ports, house, case_id, call.version, decide, member=call.member)
    return _view(call, held)


def _view(call: Call, held: Held[Complaint]) -> CaseView:
    return views.case(held, call.house, call.member.language, call.ports.now)


def _visible(call: Call, case_id: str) -> Held[Complaint]:
    held = store.get(call.ports, call.org, case_id)
    service.require_visible(held.value, call.member)
    return held


def _of_version(call: Call, case_id: str) -> Held[Complaint]:
    held = _visible(call, case_id)
    if held.version != call.version:
        raise ChangedMeanwhile
    return held


def _desk(call: Call) -> Desk:
    return Desk(org=call.org, staff_id=call.member.staff_id, now=call.ports.now)


def _client(call: Call) -> Client | None:
    """The client named by the entry, who must be one of this organisation's."""
    client_id = call.body.client_id
    if not client_id:
        return None
    if not ids.is_id(client_id):
        raise ClientUnknown(field="client_id")
    client = clients.get(call.ports, call.org, client_id).value
    if client.erasure:
        raise ClientUnknown(field="client_id")
    return client


def _list_name(call: Call, wanted: str, month: str) -> str:
    """The worklist of this name; `RoleRefused` for an agent who asks for others' cases."""
    own = {
        "mine": register.of_staff(call.member.staff_id),
        "agent": register.of_agent(call.member.staff_id),
    }
    if wanted in own:
        return own[wanted]
    if call.member.role not in HANDLERS:
        raise RoleRefused
    everybodys = {
        "open": register.OPEN,
        "unassigned": register.UNASSIGNED,
        "closed": register.closed_in(month),
    }
    return everybodys[wanted]


def _month(call: Call) -> str:
    today = local(call.ports.now, call.house.settings.time_zone)
    return call.query.month or f"{today:%Y-%m}"


def _found(call: Call, by: str, value: str, after: str) -> tuple[list[Key], str]:
    """A page of the cases that an exact look-up points to, in a fixed order."""
    keys = call.ports.ledger.find(call.org, *_pointer(call, by, value))
    left = [key for key in sorted(keys, key=lambda key: key.id) if key.id > after]
    return left[:PAGE], left[PAGE - 1].id if len(left) > PAGE else ""


def _pointer(call: Call, by: str, value: str) -> tuple[str, str]:
    if by == "reference":
        try:
            return "REFERENCE", codes.parse_code(value)
        except PaperCodeRefused as error:
            raise ReferenceRefused(field="reference") from error
    if by == "email":
        return "CASEEMAIL", _digest(call, text.email(value, "email"))
    return "CASECONTRACT", _digest(call, text.line(value, "contract", most=80))


def _digest(call: Call, value: str) -> str:
    return lookup_digest(call.house.organisation, value)


def _is_visible(call: Call, case: Complaint) -> bool:
    try:
        service.require_visible(case, call.member)
    except ComplaintUnknown:
        return False
    return True
