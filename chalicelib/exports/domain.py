"""An export as it is kept: `O#<org>#EXPORT#<id>`: what, for whom, how far it has come.

It is written to the bucket as one object in parts, each of them once it is large enough; after each
part the place in the list of names is kept, so that a crash repeats one part at most. Who took what
away is an event of the organisation's own chain, written before anything is.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import Client, ClientState
from chalicelib.kernel.change import SYSTEM, Actor, Change, Event, Held, Key, Once
from chalicelib.kernel.errors import NotFound
from chalicelib.organisations.domain import House

KIND = "EXPORT"
KEPT = timedelta(days=1)  # the bucket's own rule for exports/ comes later


class What(StrEnum):
    """A line for each client, or for each decision of each client."""

    CLIENTS = "clients"
    CONSENTS = "consents"


class Format(StrEnum):
    """A table for a spreadsheet, or one JSON object in each line."""

    CSV = "csv"
    JSONL = "jsonl"


class State(StrEnum):
    """How far an export has come."""

    WRITING = "writing"
    DONE = "done"
    OVER = "over"


class Export(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root. `after` is the place in the list of names, empty at its beginning and its end."""

    what: What
    format: Format
    by: str
    created: datetime
    upload: str = ""
    parts: tuple[str, ...] = ()
    after: str = ""
    lines: int = 0
    size: int = 0
    finished: datetime | None = None
    over: bool = False

    @property
    def state(self) -> State:
        """Written until its object is complete; over when that is gone."""
        if self.over:
            return State.OVER
        return State.DONE if self.finished else State.WRITING


class ClientLine(msgspec.Struct, frozen=True, kw_only=True):
    """A client as one line."""

    client_id: str
    external_id: str
    kind: str
    name: str
    email: str
    phone: str
    address: str
    language: str
    served: str
    state: str
    contract: str
    contract_ended_on: date | None
    notice_at: datetime | None
    created_at: datetime


class ConsentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A client's standing on one purpose as one line, with what proves it."""

    client_id: str
    external_id: str
    name: str
    purpose: str
    state: str
    decided_at: datetime
    proof: str
    proof_id: str
    wording_id: str
    expires_at: datetime | None
    recorded_by: str


class ExportUnknown(NotFound):
    code = "export_unknown"
    sentence = "There is no such export."


LINES: dict[What, type[ClientLine] | type[ConsentLine]] = {
    What.CLIENTS: ClientLine,
    What.CONSENTS: ConsentLine,
}


def key(org: str, export_id: str) -> Key:
    """Where an export is kept."""
    return Key(org, KIND, export_id)


def noted(
    house: House, export_id: str, what: What, form: Format, *, once: Once, by: Actor, now: datetime
) -> Change:
    """The organisation's own evidence: who takes all of what away, and when."""
    body = {"export": export_id, "what": what, "format": form}
    return Change.of(
        house.held,
        house.organisation,
        Event(kind="data_exported", actor=by, at=now, body=body),
        due_at=house.organisation.due_at,
        once=once,
    )


def create(where: Key, what: What, form: Format, *, by: Actor, now: datetime) -> Change:
    """An export, due at once."""
    return Change(
        key=where,
        version=0,
        head="",
        root=Export(what=what, format=form, by=by.id, created=now),
        event=Event(kind="export_begun", actor=by, at=now, body={"what": what, "format": form}),
        due_at=now,
    )


def began(held: Held[Export], upload: str, *, now: datetime) -> Change:
    """Its object is begun; begun again, it is written from the first line on."""
    root = replace(held.value, upload=upload, parts=(), after="", lines=0, size=0)
    return _step(held, root, "export_opened", {}, due_at=now, now=now)


def wrote(
    held: Held[Export], tag: str, *, after: str, lines: int, size: int, now: datetime
) -> Change:
    """One more part is written; at the end of the list nothing comes after."""
    root = held.value
    root = replace(
        root,
        parts=(*root.parts, tag),
        after=after,
        lines=root.lines + lines,
        size=root.size + size,
        finished=None if after else now,
    )
    due = now if after else now + KEPT
    body = {"part": len(root.parts), "lines": lines, "size": size}
    return _step(held, root, "export_written", body, due_at=due, now=now)


def end(held: Held[Export], *, now: datetime) -> Change:
    """The object is gone; that there was one stays known."""
    return _step(held, replace(held.value, over=True), "export_over", {}, due_at=None, now=now)


def client_lines(client_id: str, client: Client) -> list[ClientLine]:
    """A client as it is exported; nothing of one who is on the way out."""
    if client.erasure or client.state is ClientState.ERASED:
        return []
    identity = client.identity
    return [
        ClientLine(
            client_id=client_id,
            external_id=client.external_id,
            kind=identity.kind,
            name=identity.name,
            email=identity.email,
            phone=identity.phone,
            address=identity.address,
            language=identity.language,
            served=identity.served,
            state=client.state,
            contract=client.contract.state,
            contract_ended_on=client.contract.ended_on,
            notice_at=client.notice.at if client.notice else None,
            created_at=client.created,
        )
    ]


def consent_lines(client_id: str, client: Client) -> list[ConsentLine]:
    """Every decision that stands, purpose by purpose."""
    if client.erasure:
        return []
    return [
        ConsentLine(
            client_id=client_id,
            external_id=client.external_id,
            name=client.identity.name,
            purpose=purpose,
            state=one.state,
            decided_at=one.at,
            proof=one.proof,
            proof_id=one.declaration_id,
            wording_id=one.wording_id,
            expires_at=one.expires,
            recorded_by=one.by,
        )
        for purpose, one in sorted(client.standings.items())
    ]


def _step(
    held: Held[Export],
    root: Export,
    kind: str,
    body: dict[str, Any],
    *,
    due_at: datetime | None,
    now: datetime,
) -> Change:
    event = Event(kind=kind, actor=SYSTEM, at=now, body=body)
    return Change.of(held, root, event, due_at=due_at)
