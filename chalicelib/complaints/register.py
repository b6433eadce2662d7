"""What the register and the worklists say of a case: parts that follow from its state.

The entry of the register holds no personal data and outlives the case: statistics are a pure
function of the entries, and an erased case leaves its own (M35, M86).
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from chalicelib.complaints.case import Complaint
from chalicelib.kernel.change import Part

ENTRY = "REGISTER"
OPEN = "CASES#OPEN"
UNASSIGNED = "CASES#UNASSIGNED"
_NEVER = "9999-12-31"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the register: days and classes, nobody's name."""

    reference: str
    kind: str
    channel: str
    audience: str
    scope: str = "complaint"
    language: str
    pack: str
    state: str
    received_on: date
    registered_on: date | None = None
    closed_on: date | None = None
    answered_on: date | None = None
    target: date | None = None
    limit: date | None = None
    product: str = ""
    cause: str = ""
    department: str = ""
    outcome: str = ""
    reason: str = ""
    redress: bool = False
    anonymous: bool = False
    third_party: bool = False
    vulnerable: bool = False
    extended: bool = False
    reopens: bool = False
    duplicate: bool = False
    outside: bool = False
    flagged: bool = False


def entry(case: Complaint) -> Entry:
    """The line of this case as it stands."""
    due, closed = case.answer_due, case.closed
    answered = case.answer.sent_on if case.answer and closed else None
    return Entry(
        reference=case.reference,
        kind=case.kind,
        channel=case.channel,
        audience=case.audience,
        scope=case.scope,
        language=case.language,
        pack=case.pack,
        state=case.state,
        received_on=case.day(case.received_at),
        registered_on=case.day(case.registered_at) if case.registered_at else None,
        closed_on=case.day(closed.at) if closed else None,
        answered_on=answered,
        target=due.target if due else None,
        limit=due.limit if due else None,
        product=case.product,
        cause=case.cause,
        department=case.department,
        outcome=closed.outcome or "" if closed else "",
        reason=closed.reason if closed else "",
        redress=bool(case.redress),
        anonymous=case.is_anonymous,
        third_party=case.insured is not None,
        vulnerable=case.vulnerable,
        extended=case.extension is not None,
        reopens=bool(case.reopens),
        duplicate=bool(case.duplicate_of),
        outside=bool(case.outside),
        flagged=bool(case.flags),
    )


def month_list(month: str) -> str:
    """The list of the register's entries of one month of receipt, `2026-11`."""
    return f"REGISTER#{month}"


def of_staff(staff_id: str) -> str:
    """The worklist of one officer."""
    return f"CASES#OF#{staff_id}"


def of_agent(staff_id: str) -> str:
    """What one agent received and handed over."""
    return f"CASES#AGENT#{staff_id}"


def closed_in(month: str) -> str:
    """The cases closed in one month."""
    return f"CASES#CLOSED#{month}"


def parts(before: Complaint | None, after: Complaint) -> tuple[Part, ...]:
    """The entry and the places in worklists that changed, and no other: each is a write."""
    return (*_entry(before, after), *_places(before, after))


def _entry(before: Complaint | None, after: Complaint) -> Iterator[Part]:
    now = entry(after)
    if before is None or entry(before) != now:
        day = now.received_on.isoformat()
        yield Part(sk=ENTRY, data=now, list_name=month_list(day[:7]), rank=day)


def _places(before: Complaint | None, after: Complaint) -> Iterator[Part]:
    old, new = _listed(before) if before else {}, _listed(after)
    for sk in sorted(old.keys() | new.keys()):
        if sk not in new:
            yield Part(sk=sk, data=None)
        elif old.get(sk) != new[sk]:
            name, rank = new[sk]
            yield Part(sk=sk, data={}, list_name=name, rank=rank)


def _listed(case: Complaint) -> dict[str, tuple[str, str]]:
    """Where the case is listed, and by which rank: the day on which something is due."""
    received = case.day(case.received_at).isoformat()
    found = {}
    if case.agent:
        found["LIST#AGENT"] = (of_agent(case.agent), received)
    if case.closed is not None:
        day = case.day(case.closed.at).isoformat()
        found["LIST#STATE"] = (closed_in(day[:7]), day)
        return found
    due = case.answer_due
    rank = due.limit.isoformat() if due else _NEVER
    found["LIST#STATE"] = (OPEN, rank)
    found["LIST#STAFF"] = (of_staff(case.assignee) if case.assignee else UNASSIGNED, rank)
    return found
