"""Which days are worked, and on which day a term ends: dates only, the calendar is an argument.

Terms are counted in dates of the organisation's zone, for arithmetic on moments with a zone is
arithmetic on the clock's face: a day of 25 hours would shift it. `local` and `instant` are the only
ways in and out.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import msgspec

from chalicelib.kernel.errors import Invalid

DAY = timedelta(days=1)
_SATURDAY = 5

Unit = Literal["calendar_day", "working_day", "business_day", "week", "month", "year"]
WORKING_UNITS = ("working_day", "business_day")


class CalendarEnds(Invalid):
    """A day that the calendar does not know, for a date too far from the receipt.

    It is refused when the fact is entered, so that no case is stored whose dates can't be told.
    """

    code = "calendar_ends"
    sentence = "This date is too far from the day of receipt."


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the organisation knows better than the table, for one day or up to `until`.

    `day_off` and `working_day` are decreed and move legal terms; `closed` is the organisation's own
    closing day: no term waits for it, but nobody is there to act.
    """

    on: date
    kind: Literal["day_off", "working_day", "closed"]
    until: date | None = None
    note: str = ""


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Days between `first` and `last`, as plain data: a case keeps the one of its receipt (D20).

    `off` are weekdays that are not worked, `worked` Saturdays and Sundays that are, `closed` the
    organisation's own closing days. Days after `sure_until` may still be moved by decree.
    """

    first: date
    last: date
    off: tuple[date, ...] = ()
    worked: tuple[date, ...] = ()
    closed: tuple[date, ...] = ()
    sure_until: date = date.max

    def is_working(self, day: date) -> bool:
        """Whether the law counts it as a working day; `CalendarEnds` rather than a guess."""
        if not self.first <= day <= self.last:
            raise CalendarEnds(day.isoformat())
        return day in self.worked or (day.weekday() < _SATURDAY and day not in self.off)

    def is_open(self, day: date) -> bool:
        """Whether somebody of the organisation is there to act."""
        return self.is_working(day) and day not in self.closed

    def is_weekend_or_holiday(self, day: date) -> bool:
        """Whether it is a Saturday, a Sunday or a holiday, even if moved to be worked."""
        return not self.is_working(day) or day.weekday() >= _SATURDAY

    def next_working(self, day: date) -> date:
        """The first working day on or after this one."""
        while not self.is_working(day):
            day += DAY
        return day

    def last_open(self, day: date, *, before: int = 0) -> date:
        """The last open day up to this one, or `before` open days earlier."""
        while True:
            if self.is_open(day):
                if not before:
                    return day
                before -= 1
            day -= DAY

    def nth_working(self, day: date, n: int) -> date:
        """The n-th working day, where this one may be the first."""
        day = self.next_working(day)
        for _ in range(n - 1):
            day = self.next_working(day + DAY)
        return day


def with_overrides(calendar: Calendar, overrides: Iterable[Override]) -> Calendar:
    """The calendar with what the organisation knows better; of two for one day the later counts."""
    off, worked, closed = set(calendar.off), set(calendar.worked), set(calendar.closed)
    for override in overrides:
        for day in _days(override.on, override.until or override.on):
            if not calendar.first <= day <= calendar.last:
                continue
            if override.kind == "closed":
                closed.add(day)
                continue
            weekend = day.weekday() >= _SATURDAY
            off.discard(day)
            worked.discard(day)
            if (override.kind == "working_day") == weekend:
                (worked if weekend else off).add(day)
    return msgspec.structs.replace(
        calendar,
        off=tuple(sorted(off)),
        worked=tuple(sorted(worked)),
        closed=tuple(sorted(closed)),
    )


def end_of_term(
    begin: date, amount: int, unit: Unit, *, calendar: Calendar, same_day: bool = False
) -> date:
    """The last day of a term that an event on `begin` sets going, not yet rolled.

    `same_day` counts the day of the event as the first. No amount is that very day. Months and
    years end on the day of the same number, or the month's last where it has none: a month from
    31 January ends on the last of February.
    """
    if amount == 0:
        return begin
    if unit in WORKING_UNITS:
        return calendar.nth_working(begin if same_day else begin + DAY, amount)
    if unit in ("calendar_day", "week"):
        return begin + DAY * (amount * (7 if unit == "week" else 1) - same_day)
    month = begin.month - 1 + amount * (12 if unit == "year" else 1)
    year, month = begin.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - DAY).day
    if begin.day > last:
        return date(year, month, last)
    return date(year, month, begin.day) - DAY * same_day


def local(moment: datetime, zone: str) -> datetime:
    """The moment as the clock on the organisation's wall shows it; only an aware one will do."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(zone))


def instant(day: date, clock: time, zone: str) -> datetime:
    """The moment, in UTC, at which that clock shows this time of this day."""
    from zoneinfo import ZoneInfo

    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """The moment, in UTC, at which the day is over there."""
    return instant(day + DAY, time(), zone)


def _days(first: date, last: date) -> Iterable[date]:
    return (first + DAY * n for n in range((last - first).days + 1))
