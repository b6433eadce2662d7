"""A list of old consents as its columns say it: headers in three languages, a row into a line.

The words are data (`columns.toml`). A column of a consent begins with its name or its title in any
language of the organisation, and may go on with what it says of it: `marketing`, `marketing: date`,
`marketing: source`, `marketing: note`; what is not said there stands in the columns `date`,
`source` and `note` of the line. Nothing is guessed: a word that is not known is refused, and so is
a date that two countries would read differently.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.clients.domain import Contract, ContractState, Identity, Kind, Served
from chalicelib.consents.standings import Decided, Source
from chalicelib.documents.delimited import Row
from chalicelib.kernel import tables, text, workdays
from chalicelib.kernel.errors import Invalid

CONSENT = "consent:"
MOST_CELL = 1000
_FILE = Path(__file__).parent / "columns.toml"
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})[.-](\d{1,2})[.-](\d{4})")
_SERIAL = re.compile(r"[1-9]\d{4}(\.\d+)?")
_OLDEST = datetime(1950, 1, 1, tzinfo=UTC)


class ColumnMissing(Invalid):
    """A list without names is a list of nobody."""

    code = "column_missing"
    sentence = "The first line must name the columns, and one of them must hold the client's name."


class ColumnTwice(Invalid):
    """Two columns of one meaning: nobody knows which one counts."""

    code = "column_twice"
    sentence = "Two columns say the same of a client."


class FormulaRefused(Invalid):
    """A formula says what the computer of whoever opens it makes of it."""

    code = "formula_refused"
    sentence = "This cell holds a formula: put its value there."


class WordUnknown(Invalid):
    code = "word_unknown"
    sentence = "Nobody knows this word in this column."


class DateRefused(Invalid):
    """No date, or one that two countries read differently, or one out of reach."""

    code = "date_refused"
    sentence = "Write dates as 2019-05-31 or 31.05.2019."


class DecisionIncomplete(Invalid):
    """A consent without its day and its source proves nothing (S52-S54)."""

    code = "decision_incomplete"
    sentence = "A decision needs its date and its source."


class NothingToFindBy(Invalid):
    """Read again, the line would make the client again."""

    code = "nothing_to_find_by"
    sentence = "Give the client's number, e-mail address or telephone number."


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a line says of one consent."""

    purpose: str
    decided: Decided
    decided_at: datetime
    source: Source
    note: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line as it was read: a client with decisions, or why it can't be taken.

    `problem` is a code, `field` the column by its own name here.
    """

    number: int
    identity: Identity | None = None
    external_id: str = ""
    contract: Contract = Contract()
    notice_at: datetime | None = None
    decisions: tuple[Decision, ...] = ()
    problem: str = ""
    field: str = ""


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Which column holds what; `ignored` are the headers that mean nothing here."""

    places: Mapping[str, int]
    ignored: tuple[str, ...]

    @property
    def purposes(self) -> tuple[str, ...]:
        """The consents of which a column tells."""
        found = (name.split(":")[1] for name in self.places if name.startswith(CONSENT))
        return tuple(dict.fromkeys(found))


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How the cells of this organisation's lists are to be read; `first_day` of a workbook's days.

    None where the list is no workbook, and a number no day.
    """

    languages: tuple[str, ...]
    time_zone: str
    first_day: date | None = None


def columns(header: Sequence[str], purposes: Mapping[str, Iterable[str]]) -> Columns:
    """What the columns hold. `purposes`: each consent with its titles.

    `ColumnTwice` and `ColumnMissing` name the column.
    """
    known = _known(purposes)
    places: dict[str, int] = {}
    ignored = []
    for place, title in enumerate(header):
        name = known.get(_plain(title))
        if name is None:
            if title.strip():
                ignored.append(text.cleaned(title).strip()[:60])
            continue
        if name in places:
            raise ColumnTwice(field=name)
        places[name] = place
    if "name" not in places:
        raise ColumnMissing(field="name")
    return Columns(places=places, ignored=tuple(ignored[:50]))


def score(header: Sequence[str], purposes: Mapping[str, Iterable[str]]) -> int:
    """How many columns of a first line are known: so its separator and alphabet are found."""
    known = _known(purposes)
    return sum(_plain(one) in known for one in header)


def line(row: Row, found: Columns, reading: Reading) -> Line:
    """The row as a line; what is wrong with it is its problem, and nobody else's."""
    cells = _Cells(row, found, reading)
    try:
        return _line(cells)
    except Invalid as error:
        return Line(number=row.number, problem=error.code, field=error.field or "")


class _Cells:
    """The cells of one row, by what they hold."""

    def __init__(self, row: Row, found: Columns, reading: Reading) -> None:
        self.row = row
        self.found = found
        self.reading = reading

    def text(self, name: str) -> str:
        """What the cell says; "" where there is none. `FormulaRefused` for one that computes."""
        place = self.found.places.get(name)
        if place is None:
            return ""
        if place in self.row.formulas:
            raise FormulaRefused(field=name)
        if place >= len(self.row.cells):
            return ""
        said = tables.unquoted(self.row.cells[place]).strip()
        if len(said) > MOST_CELL:
            raise text.TextRefused(field=name)
        return said

    def word(self, name: str, kind: str, otherwise: str) -> str:
        """The word of our own that stands for what the cell says."""
        said = self.text(name)
        if not said:
            return otherwise
        try:
            return _words(kind)[_plain(said)]
        except KeyError as error:
            raise WordUnknown(field=name) from error

    def moment(self, name: str) -> datetime | None:
        """The day that the cell names, from its beginning; or the very moment, where it says one.

        A day begins before its decisions, so that none of the same day is taken for an earlier one.
        """
        said = self.text(name)
        if not said:
            return None
        moment = _moment(said, self.reading)
        if moment is None or moment < _OLDEST:
            raise DateRefused(field=name)
        return moment

    def day(self, name: str) -> date | None:
        """The day alone."""
        moment = self.moment(name)
        return None if moment is None else workdays.local(moment, self.reading.time_zone).date()


def _line(cells: _Cells) -> Line:
    identity = Identity(
        kind=Kind(cells.word("kind", "kind", "person")),
        name=text.line(cells.text("name"), "name", most=120),
        language=cells.word("language", "language", cells.reading.languages[0]),
        served=Served(cells.word("served", "served", "direct")),
        email=cells.text("email") and text.email(cells.text("email"), "email"),
        phone=cells.text("phone") and text.phone(cells.text("phone"), "phone"),
        address=cells.text("address") and text.line(cells.text("address"), "address"),
    )
    external_id = cells.text("external_id")
    external_id = external_id and text.line(external_id, "external_id", most=80)
    if not (external_id or identity.email or identity.phone):
        raise NothingToFindBy(field="external_id")
    state = ContractState(cells.word("contract", "contract", "unknown"))
    return Line(
        number=cells.row.number,
        identity=identity,
        external_id=external_id,
        contract=Contract(state=state, ended_on=cells.day("contract_ended_on")),
        notice_at=cells.moment("notice_given_at"),
        decisions=tuple(_decisions(cells)),
    )


def _decisions(cells: _Cells) -> Iterable[Decision]:
    for purpose in cells.found.purposes:
        prefix = f"{CONSENT}{purpose}"
        decided: Any = cells.word(prefix, "decided", "")
        if not decided:
            continue
        at = cells.moment(f"{prefix}:decided_at") or cells.moment("decided_at")
        source: Any = cells.word(f"{prefix}:source", "source", "")
        source = source or cells.word("source", "source", "")
        if at is None or not source:
            raise DecisionIncomplete(field=f"{prefix}:source" if at else f"{prefix}:decided_at")
        note = cells.text(f"{prefix}:note") or cells.text("note")
        note = note and text.line(note, "note", most=MOST_CELL)
        yield Decision(purpose=purpose, decided=decided, decided_at=at, source=source, note=note)


def _moment(said: str, reading: Reading) -> datetime | None:
    whole = _DAY.fullmatch(said)
    if whole:
        year, month, day = (whole[1], whole[2], whole[3]) if whole[1] else whole.group(6, 5, 4)
        return _begun(int(year), int(month), int(day), reading)
    if reading.first_day is not None and _SERIAL.fullmatch(said):
        found = reading.first_day + timedelta(days=int(float(said)))
        return workdays.instant(found, time(), reading.time_zone)
    try:
        moment = datetime.fromisoformat(said)
        if moment.tzinfo is None:
            return workdays.instant(moment.date(), moment.time(), reading.time_zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _begun(year: int, month: int, day: int, reading: Reading) -> datetime | None:
    try:
        return workdays.instant(date(year, month, day), time(), reading.time_zone)
    except (ValueError, OverflowError):
        return None


def _known(purposes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Every header that means something, and what: `name`, `consent:marketing:source`.

    Where a consent is called as a field is, such as `email`, the header alone means the field.
    """
    known: dict[str, str] = {}
    for name, words in _data()["fields"].items():
        known |= {_plain(word): name for word in (name, *words)}
    for purpose, titles in purposes.items():
        for named in {_plain(title) for title in (purpose, *titles)}:
            meaning = f"{CONSENT}{purpose}"
            known.setdefault(named, meaning)
            for word in _data()["aspects"]["decided"]:
                known.setdefault(f"{_plain(word)} {named}", meaning)
            for aspect, words in _data()["aspects"].items():
                told = meaning if aspect == "decided" else f"{meaning}:{aspect}"
                for word in (aspect, *words):
                    known.setdefault(f"{named} {_plain(word)}", told)
    return known


def _plain(said: str) -> str:
    """Words as they are compared: without case, accents and punctuation."""
    return re.sub(r"[\W_]+", " ", text.fold(said)).strip()


@cache
def _words(kind: str) -> Mapping[str, str]:
    meanings = _data()["values"][kind].items()
    return {_plain(word): name for name, words in meanings for word in (name, *words)}


@cache
def _data() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
