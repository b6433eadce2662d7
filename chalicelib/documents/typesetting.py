"""Where everything on a printed declaration stands: one pass, used to draw it and to read its scan.

The sheet becomes rows (`pages`) that keep one another: so no title stands without its text, no
answer without its title, and no signature without an answer above it. Knows no PDF library:
`render` draws what comes out of here.
"""

from collections.abc import Iterator, Sequence

import msgspec

from chalicelib.documents import codes
from chalicelib.documents.labels import LABELS, Labels, written_day
from chalicelib.documents.lines import measure, paragraphs, shortened, wrap
from chalicelib.documents.pages import (
    HEAD,
    HEIGHT,
    LABEL,
    PLAIN,
    STRONG,
    TITLE,
    WIDTH,
    WORDING,
    Column,
    Row,
    Rule,
    Text,
    height,
    one_line,
    paginate,
    placed,
)
from chalicelib.documents.sheet import (
    AnswerBox,
    Area,
    DeclarationSheet,
    PageLayout,
    SheetAnswer,
)

LAYOUT = "D1"  # printed into every QR code: whoever moves anything below makes a D2
LEFT, RIGHT = 20.0, 190.0
TOP, BOTTOM = 47.0, 277.0
FOOT = 288.5

_CORNER = 4.0
CORNERS = tuple(
    Area(x, y, _CORNER, _CORNER)
    for y in (8.0, HEIGHT - 8 - _CORNER)
    for x in (8.0, WIDTH - 8 - _CORNER)
)
# 67 alphanumeric characters fit; the longest payload has 51.
QR_MODULES, QR_VERSION, QR_ERROR = 33, 4, "Q"
MODULE = 0.6
QR = Area(RIGHT - QR_MODULES * MODULE, 17.0, QR_MODULES * MODULE, QR_MODULES * MODULE)
_BESIDE_QR = QR.x - 5  # the quiet zone is four modules
_HEADER_WIDTH = 104.0

_INDENT = 7.0
_BOX = 4.6
_TEXT_WIDTH = RIGHT - LEFT - _INDENT
_HEADING = 5.6
_COLUMN = Column(top=TOP, bottom=BOTTOM, heading=_HEADING)
_GUTTER = 10.0
# Place, date and signature, from the top of their row.
_FIELDS = (
    Area(20.0, 4.0, 52.0, 16.0),
    Area(77.0, 4.0, 36.0, 16.0),
    Area(118.0, 4.0, 72.0, 16.0),
)
_WHOLE = 75.0  # a purpose up to this height is not split


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page: its geometry, and what is drawn besides marks, boxes and QR code."""

    layout: PageLayout
    texts: tuple[Text, ...]
    rules: tuple[Rule, ...]


def typeset(sheet: DeclarationSheet) -> tuple[Page, ...]:
    """The pages of this declaration; the same for the same sheet."""
    labels = LABELS[sheet.language]
    set_pages = list(paginate(_rows(sheet, labels), _COLUMN))
    return tuple(
        _page(sheet, labels, rows, number, len(set_pages))
        for number, rows in enumerate(set_pages, 1)
    )


# The rows of a sheet, from top to bottom.


def _rows(sheet: DeclarationSheet, labels: Labels) -> Iterator[Row]:
    yield from _parties(sheet, labels)
    for index, answer in enumerate(sheet.answers):
        last = index == len(sheet.answers) - 1
        yield from _purpose(index, answer, labels, last=last)
    yield from _signature(labels)


def _parties(sheet: DeclarationSheet, labels: Labels) -> Iterator[Row]:
    """Controller and client, side by side."""
    controller = sheet.controller
    width = (RIGHT - LEFT - _GUTTER) / 2
    columns = [
        _party(
            labels.controller,
            controller.name,
            width,
            [
                ("", controller.address),
                (labels.registry_number, controller.registry_number),
                (labels.email, controller.email),
                (labels.phone, controller.phone),
                (labels.dpo, controller.dpo),
            ],
        ),
        _party(
            labels.client,
            sheet.client_name,
            width,
            [
                ("", sheet.client_address),
                (labels.email, sheet.client_email),
                (labels.phone, sheet.client_phone),
            ],
        ),
    ]
    for line in range(max(map(len, columns))):
        cells = [
            (LEFT + number * (width + _GUTTER), column[line])
            for number, column in enumerate(columns)
            if line < len(column)
        ]
        yield one_line(4.6, *(msgspec.structs.replace(cell, x=x) for x, cell in cells))
    yield Row(height=2.0)


def _party(
    role: str, name: str, width: float, facts: Sequence[tuple[str, str | None]]
) -> list[Text]:
    texts = [Text(0, 0, role, LABEL, grey=True)]
    texts += [Text(0, 0, line, STRONG, bold=True) for line in wrap(name, width, STRONG, bold=True)]
    for label, fact in facts:
        if fact:
            said = f"{label}: {fact}" if label else fact
            texts += [Text(0, 0, line, PLAIN) for line in paragraphs(said, width, PLAIN)]
    return texts


def _purpose(index: int, answer: SheetAnswer, labels: Labels, *, last: bool) -> Iterator[Row]:
    """Title, full wording and answer of one purpose; the answer of the last keeps the signature."""
    heading = _continuation(index, answer.title, labels)
    title = tuple(_title(index, answer.title))
    wording = [
        one_line(4.6, Text(LEFT + _INDENT, 0, line, WORDING)) if line else Row(height=2.2)
        for line in paragraphs(answer.text, _TEXT_WIDTH, WORDING)
    ]
    reply = _reply(index, labels.answers[answer.kind, answer.answer], ticked=answer.answer)
    rows = [*title, *wording, reply]
    whole = height(rows) <= _WHOLE
    for number, row in enumerate(rows):
        near_title = number <= len(title)
        near_reply = len(rows) - 4 < number < len(rows) - 1
        keeps = whole or near_title or near_reply
        is_reply = number == len(rows) - 1
        yield msgspec.structs.replace(
            row, keeps=last if is_reply else keeps, heading=heading if number else None
        )


def _title(index: int, title: str) -> Iterator[Row]:
    numeral = Text(LEFT, 0, f"{index + 1}.", TITLE, bold=True)
    for number, line in enumerate(wrap(title, _TEXT_WIDTH, TITLE, bold=True)):
        text = Text(LEFT + _INDENT, 0, line, TITLE, bold=True)
        yield one_line(5.6, *((text,) if number else (numeral, text)), gap=0 if number else 5.5)


def _continuation(index: int, title: str, labels: Labels) -> Row:
    """The title once more, in one line, over what comes after a page break."""
    room = _TEXT_WIDTH - measure(labels.continued, TITLE, bold=True)
    words = f"{shortened(title, room, TITLE, bold=True)} {labels.continued}"
    numeral = Text(LEFT, 0, f"{index + 1}.", TITLE, bold=True)
    return one_line(_HEADING, numeral, Text(LEFT + _INDENT, 0, words, TITLE, bold=True))


def _reply(index: int, words: str, *, ticked: bool) -> Row:
    box = Area(LEFT + _INDENT, (6.4 - _BOX) / 2, _BOX, _BOX)
    row = one_line(6.4, Text(LEFT + _INDENT + _BOX + 2.6, 0, words, STRONG, bold=True), gap=1.2)
    return msgspec.structs.replace(row, boxes=(AnswerBox(answer=index, area=box, ticked=ticked),))


def _signature(labels: Labels) -> Iterator[Row]:
    confirmation = one_line(5.0, Text(LEFT, 0, labels.confirmation, WORDING), gap=9)
    yield msgspec.structs.replace(confirmation, keeps=True)
    rules = tuple(Rule(area.x, area.y + area.height, area.width, True) for area in _FIELDS)
    words = (labels.place, labels.date, labels.signature)
    texts = tuple(
        Text(area.x, area.y + area.height + 4, word, LABEL, grey=True)
        for area, word in zip(_FIELDS, words, strict=True)
    )
    yield Row(height=26, texts=texts, rules=rules, fields=_FIELDS)


# The rows on pages.


def _page(
    sheet: DeclarationSheet, labels: Labels, rows: list[tuple[float, Row]], page: int, pages: int
) -> Page:
    payload = codes.qr_payload(
        org=sheet.org, code=sheet.code, page=page, pages=pages, layout=LAYOUT
    )
    fields = next(
        ([_moved(area, y) for area in row.fields] for y, row in rows if row.fields), [None] * 3
    )
    top_left, top_right, bottom_left, bottom_right = CORNERS
    layout = PageLayout(
        page=page,
        pages=pages,
        width=WIDTH,
        height=HEIGHT,
        payload=payload,
        corners=(top_left, top_right, bottom_left, bottom_right),
        qr=QR,
        boxes=tuple(
            msgspec.structs.replace(box, area=_moved(box.area, y))
            for y, row in rows
            for box in row.boxes
        ),
        place=fields[0],
        date=fields[1],
        signature=fields[2],
    )
    body, lines = placed(rows)
    head = _first_head if page == 1 else _running_head
    return Page(
        layout=layout,
        texts=(*head(sheet, labels), *_beside_qr(sheet, labels), *body, _foot(labels, page, pages)),
        rules=(Rule(LEFT, 42.5, RIGHT - LEFT), *lines),
    )


def _moved(area: Area, down: float) -> Area:
    return msgspec.structs.replace(area, y=round(area.y + down, 3))


def _first_head(sheet: DeclarationSheet, labels: Labels) -> Iterator[Text]:
    y = 24.0
    for line in wrap(labels.title, _HEADER_WIDTH, HEAD, bold=True):
        yield Text(LEFT, y, line, HEAD, bold=True)
        y += 7.5
    day = written_day(labels, sheet.declared_on)
    yield Text(LEFT, y, f"{labels.prepared_on}: {day}", PLAIN)


def _running_head(sheet: DeclarationSheet, labels: Labels) -> Iterator[Text]:
    yield Text(LEFT, 22, labels.title, TITLE, bold=True)
    day = written_day(labels, sheet.declared_on)
    for y, said in (
        (27.5, f"{labels.controller}: {sheet.controller.name}"),
        (32.5, f"{labels.client}: {sheet.client_name}"),
        (37.5, f"{labels.prepared_on}: {day}"),
    ):
        yield Text(LEFT, y, shortened(said, _HEADER_WIDTH, PLAIN), PLAIN)


def _beside_qr(sheet: DeclarationSheet, labels: Labels) -> Iterator[Text]:
    code = codes.group(sheet.code)
    yield Text(_BESIDE_QR - measure(labels.code, LABEL), QR.y + 2.2, labels.code, LABEL, grey=True)
    yield Text(_BESIDE_QR - measure(code, TITLE, bold=True), QR.y + 7.5, code, TITLE, bold=True)


def _foot(labels: Labels, page: int, pages: int) -> Text:
    said = labels.page.format(page=page, pages=pages)
    return Text((WIDTH - measure(said, PLAIN)) / 2, FOOT, said, PLAIN)
