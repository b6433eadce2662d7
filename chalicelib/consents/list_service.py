"""Use cases of an import of old consents: uploaded, tried, applied (S52-S54).

What takes time is done in the background (`list_work`); here a person says what is wanted, and
learns how far it has come.
"""

from contextlib import suppress

import msgspec

from chalicelib.consents import lists
from chalicelib.consents.lists import ConsentImport, ImportUnknown, State
from chalicelib.kernel import tables
from chalicelib.kernel.change import Actor, Held, Key
from chalicelib.kernel.errors import ChangedMeanwhile, Invalid
from chalicelib.ports import Item, Ports

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {"text/csv": (".csv", ".tsv", ".txt"), XLSX: (".xlsx",)}

_import = msgspec.json.Decoder(ConsentImport).decode


class ListTypeRefused(Invalid):
    code = "list_type_refused"
    sentence = "Import CSV or XLSX."


class ListSizeRefused(Invalid):
    code = "list_size_refused"
    sentence = "A list may have 50 MB."


def quarantine(org: str, import_id: str) -> str:
    """Where the list lies from its upload until it is read."""
    return f"quarantine/{org}/consents/{import_id}"


def check_claim(name: str, content_type: str, size: int) -> None:
    """`ListTypeRefused` or `ListSizeRefused` for what is not taken at all."""
    if not name.lower().endswith(TYPES.get(content_type, ("\0",))):
        raise ListTypeRefused(field="content_type")
    if not 0 < size <= lists.MOST_BYTES:
        raise ListSizeRefused(field="size")


def begin(ports: Ports, org: str, import_id: str, name: str, *, by: Actor) -> Held[ConsentImport]:
    """The dry run of an uploaded list is begun; begun again it is the same one."""
    with suppress(ChangedMeanwhile):
        where = lists.key(org, import_id)
        ports.ledger.commit(lists.create(where, name, by=by, now=ports.now))
    return get(ports, org, import_id)


def apply(
    ports: Ports, org: str, import_id: str, version: int, *, by: Actor
) -> Held[ConsentImport]:
    """What was tried is done, on the version that the caller read."""
    held = get(ports, org, import_id)
    if held.version != version:
        raise ChangedMeanwhile
    ports.ledger.commit(lists.apply(held, by=by, now=ports.now))
    return get(ports, org, import_id)


def get(ports: Ports, org: str, import_id: str) -> Held[ConsentImport]:
    """The import as it is now; `ImportUnknown` if there is none in this organisation."""
    items = ports.ledger.read(lists.key(org, import_id), "ROOT")
    if "ROOT" not in items:
        raise ImportUnknown
    return held_of(items["ROOT"])


def report(ports: Ports, held: Held[ConsentImport]) -> str:
    """A link to the report of the last stage that is over, for five minutes; "" where none is."""
    root = held.value
    stage = {State.CHECKED: "check", State.DONE: "apply"}.get(root.state, "")
    over = root.finished is not None and ports.now >= root.finished + lists.KEPT
    if not stage or over:
        return ""
    where = report_place(held.key, stage)
    return ports.bucket.link(where, filename=f"import-{stage}.csv", content_type=tables.CSV)


def report_place(key: Key, stage: str) -> str:
    """Where the report of a stage lies."""
    return f"imports/{key.org}/{key.id}/{stage}.csv"


def held_of(item: Item) -> Held[ConsentImport]:
    """The import that a root item holds."""
    return Held(key=item.key, value=_import(item.data), version=item.version, head=item.head)
