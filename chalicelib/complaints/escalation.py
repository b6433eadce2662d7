"""The steps of the ladder that are due, taken: each once, in order, to whom it concerns."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter, itemgetter

from msgspec.structs import replace

from chalicelib.complaints import acts, attention
from chalicelib.complaints.attention import Step
from chalicelib.complaints.case import Complaint
from chalicelib.kernel.change import SYSTEM, Change, Held, Notice
from chalicelib.organisations.domain import House
from chalicelib.policy.reasons import LANGUAGES, why

MOST_NOTICES = 80  # of one change, which is one transaction of a hundred writes


def attend(held: Held[Complaint], house: House, *, now: datetime) -> Change | None:
    """Every step between the case's mark and now, as one change; None where there is none.

    After an outage a person is told the last of each kind, as the case stands, and the event tells
    them all. What is too much for one change is left for the next, which begins where this ended.
    """
    case = held.value
    due = attention.due(case, house.settings.complaints, now)
    if not due:
        return None
    taken, notices = _together(held.key.id, case, due, house, now)
    return acts.done(
        held,
        replace(case, attended_until=taken[-1].at),
        house,
        "escalated",
        by=SYSTEM,
        now=now,
        body={"steps": [step.name for step in taken]},
        notices=notices,
    )


def word(
    case_id: str, case: Complaint, steps: Iterable[Step], house: House, now: datetime
) -> list[Notice]:
    """Word of these steps to whom they concern: of each kind the last, and as many as fit."""
    told = {
        (one.person, step.kind): one
        for step in steps
        for one in _notices(case_id, case, step, house, now)
    }
    return _fairly(told.values())


def _together(
    case_id: str, case: Complaint, due: Sequence[Step], house: House, now: datetime
) -> tuple[list[Step], list[Notice]]:
    """As many steps as fit into one change, moment by moment, and word of them."""
    taken: list[Step] = []
    told: dict[tuple[str, str], Notice] = {}
    for _, group in groupby(due, key=attrgetter("at")):
        steps = list(group)
        more = told | {
            (one.person, step.kind): one
            for step in steps
            for one in _notices(case_id, case, step, house, now)
        }
        if taken and len(more) > MOST_NOTICES:
            break
        taken, told = [*taken, *steps], more
    return taken, _fairly(told.values())


def _fairly(notices: Iterable[Notice]) -> list[Notice]:
    """As many as fit: somebody of every step before anybody's colleague."""
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, Notice]] = []
    for one in notices:
        turns[one.step] += 1
        ranked.append((turns[one.step], one))
    return [one for _, one in sorted(ranked, key=itemgetter(0))[:MOST_NOTICES]]


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
        why={one: why(term, one) for one in LANGUAGES} if term else {},
    )
