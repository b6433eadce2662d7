"""The gate: a pure answer with its reason and its proof.

What is needed to serve a person (a duty) needs no consent; commercial e-mail needs marketing AND
email, telephone and SMS need marketing AND phone (S16-S18). No consent is used before the notice
is delivered (S8): a message that comes back takes the notice back, and leaves what was recorded.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from chalicelib.clients.domain import Client, ClientState, Proof, Standing


class Channel(StrEnum):
    """How a person is reached."""

    EMAIL = "email"
    PHONE = "phone"
    SMS = "sms"


class Ground(StrEnum):
    """Why a letter is sent: a duty to serve the person, or a consent of theirs."""

    DUTY = "duty"
    CONSENT = "consent"


NEEDED = {
    Channel.EMAIL: ("marketing", "email"),
    Channel.PHONE: ("marketing", "phone"),
    Channel.SMS: ("marketing", "phone"),
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Yes or no, why, and the declarations that prove a yes."""

    allowed: bool
    reason: str
    proofs: tuple[str, ...] = ()


YES = Verdict(allowed=True, reason="duty")


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a letter is for, as far as the gate asks.

    `client` where the person is one of ours; `bar` names why this letter may not reach them at all.
    """

    email: str
    client: Client | None = None
    bar: str = ""


def addressee(client: Client) -> Addressee:
    """A client, to be written to."""
    bar = "erased" if client.erasure else ""
    return Addressee(email=client.identity.email, client=client, bar=bar)


def may_write(to: Addressee, ground: Ground, channel: Channel, *, at: datetime) -> Verdict:
    """Whether a letter on this ground may go to this person by this channel at this moment."""
    if to.bar:
        return Verdict(allowed=False, reason=to.bar)
    if channel is Channel.EMAIL and not to.email:
        return Verdict(allowed=False, reason="no_email")
    if ground is Ground.DUTY:
        return YES
    if to.client is None:
        return Verdict(allowed=False, reason=f"no_consent:{NEEDED[channel][0]}")
    return _consented(to.client, NEEDED[channel], at)


SERVICE = "service"
_OF_CHANNEL = {Channel.EMAIL: "email", Channel.PHONE: "phone", Channel.SMS: "phone"}


def may_contact(client: Client, purpose: str, channel: Channel, *, at: datetime) -> Verdict:
    """May this person be contacted for this purpose by this channel at this moment? (S16-S18)

    `service` is what is needed to serve them; commerce needs marketing and the channel, any other
    purpose its own consent and the channel's. A consent counts from the moment at which it was
    given until its term is over; what was decided since then is told instead of guessed.
    """
    to = addressee(client)
    if to.bar:
        return Verdict(allowed=False, reason=to.bar)
    if not (client.identity.email if channel is Channel.EMAIL else client.identity.phone):
        return Verdict(allowed=False, reason=f"no_{_OF_CHANNEL[channel]}")
    if purpose == SERVICE:
        return YES
    needed = tuple(dict.fromkeys((purpose, _OF_CHANNEL[channel])))
    if purpose in _OF_CHANNEL.values():
        needed = NEEDED[channel]
    return _consented(client, needed, at)


def _consented(client: Client, needed: Iterable[str], at: datetime) -> Verdict:
    """Yes with the proofs where every one of these consents was given by then and is in force.

    Not before the notice: without it nothing of the client's data is processed (S8).
    """
    proofs = []
    for one in needed:
        standing = client.in_force(one, at)
        if standing is None:
            return Verdict(allowed=False, reason=f"no_consent:{one}")
        if standing.at > at:
            return Verdict(allowed=False, reason=f"not_yet:{one}")
        proofs.append(standing.declaration_id)
    if client.state is not ClientState.ACTIVE:
        return Verdict(allowed=False, reason="notice_required")
    return Verdict(allowed=True, reason="consent", proofs=tuple(proofs))


def may_quote(client: Client) -> Verdict:
    """Whether to calculate an offer or conclude a contract: the notice, nothing else (S8, S14)."""
    if client.state is ClientState.ACTIVE:
        return Verdict(allowed=True, reason="notice_delivered")
    return Verdict(allowed=False, reason="notice_required")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for answering somebody at an address even with what is private (M81-M83).

    Each is a fact of its own; `proofs` are the declarations that it rests on.
    """

    identified_email: bool
    data_consent: bool
    consent_to_address: bool
    proofs: tuple[str, ...] = ()


NOTHING_KNOWN = Reply(identified_email=False, data_consent=False, consent_to_address=False)
DATA_PROCESSING = "data_processing"
REPLY_BY_EMAIL = "reply_by_email"
# What proves a consent where the rules of the jurisdiction name no proofs: the client's own act.
WRITTEN = (Proof.SIGNATURE, Proof.EMAIL_CLICK)


def may_reply(
    client: Client | None,
    address: str,
    *,
    at: datetime,
    proofs: Iterable[str] = WRITTEN,
    written: bool = False,
) -> Reply:
    """What is known of this address and of this client at this moment.

    The address is identified where it is the client's own (M81); the consent to data processing
    counts with one of the `proofs` (M82). To be answered at this very address is agreed to in a
    declaration made for the client's own one, or was `written` in the submission itself (M83).
    """
    own = client is not None and _same(client.identity.email, address)
    data = _given(client, DATA_PROCESSING, tuple(proofs), at)
    agreed = _given(client, REPLY_BY_EMAIL, WRITTEN, at) if own else None
    return Reply(
        identified_email=own,
        data_consent=data is not None,
        consent_to_address=agreed is not None or (written and bool(address)),
        proofs=tuple(one.declaration_id for one in (data, agreed) if one is not None),
    )


def _given(
    client: Client | None, purpose: str, proofs: Iterable[str], at: datetime
) -> Standing | None:
    standing = client.in_force(purpose, at) if client else None
    return standing if standing is not None and standing.proof in proofs else None


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()
