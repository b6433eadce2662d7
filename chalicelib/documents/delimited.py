"""A table in plain text as offices have it: any of five alphabets, any of three separators.

What wrote the file does not say which, so it is found out: marks and zeros tell UTF-16, UTF-8 is
what decodes as such, and of the two old code pages the one that makes more letters of the signs.
Rows are read one by one.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

SEPARATORS = (",", ";", "\t")
MOST_TOGETHER = 40  # lines of one row: beyond that somebody forgot to close a quotation mark
_PROBE = 1_000_000
_CHUNK = 1 << 16
_POLISH = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ".encode("cp1250")
_RUSSIAN = bytes([0xA8, 0xB8, *range(0xC0, 0x100)])
_SEP_LINE = re.compile(r"\s*sep=[,;\t]?\s*", re.IGNORECASE)


class Trouble(StrEnum):
    """Why a table can't be read at all."""

    NOT_TEXT = "not_text"
    QUOTES_OPEN = "quotes_open"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    EMPTY = "empty"


class Unreadable(Exception):
    """The table can't be read; `line` where that was seen, if it was one."""

    def __init__(self, trouble: Trouble, line: int = 0) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
        self.line = line


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row that holds something: its number in the file, its cells, which of them compute."""

    number: int
    cells: tuple[str, ...]
    formulas: tuple[int, ...] = ()


def encoding(content: bytes) -> str:
    """How the text is written down; `Unreadable` where it is none."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _held(content, name)
    probe = content[:400]
    if b"\0" in probe:
        even, odd = probe[::2].count(0), probe[1::2].count(0)
        return _held(content, "utf-16-le" if odd > even else "utf-16-be")
    if _decodes(content, "utf-8"):
        return "utf-8"
    return _held(content, _code_page(content[:_PROBE]))


def rows(content: bytes, name: str, separator: str) -> Iterator[Row]:
    """The rows that hold something, one by one; `Unreadable` where a row never ends."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding=name, newline="")
    reader = csv.reader(text, delimiter=separator)
    before = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Unreadable(Trouble.QUOTES_OPEN, before + 1) from error
        first, before = before + 1, reader.line_num
        if cells is None:
            return
        if before - first >= MOST_TOGETHER:
            raise Unreadable(Trouble.QUOTES_OPEN, first)
        if first == 1 and _SEP_LINE.fullmatch(separator.join(cells)):
            continue  # a spreadsheet's note to itself
        if any(one.strip() for one in cells):
            formulas = tuple(n for n, one in enumerate(cells) if one.lstrip().startswith("="))
            yield Row(number=first, cells=tuple(cells), formulas=formulas)


def _held(content: bytes, name: str) -> str:
    if not _decodes(content, name):
        raise Unreadable(Trouble.NOT_TEXT)
    return name


def _decodes(content: bytes, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _code_page(probe: bytes) -> str:
    """Of which alphabet more signs are letters; if that is even, Russian ones stand side by side.

    Each alphabet has letters where the other has few: a Polish text read as Russian has numero
    signs in its words, and a Russian one read as Polish has letters of Slovaks and Hungarians.
    """
    runs = re.findall(rb"[\x80-\xff]+", probe)
    polish = sum(len(one) - len(one.translate(None, _POLISH)) for one in runs)
    russian = sum(len(one) - len(one.translate(None, _RUSSIAN)) for one in runs)
    if polish != russian:
        return "cp1250" if polish > russian else "cp1251"
    return "cp1251" if any(len(one) > 2 for one in runs) else "cp1250"
