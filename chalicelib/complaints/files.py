"""Files that strangers send: read once out of quarantine, looked at, kept or held.

Nothing is thrown away: it may be evidence. What is not plainly what it says, or could act by
itself, is held: it lies apart, and nobody downloads it before an officer has released it. What was
uploaded first is what is read and kept, so that uploading over it changes nothing, before or after.
"""

import hashlib
import io
import re
from itertools import accumulate

from msgspec.structs import replace

from chalicelib.complaints import store
from chalicelib.complaints.case import CaseFile
from chalicelib.documents import attachments
from chalicelib.documents.attachments import FileContentRefused
from chalicelib.kernel.change import Key
from chalicelib.kernel.errors import TooLarge
from chalicelib.ports import Ports

MOST_BYTES = 25 * 1024 * 1024
MOST_BYTES_TOGETHER = 100 * 1024 * 1024
MOST_UNZIPPED = 200 * 1024 * 1024
MOST_RATIO = 100
MOST_MEMBERS = 5_000
_MEMBER = b"PK\x01\x02"  # how each entry of a zip's directory begins
_FIRST = b"PK\x03\x04"  # how a zip begins: it is found from its end, a program from its start
TEXT = "text/plain"
# What is believed once it was looked at; any other kind is taken in and held.
TYPES = (*attachments.TYPES, TEXT)
_PLAIN = ("application/pdf", "image/png", "image/jpeg")  # the others are zips
_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|OpenAction|RichMedia|XFA)\b")
_ACTIVE_MEMBER = re.compile(r"(^|/)(activex/|oleobject|vbaproject)")
_MARKUP = re.compile(rb"<\s*(script|html|svg|iframe|!doctype)", re.IGNORECASE)


def look(ports: Ports, key: Key) -> list[CaseFile]:
    """Files of the case that wait in quarantine, as they turned out to be: the oldest first.

    No more at once than one large file: what was seen is written down before the next is read, so
    that a run that ends in the middle is never begun from the start again.
    """
    waiting = [one for one in store.files(ports, key) if one.state == "uploaded"]
    sizes = accumulate(one.size for one in waiting)
    fitting = [one for one, so_far in zip(waiting, sizes, strict=True) if so_far <= MOST_BYTES]
    return [_seen(ports, key, one) for one in fitting or waiting[:1]]


def taken(ports: Ports, key: Key, file: CaseFile, content: bytes, *, suspect: str = "") -> CaseFile:
    """Content that is already at hand, such as an attachment of an e-mail: kept or held.

    `suspect`: why to hold it though nothing is wrong with the content.
    """
    reason = wrong(content, file.content_type) or suspect
    digest = hashlib.sha256(content).hexdigest()
    room = "held" if reason else "files"
    object_key = f"{room}/{key.org}/{key.id}/{file.file_id}-{digest[:16]}"
    stored = "application/octet-stream" if reason else file.content_type
    ports.bucket.put(object_key, content, content_type=stored, sha256=digest)
    return replace(
        file,
        state="held" if reason else "kept",
        object_key=object_key,
        size=len(content),
        sha256=digest,
        reason=reason,
    )


def wrong(content: bytes, content_type: str) -> str:
    """Why the content is not to be handed out as it is; "" where nothing speaks against it."""
    if content_type == TEXT:
        return _wrong_text(content)
    if content_type not in attachments.TYPES:
        return "type"
    if content_type in _PLAIN:
        return _wrong_plain(content, content_type)
    return _wrong_zip(content, content_type)


def _seen(ports: Ports, key: Key, file: CaseFile) -> CaseFile:
    """A form of S3 may be used again while it is good, and no condition of it forbids that.

    So what it brought first counts, as if the rest had been refused; that there was more is told.
    """
    try:
        first = ports.bucket.get_first(file.object_key, most=MOST_BYTES)
    except TooLarge:
        return replace(file, state="held", reason="too_large")
    if first is None:
        return replace(file, state="missing", reason="not_uploaded")
    return taken(ports, key, file, first.content, suspect="replaced" if first.replaced else "")


def _wrong_text(content: bytes) -> str:
    try:
        said = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "not_what_it_says"
    if "\0" in said or _MARKUP.search(content[:1024]):
        return "not_what_it_says"
    return ""


def _wrong_plain(content: bytes, content_type: str) -> str:
    import zipfile

    if not _is(content, content_type):
        return "not_what_it_says"
    if zipfile.is_zipfile(io.BytesIO(content)) or _MARKUP.search(content[:1024]):
        return "two_in_one"
    active = content_type == "application/pdf" and _ACTIVE.search(content)
    return "active_content" if active else ""


def _wrong_zip(content: bytes, content_type: str) -> str:
    """A document that unpacks into far more than it is would stop whoever opens it.

    Merely to list half a million entries would stop us: so they are counted first. What an entry
    says of its size is believed for no longer than it takes to unpack it, which stops there.
    """
    import zipfile
    import zlib

    if content.count(_MEMBER) > MOST_MEMBERS:
        return "unpacks_too_large"
    if not _is(content, content_type):
        return "not_what_it_says"
    if not content.startswith(_FIRST):
        return "two_in_one"
    try:
        return _wrong_members(content)
    except (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError, OSError):
        return "not_what_it_says"


def _wrong_members(content: bytes) -> str:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as package:
        members = package.infolist()
        unzipped = sum(one.file_size for one in members)
        packed = max(1, sum(one.compress_size for one in members))
        if unzipped > min(MOST_UNZIPPED, packed * MOST_RATIO):
            return "unpacks_too_large"
        if any(_ACTIVE_MEMBER.search(one.filename.lower()) for one in members):
            return "active_content"
        plain = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        odd = any(one.compress_type not in plain for one in members) or package.testzip()
        return "not_what_it_says" if odd else ""


def _is(content: bytes, content_type: str) -> bool:
    try:
        attachments.check_content(content, content_type)
    except FileContentRefused:
        return False
    return True
