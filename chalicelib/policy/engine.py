"""Which dates follow from a pack, the facts of a case and a calendar, each with its reasons.

Pure: no clock, no store. Dates are days of the organisation's zone; moments only come in
(`received_at`) and go out (`registration_at`).
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

import msgspec

from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.kernel.workdays import (
    DAY,
    WORKING_UNITS,
    Calendar,
    Unit,
    end_of_term,
    instant,
    local,
)
from chalicelib.policy.packs import Kind, Pack, Rule, Trigger

ANSWER = "answer"
REGISTER = "register"


class ExtensionRefused(Invalid):
    """Not a lawful extension: no rule for one, another reason, or a date that it does not reach."""

    code = "extension_refused"
    sentence = "The rules that apply do not allow this extension."


class ExtensionTooLate(Conflict):
    """The notice of an extension must leave before the answer is due."""

    code = "extension_too_late"
    sentence = "The time to answer is over; it can no longer be extended."


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a case, as far as dates follow from it.

    `registered_on` is empty as long as nobody has registered it: then the day counts on which it
    is due. `events` are the days of whatever else sets a term going.
    """

    received_at: datetime
    zone: str
    agent_received_at: datetime | None = None
    registered_on: date | None = None
    extended_to: date | None = None
    events: dict[Trigger, date] = {}

    @property
    def received_on(self) -> date:
        """The day of receipt on the organisation's wall: it chooses the pack (D20)."""
        return local(self.received_at, self.zone).date()


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason: what happened, or how it was counted, and the day that this led to.

    `clock` is the local time of an arrival; a count of working days passed over the weekdays off in
    `without`, and took in the weekend days in `worked`.
    """

    kind: str
    on: date
    clock: str = ""
    zone: str = ""
    amount: int = 0
    unit: Unit = "calendar_day"
    first_day: bool = False
    without: tuple[date, ...] = ()
    worked: tuple[date, ...] = ()


class LastSafe(msgspec.Struct, frozen=True, kw_only=True):
    """The last open days on which it is safe to act, by the way of sending."""

    email: date
    post: date


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A date with the chain of reasons that produced it.

    `target` is the day to aim at and `limit` the law's: they differ where a term that ends on a
    free day may be rolled on, for the earlier day is right in every reading. `unverified` names
    the facts in the chain that nobody has checked.
    """

    rule: str
    kind: Kind
    who: str
    target: date
    limit: date
    satisfied_by: Literal["sent", "delivered", "event"]
    chain: tuple[Step, ...]
    last_safe: LastSafe | None = None
    unverified: tuple[str, ...] = ()


class Lawful(msgspec.Struct, frozen=True, kw_only=True):
    """How far the answer may be extended: not at all, to `until`, or without an upper limit."""

    allowed: bool
    until: date | None = None


def registration_day(pack: Pack, facts: Facts, calendar: Calendar) -> date:
    """The day of arrival, or the next working day after a free day or `until` (M41-M43)."""
    arrival = local(facts.received_at, facts.zone)
    day = arrival.date()
    late = arrival.time() > pack.registration.until  # 18:00:00 is still the same day
    return calendar.next_working(day + DAY if late else day)


def registration_at(pack: Pack, facts: Facts, calendar: Calendar) -> datetime:
    """The moment to register: at once, or when the office opens on the day it falls to."""
    day = registration_day(pack, facts, calendar)
    if day == facts.received_on:
        return facts.received_at
    return instant(day, pack.registration.opens, facts.zone)


def deadlines(pack: Pack, facts: Facts, calendar: Calendar) -> dict[str, Deadline]:
    """Every date that follows, by its rule; a rule whose event has not happened has none yet."""
    found = {REGISTER: _registration(pack, facts, calendar)}
    for name, rule in pack.rules.items():
        if chain := _event(pack, rule, facts, calendar):
            found[name] = _deadline(pack, name, facts, calendar, chain)
    return found


def lawful_extension(pack: Pack, facts: Facts, calendar: Calendar) -> Lawful:
    """How far the pack lets its answer be extended; the unrolled day, as with every target."""
    if not (extension := pack.extension):
        return Lawful(allowed=False)
    if extension.amount is None:
        return Lawful(allowed=True)
    rule = pack.rules[extension.rule]
    begin = _event(pack, rule, facts, calendar)[-1].on
    if extension.beyond == "limit":
        begin = _end(rule, begin, calendar)
    until = end_of_term(
        begin,
        extension.amount,
        extension.unit,
        calendar=calendar,
        same_day=extension.beyond == "trigger" and rule.start == "same_day",
    )
    return Lawful(allowed=True, until=until)


def check_extension(
    pack: Pack, facts: Facts, calendar: Calendar, *, to: date, reason: str, on: date
) -> None:
    """Refuse what the pack does not allow (D6, M53): `ExtensionRefused`, `ExtensionTooLate`.

    Where it has no upper limit, the calendar of the case is one: two years.
    """
    lawful = lawful_extension(pack, facts, calendar)
    if not lawful.allowed or pack.extension is None:
        raise ExtensionRefused
    if pack.extension.reasons and reason not in pack.extension.reasons:
        raise ExtensionRefused(field="reason")
    due = deadlines(pack, facts, calendar)[pack.extension.rule]
    if on > due.limit:
        raise ExtensionTooLate
    if not due.limit < to <= (lawful.until or calendar.last):
        raise ExtensionRefused(field="to")


def _registration(pack: Pack, facts: Facts, calendar: Calendar) -> Deadline:
    day = registration_day(pack, facts, calendar)
    return Deadline(
        rule=REGISTER,
        kind="target",
        who="quality",
        target=day,
        limit=day,
        satisfied_by="event",
        chain=(_arrival("received", facts.received_at, facts), Step(kind="register", on=day)),
        unverified=("registration",) if pack.registration.unverified else (),
    )


def _event(pack: Pack, rule: Rule, facts: Facts, calendar: Calendar) -> tuple[Step, ...]:
    """The steps up to the event that sets the rule going, none if it has not happened."""
    if rule.trigger == "agent_received":
        at = facts.agent_received_at
        return (_arrival("agent_received", at, facts),) if at else ()
    received = _arrival("received", facts.received_at, facts)
    if rule.trigger == "received":
        return (received,)
    if rule.trigger == "registered":
        day = facts.registered_on or registration_day(pack, facts, calendar)
        return (received, Step(kind="registered", on=day))
    day_of = facts.events.get(rule.trigger)
    return (Step(kind=rule.trigger, on=day_of),) if day_of else ()


def _deadline(
    pack: Pack, name: str, facts: Facts, calendar: Calendar, chain: tuple[Step, ...]
) -> Deadline:
    rule, begin = pack.rules[name], chain[-1].on
    target = _end(rule, begin, calendar)
    limit = _rolled(rule, target, calendar)
    working = rule.unit in WORKING_UNITS
    chain += (
        Step(
            kind="counted",
            on=target,
            amount=rule.amount,
            unit=rule.unit,
            first_day=rule.start == "same_day",
            without=_within(calendar.off, begin, target) if working else (),
            worked=_within(calendar.worked, begin, target) if working else (),
        ),
    )
    if limit != target:
        chain += (Step(kind="rolled", on=limit),)
    if facts.extended_to and pack.extension and name == pack.extension.rule:
        target = limit = facts.extended_to
        chain += (Step(kind="extended", on=limit),)
    return Deadline(
        rule=name,
        kind=rule.kind,
        who=rule.who,
        target=target,
        limit=limit,
        satisfied_by=rule.satisfied_by,
        chain=chain,
        last_safe=_last_safe(pack, rule, begin, target, calendar),
        unverified=tuple(_unverified(pack, name, chain, calendar)),
    )


def _end(rule: Rule, begin: date, calendar: Calendar) -> date:
    same_day = rule.start == "same_day"
    return end_of_term(begin, rule.amount, rule.unit, calendar=calendar, same_day=same_day)


def _rolled(rule: Rule, day: date, calendar: Calendar) -> date:
    if rule.roll == "next_working":
        return calendar.next_working(day)
    while rule.roll == "next_not_sat_hol" and calendar.is_weekend_or_holiday(day):
        day += DAY
    return day


def _last_safe(
    pack: Pack, rule: Rule, begin: date, target: date, calendar: Calendar
) -> LastSafe | None:
    if rule.satisfied_by == "event":
        return None
    post = pack.post_reserve if rule.satisfied_by == "sent" else pack.delivery_reserve
    return LastSafe(
        email=max(begin, calendar.last_open(target, before=pack.email_reserve)),
        post=max(begin, calendar.last_open(target, before=post)),
    )


def _unverified(
    pack: Pack, name: str, chain: tuple[Step, ...], calendar: Calendar
) -> Iterator[str]:
    rule = pack.rules[name]
    if rule.trigger == "registered" and pack.registration.unverified:
        yield "registration"
    if rule.unverified:
        yield f"rules.{name}"
    if rule.reckoning and pack.reckonings[rule.reckoning].unverified:
        yield f"reckonings.{rule.reckoning}"
    if chain[-1].kind == "extended" and pack.extension and pack.extension.unverified:
        yield "extension"
    reckoned = rule.unit in WORKING_UNITS or rule.roll != "none"
    if reckoned and chain[-1].on > calendar.sure_until:
        yield "calendar"


def _within(days: tuple[date, ...], begin: date, end: date) -> tuple[date, ...]:
    return tuple(day for day in days if begin < day <= end)


def _arrival(kind: str, at: datetime, facts: Facts) -> Step:
    arrival = local(at, facts.zone)
    return Step(kind=kind, on=arrival.date(), clock=f"{arrival:%H:%M}", zone=facts.zone)
