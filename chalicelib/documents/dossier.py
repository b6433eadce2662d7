"""What is known of somebody, on paper: chapters of labels and what stands beside them (GDPR 15).

PDF/A-2u like every document here, of any length; nothing in it is cut off.
"""

from collections.abc import Iterator
from datetime import date

import msgspec
from msgspec.structs import replace

from chalicelib.documents.letter import COLUMN, FOOT, LEFT, RIGHT, Page
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
from chalicelib.documents.pdf import document, draw_rules, draw_texts
from chalicelib.documents.sheet import Language

_TEXT, _LABELS = RIGHT - LEFT, 46.0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A label, what stands beside it, and what explains that."""

    label: str
    value: str
    more: str = ""


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """Lines under a title; without lines it is left out."""

    title: str
    lines: tuple[Line, ...]


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
        yield Page(texts=(*texts, Text(at, FOOT, foot, LABEL, grey=True)), rules=rules)


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
    rows = [row for line in chapter.lines for row in _line(line)]
    if not rows:
        return
    again = replace(_heading(f"{chapter.title} {continued}"), gap=0.0)
    yield _heading(chapter.title)
    yield rows[0]
    yield from (replace(row, heading=again) for row in rows[1:])


def _heading(said: str) -> Row:
    text = Text(LEFT, 0, shortened(said, _TEXT, TITLE, bold=True), TITLE, bold=True)
    return replace(one_line(8.0, text, gap=5.0), keeps=True)


def _line(line: Line) -> Iterator[Row]:
    """Its first lines stay together."""
    x = LEFT + _LABELS
    left = wrap(line.label, _LABELS - 4.0, PLAIN) or [""]
    right = [(one, True) for one in _wrapped(line.value, RIGHT - x, bold=True)]
    right += [(one, False) for one in _wrapped(line.more, RIGHT - x, bold=False)]
    most = max(len(left), len(right))
    for number in range(most):
        texts = []
        if number < len(left):
            texts.append(Text(LEFT, 0, left[number], PLAIN, grey=True))
        if number < len(right):
            said, bold = right[number]
            texts.append(Text(x, 0, said, PLAIN, bold=bold))
        row = one_line(4.6, *texts, gap=0.0 if number else 1.6)
        yield replace(row, keeps=number < most - 1 and number < 2)


def _wrapped(text: str, width: float, *, bold: bool) -> list[str]:
    return [one for part in text.splitlines() for one in wrap(part, width, PLAIN, bold=bold)]
