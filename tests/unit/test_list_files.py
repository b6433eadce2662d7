"""Lists as offices have them: alphabets, separators, workbooks; and what only looks like one."""

import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from chalicelib.documents import delimited, workbooks
from chalicelib.documents.delimited import Row, Trouble, Unreadable
from tests.workbooks import BOOK, MAIN, RELATED, packed, sheet_of, workbook

POLISH = "Imię i nazwisko;Zgoda\r\nŻaneta Łęcka;tak\r\nBłażej Gżegżółka;nie\r\n"
RUSSIAN = "Имя;Согласие\r\nЩукин Пётр;да\r\nI. Ли;нет\r\n"


def cells(rows: object) -> list[tuple[str, ...]]:
    """What the rows say."""
    return [row.cells for row in rows]  # type: ignore[attr-defined]


def refused(read: Callable[[], object]) -> Trouble:
    """Why it can't be read."""
    with pytest.raises(Unreadable) as found:
        read()
    return found.value.trouble


@pytest.mark.parametrize(
    ("said", "written_in", "expected"),
    [
        (POLISH, "utf-8", "utf-8"),
        (POLISH, "utf-8-sig", "utf-8-sig"),
        (POLISH, "cp1250", "cp1250"),
        (POLISH, "utf-16", "utf-16"),
        (POLISH, "utf-16-le", "utf-16-le"),
        (POLISH, "utf-16-be", "utf-16-be"),
        (RUSSIAN, "utf-8", "utf-8"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "utf-16", "utf-16"),
        ("Nazwa;E-mail\r\nŁucja Żółw;l@x.example\r\n", "cp1250", "cp1250"),
        ("name;id\r\nJóźwiak;1\r\n", "cp1250", "cp1250"),
        ("name;id\r\nRóg;1\r\n", "cp1250", "cp1250"),
        ("name;id\r\nЛи;1\r\n", "cp1251", "cp1251"),
        ("name;id\r\nКусок;1\r\n", "cp1251", "cp1251"),
        ("name;email\r\nAnn;a@x.example\r\n", "ascii", "utf-8"),
    ],
)
def test_the_alphabet_is_found_out(said: str, written_in: str, expected: str) -> None:
    """Issue 4, 9: with and without a mark, both old code pages, UTF-16 either way round."""
    raw = said.encode(written_in)
    name = delimited.encoding(raw)
    assert name == expected
    first, *_ = delimited.rows(raw, name, ";")
    assert first.cells == tuple(said.splitlines()[0].split(";"))


def test_what_is_no_text_is_refused() -> None:
    """Issue 4, bad input: bytes that no alphabet of ours has; half a sign of UTF-16."""
    assert refused(lambda: delimited.encoding(b"name\r\n\x81\x83\xff\x98")) is Trouble.NOT_TEXT
    assert refused(lambda: delimited.encoding(b"\xff\xfea")) is Trouble.NOT_TEXT


def test_a_quotation_mark_that_never_ends_is_told_with_its_line() -> None:
    """Issue 4, bad input: the rest of the file must not become one cell of one client."""
    for tail in ("x;y\r\n" * 100, "x" * 200_000):
        raw = f'name;note\r\nAnn;fine\r\nBob;"open\r\n{tail}'.encode()
        with pytest.raises(Unreadable) as found:
            list(delimited.rows(raw, "utf-8", ";"))
        assert (found.value.trouble, found.value.line) == (Trouble.QUOTES_OPEN, 3)


def test_rows_without_anything_in_them_are_no_rows() -> None:
    """Issue 4, bad input: empty lines are passed over, the numbers stay those of the file."""
    raw = b"sep=;\r\nname;email\r\n\r\n;;;\r\n  ;\t\r\nAnn;a@x.example\r\n"
    rows = list(delimited.rows(raw, "utf-8", ";"))
    assert [(row.number, row.cells[0]) for row in rows] == [(2, "name"), (6, "Ann")]


def test_a_cell_of_text_that_would_compute_is_marked() -> None:
    """Issue 4, bad input: a formula in a text file is a formula once it is opened."""
    (row,) = delimited.rows(b'Ann, =1+1 ,"=HYPERLINK(""x"")"', "utf-8", ",")
    assert row.formulas == (1, 2)


@pytest.mark.parametrize("shared", [True, False])
def test_a_workbook_says_what_its_cells_say(shared: bool) -> None:
    """Issue 4, 9: shared and inline text, numbers as people write them, gaps between cells."""
    raw = workbook(
        [["Imię", None, "Telefon"], ["Żaneta & <b>", None, 48600700800], [None, None, 1.5]],
        shared=shared,
    )
    assert cells(workbooks.rows(raw)) == [
        ("Imię", "", "Telefon"),
        ("Żaneta & <b>", "", "48600700800"),
        ("", "", "1.5"),
    ]


def test_a_telephone_number_is_no_power_of_ten() -> None:
    """Issue 4, 9: a workbook writes long numbers as 4.8E10."""
    sheet = sheet_of('<row r="1"><c r="A1"><v>4.8600700800000001E10</v></c></row>')
    assert cells(workbooks.rows(packed(parts() | {"xl/worksheets/sheet1.xml": sheet}))) == [
        ("48600700800",)
    ]


def test_a_formula_is_told_and_its_result_is_not_taken_for_text() -> None:
    """Issue 4, bad input: never evaluated; the line can be refused by its column."""
    (row,) = workbooks.rows(workbook([["Ann", "=IF(1,2)"]]))
    assert row.formulas == (1,)


def test_empty_rows_cost_no_memory() -> None:
    """Issue 4, bad input: constant memory, the rows between keep their numbers."""
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
    empty = "".join(f'<row r="{n}" spans="1:9"/>' for n in range(2, 200_001))
    last = '<row r="200001"><c r="A200001"/><c r="B200001"><v>7</v></c></row>'
    sheet = sheet_of(head + empty + last)
    raw = packed(parts() | {"xl/worksheets/sheet1.xml": sheet})
    del sheet, empty
    tracemalloc.start()
    rows = list(workbooks.rows(raw))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row.number for row in rows] == [1, 200_001]
    assert peak < 2 * 1024 * 1024


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_a_zip_bomb_is_refused_before_it_goes_off(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, bad input: what a part unpacks to has a limit, and no ZIP gives out more."""
    monkeypatch.setattr(workbooks, "MOST_SHEET", 100_000)
    monkeypatch.setattr(workbooks, "MOST_STRINGS", 100_000)
    raw = packed(parts() | {part: " " * 200_000})
    assert refused(lambda: list(workbooks.rows(raw))) is Trouble.TOO_LARGE


def test_a_zip_that_lies_about_its_size_is_damaged() -> None:
    """Issue 4, bad input: it says ten bytes and packs a million."""
    honest = packed(parts() | {"xl/worksheets/sheet1.xml": sheet_of(" " * 1_000_000)})
    with zipfile.ZipFile(BytesIO(honest)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = honest.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    assert refused(lambda: list(workbooks.rows(lying))) is Trouble.DAMAGED


def test_entities_are_not_even_read() -> None:
    """Issue 4, bad input: a document type is refused, whatever it declares (billion laughs)."""
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    sheet = sheet_of('<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>')
    raw = packed(parts() | {"xl/worksheets/sheet1.xml": bomb + sheet.partition("?>")[2]})
    assert refused(lambda: list(workbooks.rows(raw))) is Trouble.DAMAGED


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        (b"PK\x03\x04" + b"x" * 100, Trouble.DAMAGED),
        (b"\xd0\xcf\x11\xe0" + bytes(600), Trouble.ENCRYPTED),
        (packed({"a.txt": "x"}), Trouble.DAMAGED),
        (packed({"xl/workbook.xml": BOOK}), Trouble.DAMAGED),
        (packed({"xl/workbook.xml": "<workbook"}), Trouble.DAMAGED),
        (packed({f"{n}.xml": "" for n in range(2001)}), Trouble.TOO_LARGE),
    ],
)
def test_what_only_looks_like_a_workbook(raw: bytes, trouble: Trouble) -> None:
    """Issue 4, bad input: broken, behind a password, another ZIP, XML that ends too soon."""
    assert workbooks.is_workbook(raw)
    assert refused(lambda: list(workbooks.rows(raw))) is trouble


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>x</v></c></row>',
        '<row r="x"><c r="A1"><v>1</v></c></row>',
        f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"x" * 40_000}</t></is></c></row>',
    ],
)
def test_a_row_that_no_program_writes(row: str) -> None:
    """Issue 4, bad input: a workbook that was tampered with is damaged as a whole."""
    raw = packed(parts() | {"xl/worksheets/sheet1.xml": sheet_of(row)})
    assert refused(lambda: list(workbooks.rows(raw))) is Trouble.DAMAGED


def test_a_column_out_of_reach_is_no_cell() -> None:
    """Issue 4, bad input: a cell far to the right costs no row of empty ones."""
    row = '<row r="1"><c r="XFD1"><v>1</v></c><c r="??"><v>1</v></c><c r="A1"><v>2</v></c></row>'
    raw = packed(parts() | {"xl/worksheets/sheet1.xml": sheet_of(row)})
    assert list(workbooks.rows(raw)) == [Row(number=1, cells=("2",))]


def test_days_may_begin_in_1904() -> None:
    """Issue 4, 9: old Macintoshes counted from there."""
    assert not workbooks.is_1904(workbook([["x"]]))
    old = BOOK.replace("<workbookPr/>", '<workbookPr date1904="1"/>')
    assert workbooks.is_1904(workbook([["x"]], book=old))


def parts() -> dict[str, str]:
    """A workbook to spoil."""
    return {
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": RELATED,
        "xl/worksheets/sheet1.xml": sheet_of(""),
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"/>',
    }
