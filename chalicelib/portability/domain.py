"""A copy of everything about a client, as a job: `O#<org>#PORTABILITY#<id>` (GDPR Art. 12, 15, 20).

That it was asked for is an event of the client's own history, with the part `EXPORT#<id>` as its
mark: so it is told once, however often the job is begun. The job holds ids, sizes and moments,
nothing personal; the copy lies in the bucket for a week, with all that is the client's, and goes
with it when the client is erased.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import Client, change_of
from chalicelib.kernel.change import SYSTEM, Actor, Change, Event, Held, Key, Once, Part
from chalicelib.kernel.errors import NotFound

KIND = "PORTABILITY"
ROOM = "exports"
KEPT = timedelta(days=7)


class State(StrEnum):
    """How far a copy has come; `gone`: the client was erased before it was made."""

    MAKING = "making"
    READY = "ready"
    OVER = "over"
    GONE = "gone"


class Copy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of a job. `left_out`: how many objects found no room and are handed over apart."""

    client_id: str
    by: str
    created: datetime
    finished: datetime | None = None
    object_key: str = ""
    sha256: str = ""
    size: int = 0
    files: int = 0
    left_out: int = 0

    def state(self, now: datetime) -> State:
        """Derived: made, not made for an erased client, or older than it is kept."""
        if self.finished is None:
            return State.MAKING
        if not self.object_key:
            return State.GONE
        return State.READY if now < self.finished + KEPT else State.OVER


class CopyUnknown(NotFound):
    code = "portability_unknown"
    sentence = "There is no such copy of this client's data."


def key(org: str, export_id: str) -> Key:
    """Where a job is kept."""
    return Key(org, KIND, export_id)


def object_key(where: Key, client_id: str) -> str:
    """Where the copy lies: with all that is the client's, so that erasing finds it."""
    return f"{ROOM}/{where.org}/{client_id}/{where.id}.zip"


def ask(where: Key, client_id: str, *, once: Once, by: Actor, now: datetime) -> Change:
    """A new job, due at once."""
    return Change(
        key=where,
        version=0,
        head="",
        root=Copy(client_id=client_id, by=by.id, created=now),
        event=Event(kind="portability_asked", actor=by, at=now, body={"client": client_id}),
        due_at=now,
        once=once,
    )


def told(held: Held[Client], export_id: str, *, by: Actor, now: datetime) -> Change:
    """The client's history says who asked for a copy of it, and when."""
    return change_of(
        held,
        held.value,
        Event(kind="copy_requested", actor=by, at=now, body={"export": export_id}),
        parts=(Part(sk=mark(export_id), data={"by": by.id, "at": now}, create=True),),
    )


def mark(export_id: str) -> str:
    """The part by which a client's history is known to say it."""
    return f"EXPORT#{export_id}"


def made(
    held: Held[Copy],
    *,
    object_key: str,
    sha256: str,
    size: int,
    files: int,
    left_out: int,
    now: datetime,
) -> Change:
    """The copy is there."""
    copy = replace(
        held.value,
        finished=now,
        object_key=object_key,
        sha256=sha256,
        size=size,
        files=files,
        left_out=left_out,
    )
    body = {"sha256": sha256, "size": size, "files": files, "left_out": left_out}
    return Change.of(held, copy, Event(kind="portability_made", actor=SYSTEM, at=now, body=body))


def gone(held: Held[Copy], *, now: datetime) -> Change:
    """The client was erased meanwhile: there is nothing to hand over."""
    event = Event(kind="portability_gone", actor=SYSTEM, at=now)
    return Change.of(held, replace(held.value, finished=now), event)
