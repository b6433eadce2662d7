"""Dates that follow from a pack and the facts, against a count made day by day; requests."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel.workdays import Calendar, CalendarEnds, Override
from chalicelib.policy import PACKS, packs, reasons
from chalicelib.policy.calendars import calendar
from chalicelib.policy.engine import (
    Deadline,
    ExtensionRefused,
    ExtensionTooLate,
    Facts,
    check_extension,
    deadlines,
    lawful_extension,
    registration_at,
    registration_day,
)
from chalicelib.policy.suspension import Asked, Closing, Fit, Outlook, Reason, may_close, outlook

ONE = timedelta(days=1)
SEED, LAW, POLAND = "ru-medexpress-2019", "ru-442fz-2024", "pl-nat-2026-02-13"
ZONES = {"RU": "Europe/Moscow", "PL": "Europe/Warsaw", "GB-ENG": "Europe/London"}
MOMENTS = st.datetimes(datetime(2019, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)
OF_THE_CLOCK = {"GB-ENG": "uk-disp-2026", "PL": POLAND, "RU": SEED}


def a_case(text: str, zone: str = "Europe/Moscow", **changes: Any) -> Facts:
    """A case received at this local time."""
    at = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return Facts(received_at=at, zone=zone, **changes)


def reckoned(name: str, facts: Facts, overrides: tuple[Override, ...] = ()) -> dict[str, Deadline]:
    """The dates of a case under a pack, in its own country."""
    return deadlines(packs.load(name), facts, days_of(name, facts, overrides))


def days_of(name: str, facts: Facts, overrides: tuple[Override, ...] = ()) -> Calendar:
    return calendar(packs.load(name).calendar or "PL", facts.received_on, overrides)


@cache
def works(country: str, day: date) -> bool:
    """What the library itself says of one day."""
    code, _, subdivision = country.partition("-")
    found = holidays.country_holidays(code, subdiv=subdivision or None, years=day.year)
    return bool(found.is_working_day(day))


def counted(country: str, begin: date, amount: int, *, working: bool = False) -> date:
    """The slow way: one day after the other from the day after the event."""
    day = begin
    while amount:
        day += ONE
        amount -= works(country, day) if working else 1
    return day


# Registration


@pytest.mark.parametrize(
    ("received", "registered"),
    [
        ("2026-11-06 18:00:00", date(2026, 11, 6)),
        ("2026-11-06 18:00:00.000001", date(2026, 11, 9)),
        ("2026-11-06 18:00:01", date(2026, 11, 9)),
        ("2026-11-06 18:05", date(2026, 11, 9)),
        ("2026-11-06 00:00", date(2026, 11, 6)),
        ("2026-11-07 10:00", date(2026, 11, 9)),
        ("2026-11-08 23:59:59", date(2026, 11, 9)),
        ("2026-11-03 18:30", date(2026, 11, 5)),  # the 4th is a holiday
        ("2026-12-30 18:30", date(2027, 1, 11)),  # over New Year
        ("2024-04-27 12:00", date(2024, 4, 27)),  # a Saturday that is worked
        ("2024-04-27 18:01", date(2024, 5, 2)),  # for a Monday and a Tuesday that are not
    ],
)
def test_a_submission_is_registered_the_day_it_arrives_in_office_hours(
    received: str, registered: date
) -> None:
    """M41, M42, M43: on free days and after 18:00:00 on the next working day."""
    facts = a_case(received)
    assert registration_day(packs.load(SEED), facts, days_of(SEED, facts)) == registered


@given(st.sampled_from(tuple(OF_THE_CLOCK)), MOMENTS)
@settings(deadline=None)
def test_registration_is_the_first_working_day_that_was_still_open(
    country: str, moment: datetime
) -> None:
    """M41-M43, D1: over ten years, moved days and changes of the clock among them."""
    zone = ZONES[country]
    facts = Facts(received_at=moment, zone=zone)
    wall = moment.astimezone(ZoneInfo(zone))
    day = wall.date()
    while not works(country, day) or (day == wall.date() and wall.time() > time(18)):
        day += ONE
    name = OF_THE_CLOCK[country]
    found = reckoned(name, facts)
    assert found["register"].target == day
    assert found["register_alarm"].limit == counted(country, wall.date(), 3, working=True)  # M44
    at = registration_at(packs.load(name), facts, days_of(name, facts))
    assert at >= moment
    assert at.astimezone(ZoneInfo(zone)).date() == day


def test_what_comes_in_office_hours_is_registered_at_once_else_when_the_office_opens() -> None:
    """M41, M47: the agenda's moment, in UTC; nine in Moscow is six there."""
    facts, late = a_case("2026-11-06 03:00"), a_case("2026-11-06 18:05")
    seed, days = packs.load(SEED), days_of(SEED, facts)
    assert registration_at(seed, facts, days) == facts.received_at
    assert registration_at(seed, late, days) == datetime(2026, 11, 9, 6, tzinfo=UTC)


def test_the_same_moment_is_another_day_elsewhere() -> None:
    """Trap 10: the day is that of the organisation's wall, whatever zone the moment came in."""
    moment = datetime(2026, 11, 6, 22, 30, tzinfo=UTC)
    assert Facts(received_at=moment, zone="Europe/Moscow").received_on == date(2026, 11, 7)
    assert Facts(received_at=moment, zone="Europe/London").received_on == date(2026, 11, 6)


def test_half_past_two_that_comes_twice_is_one_day() -> None:
    """Trap 11: 25 October 2026, both halves past two."""
    both = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    found = [
        reckoned(POLAND, Facts(received_at=moment, zone="Europe/Warsaw"))["answer"].target
        for moment in both
    ]
    assert found == [date(2026, 11, 24)] * 2


# The answer and the other terms


@given(MOMENTS)
@settings(deadline=None)
def test_the_source_answers_by_the_30th_day_from_registration(moment: datetime) -> None:
    """M51, M52, M54: plain days, not rolled; the decision not to answer has the same day."""
    found = reckoned(SEED, Facts(received_at=moment, zone="Europe/Moscow"))
    last = counted("RU", found["register"].target, 30)
    assert found["answer"].target == found["answer"].limit == found["no_answer"].limit == last
    assert found["acknowledge"].limit == found["register"].target  # M47


@given(MOMENTS)
@settings(deadline=None)
def test_the_russian_law_answers_by_the_15th_working_day_and_ten_more(moment: datetime) -> None:
    facts = Facts(received_at=moment, zone="Europe/Moscow")
    found = reckoned(LAW, facts)
    last = counted("RU", found["register"].target, 15, working=True)
    assert found["answer"].limit == last
    lawful = lawful_extension(packs.load(LAW), facts, days_of(LAW, facts))
    assert lawful.until == counted("RU", last, 10, working=True)


@given(MOMENTS)
@settings(deadline=None)
def test_in_poland_the_unrolled_day_is_the_target_and_the_rolled_one_the_limit(
    moment: datetime,
) -> None:
    facts = Facts(received_at=moment, zone="Europe/Warsaw")
    found = reckoned(POLAND, facts)["answer"]
    day = counted("PL", facts.received_on, 30)
    assert found.target == day
    while not works("PL", day):
        day += ONE
    assert found.limit == day
    lawful = lawful_extension(packs.load(POLAND), facts, days_of(POLAND, facts))
    assert lawful.until == counted("PL", facts.received_on, 60)


@given(MOMENTS)
@settings(deadline=None)
def test_britain_has_eight_weeks_three_business_days_and_thirty_days_with_the_first(
    moment: datetime,
) -> None:
    facts = Facts(received_at=moment, zone="Europe/London")
    found = reckoned("uk-disp-2026", facts)
    assert found["answer"].limit == counted("GB-ENG", facts.received_on, 56)
    early = counted("GB-ENG", facts.received_on, 3, working=True)
    assert found["resolve_early"].target == early
    about_data = reckoned("uk-dp-2026-06-19", facts)
    assert about_data["acknowledge"].limit == counted("GB-ENG", facts.received_on - ONE, 30)


@pytest.mark.parametrize("name", PACKS)
@given(moment=MOMENTS)
@settings(deadline=None, max_examples=30)
def test_every_date_stands_on_a_chain_that_leads_to_it(name: str, moment: datetime) -> None:
    """D20: nothing before its event, the target never after the limit, each safe day in time."""
    country = packs.load(name).calendar or "PL"
    facts = Facts(
        received_at=moment,
        zone=ZONES[country],
        agent_received_at=moment,
        events={"closed": date(2028, 2, 29), "final_sent": date(2026, 8, 31)},
    )
    for found in reckoned(name, facts).values():
        assert found.chain[-1].on == found.limit
        assert found.chain[0].on <= found.target <= found.limit
        assert len({reasons.why(found, language) for language in reasons.LANGUAGES}) == 3
        if found.last_safe:
            assert found.chain[0].on <= found.last_safe.post <= found.last_safe.email
            assert found.last_safe.email <= max(found.target, found.chain[-2].on)
    assert (
        msgspec.json.decode(msgspec.json.encode(found), type=Deadline) == found
    )  # a case may keep it


def test_an_agent_has_one_working_day() -> None:
    """M49: his own deadline, from when he got it; the insurer's runs from its own receipt."""
    facts = a_case(
        "2026-11-09 10:00",
        agent_received_at=datetime(2026, 11, 6, 20, tzinfo=ZoneInfo("Europe/Moscow")),
    )
    assert reckoned(SEED, facts)["hand_over"].limit == date(2026, 11, 9)
    assert "hand_over" not in reckoned(SEED, a_case("2026-11-09 10:00"))


@pytest.mark.parametrize(
    ("closed", "kept_until"),
    [(date(2026, 12, 9), date(2028, 12, 9)), (date(2024, 2, 29), date(2026, 2, 28))],
)
def test_papers_are_kept_two_years_from_closing(closed: date, kept_until: date) -> None:
    """M85, D8."""
    found = reckoned(SEED, a_case("2024-01-15 10:00", events={"closed": closed}))
    assert found["keep"].limit == kept_until
    assert "keep" not in reckoned(SEED, a_case("2026-11-06 10:00"))


def test_a_registration_that_is_on_record_is_the_one_that_counts() -> None:
    facts = a_case("2026-11-06 18:05", registered_on=date(2026, 11, 10))
    assert reckoned(SEED, facts)["answer"].limit == date(2026, 12, 10)


def test_decreed_days_move_a_term_and_own_closing_days_only_the_safe_day() -> None:
    """M42: received on Friday 5 June 2026 under the law of 15 working days."""
    facts = a_case("2026-06-05 10:00")
    friday = date(2026, 6, 26)
    before = reckoned(LAW, facts)["answer"]
    assert before.limit == date(2026, 6, 29)
    assert before.chain[-1].without == (date(2026, 6, 12),)
    decreed = (Override(on=friday, kind="day_off"),)
    assert reckoned(LAW, facts, decreed)["answer"].limit == date(2026, 6, 30)
    worked = (Override(on=date(2026, 6, 20), kind="working_day"),)
    earlier = reckoned(LAW, facts, worked)["answer"]
    assert earlier.limit == friday
    assert earlier.chain[-1].worked == (date(2026, 6, 20),)
    closed = (Override(on=friday, until=date(2026, 6, 29), kind="closed"),)
    own = reckoned(LAW, facts, closed)["answer"]
    assert own.limit == before.limit
    assert own.last_safe
    assert (own.last_safe.email, own.last_safe.post) == (date(2026, 6, 25), date(2026, 6, 24))


def test_who_must_have_it_delivered_posts_it_earlier() -> None:
    seed = packs.load(SEED)
    rule = msgspec.structs.replace(seed.rules["answer"], satisfied_by="delivered")
    strict = msgspec.structs.replace(seed, rules={"answer": rule})
    facts = a_case("2026-11-06 18:05")
    found = deadlines(strict, facts, days_of(SEED, facts))["answer"]
    assert found.last_safe
    assert found.last_safe.email == date(2026, 12, 9)
    assert found.last_safe.post == date(2026, 12, 2)


def test_a_pack_that_rolls_to_a_working_day_does_not_stop_on_a_saturday() -> None:
    seed = packs.load(SEED)
    rule = msgspec.structs.replace(seed.rules["answer"], roll="next_working")
    facts = a_case("2026-12-02 10:00")
    rolling = msgspec.structs.replace(seed, rules={"answer": rule})
    found = deadlines(rolling, facts, days_of(SEED, facts))["answer"]
    assert (found.target, found.limit) == (date(2027, 1, 1), date(2027, 1, 11))


def test_a_date_too_far_from_the_receipt_is_refused() -> None:
    """Nothing is stored whose dates can't be told afterwards."""
    with pytest.raises(CalendarEnds):
        reckoned(SEED, a_case("1998-08-17 10:00"))
    with pytest.raises(CalendarEnds):
        reckoned(SEED, a_case("2026-11-09 10:00", extended_to=date(2036, 1, 1)))


# Reasons


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "received Fri 6 Nov 2026 18:05 Moscow → registered Mon 9 Nov → 30th day Wed 9 Dec"),
        (
            "pl",
            "wpłynęło pt. 6 lis 2026 18:05 Moskwa → zarejestrowano pon. 9 lis"
            " → 30. dzień śr. 9 gru",
        ),
        (
            "ru",
            "поступило пт 6 ноя 2026 18:05 Москва → зарегистрировано пн 9 ноя → 30-й день ср 9 дек",
        ),
    ],
)
def test_a_date_says_how_it_came_about(language: str, said: str) -> None:
    """M43, M52: the chain as a sentence, in the reader's language."""
    assert reasons.why(reckoned(SEED, a_case("2026-11-06 18:05"))["answer"], language) == said


@pytest.mark.parametrize(
    ("name", "received", "rule", "said"),
    [
        (
            POLAND,
            "2026-11-25 09:00",
            "answer",
            "received Wed 25 Nov 2026 09:00 Warsaw → 30th day Fri 25 Dec"
            " → that is a day off, so Mon 28 Dec",
        ),
        (
            "uk-dp-2026-06-19",
            "2026-12-06 12:05",
            "acknowledge",
            "received Sun 6 Dec 2026 12:05 London → 30th day Mon 4 Jan 2027, the first day counted",
        ),
        (
            "uk-disp-2026",
            "2026-12-30 12:05",
            "resolve_early",
            "received Wed 30 Dec 2026 12:05 London"
            " → 3rd business day Tue 5 Jan 2027 (without Fri 1 Jan 2027)",
        ),
        (
            LAW,
            "2024-04-26 19:00",
            "register_alarm",
            "received Fri 26 Apr 2024 19:00 Moscow → 3rd working day Fri 3 May"
            " (without Mon 29 Apr, Tue 30 Apr, Wed 1 May) (worked: Sat 27 Apr)",
        ),
    ],
)
def test_a_sentence_names_rolls_free_days_and_worked_saturdays(
    name: str, received: str, rule: str, said: str
) -> None:
    zone = ZONES[packs.load(name).calendar]
    assert reasons.why(reckoned(name, a_case(received, zone))[rule], "en") == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (112, "112th")],
)
def test_english_counts_properly(amount: int, said: str) -> None:
    seed = packs.load(SEED)
    rule = msgspec.structs.replace(seed.rules["answer"], amount=amount)
    facts = a_case("2026-11-06 18:05")
    odd = msgspec.structs.replace(seed, rules={"answer": rule})
    found = deadlines(odd, facts, days_of(SEED, facts))["answer"]
    assert f" → {said} day " in reasons.why(found, "en")


def test_a_place_without_a_name_of_its_own_is_the_zones() -> None:
    facts = a_case("2026-11-06 18:05", "America/New_York")
    assert "18:05 New York →" in reasons.why(reckoned(SEED, facts)["answer"], "ru")


def test_what_nobody_has_checked_is_told_with_the_date() -> None:
    """D12: confidence L anywhere in the chain is "unverified" to staff."""
    polish = reckoned(POLAND, a_case("2026-11-06 10:00", events={"closed": date(2026, 12, 1)}))
    assert polish["answer"].unverified == ("reckonings.next-day",)
    assert polish["keep"].unverified == ("rules.keep",)
    assert polish["register"].unverified == ()
    russian = reckoned(LAW, a_case("2026-11-06 10:00"))
    assert russian["answer"].unverified == ("registration",)
    assert russian["no_answer"].unverified == ("registration", "rules.no_answer")
    assert reckoned(SEED, a_case("2026-11-06 10:00"))["answer"].unverified == ()


def test_an_extension_that_nobody_has_checked_is_told_with_its_date() -> None:
    law = packs.load(LAW)
    assert law.extension
    unsure = msgspec.structs.replace(law.extension, confidence="L")
    facts = a_case("2026-11-09 10:00", extended_to=date(2026, 12, 14))
    doubtful = msgspec.structs.replace(law, extension=unsure)
    found = deadlines(doubtful, facts, days_of(LAW, facts))["answer"]
    assert "extension" in found.unverified


def test_days_that_a_government_has_yet_to_move_are_unverified() -> None:
    found = reckoned(LAW, a_case("2027-12-17 10:00"))
    assert "calendar" in found["answer"].unverified
    assert "calendar" not in reckoned(SEED, a_case("2027-12-17 10:00"))["answer"].unverified


# Extension


@pytest.mark.parametrize(
    ("name", "reason", "to"),
    [
        (SEED, "examination", date(2027, 6, 1)),  # D6: no upper limit
        (LAW, "materials", date(2026, 12, 14)),
        (POLAND, "complex", date(2027, 1, 8)),
        ("uk-disp-2026", "", date(2027, 3, 1)),
    ],
)
def test_an_extension_goes_as_far_as_the_pack_lets_it(name: str, reason: str, to: date) -> None:
    """M53, D6: and not a day further where there is a limit."""
    pack, facts = packs.load(name), a_case("2026-11-09 10:00", ZONES[packs.load(name).calendar])
    days = days_of(name, facts)
    lawful = lawful_extension(pack, facts, days)
    assert lawful.until in (None, to)
    on = date(2026, 11, 20)
    check_extension(pack, facts, days, to=to, reason=reason, on=on)
    extended = msgspec.structs.replace(facts, extended_to=to)
    found = deadlines(pack, extended, days)["answer"]
    assert found.target == found.limit == to
    assert f"→ extended to {to:%a} {to.day} {to:%b}" in reasons.why(found, "en")
    if lawful.until:
        with pytest.raises(ExtensionRefused) as refused:
            check_extension(pack, facts, days, to=to + ONE, reason=reason, on=on)
        assert refused.value.field == "to"
    with pytest.raises(ExtensionRefused):  # an extension that moves nothing
        check_extension(pack, extended, days, to=to, reason=reason, on=on)


def test_an_extension_needs_a_reason_of_the_pack_and_comes_in_time() -> None:
    """M53: a check or documents of others, told while the answer is not yet late."""
    facts = a_case("2026-11-09 10:00")
    seed, days, to = packs.load(SEED), days_of(SEED, facts), date(2027, 1, 15)
    with pytest.raises(ExtensionRefused) as refused:
        check_extension(seed, facts, days, to=to, reason="busy", on=date(2026, 11, 20))
    assert refused.value.field == "reason"
    check_extension(seed, facts, days, to=to, reason="documents", on=date(2026, 12, 9))
    with pytest.raises(ExtensionRefused):  # for ever is no date
        check_extension(
            seed, facts, days, to=date(2036, 1, 1), reason="documents", on=date(2026, 12, 9)
        )
    with pytest.raises(ExtensionTooLate):
        check_extension(seed, facts, days, to=to, reason="documents", on=date(2026, 12, 10))


def test_where_the_rules_know_no_extension_there_is_none() -> None:
    facts = a_case("2026-11-09 10:00", "Europe/London")
    eiopa, days = packs.load("eu-eiopa"), calendar("PL", facts.received_on)
    assert not lawful_extension(eiopa, facts, days).allowed
    with pytest.raises(ExtensionRefused):
        check_extension(eiopa, facts, days, to=date(2027, 1, 1), reason="", on=facts.received_on)


# Three requests

RECEIVED = date(2026, 11, 9)
CASE = a_case("2026-11-09 10:00")
DUE = date(2026, 12, 9)
LATER = msgspec.structs.replace(CASE, extended_to=date(2027, 6, 1))


def on(*numbers: int) -> tuple[date, ...]:
    """Days after the receipt."""
    return tuple(RECEIVED + ONE * number for number in numbers)


def seen(numbers: tuple[int, ...], today: int, facts: Facts = CASE, **asked: Any) -> Outlook:
    """The outlook under the source's rules when these requests were sent."""
    found = outlook(
        packs.load(SEED),
        facts,
        days_of(SEED, facts),
        Asked(requests=on(*numbers), **asked),
        today=RECEIVED + ONE * today,
    )
    assert found
    return found


def closing(
    numbers: tuple[int, ...],
    today: int,
    *,
    facts: Facts = LATER,
    ground: str = "documents",
    obtainable: bool = False,
    **asked: Any,
) -> Closing:
    """May it be closed under the source's rules when these requests were sent?"""
    return may_close(
        packs.load(SEED),
        facts,
        days_of(SEED, facts),
        Asked(requests=on(*numbers), **asked),
        ground=ground,
        today=RECEIVED + ONE * today,
        obtainable=obtainable,
    )


@pytest.mark.parametrize(
    ("sent", "today", "gap", "first", "last"),
    [
        ((), 0, None, 0, None),
        ((0,), 0, None, 5, 10),
        ((0, 7), 9, None, 12, 17),
        ((0,), 10, None, 5, 10),
        ((0,), 11, None, 11, None),  # the window is missed: a new series
        ((0,), 3, (2, 3), 2, 3),  # the client's own interval
        ((0,), 20, (14, 21), 14, 21),
    ],
)
def test_the_next_request_has_a_lawful_window(
    sent: tuple[int, ...], today: int, gap: tuple[int, int] | None, first: int, last: int | None
) -> None:
    """M70, M71: five to ten days after the last, or as the client asked."""
    found = seen(sent, today, gap=gap)
    assert (found.next_from,) == on(first)
    assert (found.next_by,) == (on(last) if last is not None else (None,))


@pytest.mark.parametrize(
    ("sent", "today", "standing", "closes"),
    [
        ((), 0, 0, 40),  # D19: day 40 at the earliest
        ((0,), 0, 1, 40),
        ((0, 10), 10, 2, 45),
        ((0, 5), 8, 2, 40),
        ((0, 5), 13, 2, 43),
        ((0, 5), 16, 0, 56),  # missed: three more, from today
        ((0, 5, 10), 10, 3, 40),
        ((0, 5, 10, 30), 30, 3, 60),  # one more letter: thirty days from the last
        ((0, 3), 3, 1, 43),  # too soon: the series begins anew
        ((0, 0, 5), 5, 2, 40),  # two letters on one day are one request
        ((-3, 2, 7), 7, 2, 42),  # before the arrival is no request of this case
    ],
)
def test_the_first_possible_suspension_is_known_from_the_first_request(
    sent: tuple[int, ...], today: int, standing: int, closes: int
) -> None:
    """M64, M65, M68-M70, D4."""
    found = seen(sent, today)
    assert found.counted == standing
    assert (found.first_closing,) == on(closes)
    assert found.needed == 3


@pytest.mark.parametrize(
    ("name", "extended", "fit", "said"),
    [
        (SEED, None, "if_extended", "unless the time is lawfully extended first"),
        (SEED, date(2026, 12, 19), "in_time", "before the answer is due"),
        (LAW, None, "never", "an answer must be given"),
        (LAW, date(2026, 12, 14), "never", "an answer must be given"),
    ],
)
def test_the_engine_says_at_the_first_request_whether_suspension_can_come_in_time(
    name: str, extended: date | None, fit: Fit, said: str
) -> None:
    """D19: suspension never moves the day of the answer; 15 and 10 working days are too few."""
    facts = msgspec.structs.replace(CASE, extended_to=extended)
    asked = Asked(requests=(RECEIVED,))
    found = outlook(packs.load(name), facts, days_of(name, facts), asked, today=RECEIVED)
    assert found
    assert found.fit == fit
    assert said in reasons.why_fit(found, "en")
    assert len({reasons.why_fit(found, language) for language in reasons.LANGUAGES}) == 3


def test_where_no_day_of_answer_is_known_nothing_comes_too_late() -> None:
    open_ended = msgspec.structs.replace(
        packs.load("eu-eiopa"), suspension=packs.load(SEED).suspension
    )
    days = calendar("PL", RECEIVED)
    found = outlook(open_ended, CASE, days, Asked(), today=RECEIVED)
    assert found
    assert (found.fit, found.answer_due) == ("in_time", None)
    assert "from" in reasons.why_fit(found, "en")


def test_where_the_rules_know_no_suspension_there_is_none() -> None:
    poland, days = packs.load(POLAND), calendar("PL", RECEIVED)
    assert outlook(poland, CASE, days, Asked(), today=RECEIVED) is None
    refused = may_close(poland, CASE, days, Asked(), ground="documents", today=RECEIVED)
    assert refused.reason == "no_such_ground"


@pytest.mark.parametrize("ground", ["permission", "documents"])
@pytest.mark.parametrize(
    ("sent", "today", "reason"),
    [
        ((0, 5, 10), 40, "allowed"),
        ((0, 5, 10), 39, "waiting"),
        ((0, 10, 20), 50, "allowed"),
        ((0, 5), 90, "requests_missing"),
        ((), 90, "requests_missing"),
        ((0, 4, 10), 90, "gaps_broken"),
        ((0, 5, 16), 90, "gaps_broken"),
        ((0, 4, 9, 14), 44, "allowed"),
        ((0, 5, 10, 30), 59, "waiting"),
        ((0, 5, 10, 30), 60, "allowed"),
    ],
)
def test_a_case_is_suspended_only_when_the_rule_holds(
    ground: str, sent: tuple[int, ...], today: int, reason: Reason
) -> None:
    """M62-M69, D4, D5: three requests at least, their gaps, and thirty days after the last."""
    found = closing(sent, today, ground=ground)
    assert found.reason == reason
    assert found.allowed == (reason == "allowed")
    for language in reasons.LANGUAGES:
        assert "{" not in reasons.why_closing(found, language)


def test_what_the_organisation_can_get_itself_is_no_ground() -> None:
    """M63, M67."""
    assert closing((0, 5, 10), 40, obtainable=True).reason == "obtainable"


def test_suspension_does_not_save_an_answer_that_is_due() -> None:
    """D19: without an extension the 30th day comes first, and then an answer was due."""
    found = closing((0, 5, 10), 40, facts=CASE)
    assert (found.reason, found.on) == ("answer_due", DUE)
    assert "Wed 9 Dec 2026" in reasons.why_closing(found, "en")


def test_the_clients_own_interval_counts() -> None:
    """M71: in both directions."""
    assert closing((0, 14, 28), 58, gap=(14, 21)).allowed
    assert closing((0, 5, 10), 40, gap=(14, 21)).reason == "gaps_broken"


def test_the_clients_own_request_suspends_at_once() -> None:
    """M72: no counters, no waiting; and not without it."""
    assert closing((), 0, ground="own_request", own_request_on=RECEIVED).allowed
    assert closing((0, 5, 10), 40, ground="own_request").reason == "not_asked"
    assert closing((0, 5, 10), 40, ground="mood").reason == "no_such_ground"


@given(
    st.lists(st.integers(0, 60), max_size=7).map(lambda days: tuple(sorted(days))),
    st.integers(0, 120),
)
@settings(deadline=None)
def test_closing_agrees_with_trying_every_three_requests(sent: tuple[int, ...], today: int) -> None:
    """M64-M70: the slow way tries all triples of letters that follow one another."""
    days = sorted({day for day in sent if day <= today})
    lawful = any(
        5 <= b - a <= 10 and 5 <= c - b <= 10
        for a, b, c in combinations(days, 3)
        if not any(a < day < c and day != b for day in days)
    )
    assert closing(sent, today).allowed == (lawful and today >= days[-1] + 30)


@given(st.lists(st.integers(5, 10), max_size=4), st.integers(0, 15))
@settings(deadline=None)
def test_the_outlook_is_the_first_day_that_closing_allows(gaps: list[int], idle: int) -> None:
    """D19: following the window as early as it allows, closing holds that day and not before."""
    sent = [0]
    for gap in gaps:
        sent.append(sent[-1] + gap)
    today = sent[-1] + idle
    promised = seen(tuple(sent), today, LATER)
    while promised.counted < promised.needed:
        today = max(today, (promised.next_from - RECEIVED).days)
        sent.append(today)
        after = seen(tuple(sent), today, LATER)
        assert after.first_closing == promised.first_closing
        promised = after
    day = (promised.first_closing - RECEIVED).days
    assert closing(tuple(sent), day).allowed
    assert not closing(tuple(sent), day - 1).allowed
