"""The first sheet of an XLSX workbook, row by row: text is taken, nothing is ever computed.

A workbook is a ZIP of XML. Only the parts that are needed are opened, each with a limit on what it
may unpack to; a document type, and with it every entity, is refused; a row without cells costs its
tag and nothing else, so a million of them cost no memory. A formula is told by its column, and its
last result is not taken: nobody knows whose computer made it.
"""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat

from chalicelib.documents.delimited import Row, Trouble, Unreadable

MOST_SHEET = 400 * 1024 * 1024
MOST_STRINGS = 96 * 1024 * 1024
MOST_SMALL = 1024 * 1024
MOST_ENTRIES = 2000
MOST_COLUMNS = 256
MOST_CELL = 32_767  # characters, by the format itself
_CHUNK = 1 << 16
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_BROKEN = (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, KeyError, ValueError)
_SHEET, _STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def is_workbook(content: bytes) -> bool:
    """Whether it begins as a ZIP does, or as what Office makes of a workbook with a password."""
    return content.startswith((b"PK\x03\x04", _OLD_OFFICE))


def rows(content: bytes) -> Iterator[Row]:
    """The rows of the first sheet that hold something; `Unreadable` for what is no workbook."""
    if content.startswith(_OLD_OFFICE):
        raise Unreadable(Trouble.ENCRYPTED)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if len(archive.infolist()) > MOST_ENTRIES:
                raise Unreadable(Trouble.TOO_LARGE)
            names = set(archive.namelist())
            sheet = _first_sheet(archive, names)
            strings = _strings(archive) if _STRINGS in names else []
            yield from _rows(archive, sheet, strings)
    except (RuntimeError, NotImplementedError) as error:  # a password; an unknown packing
        raise Unreadable(Trouble.ENCRYPTED) from error
    except _BROKEN as error:
        raise Unreadable(Trouble.DAMAGED) from error


def is_1904(content: bytes) -> bool:
    """Whether days are counted from 1904, as old Macintoshes did."""
    found: list[bool] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            found.append(attributes.get("date1904", "0") in {"1", "true"})

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _drain(_parsed(archive, "xl/workbook.xml", MOST_SMALL, start))
    return any(found)


def _first_sheet(archive: zipfile.ZipFile, names: set[str]) -> str:
    """The part that holds the sheet shown first."""
    ids: list[str] = []
    targets: dict[str, str] = {}

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            ids.extend(value for key, value in attributes.items() if key.endswith(":id"))

    def related(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            targets[attributes["Id"]] = attributes["Target"]

    _drain(_parsed(archive, "xl/workbook.xml", MOST_SMALL, sheet))
    if "xl/_rels/workbook.xml.rels" in names:
        _drain(_parsed(archive, "xl/_rels/workbook.xml.rels", MOST_SMALL, related))
    target = targets.get(ids[0], "") if ids else ""
    found = posixpath.normpath(posixpath.join("/xl", target))[1:] if target else _SHEET
    return found if found in names else _SHEET


def _strings(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells point to."""
    read = _Strings()
    _drain(_parsed(archive, _STRINGS, MOST_STRINGS, read.start, read.end, read.said))
    return read.found


def _rows(archive: zipfile.ZipFile, sheet: str, strings: list[str]) -> Iterator[Row]:
    read = _Sheet(strings)
    for _ in _parsed(archive, sheet, MOST_SHEET, read.start, read.end, read.said):
        yield from read.done
        read.done.clear()


class _Strings:
    """The texts that the parser has seen; how a word is read aloud (`rPh`) is left out."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.text: list[str] = []
        self.inside = False
        self.aloud = False

    def start(self, name: str, _: dict[str, str]) -> None:
        """A tag begins."""
        if name == "si":
            self.text.clear()
        elif name == "rPh":
            self.aloud = True
        elif name == "t":
            self.inside = not self.aloud

    def said(self, data: str) -> None:
        """Text, of whichever run of letters."""
        if self.inside:
            self.text.append(data)

    def end(self, name: str) -> None:
        """A tag ends."""
        if name == "t":
            self.inside = False
        elif name == "rPh":
            self.aloud = False
        elif name == "si":
            self.found.append("".join(self.text)[: MOST_CELL + 1])


class _Sheet:
    """What the parser has seen of the row that it is in."""

    def __init__(self, strings: list[str]) -> None:
        self.strings = strings
        self.done: list[Row] = []
        self.number = 0
        self.cells: list[str] = []
        self.formulas: list[int] = []
        self.column = -1
        self.kind = ""
        self.text: list[str] = []
        self.inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A tag begins."""
        if name == "c":
            place = attributes.get("r", "")
            self.column = _column(place) if place else self.column + 1
            self.kind = attributes.get("t", "n")
            self.text.clear()
        elif name in ("v", "t"):
            self.inside = True
        elif name == "f":
            self.formulas.append(self.column)
        elif name == "row":
            self.number = int(attributes.get("r", self.number + 1))
            self.column = -1

    def said(self, data: str) -> None:
        """Text; what is between the tags of a row is nobody's."""
        if self.inside:
            self.text.append(data)

    def end(self, name: str) -> None:
        """A tag ends."""
        if name in ("v", "t"):
            self.inside = False
        elif name == "c":
            self._cell()
        elif name == "row" and (self.cells or self.formulas):
            if any(one.strip() for one in self.cells) or self.formulas:
                self.done.append(
                    Row(
                        number=self.number,
                        cells=tuple(self.cells),
                        formulas=tuple(self.formulas),
                    )
                )
            self.cells, self.formulas = [], []

    def _cell(self) -> None:
        if not self.text or self.column >= MOST_COLUMNS:
            return
        value = "".join(self.text)
        if self.kind == "s":
            place = int(value)
            if place < 0:
                raise ValueError(place)
            value = self.strings[place] if place < len(self.strings) else ""
        elif self.kind == "n":
            value = _number(value)
        if len(value) > MOST_CELL:
            raise Unreadable(Trouble.DAMAGED, self.number)
        self.cells += [""] * (self.column + 1 - len(self.cells))
        self.cells[self.column] = value


def _column(place: str) -> int:
    """`B7` -> 1."""
    number = 0
    for one in place:
        if not "A" <= one <= "Z":
            break
        number = number * 26 + ord(one) - 64
    return number - 1 if number else MOST_COLUMNS


def _number(value: str) -> str:
    """A number as people write it: a telephone number is no `4.86E10`."""
    if value.isdigit():
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else value


def _parsed(
    archive: zipfile.ZipFile,
    part: str,
    most: int,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] = lambda name: None,
    said: Callable[[str], None] = lambda data: None,
) -> Iterator[None]:
    """Parse a part chunk by chunk; names come without their prefix."""
    if archive.getinfo(part).file_size > most:  # a ZIP gives out no more than it says
        raise Unreadable(Trouble.TOO_LARGE)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, given: start(name.rpartition(":")[2], given)
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = said
    parser.StartDoctypeDeclHandler = _refuse
    with archive.open(part) as content:
        while chunk := content.read(_CHUNK):
            parser.Parse(chunk, False)
            yield
    parser.Parse(b"", True)
    yield


def _refuse(*_: Any) -> None:
    raise Unreadable(Trouble.DAMAGED)


def _drain(steps: Iterator[None]) -> None:
    for _ in steps:
        pass
