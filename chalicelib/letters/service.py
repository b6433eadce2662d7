"""Promising and sending letters; what came of them.

A letter goes out at least once, and twice at most when the process dies between the mail service's
yes and our mark. It is claimed by a lease on condition of its version, archived with its link
masked, handed to the mail service in one attempt, and marked. Failures are tried again by the
agenda.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from chalicelib import log
from chalicelib.contact import domain as contact
from chalicelib.contact.domain import Addressee, Channel, Ground
from chalicelib.kernel.change import Change, Held, Key, Letter
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House
from chalicelib.ports import Due, Item, MailDelayed, MailRefused, Ports

if TYPE_CHECKING:
    from chalicelib.letters.complaint_facts import ComplaintFacts
    from chalicelib.letters.facts import Facts
    from chalicelib.letters.mime import Address, Attachment

LEASE = timedelta(minutes=2)
RATE_PAUSE = timedelta(seconds=20)
QUOTA_PAUSE = timedelta(hours=1)
UNCERTAIN_PAUSE = timedelta(minutes=10)
CLOCKS_DIFFER = timedelta(seconds=5)
MOST_TRIES_TO_SETTLE = 5

# On which ground each letter to a person is sent; a letter that is not named here is not sent.
GROUNDS = dict.fromkeys(
    (
        "confirm_consents",
        "receipt",
        "submission_taken",
        "third_party_taken",
        "gratitude_thanked",
        "message_added",
        "data_requested",
        "answer_extended",
        "answer_sent",
        "answer_elsewhere",
        "not_answered",
        "suspended",
        "court_returned",
        "routed_out",
        "insured_asked",
        "consents_withdrawn",
    ),
    Ground.DUTY,
) | {"offer": Ground.CONSENT}

_letter = msgspec.json.Decoder(Letter).decode


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A letter ready to be composed, and whatever differs in the archive, where no link acts.

    `masked` are the facts with their links masked; an address or a header that acts is masked too.
    """

    facts: "Facts | ComplaintFacts"
    masked: "Facts | ComplaintFacts"
    language: str
    to: "Address"
    reply_to: "Address"
    attachments: "tuple[Attachment, ...]" = ()
    headers: Mapping[str, str] = {}
    masked_reply_to: "Address | None" = None
    masked_headers: Mapping[str, str] = {}


class Unneeded(Exception):
    """What the letter was promised for has passed; the reason is kept on it."""


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Everything read for one letter: the house, its owner, the part it is about."""

    house: House
    owner: Held[Any]
    letter: Letter
    part: Item | None


Composer = Callable[[Ports, Occasion], Prepared]
Effect = Callable[[Held[Any], Letter, Item | None, House, datetime], Change | None]


def no_effect(
    held: Held[Any], letter: Letter, part: Item | None, house: House, now: datetime
) -> Change | None:
    """What becomes of the letter means nothing for its owner."""
    return None


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """What sending needs to know of a kind of aggregate that promises letters.

    `parts` is how the key of the part may begin that a letter is about. `addressee` says whom a
    letter is for, to be asked of the gate; the effects say what its sending, its bounce and a
    report as spam mean for the owner.
    """

    held: Callable[[Item], Held[Any]]
    parts: tuple[str, ...]
    composers: Mapping[str, Composer]
    addressee: Callable[[Any, Letter], Addressee]
    on_sent: Effect = no_effect
    on_bounced: Effect = no_effect
    on_complained: Effect = no_effect

    def about(self, letter: str) -> list[str]:
        """Where the part may be that a letter is about, if it is about one."""
        return [f"{prefix}{letter}" for prefix in self.parts] if letter else []


def _first(found: Mapping[str, Item], keys: list[str]) -> Item | None:
    return next((found[one] for one in keys if one in found), None)


def promised(change: Change, addressee: Callable[[Letter], Addressee]) -> Change:
    """The change, each letter to a person asked of the gate; a refused one is kept as held."""
    asked = [
        _asked(letter, addressee(letter), change.event.at) if _is_gated(letter) else letter
        for letter in change.letters
    ]
    return replace(change, letters=tuple(asked))


def deliver(ports: Ports, due: Due, owner: Owner) -> str:
    """One attempt at one letter; what came of it: `sent`, `skipped`, `unneeded` or `held`.

    That the gate or the mail service will never let it go means for the owner what a bounce means.
    `MailDelayed` goes on to the caller when nothing more should be sent now.
    """
    about = owner.about(due.sk.split("#")[1])
    found = ports.ledger.read(due.key, "ROOT", due.sk, *about)
    item = found.get(due.sk)
    if item is None or "ROOT" not in found:
        return "skipped"
    letter = _letter(item.data)
    if not _is_due(item, ports.now) or (letter.lease_until and letter.lease_until > ports.now):
        return "skipped"
    occasion = Occasion(
        house=organisations.house(ports, due.key.org),
        owner=owner.held(found["ROOT"]),
        letter=letter,
        part=_first(found, about),
    )
    if _is_gated(letter):
        verdict = _verdict(letter, owner.addressee(occasion.owner.value, letter), ports.now)
        if not verdict.allowed:
            return _hold(ports, item, letter, verdict.reason, occasion, owner)
    try:
        prepared = owner.composers[letter.template](ports, occasion)
    except Unneeded as reason:
        unneeded = replace(letter, state="unneeded", lease_until=None, reason=str(reason))
        ports.ledger.save_letter(item, unneeded, due_at=None)
        return _told_aside(ports, unneeded)
    raw, archived = prepare_mail(prepared, occasion.house, letter)
    claimed = replace(
        letter,
        state="sending",
        attempts=letter.attempts + 1,
        lease_until=ports.now + LEASE,
        sha256=hashlib.sha256(raw).hexdigest(),
        archive=f"letters/{due.key.org}/{due.key.id}/{letter.letter_id}.eml",
    )
    item = _claim(ports, item, claimed)
    ports.bucket.put(
        claimed.archive, archived, content_type="message/rfc822", sha256=claimed.sha256
    )
    return _send(ports, item, claimed, prepared.to.email, raw, occasion, owner)


def settle(
    ports: Ports,
    item: Item,
    letter: Letter,
    about: Item | None,
    effect: Effect,
    held: Held[Any],
    owner: Owner,
) -> None:
    """Mark a letter's step, in one transaction with what that means for its owner, if anything.

    `held` is the owner as last read; it is read again only if somebody changed it meanwhile.
    """
    house = organisations.house(ports, item.key.org)
    for _ in range(MOST_TRIES_TO_SETTLE):
        change = effect(held, letter, about, house, ports.now)
        if change is None:
            ports.ledger.save_letter(item, letter, due_at=None)
            return
        try:
            asked = promised(change, partial(owner.addressee, change.root))
            ports.ledger.commit(asked, settles=(item, letter))
        except ChangedMeanwhile:
            if _is_settled(ports, item):
                return
            held = owner.held(ports.ledger.read(item.key, "ROOT")["ROOT"])
            continue
        return
    raise ChangedMeanwhile(item.sk)


def prepare_mail(prepared: Prepared, house: House, letter: Letter) -> tuple[bytes, bytes]:
    """The message as it is sent, and as it is archived: the same with the link masked (R17)."""
    raw = _built(prepared, house, letter)
    archived = replace(
        prepared,
        facts=prepared.masked,
        reply_to=prepared.masked_reply_to or prepared.reply_to,
        headers=prepared.masked_headers,
    )
    if archived.facts is prepared.facts and archived.headers == prepared.headers:
        return raw, raw
    return raw, _built(archived, house, letter)


def _send(
    ports: Ports,
    item: Item,
    letter: Letter,
    to: str,
    raw: bytes,
    occasion: Occasion,
    owner: Owner,
) -> str:
    ports.pace()
    try:
        message_id = ports.mailer.send(
            raw,
            sender=occasion.house.settings.sender.email,
            to=to,
            tags=_tags(item, letter),
        )
    except MailRefused as refusal:
        return _hold(ports, item, letter, str(refusal), occasion, owner)
    except MailDelayed as delayed:
        _wait(ports, item, letter, delayed)
        raise
    sent = _sent(letter, message_id, ports.now)
    settle(ports, item, sent, occasion.part, owner.on_sent, occasion.owner, owner)
    log.info("letter_sent", letter=letter.letter_id, template=letter.template)
    return "sent"


def _sent(letter: Letter, message_id: str, now: datetime) -> Letter:
    """The letter once the mail service has it: its answer or its event, whichever says so first.

    What was sent, and where it is archived, was written down with the claim.
    """
    return replace(
        letter, state="sent", lease_until=None, sent_at=now, message_id=message_id, reason=""
    )


def _wait(ports: Ports, item: Item, letter: Letter, delayed: MailDelayed) -> None:
    """Try again later: if the message may have left, later than the mail service would tell us."""
    pause, state = RATE_PAUSE, "promised"
    ports.count("mail_quota_exceeded" if delayed.quota else "mail_delayed", 1)
    if delayed.quota:
        pause = QUOTA_PAUSE
    if delayed.uncertain:
        pause, state = UNCERTAIN_PAUSE, "sending"
    waiting = replace(letter, state=state, lease_until=None, reason=str(delayed))
    ports.ledger.save_letter(item, waiting, due_at=ports.now + pause)


def _built(prepared: Prepared, house: House, letter: Letter) -> bytes:
    from chalicelib.letters.compose import compose
    from chalicelib.letters.mime import Address, build

    composed = compose(prepared.facts, prepared.language)
    sender = house.settings.sender
    domain = sender.email.rpartition("@")[2]
    return build(
        from_=Address(name=sender.name, email=sender.email),
        reply_to=prepared.reply_to,
        to=prepared.to,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        attachments=prepared.attachments,
        message_id=f"<{letter.letter_id}@{domain}>",
        date=letter.promised_at,
        headers={"Auto-Submitted": "auto-generated", **prepared.headers},
        language=prepared.language,
    )


def _is_gated(letter: Letter) -> bool:
    """Whether it goes to a person from outside: staff, and who watches over Duly, are told."""
    return not letter.to.startswith("staff:") and letter.to != "outside"


def _asked(letter: Letter, to: Addressee, now: datetime) -> Letter:
    verdict = _verdict(letter, to, now)
    return letter if verdict.allowed else replace(letter, state="held", reason=verdict.reason)


def _verdict(letter: Letter, to: Addressee, now: datetime) -> contact.Verdict:
    """By no clock that is behind the one by which it was promised."""
    at = max(now, letter.promised_at)
    return contact.may_write(to, GROUNDS[letter.template], Channel.EMAIL, at=at)


def _is_due(item: Item, now: datetime) -> bool:
    """Whether the letter itself, and not an old image of it in the index, says that it is due."""
    return bool(item.due_at) and datetime.fromisoformat(item.due_at) <= now + CLOCKS_DIFFER


def _claim(ports: Ports, item: Item, letter: Letter) -> Item:
    """The lease; `due_at` stays as it is, so that a crash leaves the letter on the agenda."""
    return ports.ledger.save_letter(item, letter, due_at=datetime.fromisoformat(item.due_at))


def _hold(
    ports: Ports, item: Item, letter: Letter, reason: str, occasion: Occasion, owner: Owner
) -> str:
    """It will never leave: for its owner that is what a bounce is."""
    held = replace(letter, state="held", lease_until=None, reason=reason)
    settle(ports, item, held, occasion.part, owner.on_bounced, occasion.owner, owner)
    return _told_aside(ports, held)


def _told_aside(ports: Ports, aside: Letter) -> str:
    if aside.state == "held":
        ports.count("letter_held", 1)
    log.info("letter_put_aside", letter=aside.letter_id, state=aside.state, reason=aside.reason)
    return aside.state


def _is_settled(ports: Ports, item: Item) -> bool:
    """Whether somebody else took the letter a step on since it was read, or erased it."""
    now = ports.ledger.read(item.key, item.sk).get(item.sk)
    return now is None or now.version != item.version


def _tags(item: Item, letter: Letter) -> dict[str, str]:
    """What an event of the mail service says about the letter: ids alone, in SES's alphabet."""
    return {
        "org": item.key.org,
        "kind": item.key.kind,
        "owner": item.key.id,
        "letter": letter.letter_id,
        "about": letter.about or "none",
    }


def on_mail_event(
    ports: Ports,
    kind: str,
    tags: Mapping[str, Any],
    owner: Owner,
    *,
    message_id: str,
) -> str:
    """What the mail service tells of a letter.

    It tells `Send`, `Delivery`, `Bounce` (permanent), `Reject` (a virus) or `Complaint`. A letter
    that was left `sending` by a crash is settled by it. Told twice, it changes nothing.
    """
    key, sk, named = tagged(tags)
    about = owner.about(named)
    found = ports.ledger.read(key, "ROOT", sk, *about)
    if sk not in found or "ROOT" not in found:
        return "unknown"
    held = owner.held(found["ROOT"])
    item, part = found[sk], _first(found, about)
    letter = _letter(item.data)
    if letter.state in ("sending", "promised"):
        sent = _sent(letter, message_id, ports.now)
        settle(ports, item, sent, part, owner.on_sent, held, owner)
        found = ports.ledger.read(key, "ROOT", sk)
        held, item = owner.held(found["ROOT"]), found[sk]
        letter = _letter(item.data)
    effects = {
        "Bounce": ("bounced", owner.on_bounced),
        "Reject": ("held", owner.on_bounced),
        "Complaint": ("complained", owner.on_complained),
    }
    if kind == "Delivery" and letter.state == "sent":
        delivered = replace(letter, state="delivered", delivered_at=ports.now)
        ports.ledger.save_letter(item, delivered, due_at=None)
        return "delivered"
    if kind not in effects or letter.state == effects[kind][0]:
        return "nothing"
    state, effect = effects[kind]
    told = replace(letter, state=state, reason=kind.lower())
    settle(ports, item, told, part, effect, held, owner)
    return state


def tagged(tags: Mapping[str, Any]) -> tuple[Key, str, str]:
    """Whose letter the tags name, its key there, and what it is about."""
    one = {name: value[0] if isinstance(value, list) else value for name, value in tags.items()}
    about = "" if one["about"] == "none" else one["about"]
    return Key(one["org"], one["kind"], one["owner"]), f"LETTER#{about}#{one['letter']}", about
