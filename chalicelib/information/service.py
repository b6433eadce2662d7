"""Use cases of published information: what is in force on a day, publish another version."""

from collections.abc import Mapping
from datetime import date

import msgspec

from chalicelib.information import bodies, defaults, domain, store
from chalicelib.information.domain import (
    ELSEWHERE,
    SECTIONS,
    SHIPPED,
    Draft,
    Edition,
    EditionUnknown,
    Facts,
    Index,
)
from chalicelib.kernel.change import Actor
from chalicelib.organisations import service as organisations
from chalicelib.organisations import store as houses
from chalicelib.organisations.domain import House
from chalicelib.policy import packs
from chalicelib.policy.packs import Pack, Source
from chalicelib.ports import Elsewhere, Ports


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force on a day, as it is stored: by section, in the order of the page."""

    house: House
    day: date
    pack: Pack
    index: Index
    editions: dict[str, Edition]

    @property
    def number(self) -> int:
        """The version of it all: 1 comes with Duly, each text in force by that day is one more."""
        entries = (one for section in SECTIONS for one in self.index.of(section))
        return 1 + sum(one.effective_from <= self.day for one in entries)

    @property
    def effective_from(self) -> date:
        """Since when everything is as it is."""
        return max(
            (one.effective_from for one in self.editions.values()), default=self.pack.effective_from
        )


def published(ports: Ports, org: str, on: date | None = None) -> Published:
    """What is in force on a day of the organisation's zone, today where none is named."""
    house, index = houses.house(ports, org), store.index(ports, org)
    return _published(ports, house, index, on)


def overview(ports: Ports, org: str) -> Published:
    """As `published`, today, read anew: what an administrator is about to change."""
    house = houses.fresh_house(ports, org)
    return _published(ports, house, store.fresh_index(ports, org), None)


def edition(ports: Ports, org: str, section: str, number: int) -> tuple[Edition, Pack]:
    """One version, old or to come, and the pack of today; `SHIPPED` is Duly's own text."""
    house, index = houses.house(ports, org), store.fresh_index(ports, org)
    pack = _pack(house, domain.today(house.settings, ports.now))
    if number == SHIPPED:
        index.of(section)
        text = shipped(pack, section)
        if text is None:
            raise EditionUnknown
        return text, pack
    if number > len(index.of(section)):
        raise EditionUnknown
    return store.editions(ports, org, [(section, number)])[section], pack


def publish(
    ports: Ports, org: str, version: int | None, section: str, draft: Draft, *, by: Actor
) -> Published:
    """Another version of a section, on condition of the organisation's version that was read."""
    organisations.change(
        ports,
        org,
        version,
        lambda house: domain.publish(
            house, store.fresh_index(ports, org), section, draft, by=by, now=ports.now
        ),
    )
    store.forget(ports, org)
    return overview(ports, org)


def state_facts(
    ports: Ports, org: str, version: int | None, facts: Facts, *, by: Actor
) -> Published:
    """What the organisation says of itself from now on."""
    organisations.change(
        ports,
        org,
        version,
        lambda house: domain.state_facts(
            house, store.fresh_index(ports, org), facts, by=by, now=ports.now
        ),
    )
    store.forget(ports, org)
    return overview(ports, org)


def elsewhere(ports: Ports, org: str, pack: str) -> Elsewhere:
    """Where else a client may turn today, for letters and status pages (M108).

    What the organisation published; else what comes with the case's own pack.
    """
    house, index = houses.house(ports, org), store.index(ports, org)
    coming = shipped(packs.load(pack), ELSEWHERE)
    number = index.in_force(ELSEWHERE, domain.today(house.settings, ports.now))
    text = coming
    if number != SHIPPED:
        text = store.editions(ports, org, [(ELSEWHERE, number)])[ELSEWHERE]
    if text is None:
        return Elsewhere()
    known = coming.blocks if coming else ()
    return Elsewhere(own=number != SHIPPED, bodies=bodies.told(text, known, house.settings))


def sources(pack: Pack) -> Mapping[str, Source]:
    """What the keys mean that the shipped blocks name as their sources."""
    return defaults.sources(pack)


def shipped(pack: Pack, section: str) -> Edition | None:
    """The text of a section that comes with Duly, if its jurisdiction has one."""
    return defaults.shipped(pack).get(section)


def _published(ports: Ports, house: House, index: Index, on: date | None) -> Published:
    day = on or domain.today(house.settings, ports.now)
    pack = _pack(house, day)
    own = {section: index.in_force(section, day) for section in SECTIONS}
    kept = store.editions(
        ports,
        house.organisation.org,
        [(section, number) for section, number in own.items() if number != SHIPPED],
    )
    texts = defaults.shipped(pack) | kept
    ordered = {section: texts[section] for section in SECTIONS if section in texts}
    return Published(house=house, day=day, pack=pack, index=index, editions=ordered)


def _pack(house: House, day: date) -> Pack:
    """The pack of that day; what is told to everybody is told to people, not to companies."""
    return packs.choose(house.settings.policy_pack, audience="natural", received_on=day)
