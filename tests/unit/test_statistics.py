"""Statistics are the register counted again: whatever was done, they agree with what happened."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.complaints import acts, closing, handling, receipt
from chalicelib.complaints import case as cases
from chalicelib.complaints.case import (
    AnswerProgress,
    Closed,
    Complaint,
    Kind,
    Outcome,
    Person,
    State,
)
from chalicelib.complaints.handling import Classes, Way
from chalicelib.complaints.register import ENTRY, Entry
from chalicelib.documents import codes
from chalicelib.kernel import tables
from chalicelib.kernel.change import Actor, Change, Event, Held
from chalicelib.organisations.domain import House
from chalicelib.statistics import domain, service
from chalicelib.statistics.domain import RangeRefused
from tests.cases import WRITER, a_submission
from tests.duly import OTHER
from tests.unit.test_ladder import Digests, a_house, after

BY = Actor("staff", OTHER)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUSE = a_house("ru-medexpress-2019")


# One case after the other, by the acts themselves


class Case:
    """A case and all that happened to it, beside its line of the register."""

    def __init__(self, n: int, now: datetime, **changes: Any) -> None:
        key = cases.key("agencja", f"case{n}")
        wanted = replace(a_submission(now), **changes)
        self.events: list[Event] = []
        self.lines: list[Entry] = []
        self.held: Held[Complaint] = self.write(
            receipt.receive(
                key,
                codes.new_code(n.to_bytes(6)),
                wanted,
                HOUSE,
                digests=Digests(),
                by=Actor("client"),
                now=now,
            )
        )

    def write(self, change: Change) -> Held[Complaint]:
        """The change is written."""
        self.events.append(change.event)
        self.lines += [part.data for part in change.parts if part.sk == ENTRY]
        self.held = after(change)
        return self.held

    @property
    def open(self) -> bool:
        """Whether it may be handled."""
        return self.held.value.closed is None and self.held.value.registered_at is not None


Act = Callable[[Case, House, datetime, int], Change]


def register(case: Case, house: House, now: datetime, _: int) -> Change:
    return receipt.register(case.held, house, case.held.key, now=now)


def classify(case: Case, house: House, now: datetime, n: int) -> Change:
    given = (
        Classes(kind=list(Kind)[n % 4]),
        Classes(product=("", "medical", "motor_liability")[n % 3]),
        Classes(cause=("", "delay", "tone")[n % 3]),
        Classes(department=("Majątek", "Życie")[n % 2]),
    )[n % 4]
    return handling.classify(case.held, given, house, by=BY, now=now)


def assign(case: Case, house: House, now: datetime, n: int) -> Change:
    return handling.assign(case.held, (OTHER, "")[n % 2], "", house, by=BY, now=now)


def unanswered(case: Case, house: House, now: datetime, _: int) -> Change:
    way = Way()
    return closing.leave_unanswered(case.held, "repeated", "", way, house, by=BY, now=now)


def routed(case: Case, house: House, now: datetime, _: int) -> Change:
    return closing.route_out(case.held, "Do szkód.", "Dalej.", Way(), house, by=BY, now=now)


def returned(case: Case, house: House, now: datetime, _: int) -> Change:
    return closing.return_court(case.held, "Do sądu.", Way(), house, by=BY, now=now)


def answered(case: Case, house: House, now: datetime, n: int) -> Change:
    """As the answer's own acts end."""
    outcome, value = list(Outcome)[n % 4], case.held.value
    sent = AnswerProgress(
        answer_id="a", outcome=outcome, by=OTHER, drafted_at=now, sent_on=value.day(now)
    )
    end = Closed(state=State.ANSWERED, at=now, by=OTHER, outcome=outcome)
    ended = replace(value, answer=sent, closed=end)
    body = {"outcome": outcome, "on": value.day(now).isoformat()}
    return acts.done(case.held, ended, house, "answered", by=BY, now=now, body=body)


def redressed(case: Case, house: House, now: datetime, _: int) -> Change:
    return handling.record_redress(case.held, "100 zł", house, by=BY, now=now)


OPEN_ACTS: tuple[Act, ...] = (classify, classify, assign, unanswered, routed, returned, answered)
COMMANDS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 40), st.integers(0, 11), st.integers(0, 60)),
    min_size=1,
    max_size=60,
)


def lived(commands: Sequence[tuple[int, int, int, int]]) -> tuple[list[Case], date]:
    """Cases to which all this happened: which case, which act, some number, hours later."""
    now, found = START, list[Case]()
    for which, act, n, hours in commands:
        now += timedelta(hours=hours)
        if which >= len(found):
            anonymous: dict[str, Any] = {"writer": Person(), "contract_number": ""}
            changes = anonymous if n % 5 == 0 else {"writer": WRITER, "kind": list(Kind)[n % 4]}
            found.append(Case(len(found), now, **changes))
            continue
        case = found[which]
        if case.held.value.registered_at is None:
            case.write(register(case, HOUSE, now, n))
        elif case.open:
            term = case.held.value.answer_due
            late = term is not None and case.held.value.day(now) > term.limit
            chosen = OPEN_ACTS[act % len(OPEN_ACTS)]
            if not (late and chosen is unanswered):
                case.write(chosen(case, HOUSE, now, n))
        else:
            case.write(redressed(case, HOUSE, now, n))
    return found, (now + timedelta(days=1)).date()


# What happened, counted by hand: from the events alone


@given(COMMANDS)
@settings(max_examples=60)
def test_totals_reconcile_with_what_happened_event_by_event(
    commands: list[tuple[int, int, int, int]],
) -> None:
    """M86, M35: any sequence of acts; the lines counted are the events counted."""
    found, on = lived(commands)
    lines = [case.lines[-1] for case in found]
    counted = domain.statistics(lines, on=on)
    told = [_told(case.events) for case in found]
    assert counted.total.received == len(told)
    assert _numbers(counted.by_kind) == Counter(one["kind"] for one in told)
    assert _numbers(counted.by_product) == Counter(one["product"] for one in told)
    assert _numbers(counted.by_cause) == Counter(one["cause"] for one in told)
    assert _numbers(counted.by_department) == Counter(one["department"] for one in told)
    assert {one.label: one.number for one in counted.by_state} == Counter(
        one["state"] for one in told
    )
    assert counted.anonymous == sum(one["anonymous"] for one in told)
    assert counted.redress == sum(one["redress"] for one in told)
    assert counted.total.answered == sum(bool(one["answered"]) for one in told)
    assert counted.total.open == sum(one["state"] in domain.OPEN for one in told)
    assert counted.total.received == counted.total.open + counted.total.closed
    total = counted.total
    assert total.answered + total.late_unanswered == total.on_time + total.late
    assert _reconciles(counted.ended_late, total.late_unanswered)
    late = Counter(one["state"] for one, line in zip(told, lines, strict=True) if _late(one, line))
    assert late == Counter({one.label: one.number for one in counted.ended_late})
    assert sum(one.number for one in counted.open_by_age) == counted.total.open
    ended = Counter(one["outcome"] for one in told if one["state"] not in domain.OPEN)
    assert {one.label: one.number for one in counted.by_outcome} == ended
    for groups in (counted.by_month, counted.by_kind, counted.by_product, counted.by_channel):
        assert sum(one.received for one in groups) == counted.total.received
        assert sum(one.late for one in groups) == counted.total.late
        assert sum(one.overdue for one in groups) == counted.total.overdue
    days = sorted(
        (date.fromisoformat(one["answered"]) - date.fromisoformat(one["received"])).days
        for one in told
        if one["answered"]
    )
    if days:
        assert counted.total.p90_days in days
        assert sum(day <= (counted.total.p90_days or 0) for day in days) >= 0.9 * len(days)


def _reconciles(found: Sequence[domain.Counted], total: int) -> bool:
    return sum(one.number for one in found) == total


def _late(one: dict[str, Any], line: Entry) -> bool:
    """Whether the events tell of an end without an answer, past the limit of the line."""
    ended = one["state"] not in domain.OPEN and not one["answered"] and not one["anonymous"]
    return ended and line.limit is not None and date.fromisoformat(one["ended"]) > line.limit


def _numbers(groups: Sequence[domain.Group]) -> dict[str, int]:
    return {one.label: one.received for one in groups}


def _told(events: Sequence[Event]) -> dict[str, Any]:
    """What the events of one case tell, read one after the other."""
    one: dict[str, Any] = dict.fromkeys(("cause", "department", "outcome", "answered"), "")
    one |= {"state": "received", "anonymous": False, "redress": False}
    for event in events:
        before = one["state"]
        one |= _step(event.kind, event.body)
        if one["state"] != before:
            one["ended"] = (event.at + timedelta(hours=3)).date().isoformat()  # in Moscow
    return one


def _step(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What one event changes."""
    if kind == "complaint_received":
        said = body["submission"]
        day = datetime.fromisoformat(body["received_at"]) + timedelta(hours=3)  # in Moscow
        return {
            "kind": said.get("kind", "complaint"),
            "product": said["product"],
            "received": day.date().isoformat(),
            "anonymous": not said.get("writer", {}) and not said.get("contract_number", ""),
        }
    if kind == "answered":
        return {"state": "answered", "outcome": body["outcome"], "answered": body["on"]}
    states = {
        "complaint_registered": "closed_anonymous" if body.get("anonymous") else "registered",
        "assigned": "in_review" if body.get("assignee") else "registered",
        "left_unanswered": "closed_unanswered",
        "routed_out": "routed_out",
        "returned": "returned",
    }
    if kind in states:
        return {"state": states[kind]}
    return {"redress": True} if kind == "redress_recorded" else body


# The counts themselves


def a_line(**changes: Any) -> Entry:
    """A line of the register, received on 2 March and due on 1 April."""
    line = Entry(
        reference="REF",
        kind="complaint",
        channel="form",
        audience="natural",
        language="pl",
        pack="ru-medexpress-2019.1",
        state="registered",
        received_on=date(2026, 3, 2),
        limit=date(2026, 4, 1),
    )
    return replace(line, **changes)


def answered_on(*days: int) -> list[Entry]:
    """A line answered so many days after its receipt, for each."""
    return [
        a_line(state="answered", answered_on=date(2026, 3, 2) + timedelta(days=day)) for day in days
    ]


@pytest.mark.parametrize(
    ("days", "median", "p90"),
    [
        ((), None, None),
        ((7,), 7, 7),
        ((1, 2), 1.5, 2),
        ((3, 1, 2), 2, 3),
        (tuple(range(1, 11)), 5.5, 9),
        (tuple(range(1, 12)), 6, 10),
        ((0, 0, 0, 40), 0, 40),
    ],
)
def test_days_to_the_answer(days: tuple[int, ...], median: float | None, p90: float | None) -> None:
    """Item 10: the middle, and the day by which nine of ten had their answer."""
    total = domain.statistics(answered_on(*days), on=date(2026, 6, 1)).total
    assert (total.median_days, total.p90_days) == (median, p90)


def test_on_time_is_up_to_the_last_lawful_day_itself() -> None:
    """M52: the 30th day is on time, the 31st late, and an open case is late the day after."""
    total = domain.statistics(answered_on(29, 30, 31), on=date(2026, 6, 1)).total
    assert (total.on_time, total.late) == (2, 1)
    still = [a_line()]
    assert domain.statistics(still, on=date(2026, 4, 1)).total.overdue == 0
    assert domain.statistics(still, on=date(2026, 4, 2)).total.overdue == 1
    assert domain.statistics([a_line(limit=None)], on=date(2030, 1, 1)).total.overdue == 0


ENDS = ("routed_out", "returned", "closed_suspended", "closed_unanswered", "closed_not_on_behalf")


@pytest.mark.parametrize("state", ENDS)
def test_what_ends_past_its_limit_without_an_answer_is_late(state: str) -> None:
    """M22, M52, M86: an overdue complaint that ends is no longer overdue, but late."""
    open_, on = a_line(), date(2026, 5, 1)
    assert domain.statistics([open_], on=on).total.overdue == 1
    in_time = replace(open_, state=state, closed_on=date(2026, 4, 1))
    late = replace(open_, state=state, closed_on=date(2026, 4, 2))
    counted = domain.statistics([in_time, late, late, *answered_on(30, 31)], on=on)
    total = counted.total
    assert (total.answered, total.on_time, total.late, total.late_unanswered) == (2, 1, 3, 2)
    assert (total.closed, total.overdue) == (5, 0)
    assert counted.ended_late == (domain.Counted(label=state, number=2),)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "closed_anonymous", "anonymous": True},
        {"state": "closed_duplicate", "duplicate": True},
        {"state": "routed_out", "limit": None},
    ],
)
def test_nobody_is_late_where_no_answer_was_due(changes: dict[str, Any]) -> None:
    """M34, M35, M86: the anonymous have no answer, duplicates another's; or no limit."""
    line = a_line(closed_on=date(2026, 5, 1), **changes)
    counted = domain.statistics([line], on=date(2026, 6, 1))
    assert (counted.total.late, counted.ended_late) == (0, ())
    twice = a_line(state="answered", answered_on=date(2026, 5, 1), duplicate=True)
    assert domain.statistics([twice], on=date(2026, 6, 1)).total.late == 1


def test_a_month_is_told_by_what_ended_in_it() -> None:
    """M24, M87: received by receipt; answered, late and causes by the day of the end."""
    march, may = date(2026, 3, 31), date(2026, 5, 4)
    ended = {"state": "answered", "cause": "delay", "department": "Życie"}
    lines = [
        a_line(),
        a_line(**ended, closed_on=march, answered_on=march),
        a_line(**ended, closed_on=date(2026, 4, 1), answered_on=date(2026, 4, 1)),
        a_line(**ended, closed_on=date(2026, 4, 30), answered_on=may),  # the e-mail left later
        a_line(state="routed_out", closed_on=date(2026, 4, 30)),
        a_line(**ended, closed_on=may, answered_on=may),
        a_line(kind="request", received_on=date(2026, 4, 20), limit=date(2026, 5, 20)),
        a_line(received_on=date(2026, 5, 1), limit=date(2026, 5, 31)),
    ]
    told = domain.month_told(lines, "2026-04")
    assert (told.received, told.open, told.overdue) == (1, 3, 2)
    assert told.by_kind == (domain.Counted(label="request", number=1),)
    assert (told.ended.closed, told.ended.answered, told.ended.on_time) == (3, 2, 1)
    assert (told.ended.late, told.ended.late_unanswered, told.ended.median_days) == (2, 1, 46.5)
    assert {one.label: one.number for one in told.by_cause} == {"": 1, "delay": 2}
    assert {one.label: one.number for one in told.open_by_age} == {
        "<=7": 0,
        "<=14": 1,
        "<=30": 0,
        "<=60": 2,
        "60+": 0,
    }
    each = [domain.month_told(lines, month) for month in ("2026-03", "2026-04", "2026-05")]
    assert sum(one.ended.closed for one in each) == 5
    assert each[1].open == each[0].open + each[1].received - each[1].ended.closed


def test_open_cases_by_age() -> None:
    """Item 10: each bound belongs to the younger class."""
    on = date(2026, 6, 30)
    lines = [a_line(received_on=on - timedelta(days=day)) for day in (0, 7, 8, 14, 30, 60, 61, 900)]
    found = {one.label: one.number for one in domain.statistics(lines, on=on).open_by_age}
    assert found == {"<=7": 2, "<=14": 2, "<=30": 1, "<=60": 1, "60+": 2}
    assert sum(one.number for one in domain.statistics([], on=on).open_by_age) == 0


def test_a_cause_that_repeats_is_told() -> None:
    """M23: so often in a month, or twice as often as before; twice after once is chance."""

    def lines(**often: int) -> list[Entry]:
        return [
            a_line(cause=cause, product="medical") for cause, n in often.items() for _ in range(n)
        ]

    def told(now: list[Entry], before: list[Entry]) -> list[tuple[str, int, int]]:
        return [(one.cause, one.number, one.before) for one in domain.repeats(now, before, least=5)]

    assert told(lines(delay=5), lines(delay=5)) == [("delay", 5, 5)]
    assert told(lines(delay=4), lines(delay=3)) == []
    assert told(lines(delay=4), lines(delay=2)) == [("delay", 4, 2)]
    assert told(lines(delay=2), lines(delay=1)) == []
    assert told(lines(delay=3, tone=6), []) == [("tone", 6, 0), ("delay", 3, 0)]
    assert told([a_line(cause="") for _ in range(9)], []) == []
    assert told([replace(one, duplicate=True) for one in lines(delay=9)], []) == []
    other = [replace(one, product="property") for one in lines(delay=2)]
    assert told([*lines(delay=2), *other], []) == []


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("2026-11", "2026-11", ("2026-11",)),
        ("2026-11", "2027-02", ("2026-11", "2026-12", "2027-01", "2027-02")),
    ],
)
def test_months_of_a_range(first: str, last: str, found: tuple[str, ...]) -> None:
    """Item 10: both ends are in it, over a new year."""
    assert domain.months(first, last) == found


@pytest.mark.parametrize(("first", "last"), [("2026-11", "2026-10"), ("2020-01", "2025-01")])
def test_a_range_backwards_or_too_long_is_refused(first: str, last: str) -> None:
    """Item 10: five years are sixty months."""
    with pytest.raises(RangeRefused):
        domain.months(first, last)
    assert len(domain.months("2020-02", "2025-01")) == 60


# The table


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"]
)
def test_no_cell_acts_as_a_formula(sign: str) -> None:
    """Robustness, CSV: a quote before what a spreadsheet would work out, full-width signs too."""
    assert tables.cell(f"{sign}HYPERLINK(A1)") == f"'{sign}HYPERLINK(A1)"
    table = service.table([a_line(department=f"{sign}cmd|' /C calc'!A0")]).decode("utf-8-sig")
    assert f"\"'{sign}cmd|' /C calc'!A0\"" in table


def test_the_table_is_quoted_and_marked() -> None:
    """Robustness, CSV: RFC 4180, every cell in quotes, UTF-8 with its mark."""
    raw = service.table([a_line(department='Dział "A", Łódź', reopens=True)])
    assert raw.startswith(b"\xef\xbb\xbf")
    head, line, rest = raw.decode("utf-8-sig").split("\r\n")
    assert rest == ""
    assert head.startswith('"reference","kind","channel"')
    assert '"Dział ""A"", Łódź"' in line
    assert line.startswith('"REF","complaint","form"')
    assert len(head.split(",")) == len(service.COLUMNS)
    assert line.count('"yes"') == 1
    assert '"2026-03-02"' in line


def test_the_table_says_what_was_late() -> None:
    """M86: the last column; the lines with a yes are those that the statistics count."""
    late = a_line(state="routed_out", closed_on=date(2026, 4, 2))
    lines = [late, a_line(), *answered_on(30, 31), replace(late, duplicate=True)]
    head, *rows = service.table(lines).decode("utf-8-sig").split()
    assert head.endswith(',"late"')
    assert [row.rpartition(",")[2] for row in rows] == ['"yes"', '"no"', '"no"', '"yes"', '"no"']
    counted = domain.statistics(lines, on=date(2026, 6, 1))
    assert counted.total.late == 2
