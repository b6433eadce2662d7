"""From arrival to registration, pure: what was submitted becomes a case, and a case a number.

Nothing blocks it: what is missing is asked for later (M14, M33, D3). Registering is its own act,
at its own moment (M41-M43), and with it goes the word that the submission was taken up (M45-M48).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.complaints import acts, privacy
from chalicelib.complaints.case import (
    MOST_FILES,
    MOST_SUBSTANCE,
    CaseFile,
    Channel,
    Closed,
    Complaint,
    Employee,
    Flag,
    Kind,
    Message,
    Person,
    Question,
    ReadBack,
    State,
    Statement,
    refuse,
)
from chalicelib.complaints.products import is_product
from chalicelib.documents import codes
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    Change,
    Counter,
    Held,
    Key,
    Letter,
    Lookup,
    Notice,
    Once,
    Part,
)
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.workdays import local
from chalicelib.organisations.domain import House, Settings
from chalicelib.policy.calendars import calendar
from chalicelib.policy.packs import Audience, Pack, Scope, choose

# As long as the key that signs it is sure to verify (kernel.tokens); each letter has a new link.
LINK_LIFE = timedelta(days=89)
ALLOWED_FOR = "allowed_for"  # the fact of a letter that says for which mailbox its words are
WRITER, INSURED = 1, 2  # whose status link it is: the generation of its claims
QUESTION_LIFE = timedelta(days=30)
MOST_AGO = timedelta(days=90)
LOOKED_UP = ("REFERENCE", "CASEEMAIL", "CASECONTRACT", "CASECLIENT")


class NothingSubmitted(Invalid):
    """Neither words nor a file: there is nothing to register."""

    code = "nothing_submitted"
    sentence = "Write what it is about, or attach a file."


class ReceivedRefused(Invalid):
    """A moment of receipt in the future, or too long ago to be true."""

    code = "received_at_refused"
    sentence = "Give the real moment of receipt: not in the future, not more than 90 days ago."


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What came in, by whichever channel; every text may be empty (D3).

    `waited_since`: when the first of what lies in the closed case `reopens` was received.
    """

    channel: Channel
    paper: bool = False
    kind: Kind = Kind.COMPLAINT
    language: str = ""
    audience: Audience = "natural"
    scope: Scope = "complaint"
    received_at: datetime
    agent_received_at: datetime | None = None
    handed_over: bool = True
    anonymous: bool = False
    writer: Person = Person()
    insured: Person | None = None
    claims_authority: bool = False
    contract_number: str = ""
    claim_number: str = ""
    product: str = ""
    employee: Employee = Employee()
    subject: str = ""
    substance: str = ""
    quoted: str = ""
    reply_form: Literal["", "paper", "electronic"] = ""
    email_consent: str = ""
    acknowledge: bool = False
    client_id: str = ""
    flags: tuple[Flag, ...] = ()
    files: tuple[CaseFile, ...] = ()
    raw: str = ""
    message_id: str = ""
    notes: tuple[str, ...] = ()
    reopens: str = ""
    waited_since: datetime | None = None
    vulnerable: bool = False
    read_back: ReadBack | None = None


def checked(given: Submission, settings: Settings, *, now: datetime) -> Submission:
    """The submission, normalised; `Invalid` names the field that does not hold."""
    if not given.substance.strip() and not given.files and not given.raw:
        raise NothingSubmitted(field="substance")
    first = (given.waited_since or now) - MOST_AGO  # what waited for long is no less true
    if not first <= given.received_at <= now + timedelta(minutes=5):
        raise ReceivedRefused(field="received_at")
    agent_at = given.agent_received_at
    if agent_at is not None and not now - MOST_AGO <= agent_at <= given.received_at:
        raise ReceivedRefused(field="agent_received_at")
    refuse(len(given.files) <= MOST_FILES or given.channel is Channel.EMAIL, "files")
    refuse(is_product(given.product), "product")
    language = given.language or settings.languages[0]
    refuse(language in settings.languages, "language")
    refuse(given.insured is not None or not given.claims_authority, "claims_authority")
    employee = given.employee
    writer = person(given.writer, "")
    insured = _insured(given.insured, writer) if given.insured else None
    return replace(
        given,
        language=language,
        writer=writer,
        insured=insured,
        claims_authority=given.claims_authority and insured is not None,
        contract_number=line(given.contract_number, "contract_number", 80),
        claim_number=line(given.claim_number, "claim_number", 80),
        employee=Employee(
            department=line(employee.department, "employee.department", 120),
            position=line(employee.position, "employee.position", 120),
            name=line(employee.name, "employee.name", 120),
        ),
        subject=line(given.subject, "subject", 500),
        substance=words(given.substance, "substance"),
    )


def _insured(given: Person, writer: Person) -> Person | None:
    """The insured, normalised; None who is the writer. The writer's own address is none of theirs.

    Whoever reads there what is asked is the writer: so the insured is asked by post (M37).
    """
    insured = person(given, "insured.")
    if is_one_person(insured, writer):
        return None
    return replace(insured, email="") if is_one_address(insured, writer) else insured


def is_one_address(one: Person, other: Person) -> bool:
    """Whether both are reached at one e-mail address."""
    return bool(one.email) and one.email.casefold() == other.email.casefold()


def is_one_person(insured: Person, writer: Person) -> bool:
    """Whether who wrote named themself as the insured: by the same name, and no other way to them.

    A father and a son may share a name: then what is known of them differs, and it counts.
    """
    if not insured.name or text.fold(insured.name) != text.fold(writer.name):
        return False
    pairs = (
        (insured.email, writer.email),
        (insured.phone, writer.phone),
        (insured.postal_address, writer.postal_address),
    )
    return all(not one or text.fold(one) == text.fold(other) for one, other in pairs)


def person(given: Person, prefix: str) -> Person:
    """Somebody, normalised."""
    return Person(
        name=line(given.name, f"{prefix}name", 200),
        email=given.email and text.email(given.email, f"{prefix}email"),
        phone=given.phone and text.phone(given.phone, f"{prefix}phone"),
        postal_address=line(given.postal_address, f"{prefix}postal_address", 300),
        city=line(given.city, f"{prefix}city", 120),
        company=given.company,
    )


def line(given: str, field: str, most: int) -> str:
    """Text of one line, or none."""
    return text.line(given, field, most=most) if given.strip() else ""


def words(given: str, field: str, *, most: int = MOST_SUBSTANCE) -> str:
    """Text of several lines, or none."""
    return text.block(given, field, most=most) if given.strip() else ""


def receive(
    key: Key,
    reference: str,
    given: Submission,
    house: House,
    *,
    digests: Mapping[str, str],
    by: Actor,
    now: datetime,
    once: Once | None = None,
    counter: Counter | None = None,
) -> Change:
    """A new case, in one transaction and without a read (M33); `given` is `checked`.

    The pack and the calendar are those of the day of receipt, for good (D20). `digests`: the keyed
    hash of each value by which the case is looked up.
    """
    case = _case(reference, given, house.settings, by=by, now=now)
    case = replace(case, department=own_department(given.employee.department, house))
    statement = Statement(
        substance=given.substance,
        subject=given.subject,
        quoted=given.quoted,
        raw=given.raw,
        message_id=given.message_id,
        notes=given.notes,
        read_back=given.read_back,
    )
    files = [Part(sk=f"FILE#{one.file_id}", data=one, create=True) for one in given.files]
    body = {"submission": _told(given), "pack": case.pack, "received_at": given.received_at}
    return acts.begun(
        key,
        case,
        house,
        by=by,
        now=now,
        body=msgspec.to_builtins(body),
        parts=(Part(sk="STATEMENT", data=statement, create=True), *files),
        lookups=lookups(None, case, digests),
        once=once,
        counter=counter,
    )


def own_department(given: str, house: House) -> str:
    """The organisation's department of this name, or "": the register takes no other words.

    It outlives the case, and whoever types a department may type a person.
    """
    own = {one.department.casefold(): one.department for one in house.directory.members}
    return own.get(given.strip().casefold(), "")


def mailbox(of: str, email: str) -> str:
    """Whose mailbox a private link, or a letter, is for: neither outlives the address."""
    return ids.derived(f"{of}\0{email.casefold()}")


def for_mailbox(case: Complaint) -> dict[str, str]:
    """What a letter with the words of staff says of whom they were allowed for (M75-M83)."""
    return {ALLOWED_FOR: mailbox(case.reference, case.addressee.email)}


def lookups(
    before: Complaint | None, after: Complaint, digests: Mapping[str, str]
) -> tuple[Lookup, ...]:
    """The pointers by which a case is found: its number, its people's e-mail, contract, client."""
    old = set(looked_up(before)) if before else set()
    new = set(looked_up(after))
    gone = [
        Lookup(kind=kind, digest=digests[value], remove=True) for kind, value in sorted(old - new)
    ]
    if before is None:
        number = Lookup(kind="REFERENCE", digest=codes.parse_code(after.reference), unique=True)
        gone.append(number)
    added = [Lookup(kind=kind, digest=digests[value]) for kind, value in sorted(new - old)]
    return (*gone, *added)


def looked_up(case: Complaint) -> Iterable[tuple[str, str]]:
    """Each value by which the case is found, beside its number, with the kind of its pointer."""
    people = [case.writer, case.insured] if case.insured else [case.writer]
    for one in people:
        if one.email:
            yield "CASEEMAIL", one.email
    for number in (case.contract_number, case.claim_number):
        if number:
            yield "CASECONTRACT", number
    if case.client_id:
        yield "CASECLIENT", case.client_id


def register(held: Held[Complaint], house: House, key: Key, *, now: datetime) -> Change:
    """Give the submission its day in the register, and say so to who is to know (M32, M45-M48).

    Anonymous: registered, closed at once, counted (M34, D2). About an insured, without authority:
    the writer gets the fixed text alone, the insured is asked (M36-M39).
    """
    case = replace(held.value, registered_at=now)
    letters: tuple[Letter, ...] = ()
    notices: tuple[Notice, ...] = ()
    if case.is_anonymous:
        case = replace(case, closed=Closed(state=State.CLOSED_ANONYMOUS, at=now))
    else:
        case, letters = _told_writer(case, now)
        notices = acts.notices(key.id, case, house, "registered", "officer", now=now)
        if case.third_party and case.question is None:
            notices += acts.notices(key.id, case, house, "question_by_post", "officer", now=now)
        if case.receipt_to_post:
            notices += acts.notices(key.id, case, house, "receipt_by_post", "officer", now=now)
    return acts.done(
        held,
        case,
        house,
        "complaint_registered",
        by=SYSTEM,
        now=now,
        body={"anonymous": case.is_anonymous, "third_party": case.third_party},
        letters=letters,
        notices=notices,
    )


def ask_insured(case: Complaint, now: datetime) -> tuple[Complaint, tuple[Letter, ...]]:
    """The insured is asked by a link, which supersedes the one before; not without an e-mail."""
    if case.insured is None or not case.insured.email:
        return case, ()
    generation = case.question.generation + 1 if case.question else 1
    question = Question(asked_at=now, generation=generation, expires=now + QUESTION_LIFE)
    letter = acts.letter("insured_asked", "insured", now, generation=generation)
    return replace(case, question=question), (letter,)


def join(
    held: Held[Complaint],
    message: Message,
    files: Sequence[CaseFile],
    house: House,
    *,
    by: Actor,
    now: datetime,
    once: Once | None = None,
) -> Change:
    """Something that came later joins the case; every open request counts as answered by it.

    After the end it waits, since the real moment of its receipt (M41, M74).
    """
    case = held.value
    heard = message.sender == case.addressed_as
    requests = tuple(
        replace(one, answered_on=case.day(message.at))
        if heard and one.answered_on is None and not one.came_back
        else one
        for one in case.requests
    )
    changed = replace(
        case,
        requests=requests,
        undone=None,
        files=case.files + len(files),
        unchecked=case.unchecked + len([one for one in files if one.state == "uploaded"]),
        messages=case.messages + 1,
        waiting_since=None if case.is_open else min(case.waiting_since or now, message.at),
    )
    letters = _told_joined(changed, message, now)
    return acts.done(
        held,
        changed,
        house,
        "message_joined",
        by=by,
        now=now,
        body={
            "message": message.message_id,
            "channel": message.channel,
            "text": privacy.digest(message.text),
            "files": [one.name for one in files],
        },
        parts=(
            Part(sk=f"MESSAGE#{message.message_id}", data=message, create=True),
            *(Part(sk=f"FILE#{one.file_id}", data=one, create=True) for one in files),
        ),
        letters=letters,
        notices=acts.notices(
            held.key.id, changed, house, "message_joined", "officer", now=now, name="joined"
        ),
        once=once,
    )


def files_seen(
    held: Held[Complaint], seen: Sequence[CaseFile], house: House, *, now: datetime
) -> Change:
    """What was found of files that waited in quarantine: kept, held, or missing.

    Where nothing waits, nothing is left to be counted.
    """
    left = held.value.unchecked - len(seen) if seen else 0
    case = replace(held.value, unchecked=max(0, left))
    bad = [one for one in seen if one.state == "held"]
    told: tuple[Notice, ...] = ()
    if bad and case.is_open:
        told = acts.notices(held.key.id, case, house, "files_held", "officer", now=now)
    return acts.done(
        held,
        case,
        house,
        "files_checked",
        by=SYSTEM,
        now=now,
        body={"files": {one.file_id: [one.state, one.sha256, one.reason] for one in seen}},
        parts=tuple(Part(sk=f"FILE#{one.file_id}", data=one) for one in seen),
        notices=told,
    )


def _case(
    reference: str, given: Submission, settings: Settings, *, by: Actor, now: datetime
) -> Complaint:
    received_on = local(given.received_at, settings.time_zone).date()
    rules = choose(
        settings.policy_pack,
        audience=given.audience,
        received_on=received_on,
        scope=given.scope if given.scope != "complaint" else None,
    )
    flags = given.flags if given.substance else (*given.flags, Flag.NO_SUBSTANCE)
    agent = by.id if given.channel is Channel.AGENT and by.kind == "staff" else ""
    return Complaint(
        reference=reference,
        channel=given.channel,
        paper=given.paper,
        kind=given.kind,
        language=given.language,
        audience=given.audience,
        scope=given.scope,
        received_at=given.received_at,
        entered_at=now,
        zone=settings.time_zone,
        pack=rules.pin,
        calendar=calendar(country_of(rules, settings), received_on, settings.complaints.days),
        writer=given.writer,
        insured=given.insured,
        claims_authority=given.claims_authority,
        anonymous=given.anonymous,
        contract_number=given.contract_number,
        claim_number=given.claim_number,
        product=given.product,
        employee=given.employee,
        reply_form=given.reply_form,
        email_consent=given.email_consent,
        acknowledge=given.acknowledge,
        client_id=given.client_id,
        flags=flags,
        vulnerable=given.vulnerable,
        has_substance=bool(given.substance),
        files=len(given.files),
        unchecked=len([one for one in given.files if one.state == "uploaded"]),
        entered_by=by.id if by.kind == "staff" else "",
        agent=agent,
        agent_received_at=given.agent_received_at,
        handed_over_at=now if given.agent_received_at and given.handed_over else None,
        reopens=given.reopens,
    )


def country_of(pack: Pack, settings: Settings) -> str:
    """Whose holidays count: the pack's, else the organisation's, else by its jurisdiction."""
    return (
        pack.calendar or settings.complaints.country or _JURISDICTIONS.get(pack.jurisdiction, "PL")
    )


_JURISDICTIONS = {"PL": "PL", "RU": "RU", "GB": "GB-ENG", "EU": "BE"}


def _told_writer(case: Complaint, now: datetime) -> tuple[Complaint, tuple[Letter, ...]]:
    letters: tuple[Letter, ...] = ()
    if case.third_party:
        if case.writer.email:  # obligatory, whatever the pack says of acknowledging (M39)
            letters = (acts.letter("third_party_taken", "writer", now),)
        case, asked = ask_insured(case, now)
        return case, (*letters, *asked)
    if not case.writer.email or not case.acknowledges or _suspect(case):
        return case, ()
    return case, (acknowledgement(case, now),)


def acknowledgement(case: Complaint, now: datetime) -> Letter:
    """Word of the receipt: thanks for thanks, else that it was taken up (M27, M45)."""
    template = "gratitude_thanked" if case.kind is Kind.GRATITUDE else "submission_taken"
    return acts.letter(template, "writer", now)


def _suspect(case: Complaint) -> bool:
    """Whether an automatic answer would feed a machine; a person looks first."""
    return Flag.SPAM_SUSPECT in case.flags


def _told_joined(case: Complaint, message: Message, now: datetime) -> tuple[Letter, ...]:
    """The sender learns that the message arrived; by the case's own address, never the mail's."""
    if case.closed is not None or message.sender == "other":
        return ()
    to: Literal["writer", "insured"] = message.sender
    writer = bool(case.writer.email) and not case.third_party
    if not (writer if to == "writer" else case.insured_is_reached):
        return ()
    return (acts.letter("message_added", to, now),)


def _told(given: Submission) -> dict[str, Any]:
    """The submission as its event tells it; its words, which are a part, by their digest."""
    told: dict[str, Any] = msgspec.to_builtins(given)
    told["files"] = [one.name for one in given.files]
    told.pop("quoted")
    if given.read_back:
        told["read_back"]["text"] = privacy.digest(given.read_back.text)
    told["substance"] = privacy.digest(given.substance)
    return told


def new_file(
    name: str, content_type: str, size: int, object_key: str, *, source: str, now: datetime
) -> CaseFile:
    """A file that somebody says to have uploaded; nothing of it is believed yet."""
    return CaseFile(
        file_id=ids.new_id(),
        name=file_name(name, "files.name"),
        content_type=content_type,
        size=size,
        state="uploaded",
        object_key=object_key,
        added=now,
        source=source,
    )


def file_name(given: str, field: str) -> str:
    """A file's name as it is shown; nothing of it reaches a path."""
    return text.line(given, field, most=160).replace("/", "_").replace("\\", "_")
