"""A whole case on paper, for who has to look at all of it at once (item 10, M86)."""

import hashlib
from collections.abc import Iterator
from typing import cast

import msgspec

from chalicelib.complaints import case as cases
from chalicelib.complaints import chapters, store
from chalicelib.complaints.case import Complaint
from chalicelib.complaints.chapters import Whole
from chalicelib.documents.dossier import Dossier
from chalicelib.documents.sheet import Language
from chalicelib.kernel.change import Held, Key, Letter
from chalicelib.kernel.days import day
from chalicelib.organisations.domain import House
from chalicelib.policy.reasons import LANGUAGES
from chalicelib.ports import EventRecord, Item, Ports

PDF = "application/pdf"
PAGE = 500
MOST_AT_ONCE = 100
_letter = msgspec.json.Decoder(Letter).decode


def printed(
    ports: Ports, held: Held[Complaint], items: dict[str, Item], house: House, language: str
) -> str:
    """The case as a PDF, in this language: a link for five minutes; it lies there a week."""
    from chalicelib.documents.dossier import render

    content = render(sheet(ports, held, items, house, language))
    digest = hashlib.sha256(content).hexdigest()
    key = f"exports/{held.key.org}/{held.key.id}/{digest[:32]}.pdf"
    ports.bucket.put(key, content, content_type=PDF, sha256=digest)
    return ports.bucket.link(key, filename=f"{held.value.reference}.pdf", content_type=PDF)


def sheet(
    ports: Ports, held: Held[Complaint], items: dict[str, Item], house: House, language: str
) -> Dossier:
    """All that the paper says; `items` holds the statement."""
    case = held.value
    voice = chapters.voice(case, house, language if language in LANGUAGES else "en")
    made_on = case.day(ports.now)
    return Dossier(
        language=cast(Language, voice.language),
        title=f"{voice.word('paper', 'case')} {case.reference}",
        subtitle=house.settings.controller.name,
        made=f"{voice.word('paper', 'made_on')}: {day(made_on, voice.language)}",
        made_on=made_on,
        reference=case.reference,
        page=voice.word("paper", "page"),
        continued=voice.word("paper", "continued"),
        chapters=chapters.told(_whole(ports, held, items), voice, house),
    )


def _whole(ports: Ports, held: Held[Complaint], items: dict[str, Item]) -> Whole:
    key = held.key
    said = (store.said(item) for item in ports.ledger.parts(key, "SAID#"))
    letters = (_letter(item.data) for item in ports.ledger.parts(key, "LETTER#"))
    return Whole(
        case=held.value,
        statement=store.statement(items),
        messages=tuple(store.messages(ports, key)),
        files=tuple(store.files(ports, key)),
        said=tuple(sorted(said, key=lambda one: one.at.timestamp() if one.at else 0.0)),
        log=tuple(store.log(ports, key)),
        letters=tuple(sorted(letters, key=lambda one: one.promised_at)),
        events=tuple(reversed(list(_events(ports, key)))),
        references=_references(ports, held),
    )


def _events(ports: Ports, key: Key) -> Iterator[EventRecord]:
    """Every one of them, newest first."""
    found = ports.ledger.events(key, most=PAGE)
    while found:
        yield from found
        found = ports.ledger.events(key, before=found[-1].envelope["version"], most=PAGE)


def _references(ports: Ports, held: Held[Complaint]) -> dict[str, str]:
    """The numbers of the cases that this one is linked with, by their ids."""
    case, org = held.value, held.key.org
    named = (case.duplicate_of, case.reopens, case.reopened_as, *case.duplicates)
    keys = [cases.key(org, one) for one in named if one]
    return {
        one.key.id: one.value.reference
        for start in range(0, len(keys), MOST_AT_ONCE)
        for one in store.listed(ports, keys[start : start + MOST_AT_ONCE])
    }
