"""Workbooks made by hand, as small, as large or as broken as a test wants them."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
BOOK = (
    f'<workbook xmlns="{MAIN}" xmlns:r="{_RELATED}"><workbookPr/>'
    '<sheets><sheet name="Zgody" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATED = (
    f'<Relationships xmlns="{_PACKAGE}">'
    f'<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>"
)


def workbook(
    rows: Iterable[Sequence[Any]], *, shared: bool = True, book: str = BOOK, tail: str = ""
) -> bytes:
    """A workbook of one sheet: text shared or in the cell, numbers as numbers, `=` as a formula."""
    strings: dict[str, int] = {}
    lines = []
    for number, row in enumerate(rows, 1):
        cells = (_cell(n, number, one, strings if shared else None) for n, one in enumerate(row))
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    sheet = sheet_of("".join(lines) + tail)
    texts = "".join(f"<si><t>{escape(one)}</t></si>" for one in strings)
    return packed(
        {
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": RELATED,
            "xl/worksheets/sheet1.xml": sheet,
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
        }
    )


def sheet_of(rows: str) -> str:
    """A sheet of these rows."""
    return (
        f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    )


def packed(parts: dict[str, str]) -> bytes:
    """The parts as a ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def _cell(place: int, number: int, value: object, strings: dict[str, int] | None) -> str:
    where = f'r="{chr(65 + place)}{number}"'
    if value is None:
        return f"<c {where}/>"
    if isinstance(value, int | float):
        return f"<c {where}><v>{value}</v></c>"
    told = str(value)
    if told.startswith("="):
        return f'<c {where} t="str"><f>{escape(told[1:])}</f><v>tak</v></c>'
    if strings is None:
        return f'<c {where} t="inlineStr"><is><t>{escape(told)}</t></is></c>'
    return f'<c {where} t="s"><v>{strings.setdefault(told, len(strings))}</v></c>'
