"""Letters on paper, as PDF/A-2u (M80, M84).

An official letter goes by registered post, or is handed over in person: its address shows in the
window of a DL envelope when the sheet is folded at its marks. It has any length, and nothing in it
is cut off.
"""

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec
from msgspec.structs import replace

from chalicelib.documents.lines import measure, paragraphs, shortened, wrap
from chalicelib.documents.pages import (
    LABEL,
    PLAIN,
    STRONG,
    TITLE,
    WIDTH,
    Column,
    Row,
    Rule,
    Text,
    height,
    one_line,
    paginate,
    placed,
)
from chalicelib.documents.pdf import document, draw_rules, draw_texts
from chalicelib.documents.sheet import Controller, Language
from chalicelib.kernel.days import day

LEFT, RIGHT = 25.0, 190.0
FOOT = 287.0
COLUMN = Column(top=18.0, bottom=272.0, heading=8.0)
# What shows in a window of 90 by 45 mm, 20 mm from the left and 15 mm from the bottom of a DL
# envelope, however the folded sheet slides in it.
WINDOW = (25.0, 48.0, 75.0, 37.0)
FOLDS = (105.0, 210.0)

_BODY, _BODY_LINE, _BLANK = 10.5, 5.3, 2.6
_TEXT = RIGHT - LEFT
# The size of an address and the height of its lines: the first that fits the window.
_ADDRESS = ((10.5, 4.8), (9.0, 4.1), (8.0, 3.6))


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A passage with a title of its own; without a title it is a plain paragraph."""

    title: str = ""
    text: str


class OfficialLetter(msgspec.Struct, frozen=True, kw_only=True):
    """All that a letter on paper says. Plain text throughout: nothing in it is markup.

    `recipient` has one line for each line of the address, the name first. What the rules want said
    (`elements`) and where to turn next (`elsewhere`) come after the words of who signs.
    """

    language: Language
    organisation: Controller
    recipient: str
    on: date
    reference: str
    subject: str
    text: str
    elements: tuple[Section, ...] = ()
    elsewhere: tuple[Section, ...] = ()
    signer_name: str
    signer_position: str
    enclosures: tuple[str, ...] = ()


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """One language's own words on paper."""

    greeting: str
    closing: str
    our_reference: str
    enclosures: str
    email: str
    phone: str
    registry_number: str
    page: str


WORDS: dict[Language, Words] = {
    "pl": Words(
        greeting="Szanowni Państwo,",
        closing="Z poważaniem",
        our_reference="Numer sprawy",
        enclosures="Załączniki",
        email="E-mail",
        phone="Telefon",
        registry_number="Numer w rejestrze",
        page="{reference} – strona {page} z {pages}",
    ),
    "en": Words(
        greeting="Dear Sir or Madam,",
        closing="Yours faithfully,",
        our_reference="Our reference",
        enclosures="Enclosures",
        email="E-mail",
        phone="Telephone",
        registry_number="Registry number",
        page="{reference} – page {page} of {pages}",
    ),
    "ru": Words(
        greeting="Здравствуйте!",
        closing="С уважением,",
        our_reference="Номер обращения",
        enclosures="Приложения",
        email="Эл. почта",
        phone="Телефон",
        registry_number="Регистрационный номер",
        page="{reference} – страница {page} из {pages}",
    ),
}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page as it is drawn; `sections` are those that begin on it, with their tops."""

    texts: tuple[Text, ...]
    rules: tuple[Rule, ...]
    sections: tuple[tuple[float, str], ...] = ()


def render(letter: OfficialLetter) -> bytes:
    """The letter; the same for the same facts."""
    title = f"{letter.subject} {letter.reference}"
    return _drawn(typeset(letter), title, letter.language, letter.on)


def typeset(letter: OfficialLetter) -> tuple[Page, ...]:
    """The letter's pages; the first has the marks at which it is folded."""
    first, *others = _pages(_letter(letter), WORDS[letter.language], letter.reference)
    marks = tuple(Rule(6.0, y, 5.0) for y in FOLDS)
    return replace(first, rules=(*first.rules, *marks)), *others


def _drawn(pages: Iterable[Page], title: str, language: Language, on: date) -> bytes:
    pdf = document(title, language, on)
    for page in pages:
        pdf.add_page()
        draw_rules(pdf, page)
        draw_texts(pdf, page)
    return bytes(pdf.output())


def _pages(rows: Iterable[Row], words: Words, reference: str) -> Iterator[Page]:
    whole = list(paginate(rows, COLUMN))
    for number, on_page in enumerate(whole, 1):
        texts, rules = placed(on_page)
        said = words.page.format(reference=reference, page=number, pages=len(whole))
        foot = shortened(said, _TEXT, LABEL)
        at = (WIDTH - measure(foot, LABEL)) / 2
        yield Page(texts=(*texts, Text(at, FOOT, foot, LABEL, grey=True)), rules=rules)


# A letter, from top to bottom.


def _letter(letter: OfficialLetter) -> Iterator[Row]:
    words = WORDS[letter.language]
    yield from _letterhead(letter.organisation, words)
    yield from _address(letter)
    yield from _opening(letter, words)
    passages = [Section(text=letter.text), *letter.elements, *letter.elsewhere]
    *rest, last = [row for passage in passages for row in _passage(passage)]
    yield from rest
    yield replace(last, keeps=True)  # nobody signs a page that says nothing
    yield from _signature(letter, words)


def _letterhead(organisation: Controller, words: Words) -> Iterator[Row]:
    """Who writes: as high as it is, the address below stands where it stands."""
    contact = (
        ", ".join(part.strip() for part in organisation.address.splitlines() if part.strip()),
        f"{words.phone}: {organisation.phone}",
        f"{words.email}: {organisation.email}",
        f"{words.registry_number}: {organisation.registry_number}",
    )
    rows = [
        one_line(6.0, Text(LEFT, 0, name, 13.0, bold=True))
        for name in _at_most(2, organisation.name, 13.0, bold=True)
    ]
    rows += [
        one_line(4.0, Text(LEFT, 0, said, LABEL, grey=True))
        for said in _at_most(3, " · ".join(contact), LABEL)
    ]
    yield from (replace(row, keeps=True) for row in rows)
    room = WINDOW[1] - COLUMN.top - height(rows)
    yield Row(height=room, rules=(Rule(LEFT, 1.5, _TEXT),), keeps=True)


def _at_most(most: int, text: str, size: float, *, bold: bool = False) -> list[str]:
    found = wrap(text, _TEXT, size, bold=bold)
    if len(found) <= most:
        return found
    rest = shortened(" ".join(found[most - 1 :]), _TEXT, size, bold=bold)
    return [*found[: most - 1], rest]


def _address(letter: OfficialLetter) -> Iterator[Row]:
    """To whom: in the window; an address that is too long for any window is printed whole."""
    x, _, width, room = WINDOW
    sender = f"{letter.organisation.name}, {' '.join(letter.organisation.address.split())}"
    back = one_line(3.8, Text(x, 0, shortened(sender, width, 6.0), 6.0, grey=True))
    rows: list[Row] = []
    for size, step in _ADDRESS:
        said = [one for one in paragraphs(letter.recipient, width, size) if one]
        rows = [back, *(one_line(step, Text(x, 0, one, size)) for one in said)]
        if height(rows) <= room:
            break
    yield from (replace(row, keeps=True) for row in rows)
    yield Row(height=max(0.0, room - height(rows)) + 4.0, keeps=True)


def _opening(letter: OfficialLetter, words: Words) -> Iterator[Row]:
    on = day(letter.on, letter.language)
    yield replace(one_line(5.0, Text(RIGHT - measure(on, STRONG), 0, on, STRONG)), keeps=True)
    said = shortened(f"{words.our_reference}: {letter.reference}", _TEXT, STRONG)
    yield replace(one_line(5.0, Text(LEFT, 0, said, STRONG), gap=2.0), keeps=True)
    for number, said in enumerate(wrap(letter.subject, _TEXT, 12.0, bold=True)):
        gap = 0.0 if number else 4.0
        yield replace(one_line(6.0, Text(LEFT, 0, said, 12.0, bold=True), gap=gap), keeps=True)
    greeting = one_line(_BODY_LINE, Text(LEFT, 0, words.greeting, _BODY), gap=4.0)
    yield replace(greeting, keeps=True)
    yield Row(height=_BLANK, keeps=True)


def _passage(passage: Section) -> Iterator[Row]:
    for number, said in enumerate(wrap(passage.title, _TEXT, TITLE, bold=True)):
        gap = 0.0 if number else 4.0
        yield replace(one_line(5.8, Text(LEFT, 0, said, TITLE, bold=True), gap=gap), keeps=True)
    if not passage.title:
        yield Row(height=_BLANK, keeps=True)
    yield from body(passage.text)


def body(text: str, *, x: float = LEFT, size: float = _BODY, step: float = _BODY_LINE) -> list[Row]:
    """Paragraphs as rows; no line of one stands alone at the end or the beginning of a page."""
    rows: list[Row] = []
    for paragraph in text.split("\n"):
        said = paragraphs(paragraph, RIGHT - x, size)
        for number, one in enumerate(said):
            row = one_line(step, Text(x, 0, one, size)) if one else Row(height=_BLANK)
            held = len(said) > 1 and number in (0, len(said) - 2)
            rows.append(replace(row, keeps=held))
    return rows


def _signature(letter: OfficialLetter, words: Words) -> Iterator[Row]:
    yield replace(one_line(_BODY_LINE, Text(LEFT, 0, words.closing, _BODY), gap=6.0), keeps=True)
    yield Row(height=16.0, keeps=True)
    signer = [(one, True) for one in wrap(letter.signer_name, _TEXT, _BODY, bold=True)]
    signer += [(one, False) for one in wrap(letter.signer_position, _TEXT, _BODY)]
    for number, (one, bold) in enumerate(signer):
        row = one_line(_BODY_LINE, Text(LEFT, 0, one, _BODY, bold=bold))
        yield replace(row, keeps=number < len(signer) - 1)
    if letter.enclosures:
        yield _heading(words.enclosures, size=PLAIN)
    for number, name in enumerate(letter.enclosures, 1):
        yield from body(f"{number}. {name}", size=PLAIN, step=4.4)


def _heading(said: str, *, size: float = TITLE) -> Row:
    return replace(one_line(8.0, Text(LEFT, 0, said, size, bold=True), gap=5.0), keeps=True)
