"""The consent record of ISO/IEC TS 27560: derived, whole, without a key in it (S48)."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import msgspec
import pikepdf

from chalicelib.clients.domain import (
    Client,
    ConsentState,
    DeclarationState,
    Identity,
    Kind,
    Progress,
    Proof,
    Served,
    Standing,
)
from chalicelib.consents import receipts
from chalicelib.consents.domain import Answer, Declaration
from chalicelib.consents.standings import new_record
from chalicelib.documents import pdf, render
from chalicelib.kernel import chain, ids
from chalicelib.organisations.domain import Wording
from chalicelib.ports import EventRecord
from tests.duly import a_settings
from tests.unit.test_render import a_sheet

AT = datetime(2026, 3, 24, 10, tzinfo=UTC)
CLIENT, DECLARATION = ids.new_id(), ids.new_id()
WORDINGS = {
    name: Wording(wording_id=name, purpose=name, language="pl", title=f"T {name}", text="Zgoda.")
    for name in ("notice", "marketing", "phone")
}
ANSWERS = (
    Answer("notice", "notice", True),
    Answer("marketing", "marketing", True),
    Answer("phone", "phone", False),
)


def a_client(state: DeclarationState = DeclarationState.CONFIRMED, **standings: Any) -> Client:
    """A client with one declaration that was sent."""
    return Client(
        identity=Identity(
            kind=Kind.PERSON, name="Ł Ż", language="pl", served=Served.REMOTE, email="l@k.example"
        ),
        created=AT,
        declarations=(
            Progress(
                id=DECLARATION,
                state=state,
                by="agent-1",
                asks=("marketing",),
                gen=1,
                created=AT,
                sent=AT + timedelta(hours=1),
                decided=AT + timedelta(days=1) if state is DeclarationState.CONFIRMED else None,
            ),
        ),
        standings=standings,
    )


def a_declaration() -> Declaration:
    """What was declared: the notice, one yes, one no."""
    return Declaration(
        declaration_id=DECLARATION,
        code="CVA8TV7TSD",
        language="pl",
        answers=ANSWERS,
        by="agent-1",
        created=AT,
    )


def standing(state: ConsentState, at: datetime, proof: Proof = Proof.EMAIL_CLICK) -> Standing:
    return Standing(state, at, proof, DECLARATION, "marketing")


def record_of(client: Client) -> receipts.ConsentRecord:
    """The record of the client's declaration."""
    return receipts.of_declaration(CLIENT, client, a_declaration(), WORDINGS, a_settings())


def states(record: receipts.ConsentRecord) -> list[tuple[str, str, str]]:
    """What happened, to what, by whom."""
    return [(one.purpose_id, one.event_state, one.entity_id) for one in record.events]


def test_a_record_says_who_what_when_and_how_it_ends() -> None:
    """S48: every section of the standard has what Duly knows of it."""
    given = standing(ConsentState.GIVEN, AT + timedelta(days=1))
    record = record_of(a_client(marketing=given))
    assert (record.schema_version, record.record_id) == ("ISO/IEC TS 27560:2023", DECLARATION)
    assert record.pii_principal_id == CLIENT
    notice = record.pii_processing.privacy_notice
    assert notice is not None
    assert notice.notice_id == "notice"
    marketing, phone = record.pii_processing.purposes
    assert (marketing.purpose, marketing.description) == ("T marketing", "Zgoda.")
    assert marketing.lawful_basis == "consent"
    assert marketing.consent_type == "explicitly_expressed"
    assert marketing.collection_method == "confirmed_by_emailed_link"
    assert marketing.withdrawal.page == "https://zgody.example/p"
    assert marketing.storage.evidence_kept == "P6Y"
    assert phone.purpose_id == "phone"
    (controller,) = record.parties
    assert controller.party_name.startswith("Agencja")
    assert states(record) == [
        ("marketing", "requested", "agent-1"),
        ("marketing", "given", CLIENT),
        ("phone", "refused", CLIENT),
    ]


def test_a_withdrawal_and_an_end_join_the_history() -> None:
    """S57: what was given stays said, and then that it ended."""
    client = a_client(marketing=standing(ConsentState.WITHDRAWN, AT + timedelta(days=9)))
    assert states(record_of(client))[1:3] == [
        ("marketing", "given", CLIENT),
        ("marketing", "withdrawn", CLIENT),
    ]
    client = a_client(marketing=standing(ConsentState.EXPIRED, AT + timedelta(days=9)))
    assert states(record_of(client))[2] == ("marketing", "expired", "system")


def test_what_is_only_asked_is_not_given() -> None:
    """S49: a message that waits for its client is a request."""
    record = record_of(a_client(DeclarationState.SENT))
    assert [one[1] for one in states(record) if one[0] == "marketing"] == ["requested"]


def test_a_decision_of_another_declaration_is_not_this_ones() -> None:
    """S19: the record is of what the client saw here."""
    other = Standing(ConsentState.WITHDRAWN, AT, Proof.RECORD, ids.new_id(), "marketing")
    assert "withdrawn" not in {
        state for _, state, _ in states(record_of(a_client(marketing=other)))
    }


def test_a_decision_recorded_by_hand_has_a_record_of_its_own() -> None:
    """S52, S53: its proof says how weak it is."""
    made = new_record(
        "marketing",
        "given",
        decided_at=AT,
        source="sms",
        note="",
        wording_id="",
        file_id="",
        by="agent-1",
        now=AT,
    )
    weak = Standing(ConsentState.GIVEN, AT, Proof.ORAL, made.record_id, "", None, "agent-1")
    client = a_client(marketing=weak)
    record = receipts.of_record(CLIENT, client, made, None, a_settings(), language="pl")
    (purpose,) = record.pii_processing.purposes
    assert (purpose.consent_type, purpose.collection_method) == ("expressed", "told_to_staff")
    assert states(record) == [("marketing", "given", "agent-1")]


def told(kind: str, days: int, **body: Any) -> EventRecord:
    """An event of the client's history."""
    at = (AT + timedelta(days=days)).isoformat()
    envelope = {"kind": kind, "at": at, "actor": {"kind": "staff", "id": "agent-1"}}
    return EventRecord(envelope=envelope, digest="", hash="", body=body)


def went(*events: EventRecord, purpose: str = "marketing") -> list[tuple[str, int, str]]:
    """What the history says of a purpose: what, on which day, by which source."""
    turns = receipts.course(CLIENT, events).get(purpose, ())
    return [(one.state.value, (one.at - AT).days, one.source) for one in turns]


def by_hand(decided: str, days: int, *, stands: bool = True) -> dict[str, Any]:
    """What the history says of a decision that was recorded by hand."""
    return {
        "record_id": f"r{days}",
        "purpose": "marketing",
        "decided": decided,
        "decided_at": (AT + timedelta(days=days)).isoformat(),
        "by": "agent-1",
        "stands": stands,
    }


def test_a_better_proof_of_a_decision_is_not_another_decision() -> None:
    """S19, S36: confirmed and then signed on paper it was given once, and keeps its day."""
    said = {"declaration": "d", "answers": [["marketing", "w", True], ["phone", "w", False]]}
    signed = {"signed_at": (AT + timedelta(days=2)).isoformat(), "standing": ["marketing"]}
    history = (
        told("declaration_drafted", 0, **said),
        told("declaration_sent", 1, declaration="d"),
        told("declaration_confirmed", 3, **said),
        told("paper_signed", 4, **said, **signed),
    )
    assert went(*history) == [("given", 3, "d")]
    assert went(*history, purpose="phone") == [("refused", 1, "d")]


def test_a_term_that_ran_out_is_an_end_and_no_decision() -> None:
    """D21: what is recorded after it may be older than the day on which it was attended to."""
    history = (
        told("client_imported", 0, decisions=[[by_hand("given", -900), True]]),
        told("consents_attended", 1, due=[["marketing", "expires"], ["phone", "weak"]]),
        told("consent_recorded", 2, **by_hand("given", -100)),
        told("consent_recorded", 3, **by_hand("refused", -500, stands=False)),
        told("consent_recorded", 4, **by_hand("given", -400, stands=False)),
    )
    assert went(*history) == [
        ("given", -900, "r-900"),
        ("withdrawn", -500, "r-500"),
        ("expired", 1, ""),
        ("given", -100, "r-100"),
    ]


def test_what_was_given_for_an_address_ends_with_it() -> None:
    """M83: the consent to be answered there, and no other edit ends it."""
    said = {"declaration": "d", "answers": [["reply_by_email", "w", True]]}
    history = (
        told("client_created", 0, email="a@k.example"),
        told("declaration_confirmed", 1, **said),
        told("client_edited", 2, identity={"email": "a@k.example"}),
        told("client_edited", 3, identity={"email": "b@k.example"}),
    )
    assert went(*history, purpose="reply_by_email") == [("given", 1, "d"), ("expired", 3, "")]


def test_a_receipt_is_a_copy_that_can_be_compared() -> None:
    """S48: the digest is of the record's one spelling; the same record gives the same bytes."""
    record = record_of(a_client())
    copy = receipts.receipt(record, receipt_id=DECLARATION, issued=AT)
    written = receipts.written(copy)
    assert written == receipts.written(copy)
    told = json.loads(written)
    spelled = chain.canonical(told["consent_record"])
    assert told["record_sha256"] == hashlib.sha256(spelled).hexdigest()
    assert msgspec.json.decode(written, type=receipts.ConsentReceipt) == copy


def test_the_confirmed_declaration_is_pdf_a_3u_with_the_record_in_it() -> None:
    """S48: ISO 19005-3, level U; the file is associated with the document, as its data."""
    content = receipts.written(record_of(a_client()))
    embedded = pdf.Embedded(
        filename=receipts.FILENAME,
        content_type=receipts.CONTENT_TYPE,
        content=content,
        says=receipts.SCHEMA,
    )
    raw = render.render(a_sheet(), embedded)
    assert raw == render.render(a_sheet(), embedded)
    with pikepdf.open(BytesIO(raw)) as document:
        with document.open_metadata(update_docinfo=False, set_pikepdf_as_editor=False) as meta:
            assert (meta["pdfaid:part"], meta["pdfaid:conformance"]) == ("3", "U")
        (file,) = document.Root.AF
        assert file.AFRelationship == "/Data"
        assert (str(file.F), str(file.UF)) == (receipts.FILENAME, receipts.FILENAME)
        assert str(file.Desc) == receipts.SCHEMA
        stream = file.EF.F
        assert stream.Subtype == "/application/json"
        assert int(stream.Params.Size) == len(content)
        assert stream.read_bytes() == content
        names = document.Root.Names.EmbeddedFiles.Names
        assert (str(names[0]), names[1].objgen) == (receipts.FILENAME, file.objgen)
        assert len(document.pages) == len(pikepdf.open(BytesIO(render.render(a_sheet()))).pages)
