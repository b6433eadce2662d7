"""A picture of a page, laid over the page as it was printed, by its four corner marks (S35).

The QR code says roughly where the page lies; so near, the marks are found as what they are: solid
squares with nothing around. Of the sets that fit, the one is taken that puts the QR code where it
is printed, to a millimetre; where none does the page is not aligned, and a person looks at it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import dist, hypot
from typing import Any

from chalicelib.documents.scans.geometry import (
    Degenerate,
    Point,
    Projection,
    affinity,
    project,
    projection,
)
from chalicelib.documents.scans.printed import HEIGHT, SCALE, WIDTH
from chalicelib.documents.sheet import Area
from chalicelib.documents.typesetting import CORNERS, QR

_SIGHT = 3.0  # pixels a millimetre, by which marks are looked for
_SOLID = 105  # how much darker a mark is than what is around it, of 255
_FARTHEST, _FEWER = 6, 3  # candidates for one mark, of four and of three
_FIT = 1.2  # millimetres that the QR code may be off


def _middle(area: Area) -> Point:
    return area.x + area.width / 2, area.y + area.height / 2


def _around(area: Area) -> tuple[Point, Point, Point, Point]:
    right, down = area.x + area.width, area.y + area.height
    return (area.x, area.y), (right, area.y), (right, down), (area.x, down)


_PLACES = tuple(_middle(area) for area in CORNERS)
_CODE = _around(QR)
_Marks = tuple[Point | None, ...]


def align(picture: Any, corners: Sequence[Point]) -> Any | None:
    """The page in its own millimetres, `SCALE` pixels each; None where its marks are not found.

    `corners`: those of its QR code, on the picture.
    """
    found = _page(picture, corners)
    if found is None:
        return None
    return _laid(picture, found)


def align_blindly(picture: Any) -> Iterator[Any]:
    """The page without its code, each way up: the marks nearest to the corners of the picture."""
    from PIL import Image

    from chalicelib.documents.scans.ink import darkness

    zoom = _SIGHT * HEIGHT / max(picture.size)
    size = (max(1, round(picture.width * zoom)), max(1, round(picture.height * zoom)))
    seen = darkness(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    candidates = list(_candidates(seen))
    around = [(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])]
    if not candidates:
        return
    nearest = [min(candidates, key=lambda one: dist(one, corner)) for corner in around]
    theirs = [(x / zoom, y / zoom) for x, y in (_centre(seen, one) for one in nearest)]
    top_left, top_right, bottom_left, bottom_right = _PLACES
    ours = [top_left, top_right, bottom_right, bottom_left]
    for turn in range(4):
        try:
            how = projection(ours, theirs[turn:] + theirs[:turn])
        except Degenerate:
            return
        yield _laid(picture, how)


def upright(corners: Sequence[Point]) -> int:
    """By how many quarters, counter-clockwise, the picture is to be turned to stand upright."""
    (left, top), (right, level) = corners[0], corners[1]
    across, down = right - left, level - top
    if abs(across) >= abs(down):
        return 0 if across > 0 else 2
    return 1 if down > 0 else 3


def _page(picture: Any, corners: Sequence[Point]) -> Projection | None:
    """What takes the page's millimetres to the picture's pixels."""
    side = sum(dist(corners[n], corners[n - 1]) for n in range(4)) / 4 / QR.width
    if side <= 0.5:
        return None
    zoom = _SIGHT / side
    near = [(x * zoom, y * zoom) for x, y in corners]
    size = (max(1, round(picture.width * zoom)), max(1, round(picture.height * zoom)))
    from PIL import Image

    from chalicelib.documents.scans.ink import darkness

    seen = darkness(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
    fit = _best(list(_candidates(seen)), near)
    if fit is None:
        return None
    ours = [place for place, mark in zip(_PLACES, fit, strict=True) if mark is not None]
    theirs = [_centre(seen, mark) for mark in fit if mark is not None]
    if len(theirs) < 4:
        ours, theirs = [*ours, *_CODE], [*theirs, *near]
    try:
        return projection(ours, [(x / zoom, y / zoom) for x, y in theirs])
    except Degenerate:
        return None


def _best(candidates: list[Point], near: Sequence[Point]) -> _Marks | None:
    """The four marks that put the QR code where it is; three, where a thumb or a tear took one."""
    rough = affinity(_CODE, near)
    choices: list[list[Point | None]] = []
    for place in _PLACES:
        guess = project(rough, place)
        reach = _SIGHT * (10 + 0.28 * dist(place, _middle(QR)))
        close = sorted((dist(guess, one), one) for one in candidates)
        choices.append([one for far, one in close[:_FARTHEST] if far < reach])
    whole = _fitting(product(*choices), near)
    if whole is not None:
        return whole
    three = (
        marks
        for lost in range(4)
        for marks in product(
            *([None] if n == lost else one[:_FEWER] for n, one in enumerate(choices))
        )
    )
    return _fitting(three, near)


def _fitting(sets: Iterable[_Marks], near: Sequence[Point]) -> _Marks | None:
    """The set that fits best, if it does to a millimetre."""
    best, least = None, _FIT * _SIGHT
    for marks in sets:
        off = _off(marks, near)
        if off < least:
            best, least = marks, off
    return best


def _off(marks: _Marks, near: Sequence[Point]) -> float:
    """By how much these marks put the QR code's corners elsewhere, at the worst.

    Three marks are fitted together with the code, and must agree with it themselves.
    """
    ours = [place for place, mark in zip(_PLACES, marks, strict=True) if mark is not None]
    theirs = [mark for mark in marks if mark is not None]
    if len(theirs) < 4:
        ours, theirs = [*ours, *_CODE], [*theirs, *near]
        check = list(zip(ours, theirs, strict=True))
    else:
        check = list(zip(_CODE, near, strict=True))
    try:
        how = projection(ours, theirs)
        return max(dist(project(how, one), seen) for one, seen in check)
    except Degenerate:
        return float("inf")


def _candidates(seen: Any) -> Iterator[Point]:
    """Where something solid of a mark's size stands alone."""
    from PIL import ImageChops, ImageFilter

    inner = seen.filter(ImageFilter.BoxBlur(1.6 * _SIGHT))
    outer = seen.filter(ImageFilter.BoxBlur(3.9 * _SIGHT))
    lone = ImageChops.subtract(inner, outer)
    peaks: list[tuple[int, Point]] = []
    width, raw = seen.width, lone.tobytes()
    marked = lone.point([255 if level > _SOLID else 0 for level in range(256)]).tobytes()
    at = marked.find(b"\xff")
    while at >= 0:
        peaks.append((raw[at], (float(at % width), float(at // width))))
        at = marked.find(b"\xff", at + 1)
    peaks.sort(reverse=True)
    kept: list[Point] = []
    for _, point in peaks:
        if all(abs(point[0] - x) + abs(point[1] - y) > 5 * _SIGHT for x, y in kept):
            kept.append(point)
            yield point
        if len(kept) >= 60:
            return


def _centre(seen: Any, mark: Point) -> Point:
    """The middle of a mark, finer than a pixel: where its darkness balances."""
    x, y, reach = round(mark[0]), round(mark[1]), round(3.6 * _SIGHT)
    box = (x - reach, y - reach, x + reach + 1, y + reach + 1)
    cut = seen.crop(box)
    size, raw = cut.width, cut.tobytes()
    total = across = down = 0.0
    for row in range(cut.height):
        for column in range(size):
            level = raw[row * size + column]
            if level > 96:
                total += level
                across += level * column
                down += level * row
    if not total:
        return mark
    return box[0] + across / total + 0.5, box[1] + down / total + 0.5


def _laid(picture: Any, how: Projection) -> Any:
    from PIL import Image

    a, b, c, d, e, f, g, h = how
    density = hypot(a, d)  # pixels a millimetre
    shrink = max(1, int(density / SCALE))
    source = picture.reduce(shrink) if shrink > 1 else picture
    per_pixel = (a / SCALE, b / SCALE, c, d / SCALE, e / SCALE, f, g / SCALE, h / SCALE)
    data = tuple(value / shrink if n < 6 else value for n, value in enumerate(per_pixel))
    return source.transform(
        (WIDTH * SCALE, HEIGHT * SCALE),
        Image.Transform.PERSPECTIVE,
        data,
        Image.Resampling.BICUBIC,
        fillcolor=255,
    )
