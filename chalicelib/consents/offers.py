"""Commercial information from staff to one client: it leaves on a consent alone (S16-S18).

What it says is the part `OFFER#<id>` that its letter is about; the gate is asked when it is
promised and again when it leaves.
"""

from datetime import datetime

import msgspec

from chalicelib.clients.domain import Client, change_of
from chalicelib.contact import domain as contact
from chalicelib.contact.domain import Channel
from chalicelib.kernel import text
from chalicelib.kernel.change import Actor, Change, Event, Held, Letter, Once, Part
from chalicelib.kernel.errors import Conflict
from chalicelib.ports import Item


class OfferWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of staff writes."""

    offer_id: str
    subject: str
    text: str
    by: str
    at: datetime


class ConsentMissing(Conflict):
    """The gate says no; the message says why."""

    code = "consent_missing"
    sentence = "The client has not consented to this."


_words = msgspec.json.Decoder(OfferWords).decode


def words(part: Item | None) -> OfferWords:
    """The words that a letter is about."""
    if part is None:
        raise ValueError("an offer without words")
    return _words(part.data)


def send(
    held: Held[Client], subject: str, body: str, *, once: Once, by: Actor, now: datetime
) -> Change:
    """Promise the message; `ConsentMissing` unless the client consented to it."""
    offer = OfferWords(
        offer_id=once.result,
        subject=text.line(subject, "subject", most=120),
        text=text.block(body, "text", most=5000),
        by=by.id,
        at=now,
    )
    verdict = contact.may_contact(held.value, "marketing", Channel.EMAIL, at=now)
    if not verdict.allowed:
        raise ConsentMissing(f"The client has not consented to this: {verdict.reason}.")
    letter = Letter(template="offer", to="client", about=offer.offer_id, promised_at=now)
    told = {"offer": offer.offer_id, "subject": offer.subject, "proofs": list(verdict.proofs)}
    return change_of(
        held,
        held.value,
        Event(kind="offer_sent", actor=by, at=now, body=told),
        parts=(Part(sk=f"OFFER#{offer.offer_id}", data=offer, create=True),),
        letters=(letter,),
        once=once,
    )
