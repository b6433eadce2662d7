"""Whom a client may turn to, as letters and status pages tell it: the contacts of a text (M108)."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from chalicelib.information.domain import (
    AnyBlock,
    Contact,
    Edition,
    Phone,
    Points,
    Role,
    Site,
    Words,
    shown,
)
from chalicelib.organisations.domain import LANGUAGES, Settings
from chalicelib.ports import Body

_LABELS = {
    "phone": {"pl": "tel.", "en": "tel.", "ru": "тел."},
    "fax": {"pl": "faks", "en": "fax", "ru": "факс"},
}


def told(text: Edition, known: Iterable[AnyBlock], settings: Settings) -> tuple[Body, ...]:
    """The contacts of a text, or all of it as one where it has none; in every language.

    `known` are the blocks that come with Duly, by which a contact without a role has one. A text is
    there in the organisation's own languages: who reads another gets the first of them.
    """
    merged = shown(text, settings)
    cards = [one for one in merged.blocks if isinstance(one, Contact)]
    shipped = [one for one in known if isinstance(one, Contact) and one.role]
    first = settings.languages[0]
    if not cards:
        return (Body(name=_all(merged.titles, first), how=_plain(merged, first)),)
    return tuple(
        Body(
            name=_all(one.name, first),
            about=_all(one.about, first),
            how=_ways(one, first),
            role=_role(one, shipped),
        )
        for one in cards
    )


def _role(card: Contact, shipped: Iterable[Contact]) -> Role:
    if card.role:
        return card.role
    marks = set(_marks(card))
    return next((one.role for one in shipped if not marks.isdisjoint(_marks(one))), "")


def _marks(card: Contact) -> Iterator[str]:
    """By any of which a body is known to be the same: a name, its e-mail address, its site."""
    yield from (one.partition("(")[0].strip().casefold() for one in card.name.values())
    if card.email:
        yield card.email.casefold()
    for site in card.sites:
        yield (urlsplit(site.address).hostname or site.address).removeprefix("www.")


def _ways(card: Contact, first: str) -> dict[str, str]:
    """How to reach it, one way on each line."""
    return {
        language: "\n".join(line for line in _lines(card, language, first) if line)
        for language in LANGUAGES
    }


def _lines(card: Contact, language: str, first: str) -> Iterator[str]:
    yield _in(card.address, language, first)
    yield _in(card.hours, language, first)
    for phone in card.phones:
        yield f"{_LABELS['phone'][language]} {_noted(phone.number, phone, language, first)}"
    if card.fax:
        yield f"{_LABELS['fax'][language]} {card.fax}"
    yield card.email
    for site in card.sites:
        yield _noted(site.address, site, language, first)


def _noted(said: str, one: Phone | Site, language: str, first: str) -> str:
    note = _in(one.note, language, first)
    return f"{said} ({note})" if note else said


def _plain(text: Edition, first: str) -> dict[str, str]:
    """A text without a contact as plain paragraphs."""
    return {
        language: "\n".join(line for one in text.blocks for line in _said(one, language, first))
        for language in LANGUAGES
    }


def _said(block: AnyBlock, language: str, first: str) -> Iterator[str]:
    if isinstance(block, Points):
        yield from (f"– {_in(one, language, first)}" for one in block.items)
    elif not isinstance(block, Contact):
        yield _in(block.text, language, first)


def _all(words: Words, first: str) -> dict[str, str]:
    return {language: _in(words, language, first) for language in LANGUAGES}


def _in(words: Words, language: str, first: str) -> str:
    return words.get(language) or words.get(first) or next(iter(words.values()), "")
