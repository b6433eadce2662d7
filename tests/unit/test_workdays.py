"""Working days and the ends of terms, against a slow count that asks the library day by day."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel import workdays
from chalicelib.kernel.workdays import Calendar, CalendarEnds, Override, Unit, end_of_term
from chalicelib.policy import COUNTRIES
from chalicelib.policy.calendars import CountryUnknown, calendar
from infra import calendars as tables

ONE = timedelta(days=1)
TEN_YEARS = st.dates(date(2019, 1, 1), date(2029, 12, 31))
SOME = st.sampled_from(("PL", "RU", "GB-ENG", "HU"))


@cache
def library(country: str) -> Any:
    """The library itself: what the tables were written from."""
    code, _, subdivision = country.partition("-")
    return holidays.country_holidays(code, subdiv=subdivision or None, years=range(2018, 2036))


def days_from(day: date) -> Iterator[date]:
    """This day and all that follow, one by one."""
    while True:
        yield day
        day += ONE


def plain(first: date = date(2026, 1, 1), last: date = date(2026, 12, 31)) -> Calendar:
    """A calendar without a holiday."""
    return Calendar(first=first, last=last)


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_tables_say_what_the_library_says(country: str) -> None:
    """After an upgrade of the library: `python -m infra.calendars`, and read the difference."""
    written = (tables.TABLES / f"{country}.toml").read_text(encoding="utf-8")
    assert written == tables.table(country)


def test_every_country_has_its_table() -> None:
    assert set(tables.COUNTRIES) == set(COUNTRIES)


@given(SOME, TEN_YEARS)
def test_a_day_is_worked_if_the_library_says_so(country: str, day: date) -> None:
    assert calendar(country, day).is_working(day) == library(country).is_working_day(day)


@given(SOME, TEN_YEARS, st.integers(1, 60), st.booleans())
@settings(deadline=None)
def test_working_days_are_counted_one_by_one(
    country: str, begin: date, amount: int, same_day: bool
) -> None:
    """M44, M49: over ten years, year ends, moved days and 29 February."""
    counted = 0
    for day in days_from(begin if same_day else begin + ONE):
        counted += library(country).is_working_day(day)
        if counted == amount:
            break
    found = end_of_term(
        begin, amount, "working_day", calendar=calendar(country, begin), same_day=same_day
    )
    assert found == day


@given(TEN_YEARS, st.integers(1, 400), st.booleans())
def test_calendar_days_and_weeks_are_counted_one_by_one(
    begin: date, amount: int, same_day: bool
) -> None:
    """M51, M65, M70: the day of the event is counted only where the rule says so."""
    days = days_from(begin if same_day else begin + ONE)
    last = [next(days) for _ in range(amount * 7)]
    no = plain()
    found = end_of_term(begin, amount, "calendar_day", calendar=no, same_day=same_day)
    assert found == last[amount - 1]
    assert end_of_term(begin, amount, "week", calendar=no, same_day=same_day) == last[-1]


@given(TEN_YEARS, st.integers(1, 30), st.sampled_from(("month", "year")))
@settings(deadline=None)
def test_months_and_years_end_on_the_day_of_the_same_number(
    begin: date, amount: int, unit: Unit
) -> None:
    """M85: found by walking, month by month; 29 February ends on the 28th where there is none."""
    months, day = amount * (12 if unit == "year" else 1), begin
    while months:
        day += ONE
        months -= day.day == 1
    while day.day < begin.day and (day + ONE).day != 1:
        day += ONE
    assert end_of_term(begin, amount, unit, calendar=plain()) == day


@pytest.mark.parametrize(
    ("begin", "amount", "unit", "same_day", "end"),
    [
        (date(2024, 2, 29), 2, "year", False, date(2026, 2, 28)),
        (date(2024, 2, 29), 4, "year", False, date(2028, 2, 29)),
        (date(2026, 8, 31), 6, "month", False, date(2027, 2, 28)),
        (date(2026, 3, 1), 1, "month", True, date(2026, 3, 31)),
        (date(2026, 1, 31), 1, "month", True, date(2026, 2, 28)),
        (date(2027, 12, 31), 60, "calendar_day", False, date(2028, 2, 29)),
        (date(2026, 5, 5), 0, "working_day", False, date(2026, 5, 5)),
    ],
)
def test_terms_at_the_ends_of_months(
    begin: date, amount: int, unit: Unit, same_day: bool, end: date
) -> None:
    assert end_of_term(begin, amount, unit, calendar=plain(), same_day=same_day) == end


def test_christmas_eve_is_free_in_poland_from_2025() -> None:
    """The same day, a Tuesday in 2024 and a Wednesday in 2025."""
    assert calendar("PL", date(2024, 12, 1)).is_working(date(2024, 12, 24))
    assert not calendar("PL", date(2025, 12, 1)).is_working(date(2025, 12, 24))


def test_a_russian_saturday_may_be_worked_for_a_free_monday() -> None:
    """Moved days of the library's own decree."""
    year = calendar("RU", date(2024, 4, 1))
    assert year.is_working(date(2024, 4, 27))
    assert not year.is_working(date(2024, 4, 29))
    assert year.is_weekend_or_holiday(date(2024, 4, 27))


def test_what_a_government_moves_later_comes_as_an_override() -> None:
    """Decreed after the library was made; of two for one day the later one counts."""
    friday, saturday = date(2028, 6, 9), date(2028, 6, 10)
    moved = (
        Override(on=friday, kind="day_off", note="moved to Saturday"),
        Override(on=saturday, kind="working_day"),
    )
    year = calendar("RU", date(2028, 6, 1), moved)
    assert not year.is_working(friday)
    assert year.is_working(saturday)
    assert year.sure_until == date(2027, 12, 31)
    back = calendar("RU", date(2028, 6, 1), (*moved, Override(on=friday, kind="working_day")))
    assert back.is_working(friday)
    long_ago = Override(on=date(1999, 1, 1), kind="day_off")
    assert calendar("RU", friday, (long_ago,)) == calendar("RU", friday)


def test_an_own_closing_day_moves_no_term_but_nobody_is_there() -> None:
    closed = Override(on=date(2026, 11, 9), until=date(2026, 11, 11), kind="closed")
    november = calendar("PL", date(2026, 11, 1), (closed,))
    assert november.is_working(date(2026, 11, 9))
    assert not november.is_open(date(2026, 11, 9))
    assert november.last_open(date(2026, 11, 11)) == date(2026, 11, 6)
    assert november.last_open(date(2026, 11, 13), before=2) == date(2026, 11, 6)


@given(SOME, TEN_YEARS, st.lists(st.tuples(st.integers(-40, 300), st.booleans()), max_size=8))
def test_an_override_is_what_counts(
    country: str, around: date, decreed: list[tuple[int, bool]]
) -> None:
    overrides = [
        Override(on=around + ONE * n, kind="working_day" if worked else "day_off")
        for n, worked in decreed
    ]
    found = calendar(country, around, overrides)
    for day, worked in {around + ONE * n: worked for n, worked in decreed}.items():
        assert found.is_working(day) == worked
    assert found.off == tuple(sorted(set(found.off)))


def test_a_calendar_never_guesses() -> None:
    with pytest.raises(CalendarEnds):
        plain().is_working(date(2027, 1, 1))
    with pytest.raises(CountryUnknown):
        calendar("XX", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 22), 24)],
)
def test_a_day_ends_where_the_clock_says_so(day: date, hours: int) -> None:
    """Traps 10 and 11: days of 23 and 25 hours; the next day begins at its own midnight."""
    begin = workdays.instant(day, time(), "Europe/Warsaw")
    end = workdays.end_of_day(day, "Europe/Warsaw")
    assert end - begin == timedelta(hours=hours)
    assert workdays.local(end, "Europe/Warsaw").time() == time()


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        workdays.local(datetime(2026, 1, 1), "Europe/Warsaw")  # noqa: DTZ001
    late = datetime(2026, 11, 6, 22, 30, tzinfo=UTC)
    assert workdays.local(late, "Europe/Moscow").date() == date(2026, 11, 7)


def test_reckoning_loads_no_library_of_holidays() -> None:
    """It takes over a second of a function's start (ADR 0019)."""
    script = (
        "import sys, datetime; from chalicelib.policy import calendars, reasons, suspension;"
        "calendars.calendar('RU', datetime.date(2026, 1, 1));"
        "print({'holidays', 'dateutil'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
