"""Reasons as sentences, in English, Polish and Russian: the words are data (`words.toml`).

`received Fri 6 Nov 2026 18:05 Moscow → registered Mon 9 Nov → 30th day Wed 9 Dec`: the year is said
once, and again when it turns.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.policy.engine import Deadline, Step
from chalicelib.policy.suspension import Closing, Outlook

LANGUAGES = ("pl", "en", "ru")
_FILE = Path(__file__).parent / "words.toml"


def why(deadline: Deadline, language: str) -> str:
    """The chain that produced the date, as one line."""
    year, parts = 0, []
    for step in deadline.chain:
        parts.append(_said(step, language, year))
        year = step.on.year
    return " → ".join(parts)


def why_closing(closing: Closing, language: str) -> str:
    """Why a case may or may not be closed as suspended."""
    return _filled(
        _words(language)["closing"][closing.reason],
        date=_day(closing.on, language) if closing.on else "",
        counted=str(closing.counted),
        needed=str(closing.needed),
    )


def why_fit(outlook: Outlook, language: str) -> str:
    """Whether suspension can come before the answer is due (D19)."""
    return _filled(
        _words(language)["fit"][outlook.fit],
        date=_day(outlook.first_closing, language),
        due=_day(outlook.answer_due, language) if outlook.answer_due else "",
    )


def _said(step: Step, language: str, year: int) -> str:
    words = _words(language)
    if step.kind != "counted":
        return _filled(
            words["steps"][step.kind],
            date=_day(step.on, language, year),
            clock=step.clock,
            place=_place(step.zone, language),
        ).strip()
    if not step.amount:
        said: str = words["steps"]["at_once"]
        return said
    counted = _filled(
        words["units"][step.unit],
        nth=_nth(step, language),
        date=_day(step.on, language, year),
    )
    first = words["first_day"] if step.first_day else ""
    passed = "".join(
        _filled(words[kind], dates=_days(days, language, year))
        for kind, days in (("without", step.without), ("worked", step.worked))
        if days
    )
    return counted + first + passed


def _nth(step: Step, language: str) -> str:
    if language == "en":
        ending = 0 if step.amount % 100 in (11, 12, 13) else step.amount % 10
        return f"{step.amount}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(ending, 'th') }"
    return f"{step.amount}{_words(language).get('ends', {}).get(step.unit, '.')}"


def _days(days: Iterable[date], language: str, year: int) -> str:
    said = []
    for day in days:
        said.append(_day(day, language, year))
        year = day.year
    return ", ".join(said)


def _day(day: date, language: str, year: int = 0) -> str:
    words = _words(language)
    weekday = words["weekdays"].split()[day.weekday()]
    plain = f"{weekday} {day.day} {words['months'].split()[day.month - 1]}"
    return plain if day.year == year else f"{plain} {day.year}"


def _place(zone: str, language: str) -> str:
    city = zone.rpartition("/")[2].replace("_", " ")
    place: str = _words(language)["places"].get(city, city)
    return place


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@cache
def _words(language: str) -> dict[str, Any]:
    import tomllib

    words: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))[language]
    return words
