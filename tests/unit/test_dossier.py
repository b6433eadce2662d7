"""Chapters on paper: what they say, where a page breaks, that nothing leaves the page."""

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pypdfium2
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from chalicelib.documents import dossier, letter, lines
from chalicelib.documents.dossier import Chapter, Dossier, Line, Passage
from chalicelib.documents.sheet import Language
from tests.unit.test_letter_paper import PROSE, anything, dense, lasting, words

ROOT = Path(__file__).parents[2]
LANGUAGES: tuple[Language, ...] = get_args(Language)
REFERENCE = "7K3F-9QXM-2T"


def a_dossier(language: Language = "ru", **changes: Any) -> Dossier:
    """A case with a long history."""
    history = tuple(
        Line(label=f"Day {n}", value=f"Event {n}", about=("Żółć",), more="note " * n)
        for n in range(60)
    )
    whole = Dossier(
        language=language,
        title=f"Case {REFERENCE}",
        subtitle="Agencja „Bursztyn”",
        made="Made on: 5 December 2026",
        made_on=date(2026, 12, 5),
        reference=REFERENCE,
        page="{reference} – {page} / {pages}",
        continued="(continued)",
        chapters=(
            Chapter(title="", lines=(Line(label="Author", value="Екатерина Щукина"),)),
            Chapter(title="Words", lines=(Passage(text=PROSE[language]),)),
            Chapter(title="Nothing", lines=()),
            Chapter(title="Dates", lines=(Line(label="6 Dec", value="Answer", more="a → b"),)),
            Chapter(title="History", lines=history),
        ),
    )
    return replace(whole, **changes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_chapters_are_on_paper(language: Language) -> None:
    """Issue 3, item 10: labels, values, what is told of them, words; an empty one is left out."""
    said = words(dossier.render(a_dossier(language)))
    whole = " ".join(said)
    for expected in (f"Case {REFERENCE}", "Agencja „Bursztyn”", "Екатерина Щукина", "a › b"):
        assert expected in whole
    assert "Nothing" not in whole
    assert all(f"Event {n} " in whole and f"Day {n} " in whole for n in range(60))
    assert whole.count("Żółć") == 60
    assert dense(PROSE[language]) in dense(whole)
    assert len(said) > 2 and all("History (continued)" in page for page in said[1:])
    for number, page in enumerate(said, 1):
        assert f"{REFERENCE} – {number} / {len(said)}" in page


def test_its_chapters_are_bookmarks() -> None:
    """Issue 3, item 10: in a case of hundreds of pages a chapter is found at once."""
    with pypdfium2.PdfDocument(dossier.render(a_dossier())) as document:
        marks = [
            (mark.get_title(), dest.get_index())
            for mark in document.get_toc()
            if (dest := mark.get_dest())
        ]
    assert marks == [("Words", 0), ("Dates", 0), ("History", 0)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_pdf_a_2u_with_title_and_language(language: Language) -> None:
    """M85: a case is evidence for years; ISO 19005-2, level U."""
    raw = dossier.render(a_dossier(language))
    lasting(raw, f"Case {REFERENCE}", "2026-12-05", language)


@settings(max_examples=25, deadline=None)
@given(anything, anything, anything)
def test_any_text_stays_inside_the_margins(name: str, title: str, text: str) -> None:
    """M33, R13: nothing that a person may write pushes anything off the paper, or acts."""
    line = Line(label=title, value=text, about=(name,), more=text)
    told = a_dossier(
        title=title,
        subtitle=name,
        reference=title,
        chapters=(Chapter(title=title, lines=(line, Passage(text=text * 9), line)),),
    )
    for page in dossier.typeset(told):
        for one in page.texts:
            assert one.x >= letter.LEFT - 1e-6
            right = one.x + lines.measure(one.text, one.size, bold=one.bold)
            assert right <= letter.RIGHT + 1e-6
            assert one.y <= letter.FOOT
    assert len(words(dossier.render(told))) == len(list(dossier.typeset(told)))


def test_the_same_facts_give_the_same_bytes_in_any_process() -> None:
    """M86: the same case under the same SHA-256; no clock, no chance."""
    script = (
        "import hashlib; from tests.unit.test_dossier import a_dossier, dossier\n"
        "print(hashlib.sha256(dossier.render(a_dossier())).hexdigest())"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    raw = dossier.render(a_dossier())
    assert elsewhere.stdout.strip() == hashlib.sha256(raw).hexdigest()
