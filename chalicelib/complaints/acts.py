"""Every act on a case ends here: the new state with all that follows from it, as one Change.

What follows is never written by the act itself: when the case is due next, its places in the
worklists, its line of the register.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.complaints import attention, register
from chalicelib.complaints.attention import To
from chalicelib.complaints.case import Complaint
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    Change,
    Counter,
    Event,
    Held,
    Key,
    Letter,
    Lookup,
    Notice,
    Once,
    Part,
)
from chalicelib.organisations.domain import House, Member, Role

MOST_TOLD = 20  # of one step: each is a write of the transaction


def begun(
    key: Key,
    case: Complaint,
    house: House,
    *,
    by: Actor,
    now: datetime,
    body: dict[str, Any],
    parts: Sequence[Part] = (),
    lookups: Sequence[Lookup] = (),
    notices: Sequence[Notice] = (),
    once: Once | None = None,
    counter: Counter | None = None,
) -> Change:
    """A new case."""
    return Change(
        key=key,
        version=0,
        head="",
        root=case,
        event=Event(kind="complaint_received", actor=by, at=now, body=body),
        parts=(*parts, *register.parts(None, case)),
        lookups=lookups,
        notices=notices,
        due_at=attention.next_moment(case, house.settings.complaints),
        once=once,
        counters=(counter,) if counter else (),
    )


def done(
    held: Held[Complaint],
    case: Complaint,
    house: House,
    kind: str,
    *,
    by: Actor,
    now: datetime,
    body: dict[str, Any] | None = None,
    parts: Sequence[Part] = (),
    letters: Sequence[Letter] = (),
    lookups: Sequence[Lookup] = (),
    notices: Sequence[Notice] = (),
    once: Once | None = None,
) -> Change:
    """The change of a case into `case` by the act `kind`."""
    return Change.of(
        held,
        case,
        Event(kind=kind, actor=by, at=now, body=body or {}),
        parts=(*parts, *register.parts(held.value, case)),
        letters=letters,
        lookups=lookups,
        notices=notices,
        due_at=attention.next_moment(case, house.settings.complaints),
        once=once,
    )


def erased(now: datetime) -> Event:
    """What remains to be told of an erasure."""
    return Event(kind="erased", actor=SYSTEM, at=now)


def letter(template: str, to: str, now: datetime, *, about: str = "", **facts: Any) -> Letter:
    """A letter about the case, or about one part of it."""
    return Letter(template=template, to=to, about=about, facts=facts, promised_at=now)


def people(case: Complaint, to: To, house: House) -> tuple[Member, ...]:
    """Who is told: somebody always is, in the end the administrators; no more than `MOST_TOLD`."""
    members = [one for one in house.directory.members if one.active]
    admins = [one for one in members if one.role is Role.ADMIN] or members
    return tuple(_concerned(case, to, house, members) or admins)[:MOST_TOLD]


def _concerned(case: Complaint, to: To, house: House, members: list[Member]) -> list[Member]:
    named = {one.staff_id: one for one in members}
    if to == "agent" and case.agent in named:
        return [named[case.agent]]
    if to in ("officer", "agent"):
        team = [one for one in members if one.role is Role.QUALITY]
        return [named[case.assignee]] if case.assignee in named else team
    if to == "head":
        heads = [one for one in members if one.role is Role.HEAD]
        return [one for one in heads if case.department and one.department == case.department] or (
            heads
        )
    return [named[one] for one in house.settings.complaints.management if one in named]


def notices(
    case_id: str,
    case: Complaint,
    house: House,
    kind: str,
    to: To | tuple[str, ...],
    *,
    now: datetime,
    name: str = "",
    **data: Any,
) -> tuple[Notice, ...]:
    """Word of a step to each person whom it concerns: one notice for each, told in office hours.

    `name` tells two steps of one kind apart. `data`: days and numbers, nothing personal.
    """
    wanted = [one.staff_id for one in people(case, to, house)] if isinstance(to, str) else list(to)
    at = attention.notice_moment(now, house.settings.complaints, case.calendar, case.zone)
    told = {"case": case_id, "reference": case.reference, "kind": kind, **data}
    return tuple(
        Notice(person=one, about=case_id, step=name or kind, due_at=at, data=told)
        for one in dict.fromkeys(wanted)
    )
