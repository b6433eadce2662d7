"""What is in a copy: each file by its name, one after the other, from where it is kept.

All that is the client's: what is known, what was declared with the words that were shown, what
happened, what was sent, scanned, uploaded, complained of and answered. Notes to staff are no part
of it, nor is what a case says of other people's files. A case's history has every event in its
place; what an event says is there where the client may read it, and else as after an erasure: its
digest, by which the chain still holds. Letters come from the archive, where no link acts (R17).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import Client, Identity
from chalicelib.complaints import store as cases
from chalicelib.complaints.case import Complaint, Person, Said
from chalicelib.consents import receipts
from chalicelib.consents import store as declarations
from chalicelib.consents.domain import Declaration
from chalicelib.consents.standings import Record
from chalicelib.documents import store as files
from chalicelib.kernel import chain, text
from chalicelib.kernel.change import Held, Key, Letter
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House, Wording
from chalicelib.organisations.store import lookup_digest
from chalicelib.ports import EventRecord, Item, Ports

EVENTS = 200  # of one page of the history
# Events of a case that say nothing but days, codes, digests and ids of what the client was told.
TOLD = frozenset(
    {
        *("complaint_registered", "acknowledged", "insured_asked", "insured_asked_by_post"),
        *("extended", "suspended", "left_unanswered", "returned", "closed_not_on_behalf"),
        *("answer_sent", "answer_printed", "answer_posted", "answer_left", "answer_bounced"),
        *("closed_as_duplicate", "duplicate_linked", "reopened"),
    }
)
# What is known of a case by its writer's own words, and what came of it.
OWN_WORDS = (
    *("reference", "channel", "kind", "language", "received_at", "registered_at"),
    *("insured", "contract_number", "claim_number", "product"),
)
HANDLED = ("requests", "extension", "question", "closed", "state")
ROOMS = ("papers", "scans")
MOST_EML = 41 * 1024 * 1024  # what SES takes in, and its headers
_letter = msgspec.json.Decoder(Letter).decode
_record = msgspec.json.Decoder(Record).decode
_said = msgspec.json.Decoder(Said).decode


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the copy: its name and its content, or the object that holds it and its size."""

    name: str
    content: bytes = b""
    object_key: str = ""
    size: int = 0


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that was read of a client, for the files and for the summary."""

    house: House
    held: Held[Client]
    declarations: tuple[Declaration, ...]
    records: tuple[Record, ...]
    letters: tuple[Letter, ...]
    events: tuple[EventRecord, ...]
    wordings: Mapping[str, Wording]
    cases: tuple[Held[Complaint], ...]

    @property
    def language(self) -> str:
        """The client's language, where the organisation speaks it."""
        wanted, spoken = self.held.value.identity.language, self.house.settings.languages
        return wanted if wanted in spoken else spoken[0]


def known(ports: Ports, house: House, held: Held[Client]) -> Known:
    """Read all that is kept of a client, objects aside."""
    key = held.key
    declared = tuple(map(declarations.declaration, ports.ledger.parts(key, "DECL#")))
    records = tuple(_record(item.data) for item in ports.ledger.parts(key, "RECORD#"))
    wanted = {answer.wording_id for one in declared for answer in one.answers}
    wanted |= {one.wording_id for one in records if one.wording_id}
    digest = lookup_digest(house.organisation, key.id)
    found = cases.find(ports, key.org, "CASECLIENT", digest)
    return Known(
        house=house,
        held=held,
        declarations=tuple(sorted(declared, key=lambda one: one.created)),
        records=tuple(sorted(records, key=lambda one: one.at)),
        letters=_letters(ports.ledger.parts(key, "LETTER#"), {"client"}),
        events=tuple(_events(ports, held)),
        wordings=organisations.wordings(ports, key.org, wanted),
        cases=tuple(one for one in found if not one.value.erasure),
    )


def pieces(ports: Ports, told: Known) -> Iterator[Piece]:
    """Every file of the copy but the summary and the words around it."""
    yield Piece(name="client.json", content=_json(_client(told)))
    yield Piece(name="history.json", content=history(told).encode())
    for one in told.declarations:
        yield Piece(name=f"declarations/{one.declaration_id}.json", content=_declared(told, one))
    for record in told.records:
        yield Piece(name=f"records/{record.record_id}.json", content=_json(record))
    for kept in consent_records(told):
        yield Piece(name=f"consent-records/{kept.record_id}.json", content=receipts.written(kept))
    for offer in ports.ledger.parts(told.held.key, "OFFER#"):
        yield Piece(name=f"offers/{offer.sk.removeprefix('OFFER#')}.json", content=offer.data)
    yield from _mail(told.letters, "letters")
    yield from _objects(ports, told.held.key)
    for case in told.cases:
        yield from _case(ports, case, told.held.value)


def consent_records(told: Known) -> Iterator[receipts.ConsentRecord]:
    """The records of consent (ISO/IEC TS 27560): of each declaration that left the desk, and of
    each decision written down by hand.
    """
    client, client_id = told.held.value, told.held.key.id
    settings, course = told.house.settings, receipts.course(client_id, told.events)
    for one in told.declarations:
        progress = client.declaration(one.declaration_id)
        if progress.sent or progress.printed:
            yield receipts.of_declaration(
                client_id, client, one, told.wordings, settings, course=course
            )
    for record in told.records:
        yield receipts.of_record(
            client_id,
            client,
            record,
            told.wordings.get(record.wording_id),
            settings,
            language=told.language,
            course=course,
        )


def history(told: Known) -> str:
    """The whole chain, as `verify.py` beside it checks it."""
    return _chain(told.held, told.events)


def _chain(held: Held[Any], events: Iterable[EventRecord]) -> str:
    return chain.export(str(held.key), held.head, [_exported(one) for one in events])


def _events(ports: Ports, held: Held[Any]) -> list[EventRecord]:
    """Up to the version that was read: what comes meanwhile is not half in it."""
    found: list[EventRecord] = []
    before = held.version + 1
    while before > 1:
        found += ports.ledger.events(held.key, before=before, most=EVENTS)
        before = found[-1].envelope["version"]
    return found[::-1]


def _exported(one: EventRecord) -> dict[str, Any]:
    event: dict[str, Any] = {"envelope": one.envelope, "digest": one.digest, "hash": one.hash}
    if one.body is not None:
        event |= {"body": one.body, "salt": one.salt}
    return event


def _client(told: Known) -> dict[str, Any]:
    client = told.held.value
    titles = {
        one.purpose: one.texts[told.language].title
        for one in told.house.catalogue.purposes
        if told.language in one.texts
    }
    standings = [
        {
            "purpose": purpose,
            "title": titles.get(purpose, purpose),
            "state": one.state,
            "at": one.at,
            "proof": one.proof,
            "source": one.declaration_id,
            "wording_id": one.wording_id,
            "expires": one.expires,
        }
        for purpose, one in client.standings.items()
    ]
    return {
        "client_id": told.held.key.id,
        "external_id": client.external_id,
        "version": told.held.version,
        "created": client.created,
        "state": client.state,
        "controller": told.house.settings.controller,
        "identity": client.identity,
        "contract": client.contract,
        "notice": client.notice,
        "hold": client.hold,
        "standings": standings,
        "declarations": client.declarations,
        "wordings": [told.wordings[name] for name in sorted(told.wordings)],
    }


def _declared(told: Known, one: Declaration) -> bytes:
    """A declaration, how far it came, and the words that were shown."""
    answers = [
        {
            "purpose": answer.purpose,
            "answer": answer.answer,
            "wording": told.wordings.get(answer.wording_id),
        }
        for answer in one.answers
    ]
    progress = told.held.value.declaration(one.declaration_id)
    return _json({"declaration": one, "progress": progress, "answers": answers})


def _letters(items: list[Item], to: set[str]) -> tuple[Letter, ...]:
    found = (_letter(item.data) for item in items)
    return tuple(sorted((one for one in found if one.to in to), key=lambda one: one.promised_at))


def _mail(letters: tuple[Letter, ...], folder: str) -> Iterator[Piece]:
    """The letters that were handed to the mail service, as they were, and a list of them all."""
    yield Piece(name=f"{folder}/letters.json", content=_json(letters))
    for one in letters:
        if one.archive:
            yield Piece(
                name=f"{folder}/{_day(one.promised_at)}-{one.template}-{one.letter_id}.eml",
                object_key=one.archive,
                size=MOST_EML,
            )


def _objects(ports: Ports, key: Key) -> Iterator[Piece]:
    """Papers and scans under their own names, files under those that staff gave them."""
    for room in ROOMS:
        prefix = f"{room}/{key.org}/{key.id}/"
        for one in ports.bucket.found(prefix):
            name = f"{room}/{one.key.removeprefix(prefix)}"
            yield Piece(name=name, object_key=one.key, size=one.size)
    for file in files.files(ports, key):
        name = f"files/{file.file_id}-{file.name}"
        yield Piece(name=name, object_key=file.object_key, size=file.size)


def _case(ports: Ports, held: Held[Complaint], client: Client) -> Iterator[Piece]:
    """A submission of the client: its words, what came later, what was said to it, its files.

    Who wrote for somebody else, without an authority, has their own words and the fixed text (M37);
    nobody but the writer is told who that is. Where it can't be told who of the two the client is,
    they have what both may have.
    """
    case, items = cases.read(ports, held.key, "STATEMENT")
    role = _role(case.value, client)
    outside = case.value.third_party and role != "insured"
    folder = f"complaints/{case.value.reference.replace('/', '-')}"
    to = role if case.value.third_party else "writer"
    letters = _letters(ports.ledger.parts(held.key, "LETTER#"), {to})
    facts = _case_facts(
        case.value,
        (
            *OWN_WORDS,
            *(("writer",) if role == "writer" else ()),
            *(() if outside else HANDLED),
        ),
    )
    yield Piece(name=f"{folder}/case.json", content=_json(facts))
    if not outside:
        events = (_shown(case.value, one) for one in _events(ports, case))
        yield Piece(name=f"{folder}/events.json", content=_chain(case, events).encode())
    statement = cases.statement(items)
    yield Piece(name=f"{folder}/statement.json", content=_json(statement))
    came = cases.messages(ports, held.key)
    messages = [one for one in came if not outside or one.sender == "writer"]
    others = {file for one in came if one not in messages for file in one.files}
    yield Piece(name=f"{folder}/messages.json", content=_json(messages))
    said = [_said(item.data) for item in ports.ledger.parts(held.key, "SAID#")]
    answers = [one for one in said if not outside and _was_said(case.value, one, letters)]
    yield Piece(name=f"{folder}/answers.json", content=_json(answers))
    yield from _mail(letters, f"{folder}/letters")
    if not outside:
        papers = [one.paper.object_key for one in answers if one.paper and _left(case.value, one)]
        mails = [one.raw for one in messages if one.raw and one.sender == role]
        mails += [statement.raw] if statement.raw and role == "writer" else []
        for key in (*papers, *mails):
            room, _, name = key.partition("/")
            name = name.removeprefix(f"{held.key.org}/{held.key.id}/")
            yield Piece(name=f"{folder}/{room}/{name}", object_key=key, size=MOST_EML)
    for file in cases.files(ports, held.key):
        if file.state == "kept" and file.file_id not in others:
            name = f"{folder}/files/{file.file_id}-{file.name.replace('/', '-')}"
            yield Piece(name=name, object_key=file.object_key, size=file.size)


def _role(case: Complaint, client: Client) -> Literal["writer", "insured", ""]:
    """Who of the case the client is, by how they are reached, and by name in any order of words.

    "" where both are meant alike, or neither, or the address is the one's and the name the other's.
    """
    if case.insured is None:
        return "writer"
    own, people = client.identity, (case.writer, case.insured)
    reached = tuple(_reached_alike(one, own) for one in people)
    named = tuple(_words(one.name) == _words(own.name) for one in people)
    told = {one for one in (reached, named) if any(one) and not all(one)}
    if len(told) != 1:
        return ""
    return "writer" if told.pop()[0] else "insured"


def _reached_alike(one: Person, own: Identity) -> bool:
    same_email = one.email and one.email.casefold() == own.email.casefold()
    return bool(same_email or (one.phone and one.phone == own.phone))


def _words(name: str) -> set[str]:
    return set(text.fold(name).split())


def _case_facts(case: Complaint, names: Iterable[str]) -> dict[str, Any]:
    """What is known of the submission, without what staff think of it."""
    return {name: getattr(case, name) for name in names}


def _shown(case: Complaint, event: EventRecord) -> EventRecord:
    """The event, without what it says where that is another's, or what staff think of the case.

    Where an act came from is of whoever acted: the client's own only in a case of nobody else's.
    """
    by_client = event.envelope["actor"]["kind"] == "client" and case.insured is None
    theirs = by_client and event.envelope["kind"] == "message_joined"
    told = event.envelope["kind"] in TOLD and (by_client or "origin" not in (event.body or {}))
    return event if theirs or told else replace(event, body=None, salt=None)


def _was_said(case: Complaint, said: Said, letters: tuple[Letter, ...]) -> bool:
    """Whether the client was told: a draft is not yet a word to anybody."""
    answer = case.answer
    if answer is not None and answer.answer_id == said.said_id:
        return answer.sent_at is not None or answer.sent_on is not None
    return said.posted_on is not None or said.said_id in {one.about for one in letters}


def _left(case: Complaint, said: Said) -> bool:
    """Whether its paper left the house: printed it lies there, and an e-mail may have gone in its
    place.
    """
    answer = case.answer
    if answer is None or answer.answer_id != said.said_id:
        return said.posted_on is not None
    return answer.sent_on is not None and answer.channel != "email"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
