"""The same declaration set by reportlab, in an interpreter of its own; prints milliseconds.

Wordings go through `Paragraph`, as everybody does who uses reportlab for text that has to wrap.
"""

import io
import json
import statistics
import sys
import time
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.barcode.qr import QrCodeWidget  # type: ignore[import-untyped]
from reportlab.graphics.shapes import Drawing  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.platypus import Paragraph, SimpleDocTemplate  # type: ignore[import-untyped]

WARM, ROUNDS = 3, 15


def main(regular: str, bold: str) -> None:
    """Draw the sheet on standard input again and again."""
    sheet = json.load(sys.stdin)
    pdfmetrics.registerFont(TTFont("Body", regular))
    pdfmetrics.registerFont(TTFont("Head", bold))
    took = []
    for _ in range(WARM + ROUNDS):
        started = time.process_time()
        assert draw(sheet).startswith(b"%PDF")
        took.append((time.process_time() - started) * 1000)
    print(statistics.median(took[WARM:]))


def draw(sheet: dict[str, Any]) -> bytes:
    """One document."""
    body = ParagraphStyle("body", fontName="Body", fontSize=9, leading=11)
    head = ParagraphStyle("head", parent=body, fontName="Head", fontSize=10)
    controller = sheet["controller"]
    said = [Paragraph(escape(str(value)), body) for value in controller.values() if value]
    said.append(Paragraph(escape(sheet["client_name"]), head))
    for answer in sheet["answers"]:
        said.append(Paragraph(escape(answer["title"]), head))
        box = "[x] " if answer["answer"] else "[ ] "
        said += [Paragraph(box + escape(part), body) for part in answer["text"].split("\n\n")]
    symbol = Drawing(80, 80)
    symbol.add(QrCodeWidget(f"{sheet['org']} {sheet['code']} 1"))
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, title=sheet["code"]).build([*said, symbol])
    return out.getvalue()


main(*sys.argv[1:])
