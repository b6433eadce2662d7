"""The QR codes on a picture of a page: what they say and where they stand.

Most pages give theirs at once. For the rest there are harder looks, each of which reads what some
bad copy hides: finer, sharper, thresholded over all, turned, inverted. They end with the first code
of ours, or when the time of a page is over.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from chalicelib.documents import codes
from chalicelib.documents.codes import Payload
from chalicelib.documents.scans.geometry import Point

QUICK = 2400  # pixels of the longer side: A4 at 200 dpi, a hundredth of a second
_Back = Callable[[Point], Point]


class Symbol(msgspec.Struct, frozen=True, kw_only=True):
    """A code of ours: the page that it names, and its corners from its own top left, clockwise."""

    payload: Payload
    corners: tuple[Point, Point, Point, Point]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The codes of one page: ours, and how many others."""

    ours: tuple[Symbol, ...] = ()
    foreign: int = 0


def find(picture: Any, *, seconds: float) -> Found:
    """What stands on this page in shades of grey; harder looks for as long as there is time."""
    ends, foreign = time.monotonic() + seconds, 0
    for looked, binarizer, back in _looks(picture):
        found = _read(looked, binarizer, back)
        foreign = max(foreign, found.foreign)
        if found.ours or time.monotonic() > ends:
            return msgspec.structs.replace(found, foreign=foreign)
    return Found(foreign=foreign)


def _looks(picture: Any) -> Iterator[tuple[Any, str, _Back]]:
    from PIL import Image, ImageFilter, ImageOps

    whole = max(picture.size)
    quick, back = _scaled(picture, min(1.0, QUICK / whole))
    yield quick, "LocalAverage", back
    sharp = ImageOps.autocontrast(quick.filter(ImageFilter.UnsharpMask(3, 200, 0)), 1)
    yield sharp, "LocalAverage", back
    if whole > QUICK:
        yield picture, "LocalAverage", lambda point: point
    yield quick, "GlobalHistogram", back
    finer, finer_back = _scaled(picture, min(2.0, 3800 / whole))
    yield finer.filter(ImageFilter.UnsharpMask(4, 250, 0)), "LocalAverage", finer_back
    yield quick.filter(ImageFilter.GaussianBlur(1.5)), "LocalAverage", back
    yield ImageOps.invert(quick), "LocalAverage", back
    for angle in (30, 60):
        turned = quick.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        yield turned, "LocalAverage", _turned_back(quick.size, turned.size, angle, back)


def _read(picture: Any, binarizer: str, back: _Back) -> Found:
    import zxingcpp

    ours, foreign = {}, 0
    for code in zxingcpp.read_barcodes(
        picture,
        formats=zxingcpp.BarcodeFormat.QRCode,
        binarizer=getattr(zxingcpp.Binarizer, binarizer),
    ):
        payload = codes.parse_payload(code.text)
        if payload is None:
            foreign += 1
            continue
        at = code.position
        around = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        first, second, third, fourth = (back((one.x, one.y)) for one in around)
        ours[code.text] = Symbol(payload=payload, corners=(first, second, third, fourth))
    return Found(ours=tuple(ours.values()), foreign=foreign)


def _scaled(picture: Any, factor: float) -> tuple[Any, _Back]:
    from PIL import Image

    if factor == 1.0:
        return picture, lambda point: point
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    across, down = picture.width / size[0], picture.height / size[1]
    resized = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return resized, lambda point: (point[0] * across, point[1] * down)


def _turned_back(
    size: tuple[int, int], turned: tuple[int, int], angle: float, back: _Back
) -> _Back:
    from math import cos, radians, sin

    c, s = cos(radians(angle)), sin(radians(angle))

    def undone(point: Point) -> Point:
        x, y = point[0] - turned[0] / 2, point[1] - turned[1] / 2
        return back((c * x - s * y + size[0] / 2, s * x + c * y + size[1] / 2))

    return undone
