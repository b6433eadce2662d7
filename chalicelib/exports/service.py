"""All clients, page by page from the list of names, into one object of the bucket.

No more than one part is in memory, however many clients there are. A client whom somebody renames
meanwhile may be missed or come twice: an export is a walk through the list, not a moment of it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from chalicelib.clients import domain as clients
from chalicelib.clients import store as client_store
from chalicelib.exports import domain
from chalicelib.exports.domain import Export, ExportUnknown, Format, State, What
from chalicelib.kernel import ids, tables
from chalicelib.kernel.change import Actor, AlreadyDone, Held, Key, Once
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.organisations import store as organisations
from chalicelib.ports import Item, Ports

SECONDS = 5.0  # of one turn; the agenda gives the next one
PAGE = 100
PART = 5 * 1024 * 1024  # what the bucket takes as a part that is not the last
FIRST = "#0"  # a client is in the list once for each word of the name: this is the first
TYPES = {Format.CSV: tables.CSV, Format.JSONL: "application/x-ndjson"}

_export = msgspec.json.Decoder(Export).decode


def begin(
    ports: Ports,
    org: str,
    what: What,
    form: Format,
    *,
    once: Callable[[str], Once],
    by: Actor,
) -> Held[Export]:
    """An export is begun, its evidence first; the same request again gives the same one."""
    export_id = ids.new_id()
    house = organisations.fresh_house(ports, org)
    change = domain.noted(house, export_id, what, form, once=once(export_id), by=by, now=ports.now)
    try:
        ports.ledger.commit(change)
    except AlreadyDone as done:
        export_id = done.result
    organisations.forget(ports, org)
    with suppress(ChangedMeanwhile):
        where = domain.key(org, export_id)
        ports.ledger.commit(domain.create(where, what, form, by=by, now=ports.now))
    return get(ports, org, export_id)


def get(ports: Ports, org: str, export_id: str) -> Held[Export]:
    """The export as it is now; `ExportUnknown` if there is none in this organisation."""
    items = ports.ledger.read(domain.key(org, export_id), "ROOT")
    if "ROOT" not in items:
        raise ExportUnknown
    return _held(items["ROOT"])


def link(ports: Ports, held: Held[Export]) -> str:
    """Where the file is downloaded for five minutes; "" before it is whole and after it is gone."""
    root = held.value
    if root.state is not State.DONE or root.finished is None:
        return ""
    if ports.now >= root.finished + domain.KEPT:
        return ""
    day = root.created.date().isoformat()
    name = f"{root.what}-{day}.{root.format}"
    return ports.bucket.link(_place(held.key), filename=name, content_type=TYPES[root.format])


def attend(ports: Ports, item: Item) -> None:
    """One turn of an export that is due: a few parts, each written down when it is there."""
    held, ends = _held(item), time.monotonic() + SECONDS
    if held.value.state is State.DONE:
        ports.bucket.delete(_place(item.key))
        ports.ledger.commit(domain.end(held, now=ports.now))
        return
    while held.value.state is State.WRITING:
        _step(ports, held)
        held = get(ports, item.key.org, item.key.id)
        if time.monotonic() >= ends:
            break


def _step(ports: Ports, held: Held[Export]) -> None:
    """The next part; the last one makes the object whole before it is said to be."""
    root, where = held.value, _place(held.key)
    tag, number = "", len(root.parts) + 1
    if root.upload:
        content, lines, after = _part(ports, held)
        tag = ports.bucket.put_part(where, root.upload, number, content)
    if not tag:  # not begun; or broken off after its last part, or for a day
        upload = ports.bucket.begin_parts(where, content_type=TYPES[root.format])
        ports.ledger.commit(domain.began(held, upload, now=ports.now))
        return
    if not after:
        ports.bucket.end_parts(where, root.upload, (*root.parts, tag))
    change = domain.wrote(held, tag, after=after, lines=lines, size=len(content), now=ports.now)
    ports.ledger.commit(change)


def _part(ports: Ports, held: Held[Export]) -> tuple[bytes, int, str]:
    """As many pages as make a part, how many lines that is, and where the next one begins."""
    root = held.value
    columns = domain.LINES[root.what].__struct_fields__
    content, lines, after = bytearray(), 0, root.after
    if not root.parts and root.format is Format.CSV:
        content += tables.head(columns)
    while True:
        found, after = _page(ports, held, after)
        lines += len(found)
        content += _written(root.format, found)
        if not after or len(content) >= PART:
            return bytes(content), lines, after


def _page(
    ports: Ports, held: Held[Export], after: str
) -> tuple[list[domain.ClientLine | domain.ConsentLine], str]:
    """The lines of the clients of one page of the list, each client by its first name alone."""
    name = f"O#{held.key.org}#{clients.NAMES}"
    page = ports.ledger.worklist(name, prefix="", after=after, most=PAGE)
    pairs = zip(page.keys, page.ranks, strict=True)
    keys = [key for key, rank in pairs if rank.endswith(FIRST)]
    roots = ports.ledger.roots(keys)
    read = (client_store.held(roots[key]) for key in keys if key in roots)
    return [line for one in read for line in _lines(held.value.what, one)], page.after


def _lines(
    what: What, one: Held[clients.Client]
) -> Iterator[domain.ClientLine | domain.ConsentLine]:
    of = domain.client_lines if what is What.CLIENTS else domain.consent_lines
    yield from of(one.key.id, one.value)


def _written(form: Format, lines: list[domain.ClientLine | domain.ConsentLine]) -> bytes:
    if form is Format.JSONL:
        return b"".join(msgspec.json.encode(one) + b"\n" for one in lines)
    return tables.lines(msgspec.to_builtins(one).values() for one in lines)


def _place(key: Key) -> str:
    return f"exports/{key.org}/{key.id}"


def _held(item: Item) -> Held[Export]:
    return Held(key=item.key, value=_export(item.data), version=item.version, head=item.head)
