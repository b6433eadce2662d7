"""What a letter undoes that came back or was never taken: whatever it was to tell was not told.

Pure, as every act. An answer is `answers.on_bounced`'s; here is every other letter.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from chalicelib.complaints import acts, escalation, rules
from chalicelib.complaints.case import Complaint, State
from chalicelib.kernel.change import SYSTEM, Change, Held, Letter
from chalicelib.organisations.domain import House

# By which a case ends without an answer, and how.
_ENDS = {
    "not_answered": State.CLOSED_UNANSWERED,
    "suspended": State.CLOSED_SUSPENDED,
    "court_returned": State.RETURNED,
    "routed_out": State.ROUTED_OUT,
}


def on_bounced(
    held: Held[Complaint], letter: Letter, house: House, *, now: datetime
) -> Change | None:
    """The case without what nobody learnt of, and somebody told; None where it means nothing.

    An end is none: the case is open again, to be ended another way (M53-M61). An extension is none:
    the day before it stands, and what should have been told of it by now is told (M53). A request
    asked nobody, nor did the question to the insured (M38); a receipt is owed on paper (M39, M45).
    """
    case, case_id = held.value, held.key.id
    undo = _UNDONE.get(letter.template, _kept)
    changed = undo(case, letter)
    if case.erasure or not changed.is_open:
        return None
    kind = "letter_held" if case.is_open else "end_came_back"
    told = acts.notices(case_id, changed, house, kind, "officer", now=now)
    if changed.extension != case.extension:
        missed = rules.missed(case, changed, house.settings.complaints)
        told += tuple(escalation.word(case_id, changed, missed, house, now))
    return acts.done(
        held,
        changed,
        house,
        "letter_bounced",
        by=SYSTEM,
        now=now,
        body={"letter": letter.letter_id, "template": letter.template},
        notices=told,
    )


def _kept(case: Complaint, letter: Letter) -> Complaint:
    return case


def _not_ended(case: Complaint, letter: Letter) -> Complaint:
    """Open again; as it is, once it was ended otherwise or registered anew."""
    end = case.closed
    if end is None or end.state is not _ENDS[letter.template] or end.at != letter.promised_at:
        return case
    if case.reopened_as:
        return case
    return replace(case, closed=None, undone=end, waiting_since=None)


def _not_extended(case: Complaint, letter: Letter) -> Complaint:
    extension = case.extension
    if extension is None or extension.at != letter.promised_at:
        return case
    return replace(case, extension=None)


def _not_requested(case: Complaint, letter: Letter) -> Complaint:
    requests = tuple(
        replace(one, came_back=True) if one.said == letter.about else one for one in case.requests
    )
    return replace(case, requests=requests)


def _not_asked(case: Complaint, letter: Letter) -> Complaint:
    question = case.question
    if question is None or question.generation != letter.facts.get("generation"):
        return case
    return replace(case, question=replace(question, expires=question.asked_at))


def _not_received(case: Complaint, letter: Letter) -> Complaint:
    return replace(case, receipt_came_back=True)


_UNDONE: dict[str, Callable[[Complaint, Letter], Complaint]] = {
    **dict.fromkeys(_ENDS, _not_ended),
    "answer_extended": _not_extended,
    "data_requested": _not_requested,
    "insured_asked": _not_asked,
    "submission_taken": _not_received,
    "third_party_taken": _not_received,
    "gratitude_thanked": _not_received,
}
