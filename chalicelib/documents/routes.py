"""How the two owners of files, client and organisation, take them in: the same shapes for both."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.documents import attachments, store
from chalicelib.documents.attachments import StoredFile
from chalicelib.kernel import ids
from chalicelib.kernel.change import Change, Event, Held, Key, Part
from chalicelib.ports import Ports
from chalicelib.web.blueprint import Call


class NewFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that is about to be uploaded."""

    name: str
    content_type: str
    size: int


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was uploaded."""

    name: str
    content_type: str


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser sends the file itself: POST the fields, then the file, as form data."""

    file_id: str
    url: str
    fields: dict[str, str]


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is kept; `url` downloads it for five minutes."""

    file_id: str
    name: str
    content_type: str
    size: int
    sha256: str
    url: str


class FilesView(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one owner."""

    files: tuple[FileView, ...]


def promise_upload(call: Call, owner: Key) -> Upload:
    """A presigned form for one file; nothing is stored yet."""
    given = call.body
    attachments.check_claim(given.name, given.content_type, given.size)
    file_id = ids.new_id()
    form = attachments.upload_form(call.ports, owner, file_id, given.content_type)
    return Upload(file_id=file_id, url=form["url"], fields=form["fields"])


def keep(call: Call, held: Held[Any], file_id: str, due_at: datetime | None = None) -> FileView:
    """The uploaded file, checked and kept as a part of its owner: once, however often asked."""
    kept = store.find_file(call.ports, held.key, file_id)
    if kept is None:
        given = call.body
        kept = attachments.take(
            call.ports,
            held.key,
            file_id,
            given.name,
            given.content_type,
            by=call.member.staff_id,
        )
        body = {"file": file_id, "sha256": kept.sha256, "size": kept.size}
        call.ports.ledger.commit(
            Change.of(
                held,
                held.value,
                Event(kind="file_kept", actor=call.actor, at=call.ports.now, body=body),
                parts=(Part(sk=f"FILE#{file_id}", data=kept, create=True),),
                due_at=due_at,
            )
        )
        attachments.release(call.ports, held.key, file_id)
    return view(call.ports)(kept)


def listed(ports: Ports, owner: Key) -> FilesView:
    """Every file of an owner."""
    return FilesView(files=tuple(map(view(ports), store.files(ports, owner))))


def view(ports: Ports) -> Callable[[StoredFile], FileView]:
    """How a file is shown: with a link that downloads it."""

    def shown(one: StoredFile) -> FileView:
        url = ports.bucket.link(one.object_key, filename=one.name, content_type=one.content_type)
        return FileView(
            file_id=one.file_id,
            name=one.name,
            content_type=one.content_type,
            size=one.size,
            sha256=one.sha256,
            url=url,
        )

    return shown
