"""The client's own page of consents, and the mail program's one click (S57, S58; RFC 8058).

Withdrawing there is one act, as easy as giving, and counts at once. A consent that is added goes
through the usual confirmation. The link lives as long as the address that it was sent to.
"""

from contextlib import suppress
from datetime import date, datetime, timedelta

import msgspec

from chalicelib.clients import domain as client_domain
from chalicelib.clients import store as client_store
from chalicelib.clients.domain import NOTICE, OUT, Client, ConsentState, DeclarationState
from chalicelib.consents import domain, service, standings
from chalicelib.consents.domain import LinkWithdrawn
from chalicelib.consents.service import Wish
from chalicelib.kernel import tokens
from chalicelib.kernel.change import Actor, Change, Held, Letter, Origin
from chalicelib.kernel.errors import ChangedMeanwhile, NotFound, TooManyRequests, Unavailable
from chalicelib.kernel.tokens import Claims, Purpose
from chalicelib.kernel.workdays import local
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House, Member, Role
from chalicelib.ports import Ports

MOST_TRIES = 6
# One click ends commerce by e-mail: what the message rested on, and no other channel.
UNSUBSCRIBED = ("email",)
A_DAY = timedelta(days=1)
MOST_A_DAY = 10  # declarations of one client that left the desk
SETTLED = (ConsentState.GIVEN, ConsentState.AWAITING_EMAIL)


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What is behind a client's own link."""

    house: House
    held: Held[Client]

    @property
    def client(self) -> Client:
        """The client as read."""
        return self.held.value

    @property
    def language(self) -> str:
        """The client's language, as far as the organisation speaks it."""
        return self.house.settings.spoken(self.client.identity.language)

    @property
    def asked(self) -> tuple[str, ...]:
        """The consents that the organisation asks for now (S22)."""
        return tuple(one.purpose for one in self.house.catalogue.visible if one.purpose != NOTICE)

    def day(self, moment: datetime) -> date:
        """The day of this moment where the organisation is."""
        return local(moment, self.house.settings.time_zone).date()

    def can_be_added(self, purpose: str) -> bool:
        """Whether `add` would ask for this consent: one that is asked for now, and not settled."""
        return purpose in self.asked and self.client.consent(purpose) not in SETTLED


def open_own(ports: Ports, org: str, token: str, purpose: Purpose = Purpose.PREFERENCES) -> Own:
    """The client behind a genuine link of their own; one read, nothing written.

    `LinkWithdrawn` once the address that it was sent to is no longer the client's (R15).
    """
    claims = tokens.verify(
        token,
        org=org,
        purpose=purpose,
        stage=ports.stage,
        keys=ports.link_keys(),
        now=ports.real_now,
    )
    return _own(ports, claims)


def act(
    ports: Ports,
    org: str,
    token: str,
    withdrawn: tuple[str, ...],
    added: tuple[str, ...],
    origin: Origin,
) -> Own:
    """Withdraw, then ask: what can't be asked for is refused before anything is withdrawn."""
    if withdrawn and added:
        own = open_own(ports, org, token)
        for together in _documents(ports, own, added):
            _asking(ports, own, together, origin)
    own = withdraw(ports, org, token, withdrawn, origin)
    return add(ports, org, token, added, origin) if added else own


def withdraw(ports: Ports, org: str, token: str, purposes: tuple[str, ...], origin: Origin) -> Own:
    """The client withdraws consents: at once, with a receipt, and staff are told (S57)."""
    for _ in range(MOST_TRIES):
        own = open_own(ports, org, token)
        change = _withdrawal(ports, own, purposes, origin)
        if change is None:
            return own
        try:
            version = ports.ledger.commit(service.promised(change))
        except ChangedMeanwhile:
            continue
        after = Held(key=own.held.key, value=change.root, version=version, head="")
        return msgspec.structs.replace(own, held=after)
    raise Unavailable


def unsubscribe(ports: Ports, org: str, token: str, origin: Origin) -> None:
    """One click of a mail program: commerce by e-mail ends; twice changes nothing more.

    A link that is over still ends it: whoever wants no more mail is not sent away. So does one that
    is older than a consent given anew: it is an act of today, in whatever message the button is.
    """
    claims = tokens.authentic(
        token,
        org=org,
        purpose=Purpose.UNSUBSCRIBE,
        stage=ports.stage,
        keys=ports.link_keys(),
        now=ports.real_now,
    )
    for _ in range(MOST_TRIES):
        own = _own(ports, claims)
        change = _withdrawal(ports, own, UNSUBSCRIBED, origin)
        if change is None:
            return
        try:
            ports.ledger.commit(service.promised(change))
        except ChangedMeanwhile:
            continue
        return
    raise Unavailable


def add(ports: Ports, org: str, token: str, purposes: tuple[str, ...], origin: Origin) -> Own:
    """The client asks for consents to be added: a message asks to confirm them (S58).

    What is given, or awaited by e-mail, is not asked for again, and a day has so many messages, so
    that no mailbox is flooded. A message takes the place of the one before it, so it asks for what
    that one still waits for, too. Each is written whole or not at all: whoever asks again after a
    failure gets what is missing.
    """
    own = open_own(ports, org, token)
    for together in _documents(ports, own, purposes):
        own = _asked(ports, org, token, together, origin)
    return own


def _documents(ports: Ports, own: Own, purposes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What is asked for in one document; the processing of data in its own, where rules say so."""
    asked = tuple(one for one in dict.fromkeys(purposes) if one != NOTICE)
    alone = [one for one in asked if one == domain.DATA_PROCESSING]
    if not alone or not service.is_separate(own.house, ports.now):
        return [asked] if asked else []
    others = tuple(one for one in asked if one not in alone)
    return [one for one in (tuple(alone), others) if one]


def _asked(ports: Ports, org: str, token: str, purposes: tuple[str, ...], origin: Origin) -> Own:
    """One message that asks for these; whoever else acts at the same moment, one."""
    for _ in range(MOST_TRIES):
        own = open_own(ports, org, token)
        change = _asking(ports, own, purposes, origin)
        if change is None:
            return own
        with suppress(ChangedMeanwhile):
            version = ports.ledger.commit(service.promised(change))
            after = Held(key=own.held.key, value=change.root, version=version, head="")
            return msgspec.structs.replace(own, held=after)
    raise Unavailable


def _asking(ports: Ports, own: Own, purposes: tuple[str, ...], origin: Origin) -> Change | None:
    """The message that asks for these; None where there is nothing new to ask for."""
    wanted = _wanted(own, purposes)
    if not wanted:
        return None
    today = [
        one
        for one in own.client.declarations
        if one.created > ports.now - A_DAY and one.state is not DeclarationState.DRAFT
    ]
    if len(today) >= MOST_A_DAY:
        raise TooManyRequests
    member = _keeper(own)
    wish = Wish(answers=wanted, language=own.language, attachments=())
    return domain.ask(
        own.held,
        service.new_declaration(ports, own.house, own.held, wish, member),
        link_days=own.house.settings.link_days,
        by=Actor("client", own.held.key.id, own.house.settings.evidence.kept(origin)),
        keeper=member.staff_id,
        now=ports.now,
    )


def _wanted(own: Own, purposes: tuple[str, ...]) -> dict[str, bool]:
    """The answers of the message; none where there is nothing new to ask for.

    What an earlier message waits for is taken along, unless the organisation asks for it no more.
    """
    client, asked = own.client, own.asked
    new = [one for one in purposes if client.consent(one) not in SETTLED]
    if not new:
        return {}
    replaced = [
        name
        for one in client.declarations
        if one.state in OUT and not domain.apart(one.asks, new)
        for name in one.asks
        if name in asked and client.consent(name) is ConsentState.AWAITING_EMAIL
    ]
    return dict.fromkeys([*new, *replaced], True)


def _own(ports: Ports, claims: Claims) -> Own:
    try:
        held = client_store.get(ports, claims.org, claims.owner_id)
    except (NotFound, client_domain.ClientErased) as error:
        raise LinkWithdrawn from error
    if domain.address_generation(held.value) != claims.generation:
        raise LinkWithdrawn
    return Own(house=organisations.house(ports, claims.org), held=held)


def _withdrawal(ports: Ports, own: Own, purposes: tuple[str, ...], origin: Origin) -> Change | None:
    """The withdrawal of what is given, its receipt, and word to who keeps the client."""
    given = {one: own.client.standings[one].at for one in purposes if one in own.client.given}
    if not given:
        return None
    kept = own.house.settings.evidence.kept(origin)
    facts = {"purposes": sorted(given), "given_at": min(given.values()).isoformat()}
    keeper = _keeper(own)
    return standings.withdraw(
        own.held,
        tuple(given),
        by=Actor("client", own.held.key.id, kept),
        now=ports.now,
        letters=tuple(
            Letter(template=template, to=to, facts=facts, promised_at=ports.now)
            for template, to in (
                ("consents_withdrawn", "client"),
                ("client_withdrew", f"staff:{keeper.staff_id}"),
            )
        ),
    )


def _keeper(own: Own) -> Member:
    """Who keeps this client: the last who sent or recorded something, else an administrator."""
    members = {one.staff_id: one for one in own.house.directory.members if one.active}
    known = [one.by for one in reversed(own.client.declarations)]
    known += [one.by for one in own.client.standings.values() if one.by]
    for staff_id in known:
        if staff_id in members:
            return members[staff_id]
    return next(one for one in members.values() if one.role is Role.ADMIN)


def shown(own: Own) -> tuple[str, ...]:
    """The purposes that the page shows: what is asked for now, and whatever was ever decided."""
    return tuple(dict.fromkeys((*own.asked, *own.client.standings)))
