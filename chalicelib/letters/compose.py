"""From facts to a letter: subject, text and HTML in the reader's language.

A letter is a folder, named by the type of its facts: `<language>.j2` has its words, subject
included, `text.j2` and `html.j2` the order in which both parts say them, so that the two can't
drift apart. A fact or a word that a template asks for and does not get is an error, never a gap.
Facts are text and stay text: HTML is escaped, nothing in a fact becomes a link, and characters
that turn the reading direction or control a terminal are dropped.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from chalicelib.kernel.days import day, month
from chalicelib.letters.complaint_facts import ComplaintFacts
from chalicelib.letters.facts import Facts

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

Language = Literal["pl", "en", "ru"]
LANGUAGES: tuple[Language, ...] = ("pl", "en", "ru")

_TEMPLATES = Path(__file__).parent / "templates"
_MOMENT = {
    "pl": "{day}, godz. {time} ({zone})",
    "en": "{day}, {time} ({zone})",
    "ru": "{day}, {time} ({zone})",
}
# Controls but tab and newline, bidi controls, lone surrogates: of no use to an honest text.
_DROPPED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_SEPARATORS = re.compile("\r\n?|[\u2028\u2029]")
_NAME = re.compile(r"(?<=[a-z])(?=[A-Z])")
# The only fact that may have several lines: the wording of a purpose.
_SEVERAL_LINES = "text"


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """A letter ready to be put into MIME: one line, plain text, and HTML that says the same."""

    subject: str
    text: str
    html: str


def compose(facts: Facts | ComplaintFacts, language: str) -> Composed:
    """The letter of these facts in this language; `ValueError` for a language that there is not."""
    if language not in LANGUAGES:
        raise ValueError(f"no letters in the language {language!r}")
    letter, environment = letter_name(type(facts)), _environment()
    told = {**_told(facts), "language": language}
    told["words"] = words = _words(letter, language, told)
    text = environment.get_template(f"{letter}/text.j2").render(told).strip()
    html = environment.get_template(f"{letter}/html.j2").render(told, subject=words.subject)
    return Composed(subject=words.subject, text=f"{text}\n", html=f"{html.strip()}\n")


def letter_name(facts: type) -> str:
    """`ConfirmConsents` -> `confirm_consents`: the folder of its templates."""
    return _NAME.sub("_", facts.__name__).lower()


def moment(when: datetime, language: str) -> str:
    """The moment in words, with its zone: `22 November 2026, 14:05 (CET, UTC+1)`."""
    return _MOMENT[language].format(day=day(when, language), time=f"{when:%H:%M}", zone=_zone(when))


def _zone(when: datetime) -> str:
    offset, name = when.utcoffset(), when.tzname() or ""
    if not offset:
        return "UTC"
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    shift = f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02}" if rest else "")
    # Zones without a name of their own are called by their offset in the tz database ("+03").
    return f"{name}, {shift}" if name.isalpha() else shift


def _paragraphs(text: str) -> list[list[str]]:
    return [part.split("\n") for part in re.split(r"\n\s*\n", text)]


def _told(facts: Any) -> dict[str, Any]:
    """The facts as templates see them: the same fields, every string clean."""
    return {name: _clean(name, getattr(facts, name)) for name in facts.__struct_fields__}


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, str):
        kept = _DROPPED.sub("", _SEPARATORS.sub("\n", value))
        return kept.strip() if name == _SEVERAL_LINES else " ".join(kept.split())
    if isinstance(value, tuple):
        return tuple(_clean(name, one) for one in value)
    return _told(value) if isinstance(value, msgspec.Struct) else value


def _words(letter: str, language: str, told: Mapping[str, Any]) -> SimpleNamespace:
    """What the letter says in this language, each sentence or paragraph one line, facts in
    place."""
    words: dict[str, str] = {}
    shared = (f"_shared/{language}.j2", f"_shared/case.{language}.j2")
    for name in (*shared, f"{letter}/{language}.j2"):
        module = _environment().get_template(name).make_module(dict(told))
        words |= {
            key: " ".join(value.split()) for key, value in vars(module).items() if key[0] != "_"
        }
    return SimpleNamespace(**words)


@cache
def _environment() -> "Environment":
    # Imported here: only what sends letters pays for jinja2 (60 ms), no route does.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

    @pass_context
    def moment_in_words(context: "Context", when: datetime) -> str:
        return moment(when, context["language"])

    @pass_context
    def day_in_words(context: "Context", when: date) -> str:
        return day(when, context["language"])

    @pass_context
    def month_in_words(context: "Context", when: date) -> str:
        return month(when, context["language"])

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        # S701: off for the text part only, where escaping would show as "&amp;".
        autoescape=lambda name: (name or "").endswith("html.j2"),  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["moment"] = moment_in_words
    environment.filters["day"] = day_in_words
    environment.filters["month"] = month_in_words
    environment.filters["paragraphs"] = _paragraphs
    return environment
