"""What a letter about a submission says, as values: one struct for each kind of letter.

As in `facts`, the type names the folder of its templates, and moments are aware and in the
organisation's zone; days are days on its wall. A letter to a person from outside holds the number,
what the letter is for, and what staff wrote for it: nothing else of the case. A letter to staff
holds numbers, references and days, never a person or what a case is about.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

import msgspec

from chalicelib.documents.letter import Section
from chalicelib.documents.sheet import Controller
from chalicelib.letters.facts import refuse_naive, refuse_unusable

SubmissionKind = Literal["complaint", "request", "suggestion", "gratitude"]
Outcome = Literal["", "upheld", "partly", "rejected", "withdrawn"]

# The steps that staff are told of, the most urgent first; any other comes after them.
STEPS = (
    "answer_overdue",
    "answer_limit",
    "register_alarm",
    "hand_over",
    "answer_bounced",
    "end_came_back",
    "letter_held",
    "outside_overdue",
    "perform_overdue",
    "outside_due",
    "answer_due",
    "perform_due",
    "came_after",
    "insured_denied",
    "answer_returned",
    "approval_waits",
    "approval_asked",
    "answer_approved",
    "last_request_day",
    "request_window_over",
    "next_request",
    "may_suspend",
    "client_silent",
    "insured_silent",
    "consent_expires",
    "consent_expiring",
    "consent_weak",
    "scans_unmatched",
    "insured_confirmed",
    "question_by_post",
    "receipt_by_post",
    "outside_ended",
    "files_held",
    "message_joined",
    "assigned",
    "registered",
    "register",
)


class ToPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What every letter to a person from outside has: who writes, and the number of the case.

    `link` is the private page of the case; without one the letter says nothing of a page.
    """

    organisation: Controller
    reference: str
    link: str = ""

    def __post_init__(self) -> None:
        if self.link:
            refuse_unusable(self.link)


class SubmissionTaken(ToPerson, frozen=True, kw_only=True):
    """The submission is registered and taken into work (M45-M47).

    `missing` are whole sentences (M46); `why` is the chain of the date (`policy.reasons.why`);
    `elements` are what the pack wants said besides, and the template does not say by itself.
    """

    kind: SubmissionKind
    received_on: date
    registered_on: date
    missing: tuple[str, ...] = ()
    answer_by: date | None = None
    why: str = ""
    elements: tuple[Section, ...] = ()


class ThirdPartyTaken(ToPerson, frozen=True, kw_only=True):
    """The fixed text to who wrote about an insured without an authority; nothing else (M39, D7)."""


class GratitudeThanked(ToPerson, frozen=True, kw_only=True):
    """Words of thanks are answered with thanks (M27)."""


class MessageAdded(ToPerson, frozen=True, kw_only=True):
    """What came later joined the case: when it came, and how many files with it."""

    received_at: datetime
    files: int = 0

    def __post_init__(self) -> None:
        ToPerson.__post_init__(self)
        refuse_naive(self.received_at)


class DataRequested(ToPerson, frozen=True, kw_only=True):
    """The n-th request for documents or for a permission (M46, M62-M71).

    `may_close`: the pack lets the case be closed if nothing comes (M73). `due`: when the answer is
    due all the same (D19).
    """

    n: int
    what: Literal["documents", "permission"]
    text: str
    answer_by: date
    may_close: bool = False
    due: date | None = None


class AnswerExtended(ToPerson, frozen=True, kw_only=True):
    """The answer takes longer: why, what is still to be established, until when (M53).

    `wording` is the pack's own words of the lawful reason, `elements` what the officer wrote for
    each thing that the pack wants said, under its title.
    """

    expected_by: date
    wording: str = ""
    elements: tuple[Section, ...] = ()
    text: str = ""


class AnswerSent(ToPerson, frozen=True, kw_only=True):
    """The answer itself, where it may go by e-mail (M52, M55, M76-M83).

    `elements` and `elsewhere` come after the officer's words: what the pack wants said, and where
    to turn next (M108). `attachments` names the files that go with it.
    """

    addressee: str
    kind: SubmissionKind
    outcome: Outcome = ""
    answered_on: date
    text: str
    elements: tuple[Section, ...] = ()
    elsewhere: tuple[Section, ...] = ()
    signer_name: str
    signer_position: str
    attachments: tuple[str, ...] = ()


class AnswerElsewhere(ToPerson, frozen=True, kw_only=True):
    """The answer went on paper, for it holds what an e-mail must not (M76-M80, M84)."""

    sent_on: date
    way: Literal["post", "in_person"] = "post"
    tracking: str = ""


class NotAnswered(ToPerson, frozen=True, kw_only=True):
    """Closed without an answer, in the pack's wording of the reason (M54, M56-M61)."""

    wording: str
    text: str = ""
    elsewhere: tuple[Section, ...] = ()


class Suspended(ToPerson, frozen=True, kw_only=True):
    """Closed in the wording of its ground, with how to have it taken up again (M73, M74)."""

    wording: str
    text: str = ""
    elsewhere: tuple[Section, ...] = ()


class CourtReturned(ToPerson, frozen=True, kw_only=True):
    """It contests a court's decision: returned, with how that is appealed (M50)."""

    text: str
    elsewhere: tuple[Section, ...] = ()


class RoutedOut(ToPerson, frozen=True, kw_only=True):
    """No submission in the sense of the rules: it went on to the ordinary process (M26, M30)."""

    text: str


class InsuredAsked(ToPerson, frozen=True, kw_only=True):
    """The insured is asked whether it was sent on their behalf; who sent it is not said (M38)."""

    insured_name: str
    received_on: date
    expires_at: datetime

    def __post_init__(self) -> None:
        refuse_unusable(self.link)
        refuse_naive(self.expires_at)


class DigestItem(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one case: what it is about, on which day, why, and where to look.

    `on` and `days` are those of the step (`attention.Step`): the day that it is about, and how far
    off that is, either way. `due` is the last lawful day of the answer.
    """

    reference: str
    kind: str
    on: date | None = None
    days: int = 0
    due: date | None = None
    why: str = ""
    link: str = ""

    def __post_init__(self) -> None:
        if self.link:
            refuse_unusable(self.link)


class CaseDigest(msgspec.Struct, frozen=True, kw_only=True):
    """All that is due together for one member of staff; `left_out` is what the next one tells."""

    staff_name: str
    items: tuple[DigestItem, ...]
    left_out: int = 0


class AliveReport(msgspec.Struct, frozen=True, kw_only=True):
    """Duly's daily sign of life, to an address outside: its absence is the alarm."""

    organisation_name: str
    day: date
    made_at: datetime
    open: int
    received: int
    due_today: int
    overdue: int
    stuck: int
    letters_held: int | None = None
    next_due: date | None = None

    def __post_init__(self) -> None:
        refuse_naive(self.made_at)


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many of one class; a label that is empty stands for what nobody classed."""

    label: str
    number: int


class MonthlyDigest(msgspec.Struct, frozen=True, kw_only=True):
    """A month in numbers, to the heads of departments (M24, M87).

    `month` is any day of it. What was received came in it; what was closed, answered or late ended
    in it, and what is open was open at its end: of the cases received from `since` on. Of the month
    before, `before_closed` and what follows is said as it stands now. The labels of `by_kind` are
    the kinds' codes; all others are already in the reader's language. `alarms` are whole sentences
    about causes that repeat (M23). Without an answer there is nothing on time, and no days: None.
    """

    staff_name: str
    month: date
    since: date
    department: str = ""
    received: int
    closed: int
    answered: int
    late: int
    late_unanswered: int
    open: int
    overdue: int
    on_time_percent: int | None = None
    median_days: int | None = None
    p90_days: int | None = None
    before_closed: int = 0
    before_late: int = 0
    before_on_time_percent: int | None = None
    by_kind: tuple[Tally, ...] = ()
    by_product: tuple[Tally, ...] = ()
    by_cause: tuple[Tally, ...] = ()
    by_department: tuple[Tally, ...] = ()
    open_by_age: tuple[Tally, ...] = ()
    alarms: tuple[str, ...] = ()
    link: str = ""

    def __post_init__(self) -> None:
        if self.link:
            refuse_unusable(self.link)


ComplaintFacts = (
    SubmissionTaken
    | ThirdPartyTaken
    | GratitudeThanked
    | MessageAdded
    | DataRequested
    | AnswerExtended
    | AnswerSent
    | AnswerElsewhere
    | NotAnswered
    | Suspended
    | CourtReturned
    | RoutedOut
    | InsuredAsked
    | CaseDigest
    | AliveReport
    | MonthlyDigest
)


def most_urgent_first(items: Iterable[DigestItem]) -> tuple[DigestItem, ...]:
    """By what is lost if nobody acts, then by day; a step that has no place of its own comes last.

    The same case under the same step is told once, as it stands last.
    """
    latest = {(item.reference, item.kind): item for item in sorted(items, key=_day)}
    return tuple(sorted(latest.values(), key=_urgency))


def _day(item: DigestItem) -> date:
    return item.on or date.min


def _urgency(item: DigestItem) -> tuple[int, date, str]:
    place = STEPS.index(item.kind) if item.kind in STEPS else len(STEPS)
    return place, item.due or item.on or date.max, item.reference
