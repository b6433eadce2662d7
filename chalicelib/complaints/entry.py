"""Entry by staff: what came by post, by telephone, in person, through an agent or the portal.

The clock starts at the real moment of receipt, which whoever enters it states. What is missing bars
nothing (D3). What was told by telephone is read back: the words, and whether the caller agreed.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import Client
from chalicelib.complaints import receipt
from chalicelib.complaints.case import (
    CaseFile,
    Channel,
    Complaint,
    Employee,
    Flag,
    Kind,
    Person,
    ReadBack,
    refuse,
)
from chalicelib.complaints.files import MOST_BYTES, MOST_BYTES_TOGETHER
from chalicelib.complaints.receipt import Submission
from chalicelib.kernel import ids
from chalicelib.kernel.errors import Invalid
from chalicelib.policy.packs import Audience, Scope

# The form is the public's own door.
Entered = Literal["email", "account", "post", "phone", "in_person", "agent"]
# Whoever enters these was not there when they arrived, so says when that was.
TOLD_LATER = frozenset({Channel.POST, Channel.EMAIL})
_REPLY_FORMS: dict[str, Literal["", "paper", "electronic"]] = {
    "": "",
    "paper": "paper",
    "electronic": "electronic",
}
END = r"\Z"  # `$` would let a newline through
Id = Annotated[str, msgspec.Meta(pattern=f"^{ids.PATTERN.pattern}{END}")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
MediaType = Annotated[
    str, msgspec.Meta(pattern=f"^[a-z0-9][a-z0-9.+-]{{0,40}}/[a-z0-9][a-z0-9.+-]{{0,90}}{END}")
]


class ClientOfCase(Invalid):
    """A submission by the portal is of a client whom Duly knows."""

    code = "client_required"
    sentence = "Name the client from whose account it comes."


class NewsCameEarlier(Invalid):
    """What waits in the closed case came at a moment that is known: no later one counts (M41)."""

    code = "news_came_earlier"
    sentence = "Something came to the closed case before that. Give its moment or an earlier one."


class PersonInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody of the case; every text may be empty."""

    name: str = ""
    email: str = ""
    phone: str = ""
    postal_address: str = ""
    city: str = ""
    company: bool = False


class EmployeeInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose act or failure to act is complained of (M12)."""

    department: str = ""
    position: str = ""
    name: str = ""


class ReadBackInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the caller agreed to what was read back; `text` where it was not the substance."""

    agreed: bool
    text: str = ""


class FileInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was uploaded under the id that the upload gave."""

    file_id: Id
    name: str
    content_type: MediaType
    size: Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES)]


Files = Annotated[tuple[FileInput, ...], msgspec.Meta(max_length=10)]


class EntryInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A submission as staff enter it (M5-M13).

    `received_at`: when it really arrived; now, if left out, but not for post and e-mail.
    `handed_over`: whether the agent has passed it on already (M49).
    """

    channel: Entered
    kind: Kind = Kind.COMPLAINT
    paper: bool = False
    language: str = ""
    audience: Audience = "natural"
    scope: Scope = "complaint"
    received_at: Instant | None = None
    agent_received_at: Instant | None = None
    handed_over: bool = True
    anonymous: bool = False
    writer: PersonInput = PersonInput()
    insured: PersonInput | None = None
    claims_authority: bool = False
    contract_number: str = ""
    claim_number: str = ""
    product: str = ""
    employee: EmployeeInput = EmployeeInput()
    subject: str = ""
    substance: str = ""
    read_back: ReadBackInput | None = None
    reply_form: Literal["", "paper", "electronic"] = ""
    email_consent: str = ""
    acknowledge: bool = False
    client_id: str = ""
    unreadable: bool = False
    vulnerable: bool = False
    files: Files = ()


class ReopenInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came after the end of a case; without a `writer`, from who wrote before (M74).

    `received_at`: left out where something waits in the closed case, it is the moment at which that
    came, and never later; else as for an entry.
    """

    channel: Entered
    received_at: Instant | None = None
    paper: bool = False
    substance: str = ""
    subject: str = ""
    read_back: ReadBackInput | None = None
    writer: PersonInput | None = None
    files: Files = ()


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Who enters it, for which organisation, and when."""

    org: str
    staff_id: str
    now: datetime


def submission(given: EntryInput, client: Client | None, desk: Desk) -> Submission:
    """What staff entered, as a submission; `receipt.checked` looks at the rest."""
    channel = Channel(given.channel)
    if channel is Channel.ACCOUNT and client is None:
        raise ClientOfCase(field="client_id")
    return Submission(
        channel=channel,
        paper=given.paper or channel is Channel.POST,
        kind=given.kind,
        language=given.language or _language(client, channel),
        audience=given.audience,
        scope=given.scope,
        received_at=_received_at(channel, given.received_at, desk.now),
        agent_received_at=_agent_received_at(channel, given.agent_received_at),
        handed_over=given.handed_over,
        anonymous=given.anonymous,
        writer=receipt.person(_writer(given, client), "writer."),
        insured=person(given.insured) if given.insured else None,
        claims_authority=given.claims_authority,
        contract_number=given.contract_number,
        claim_number=given.claim_number,
        product=given.product,
        employee=Employee(**msgspec.structs.asdict(given.employee)),
        subject=given.subject,
        substance=given.substance,
        read_back=_read_back(channel, given.read_back, given.substance, desk),
        reply_form=given.reply_form,
        email_consent=given.email_consent,
        acknowledge=given.acknowledge,
        client_id=given.client_id,
        flags=(Flag.UNREADABLE,) if given.unreadable else (),
        vulnerable=given.vulnerable,
        files=files(given.files, desk),
    )


def again(given: ReopenInput, case_id: str, case: Complaint, desk: Desk) -> Submission:
    """New information after the end, as a new submission linked to the old one (M74).

    The clock starts when the first of what waits in the old case really came, not when an officer
    gets round to it (M41-M43, D20): `NewsCameEarlier` for a later moment. An authority is not
    carried over: it is recorded for the case in which it was seen (M40). An insured who writes this
    time stands outside nothing.
    """
    channel = Channel(given.channel)
    writer = receipt.person(person(given.writer), "writer.") if given.writer else case.writer
    theirs = case.insured is not None and receipt.is_one_address(writer, case.insured)
    return Submission(
        channel=channel,
        paper=given.paper or channel is Channel.POST,
        kind=case.kind,
        language=case.language,
        audience=case.audience,
        scope=case.scope,
        received_at=_came_at(channel, given.received_at, case.waiting_since, desk.now),
        waited_since=case.waiting_since,
        agent_received_at=None,
        writer=writer,
        insured=None if theirs else case.insured,
        claims_authority=case.claims_authority and not theirs,
        contract_number=case.contract_number,
        claim_number=case.claim_number,
        product=case.product,
        employee=case.employee,
        subject=given.subject,
        substance=given.substance,
        read_back=_read_back(channel, given.read_back, given.substance, desk),
        reply_form=_REPLY_FORMS[case.reply_form],
        email_consent=case.email_consent if given.writer is None else "",
        client_id=case.client_id,
        vulnerable=case.vulnerable,
        files=files(given.files, desk),
        reopens=case_id,
    )


def files(given: tuple[FileInput, ...], desk: Desk) -> tuple[CaseFile, ...]:
    """The files that this member of staff uploaded; nothing of them is believed yet."""
    refuse(sum(one.size for one in given) <= MOST_BYTES_TOGETHER, "files")
    refuse(len({one.file_id for one in given}) == len(given), "files")
    return tuple(
        replace(
            receipt.new_file(
                one.name,
                one.content_type,
                one.size,
                upload_key(desk, one.file_id),
                source="staff",
                now=desk.now,
            ),
            file_id=one.file_id,
        )
        for one in given
    )


def upload_key(desk: Desk, file_id: str) -> str:
    """Where an upload of this member of staff lies: another's id names nothing there."""
    return f"quarantine/{desk.org}/{desk.staff_id}/{file_id}"


def person(given: PersonInput) -> Person:
    """Somebody, as the case knows them."""
    return Person(**msgspec.structs.asdict(given))


def _received_at(channel: Channel, stated: datetime | None, now: datetime) -> datetime:
    refuse(stated is not None or channel not in TOLD_LATER, "received_at")
    return stated or now


def _came_at(
    channel: Channel, stated: datetime | None, waiting: datetime | None, now: datetime
) -> datetime:
    if waiting is not None and stated is not None and stated > waiting:
        raise NewsCameEarlier(field="received_at")
    return _received_at(channel, stated or waiting, now)


def _agent_received_at(channel: Channel, stated: datetime | None) -> datetime | None:
    refuse((stated is not None) == (channel is Channel.AGENT), "agent_received_at")
    return stated


def _read_back(
    channel: Channel, given: ReadBackInput | None, substance: str, desk: Desk
) -> ReadBack | None:
    """Of every call, and of nothing else, whether it was read back and agreed to."""
    refuse((given is not None) == (channel is Channel.PHONE), "read_back")
    if given is None:
        return None
    text = receipt.words(given.text, "read_back.text") or receipt.words(substance, "substance")
    return ReadBack(text=text, agreed=given.agreed, taken_by=desk.staff_id, at=desk.now)


def _writer(given: EntryInput, client: Client | None) -> Person:
    """Who wrote: the client that is named, as far as nothing else is said."""
    stated = person(given.writer)
    if client is None or stated != Person() or given.anonymous:
        return stated
    known = client.identity
    return Person(
        name=known.name,
        email=known.email,
        phone=known.phone,
        postal_address=known.address,
        company=known.kind == "company",
    )


def _language(client: Client | None, channel: Channel) -> str:
    return client.identity.language if client and channel is Channel.ACCOUNT else ""
