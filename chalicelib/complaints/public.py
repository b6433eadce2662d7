"""The public routes of complaints: the form, the status page, the question to the insured.

Whoever fills in the form pays with a proof of work; whoever follows a private link has its token,
which travels in the body alone (R17, R18). Opening changes nothing anywhere (R1, D14).
"""

from datetime import date
from typing import Literal

import msgspec

from chalicelib.complaints import files as quarantine
from chalicelib.complaints import form, proof_of_work, receipt, visits
from chalicelib.complaints.case import MOST_FILES, Kind
from chalicelib.complaints.entry import MediaType
from chalicelib.complaints.form import PURPOSE, Files, Filled, Size, Slot
from chalicelib.complaints.products import products
from chalicelib.complaints.visits import Decision, Stage
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.workdays import local
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House
from chalicelib.policy.packs import Audience, Scope
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment, Nothing

routes = ApiBlueprint(__name__)

BASE = "/api/public/{org}/complaints"
FILE_TYPES = (".pdf", ".png", ".jpg", ".jpeg", ".docx", ".xlsx", ".odt", ".ods", ".txt")


class AltchaParameters(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge as altcha's worker takes it."""

    algorithm: str
    nonce: str
    salt: str
    cost: int
    keyLength: int  # noqa: N815  altcha's names
    keyPrefix: str  # noqa: N815
    keySignature: str  # noqa: N815
    data: dict[str, str | int]


class AltchaChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters, and our signature of them."""

    parameters: AltchaParameters
    signature: str


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """Work to do, and how long it is good for: in seconds, whatever the reader's clock says."""

    challenge: AltchaChallenge
    challenge_seconds: int


class PublicOrganisation(msgspec.Struct, frozen=True, kw_only=True):
    """Who is written to, and the other ways to reach them.

    `email`: the mailbox of complaints where there is one: what goes there becomes a case (M2, M3).
    """

    name: str
    address: str
    email: str
    phone: str


class PublicProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A class of insurance (M11)."""

    code: str
    titles: dict[str, str]


class ConsentText(msgspec.Struct, frozen=True, kw_only=True):
    """A consent in one language."""

    title: str
    text: str


class EmailConsent(msgspec.Struct, frozen=True, kw_only=True):
    """The consent to be answered at the address given (M83)."""

    wording_id: str
    texts: dict[str, ConsentText]


class FormOffer(Challenge, frozen=True, kw_only=True):
    """All that the form needs to be shown, with the first challenge.

    `scopes`: what each audience may say that it is about; more than a complaint where the rules
    have terms of their own for it.
    """

    organisation: PublicOrganisation
    languages: tuple[str, ...]
    products: tuple[PublicProduct, ...]
    kinds: tuple[Kind, ...]
    reply_forms: tuple[Literal["paper", "electronic"], ...]
    scopes: dict[Audience, tuple[Scope, ...]]
    email_consent: EmailConsent
    most_files: int = MOST_FILES
    most_file_bytes: int = quarantine.MOST_BYTES
    most_bytes: int = quarantine.MOST_BYTES_TOGETHER
    file_types: tuple[str, ...] = FILE_TYPES


class PublicFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that is to be uploaded: exactly this size and type."""

    slot: Slot
    name: str
    content_type: MediaType
    size: Size


class FormFile(PublicFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of the form, paid for by its proof of work."""

    proof: str


class UploadForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form for one file; the act then names the file by folder and slot."""

    url: str
    fields: dict[str, str]
    folder: str


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """What happens next (M41-M46); `status_link` is on the same origin, "" for an anonymous one."""

    reference: str
    received_at: Moment
    status_link: str
    register_on: date
    answer_by: date | None
    why: str
    acknowledgement: Literal["email", "post", "none"]


class StatusLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token of a private link."""

    token: str


class NextDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date, and the chain of reasons that produced it."""

    date: date
    why: str


class BodyElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else to turn to, by language."""

    name: dict[str, str]
    how: dict[str, str]


class PublicStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is; no fact of the case (D7).

    Who stands outside is told the number alone; the page has the fixed text (M39).
    """

    reference: str
    language: str
    organisation: PublicOrganisation
    stage: Stage
    received_on: date | None
    registered_on: date | None
    next: NextDate | None
    may_add: bool
    where_next: tuple[BodyElsewhere, ...]


class StatusFile(PublicFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A later file."""

    token: str


class Addition(StatusLink, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message, documents, or both."""

    text: str = ""
    files: Files = ()


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """It lies with the case."""

    reference: str
    added_at: Moment


class PublicQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Was this sent for you? (M38)"""

    organisation: PublicOrganisation
    reference: str
    language: str
    received_on: date
    client_name: str
    state: Literal["open", "answered"]
    decision: Literal["", "mine", "not_mine"]


class InsuredAct(StatusLink, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the insured chose and sent: there is no default (R4)."""

    decision: Decision


class InsuredReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer stands."""

    decision: Decision
    decided_at: Moment


@routes.public("POST", BASE + "/form", takes=Nothing, gives=FormOffer)
def open_form(call: Call, org: str) -> FormOffer:
    """What the form offers, with a first challenge; changes nothing."""
    house = organisations.house(call.ports, org)
    settings = house.settings
    offered = form.consent(settings)
    today = local(call.ports.now, settings.time_zone).date()
    work = _challenge(call, org)
    return FormOffer(
        organisation=_organisation(house),
        languages=settings.languages,
        products=tuple(
            PublicProduct(code=one.code, titles={"pl": one.pl, "en": one.en, "ru": one.ru})
            for one in products()
        ),
        kinds=tuple(Kind),
        reply_forms=form.reply_forms(settings, today),
        scopes=form.scopes(settings, today),
        email_consent=EmailConsent(
            wording_id=offered.wording_id,
            texts={
                language: ConsentText(title=title, text=text)
                for language, (title, text) in offered.texts.items()
            },
        ),
        challenge=work.challenge,
        challenge_seconds=work.challenge_seconds,
    )


@routes.public("POST", BASE + "/challenge", takes=Nothing, gives=Challenge)
def renew_challenge(call: Call, org: str) -> Challenge:
    """Another challenge, before the one at hand ends."""
    organisations.house(call.ports, org)
    return _challenge(call, org)


@routes.public("POST", BASE + "/files", takes=FormFile, gives=UploadForm)
def upload_form_file(call: Call, org: str) -> UploadForm:
    """A form for one file of exactly this size and type; the proof stays good for more (M13)."""
    house = organisations.house(call.ports, org)
    given, keys, folder = call.body, call.ports.link_keys(), form.new_folder()
    proof_of_work.verify(given.proof, org, PURPOSE, keys, now=call.ports.real_now)
    signed = _upload(call, form.upload_key(org, folder, given.slot), folder)
    form.admit_upload(call.ports, house, call.origin)
    return signed


@routes.public("POST", BASE, takes=Filled, gives=Submitted, status=201)
def submit_form(call: Call, org: str) -> Submitted:
    """A submission by the form: one act, however often it is sent (M33)."""
    house = organisations.house(call.ports, org)
    told = form.submit(call.ports, house, call.body, call.origin)
    return Submitted(
        reference=told.case.reference,
        received_at=told.case.received_at,
        status_link=f"/status#{told.token}" if told.token else "",
        register_on=told.register_on,
        answer_by=told.answer_by,
        why=told.why,
        acknowledgement=told.acknowledgement,
    )


@routes.public("POST", BASE + "/status", takes=StatusLink, gives=PublicStatus)
def read_status(call: Call, org: str) -> PublicStatus:
    """How far a submission is; changes nothing."""
    visit = visits.open_status(call.ports, org, call.body.token)
    told = visits.standing(call.ports, visit)
    return PublicStatus(
        reference=visit.case.reference,
        language=visit.case.language,
        organisation=_organisation(visit.house),
        stage=told.stage,
        received_on=told.received_on,
        registered_on=told.registered_on,
        next=NextDate(date=told.due[0], why=told.due[1]) if told.due else None,
        may_add=told.may_add,
        where_next=tuple(BodyElsewhere(name=one.name, how=one.how) for one in told.where_next),
    )


@routes.public("POST", BASE + "/status/files", takes=StatusFile, gives=UploadForm)
def upload_status_file(call: Call, org: str) -> UploadForm:
    """A form for one later file of exactly this size and type."""
    visit = visits.open_status(call.ports, org, call.body.token)
    folder = form.new_folder()
    made = _upload(call, visits.upload_key(visit, folder, call.body.slot), folder)
    visits.admit_upload(call.ports, visit, call.origin)
    return made


@routes.public("POST", BASE + "/status/add", takes=Addition, gives=Added, status=201)
def add_to_case(call: Call, org: str) -> Added:
    """A message or documents join the case; the same again within a day is the same."""
    visit = visits.open_status(call.ports, org, call.body.token)
    held = visits.add(call.ports, visit, call.body.text, call.body.files, call.origin)
    return Added(reference=held.value.reference, added_at=call.ports.now)


@routes.public("POST", BASE + "/insured/read", takes=StatusLink, gives=PublicQuestion)
def read_question(call: Call, org: str) -> PublicQuestion:
    """The question to the insured; changes nothing."""
    visit = visits.open_question(call.ports, org, call.body.token)
    case, question = visit.case, visit.case.question
    if question is None or case.insured is None:
        raise NotFound
    return PublicQuestion(
        organisation=_organisation(visit.house),
        reference=case.reference,
        language=case.language,
        received_on=case.day(case.received_at),
        client_name=case.insured.name,
        state="answered" if question.decided_at else "open",
        decision=question.decision,
    )


@routes.public("POST", BASE + "/insured/act", takes=InsuredAct, gives=InsuredReceipt)
def answer_question(call: Call, org: str) -> InsuredReceipt:
    """What the insured says; needs a decision (M38, D14)."""
    given = call.body
    question = visits.answer_question(call.ports, org, given.token, given.decision, call.origin)
    return InsuredReceipt(decision=given.decision, decided_at=question.decided_at or call.ports.now)


def _challenge(call: Call, org: str) -> Challenge:
    made = proof_of_work.challenge(org, PURPOSE, call.ports.link_keys(), now=call.ports.real_now)
    return Challenge(
        challenge=msgspec.convert(made, AltchaChallenge),
        challenge_seconds=int(proof_of_work.LIFE.total_seconds()),
    )


def _upload(call: Call, key: str, folder: str) -> UploadForm:
    given = call.body
    receipt.file_name(given.name, "name")  # said before it is uploaded, not after
    made = call.ports.bucket.upload_form(
        key, content_type=given.content_type, most=given.size, least=given.size
    )
    return UploadForm(url=made["url"], fields=made["fields"], folder=folder)


def _organisation(house: House) -> PublicOrganisation:
    known = house.settings.controller
    return PublicOrganisation(
        name=known.name,
        address=known.address,
        email=house.settings.complaints.mailbox or known.email,
        phone=known.phone,
    )
