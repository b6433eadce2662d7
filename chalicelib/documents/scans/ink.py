"""What was written on a page by hand: the aligned scan, less the page as it was printed (S30, D21).

Both are turned into darkness, 0 to 255, and compared as averages over some millimetres: an average
does not care how sharp a copy is, and a pen's line through printed words shows in it as well as one
on blank paper. What is written is told in square millimetres of ink.
"""

from typing import Any

import msgspec

from chalicelib.documents.scans.printed import HEIGHT, SCALE, WIDTH, PrintedPage
from chalicelib.documents.sheet import Area

_PAPER = 24  # what is not darker than this is paper, its grain and what shows through
_ROUND = 1.4  # millimetres: half the side of what is averaged
_MORE = 13  # of 255: more ink than was printed, as an average
_STRIP, _ROW = 6.0, 0.4  # millimetres: half a strip along the words, and half its height
_AROUND = 15.0  # millimetres: half of the side by which a copy's darkness is told
_WORDS = 20  # of 255: a strip with words in it
_EDGE = 6.5  # millimetres at the page's edges that scanners darken
_SLACK = 6.0  # hands write beyond a field


class Ink(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of one page: square millimetres of ink, and what it is like."""

    alike: float
    signature: float | None = None
    elsewhere: float = 0.0
    struck: float = 0.0
    missing: float = 0.0
    boxes: tuple[float, ...] = ()


def darkness(picture: Any) -> Any:
    """How much darker than the paper around it everything is: shadows and grey paper go."""
    from PIL import Image, ImageFilter, ImageMath

    step = 4
    small = picture.reduce(step) if min(picture.size) > 8 * step else picture
    paper = _lightest(small, 1, 3, 4).filter(ImageFilter.BoxBlur(6))
    paper = paper.resize(picture.size, Image.Resampling.BILINEAR)
    lost = ImageMath.lambda_eval(
        lambda args: args["convert"](255 - args["float"](args["a"]) * 255 / (args["b"] + 1), "L"),
        a=picture,
        b=paper,
    )
    return lost.point([max(0, level - _PAPER) * 255 // (255 - _PAPER) for level in range(256)])


def measure(aligned: Any, page: PrintedPage) -> Ink:
    """The measures of an aligned scan beside the page that was printed."""
    from PIL import ImageChops, ImageFilter

    scanned, wanted = darkness(aligned), darkness(page.picture)
    gain = _gain(scanned, wanted)
    if gain is None:
        return Ink(alike=0.0)
    wanted = wanted.point([min(255, round(level * gain)) for level in range(256)])
    blur = ImageFilter.BoxBlur(_ROUND * SCALE)
    ours, theirs = scanned.filter(blur), wanted.filter(blur)
    alike = _alike(ours, theirs)
    most = _lightest(theirs, 1, 1)
    least = _darkest(theirs, 1, 1)
    more = ImageChops.subtract(ours, most).point(_over)
    less = ImageChops.subtract(least, ours).point(_over)
    signature = page.fields.get("signature")
    written = None if signature is None else _area(more.crop(_pixels(signature, _SLACK / 2)))
    for field in page.fields.values():
        more.paste(0, _pixels(field, _SLACK))
    for box in page.boxes:
        more.paste(0, _pixels(box, 1.0))
        less.paste(0, _pixels(box, 1.0))
    return Ink(
        alike=alike,
        signature=written,
        elsewhere=_densest(more),
        struck=_struck(scanned, wanted, page),
        missing=_densest(less),
        boxes=tuple(_box(scanned, wanted, box) for box in page.boxes),
    )


def _struck(scanned: Any, wanted: Any, page: PrintedPage) -> float:
    """A line drawn along printed words: how much more ink some flat strip has than its letters."""
    from PIL import ImageChops, ImageFilter

    strip = ImageFilter.BoxBlur((_STRIP * SCALE, _ROW * SCALE))
    ours, theirs = scanned.filter(strip), _as_dark(scanned, wanted).filter(strip)
    theirs = _lightest(theirs, 1, 1)
    words = theirs.point([255 if level > _WORDS else 0 for level in range(256)])
    more = ImageChops.darker(ImageChops.subtract(ours, theirs), words)
    for box in page.boxes:
        more.paste(0, _pixels(box, _STRIP + 2))
    for field in page.fields.values():
        _, top, _, down = _pixels(field, _SLACK)
        more.paste(0, (0, top, WIDTH * SCALE, down))
    return round(_most(_within_edges(more)) / 255, 3)


def _lightest(picture: Any, *steps: int) -> Any:
    """Each place as the lightest around it, as far as the steps reach together.

    A tenth of the time of Pillow's own filters of ranks.
    """
    from PIL import ImageChops, ImageOps

    reach = sum(steps)
    whole = ImageOps.expand(picture, reach, 0)  # what is shifted out comes in at the other side
    for step in steps:
        for across, down in ((step, 0), (0, step)):
            there = ImageChops.offset(whole, across, down)
            back = ImageChops.offset(whole, -across, -down)
            whole = ImageChops.lighter(ImageChops.lighter(whole, there), back)
    return ImageOps.crop(whole, reach)


def _darkest(picture: Any, *steps: int) -> Any:
    from PIL import ImageOps

    return ImageOps.invert(_lightest(ImageOps.invert(picture), *steps))


def _as_dark(scanned: Any, wanted: Any) -> Any:
    """The print as dark as this copy has it around each place: black and white makes thin letters
    thinner and bold ones bolder.
    """
    from PIL import ImageFilter, ImageMath

    around = ImageFilter.BoxBlur(_AROUND * SCALE)
    return ImageMath.lambda_eval(
        lambda args: args["convert"](
            args["min"](args["a"] * (args["float"](args["b"]) + 2) / (args["c"] + 2), 255), "L"
        ),
        a=wanted,
        b=scanned.filter(around),
        c=wanted.filter(around),
    )


def _gain(scanned: Any, wanted: Any) -> float | None:
    """How dark this copy prints, where the page is printed at all: a median over its parts."""
    parts = 6
    ratios = []
    for row in range(parts * 2):
        for column in range(parts):
            box = (
                column * WIDTH * SCALE // parts,
                row * HEIGHT * SCALE // (parts * 2),
                (column + 1) * WIDTH * SCALE // parts,
                (row + 1) * HEIGHT * SCALE // (parts * 2),
            )
            printed = _sum(wanted.crop(box))
            if printed > 255 * 900:
                ratios.append(_sum(scanned.crop(box)) / printed)
    if not ratios:
        return None
    ratios.sort()
    middle = ratios[len(ratios) // 2]
    return middle if middle > 0.2 else None


def _alike(ours: Any, theirs: Any) -> float:
    """How much of what is printed is there: 1 for the same page."""
    from PIL import ImageChops

    both = ImageChops.darker(ours, theirs)
    whole = _sum(_within_edges(theirs))
    return round(_sum(_within_edges(both)) / whole, 3) if whole else 0.0


def _box(scanned: Any, wanted: Any, box: Area) -> float:
    """How much more, or less, of a box is ink than was printed, 0 to 1."""
    pixels = _pixels(box, 0.4)
    size = (pixels[2] - pixels[0]) * (pixels[3] - pixels[1])
    return round((_sum(scanned.crop(pixels)) - _sum(wanted.crop(pixels))) / 255 / size, 3)


def _densest(more: Any) -> float:
    """The most ink within any centimetre, in square millimetres; edges left out."""
    from PIL import ImageFilter

    side = 5 * SCALE
    most = _most(_within_edges(more).filter(ImageFilter.BoxBlur(side)))
    return round(most / 255 * (2 * side + 1) ** 2 / SCALE**2, 1)


def _within_edges(picture: Any) -> Any:
    edge = round(_EDGE * SCALE)
    return picture.crop((edge, edge, WIDTH * SCALE - edge, HEIGHT * SCALE - edge))


def _most(picture: Any) -> float:
    return float(picture.getextrema()[1])


def _area(picture: Any) -> float:
    return float(round(_sum(picture) / 255 / SCALE**2, 1))


def _sum(picture: Any) -> int:
    return sum(level * count for level, count in enumerate(picture.histogram()))


def _over(level: int) -> int:
    return level if level > _MORE else 0


def _pixels(area: Area, more: float) -> tuple[int, int, int, int]:
    return (
        max(0, round((area.x - more) * SCALE)),
        max(0, round((area.y - more) * SCALE)),
        min(WIDTH * SCALE, round((area.x + area.width + more) * SCALE)),
        min(HEIGHT * SCALE, round((area.y + area.height + more) * SCALE)),
    )
