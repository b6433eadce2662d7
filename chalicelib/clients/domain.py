"""The rules of a client.

The root holds all that changes: identity, the notice, the standing on every purpose, and how far
each declaration has come; so one read shows all, and the agenda needs no other. What is derived is
not stored: a consent is `awaiting_email` because a declaration that asks for it is out, not because
a field says so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.kernel import text
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    Change,
    Event,
    Held,
    Key,
    Lookup,
    Once,
    Part,
)
from chalicelib.kernel.change import Notice as StaffNotice
from chalicelib.kernel.errors import Conflict, Gone, Invalid, NotFound

NOTICE = "notice"
MOST_NAME_KEYS = 5
MOST_NAME_KEY = 200  # characters: one ligature may unfold into 18, an index key has 1,024 bytes
NAMES = "NAMES"
OF_ADDRESS = "reply_by_email"  # the consent that is for one address
SUPPRESSED = "SUPPRESSED"
EXTERNAL = "EXTERNAL"
# Besides its own hash, each suppressed address is found under this one: all of an organisation's.
ANY = "any"
FEED = "CONSENTS#CHANGES"
WEAK = "CONSENTS#WEAK"
WARNED_BEFORE = timedelta(days=30)
REMINDED_EVERY = timedelta(days=14)
PAPER_AWAITED = timedelta(days=30)


class Kind(StrEnum):
    """A natural person, or a company."""

    PERSON = "person"
    COMPANY = "company"


class Served(StrEnum):
    """Face to face, or from afar: then an e-mail address is required (S5)."""

    DIRECT = "direct"
    REMOTE = "remote"


class ClientState(StrEnum):
    """Before the notice only identity and contact fields may be written (S8, S12, D10)."""

    BEFORE_NOTICE = "before_notice"
    ACTIVE = "active"
    ERASED = "erased"


class ContractState(StrEnum):
    """What is known of a contract; `unknown` never erases (D22)."""

    UNKNOWN = "unknown"
    NONE = "none"
    ACTIVE = "active"
    ENDED = "ended"


class ConsentState(StrEnum):
    """A client's standing on one purpose."""

    NONE = "none"
    AWAITING_EMAIL = "awaiting_email"
    AWAITING_SIGNATURE = "awaiting_signature"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Proof(StrEnum):
    """How strong the evidence of a decision is, strongest first."""

    SIGNATURE = "signature"
    EMAIL_CLICK = "email_click"
    RECORD = "record"
    ORAL = "oral"


class DeclarationState(StrEnum):
    """How far a declaration has come."""

    DRAFT = "draft"
    SENT = "sent"
    PRINTED = "printed"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNDELIVERABLE = "undeliverable"


OUT = frozenset({DeclarationState.SENT, DeclarationState.DISPUTED})
GIVEN_ONCE = frozenset({ConsentState.GIVEN, ConsentState.WITHDRAWN, ConsentState.EXPIRED})


class Contract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether there is a contract; `ended_on` with `ended` alone."""

    state: ContractState = ContractState.UNKNOWN
    ended_on: date | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """How the information about the controller reached the client (S3, S7).

    `recorded`: before Duly, as the list says that the client was imported from (`source`).
    """

    at: datetime
    how: Literal["printed", "letter", "recorded"]
    source: str


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """The last decision on a purpose: given, refused, withdrawn; when, by which proof and words.

    `declaration_id` is the declaration, or the record made by hand, that proves it. `expires` where
    the purpose has a term; once that is over `at` stays the moment of the decision, for that a term
    ran out is no decision (D21). `by`: who recorded it by hand.
    """

    state: ConsentState
    at: datetime
    proof: Proof
    declaration_id: str
    wording_id: str
    expires: datetime | None = None
    by: str = ""

    @property
    def weak(self) -> bool:
        """Whether a better proof is to be got: oral, or by SMS (S53, S54)."""
        return self.state is ConsentState.GIVEN and self.proof is Proof.ORAL


def refusal(before: Standing | None) -> ConsentState:
    """What a "no" is: a withdrawal of what was ever given, else a refusal."""
    given = before is not None and before.state in GIVEN_ONCE
    return ConsentState.WITHDRAWN if given else ConsentState.REFUSED


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one declaration has come, and what it asks for; short, for it is in every read."""

    id: str
    state: DeclarationState
    by: str
    asks: tuple[str, ...] = ()
    gen: int = 0
    created: datetime
    sent: datetime | None = None
    remind: datetime | None = None
    expires: datetime | None = None
    printed: datetime | None = None
    decided: datetime | None = None
    wish: datetime | None = None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the client is and how to reach it: all that may be kept before the notice (D10)."""

    kind: Kind
    name: str
    language: str
    served: Served
    email: str = ""
    phone: str = ""
    address: str = ""


class Client(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of the aggregate."""

    identity: Identity
    created: datetime
    contract: Contract = Contract()
    notice: Notice | None = None
    standings: dict[str, Standing] = {}
    declarations: tuple[Progress, ...] = ()
    attended_until: datetime | None = None
    erase_at: datetime | None = None
    hold: str = ""
    erasure: Literal["", "begun", "done"] = ""
    erasure_by: str = ""  # who asked for it; "" where nothing but time did
    evidence_until: datetime | None = None
    suppressed: tuple[str, ...] = ()
    external_id: str = ""
    email_since: datetime | None = None  # where there was another address before

    @property
    def state(self) -> ClientState:
        """Active once the notice was delivered; erased for good."""
        if self.erasure == "done":
            return ClientState.ERASED
        return ClientState.ACTIVE if self.notice else ClientState.BEFORE_NOTICE

    def declaration(self, declaration_id: str) -> Progress:
        """How far a declaration has come; `DeclarationUnknown` where there is none."""
        for progress in self.declarations:
            if progress.id == declaration_id:
                return progress
        raise DeclarationUnknown

    def consent(self, purpose: str) -> ConsentState:
        """The standing on a purpose, with what is awaited or ran out (S19)."""
        decided = self.standings.get(purpose)
        if decided is not None and decided.state is ConsentState.GIVEN:
            return ConsentState.GIVEN
        asking = [one for one in self.declarations if purpose in one.asks]
        if any(one.state in OUT for one in asking):
            return ConsentState.AWAITING_EMAIL
        if any(one.state is DeclarationState.PRINTED for one in asking):
            return ConsentState.AWAITING_SIGNATURE
        if decided is not None:
            return decided.state
        ran_out = any(one.state is DeclarationState.EXPIRED for one in asking)
        return ConsentState.EXPIRED if ran_out else ConsentState.NONE

    def is_open_to(self, purpose: str, at: datetime, *, made: datetime | None = None) -> bool:
        """Whether a decision of this moment would be the latest on its purpose (D21).

        What is for one address is decided for the address of its day (M83); `made`: when the words
        that name the address were written down, where that is earlier.
        """
        before, since = self.standings.get(purpose), self.email_since
        if purpose == OF_ADDRESS and since is not None and (made or at) < since:
            return False
        return before is None or before.at <= at

    def in_force(self, purpose: str, at: datetime) -> Standing | None:
        """The consent on a purpose, if it is given and its term is not over at this moment.

        A term that is over is over, whether or not the agenda has come to it.
        """
        one = self.standings.get(purpose)
        if one is None or one.state is not ConsentState.GIVEN:
            return None
        return None if one.expires is not None and one.expires <= at else one

    @property
    def given(self) -> frozenset[str]:
        """The purposes consented to now."""
        named = self.standings.items()
        return frozenset(name for name, one in named if one.state is ConsentState.GIVEN)

    @property
    def ever_consented(self) -> bool:
        """Whether any consent was ever given, be it withdrawn since (D22)."""
        return any(one.state in GIVEN_ONCE for one in self.standings.values())

    @property
    def erasure_due(self) -> datetime | None:
        """When there is no basis left to keep the data: no contract, no consent, nothing asked
        (S15, D22); None while there is one, or a legal hold. A printed paper is waited for, though
        not for ever. Once begun it is due until it is done.
        """
        if self.hold:
            return None
        if self.erasure == "done":
            return self.evidence_until
        if self.erasure == "begun":
            return self.erase_at
        asked = any(one.state in OUT for one in self.declarations)
        if self.erase_at is None or self.ever_consented or asked:
            return None
        return max((self.erase_at, *self._papers_awaited()))

    def _papers_awaited(self) -> Iterator[datetime]:
        """Until when papers that ask for a consent are waited for; later they do not keep data."""
        for one in self.declarations:
            if one.state is DeclarationState.PRINTED and one.printed is not None and one.asks:
                yield one.printed + PAPER_AWAITED

    @property
    def due_at(self) -> datetime | None:
        """When the client next needs attention: its declarations' first reminder or expiry, or the
        end of keeping.
        """
        moments = [
            moment
            for one in self.declarations
            if one.state in OUT
            for moment in (one.remind, one.expires)
            if moment is not None
        ]
        if self.erasure_due is not None:
            moments.append(self.erasure_due)
        moments += [moment for _, _, moment in self.standing_moments()]
        return min(moments, default=None)

    def standing_moments(self) -> Iterator[tuple[str, str, datetime]]:
        """When each consent next needs somebody: purpose, why, and when; one for each reason.

        What is given `expires`, and somebody is told a month before it is `expiring`; a `weak`
        proof is spoken of every fortnight until there is a better one (S54).
        """
        mark = self.attended_until or self.created
        for purpose, one in self.standings.items():
            if one.state is not ConsentState.GIVEN or self.erasure:
                continue
            if one.expires is not None:
                yield purpose, "expires", one.expires
                if one.expires - WARNED_BEFORE > mark:
                    yield purpose, "expiring", one.expires - WARNED_BEFORE
            if one.weak:
                turns = max(1, (max(mark, one.at) - one.at) // REMINDED_EVERY + 1)
                yield purpose, "weak", one.at + REMINDED_EVERY * turns


class ClientUnknown(NotFound):
    code = "client_unknown"
    sentence = "There is no such client."


class ClientErased(Gone):
    """Nothing is known of them any more, by law."""

    code = "client_erased"
    sentence = "This client's data were erased."


class DeclarationUnknown(NotFound):
    code = "declaration_unknown"
    sentence = "There is no such declaration."


class EmailRequired(Invalid):
    code = "email_required"
    sentence = "A client who is served remotely needs an e-mail address."


class EmailOfStaff(Invalid):
    """Whoever confirms must be the client: staff's own mailboxes are no client's."""

    code = "email_of_staff"
    sentence = "This is the address of a member of staff."


class NoticeRequired(Conflict):
    """The law forbids it before the information is delivered (S8)."""

    code = "notice_required"
    sentence = "First give the client the information about the controller."


class EndRefused(Invalid):
    code = "ended_on_refused"
    sentence = "Give ended_on with the state ended, and with no other."


class LanguageRefused(Invalid):
    code = "language_refused"
    sentence = "The organisation does not use this language."


def key(org: str, client_id: str) -> Key:
    """Where a client is kept."""
    return Key(org, "CLIENT", client_id)


def create(
    key: Key,
    identity: Identity,
    *,
    languages: Iterable[str],
    digests: Mapping[str, str],
    once: Once,
    by: Actor,
    now: datetime,
) -> Change:
    """A new client, before the notice (S5, S12). `digests`: the keyed hash of e-mail and phone."""
    identity = checked(identity, languages)
    return Change(
        key=key,
        version=0,
        head="",
        root=Client(identity=identity, created=now),
        event=Event(kind="client_created", actor=by, at=now, body=msgspec.to_builtins(identity)),
        parts=_names(None, identity),
        lookups=_lookups(None, identity, digests),
        once=once,
    )


def arrived(
    key: Key, client: Client, event: Event, *, digests: Mapping[str, str], parts: Sequence[Part]
) -> Change:
    """A client who comes with all that is known of them elsewhere, as one change (S52)."""
    bare = Client(identity=client.identity, created=client.created)
    return change_of(
        Held(key=key, value=bare, version=0, head=""),
        client,
        event,
        parts=(*_names(None, client.identity), *parts),
        lookups=(*_lookups(None, client.identity, digests), *known_elsewhere(client, digests)),
    )


def known_elsewhere(client: Client, digests: Mapping[str, str]) -> tuple[Lookup, ...]:
    """The pointer from the number under which another system knows the client; one alone has it."""
    if not client.external_id:
        return ()
    digest = digests[external_value(client.external_id)]
    return (Lookup(kind=EXTERNAL, digest=digest, unique=True),)


def external_value(external_id: str) -> str:
    """What is hashed for such a number: never the same as an address or a telephone number."""
    return f"external\0{external_id}"


def edit(
    held: Held[Client],
    identity: Identity,
    contract: Contract,
    *,
    languages: Iterable[str],
    digests: Mapping[str, str],
    grace: timedelta,
    by: Actor,
    now: datetime,
) -> Change:
    """Other identity, contact or contract; without a contract the data go after `grace` (S15).

    `NoticeRequired` for a contract before the notice (S8). Another e-mail address supersedes what
    was sent to the old one: its links are dead (R15); and to be answered at that address was
    agreed to for that address (M83).
    """
    client, identity = held.value, checked(identity, languages)
    if contract != client.contract:
        require_notice(client)
        if (contract.state is ContractState.ENDED) != (contract.ended_on is not None):
            raise EndRefused(field="contract.ended_on")
    changed = replace(client, identity=identity, contract=contract)
    if identity.email != client.identity.email:
        changed = replace(
            changed,
            declarations=tuple(superseded(one) for one in client.declarations),
            standings={k: _of_address(k, one, now) for k, one in client.standings.items()},
            email_since=now,
        )
    if contract != client.contract:
        ends = now + grace if contract.state is ContractState.NONE else None
        changed = replace(changed, erase_at=ends)
    body = msgspec.to_builtins({"identity": identity, "contract": contract})
    return change_of(
        held,
        changed,
        Event(kind="client_edited", actor=by, at=now, body=body),
        parts=_names(client.identity, identity),
        lookups=_lookups(client.identity, identity, digests),
    )


def _of_address(purpose: str, one: Standing, now: datetime) -> Standing:
    """The standing once the address is another: what was given for the old one has run out."""
    if purpose != OF_ADDRESS or one.state is not ConsentState.GIVEN:
        return one
    return replace(one, state=ConsentState.EXPIRED, expires=now)


def hold(held: Held[Client], reason: str, *, by: Actor, now: datetime) -> Change:
    """A legal hold, or its end (an empty reason): while it stands, nothing is erased."""
    kept = reason and text.line(reason, "reason")
    changed = replace(held.value, hold=kept)
    event = Event(kind="hold_set" if kept else "hold_ended", actor=by, at=now, body={"why": kept})
    return change_of(held, changed, event)


def leave(held: Held[Client], *, by: Actor, now: datetime) -> Change:
    """The data are on their way out: nothing is sent any more, and no link acts (R15).

    Whatever was decided of the client meanwhile, such as a hold, refuses it; only what stands here
    is erased.
    """
    changed = replace(
        held.value,
        erasure="begun",
        erasure_by=by.id,
        erase_at=now,
        declarations=tuple(superseded(one) for one in held.value.declarations),
    )
    return change_of(held, changed, Event(kind="erasure_due", actor=by, at=now))


def blank(
    held: Held[Client], *, digests: Mapping[str, str], evidence: timedelta, now: datetime
) -> Change | None:
    """The client without anything that names them; None where that is done (S15, D22).

    Erasing ends every consent that is given. After a withdrawal its bare standing stays, and a
    keyed hash of the addresses not to be written to, until `evidence` is over; then these go, too.
    """
    client = held.value
    if client.erasure == "done" and (client.evidence_until is None or now < client.evidence_until):
        return None
    withdrawn = {
        purpose: _ended(one, now)
        for purpose, one in client.standings.items()
        if one.state in (ConsentState.GIVEN, ConsentState.WITHDRAWN)
    }
    last = client.erasure == "done"
    stays = bool(withdrawn) and not last
    blanked = Client(
        identity=replace(client.identity, name="", email="", phone="", address=""),
        created=client.created,
        standings=withdrawn if stays else {},
        erasure="done",
        evidence_until=now + evidence if stays else None,
        suppressed=_suppressed(client, digests) if stays else (),
    )
    lookups = [
        Lookup(kind=kind, digest=digests[value], remove=True)
        for kind, value in (("EMAIL", client.identity.email), ("PHONE", client.identity.phone))
        if value
    ]
    lookups += [replace(one, remove=True) for one in known_elsewhere(client, digests)]
    lookups += [replace(one, remove=True) for one in _kept_off(client)]
    lookups += _kept_off(blanked)
    event = Event(kind="erased", actor=SYSTEM, at=now)
    return change_of(held, blanked, event, lookups=tuple(lookups))


def _ended(one: Standing, now: datetime) -> Standing:
    """The withdrawal; for who leaves withdraws, or an old list would bring the consent back."""
    if one.state is ConsentState.WITHDRAWN:
        return one
    return replace(one, state=ConsentState.WITHDRAWN, at=now, expires=None)


def _kept_off(client: Client) -> list[Lookup]:
    """The pointers from the addresses of who withdrew and was erased; one more finds them all."""
    digests = (*client.suppressed, ANY) if client.suppressed else ()
    return [Lookup(kind=SUPPRESSED, digest=one) for one in digests]


def _suppressed(client: Client, digests: Mapping[str, str]) -> tuple[str, ...]:
    values = (client.identity.email, client.identity.phone)
    return tuple(digests[one] for one in values if one)


def change_of(held: Held[Client], client: Client, event: Event, **promises: Any) -> Change:
    """The change of a client, with what follows from it: requests that a "no" answered, when the
    client is due, its place in the feed.
    """
    client = _answered(held.value, client)
    before = {one.id: one.state for one in held.value.declarations}
    dead = [
        one.id
        for one in client.declarations
        if one.state is DeclarationState.SUPERSEDED and before.get(one.id) in OUT
    ]
    if dead:
        event = replace(event, body={**event.body, "superseded": dead})
    parts = (*promises.pop("parts", ()), *_fed(held.value, client))
    return Change.of(held, client, event, parts=parts, due_at=client.due_at, **promises)


def _answered(before: Client, after: Client) -> Client:
    """The client, the link dead of each request for a consent that was refused since it was sent.

    So nothing that was promised, and no reminder, asks again for what somebody ended (S57).
    """
    no = {
        purpose: one.at
        for purpose, one in after.standings.items()
        if one.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN)
        and one != before.standings.get(purpose)
    }
    if not no:
        return after

    def is_over(one: Progress) -> bool:
        return any(one.sent and name in no and one.sent <= no[name] for name in one.asks)

    kept = tuple(superseded(one) if is_over(one) else one for one in after.declarations)
    return replace(after, declarations=kept)


def _fed(before: Client, after: Client) -> tuple[Part, ...]:
    """The client's places in lists: who may be contacted, by the last change; who has weak proofs.

    A refusal where nothing was given changes no answer of the gate, and writes nothing. The place
    in the feed is the moment of the write: a slow turn must not slip in behind who has read on.
    """
    parts: list[Part] = []
    if (
        before.given != after.given
        or before.erasure != after.erasure
        or _moved(before, after)
        or _informed(before, after)
    ):
        parts.append(Part(sk="FEED", data={}, list_name=FEED, at_write=True))
    was, weak = _weak_since(before), _weak_since(after)
    if was != weak and weak:
        parts.append(Part(sk="WEAK", data={}, list_name=WEAK, rank=weak))
    elif was != weak:
        parts.append(Part(sk="WEAK", data=None))
    return tuple(parts)


def _moved(before: Client, after: Client) -> bool:
    """Whether who consented to anything is reached elsewhere from now on, or not at all."""
    was, now = before.identity, after.identity
    return bool(after.given) and (was.email, was.phone) != (now.email, now.phone)


def _informed(before: Client, after: Client) -> bool:
    """Whether who consented to anything has the notice from now on, or no longer (S8)."""
    return bool(after.given) and (before.notice is None) != (after.notice is None)


def _weak_since(client: Client) -> str:
    """Since when a weak proof waits for a better one; "" where none does."""
    since = [one.at for one in client.standings.values() if one.weak and not client.erasure]
    return min(since).astimezone(UTC).isoformat() if since else ""


def with_validity(change: Change, months: Mapping[str, int], *, before: Client | None) -> Change:
    """The change, each consent that it gives with the end of its term (purposes may expire).

    What was given before there was a term keeps none until it is given anew: no other purpose's
    change may end it. What is recorded late, in the last month of its term, is told of at once.
    """
    old = before.standings if before else {}
    client = change.root
    dated = {
        purpose: replace(one, expires=_after_months(one.at, months[purpose]))
        for purpose, one in client.standings.items()
        if one.state is ConsentState.GIVEN and one != old.get(purpose) and months.get(purpose)
    }
    if not dated:
        return change
    root = replace(client, standings={**client.standings, **dated})
    now = change.event.at
    notices = [
        notice
        for purpose, one in sorted(dated.items())
        if one.expires - WARNED_BEFORE <= now < one.expires
        for notice in word_of(
            change.key, root, purpose, "expiring", one.expires - WARNED_BEFORE, now=now
        )
    ]
    return replace(change, root=root, due_at=root.due_at, notices=(*change.notices, *notices))


def word_of(
    key: Key, client: Client, purpose: str, why: str, moment: datetime, *, now: datetime
) -> list[StaffNotice]:
    """Word of a consent to whoever recorded it, or sent the declaration that gave it."""
    one = client.standings[purpose]
    sent = [each.by for each in client.declarations if each.id == one.declaration_id]
    person = one.by or next(iter(sent), "")
    if not person:
        return []
    data = {
        "reference": key.id,
        "kind": f"consent_{why}",
        "why": purpose,
        "on": (one.expires or moment).date().isoformat(),
    }
    step = f"{why}.{purpose}.{moment.date().isoformat()}"
    return [StaffNotice(person=person, about=key.id, step=step, due_at=now, data=data)]


def _after_months(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or the month's last where there is none."""
    years, month = divmod(moment.month - 1 + months, 12)
    for day in range(moment.day, moment.day - 4, -1):
        with suppress(ValueError):
            return moment.replace(year=moment.year + years, month=month + 1, day=day)
    raise AssertionError("every month has 28 days")


def superseded(progress: Progress) -> Progress:
    """The declaration, its link dead if it was out (R14, R15); a printed paper stays what it is."""
    if progress.state not in OUT:
        return progress
    return replace(progress, state=DeclarationState.SUPERSEDED, remind=None, expires=None)


def require_notice(client: Client) -> None:
    """`NoticeRequired` unless the information about the controller was delivered (S3, S8)."""
    if client.state is not ClientState.ACTIVE:
        raise NoticeRequired


def checked(identity: Identity, languages: Iterable[str]) -> Identity:
    """The identity, normalised; `Invalid` names the field that does not hold."""
    if identity.language not in languages:
        raise LanguageRefused(field="language")
    if identity.served is Served.REMOTE and not identity.email:
        raise EmailRequired(field="email")
    return replace(
        identity,
        name=text.line(identity.name, "name", most=120),
        email=identity.email and text.email(identity.email, "email"),
        phone=identity.phone and text.phone(identity.phone, "phone"),
        address=identity.address and text.line(identity.address, "address"),
    )


def name_keys(name: str) -> tuple[str, ...]:
    """The name as it is looked for: from each of its words on, first names and surnames alike."""
    words = text.fold(name).split(" ")
    turns = [
        " ".join(words[n:] + words[:n])[:MOST_NAME_KEY]
        for n in range(min(len(words), MOST_NAME_KEYS))
    ]
    return tuple(dict.fromkeys(turns))


def _names(before: Identity | None, after: Identity) -> tuple[Part, ...]:
    old, new = name_keys(before.name) if before else (), name_keys(after.name)
    if old == new:
        return ()
    kept = [Part(sk=f"NAME#{n}", data={}, list_name=NAMES, rank=one) for n, one in enumerate(new)]
    gone = [Part(sk=f"NAME#{n}", data=None) for n in range(len(new), len(old))]
    return (*kept, *gone)


def _lookups(
    before: Identity | None, after: Identity, digests: Mapping[str, str]
) -> tuple[Lookup, ...]:
    """Pointers that follow e-mail and phone; `digests`: each value, old and new, to its hash."""
    found = []
    for kind, field in (("EMAIL", "email"), ("PHONE", "phone")):
        old = getattr(before, field) if before else ""
        new = getattr(after, field)
        if digests.get(old) == digests.get(new):
            continue
        if old:
            found.append(Lookup(kind=kind, digest=digests[old], remove=True))
        if new:
            found.append(Lookup(kind=kind, digest=digests[new]))
            found.append(Lookup(kind=kind, digest=digests[new], mark=True))
    return tuple(found)
