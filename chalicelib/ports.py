"""What a use case needs from outside. The real things stand in `aws/`; tests bring their own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from chalicelib.kernel.change import Change, Counter, Key, Letter, Lookup, Once
from chalicelib.kernel.tokens import KeyRing


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One stored item of an aggregate: its JSON, and what the ledger keeps beside it."""

    key: Key
    sk: str
    data: bytes
    version: int = 0
    head: str = ""
    due_at: str = ""
    attempts: int = 0


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the agenda: what is due, and since when."""

    key: Key
    sk: str
    due_at: str


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is kept; `body` and `salt` are None once erased."""

    envelope: dict[str, Any]
    digest: str
    hash: str
    body: dict[str, Any] | None = None
    salt: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of one page of a query, their ranks, and where the next one starts ("" at the end)."""

    keys: tuple[Key, ...]
    after: str
    ranks: tuple[str, ...] = ()


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of one page of a worklist, and where the next one starts ("" at the end)."""

    items: tuple[Item, ...]
    after: str


class Ledger(Protocol):
    """The only writer of aggregates (`aws.ledger`)."""

    def read(self, key: Key, *sks: str) -> dict[str, Item]:
        """These items of one aggregate, in one call; what is not there is left out."""

    def read_whole(self, key: Key, *sks: str) -> dict[str, Item]:
        """As `read`, and no write of anybody's falls between the items."""

    def commit_together(self, changes: Sequence[Change]) -> None:
        """Write changes of different aggregates, a hundred items at most: all or none.

        `ChangedMeanwhile` whatever stood in the way.
        """

    def roots(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """The roots of these aggregates, a hundred at most, in one call; the gone are left out."""

    def parts(self, key: Key, prefix: str) -> list[Item]:
        """Every part whose SK begins so, in order."""

    def commit(self, change: Change, *, settles: tuple[Item, Letter] | None = None) -> int:
        """Write the change whole, and a letter's last step with it; the new version.

        `ChangedMeanwhile` if somebody was first.
        """

    def spend(self, org: str, counters: Sequence[Counter]) -> None:
        """Count something that changes nothing else; `TooManyRequests` if a counter is full."""

    def was_done(self, org: str, once: Once) -> bool:
        """Whether this very request came before; `IdempotencyKeyReused` if another had its key."""

    def events(self, key: Key, *, before: int = 0, most: int = 50) -> list[EventRecord]:
        """Events, newest first, older than version `before` (0: from the newest)."""

    def hashes(self, places: Sequence[tuple[Key, int]]) -> dict[tuple[Key, int], str]:
        """The hash of each of these events, a hundred at most, by its aggregate and version."""

    def find(self, org: str, kind: str, digest: str) -> list[Key]:
        """What an exact look-up points to."""

    def held(self, org: str, kind: str, digests: Sequence[str]) -> set[str]:
        """Which of these values, unique or marked, a hundred at most, anybody has; in one call."""

    def worklist(self, name: str, *, prefix: str, after: str, most: int) -> Page:
        """A page of a worklist in the order of rank."""

    def entries(self, name: str, *, prefix: str, after: str, most: int) -> Listed:
        """A page of the parts that a worklist shows, a hundred at most, in the order of rank."""

    def count(self, name: str, *, first: str, before: str) -> int:
        """How many of a worklist have a rank from `first` on and before `before`."""

    def due(self, shard: str, *, until: datetime, most: int, after: Due | None = None) -> list[Due]:
        """What is due in one shard, oldest first; `after`: the last of the page before."""

    def stuck(self, org: str, *, most: int) -> list[Due]:
        """What gave up after many attempts and waits for staff of this organisation."""

    def result_of(self, org: str, once: Once) -> str | None:
        """What this very request made, or None; `IdempotencyKeyReused` if another had its key."""

    def save_letter(self, item: Item, letter: Letter, *, due_at: datetime | None) -> Item:
        """A letter's own step; `ChangedMeanwhile` if another sender was first."""

    def postpone(self, due: Due, *, attempts: int, due_at: datetime | None) -> None:
        """It failed, or is about to be tried: due again later, or stuck (None), in sight of staff.

        A commit of the root starts its attempts anew.
        """

    def recall(self, due: Due, *, now: datetime) -> None:
        """Put what is stuck back into the agenda, due now."""

    def strip(self, key: Key, *, keep: Sequence[str]) -> tuple[int, int]:
        """Remove every item of an aggregate but its events and these; strip the events' bodies.

        How many items were removed, and how many bodies.
        """

    def unpoint(self, key: Key, lookups: Sequence[Lookup]) -> None:
        """Remove these pointers to an aggregate."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the bucket: its key, its size, and when it was written (a true moment)."""

    key: str
    size: int
    at: datetime


class First(msgspec.Struct, frozen=True, kw_only=True):
    """What lay under a key first, and whether anything else was laid over it since."""

    content: bytes
    replaced: bool


class Bucket(Protocol):
    """Objects by key (`aws.bucket`)."""

    def put(self, key: str, content: bytes, *, content_type: str, sha256: str) -> None:
        """Write an object; the same key again is the same content."""

    def get(self, key: str, *, most: int) -> bytes | None:
        """The object, or None where there is none; `TooLarge` beyond `most` bytes."""

    def get_first(self, key: str, *, most: int) -> First | None:
        """What was laid down under the key first, whatever came over it; None for nothing.

        `TooLarge` beyond `most` bytes.
        """

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is no error."""

    def copy(self, key: str, to: str) -> None:
        """The same object under another key too; copying what is not there is no error."""

    def found(self, prefix: str) -> Iterator[Stored]:
        """Every object under this prefix, in the order of keys; asked for page by page."""

    def begin_parts(self, key: str, *, content_type: str) -> str:
        """Begin an object that is written in parts; the name of the upload."""

    def put_part(self, key: str, upload: str, number: int, content: bytes) -> str:
        """Write one part, 5 MB at least but for the last; its tag, or "" where none is begun."""

    def end_parts(self, key: str, upload: str, tags: Sequence[str]) -> None:
        """Make the object whole: these parts in their order."""

    def erase(self, prefix: str) -> int:
        """Remove every version of every object under this prefix; how many there were."""

    def link(self, key: str, *, filename: str, content_type: str) -> str:
        """A presigned GET for five minutes that downloads under this name."""

    def upload_form(
        self, key: str, *, content_type: str, most: int, least: int = 1
    ) -> dict[str, Any]:
        """A presigned POST for ten minutes: exact key and type, `least` to `most` bytes."""


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket whose objects nobody changes or deletes, and the key that signs what is sealed.

    `hashes` is all that is read of the chains: as `Ledger.hashes`.
    """

    hashes: Callable[[Sequence[tuple[Key, int]]], dict[tuple[Key, int], str]]
    bucket: Bucket
    key: str
    sign: Callable[[bytes], bytes]


class MailRefused(Exception):
    """The mail service will not take this message, now or later; the message says why."""


class MailDelayed(Exception):
    """The mail service takes nothing now (rate, quota, outage).

    `quota`: not before tomorrow. `uncertain`: no answer came, so the message may have left.
    """

    def __init__(self, reason: str, *, quota: bool = False, uncertain: bool = False) -> None:
        super().__init__(reason)
        self.quota = quota
        self.uncertain = uncertain


class Mailer(Protocol):
    """One message out (`aws.mailer`); one attempt, retries belong to the letter's state."""

    def send(self, raw: bytes, *, sender: str, to: str, tags: Mapping[str, str]) -> str:
        """The message id of what was accepted; `MailRefused` or `MailDelayed`."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else to turn to (M108), by language: who, what for, and how to reach them.

    `role` says which of the bodies that the rules name it is, such as the ombudsman.
    """

    name: dict[str, str]
    how: dict[str, str]
    about: dict[str, str] = {}
    role: str = ""


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Where else a client may turn, as it is in force today.

    `own`: as the organisation published it; else what comes with the pack.
    """

    own: bool = False
    bodies: tuple[Body, ...] = ()


def untold(ports: "Ports", org: str, pack: str) -> Elsewhere:
    """Nobody publishes anything: the pack's own phrases are all that there is."""
    return Elsewhere()


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Everything from outside, handed to a use case as one value.

    `now` is the moment of this request (an offset counts on the stage `local` alone); `real_now`
    the true one, by which tokens live. `pace` waits until the next letter may leave. `elsewhere`
    says where else a client of an organisation may turn today, under a pack.
    """

    ledger: Ledger
    bucket: Bucket
    mailer: Mailer
    link_keys: Callable[[], KeyRing]
    now: datetime
    real_now: datetime
    stage: str
    pace: Callable[[], None]
    count: Callable[[str, int], None]
    cache: dict[Any, Any]
    shards: Sequence[str]
    elsewhere: Callable[["Ports", str, str], Elsewhere] = untold
