"""The public form: what it offers, and what was filled in as a submission (M2, M5-M13, M33).

Whoever sends it is nobody we know: the proof of work pays for the act and makes it one act. Its
nonce with the same words gets the first answer again, with other words a refusal, also after its
time is over. Each file lies in quarantine in a folder of its own, whose name nobody can guess; to
know it is to have uploaded the file, so a renewed proof takes it along.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.complaints import limits, proof_of_work, receipt, service, store
from chalicelib.complaints.case import (
    MOST_FILES,
    CaseFile,
    Channel,
    Complaint,
    Employee,
    Flag,
    Kind,
    refuse,
)
from chalicelib.complaints.entry import END, EmployeeInput, MediaType, PersonInput, person
from chalicelib.complaints.files import MOST_BYTES, MOST_BYTES_TOGETHER
from chalicelib.complaints.proof_of_work import Proof, ProofExpired
from chalicelib.complaints.receipt import LINK_LIFE, Submission
from chalicelib.complaints.service import Received
from chalicelib.kernel import ids, tokens
from chalicelib.kernel.change import Actor, Counter, Origin
from chalicelib.kernel.errors import Conflict, IdempotencyKeyReused, Invalid
from chalicelib.kernel.tokens import Claims, Purpose
from chalicelib.kernel.workdays import local
from chalicelib.organisations.domain import House, Settings
from chalicelib.policy import engine
from chalicelib.policy.packs import AUDIENCES, Audience, Scope, choose
from chalicelib.policy.packs import scopes as scopes_of
from chalicelib.policy.reasons import why
from chalicelib.ports import Ports

PURPOSE = "complaint"
QUICKEST = 4  # seconds that a person takes at least to fill it in
_CONSENT = Path(__file__).parent / "consent.toml"
Folder = Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{32}}{END}")]
Slot = Annotated[int, msgspec.Meta(ge=0, lt=MOST_FILES)]
Size = Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES)]
ReplyForm = Literal["paper", "electronic"]


class ProofReused(Conflict):
    """This proof was spent on other words; whoever sent those has their answer."""

    code = "proof_reused"
    sentence = "This proof of work was used for another submission."


class FilesTooLarge(Invalid):
    code = "files_too_large"
    sentence = "All files together may have 100 MB at most."


class WordingChanged(Invalid):
    """The consent that was agreed to is not the one that is asked for now."""

    code = "wording_changed"
    sentence = "The text of the consent has changed. Read it again."


class AttachedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was uploaded: where, as its form told, and what it says to be."""

    folder: Folder
    slot: Slot
    name: str
    content_type: MediaType
    size: Size


Files = Annotated[tuple[AttachedFile, ...], msgspec.Meta(max_length=MOST_FILES)]


class Filled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was filled in; every text may be empty (D3).

    `website` is a trap that no person sees, `seconds` the time that filling in took: they flag and
    never drop. `email_consent` is the wording that was agreed to (M83).
    """

    proof: str
    language: str = ""
    kind: Kind = Kind.COMPLAINT
    anonymous: bool = False
    audience: Audience = "natural"
    scope: Scope = "complaint"
    name: str = ""
    city: str = ""
    email: str = ""
    phone: str = ""
    postal_address: str = ""
    about: Literal["self", "other"] = "self"
    insured: PersonInput | None = None
    claims_authority: bool = False
    contract_number: str = ""
    claim_number: str = ""
    product: str = ""
    employee: EmployeeInput = EmployeeInput()
    substance: str = ""
    reply_form: Literal["", "paper", "electronic"] = ""
    email_consent: str = ""
    files: Files = ()
    website: str = ""
    seconds: Annotated[int, msgspec.Meta(ge=0, le=7 * 86_400)] = 0


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The wording of M83 as it is shown, by language; its id says which edition, and its digest."""

    wording_id: str
    texts: dict[str, tuple[str, str]]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the page says once it is sent: what happens next, by which day, and why."""

    case: Complaint
    token: str
    register_on: date
    answer_by: date | None
    why: str
    acknowledgement: Literal["email", "post", "none"]


def consent(settings: Settings) -> Consent:
    """The consent to be answered by e-mail, in the organisation's languages (M83)."""
    edition, words = _consent()
    name = settings.controller.name
    texts = {
        language: (
            words[language]["title"],
            words[language]["text"].replace("{organisation}", name),
        )
        for language in settings.languages
        if language in words
    }
    digest = hashlib.sha256(msgspec.json.encode(texts)).hexdigest()[:24]
    return Consent(wording_id=f"reply_by_email.{edition}.{digest}", texts=texts)


def reply_forms(settings: Settings, today: date) -> tuple[ReplyForm, ...]:
    """What the client may ask for, by the rules of today."""
    rules = choose(settings.policy_pack, audience="natural", received_on=today)
    return rules.reply_form.client_may_choose


def scopes(settings: Settings, today: date) -> dict[Audience, tuple[Scope, ...]]:
    """What each audience may say that it is about, for the rules of today have a pack of its own.

    A complaint about personal data runs under other terms than one about a contract.
    """
    pack = settings.policy_pack
    return {one: scopes_of(pack, audience=one, received_on=today) for one in AUDIENCES}


def new_folder() -> str:
    """The folder of one upload: another file, or the same again, gets another one.

    So whatever lies over what was uploaded first came by a form that was used twice.
    """
    return ids.to_bytes(ids.new_id()).hex()


def upload_key(org: str, folder: str, slot: int) -> str:
    """Where a file of the form lies until it is looked at."""
    return f"quarantine/{org}/form-{folder}/{slot}"


def uploaded(
    given: Sequence[AttachedFile], keys: Sequence[str], *, source: str, now: datetime
) -> tuple[CaseFile, ...]:
    """The files that somebody says to have uploaded; nothing of them is believed yet."""
    refuse(len(set(keys)) == len(given), "files")
    if sum(one.size for one in given) > MOST_BYTES_TOGETHER:
        raise FilesTooLarge(field="files")
    return tuple(
        receipt.new_file(one.name, one.content_type, one.size, key, source=source, now=now)
        for one, key in zip(given, keys, strict=True)
    )


def submit(ports: Ports, house: House, given: Filled, origin: Origin) -> Told:
    """One submission: one transaction and no read (M33).

    The same proof with the same words gets the first answer again; `ProofReused` with others,
    `ProofRefused`, `ProofExpired`, `TooManyRequests` over the limit of a place in an hour.
    """
    org, now = house.organisation.org, ports.real_now
    proof = proof_of_work.authentic(given.proof, org, PURPOSE, ports.link_keys(), now=now)
    asked = msgspec.json.encode(replace(given, proof="", seconds=0)).decode()
    once = partial(service.once_of, house, f"form\0{proof.nonce}", asked, now=now)
    try:
        if now >= proof.expires:
            result = ports.ledger.result_of(org, once(""))
            if result is None:
                raise ProofExpired(field="proof")
            held = store.get(ports, org, result)
            received = Received(key=held.key, case=held.value, version=held.version, again=True)
        else:
            received = service.receive(
                ports,
                house,
                _submission(given, house, ports.now),
                by=_writer_as_actor(given, house, origin),
                once=once,
                counter=_counter(house, origin, now),
            )
    except IdempotencyKeyReused as error:
        raise ProofReused(field="proof") from error
    return _told(ports, house, received, proof)


def _submission(given: Filled, house: House, now: datetime) -> Submission:
    settings, org = house.settings, house.organisation.org
    language = given.language or settings.languages[0]
    if given.email_consent and given.email_consent != consent(settings).wording_id:
        raise WordingChanged(field="email_consent")
    refuse((given.insured is not None) == (given.about == "other"), "insured")
    writer = PersonInput() if given.anonymous else _writer(given)
    keys = [upload_key(org, one.folder, one.slot) for one in given.files]
    return Submission(
        channel=Channel.FORM,
        kind=given.kind,
        language=language,
        audience=given.audience,
        scope=_scope(given, settings, now),
        received_at=now,
        anonymous=given.anonymous,
        writer=person(writer),
        insured=person(given.insured) if given.insured else None,
        claims_authority=given.claims_authority,
        contract_number=given.contract_number,
        claim_number=given.claim_number,
        product=given.product,
        employee=Employee(**msgspec.structs.asdict(given.employee)),
        substance=given.substance,
        reply_form="" if given.anonymous else given.reply_form,
        email_consent=given.email_consent if writer.email else "",
        flags=_flags(given),
        files=uploaded(given.files, keys, source="form", now=now),
    )


def _scope(given: Filled, settings: Settings, now: datetime) -> Scope:
    """What was chosen where it was offered; else a complaint like any other, which is never lost.

    Rules that are not made for who writes would leave them without a day for the answer.
    """
    offered = scopes(settings, local(now, settings.time_zone).date())
    return given.scope if given.scope in offered[given.audience] else "complaint"


def _writer(given: Filled) -> PersonInput:
    return PersonInput(
        name=given.name,
        email=given.email,
        phone=given.phone,
        postal_address=given.postal_address,
        city=given.city,
        company=given.audience == "legal",
    )


def _writer_as_actor(given: Filled, house: House, origin: Origin) -> Actor:
    """The client, and where from, as far as that is kept; of an anonymous one nothing is."""
    kept = Origin() if given.anonymous else house.settings.evidence.kept(origin)
    return Actor("client", "", kept)


def _flags(given: Filled) -> tuple[Flag, ...]:
    """What looks like a machine: told to whoever handles it, never a reason to refuse."""
    signs = {Flag.HONEYPOT: bool(given.website), Flag.TOO_FAST: given.seconds < QUICKEST}
    return tuple(flag for flag, there in signs.items() if there)


def _counter(house: House, origin: Origin, now: datetime) -> Counter:
    most = house.settings.complaints.hourly_most
    return limits.of_place(house, "form", origin, most=most, now=now)


def admit_upload(ports: Ports, house: House, origin: Origin) -> None:
    """Whether one more file may be uploaded from this place within the hour (R21).

    As many as so many submissions can hold: each is counted, whatever becomes of it.
    """
    most = house.settings.complaints.hourly_most * MOST_FILES
    counter = limits.of_place(house, "form_file", origin, most=most, now=ports.real_now)
    ports.ledger.spend(house.organisation.org, (counter,))


def _told(ports: Ports, house: House, received: Received, proof: Proof) -> Told:
    """What follows; the writer who stands outside learns no date of the answer (D7)."""
    case = received.case
    due = None if case.is_anonymous or case.third_party else case.answer_due
    moment = engine.registration_at(case.policy, case.facts, case.calendar)
    return Told(
        case=case,
        token="" if case.is_anonymous else _token(ports, house, received.key.id, proof),
        register_on=case.day(case.registered_at or moment),
        answer_by=due.limit if due else None,
        why=why(due, case.language) if due else "",
        acknowledgement=_acknowledgement(case),
    )


def _token(ports: Ports, house: House, case_id: str, proof: Proof) -> str:
    """The private status link: of the proof's own moment, so that asking again gives the same."""
    issued = proof.expires - proof_of_work.LIFE
    claims = Claims(
        org=house.organisation.org,
        owner_id=case_id,
        about_id=case_id,
        generation=receipt.WRITER,
        issued=issued,
        expires=issued + LINK_LIFE,
    )
    return tokens.sign(claims, purpose=Purpose.STATUS, stage=ports.stage, keys=ports.link_keys())


def _acknowledgement(case: Complaint) -> Literal["email", "post", "none"]:
    if case.is_anonymous:
        return "none"
    if case.writer.email and (case.third_party or case.acknowledges):
        return "email"
    return "post" if case.writer.postal_address and not case.writer.email else "none"


@cache
def _consent() -> tuple[int, dict[str, Any]]:
    read = msgspec.toml.decode(_CONSENT.read_bytes())
    return read.pop("edition"), read
