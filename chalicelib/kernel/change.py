"""What a use case decides: a `Change`, written whole by one transaction or not at all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from chalicelib.kernel import ids

T_co = TypeVar("T_co", covariant=True)


class Key(msgspec.Struct, frozen=True):
    """Which aggregate: every key begins with the organisation."""

    org: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"O#{self.org}#{self.kind}#{self.id}"


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an act came from; in an event's body as far as the organisation's settings allow."""

    address: str = ""
    agent: str = ""


class Actor(msgspec.Struct, frozen=True):
    """Who did it: a member of staff, the client, or Duly itself. An id, never a name.

    Where from, as far as the organisation keeps it, is personal: it goes into the event's body.
    """

    kind: str
    id: str = ""
    origin: Origin = Origin()


SYSTEM = Actor("system")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What happened. `body` may hold personal data; the envelope around it never does."""

    kind: str
    actor: Actor
    at: datetime
    body: dict[str, Any] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the aggregate that changes with it: `data` None removes it.

    `rank` puts it into the worklist `list_name` of its organisation (names: sorted by name); with
    `at_write` the rank is the moment at which the ledger writes it, whatever the event's moment is.
    """

    sk: str
    data: Any
    list_name: str = ""
    rank: str = ""
    at_write: bool = False
    create: bool = False


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """An exact look-up: from the keyed hash of a value to the aggregate; never the value itself.

    `mark`: no pointer but one mark for all who share the value, read for a hundred values in one
    call: where it is not, nobody has the value. Whoever removes the last pointer removes it.
    """

    kind: str
    digest: str
    remove: bool = False
    unique: bool = False
    mark: bool = False
    target: str = ""


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """An Idempotency-Key: what was asked under it, and the id that came of it."""

    digest: str
    request: str
    result: str
    expires_at: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Word for one member of staff; what is due together reaches them as one letter.

    `about` and `step` name it: the same step of the same aggregate is one notice, however often it
    is written. `data` holds what the letter says: ids, references and days, nothing personal.
    """

    person: str
    about: str
    step: str
    due_at: datetime
    data: Any


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """How often something came from one place within one window; past `most` it is refused.

    `digest` is a keyed hash of the place, `window` names the hour.
    """

    kind: str
    digest: str
    window: str
    most: int
    expires_at: int


class AlreadyDone(Exception):
    """The same request under the same Idempotency-Key came before; `result` is what it made."""

    def __init__(self, result: str) -> None:
        super().__init__(result)
        self.result = result


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message promised to one person; the address is looked up when it is sent.

    `to` is a person of the aggregate (`client`, `writer`, `insured`), `staff:<id>`, or `outside`
    for the address that watches over Duly; `about` the part it is about; `facts` whatever the
    template needs beyond what is stored (ids and moments, never a token).
    """

    letter_id: str = msgspec.field(default_factory=ids.new_id)
    template: str
    to: str
    about: str = ""
    facts: dict[str, Any] = {}
    promised_at: datetime
    state: str = "promised"
    attempts: int = 0
    lease_until: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    message_id: str = ""
    sha256: str = ""
    archive: str = ""
    reason: str = ""


class Held(msgspec.Struct, Generic[T_co], frozen=True, kw_only=True):
    """An aggregate as it was read: its value, and the version and chain head a change builds on."""

    key: Key
    value: T_co
    version: int
    head: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The new state of one aggregate, one event, and all that it promises.

    `version` is the one that was read (0 creates): a commit on any other is `ChangedMeanwhile`.
    """

    key: Key
    version: int
    head: str
    root: Any
    event: Event
    parts: Sequence[Part] = ()
    letters: Sequence[Letter] = ()
    lookups: Sequence[Lookup] = ()
    notices: Sequence[Notice] = ()
    due_at: datetime | None = None
    once: Once | None = None
    counters: Sequence[Counter] = ()

    @property
    def items(self) -> int:
        """How many items its transaction writes; DynamoDB takes a hundred."""
        written = (self.parts, self.letters, self.lookups, self.notices, self.counters)
        return 2 + sum(map(len, written)) + bool(self.once)

    @classmethod
    def of(cls, held: Held[Any], root: Any, event: Event, **promises: Any) -> "Change":
        """The change of what was read into `root`."""
        return cls(
            key=held.key, version=held.version, head=held.head, root=root, event=event, **promises
        )
