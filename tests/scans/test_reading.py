"""Pages as offices scan them: read, aligned, signed or not, written on or not (S30, S35-S37)."""

import warnings
from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any

import pikepdf
import pypdfium2
import pytest
import segno
from PIL import Image, ImageOps

from chalicelib.documents import render
from chalicelib.documents.scans import geometry, printed, reading, sources
from chalicelib.documents.scans.reading import Doubt, Outcome, Reading, Verdict
from chalicelib.documents.scans.sources import Trouble, Unreadable
from chalicelib.documents.sheet import Area, DeclarationSheet
from tests.scans import generator
from tests.scans.generator import Spoil
from tests.unit.test_render import CODE, a_long_sheet, a_sheet

DPI = 150
HOWS = (generator.flat, generator.skewed, generator.photo)
Act = Callable[[Any, Spoil, Random], None]


def seen(sheet: DeclarationSheet, how: Any, seed: int, *acts: Act) -> tuple[Reading, Verdict]:
    """The last page of the sheet, written on by these acts, spoilt, read and examined."""
    paper, chance = render.render(sheet), generator.chance_of(seed)
    spoil = how(chance)
    picture = list(generator.printed(paper, spoil.dpi))[-1]
    for act in acts:
        act(picture, spoil, chance)
    content = generator.jpeg(generator.spoilt(picture, spoil, chance), spoil.jpeg)
    return told(content, paper)


def told(content: bytes, paper: bytes) -> tuple[Reading, Verdict]:
    """What is known of the first page of a file."""
    with sources.opened(content) as source:
        picture = source.picture(1)
    read = reading.read(picture)
    if read.payload is None:
        return read, Verdict()
    return read, reading.examine(picture, read, paper, read.payload.page, read.payload.pages)


def sign(sheet: DeclarationSheet) -> Act:
    """The client signs, with place and date."""
    layout = render.layout(sheet)[-1]
    return lambda picture, spoil, chance: generator.signed(picture, layout, spoil.dpi, chance)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_signed_page_is_recognised(how: Any, seed: int) -> None:
    """S30, S35: from the glass, through a feeder any way round, by telephone."""
    sheet = a_sheet()
    read, verdict = seen(sheet, how, seed, sign(sheet))
    assert read.payload is not None
    assert (read.payload.code, read.payload.page) == (CODE, 1)
    assert (verdict.signed, verdict.doubts) == (True, ())


@pytest.mark.parametrize("how", HOWS)
def test_a_page_without_a_signature_needs_a_person(how: Any) -> None:
    """S30: place and date alone are no signature."""
    layout = render.layout(a_sheet())[-1]

    def place(picture: Any, spoil: Spoil, chance: Random) -> None:
        assert layout.place is not None
        generator.scribbled(picture, layout.place, spoil.dpi, chance)

    _, verdict = seen(a_sheet(), how, 4, place)
    assert (verdict.signed, verdict.doubts) == (False, (Doubt.UNSIGNED,))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("x", [30.0, 120.0])
def test_words_by_hand_beside_the_fields_need_a_person(how: Any, x: float) -> None:
    """S37: whatever was added, a machine does not decide what it means."""
    sheet = a_sheet()

    def note(picture: Any, spoil: Spoil, chance: Random) -> None:
        generator.scribbled(picture, Area(x, 230, 45, 9), spoil.dpi, chance)

    _, verdict = seen(sheet, how, 5, sign(sheet), note)
    assert (verdict.signed, verdict.doubts) == (True, (Doubt.MARKED,))


@pytest.mark.parametrize("how", HOWS)
def test_words_struck_out_need_a_person(how: Any) -> None:
    """S37: a line drawn through printed words is seen between and under them."""
    sheet = a_sheet()
    box = render.layout(sheet)[-1].boxes[1].area

    def strike(picture: Any, spoil: Spoil, chance: Random) -> None:
        generator.struck(picture, 40, box.y - 4, 70, spoil.dpi)

    _, verdict = seen(sheet, how, 6, sign(sheet), strike)
    assert verdict.doubts == (Doubt.MARKED,)


@pytest.mark.parametrize("how", HOWS)
def test_a_box_ticked_by_hand_needs_a_person(how: Any) -> None:
    """S36, S37: the paper no longer says what was recorded."""
    sheet = a_sheet()
    box = render.layout(sheet)[-1].boxes[2]
    assert not box.ticked

    def tick(picture: Any, spoil: Spoil, chance: Random) -> None:
        generator.ticked(picture, box.area, spoil.dpi)

    _, verdict = seen(sheet, how, 7, sign(sheet), tick)
    assert verdict.doubts == (Doubt.BOX_DIFFERS,)


@pytest.mark.parametrize("how", HOWS)
def test_a_tick_that_was_painted_over_needs_a_person(how: Any) -> None:
    """S36, S37: less than was printed is a difference, too."""
    sheet = a_sheet()
    box = render.layout(sheet)[-1].boxes[1]
    assert box.ticked

    def erase(picture: Any, spoil: Spoil, chance: Random) -> None:
        scale, inset = spoil.dpi / 25.4, 0.5
        edges = (
            box.area.x + inset,
            box.area.y + inset,
            box.area.x + box.area.width - inset,
            box.area.y + box.area.height - inset,
        )
        picture.paste(255, tuple(round(edge * scale) for edge in edges))

    _, verdict = seen(sheet, how, 8, sign(sheet), erase)
    assert verdict.doubts == (Doubt.BOX_DIFFERS,)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("corner", range(4))
def test_a_page_with_a_corner_torn_off_is_aligned(how: Any, corner: int) -> None:
    """S35: three marks and the code are enough; what is missing with the corner is blank paper."""
    sheet = a_sheet()
    area = render.layout(sheet)[-1].corners[corner]

    def tear(picture: Any, spoil: Spoil, chance: Random) -> None:
        scale = spoil.dpi / 25.4
        edges = (area.x - 2, area.y - 2, area.x + area.width + 2, area.y + area.height + 2)
        picture.paste(255, tuple(round(edge * scale) for edge in edges))

    _, verdict = seen(sheet, how, 9, sign(sheet), tear)
    assert verdict.signed is True
    assert set(verdict.doubts) <= {Doubt.MISSING_INK}


def test_another_paper_under_our_code_needs_a_person() -> None:
    """S37: a code cut out and glued onto other words is no proof of these."""
    sheet = a_sheet()
    paper = render.render(sheet)
    (picture,) = generator.printed(paper, DPI)
    layout = render.layout(sheet)[0]
    generator.signed(picture, layout, DPI, generator.chance_of(1))
    other = render.render(a_long_sheet("ru"))
    words = list(generator.printed(other, DPI))[1]
    scale = DPI / 25.4
    box = tuple(round(edge * scale) for edge in (15, 45, 195, 280))
    picture.paste(words.crop(box), box)
    _, verdict = told(generator.jpeg(picture, 80), paper)
    assert {Doubt.NOT_ALIGNED, Doubt.MISSING_INK} & set(verdict.doubts)


def test_a_code_that_counts_other_pages_needs_a_person() -> None:
    """S37: the paper was printed with another number of pages."""
    (picture,) = generator.printed(render.render(a_sheet()), DPI)
    _, verdict = told(generator.jpeg(picture, 90), render.render(a_long_sheet()))
    assert verdict.doubts == (Doubt.OTHER_PAPER,)


def with_code(text: str, *more: str) -> bytes:
    """A page with these codes on it, and some print."""
    page = Image.new("L", (1240, 1754), 255)
    page.paste(40, (150, 900, 1100, 1000))
    for place, said in enumerate((text, *more)):
        raw = BytesIO()
        segno.make_qr(said).save(raw, "png", scale=6, border=4)
        page.paste(Image.open(raw).convert("L"), (100 + 500 * place, 100))
    return generator.jpeg(page, 90)


def test_codes_that_are_not_ours_are_told_apart() -> None:
    """Issue 4, bad input: an address, a payment, two papers on one page, nothing at all."""
    ours = [page.payload for page in render.layout(a_long_sheet())]
    assert told(with_code("https://evil.example/?DULY1"), b"")[0].outcome is Outcome.FOREIGN_CODE
    assert told(with_code(ours[0].replace("DULY1", "DULY2")), b"")[0].outcome is (
        Outcome.FOREIGN_CODE
    )
    assert told(with_code(ours[0], ours[1]), b"")[0].outcome is Outcome.SEVERAL_CODES
    both, _ = told(with_code(ours[0], "https://agencja.example"), render.render(a_long_sheet()))
    assert both.payload is not None
    assert both.payload.page == 1
    page = Image.new("L", (1240, 1754), 255)
    assert told(generator.jpeg(page, 90), b"")[0].outcome is Outcome.BLANK
    page.paste(0, (300, 300, 900, 400))
    assert told(generator.jpeg(page, 90), b"")[0].outcome is Outcome.NO_CODE


@pytest.mark.parametrize("name", ["PNG", "TIFF", "16 bit", "transparent", "palette", "inverted"])
def test_pictures_of_all_kinds_are_read(name: str) -> None:
    """S33: what scanners and telephones deliver, in grey, colour, one bit or sixteen."""
    sheet = a_sheet()
    paper = render.render(sheet)
    (picture,) = generator.printed(paper, DPI)
    generator.signed(picture, render.layout(sheet)[0], DPI, generator.chance_of(1))
    out = BytesIO()
    if name == "TIFF":
        picture.convert("1").save(out, "TIFF", compression="group4")
    elif name == "16 bit":
        picture.convert("I").point(lambda level: level * 257).convert("I;16").save(out, "PNG")
    elif name == "transparent":
        ink = ImageOps.invert(picture)
        clear = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        clear.putalpha(ink)
        clear.save(out, "PNG")
    elif name == "inverted":
        ImageOps.invert(picture).save(out, "PNG")
    else:
        picture.convert("P" if name == "palette" else "RGB").save(out, "PNG")
    read, verdict = told(out.getvalue(), paper)
    assert read.payload is not None
    if name != "inverted":  # its code is read; what is on it, a person sees
        assert (verdict.signed, verdict.doubts) == (True, ())


def test_every_page_of_a_tiff_is_read() -> None:
    """S33: one file, many pages."""
    pages = list(generator.printed(render.render(a_long_sheet()), DPI))
    out = BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    with sources.opened(out.getvalue()) as source:
        found = [reading.read(source.picture(n)).payload for n in range(1, source.pages + 1)]
    assert [one.page for one in found if one] == list(range(1, len(pages) + 1))


def empty_pdf(pages: int) -> bytes:
    """A PDF of that many pages with nothing on them."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page()
    out = BytesIO()
    pdf.save(out)
    return out.getvalue()


def encrypted() -> bytes:
    """A PDF that opens with a password alone."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    out = BytesIO()
    pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A small file that unpacks to a picture of this size."""
    out = BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (encrypted, Trouble.ENCRYPTED),
        (lambda: b"%PDF-1.7\nnothing", Trouble.DAMAGED),
        (lambda: empty_pdf(2)[:200], Trouble.DAMAGED),
        (lambda: empty_pdf(5000), Trouble.TOO_MANY_PAGES),
        (lambda: bomb(10_000), Trouble.TOO_LARGE),
        (lambda: bomb(20_000), Trouble.TOO_LARGE),
        (lambda: bomb(2_000)[:100], Trouble.DAMAGED),
        (lambda: b"\xff\xd8\xff\xe0 no picture", Trouble.DAMAGED),
        (lambda: b"II*\0\xff\xff\xff\xff", Trouble.DAMAGED),
        (lambda: b"", Trouble.TYPE_REFUSED),
        (lambda: b"PK\x03\x04 a zip", Trouble.TYPE_REFUSED),
        (lambda: b"<svg onload='x'/>", Trouble.TYPE_REFUSED),
    ],
)
def test_a_bad_file_says_what_is_wrong(content: Callable[[], bytes], trouble: Trouble) -> None:
    """Issue 4, bad input: a clear result for each file, and no warning that fails a run."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Unreadable) as error, sources.opened(content()) as source:
            source.picture(1)
    assert error.value.trouble is trouble


def test_a_page_of_any_size_becomes_a_picture_of_ours() -> None:
    """Issue 4, bad input: a page of ten metres is drawn no larger than A4 at 300 dpi."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(14_400, 14_400))
    pdf.add_blank_page(page_size=(3, 14_400))
    out = BytesIO()
    pdf.save(out)
    with sources.opened(out.getvalue()) as source:
        sizes = [source.picture(n).size for n in (1, 2)]
    assert max(max(size) for size in sizes) <= 3600
    assert reading.read(Image.new("L", (1, 3600), 255)).outcome is Outcome.BLANK


@pytest.mark.parametrize("size", [(3000, 40), (40, 3000), (3600, 1), (1, 3600), (1, 1)])
def test_a_strip_of_paper_is_a_page(size: tuple[int, int]) -> None:
    """Issue 4, S33: a receipt, or what a feeder tore off; black is not blank, white is."""
    assert reading.read(Image.new("L", size, 0)).outcome is Outcome.NO_CODE
    assert reading.read(Image.new("L", size, 255)).outcome is Outcome.BLANK


def test_the_kept_page_stands_upright() -> None:
    """S35: whichever way it went through the feeder."""
    (picture,) = generator.printed(render.render(a_sheet()), DPI)
    for quarters in range(4):
        turned = picture.rotate(90 * quarters, expand=True)
        kept = reading.kept(turned, reading.read(turned).corners)
        again = reading.read(Image.open(BytesIO(kept)).convert("L"))
        (left, top), (right, level) = again.corners[0], again.corners[1]
        assert right - left > 100
        assert abs(level - top) < 5


def test_kept_pages_are_bound_alike() -> None:
    """S31: the same pages give the same bytes, so a retry keeps the same paper."""
    pages = list(generator.printed(render.render(a_long_sheet()), 100))[:3]
    kept = tuple(reading.kept(page) for page in pages)
    bound = reading.bound(kept)
    assert bound == reading.bound(kept)
    with pypdfium2.PdfDocument(bound) as document:
        assert len(document) == 3
        width, height = document[0].get_size()
    assert (round(width), round(height)) == (595, 842)


def test_the_printed_paper_tells_where_its_fields_are() -> None:
    """S35: read from the PDF itself, they are where the layout drew them."""
    sheet = a_long_sheet()
    paper, layouts = render.render(sheet), render.layout(sheet)
    assert printed.count(paper) == len(layouts)
    for layout in layouts:
        page = printed.page(paper, layout.page, layout.pages)
        assert page is not None
        assert rounded(page.boxes) == rounded(box.area for box in layout.boxes)
        drawn = {
            "place": layout.place,
            "date": layout.date,
            "signature": layout.signature,
        }
        assert page.fields.keys() == {name for name, area in drawn.items() if area}
        for name, area in page.fields.items():
            wanted = drawn[name]
            assert wanted is not None
            assert (area.x, area.y) == pytest.approx((wanted.x, wanted.y), abs=0.6)
    assert printed.page(paper, 1, len(layouts) + 1) is None


def rounded(areas: Any) -> list[tuple[int, int]]:
    """Where areas are, to the millimetre."""
    return [(round(area.x), round(area.y + 0.01)) for area in areas]


def test_points_on_one_line_make_no_projection() -> None:
    """S35: marks that can't be a page's are refused."""
    line = [(float(n), float(n)) for n in range(4)]
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    with pytest.raises(geometry.Degenerate):
        geometry.projection(line, square)
    there = geometry.projection(square, [(0.0, 0.0), (2.0, 0.1), (2.2, 2.0), (0.1, 1.9)])
    assert geometry.project(there, (1.0, 1.0)) == pytest.approx((2.2, 2.0))
    five = [*square, (0.5, 0.5)]
    same = geometry.projection(five, five)
    assert geometry.project(same, (0.3, 0.7)) == pytest.approx((0.3, 0.7))
    with pytest.raises(geometry.Degenerate):
        geometry.project((1, 0, 0, 0, 1, 0, -1, 0), (1.0, 0.0))
