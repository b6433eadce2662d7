"""The declaration as PDF/A-2u, ready to be signed (S28-S30; issue 2, item 9).

Once it is confirmed, its copy for the client is PDF/A-3u with the consent record in it (S48).

Pure and repeatable: the same sheet gives the same bytes, so a retry stores the same paper under the
same SHA-256, and a scan is compared with what was printed. No clock: the document's date is the day
of the declaration. Text goes through `FPDF.text`, which knows no markup, so nothing that a person
wrote can become a link, a script or a format.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chalicelib.documents import codes, typesetting
from chalicelib.documents.labels import LABELS
from chalicelib.documents.pdf import INK, Embedded, document, draw_rules, draw_texts
from chalicelib.documents.sheet import Area, DeclarationSheet, PageLayout
from chalicelib.documents.typesetting import LAYOUT, Page

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["LAYOUT", "layout", "render"]

_SEAM = 0.02  # modules overlap by this much, so that no viewer shows white hairs between them


def layout(sheet: DeclarationSheet) -> tuple[PageLayout, ...]:
    """Where marks, boxes and fields of each page stand: the pass that also draws them (S35)."""
    return tuple(page.layout for page in typesetting.typeset(sheet))


def render(sheet: DeclarationSheet, embedded: Embedded | None = None) -> bytes:
    """The declaration's PDF; ValueError for an organisation or code that no QR code could name.

    With a file in it, such as the consent record, it is PDF/A-3u; the pages stay the same.
    """
    pages = typesetting.typeset(sheet)
    title = f"{LABELS[sheet.language].title} {codes.group(sheet.code)}"
    pdf = document(title, sheet.language, sheet.declared_on, embedded=embedded)
    for page in pages:
        pdf.add_page()
        _draw(pdf, page)
    return bytes(pdf.output())


def _draw(pdf: "FPDF", page: Page) -> None:
    pdf.set_draw_color(INK)
    pdf.set_fill_color(INK)
    for corner in page.layout.corners:
        pdf.rect(corner.x, corner.y, corner.width, corner.height, style="F")
    for run in _dark_runs(page.layout.payload):
        pdf.rect(run.x, run.y, run.width, run.height, style="F")
    draw_rules(pdf, page)
    for box in page.layout.boxes:
        _draw_box(pdf, box.area, ticked=box.ticked)
    draw_texts(pdf, page)


def _draw_box(pdf: "FPDF", area: Area, *, ticked: bool) -> None:
    pdf.set_line_width(0.35)
    pdf.rect(area.x, area.y, area.width, area.height)
    if ticked:
        pdf.set_line_width(0.8)
        corners = ((0.2, 0.52), (0.42, 0.76), (0.82, 0.24))
        pdf.polyline([(area.x + area.width * x, area.y + area.height * y) for x, y in corners])


def _dark_runs(payload: str) -> Iterator[Area]:
    """The QR symbol as rectangles: dark modules that stand side by side are one."""
    import segno

    symbol = segno.make_qr(
        payload,
        version=typesetting.QR_VERSION,
        error=typesetting.QR_ERROR,
        mode="alphanumeric",
        boost_error=False,
    )
    qr, module = typesetting.QR, typesetting.MODULE
    for row, modules in enumerate(symbol.matrix):
        start = None
        for column, dark in enumerate([*modules, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                width = (column - start) * module
                yield Area(qr.x + start * module, qr.y + row * module, width, module + _SEAM)
                start = None
