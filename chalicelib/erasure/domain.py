"""What is to be erased, why, and what came of it: a job, a log and a certificate in one.

A job is an aggregate of its own, of the same id as what it erases, so that there is one however
often it is begun. It outlives what was erased: after a restore from backup the jobs say what has to
go again, before anything is sent.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.kernel.change import SYSTEM, Actor, Change, Event, Held, Key, Lookup, Part
from chalicelib.kernel.errors import NotFound
from chalicelib.organisations.domain import House
from chalicelib.ports import Item, Ports

KIND = "ERASURE"
LIST = "ERASURES"
# Longer than a letter's lease, a form for an upload and any turn of the agenda.
LOOKED_AGAIN = timedelta(minutes=20)


class Ground(StrEnum):
    """Why something is erased."""

    RETENTION = "retention"
    NO_BASIS = "no_basis"
    REQUEST = "request"


class Erasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One erasure: of what, why, by whom; and, once it is finished, what was removed.

    `head` and `events` are the chain's as it stood: with them anybody can check that the envelopes
    left are those that were written. `looked_again`: when it was swept once more, for what was on
    its way while it was erased.
    """

    kind: str
    id: str
    ground: Ground
    by: str
    begun_at: datetime
    finished_at: datetime | None = None
    items: int = 0
    bodies: int = 0
    objects: int = 0
    events: int = 0
    head: str = ""
    looked_again: datetime | None = None


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep removed: items of the table, bodies of events, versions of objects."""

    items: int
    bodies: int
    objects: int


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What erasing needs to know of a kind of aggregate.

    `blank` is the change into a root that tells nothing of anybody, or None where it is so already;
    `keep` are the parts that hold nothing personal and outlive the rest; `pointers` are the
    look-ups that its parts alone know of.
    """

    held: Callable[[Item], Held[Any]]
    blank: Callable[[Ports, Held[Any], House], Change | None]
    keep: tuple[str, ...] = ()
    pointers: Callable[[Ports, Key], Sequence[Lookup]] = lambda _, __: ()


class ErasureUnknown(NotFound):
    code = "erasure_unknown"
    sentence = "Nothing was erased under this id."


def key_of(target: Key) -> Key:
    """Where the job for this aggregate is kept."""
    return Key(target.org, KIND, f"{target.kind}.{target.id}")


def target_of(org: str, job: Erasure) -> Key:
    """What the job erases."""
    return Key(org, job.kind, job.id)


def begin(target: Key, ground: Ground, *, by: Actor, now: datetime) -> Change:
    """A job that is due now; `ChangedMeanwhile` where there is one already."""
    key = key_of(target)
    job = Erasure(kind=target.kind, id=target.id, ground=ground, by=by.id or by.kind, begun_at=now)
    return Change(
        key=key,
        version=0,
        head="",
        root=job,
        event=Event(kind="erasure_begun", actor=by, at=now, body={"ground": ground}),
        parts=(Part(sk="LIST", data={}, list_name=LIST, rank=now.isoformat()),),
        due_at=now,
    )


def finish(held: Held[Erasure], swept: Swept, *, events: int, head: str, now: datetime) -> Change:
    """The certificate: what was removed, and where the chain of what is left ends.

    It is swept once more a little later: a letter or a scan may have been on its way.
    """
    job = replace(_counted(held.value, swept), finished_at=now, events=events, head=head)
    body = msgspec.to_builtins(swept) | {"events": events, "head": head}
    event = Event(kind="erasure_finished", actor=SYSTEM, at=now, body=body)
    return Change.of(held, job, event, due_at=now + LOOKED_AGAIN)


def look_again(held: Held[Erasure], swept: Swept, *, now: datetime) -> Change:
    """Whatever was on its way has arrived by now, and is gone, too."""
    job = replace(_counted(held.value, swept), looked_again=now)
    event = Event(
        kind="erasure_looked_again", actor=SYSTEM, at=now, body=msgspec.to_builtins(swept)
    )
    return Change.of(held, job, event)


def _counted(job: Erasure, swept: Swept) -> Erasure:
    return replace(
        job,
        items=job.items + swept.items,
        bodies=job.bodies + swept.bodies,
        objects=job.objects + swept.objects,
    )
