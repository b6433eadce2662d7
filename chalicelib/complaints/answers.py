"""The answer to a case: drafted, checked, approved where the house wants it, and sent (M51-M55).

Pure, as every act. An e-mail ends the case when it is promised, a paper when it was posted or
handed over; an e-mail that comes back opens the case again. An answer never leaves with a gap, by a
channel that what it holds forbids (M75-M84), or in a form that the pack does not allow. A late one
leaves all the same, and is marked so.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.complaints import acts, elements, handling, privacy, receipt
from chalicelib.complaints.case import (
    AnswerProgress,
    AnswerUnknown,
    Checked,
    Closed,
    Complaint,
    Identification,
    Kind,
    Outcome,
    Said,
    Signer,
    State,
    refuse,
    require_open,
)
from chalicelib.complaints.elements import Gap
from chalicelib.complaints.privacy import Channel, ChannelRefused, Finding, Verdict
from chalicelib.contact.domain import Reply
from chalicelib.documents.sheet import Paper
from chalicelib.kernel import text
from chalicelib.kernel.change import SYSTEM, Actor, Change, Held, Letter, Notice, Once, Part
from chalicelib.kernel.errors import Conflict, Forbidden, Invalid
from chalicelib.kernel.workdays import instant
from chalicelib.organisations.domain import House, Member, MemberUnknown, Role

SENT = "answer_sent"
ELSEWHERE = "answer_elsewhere"
PAPERS = frozenset({Channel.REGISTERED_POST, Channel.IN_PERSON})
# Who may be the second person: whoever handles cases, but for those who wrote at the answer.
APPROVERS = (Role.HEAD, Role.ADMIN, Role.QUALITY)
MOST_REASON = 1_000


class AnswerDrafted(Conflict):
    """One answer a case: the draft that there is can be changed."""

    code = "answer_drafted"
    sentence = "There is a draft of the answer already; change that one."


class AnswerIncomplete(Invalid):
    """Something that the rules want in the answer is not there; `field` is the first gap."""

    code = "answer_incomplete"
    sentence = "The rules that apply want something in the answer that is not there yet."


class AnswerSubmitted(Conflict):
    code = "answer_submitted"
    sentence = "The answer is with the second person already, or approved."


class AnswerNotSubmitted(Conflict):
    code = "answer_not_submitted"
    sentence = "The answer does not wait for a second person."


class ApprovalNeeded(Conflict):
    """The organisation wants a second person to approve each answer."""

    code = "approval_needed"
    sentence = "A second person has to approve the answer before it is sent."


class ApprovalByAnother(Forbidden):
    """Nobody approves, or returns, what they wrote themselves."""

    code = "approval_by_another"
    sentence = "You wrote at this answer: somebody else has to look at it."


class InsuredUndecided(Conflict):
    """The insured was asked by e-mail and is silent: the question goes by post (D7)."""

    code = "insured_undecided"
    sentence = "The insured has not said whether it was sent for them; ask them by post."


class ReviewNeeded(Conflict):
    """What was found in the answer is looked at by a person before it goes by e-mail."""

    code = "review_needed"
    sentence = "Look at what was found in the answer, and confirm or correct it, first."


class ReplyFormRefused(Conflict):
    """The rules choose the form of the answer, as far as the client does not."""

    code = "reply_form_refused"
    sentence = "The rules that apply want the answer in the other form."


class AddressMissing(Conflict):
    code = "postal_address_missing"
    sentence = "There is no postal address of the person who is answered."


class AnswerNotOut(Conflict):
    """The paper of this answer was not made, or its words were changed since."""

    code = "answer_not_out"
    sentence = "Make the letter first; it is made anew when its words change."


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer says in the answer."""

    outcome: Outcome | None
    text: str
    elements: Mapping[str, str]
    signer: Signer


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The form that the pack wants the answer to have, and what the client may ask for."""

    form: Literal["paper", "electronic"]
    asked: str
    choices: tuple[Literal["paper", "electronic"], ...]
    document: str
    address: str
    unverified: bool


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is to leave: what the officer states, and what is known of the client.

    `informational` is the officer's word that it is information or consultation (M77).
    """

    channel: Channel
    informational: bool
    reply: Reply
    postal_address: str = ""


# Writing it


def draft(
    held: Held[Complaint],
    answer_id: str,
    words: Words,
    language: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
    once: Once | None = None,
    published: Iterable[str] = (),
) -> Change:
    """A first draft; its words begin from the template of its outcome and language.

    `published`: what it may hold, word for word, of what the organisation publishes.
    """
    case = held.value
    require_open(case)
    if case.answer is not None:
        raise AnswerDrafted
    require_outcome(case, words.outcome)
    refuse(language in house.settings.languages, "language")
    blank = Said(
        said_id=answer_id,
        kind=SENT,
        language=language,
        published=tuple(map(privacy.digest, published)),
    )
    said = _said(case, blank, words, by=by, now=now)
    progress = AnswerProgress(
        answer_id=answer_id,
        outcome=words.outcome,
        by=by.id,
        authors=(by.id,),
        drafted_at=now,
    )
    return acts.done(
        held,
        replace(case, answer=progress),
        house,
        "answer_drafted",
        by=by,
        now=now,
        body=_told(said, outcome=words.outcome),
        parts=(Part(sk=_sk(answer_id), data=said, create=True),),
        once=once,
    )


def redraft(
    held: Held[Complaint], said: Said, words: Words, house: House, *, by: Actor, now: datetime
) -> Change:
    """Other words, outcome or signer.

    Then an approval is taken back, and a paper that was made is no longer the answer. What was made
    of its private data stays as evidence, of the words as they were.
    """
    case, progress = _open(held, said)
    require_outcome(case, words.outcome)
    changed = _said(case, said, words, by=by, now=now)
    if _same_words(said, changed) and words.outcome == progress.outcome:
        changed, written = said, progress
    else:
        written = replace(
            progress.taken_back,
            outcome=words.outcome,
            authors=tuple(dict.fromkeys((*progress.authors, by.id))),
        )
    return acts.done(
        held,
        replace(case, answer=written),
        house,
        "answer_edited",
        by=by,
        now=now,
        body=_told(changed, outcome=words.outcome),
        parts=(Part(sk=_sk(said.said_id), data=changed),),
    )


def review(
    held: Held[Complaint],
    said: Said,
    removed: Iterable[Finding],
    added: Iterable[tuple[int, int, privacy.Kind]],
    reason: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """An officer confirms what was found in the answer, or corrects it with a reason (M75)."""
    case, _ = _open(held, said)
    words, found = elements.whole(said), findings(case, said)
    taken, new = tuple(removed), tuple(added)
    made = (
        privacy.corrected(words, found, removed=taken, added=new, reason=reason)
        if taken or new
        else privacy.confirmed(words)
    )
    checked = replace(said, checked=Checked(review=made, by=by.id, at=now))
    return acts.done(
        held,
        case,
        house,
        "answer_reviewed",
        by=by,
        now=now,
        body={"answer": said.said_id, "found": len(found), "review": msgspec.to_builtins(made)},
        parts=(Part(sk=_sk(said.said_id), data=checked),),
    )


def findings(case: Complaint, said: Said) -> tuple[Finding, ...]:
    """Whatever private the letter holds, by the detectors of its language.

    What every such letter says word for word, such as where to turn to, holds nothing.
    """
    found = privacy.findings(elements.whole(said), privacy.language_of(said.language))
    own = elements.own_words(case, said)
    return tuple(
        one for one in found if not any(start <= one.start and one.end <= end for start, end in own)
    )


def counted(case: Complaint, said: Said) -> tuple[Finding, ...]:
    """What counts: what was found, as corrected by an officer if they saw these very words."""
    found, words = findings(case, said), elements.whole(said)
    if said.checked is None or said.checked.review.text_digest != privacy.digest(words):
        return found
    return privacy.reviewed(words, found, said.checked.review)


def is_reviewed(said: Said) -> bool:
    """Whether an officer looked at what was found in these very words."""
    digest = privacy.digest(elements.whole(said))
    return said.checked is not None and said.checked.review.text_digest == digest


# A second person


def submit(held: Held[Complaint], said: Said, house: House, *, by: Actor, now: datetime) -> Change:
    """To a second person: the whole answer, and the heads learn that it waits."""
    case, progress = _open(held, said)
    if progress.submitted_at is not None:
        raise AnswerSubmitted
    require_outcome(case, progress.outcome)
    require_whole(case, said, progress.outcome)
    changed = replace(case, answer=replace(progress, submitted_at=now, returned=""))
    return acts.done(
        held,
        changed,
        house,
        "answer_submitted",
        by=by,
        now=now,
        body=_told(said, outcome=progress.outcome),
        notices=_ask_second(held.key.id, changed, progress, house, now),
    )


def approve(held: Held[Complaint], said: Said, house: House, *, by: Actor, now: datetime) -> Change:
    """A second person approves these words; `ApprovalByAnother` for whoever wrote at them."""
    case, progress = _waiting(held, said, by)
    changed = replace(case, answer=replace(progress, approved_at=now, approved_by=by.id))
    return acts.done(
        held,
        changed,
        house,
        "answer_approved",
        by=by,
        now=now,
        body=_told(said, outcome=progress.outcome),
        notices=_tell_authors(held.key.id, changed, progress, house, "answer_approved", by, now),
    )


def give_back(
    held: Held[Complaint], said: Said, reason: str, house: House, *, by: Actor, now: datetime
) -> Change:
    """A second person returns it to who wrote it, with the reason."""
    case, progress = _waiting(held, said, by)
    why = text.block(reason, "reason", most=MOST_REASON)
    changed = replace(case, answer=replace(progress.taken_back, returned=why))
    return acts.done(
        held,
        changed,
        house,
        "answer_returned",
        by=by,
        now=now,
        body=_told(said, reason=why),
        notices=_tell_authors(held.key.id, changed, progress, house, "answer_returned", by, now),
    )


# Whether it may leave, and how


def require_outcome(case: Complaint, outcome: Outcome | None) -> None:
    """A complaint has an outcome; thanks and suggestions have none."""
    if case.kind is Kind.COMPLAINT:
        refuse(outcome is not None, "outcome")
    if case.kind in (Kind.GRATITUDE, Kind.SUGGESTION):
        refuse(outcome is None, "outcome")


def require_whole(case: Complaint, said: Said, outcome: Outcome | None) -> None:
    """`AnswerIncomplete` naming the first gap, if there is any."""
    found = elements.gaps(case, said, outcome, "en")
    if found:
        raise AnswerIncomplete(field=found[0].field)


def require_insured(case: Complaint) -> None:
    """The insured was asked first, and said yes, or the question went by post (M38, D7)."""
    handling.require_may_speak(case)
    question = case.question
    if not case.third_party or question is None or question.decision == "mine":
        return
    if question.posted_on is None:
        raise InsuredUndecided


def reply_form(case: Complaint) -> Form:
    """The form of the answer by the pack of the day of receipt, and where that is written."""
    rule = case.policy.reply_form
    source = case.policy.sources[rule.source]
    return Form(
        form=rule.of(case.form, case.reply_form),
        asked=case.reply_form,
        choices=rule.client_may_choose,
        document=source.document,
        address=source.address,
        unverified=rule.unverified,
    )


def verdict(case: Complaint, said: Said, reply: Reply, *, informational: bool) -> Verdict:
    """By which channels the answer may leave, for what it holds and what the client signed."""
    return handling.open_to(counted(case, said), reply, informational=informational)


def forms_allowed(case: Complaint, channel: Channel, *, email_open: bool) -> bool:
    """Whether the pack allows this channel's form.

    Paper does instead of an e-mail that can't be sent; who comes and takes the letter has chosen.
    """
    if channel is Channel.IN_PERSON:
        return True
    wanted = reply_form(case).form
    if channel is Channel.EMAIL:
        return wanted == "electronic"
    return wanted == "paper" or not email_open


def email_open(case: Complaint, found: Verdict) -> bool:
    """Whether an e-mail can reach who is answered: it may, there is an address, none came back."""
    progress = case.answer
    came_back = progress is not None and progress.bounced_at is not None
    return Channel.EMAIL in found.allowed and case.may_email and not came_back


# Sending it


def require_sendable(held: Held[Complaint], said: Said, sending: Sending, house: House) -> Verdict:
    """Every condition of sending, checked: whole, approved, allowed; why it may leave so."""
    case, progress = _open(held, said)
    require_outcome(case, progress.outcome)
    require_insured(case)
    require_whole(case, said, progress.outcome)
    if house.settings.complaints.approval and progress.approved_at is None:
        raise ApprovalNeeded
    _require_reachable(case, sending)
    found = verdict(case, said, sending.reply, informational=sending.informational)
    open_ = email_open(case, found)
    if not forms_allowed(case, sending.channel, email_open=open_):
        raise ReplyFormRefused(field="channel")
    if sending.channel is Channel.EMAIL:
        _require_reviewed(said)
    if sending.channel not in found.allowed:
        raise ChannelRefused(field="channel")
    return found


def send_email(
    held: Held[Complaint], said: Said, sending: Sending, house: House, *, by: Actor, now: datetime
) -> Change:
    """By e-mail: the letter is promised, and with it the case is answered."""
    found = require_sendable(held, said, sending, house)
    case, progress = _open(held, said)
    on = case.day(now)
    sent = replace(
        progress,
        channel=Channel.EMAIL,
        informational=sending.informational,
        sent_at=now,
        sent_on=on,
        bounced_at=None,
    )
    changed = _answered(case, sent, by, now)
    box = receipt.for_mailbox(case)
    letter = acts.letter(SENT, case.addressed_as, now, about=said.said_id, **box)
    return acts.done(
        held,
        changed,
        house,
        "answer_sent",
        by=by,
        now=now,
        body=_left(said, changed, sending, found),
        letters=(letter,),
    )


def send_paper(
    held: Held[Complaint],
    said: Said,
    paper: Paper,
    sending: Sending,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """On paper: the official letter is made, to be posted or handed over; the case stays open."""
    found = require_sendable(held, said, sending, house)
    case, progress = _open(held, said)
    out = replace(
        progress,
        channel=sending.channel,
        informational=sending.informational,
        sent_at=now,
        sent_on=None,
    )
    changed = replace(case, answer=out)
    return acts.done(
        held,
        changed,
        house,
        "answer_printed",
        by=by,
        now=now,
        body=_left(said, changed, sending, found) | {"paper": paper.sha256},
        parts=(Part(sk=_sk(said.said_id), data=replace(said, paper=paper)),),
    )


def posted(
    held: Held[Complaint],
    said: Said,
    on: date,
    tracking: str,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """The letter went by registered post on that day: the sending counts (M52, M55, M84).

    Who has an e-mail address that is theirs learns by it where the answer is, and nothing else.
    """
    case, progress = _out(held, said, Channel.REGISTERED_POST)
    require_insured(case)
    _require_day(case, progress, on, "posted_on", now)
    number = text.line(tracking, "tracking", most=60)
    sent = replace(progress, sent_on=on, tracking=number)
    changed = _answered(case, sent, by, _closing(case, on, now))
    told = acts.letter(
        ELSEWHERE, case.addressed_as, now, channel="registered_post", on=on.isoformat()
    )
    return acts.done(
        held,
        changed,
        house,
        "answer_posted",
        by=by,
        now=now,
        body=_told(said, on=on.isoformat(), tracking=number, late=is_late(changed)),
        parts=(Part(sk=_sk(said.said_id), data=replace(said, posted_on=on)),),
        letters=(told,) if case.may_email else (),
    )


def handed(
    held: Held[Complaint],
    said: Said,
    identified: Identification,
    house: House,
    *,
    by: Actor,
    now: datetime,
) -> Change:
    """The letter was handed over, to a person who was identified first (M80, M84)."""
    case, progress = _out(held, said, Channel.IN_PERSON)
    require_insured(case)
    _require_day(case, progress, identified.on, "on", now)
    refuse(_is_there(house, identified.seen_by), "seen_by")
    seen = replace(identified, document=text.line(identified.document, "document"))
    sent = replace(progress, sent_on=identified.on, identification=seen)
    changed = _answered(case, sent, by, _closing(case, identified.on, now))
    return acts.done(
        held,
        changed,
        house,
        "answer_handed",
        by=by,
        now=now,
        body=_told(said, identification=msgspec.to_builtins(seen), late=is_late(changed)),
    )


def is_late(case: Complaint) -> bool:
    """Whether the answer left after the legal limit: it leaves all the same."""
    due, sent = case.answer_due, case.answer.sent_on if case.answer else None
    return due is not None and sent is not None and sent > due.limit


def stage(case: Complaint) -> Literal["draft", "submitted", "returned", "approved", "out", "sent"]:
    """How far the answer has come; `out` is a paper that is made and not yet posted or handed."""
    one = case.answer
    if one is None:
        raise AnswerUnknown
    reached: tuple[tuple[bool, Any], ...] = (
        (one.sent_on is not None, "sent"),
        (bool(one.channel), "out"),
        (one.approved_at is not None, "approved"),
        (one.submitted_at is not None, "submitted"),
        (bool(one.returned), "returned"),
    )
    return next((name for there, name in reached if there), "draft")


# What becomes of the letter


def on_sent(held: Held[Complaint], letter: Letter, house: House, *, now: datetime) -> Change | None:
    """The mail service took it on a later day than it was promised: that day is the one it left."""
    case = held.value
    progress = _by_email(case, letter)
    if progress is None or progress.sent_on == case.day(now):
        return None
    changed = replace(case, answer=replace(progress, sent_on=case.day(now)))
    return acts.done(
        held,
        changed,
        house,
        "answer_left",
        by=SYSTEM,
        now=now,
        body={"answer": progress.answer_id, "late": is_late(changed)},
    )


def on_bounced(
    held: Held[Complaint], letter: Letter, house: House, *, now: datetime
) -> Change | None:
    """The answer came back, or was never taken: nobody was answered, so the case is open again.

    Not one that was registered anew: its client is heard there.
    """
    case = held.value
    progress = _by_email(case, letter)
    if progress is None or case.reopened_as:
        return None
    back = replace(progress, channel="", sent_at=None, sent_on=None, bounced_at=now)
    changed = replace(case, answer=back, closed=None, waiting_since=None)
    return acts.done(
        held,
        changed,
        house,
        "answer_bounced",
        by=SYSTEM,
        now=now,
        body={"answer": progress.answer_id},
        notices=acts.notices(held.key.id, changed, house, "answer_bounced", "officer", now=now),
    )


def _by_email(case: Complaint, letter: Letter) -> AnswerProgress | None:
    """The answer that this letter carried, if it is what ended the case."""
    progress, closed = case.answer, case.closed
    if letter.template != SENT or progress is None or progress.answer_id != letter.about:
        return None
    ended = closed is not None and closed.state is State.ANSWERED
    return progress if ended and progress.channel == Channel.EMAIL and not case.erasure else None


def _open(held: Held[Complaint], said: Said) -> tuple[Complaint, AnswerProgress]:
    case = held.value
    require_open(case)
    return case, case.answer_of(said.said_id)


def _waiting(held: Held[Complaint], said: Said, by: Actor) -> tuple[Complaint, AnswerProgress]:
    case, progress = _open(held, said)
    if progress.submitted_at is None or progress.approved_at is not None:
        raise AnswerNotSubmitted
    if by.id in progress.authors:
        raise ApprovalByAnother
    return case, progress


def _out(held: Held[Complaint], said: Said, channel: Channel) -> tuple[Complaint, AnswerProgress]:
    case, progress = _open(held, said)
    if progress.channel != channel or progress.sent_at is None or said.paper is None:
        raise AnswerNotOut
    return case, progress


def _said(case: Complaint, said: Said, words: Words, *, by: Actor, now: datetime) -> Said:
    """The words as they are kept: each element that the rules know, in their order."""
    unknown = sorted(words.elements.keys() - set(elements.known(case)))
    refuse(not unknown, f"elements.{unknown[0]}" if unknown else "elements")
    given = {key: words.elements.get(key, "") for key in elements.known(case)}
    return replace(
        said,
        text=receipt.words(words.text, "text", most=handling.MOST_WORDS),
        elements={
            key: receipt.words(one, f"elements.{key}", most=handling.MOST_ELEMENT)
            for key, one in given.items()
            if one.strip()
        },
        signer=Signer(
            name=receipt.line(words.signer.name, "signer.name", 120),
            position=receipt.line(words.signer.position, "signer.position", 120),
        ),
        by=by.id,
        at=now,
    )


def _same_words(one: Said, other: Said) -> bool:
    return (one.text, one.elements, one.signer) == (other.text, other.elements, other.signer)


def _answered(case: Complaint, sent: AnswerProgress, by: Actor, at: datetime) -> Complaint:
    end = Closed(state=State.ANSWERED, at=at, by=by.id, outcome=sent.outcome)
    return replace(case, answer=sent, closed=end)


def _closing(case: Complaint, on: date, now: datetime) -> datetime:
    """When the case ended: on the day of the sending, which may be told later."""
    return now if on == case.day(now) else instant(on, time(12), case.zone)


def _require_day(
    case: Complaint, progress: AnswerProgress, on: date, field: str, now: datetime
) -> None:
    """From the day on which the paper was made until today."""
    made = case.day(progress.sent_at) if progress.sent_at else date.max
    refuse(made <= on <= case.day(now), field)


def _require_reachable(case: Complaint, sending: Sending) -> None:
    if sending.channel is Channel.EMAIL:
        handling.require_email(case)
    if sending.channel is Channel.REGISTERED_POST and not sending.postal_address:
        raise AddressMissing(field="channel")


def _require_reviewed(said: Said) -> None:
    if said.checked is None:
        raise ReviewNeeded
    privacy.reviewed(elements.whole(said), (), said.checked.review)


def _is_there(house: House, staff_id: str) -> bool:
    try:
        member: Member = house.directory.get(staff_id)
    except MemberUnknown:
        return False
    return member.active


def _ask_second(
    case_id: str, case: Complaint, progress: AnswerProgress, house: House, now: datetime
) -> tuple[Notice, ...]:
    """The heads are told, and where they wrote it themselves, whoever else may approve it."""
    heads = [one.staff_id for one in acts.people(case, "head", house)]
    others = [
        one.staff_id
        for role in APPROVERS
        for one in house.directory.members
        if one.active and one.role is role
    ]
    free = [[one for one in group if one not in progress.authors] for group in (heads, others)]
    to = tuple((free[0] or free[1])[: acts.MOST_TOLD])
    return acts.notices(case_id, case, house, "approval_asked", to, now=now)


def _tell_authors(
    case_id: str,
    case: Complaint,
    progress: AnswerProgress,
    house: House,
    kind: str,
    by: Actor,
    now: datetime,
) -> tuple[Notice, ...]:
    to = tuple(one for one in progress.authors if one != by.id and _is_there(house, one))
    return acts.notices(case_id, case, house, kind, to, now=now)


def _told(said: Said, **more: Any) -> dict[str, Any]:
    """What an event tells of an answer: its words by their digest, for they are a part."""
    told = {"answer": said.said_id, "words": privacy.digest(elements.whole(said)), **more}
    plain: dict[str, Any] = msgspec.to_builtins(told)
    return plain


def _left(said: Said, case: Complaint, sending: Sending, found: Verdict) -> dict[str, Any]:
    """How it leaves and why it may: the grounds, and the declarations that they rest on."""
    return _told(
        said,
        channel=sending.channel,
        outcome=case.answer.outcome if case.answer else None,
        informational=sending.informational,
        form=reply_form(case).form,
        grounds=found.allowed[sending.channel],
        proofs=sending.reply.proofs,
        late=is_late(case),
    )


def _sk(answer_id: str) -> str:
    return f"SAID#{answer_id}"


def gaps(case: Complaint, said: Said, language: str) -> tuple[Gap, ...]:
    """What the answer still lacks, told in this language."""
    return elements.gaps(case, said, case.answer_of(said.said_id).outcome, language)
