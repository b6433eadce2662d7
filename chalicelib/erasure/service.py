"""The erasing itself: the root blanked by its own feature, then everything else stripped.

Twice, or broken off and begun again, it ends the same: what is already gone is not there to remove.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from chalicelib.erasure import domain
from chalicelib.erasure.domain import Erasure, ErasureUnknown, Swept, Target
from chalicelib.kernel.change import Actor, Held, Key
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.organisations import store as organisations
from chalicelib.ports import Item, Ports

ROOMS = ("files", "papers", "letters", "mail", "held", "scans", "quarantine", "exports")
MOST_LOG_BYTES = 64 * 1024
_erasure = msgspec.json.Decoder(Erasure).decode


def begin(ports: Ports, target: Key, ground: domain.Ground, *, by: Actor) -> None:
    """A job that is worked off in the background; begun twice it is one.

    It is logged outside the table first: what was asked for is not forgotten by a restore.
    """
    change = domain.begin(target, ground, by=by, now=ports.now)
    _log(ports, change.key, change.root)
    with suppress(ChangedMeanwhile):
        ports.ledger.commit(change)


def get(ports: Ports, target: Key) -> Held[Erasure]:
    """The job for this aggregate; `ErasureUnknown` where there is none."""
    items = ports.ledger.read(domain.key_of(target), "ROOT")
    if "ROOT" not in items:
        raise ErasureUnknown
    return held(items["ROOT"])


def held(item: Item) -> Held[Erasure]:
    """The job that a root item holds."""
    return Held(key=item.key, value=_erasure(item.data), version=item.version, head=item.head)


def attend(ports: Ports, item: Item, targets: Mapping[str, Target]) -> None:
    """One job, done from wherever it stands."""
    job = held(item)
    if job.value.finished_at is None:
        erase(ports, job, targets[job.value.kind])
        return
    swept = _sweep(ports, domain.target_of(job.key.org, job.value), targets[job.value.kind])
    change = domain.look_again(job, swept, now=ports.now)
    _log(ports, job.key, change.root)
    ports.ledger.commit(change)


def erase(ports: Ports, job: Held[Erasure], kind: Target) -> None:
    """Blank the root, strip what hangs on it and every object, write the certificate."""
    target = domain.target_of(job.key.org, job.value)
    found = ports.ledger.read(target, "ROOT")
    if "ROOT" in found:
        house = organisations.house(ports, target.org)
        change = kind.blank(ports, kind.held(found["ROOT"]), house)
        if change is not None:
            ports.ledger.commit(change)
            found = ports.ledger.read(target, "ROOT")
    swept, root = _sweep(ports, target, kind), found.get("ROOT")
    change = domain.finish(
        job,
        swept,
        events=root.version if root else 0,
        head=root.head if root else "",
        now=ports.now,
    )
    _log(ports, job.key, change.root)
    ports.ledger.commit(change)


def _sweep(ports: Ports, target: Key, kind: Target) -> Swept:
    """Everything but the root goes: pointers first, for their parts alone name them."""
    ports.ledger.unpoint(target, kind.pointers(ports, target))
    items, bodies = ports.ledger.strip(target, keep=("ROOT", *kind.keep))
    objects = sum(ports.bucket.erase(f"{room}/{target.org}/{target.id}/") for room in ROOMS)
    return Swept(items=items, bodies=bodies, objects=objects)


class Replayed(msgspec.Struct, kw_only=True):
    """What a replay of the log did: how many erasures it read, how many it had to do again."""

    read: int = 0
    again: int = 0


def replay(ports: Ports, targets: Mapping[str, Target]) -> Replayed:
    """After a restore from backup: whatever was erased since is erased again (S15).

    The log lies beside the table and did not go back with it. Twice, or broken off, it ends the
    same.
    """
    done = Replayed()
    for one in ports.bucket.found("erasures/"):
        content = ports.bucket.get(one.key, most=MOST_LOG_BYTES)
        if content is None:
            continue
        done.read += 1
        logged, org = _erasure(content), one.key.split("/")[1]
        job = _begun(ports, domain.target_of(org, logged), logged)
        if not _stands(ports, job, targets[logged.kind]):
            erase(ports, job, targets[logged.kind])
            done.again += 1
    return done


def _begun(ports: Ports, target: Key, logged: Erasure) -> Held[Erasure]:
    """The job of the table; begun anew where the restore took it along."""
    with suppress(ErasureUnknown):
        return get(ports, target)
    by = Actor("system") if logged.by == "system" else Actor("staff", logged.by)
    ports.ledger.commit(domain.begin(target, logged.ground, by=by, now=ports.now))
    return get(ports, target)


def _stands(ports: Ports, job: Held[Erasure], kind: Target) -> bool:
    """Whether the erasure is finished, and its target is as the certificate says, or further on."""
    if job.value.finished_at is None:
        return False
    target = domain.target_of(job.key.org, job.value)
    root = ports.ledger.read(target, "ROOT").get("ROOT")
    if root is None:
        return True
    house = organisations.house(ports, target.org)
    return root.version >= job.value.events and kind.blank(ports, kind.held(root), house) is None


def jobs(ports: Ports, org: str, *, after: str, most: int) -> tuple[list[Held[Erasure]], str]:
    """A page of what was erased, oldest first."""
    name = f"O#{org}#{domain.LIST}"
    page = ports.ledger.worklist(name, prefix="", after=after, most=most)
    roots = ports.ledger.roots(list(page.keys))
    return [held(roots[key]) for key in page.keys if key in roots], page.after


def _log(ports: Ports, key: Key, job: Erasure) -> None:
    """The job as an object beside the table: ids, moments and numbers, nothing personal."""
    content = msgspec.json.encode(job)
    name = f"erasures/{key.org}/{key.id}.json"
    digest = hashlib.sha256(content).hexdigest()
    ports.bucket.put(name, content, content_type="application/json", sha256=digest)
