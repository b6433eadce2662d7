"""The official letter on paper: what it says, where it stands, that it lasts."""

import hashlib
import os
import subprocess
import sys
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import msgspec
import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.documents import letter, lines, pages
from chalicelib.documents.letter import WORDS, OfficialLetter, Section
from chalicelib.documents.sheet import Controller, Language
from chalicelib.kernel.days import day

ROOT = Path(__file__).parents[2]
LANGUAGES: tuple[Language, ...] = get_args(Language)
REFERENCE = "7K3F-9QXM-2T"
PROSE: dict[Language, str] = {
    "pl": "Zażółć gęślą jaźń: wypłata nastąpiła zgodnie z § 14 ust. 2 warunków ubezpieczenia.",
    "en": "The payment was made under § 14(2) of the general conditions of insurance.",
    "ru": "Съёмка, объём, юг: выплата произведена по § 14 правил страхования.",
}
ORGANISATION = Controller(
    name="Agencja „Bursztyn” Sp. z o.o.",
    address="ul. Długa 12/3\n80-831 Gdańsk",
    registry_number="KNF 11234567/A",
    email="reklamacje@bursztyn.example",
    phone="+48 58 555 01 23",
)


def a_letter(language: Language = "pl", **changes: Any) -> OfficialLetter:
    """An answer that refuses, with everything that a letter can hold."""
    whole = OfficialLetter(
        language=language,
        organisation=ORGANISATION,
        recipient="Łucja Кузнецова\nul. Krótka 2 m. 14\n00-002 Warszawa",
        on=date(2026, 12, 4),
        reference=REFERENCE,
        subject="Odpowiedź na reklamację",
        text=f"{PROSE[language]}\n\n{PROSE[language]}",
        elements=(Section(title="Uzasadnienie", text=PROSE[language]),),
        elsewhere=(Section(title="Rzecznik Finansowy", text="ul. Nowogrodzka 47A\n00-695"),),
        signer_name="Łukasz Żółć",
        signer_position="Specjalista ds. reklamacji",
        enclosures=("Kopia protokołu", "Wyliczenie"),
    )
    return replace(whole, **changes)


def words(pdf: bytes) -> list[str]:
    """The text of each page, blanks alike."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [" ".join(p.get_textpage().get_text_bounded().split()) for p in document]


def lasting(raw: bytes, title: str, on: str, language: Language) -> None:
    """Assert that it is PDF/A-2u, with its title, its day and its language."""
    with pikepdf.open(BytesIO(raw)) as pdf:
        with pdf.open_metadata(update_docinfo=False, set_pikepdf_as_editor=False) as meta:
            assert (meta["pdfaid:part"], meta["pdfaid:conformance"]) == ("2", "U")
            assert meta["dc:title"] == title
            assert meta["xmp:CreateDate"].startswith(f"{on}T00:00:00")
        assert str(pdf.Root.Lang) == language
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert not pdf.is_encrypted
        for font in pdf.pages[0].Resources.Font.values():
            (descendant,) = font.DescendantFonts
            assert b"beginbfchar" in font.ToUnicode.read_bytes()
            assert len(descendant.FontDescriptor.FontFile2.read_bytes()) > 1000


def dense(text: str) -> str:
    return "".join(text.split())


def shown(*sheets: letter.Page) -> list[pages.Text]:
    return [text for sheet in sheets for text in sheet.texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_says_who_to_whom_what_and_by_whom(language: Language) -> None:
    """M84: everything that the answer holds is on the paper, and a machine can read it."""
    told, own = a_letter(language), WORDS[language]
    (said,) = words(letter.render(told))
    for expected in (
        ORGANISATION.name,
        "ul. Długa 12/3, 80-831 Gdańsk",
        ORGANISATION.email,
        ORGANISATION.phone,
        ORGANISATION.registry_number,
        *told.recipient.splitlines(),
        day(told.on, language),
        f"{own.our_reference}: {REFERENCE}",
        told.subject,
        own.greeting,
        "Uzasadnienie",
        "Rzecznik Finansowy",
        "ul. Nowogrodzka 47A",
        own.closing,
        "Łukasz Żółć",
        "Specjalista ds. reklamacji",
        own.enclosures,
        "1. Kopia protokołu",
        own.page.format(reference=REFERENCE, page=1, pages=1),
    ):
        assert expected in said
    assert dense(said).count(dense(PROSE[language])) == 3


@pytest.mark.parametrize(
    "recipient",
    [
        "Łucja Żółć\nul. Krótka 2\n00-002 Warszawa",
        "A\nB\nC\nD\nE\nF\nG",
        "Przedsiębiorstwo Wielobranżowe „Brzęczyszczykiewicz i Wspólnicy” Spółka komandytowa\n"
        "Dział reklamacji, pokój 312\nul. Generała Stanisława Maczka 1234 m. 5\n"
        "00-002 Warszawa\nPolska",
    ],
)
def test_the_address_stands_in_the_window_of_the_envelope(recipient: str) -> None:
    """M84: folded at its marks, the sheet shows the address and nothing else."""
    first, *_ = letter.typeset(a_letter(recipient=recipient))
    x, y, width, height = letter.WINDOW
    inside = [text for text in first.texts if y <= text.y <= y + height]
    assert dense(recipient) in dense("".join(text.text for text in inside))
    for text in inside:
        assert x <= text.x
        assert text.x + lines.measure(text.text, text.size, bold=text.bold) <= x + width
    marks = [rule.y for rule in first.rules if rule.x < letter.LEFT]
    assert marks == list(letter.FOLDS)
    # A window of 45 mm, its foot 15 mm above the fold, the sheet free to slide 5 mm.
    assert letter.FOLDS[0] - 60 <= y
    assert y + height <= letter.FOLDS[0] - 20


def test_an_address_too_long_for_any_window_is_printed_whole() -> None:
    """M84: nothing is cut off silently."""
    recipient = "\n".join(f"Line {n}" for n in range(40))
    said = " ".join(words(letter.render(a_letter(recipient=recipient))))
    assert all(f"Line {n}" in said for n in range(40))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_of_any_length_runs_over_pages_that_say_whose_they_are(language: Language) -> None:
    """M84: each page has the number of the case; the signature never stands alone."""
    text = "\n\n".join([PROSE[language] * 6] * 20)
    told = a_letter(language, text=text)
    said = words(letter.render(told))
    assert len(said) > 2
    for number, page in enumerate(said, 1):
        foot = WORDS[language].page.format(reference=REFERENCE, page=number, pages=len(said))
        assert foot in page
    body = "".join(one.text for one in shown(*letter.typeset(told)) if one.size == 10.5)
    assert dense(text) in dense(body)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60))
def test_nobody_signs_a_page_that_says_nothing(length: int) -> None:
    """M84: the last words of the letter are above the signature, wherever the page ends."""
    told = a_letter(text=PROSE["pl"] * length, elements=(), elsewhere=(), enclosures=())
    *_, last = letter.typeset(told)
    texts = [one.text for one in last.texts]
    closing = texts.index(WORDS["pl"].closing)
    assert closing > 0
    assert texts[closing + 1 : closing + 3] == ["Łukasz Żółć", "Specjalista ds. reklamacji"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_pdf_a_2u_with_title_and_language(language: Language) -> None:
    """M84, M85: a letter is evidence for years; ISO 19005-2, level U."""
    official = a_letter(language)
    lasting(letter.render(official), f"{official.subject} {REFERENCE}", "2026-12-04", language)


def test_nothing_in_a_letter_acts() -> None:
    """M84: no script, no link, no form, whatever a person wrote."""
    hostile = "<a href='javascript:alert(1)'>x</a> [x](https://evil.example) \\(/JS (alert(1))\\)"
    raw = letter.render(a_letter(recipient=hostile, subject=hostile, text=hostile))
    with pikepdf.open(BytesIO(raw)) as pdf:
        assert not {"/AA", "/AcroForm", "/Names"} & set(pdf.Root.keys())
        assert all("/Annots" not in page and "/AA" not in page for page in pdf.pages)
        kinds = {str(o.get("/S", "")) for o in pdf.objects if isinstance(o, pikepdf.Dictionary)}
        assert not kinds & {"/JavaScript", "/URI", "/Launch", "/GoToR", "/SubmitForm"}
    assert dense(" ".join(words(raw))).count(dense(hostile)) == 3


def test_the_same_facts_give_the_same_bytes_in_any_process() -> None:
    """M84: a retry keeps the same paper under the same SHA-256; no clock, no chance."""
    script = (
        "import hashlib, sys; sys.path.insert(0, 'tests/unit')\n"
        "from test_letter_paper import a_letter, letter\n"
        "raw = letter.render(a_letter())\n"
        "print(hashlib.sha256(raw).hexdigest())"
    )
    raw = letter.render(a_letter())
    elsewhere = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout.strip() == hashlib.sha256(raw).hexdigest()
    assert letter.render(a_letter(signer_name="Somebody else")) not in raw


anything = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("ąЖ \n\t-*_#&<(\\%")),
    max_size=300,
)


@settings(max_examples=25, deadline=None)
@given(anything, anything, anything)
def test_any_text_stays_inside_the_margins(name: str, title: str, text: str) -> None:
    """M33, M84: nothing that a person may write pushes anything off the paper."""
    told = a_letter(
        organisation=replace(ORGANISATION, name=name, address=text),
        recipient=f"{name}\n{text}",
        reference=title,
        subject=title,
        text=text * 9,
        elements=(Section(title=title, text=text),),
        signer_name=name,
        signer_position=title,
        enclosures=(title,),
    )
    for page in letter.typeset(told):
        for one in page.texts:
            assert one.x >= letter.LEFT - 1e-6
            right = one.x + lines.measure(one.text, one.size, bold=one.bold)
            assert right <= letter.RIGHT + 1e-6
            assert one.y <= letter.FOOT
    assert len(words(letter.render(told))) == len(letter.typeset(told))


def test_every_word_of_our_own_is_in_the_font() -> None:
    """M84: in each language, both weights."""
    for bold in (False, True):
        letters = lines.advances(bold=bold).keys()
        for own in WORDS.values():
            assert set("".join(msgspec.structs.astuple(own))) <= letters


def test_importing_it_loads_nothing_heavy() -> None:
    """Design, rule 13: what a route does not use is not imported by it."""
    script = (
        "import sys, chalicelib.documents.letter\n"
        "print({'fpdf', 'PIL', 'fontTools', 'jinja2'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "set()"
