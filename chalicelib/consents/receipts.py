"""The consent record and its receipt, as ISO/IEC TS 27560:2023 names what they hold (S48).

A record is about one declaration, or one decision that was recorded by hand; a receipt is the
client's copy of it. Both are derived from what is stored. No link that acts is in them (R17): how
to withdraw names the page, and the client's own messages bring the way in.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import (
    NOTICE,
    OF_ADDRESS,
    Client,
    ConsentState,
    Progress,
    Proof,
    Standing,
)
from chalicelib.consents.domain import Answer, Declaration
from chalicelib.consents.standings import Record
from chalicelib.kernel import chain
from chalicelib.organisations.domain import Settings, Wording
from chalicelib.ports import EventRecord

SCHEMA = "ISO/IEC TS 27560:2023"
FILENAME = "consent-receipt.json"
CONTENT_TYPE = "application/json"
PREFERENCES = "p"
CONSENT = "consent"
# How a decision was taken, by its proof, and how plainly it was expressed.
COLLECTED = {
    Proof.SIGNATURE: "signature_on_paper",
    Proof.EMAIL_CLICK: "confirmed_by_emailed_link",
    Proof.RECORD: "recorded_by_staff",
    Proof.ORAL: "told_to_staff",
}
EXPLICIT = frozenset({Proof.SIGNATURE, Proof.EMAIL_CLICK})
SUPERSEDED = "superseded"  # a yes in whose place a later yes stands


class PrivacyNotice(msgspec.Struct, frozen=True, kw_only=True):
    """The information about the controller: which words, by the digest that is their id."""

    notice_id: str
    title: str
    language: str


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """How a consent is taken back: on the client's own page, or by telling the controller."""

    method: str
    page: str
    email: str


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """How long: until it ends, and then as evidence of what was agreed (ISO 8601 duration)."""

    until: str
    evidence_kept: str


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose, the very words that were shown, and what was collected for it."""

    purpose_id: str
    purpose: str
    description: str
    wording_id: str
    lawful_basis: str
    consent_type: str
    collection_method: str
    pii_types: tuple[str, ...]
    storage: Storage
    recipient_third_parties: tuple[str, ...]
    withdrawal: Withdrawal


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides why and how the data are processed, and how to reach them."""

    party_id: str
    party_role: str
    party_name: str
    party_address: str
    party_email: str
    party_phone: str
    party_contact: str


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """A state that the consent to a purpose reached: when, and by whom (an id, never a name)."""

    purpose_id: str
    event_state: str
    event_time: datetime
    entity_id: str
    valid_until: datetime | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What the history tells of one purpose: a decision by its source, or that a consent ended."""

    state: ConsentState
    at: datetime
    by: str
    source: str = ""
    stands: bool = True

    @property
    def yes(self) -> bool:
        """Whether a consent was given."""
        return self.state is ConsentState.GIVEN

    def repeats(self, last: "Turn") -> bool:
        """Whether it is the same decision, with a better proof: that keeps its moment."""
        return bool(self.source) and self.source == last.source and self.yes == last.yes


Course = Mapping[str, Sequence[Turn]]


class Processing(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed to, in the language in which it was shown."""

    language: str
    privacy_notice: PrivacyNotice | None
    purposes: tuple[Purpose, ...]


class ConsentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The record: header, processing, parties, events."""

    schema_version: str
    record_id: str
    pii_principal_id: str
    pii_processing: Processing
    parties: tuple[Party, ...]
    events: tuple[Happened, ...]


class ConsentReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The client's copy of a record, and the digest by which both are compared."""

    schema_version: str
    receipt_id: str
    issued: datetime
    record_sha256: str
    consent_record: ConsentRecord


def of_declaration(
    client_id: str,
    client: Client,
    declaration: Declaration,
    wordings: Mapping[str, Wording],
    settings: Settings,
    *,
    course: Course | None = None,
) -> ConsentRecord:
    """The record of a declaration, as its consents stand now; with a `course`, as they went."""
    progress = client.declaration(declaration.declaration_id)
    consents = [one for one in declaration.answers if one.purpose != NOTICE]
    purposes = tuple(_purpose(client, one, wordings, progress, settings) for one in consents)
    return ConsentRecord(
        schema_version=SCHEMA,
        record_id=declaration.declaration_id,
        pii_principal_id=client_id,
        pii_processing=Processing(
            language=declaration.language,
            privacy_notice=_notice(declaration, wordings),
            purposes=purposes,
        ),
        parties=(_controller(settings),),
        events=tuple(
            one for each in consents for one in _events(client_id, client, each, progress, course)
        ),
    )


def of_record(
    client_id: str,
    client: Client,
    record: Record,
    wording: Wording | None,
    settings: Settings,
    *,
    language: str,
    course: Course | None = None,
) -> ConsentRecord:
    """The record of a decision that staff wrote down (S52-S55); with a `course`, as it went."""
    standing = client.standings.get(record.purpose)
    stands = standing is not None and standing.declaration_id == record.record_id
    proof = standing.proof if stands and standing is not None else Proof.RECORD
    told = Happened(
        purpose_id=record.purpose,
        event_state=record.decided,
        event_time=record.decided_at,
        entity_id=record.by,
        valid_until=standing.expires if stands and standing is not None else None,
    )
    rests = standing if stands else None
    if course is None:
        events: Iterable[Happened] = (told, *_ended(client_id, record.purpose, rests, told))
    else:
        events = _went(told, course.get(record.purpose, ()), record.record_id, rests)
    return ConsentRecord(
        schema_version=SCHEMA,
        record_id=record.record_id,
        pii_principal_id=client_id,
        pii_processing=Processing(
            language=wording.language if wording else language,
            privacy_notice=None,
            purposes=(_described(record.purpose, record.wording_id, wording, proof, settings),),
        ),
        parties=(_controller(settings),),
        events=tuple(events),
    )


def course(client_id: str, events: Iterable[EventRecord]) -> Course:
    """What became of each purpose, in the order in which it counts, from the client's history."""
    found: dict[str, list[Turn]] = {}
    for purpose, turn in _turns(client_id, events):
        turns = found.setdefault(purpose, [])
        if turns and turn.repeats(turns[-1]):
            continue
        place = len(turns)
        if not turn.stands:  # older than what stands (D21), yet it ended what was given before it
            place = next((n for n, one in enumerate(turns) if one.at > turn.at), place)
        state = turn.state
        if state is ConsentState.REFUSED and any(one.yes for one in turns[:place]):
            state = ConsentState.WITHDRAWN
        turns.insert(place, replace(turn, state=state))
    return found


def receipt(record: ConsentRecord, *, receipt_id: str, issued: datetime) -> ConsentReceipt:
    """The client's copy; the same record and moment give the same copy."""
    return ConsentReceipt(
        schema_version=SCHEMA,
        receipt_id=receipt_id,
        issued=issued,
        record_sha256=sha256_of(record),
        consent_record=record,
    )


def sha256_of(record: ConsentRecord) -> str:
    """The digest of a record's one spelling."""
    return hashlib.sha256(chain.canonical(msgspec.to_builtins(record))).hexdigest()


def written(value: ConsentRecord | ConsentReceipt) -> bytes:
    """As a file: readable JSON, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _turns(client_id: str, events: Iterable[EventRecord]) -> Iterator[tuple[str, Turn]]:
    """Every turn that the client's events tell of, with its purpose."""
    heard: dict[str, list[Sequence[Any]]] = {}
    email = ""
    for event in events:
        kind, body, at = event.envelope["kind"], event.body or {}, _at(event)
        if kind in ("declaration_drafted", "declaration_redrafted"):
            heard[body["declaration"]] = [one for one in body["answers"] if not one[2]]
        elif kind in ("declaration_sent", "declaration_printed"):
            # A no counts as soon as the declaration first leaves the desk.
            noes = heard.pop(body["declaration"], ())
            yield from _answered(client_id, body["declaration"], at, noes)
        known = body if kind == "client_created" else body.get("identity", {"email": email})
        if kind == "client_edited" and known["email"] != email:
            # It was given for the address before.
            yield OF_ADDRESS, Turn(state=ConsentState.EXPIRED, at=at, by="system")
        email = known["email"]
        yield from _told(client_id, event)


def _told(client_id: str, event: EventRecord) -> Iterator[tuple[str, Turn]]:
    body, at = event.body or {}, _at(event)
    match event.envelope["kind"]:
        case "declaration_confirmed":
            yield from _answered(client_id, body["declaration"], at, body["answers"])
        case "paper_signed":
            stand = [one for one in body["answers"] if one[0] in body["standing"]]
            signed = datetime.fromisoformat(body["signed_at"])
            yield from _answered(client_id, body["declaration"], signed, stand)
        case "consent_recorded" | "client_imported":
            yield from _recorded(told for told, _ in body.get("decisions", [(body, True)]))
        case "consents_withdrawn":
            by = event.envelope["actor"]["id"]
            for purpose in body["purposes"]:
                yield purpose, Turn(state=ConsentState.WITHDRAWN, at=at, by=by)
        case "consents_attended":
            for purpose in (name for name, why in body["due"] if why == "expires"):
                yield purpose, Turn(state=ConsentState.EXPIRED, at=at, by="system")


def _at(event: EventRecord) -> datetime:
    return datetime.fromisoformat(event.envelope["at"])


def _answered(
    client_id: str, source: str, at: datetime, answers: Iterable[Sequence[Any]]
) -> Iterator[tuple[str, Turn]]:
    for purpose, _, yes in answers:
        if purpose != NOTICE:
            state = ConsentState.GIVEN if yes else ConsentState.REFUSED
            yield purpose, Turn(state=state, at=at, by=client_id, source=source)


def _recorded(bodies: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Turn]]:
    """Decisions by hand; a yes that does not stand took nothing's place."""
    for body in bodies:
        if body["stands"] or body["decided"] != ConsentState.GIVEN:
            turn = Turn(
                state=ConsentState(body["decided"]),
                at=datetime.fromisoformat(body["decided_at"]),
                by=body["by"],
                source=body["record_id"],
                stands=body["stands"],
            )
            yield body["purpose"], turn


def _purpose(
    client: Client,
    answer: Answer,
    wordings: Mapping[str, Wording],
    progress: Progress,
    settings: Settings,
) -> Purpose:
    standing = _standing_of(client, answer.purpose, progress.id)
    proof = Proof.EMAIL_CLICK if progress.printed is None else Proof.SIGNATURE
    if standing is not None and standing.state is not ConsentState.WITHDRAWN:
        proof = standing.proof  # of a withdrawal it is the proof of the withdrawal
    wording = wordings.get(answer.wording_id)
    return _described(answer.purpose, answer.wording_id, wording, proof, settings)


def _described(
    purpose: str, wording_id: str, wording: Wording | None, proof: Proof, settings: Settings
) -> Purpose:
    return Purpose(
        purpose_id=purpose,
        purpose=wording.title if wording else purpose,
        description=wording.text if wording else "",
        wording_id=wording_id,
        lawful_basis=CONSENT,
        consent_type="explicitly_expressed" if proof in EXPLICIT else "expressed",
        collection_method=COLLECTED[proof],
        pii_types=("identity", "contact"),
        storage=Storage(
            until="withdrawal_or_expiry",
            evidence_kept=f"P{settings.keeping.evidence_years}Y",
        ),
        recipient_third_parties=(),
        withdrawal=Withdrawal(
            method="preferences_page",
            page=f"{settings.host}/{PREFERENCES}",
            email=settings.controller.email,
        ),
    )


def _notice(declaration: Declaration, wordings: Mapping[str, Wording]) -> PrivacyNotice | None:
    """The notice that this declaration handed over, if it did."""
    for one in declaration.answers:
        wording = wordings.get(one.wording_id)
        if one.purpose == NOTICE and one.answer and wording is not None:
            return PrivacyNotice(
                notice_id=one.wording_id, title=wording.title, language=wording.language
            )
    return None


def _controller(settings: Settings) -> Party:
    one = settings.controller
    return Party(
        party_id=one.registry_number,
        party_role="pii_controller",
        party_name=one.name,
        party_address=one.address,
        party_email=one.email,
        party_phone=one.phone,
        party_contact=one.dpo_line or "",
    )


def _events(
    client_id: str, client: Client, answer: Answer, progress: Progress, course: Course | None
) -> Iterator[Happened]:
    """What became of one answer, in order: asked, decided, ended."""
    asked = progress.sent or progress.printed
    if asked is not None and answer.answer:
        yield _happened(answer, "requested", asked, progress.by)
    standing = _standing_of(client, answer.purpose, progress.id)
    decided = _decided(answer, progress, standing)
    if decided is None:
        return
    valid = standing.expires if standing is not None else None
    state = "given" if answer.answer else "refused"
    told = _happened(answer, state, decided, client_id, valid)
    if course is None:
        yield told
        yield from _ended(client_id, answer.purpose, standing, told)
    else:
        yield from _went(told, course.get(answer.purpose, ()), progress.id, standing)


def _decided(answer: Answer, progress: Progress, standing: Standing | None) -> datetime | None:
    """When it counted: a yes by the client's act, a no as soon as the declaration was out."""
    if answer.answer:
        return progress.decided if progress.state == "confirmed" else None
    if standing is not None and standing.state is ConsentState.REFUSED:
        return standing.at
    return progress.sent or progress.printed


def _ended(
    client_id: str, purpose: str, standing: Standing | None, given: Happened
) -> Iterator[Happened]:
    """How a consent that was given ended, if it did."""
    over = (ConsentState.WITHDRAWN, ConsentState.EXPIRED)
    if standing is None or standing.state not in over or given.event_state != "given":
        return
    by = client_id if standing.proof is Proof.EMAIL_CLICK else "staff"
    yield Happened(
        purpose_id=purpose,
        event_state=standing.state.value,
        event_time=standing.expires or standing.at,
        entity_id="system" if standing.state is ConsentState.EXPIRED else by,
    )


def _went(
    told: Happened, turns: Sequence[Turn], source: str, standing: Standing | None
) -> Iterator[Happened]:
    """Each time that this source decided, and what came after a yes: it ended, or another stands.

    What never stood, for that something later or better proven did, is as it was told.
    """
    own = [place for place, one in enumerate(turns) if one.source == source]
    for place in own:
        one = turns[place]
        valid = told.valid_until if place == own[-1] else None
        happened = replace(told, event_state=one.state.value, event_time=one.at, valid_until=valid)
        yield from _until(happened, turns[place + 1 :], standing)
    if not own:
        yield from _until(told, [one for one in turns if one.at > told.event_time], standing)


def _until(told: Happened, later: Sequence[Turn], standing: Standing | None) -> Iterator[Happened]:
    yield told
    if told.event_state != ConsentState.GIVEN or not later:
        return
    end = later[0]
    at, state = end.at, end.state.value
    if end.yes:
        state = SUPERSEDED
    elif end.state is ConsentState.REFUSED:
        state = ConsentState.WITHDRAWN.value
    elif standing is not None and end.state is standing.state is ConsentState.EXPIRED:
        at = standing.expires or at  # the history has when it was attended to
    yield Happened(purpose_id=told.purpose_id, event_state=state, event_time=at, entity_id=end.by)


def _standing_of(client: Client, purpose: str, source: str) -> Standing | None:
    """The standing on a purpose, if it rests on this very declaration."""
    standing = client.standings.get(purpose)
    rests = standing is not None and standing.declaration_id == source
    return standing if rests else None


def _happened(
    answer: Answer, state: str, at: datetime, by: str, valid_until: datetime | None = None
) -> Happened:
    return Happened(
        purpose_id=answer.purpose,
        event_state=state,
        event_time=at,
        entity_id=by,
        valid_until=valid_until,
    )
