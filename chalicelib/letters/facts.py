"""What a letter says, as values: one struct for each kind of letter.

The kind of a letter is the type of its facts, and so is the folder of its templates (`templates/`).
Moments are aware and already in the organisation's zone: whoever composes does not choose a zone.
"""

import re
from datetime import datetime

import msgspec

from chalicelib.documents.sheet import Controller
from chalicelib.documents.sheet import SheetAnswer as Answer

MOST_LINK = 200
_LINK = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+/[!-~]*")


class ConfirmConsents(msgspec.Struct, frozen=True, kw_only=True):
    """The message by which a client confirms what was ticked for them (S45-S47)."""

    controller: Controller
    client_name: str
    staff_name: str
    answers: tuple[Answer, ...]
    link: str
    expires_at: datetime
    reminder: bool
    preferences: str

    def __post_init__(self) -> None:
        refuse_unusable(self.link)
        refuse_unusable(self.preferences)
        refuse_naive(self.expires_at)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a client keeps once the decision is registered (S48): the answers, when, under which
    number."""

    controller: Controller
    client_name: str
    answers: tuple[Answer, ...]
    reference: str
    decided_at: datetime
    staff_name: str
    preferences: str

    def __post_init__(self) -> None:
        refuse_unusable(self.preferences)
        refuse_naive(self.decided_at)


class ConsentsWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """What a client keeps of a withdrawal: which consents, and when (S57; GDPR Art. 7(3))."""

    controller: Controller
    client_name: str
    titles: tuple[str, ...]
    withdrawn_at: datetime
    preferences: str

    def __post_init__(self) -> None:
        refuse_unusable(self.preferences)
        refuse_naive(self.withdrawn_at)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Commercial information from a member of staff: it rests on a consent alone (S16, S17).

    `text` is theirs, plain; on the page `preferences` the consent can be withdrawn.
    """

    controller: Controller
    client_name: str
    staff_name: str
    subject_line: str
    text: str
    preferences: str

    def __post_init__(self) -> None:
        refuse_unusable(self.preferences)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note to the member of staff who sent a declaration: `declared_at` names it, `happened_at`
    the news."""

    staff_name: str
    client_name: str
    declared_at: datetime
    happened_at: datetime
    titles: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse_naive(self.declared_at)
        refuse_naive(self.happened_at)


class ClientConfirmed(Note, frozen=True, kw_only=True):
    """The client confirmed: the consents are in force."""


class ClientDisputed(Note, frozen=True, kw_only=True):
    """The client says that this is not what they decided; no consent changed (D13)."""


class LinkExpired(Note, frozen=True, kw_only=True):
    """The link ran out unanswered, its reminder included."""


class LinkRequested(Note, frozen=True, kw_only=True):
    """The client opened an old link and asks for a new one (R24)."""


class Undeliverable(Note, frozen=True, kw_only=True):
    """The message came back: the client has read neither the notice nor the answers."""


class ClientWithdrew(Note, frozen=True, kw_only=True):
    """The client withdrew consents alone; `declared_at` is when the first was given (S57)."""


AnyNote = (
    ClientConfirmed | ClientDisputed | ClientWithdrew | LinkExpired | LinkRequested | Undeliverable
)
Facts = ConfirmConsents | Receipt | ConsentsWithdrawn | Offer | AnyNote


def masked(link: str) -> str:
    """The link for the archive: where it led, without the token that made it act (R17)."""
    origin, mark, token = link.partition("#")
    if not (mark and token):
        raise ValueError("a link without a token after '#' can't be masked")
    return f"{origin}#masked"


def refuse_unusable(link: str) -> None:
    """R19: one plain address, short enough to survive a mail program that breaks lines."""
    if len(link) > MOST_LINK or _LINK.fullmatch(link) is None:
        raise ValueError("the link is not one plain http(s) address of at most 200 characters")


def refuse_naive(moment: datetime) -> None:
    """S49: a time without its zone is no time."""
    if moment.utcoffset() is None:
        raise ValueError("the moment has no time zone")
