"""Write the tables of holidays that Duly ships: `python -m infra.calendars`.

They come from the `holidays` library, which takes over a second to import and so stays out of the
functions (docs/adr). Run it after an upgrade of the library; a test compares.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import holidays

TABLES = Path(__file__).parent.parent / "chalicelib" / "policy" / "holidays"
YEARS = range(2018, 2036)
COUNTRIES = (
    *("AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB-ENG", "GB-NIR"),
    *("GB-SCT", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO"),
    *("PL", "PT", "RO", "RU", "SE", "SI", "SK"),
)


def table(country: str) -> str:
    """The table of one country: its weekdays off, and the weekend days that are worked."""
    code, _, subdivision = country.partition("-")
    found = holidays.country_holidays(code, subdiv=subdivision or None, years=YEARS)
    off = [day for day in found if day.weekday() < 5]
    worked = sorted(found.weekend_workdays)
    lines = ["# Written by `python -m infra.calendars`: edit nothing here.", ""]
    if worked:
        # Where a government moves days from year to year, they are known up to its last decree.
        lines += [f"decreed_until = {max(found.special_public_holidays)}-12-31", ""]
    lines += ["[off]", *_by_year(off), "", "[worked]", *_by_year(worked)]
    return "\n".join(lines) + "\n"


def _by_year(days: Iterable[date]) -> list[str]:
    years: dict[int, list[date]] = {}
    for day in sorted(days):
        if day.year in YEARS:
            years.setdefault(day.year, []).append(day)
    return [f'{year} = "{" ".join(f"{d:%m-%d}" for d in each)}"' for year, each in years.items()]


if __name__ == "__main__":
    TABLES.mkdir(exist_ok=True)
    for each in COUNTRIES:
        (TABLES / f"{each}.toml").write_text(table(each), encoding="utf-8")
