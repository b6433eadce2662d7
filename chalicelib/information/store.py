"""Where published information is kept: parts of the organisation's own aggregate.

`INFORMATION` is the small index of all versions and the facts; `INFORMATION#<section>#<number>` is
one version. The index is cached for a minute in each process; versions, which never change, for its
life.
"""

import time
from collections.abc import Iterable

import msgspec

from chalicelib.information.domain import INDEX, Edition, EditionUnknown, Index, part_of
from chalicelib.organisations import domain as organisations
from chalicelib.ports import Ports

KEPT_SECONDS = 60.0
MOST_KEPT = 500
_index = msgspec.json.Decoder(Index).decode
_edition = msgspec.json.Decoder(Edition).decode


def index(ports: Ports, org: str) -> Index:
    """Which versions there were at most a minute ago."""
    kept = ports.cache.get(("information", org))
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        found: Index = kept[1]
        return found
    found = fresh_index(ports, org)
    ports.cache[("information", org)] = (time.monotonic(), found)
    return found


def fresh_index(ports: Ports, org: str) -> Index:
    """Which versions there are now, to be changed."""
    read = ports.ledger.read(organisations.key(org), INDEX)
    return _index(read[INDEX].data) if INDEX in read else Index()


def forget(ports: Ports, org: str) -> None:
    """Read the index anew next time: it was changed here."""
    ports.cache.pop(("information", org), None)


def editions(ports: Ports, org: str, wanted: Iterable[tuple[str, int]]) -> dict[str, Edition]:
    """These versions by section, one of a section at most; one call for those not seen yet."""
    places = {section: part_of(section, number) for section, number in wanted}
    kept: dict[str, Edition] = ports.cache.setdefault(("editions", org), {})
    missing = sorted(set(places.values()) - kept.keys())
    if missing:
        if len(kept) > MOST_KEPT:
            kept.clear()
            missing = sorted(places.values())
        read = ports.ledger.read(organisations.key(org), *missing)
        kept.update({sk: _edition(item.data) for sk, item in read.items()})
    try:
        return {section: kept[sk] for section, sk in places.items()}
    except KeyError as error:
        raise EditionUnknown from error
