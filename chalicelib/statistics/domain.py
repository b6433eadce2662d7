"""Statistics are a pure function of the register's lines (M86): count them again, get the same.

A line holds days and classes, nobody's name, and outlives its case; so an erased case is counted
as it ended, and an anonymous one like any other (M35). `on` is the day as of which is counted: what
is open, how old it is, and whether its limit has passed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

import msgspec

from chalicelib.complaints.register import Entry
from chalicelib.kernel.errors import Invalid

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

    `answered` were sent an answer, `on_time` by the last lawful day, the others `late`; `overdue`
    are open past it. Of those answered, `median_days` and `p90_days` from receipt to the answer.
    """

    label: str
    received: int
    open: int
    closed: int
    answered: int
    on_time: int
    late: int
    overdue: int
    median_days: float | None = None
    p90_days: float | None = None


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many of one class; the empty label stands for what nobody classed."""

    label: str
    number: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """The register of some months, counted in every way that is asked for (M23, M24, M86)."""

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
    open_by_age: tuple[Counted, ...]
    anonymous: int
    third_party: int
    vulnerable: int
    extended: int
    reopened: int
    duplicates: int
    outside: int
    redress: int


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
    on_time = sum(_is_on_time(one) for one in answered)
    still = [one for one in lines if _is_open(one)]
    return Group(
        label=label,
        received=len(lines),
        open=len(still),
        closed=len(lines) - len(still),
        answered=len(answered),
        on_time=on_time,
        late=len(answered) - on_time,
        overdue=sum(one.limit is not None and one.limit < on for one in still),
        median_days=median(days),
        p90_days=nearest_rank(days, 90),
    )


def repeats(month: Iterable[Entry], before: Iterable[Entry], *, least: int) -> tuple[Repeat, ...]:
    """Causes that came often with one product in a month, or twice as often as in the one before.

    Twice after once is chance, not a doubling: it takes three.
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


def _is_on_time(one: Entry) -> bool:
    """Answered by the last lawful day; where the pack names none, nothing can be late."""
    return one.limit is None or (one.answered_on is not None and one.answered_on <= one.limit)


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
