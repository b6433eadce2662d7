"""What is known of somebody, or of a case, on paper: chapters of what stands beside labels.

A client reads it (GDPR 15), or who has to look at all of a case at once: a court, the ombudsman,
the regulator. PDF/A-2u like every document here, of any length, with its chapters as bookmarks;
nothing in it is cut off.
"""

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec
from msgspec.structs import replace

from chalicelib.documents.letter import COLUMN, FOOT, LEFT, RIGHT, Page, body
from chalicelib.documents.lines import measure, shortened, wrap
from chalicelib.documents.pages import (
    HEAD,
    LABEL,
    PLAIN,
    STRONG,
    TITLE,
    WIDTH,
    Row,
    Rule,
    Text,
    one_line,
    paginate,
    placed,
)
from chalicelib.documents.pdf import document, draw_rules, draw_texts, mark_sections
from chalicelib.documents.sheet import Language

_TEXT, _LABELS = RIGHT - LEFT, 46.0
_Shown = tuple[str, bool, bool]  # words, bold, grey


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A label, what stands beside it, what is told about it, and its words."""

    label: str
    value: str = ""
    about: tuple[str, ...] = ()
    more: str = ""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Words over the whole width."""

    text: str


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """Lines and passages under a title; without any it is left out."""

    title: str
    lines: tuple[Line | Passage, ...]


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document. `page` is its foot, with {reference}, {page} and {pages}."""

    language: Language
    title: str
    subtitle: str
    made: str
    made_on: date
    reference: str
    page: str
    continued: str
    chapters: tuple[Chapter, ...]


def render(dossier: Dossier) -> bytes:
    """The PDF; the same for the same facts."""
    pdf = document(dossier.title, dossier.language, dossier.made_on)
    for page in typeset(dossier):
        pdf.add_page()
        mark_sections(pdf, page.sections)
        draw_rules(pdf, page)
        draw_texts(pdf, page)
    return bytes(pdf.output())


def typeset(dossier: Dossier) -> Iterator[Page]:
    """Its pages."""
    whole = list(paginate(_rows(dossier), COLUMN))
    for number, on_page in enumerate(whole, 1):
        texts, rules = placed(on_page)
        said = dossier.page.format(reference=dossier.reference, page=number, pages=len(whole))
        foot = shortened(said, _TEXT, LABEL)
        at = (WIDTH - measure(foot, LABEL)) / 2
        yield Page(
            texts=(*texts, Text(at, FOOT, foot, LABEL, grey=True)),
            rules=rules,
            sections=tuple((y, row.section) for y, row in on_page if row.section),
        )


def _rows(dossier: Dossier) -> Iterator[Row]:
    for said in wrap(dossier.title, _TEXT, HEAD, bold=True):
        yield one_line(8.0, Text(LEFT, 0, said, HEAD, bold=True))
    for said in wrap(dossier.subtitle, _TEXT, STRONG):
        yield one_line(5.0, Text(LEFT, 0, said, STRONG))
    yield one_line(5.0, Text(LEFT, 0, dossier.made, PLAIN, grey=True))
    yield Row(height=5.0, rules=(Rule(LEFT, 2.5, _TEXT),))
    for chapter in dossier.chapters:
        yield from _chapter(chapter, dossier.continued)


def _chapter(chapter: Chapter, continued: str) -> Iterator[Row]:
    """Its title is repeated where a page breaks in it; the first, without one, stands as it is."""
    again = replace(_heading(f"{chapter.title} {continued}"), gap=0.0) if chapter.title else None
    for number, row in enumerate(row for line in chapter.lines for row in _set(line)):
        if not number and chapter.title:
            yield replace(_heading(chapter.title), section=chapter.title)
        yield replace(row, heading=again) if number and again else row


def _heading(said: str) -> Row:
    text = Text(LEFT, 0, shortened(said, _TEXT, TITLE, bold=True), TITLE, bold=True)
    return replace(one_line(8.0, text, gap=5.0), keeps=True)


def _set(line: Line | Passage) -> Iterable[Row]:
    return body(line.text) if isinstance(line, Passage) else _line(line)


def _line(line: Line) -> Iterator[Row]:
    """Its first lines stay together, and none is left alone at the top of a page."""
    x = LEFT + _LABELS
    left = wrap(line.label, _LABELS - 4.0, PLAIN) or [""]
    right = list(_beside(line, RIGHT - x))
    most = max(len(left), len(right))
    for number in range(most):
        texts = []
        if number < len(left):
            texts.append(Text(LEFT, 0, left[number], PLAIN, grey=True))
        if number < len(right):
            said, bold, grey = right[number]
            texts.append(Text(x, 0, said, PLAIN, bold=bold, grey=grey))
        row = one_line(4.6, *texts, gap=0.0 if number else 1.6)
        yield replace(row, keeps=number < most - 1 and (number < 2 or number == most - 2))


def _beside(line: Line, width: float) -> Iterator[_Shown]:
    for one in _wrapped(line.value, width, bold=True):
        yield one, True, False
    for said in line.about:
        for one in _wrapped(said, width):
            yield one, False, True
    for one in _wrapped(line.more, width):
        yield one, False, False


def _wrapped(text: str, width: float, *, bold: bool = False) -> list[str]:
    """The lines of text that has line breaks of its own; an empty line stays an empty line."""
    shown = text.replace("→", "›")  # the font has no arrow
    return [
        one for part in shown.splitlines() for one in wrap(part, width, PLAIN, bold=bold) or [""]
    ]
