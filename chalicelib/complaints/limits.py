"""How often strangers may act within an hour; another channel is always open (R21).

Counted is by the keyed hash of a place, never by the place itself.
"""

from datetime import datetime

from chalicelib.kernel.change import Counter, Origin
from chalicelib.kernel.network import place
from chalicelib.organisations.domain import House
from chalicelib.organisations.store import lookup_digest

KEPT = 3600 * 2  # seconds for which a counter of one hour is kept


def of_place(house: House, kind: str, origin: Origin, *, most: int, now: datetime) -> Counter:
    """What comes from one place on the network, whichever case it is for."""
    return _hourly(house, kind, place(origin.address), most=most, now=now)


def of_case(house: House, kind: str, case_id: str, *, most: int, now: datetime) -> Counter:
    """What comes for one case, wherever from."""
    return _hourly(house, f"{kind}_case", case_id, most=most, now=now)


def _hourly(house: House, kind: str, what: str, *, most: int, now: datetime) -> Counter:
    return Counter(
        kind=kind,
        digest=lookup_digest(house.organisation, f"{kind}\0{what}"),
        window=now.strftime("%Y-%m-%dT%H"),
        most=most,
        expires_at=int(now.timestamp()) + KEPT,
    )
