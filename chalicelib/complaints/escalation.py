"""The steps of the ladder that are due, taken: each once, in order, to whom it concerns."""

from datetime import datetime

from msgspec.structs import replace

from chalicelib.complaints import acts, attention
from chalicelib.complaints.attention import Step
from chalicelib.complaints.case import Complaint
from chalicelib.kernel.change import SYSTEM, Change, Held, Notice
from chalicelib.organisations.domain import House
from chalicelib.policy.reasons import why


def attend(held: Held[Complaint], house: House, *, now: datetime) -> Change | None:
    """Every step between the case's mark and now, as one change; None where there is none."""
    case = held.value
    due = attention.due(case, house.settings.complaints, now)
    if not due:
        return None
    told: dict[tuple[str, str], Notice] = {}
    for step in due:
        for notice in _notices(held.key.id, case, step, house, now):
            told[notice.person, notice.step] = notice
    marked = replace(case, attended_until=now)
    return acts.done(
        held,
        marked,
        house,
        "escalated",
        by=SYSTEM,
        now=now,
        body={"steps": [step.name for step in due]},
        notices=tuple(told.values()),
    )


def _notices(
    case_id: str, case: Complaint, step: Step, house: House, now: datetime
) -> tuple[Notice, ...]:
    term = case.answer_due
    return acts.notices(
        case_id,
        case,
        house,
        step.kind,
        step.to,
        now=now,
        name=step.name,
        on=step.on.isoformat(),
        days=step.days,
        due=term.limit.isoformat() if term else "",
        why={one: why(term, one) for one in ("pl", "en", "ru")} if term else {},
    )
