"""The end of keeping: a closed case whose time is over tells nothing of anybody any more (M85).

Its line of the register stays, for statistics count it still; so do the envelopes of its events.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from chalicelib.complaints import acts, receipt
from chalicelib.complaints.case import Complaint, Employee, Person
from chalicelib.complaints.register import ENTRY
from chalicelib.kernel.change import SYSTEM, Change, Held, Notice
from chalicelib.kernel.errors import Conflict
from chalicelib.organisations.domain import House

KEPT = (ENTRY,)
KEPT_LONGER = timedelta(days=30)
Why = Literal["unread", "registered_anew", "client_on_hold", "outside"]


class OnHold(Conflict):
    """The hold came while the erasure was about to begin: it waits, in sight of staff (M85)."""

    code = "on_hold"
    sentence = "A legal hold stands: the case is not erased."


class Unread(Conflict):
    """Something came while the erasure was about to begin: an officer reads it first (M74)."""

    code = "unread"
    sentence = "Something that came waits for an officer: the case is not erased."


def leave(held: Held[Complaint], house: House, *, now: datetime) -> Change:
    """The time of keeping is over: the case is on its way out, and due no more."""
    case = replace(held.value, erasure="begun")
    return acts.done(held, case, house, "erasure_due", by=SYSTEM, now=now)


def kept_longer(held: Held[Complaint], why: Why, house: House, *, now: datetime) -> Change:
    """Its time is over, but it is still needed: looked at again in a month (M74, M85).

    Who handles it is asked how it ended outside: nothing is kept for ever because nobody said so.
    """
    case = replace(held.value, keep_after=now + KEPT_LONGER)
    asked: tuple[Notice, ...] = ()
    if why == "outside":
        asked = acts.notices(held.key.id, case, house, "outside_ended", "officer", now=now)
    return acts.done(
        held, case, house, "kept_longer", by=SYSTEM, now=now, body={"why": why}, notices=asked
    )


def blank(
    held: Held[Complaint], house: House, *, digests: Mapping[str, str], now: datetime
) -> Change | None:
    """The root without anybody in it, its pointers removed; None where it is so already.

    `OnHold`, `Unread` where that came first: the case was never told to leave.
    """
    case = held.value
    if case.hold and not case.erasure:
        raise OnHold
    if case.waiting_since is not None and not case.erasure:
        raise Unread
    if case.erasure == "done":
        return None
    blanked = replace(
        case,
        writer=Person(),
        insured=Person() if case.insured else None,
        authority=None,
        contract_number="",
        claim_number="",
        employee=Employee(),
        client_id="",
        email_consent="",
        redress="",
        undone=None,
        outside=(),
        question=None,
        proven_email="",
        answer=None,
        hold="",
        anonymous=case.is_anonymous,
        erasure="done",
    )
    # The line of the register was written when there was still something to count: it stays.
    return Change(
        key=held.key,
        version=held.version,
        head=held.head,
        root=blanked,
        event=acts.erased(now),
        lookups=receipt.lookups(case, blanked, digests),
    )
