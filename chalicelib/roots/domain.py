"""What is laid down of the chains, and how it is checked.

A chain of hashes shows that one event was changed; it can't show that whoever holds the table wrote
a whole chain anew. So the head of each chain that grew is laid down beside the table within
minutes, in a bucket that lets nobody overwrite or delete; and when a day is over it is sealed: for
each organisation one list of the day's heads, which names the seal before it and is signed by a key
that signs and nothing else. What is laid down is ids, versions and hashes, nothing personal; so it
outlives an erasure, and needs none.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

import msgspec

from chalicelib.kernel import chain
from chalicelib.kernel.change import Key

Heads = dict[str, tuple[int, str]]


class Root(msgspec.Struct, frozen=True):
    """The head of a chain as it stood: which aggregate, its version, the hash of its last event."""

    key: Key
    version: int
    hash: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch of the stream brought for one organisation."""

    org: str
    heads: Heads


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one organisation: the last head of each chain that grew, and the seal before.

    `parts` are the SHA-256 of the objects that the heads were taken from, `previous` that of the
    seal before this one ("" for the first).
    """

    org: str
    day: date
    heads: Heads
    parts: tuple[str, ...]
    previous: str


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A seal and its signature: ECDSA over P-256 and SHA-256, DER in hexadecimal, by this key."""

    seal: Seal
    key: str
    signature: str


class Unsound(Exception):
    """Something is not as it was sealed; the message names the first day that is not."""


def parts(roots: Iterable[Root]) -> tuple[Part, ...]:
    """The newest head of each chain, organisation by organisation; the same for the same roots."""
    found: dict[str, Heads] = {}
    for one in roots:
        _keep_newest(found.setdefault(one.key.org, {}), {str(one.key): (one.version, one.hash)})
    return tuple(Part(org=org, heads=_sorted(heads)) for org, heads in sorted(found.items()))


def seal(org: str, day: date, contents: Sequence[bytes], *, previous: str) -> Seal:
    """The seal of a day from the objects that were laid down on it."""
    heads: Heads = {}
    for content in contents:
        part = msgspec.json.decode(content, type=Part)
        if part.org != org:
            raise Unsound(f"{day}: an object of another organisation lies here")
        _keep_newest(heads, part.heads)
    digests = sorted(hashlib.sha256(content).hexdigest() for content in contents)
    return Seal(org=org, day=day, heads=_sorted(heads), parts=tuple(digests), previous=previous)


def digest(one: Seal) -> bytes:
    """What is signed, and what the next seal names: the SHA-256 of the seal's one spelling."""
    return hashlib.sha256(chain.canonical(msgspec.to_builtins(one))).digest()


def check(sealed: Sequence[Sealed], signed: Callable[[bytes, bytes], bool]) -> None:
    """That these seals, all of one organisation, oldest first, follow one another and are signed.

    `signed`: whether a signature is the key's over a digest. `Unsound` names the first that is not.
    """
    previous = ""
    for one in sealed:
        mine = digest(one.seal)
        if one.seal.previous != previous:
            raise Unsound(f"{one.seal.day}: it does not follow the seal before it")
        if not signed(mine, bytes.fromhex(one.signature)):
            raise Unsound(f"{one.seal.day}: it is not signed by the key")
        previous = mine.hex()


def check_history(aggregate: str, hashes: Sequence[str], sealed: Iterable[Sealed]) -> int:
    """How many seals speak of this chain, and that each says what the chain says.

    `hashes`: of its events, oldest first.
    """
    spoken = 0
    for one in sealed:
        version, sealed_hash = one.seal.heads.get(aggregate, (0, ""))
        if not version:
            continue
        spoken += 1
        if version > len(hashes) or hashes[version - 1] != sealed_hash:
            raise Unsound(f"{one.seal.day}: event {version} is not the one that was sealed")
    return spoken


def _keep_newest(heads: Heads, more: Mapping[str, tuple[int, str]]) -> None:
    for aggregate, head in more.items():
        if head[0] > heads.get(aggregate, (0, ""))[0]:
            heads[aggregate] = head


def _sorted(heads: Heads) -> Heads:
    return {aggregate: heads[aggregate] for aggregate in sorted(heads)}
