"""Use cases of a client's copy: ask, make, read (GDPR Art. 12, 15, 20).

Made in the background, in one turn. Broken off and begun again it ends the same: the same key, and
one event in the client's history. What would make it larger than `MOST_BYTES` is left out, named in
its list of contents, and handed over apart.
"""

import hashlib
import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from chalicelib.clients import domain as clients
from chalicelib.clients import store as client_store
from chalicelib.clients.domain import Client
from chalicelib.kernel import ids
from chalicelib.kernel.change import Actor, AlreadyDone, Held, Key, Once
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.organisations import store as organisations
from chalicelib.portability import domain
from chalicelib.portability.domain import Copy, CopyUnknown
from chalicelib.ports import Item, Ports

if TYPE_CHECKING:
    from zipfile import ZipFile

    from chalicelib.portability.contents import Known, Piece

MOST_BYTES = 400 * 1024 * 1024
ZIP = "application/zip"
VERIFIER = Path(__file__).with_name("verify.py")
# The oldest moment that a ZIP can say: the same content gives the same bytes.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_copy = msgspec.json.Decoder(Copy).decode


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A finished ZIP: its bytes, how many files it has, how many found no room."""

    content: bytes
    files: int
    left_out: int


def ask(ports: Ports, held: Held[Client], *, by: Actor, once: Callable[[str], Once]) -> Held[Copy]:
    """A new job, and the event in the client's history; the same request again is the same job."""
    where = domain.key(held.key.org, ids.new_id())
    change = domain.ask(where, held.key.id, once=once(where.id), by=by, now=ports.now)
    try:
        ports.ledger.commit(change)
    except AlreadyDone as done:
        return get(ports, where.org, held.key.id, done.result)
    with suppress(ChangedMeanwhile):  # then the job itself tells it
        ports.ledger.commit(domain.told(held, where.id, by=by, now=ports.now))
    return get(ports, where.org, held.key.id, where.id)


def get(ports: Ports, org: str, client_id: str, export_id: str) -> Held[Copy]:
    """The job, if it is this client's; `CopyUnknown` if not."""
    items = ports.ledger.read(domain.key(org, export_id), "ROOT")
    if "ROOT" not in items:
        raise CopyUnknown
    found = held(items["ROOT"])
    if found.value.client_id != client_id:
        raise CopyUnknown
    return found


def held(item: Item) -> Held[Copy]:
    """The job that a root item holds."""
    return Held(key=item.key, value=_copy(item.data), version=item.version, head=item.head)


def attend(ports: Ports, item: Item) -> None:
    """One job, done from wherever it stands."""
    from chalicelib.portability import contents

    job = held(item)
    client = _client(ports, job)
    if client is None:
        ports.ledger.commit(domain.gone(job, now=ports.now))
        return
    house = organisations.house(ports, job.key.org)
    packed = pack(ports, contents.known(ports, house, client))
    where, digest = domain.object_key(job.key, client.key.id), _sha256(packed.content)
    ports.bucket.put(where, packed.content, content_type=ZIP, sha256=digest)
    if _is_leaving(ports, client.key):  # erased while it was made: what came too late goes, too
        ports.bucket.erase(where)
        ports.ledger.commit(domain.gone(job, now=ports.now))
        return
    change = domain.made(
        job,
        object_key=where,
        sha256=digest,
        size=len(packed.content),
        files=packed.files,
        left_out=packed.left_out,
        now=ports.now,
    )
    ports.ledger.commit(change)


def pack(ports: Ports, told: "Known", *, most: int = MOST_BYTES) -> Packed:
    """The ZIP; the same client at the same moment gives the same bytes."""
    import zipfile

    from chalicelib.portability import contents, summary
    from chalicelib.portability.contents import Piece

    out, listed, left_out = io.BytesIO(), [], []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for piece in (
            Piece(name="README.txt", content=summary.readme(told).encode()),
            Piece(name="summary.pdf", content=summary.rendered(told, made=ports.now)),
            Piece(name="verify.py", content=VERIFIER.read_bytes()),
            *contents.pieces(ports, told),
        ):
            content = _content(ports, piece, most - out.tell())
            if content is None:
                left_out.append(piece.name)
                continue
            _write(package, piece.name, content)
            listed.append({"name": piece.name, "sha256": _sha256(content), "size": len(content)})
        whole = {"files": listed, "left_out": left_out, "made": ports.now}
        spelled = msgspec.json.format(msgspec.json.encode(whole), indent=1)
        _write(package, "contents.json", spelled + b"\n")
    return Packed(content=out.getvalue(), files=len(listed) + 1, left_out=len(left_out))


def _content(ports: Ports, piece: "Piece", room: int) -> bytes | None:
    """What the file holds; None where there is no room, or the object is gone."""
    if not piece.object_key:
        return piece.content
    if room <= 0:
        return None
    return ports.bucket.get(piece.object_key, most=max(piece.size, 1))


def _write(package: "ZipFile", name: str, content: bytes) -> None:
    from zipfile import ZIP_DEFLATED, ZipInfo

    entry = ZipInfo(name, date_time=_MOMENT)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    package.writestr(entry, content)


def _client(ports: Ports, job: Held[Copy]) -> Held[Client] | None:
    """The client, whose history says that a copy was asked for; None once they are leaving."""
    key, mark = clients.key(job.key.org, job.value.client_id), domain.mark(job.key.id)
    items = ports.ledger.read(key, "ROOT", mark)
    if "ROOT" not in items or client_store.held(items["ROOT"]).value.erasure:
        return None
    found = client_store.held(items["ROOT"])
    if mark in items:
        return found
    by = Actor("staff", job.value.by)
    ports.ledger.commit(domain.told(found, job.key.id, by=by, now=ports.now))
    return client_store.held(ports.ledger.read(key, "ROOT")["ROOT"])


def _is_leaving(ports: Ports, key: Key) -> bool:
    items = ports.ledger.read(key, "ROOT")
    return "ROOT" not in items or bool(client_store.held(items["ROOT"]).value.erasure)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
