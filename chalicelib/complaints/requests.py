"""Requests to the client, and the end that their silence may bring: the three-request engine.

The counting is `policy.suspension`'s alone; here a request is refused outside its lawful window,
and a suspension until the ground holds (M62-M73). Neither moves the day of the answer (D19).
"""

from datetime import date, datetime

from msgspec.structs import replace

from chalicelib.complaints import acts, handling, privacy
from chalicelib.complaints.case import Closed, Complaint, Request, State, refuse, require_open
from chalicelib.complaints.closing import explained, require_unanswered
from chalicelib.complaints.handling import Way
from chalicelib.contact.domain import NOTHING_KNOWN, Reply
from chalicelib.kernel import text
from chalicelib.kernel.change import Actor, Change, Held
from chalicelib.kernel.errors import Conflict, DomainError, Invalid
from chalicelib.kernel.workdays import DAY
from chalicelib.organisations.domain import House
from chalicelib.policy import suspension
from chalicelib.policy.reasons import why_closing
from chalicelib.policy.suspension import Closing, Outlook

GROUNDS = ("permission", "documents")
MOST_DAYS_TO_ANSWER = 90
MOST_INTERVAL = 90


class RequestNotAnswered(Conflict):
    """There is no such request that something came after."""

    code = "request_not_answered"
    sentence = "Nothing came after this request that could be looked at."


class RequestTooEarly(Conflict):
    """The interval between requests is too short; the message names the window (M70)."""

    code = "request_too_early"
    sentence = "It is too early for the next request."


class RequestTooLate(Conflict):
    """The window is over: another request is the first of a new series, if that is meant (M70)."""

    code = "request_too_late"
    sentence = "The time for the next request is over: say that a new series begins."


class SuspensionGroundUnknown(Invalid):
    code = "suspension_ground_unknown"
    sentence = "The rules that apply know no such ground."


class SuspensionNotAsked(Conflict):
    code = "suspension_not_asked"
    sentence = "There is no written request of the client to suspend."


class SuspensionObtainable(Conflict):
    code = "suspension_obtainable"
    sentence = "The organisation can get the documents itself."


class SuspensionRequestsMissing(Conflict):
    code = "suspension_requests_missing"
    sentence = "There were not enough requests."


class SuspensionGapsBroken(Conflict):
    code = "suspension_gaps_broken"
    sentence = "The requests were too close together or too far apart."


class SuspensionWaits(Conflict):
    code = "suspension_waits"
    sentence = "The client still has time after the last request."


class SuspensionAnswerDue(Conflict):
    code = "suspension_answer_due"
    sentence = "The answer was due before; suspension does not move it."


REFUSALS: dict[str, type[DomainError]] = {
    "no_such_ground": SuspensionGroundUnknown,
    "not_asked": SuspensionNotAsked,
    "obtainable": SuspensionObtainable,
    "requests_missing": SuspensionRequestsMissing,
    "gaps_broken": SuspensionGapsBroken,
    "waiting": SuspensionWaits,
    "answer_due": SuspensionAnswerDue,
}


def outlook(case: Complaint, today: date) -> Outlook | None:
    """The window of the next request for what was asked last, and the first day of a suspension.

    None without rules.
    """
    ground = case.requests[-1].ground if case.requests else ""
    asked = case.asked(ground)
    return suspension.outlook(case.policy, case.facts, case.calendar, asked, today=today)


def may_suspend(case: Complaint, ground: str, today: date, *, obtainable: bool = False) -> Closing:
    """Whether the ground holds today, else why not, and from when."""
    return suspension.may_close(
        case.policy,
        case.facts,
        case.calendar,
        case.asked(ground),
        ground=ground,
        today=today,
        obtainable=obtainable,
    )


def request(
    held: Held[Complaint],
    ground: str,
    words: str,
    answer_by: date,
    way: Way,
    house: House,
    *,
    new_series: bool = False,
    by: Actor,
    now: datetime,
    reply: Reply = NOTHING_KNOWN,
) -> Change:
    """A written request for a permission or for documents (M62, M66), inside its window (M70, M71).

    What went by post counts from the day on which it was posted.
    """
    case = held.value
    require_open(case)
    refuse(ground in GROUNDS, "ground")
    refuse(bool(words.strip()), "text")
    spoken = handling.spoken(
        case, "data_requested", way, by=by, now=now, words=words, until=answer_by, reply=reply
    )
    refuse(spoken.on < answer_by <= spoken.on + DAY * MOST_DAYS_TO_ANSWER, "answer_by")
    _require_window(case, ground, spoken.on, new_series=new_series)
    one = Request(
        n=len(case.requests) + 1,
        ground=ground,
        sent_on=spoken.on,
        answer_by=answer_by,
        channel=way.channel,
        said=spoken.said.said_id,
    )
    changed = replace(case, requests=(*case.requests, one))
    seen = outlook(changed, case.day(now))
    body = {
        "n": one.n,
        "fit": seen.fit if seen else "",
        "ground": ground,
        "sent_on": one.sent_on.isoformat(),
        "answer_by": answer_by.isoformat(),
        "channel": one.channel,
        "text": privacy.digest(spoken.said.text),
    } | spoken.told
    return acts.done(
        held,
        changed,
        house,
        "data_requested",
        by=by,
        now=now,
        body=body,
        parts=spoken.parts,
        letters=spoken.letters,
    )


def still_missing(
    held: Held[Complaint], n: int, reason: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """An officer looked: what came after the request is not what it asked for, and why (M62, M66).

    Whatever the client sends counts as the answer until then, for who answers is not silent. What
    was asked before for the same, and taken as answered by the same, goes on with it.
    """
    case = held.value
    require_open(case)
    why = text.line(reason, "reason", most=500)
    answered = [one for one in case.requests if one.n == n and one.answered_on is not None]
    if not answered:
        raise RequestNotAnswered(field="n")
    asked = (answered[0].ground, answered[0].answered_on)
    changed = replace(
        case,
        requests=tuple(
            replace(one, answered_on=None) if (one.ground, one.answered_on) == asked else one
            for one in case.requests
        ),
    )
    body = {"n": n, "reason": why}
    return acts.done(held, changed, house, "request_still_open", by=by, now=now, body=body)


def set_interval(
    held: Held[Complaint],
    least: int,
    most: int,
    document: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """The client asked for another interval between requests, in this document (M71)."""
    require_open(held.value)
    refuse(1 <= least <= MOST_INTERVAL, "least")
    refuse(least <= most <= MOST_INTERVAL, "most")
    changed = replace(held.value, gap=(least, most))
    body = {"least": least, "most": most, "document": text.line(document, "document")}
    return acts.done(held, changed, house, "interval_set", by=by, now=now, body=body)


def own_request(
    held: Held[Complaint], on: date, document: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """The client asked in writing that the case be suspended (M72)."""
    case = held.value
    require_open(case)
    changed = replace(case, own_request_on=handling.past(case, on, "on", now))
    body = {"on": on.isoformat(), "document": text.line(document, "document")}
    return acts.done(held, changed, house, "suspension_asked", by=by, now=now, body=body)


def suspend(
    held: Held[Complaint],
    ground: str,
    words: str,
    way: Way,
    house: House,
    *,
    obtainable: bool,
    language: str,
    delay: str = "",
    by: Actor,
    now: datetime,
    reply: Reply = NOTHING_KNOWN,
) -> Change:
    """Close as suspended once the ground holds, in the ground's own wording (M62-M73, D5).

    Why not, if not, is said in `language`: who asks reads it. `delay` as for any end without an
    answer.
    """
    case = held.value
    require_open(case)
    require_unanswered(case)
    tried = case.tried(State.CLOSED_SUSPENDED, ground)
    closing = may_suspend(case, ground, case.day(tried or now), obtainable=obtainable)
    if not closing.allowed:
        field = "ground" if closing.reason == "no_such_ground" else None
        raise REFUSALS[closing.reason](why_closing(closing, language), field=field)
    late = explained(case, delay, State.CLOSED_SUSPENDED, ground, now)
    grounds = case.policy.suspension.grounds if case.policy.suspension else {}
    spoken = handling.spoken(
        case,
        "suspended",
        way,
        by=by,
        now=now,
        words=words,
        wording=getattr(grounds[ground], case.language),
        reply=reply,
    )
    end = Closed(state=State.CLOSED_SUSPENDED, at=now, by=by.id, reason=ground)
    return acts.done(
        held,
        replace(case, closed=end),
        house,
        "suspended",
        by=by,
        now=now,
        body={"ground": ground} | late | spoken.told,
        parts=spoken.parts,
        letters=spoken.letters,
    )


def _require_window(case: Complaint, ground: str, on: date, *, new_series: bool) -> None:
    """`RequestTooEarly`, `RequestTooLate`: the window after the last one for the same (M70)."""
    rules = case.policy.suspension
    sent = case.asked(ground).requests
    if rules is None or not sent:
        return
    refuse(sent[-1] <= on, "posted_on")
    least, most = case.gap or (rules.gap_least, rules.gap_most)
    begins, ends = sent[-1] + DAY * least, sent[-1] + DAY * most
    window = f"The next request may go from {begins.isoformat()} to {ends.isoformat()}."
    if on < begins:
        raise RequestTooEarly(window)
    if on > ends and not new_series:
        raise RequestTooLate(f"{window} To begin a new series, say so.", field="new_series")
