"""A whole case on paper, for who has to look at all of it at once (item 10, M86)."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import cast

import msgspec

from chalicelib.complaints import store
from chalicelib.complaints.attention import keep_until
from chalicelib.complaints.case import Complaint, Employee, Person, Said
from chalicelib.complaints.products import products
from chalicelib.documents.letter import CaseSheet, Dated, Fact, Happening
from chalicelib.documents.sheet import Language
from chalicelib.kernel.change import Held, Key, Letter
from chalicelib.kernel.days import day
from chalicelib.kernel.workdays import DAY
from chalicelib.organisations.domain import House
from chalicelib.policy.reasons import LANGUAGES, why
from chalicelib.ports import EventRecord, Item, Ports

PDF = "application/pdf"
PAGE = 100
MOST_EVENTS = 1_000
_WORDS = Path(__file__).parent / "on_paper.toml"
_letter = msgspec.json.Decoder(Letter).decode
_said = msgspec.json.Decoder(Said).decode
Words = dict[str, dict[str, str]]


def printed(
    ports: Ports, held: Held[Complaint], items: dict[str, Item], house: House, language: str
) -> str:
    """The case as a PDF, in this language: a link for five minutes; it lies there a week."""
    from chalicelib.documents.letter import render_case

    content = render_case(sheet(ports, held, items, house, language))
    digest = hashlib.sha256(content).hexdigest()
    key = f"exports/{held.key.org}/{held.key.id}/{digest[:32]}.pdf"
    ports.bucket.put(key, content, content_type=PDF, sha256=digest)
    return ports.bucket.link(key, filename=f"{held.value.reference}.pdf", content_type=PDF)


def sheet(
    ports: Ports, held: Held[Complaint], items: dict[str, Item], house: House, language: str
) -> CaseSheet:
    """All that the paper says; `items` holds the statement."""
    spoken = language if language in LANGUAGES else "en"
    case, words = held.value, _words()[spoken]
    made_on = case.day(ports.now)
    return CaseSheet(
        language=cast(Language, spoken),
        organisation_name=house.settings.controller.name,
        reference=case.reference,
        made_on=made_on,
        facts=tuple(_facts(case, house, words, spoken)),
        statement=store.statement(items).substance,
        deadlines=tuple(_dates(case, house, words, spoken)),
        timeline=tuple(_timeline(ports, held.key, case, house, words)),
        letters=tuple(_letters(ports, held.key, case, words)),
        answer=_answer(ports, held),
    )


def _facts(case: Complaint, house: House, words: Words, language: str) -> Iterator[Fact]:
    names = {one.staff_id: one.name for one in house.directory.members}
    product = next((one for one in products() if one.code == case.product), None)
    known = {
        "kind": words["values"][case.kind],
        "state": words["values"][case.state],
        "channel": words["values"][case.channel],
        "received": _on(case, case.received_at, language),
        "registered": _on(case, case.registered_at, language),
        "closed": _on(case, case.closed.at, language) if case.closed else "",
        "writer": _person(case.writer),
        "insured": _person(case.insured) if case.insured else "",
        "contract": case.contract_number,
        "claim": case.claim_number,
        "product": getattr(product, language) if product else "",
        "employee": _employee(case.employee),
        "department": case.department,
        "assignee": names.get(case.assignee, ""),
        "outcome": words["values"].get(case.closed.outcome or "", "") if case.closed else "",
        "cause": case.cause,
        "redress": case.redress,
    }
    yield from (
        Fact(label=words["facts"][name], value=value) for name, value in known.items() if value
    )


def _dates(case: Complaint, house: House, words: Words, language: str) -> Iterator[Dated]:
    """What follows from the rules; how long it is kept is the longer of theirs and the house's."""
    if case.erasure:
        return
    known, titles = case.deadlines, words["dates"]
    for rule, term in known.items():
        if rule in titles and rule != "keep":
            yield Dated(title=titles[rule], on=term.limit, why=why(term, language))
    end = None if case.hold else keep_until(case, house.settings.complaints)
    if end is not None:
        last, rules = case.day(end) - DAY, known.get("keep")
        by_rules = rules is not None and rules.limit == last
        told = why(rules, language) if rules and by_rules else titles["keep_own"]
        yield Dated(title=titles["keep"], on=last, why=told)


def _timeline(
    ports: Ports, key: Key, case: Complaint, house: House, words: Words
) -> Iterator[Happening]:
    """What happened, oldest first, with the notes of staff where they were made."""
    names = {one.staff_id: one.name for one in house.directory.members}
    notes = {(one.at, one.by): one.text for one in store.log(ports, key)}
    for event in reversed(list(_events(ports, key))):
        at, actor = datetime.fromisoformat(event.envelope["at"]), event.envelope["actor"]
        kind = event.envelope["kind"]
        told = notes.get((at, actor["id"]), "") if kind in ("noted", "contacted") else ""
        known = words["actors"].get(actor["kind"], words["actors"]["other"])
        yield Happening(
            at=_local(case, at),
            title=words["events"].get(kind, words["events"]["other"]),
            by=names.get(actor["id"], known),
            text=told,
        )


def _letters(ports: Ports, key: Key, case: Complaint, words: Words) -> Iterator[Happening]:
    found = [_letter(item.data) for item in ports.ledger.parts(key, "LETTER#")]
    for one in sorted(found, key=lambda one: one.promised_at):
        yield Happening(
            at=_local(case, one.sent_at or one.promised_at),
            title=words["letters"].get(one.template, words["letters"]["other"]),
        )


def _events(ports: Ports, key: Key) -> Iterable[EventRecord]:
    """Newest first, up to a thousand."""
    found = ports.ledger.events(key, most=PAGE)
    while found and len(found) < MOST_EVENTS:
        oldest = found[-1].envelope["version"]
        more = ports.ledger.events(key, before=oldest, most=PAGE) if oldest > 1 else []
        if not more:
            break
        found += more
    return found


def _answer(ports: Ports, held: Held[Complaint]) -> str:
    """The words of the answer, once it was sent: a draft is nobody's answer yet."""
    progress = held.value.answer
    if progress is None or progress.sent_on is None:
        return ""
    sk = f"SAID#{progress.answer_id}"
    found = ports.ledger.read(held.key, sk).get(sk)
    return _said(found.data).text if found else ""


def _person(one: Person) -> str:
    city = re.escape(one.city)  # many write it into their address, too
    twice = re.search(rf"(?<!\w){city}(?!\w)", one.postal_address, re.IGNORECASE)
    known = (one.name, one.postal_address, "" if twice else one.city, one.email, one.phone)
    return ", ".join(part for part in known if part)


def _employee(one: Employee) -> str:
    return ", ".join(part for part in (one.name, one.position, one.department) if part)


def _on(case: Complaint, moment: datetime | None, language: str) -> str:
    return day(case.day(moment), language) if moment else ""


def _local(case: Complaint, moment: datetime) -> datetime:
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(case.zone))


@cache
def _words() -> dict[str, Words]:
    return msgspec.toml.decode(_WORDS.read_bytes(), type=dict[str, Words])
