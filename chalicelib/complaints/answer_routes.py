"""The answer to a case, for whoever handles cases: written, checked, approved, sent."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from chalicelib.complaints import answering, answers, elements
from chalicelib.complaints.answers import Form, Words
from chalicelib.complaints.case import Complaint, Identification, Outcome, Said, Signer, State
from chalicelib.complaints.elements import Gap
from chalicelib.complaints.handling import HANDLERS
from chalicelib.complaints.privacy import Channel, Finding, Ground, Kind, Rule, Verdict
from chalicelib.kernel.change import Change, Held
from chalicelib.policy.reasons import LANGUAGES
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)
ALL = "/api/complaints/{case_id}/answers"
ONE = ALL + "/{answer_id}"

Stage = Literal["draft", "submitted", "returned", "approved", "out", "sent"]
Place = Annotated[int, msgspec.Meta(ge=0)]


class NewAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the demands; the language is the case's, if left out."""

    outcome: Outcome | None = None
    language: str = ""


class AnswerWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole answer. Without a signer the one before stays."""

    outcome: Outcome | None = None
    text: str
    elements: Annotated[dict[str, str], msgspec.Meta(max_length=50)] = {}
    signer: Signer | None = None


class Stretch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of the whole letter that holds something private."""

    start: Place
    end: Place
    kind: Kind


class Found(Stretch, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One that was found, and the rule that found it."""

    rule: Rule


class ReviewInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the officer makes of what was found: nothing taken or added confirms it (M75)."""

    removed: Annotated[tuple[Found, ...], msgspec.Meta(max_length=500)] = ()
    added: Annotated[tuple[Stretch, ...], msgspec.Meta(max_length=500)] = ()
    reason: str = ""


class Return(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it goes back to who wrote it."""

    reason: str


class SendInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it leaves. `informational` is the officer's word that it only informs (M77)."""

    channel: Channel
    informational: bool = False


class Posted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The day of the stamp, and the number by which the letter is followed."""

    posted_on: date
    tracking: str


class CheckQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the officer would state that it only informs (M77)."""

    informational: bool = False


class ElementView(msgspec.Struct, frozen=True, kw_only=True):
    """An element that the answer must hold, what it is, where that is written, and its text."""

    key: str
    rule: str
    sentence: str
    document: str
    address: str
    unverified: bool
    text: str


class CaseAnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """The answer as it stands; `version` is the case's, to be sent as If-Match.

    `reviewed`: an officer looked at what was found in these very words. `late`: it left after the
    legal limit. `paper_url` opens the official letter for five minutes.
    """

    answer_id: str
    case_id: str
    version: int
    state: State
    stage: Stage
    outcome: Outcome | None
    language: str
    text: str
    elements: tuple[ElementView, ...]
    other_elements: dict[str, str]
    signer: Signer
    by: str
    authors: tuple[str, ...]
    drafted_at: Moment
    submitted_at: Moment | None
    approved_at: Moment | None
    approved_by: str
    returned: str
    reviewed: bool
    reviewed_by: str
    reviewed_at: Moment | None
    channel: str
    informational: bool
    sent_at: Moment | None
    sent_on: date | None
    late: bool
    tracking: str
    identification: Identification | None
    bounced_at: Moment | None
    paper_url: str
    paper_sha256: str


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """Something private: what kind, by which rule, where in `letter`, and what stands there."""

    field: str
    start: int
    end: int
    kind: Kind
    rule: Rule
    line: str
    stretch: str


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel: whether it is open, and why, or why not.

    `private` is the gate's word (M75-M84), `form` the pack's; both have to hold, and `reachable`.
    """

    open: bool
    private: bool
    form: bool
    reachable: bool
    needs_identification: bool
    grounds: tuple[Ground, ...]
    against: tuple[Ground, ...]


class CheckView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that stands between the answer and its sending.

    `found` is what the detectors say of `letter`, `findings` what counts once an officer has
    looked.
    """

    version: int
    gaps: tuple[Gap, ...]
    letter: str
    found: tuple[FindingView, ...]
    findings: tuple[FindingView, ...]
    reviewed: bool
    channels: dict[Channel, ChannelView]
    reply_form: Form
    approval_needed: bool


@routes.staff(
    "POST",
    ALL,
    takes=NewAnswer,
    gives=CaseAnswerView,
    roles=HANDLERS,
    status=201,
    creates=True,
)
def draft_answer(call: Call, case_id: str) -> CaseAnswerView:
    """A draft, begun from the template of its outcome and language."""
    held, said = answering.draft(
        call.ports,
        call.house,
        case_id,
        call.body.outcome,
        call.body.language,
        member=call.member,
        by=call.actor,
        once=call.once_for,
    )
    return _view(call, held, said)


@routes.staff("GET", ONE, gives=CaseAnswerView, roles=HANDLERS)
def read_answer(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """The answer, with each element that it must hold."""
    return _view(call, *answering.read(call.ports, call.org, case_id, answer_id))


@routes.staff("PUT", ONE, takes=AnswerWords, gives=CaseAnswerView, roles=HANDLERS, changes=True)
def redraft_answer(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """Other words: an approval is taken back, and a paper is made anew."""
    given = call.body

    def decide(held: Held[Complaint], said: Said) -> Change:
        words = Words(
            outcome=given.outcome,
            text=given.text,
            elements=given.elements,
            signer=given.signer or said.signer,
        )
        return answers.redraft(held, said, words, call.house, by=call.actor, now=call.ports.now)

    return _acted(call, case_id, answer_id, decide)


@routes.staff("GET", ONE + "/check", query=CheckQuery, gives=CheckView, roles=HANDLERS)
def check_answer(call: Call, case_id: str, answer_id: str) -> CheckView:
    """What it still lacks, what it holds that is private, and by which channels it may leave."""
    held, said = answering.read(call.ports, call.org, case_id, answer_id)
    case, about = held.value, answering.known(call.ports, held)
    verdict = answers.verdict(case, said, about.reply, informational=call.query.informational)
    progress = case.answer_of(answer_id)
    return CheckView(
        version=held.version,
        gaps=answers.gaps(case, said, _language(call)),
        letter=elements.whole(said),
        found=tuple(_finding(said, one) for one in answers.findings(case, said)),
        findings=tuple(_finding(said, one) for one in answers.counted(case, said)),
        reviewed=answers.is_reviewed(said),
        channels={one: _channel(one, case, verdict, about) for one in Channel},
        reply_form=answers.reply_form(case),
        approval_needed=call.house.settings.complaints.approval and progress.approved_at is None,
    )


@routes.staff(
    "POST", ONE + "/review", takes=ReviewInput, gives=CaseAnswerView, roles=HANDLERS, changes=True
)
def review_answer(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """Confirm what was found in it, or correct that with a reason (M75)."""
    given = call.body
    removed = [
        Finding(start=one.start, end=one.end, kind=one.kind, reason=one.rule)
        for one in given.removed
    ]
    added = [(one.start, one.end, one.kind) for one in given.added]
    return _acted(
        call,
        case_id,
        answer_id,
        lambda held, said: answers.review(
            held,
            said,
            removed,
            added,
            given.reason,
            call.house,
            by=call.actor,
            now=call.ports.now,
        ),
    )


@routes.staff("POST", ONE + "/submit", gives=CaseAnswerView, roles=HANDLERS, changes=True)
def submit_answer(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """To a second person; the heads learn that it waits."""
    return _acted(
        call,
        case_id,
        answer_id,
        lambda held, said: answers.submit(
            held, said, call.house, by=call.actor, now=call.ports.now
        ),
    )


@routes.staff("POST", ONE + "/approve", gives=CaseAnswerView, roles=HANDLERS, changes=True)
def approve_answer(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """A second person approves it: nobody who wrote at it."""
    return _acted(
        call,
        case_id,
        answer_id,
        lambda held, said: answers.approve(
            held, said, call.house, by=call.actor, now=call.ports.now
        ),
    )


@routes.staff(
    "POST", ONE + "/return", takes=Return, gives=CaseAnswerView, roles=HANDLERS, changes=True
)
def return_answer(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """A second person gives it back, with the reason."""
    return _acted(
        call,
        case_id,
        answer_id,
        lambda held, said: answers.give_back(
            held, said, call.body.reason, call.house, by=call.actor, now=call.ports.now
        ),
    )


@routes.staff(
    "POST",
    ONE + "/send",
    takes=SendInput,
    gives=CaseAnswerView,
    roles=HANDLERS,
    status=202,
    changes=True,
)
def send_answer(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """By e-mail, which ends the case; or the official letter is made, to be posted or handed."""
    held, said = answering.send(
        call.ports,
        call.house,
        case_id,
        answer_id,
        call.version,
        call.body.channel,
        informational=call.body.informational,
        by=call.actor,
    )
    return _view(call, held, said)


@routes.staff(
    "POST", ONE + "/posted", takes=Posted, gives=CaseAnswerView, roles=HANDLERS, changes=True
)
def answer_posted(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """The letter went by registered post on that day: the case is answered."""
    given = call.body
    return _acted(
        call,
        case_id,
        answer_id,
        lambda held, said: answers.posted(
            held,
            said,
            given.posted_on,
            given.tracking,
            call.house,
            by=call.actor,
            now=call.ports.now,
        ),
    )


@routes.staff(
    "POST",
    ONE + "/handed",
    takes=Identification,
    gives=CaseAnswerView,
    roles=HANDLERS,
    changes=True,
)
def answer_handed_over(call: Call, case_id: str, answer_id: str) -> CaseAnswerView:
    """The letter was handed over, the person identified first (M80, M84): the case is answered."""
    return _acted(
        call,
        case_id,
        answer_id,
        lambda held, said: answers.handed(
            held, said, call.body, call.house, by=call.actor, now=call.ports.now
        ),
    )


def _acted(call: Call, case_id: str, answer_id: str, decide: answering.Decide) -> CaseAnswerView:
    held, said = answering.act(call.ports, call.house, case_id, answer_id, call.version, decide)
    return _view(call, held, said)


def _view(call: Call, held: Held[Complaint], said: Said) -> CaseAnswerView:
    case, checked = held.value, said.checked
    progress = case.answer_of(said.said_id)
    wanted = elements.wanted(case, progress.outcome)
    shown = {one.key for one in wanted}
    return CaseAnswerView(
        answer_id=said.said_id,
        case_id=held.key.id,
        version=held.version,
        state=case.state,
        stage=answers.stage(case),
        outcome=progress.outcome,
        language=said.language,
        text=said.text,
        elements=tuple(_element(call, case, said, one) for one in wanted),
        other_elements={key: text for key, text in said.elements.items() if key not in shown},
        signer=said.signer,
        by=progress.by,
        authors=progress.authors,
        drafted_at=progress.drafted_at,
        submitted_at=progress.submitted_at,
        approved_at=progress.approved_at,
        approved_by=progress.approved_by,
        returned=progress.returned,
        reviewed=answers.is_reviewed(said),
        reviewed_by=checked.by if checked else "",
        reviewed_at=checked.at if checked else None,
        channel=progress.channel,
        informational=progress.informational,
        sent_at=progress.sent_at,
        sent_on=progress.sent_on,
        late=answers.is_late(case),
        tracking=progress.tracking,
        identification=progress.identification,
        bounced_at=progress.bounced_at,
        paper_url=answering.link(call.ports, case, said),
        paper_sha256=said.paper.sha256 if said.paper else "",
    )


def _element(call: Call, case: Complaint, said: Said, one: elements.Wanted) -> ElementView:
    source = case.policy.sources[one.element.source]
    return ElementView(
        key=one.key,
        rule=one.rule,
        sentence=getattr(one.element, _language(call)),
        document=source.document,
        address=source.address,
        unverified=one.element.unverified,
        text=said.elements.get(one.key, ""),
    )


def _finding(said: Said, one: Finding) -> FindingView:
    return FindingView(
        field=elements.field_at(said, one.start),
        start=one.start,
        end=one.end,
        kind=one.kind,
        rule=one.reason,
        line=one.kind.forbidden_by,
        stretch=elements.whole(said)[one.start : one.end],
    )


def _channel(
    channel: Channel, case: Complaint, verdict: Verdict, about: answering.Known
) -> ChannelView:
    usable = answers.email_open(case, verdict)
    form = answers.forms_allowed(case, channel, email_open=usable)
    reachable = {
        Channel.EMAIL: bool(case.addressee.email),
        Channel.REGISTERED_POST: bool(about.postal_address),
        Channel.IN_PERSON: True,
    }[channel]
    private = channel in verdict.allowed
    return ChannelView(
        open=private and form and reachable,
        private=private,
        form=form,
        reachable=reachable,
        needs_identification=channel in verdict.needs_identification,
        grounds=verdict.allowed.get(channel, ()),
        against=verdict.against_email if channel is Channel.EMAIL else (),
    )


def _language(call: Call) -> str:
    return call.member.language if call.member.language in LANGUAGES else "en"
