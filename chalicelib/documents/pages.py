"""Rows on pages: what every document of ours is set with.

A document becomes rows; a row may keep the next one on its page, and may carry the heading that is
repeated when the page breaks before it. All measures are millimetres on A4, from the top left
corner. Knows no PDF library.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec
from msgspec.structs import replace

from chalicelib.documents.lines import CAP_HEIGHT, POINT
from chalicelib.documents.sheet import AnswerBox, Area

WIDTH, HEIGHT = 210.0, 297.0
LABEL, PLAIN, WORDING, STRONG, TITLE, HEAD = 8.0, 9.0, 9.5, 10.0, 10.5, 16.0  # points


class Text(msgspec.Struct, frozen=True):
    """A run of text; `x` is its left end, `y` its baseline."""

    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    grey: bool = False


class Rule(msgspec.Struct, frozen=True):
    """A horizontal line; `heavy` ones are written on."""

    x: float
    y: float
    width: float
    heavy: bool = False


class Drawn(Protocol):
    """A page as far as every document has one: texts and lines."""

    @property
    def texts(self) -> tuple[Text, ...]:
        """What is written on it."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The lines that are drawn on it."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A band over the whole width; positions in it count from its top.

    `gap` is left free above it unless it is the first of its page. `keeps`: the next row stays on
    its page. `heading` is repeated where the page breaks before it. `section` is what begins here.
    """

    height: float
    texts: tuple[Text, ...] = ()
    rules: tuple[Rule, ...] = ()
    boxes: tuple[AnswerBox, ...] = ()
    fields: tuple[Area, Area, Area] | None = None
    gap: float = 0.0
    keeps: bool = False
    heading: "Row | None" = None
    section: str = ""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows may stand; a repeated heading is at most so high."""

    top: float
    bottom: float
    heading: float = 0.0


def one_line(height: float, *texts: Text, gap: float = 0.0) -> Row:
    """A row of one line, its capitals in the middle of the height."""
    placed = tuple(replace(text, y=(height + CAP_HEIGHT * text.size * POINT) / 2) for text in texts)
    return Row(height=height, texts=placed, gap=gap)


def height(rows: Iterable[Row]) -> float:
    """How much room the rows take, one under another."""
    return sum(row.gap + row.height for row in rows)


def paginate(rows: Iterable[Row], column: Column) -> Iterator[list[tuple[float, Row]]]:
    """Rows with their tops, page by page."""
    page: list[tuple[float, Row]] = []
    y = column.top
    for run in _runs(rows, column):
        if page and y + height(run) > column.bottom:
            yield page
            page, y = [], column.top
        heading = run[0].heading if not page else None
        for row in [heading, *run] if heading else run:
            y += row.gap if page else 0
            page.append((y, row))
            y += row.height
    yield page


def placed(
    rows: Iterable[tuple[float, Row]],
) -> tuple[tuple[Text, ...], tuple[Rule, ...]]:
    """Texts and lines of the rows, where they stand on the page."""
    texts: list[Text] = []
    rules: list[Rule] = []
    for y, row in rows:
        texts += [replace(text, y=text.y + y) for text in row.texts]
        rules += [replace(rule, y=rule.y + y) for rule in row.rules]
    return tuple(texts), tuple(rules)


def _runs(rows: Iterable[Row], column: Column) -> Iterator[list[Row]]:
    """Rows that stay on one page, together; they part only where no page could hold them."""
    run: list[Row] = []
    for row in rows:
        if height([*run, row]) > column.bottom - column.top - column.heading:
            yield run
            run = []
        run.append(row)
        if not row.keeps:
            yield run
            run = []
    if run:
        yield run
