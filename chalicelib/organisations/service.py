"""Use cases of an organisation: read it fresh, decide, commit."""

import secrets
from collections.abc import Callable

from chalicelib.kernel.change import AlreadyDone, Change
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.organisations import domain, store
from chalicelib.organisations.domain import House, Member, Settings
from chalicelib.ports import Ports


def found(ports: Ports, org: str, settings: Settings, admin: Member) -> House:
    """A new organisation; `ChangedMeanwhile` if the slug is taken."""
    salt = secrets.token_urlsafe(32)
    ports.ledger.commit(domain.found(org, settings, salt, admin, now=ports.now))
    return store.fresh_house(ports, org)


def change(ports: Ports, org: str, version: int | None, decide: Callable[[House], Change]) -> House:
    """One change of the version that the caller read (None: whichever); the organisation after it."""
    house = store.fresh_house(ports, org)
    if version not in (None, house.held.version):
        raise ChangedMeanwhile
    try:
        ports.ledger.commit(decide(house))
    except AlreadyDone:
        return house
    store.forget(ports, org)
    return store.fresh_house(ports, org)
