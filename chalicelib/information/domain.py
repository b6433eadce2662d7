"""What an organisation publishes of a client's rights, in plain blocks (M90-M109).

A section's text is a version: an extract of an order, with the order's number and date, in force
from a day on (M109). A version is never edited; another text is another version, in force from
today or later, so that what a client was told on any day can be shown again. Number 0 is what Duly
ships for the policy pack of that day. No block holds markup.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from chalicelib.kernel import text
from chalicelib.kernel.change import Actor, Change, Event, Part
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.kernel.workdays import local
from chalicelib.organisations.domain import LANGUAGES, House, SettingRefused, Settings

ELSEWHERE = "elsewhere"  # whom to turn to: letters and status pages tell its contacts, too
SECTIONS = ("submissions", "cooling_off", "rights", "sources", ELSEWHERE)
SHIPPED = 0  # the number of the text that comes with Duly
MOST_VERSIONS = 200  # of a section: the index of all stays a small item
MOST_BLOCKS = 100
MOST_ITEMS = 50
MOST_TEXT = 4000  # characters of one text in one language
MOST_BYTES = 120_000  # a version is one item of the table, which takes 400 KB
INDEX = "INFORMATION"
_LINK = r"https?://[!-~]{1,190}"
_PLACEHOLDER = r"\{([^\W\d]\w*)\}"

# One text by language. Empty where there is nothing to say.
Words = dict[str, str]
# The bodies that the rules' own phrases name.
Role = Literal["", "ombudsman", "regulator", "union", "commissioner"]


class Block(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
):
    """One piece of a text. `source` and `confidence` are for staff: where it was read, how sure.

    Without a confidence the organisation's own order answers for it.
    """

    source: str = ""
    confidence: Literal["", "H", "M", "L"] = ""

    @property
    def unverified(self) -> bool:
        """Whether staff must see that nobody has checked it."""
        return self.confidence == "L"


class Heading(Block, frozen=True, kw_only=True, tag="heading"):
    """A heading within a section."""

    text: Words


class Paragraph(Block, frozen=True, kw_only=True, tag="paragraph"):
    """A paragraph."""

    text: Words


class Caution(Block, frozen=True, kw_only=True, tag="warning"):
    """What a reader must not miss (M96)."""

    text: Words


class Points(Block, frozen=True, kw_only=True, tag="list"):
    """A list; `numbered` where the number of its items matters."""

    items: tuple[Words, ...]
    numbered: bool = False


class Phone(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A telephone number as it is written there, and what it is for."""

    number: str
    note: Words = {}


class Site(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """An address of the web, and what it is for."""

    address: str
    note: Words = {}


class Contact(Block, frozen=True, kw_only=True, tag="contact"):
    """Where else to turn. `checked_on`: when somebody last made sure that it is still right.

    `role`: which of the bodies that the rules name it is; without one, a card that has the name,
    the e-mail address or the site of the one that comes with Duly is that one.
    """

    name: Words
    role: Role = ""
    about: Words = {}
    address: Words = {}
    hours: Words = {}
    phones: tuple[Phone, ...] = ()
    fax: str = ""
    email: str = ""
    sites: tuple[Site, ...] = ()
    checked_on: date | None = None

    @property
    def unverified(self) -> bool:
        """Numbers and addresses age: unverified until somebody has checked them."""
        return self.confidence == "L" or self.checked_on is None


AnyBlock = Heading | Paragraph | Caution | Points | Contact


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The order that a text is an extract of (M109)."""

    number: str
    on: date


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section's text as an administrator hands it in."""

    effective_from: date
    order: Order
    titles: Words
    blocks: tuple[AnyBlock, ...]


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one section: never edited."""

    section: str
    number: int
    effective_from: date
    order: Order | None
    titles: Words
    blocks: tuple[AnyBlock, ...]
    published_at: datetime | None = None
    published_by: str = ""

    @property
    def unverified(self) -> bool:
        """Whether something in it has not been checked."""
        return any(one.unverified for one in self.blocks)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the index knows it."""

    number: int
    effective_from: date
    order: Order
    unverified: bool


class Facts(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What an organisation says of itself; what is empty is not shown.

    `membership` in a union of insurers (M106), `agents_register`: the public list of its agents
    (M107).
    """

    membership: Words = {}
    agents_register: str = ""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions there are, oldest first, and the facts: one small part of the organisation."""

    entries: dict[str, tuple[Entry, ...]] = {}
    facts: Facts = Facts()

    def of(self, section: str) -> tuple[Entry, ...]:
        """The versions of a section; `SectionUnknown` where there is no such section."""
        if section not in SECTIONS:
            raise SectionUnknown
        return self.entries.get(section, ())

    def in_force(self, section: str, day: date) -> int:
        """The number of the version in force that day: of the latest date; of one date, the last.

        `SHIPPED` where none is in force yet.
        """
        begun = [one for one in self.of(section) if one.effective_from <= day]
        newest = max(begun, key=lambda one: (one.effective_from, one.number), default=None)
        return newest.number if newest else SHIPPED


class SectionUnknown(NotFound):
    code = "section_unknown"
    sentence = "There is no such section."


class EditionUnknown(NotFound):
    code = "edition_unknown"
    sentence = "The section has no version of this number."


class TooManyEditions(Conflict):
    code = "too_many_editions"
    sentence = "The section has as many versions as are kept."


def today(settings: Settings, now: datetime) -> date:
    """The day on the organisation's wall."""
    return local(now, settings.time_zone).date()


def part_of(section: str, number: int) -> str:
    """Where a version is kept."""
    return f"{INDEX}#{section}#{number:04d}"


def publish(
    house: House, index: Index, section: str, draft: Draft, *, by: Actor, now: datetime
) -> Change:
    """Another version of a section, in force from its day on; all earlier ones stay as they were.

    `Invalid` names the field that does not hold: a day that has begun to be history, a language
    of the organisation that is missing, a text too long.
    """
    known = index.of(section)
    if len(known) >= MOST_VERSIONS:
        raise TooManyEditions
    if draft.effective_from < today(house.settings, now):
        raise SettingRefused(
            "A text is in force from today or later: what was told before stays as it was.",
            field="effective_from",
        )
    edition = Edition(
        section=section,
        number=len(known) + 1,
        effective_from=draft.effective_from,
        order=_checked_order(draft),
        titles=_words(draft.titles, "titles", house.settings, most=120),
        blocks=_checked_blocks(draft.blocks, house.settings),
        published_at=now,
        published_by=by.id,
    )
    entry = Entry(
        number=edition.number,
        effective_from=edition.effective_from,
        order=draft.order,
        unverified=edition.unverified,
    )
    body = {
        "section": section,
        "number": edition.number,
        "effective_from": edition.effective_from.isoformat(),
        "order": msgspec.to_builtins(edition.order),
        "digest": digest(edition),
    }
    changed = replace(index, entries=index.entries | {section: (*known, entry)})
    return Change.of(
        house.held,
        house.organisation,
        Event(kind="information_published", actor=by, at=now, body=body),
        parts=(
            Part(sk=INDEX, data=changed),
            Part(sk=part_of(section, edition.number), data=edition, create=True),
        ),
        due_at=house.organisation.due_at,
    )


def state_facts(house: House, index: Index, facts: Facts, *, by: Actor, now: datetime) -> Change:
    """What the organisation says of itself from now on (M106, M107)."""
    if facts.agents_register and re.fullmatch(_LINK, facts.agents_register) is None:
        raise SettingRefused(field="agents_register")
    checked = replace(
        facts, membership=_words(facts.membership, "membership", house.settings, optional=True)
    )
    return Change.of(
        house.held,
        house.organisation,
        Event(kind="facts_stated", actor=by, at=now, body=msgspec.to_builtins(checked)),
        parts=(Part(sk=INDEX, data=replace(index, facts=checked)),),
        due_at=house.organisation.due_at,
    )


def digest(edition: Edition) -> str:
    """SHA-256 of what a version says: the chain of events proves which text was published."""
    said = msgspec.json.encode((edition.titles, edition.blocks))
    return hashlib.sha256(said).hexdigest()


def shown(edition: Edition, settings: Settings) -> Edition:
    """A version as everybody sees it: the organisation merged in, nothing that is for staff."""
    values = _values(settings)

    def merged(_: str, words: Words) -> Words:
        return {language: _replaced(one, values) for language, one in words.items()}

    blocks = tuple(
        replace(_each(block, merged), source="", confidence="") for block in edition.blocks
    )
    return replace(edition, titles=merged("", edition.titles), blocks=blocks)


def _values(settings: Settings) -> dict[str, str]:
    """What a text may leave to the settings, so that it follows when they change."""
    controller = settings.controller
    return {
        "organisation": controller.name,
        "address": controller.address,
        "email": settings.complaints.mailbox or controller.email,
        "phone": controller.phone,
    }


def _replaced(words: str, values: dict[str, str]) -> str:
    return re.sub(_PLACEHOLDER, lambda found: values[found[1]], words)


def _each(block: AnyBlock, change: Callable[[str, Words], Words]) -> AnyBlock:
    """The block with each of its texts, which are named to `change`, in the other's place."""
    if isinstance(block, Points):
        items = tuple(change(f"items[{n}]", one) for n, one in enumerate(block.items))
        return replace(block, items=items)
    if not isinstance(block, Contact):
        return replace(block, text=change("text", block.text))
    return replace(
        block,
        name=change("name", block.name),
        about=change("about", block.about),
        address=change("address", block.address),
        hours=change("hours", block.hours),
        phones=_noted("phones", block.phones, change),
        sites=_noted("sites", block.sites, change),
    )


def _noted(
    field: str, given: tuple[msgspec.Struct, ...], change: Callable[[str, Words], Words]
) -> tuple[msgspec.Struct, ...]:
    return tuple(
        replace(one, note=change(f"{field}[{n}].note", getattr(one, "note", {})))
        for n, one in enumerate(given)
    )


def _checked_order(draft: Draft) -> Order:
    if draft.order.on > draft.effective_from:
        raise SettingRefused("A text is in force after its order, not before.", field="order.on")
    return replace(draft.order, number=text.line(draft.order.number, "order.number", most=40))


def _checked_blocks(blocks: tuple[AnyBlock, ...], settings: Settings) -> tuple[AnyBlock, ...]:
    if not 0 < len(blocks) <= MOST_BLOCKS:
        raise SettingRefused(field="blocks")
    checked = tuple(_checked(one, f"blocks[{n}]", settings) for n, one in enumerate(blocks))
    if len(msgspec.json.encode(checked)) > MOST_BYTES:
        raise SettingRefused("All together, the texts are too long.", field="blocks")
    return checked


def _checked(block: AnyBlock, field: str, settings: Settings) -> AnyBlock:
    if isinstance(block, Points) and not 0 < len(block.items) <= MOST_ITEMS:
        raise SettingRefused(field=f"{field}.items")
    if isinstance(block, Contact):
        block = _reachable(block, field)
    if block.source:
        block = replace(block, source=text.line(block.source, f"{field}.source", most=300))
    optional, lines = ("about", "address", "hours", "note"), ("text", "items", "about")
    return _each(
        block,
        lambda name, words: _words(
            words,
            f"{field}.{name}",
            settings,
            optional=name.endswith(optional),
            lines=name.startswith(lines),
        ),
    )


def _reachable(block: Contact, field: str) -> Contact:
    """A contact's numbers and addresses; telephone numbers stay as they are written there."""
    if len(block.phones) > MOST_ITEMS or len(block.sites) > MOST_ITEMS:
        raise SettingRefused(field=field)
    for n, site in enumerate(block.sites):
        if re.fullmatch(_LINK, site.address) is None:
            raise SettingRefused(field=f"{field}.sites[{n}].address")
    phones = tuple(
        replace(one, number=_number(one.number, f"{field}.phones[{n}].number"))
        for n, one in enumerate(block.phones)
    )
    return replace(
        block,
        phones=phones,
        fax=block.fax and _number(block.fax, f"{field}.fax"),
        email=block.email and text.email(block.email, f"{field}.email"),
    )


def _number(given: str, field: str) -> str:
    text.phone(given, field)
    return text.line(given, field, most=40)


def _words(
    given: Words,
    field: str,
    settings: Settings,
    *,
    most: int = MOST_TEXT,
    optional: bool = False,
    lines: bool = False,
) -> Words:
    """A text in each language of the organisation, and maybe one to come; checked placeholders."""
    if optional and not given:
        return given
    for language in given.keys() - set(LANGUAGES):
        raise SettingRefused("Duly does not speak this language.", field=f"{field}.{language[:20]}")
    if not set(settings.languages) <= set(given):
        raise SettingRefused("Give the text in each language of the organisation.", field=field)
    clean = text.block if lines else text.line
    kept = {
        language: clean(one, f"{field}.{language}", most=most) for language, one in given.items()
    }
    for language, one in kept.items():
        for name in _unknown(one, settings):
            raise SettingRefused(f"unknown placeholder {{{name}}}", field=f"{field}.{language}")
    return kept


def _unknown(words: str, settings: Settings) -> Iterable[str]:
    return (name for name in re.findall(_PLACEHOLDER, words) if name not in _values(settings))
