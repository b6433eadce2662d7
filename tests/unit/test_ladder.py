"""The ladder against a slow look at every single day: who is told what, and when."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.complaints import acts, attention, escalation, receipt, service
from chalicelib.complaints import case as cases
from chalicelib.complaints.attention import Step
from chalicelib.complaints.case import (
    AnswerProgress,
    Channel,
    Closed,
    Complaint,
    Extension,
    Ombudsman,
    Outcome,
    Person,
    Question,
    Request,
    State,
)
from chalicelib.complaints.receipt import Submission
from chalicelib.kernel.change import SYSTEM, Actor, Change, Held, Notice
from chalicelib.kernel.workdays import Override
from chalicelib.organisations import domain
from chalicelib.organisations.domain import (
    LADDER,
    Catalogue,
    ComplaintSettings,
    Hours,
    House,
    Role,
    Rung,
)
from tests.cases import a_submission
from tests.duly import ADMIN, AGENT, HEAD, OTHER, a_member, a_settings

DAY = timedelta(days=1)
PLACES = {
    "ru-medexpress-2019": ("Europe/Moscow", "RU"),
    "pl-nat-2026-02-13": ("Europe/Warsaw", "PL"),
    "uk-disp-2026": ("Europe/London", "GB-ENG"),
}
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 30)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)
HOURS = st.builds(
    Hours,
    days=st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    start=st.sampled_from(("02:30", "08:00", "09:00", "13:30")),
    end=st.just("17:00"),
)
RUNGS = st.builds(
    Rung,
    to=st.sampled_from(("officer", "head", "management")),
    of=st.sampled_from(("target", "limit")),
    before=st.integers(-10, 30),
    daily=st.booleans(),
)
LADDERS = st.one_of(
    st.just(LADDER), st.lists(RUNGS, min_size=1, max_size=5).map(lambda more: (*LADDER, *more))
)
CLOSINGS = st.lists(
    st.builds(
        lambda on, days: Override(on=on, kind="closed", until=on + days * DAY),
        on=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
        days=st.integers(0, 4),
    ),
    max_size=3,
).map(tuple)


def a_house(pack: str = "pl-nat-2026-02-13", **changes: Any) -> House:
    """An organisation with an officer, an agent, a head and an administrator."""
    members = [
        a_member(ADMIN, "Anna Admin", Role.ADMIN),
        a_member(AGENT, "Ewa Agent", Role.AGENT),
        replace(a_member(HEAD, "Hanna Head", Role.HEAD), department="Majątek"),
        replace(a_member(OTHER, "Olga Officer", Role.QUALITY), department="Życie"),
    ]
    zone, country = PLACES[pack]
    wanted = a_settings(
        policy_pack=pack,
        time_zone=zone,
        complaints=replace(ComplaintSettings(country=country), **changes),
    )
    now = datetime(2023, 1, 1, tzinfo=UTC)
    founded = domain.found("agencja", wanted, "salt", members[0], now=now)
    return House(
        held=Held(key=founded.key, value=founded.root, version=1, head=""),
        catalogue=Catalogue(purposes=()),
        directory=domain.Directory(members=tuple(members)),
    )


class Digests(dict[str, str]):
    """Any value is its own digest."""

    def __missing__(self, value: str) -> str:
        return value


def arrived(
    house: House, received_at: datetime, *, late: timedelta = DAY * 0, **changes: Any
) -> Any:
    """A submission taken in, `late` after it was really received."""
    now = received_at + late
    channel = Channel.POST if late else Channel.FORM
    wanted: Submission = a_submission(now, channel=channel)
    wanted = replace(wanted, received_at=received_at, **changes)
    key = cases.key("agencja", "case")
    by = Actor("staff", AGENT)
    return after(
        receipt.receive(key, "7K3F9QXM2J", wanted, house, digests=Digests(), by=by, now=now)
    )


def after(change: Change) -> Held[Complaint]:
    """The case once the change is written."""
    return Held(key=change.key, value=change.root, version=change.version + 1, head="")


def due(held: Held[Complaint], house: House) -> datetime | None:
    """When the agenda has the case next."""
    return attention.next_moment(held.value, house.settings.complaints)


def attended(
    held: Held[Complaint], house: House, now: datetime
) -> tuple[Held[Complaint], list[Change]]:
    """One tick: everything that is due for the case, change by change."""
    ports = cast(Any, SimpleNamespace(now=now))
    made: list[Change] = []
    while (moment := due(held, house)) is not None and moment <= now and len(made) < 50:
        change = service._due(ports, held, house)
        assert change is not None
        made.append(change)
        held = after(change)
    assert len(made) < 50
    return held, made


def names(changes: Sequence[Change]) -> list[str]:
    """The steps that these changes took, in order."""
    return [
        name for one in changes if one.event.kind == "escalated" for name in one.event.body["steps"]
    ]


# The oracle: day after day


@cache
def _holidays(country: str, year: int) -> Any:
    code, _, part = country.partition("-")
    return holidays.country_holidays(code, subdiv=part or None, years=year)


@cache
def works(country: str, day: date) -> bool:
    """What the library of holidays says itself."""
    return bool(_holidays(country, day.year).is_working_day(day))


class Slow:
    """Looks at each day by itself: was somebody there, and is it a day of the ladder?"""

    def __init__(self, house: House) -> None:
        rules = house.settings.complaints
        self.zone, self.country = house.settings.time_zone, rules.country
        self.hours, self.ladder = rules.hours, rules.ladder
        self.closed = [(one.on, one.until or one.on) for one in rules.days]

    def there(self, day: date) -> bool:
        """Whether somebody is there."""
        if any(first <= day <= last for first, last in self.closed):
            return False
        weekend, works_then = day.weekday() >= 5, works(self.country, day)
        if weekend:
            return works_then or day.isoweekday() in self.hours.days
        return works_then and day.isoweekday() in self.hours.days

    def opening(self, day: date) -> datetime:
        """When it opens on that day."""
        clock = time.fromisoformat(self.hours.start)
        return datetime.combine(day, clock, ZoneInfo(self.zone)).astimezone(UTC)

    def answers(self, target: date, limit: date, until: date) -> set[tuple[datetime, str, str]]:
        """Each moment at which somebody is told of the answer, whom, and of what."""
        found: set[tuple[datetime, str, str]] = set()
        for rung in self.ladder:
            base = target if rung.of == "target" else limit
            for day in self.days(base - rung.before * DAY, rung, until):
                kind = "answer_due"
                if day > base or (rung.of == "limit" and rung.before <= 0):
                    kind = "answer_limit"
                found.add((self.opening(day), rung.to, "answer_overdue" if day > limit else kind))
        return found

    def days(self, aim: date, rung: Rung, until: date) -> Iterator[date]:
        """On which days a rung stands that aims at this one."""
        last = max(0, (until - aim).days) + 40
        window = (aim + n * DAY for n in range(-40, last))
        open_days = [day for day in window if self.there(day)]
        if rung.daily:
            yield from [day for day in open_days if day >= aim][:60]
        elif rung.before >= 0:
            yield max(day for day in open_days if day <= aim)
        else:
            yield from [day for day in open_days if day >= aim][:1]


@given(
    st.sampled_from(tuple(PLACES)),
    MOMENTS,
    HOURS,
    LADDERS,
    CLOSINGS,
    st.integers(0, 40),
    st.lists(st.floats(0.01, 9), min_size=5, max_size=30),
)
@settings(max_examples=40, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_every_step_is_taken_once_in_order_whenever_the_tick_runs(
    pack: str,
    received_at: datetime,
    hours: Hours,
    ladder: tuple[Rung, ...],
    closings: tuple[Override, ...],
    late: int,
    gaps: list[float],
) -> None:
    """M52, M44: over DST, year ends, holidays and closing days, with outages of days."""
    house = a_house(pack, hours=hours, ladder=ladder, days=closings)
    held = arrived(house, received_at, late=late * DAY)
    now, made, seen = held.value.entered_at, [], []
    for gap in gaps:
        now += timedelta(days=gap)
        before = held.value.attended_until
        held, changes = attended(held, house, now)
        made += changes
        seen += [(name, before, now) for name in names(changes)]
    taken = [name for name, _, _ in seen]
    assert len(taken) == len(set(taken))
    term = held.value.answer_due
    assert term is not None
    slow = Slow(house).answers(term.target, term.limit, held.value.day(now))
    expected = {one for one in slow if one[0] <= now}
    by_name = {one.name: one for one in attention.steps(held.value, house.settings.complaints)}
    told = [by_name[name] for name in taken if name in by_name]
    answers = {(one.at, one.to, one.kind) for one in told if one.kind.startswith("answer")}
    weekly = {one for one in answers - expected if one[2] == "answer_overdue"}
    assert answers - weekly == expected - weekly
    assert all((at - Slow(house).opening(term.limit)).days > 20 for at, _, _ in weekly)
    assert [one.at for one in told] == sorted(one.at for one in told)
    every = _all_steps(made, house)
    for name, before, at in seen:
        known = [s for s in every if s.name == name]
        assert known
        assert any(s.at <= at and (before is None or s.at > before) for s in known)


def _all_steps(made: Sequence[Change], house: House) -> list[Step]:
    """Every step that the case ever had."""
    return [
        step
        for change in made
        for step in attention.steps(replace(change.root, closed=None), house.settings.complaints)
    ]


@given(st.sampled_from(tuple(PLACES)), MOMENTS, HOURS, CLOSINGS)
def test_no_answer_falls_due_in_silence(
    pack: str, received_at: datetime, hours: Hours, closings: tuple[Override, ...]
) -> None:
    """M52: somebody is told before the limit, somebody at it, somebody after it; at any office."""
    house = a_house(pack, hours=hours, days=closings)
    held, _ = attended(arrived(house, received_at), house, received_at + DAY * 14)
    case = held.value
    term = case.answer_due
    assert term is not None
    assert case.registered_at is not None
    last = datetime.combine(term.limit + DAY, time(), ZoneInfo(case.zone))
    steps = attention.steps(case, house.settings.complaints)
    assert any(s.at < last - DAY and s.kind == "answer_due" for s in steps)
    at_limit = [s for s in steps if s.kind == "answer_limit"]
    assert at_limit
    assert all(s.at < last for s in at_limit)
    assert any(s.at >= last and s.kind == "answer_overdue" for s in steps)


@given(st.sampled_from(tuple(PLACES)), MOMENTS, HOURS, CLOSINGS, st.integers(700, 1400))
@settings(max_examples=40)
def test_a_case_older_than_its_calendar_never_raises(
    pack: str, received_at: datetime, hours: Hours, closings: tuple[Override, ...], age: int
) -> None:
    """D20: its calendar ends after 800 days; it is attended to, told of and closed all the same."""
    house = a_house(pack, hours=hours, days=closings)
    held, _ = attended(arrived(house, received_at), house, received_at + DAY * 30)
    now = received_at + DAY * age
    asked = Request(
        n=1,
        ground="documents",
        sent_on=held.value.day(now),
        answer_by=held.value.day(now) + DAY * 10,
        channel="email",
    )
    case = replace(
        held.value,
        requests=(asked,),
        question=Question(asked_at=now, generation=1, expires=now + DAY),
        answer=AnswerProgress(
            answer_id="a", outcome=Outcome.UPHELD, by=OTHER, drafted_at=now, submitted_at=now
        ),
    )
    held, made = attended(replace(held, value=case), house, now)
    assert names(made)
    held, _ = attended(held, house, now + DAY * 400)
    told = acts.notices("case", held.value, house, "joined", "officer", now=now)
    assert told[0].due_at >= now


def test_an_office_that_is_never_open_is_told_all_the_same() -> None:
    """M52: open at weekends alone, and closed for two months around the limit."""
    received_at = datetime(2026, 9, 1, 10, tzinfo=UTC)
    closed = Override(on=date(2026, 9, 10), kind="closed", until=date(2026, 11, 5))
    house = a_house(hours=Hours(days=(6, 7)), days=(closed,))
    held, _ = attended(arrived(house, received_at), house, received_at)
    held, made = attended(held, house, received_at + DAY * 31)
    kinds = [name.split(".")[0] for name in names(made)]
    assert kinds[-2:] == ["answer_limit", "answer_overdue"]


# One step after the other


def case_of(house: House, moment: str, **changes: Any) -> Held[Complaint]:
    """A case received and registered at this local time."""
    at = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(house.settings.time_zone))
    held, _ = attended(arrived(house, at.astimezone(UTC), **changes), house, at.astimezone(UTC))
    assert held.value.registered_at is not None
    return held


def days_of(held: Held[Complaint], house: House, kind: str = "") -> list[tuple[str, str, str]]:
    """The first steps of a case: day, kind, whom."""
    zone = ZoneInfo(held.value.zone)
    return [
        (f"{s.at.astimezone(zone):%Y-%m-%d %H:%M}", s.kind, s.to)
        for s in attention.steps(held.value, house.settings.complaints)
        if s.kind.startswith(kind)
    ]


def test_the_default_ladder_of_a_case_from_the_source() -> None:
    """M52: registered on 9 November, so due on 9 December: 10, 5, 2, 1 days before, then daily."""
    house = a_house("ru-medexpress-2019")
    held = case_of(house, "2026-11-09 10:00")
    assert days_of(held, house)[:9] == [
        ("2026-11-27 09:00", "answer_due", "officer"),  # the 29th is a Sunday
        ("2026-12-04 09:00", "answer_due", "officer"),
        ("2026-12-07 09:00", "answer_due", "officer"),
        ("2026-12-08 09:00", "answer_due", "head"),
        ("2026-12-09 09:00", "answer_due", "head"),
        ("2026-12-09 09:00", "answer_limit", "management"),
        ("2026-12-10 09:00", "answer_overdue", "management"),
        ("2026-12-11 09:00", "answer_overdue", "management"),
        ("2026-12-14 09:00", "answer_overdue", "management"),
    ]


def test_an_opening_that_the_clock_skips_or_repeats_is_one_moment() -> None:
    """M52: half past two on 29 March 2026 does not exist, on 25 October it comes twice."""
    house = a_house(hours=Hours(days=(7,), start="02:30"), ladder=(Rung(to="officer"), *LADDER))
    for received, opening in (
        ("2026-02-27 10:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-09-25 10:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ):
        held = case_of(house, received)
        steps = attention.steps(held.value, house.settings.complaints)
        assert [s.at for s in steps if s.at.date() == opening.date()] == [opening] * 3


def test_an_extension_moves_the_ladder() -> None:
    """M53: what was told of the old day stays told; the new day has a ladder of its own."""
    house = a_house("ru-medexpress-2019")
    held = case_of(house, "2026-11-09 10:00")
    held, before = attended(held, house, datetime(2026, 12, 8, 12, tzinfo=UTC))
    assert len(names(before)) == 4
    longer = Extension(to=date(2027, 1, 29), reason="examination", at=held.value.entered_at)
    held = replace(held, value=replace(held.value, extension=longer))
    assert due(held, house) == datetime(2027, 1, 19, 6, tzinfo=UTC)
    _, more = attended(held, house, datetime(2027, 2, 2, 12, tzinfo=UTC))
    assert [name.split(".")[:2] for name in names(more)] == [
        *[["answer_due", "2027-01-29"]] * 5,
        ["answer_limit", "2027-01-29"],
        *[["answer_overdue", "2027-01-29"]] * 2,
    ]


def test_a_letter_that_lay_about_is_told_of_as_it_stands() -> None:
    """M52: entered when its limit had passed: management is told at once, not never."""
    house = a_house()
    received_at = datetime(2026, 9, 1, 8, tzinfo=UTC)
    held = arrived(house, received_at, late=DAY * 45)
    _, made = attended(held, house, held.value.entered_at)
    happened = [one.event.kind for one in made]
    assert happened == ["escalated", "complaint_registered"]
    told = {(one.person, one.data["kind"]) for one in made[0].notices}
    assert {(OTHER, "answer_due"), (HEAD, "answer_due"), (ADMIN, "answer_overdue")} <= told


def test_registration_that_waits_too_long_wakes_somebody() -> None:
    """M44: after an outage over the third working day, who answers for it learns first."""
    house = a_house("ru-medexpress-2019")
    held = arrived(house, datetime(2026, 11, 6, 16, tzinfo=UTC))  # Friday, after 18:00
    assert due(held, house) == datetime(2026, 11, 9, 6, tzinfo=UTC)
    held, made = attended(held, house, datetime(2026, 11, 12, 9, tzinfo=UTC))
    assert [name.split(".")[0] for name in names(made)] == ["register_alarm"] * 3
    assert {one.person for one in made[0].notices} == {HEAD, OTHER, ADMIN}
    assert made[1].event.kind == "complaint_registered"
    assert days_of(held, house, "register") == []


def test_what_can_not_be_registered_still_has_its_day() -> None:
    """M44, M52: the day of the answer does not depend on it, and management hears day after day."""
    house = a_house("ru-medexpress-2019")
    held = arrived(house, datetime(2026, 11, 9, 7, tzinfo=UTC))
    alarms = days_of(held, house, "register_alarm")
    assert [to for _, _, to in alarms] == ["head", "officer", *["management"] * 10]
    kinds = {kind for _, kind, _ in days_of(held, house, "answer")}
    assert kinds == {"answer_due", "answer_limit", "answer_overdue"}
    nobody = replace(held, value=replace(held.value, anonymous=True))
    assert days_of(nobody, house, "answer") == []


def test_an_agent_who_keeps_a_complaint_is_reminded_and_then_the_head_told() -> None:
    """M49: within one working day it is handed over; the next morning the head knows."""
    house = a_house("ru-medexpress-2019")
    received_at = datetime(2026, 11, 9, 7, tzinfo=UTC)
    held = arrived(
        house, received_at, channel=Channel.AGENT, agent_received_at=received_at, handed_over=False
    )
    held, _ = attended(held, house, received_at)
    assert days_of(held, house, "hand_over") == [
        ("2026-11-10 09:00", "hand_over", "agent"),
        ("2026-11-11 09:00", "hand_over", "head"),
    ]
    _, made = attended(held, house, datetime(2026, 11, 11, 9, tzinfo=UTC))
    assert [(n.person, n.data["kind"]) for n in made[0].notices] == [
        (AGENT, "hand_over"),
        (HEAD, "hand_over"),
    ]
    given = replace(held.value, handed_over_at=received_at + DAY)
    assert days_of(replace(held, value=given), house, "hand_over") == []


def test_requests_to_the_client_have_their_window_told() -> None:
    """M62-M71: the first day and the last day of the next request; then the day of suspension."""
    house = a_house("ru-medexpress-2019")
    held = case_of(house, "2026-11-09 10:00")

    def asked(*days: date) -> Held[Complaint]:
        sent = tuple(
            Request(n=n, ground="documents", sent_on=day, answer_by=day + DAY * 7, channel="email")
            for n, day in enumerate(days, 1)
        )
        return replace(held, value=replace(held.value, requests=sent))

    first = asked(date(2026, 11, 10))
    steps = {kind: day[:10] for day, kind, _ in days_of(first, house)}
    assert steps["next_request"] == "2026-11-16"  # the 15th is a Sunday
    assert steps["last_request_day"] == "2026-11-20"
    assert steps["client_silent"] == "2026-11-18"
    third = asked(date(2026, 11, 10), date(2026, 11, 16), date(2026, 11, 23))
    assert "may_suspend" not in {kind for _, kind, _ in days_of(third, house)}  # D19: never in time
    longer = Extension(to=date(2027, 1, 29), reason="documents", at=held.value.entered_at)
    extended = replace(third, value=replace(third.value, extension=longer))
    assert ("2026-12-23 09:00", "may_suspend", "officer") in days_of(extended, house)
    answered = replace(third.value.requests[-1], answered_on=date(2026, 11, 24))
    quiet = replace(third.value, requests=(*third.value.requests[:2], answered))
    kinds = {kind for _, kind, _ in days_of(replace(held, value=quiet), house)}
    assert kinds == {"answer_due", "answer_limit", "answer_overdue"}


def test_a_draft_that_waits_for_a_second_person_is_told_daily() -> None:
    """Item 9: approval is escalated from the next open day on."""
    house = a_house()
    held = case_of(house, "2026-11-05 10:00")
    draft = AnswerProgress(
        answer_id="a",
        outcome=Outcome.UPHELD,
        by=OTHER,
        drafted_at=held.value.entered_at,
        submitted_at=datetime(2026, 11, 10, 12, tzinfo=UTC),  # the 11th is a holiday
    )
    waiting = replace(held, value=replace(held.value, answer=draft))
    assert [day for day, _, _ in days_of(waiting, house, "approval")] == [
        "2026-11-12 09:00",
        "2026-11-13 09:00",
        "2026-11-16 09:00",
        "2026-11-17 09:00",
        "2026-11-18 09:00",
    ]
    approved = replace(draft, approved_at=datetime(2026, 11, 12, 12, tzinfo=UTC))
    assert days_of(replace(held, value=replace(held.value, answer=approved)), house, "appr") == []


def test_an_insured_who_stays_silent_is_told_until_the_question_went_by_post() -> None:
    """D7: after three open days it goes by post; the date of the answer stands."""
    house = a_house()
    held = case_of(house, "2026-11-05 10:00")
    other = replace(held.value, insured=Person(name="Jan Ubezpieczony"))
    held = replace(held, value=other)
    asked_at = datetime(2026, 11, 5, 12, tzinfo=UTC)
    question = Question(asked_at=asked_at, generation=1, expires=asked_at + DAY * 30)
    asked = replace(held, value=replace(other, question=question))
    assert days_of(asked, house, "insured") == [
        ("2026-11-10 09:00", "insured_silent", "officer"),
        ("2026-11-12 09:00", "insured_silent", "officer"),
        ("2026-11-13 09:00", "insured_silent", "head"),
        ("2026-11-16 09:00", "insured_silent", "head"),
        ("2026-11-17 09:00", "insured_silent", "head"),
    ]
    for known in (
        replace(question, posted_on=date(2026, 11, 9)),
        replace(question, decided_at=asked_at, decision="mine"),
    ):
        there = replace(held, value=replace(other, question=known))
        assert days_of(there, house, "ins") == days_of(there, house, "question") == []


def test_an_insured_who_can_not_be_asked_by_email_is_not_forgotten() -> None:
    """M38, D7: nobody was asked, or only somebody who was named by mistake: it goes by post."""
    house = a_house()
    held = case_of(house, "2026-11-05 10:00")
    other = replace(held.value, insured=Person(name="Jan Ubezpieczony"))
    asked_at = datetime(2026, 11, 5, 12, tzinfo=UTC)
    nobody = Question(asked_at=asked_at, generation=2, expires=asked_at)
    for question in (None, nobody):
        found = days_of(
            replace(held, value=replace(other, question=question)), house, "question_by_post"
        )
        assert [to for _, _, to in found] == ["officer", "officer", "head", "head", "head"]
        assert found[0][0] == "2026-11-06 09:00"


def test_of_what_is_too_much_for_one_change_somebody_is_told_each_step() -> None:
    """Item 9: five steps of one moment, twenty people each; eighty notices fit."""
    house = a_house()
    crowd = [
        a_member(f"{role}-{n:04d}-1111", f"{role} {n}", role)
        for role in (Role.QUALITY, Role.HEAD)
        for n in range(25)
    ]
    house = replace(house, directory=domain.Directory(members=tuple(crowd)))
    held = case_of(house, "2026-11-05 10:00")
    day = date(2026, 11, 6)  # the first open day after it
    drafted = datetime(2026, 11, 5, 12, tzinfo=UTC)
    draft = AnswerProgress(answer_id="a", by="x", drafted_at=drafted, submitted_at=drafted)
    last = Request(n=1, ground="x", sent_on=day - DAY * 2, answer_by=day - DAY, channel="post")
    stage = Ombudsman(body="ombudsman", stage="opened", on=day - DAY, answer_by=day)
    case = replace(
        held.value,
        writer=replace(held.value.writer, email=""),
        insured=Person(name="Jan Ubezpieczony"),
        answer=draft,
        requests=(last,),
        outside=(stage,),
        attended_until=drafted,
    )
    change = escalation.attend(
        replace(held, value=case), house, now=datetime(2026, 11, 6, 9, tzinfo=UTC)
    )
    assert change is not None
    kinds = {one.rpartition(".2026")[0] for one in change.event.body["steps"]}
    assert len(kinds) == 5
    assert {one.data["kind"] for one in change.notices} == kinds
    assert len(change.notices) == escalation.MOST_NOTICES


def test_after_an_outage_a_person_is_told_the_last_of_each_kind() -> None:
    """Item 9: the event tells every step in order, the letter says how it stands now."""
    house = a_house("ru-medexpress-2019")
    held = case_of(house, "2026-11-09 10:00")
    _, made = attended(held, house, datetime(2026, 12, 14, 12, tzinfo=UTC))
    (change,) = made
    assert names(made) == sorted(names(made), key=lambda name: _at(held, house, name))
    told = {(one.person, one.data["kind"]): one.data["days"] for one in change.notices}
    assert told == {
        (OTHER, "answer_due"): 2,
        (HEAD, "answer_due"): 0,
        (ADMIN, "answer_limit"): 0,
        (ADMIN, "answer_overdue"): 5,
    }


def _at(held: Held[Complaint], house: House, name: str) -> datetime:
    steps = attention.steps(held.value, house.settings.complaints)
    return next(step.at for step in steps if step.name == name)


def test_a_big_office_does_not_outgrow_a_transaction() -> None:
    """Item 9: a hundred officers and heads; nothing is left out in time, nothing said twice."""
    crowd = [a_member(f"q{n:07d}", "Olga Officer", Role.QUALITY) for n in range(100)]
    crowd += [a_member(f"h{n:07d}", "Hanna Head", Role.HEAD) for n in range(100)]
    house = a_house("ru-medexpress-2019")
    house = replace(house, directory=domain.Directory(members=tuple(crowd)))
    at = datetime(2026, 11, 9, 7, tzinfo=UTC)
    groups = [("officer", -1), ("head", -1), ("officer", 3), ("head", 3), ("management", 0)]
    ladder = tuple(
        Rung(to=cast(Any, to), of=cast(Any, of), before=n, daily=n < 0)
        for to, n in groups
        for of in ("target", "limit")
    )
    settings_ = replace(
        house.settings, complaints=replace(house.settings.complaints, ladder=ladder)
    )
    root = replace(house.organisation, settings=settings_)
    house = replace(house, held=replace(house.held, value=root))
    held, made = attended(arrived(house, at), house, at)
    assert all(one.items <= 100 for one in made)
    _, made = attended(held, house, at + DAY * 40)
    assert all(one.items <= 100 for one in made)
    assert len(made) > 1
    assert len(names(made)) == len(set(names(made)))


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-11-09 10:00", "2026-11-09 10:02"),
        ("2026-11-09 16:59", "2026-11-10 09:02"),
        ("2026-11-09 07:00", "2026-11-09 09:02"),
        ("2026-11-10 17:00", "2026-11-12 09:02"),  # the 11th is a holiday
        ("2026-12-24 20:00", "2026-12-28 09:02"),
    ],
)
def test_a_notice_is_told_in_office_hours(moment: str, told: str) -> None:
    """Item 9: never at night, and together with what the morning's run brings."""
    house = a_house()
    zone = ZoneInfo("Europe/Warsaw")
    held = case_of(house, "2026-11-05 10:00")
    at = datetime.fromisoformat(moment).replace(tzinfo=zone)
    (notice,) = acts.notices("case", held.value, house, "message_joined", "officer", now=at)
    assert f"{notice.due_at.astimezone(zone):%Y-%m-%d %H:%M}" == told


def test_somebody_is_always_told() -> None:
    """Item 9: who left is replaced by the team, the team by the administrators, they by anybody."""
    house = a_house(management=("gone-long-ago",))
    held = case_of(house, "2026-11-05 10:00")
    assigned = replace(held.value, assignee="gone-long-ago", agent="gone-long-ago")
    assert [one.staff_id for one in acts.people(assigned, "officer", house)] == [OTHER]
    assert [one.staff_id for one in acts.people(assigned, "agent", house)] == [OTHER]
    assert [one.staff_id for one in acts.people(assigned, "management", house)] == [ADMIN]
    alone = replace(house, directory=domain.Directory(members=house.directory.members[1:2]))
    assert [one.staff_id for one in acts.people(assigned, "head", alone)] == [AGENT]


def test_an_anonymous_or_closed_case_is_never_told_of() -> None:
    """M34, D2: closed at registration; nobody is asked to answer nobody."""
    house = a_house()
    at = datetime(2026, 11, 5, 9, tzinfo=UTC)
    held, made = attended(arrived(house, at, writer=Person(), contract_number=""), house, at)
    assert held.value.closed is not None
    assert [one.notices for one in made] == [()]
    assert attention.steps(held.value, house.settings.complaints) == []
    assert escalation.attend(held, house, now=at + DAY * 40) is None


def test_a_notice_of_a_step_is_one_however_often_it_is_written() -> None:
    """Item 9: its key is the person, the case and the step."""
    house = a_house()
    held = case_of(house, "2026-11-05 10:00")
    now = datetime(2026, 12, 3, 9, tzinfo=UTC)

    def keys() -> set[tuple[str, str, str]]:
        change = escalation.attend(held, house, now=now)
        assert change is not None
        told: Sequence[Notice] = change.notices
        return {(one.person, one.about, one.step) for one in told}

    assert keys() == keys()
    assert SYSTEM.kind == "system"


def test_what_an_answer_granted_has_a_day_that_does_not_pass_in_silence() -> None:
    """Item 9, PL act of 2015 Art. 9(4): within thirty days of the answer, until it is done."""
    house = a_house("pl-nat-2026-02-13")
    held = case_of(house, "2026-11-05 10:00")
    at = datetime(2026, 11, 10, 9, tzinfo=UTC)
    sent = AnswerProgress(answer_id="a", by=ADMIN, drafted_at=at, sent_on=date(2026, 11, 10))
    end = Closed(state=State.ANSWERED, at=at, outcome=Outcome.PARTLY)
    closed = replace(held, value=replace(held.value, closed=end, answer=sent))
    steps = days_of(closed, house)
    assert steps[:4] == [
        ("2026-12-04 09:00", "perform_due", "officer"),
        ("2026-12-08 09:00", "perform_due", "officer"),
        ("2026-12-10 09:00", "perform_due", "head"),
        ("2026-12-11 09:00", "perform_overdue", "head"),
    ]
    assert [to for _, _, to in steps[3:]] == ["head", "management"] * 10
    done = replace(closed, value=replace(closed.value, performed_on=date(2026, 12, 1)))
    assert days_of(done, house) == []
    refused = replace(closed.value, closed=replace(end, outcome=Outcome.REJECTED))
    assert days_of(replace(closed, value=refused), house) == []


def test_who_asks_from_outside_has_a_day_that_does_not_pass_in_silence() -> None:
    """Item 7, 9: the ombudsman's day is told before it and at it, after the end of the case too."""
    house = a_house()
    held = case_of(house, "2026-11-05 10:00")
    asked = Ombudsman(
        body="ombudsman",
        stage="answer_asked",
        on=date(2026, 11, 20),
        answer_by=date(2026, 12, 7),
    )
    end = Closed(state=State.ANSWERED, at=datetime(2026, 11, 10, 9, tzinfo=UTC))
    closed = replace(held, value=replace(held.value, closed=end, outside=(asked,)))
    steps = days_of(closed, house)
    assert steps[:5] == [
        ("2026-12-02 09:00", "outside_due", "officer"),
        ("2026-12-04 09:00", "outside_due", "officer"),
        ("2026-12-07 09:00", "outside_due", "head"),
        ("2026-12-08 09:00", "outside_overdue", "head"),
        ("2026-12-08 09:00", "outside_overdue", "management"),
    ]
    assert len(steps) == 23
    _, made = attended(closed, house, datetime(2026, 12, 8, 9, tzinfo=UTC))
    assert len(names(made)) == 5
    given = replace(asked, stage="answered", answer_by=None)
    done = replace(closed, value=replace(closed.value, outside=(asked, given)))
    assert days_of(done, house) == []


def test_two_matters_at_one_court_have_each_their_day() -> None:
    """Item 7, 9: a second case hides the first no more than a stage without a day its own."""
    house = a_house()
    held = case_of(house, "2026-11-05 10:00")
    first = Ombudsman(
        body="court",
        stage="answer_asked",
        on=date(2026, 11, 20),
        number="A-1",
        answer_by=date(2026, 12, 7),
    )
    second = replace(first, number="B-2", answer_by=date(2027, 1, 15))
    asked_again = replace(second, answer_by=None)
    case = replace(held.value, outside=(first, second, asked_again))
    assert [(one.number, one.answer_by) for one in case.stages_outside] == [
        ("A-1", date(2026, 12, 7)),
        ("B-2", date(2027, 1, 15)),
    ]
    decided = replace(case, outside=(*case.outside, replace(second, stage="decided")))
    assert [one.waits for one in decided.stages_outside] == [True, False]
    unnamed = replace(case, outside=(replace(first, number=""), replace(first, stage="answered")))
    assert [(one.number, one.waits) for one in unnamed.stages_outside] == [("A-1", False)]


def test_the_time_of_keeping_begins_anew_with_each_stage_outside() -> None:
    """M85: what the ombudsman or a court still looks into is younger than its closing."""
    house = a_house()
    held = case_of(house, "2026-11-05 10:00")
    end = Closed(state=State.ANSWERED, at=datetime(2026, 11, 10, 9, tzinfo=UTC))
    decided = Ombudsman(body="court", stage="decided", on=date(2028, 1, 20))
    for outside, year in (((), 2029), ((decided,), 2031)):
        case = replace(held.value, closed=end, outside=outside)
        until = attention.keep_until(case, house.settings.complaints)
        assert until is not None
        assert until.year == year
