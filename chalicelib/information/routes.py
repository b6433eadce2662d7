"""What clients are told of their rights: the public page's texts, and who publishes them."""

from datetime import date
from typing import Literal

import msgspec

from chalicelib.information import domain, service
from chalicelib.information.domain import (
    SECTIONS,
    SHIPPED,
    AnyBlock,
    Draft,
    Edition,
    Entry,
    Facts,
    Order,
    Words,
)
from chalicelib.information.service import Published
from chalicelib.policy.packs import Source
from chalicelib.web.blueprint import ADMINS, ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)


class DayAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which day; today where none is named."""

    on: date | None = None


class Publisher(msgspec.Struct, frozen=True, kw_only=True):
    """Whose information it is."""

    name: str
    address: str
    email: str
    phone: str


class PublicSection(msgspec.Struct, frozen=True, kw_only=True):
    """A section as it is in force: an extract of an order (M109). Version 0 comes with Duly."""

    key: str
    version: int
    effective_from: date
    order: Order | None
    titles: Words
    blocks: tuple[AnyBlock, ...]


class PublicInformation(msgspec.Struct, frozen=True, kw_only=True):
    """All that is in force on a day of the organisation's zone.

    `version` counts what has come into force by then, Duly's own text being the first; `complaint`:
    the address of the form on the same origin (M89).
    """

    organisation: Publisher
    languages: tuple[str, ...]
    on: date
    version: int
    effective_from: date
    sections: tuple[PublicSection, ...]
    membership: Words
    agents_register: str
    complaint: str


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the list shows it; number 0 is what comes with Duly."""

    number: int
    effective_from: date
    order: Order | None
    state: Literal["past", "in_force", "coming"]
    unverified: bool


class SectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A section, and every version of it, oldest first."""

    key: str
    in_force: int | None
    unverified: bool
    versions: tuple[VersionView, ...]


class InformationView(msgspec.Struct, frozen=True, kw_only=True):
    """All sections as staff see them; `version` is the organisation's, for If-Match."""

    version: int
    pack: str
    today: date
    sections: tuple[SectionView, ...]
    facts: Facts


class EditionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version whole, placeholders not merged, so that the next one can start from it.

    `unverified` numbers the blocks that nobody has checked; `sources` says what their keys mean.
    """

    section: str
    number: int
    effective_from: date
    order: Order | None
    titles: Words
    blocks: tuple[AnyBlock, ...]
    unverified: tuple[int, ...]
    sources: dict[str, Source]
    published_at: Moment | None
    published_by: str


@routes.public("POST", "/api/public/{org}/information", takes=DayAsked, gives=PublicInformation)
def read_public_information(call: Call, org: str) -> PublicInformation:
    """What is in force today, or was or will be on a day (M90-M109)."""
    return _public(service.published(call.ports, org, call.body.on), org)


@routes.staff("GET", "/api/information", gives=InformationView)
def read_information(call: Call) -> InformationView:
    """Every section with its versions, and what nobody has checked."""
    return _information(service.overview(call.ports, call.org))


@routes.staff("GET", "/api/information/{section}/{number}", gives=EditionView)
def read_information_version(call: Call, section: str, number: str) -> EditionView:
    """One version, past, in force or to come; 0 is what comes with Duly."""
    text, pack = service.edition(call.ports, call.org, section, int(number))
    known = service.sources(pack)
    return EditionView(
        section=text.section,
        number=text.number,
        effective_from=text.effective_from,
        order=text.order,
        titles=text.titles,
        blocks=text.blocks,
        unverified=tuple(n for n, one in enumerate(text.blocks) if one.unverified),
        sources={one.source: known[one.source] for one in text.blocks if one.source in known},
        published_at=text.published_at,
        published_by=text.published_by,
    )


@routes.staff(
    "PUT",
    "/api/information/{section}",
    takes=Draft,
    gives=InformationView,
    roles=ADMINS,
    changes=True,
)
def publish_information(call: Call, section: str) -> InformationView:
    """Another version of a section, in force from today or later (M109)."""
    return _information(
        service.publish(call.ports, call.org, call.version, section, call.body, by=call.actor)
    )


@routes.staff(
    "PUT",
    "/api/organisation/facts",
    takes=Facts,
    gives=InformationView,
    roles=ADMINS,
    changes=True,
)
def state_facts(call: Call) -> InformationView:
    """Membership of a union and the public register of agents (M106, M107)."""
    return _information(
        service.state_facts(call.ports, call.org, call.version, call.body, by=call.actor)
    )


def _public(found: Published, org: str) -> PublicInformation:
    settings = found.house.settings
    controller = settings.controller
    return PublicInformation(
        organisation=Publisher(
            name=controller.name,
            address=controller.address,
            email=settings.complaints.mailbox or controller.email,
            phone=controller.phone,
        ),
        languages=settings.languages,
        on=found.day,
        version=found.number,
        effective_from=found.effective_from,
        sections=tuple(_section(domain.shown(one, settings)) for one in found.editions.values()),
        membership=found.index.facts.membership,
        agents_register=found.index.facts.agents_register,
        complaint=f"/complaint?org={org}",
    )


def _section(text: Edition) -> PublicSection:
    return PublicSection(
        key=text.section,
        version=text.number,
        effective_from=text.effective_from,
        order=text.order,
        titles=text.titles,
        blocks=text.blocks,
    )


def _information(found: Published) -> InformationView:
    sections = []
    for key in SECTIONS:
        now, entries = found.editions.get(key), found.index.of(key)
        versions = [_version(one, found, now) for one in entries]
        if shipped := service.shipped(found.pack, key):
            versions.insert(0, _version(shipped, found, now))
        sections.append(
            SectionView(
                key=key,
                in_force=now.number if now else None,
                unverified=bool(now and now.unverified),
                versions=tuple(versions),
            )
        )
    return InformationView(
        version=found.house.held.version,
        pack=found.pack.pin,
        today=found.day,
        sections=tuple(sections),
        facts=found.index.facts,
    )


def _version(one: Entry | Edition, found: Published, now: Edition | None) -> VersionView:
    state: Literal["past", "in_force", "coming"] = "past"
    if now and one.number == now.number:
        state = "in_force"
    elif one.number != SHIPPED and one.effective_from > found.day:
        state = "coming"
    return VersionView(
        number=one.number,
        effective_from=one.effective_from,
        order=one.order,
        state=state,
        unverified=one.unverified,
    )
