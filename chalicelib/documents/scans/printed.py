"""The paper as it was printed, page by page: what a scan of it is compared with.

Boxes and fields are read from the drawn PDF itself, so that an old paper is compared with what it
was, whatever its organisation is called today and wherever today's layout draws its fields.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from chalicelib.documents.sheet import Area

SCALE = 4  # pixels a millimetre, of every aligned picture
WIDTH, HEIGHT = 210, 297
_MM = 25.4 / 72
_BOX = 4.6
_FIELD_HEIGHT = 16.0
_FIELDS = {52.0: "place", 36.0: "date", 72.0: "signature"}
_SLACK = 1.2  # a path's bounds reach beyond its middle by the width of its line


class PrintedPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page: its picture in shades of grey, the boxes on it, and the fields to be written on."""

    picture: Any
    boxes: tuple[Area, ...]
    fields: dict[str, Area]


def count(pdf: bytes) -> int:
    """How many pages the paper has."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        return len(document)


def page(pdf: bytes, number: int, pages: int) -> PrintedPage | None:
    """The page of this number, from 1; None unless the paper has as many pages as its code says."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        if len(document) != pages or not 1 <= number <= pages:
            return None
        one = document[number - 1]
        try:
            picture = one.render(scale=SCALE * _MM, grayscale=True).to_pil()
            areas = list(_paths(one))
        finally:
            one.close()
    boxes = tuple(_within(area) for area in areas if _is_box(area))
    fields = {
        name: Area(area.x + (area.width - width) / 2, area.y - _FIELD_HEIGHT, width, _FIELD_HEIGHT)
        for area in areas
        for width, name in _FIELDS.items()
        if _near(area.width, width) and _near(area.height, 0.0)
    }
    return PrintedPage(
        picture=picture.resize((WIDTH * SCALE, HEIGHT * SCALE)), boxes=boxes, fields=fields
    )


def _paths(one: Any) -> Iterator[Area]:
    """Every drawn path, its bounds in millimetres from the page's top left corner."""
    from pypdfium2.raw import FPDF_PAGEOBJ_PATH

    height = one.get_height()
    for path in one.get_objects(filter=[FPDF_PAGEOBJ_PATH], max_depth=1):
        left, bottom, right, top = path.get_bounds()
        grown = ((right - left) * _MM, (top - bottom) * _MM)
        yield Area(left * _MM, (height - top) * _MM, *grown)


def _is_box(area: Area) -> bool:
    """A square of the boxes' size; a tick is wider than high."""
    return _near(area.width, _BOX) and abs(area.width - area.height) < 0.1


def _within(area: Area) -> Area:
    """The box without half of its line."""
    line = (area.width - _BOX) / 2
    return Area(area.x + line, area.y + line, _BOX, _BOX)


def _near(measured: float, wanted: float) -> bool:
    return wanted <= measured + 0.01 <= wanted + _SLACK
