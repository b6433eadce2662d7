"""PDF/A-2u as every document of ours is made, or PDF/A-3u with a file in it: pure and repeatable.

The same content gives the same bytes. No clock: a document's date is the day that it says. Text
goes through `FPDF.text`, which knows no markup, so nothing that a person wrote can become a link, a
script or a format.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from html import escape
from typing import TYPE_CHECKING

import msgspec

from chalicelib.documents import lines
from chalicelib.documents.pages import Drawn

if TYPE_CHECKING:
    from fpdf import FPDF

INK, GREY = 0, 70
_FAMILY = "NotoSans"


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """A file that lies in the document: what a machine reads of what a person reads."""

    filename: str
    content_type: str
    content: bytes
    says: str


def document(title: str, language: str, day: date, *, embedded: Embedded | None = None) -> "FPDF":
    """An empty A4 document with our fonts, its title, its language and its day.

    With a file in it, it is PDF/A-3u: an associated file of the document as a whole.
    """
    from fpdf import FPDF, ViewerPreferences
    from fpdf.enums import DocumentCompliance

    kind = DocumentCompliance.PDFA_3U if embedded else DocumentCompliance.PDFA_2U
    pdf = FPDF(format="A4", unit="mm", enforce_compliance=kind)
    pdf.set_auto_page_break(False)
    moment = datetime.combine(day, time(), UTC)
    pdf.set_creation_date(moment)
    pdf.set_lang(language)
    pdf.set_title(title)
    pdf.set_xmp_metadata(_xmp(title, language, moment, part=3 if embedded else 2))
    pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
    for bold, path in lines.FONT_FILES.items():
        pdf.add_font(_FAMILY, "B" if bold else "", path)
    for font in pdf.fonts.values():
        font.ttfont.recalcBBoxes = False  # type: ignore[union-attr]  # unpacks every glyph: a third of the time
    if embedded:
        pdf.embed_file(
            bytes=embedded.content,
            basename=embedded.filename,
            mime_type=embedded.content_type,
            associated_file_relationship="Data",
            desc=embedded.says,
            creation_date=moment,
            modification_date=moment,
            compress=True,
        )
    return pdf


def draw_rules(pdf: "FPDF", page: Drawn) -> None:
    """The page's lines."""
    for rule in page.rules:
        pdf.set_line_width(0.35 if rule.heavy else 0.15)
        pdf.line(rule.x, rule.y, rule.x + rule.width, rule.y)


def draw_texts(pdf: "FPDF", page: Drawn) -> None:
    """The page's texts."""
    for text in page.texts:
        pdf.set_font(_FAMILY, "B" if text.bold else "", text.size)
        pdf.set_text_color(GREY if text.grey else INK)
        pdf.text(text.x, text.y, text.text)


def mark_sections(pdf: "FPDF", sections: Iterable[tuple[float, str]]) -> None:
    """Bookmarks of what begins on the page, at these heights: a long document is found by them."""
    for y, title in sections:
        pdf.set_y(y)
        pdf.start_section(lines.clean(title))


def _xmp(title: str, language: str, moment: datetime, *, part: int) -> str:
    """The metadata that make it PDF/A; fpdf2's own would carry the time of day it was made."""
    said, at = escape(title, quote=False), moment.isoformat()
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
    pdfaid:part="{part}" pdfaid:conformance="U"
    xmp:CreatorTool="Duly" xmp:CreateDate="{at}" xmp:ModifyDate="{at}" xmp:MetadataDate="{at}">
   <dc:format>application/pdf</dc:format>
   <dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{said}</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>"""
