"""Statistics are a pure function of the register's lines (M86): count them again, get the same.

A line holds days and classes, nobody's name, and outlives its case; so an erased case is counted
as it ended, and an anonymous one like any other (M35). `on` is the day as of which is counted: what
is open, how old it is, and whether its limit has passed.

What ended after its limit is late, however it ended; but a case that nobody could answer, because
it was anonymous or is answered with another, is not. A month is told by what ended in it: of what
came in it, most is still open when it is over.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

import msgspec
from msgspec.structs import replace

from chalicelib.complaints.register import Entry
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.workdays import DAY

MOST_MONTHS = 60
# How old an open case is, in days since its receipt: up to each of these, and beyond.
AGES = (7, 14, 30, 60)
OPEN = frozenset({"received", "registered", "in_review", "awaiting_information", "extended"})


class RangeRefused(Invalid):
    """Months that run backwards, or more than five years of them."""

    code = "range_refused"
    sentence = "Give a first and a last month, at most five years apart."


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of one class, counted.

    `answered` were sent an answer, `on_time` of them by the last lawful day. `late` are all that
    ended after it, `late_unanswered` of them without an answer: so `on_time` and `late` together
    are `answered` and `late_unanswered` together. `overdue` are open past it. Of those answered,
    `median_days` and `p90_days` from receipt to the answer.
    """

    label: str
    received: int
    open: int
    closed: int
    answered: int
    on_time: int
    late: int
    late_unanswered: int
    overdue: int
    median_days: float | None = None
    p90_days: float | None = None


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many of one class; the empty label stands for what nobody classed."""

    label: str
    number: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """The register of some months, counted in every way that is asked for (M23, M24, M86).

    `ended_late` are those that ended past their limit without an answer, by the state they ended
    in: together the `late_unanswered` of the total.
    """

    on: date
    total: Group
    by_month: tuple[Group, ...]
    by_kind: tuple[Group, ...]
    by_product: tuple[Group, ...]
    by_cause: tuple[Group, ...]
    by_department: tuple[Group, ...]
    by_channel: tuple[Group, ...]
    by_outcome: tuple[Counted, ...]
    by_state: tuple[Counted, ...]
    ended_late: tuple[Counted, ...]
    open_by_age: tuple[Counted, ...]
    anonymous: int
    third_party: int
    vulnerable: int
    extended: int
    reopened: int
    duplicates: int
    outside: int
    redress: int


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A month told: what came in it, what ended in it, what is open at its end (M24, M87).

    Kind and product are those of what came; cause and department of what ended, for they are found
    in handling.
    """

    received: int
    ended: Group
    open: int
    overdue: int
    by_kind: tuple[Counted, ...]
    by_product: tuple[Counted, ...]
    by_cause: tuple[Counted, ...]
    by_department: tuple[Counted, ...]
    open_by_age: tuple[Counted, ...]


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that repeats with one product in one month (M23): how often, and how often before."""

    cause: str
    product: str
    number: int
    before: int


def months(first: str, last: str) -> tuple[str, ...]:
    """Every month of the range, both ends in it; `RangeRefused` backwards or beyond five years."""
    begin, end = (_month_number(one) for one in (first, last))
    if not 0 <= end - begin < MOST_MONTHS:
        raise RangeRefused(field="from")
    return tuple(f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(begin, end + 1))


def months_before(month: str, n: int) -> str:
    """The month that lies n months earlier."""
    number = _month_number(month) - n
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def last_day(month: str) -> date:
    """The day with which the month ends."""
    return date.fromisoformat(f"{months_before(month, -1)}-01") - DAY


def statistics(entries: Iterable[Entry], *, on: date) -> Statistics:
    """All counts of these lines as of that day."""
    lines = list(entries)
    return Statistics(
        on=on,
        total=group("", lines, on=on),
        by_month=_groups(lines, lambda one: one.received_on.isoformat()[:7], on),
        by_kind=_groups(lines, lambda one: one.kind, on),
        by_product=_groups(lines, lambda one: one.product, on),
        by_cause=_groups(lines, lambda one: one.cause, on),
        by_department=_groups(lines, lambda one: one.department, on),
        by_channel=_groups(lines, lambda one: one.channel, on),
        by_outcome=_counted(one.outcome for one in lines if not _is_open(one)),
        by_state=_counted(one.state for one in lines),
        ended_late=_counted(one.state for one in lines if _is_late_unanswered(one)),
        open_by_age=_ages(lines, on),
        anonymous=sum(one.anonymous for one in lines),
        third_party=sum(one.third_party for one in lines),
        vulnerable=sum(one.vulnerable for one in lines),
        extended=sum(one.extended for one in lines),
        reopened=sum(one.reopens for one in lines),
        duplicates=sum(one.duplicate for one in lines),
        outside=sum(one.outside for one in lines),
        redress=sum(one.redress for one in lines),
    )


def group(label: str, lines: Sequence[Entry], *, on: date) -> Group:
    """These lines as one class."""
    answered = [one for one in lines if one.answered_on is not None]
    days = sorted((one.answered_on - one.received_on).days for one in answered if one.answered_on)
    on_time = sum(not is_late(one) for one in answered)
    unanswered = sum(map(_is_late_unanswered, lines))
    still = [one for one in lines if _is_open(one)]
    return Group(
        label=label,
        received=len(lines),
        open=len(still),
        closed=len(lines) - len(still),
        answered=len(answered),
        on_time=on_time,
        late=len(answered) - on_time + unanswered,
        late_unanswered=unanswered,
        overdue=sum(one.limit is not None and one.limit < on for one in still),
        median_days=median(days),
        p90_days=nearest_rank(days, 90),
    )


def month_told(entries: Iterable[Entry], month: str) -> Month:
    """The month as these lines tell it, as of its end: what ended since was open then."""
    on = last_day(month) + DAY
    then = [_as_of(one, on) for one in entries if one.received_on < on]
    received = [one for one in then if one.received_on.isoformat()[:7] == month]
    ended, whole = ended_in(then, month), group("", then, on=on)
    return Month(
        received=len(received),
        ended=group("", ended, on=on),
        open=whole.open,
        overdue=whole.overdue,
        by_kind=_counted(one.kind for one in received),
        by_product=_counted(one.product for one in received),
        by_cause=_counted(one.cause for one in ended),
        by_department=_counted(one.department for one in ended),
        open_by_age=_ages(then, on),
    )


def ended_in(entries: Iterable[Entry], month: str) -> list[Entry]:
    """The lines of the cases that ended in the month, whenever they came."""
    return [one for one in entries if (end := _ended_on(one)) and end.isoformat()[:7] == month]


def repeats(month: Iterable[Entry], before: Iterable[Entry], *, least: int) -> tuple[Repeat, ...]:
    """Causes that came often with one product in a month, or twice as often as in the one before.

    They are those of what ended in it: a cause is found by who handles the case. Twice after once
    is chance, not a doubling: it takes three.
    """
    now, then = (
        Counter((one.cause, one.product) for one in lines if one.cause and _is_own(one))
        for lines in (month, before)
    )
    found = (
        Repeat(cause=cause, product=product, number=number, before=then[cause, product])
        for (cause, product), number in now.items()
        if number >= least or number >= max(3, 2 * then[cause, product])
    )
    return tuple(sorted(found, key=lambda one: (-one.number, one.cause, one.product)))


def median(days: Sequence[int]) -> float | None:
    """The middle of sorted days, or halfway between the two in the middle."""
    if not days:
        return None
    half = len(days) // 2
    return float(days[half]) if len(days) % 2 else (days[half - 1] + days[half]) / 2


def nearest_rank(days: Sequence[int], percent: int) -> float | None:
    """The smallest of sorted days that so many per cent do not exceed."""
    if not days:
        return None
    return float(days[-(-len(days) * percent // 100) - 1])


def _is_open(one: Entry) -> bool:
    return one.state in OPEN


def _is_own(one: Entry) -> bool:
    """Whether it counts by itself: a duplicate tells of nothing that was not counted before."""
    return not one.duplicate


def is_late(one: Entry) -> bool:
    """Whether it ended after its last lawful day; where the pack names none, nothing can be late.

    Without an answer, a duplicate is not, nor an anonymous case: nobody was to have one.
    """
    end = one.answered_on or _ended_on(one)
    if end is None or one.limit is None or end <= one.limit:
        return False
    return one.answered_on is not None or not (one.anonymous or one.duplicate)


def _is_late_unanswered(one: Entry) -> bool:
    return one.answered_on is None and is_late(one)


def _ended_on(one: Entry) -> date | None:
    """The day of its end, which is never moved; an e-mail with the answer may leave a day later."""
    return None if _is_open(one) else one.closed_on or one.answered_on


def _as_of(one: Entry, on: date) -> Entry:
    """The line as that day began: open, if the case ended on it or later."""
    end = _ended_on(one)
    if end is None or end < on:
        return one
    return replace(one, state="registered", closed_on=None, answered_on=None)


def _groups(lines: Iterable[Entry], label: Callable[[Entry], str], on: date) -> tuple[Group, ...]:
    found: dict[str, list[Entry]] = {}
    for one in lines:
        found.setdefault(label(one), []).append(one)
    return tuple(group(name, found[name], on=on) for name in sorted(found))


def _counted(labels: Iterable[str]) -> tuple[Counted, ...]:
    return tuple(
        Counted(label=label, number=number) for label, number in sorted(Counter(labels).items())
    )


def _ages(lines: Iterable[Entry], on: date) -> tuple[Counted, ...]:
    """Every step, even an empty one: a chart without a gap."""
    found = Counter(_age((on - one.received_on).days) for one in lines if _is_open(one))
    return tuple(Counted(label=label, number=found[label]) for label in _age_labels())


def _age(days: int) -> str:
    at_most = next((most for most in AGES if days <= most), None)
    return f"{AGES[-1]}+" if at_most is None else f"<={at_most}"


def _age_labels() -> Iterator[str]:
    yield from (f"<={most}" for most in AGES)
    yield f"{AGES[-1]}+"


def _month_number(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number) - 1
