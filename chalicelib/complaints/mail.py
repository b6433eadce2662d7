"""E-mail that SES laid down under `inbound/<org>/` becomes a case, or joins one (M2, M3, M33).

An object leaves `inbound/` only when its change was committed and its bytes are kept: under
`mail/<org>/<case>/` with the case, under `ignored/` (what a machine sent, and concerns no case) or
under `unread/` (no mail for any organisation; an alarm tells). So it may be taken twice, by a lost
answer or by event and schedule together, and is one case: every id follows from the object's key.

Whom a letter goes to is never a machine: what is automatic joins its case as a note (RFC 3834), our
own addresses make nothing, and one sender gets no more than `MOST_ANSWERS` answers a day.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib import log
from chalicelib.complaints import acts, files, mailed, receipt, service, store
from chalicelib.complaints import case as cases
from chalicelib.complaints.case import (
    CaseFile,
    Channel,
    Complaint,
    ComplaintUnknown,
    Flag,
    Logged,
    Message,
)
from chalicelib.complaints.inbound import MOST_BYTES, Inbound, case_of, read
from chalicelib.kernel import ids
from chalicelib.kernel.change import Actor, AlreadyDone, Change, Counter, Held, Key, Once, Part
from chalicelib.kernel.errors import TooManyRequests
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House, OrganisationUnknown
from chalicelib.organisations.store import lookup_digest
from chalicelib.ports import Ports, Stored

WAITING, IGNORED, UNREAD = "inbound/", "ignored/", "unread/"
MOST_ANSWERS = 5  # automatic ones to one sender a day
MOST_STORED = MOST_BYTES + 2**20  # SES adds headers of its own
SETTLED = timedelta(minutes=5)  # until then the event may still bring it
TAKEN_FOR = timedelta(days=30)
SHORTEST = 15_000  # milliseconds that one mail may need
SETUP = "AMAZON_SES_SETUP_NOTIFICATION"  # what SES lays down when a rule is made
_KEY = re.compile(r"inbound/(" + ids.ORG_PATTERN.pattern + r")/([A-Za-z0-9._-]{1,200})")
_CLIENT = Actor("client")

Outcome = Literal["received", "joined", "noted", "ignored", "unread", "gone"]


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it lies there: whose it is, what it says, when it came."""

    key: str
    house: House
    mail: Inbound
    at: datetime

    def new_id(self, what: str = "") -> str:
        """An id that is the same each time that this object is taken."""
        said = lookup_digest(self.house.organisation, f"mail\0{self.key}\0{what}")
        return ids.derived(said)

    def raw(self, case_id: str) -> str:
        """Where its bytes are kept with the case."""
        return f"mail/{self.house.organisation.org}/{case_id}/{self.new_id()}.eml"


def handle(ports: Ports, event: Mapping[str, Any], left: Callable[[], int]) -> None:
    """The object that an event names; without one, all that waits, until time is up."""
    if key := event.get("key"):
        _taken(ports, str(key))
        return
    told = dict.fromkeys(("taken", "failed"), 0)
    for stored in ports.bucket.found(WAITING):
        if left() < SHORTEST:
            break
        if ports.real_now - stored.at < SETTLED:
            continue
        try:
            _taken(ports, stored.key)
            told["taken"] += 1
        except Exception as error:  # noqa: BLE001  one bad mail must not stop the rest
            log.error("mail_failed", error)
            told["failed"] += 1
    log.info("mail_run", **told)


def take(ports: Ports, key: str) -> Outcome:
    """One object under `inbound/`: what became of it. Taken again, it changes nothing."""
    stored = next((one for one in ports.bucket.found(key) if one.key == key), None)
    if stored is None:
        return "gone"
    house = _house(ports, stored)
    if house is None:
        return _aside(ports, key, UNREAD)
    mail = read(ports.bucket.get(key, most=MOST_STORED) or b"")
    arrived = Arrived(key=key, house=house, mail=mail, at=_came(ports, stored))
    outcome = "ignored" if key.endswith(f"/{SETUP}") else _decided(ports, arrived)
    if outcome == "ignored":
        return _aside(ports, key, IGNORED)
    ports.bucket.delete(key)
    return outcome


def _house(ports: Ports, stored: Stored) -> House | None:
    """Whose mail it is; None for what can be no mail of any organisation."""
    shape = _KEY.fullmatch(stored.key)
    if shape is None or not 0 < stored.size <= MOST_STORED:
        return None
    try:
        return organisations.house(ports, shape[1])
    except OrganisationUnknown:
        return None


def _taken(ports: Ports, key: str) -> None:
    try:
        outcome = take(ports, key)
    except Exception:
        ports.count("mail_failed", 1)
        raise
    log.info("mail_taken", outcome=outcome)


def _decided(ports: Ports, arrived: Arrived) -> Outcome:
    mail, settings = arrived.mail, arrived.house.settings
    if mailed.is_ours(mail, settings):
        return "ignored"
    named = _named(ports, arrived)
    if mail.kind in mailed.MACHINES:
        return _note(ports, arrived, named) if named else "ignored"
    return _join(ports, arrived, named) if named else _receive(ports, arrived)


def _named(ports: Ports, arrived: Arrived) -> Held[Complaint] | None:
    """The case that a reply address of ours names, while it is there to be joined."""
    house = arrived.house
    domain = house.settings.complaints.mailbox.rpartition("@")[2]
    org, keys = house.organisation.org, ports.link_keys()
    for address in arrived.mail.recipients:
        case_id = case_of(
            address, org=org, keys=keys, stage=ports.stage, domain=domain, now=ports.real_now
        )
        if case_id is None:
            continue
        try:
            held = store.get(ports, org, case_id)
        except ComplaintUnknown:
            continue
        if not held.value.erasure:
            return held
    return None


def _receive(ports: Ports, arrived: Arrived) -> Outcome:
    """A new case, with its files and the mail itself kept before it is written."""
    house, mail, case_id = arrived.house, arrived.mail, arrived.new_id()
    key = cases.key(house.organisation.org, case_id)
    given = replace(
        mailed.submission(mail, house.settings, received_at=arrived.at),
        files=_kept(ports, arrived, key),
        raw=arrived.raw(case_id),
    )
    ports.bucket.copy(arrived.key, given.raw)
    counter = _counter(arrived, ports.now) if mailed.answerable(mail) else None

    def once(made: str) -> Once:
        return _once(arrived, made, ports.now)

    try:
        service.receive(
            ports, house, given, by=_CLIENT, once=once, counter=counter, case_id=case_id
        )
    except TooManyRequests:  # a person looks before another word goes to this sender
        flags = tuple(dict.fromkeys((*given.flags, Flag.SPAM_SUSPECT)))
        given = replace(given, flags=flags, notes=(*given.notes, "many_mails_of_one_sender"))
        service.receive(ports, house, given, by=_CLIENT, once=once, case_id=case_id)
    return "received"


def _join(ports: Ports, arrived: Arrived, named: Held[Complaint]) -> Outcome:
    """A reply: a message of its case."""
    house, mail, case_id = arrived.house, arrived.mail, named.key.id
    message = Message(
        message_id=arrived.new_id(),
        at=arrived.at,
        channel=Channel.EMAIL,
        text=mailed.shown(mailed.words(mail)),
        sender=_who(mail, named.value),
        raw=arrived.raw(case_id),
    )
    added = _kept(ports, arrived, named.key)
    message = replace(message, files=tuple(one.file_id for one in added))
    ports.bucket.copy(arrived.key, message.raw)
    once = _once(arrived, case_id, ports.now)

    def decide(held: Held[Complaint], *, answering: bool) -> Change:
        change = receipt.join(held, message, added, house, by=_CLIENT, now=ports.now, once=once)
        if not answering:
            return replace(change, letters=())
        counters = (_counter(arrived, ports.now),) if change.letters else ()
        return replace(change, counters=counters)

    def act(*, answering: bool) -> None:
        service.act(ports, house, case_id, None, lambda held: decide(held, answering=answering))

    with suppress(AlreadyDone):
        try:
            act(answering=mailed.answerable(mail))
        except TooManyRequests:
            act(answering=False)
    return "joined"


def _note(ports: Ports, arrived: Arrived, named: Held[Complaint]) -> Outcome:
    """What a machine sent about a case: told to staff, answered to nobody (RFC 3834)."""
    house, mail, case_id = arrived.house, arrived.mail, named.key.id
    raw = arrived.raw(case_id)
    ports.bucket.copy(arrived.key, raw)
    note = Logged(
        log_id=arrived.new_id(),
        kind="email",
        at=arrived.at,
        by="",
        text=mailed.shown("\n\n".join(filter(None, (mail.subject, mailed.words(mail))))),
        whom=_who(mail, named.value),
    )
    once = _once(arrived, case_id, ports.now)

    def decide(held: Held[Complaint]) -> Change:
        return acts.done(
            held,
            held.value,
            house,
            "mail_noted",
            by=_CLIENT,
            now=ports.now,
            body={"log": note.log_id, "kind": mail.kind, "raw": raw},
            parts=(Part(sk=f"LOG#{note.log_id}", data=note, create=True),),
            once=once,
        )

    with suppress(AlreadyDone):
        service.act(ports, house, case_id, None, decide)
    return "noted"


def _kept(ports: Ports, arrived: Arrived, key: Key) -> tuple[CaseFile, ...]:
    """Each attachment looked at: kept, or held until somebody has."""
    found = []
    for number, (file, content) in enumerate(mailed.attached(arrived.mail, ports.now)):
        named = replace(file, file_id=arrived.new_id(str(number)))
        found.append(files.taken(ports, key, named, content))
    return tuple(found)


def _aside(ports: Ports, key: str, room: str) -> Outcome:
    """Kept as it is, out of the way, and counted."""
    outcome: Outcome = "ignored" if room == IGNORED else "unread"
    ports.bucket.copy(key, room + key.removeprefix(WAITING))
    ports.bucket.delete(key)
    ports.count(f"mail_{outcome}", 1)
    return outcome


def _came(ports: Ports, stored: Stored) -> datetime:
    """When it came, by the clock of the business: however late it is taken, that is its receipt."""
    age = max(ports.real_now - stored.at, timedelta())
    return ports.now - min(age, receipt.MOST_AGO - timedelta(hours=1))


def _who(mail: Inbound, case: Complaint) -> Literal["writer", "insured", "other"]:
    # A case keeps the address that its mail asked to be answered at: a reply may show either.
    shown = {one.address.casefold() for one in (mail.sender, mail.reply_to) if one}
    if case.writer.email.casefold() in shown:
        return "writer"
    if case.insured and case.insured.email.casefold() in shown:
        return "insured"
    return "other"


def _once(arrived: Arrived, case_id: str, now: datetime) -> Once:
    said = f"mail\0{arrived.key}"
    once = service.once_of(arrived.house, said, said, case_id, now)
    return replace(once, expires_at=int((now + TAKEN_FOR).timestamp()))


def _counter(arrived: Arrived, now: datetime) -> Counter:
    to = arrived.mail.answer_to
    address = to.address if to else ""
    return Counter(
        kind="mail",
        digest=lookup_digest(arrived.house.organisation, f"mail\0{address}"),
        window=f"{now:%Y-%m-%d}",
        most=MOST_ANSWERS,
        expires_at=int((now + timedelta(days=2)).timestamp()),
    )
