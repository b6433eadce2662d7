"""Use cases of a client."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import msgspec

from chalicelib.clients import domain, store
from chalicelib.clients.domain import Client, Contract, Identity
from chalicelib.erasure.domain import Target
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import Actor, AlreadyDone, Change, Held, Key, Lookup, Once
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.kernel.text import TextRefused
from chalicelib.organisations.domain import House
from chalicelib.organisations.store import lookup_digest
from chalicelib.ports import Page, Ports

MOST_SUPPRESSED = 100  # of one address
FOUND_BY = {"email": "EMAIL", "phone": "PHONE"}


def create(
    ports: Ports, house: House, identity: Identity, *, once: Callable[[str], Once], by: Actor
) -> Held[Client]:
    """A new client; the same request again gives the client that it made."""
    languages = house.settings.languages
    identity = checked(house, identity)
    client_id = ids.new_id()
    change = domain.create(
        domain.key(house.organisation.org, client_id),
        identity,
        languages=languages,
        digests=digests(house, identity),
        once=once(client_id),
        by=by,
        now=ports.now,
    )
    try:
        ports.ledger.commit(change)
    except AlreadyDone as done:
        client_id = done.result
    return store.get(ports, house.organisation.org, client_id)


def edit(
    ports: Ports,
    house: House,
    client_id: str,
    version: int,
    identity: Identity,
    contract: Contract,
    *,
    by: Actor,
) -> Held[Client]:
    """Other identity, contact or contract, of the version that the caller read."""
    held = read_version(ports, house.organisation.org, client_id, version)
    languages = house.settings.languages
    identity = checked(house, identity)
    change = domain.edit(
        held,
        identity,
        contract,
        languages=languages,
        digests=digests(house, identity, held.value.identity),
        grace=timedelta(days=house.settings.keeping.grace_days),
        by=by,
        now=ports.now,
    )
    ports.ledger.commit(_unmarked(ports, change))
    return store.get(ports, house.organisation.org, client_id)


def read_version(ports: Ports, org: str, client_id: str, version: int) -> Held[Client]:
    """The client, if it is still of this version; `ChangedMeanwhile` if not."""
    held = store.get(ports, org, client_id)
    if held.version != version:
        raise ChangedMeanwhile
    return held


def find_exactly(ports: Ports, house: House, by: str, value: str, *, after: str, most: int) -> Page:
    """The clients with this e-mail address or telephone number; a switchboard's may be many."""
    normal = text.email(value, by) if by == "email" else text.phone(value, by)
    digest = lookup_digest(house.organisation, normal)
    found = sorted(
        ports.ledger.find(house.organisation.org, FOUND_BY[by], digest), key=lambda key: key.id
    )
    keys = [key for key in found if key.id > after]
    return Page(keys=tuple(keys[:most]), after=keys[most - 1].id if len(keys) > most else "")


def find_by_name(ports: Ports, house: House, prefix: str, *, after: str, most: int) -> Page:
    """The clients with a name that begins so, in the order of names; case and accents aside."""
    name = f"O#{house.organisation.org}#{domain.NAMES}"
    folded = text.fold(text.line(prefix, "name"))[: domain.MOST_NAME_KEY]
    if not folded:
        raise TextRefused(field="name")
    return ports.ledger.worklist(name, prefix=folded, after=after, most=most)


def checked(house: House, identity: Identity) -> Identity:
    """The identity, normalised; `EmailOfStaff` for a mailbox of the organisation's own people."""
    identity = domain.checked(identity, house.settings.languages)
    mailbox = identity.email.casefold()
    if mailbox and any(one.email.casefold() == mailbox for one in house.directory.members):
        raise domain.EmailOfStaff(field="email")
    return identity


def digests(house: House, *identities: Identity, external_id: str = "") -> dict[str, str]:
    """The keyed hash of each value by which these clients are found."""
    values = {value for one in identities for value in (one.email, one.phone) if value}
    if external_id:
        values.add(domain.external_value(external_id))
    return {value: lookup_digest(house.organisation, value) for value in values}


def suppressed(ports: Ports, org: str, digests: Iterable[str]) -> list[Client]:
    """Those who withdrew and were erased, by the hashes of these addresses."""
    keys = [key for one in digests for key in ports.ledger.find(org, domain.SUPPRESSED, one)]
    roots = ports.ledger.roots(list(dict.fromkeys(keys))[:MOST_SUPPRESSED])
    return [store.held(one).value for one in roots.values()]


def blank(ports: Ports, held: Held[Client], house: House) -> Change | None:
    """A client without anything that names them (S15, D22)."""
    change = domain.blank(
        held,
        digests=digests(house, held.value.identity, external_id=held.value.external_id),
        evidence=timedelta(days=365 * house.settings.keeping.evidence_years),
        now=ports.now,
    )
    return _unmarked(ports, change) if change else None


def _unmarked(ports: Ports, change: Change) -> Change:
    """With the last pointer from an address goes the mark that somebody has it."""
    marks = [
        msgspec.structs.replace(one, mark=True)
        for one in change.lookups
        if one.remove
        and one.kind in FOUND_BY.values()
        and ports.ledger.find(change.key.org, one.kind, one.digest) == [change.key]
    ]
    return msgspec.structs.replace(change, lookups=(*change.lookups, *marks))


class _Coded(msgspec.Struct):
    """A declaration, as far as its pointer goes."""

    code: str = ""


def pointers(ports: Ports, key: Key) -> list[Lookup]:
    """The pointers from the codes on the client's papers."""
    coded = [msgspec.json.decode(one.data, type=_Coded) for one in ports.ledger.parts(key, "DECL#")]
    return [Lookup(kind="PAPERCODE", digest=one.code, unique=True) for one in coded if one.code]


# Its place in the feed stays: who reads it must learn that the client may not be contacted.
TARGET = Target(held=store.held, blank=blank, keep=("FEED",), pointers=pointers)
