"""Signed papers as offices scan and photograph them, made from our own; the same for a seed.

A sheet is rendered, "signed" and written on as a hand would, and then spoilt: resolution, grey
levels, JPEG, skew, turns by quarters, perspective, shadow and blur. Nothing here knows how a scan
is read.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any

import msgspec
import pypdfium2
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from chalicelib.documents.sheet import Area, PageLayout

MM = 25.4


class Spoil(msgspec.Struct, frozen=True, kw_only=True):
    """How a paper becomes a picture."""

    dpi: int = 300
    skew: float = 0.0
    quarters: int = 0
    jpeg: int = 0
    noise: float = 0.0
    blur: float = 0.0
    perspective: float = 0.0
    shadow: float = 0.0


def chance_of(seed: int) -> random.Random:
    """The same chances for the same seed."""
    return random.Random(seed)  # noqa: S311  to be the same, not to be secret


def flat(chance: random.Random) -> Spoil:
    """A sheet on the glass of an office scanner, 300 dpi."""
    return Spoil(dpi=300, skew=chance.uniform(-0.5, 0.5), noise=2, jpeg=90)


def skewed(chance: random.Random) -> Spoil:
    """A sheet through a feeder: 150 dpi, up to three degrees, any way round, JPEG."""
    return Spoil(
        dpi=150,
        skew=chance.uniform(-3, 3),
        quarters=chance.randrange(4),
        noise=5,
        jpeg=chance.randint(45, 75),
        blur=0.5,
    )


def photo(chance: random.Random) -> Spoil:
    """A telephone's picture: perspective of 8 %, blur 1.2, JPEG 40, a shadow over the sheet."""
    return Spoil(
        dpi=150,
        skew=chance.uniform(-3, 3),
        quarters=chance.randrange(4),
        noise=4,
        jpeg=40,
        blur=1.2,
        perspective=0.08,
        shadow=0.35,
    )


def printed(pdf: bytes, dpi: int) -> Iterator[Any]:
    """Each page of a paper as it comes out of the printer, at a scanner's resolution."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = len(document)
    return (printed_page(pdf, dpi, number) for number in range(pages))


def printed_page(pdf: bytes, dpi: int, number: int) -> Any:
    """One page of them, from 0."""
    with pypdfium2.PdfDocument(pdf) as document:
        return document[number].render(scale=dpi / 72, grayscale=True).to_pil()


def signed(picture: Any, layout: PageLayout, dpi: int, chance: random.Random) -> Any:
    """The page with place, date and signature written by hand, where it has the fields."""
    for area, parts in ((layout.place, 5), (layout.date, 4)):
        if area is not None:
            _written(picture, area, dpi, chance, parts=parts, most=6)
    return with_signature(picture, layout.signature, dpi, chance)


def with_signature(picture: Any, area: Area | None, dpi: int, chance: random.Random) -> Any:
    """The page with a signature in this field."""
    if area is not None:
        _written(picture, area, dpi, chance, parts=9, most=12)
    return picture


def scribbled(picture: Any, area: Area, dpi: int, chance: random.Random) -> Any:
    """The page with a few words by hand in this place."""
    _written(picture, area, dpi, chance, parts=6, most=area.height)
    return picture


def struck(picture: Any, x: float, y: float, width: float, dpi: int) -> Any:
    """The page with a line drawn by pen from one place to the right: words struck out."""
    points = [(x + width * n / 8, y + (0.2 if n % 2 else -0.2)) for n in range(9)]
    _stroke(picture, points, dpi, 0.5)
    return picture


def ticked(picture: Any, area: Area, dpi: int) -> Any:
    """The page with a cross by hand in this box."""
    right, down = area.x + area.width, area.y + area.height
    _stroke(picture, [(area.x + 0.6, area.y + 0.5), (right - 0.5, down - 0.7)], dpi, 0.5)
    _stroke(picture, [(right - 0.7, area.y + 0.4), (area.x + 0.5, down - 0.5)], dpi, 0.5)
    return picture


def spoilt(picture: Any, how: Spoil, chance: random.Random) -> Any:
    """The picture of this page; the page is at `how.dpi`."""
    if how.skew:
        turn = Image.Resampling.BICUBIC
        picture = picture.rotate(how.skew, turn, expand=how.perspective > 0, fillcolor=250)
    if how.perspective:
        picture = _photographed(picture, how.perspective, chance)
    if how.shadow:
        picture = _shadowed(picture, how.shadow, chance)
    if how.quarters:
        picture = picture.rotate(90 * how.quarters, expand=True)
    if how.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(how.blur))
    if how.noise:
        picture = _noisy(picture, how.noise, chance)
    return picture


def page_of(
    paper: bytes,
    layouts: Sequence[PageLayout],
    number: int,
    how: Callable[[random.Random], Spoil],
    seed: int,
) -> bytes:
    """One page of a paper, signed where it is to be signed and spoilt like this, as a file."""
    chance = chance_of(seed)
    spoil = how(chance)
    picture = printed_page(paper, spoil.dpi, number)
    signed(picture, layouts[number], spoil.dpi, chance)
    return jpeg(spoilt(picture, spoil, chance), spoil.jpeg)


def jpeg(picture: Any, quality: int) -> bytes:
    """The picture as a file."""
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality or 92)
    return out.getvalue()


def pdf_of(pictures: Sequence[Any], dpi: int, quality: int = 75) -> bytes:
    """The pictures as the pages of one PDF, as a scanner makes it."""
    out = BytesIO()
    first, *rest = pictures
    first.save(
        out, "PDF", save_all=True, append_images=rest, resolution=float(dpi), quality=quality
    )
    return out.getvalue()


def _written(
    picture: Any, area: Area, dpi: int, chance: random.Random, *, parts: int, most: float
) -> None:
    """Loops from left to right, as handwriting: each letter up, round and down."""
    height = min(most, area.height) * chance.uniform(0.45, 0.8)
    width = area.width * chance.uniform(0.45, 0.85)
    x, base = area.x + (area.width - width) / 2, area.y + area.height - chance.uniform(1, 3)
    step, points = width / parts, []
    for n in range(parts * 12):
        angle = n / 12 * 2 * math.pi
        tall = 0.5 + 0.5 * math.sin(n / 12 * 2.7 + 1)
        across = x + step * (n / 12) + step * 0.35 * math.sin(angle)
        up = base - height * tall * (0.5 - 0.5 * math.cos(angle)) + chance.uniform(-0.15, 0.15)
        points.append((across, up))
    _stroke(picture, points, dpi, chance.uniform(0.35, 0.6), ink=chance.randint(30, 90))


def _stroke(
    picture: Any, points: Sequence[tuple[float, float]], dpi: int, width: float, ink: int = 60
) -> None:
    scale = dpi / MM
    ImageDraw.Draw(picture).line(
        [(x * scale, y * scale) for x, y in points],
        fill=ink,
        width=max(1, round(width * scale)),
        joint="curve",
    )


def _photographed(picture: Any, most: float, chance: random.Random) -> Any:
    """The sheet on a dark table, each of its corners moved by up to `most` of its sides."""
    wide, high = picture.size
    edge = 1 + 2 * most
    canvas = Image.new("L", (round(wide * edge), round(high * edge)), chance.randint(60, 140))
    dx, dy = wide * most, high * most
    ours = [(0, 0), (wide, 0), (wide, high), (0, high)]
    theirs = [(x + dx + chance.uniform(-dx, dx), y + dy + chance.uniform(-dy, dy)) for x, y in ours]
    back = _coefficients(theirs, ours)
    size, fine = canvas.size, Image.Resampling.BICUBIC
    sheet = picture.transform(size, Image.Transform.PERSPECTIVE, back, fine, fillcolor=0)
    mask = Image.new("L", picture.size, 255).transform(
        size, Image.Transform.PERSPECTIVE, back, fine, fillcolor=0
    )
    canvas.paste(sheet, (0, 0), mask)
    return canvas


def _shadowed(picture: Any, most: float, chance: random.Random) -> Any:
    """Light from one side, and less of it on the other."""
    ramp = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270)))
    dark = 1 - chance.uniform(0.3, 1) * most
    ramp = ramp.point([round(255 * (dark + (1 - dark) * n / 255)) for n in range(256)])
    return ImageChops.multiply(picture, ramp.resize(picture.size))


def _noisy(picture: Any, sigma: float, chance: random.Random) -> Any:
    """Grain: the same for the same seed, which Pillow's own noise is not."""
    side = 256
    levels = [128 + chance.gauss(0, sigma) for _ in range(4096)]
    bytes_ = bytes(
        max(0, min(255, round(levels[chance.getrandbits(12)]))) for _ in range(side * side)
    )
    tile = Image.frombytes("L", (side, side), bytes_)
    grain = Image.new("L", picture.size)
    for y in range(0, picture.height, side):
        for x in range(0, picture.width, side):
            grain.paste(tile, (x, y))
    return ImageChops.add(picture, grain, 1, -128)


def _coefficients(
    out: Sequence[tuple[float, float]], into: Sequence[tuple[float, float]]
) -> tuple[float, ...]:
    """Pillow's eight: what takes a place of the result to one of the original."""
    rows = []
    for (x, y), (u, v) in zip(out, into, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for n in range(8):
        pivot = max(range(n, 8), key=lambda k: abs(rows[k][n]))
        rows[n], rows[pivot] = rows[pivot], rows[n]
        rows[n] = [value / rows[n][n] for value in rows[n]]
        for k in range(8):
            if k != n:
                rows[k] = [a - rows[k][n] * b for a, b in zip(rows[k], rows[n], strict=True)]
    return tuple(row[8] for row in rows)
