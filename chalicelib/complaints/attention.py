"""When a case needs somebody, who that is, and why: the ladder, pure.

A step follows from the state of the case, its pack, its calendar and the organisation's ladder; it
has a moment in office hours. Which steps were taken is one mark on the case, `attended_until`, the
moment of the last one: what lies between it and now is due, oldest first, so that an outage is
caught up in order and nothing is said twice. Without a mark everything up to now is due: a letter
that lay about for weeks is told of as it stands, its limit too.

No step ever fails for want of a calendar: beyond the days that the case knows, a plain week counts.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec

from chalicelib.complaints.case import Complaint
from chalicelib.kernel.workdays import DAY, Calendar, end_of_term, instant, local
from chalicelib.organisations.domain import ComplaintSettings, Hours, Rung
from chalicelib.policy import engine, suspension
from chalicelib.policy.engine import Deadline

MOST_DAILY = 60  # reminders after the limit, one each open day; then one a week, for two years
MOST_WEEKLY = 104
LONGEST_CLOSED = 31  # days; where nobody comes for longer, the day itself counts
# Notices that come of one run are told in one letter: they wait until the run is over.
GATHERED = timedelta(minutes=2)
APPROVED_WITHIN = 1
INSURED_WITHIN = 3

To = Literal["officer", "head", "management", "agent"]


# Which open days after the registration somebody is told that a paper is still to be posted.
_POSTED_LADDER: tuple[To, ...] = ("officer", "officer", "head", "head", "head")
# The same for what came after the end of a case: it has the days of a registration (M44, M74).
_AFTER_LADDER: tuple[To, ...] = ("officer", "head", "head", "management", "management")
# The same for a registration that was not done on its last day (M44).
_ALARM_LADDER: tuple[To, ...] = ("management",) * 10
# How many days before its last one a promise is told of.
_KEPT_LADDER: tuple[tuple[To, int], ...] = (("officer", 5), ("officer", 2), ("head", 0))
# Who is told, and for how many open days, that a promise was not kept on its last day.
_BROKEN: tuple[To, ...] = ("head", "management")
_BROKEN_DAYS = 10


class Step(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Somebody is to be told: `kind` what of, `on` the day that it is about."""

    at: datetime
    kind: str
    to: To
    on: date
    days: int = 0

    @property
    def name(self) -> str:
        """What makes it one step: the same again is no other."""
        return f"{self.kind}.{self.on.isoformat()}.{self.days}.{self.to}"


def steps(case: Complaint, settings: ComplaintSettings) -> list[Step]:
    """Every step that the case will need as it stands now, in order."""
    if case.erasure:
        return []
    watch = _Watch(case, settings)
    found = {step.name: step for part in watch.parts() for step in part}
    return sorted(found.values())


def due(case: Complaint, settings: ComplaintSettings, now: datetime) -> list[Step]:
    """The steps between the mark and now, oldest first."""
    return [step for step in _ahead(case, settings) if step.at <= now]


def next_moment(case: Complaint, settings: ComplaintSettings) -> datetime | None:
    """When the case is due in the agenda; None where nothing will ever be."""
    if case.unchecked:
        return case.entered_at
    moments = [step.at for step in _ahead(case, settings)[:1]]
    end = None if case.hold or case.erasure else keep_until(case, settings)
    if end is not None:
        moments.append(end)
    if case.is_open and case.registered_at is None:
        moments.append(engine.registration_at(case.policy, case.facts, case.calendar))
    return min(moments, default=None)


def _ahead(case: Complaint, settings: ComplaintSettings) -> list[Step]:
    """The steps that were not taken yet, in order."""
    mark = case.attended_until
    return [step for step in steps(case, settings) if mark is None or step.at > mark]


def keep_until(case: Complaint, settings: ComplaintSettings) -> datetime | None:
    """When a closed case is erased: the later of the pack's term and the organisation's (M85).

    The organisation's begins anew with each stage outside. Then it is asked whether it is needed.
    """
    if case.closed is None:
        return None
    last_stage = max([case.day(case.closed.at), *(one.on for one in case.outside)])
    own = end_of_term(last_stage, settings.keep_years, "year", calendar=case.calendar)
    packs = case.deadlines.get("keep")
    last = max(own, packs.limit) if packs else own
    end = instant(last + DAY, time(), case.zone)
    return max(end, case.keep_after) if case.keep_after else end


def office_moment(
    now: datetime, settings: ComplaintSettings, calendar: Calendar, zone: str
) -> datetime:
    """Now, if the office is open; else when it opens next."""
    here = local(now, zone)
    opens, ends = _clock(settings.hours.start), _clock(settings.hours.end)
    day = here.date()
    if _is_open(day, settings.hours, calendar):
        if here.time() < opens:
            return instant(day, opens, zone)
        if here.time() < ends:
            return now
    return instant(_open_from(day + DAY, settings.hours, calendar), opens, zone)


def notice_moment(
    now: datetime, settings: ComplaintSettings, calendar: Calendar, zone: str
) -> datetime:
    """When a notice that is written now is told: in office hours, once this run is over.

    What was written overnight waits for the run that takes the morning's steps, too.
    """
    over = office_moment(now, settings, calendar, zone) + GATHERED
    told = office_moment(over, settings, calendar, zone)
    return told if told == over else told + GATHERED


class _Watch:
    """One case, looked at."""

    def __init__(self, case: Complaint, settings: ComplaintSettings) -> None:
        self.case, self.settings = case, settings
        self.deadlines = case.deadlines

    def parts(self) -> Iterator[Iterable[Step]]:
        """Every reason to tell somebody; after the end, what was promised, asked, and what came."""
        yield self.outside()
        if not self.case.is_open:
            yield self.performance()
            yield self.came_after()
            return
        yield self.registration()
        yield self.hand_over()
        if not self.case.is_anonymous:
            yield self.answer()
        if self.case.registered_at is not None:
            yield self.receipt()
            yield self.requests()
            yield self.approval()
            yield self.insured()

    def registration(self) -> Iterator[Step]:
        """The outer edge of registration, at which somebody is woken, until it is done (M44)."""
        alarm = self.deadlines.get("register_alarm")
        if self.case.registered_at is not None or alarm is None:
            return
        yield self.step("register_alarm", "head", alarm.limit)
        yield self.step("register_alarm", "officer", alarm.limit)
        yield from self.each_day("register_alarm", _ALARM_LADDER, alarm.limit)

    def receipt(self) -> Iterator[Step]:
        """Word of the receipt that is owed on paper, until it was posted (M39, M48)."""
        if self.case.registered_at is None or not self.case.receipt_to_post:
            return
        day = self.case.day(self.case.registered_at)
        yield from self.each_day("receipt_by_post", _POSTED_LADDER, day)

    def hand_over(self) -> Iterator[Step]:
        """An agent has a working day to hand over what they received (M49)."""
        term = self.deadlines.get("hand_over")
        if term is None or self.case.handed_over_at is not None:
            return
        yield self.step("hand_over", "agent", term.limit)
        yield self.step(
            "hand_over", "head", _open_from(term.limit + DAY, *self.office), of=term.limit
        )

    def answer(self) -> Iterator[Step]:
        """The ladder up to the target, the limit and beyond."""
        term = self.case.answer_due
        if term is None:
            return
        for rung in self.settings.ladder:
            yield from self.rung(rung, term)

    def rung(self, rung: Rung, term: Deadline) -> Iterator[Step]:
        """One rung: before its day on the last open day, after it on the first."""
        base = term.target if rung.of == "target" else term.limit
        day = base - DAY * rung.before
        if rung.daily:
            yield from self.daily(rung, term, day)
        elif rung.before >= 0:
            yield self.told(rung, term, self.last_open(day))
        else:
            yield self.told(rung, term, _open_from(day, *self.office))

    def daily(self, rung: Rung, term: Deadline, day: date) -> Iterator[Step]:
        """Each open day from this one on, and each week once that has become a habit."""
        for n in range(MOST_DAILY + MOST_WEEKLY):
            day = _open_from(day, *self.office)
            yield self.told(rung, term, day)
            day += DAY if n < MOST_DAILY else DAY * 7

    def told(self, rung: Rung, term: Deadline, day: date) -> Step:
        """What is told on that day: that it is due, that it is the last moment, or too late."""
        kind, of = "answer_due", term.target if rung.of == "target" else term.limit
        if day > of or (rung.of == "limit" and rung.before <= 0):
            kind, of = "answer_limit", term.limit
        if day > term.limit:
            kind = "answer_overdue"
        return self.step(kind, rung.to, day, of=of, days=abs((of - day).days))

    def requests(self) -> Iterator[Step]:
        """The lawful window of the next request, and the first day of a suspension (M62-M71)."""
        last = self.case.open_request
        if last is None:
            return
        yield self.step("client_silent", "officer", _open_from(last.answer_by + DAY, *self.office))
        view = suspension.outlook(
            self.case.policy,
            self.case.facts,
            self.case.calendar,
            self.case.asked(last.ground),
            today=last.sent_on,
        )
        if view is None:
            return
        if view.counted < view.needed:
            yield self.step("next_request", "officer", _open_from(view.next_from, *self.office))
            if view.next_by is not None:
                day = self.last_open(view.next_by)
                yield self.step("last_request_day", "officer", day)
                yield self.step("last_request_day", "head", day)
                over = _open_from(view.next_by + DAY, *self.office)
                for to in ("officer", "head"):
                    yield self.step("request_window_over", to, over, of=view.next_by)
        elif view.fit == "in_time":
            first = _open_from(view.first_closing, *self.office)
            yield self.step("may_suspend", "officer", first)

    def approval(self) -> Iterator[Step]:
        """A draft that waits for a second person."""
        draft = self.case.answer
        if draft is None or draft.submitted_at is None or draft.approved_at is not None:
            return
        day = self.case.day(draft.submitted_at)
        yield from self.each_day("approval_waits", ("head",) * 5, day, first=APPROVED_WITHIN)

    def insured(self) -> Iterator[Step]:
        """An insured who was not asked yet, or does not say whether it was sent for them (D7)."""
        if not self.case.third_party or self.case.registered_at is None:
            return
        asked = self.case.question
        if asked is None or not asked.was_asked:
            day = self.case.day(asked.asked_at if asked else self.case.registered_at)
            yield from self.each_day("question_by_post", _POSTED_LADDER, day)
        elif asked.decided_at is None and asked.posted_on is None:
            day = self.case.day(asked.asked_at)
            yield from self.each_day("insured_silent", _POSTED_LADDER, day, first=INSURED_WITHIN)

    def outside(self) -> Iterator[Step]:
        """The ombudsman, the regulator or a court waits for an answer, by the day that it set."""
        for one in self.case.stages_outside:
            if one.answer_by is not None and one.waits:
                yield from self.kept("outside", one.answer_by)

    def kept(self, what: str, by: date) -> Iterator[Step]:
        """A promise that has a day: told before it, at it, and after it for as long as it helps."""
        for to, before in _KEPT_LADDER:
            day = self.last_open(by - DAY * before)
            yield self.step(f"{what}_due", to, day, of=by, days=(by - day).days)
        for to in _BROKEN:
            yield from self.each_day(f"{what}_overdue", (to,) * _BROKEN_DAYS, by)

    def performance(self) -> Iterator[Step]:
        """What the answer granted is to be done by a day, until staff say that it was."""
        term = self.deadlines.get("perform")
        if term is not None and self.case.performed_on is None:
            yield from self.kept("perform", term.limit)

    def came_after(self) -> Iterator[Step]:
        """What came after the end waits to be registered again, until an officer looked (M74)."""
        since, closed = self.case.waiting_since, self.case.closed
        if since is None or closed is None:
            return
        day = self.case.day(max(since, closed.at))
        yield from self.each_day("came_after", _AFTER_LADDER, day)
        last = self.open_after(day, len(_AFTER_LADDER))
        for week in range(1, MOST_WEEKLY + 1):
            later = _open_from(last + DAY * 7 * week, *self.office)
            days = len(_AFTER_LADDER) + 5 * week
            yield self.step("came_after", "management", later, of=day, days=days)

    def each_day(
        self, kind: str, ladder: Iterable[To], of: date, *, first: int = 1
    ) -> Iterator[Step]:
        """One rung each open day after this one, from the `first` of them on."""
        day = self.open_after(of, first - 1)
        for n, to in enumerate(ladder, start=first):
            day = self.open_after(day, 1)
            yield self.step(kind, to, day, of=of, days=n)

    def step(self, kind: str, to: To, day: date, *, of: date | None = None, days: int = 0) -> Step:
        """A step at the opening of that day."""
        at = instant(day, _clock(self.settings.hours.start), self.case.zone)
        return Step(at=at, kind=kind, to=to, on=of or day, days=days)

    @property
    def office(self) -> tuple[Hours, Calendar]:
        """When somebody is there."""
        return self.settings.hours, self.case.calendar

    def last_open(self, day: date) -> date:
        """The last day up to this one on which somebody is there."""
        days = (day - DAY * n for n in range(LONGEST_CLOSED))
        return next((one for one in days if _is_open(one, *self.office)), day)

    def open_after(self, day: date, n: int) -> date:
        """The n-th open day after this one."""
        for _ in range(n):
            day = _open_from(day + DAY, *self.office)
        return day


def _is_open(day: date, hours: Hours, calendar: Calendar) -> bool:
    """Whether somebody is there: by the organisation's own week, and by decree.

    An office that opens on Saturdays is open then, though the law counts no working day.
    """
    usual = day.isoweekday() in hours.days
    if not calendar.first <= day <= calendar.last:
        return usual
    if day in calendar.closed or day in calendar.off:
        return False
    return usual or day in calendar.worked


def _open_from(day: date, hours: Hours, calendar: Calendar) -> date:
    """The first day from this one on which somebody is there."""
    days = (day + DAY * n for n in range(LONGEST_CLOSED))
    return next((one for one in days if _is_open(one, hours, calendar)), day)


def _clock(text: str) -> time:
    return time.fromisoformat(text)
