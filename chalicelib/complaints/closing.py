"""More time, and every end of a case but its answer: each only where its rule holds.

A letter says it to who is answered; nothing is ever closed in silence but what an insured denied,
what is a duplicate, and what nobody can be told of.
"""

from collections.abc import Mapping
from datetime import date, datetime

from msgspec.structs import replace

from chalicelib.complaints import acts, handling, receipt
from chalicelib.complaints.case import (
    AlreadyClosed,
    Closed,
    Complaint,
    Extension,
    State,
    refuse,
    require_open,
)
from chalicelib.complaints.handling import MOST_ELEMENT, ThirdPartyOnly, Way
from chalicelib.contact.domain import NOTHING_KNOWN, Reply
from chalicelib.kernel import text
from chalicelib.kernel.change import Actor, Change, Held
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.organisations.domain import House
from chalicelib.policy import engine
from chalicelib.policy.packs import Worded

# Where nobody is known and nothing can be read, there may be nobody to tell (M56, M57).
UNTOLD = frozenset({"unidentified", "unreadable"})


class AnswerLeaves(Conflict):
    """The answer is on its way: it alone ends the case now."""

    code = "answer_leaves"
    sentence = "The answer is on its way to the client."


class ElementMissing(Invalid):
    """Something that the rules want in this letter has no text."""

    code = "extension_element_missing"
    sentence = "The rules that apply want this to be said."


class NoAnswerUnknown(Invalid):
    """The rules name every reason to leave without an answer; this is none of them (M56-M61)."""

    code = "no_answer_unknown"
    sentence = "The rules that apply know no such reason to leave it without an answer."


class NoAnswerTooLate(Conflict):
    """The decision is taken at the latest on the last day (M54): now an answer is due."""

    code = "no_answer_too_late"
    sentence = "It is too late to leave it without an answer: answer it."


class NotDenied(Conflict):
    code = "not_denied"
    sentence = "The insured has not said that it was not sent for them."


class DelayUnexplained(Conflict):
    """Its last day is over: that it is ended without an answer only now has to be explained."""

    code = "delay_unexplained"
    sentence = "The last day for the answer is over: say why it is ended without one only now."


class DuplicateRefused(Invalid):
    """The same case, or one that nothing links with this one: another person's is no duplicate."""

    code = "duplicate_refused"
    sentence = "This is not the same person's case."


class DuplicateDueEarlier(Conflict):
    """The case with the earlier day stays open, so that no day is lost."""

    code = "duplicate_due_earlier"
    sentence = "This case is due earlier than the other: close the other one as the duplicate."


class AlreadyReopened(Conflict):
    code = "already_reopened"
    sentence = "The case was registered again already; what is new belongs to the newer case."


def extend(
    held: Held[Complaint],
    to: date,
    reason: str,
    elements: Mapping[str, str],
    way: Way,
    house: House,
    *,
    by: Actor,
    now: datetime,
    reply: Reply = NOTHING_KNOWN,
) -> Change:
    """More time for the answer, told before it is due with all that the pack wants (M53, D6)."""
    case = held.value
    require_open(case)
    require_unanswered(case)
    on = handling.sent_on(case, way, now)
    engine.check_extension(case.policy, case.facts, case.calendar, to=to, reason=reason, on=on)
    reasons = case.policy.extension.reasons if case.policy.extension else {}
    refuse(bool(reasons) or not reason, "reason")
    spoken = handling.spoken(
        case,
        "answer_extended",
        way,
        by=by,
        now=now,
        passages=_elements(case, elements),
        wording=_worded(reasons.get(reason), case.language),
        until=to,
        reply=reply,
    )
    changed = replace(case, extension=Extension(to=to, reason=reason, at=now))
    return acts.done(
        held,
        changed,
        house,
        "extended",
        by=by,
        now=now,
        body={"to": to.isoformat(), "reason": reason} | spoken.told,
        parts=spoken.parts,
        letters=spoken.letters,
    )


def leave_unanswered(
    held: Held[Complaint],
    reason: str,
    words: str,
    way: Way | None,
    house: House,
    *,
    by: Actor,
    now: datetime,
    reply: Reply = NOTHING_KNOWN,
) -> Change:
    """Close without an answer, for a reason of the pack's closed list (M54-M61).

    `way` None: nobody can be told, which only an unreadable or unidentified submission excuses.
    The decision counts that was taken in time, if the letter that told it came back.
    """
    case = held.value
    require_open(case)
    require_unanswered(case)
    if reason not in case.policy.no_answer:
        raise NoAnswerUnknown(field="reason")
    term = case.deadlines.get("no_answer")
    tried = case.tried(State.CLOSED_UNANSWERED, reason)
    if term is not None and case.day(tried or now) > term.limit:
        raise NoAnswerTooLate
    end = Closed(state=State.CLOSED_UNANSWERED, at=now, by=by.id, reason=reason)
    if way is None:
        there = case.addressee.email or case.addressee.postal_address
        refuse(reason in UNTOLD and not there, "way")
        body = {"reason": reason, "told": "nobody"}
        return _closed(held, end, None, house, "left_unanswered", body=body, by=by, now=now)
    wording = _worded(case.policy.no_answer[reason], case.language)
    spoken = handling.spoken(
        case, "not_answered", way, by=by, now=now, words=words, wording=wording, reply=reply
    )
    body = {"reason": reason}
    return _closed(held, end, spoken, house, "left_unanswered", body=body, by=by, now=now)


def route_out(
    held: Held[Complaint],
    note: str,
    words: str,
    way: Way,
    house: House,
    *,
    delay: str = "",
    by: Actor,
    now: datetime,
    reply: Reply = NOTHING_KNOWN,
) -> Change:
    """No submission in the sense of the rules: on to the ordinary process, with a note (M26, M30).

    `note` is for staff: where it went, and why; `words` are for the client. `delay`: why it comes
    after the last day of the answer, if it does.
    """
    case = held.value
    require_open(case)
    require_unanswered(case)
    why = explained(case, delay, State.ROUTED_OUT, "", now)
    said = text.line(note, "note", most=500)
    spoken = handling.spoken(case, "routed_out", way, by=by, now=now, words=words, reply=reply)
    end = Closed(state=State.ROUTED_OUT, at=now, by=by.id)
    body = {"note": said} | why
    return _closed(held, end, spoken, house, "routed_out", body=body, by=by, now=now)


def return_court(
    held: Held[Complaint],
    words: str,
    way: Way,
    house: House,
    *,
    delay: str = "",
    by: Actor,
    now: datetime,
    reply: Reply = NOTHING_KNOWN,
) -> Change:
    """It contests a court's decision: back, with how that decision is appealed (M50).

    `delay`: why it comes after the last day of the answer, if it does.
    """
    case = held.value
    require_open(case)
    require_unanswered(case)
    why = explained(case, delay, State.RETURNED, "court", now)
    refuse(bool(words.strip()), "text")
    spoken = handling.spoken(case, "court_returned", way, by=by, now=now, words=words, reply=reply)
    end = Closed(state=State.RETURNED, at=now, by=by.id, reason="court")
    return _closed(held, end, spoken, house, "returned", body=why, by=by, now=now)


def close_not_on_behalf(held: Held[Complaint], house: House, *, by: Actor, now: datetime) -> Change:
    """The insured denied it, and an officer looked: closed, and nobody is written to (D7)."""
    case = held.value
    require_open(case)
    if not case.third_party:
        raise ThirdPartyOnly
    if case.question is None or case.question.decision != "not_mine":
        raise NotDenied
    end = Closed(state=State.CLOSED_NOT_ON_BEHALF, at=now, by=by.id)
    return _closed(held, end, None, house, "closed_not_on_behalf", body={}, by=by, now=now)


def require_same(first: Complaint, duplicate: Complaint) -> None:
    """Whether one can be closed as the duplicate of the other, which stays and is answered.

    Both are of one person, and the one that stays is due no later: so the earlier day binds, and
    linking can never give more time.
    """
    require_open(duplicate)
    require_unanswered(duplicate)
    if first.closed is not None:
        raise AlreadyClosed(field="of")
    if first.reference == duplicate.reference or not _one_person(first, duplicate):
        raise DuplicateRefused(field="of")
    stays, goes = first.answer_due, duplicate.answer_due
    if goes is not None and (stays is None or stays.limit > goes.limit):
        raise DuplicateDueEarlier(field="of")


def link_duplicate(
    held: Held[Complaint], duplicate_id: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """The case that stays learns of its duplicate."""
    case = held.value
    linked = tuple(dict.fromkeys((*case.duplicates, duplicate_id)))
    changed = replace(case, duplicates=linked)
    body = {"duplicate": duplicate_id}
    return acts.done(held, changed, house, "duplicate_linked", by=by, now=now, body=body)


def close_duplicate(
    held: Held[Complaint], first: Held[Complaint], house: House, *, by: Actor, now: datetime
) -> Change:
    """Closed as a duplicate: what it asks is answered in the first case."""
    require_same(first.value, held.value)
    end = Closed(state=State.CLOSED_DUPLICATE, at=now, by=by.id)
    changed = replace(held.value, duplicate_of=first.key.id, closed=end)
    body = {"of": first.key.id}
    return acts.done(held, changed, house, "closed_as_duplicate", by=by, now=now, body=body)


def mark_reopened(
    held: Held[Complaint], reopened_as: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """The closed case names the one that was registered for it anew (M74)."""
    changed = replace(held.value, reopened_as=reopened_as, waiting_since=None)
    body = {"reopened_as": reopened_as}
    return acts.done(held, changed, house, "reopened", by=by, now=now, body=body)


def require_unanswered(case: Complaint) -> None:
    """`AnswerLeaves` once an answer is sent: the case then ends by it."""
    if case.answer is not None and (case.answer.channel or case.answer.sent_at):
        raise AnswerLeaves


def explained(
    case: Complaint, delay: str, state: State, reason: str, now: datetime
) -> dict[str, str]:
    """Why it is ended without an answer after the answer's last day; `DelayUnexplained`."""
    why = receipt.line(delay, "delay", 500)
    due, on = case.answer_due, case.day(case.tried(state, reason) or now)
    if due is None or on <= due.limit:
        return {}
    if not why:
        raise DelayUnexplained(field="delay")
    return {"delay": why}


def _one_person(first: Complaint, other: Complaint) -> bool:
    """Whether both are answered to one person: by their address, or their name and a number."""
    mine, theirs = other.addressee, first.addressee
    if first.third_party != other.third_party:
        return False
    if mine.email and mine.email == theirs.email:
        return True
    numbers = [
        {found for found in receipt.looked_up(one) if found[0] != "CASEEMAIL"}
        for one in (first, other)
    ]
    name = text.fold(mine.name)
    return bool(name and name == text.fold(theirs.name) and numbers[0] & numbers[1])


def _closed(
    held: Held[Complaint],
    end: Closed,
    spoken: handling.Spoken | None,
    house: House,
    kind: str,
    *,
    body: dict[str, str],
    by: Actor,
    now: datetime,
) -> Change:
    return acts.done(
        held,
        replace(held.value, closed=end),
        house,
        kind,
        by=by,
        now=now,
        body=body | (spoken.told if spoken else {}),
        parts=spoken.parts if spoken else (),
        letters=spoken.letters if spoken else (),
    )


def _elements(case: Complaint, given: Mapping[str, str]) -> dict[str, str]:
    """The text of each element that the pack wants, and of no other."""
    wanted = case.policy.letters.get("extension", {})
    refuse(not given.keys() - wanted.keys(), "elements")
    for name in wanted:
        if not given.get(name, "").strip():
            raise ElementMissing(getattr(wanted[name], case.language), field=f"elements.{name}")
    return {name: text.block(given[name], f"elements.{name}", most=MOST_ELEMENT) for name in wanted}


def _worded(fact: Worded | None, language: str) -> str:
    return getattr(fact, language) if fact else ""
