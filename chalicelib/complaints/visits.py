"""What opens behind a private link of a case: its status, and the question to the insured.

Both change nothing by being opened. The status tells the number, the stage and the next date, and
no fact of the case; a writer who stands outside learns no more than the fixed text says (M39, D7).
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Literal

import msgspec

from chalicelib.complaints import elsewhere, form, handling, limits, receipt, service, store
from chalicelib.complaints.case import (
    AlreadyDecided,
    Channel,
    Complaint,
    ComplaintUnknown,
    Message,
    Outcome,
    Question,
    State,
)
from chalicelib.complaints.form import AttachedFile
from chalicelib.complaints.receipt import NothingSubmitted
from chalicelib.kernel import ids, tokens
from chalicelib.kernel.change import Actor, Change, Counter, Held, Origin
from chalicelib.kernel.errors import Conflict, TooManyRequests
from chalicelib.kernel.tokens import (
    Claims,
    LinkExpired,
    LinkInvalid,
    LinkSuperseded,
    LinkWithdrawn,
    Purpose,
)
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House
from chalicelib.policy.engine import Deadline
from chalicelib.policy.reasons import why
from chalicelib.ports import Body, Ports

MOST_MESSAGES = 50
# Of one case within an hour. Who adds ten documents one by one, and tries each three times, may.
MOST_UPLOADS = 30
MOST_ADDED = 20
PLACE_SHARED_BY = 3  # cases: an office, an agent or a family writes from one place
Stage = Literal[
    "received",
    "registered",
    "in_review",
    "awaiting_information",
    "extended",
    "answered",
    "passed_on",
    "returned",
    "duplicate",
    "unanswered",
    "suspended",
    "closed",
    "with_insured",
]
Decision = Literal["mine", "not_mine"]
_STAGES: dict[State, Stage] = {
    State.RECEIVED: "received",
    State.REGISTERED: "registered",
    State.IN_REVIEW: "in_review",
    State.AWAITING_INFORMATION: "awaiting_information",
    State.EXTENDED: "extended",
    State.ANSWERED: "answered",
    State.ROUTED_OUT: "passed_on",
    State.RETURNED: "returned",
    State.CLOSED_DUPLICATE: "duplicate",
    State.CLOSED_UNANSWERED: "unanswered",
    State.CLOSED_SUSPENDED: "suspended",
    # Nobody waits for more: an anonymous writer has no link, and the insured said so themselves.
    State.CLOSED_ANONYMOUS: "closed",
    State.CLOSED_NOT_ON_BEHALF: "closed",
}
_NEGATIVE = frozenset({State.CLOSED_UNANSWERED, State.CLOSED_SUSPENDED, State.RETURNED})


class AddingEnded(Conflict):
    """The case takes no more by its page, now or later; every other channel does."""

    code = "adding_ended"
    sentence = "Nothing can be added here any more. Write, call or come, and name the number."


class TooManyAdditions(TooManyRequests):
    """More for one case, or from one place, than anybody adds within an hour."""

    code = "too_many_additions"
    sentence = "Too much was added within an hour. Try again later, or write, call or come."


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was opened: the organisation, the case, and whose link it is."""

    house: House
    held: Held[Complaint]
    claims: Claims

    @property
    def case(self) -> Complaint:
        """The case as it was read."""
        return self.held.value

    @property
    def stands_outside(self) -> bool:
        """Whether it is the link of a writer for somebody else, without authority (D7).

        Or that of an address which only such a writer says to be the insured's (M37).
        """
        insured = self.claims.generation == receipt.INSURED and self.case.insured_is_reached
        return self.case.third_party and not insured


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far the case is, as its private page tells it."""

    stage: Stage
    received_on: date | None
    registered_on: date | None
    due: tuple[date, str] | None
    may_add: bool
    where_next: tuple[Body, ...]


def open_status(ports: Ports, org: str, token: str) -> Visit:
    """The case behind a status link; `LinkWithdrawn` once it is erased.

    `LinkSuperseded` for one that was sent to another address than the one that counts now. What the
    form showed was sent nowhere: it stays with who filed it.
    """
    visit = _open(ports, org, token, Purpose.STATUS)
    case, claims = visit.case, visit.claims
    insured = claims.generation == receipt.INSURED
    person = case.insured if insured else case.writer
    shown = claims.about_id == visit.held.key.id and not insured
    sent = receipt.mailbox(visit.held.key.id, person.email if person else "")
    if not shown and claims.about_id != sent:
        raise LinkSuperseded
    return visit


def standing(ports: Ports, visit: Visit) -> Standing:
    """What may be told of the case to whoever has this link."""
    case, outside = visit.case, visit.stands_outside
    due = None if outside or not case.is_open else case.answer_due
    return Standing(
        stage="with_insured" if outside else _STAGES[case.state],
        received_on=None if outside else case.day(case.received_at),
        registered_on=None if outside or not case.registered_at else case.day(case.registered_at),
        due=None if due is None else (due.limit, why(due, case.language)),
        may_add=_may_add(case),
        where_next=() if outside else _where_next(visit, ports, case.answer_due),
    )


def upload_key(visit: Visit, folder: str, slot: int) -> str:
    """Where a later file lies until it is looked at: another case's folder names nothing here."""
    return f"quarantine/{visit.held.key.org}/case-{visit.held.key.id}/{folder}/{slot}"


def admit_upload(ports: Ports, visit: Visit, origin: Origin) -> None:
    """Whether one more file may be uploaded: each is counted, whatever becomes of it (R21)."""
    if not _may_add(visit.case):
        raise AddingEnded
    counters = _counters(ports, visit, "upload", origin, MOST_UPLOADS)
    try:
        ports.ledger.spend(visit.held.key.org, counters)
    except TooManyRequests as error:
        raise TooManyAdditions from error


def add(
    ports: Ports, visit: Visit, said: str, files: Sequence[AttachedFile], origin: Origin
) -> Held[Complaint]:
    """A message or documents join the case; the same again within a day is the same (M13, M74).

    `AddingEnded` once the case holds its most, `TooManyAdditions` over the limits of an hour.
    """
    house, case_id = visit.house, visit.held.key.id
    if not said.strip() and not files:
        raise NothingSubmitted(field="text")
    keys = [upload_key(visit, one.folder, one.slot) for one in files]
    added = form.uploaded(files, keys, source="status", now=ports.now)
    sender: Literal["writer", "insured"] = (
        "insured" if visit.claims.generation == receipt.INSURED else "writer"
    )
    message = Message(
        message_id=ids.new_id(),
        at=ports.now,
        channel=Channel.FORM,
        text=receipt.words(said, "text"),
        files=tuple(one.file_id for one in added),
        sender=sender,
    )
    asked = hashlib.sha256(msgspec.json.encode((sender, message.text, tuple(files)))).hexdigest()
    once = service.once_of(house, f"add\0{case_id}\0{asked}", asked, case_id, ports.real_now)
    if not _may_add(visit.case):
        if ports.ledger.was_done(visit.held.key.org, once):
            return visit.held
        raise AddingEnded
    by = Actor("client", "", house.settings.evidence.kept(origin))
    counters = _counters(ports, visit, "added", origin, MOST_ADDED)
    try:
        return service.join(
            ports, house, case_id, message, added, by=by, once=once, counters=counters
        )
    except TooManyRequests as error:
        raise TooManyAdditions from error


def open_question(ports: Ports, org: str, token: str) -> Visit:
    """The question to the insured: the one that counts, undecided or decided (M38).

    `LinkSuperseded` by a newer one, `LinkExpired`, `LinkWithdrawn` where nothing is asked any more.
    """
    visit = _open(ports, org, token, Purpose.INSURED)
    _require_asked(visit.case, visit.claims, ports)
    return visit


def answer_question(
    ports: Ports, org: str, token: str, decision: Decision, origin: Origin
) -> Question:
    """What the insured says: once; the same again is the same, the other is `AlreadyDecided`."""
    visit = open_question(ports, org, token)
    house = visit.house
    by = Actor("client", "", house.settings.evidence.kept(origin))

    def decide(held: Held[Complaint]) -> Change:
        _require_asked(held.value, visit.claims, ports)
        return handling.insured_answered(
            held, decision, handling.BY_LINK, house, by=by, now=ports.now
        )

    try:
        held = service.act(ports, house, visit.held.key.id, None, decide)
    except AlreadyDecided:
        held = store.get(ports, org, visit.held.key.id)
        known = held.value.question
        if known is None or known.decision != decision:
            raise
    question = held.value.question
    if question is None:
        raise LinkWithdrawn
    return question


def _open(ports: Ports, org: str, token: str, purpose: Purpose) -> Visit:
    claims = tokens.verify(
        token,
        org=org,
        purpose=purpose,
        stage=ports.stage,
        keys=ports.link_keys(),
        now=ports.real_now,
    )
    house = organisations.house(ports, org)
    try:
        held = store.get(ports, org, claims.owner_id)
    except ComplaintUnknown as error:
        raise LinkWithdrawn from error
    if held.value.erasure:
        raise LinkWithdrawn
    return Visit(house=house, held=held, claims=claims)


def _require_asked(case: Complaint, claims: Claims, ports: Ports) -> None:
    """Whether this link's question still counts; one that was answered is shown, not asked."""
    question = case.question
    if question is None or case.insured is None or claims.generation > question.generation:
        raise LinkInvalid
    if claims.generation < question.generation:
        raise LinkSuperseded
    if question.decided_at is not None:
        return
    if not case.is_open or not case.third_party:
        raise LinkWithdrawn
    if ports.now >= question.expires:
        raise LinkExpired


def _counters(
    ports: Ports, visit: Visit, kind: str, origin: Origin, most: int
) -> tuple[Counter, Counter]:
    """The case's own, for a link may get out; the place's, for it may have many links."""
    house, now = visit.house, ports.real_now
    return (
        limits.of_case(house, kind, visit.held.key.id, most=most, now=now),
        limits.of_place(house, kind, origin, most=most * PLACE_SHARED_BY, now=now),
    )


def _may_add(case: Complaint) -> bool:
    return case.state is not State.CLOSED_ANONYMOUS and case.messages < MOST_MESSAGES


def _where_next(visit: Visit, ports: Ports, due: Deadline | None) -> tuple[Body, ...]:
    """Where else to turn: after a negative end, or when the answer is late (M108)."""
    case = visit.case
    ended = case.closed is not None and (
        case.closed.state in _NEGATIVE or case.closed.outcome in (Outcome.REJECTED, Outcome.PARTLY)
    )
    late = case.is_open and due is not None and case.day(ports.now) > due.limit
    if not (ended or late):
        return ()
    return elsewhere.bodies(case.policy, elsewhere.told(ports, visit.held.key.org, case))
