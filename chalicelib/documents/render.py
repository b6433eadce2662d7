"""The declaration as PDF/A-2u, ready to be signed (S28-S30; issue 2, item 9).

Pure and repeatable: the same sheet gives the same bytes, so a retry stores the same paper under the
same SHA-256, and a scan is compared with what was printed. No clock: the document's date is the day
of the declaration. Text goes through `FPDF.text`, which knows no markup, so nothing that a person
wrote can become a link, a script or a format.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from chalicelib.documents import codes, lines, typesetting
from chalicelib.documents.labels import LABELS
from chalicelib.documents.sheet import Area, DeclarationSheet, PageLayout
from chalicelib.documents.typesetting import LAYOUT, Page

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["LAYOUT", "layout", "render"]

_FAMILY = "NotoSans"
_INK, _GREY = 0, 70
_SEAM = 0.02  # modules overlap by this much, so that no viewer shows white hairs between them


def layout(sheet: DeclarationSheet) -> tuple[PageLayout, ...]:
    """Where marks, boxes and fields of each page stand: the pass that also draws them (S35)."""
    return tuple(page.layout for page in typesetting.typeset(sheet))


def render(sheet: DeclarationSheet) -> bytes:
    """The declaration's PDF; ValueError for an organisation or code that no QR code could name."""
    pages = typesetting.typeset(sheet)
    pdf = _document(sheet)
    for page in pages:
        pdf.add_page()
        _draw(pdf, page)
    return bytes(pdf.output())


def _document(sheet: DeclarationSheet) -> "FPDF":
    from fpdf import FPDF, ViewerPreferences
    from fpdf.enums import DocumentCompliance

    pdf = FPDF(format="A4", unit="mm", enforce_compliance=DocumentCompliance.PDFA_2U)
    pdf.set_auto_page_break(False)
    moment = datetime.combine(sheet.declared_on, time(), UTC)
    title = f"{LABELS[sheet.language].title} {codes.group(sheet.code)}"
    pdf.set_creation_date(moment)
    pdf.set_lang(sheet.language)
    pdf.set_title(title)
    pdf.set_xmp_metadata(_xmp(title, sheet.language, moment))
    pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
    for bold, path in lines.FONT_FILES.items():
        pdf.add_font(_FAMILY, "B" if bold else "", path)
    for font in pdf.fonts.values():
        font.ttfont.recalcBBoxes = False  # type: ignore[union-attr]  # unpacks every glyph: a third of the time
    return pdf


def _draw(pdf: "FPDF", page: Page) -> None:
    pdf.set_draw_color(_INK)
    pdf.set_fill_color(_INK)
    for corner in page.layout.corners:
        pdf.rect(corner.x, corner.y, corner.width, corner.height, style="F")
    for run in _dark_runs(page.layout.payload):
        pdf.rect(run.x, run.y, run.width, run.height, style="F")
    for rule in page.rules:
        pdf.set_line_width(0.35 if rule.heavy else 0.15)
        pdf.line(rule.x, rule.y, rule.x + rule.width, rule.y)
    for box in page.layout.boxes:
        _draw_box(pdf, box.area, ticked=box.ticked)
    for text in page.texts:
        pdf.set_font(_FAMILY, "B" if text.bold else "", text.size)
        pdf.set_text_color(_GREY if text.grey else _INK)
        pdf.text(text.x, text.y, text.text)


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


def _xmp(title: str, language: str, moment: datetime) -> str:
    """The metadata that make it PDF/A-2u; fpdf2's own would carry the time of day it was made."""
    said, at = escape(title), moment.isoformat()
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
    pdfaid:part="2" pdfaid:conformance="U"
    xmp:CreatorTool="Duly" xmp:CreateDate="{at}" xmp:ModifyDate="{at}" xmp:MetadataDate="{at}">
   <dc:format>application/pdf</dc:format>
   <dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{said}</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>"""
