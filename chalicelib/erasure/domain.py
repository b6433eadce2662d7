"""What is to be erased, why, and what came of it: a job, a log and a certificate in one.

A job is an aggregate of its own, of the same id as what it erases, so that there is one however
often it is begun. It outlives what was erased: after a restore from backup the jobs say what has to
go again, before anything is sent.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.kernel.change import SYSTEM, Actor, Change, Event, Held, Key, Part
from chalicelib.kernel.errors import NotFound
from chalicelib.organisations.domain import House
from chalicelib.ports import Item, Ports

KIND = "ERASURE"
LIST = "ERASURES"


class Ground(StrEnum):
    """Why something is erased."""

    RETENTION = "retention"
    NO_BASIS = "no_basis"
    REQUEST = "request"


class Erasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One erasure: of what, why, by whom; and, once it is finished, what was removed.

    `head` and `events` are the chain's as it stood: with them anybody can check that the envelopes
    left are those that were written.
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


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What erasing needs to know of a kind of aggregate.

    `blank` is the change into a root that tells nothing of anybody, or None where it is so already;
    `keep` are the parts that hold nothing personal and outlive the rest.
    """

    held: Callable[[Item], Held[Any]]
    blank: Callable[[Ports, Held[Any], House], Change | None]
    keep: tuple[str, ...] = ()


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


def finish(
    held: Held[Erasure],
    *,
    items: int,
    bodies: int,
    objects: int,
    events: int,
    head: str,
    now: datetime,
) -> Change:
    """The certificate: what was removed, and where the chain of what is left ends."""
    before = held.value
    job = replace(
        before,
        finished_at=now,
        items=before.items + items,
        bodies=before.bodies + bodies,
        objects=before.objects + objects,
        events=events,
        head=head,
    )
    body = {"items": items, "bodies": bodies, "objects": objects, "events": events, "head": head}
    event = Event(kind="erasure_finished", actor=SYSTEM, at=now, body=body)
    return Change.of(held, job, event)
