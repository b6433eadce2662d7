"""The consent record and its receipt, as ISO/IEC TS 27560:2023 names what they hold (S48).

A record is about one declaration, or one decision that was recorded by hand; a receipt is the
client's copy of it. Both are derived from what is stored. No link that acts is in them (R17): how
to withdraw names the page, and the client's own messages bring the way in.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from chalicelib.clients.domain import NOTICE, Client, ConsentState, Progress, Proof, Standing
from chalicelib.consents.domain import Answer, Declaration
from chalicelib.consents.standings import Record
from chalicelib.kernel import chain
from chalicelib.organisations.domain import Settings, Wording

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
) -> ConsentRecord:
    """The record of a declaration, as its consents stand now."""
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
            one for each in consents for one in _events(client_id, client, each, progress)
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
) -> ConsentRecord:
    """The record of a decision that staff wrote down (S52-S55)."""
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
    ended = _ended(client_id, record.purpose, standing if stands else None, told)
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
        events=(told, *ended),
    )


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
    client_id: str, client: Client, answer: Answer, progress: Progress
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
    yield told
    yield from _ended(client_id, answer.purpose, standing, told)


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
