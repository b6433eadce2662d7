"""The printed declaration: what it says, that it lasts, that a scan of it is read (S28-S35)."""

import hashlib
import os
import subprocess
import sys
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.documents import codes, lines, render, typesetting
from chalicelib.documents.labels import LABELS, Labels
from chalicelib.documents.pages import TITLE, WORDING
from chalicelib.documents.sheet import (
    Area,
    Controller,
    DeclarationSheet,
    Language,
    PageLayout,
    SheetAnswer,
)

ROOT = Path(__file__).parents[2]
CODE = "CVA8TV7TSD"
LANGUAGES: tuple[Language, ...] = ("pl", "en", "ru")
WORDINGS: dict[Language, str] = {
    "pl": "Wyrażam zgodę na kontakt w celach marketingowych; zażółć gęślą jaźń.",
    "en": "I consent to being contacted for marketing; I may withdraw at any time.",
    "ru": "Я даю согласие на звонки в целях продвижения услуг; съёмка, объём, юг.",
}
DPI = 150


def a_sheet(language: Language = "pl", **changes: Any) -> DeclarationSheet:
    """A declaration with a notice, a consent given and a consent refused."""
    wording = WORDINGS[language]
    whole = DeclarationSheet(
        org="agencja-zrodlo",
        code=CODE,
        language=language,
        controller=Controller(
            name="Agencja Źródło sp. z o.o.",
            address="ul. Świętokrzyska 14\n00-050 Warszawa",
            registry_number="KRS 0000123456",
            email="rodo@agencja.example",
            phone="+48 22 123 45 67",
            dpo="Grażyna Żółć",
        ),
        client_name="Łucja Кузнецова",
        client_email="lucja@example.com",
        declared_on=date(2026, 3, 24),
        answers=(
            SheetAnswer(title="Notice", text=wording, answer=True, kind="notice"),
            SheetAnswer(title="Marketing", text=wording, answer=True, kind="consent"),
            SheetAnswer(title="Telephone", text=wording, answer=False, kind="consent"),
        ),
    )
    return msgspec.structs.replace(whole, **changes)


def a_long_sheet(language: Language = "pl") -> DeclarationSheet:
    """A declaration of several pages: a wording longer than a page, and short ones around it."""
    short, long = WORDINGS[language], "\n\n".join([WORDINGS[language] * 7] * 14)
    texts = (short, long, *[short] * 7, long)
    return a_sheet(
        language,
        answers=tuple(
            SheetAnswer(title=f"Purpose {n}", text=text, answer=n % 2 == 0, kind="consent")
            for n, text in enumerate(texts)
        ),
    )


def words(pdf: bytes) -> list[str]:
    """The text of each page, blanks alike."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [" ".join(p.get_textpage().get_text_bounded().split()) for p in document]


def pictures(pdf: bytes, dpi: int = DPI) -> list[Any]:
    """Each page in shades of grey, as a scanner would deliver it."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in document]


def darkness(picture: Any, area: Area) -> float:
    """How much of an area is ink, 0 to 1."""
    scale = DPI / 25.4
    edges = (area.x, area.y, area.x + area.width, area.y + area.height)
    cut = picture.crop([round(edge * scale) for edge in edges])
    return 1 - float(sum(cut.tobytes())) / (255 * int(cut.width) * int(cut.height))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_paper_says_who_to_whom_and_every_full_wording(language: Language) -> None:
    """S28, S29: the agent and the client can read all of it, and so can a machine."""
    sheet, labels = a_sheet(language), LABELS[language]
    (said,) = words(render.render(sheet))
    controller = sheet.controller
    for expected in (
        labels.title,
        controller.name,
        *controller.address.splitlines(),
        controller.registry_number,
        controller.email,
        controller.phone,
        "Grażyna Żółć",
        "Łucja Кузнецова",
        "lucja@example.com",
        codes.group(CODE),
        labels.page.format(page=1, pages=1),
        labels.place,
        labels.date,
        labels.signature,
    ):
        assert expected in said
    assert said.count(WORDINGS[language]) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_is_a_box_with_a_word(language: Language) -> None:
    """S28: a refusal is printed as a refusal; the tick alone never carries the meaning."""
    (said,) = words(render.render(a_sheet(language)))
    answers = LABELS[language].answers
    assert answers["notice", True] in said
    assert answers["consent", True] in said
    assert answers["consent", False] in said
    assert answers["notice", False] not in said
    (page,) = render.layout(a_sheet(language))
    assert [(box.answer, box.ticked) for box in page.boxes] == [(0, True), (1, True), (2, False)]


def test_what_is_unknown_of_the_client_leaves_no_empty_label() -> None:
    """S28: a client without e-mail is served on paper all the same."""
    (said,) = words(render.render(a_sheet(client_email=None)))
    assert said.count(f"{LABELS['pl'].email}:") == 1  # the controller's
    assert "None" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_pdf_a_2u_with_title_and_language(language: Language) -> None:
    """S30: a signed paper is evidence for years; ISO 19005-2, level U."""
    with pikepdf.open(BytesIO(render.render(a_sheet(language)))) as pdf:
        with pdf.open_metadata(update_docinfo=False, set_pikepdf_as_editor=False) as meta:
            assert (meta["pdfaid:part"], meta["pdfaid:conformance"]) == ("2", "U")
            assert meta["dc:title"] == f"{LABELS[language].title} {codes.group(CODE)}"
            assert meta["xmp:CreateDate"].startswith("2026-03-24T00:00:00")
        assert str(pdf.Root.Lang) == language
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
        assert len(pdf.trailer.ID) == 2
        assert not pdf.is_encrypted


def test_its_fonts_are_embedded_and_say_which_letter_is_which() -> None:
    """S28: searchable, and the same on every machine, for years."""
    with pikepdf.open(BytesIO(render.render(a_sheet()))) as pdf:
        fonts = list(pdf.pages[0].Resources.Font.values())
        assert len(fonts) == 2
        for font in fonts:
            (descendant,) = font.DescendantFonts
            assert b"beginbfchar" in font.ToUnicode.read_bytes()
            assert len(descendant.FontDescriptor.FontFile2.read_bytes()) > 1000


def test_nothing_in_it_acts() -> None:
    """S29, S30: no script, no link, no form, no attachment, whatever a person wrote."""
    hostile = "<a href='javascript:alert(1)'>x</a> [x](https://evil.example) \\(/JS (alert(1))\\)"
    sheet = a_sheet(
        client_name=hostile,
        answers=(SheetAnswer(title=hostile, text=hostile, answer=True, kind="consent"),),
    )
    raw = render.render(sheet)
    with pikepdf.open(BytesIO(raw)) as pdf:
        assert not {"/AA", "/AcroForm", "/Names"} & set(pdf.Root.keys())
        assert isinstance(pdf.Root.OpenAction, pikepdf.Array)  # where to look first, not an action
        assert all("/Annots" not in page and "/AA" not in page for page in pdf.pages)
        kinds = {str(o.get("/S", "")) for o in pdf.objects if isinstance(o, pikepdf.Dictionary)}
        assert not kinds & {"/JavaScript", "/URI", "/Launch", "/GoToR", "/SubmitForm"}
    said = "".join(words(raw)).replace(" ", "")
    assert said.count(hostile.replace(" ", "")) == 2
    assert said.count("[x](https://evil.example)") == 3  # the name is broken into lines


def test_the_same_sheet_gives_the_same_bytes_in_any_process() -> None:
    """S28: a retried print stores the same paper under the same SHA-256; no clock, no chance."""
    script = (
        "import hashlib, sys; sys.path.insert(0, 'tests/unit')\n"
        "from test_render import a_sheet, render\n"
        "print(hashlib.sha256(render.render(a_sheet())).hexdigest())"
    )
    first, again = render.render(a_sheet()), render.render(a_sheet())
    elsewhere = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert first == again
    assert elsewhere.stdout.strip() == hashlib.sha256(first).hexdigest()
    assert render.render(a_sheet(client_name="Somebody else")) != first


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_qr_code_of_every_page_is_read_where_the_layout_says(language: Language) -> None:
    """S35: a 150 dpi scan finds its paper, its page and its place on the glass."""
    sheet = a_long_sheet(language)
    pages = render.layout(sheet)
    shown = pictures(render.render(sheet))
    assert len(pages) == len(shown) > 2
    for page, picture in zip(pages, shown, strict=True):
        (found,) = zxingcpp.read_barcodes(picture)
        assert found.text == page.payload
        assert codes.parse_payload(found.text) == codes.Payload(
            org=sheet.org, code=CODE, page=page.page, pages=len(pages), layout=render.LAYOUT
        )
        corner = found.position.top_left
        assert corner.x * 25.4 / DPI == pytest.approx(page.qr.x, abs=0.6)
        assert corner.y * 25.4 / DPI == pytest.approx(page.qr.y, abs=0.6)


def test_a_poor_scan_still_tells_its_page() -> None:
    """S35: an office scanner at 100 dpi, the sheet askew and not quite white."""
    for picture in pictures(render.render(a_long_sheet()), dpi=100):
        poor = picture.rotate(2.5, expand=True, fillcolor=255).point(lambda level: level * 0.8 + 20)
        (found,) = zxingcpp.read_barcodes(poor)
        assert codes.parse_payload(found.text) is not None


def test_marks_and_boxes_are_drawn_where_the_layout_says() -> None:
    """S35: what aligns a scan, and what is compared on it."""
    sheet = a_sheet()
    (page,), (picture,) = render.layout(sheet), pictures(render.render(sheet))
    for corner in page.corners:
        assert darkness(picture, corner) > 0.9
        around = Area(corner.x - 2, corner.y - 2, corner.width + 4, corner.height + 4)
        assert darkness(picture, around) < 0.35
    ink = [darkness(picture, box.area) for box in page.boxes]
    assert min(ink[:2]) > 1.3 * ink[2] > 0
    for field in (page.place, page.date, page.signature):
        assert field is not None
        room = Area(field.x, field.y, field.width, field.height - 1)
        assert darkness(picture, room) == 0
        line = Area(field.x, field.y + field.height - 0.4, field.width, 0.8)
        assert darkness(picture, line) > 0.2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_declaration_runs_over_pages_and_stays_whole(language: Language) -> None:
    """S28, S30: each page says what it belongs to; no answer leaves its title, none is lost."""
    sheet, labels = a_long_sheet(language), LABELS[language]
    pages, said = render.layout(sheet), words(render.render(sheet))
    answers = [box.answer for page in pages for box in page.boxes]
    assert answers == list(range(len(sheet.answers)))
    for page, text in zip(pages, said, strict=True):
        assert labels.page.format(page=page.page, pages=len(pages)) in text
        assert codes.group(CODE) in text
        assert sheet.client_name in text
        for box in page.boxes:
            assert f"Purpose {box.answer}" in text
    assert any(f"Purpose 1 {labels.continued}" in text for text in said)
    lines_said = [text for page in typesetting.typeset(sheet) for text in page.texts]
    wording = "".join(text.text for text in lines_said if text.size == WORDING)
    expected = "".join(answer.text for answer in sheet.answers) + labels.confirmation
    assert "".join(wording.split()) == "".join(expected.split())
    assert all(line.text in "".join(said) for line in lines_said)
    assert_signed_on_the_last_page_only(pages)


def assert_signed_on_the_last_page_only(pages: tuple[PageLayout, ...]) -> None:
    """The fields are together on the last page, under at least one answer."""
    *others, last = pages
    assert all(p.signature is p.place is p.date is None for p in others)
    assert last.signature is not None
    assert last.boxes
    assert last.boxes[-1].area.y < last.signature.y


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 14), st.integers(1, 14))
def test_the_signature_never_stands_alone(answers: int, length: int) -> None:
    """S30: nobody signs a page that says nothing, wherever the page happens to end."""
    text = WORDINGS["pl"] * length
    purposes = (SheetAnswer(title="Purpose", text=text, answer=True, kind="consent"),) * answers
    assert_signed_on_the_last_page_only(render.layout(a_sheet(answers=purposes)))


anything = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("ąЖ \n\t-*_#&<(\\%")),
    max_size=400,
)


@settings(max_examples=25, deadline=None)
@given(anything, anything, anything, anything)
def test_any_text_stays_inside_the_margins(
    name: str, address: str, title: str, wording: str
) -> None:
    """S28: a name as long as it likes, in any script, pushes nothing off the paper."""
    sheet = a_sheet(
        client_name=name,
        client_address=address,
        answers=(SheetAnswer(title=title, text=wording * 9, answer=True, kind="consent"),),
    )
    for page in typesetting.typeset(sheet):
        for text in page.texts:
            assert text.x >= typesetting.LEFT
            right = text.x + lines.measure(text.text, text.size, bold=text.bold)
            assert right <= typesetting.RIGHT + 1e-6
            assert text.y <= typesetting.FOOT
    assert len(words(render.render(sheet))) == len(render.layout(sheet))


@pytest.mark.parametrize("title", ["word " * 4000, "x" * 20_000, "я " * 9000])
def test_even_an_absurd_title_is_printed_whole(title: str) -> None:
    """S28: nothing is cut off silently."""
    sheet = a_sheet(answers=(SheetAnswer(title=title, text="Text.", answer=True, kind="consent"),))
    placed = [text for page in typesetting.typeset(sheet) for text in page.texts]
    shown = "".join(text.text for text in placed if text.size == TITLE)
    assert shown.count(title[0]) >= title.count(title[0])
    assert max(text.y for text in placed) <= typesetting.FOOT


def test_a_letter_that_the_font_lacks_is_seen_to_be_missing() -> None:
    """S29: the agent sees on the paper that something can't be shown; nothing crashes."""
    (said,) = words(render.render(a_sheet(client_name="Wang 王 \U0001f600\ufe0f שלום a\u200bb")))
    assert "Wang \ufffd \ufffd \ufffd\ufffd\ufffd\ufffd ab" in said


def test_names_of_the_neighbourhood_are_shown_in_full() -> None:
    """S28: Polish, Russian, Ukrainian, Lithuanian, Czech, Romanian, Turkish, Vietnamese, Tatar."""
    names = "Żółć Щука Їжак Ґудзь Šiauliai Říha Țepeș Işık Nguyễn Әхмәт"
    assert lines.clean(names) == names
    assert lines.clean("Ża\u0328dło") == "Żądło"  # composed


@pytest.mark.parametrize("bold", [False, True])
def test_every_word_of_our_own_is_in_the_font(*, bold: bool) -> None:
    """S28: in each language, and both weights show the same letters."""
    letters = lines.advances(bold=bold).keys()
    assert letters == lines.advances(bold=not bold).keys()
    for labels in LABELS.values():
        for text in [*own_words(labels), "…", lines.MISSING]:
            assert set(text) <= letters


def own_words(labels: Labels) -> list[str]:
    """All that a language brings to the paper."""
    plain = [value for value in msgspec.structs.astuple(labels) if isinstance(value, str)]
    return [*labels.answers.values(), *plain]


def test_a_single_letter_ends_no_line() -> None:
    """S28: as Polish and Russian print requires."""
    text = "Zgoda w celu i na rzecz z o.o. oraz w tym a w nim lit. A"
    for width in range(20, 90):
        for line in lines.wrap(text, width, 9):
            assert line.split(" ")[-1] not in {"w", "i", "z", "a"}
            assert line != "A"


def test_the_published_layout_does_not_move() -> None:
    """S35: D1 is printed on papers; a change here needs a new layout id."""
    sheet = a_sheet(
        controller=Controller(name="A", address="B", registry_number="C", email="D", phone="E"),
        client_name="F",
        answers=(SheetAnswer(title="T", text="W", answer=True, kind="consent"),),
    )
    (page,) = render.layout(sheet)
    assert render.LAYOUT == "D1"
    assert page.payload == f"DULY1/AGENCJA-ZRODLO/{CODE}/1/1/D1"
    assert [(c.x, c.y) for c in page.corners] == [(8, 8), (198, 8), (8, 285), (198, 285)]
    assert (page.qr.x, page.qr.y, page.qr.width) == pytest.approx((170.2, 17, 19.8))
    measured = [page.boxes[0].area, page.place, page.date, page.signature]
    assert measured == [
        Area(27.0, 94.4, 4.6, 4.6),
        Area(20.0, 117.9, 52.0, 16.0),
        Area(77.0, 117.9, 36.0, 16.0),
        Area(118.0, 117.9, 72.0, 16.0),
    ]


@pytest.mark.parametrize("wrong", [{"org": "No Slug"}, {"code": "CVA8TV7TSE"}])
def test_a_paper_that_no_scan_could_name_is_not_made(wrong: dict[str, Any]) -> None:
    """S35: ValueError, before anything is drawn."""
    with pytest.raises(ValueError, match="not a page"):
        render.render(a_sheet(**wrong))


def test_importing_the_renderer_loads_nothing_heavy() -> None:
    """Design, rule 13: what a route does not use is not imported by it."""
    script = (
        "import sys, chalicelib.documents.render\n"
        "print({'fpdf', 'PIL', 'fontTools', 'segno'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "set()"
