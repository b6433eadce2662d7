"""A case as staff see it: what is known, what follows, why, and what may be done now."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec

from chalicelib.complaints import attention, requests, store
from chalicelib.complaints.case import (
    AnswerProgress,
    Authority,
    CaseFile,
    Channel,
    Closed,
    Complaint,
    Employee,
    Extension,
    Flag,
    Kind,
    Logged,
    Message,
    Ombudsman,
    Person,
    ReadBack,
    Request,
    Said,
    State,
)
from chalicelib.kernel.change import Held, Key, Letter
from chalicelib.organisations.domain import House
from chalicelib.policy import engine
from chalicelib.policy.engine import Deadline
from chalicelib.policy.packs import Worded
from chalicelib.policy.reasons import LANGUAGES, why, why_closing, why_fit
from chalicelib.ports import Item, Ports
from chalicelib.web.blueprint import Moment

MOST_STEPS = 20
_letter = msgspec.json.Decoder(Letter).decode


class DeadlineView(msgspec.Struct, frozen=True, kw_only=True):
    """A date with its reasons in the reader's language.

    `target` is the day to aim at, `limit` the law's; `email_by` and `post_by` are the last days on
    which it is safe to send. `unverified` names what nobody has checked.
    """

    rule: str
    kind: str
    who: str
    target: date
    limit: date
    satisfied_by: str
    email_by: date | None
    post_by: date | None
    why: str
    unverified: tuple[str, ...]


class OutlookView(msgspec.Struct, frozen=True, kw_only=True):
    """The requests as the engine counts them today: window, first suspension, and whether it fits.

    `fit` is `in_time`, `if_extended` or `never`; `why` says it (D19).
    """

    counted: int
    needed: int
    next_from: date
    next_by: date | None
    first_closing: date
    answer_due: date | None
    fit: str
    why: str
    unverified: bool


class GroundView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the case may be closed as suspended on this ground today, and if not, why."""

    ground: str
    allowed: bool
    reason: str
    why: str
    on: date | None
    unverified: bool


class ReasonView(msgspec.Struct, frozen=True, kw_only=True):
    """A reason or an element of the pack, by its key, in the reader's language."""

    key: str
    text: str
    unverified: bool


class ExtensionView(msgspec.Struct, frozen=True, kw_only=True):
    """How far the answer may be extended: `until` None is without an upper limit (D6)."""

    allowed: bool
    until: date | None
    reasons: tuple[ReasonView, ...]
    elements: tuple[ReasonView, ...]


class ClosingView(msgspec.Struct, frozen=True, kw_only=True):
    """The ends that are possible now, beside the answer."""

    suspended: tuple[GroundView, ...]
    unanswered: tuple[ReasonView, ...]
    unanswered_by: date | None
    not_on_behalf: bool


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the ladder that is still to come."""

    at: Moment
    kind: str
    to: str
    on: date
    days: int


class InsuredQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the insured had it sent: when they were asked, and what they said (M38)."""

    asked_at: Moment
    expires: Moment
    posted_on: date | None
    decided_at: Moment | None
    decision: str
    how: str


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a list."""

    case_id: str
    version: int
    reference: str
    kind: Kind
    channel: Channel
    state: State
    received_at: Moment
    registered_at: Moment | None
    writer_name: str
    third_party: bool
    product: str
    department: str
    assignee: str
    target: date | None
    limit: date | None
    vulnerable: bool
    flags: tuple[Flag, ...]
    missing: tuple[str, ...]


class CasesView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of cases; `cursor` is empty at the end."""

    cases: tuple[CaseRow, ...]
    cursor: str


class CaseView(CaseRow, frozen=True, kw_only=True):
    """All that follows from the case itself, after every act.

    `may_email`: whether who is answered has an address that is known to be theirs (M37).
    `acknowledged_on`: the day on which a paper told the writer that it was received (M39, M48).
    `waiting_since`: when the first of what came after the end, and waits for an officer, was
    received (M74).
    """

    paper: bool
    language: str
    audience: str
    scope: str
    entered_at: Moment
    entered_by: str
    agent: str
    agent_received_at: Moment | None
    handed_over_at: Moment | None
    pack: str
    pack_title: str
    superseded_by: str
    writer: Person
    insured: Person | None
    claims_authority: bool
    authority: Authority | None
    addressed_as: str
    may_email: bool
    anonymous: bool
    contract_number: str
    claim_number: str
    client_id: str
    employee: Employee
    reply_form: str
    email_consent: str
    acknowledge: bool
    acknowledged_on: date | None
    cause: str
    redress: str
    performed_on: date | None
    question: InsuredQuestion | None
    requests: tuple[Request, ...]
    interval: tuple[int, int] | None
    own_request_on: date | None
    extended: Extension | None
    answer: AnswerProgress | None
    closed: Closed | None
    outside: tuple[Ombudsman, ...]
    reopens: str
    reopened_as: str
    waiting_since: Moment | None
    duplicate_of: str
    duplicates: tuple[str, ...]
    hold: str
    erased: bool
    deadlines: tuple[DeadlineView, ...]
    unverified: tuple[str, ...]
    remarks: tuple[ReasonView, ...]
    outlook: OutlookView | None
    extension: ExtensionView
    closing: ClosingView
    steps: tuple[StepView, ...]
    keep_until: Moment | None


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that came later."""

    message_id: str
    at: Moment
    channel: Channel
    sender: str
    text: str
    files: tuple[str, ...]


class CaseFileView(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the case; `url`, where it may be opened, downloads it for five minutes."""

    file_id: str
    name: str
    content_type: str
    size: int
    state: str
    reason: str
    released_by: str
    source: str
    added: Moment
    sha256: str
    url: str


class CaseLetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A letter of the case, and how far it came."""

    letter_id: str
    template: str
    to: str
    about: str
    state: str
    reason: str
    promised_at: Moment
    sent_at: Moment | None
    delivered_at: Moment | None


class RequestDraft(msgspec.Struct, frozen=True, kw_only=True):
    """The next request, begun from the last one: the same words, inside its window."""

    ground: str
    text: str
    send_from: date
    send_by: date | None
    answer_by: date


class WholeCase(CaseView, frozen=True, kw_only=True):
    """The case with its words, files, letters and log."""

    subject: str
    substance: str
    quoted: str
    read_back: ReadBack | None
    notes: tuple[str, ...]
    messages: tuple[MessageView, ...]
    files: tuple[CaseFileView, ...]
    letters: tuple[CaseLetterView, ...]
    said: tuple[Said, ...]
    log: tuple[Logged, ...]
    next_request: RequestDraft | None


def row(held: Held[Complaint]) -> CaseRow:
    """The case in a list."""
    return CaseRow(**_row(held))


def case(held: Held[Complaint], house: House, language: str, now: datetime) -> CaseView:
    """What follows from the case as it stands now, said in this language."""
    return CaseView(**_row(held), **_root(held.value, house, _known(language), now))


def whole(
    ports: Ports, held: Held[Complaint], items: dict[str, Item], house: House, language: str
) -> WholeCase:
    """The case with all its parts; `items` holds its statement."""
    statement, key = store.statement(items), held.key
    said = _said(ports, key)
    return WholeCase(
        **_row(held),
        **_root(held.value, house, _known(language), ports.now),
        subject=statement.subject,
        substance=statement.substance,
        quoted=statement.quoted,
        read_back=statement.read_back,
        notes=statement.notes,
        messages=tuple(_message(one) for one in store.messages(ports, key)),
        files=tuple(_file(ports, one) for one in store.files(ports, key)),
        letters=_letters(ports, key),
        said=said,
        log=tuple(store.log(ports, key)),
        next_request=_next_request(held.value, said, ports.now),
    )


def _row(held: Held[Complaint]) -> dict[str, Any]:
    case = held.value
    due = case.answer_due
    return {
        "case_id": held.key.id,
        "version": held.version,
        "reference": case.reference,
        "kind": case.kind,
        "channel": case.channel,
        "state": case.state,
        "received_at": case.received_at,
        "registered_at": case.registered_at,
        "writer_name": case.writer.name,
        "third_party": case.third_party,
        "product": case.product,
        "department": case.department,
        "assignee": case.assignee,
        "target": due.target if due else None,
        "limit": due.limit if due else None,
        "vulnerable": case.vulnerable,
        "flags": case.flags,
        "missing": case.missing,
    }


# What the view shows of the root under its own name.
_AS_KEPT = (
    *("paper", "language", "audience", "scope", "entered_at", "entered_by", "agent"),
    *("agent_received_at", "handed_over_at", "pack", "writer", "insured", "claims_authority"),
    *("authority", "addressed_as", "may_email", "contract_number", "claim_number", "client_id"),
    *("employee", "reply_form", "email_consent", "acknowledge", "acknowledged_on", "cause"),
    *("redress", "performed_on", "requests", "own_request_on", "answer", "closed", "outside"),
    *("reopens", "reopened_as", "waiting_since", "duplicate_of", "duplicates", "hold"),
)


def _root(case: Complaint, house: House, language: str, now: datetime) -> dict[str, Any]:
    pack, settings = case.policy, house.settings.complaints
    deadlines = case.deadlines
    steps = [] if case.erasure else attention.steps(case, settings)
    mark = case.attended_until
    ahead = [step for step in steps if mark is None or step.at > mark]
    return {name: getattr(case, name) for name in _AS_KEPT} | {
        "anonymous": case.is_anonymous,
        "pack_title": pack.title,
        "superseded_by": pack.superseded_by,
        "interval": case.gap,
        "question": _question(case),
        "extended": case.extension,
        "erased": bool(case.erasure),
        "deadlines": tuple(_deadline(one, language) for one in deadlines.values()),
        "unverified": tuple(
            dict.fromkeys(fact for one in deadlines.values() for fact in one.unverified)
        ),
        "remarks": _reasons(pack.remarks.items(), language),
        "outlook": _outlook(case, language, now),
        "extension": _extension(case, language),
        "closing": _closing(case, language, now),
        "steps": tuple(
            StepView(at=one.at, kind=one.kind, to=one.to, on=one.on, days=one.days)
            for one in ahead[:MOST_STEPS]
        ),
        "keep_until": None if case.hold else attention.keep_until(case, settings),
    }


def _question(case: Complaint) -> InsuredQuestion | None:
    asked = case.question
    if asked is None:
        return None
    return InsuredQuestion(
        asked_at=asked.asked_at,
        expires=asked.expires,
        posted_on=asked.posted_on,
        decided_at=asked.decided_at,
        decision=asked.decision,
        how=asked.how,
    )


def _deadline(one: Deadline, language: str) -> DeadlineView:
    safe = one.last_safe
    return DeadlineView(
        rule=one.rule,
        kind=one.kind,
        who=one.who,
        target=one.target,
        limit=one.limit,
        satisfied_by=one.satisfied_by,
        email_by=safe.email if safe else None,
        post_by=safe.post if safe else None,
        why=why(one, language),
        unverified=one.unverified,
    )


def _outlook(case: Complaint, language: str, now: datetime) -> OutlookView | None:
    seen = requests.outlook(case, case.day(now)) if _is_handled(case) else None
    rules = case.policy.suspension
    if seen is None or rules is None:
        return None
    return OutlookView(
        **msgspec.structs.asdict(seen),
        why=why_fit(seen, language),
        unverified=rules.unverified,
    )


def _extension(case: Complaint, language: str) -> ExtensionView:
    rules = case.policy.extension
    if rules is None or not _is_handled(case):
        return ExtensionView(allowed=False, until=None, reasons=(), elements=())
    lawful = engine.lawful_extension(case.policy, case.facts, case.calendar)
    return ExtensionView(
        allowed=lawful.allowed,
        until=lawful.until,
        reasons=_reasons(rules.reasons.items(), language),
        elements=_reasons(case.policy.letters.get("extension", {}).items(), language),
    )


def _closing(case: Complaint, language: str, now: datetime) -> ClosingView:
    if not _is_handled(case):
        return ClosingView(suspended=(), unanswered=(), unanswered_by=None, not_on_behalf=False)
    today, rules = case.day(now), case.policy.suspension
    grounds = []
    for ground, rule in rules.grounds.items() if rules else ():
        found = requests.may_suspend(case, ground, today)
        grounds.append(
            GroundView(
                ground=ground,
                allowed=found.allowed,
                reason=found.reason,
                why=why_closing(found, language),
                on=found.on,
                unverified=rule.unverified,
            )
        )
    term = case.deadlines.get("no_answer")
    in_time = term is None or today <= term.limit
    denied = case.question is not None and case.question.decision == "not_mine"
    return ClosingView(
        suspended=tuple(grounds),
        unanswered=_reasons(case.policy.no_answer.items(), language) if in_time else (),
        unanswered_by=term.limit if term else None,
        not_on_behalf=case.third_party and denied,
    )


def _reasons(facts: Iterable[tuple[str, Worded]], language: str) -> tuple[ReasonView, ...]:
    return tuple(
        ReasonView(key=key, text=getattr(fact, language), unverified=fact.unverified)
        for key, fact in facts
    )


def _message(one: Message) -> MessageView:
    return MessageView(
        message_id=one.message_id,
        at=one.at,
        channel=one.channel,
        sender=one.sender,
        text=one.text,
        files=one.files,
    )


def _file(ports: Ports, one: CaseFile) -> CaseFileView:
    """A file that is held back has no link until an officer released it; nor has any other."""
    url = ""
    if one.state == "kept" or (one.state == "held" and one.released_by):
        kind = one.content_type if one.state == "kept" else "application/octet-stream"
        url = ports.bucket.link(one.object_key, filename=one.name, content_type=kind)
    return CaseFileView(
        file_id=one.file_id,
        name=one.name,
        content_type=one.content_type,
        size=one.size,
        state=one.state,
        reason=one.reason,
        released_by=one.released_by,
        source=one.source,
        added=one.added,
        sha256=one.sha256,
        url=url,
    )


def _letters(ports: Ports, key: Key) -> tuple[CaseLetterView, ...]:
    found = [_letter(item.data) for item in ports.ledger.parts(key, "LETTER#")]
    return tuple(
        CaseLetterView(
            letter_id=one.letter_id,
            template=one.template,
            to=one.to,
            about=one.about,
            state=one.state,
            reason=one.reason,
            promised_at=one.promised_at,
            sent_at=one.sent_at,
            delivered_at=one.delivered_at,
        )
        for one in sorted(found, key=lambda one: one.promised_at)
    )


def _next_request(case: Complaint, said: Iterable[Said], now: datetime) -> RequestDraft | None:
    """A draft of the next request, while the last one is silent and the rules count (M64-M70)."""
    last, today = case.open_request, case.day(now)
    seen = requests.outlook(case, today) if last is not None and _is_handled(case) else None
    if last is None or seen is None:
        return None
    words = {one.said_id: one.text for one in said}
    return RequestDraft(
        ground=last.ground,
        text=words.get(last.said, ""),
        send_from=seen.next_from,
        send_by=seen.next_by,
        answer_by=max(today, seen.next_from) + (last.answer_by - last.sent_on),
    )


def _said(ports: Ports, key: Key) -> tuple[Said, ...]:
    found = [store.said(item) for item in ports.ledger.parts(key, "SAID#")]
    return tuple(sorted(found, key=lambda one: one.at.timestamp() if one.at else 0.0))


def _is_handled(case: Complaint) -> bool:
    return case.closed is None and case.registered_at is not None


def _known(language: str) -> str:
    return language if language in LANGUAGES else "en"
