"""Use cases of a case: take it in, attend to it, act on it."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

import msgspec

from chalicelib.clients import store as clients
from chalicelib.clients.domain import Client, ClientErased, ClientUnknown
from chalicelib.complaints import (
    acts,
    attention,
    escalation,
    files,
    receipt,
    retention,
    store,
)
from chalicelib.complaints import case as cases
from chalicelib.complaints.case import Complaint, ComplaintUnknown, Message
from chalicelib.complaints.receipt import Submission
from chalicelib.contact.domain import Addressee
from chalicelib.documents import codes
from chalicelib.erasure import domain as erasure
from chalicelib.erasure.domain import Target
from chalicelib.kernel import ids
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    AlreadyDone,
    Change,
    Counter,
    Held,
    Key,
    Letter,
    Once,
)
from chalicelib.kernel.errors import ChangedMeanwhile, Taken, Unavailable
from chalicelib.letters import service as letters
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House, Member, Role
from chalicelib.organisations.store import lookup_digest
from chalicelib.ports import Item, Ports

MOST_TRIES = 6
MOST_AT_ONCE = 6
ONCE_SECONDS = 24 * 3600
# The only letter that a writer who stands outside is ever sent (M37, M39).
FOR_THIRD_PARTIES = frozenset({"third_party_taken"})


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that became a case; `again` if this very request did before."""

    key: Key
    case: Complaint
    version: int
    again: bool = False


def receive(
    ports: Ports,
    house: House,
    given: Submission,
    *,
    by: Actor,
    once: Callable[[str], Once] | None = None,
    counter: Counter | None = None,
    case_id: str = "",
) -> Received:
    """The submission as a case: one transaction, no read (M33).

    The same request again gets the case that it made. `TooManyRequests` if the counter is full.
    `case_id` where something was kept for the case already.
    """
    given = receipt.checked(given, house.settings, now=ports.now)
    org = house.organisation.org
    for _ in range(MOST_TRIES):
        key = cases.key(org, case_id or ids.new_id())
        reference = codes.group(codes.new_code(secrets.token_bytes(codes.RANDOM_BYTES)))
        change = receipt.receive(
            key,
            reference,
            given,
            house,
            digests=_Digests(house),
            by=by,
            now=ports.now,
            once=once(key.id) if once else None,
            counter=counter,
        )
        try:
            version = ports.ledger.commit(change)
        except Taken:  # the number was given before: draw another
            continue
        except AlreadyDone as done:
            held = store.get(ports, org, done.result)
            return Received(key=held.key, case=held.value, version=held.version, again=True)
        return Received(key=key, case=change.root, version=version)
    raise Unavailable


def join(
    ports: Ports,
    house: House,
    case_id: str,
    message: Message,
    added: Iterable[cases.CaseFile] = (),
    *,
    by: Actor,
    once: Once | None = None,
    counters: Sequence[Counter] = (),
) -> Held[Complaint]:
    """Something that came later joins its case; the same again changes nothing.

    To a closed case, too: that it opens a new one is an officer's decision (M74).
    `TooManyRequests` if one of the counters is full.
    """
    more = tuple(added)

    def decide(held: Held[Complaint]) -> Change:
        change = receipt.join(held, message, more, house, by=by, now=ports.now, once=once)
        return msgspec.structs.replace(change, counters=counters)

    try:
        return act(ports, house, case_id, None, decide)
    except AlreadyDone:
        return store.get(ports, house.organisation.org, case_id)


def act(
    ports: Ports,
    house: House,
    case_id: str,
    version: int | None,
    decide: Callable[[Held[Complaint]], Change],
    *,
    member: Member | None = None,
) -> Held[Complaint]:
    """One act on a case: on the version that its reader saw, or, without one, on the latest.

    `member`: who acts; `ComplaintUnknown` for a case that is not theirs to see.
    """
    for _ in range(MOST_TRIES if version is None else 1):
        held = store.get(ports, house.organisation.org, case_id)
        if member is not None:
            require_visible(held.value, member)
        if version not in (None, held.version):
            raise ChangedMeanwhile
        try:
            return commit(ports, decide(held))
        except ChangedMeanwhile:
            if version is not None:
                raise
    raise ChangedMeanwhile


def commit(ports: Ports, change: Change) -> Held[Complaint]:
    """The change written, its letters asked of the gate; the case after it."""
    version = ports.ledger.commit(letters.promised(change, partial(addressee, change.root)))
    return Held(key=change.key, value=change.root, version=version, head="")


def require_visible(case: Complaint, member: Member) -> None:
    """`ComplaintUnknown` for an agent who neither received, entered nor handles it."""
    own = member.staff_id in (case.agent, case.entered_by, case.assignee)
    if member.role is Role.AGENT and not own:
        raise ComplaintUnknown


def attend(ports: Ports, key: Key) -> str:
    """What is due for a case: its registration, its files, its steps, at last its erasure.

    One change at a time, and on to the next while one is due: one read and one transaction each.
    """
    house = organisations.house(ports, key.org)
    done = 0
    for _ in range(MOST_AT_ONCE):
        items = ports.ledger.read(key, "ROOT")
        if "ROOT" not in items:
            break
        held = store.held(items["ROOT"])
        change = _due(ports, held, house) or _moved(ports, items["ROOT"], held, house)
        if change is None:
            break
        commit(ports, change)
        done += 1
        if change.due_at is None or change.due_at > ports.now:
            break
    return "attended" if done else "skipped"


def _due(ports: Ports, held: Held[Complaint], house: House) -> Change | None:
    case, settings = held.value, house.settings.complaints
    moment = attention.next_moment(case, settings)
    if moment is None or moment > ports.now:
        return None
    # First of all somebody is told: whatever else fails, no deadline passes in silence.
    told = escalation.attend(held, house, now=ports.now)
    if told is not None:
        return told
    if case.is_open and case.registered_at is None and _registrable(case, ports.now):
        return receipt.register(held, house, held.key, now=ports.now)
    if case.unchecked:
        seen = files.look(ports, held.key)
        return receipt.files_seen(held, seen, house, now=ports.now)
    return None if case.is_open else _over(ports, held, house)


def _over(ports: Ports, held: Held[Complaint], house: House) -> Change:
    """Its time of keeping is over: it is erased, unless it is still needed."""
    why = _still_needed(ports, held)
    if why is not None:
        return retention.kept_longer(held, why, house, now=ports.now)
    with suppress(ChangedMeanwhile):  # begun before, and broken off
        begin = erasure.begin(held.key, erasure.Ground.RETENTION, by=SYSTEM, now=ports.now)
        ports.ledger.commit(begin)
    return retention.leave(held, house, now=ports.now)


def _still_needed(ports: Ports, held: Held[Complaint]) -> retention.Why | None:
    """Why a case whose time is over is kept: somebody outside has it, a newer one rests on it."""
    case, org = held.value, held.key.org
    if case.waiting_since is not None:
        return "unread"
    if any(one.waits for one in case.stages_outside):
        return "outside"
    if case.client_id:
        with suppress(ClientErased, ClientUnknown):
            if clients.get(ports, org, case.client_id).value.hold:
                return "client_on_hold"
    if case.reopened_as:
        with suppress(ComplaintUnknown):
            if not store.get(ports, org, case.reopened_as).value.erasure:
                return "registered_anew"
    return None


def _moved(ports: Ports, item: Item, held: Held[Complaint], house: House) -> Change | None:
    """The case at its new place in the agenda, where other settings moved what it is due for."""
    if not item.due_at or datetime.fromisoformat(item.due_at) > ports.now:
        return None
    return acts.done(held, held.value, house, "rescheduled", by=SYSTEM, now=ports.now)


def _registrable(case: Complaint, now: datetime) -> bool:
    from chalicelib.policy import engine

    return engine.registration_at(case.policy, case.facts, case.calendar) <= now


def has_open(ports: Ports, client: Held[Client]) -> bool:
    """Whether a case of this client is open, or something that came after its end waits.

    Until it is over, their data are needed (S15).

    What came by the form or by mail names no client: it is theirs if it came from their address.
    """
    organisation = organisations.house(ports, client.key.org).organisation
    known = (("CASECLIENT", client.key.id), ("CASEEMAIL", client.value.identity.email))
    keys = [
        key
        for kind, value in known
        if value
        for key in ports.ledger.find(client.key.org, kind, lookup_digest(organisation, value))
    ]
    pages = (keys[start : start + 100] for start in range(0, len(keys), 100))
    cases = (one.value for page in pages for one in store.listed(ports, page))
    return any(case.is_open or case.waiting_since is not None for case in cases)


def addressee(case: Complaint, letter: Letter) -> Addressee:
    """Whom a letter of the case is for; who stands outside is barred from all but one (M37).

    So is an address that nobody has established as the insured's, from all but the question; and
    whatever address the words of staff were not allowed for.
    """
    outside = case.third_party and letter.template not in FOR_THIRD_PARTIES
    email, bar = case.writer.email, "third_party" if outside else ""
    if letter.to != "writer":
        unproven = letter.template != "insured_asked" and not case.insured_is_reached
        email = case.insured.email if case.insured else ""
        bar = "address_unproven" if unproven else ""
    allowed = letter.facts.get(receipt.ALLOWED_FOR)
    if allowed is not None and allowed != receipt.mailbox(case.reference, email):
        bar = bar or "address_changed"
    return Addressee(email=email, bar=bar)


def once_of(house: House, said: str, request: str, result: str, now: datetime) -> Once:
    """What makes one thing that arrives twice one thing: its own digest, not a caller's key."""
    return Once(
        digest=lookup_digest(house.organisation, said),
        request=hashlib.sha256(request.encode()).hexdigest()[:32],
        result=result,
        expires_at=int(now.timestamp()) + ONCE_SECONDS,
    )


class _Digests(dict[str, str]):
    """The keyed hash of each value that is looked up exactly, made when it is asked for."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house = house

    def __missing__(self, value: str) -> str:
        return lookup_digest(self.house.organisation, value)


def digests(house: House) -> dict[str, str]:
    """The keyed hashes of this organisation, by value."""
    return _Digests(house)


def _blank(ports: Ports, held: Held[Complaint], house: House) -> Change | None:
    return retention.blank(held, house, digests=digests(house), now=ports.now)


TARGET = Target(held=store.held, blank=_blank, keep=retention.KEPT)
