"""What strangers send is looked at without believing any of it, and without being stopped by it."""

import io
import random
import struct
import zipfile

import pytest

from chalicelib.complaints.files import MOST_MEMBERS, TEXT, TYPES, wrong

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
PNG = b"\x89PNG\r\n\x1a\n"


def a_document(**members: str) -> bytes:
    """An office document with these members besides what each has."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in {"[Content_Types].xml": "<Types/>", **members}.items():
            package.writestr(name, text)
    return out.getvalue()


def a_lying_bomb() -> bytes:
    """Thirty million bytes in an entry that says it has a thousand, in both places."""
    size = 30_000_000
    honest = a_document(word="0" * size)
    return honest.replace(struct.pack("<L", size), struct.pack("<L", 1000))


def a_directory(entries: int) -> bytes:
    """A zip that is nothing but a directory of so many entries."""
    fields = (20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    one = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", *fields) + b"a"
    most = entries & 0xFFFF
    return one * entries + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, most, most, len(one) * entries, 0, 0
    )


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        (a_document(word="Szkoda"), DOCX, ""),
        (b"%PDF-1.7\n%%EOF", PDF, ""),
        ("Żółć".encode(), TEXT, ""),
        (b"%PDF-1.7\n/OpenAction 1 0 R", PDF, "active_content"),
        (b"%PDF-1.7\n<html>", PDF, "two_in_one"),
        (PNG + a_document(), "image/png", "two_in_one"),
        (b"MZ", PDF, "not_what_it_says"),
        (b"\xff\xfe", TEXT, "not_what_it_says"),
        (b"  <script>", TEXT, "not_what_it_says"),
        (a_document(**{"word/vbaProject.bin": "macro"}), DOCX, "not_what_it_says"),
        (a_document(word="0" * 3_000_000), DOCX, "unpacks_too_large"),
        *(
            (begins + a_document(), DOCX, "two_in_one")
            for begins in (b"MZ", b"%PDF-1.7", b"<html>")
        ),
        (a_document(**{"word/embeddings/oleObject1.bin": "x"}), DOCX, "active_content"),
        (a_document(**{"word/activeX/activeX1.xml": "x"}), DOCX, "active_content"),
        (a_lying_bomb(), DOCX, "not_what_it_says"),
        (b"MZ", "application/x-msdownload", "type"),
    ],
)
def test_what_is_not_plainly_what_it_says_is_held(
    content: bytes, content_type: str, reason: str
) -> None:
    """M13: by its bytes, whatever its name and its declared type."""
    assert wrong(content, content_type) == reason


def test_an_endless_directory_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """M13: half a million entries fit into 25 MB; who unpacks none still must not list them."""
    opened: list[object] = []
    monkeypatch.setattr(zipfile, "ZipFile", lambda *given: opened.append(given))
    assert wrong(a_directory(MOST_MEMBERS + 1), DOCX) == "unpacks_too_large"
    assert opened == []


def test_a_torn_document_is_held_and_never_fails() -> None:
    """M13: whatever bytes were changed, there is an answer: no file keeps its case waiting."""
    whole = a_document(word="Szkoda nie została rozpatrzona. " * 20)
    chance = random.Random(3)  # noqa: S311  the same bytes in each run
    for _ in range(3_000):
        torn = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            torn[chance.randrange(len(torn))] = chance.choice((0, 255, chance.randrange(256)))
        for content_type in TYPES:
            assert isinstance(wrong(bytes(torn), content_type), str)
