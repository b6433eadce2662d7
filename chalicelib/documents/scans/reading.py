"""One page of a scan, from its picture to what is to be known of it (S30, S35; D21).

`read` says which paper it is a page of; `examine` lays it over that paper as it was printed, and
says whether it is signed and whether a person must look at it. Both always answer.
"""

from enum import StrEnum
from io import BytesIO
from typing import Any

import msgspec

from chalicelib.documents.codes import Payload
from chalicelib.documents.scans import alignment, ink, printed, symbols
from chalicelib.documents.scans.geometry import Point
from chalicelib.documents.scans.ink import Ink

SECONDS = 1.0  # for the harder looks at one page
# Square millimetres of ink: a signature, and what may be dust; shares of a strip and of a box.
SIGNED, MARKED, MISSING = 2.0, 0.8, 5.0
STRUCK, TICKED = 0.09, 0.05
ALIKE = 0.6
_KEPT = 2340  # pixels of the longer side: A4 at 200 dpi
_QUALITY = 80
_BLANK = 0.0004  # of the page: 25 square millimetres of A4


class Outcome(StrEnum):
    """Which page it is, or why nobody can say."""

    CODE = "code"
    BLANK = "blank"
    NO_CODE = "no_code"
    FOREIGN_CODE = "foreign_code"
    SEVERAL_CODES = "several_codes"


class Doubt(StrEnum):
    """Why a person must look at a page before anything changes."""

    NOT_ALIGNED = "not_aligned"
    OTHER_PAPER = "other_paper"
    UNSIGNED = "unsigned"
    MARKED = "marked"
    MISSING_INK = "missing_ink"
    BOX_DIFFERS = "box_differs"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it was read: its outcome, its code, and the picture to be kept."""

    outcome: Outcome
    payload: Payload | None = None
    corners: tuple[Point, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A page beside its paper: signed or not, or None where it has no place for it; its doubts."""

    signed: bool | None = None
    doubts: tuple[Doubt, ...] = ()
    ink: Ink | None = None


def read(picture: Any) -> Reading:
    """Which page of which paper the picture shows."""
    if _is_blank(picture):
        return Reading(outcome=Outcome.BLANK)
    found = symbols.find(picture, seconds=SECONDS)
    if len(found.ours) > 1:
        return Reading(outcome=Outcome.SEVERAL_CODES)
    if not found.ours:
        return Reading(outcome=Outcome.FOREIGN_CODE if found.foreign else Outcome.NO_CODE)
    (symbol,) = found.ours
    return Reading(outcome=Outcome.CODE, payload=symbol.payload, corners=symbol.corners)


def examine(picture: Any, reading: Reading, paper: bytes, number: int, pages: int) -> Verdict:
    """The page beside page `number` of the paper as it was printed.

    Without a code a page that lies as a scanner lays it is found by its marks alone.
    """
    page = printed.page(paper, number, pages)
    if page is None:
        return Verdict(doubts=(Doubt.OTHER_PAPER,))
    if reading.corners:
        aligned = alignment.align(picture, reading.corners)
        return judged(ink.measure(aligned, page)) if aligned else _UNALIGNED
    tries = (judged(ink.measure(one, page)) for one in alignment.align_blindly(picture))
    return next((one for one in tries if Doubt.NOT_ALIGNED not in one.doubts), _UNALIGNED)


_UNALIGNED = Verdict(doubts=(Doubt.NOT_ALIGNED,))


def judged(measured: Ink) -> Verdict:
    """What the measures of a page mean."""
    if measured.alike < ALIKE:
        return Verdict(doubts=(Doubt.NOT_ALIGNED,), ink=measured)
    signed = None if measured.signature is None else measured.signature >= SIGNED
    doubts = {
        Doubt.UNSIGNED: signed is False,
        Doubt.MARKED: measured.elsewhere >= MARKED or measured.struck >= STRUCK,
        Doubt.MISSING_INK: measured.missing >= MISSING,
        Doubt.BOX_DIFFERS: any(abs(box) >= TICKED for box in measured.boxes),
    }
    return Verdict(
        signed=signed, doubts=tuple(doubt for doubt, holds in doubts.items() if holds), ink=measured
    )


def kept(picture: Any, corners: tuple[Point, ...] = ()) -> bytes:
    """The page as it is kept: upright where its code says how, a JPEG of 200 dpi at most."""
    from PIL import Image

    longest = max(picture.size)
    if longest > _KEPT:
        size = [max(1, round(side * _KEPT / longest)) for side in picture.size]
        picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    quarters = alignment.upright(corners) if corners else 0
    if quarters:
        picture = picture.rotate(90 * quarters, expand=True)
    out = BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def bound(pages: tuple[bytes, ...]) -> bytes:
    """Kept pages as one PDF, each filling a sheet of A4; the same pages give the same bytes."""
    from datetime import UTC, datetime

    from fpdf import FPDF

    pdf = FPDF(format="A4", unit="mm")
    pdf.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))
    pdf.set_auto_page_break(False)
    for page in pages:
        pdf.add_page()
        pdf.image(BytesIO(page), 0, 0, printed.WIDTH, printed.HEIGHT, keep_aspect_ratio=True)
    return bytes(pdf.output())


def _is_blank(picture: Any) -> bool:
    """Whether there is next to no ink on the page, its edges left out."""
    factor = max(1, max(picture.size) // 600)
    small = ink.darkness(picture.reduce(factor) if factor > 1 else picture)
    edge = max(small.size) // 30
    x, y = (min(edge, (side - 1) // 2) for side in small.size)  # of a strip something is left
    inner = small.crop((x, y, small.width - x, small.height - y))
    dark = sum(inner.histogram()[50:])
    return bool(dark < _BLANK * inner.width * inner.height)
