"""The history of an aggregate, as staff read it and anybody verifies it, whatever its kind."""

from typing import Any

import msgspec

from chalicelib.kernel import chain
from chalicelib.kernel.change import Held
from chalicelib.organisations.domain import House
from chalicelib.ports import EventRecord
from chalicelib.web import paging
from chalicelib.web.blueprint import Call

PAGE = 50


class Paged(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cursor` goes on where the page before ended."""

    cursor: str = ""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """What happened: the envelope, and the body until it is erased."""

    version: int
    kind: str
    at: str
    actor: dict[str, str]
    actor_name: str
    hash: str
    body: dict[str, Any] | None


class EventsView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events, newest first."""

    events: tuple[EventView, ...]
    cursor: str


class ExportView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole chain as `python -m chalicelib.kernel.chain` reads it from a file."""

    filename: str
    export: str


def page(call: Call, held: Held[Any]) -> EventsView:
    """A page of what happened, newest first, from where the query's cursor says."""
    keys, query = call.ports.link_keys(), f"events\0{held.key}"
    before = paging.unseal(call.query.cursor, query, keys)
    events = call.ports.ledger.events(held.key, before=int(before or 0), most=PAGE)
    oldest = events[-1].envelope["version"] if len(events) == PAGE else 1
    return EventsView(
        events=tuple(_event(one, call.house) for one in events),
        cursor=paging.seal(str(oldest) if oldest > 1 else "", query, keys),
    )


def export(call: Call, held: Held[Any]) -> ExportView:
    """The whole history, to be verified by anybody without Duly."""
    records: list[EventRecord] = []
    before = held.version + 1
    while before > 1:
        records += call.ports.ledger.events(held.key, before=before, most=PAGE)
        before = records[-1].envelope["version"]
    events = [_exported(one) for one in reversed(records)]
    exported = chain.export(str(held.key), held.head, events)
    return ExportView(filename=f"history-{held.key.id}.json", export=exported)


def _event(one: EventRecord, house: House) -> EventView:
    envelope = one.envelope
    names = {member.staff_id: member.name for member in house.directory.members}
    return EventView(
        version=envelope["version"],
        kind=envelope["kind"],
        at=envelope["at"],
        actor=envelope["actor"],
        actor_name=names.get(envelope["actor"]["id"], ""),
        hash=one.hash,
        body=one.body,
    )


def _exported(one: EventRecord) -> dict[str, Any]:
    event: dict[str, Any] = {"envelope": one.envelope, "digest": one.digest, "hash": one.hash}
    if one.body is not None:
        event |= {"body": one.body, "salt": one.salt}
    return event
