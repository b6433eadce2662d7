"""Use cases of an organisation: read it fresh, decide, commit."""

import secrets
from collections.abc import Callable

from chalicelib.kernel.change import Actor, AlreadyDone, Change, Once
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.organisations import domain, store
from chalicelib.organisations.defaults import Text
from chalicelib.organisations.domain import House, Member, Settings
from chalicelib.ports import Ports


def found(ports: Ports, org: str, settings: Settings, admin: Member) -> House:
    """A new organisation; `ChangedMeanwhile` if the slug is taken."""
    salt = secrets.token_urlsafe(32)
    ports.ledger.commit(domain.found(org, settings, salt, admin, now=ports.now))
    return store.fresh_house(ports, org)


def change(ports: Ports, org: str, version: int | None, decide: Callable[[House], Change]) -> House:
    """One change of the version the caller read (None: whichever); the organisation after it."""
    house = store.fresh_house(ports, org)
    if version not in (None, house.held.version):
        raise ChangedMeanwhile
    try:
        ports.ledger.commit(decide(house))
    except AlreadyDone:
        return house
    store.forget(ports, org)
    return store.fresh_house(ports, org)


def add_purpose(
    ports: Ports, org: str, purpose: str, texts: dict[str, Text], *, once: Once, by: Actor
) -> House:
    """A consent of the organisation's own (S23); the same request again adds nothing."""
    try:
        return change(
            ports,
            org,
            None,
            lambda house: domain.add_purpose(
                house, purpose, texts, once=once, by=by, now=ports.now
            ),
        )
    except domain.PurposeExists:
        if ports.ledger.was_done(org, once):
            return store.fresh_house(ports, org)
        raise
