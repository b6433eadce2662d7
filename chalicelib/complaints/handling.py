"""Handling a case: who has it, what is known of it, what the insured says, what happened.

Pure, as every act: (the case as it was read, what is asked, the house, who, now) -> a Change. What
staff say to the client goes through `spoken`, which alone decides whom a letter is to: of a case
that a third party wrote, the insured alone, and only once they were asked (M37, M38). By e-mail it
goes through the privacy gate, as an answer does (M75-M83).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.complaints import acts, elements, privacy, receipt
from chalicelib.complaints.case import (
    AlreadyClosed,
    AlreadyDecided,
    Authority,
    CaseFile,
    Checked,
    Complaint,
    Flag,
    Kind,
    Logged,
    NotRegistered,
    Ombudsman,
    Person,
    Question,
    Said,
    refuse,
    require_open,
)
from chalicelib.complaints.privacy import ChannelRefused, Finding, Verdict
from chalicelib.complaints.products import is_product
from chalicelib.contact.domain import NOTHING_KNOWN, Reply
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import Actor, Change, Held, Letter, Notice, Part
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.organisations.domain import House, MemberUnknown, Role

MOST_OUTSIDE = 20
BY_LINK = "link"  # how the insured said it, where the page says so
MOST_WORDS = 20_000
MOST_ELEMENT = 4_000
_CAUSE = re.compile(r"[a-z][a-z0-9_]{1,39}")
# Who handles cases; an agent enters them and hands them over.
HANDLERS = frozenset({Role.QUALITY, Role.HEAD, Role.ADMIN})

Contact = Literal["call_in", "call_out", "meeting", "email", "other"]
Whom = Literal["writer", "insured", "other"]
Body = Literal["ombudsman", "regulator", "court", "other"]
Stage = Literal["opened", "answer_asked", "answered", "decided", "withdrawn"]


class AlreadyHandedOver(Conflict):
    """Handed over before, or never received by an agent."""

    code = "already_handed_over"
    sentence = "There is nothing that an agent still has to hand over."


class ThirdPartyOnly(Conflict):
    """The insured is asked only where somebody else wrote, without an authority (D7)."""

    code = "third_party_only"
    sentence = "Nobody else wrote this for an insured person."


class InsuredNotAsked(Conflict):
    """Nothing is said to the insured before they are asked whether it was sent for them (M38)."""

    code = "insured_not_asked"
    sentence = "Ask the insured first whether this was sent for them."


class InsuredDenied(Conflict):
    """The insured said no: the case is closed as such, and nothing else is sent (D7)."""

    code = "insured_denied"
    sentence = "The insured says that this was not sent for them."


class AddresseeUnreachable(Conflict):
    """There is no e-mail address of who is to be told: another way has to be taken."""

    code = "addressee_unreachable"
    sentence = "There is no e-mail address of the person to be told; write by post."


class AddressUnproven(Conflict):
    """Who named the insured's address stands outside; whose it is, an officer establishes (M37)."""

    code = "address_unproven"
    sentence = "Nobody has established that the e-mail address is the insured's; or write by post."


class AddressAlreadyProven(Conflict):
    code = "address_already_proven"
    sentence = "It was established already that the address is the insured's."


class WriterStandsOutside(Conflict):
    """Who wrote for somebody else, without an authority, is told the fixed text alone (M39)."""

    code = "writer_stands_outside"
    sentence = "The writer is a third party: only the fixed text may be sent to them."


class AlreadyAcknowledged(Conflict):
    code = "already_acknowledged"
    sentence = "Receipt was confirmed already, or the rules that apply do not confirm it."


class NothingGranted(Conflict):
    """No answer granted anything, or the rules set no day by which it is to be done."""

    code = "nothing_granted"
    sentence = "The rules that apply set no day by which something is to be done."


class NotHeld(Conflict):
    code = "file_not_held"
    sentence = "The file is not held back."


class CaseFileUnknown(NotFound):
    code = "case_file_unknown"
    sentence = "The case has no such file."


class Erased(Conflict):
    """Its time of keeping is over: nothing is known any more that could be handled."""

    code = "case_erased"
    sentence = "The time of keeping is over; the case is erased."


class Way(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How words reach the client: by e-mail now, or by post on a day that staff state.

    `not_private`: which kinds of what the gate finds in these words are none, and the `reason` why
    (M75); the refusal names what it finds.
    """

    channel: Literal["email", "post"] = "email"
    posted_on: date | None = None
    not_private: tuple[privacy.Kind, ...] = ()
    reason: str = ""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """Words of staff on their way: the part that keeps them, the letter, the day that counts.

    `told` is what the event says of them: which words, and why they may go by e-mail.
    """

    said: Said
    parts: tuple[Part, ...]
    letters: tuple[Letter, ...]
    on: date
    told: dict[str, Any]


class Classes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the case is counted as; what is left out stays. The audience chose the pack: it stays.

    `cause` is the organisation's own code of the root cause (M23).
    """

    kind: Kind | None = None
    product: str | None = None
    cause: str | None = None
    vulnerable: bool | None = None
    department: str | None = None


class Corrections(msgspec.Struct, frozen=True, kw_only=True):
    """What was wrong or missing of the people and numbers; what is left out stays."""

    writer: Person | None = None
    insured: Person | None = None
    contract_number: str | None = None
    claim_number: str | None = None


class Outside(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage at the ombudsman, the regulator or the court, with the day by which to answer it."""

    body: Body
    stage: Stage
    on: date
    number: str = ""
    answer_by: date | None = None


# What staff say


def spoken(
    case: Complaint,
    template: str,
    way: Way,
    *,
    by: Actor,
    now: datetime,
    words: str = "",
    passages: Mapping[str, str] | None = None,
    wording: str = "",
    until: date | None = None,
    reply: Reply = NOTHING_KNOWN,
) -> Spoken:
    """Words to who is answered: as a letter about their part, or on paper that went by post.

    `InsuredNotAsked`, `InsuredDenied`, `AddresseeUnreachable`, `AddressUnproven`; `ChannelRefused`
    where they hold what may not go by e-mail to somebody of whom no more is known than `reply`. The
    letter's facts hold nothing.
    """
    require_may_speak(case)
    if way.channel == "email":
        require_email(case)
    said = Said(
        said_id=ids.new_id(),
        kind=template,
        text=receipt.words(words, "text", most=MOST_WORDS),
        elements=dict(passages or {}),
        wording=wording,
        until=until,
        by=by.id,
        at=now,
        posted_on=sent_on(case, way, now) if way.channel == "post" else None,
        language=case.language,
    )
    told: dict[str, Any] = {"said": said.said_id}
    if way.channel == "email":
        said, why = _guarded(said, way, reply, by=by, now=now)
        told |= why
    box = receipt.for_mailbox(case)
    letter = acts.letter(template, case.addressed_as, now, about=said.said_id, **box)
    return Spoken(
        said=said,
        parts=(Part(sk=f"SAID#{said.said_id}", data=said, create=True),),
        letters=(letter,) if way.channel == "email" else (),
        on=said.posted_on or case.day(now),
        told=told,
    )


def _guarded(
    said: Said, way: Way, reply: Reply, *, by: Actor, now: datetime
) -> tuple[Said, dict[str, Any]]:
    """The words as an officer looked at them, and why they may go by e-mail (M75-M83)."""
    words = elements.whole(said)
    found = privacy.findings(words, privacy.language_of(said.language))
    removed = tuple(one for one in found if one.kind in way.not_private)
    if removed:
        review = privacy.corrected(words, found, removed=removed, reason=way.reason)
        said = replace(said, checked=Checked(review=review, by=by.id, at=now))
        found = privacy.reviewed(words, found, review)
    verdict = open_to(found, reply, informational=True)
    if privacy.Channel.EMAIL not in verdict.allowed:
        kinds = ", ".join(sorted({one.kind for one in found}))
        raise ChannelRefused(f"{ChannelRefused.sentence} Found: {kinds}.", field="channel")
    told: dict[str, Any] = {"grounds": msgspec.to_builtins(verdict.allowed[privacy.Channel.EMAIL])}
    if found:
        told["proofs"] = list(reply.proofs)
    if said.checked is not None:
        told["review"] = msgspec.to_builtins(said.checked.review)
    return said, told


def open_to(found: Iterable[Finding], reply: Reply, *, informational: bool) -> Verdict:
    """By which channels what holds this may leave, for what is known of who is answered."""
    return privacy.channels(
        found,
        identified_email=reply.identified_email,
        data_consent=reply.data_consent,
        written_consent_to_address=reply.consent_to_address,
        informational=informational,
    )


def require_may_speak(case: Complaint) -> None:
    """Whether anything may be said at all: to an insured only after the question (M38, D7)."""
    if not case.third_party:
        return
    if case.question is None or not case.question.was_asked:
        raise InsuredNotAsked
    if case.question.decision == "not_mine":
        raise InsuredDenied


def require_email(case: Complaint) -> None:
    """Whether words may go by e-mail: there is an address, and it is that of who is answered."""
    if not case.addressee.email:
        raise AddresseeUnreachable(field="channel")
    if not case.may_email:
        raise AddressUnproven(field="channel")


def sent_on(case: Complaint, way: Way, now: datetime) -> date:
    """The day that counts: today, or the one on which a paper was posted, as staff state it."""
    if way.channel == "email":
        return case.day(now)
    refuse(way.posted_on is not None, "posted_on")
    return past(case, way.posted_on or date.max, "posted_on", now)


def past(case: Complaint, day: date, field: str, now: datetime) -> date:
    """A day between the receipt and today."""
    refuse(case.day(case.received_at) <= day <= case.day(now), field)
    return day


def require_kept(case: Complaint) -> None:
    """`Erased` where nothing is left to be handled."""
    if case.erasure:
        raise Erased


# Who has it


def hand_over(held: Held[Complaint], house: House, *, by: Actor, now: datetime) -> Change:
    """An agent passed on what they received: their own deadline is over (M49)."""
    case = held.value
    if case.closed is not None:
        raise AlreadyClosed
    if case.agent_received_at is None or case.handed_over_at is not None:
        raise AlreadyHandedOver
    changed = replace(case, handed_over_at=now)
    return acts.done(held, changed, house, "handed_over", by=by, now=now)


def assign(
    held: Held[Complaint],
    assignee: str,
    department: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """Whose case it is: somebody who handles cases, or nobody; they are told, unless they did it.

    `department` "" leaves it as it is.
    """
    case = held.value
    require_open(case)
    refuse(assignee == "" or _handles(house, assignee), "assignee")
    changed = replace(
        case,
        assignee=assignee,
        department=_department(department, house) or case.department,
    )
    told = assignee not in ("", by.id, case.assignee)
    notices = (
        acts.notices(held.key.id, changed, house, "assigned", (assignee,), now=now) if told else ()
    )
    body = {"assignee": assignee, "department": changed.department}
    return acts.done(held, changed, house, "assigned", by=by, now=now, body=body, notices=notices)


# What is known of it


def note(held: Held[Complaint], words: str, house: House, *, by: Actor, now: datetime) -> Change:
    """A note of staff, for staff alone."""
    require_kept(held.value)
    one = Logged(log_id=ids.new_id(), kind="note", at=now, by=by.id, text=_words(words, "text"))
    return _logged(held, one, house, "noted", by=by, now=now)


def contact(
    held: Held[Complaint],
    kind: Contact,
    whom: Whom,
    at: datetime,
    words: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """A call, a meeting, a mail: what happened in working order, logged (M88)."""
    case = held.value
    require_kept(case)
    soon = timedelta(minutes=5)
    refuse(min(case.received_at, case.entered_at) - soon <= at <= now + soon, "at")
    one = Logged(
        log_id=ids.new_id(), kind=kind, at=at, by=by.id, text=_words(words, "text"), whom=whom
    )
    return _logged(held, one, house, "contacted", by=by, now=now)


def classify(
    held: Held[Complaint], given: Classes, house: House, *, by: Actor, now: datetime
) -> Change:
    """What it is counted as: kind, product, cause, department, vulnerable (M11, M23, M25-M28).

    After the end the cause and the department alone: why it came about is often known only then.
    """
    case = held.value
    _require_registered(case)
    if case.closed is not None and (given.kind, given.product, given.vulnerable) != (None,) * 3:
        raise AlreadyClosed
    refuse(given.product is None or is_product(given.product), "product")
    refuse(not given.cause or _CAUSE.fullmatch(given.cause) is not None, "cause")
    chosen = msgspec.structs.asdict(given)
    if given.department is not None:
        chosen["department"] = _department(given.department, house)
    known = {name: value for name, value in chosen.items() if value is not None}
    changed = replace(case, **known)
    return acts.done(held, changed, house, "classified", by=by, now=now, body=_plain(known))


def correct(
    held: Held[Complaint],
    given: Corrections,
    house: House,
    *,
    digests: Mapping[str, str],
    by: Actor,
    now: datetime,
) -> Change:
    """Other people and numbers; look-ups follow. The words of the submission are never edited (M6).

    Whom it was written for can be named, never taken away, unless it is the writer's own name: only
    an authority opens the case to its writer (M40). A paper that was made for somebody else, or for
    another address, is no longer the answer. Another insured, or another address of theirs, is
    asked anew: the link that went to the old one is dead (M38, R14). A writer who was not told of
    the receipt at the address that counts, or stands outside from now on, or no longer, is told
    (M39, M45).
    """
    case = held.value
    require_open(case)
    changed = _corrected(case, given)
    refuse(not changed.is_anonymous, "writer")
    changed = _answer_taken_back(case, changed)
    changed, letters = _asked_anew(case, changed, now)
    letters += _told_late(case, changed, now)
    before, after = _people(case), _people(changed)
    body = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    return acts.done(
        held,
        changed,
        house,
        "corrected",
        by=by,
        now=now,
        body=body | _taken_back_told(case, changed),
        letters=letters,
        notices=tell_authors(held, changed, house, by=by, now=now),
        lookups=receipt.lookups(case, changed, digests),
    )


def record_authority(
    held: Held[Complaint], document: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """A power of attorney was seen: the writer is who is answered from now on (M40).

    An answer that was approved or printed for the insured is taken back.
    """
    case = held.value
    require_open(case)
    authority = Authority(document=text.line(document, "document"), by=by.id, at=now)
    refuse(case.insured is not None, "document")
    changed = _answer_taken_back(case, replace(case, authority=authority))
    return acts.done(
        held,
        changed,
        house,
        "authority_recorded",
        by=by,
        now=now,
        body={"document": authority.document} | _taken_back_told(case, changed),
        notices=tell_authors(held, changed, house, by=by, now=now),
    )


def record_redress(
    held: Held[Complaint], redress: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """What the client was granted: money, or something else; after the end, too."""
    _require_registered(held.value)
    changed = replace(held.value, redress=receipt.line(redress, "redress", 500))
    body = {"redress": changed.redress}
    return acts.done(held, changed, house, "redress_recorded", by=by, now=now, body=body)


def record_performed(
    held: Held[Complaint], on: date, how: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """What the answer granted was done on that day, and how; `NothingGranted` if it has no term."""
    case = held.value
    require_kept(case)
    said = text.line(how, "how", most=500)
    if "perform" not in case.deadlines:
        raise NothingGranted
    changed = replace(case, performed_on=past(case, on, "on", now))
    body = {"on": on.isoformat(), "how": said}
    return acts.done(held, changed, house, "performed", by=by, now=now, body=body)


def record_outside(
    held: Held[Complaint], given: Outside, house: House, *, by: Actor, now: datetime
) -> Change:
    """A stage at the ombudsman, the regulator or the court: during the case, or after its end."""
    case = held.value
    _require_registered(case)
    refuse(len(case.outside) < MOST_OUTSIDE, "body")
    refuse(case.day(case.received_at) <= given.on <= case.day(now), "on")
    refuse(
        given.answer_by is None or given.on <= given.answer_by <= case.calendar.last, "answer_by"
    )
    stage = Ombudsman(
        body=given.body,
        stage=given.stage,
        on=given.on,
        number=receipt.line(given.number, "number", 80),
        answer_by=given.answer_by,
    )
    changed = replace(case, outside=(*case.outside, stage))
    told: tuple[Notice, ...] = ()
    if stage.waits and stage.answer_by:  # its day may be today, and today's steps were taken
        told = acts.notices(
            held.key.id, changed, house, "outside_due", "officer", now=now, on=stage.answer_by
        )
    body = msgspec.to_builtins(stage)
    return acts.done(held, changed, house, "went_outside", by=by, now=now, body=body, notices=told)


def hold(held: Held[Complaint], reason: str, house: House, *, by: Actor, now: datetime) -> Change:
    """A legal hold: the case is not erased as long as it stands (M85)."""
    require_kept(held.value)
    changed = replace(held.value, hold=text.line(reason, "reason", most=500))
    body = {"reason": changed.hold}
    return acts.done(held, changed, house, "held", by=by, now=now, body=body)


def end_hold(held: Held[Complaint], house: House, *, by: Actor, now: datetime) -> Change:
    """The hold is over: the time of keeping counts again, from the closing (D8)."""
    require_kept(held.value)
    changed = replace(held.value, hold="")
    return acts.done(held, changed, house, "hold_ended", by=by, now=now)


def release_file(
    held: Held[Complaint],
    file: CaseFile | None,
    reason: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """An officer looked at what was held back, and lets it be opened: why, and who, is kept."""
    require_kept(held.value)
    why = text.line(reason, "reason", most=500)
    if file is None:
        raise CaseFileUnknown
    if file.state != "held" or file.released_by:
        raise NotHeld
    released = replace(file, released_by=by.id)
    body = {"file": file.file_id, "held_for": file.reason, "reason": why}
    part = Part(sk=f"FILE#{file.file_id}", data=released)
    return acts.done(
        held, held.value, house, "file_released", by=by, now=now, body=body, parts=(part,)
    )


def acknowledge(
    held: Held[Complaint], way: Way, house: House, *, by: Actor, now: datetime
) -> Change:
    """Receipt is confirmed: by letter, or by post on a day (M48).

    Who wrote on paper asked for it, or there is no e-mail address; or an officer finds that what
    looked like a mass mailing is none. To who stands outside the fixed text went by post (M39).
    """
    case = held.value
    require_open(case)
    by_post = way.channel == "post"
    if case.third_party and not by_post:
        raise WriterStandsOutside
    flags = tuple(one for one in case.flags if one is not Flag.SPAM_SUSPECT)
    asked = replace(case, acknowledge=True, flags=flags)
    if _is_told(case) or not (case.third_party or asked.acknowledges):
        raise AlreadyAcknowledged
    if not by_post and not case.writer.email:
        raise AddresseeUnreachable(field="channel")
    day = sent_on(case, way, now)
    letter = acts.letter("submission_taken", "writer", now)
    return acts.done(
        held,
        replace(asked, acknowledged_on=day) if by_post else asked,
        house,
        "acknowledged",
        by=by,
        now=now,
        body={"channel": way.channel, "on": day.isoformat()},
        letters=() if by_post else (letter,),
    )


def _is_told(case: Complaint) -> bool:
    """Whether the writer was told of the receipt: on paper, or by e-mail as it was registered."""
    if case.acknowledged_on is not None:
        return True
    if case.receipt_came_back:
        return False
    owed = case.third_party or case.acknowledges
    return bool(owed and case.writer.email) and Flag.SPAM_SUSPECT not in case.flags


# What the insured says


def ask_insured(held: Held[Complaint], house: House, *, by: Actor, now: datetime) -> Change:
    """The question once more, by a new link: the one before is dead (M38, R14)."""
    case = _undecided(held.value)
    if case.insured is None or not case.insured.email:
        raise AddresseeUnreachable(field="insured")
    changed, letters = receipt.ask_insured(case, now)
    return acts.done(held, changed, house, "insured_asked", by=by, now=now, letters=letters)


def insured_posted(
    held: Held[Complaint], on: date, house: House, *, by: Actor, now: datetime
) -> Change:
    """The question went by post; the day of the answer stands (D7)."""
    case = _undecided(held.value)
    question = replace(_question(case, now), posted_on=past(case, on, "on", now))
    changed = replace(case, question=question)
    body = {"on": on.isoformat()}
    return acts.done(held, changed, house, "insured_asked_by_post", by=by, now=now, body=body)


def insured_answered(
    held: Held[Complaint],
    decision: Literal["mine", "not_mine"],
    how: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """What the insured said, and how: by the link, a call, a letter (M38).

    A denial closes nothing by itself: an officer looks first (D7).
    """
    case = _undecided(held.value)
    said = text.line(how, "how")
    question = replace(_question(case, now), decided_at=now, decision=decision, how=said)
    changed = replace(case, question=question)
    told = "insured_denied" if decision == "not_mine" else "insured_confirmed"
    notices = acts.notices(held.key.id, changed, house, told, "officer", now=now)
    return acts.done(
        held,
        changed,
        house,
        "insured_answered",
        by=by,
        now=now,
        body={"decision": decision, "how": said},
        notices=notices,
    )


def prove_address(
    held: Held[Complaint], how: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """An officer established that the e-mail address is the insured's, and how (M37).

    It counts for this address alone: another one is unproven again.
    """
    case = _about_another(held.value)
    if case.insured is None or not case.insured.email:
        raise AddresseeUnreachable(field="insured")
    if case.may_email:
        raise AddressAlreadyProven
    changed = replace(case, proven_email=case.insured.email)
    body = {"how": text.line(how, "how")}
    return acts.done(held, changed, house, "address_proven", by=by, now=now, body=body)


def _about_another(case: Complaint) -> Complaint:
    require_open(case)
    if not case.third_party:
        raise ThirdPartyOnly
    return case


def _undecided(case: Complaint) -> Complaint:
    _about_another(case)
    if case.question is not None and case.question.decided_at is not None:
        raise AlreadyDecided
    return case


def _question(case: Complaint, now: datetime) -> Question:
    """The question as it stands; one that no link was sent for is of no generation."""
    return case.question or Question(asked_at=now, generation=0, expires=now)


def _asked_anew(
    before: Complaint, after: Complaint, now: datetime
) -> tuple[Complaint, tuple[Letter, ...]]:
    old, new = before.insured, after.insured
    if new is None or not after.third_party:
        return after, ()
    same_person = old is not None and text.fold(old.name) == text.fold(new.name)
    same_address = old is not None and old.email == new.email
    asked = after.question
    if same_address and same_person:
        return after, ()
    if asked is not None and asked.decided_at is not None:
        heard = asked.how != BY_LINK or before.may_email  # else somebody else may have clicked
        if same_person and heard:
            return after, ()
        asked = replace(asked, decided_at=None, decision="", how="")
    if new.email:
        return receipt.ask_insured(replace(after, question=asked), now)
    if asked is not None:
        asked = Question(asked_at=now, generation=asked.generation + 1, expires=now)
    return replace(after, question=asked), ()


def _answer_taken_back(before: Complaint, after: Complaint) -> Complaint:
    """The answer is a draft again where it was made for another reader, or another address."""
    progress = after.answer
    if progress is None:
        return after
    turned = before.third_party != after.third_party
    moved = _envelope(before) != _envelope(after) and bool(progress.channel)
    return replace(after, answer=progress.taken_back) if turned or moved else after


def _taken_back_told(before: Complaint, after: Complaint) -> dict[str, Any]:
    """That the answer is a draft again, as the event tells it."""
    return {"answer_taken_back": True} if before.answer != after.answer else {}


def tell_authors(
    held: Held[Complaint], after: Complaint, house: House, *, by: Actor, now: datetime
) -> tuple[Notice, ...]:
    """Word to whoever wrote at the answer that it is a draft again, unless they did it."""
    if after.answer is None or after.answer == held.value.answer:
        return ()
    there = {one.staff_id for one in house.directory.members if one.active} - {by.id}
    authors = tuple(one for one in after.answer.authors if one in there)
    return acts.notices(held.key.id, after, house, "answer_returned", authors, now=now)


def _envelope(case: Complaint) -> tuple[str, str]:
    return case.addressee.name, case.addressee.postal_address


def _told_late(before: Complaint, after: Complaint, now: datetime) -> tuple[Letter, ...]:
    if not after.writer.email:
        return ()
    new = before.writer.email.casefold() != after.writer.email.casefold()
    if after.third_party:
        outside = new or not before.third_party
        return (acts.letter("third_party_taken", "writer", now),) if outside else ()
    if not (new or before.third_party) or not after.acknowledges:
        return ()
    if Flag.SPAM_SUSPECT in after.flags:
        return ()
    return (receipt.acknowledgement(after, now),)


def _corrected(case: Complaint, given: Corrections) -> Complaint:
    numbers: dict[str, Any] = {
        name: receipt.line(value, name, 80)
        for name in ("contract_number", "claim_number")
        if (value := getattr(given, name)) is not None
    }
    people = {}
    if given.writer is not None:
        people["writer"] = receipt.person(given.writer, "writer.")
        if people["writer"].email != case.writer.email:  # agreed to for that address alone (M83)
            numbers["email_consent"] = ""
            numbers["receipt_came_back"] = False
    if given.insured is not None:
        people["insured"] = receipt.person(given.insured, "insured.")
    changed = replace(case, **numbers, **people)
    if people and changed.insured and receipt.is_one_person(changed.insured, changed.writer):
        return replace(changed, insured=None, claims_authority=False)
    insured = changed.insured if changed.third_party and people else None
    shared = insured is not None and receipt.is_one_address(insured, changed.writer)
    refuse(not shared, "insured.email")  # else the writer would read what is for the insured (M37)
    return changed


def _people(case: Complaint) -> dict[str, Any]:
    names = ("writer", "insured", "contract_number", "claim_number")
    return {name: msgspec.to_builtins(getattr(case, name)) for name in names}


def _logged(
    held: Held[Complaint], one: Logged, house: House, kind: str, *, by: Actor, now: datetime
) -> Change:
    part = Part(sk=f"LOG#{one.log_id}", data=one, create=True)
    body = {"log": one.log_id, "kind": one.kind, "text": privacy.digest(one.text)}
    seen = replace(held.value, waiting_since=None)  # what came after the end was looked at
    return acts.done(held, seen, house, kind, by=by, now=now, body=body, parts=(part,))


def _require_registered(case: Complaint) -> None:
    require_kept(case)
    if case.registered_at is None:
        raise NotRegistered


def _department(given: str, house: House) -> str:
    """One of the organisation's own: the register outlives the case, and holds nobody's name."""
    found = receipt.own_department(given, house)
    refuse(bool(found) or not given.strip(), "department")
    return found


def _handles(house: House, staff_id: str) -> bool:
    try:
        member = house.directory.get(staff_id)
    except MemberUnknown:
        return False
    return member.active and member.role in HANDLERS


def _plain(known: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(dict(known))
    return plain


def _words(given: str, field: str) -> str:
    return text.block(given, field, most=MOST_WORDS)
