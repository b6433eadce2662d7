"""Files that staff attach: uploaded into quarantine, checked, then kept under their digest (S41).

What a file claims to be is compared with its first bytes; office files must be plain zip documents
without macros. The quarantined object is read once and what was read is kept, so uploading over
it afterwards changes nothing.
"""

import hashlib
import io
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.kernel import text
from chalicelib.kernel.change import Key
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.ports import Ports

MOST_BYTES = 5 * 1024 * 1024
MOST_BYTES_TOGETHER = 15 * 1024 * 1024
_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_ZIPPED = {
    f"{_OOXML}wordprocessingml.document": ".docx",
    f"{_OOXML}spreadsheetml.sheet": ".xlsx",
    f"{_ODF}text": ".odt",
    f"{_ODF}spreadsheet": ".ods",
}
_SIGNATURES = {
    "application/pdf": (b"%PDF-", (".pdf",)),
    "image/png": (b"\x89PNG\r\n\x1a\n", (".png",)),
    "image/jpeg": (b"\xff\xd8\xff", (".jpg", ".jpeg")),
}
TYPES = (*_SIGNATURES, *_ZIPPED)


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is kept: a part `FILE#<id>` of the client or the organisation."""

    file_id: str
    name: str
    content_type: str
    size: int
    sha256: str
    object_key: str
    added: datetime
    by: str


class FileUnknown(NotFound):
    code = "file_unknown"
    sentence = "There is no such file."


class FileTypeRefused(Invalid):
    code = "file_type_refused"
    sentence = "Attach PDF, PNG, JPEG, DOCX, XLSX, ODT or ODS."


class FileContentRefused(Invalid):
    """The first bytes are not those of the declared type, or it holds macros."""

    code = "file_content_refused"
    sentence = "The file is not what it says it is, or holds macros."


class FileSizeRefused(Invalid):
    code = "file_size_refused"
    sentence = "A file may have 5 MB, all files of a message 15 MB together."


class NotUploaded(Conflict):
    code = "not_uploaded"
    sentence = "Nothing was uploaded, or it is kept already."


def check_claim(name: str, content_type: str, size: int) -> str:
    """The file's name, if what it claims can be taken at all."""
    name = text.line(name, "name", most=120)
    endings = _SIGNATURES[content_type][1] if content_type in _SIGNATURES else ()
    if content_type in _ZIPPED:
        endings = (_ZIPPED[content_type],)
    if not name.lower().endswith(endings or "\0") or "/" in name or "\\" in name:
        raise FileTypeRefused(field="content_type")
    if not 0 < size <= MOST_BYTES:
        raise FileSizeRefused(field="size")
    return name


def upload_form(ports: Ports, owner: Key, file_id: str, content_type: str) -> dict[str, Any]:
    """Where the browser sends the file itself: one key, one type, ten minutes."""
    return ports.bucket.upload_form(
        _quarantine(owner, file_id), content_type=content_type, most=MOST_BYTES
    )


def take(
    ports: Ports, owner: Key, file_id: str, name: str, content_type: str, *, by: str
) -> StoredFile:
    """The uploaded file, checked and kept; what fails stays in quarantine and expires there.

    So does what was taken, until it is `released`: if its owner changed meanwhile, it is asked for
    once more.
    """
    content = ports.bucket.get(_quarantine(owner, file_id), most=MOST_BYTES)
    if content is None:
        raise NotUploaded
    name = check_claim(name, content_type, len(content))
    check_content(content, content_type)
    digest = hashlib.sha256(content).hexdigest()
    key = f"files/{owner.org}/{owner.id}/{file_id}-{digest[:16]}"
    ports.bucket.put(key, content, content_type=content_type, sha256=digest)
    return StoredFile(
        file_id=file_id,
        name=name,
        content_type=content_type,
        size=len(content),
        sha256=digest,
        object_key=key,
        added=ports.now,
        by=by,
    )


def release(ports: Ports, owner: Key, file_id: str) -> None:
    """The file is written down with its owner: what lies in quarantine has no more use."""
    ports.bucket.delete(_quarantine(owner, file_id))


def check_content(content: bytes, content_type: str) -> None:
    """`FileContentRefused` unless the bytes are of the type, and no macro hides in them."""
    if content_type in _SIGNATURES:
        if not content.startswith(_SIGNATURES[content_type][0]):
            raise FileContentRefused(field="content_type")
        return
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise FileContentRefused(field="content_type") from error
    marker = "[Content_Types].xml" if content_type.startswith(_OOXML) else "mimetype"
    macros = any("vbaproject" in name.lower() or name.startswith("Basic/") for name in names)
    if marker not in names or macros:
        raise FileContentRefused(field="content_type")


def _quarantine(owner: Key, file_id: str) -> str:
    return f"quarantine/{owner.org}/{owner.id}/{file_id}"
