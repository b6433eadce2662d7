"""The three-request engine: when the next request may go, and whether a case may be suspended.

Suspended is closed, with its ground (D5). Two grounds need at least three written requests since
the arrival (D4), five to ten days apart unless the client asked otherwise, and thirty days after
the last (M62-M71); the third is the client's own written request (M72). Suspension never moves the
day of the answer (D19).
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Literal

import msgspec

from chalicelib.kernel.workdays import DAY, Calendar
from chalicelib.policy.engine import ANSWER, Facts, deadlines, lawful_extension
from chalicelib.policy.packs import Pack, Suspension

Fit = Literal["in_time", "if_extended", "never"]
Reason = Literal[
    "allowed",
    "no_such_ground",
    "not_asked",
    "obtainable",
    "requests_missing",
    "gaps_broken",
    "waiting",
    "answer_due",
]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the client: the days of the written requests, and his own interval.

    `gap` is the shortest and longest interval in days that he asked for himself (M71);
    `own_request_on` the day of his written request to suspend (M72).
    """

    requests: tuple[date, ...] = ()
    gap: tuple[int, int] | None = None
    own_request_on: date | None = None


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Where the requests stand today.

    `next_from` and `next_by` are the lawful window of the next request; after it, or for a first
    request, there is no last day: a new series begins. `counted` of `needed` requests stand in one
    unbroken series. `first_closing` is the first possible day of suspension if all goes well, and
    `fit` whether the answer is due before it.
    """

    counted: int
    needed: int
    next_from: date
    next_by: date | None
    first_closing: date
    answer_due: date | None
    fit: Fit


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the case may be closed as suspended today, or why not, and from when."""

    allowed: bool
    reason: Reason
    counted: int = 0
    needed: int = 0
    on: date | None = None


def outlook(
    pack: Pack, facts: Facts, calendar: Calendar, asked: Asked, *, today: date
) -> Outlook | None:
    """The lawful window of the next request, the first possible suspension; None without rules."""
    if not (rules := pack.suspension):
        return None
    least, most = asked.gap or (rules.gap_least, rules.gap_most)
    sent = _sent(facts, asked, today)
    series = _series(sent, least, most)
    complete = _longest(sent, least, most) >= rules.requests
    missed = not sent or today > sent[-1] + DAY * most
    next_from = today if missed else sent[-1] + DAY * least
    standing = 0 if missed else series
    still = 0 if complete else rules.requests - standing
    last = max(today, next_from) + DAY * least * (still - 1) if still else sent[-1]
    closing = last + DAY * rules.wait
    due = _answer_due(pack, facts, calendar)
    return Outlook(
        counted=rules.requests if complete else standing,
        needed=rules.requests,
        next_from=next_from,
        next_by=None if missed else sent[-1] + DAY * most,
        first_closing=closing,
        answer_due=due,
        fit=_fit(pack, facts, calendar, closing, due),
    )


def may_close(
    pack: Pack,
    facts: Facts,
    calendar: Calendar,
    asked: Asked,
    *,
    ground: str,
    today: date,
    obtainable: bool = False,
) -> Closing:
    """Whether this ground holds today, else the first reason why it does not.

    `obtainable`: the organisation can get the papers itself (M63, M67).
    """
    rules = pack.suspension
    if not rules or ground not in rules.grounds:
        return Closing(allowed=False, reason="no_such_ground")
    if not rules.grounds[ground].counted:
        reason: Reason = "allowed" if asked.own_request_on else "not_asked"
        return Closing(allowed=reason == "allowed", reason=reason)
    if obtainable:
        return Closing(allowed=False, reason="obtainable")
    return _counted(rules, pack, facts, calendar, asked, today)


def _counted(
    rules: Suspension, pack: Pack, facts: Facts, calendar: Calendar, asked: Asked, today: date
) -> Closing:
    sent = _sent(facts, asked, today)
    longest = _longest(sent, *(asked.gap or (rules.gap_least, rules.gap_most)))
    due = _answer_due(pack, facts, calendar)
    ripe = sent[-1] + DAY * rules.wait if sent else None
    reason: Reason = "allowed"
    on = None
    if len(sent) < rules.requests:
        reason = "requests_missing"
    elif longest < rules.requests:
        reason = "gaps_broken"
    elif ripe and today < ripe:
        reason, on = "waiting", ripe
    elif due and today > due:
        reason, on = "answer_due", due
    return Closing(
        allowed=reason == "allowed",
        reason=reason,
        counted=min(longest, rules.requests),
        needed=rules.requests,
        on=on,
    )


def _answer_due(pack: Pack, facts: Facts, calendar: Calendar) -> date | None:
    due = deadlines(pack, facts, calendar).get(ANSWER)
    return due.limit if due else None


def _fit(pack: Pack, facts: Facts, calendar: Calendar, closing: date, due: date | None) -> Fit:
    if due is None or closing <= due:
        return "in_time"
    lawful = lawful_extension(pack, facts, calendar)
    if lawful.allowed and (lawful.until is None or closing <= lawful.until):
        return "if_extended"
    return "never"


def _sent(facts: Facts, asked: Asked, today: date) -> list[date]:
    """The days with a request since the arrival: two letters on one day are one request."""
    return sorted({day for day in asked.requests if facts.received_on <= day <= today})


def _series(sent: Sequence[date], least: int, most: int) -> int:
    """How many requests stand in the unbroken series that the last one belongs to."""
    count = min(len(sent), 1)
    for earlier, later in pairwise(sent):
        count = count + 1 if least <= (later - earlier).days <= most else 1
    return count


def _longest(sent: Sequence[date], least: int, most: int) -> int:
    """The longest unbroken series: what was once complete is not undone by one more request."""
    return max((_series(sent[:n], least, most) for n in range(len(sent) + 1)), default=0)
