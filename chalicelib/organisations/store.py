"""Where an organisation is kept: `O#<org>#ORGANISATION#<org>`.

Its sort keys: `ROOT`, `CATALOGUE`, `STAFF`, `WORDING#<id>`.
Settings are cached for a minute in each process; wordings, which never change, for its life.
"""

import hmac
import time
from collections.abc import Iterable

import msgspec

from chalicelib.kernel.change import Held
from chalicelib.organisations import domain
from chalicelib.organisations.domain import (
    Catalogue,
    Directory,
    House,
    Organisation,
    OrganisationUnknown,
    Wording,
)
from chalicelib.ports import Item, Ports

KEPT_SECONDS = 60.0
MOST_WORDINGS_KEPT = 2000
_organisation = msgspec.json.Decoder(Organisation).decode
_catalogue = msgspec.json.Decoder(Catalogue).decode
_directory = msgspec.json.Decoder(Directory).decode
_wording = msgspec.json.Decoder(Wording).decode


def house(ports: Ports, org: str) -> House:
    """The organisation as it was at most a minute ago; `OrganisationUnknown` if there is none."""
    kept = ports.cache.get(("house", org))
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        found: House = kept[1]
        return found
    found = _house(ports.ledger.read(domain.key(org), "ROOT", "CATALOGUE", "STAFF"))
    ports.cache[("house", org)] = (time.monotonic(), found)
    return found


def fresh_house(ports: Ports, org: str) -> House:
    """The organisation as it is now, to be changed."""
    return _house(ports.ledger.read_whole(domain.key(org), "ROOT", "CATALOGUE", "STAFF"))


def forget(ports: Ports, org: str) -> None:
    """Read the organisation anew next time: it was changed here."""
    ports.cache.pop(("house", org), None)


def wordings(ports: Ports, org: str, ids: Iterable[str]) -> dict[str, Wording]:
    """The wordings of these ids; one call for those that this process has not seen."""
    wanted = set(ids)
    kept: dict[str, Wording] = ports.cache.setdefault(("wordings", org), {})
    missing = sorted(wanted - kept.keys())
    if missing:
        if len(kept) > MOST_WORDINGS_KEPT:
            kept.clear()
            missing = sorted(wanted)
        read = ports.ledger.read(domain.key(org), *(f"WORDING#{one}" for one in missing))
        for item in read.values():
            wording = _wording(item.data)
            kept[wording.wording_id] = wording
    return {one: kept[one] for one in wanted}


def wording(ports: Ports, org: str, wording_id: str) -> Wording:
    """One wording; `WordingUnknown` if there is none."""
    try:
        return wordings(ports, org, [wording_id])[wording_id]
    except KeyError as error:
        raise domain.WordingUnknown from error


def lookup_digest(organisation: Organisation, value: str) -> str:
    """The keyed hash under which a value is looked up exactly; the value itself is in no key."""
    salt, message = organisation.lookup_salt.encode(), value.casefold().encode()
    return hmac.new(salt, message, "sha256").hexdigest()[:40]


def _house(items: dict[str, Item]) -> House:
    if "ROOT" not in items:
        raise OrganisationUnknown
    root = items["ROOT"]
    held = Held(key=root.key, value=_organisation(root.data), version=root.version, head=root.head)
    return House(
        held=held,
        catalogue=_catalogue(items["CATALOGUE"].data),
        directory=_directory(items["STAFF"].data),
    )
