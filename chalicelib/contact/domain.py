"""The gate: a pure answer with its reason and its proof.

What is needed to serve a person (a duty) needs no consent; commercial e-mail needs marketing AND
email, telephone and SMS need marketing AND phone (S16-S18).
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from chalicelib.clients.domain import Client, ClientState, ConsentState


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


def may_write(to: Addressee, ground: Ground, channel: Channel) -> Verdict:
    """Whether a letter on this ground may go to this person by this channel."""
    if to.bar:
        return Verdict(allowed=False, reason=to.bar)
    if channel is Channel.EMAIL and not to.email:
        return Verdict(allowed=False, reason="no_email")
    if ground is Ground.DUTY:
        return YES
    if to.client is None:
        return Verdict(allowed=False, reason=f"no_consent:{NEEDED[channel][0]}")
    client = to.client
    missing = [one for one in NEEDED[channel] if client.consent(one) is not ConsentState.GIVEN]
    if missing:
        return Verdict(allowed=False, reason=f"no_consent:{missing[0]}")
    proofs = tuple(client.standings[one].declaration_id for one in NEEDED[channel])
    return Verdict(allowed=True, reason="consent", proofs=proofs)


SERVICE = "service"
_OF_CHANNEL = {Channel.EMAIL: "email", Channel.PHONE: "phone", Channel.SMS: "phone"}


def may_contact(client: Client, purpose: str, channel: Channel, *, at: datetime) -> Verdict:
    """May this person be contacted for this purpose by this channel at this moment? (S16-S18)

    `service` is what is needed to serve them; commerce needs marketing and the channel, any other
    purpose its own consent and the channel's. A consent counts from the moment at which it was
    given; what was decided since then is told instead of guessed.
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
    for one in needed:
        standing = client.standings.get(one)
        if client.consent(one) is not ConsentState.GIVEN or standing is None:
            return Verdict(allowed=False, reason=f"no_consent:{one}")
        if standing.at > at:
            return Verdict(allowed=False, reason=f"not_yet:{one}")
    return Verdict(
        allowed=True,
        reason="consent",
        proofs=tuple(client.standings[one].declaration_id for one in needed),
    )


def may_quote(client: Client) -> Verdict:
    """Whether to calculate an offer or conclude a contract: the notice, nothing else (S8, S14)."""
    if client.state is ClientState.ACTIVE:
        return Verdict(allowed=True, reason="notice_delivered")
    return Verdict(allowed=False, reason="notice_required")
