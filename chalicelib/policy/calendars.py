"""The calendar of a country around one day, from the shipped tables of holidays.

The tables are written from the `holidays` library, which itself stays out of the functions (ADR
0019).
"""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import msgspec

from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.workdays import Calendar, Override, with_overrides
from chalicelib.policy import COUNTRIES

_TABLES = Path(__file__).parent / "holidays"
# A case keeps its calendar (D20): room for reckoning back to the last safe day, and for the longest
# answer with its extension; years, as in retention, need no calendar.
_BEFORE, _AFTER = timedelta(days=100), timedelta(days=800)


class CountryUnknown(Invalid):
    """A country without a table of holidays."""

    code = "country_unknown"
    sentence = "Duly has no holidays of this country."


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    off: dict[int, str]
    worked: dict[int, str]
    decreed_until: date = date.max


def calendar(country: str, around: date, overrides: Iterable[Override] = ()) -> Calendar:
    """The days around a receipt, with what the organisation knows better; `CountryUnknown`."""
    if country not in COUNTRIES:
        raise CountryUnknown(country, field="country")
    table = _table(country)
    first = max(around - _BEFORE, date(min(table.off), 1, 1))
    last = min(around + _AFTER, date(max(table.off), 12, 31))
    plain = Calendar(
        first=first,
        last=last,
        off=_between(table.off, first, last),
        worked=_between(table.worked, first, last),
        sure_until=table.decreed_until,
    )
    return with_overrides(plain, overrides)


def _between(years: dict[int, str], first: date, last: date) -> tuple[date, ...]:
    days = (
        date.fromisoformat(f"{year}-{day}")
        for year in range(first.year, last.year + 1)
        for day in years.get(year, "").split()
    )
    return tuple(day for day in days if first <= day <= last)


@cache
def _table(country: str) -> _Table:
    written = (_TABLES / f"{country}.toml").read_bytes()
    return msgspec.toml.decode(written, type=_Table, strict=False)
