"""Files that staff attach are what they say they are."""

import hashlib
import io
import zipfile
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.documents import attachments
from chalicelib.documents.attachments import (
    MOST_BYTES,
    FileContentRefused,
    FileSizeRefused,
    FileTypeRefused,
    NotUploaded,
)
from chalicelib.kernel.change import Key
from chalicelib.kernel.text import TextRefused

OWNER = Key("agencja", "CLIENT", "abc")
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"


def package(*names: str) -> bytes:
    """A zip document with these members."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return raw.getvalue()


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.pdf", "application/pdf"),
        ("A.PDF", "application/pdf"),
        ("zdjęcie.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.jpeg", "image/jpeg"),
        ("a.docx", DOCX),
        ("a.xlsx", XLSX),
        ("a.odt", ODT),
        ("a.ods", ODS),
    ],
)
def test_a_name_fits_its_type(name: str, content_type: str) -> None:
    """S41: seven kinds of documents."""
    assert attachments.check_claim(f" {name} ", content_type, MOST_BYTES) == name


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.pdf", "image/png"),
        ("a.exe", "application/pdf"),
        ("a.pdf.exe", "application/pdf"),
        ("a", "application/pdf"),
        ("a.docm", DOCX),
        ("a.html", "text/html"),
        ("../a.pdf", "application/pdf"),
        ("..\\a.pdf", "application/pdf"),
        ("a.pdf", ""),
    ],
)
def test_anything_else_is_refused(name: str, content_type: str) -> None:
    """S41: no path, no program, no other type."""
    with pytest.raises(FileTypeRefused):
        attachments.check_claim(name, content_type, 1)


def test_a_name_reaches_a_header_and_follows_its_rules() -> None:
    """Trap 2: an attachment's name stands in a MIME header; so does its turned-round ending."""
    for name in ("=?utf-8?q?x?=.pdf", "a\r\nBcc: x.pdf", "a\u202efdp.pdf", "x" * 117 + ".pdf"):
        with pytest.raises(TextRefused):
            attachments.check_claim(name, "application/pdf", 1)


@pytest.mark.parametrize("size", [-1, 0, MOST_BYTES + 1])
def test_a_file_has_a_size(size: int) -> None:
    """S41: 1 byte to 5 MB."""
    with pytest.raises(FileSizeRefused):
        attachments.check_claim("a.pdf", "application/pdf", size)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (package("[Content_Types].xml", "word/document.xml"), DOCX),
        (package("[Content_Types].xml"), XLSX),
        (package("mimetype", "content.xml"), ODT),
        (package("mimetype"), ODS),
    ],
)
def test_content_of_its_type_is_taken(content: bytes, content_type: str) -> None:
    """S41."""
    attachments.check_content(content, content_type)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "application/pdf"),
        (b"MZ%PDF-", "application/pdf"),
        (b"\xff\xd8\xff", "image/png"),
        (b"PK", DOCX),
        (package("word/document.xml"), DOCX),
        (package("[Content_Types].xml", "word/vbaProject.bin"), DOCX),
        (package("[Content_Types].xml", "xl/VBAPROJECT.BIN"), XLSX),
        (package("[Content_Types].xml"), ODT),
        (package("mimetype", "Basic/Standard/script-lb.xml"), ODT),
        (package("mimetype")[:-10], ODS),
    ],
)
def test_content_of_another_type_or_with_macros_is_refused(
    content: bytes, content_type: str
) -> None:
    """S41: the first bytes decide, and no macro hides in a document."""
    with pytest.raises(FileContentRefused):
        attachments.check_content(content, content_type)


WHOLE = package("[Content_Types].xml", "word/document.xml")


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=4))
@example(0, b"")
def test_a_damaged_document_is_taken_or_refused_and_nothing_else(place: int, bad: bytes) -> None:
    """Bad input gets a 4xx with a code, never an error of ours."""
    content = WHOLE[:place] + bad + WHOLE[place + len(bad) :]
    try:
        attachments.check_content(content, DOCX)
    except FileContentRefused as refused:
        assert refused.field == "content_type"


class Objects(dict[str, bytes]):
    """A bucket that keeps its objects in memory."""

    def get(self, key: str, most: int = 0) -> Any:  # type: ignore[override]
        """As the port promises."""
        return super().get(key)

    def put(self, key: str, content: bytes, *, content_type: str, sha256: str) -> None:
        """As the port promises."""
        assert hashlib.sha256(content).hexdigest() == sha256
        self[key] = content

    def delete(self, key: str) -> None:
        """As the port promises."""
        self.pop(key, None)

    def upload_form(self, key: str, *, content_type: str, most: int) -> dict[str, Any]:
        """As the port promises."""
        return {"key": key, "type": content_type, "most": most}


def test_what_was_checked_is_what_is_kept() -> None:
    """S41: out of quarantine under its digest; once; garbage stays there."""
    objects = Objects()
    ports: Any = SimpleNamespace(bucket=objects, now=datetime(2026, 11, 22, tzinfo=UTC))
    form = attachments.upload_form(ports, OWNER, "f1", "application/pdf")
    assert form == {
        "key": "quarantine/agencja/abc/f1",
        "type": "application/pdf",
        "most": MOST_BYTES,
    }
    with pytest.raises(NotUploaded):
        attachments.take(ports, OWNER, "f1", "a.pdf", "application/pdf", by="x")
    objects[form["key"]] = b"MZ"
    with pytest.raises(FileContentRefused):
        attachments.take(ports, OWNER, "f1", "a.pdf", "application/pdf", by="x")
    objects[form["key"]] = b"%PDF-1.7"
    digest = hashlib.sha256(b"%PDF-1.7").hexdigest()
    key = f"files/agencja/abc/f1-{digest[:16]}"
    kept = attachments.take(ports, OWNER, "f1", " a.pdf ", "application/pdf", by="x")
    assert objects.keys() == {form["key"], key}  # asked for again, it is there
    attachments.release(ports, OWNER, "f1")
    assert objects == {key: b"%PDF-1.7"}
    assert (kept.name, kept.size, kept.by) == ("a.pdf", 8, "x")
    assert (kept.sha256, kept.object_key) == (digest, key)
