"""A complaint as it is kept: one registered submission, whatever its kind.

The root holds all that decides what happens next, so that the agenda reads nothing else; what is
long (the words of the submission, later messages, the draft of the answer) are parts of their own.
Moments are kept, states are derived: a case is `extended` because an extension was told, not
because a field says so. The pack and the calendar are those of the day of receipt, for good (D20).
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

import msgspec
from msgspec.structs import replace

from chalicelib.complaints.privacy import Review
from chalicelib.documents.sheet import Paper
from chalicelib.kernel.change import Key
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.kernel.workdays import Calendar, local
from chalicelib.policy import engine
from chalicelib.policy.engine import Deadline, Facts
from chalicelib.policy.packs import Audience, Pack, Scope, Trigger, load
from chalicelib.policy.suspension import Asked

KIND = "COMPLAINT"
MOST_SUBSTANCE = 20_000
MOST_FILES = 10
# An instant, with its offset.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Channel(StrEnum):
    """The way by which a submission came (M2-M4, M49)."""

    FORM = "form"
    EMAIL = "email"
    ACCOUNT = "account"
    POST = "post"
    PHONE = "phone"
    IN_PERSON = "in_person"
    AGENT = "agent"


ELECTRONIC = frozenset({Channel.FORM, Channel.EMAIL, Channel.ACCOUNT})
ORAL = frozenset({Channel.PHONE, Channel.IN_PERSON})


class Kind(StrEnum):
    """What a submission is (M25-M28, M31, D18)."""

    COMPLAINT = "complaint"
    REQUEST = "request"
    GRATITUDE = "gratitude"
    SUGGESTION = "suggestion"


class State(StrEnum):
    """How far a case has come; derived, never stored."""

    RECEIVED = "received"
    REGISTERED = "registered"
    IN_REVIEW = "in_review"
    AWAITING_INFORMATION = "awaiting_information"
    EXTENDED = "extended"
    ANSWERED = "answered"
    CLOSED_ANONYMOUS = "closed_anonymous"
    CLOSED_UNANSWERED = "closed_unanswered"
    CLOSED_SUSPENDED = "closed_suspended"
    CLOSED_NOT_ON_BEHALF = "closed_not_on_behalf"
    CLOSED_DUPLICATE = "closed_duplicate"
    ROUTED_OUT = "routed_out"
    RETURNED = "returned"


class Outcome(StrEnum):
    """What became of the demands."""

    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


GRANTED = frozenset({Outcome.UPHELD, Outcome.PARTLY})


class Flag(StrEnum):
    """What a person should know of a submission; no flag ever drops one."""

    HONEYPOT = "honeypot"
    TOO_FAST = "too_fast"
    SPAM_SUSPECT = "spam_suspect"
    UNREADABLE = "unreadable"
    NO_SUBSTANCE = "no_substance"


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody of the case and how to reach them (M5, M7-M9)."""

    name: str = ""
    email: str = ""
    phone: str = ""
    postal_address: str = ""
    city: str = ""
    company: bool = False

    @property
    def can_be_reached(self) -> bool:
        """Whether there is any way to answer."""
        return bool(self.email or self.phone or self.postal_address)


class Employee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose act or failure to act is complained of (M12)."""

    department: str = ""
    position: str = ""
    name: str = ""


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """A power of attorney that staff have seen (M37, M40): what it was, who saw it, when."""

    document: str
    by: str
    at: datetime


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the insured had it sent (M38, D7): asked by link, by post where there is no other.

    `generation` is that of the link; a later one supersedes it (R14).
    """

    asked_at: datetime
    generation: int
    expires: datetime
    posted_on: date | None = None
    decided_at: datetime | None = None
    decision: Literal["", "mine", "not_mine"] = ""
    how: str = ""

    @property
    def was_asked(self) -> bool:
        """Whether it reached anybody: a link that was good, a letter, or what they said.

        A later generation without any of them only ends the link of somebody who was asked before.
        """
        by_link = self.expires > self.asked_at
        return by_link or self.posted_on is not None or self.decided_at is not None


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A written request to the client for documents or a permission (M62-M71).

    Its words are the part `SAID#<said>`. One whose letter came back asked nobody, and counts for
    nothing.
    """

    n: int
    ground: str
    sent_on: date
    answer_by: date
    channel: Literal["email", "post"]
    said: str = ""
    answered_on: date | None = None
    came_back: bool = False


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """A longer time for the answer, told to the client (M53)."""

    to: date
    reason: str
    at: datetime


class Identification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the client was identified before an answer was handed over (M80, M84)."""

    document: str
    seen_by: str
    on: date


class AnswerProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the answer has come. Its words are the part `SAID#<id>`.

    `channel` is set by the sending: an e-mail is on its way at once, a paper once it was posted.
    `authors` are all who wrote at it, for a second person is none of them; `returned` is why that
    person gave it back.
    """

    answer_id: str
    outcome: Outcome | None = None
    by: str
    authors: tuple[str, ...] = ()
    drafted_at: Moment
    submitted_at: Moment | None = None
    approved_at: Moment | None = None
    approved_by: str = ""
    returned: str = ""
    channel: str = ""
    informational: bool = False
    sent_at: Moment | None = None
    sent_on: date | None = None
    tracking: str = ""
    identification: Identification | None = None
    bounced_at: Moment | None = None

    @property
    def taken_back(self) -> Self:
        """The same words, not approved, not submitted, not on their way."""
        return replace(
            self, submitted_at=None, approved_at=None, approved_by="", channel="", sent_at=None
        )


class Closed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a case ended: `reason` is the pack's key of the reason or ground."""

    state: State
    at: Moment
    by: str = ""
    reason: str = ""
    outcome: Outcome | None = None


class Ombudsman(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stage outside: at the ombudsman, the regulator or the court."""

    body: str
    stage: str
    on: date
    number: str = ""
    answer_by: date | None = None

    @property
    def waits(self) -> bool:
        """Whether the body waits for an answer of the organisation."""
        return self.stage in ("opened", "answer_asked")


class Complaint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of the aggregate.

    `received_at` is the real moment of receipt, by which the clock starts, `entered_at` the moment
    at which Duly came to know; `attended_until` is the moment up to which every step of the ladder
    was taken. `unchecked` counts the files that wait in quarantine; `acknowledged_on` is the day on
    which a paper told the writer that it was received; `waiting_since` the real moment of receipt
    of the first of what came after the end and waits for an officer; `undone` the end whose letter
    came back; `performed_on` the day on which what the answer granted was done; `keep_after` before
    when it is not asked again whether it may be erased.
    """

    reference: str
    channel: Channel
    paper: bool = False
    kind: Kind
    language: str
    audience: Audience
    scope: Scope = "complaint"
    received_at: datetime
    entered_at: datetime
    zone: str
    pack: str
    calendar: Calendar
    writer: Person = Person()
    insured: Person | None = None
    claims_authority: bool = False
    authority: Authority | None = None
    anonymous: bool = False
    contract_number: str = ""
    claim_number: str = ""
    product: str = ""
    employee: Employee = Employee()
    reply_form: str = ""
    email_consent: str = ""
    client_id: str = ""
    flags: tuple[Flag, ...] = ()
    vulnerable: bool = False
    has_substance: bool = False
    files: int = 0
    unchecked: int = 0
    messages: int = 0
    entered_by: str = ""
    agent: str = ""
    agent_received_at: datetime | None = None
    handed_over_at: datetime | None = None
    registered_at: datetime | None = None
    attended_until: datetime | None = None
    acknowledge: bool = False
    acknowledged_on: date | None = None
    receipt_came_back: bool = False
    assignee: str = ""
    department: str = ""
    requests: tuple[Request, ...] = ()
    gap: tuple[int, int] | None = None
    own_request_on: date | None = None
    extension: Extension | None = None
    question: Question | None = None
    proven_email: str = ""
    answer: AnswerProgress | None = None
    closed: Closed | None = None
    undone: Closed | None = None
    cause: str = ""
    redress: str = ""
    performed_on: date | None = None
    outside: tuple[Ombudsman, ...] = ()
    reopens: str = ""
    reopened_as: str = ""
    waiting_since: datetime | None = None
    duplicate_of: str = ""
    duplicates: tuple[str, ...] = ()
    hold: str = ""
    keep_after: datetime | None = None
    erasure: Literal["", "begun", "done"] = ""

    # Who is who

    @property
    def electronic(self) -> bool:
        """Whether it came by an electronic channel (M3, M48)."""
        return self.channel in ELECTRONIC or (self.channel is Channel.AGENT and not self.paper)

    @property
    def form(self) -> Literal["paper", "electronic", "oral"]:
        """Its form, by which the pack chooses the form of the answer."""
        if self.channel in ORAL:
            return "oral"
        return "electronic" if self.electronic else "paper"

    @property
    def third_party(self) -> bool:
        """Whether the writer stands outside: about an insured, no authority recorded (D7)."""
        return self.insured is not None and self.authority is None

    @property
    def addressee(self) -> Person:
        """Who is answered: the writer, or the insured alone (M37, M40)."""
        return self.insured if self.insured is not None and self.third_party else self.writer

    @property
    def may_email(self) -> bool:
        """Whether words of staff may go by e-mail, to an address of who is answered (M37).

        That of an insured was named by somebody else, who may have named a second one of their own:
        it counts once an officer has established whose it is.
        """
        return self.insured_is_reached if self.third_party else bool(self.writer.email)

    @property
    def insured_is_reached(self) -> bool:
        """Whether an officer has established that the e-mail address is the insured's (M37)."""
        email = self.insured.email if self.insured else ""
        return bool(email) and email == self.proven_email

    @property
    def addressed_as(self) -> Literal["writer", "insured"]:
        """The same, as letters name it."""
        return "insured" if self.third_party else "writer"

    @property
    def is_anonymous(self) -> bool:
        """No name, contact, contract, claim or known client, or the writer chose it (D2).

        Not a mail whose sender can't be read: a person reads it first.
        """
        known = self.writer.name or self.writer.can_be_reached or Flag.UNREADABLE in self.flags
        numbers = self.contract_number or self.claim_number or self.client_id
        return self.anonymous or not (known or numbers)

    @property
    def acknowledges(self) -> bool:
        """Whether receipt is confirmed: by the pack, or because the consumer asked (M48)."""
        rule = self.policy.acknowledgement
        wanted = rule.electronic if self.electronic else rule.paper
        return wanted == "always" or (wanted == "on_request" and self.acknowledge)

    @property
    def receipt_to_post(self) -> bool:
        """Whether word of the receipt is owed on paper: none can go by e-mail, or it bounced."""
        no_email = not self.writer.email or self.receipt_came_back
        by_post_alone = self.writer.postal_address and no_email
        owed = (self.third_party or self.acknowledges) and not self.is_anonymous
        return bool(by_post_alone and owed and self.acknowledged_on is None)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is asked for in the acknowledgement (M14, M46, D3); never a bar to registration."""
        wanted = {
            "name": bool(self.writer.name),
            "contact": self.writer.can_be_reached,
            "contract_or_claim": bool(self.contract_number or self.claim_number),
            "substance": self.has_substance,
            "insured_name": self.insured is None or bool(self.insured.name),
            "authority": not (self.claims_authority and self.authority is None),
        }
        if self.kind in (Kind.GRATITUDE, Kind.SUGGESTION):
            wanted["contract_or_claim"] = True
        return tuple(name for name, there in wanted.items() if not there)

    # Where it stands

    @property
    def state(self) -> State:
        """How far the case has come."""
        if self.closed is not None:
            return self.closed.state
        if self.registered_at is None:
            return State.RECEIVED
        if self.open_request is not None:
            return State.AWAITING_INFORMATION
        if self.extension is not None:
            return State.EXTENDED
        return State.IN_REVIEW if self.assignee else State.REGISTERED

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.closed is None

    @property
    def stages_outside(self) -> tuple[Ombudsman, ...]:
        """How far each matter outside is: its last stage, with the day that still stands.

        A matter is a number at a body; a stage without one is of that body's last matter.
        """
        found: dict[tuple[str, str], Ombudsman] = {}
        numbers: dict[str, str] = {}
        for one in self.outside:
            number = one.number or numbers.get(one.body, "")
            numbers[one.body] = number
            before = found.pop((one.body, ""), None) or found.get((one.body, number))
            stands = before.answer_by if before is not None and before.waits else None
            found[one.body, number] = replace(one, answer_by=one.answer_by or stands)
        return tuple(found.values())

    @property
    def open_request(self) -> Request | None:
        """The last request to the client, while it is not answered."""
        reached = [one for one in self.requests if not one.came_back]
        return reached[-1] if reached and reached[-1].answered_on is None else None

    @property
    def policy(self) -> Pack:
        """The rules of the day of receipt (D20)."""
        return load(self.pack)

    @property
    def facts(self) -> Facts:
        """What the deadlines follow from.

        The day of registration is the one by the rules, not the one on which it was done: a
        submission that is entered late, or registered after an outage, is owed its answer no later.
        """
        events: dict[Trigger, date] = {}
        if self.closed is not None:
            events["closed"] = self.day(self.closed.at)
        if self.closed is not None and self.answer is not None and self.answer.sent_on:
            events["final_sent"] = self.answer.sent_on
            if self.closed.outcome in GRANTED:  # what was granted is to be done
                events["answer_written"] = self.answer.sent_on
        return Facts(
            received_at=self.received_at,
            zone=self.zone,
            agent_received_at=self.agent_received_at,
            extended_to=self.extension.to if self.extension else None,
            events=events,
        )

    @property
    def deadlines(self) -> dict[str, Deadline]:
        """Every date that follows, with its reasons."""
        return engine.deadlines(self.policy, self.facts, self.calendar)

    @property
    def answer_due(self) -> Deadline | None:
        """When the answer is due; None where the pack names no term."""
        return self.deadlines.get(engine.ANSWER)

    def tried(self, state: State, reason: str) -> datetime | None:
        """When it was ended so before, if the letter that told of it came back."""
        end = self.undone
        return end.at if end is not None and (end.state, end.reason) == (state, reason) else None

    def asked(self, ground: str) -> Asked:
        """The requests for this alone, as the three-request engine counts them.

        Who was asked for documents was not asked for a permission (M64, M68); who answered is not
        silent, so what is asked after that is a new series (M63, M67).
        """
        same = [one for one in self.requests if one.ground == ground and not one.came_back]
        answered = [n for n, one in enumerate(same, start=1) if one.answered_on is not None]
        return Asked(
            requests=tuple(one.sent_on for one in same[answered[-1] if answered else 0 :]),
            gap=self.gap,
            own_request_on=self.own_request_on,
        )

    def day(self, moment: datetime) -> date:
        """The day on the organisation's wall."""
        return local(moment, self.zone).date()

    def answer_of(self, answer_id: str) -> AnswerProgress:
        """The answer being written; `AnswerUnknown` for any other."""
        if self.answer is None or self.answer.answer_id != answer_id:
            raise AnswerUnknown
        return self.answer


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller was read back of their own words, and whether they agreed (M4)."""

    text: str
    agreed: bool
    taken_by: str
    at: datetime


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The words of a submission, the part `STATEMENT`: never edited (M6).

    `raw` is the e-mail as it came; `quoted` what it repeats of other mails; `read_back` is of what
    was told by telephone.
    """

    substance: str
    subject: str = ""
    quoted: str = ""
    raw: str = ""
    message_id: str = ""
    notes: tuple[str, ...] = ()
    read_back: ReadBack | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that came later, the part `MESSAGE#<id>`."""

    message_id: str
    at: datetime
    channel: Channel
    text: str
    files: tuple[str, ...] = ()
    sender: Literal["writer", "insured", "other"] = "writer"
    raw: str = ""


class Signer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers, as the letter names them."""

    name: str = ""
    position: str = ""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer made of the private data that were found in a letter (M75)."""

    review: Review
    by: str
    at: datetime


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What staff say to the client, the part `SAID#<id>`: a letter is about it and merges it.

    `elements` are the texts that the pack asks for, by its keys; `wording` is the pack's own
    sentence, in the language of the case; `until` the day that it names. A paper went by post on
    `posted_on`: then no letter is promised. An answer has its language, its signer, what was made
    of its private data, and its paper where it leaves on one; `published` are the digests of the
    elements that it could take over from what the organisation publishes: nobody's secrets.
    """

    said_id: str = ""
    kind: str = ""
    text: str = ""
    elements: dict[str, str] = {}
    wording: str = ""
    until: date | None = None
    by: str = ""
    at: datetime | None = None
    posted_on: date | None = None
    language: str = ""
    signer: Signer = Signer()
    checked: Checked | None = None
    paper: Paper | None = None
    published: tuple[str, ...] = ()


class Logged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A note of staff, or a contact that took place (M88): the part `LOG#<id>`."""

    log_id: str
    kind: Literal["note", "call_in", "call_out", "meeting", "email", "other"]
    at: datetime
    by: str
    text: str
    whom: Literal["", "writer", "insured", "other"] = ""


class CaseFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of the case, the part `FILE#<id>`.

    `uploaded` lies in quarantine at `object_key` until it is looked at; then it is `kept`, or
    `held` for a reason until staff release it, or `missing` if nothing was uploaded.
    """

    file_id: str
    name: str
    content_type: str
    size: int
    state: Literal["uploaded", "kept", "held", "missing"]
    object_key: str
    added: datetime
    source: str
    sha256: str = ""
    reason: str = ""
    released_by: str = ""


class ComplaintUnknown(NotFound):
    code = "complaint_unknown"
    sentence = "There is no such complaint."


class AnswerUnknown(NotFound):
    code = "answer_unknown"
    sentence = "There is no such draft of an answer."


class AlreadyDecided(Conflict):
    """The insured has said whether it was sent for them; they say so once (M38)."""

    code = "already_decided"
    sentence = "The insured has already said whether it was sent for them."


class NotRegistered(Conflict):
    code = "not_registered"
    sentence = "The submission is not registered yet."


class AlreadyClosed(Conflict):
    """A closed case is not handled on: later information opens a new one (M74, D5)."""

    code = "already_closed"
    sentence = "The case is closed."


class NotClosed(Conflict):
    code = "not_closed"
    sentence = "The case is still open."


class SubmissionRefused(Invalid):
    code = "submission_refused"
    sentence = "This value is not possible here."


def key(org: str, case_id: str) -> Key:
    """Where a complaint is kept."""
    return Key(org, KIND, case_id)


def require_open(case: Complaint) -> None:
    """`NotRegistered` before the registration, `AlreadyClosed` after the end."""
    if case.closed is not None:
        raise AlreadyClosed
    if case.registered_at is None:
        raise NotRegistered


def refuse(holds: bool, field: str) -> None:
    """`SubmissionRefused` naming the field, unless it holds."""
    if not holds:
        raise SubmissionRefused(field=field)
