"""What is told of a case, chapter by chapter: all that is kept, in the order in which it is read.

What people wrote stands as they wrote it; codes are said in the reader's words (`on_paper.toml`),
and one that has no word there is shown as it is. A letter is told with what became of it: what came
back, or was never let go, told nobody anything.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.complaints import answers, phrases
from chalicelib.complaints.attention import keep_until
from chalicelib.complaints.case import (
    AnswerProgress,
    CaseFile,
    Closed,
    Complaint,
    Employee,
    Logged,
    Message,
    Person,
    Request,
    Said,
    State,
    Statement,
)
from chalicelib.complaints.handling import BY_LINK
from chalicelib.complaints.products import products
from chalicelib.documents.dossier import Chapter, Line, Passage
from chalicelib.kernel.change import Letter
from chalicelib.kernel.days import day
from chalicelib.kernel.workdays import DAY, local
from chalicelib.organisations.domain import House
from chalicelib.policy.packs import Worded
from chalicelib.policy.reasons import why
from chalicelib.ports import EventRecord

_WORDS = Path(__file__).parent / "on_paper.toml"
ANSWER, EXTENSION, REQUEST = "answer_sent", "answer_extended", "data_requested"
# What an event tells beside its kind, in people's own words.
_TOLD = {
    "answer_posted": ("tracking",),
    "answer_returned": ("reason",),
    "address_proven": ("how",),
    "authority_recorded": ("document",),
    "file_released": ("reason",),
    "held": ("reason",),
    "insured_answered": ("how",),
    "interval_set": ("document",),
    "performed": ("how",),
    "redress_recorded": ("redress",),
    "request_still_open": ("reason",),
    "returned": ("delay",),
    "routed_out": ("note", "delay"),
    "rules_set": ("reason",),
    "suspended": ("delay",),
    "suspension_asked": ("document",),
    "went_outside": ("number",),
}
_KEPT_AS = {"contract_number": "contract", "claim_number": "claim"}
Words = dict[str, dict[str, str]]


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of a case, oldest first. `references`: of the cases it is linked with."""

    case: Complaint
    statement: Statement
    messages: tuple[Message, ...] = ()
    files: tuple[CaseFile, ...] = ()
    said: tuple[Said, ...] = ()
    log: tuple[Logged, ...] = ()
    letters: tuple[Letter, ...] = ()
    events: tuple[EventRecord, ...] = ()
    references: Mapping[str, str] = {}

    def words_of(self, said_id: str) -> Said | None:
        """What staff said under this id, as long as it is kept."""
        return next((one for one in self.said if one.said_id == said_id), None)


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """How it is told: in which language, by which clock, with whose names."""

    language: str
    zone: str
    words: Words
    names: Mapping[str, str]

    def word(self, group: str, key: str) -> str:
        """The reader's word for a code."""
        return self.words[group].get(key, key)

    def who(self, staff_id: str) -> str:
        """A member of staff."""
        return self.names.get(staff_id, staff_id)

    def on(self, when: date | None) -> str:
        """A day."""
        return day(when, self.language) if when else ""

    def day(self, moment: datetime | None) -> str:
        """The day of a moment, on the organisation's wall."""
        return self.on(local(moment, self.zone).date()) if moment else ""

    def at(self, moment: datetime | None) -> str:
        """A moment."""
        if moment is None:
            return ""
        return self.words["paper"]["moment"].format(at=local(moment, self.zone))

    def about(self, **known: str) -> tuple[str, ...]:
        """What is known, each under its label; what is not known is left out."""
        labels = self.words["labels"]
        return tuple(f"{labels[name]}: {value}" for name, value in known.items() if value)


def voice(case: Complaint, house: House, language: str) -> Voice:
    """How this case is told, in one of our languages."""
    return Voice(
        language=language,
        zone=case.zone,
        words=words(language),
        names={one.staff_id: one.name for one in house.directory.members},
    )


def told(whole: Whole, voice: Voice, house: House) -> tuple[Chapter, ...]:
    """Every chapter: what is asked, what came of it, what it rests on, what happened."""
    case = whole.case
    found = {
        "": _facts(case, voice),
        "statement": _statement(whole, voice),
        "messages": (_message(one, whole, voice) for one in whole.messages),
        "files": (_file(one, voice) for one in whole.files),
        "question": _question(case, voice),
        "requests": _requests(whole, voice),
        "extension": _extensions(whole, voice),
        "answer": _answer(whole, voice),
        "end": _ends(whole, voice),
        "granted": _granted(whole, voice),
        "outside": _outside(case, voice),
        "linked": _linked(whole, voice),
        "deadlines": dates(case, house, voice),
        "log": (_logged(one, voice) for one in whole.log),
        "letters": _letters(whole, voice),
        "timeline": (_event(one, case, voice) for one in whole.events),
    }
    titles = voice.words["chapters"]
    return tuple(
        Chapter(title=titles[name] if name else "", lines=tuple(lines))
        for name, lines in found.items()
    )


def _facts(case: Complaint, voice: Voice) -> Iterator[Line]:
    values, yes = voice.words["values"], voice.word("values", "yes")
    claimed = voice.word("values", "authority_unseen") if case.claims_authority else ""
    known = {
        "kind": values[case.kind],
        "state": values[case.state],
        "vulnerable": yes if case.vulnerable else "",
        "hold": case.hold,
        "flags": ", ".join(voice.word("flags", one) for one in case.flags),
        "channel": values[case.channel],
        "received": voice.at(case.received_at),
        "entered": _by(voice.at(case.entered_at), voice.who(case.entered_by)),
        "agent": voice.who(case.agent),
        "agent_received": voice.at(case.agent_received_at),
        "handed_over": voice.at(case.handed_over_at),
        "registered": voice.at(case.registered_at),
        "acknowledged": voice.on(case.acknowledged_on),
        "closed": voice.at(case.closed.at) if case.closed else "",
        "waiting": voice.at(case.waiting_since),
        "writer": _person(case.writer),
        "anonymous": yes if case.is_anonymous else "",
        "insured": _person(case.insured) if case.insured else "",
        "authority": _authority(case, voice) or claimed,
        "audience": values[case.audience],
        "scope": values[case.scope] if case.scope != "complaint" else "",
        "rules": case.policy.title,
        "contract": case.contract_number,
        "claim": case.claim_number,
        "product": _product(case.product, voice),
        "employee": _employee(case.employee),
        "reply_form": values[case.reply_form] if case.reply_form else "",
        "email_consent": case.email_consent,
        "department": case.department,
        "assignee": voice.who(case.assignee),
        "outcome": values.get(case.closed.outcome or "", "") if case.closed else "",
        "cause": case.cause,
    }
    yield from (
        Line(label=voice.words["facts"][name], value=value)
        for name, value in known.items()
        if value
    )


def _authority(case: Complaint, voice: Voice) -> str:
    seen = case.authority
    return _by(seen.document, voice.who(seen.by), voice.at(seen.at)) if seen else ""


# What the client says


def _statement(whole: Whole, voice: Voice) -> Iterator[Line | Passage]:
    one, labels = whole.statement, voice.words["labels"]
    if one.subject:
        yield Line(label=labels["subject"], value=one.subject)
    if one.substance:
        yield Passage(text=one.substance)
    if one.read_back:
        read = one.read_back
        agreed = voice.word("values", "agreed" if read.agreed else "not_agreed")
        by = _by(voice.at(read.at), voice.who(read.taken_by))
        yield Line(label=labels["read_back"], value=agreed, about=(by,), more=read.text)
    if one.quoted:
        yield Line(label=labels["quoted"], more=one.quoted)
    if one.notes:
        yield Line(label=labels["notes"], more="\n".join(one.notes))


def _message(one: Message, whole: Whole, voice: Voice) -> Line:
    names = {file.file_id: file.name for file in whole.files}
    files = "; ".join(names.get(file, file) for file in one.files)
    return Line(
        label=voice.at(one.at),
        value=_by(voice.word("people", one.sender), voice.word("values", one.channel)),
        about=voice.about(files=files),
        more=one.text,
    )


def _file(one: CaseFile, voice: Voice) -> Line:
    return Line(
        label=voice.at(one.added),
        value=one.name,
        about=voice.about(
            state=_by(voice.word("files", one.state), voice.word("held", one.reason)),
            released=voice.who(one.released_by),
            size=f"{one.size:,} B".replace(",", "\u00a0"),
            type=one.content_type,
            source=voice.word("sources", one.source),
            digest=one.sha256,
        ),
    )


# What is said to the client, and asked


def _question(case: Complaint, voice: Voice) -> Iterator[Line]:
    asked, labels = case.question, voice.words["labels"]
    if asked is not None and asked.was_asked:
        by_link = asked.expires > asked.asked_at
        yield Line(
            label=labels["asked"],
            value=voice.at(asked.asked_at) if by_link else voice.on(asked.posted_on),
            about=voice.about(
                link_until=voice.at(asked.expires) if by_link else "",
                posted=voice.on(asked.posted_on),
            ),
        )
        said = voice.word("decisions", asked.decision or "silent")
        how = voice.word("values", "by_link") if asked.how == BY_LINK else asked.how
        about = voice.about(on=voice.at(asked.decided_at), how=how)
        yield Line(label=labels["decided"], value=said, about=about)
    if case.proven_email:
        yield Line(label=labels["proven_email"], value=case.proven_email)


def _requests(whole: Whole, voice: Voice) -> Iterator[Line]:
    case, labels = whole.case, voice.words["labels"]
    for one in case.requests:
        said = whole.words_of(one.said)
        yield Line(
            label=voice.on(one.sent_on),
            value=f"{labels['request']} {one.n}: {voice.word('grounds', one.ground)}",
            about=voice.about(
                way=voice.word("values", one.channel),
                answer_by=voice.on(one.answer_by),
                result=_result(one, voice),
                letter=_fate(said, whole, voice) if said else "",
            ),
            more=_spoken(said, case, voice) if said else "",
        )
    if case.gap:
        least, most = case.gap
        days = f"{least}–{most} {voice.word('values', 'days')}"
        yield Line(label=labels["interval"], value=days)
    if case.own_request_on:
        yield Line(label=labels["own_request"], value=voice.on(case.own_request_on))


def _result(one: Request, voice: Voice) -> str:
    if one.came_back:
        return voice.word("results", "came_back")
    if one.answered_on is None:
        return voice.word("results", "silent")
    return f"{voice.word('results', 'answered')}: {voice.on(one.answered_on)}"


def _extensions(whole: Whole, voice: Voice) -> Iterator[Line]:
    one, rules = whole.case.extension, whole.case.policy.extension
    if one is not None:
        yield Line(
            label=voice.at(one.at),
            value=f"{voice.word('labels', 'until')}: {voice.on(one.to)}",
            about=voice.about(reason=_worded(rules.reasons if rules else {}, one.reason, voice)),
        )
    yield from (_said(one, whole, voice) for one in whole.said if one.kind == EXTENSION)


def _answer(whole: Whole, voice: Voice) -> Iterator[Line | Passage]:
    """How far it came; its words once they left: a draft is nobody's answer yet."""
    case = whole.case
    one = case.answer
    if one is None:
        return
    said, labels, seen = whole.words_of(one.answer_id), voice.words["labels"], one.identification
    yield Line(
        label=labels["state"],
        value=voice.word("stages", answers.stage(case)),
        about=voice.about(
            outcome=voice.word("values", one.outcome) if one.outcome else "",
            drafted=_by(voice.at(one.drafted_at), *map(voice.who, one.authors or (one.by,))),
            approved=_by(voice.at(one.approved_at), voice.who(one.approved_by)),
            returned=one.returned,
            way=voice.word("values", one.channel) if one.channel else "",
            on=voice.on(one.sent_on),
            tracking=one.tracking,
            identified=_by(seen.document, voice.who(seen.seen_by)) if seen else "",
            letter=_fate(said, whole, voice) if said else "",
            bounced=voice.at(one.bounced_at),
        ),
    )
    if said is None or not _left(one, whole):
        return
    if said.text:
        yield Passage(text=said.text)
    for key, text in said.elements.items():
        yield Line(label=_title(key, voice), more=text)
    signer = _by(said.signer.name, said.signer.position)
    if signer:
        yield Line(label=labels["signer"], value=signer)


def _left(one: AnswerProgress, whole: Whole) -> bool:
    """Whether its words, as they are kept, ever left: sent, or sent and come back since."""
    if one.sent_on is not None:
        return True
    back = one.bounced_at
    return back is not None and not any(
        event.envelope["kind"] == "answer_edited" and _moment(event) >= back
        for event in whole.events
    )


def _ends(whole: Whole, voice: Voice) -> Iterator[Line]:
    case, told = whole.case, {REQUEST, EXTENSION, ANSWER}
    if case.undone is not None:
        yield _end(case.undone, case, voice, voice.word("results", "undone"))
    if case.closed is not None:
        yield _end(case.closed, case, voice, "")
    yield from (_said(one, whole, voice) for one in whole.said if one.kind not in told)


def _end(one: Closed, case: Complaint, voice: Voice, result: str) -> Line:
    grounds = case.policy.suspension.grounds if case.policy.suspension else {}
    known = grounds if one.state is State.CLOSED_SUSPENDED else case.policy.no_answer
    return Line(
        label=voice.at(one.at),
        value=voice.word("values", one.state),
        about=voice.about(
            result=result,
            reason=_worded(known, one.reason, voice),
            outcome=voice.word("values", one.outcome) if one.outcome else "",
            by=voice.who(one.by),
        ),
    )


def _granted(whole: Whole, voice: Voice) -> Iterator[Line]:
    """What was granted, and whether it was done: the rules may set a day for it."""
    case, labels = whole.case, voice.words["labels"]
    if case.redress:
        yield Line(label=labels["redress"], value=case.redress)
    if case.performed_on is not None:
        how = [one.body["how"] for one in whole.events if _kind(one) == "performed" and one.body]
        value = voice.on(case.performed_on)
        yield Line(label=labels["performed"], value=value, about=voice.about(how=_last(how)))
    elif not case.erasure and "perform" in case.deadlines:
        by = voice.on(case.deadlines["perform"].limit)
        value = voice.word("results", "not_performed")
        yield Line(label=labels["performed"], value=value, about=voice.about(due=by))


def _outside(case: Complaint, voice: Voice) -> Iterator[Line]:
    for one in case.outside:
        yield Line(
            label=voice.on(one.on),
            value=_by(voice.word("bodies", one.body), voice.word("outside", one.stage)),
            about=voice.about(number=one.number, answer_by=voice.on(one.answer_by)),
        )


def _linked(whole: Whole, voice: Voice) -> Iterator[Line]:
    case = whole.case
    known = {
        "duplicate_of": (case.duplicate_of,),
        "duplicates": case.duplicates,
        "reopens": (case.reopens,),
        "reopened_as": (case.reopened_as,),
    }
    for name, ids in known.items():
        for one in filter(None, ids):
            label, value = voice.word("labels", name), whole.references.get(one, one)
            yield Line(label=label, value=value)


def dates(case: Complaint, house: House, voice: Voice) -> Iterator[Line]:
    """What follows from the rules; how long it is kept is the longer of theirs and the house's."""
    if case.erasure:
        return
    known, titles = case.deadlines, voice.words["dates"]
    for rule, term in known.items():
        if rule in titles and rule != "keep":
            reason = why(term, voice.language)
            yield Line(label=voice.on(term.limit), value=titles[rule], more=reason)
    end = None if case.hold else keep_until(case, house.settings.complaints)
    if end is not None:
        last, rules = case.day(end) - DAY, known.get("keep")
        by_rules = rules is not None and rules.limit == last
        reason = why(rules, voice.language) if rules and by_rules else titles["keep_own"]
        yield Line(label=voice.on(last), value=titles["keep"], more=reason)


# What happened


def _logged(one: Logged, voice: Voice) -> Line:
    whom = voice.word("people", one.whom) if one.whom else ""
    return Line(
        label=voice.at(one.at),
        value=_by(voice.word("log", one.kind), whom),
        about=(voice.who(one.by),),
        more=one.text,
    )


def _letters(whole: Whole, voice: Voice) -> Iterator[Line]:
    """Every letter with what became of it, those that went by post among them."""
    found = [(one.promised_at, _letter(one, whole, voice)) for one in whole.letters]
    found += [
        (one.at, _posted(one, voice)) for one in whole.said if one.posted_on is not None and one.at
    ]
    yield from (line for _, line in sorted(found, key=lambda one: one[0]))


def _letter(one: Letter, whole: Whole, voice: Voice) -> Line:
    sent = one.sent_at if one.state not in ("sent", "promised") else None
    return Line(
        label=voice.at(one.promised_at),
        value=_template(one.template, voice),
        about=voice.about(
            to=voice.word("people", one.to),
            state=_state(one, whole, voice),
            sent=voice.at(sent),
        ),
    )


def _posted(one: Said, voice: Voice) -> Line:
    return Line(
        label=voice.on(one.posted_on),
        value=_template(one.kind, voice),
        about=voice.about(state=voice.word("sending", "posted")),
    )


def _state(one: Letter, whole: Whole, voice: Voice) -> str:
    """How far a letter came, when, and why no further."""
    moments = {
        "sent": one.sent_at,
        "delivered": one.delivered_at,
        "bounced": _came_back(one, whole),
        "complained": None,
    }
    why_not = one.reason if one.state in ("held", "unneeded", "promised") else ""
    state = voice.word("sending", one.state)
    return _by(state, voice.at(moments.get(one.state)), voice.word("reasons", why_not))


def _came_back(one: Letter, whole: Whole) -> datetime | None:
    """When a letter came back, as the history tells it."""
    for event in whole.events:
        body = event.body or {}
        named = one.letter_id == body.get("letter")
        answer = _kind(event) == "answer_bounced" and one.about and one.about == body.get("answer")
        if (named or answer) and _moment(event) >= one.promised_at:
            return _moment(event)
    return None


def _fate(said: Said, whole: Whole, voice: Voice) -> str:
    """What became of words of staff: of the last letter about them, or of the paper."""
    if said.posted_on is not None:
        return _by(voice.word("sending", "posted"), voice.on(said.posted_on))
    about = [one for one in whole.letters if one.about and one.about == said.said_id]
    return _state(about[-1], whole, voice) if about else ""


def _said(one: Said, whole: Whole, voice: Voice) -> Line:
    return Line(
        label=voice.at(one.at),
        value=_template(one.kind, voice),
        about=voice.about(
            by=voice.who(one.by),
            until=voice.on(one.until),
            letter=_fate(one, whole, voice),
        ),
        more=_spoken(one, whole.case, voice),
    )


def _spoken(one: Said, case: Complaint, voice: Voice) -> str:
    """The words of a letter: the pack's own, those of staff, and what the pack wants said."""
    titled = (f"{_title(key, voice)}\n{text}" for key, text in one.elements.items())
    return "\n\n".join(filter(None, (one.wording, one.text, *titled)))


def _event(one: EventRecord, case: Complaint, voice: Voice) -> Line:
    actor = one.envelope["actor"]
    actors, events = voice.words["actors"], voice.words["events"]
    return Line(
        label=voice.at(_moment(one)),
        value=events.get(_kind(one), events["other"]),
        about=(
            voice.names.get(actor["id"], actors.get(actor["kind"], actors["other"])),
            *_details(_kind(one), one.body or {}, voice),
        ),
    )


def _details(kind: str, body: Mapping[str, Any], voice: Voice) -> Iterator[str]:
    """What changed, and what people said of it, as far as it is still kept."""
    if kind == "assigned":
        whom, department = voice.who(body.get("assignee", "")), body.get("department", "")
        yield from voice.about(assignee=whom, department=department)
    if kind in ("classified", "corrected"):
        known = {_KEPT_AS.get(name, name): value for name, value in body.items()}
        facts = voice.words["facts"]
        told = {
            facts[name]: _value(name, one, voice) for name, one in known.items() if name in facts
        }
        yield from (f"{label}: {value}" for label, value in told.items())
    yield from voice.about(**{name: str(body.get(name, "")) for name in _TOLD.get(kind, ())})


def _value(name: str, value: Any, voice: Voice) -> str:
    """A value as it was set, or as it was before and is after."""
    if isinstance(value, list):
        return " › ".join(_value(name, one, voice) or "–" for one in value)
    if isinstance(value, dict):
        return _person(msgspec.convert(value, Person))
    if isinstance(value, bool):
        return voice.word("values", "yes" if value else "no")
    if name == "product":
        return _product(value, voice)
    return voice.word("values", value) if name == "kind" else value or ""


# How it is said


def _template(name: str, voice: Voice) -> str:
    letters = voice.words["letters"]
    return letters.get(name, letters["other"])


def _title(key: str, voice: Voice) -> str:
    """What an element is called where it stands in a letter."""
    named = (
        phrases.title(letter, key, voice.language) for letter in ("answer", "refusal", "extension")
    )
    return next(filter(None, named), key)


def _worded(known: Mapping[str, Worded], key: str, voice: Voice) -> str:
    """The pack's own reason in the reader's language."""
    if key in known:
        said: str = getattr(known[key], voice.language)
        return said
    return voice.word("reasons", key)


def _product(code: str, voice: Voice) -> str:
    found = next((one for one in products() if one.code == code), None)
    said: str = getattr(found, voice.language) if found else code
    return said


def _person(one: Person) -> str:
    city = re.escape(one.city)  # many write it into their address, too
    twice = re.search(rf"(?<!\w){city}(?!\w)", one.postal_address, re.IGNORECASE)
    known = (one.name, one.postal_address, "" if twice else one.city, one.email, one.phone)
    return _by(*known)


def _employee(one: Employee) -> str:
    return _by(one.name, one.position, one.department)


def _by(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _last(found: Iterable[str]) -> str:
    return next(reversed(list(found)), "")


def _kind(one: EventRecord) -> str:
    kind: str = one.envelope["kind"]
    return kind


def _moment(one: EventRecord) -> datetime:
    return datetime.fromisoformat(one.envelope["at"])


@cache
def words(language: str) -> Words:
    """What we say ourselves, in one of our languages."""
    known: dict[str, Words] = msgspec.toml.decode(_WORDS.read_bytes(), type=dict[str, Words])
    return known[language]
