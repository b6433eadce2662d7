"""Digests and the routine of a day: one letter a person, a sign of life, a month in numbers."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import agenda
from chalicelib.complaints import acts
from chalicelib.complaints.case import AnswerProgress, Closed, Outcome, State
from chalicelib.digests import service as digests
from chalicelib.kernel.change import SYSTEM, Change, Held, Key
from chalicelib.organisations import domain as organisation
from chalicelib.organisations import service as organisations
from chalicelib.organisations import store as organisation_store
from chalicelib.organisations.domain import House, Role
from chalicelib.statistics import service as statistics
from tests import cases, clock
from tests.api.test_escalation import OFFICER, set_complaints, staffed, told
from tests.duly import ADMIN, HEAD, OTHER, Duly, a_member

WATCH = "watch@outside.example"
PERSON = Key("agencja", "PERSON", OTHER)
OLGA, HANNA, ANNA = (f"{one}@agencja.example" for one in ("olga", "hanna", "anna"))


def noticed(duly: Duly, held: Held[Any], *names: str, days: int = 0) -> None:
    """A case's change leaves these notices for the officer."""
    ports, house = duly.ports(), cases.house(duly)
    for start in range(0, len(names), 80):
        held = cases.case_of(duly, held.key.id)
        notices = tuple(
            notice
            for name in names[start : start + 80]
            for notice in acts.notices(
                held.key.id,
                held.value,
                house,
                f"step_{name}" if days == 0 else "answer_due",
                "officer",
                now=ports.now,
                name=name,
                on=held.value.day(ports.now + timedelta(days=days)).isoformat(),
                days=days,
                due="2027-03-03",
                why={"pl": "bo tak", "en": "because", "ru": "потому"},
            )
        )
        change = acts.done(
            held, held.value, house, "noticed", by=SYSTEM, now=ports.now, notices=notices
        )
        ports.ledger.commit(change)


def a_case(duly: Duly, wall: str = "2027-02-01 10:00") -> Held[Any]:
    """A registered case of which the officer was told."""
    staffed(duly, OFFICER)
    clock.at(duly, wall)
    held = cases.registered(duly)
    duly.wait(minutes=3)
    duly.tick()
    duly.tick()
    assert len(told(duly, OLGA)) == 1
    return held


def waiting(duly: Duly, person: Key = PERSON) -> int:
    """How many notices wait for a person."""
    return len(duly.ports().ledger.parts(person, "NOTICE#"))


def test_a_digest_that_came_back_goes_to_the_controller_once(duly: Duly) -> None:
    """Item 9: a full mailbox of one person silences no deadline."""
    reference = a_case(duly).value.reference
    (lost,) = duly.mailbox.to(OLGA)
    controller = cases.house(duly).settings.controller
    bounce = {"bounceType": "Permanent"}
    assert duly.event("Bounce", lost, bounce=bounce) == "bounced"
    assert duly.event("Bounce", lost, bounce=bounce) == "nothing"
    duly.tick()
    (instead,) = duly.mailbox.to(controller.email)
    assert reference in lost.text and reference in instead.text
    assert duly.event("Bounce", instead, bounce=bounce) == "bounced"
    duly.tick()
    assert len(duly.mailbox.to(controller.email)) == 1
    assert len(duly.mailbox.to(OLGA)) == 1


def test_notices_that_come_together_are_one_letter(duly: Duly) -> None:
    """Item 9: what is due now and in the next minutes is told at once, in the reader's language."""
    held = a_case(duly)
    noticed(duly, held, "one", days=5)
    duly.wait(minutes=1)
    noticed(duly, held, "two")
    duly.wait(minutes=1.5)
    duly.tick()
    duly.tick()
    letters = told(duly, OLGA)[1:]
    assert len(letters) == 1
    assert held.value.reference in letters[0]
    assert "bo tak" in letters[0]
    assert waiting(duly) == 0


def test_nothing_is_told_before_it_is_due(duly: Duly) -> None:
    """Item 9: a notice of the evening waits for the office."""
    held = a_case(duly)
    clock.at(duly, "2027-02-01 18:00")
    noticed(duly, held, "one")
    clock.ticks(duly, "2027-02-01 18:10", "2027-02-02 08:59", every=timedelta(hours=1))
    assert len(told(duly, OLGA)) == 1
    clock.ticks(duly, "2027-02-02 09:03", "2027-02-02 09:04", every=timedelta(minutes=1))
    assert len(told(duly, OLGA)) == 2


def test_more_than_ninety_come_in_turns(duly: Duly) -> None:
    """Item 9: a transaction has a hundred places; what is left out is said, and comes next."""
    held = a_case(duly)
    noticed(duly, held, *(f"n{n:03d}" for n in range(100)))
    duly.wait(minutes=3)
    duly.tick()
    assert waiting(duly) == 10
    duly.tick()
    duly.tick()
    assert waiting(duly) == 0
    assert len(told(duly, OLGA)) == 3


def test_two_ticks_at_once_write_one_letter(duly: Duly) -> None:
    """Item 9: on condition of the person's root, the first letter as every other."""
    held = a_case(duly)
    for name in ("first", "second"):
        noticed(duly, held, name)
        duly.wait(minutes=3)
        before = len(duly.ports().ledger.parts(PERSON, "LETTER#"))
        with duly.meanwhile(lambda: digests.attend(duly.ports(), PERSON)):
            run = duly.tick()
        assert run.failed == 0
        duly.tick()
        assert len(duly.ports().ledger.parts(PERSON, "LETTER#")) == before + 1
    assert len(told(duly, OLGA)) == 3


def test_the_very_first_letter_of_a_person_is_one_at_two_ticks(duly: Duly) -> None:
    """Item 9: nobody has a root yet; one of the two creates it."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")
    cases.registered(duly)
    duly.wait(minutes=3)
    with duly.meanwhile(lambda: digests.attend(duly.ports(), PERSON)):
        run = duly.tick()
    assert run.failed == 0
    duly.tick()
    assert len(told(duly, OLGA)) == 1


def test_the_notices_of_somebody_who_left_go_to_the_administrators(duly: Duly) -> None:
    """Item 9: nothing waits for somebody who will not read it."""
    held = a_case(duly)
    noticed(duly, held, "one", "two")
    staffed(duly, replace(OFFICER, active=False))
    duly.wait(minutes=3)
    organisation_store.forget(duly.ports(), "agencja")
    duly.tick()
    duly.tick()
    duly.tick()
    assert waiting(duly) == 0
    assert waiting(duly, Key("agencja", "PERSON", ADMIN)) == 0
    assert len(told(duly, OLGA)) == 1
    assert len(told(duly, ANNA)) == 1


def test_who_leaves_before_the_letter_is_sent_is_not_written_to(duly: Duly) -> None:
    """Item 9: the letter goes to the controller's own address."""
    held = a_case(duly)
    noticed(duly, held, "one")
    duly.wait(minutes=3)
    digests.attend(duly.ports(), PERSON)
    staffed(duly, replace(OFFICER, active=False))
    organisation_store.forget(duly.ports(), "agencja")
    duly.tick()
    assert len(told(duly, OLGA)) == 1
    assert len(told(duly, "biuro@agencja.example")) == 1


def test_a_letter_that_was_held_up_says_how_it_stands_when_it_is_read(duly: Duly) -> None:
    """Item 9: five days before became two days late while mail was out."""
    held = a_case(duly)
    noticed(duly, held, "one", days=5)
    duly.wait(minutes=3)
    digests.attend(duly.ports(), PERSON)
    clock.at(duly, "2027-03-05 10:00")
    duly.tick()
    texts = [one for one in told(duly, OLGA) if "bo tak" in one]
    assert len(texts) == 1
    assert "Dni po terminie: 2" in texts[0]


def test_a_digest_names_nobody(duly: Duly) -> None:
    """Item 9: numbers, references and days; neither the client nor a word of the case."""
    a_case(duly)
    stored = str([item for (pk, _), item in duly.table().items() if "#PERSON#" in pk])
    said = told(duly, OLGA)[0]
    for one in (cases.WRITER.name, cases.WRITER.email, cases.SUBSTANCE, "AB-123"):
        assert one not in stored
        assert one not in said


# The routine of a day


def routine(duly: Duly) -> str:
    """When the organisation is due next, on its wall."""
    due = cases.house(duly).organisation.due_at
    assert due is not None
    return due.astimezone(clock.ZONE).isoformat()[:16]


def begin(duly: Duly, wall: str) -> None:
    """A morning: the routine, then its letters."""
    clock.at(duly, wall)
    duly.tick()
    duly.tick()


def test_every_day_a_sign_of_life_goes_outside(duly: Duly) -> None:
    """Item 9: with counts, at weekends and holidays too, once a day."""
    set_complaints(duly, watch_email=WATCH)
    begin(duly, "2027-01-31 10:00")
    clock.at(duly, "2027-02-01 10:00")
    cases.registered(duly)
    cases.received(duly)
    clock.ticks(duly, "2027-02-01 11:00", "2027-02-08 12:00", every=timedelta(hours=2))
    signs = told(duly, WATCH)
    assert len(signs) == 1 + 8
    assert "Sprawy otwarte: 2" in signs[-1]
    assert "Otrzymane wczoraj: 2" in signs[2]
    assert "Otrzymane wczoraj: 0" in signs[3]
    assert "3 marca 2027" in signs[-1]
    assert routine(duly) == "2027-02-09T09:00"


def test_the_sign_of_life_counts_what_is_due_and_what_is_overdue(duly: Duly) -> None:
    """Item 9: by the last lawful day, in the worklist."""
    set_complaints(duly, watch_email=WATCH)
    clock.at(duly, "2027-02-01 10:00")
    cases.registered(duly)
    begin(duly, "2027-03-03 09:30")
    begin(duly, "2027-03-04 09:30")
    today, late = told(duly, WATCH)[-2:]
    assert ("Termin dziś: 1" in today, "Po terminie ustawowym: 0" in today) == (True, True)
    assert ("Termin dziś: 0" in late, "Po terminie ustawowym: 1" in late) == (True, True)


def test_three_days_of_outage_are_one_sign_of_life_now(duly: Duly) -> None:
    """Item 9: who watches has missed three; one tells that it works again."""
    set_complaints(duly, watch_email=WATCH)
    begin(duly, "2027-02-02 10:00")
    begin(duly, "2027-02-05 16:00")
    assert len(told(duly, WATCH)) == 2
    assert routine(duly) == "2027-02-06T09:00"


def test_without_an_address_outside_nobody_is_written_to(duly: Duly) -> None:
    """Item 9: the address is the organisation's to give."""
    begin(duly, "2027-02-02 10:00")
    assert duly.mailbox.sent == []
    assert routine(duly) == "2027-02-03T09:00"


def answered(duly: Duly, cause: str) -> None:
    """A case of this cause, answered at once."""
    held = cases.registered(duly)
    ports, house = duly.ports(), cases.house(duly)
    ended = Closed(state=State.ANSWERED, at=ports.now, outcome=Outcome.UPHELD)
    case = replace(held.value, closed=ended, cause=cause)
    ports.ledger.commit(acts.done(held, case, house, "answered", by=SYSTEM, now=ports.now))


def test_the_first_working_day_of_a_month_tells_heads_the_month_before(duly: Duly) -> None:
    """M24, M87, M23: by cause, with what repeats; once, however many days the month has."""
    set_complaints(duly, repeats=2)
    clock.at(duly, "2027-04-12 10:00")
    answered(duly, "delay")
    answered(duly, "delay")
    clock.ticks(duly, "2027-04-12 11:00", "2027-05-02 18:00", every=timedelta(hours=12))
    assert told(duly, HANNA) == []  # 1 May is a holiday and a Saturday, the 3rd a holiday
    clock.ticks(duly, "2027-05-03 10:00", "2027-05-10 18:00", every=timedelta(hours=6))
    (letter,) = told(duly, HANNA)
    assert "kwiecień 2027" in letter
    assert "Otrzymane: 2" in letter
    assert "Zakończone: 2" in letter
    assert "Przyczyna „delay” powtarza się" in letter
    assert not any("kwiecień" in one for one in told(duly, ANNA))


def ended(duly: Duly, key: Key, cause: str, state: State = State.ANSWERED) -> None:
    """The case ends now, with an answer sent today if it is answered."""
    held = cases.case_of(duly, key.id)
    ports, house = duly.ports(), cases.house(duly)
    now, sent = ports.now, None
    if state is State.ANSWERED:
        sent = AnswerProgress(
            answer_id="a", by=OTHER, drafted_at=now, sent_at=now, sent_on=held.value.day(now)
        )
    closed = Closed(state=state, at=now, outcome=Outcome.REJECTED if sent else None)
    case = replace(held.value, answer=sent, closed=closed, cause=cause)
    ports.ledger.commit(acts.done(held, case, house, "ended", by=SYSTEM, now=now))


def months_told(duly: Duly, address: str = HANNA) -> list[str]:
    """What each month in numbers says to this reader."""
    return [one for one in told(duly, address) if "Podsumowanie: " in one]


def test_a_month_tells_what_ended_in_it_whenever_it_came(duly: Duly) -> None:
    """M23, M24, M87: by a rule of 30 days the cases of a month end in the next one: their lateness,
    days and causes are told there, once."""
    set_complaints(duly, repeats=5)
    keys = []
    for day in ("10", "15", "18", "22", "23", "24", "25"):
        clock.at(duly, f"2027-02-{day} 10:00")
        keys.append(cases.registered(duly).key)
    begin(duly, "2027-03-01 09:30")
    clock.at(duly, "2027-03-22 11:00")
    for key in keys[2:]:
        ended(duly, key, "delay")
    clock.at(duly, "2027-03-29 11:00")
    ended(duly, keys[0], "delay")  # due on 12 March
    ended(duly, keys[1], "tone", State.ROUTED_OUT)  # due on 17 March
    begin(duly, "2027-04-01 09:30")
    begin(duly, "2027-05-04 09:30")  # in April nothing came, ended, or was open
    february, march = months_told(duly)
    for line in ("Otrzymane: 7", "Zakończone: 0", "Otwarte na koniec miesiąca: 7", "15–30 dni: 1"):
        assert line in february
    for line in (
        "marzec 2027",
        "Otrzymane: 0",
        "Zakończone: 7",
        "W tym z odpowiedzią: 6",
        "Odpowiedzi w terminie: 71%",
        "Zakończone po terminie ustawowym: 2",
        "W tym bez odpowiedzi: 1",
        "Dni do odpowiedzi (mediana): 28",
        "Otwarte na koniec miesiąca: 0",
        "delay: 6",
        "Przyczyna „delay” powtarza się",
    ):
        assert line in march
    assert "„tone”" not in march


def test_a_month_in_which_something_is_only_open_is_told(duly: Duly) -> None:
    """M87: silent only where nothing came, ended or is open; and what ended since was open then."""
    clock.at(duly, "2027-02-10 10:00")
    key = cases.registered(duly).key
    begin(duly, "2027-03-01 09:30")
    clock.at(duly, "2027-04-01 08:00")
    ended(duly, key, "delay")
    begin(duly, "2027-04-01 09:30")
    _, march = months_told(duly)
    for line in ("Otrzymane: 0", "Zakończone: 0", "Otwarte na koniec miesiąca: 1"):
        assert line in march
    assert "W tym po terminie ustawowym: 1" in march


def test_what_is_entered_late_stands_in_the_next_letter(duly: Duly) -> None:
    """M24, M87: a posted answer is entered days later; the month before is told as it is now."""
    clock.at(duly, "2027-02-01 10:00")
    key = cases.registered(duly).key
    begin(duly, "2027-03-01 09:30")
    clock.at(duly, "2027-02-26 10:00")
    ended(duly, key, "delay")  # entered on 2 March
    clock.at(duly, "2027-03-10 10:00")
    cases.registered(duly)
    begin(duly, "2027-04-01 09:30")
    february, march = months_told(duly)
    assert "Zakończone: 0" in february
    of_march, _, of_february = march.partition("MIESIĄC WCZEŚNIEJ")
    assert "Zakończone: 0" in of_march
    assert "Zakończone: 1" in of_february and "w terminie: 100%" in of_february


def test_the_months_of_receipt_are_read_as_far_as_can_be_counted(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M86: a query a month, a batch more where it has lines; what a run can't count is left out
    from the oldest month on, and it is said since when is counted."""
    for wall in ("2026-01-12", "2026-03-10", "2027-01-11", "2027-01-12"):
        clock.at(duly, f"{wall} 10:00")
        cases.registered(duly)
    ports = duly.ports()
    with duly.calls() as made:
        lines, since = statistics.recent(ports, "agencja", "2027-01", most=12)
    assert (len(lines), since) == (3, "2026-02")
    assert made.count("dynamodb.Query") == 12
    assert len(made) == 12 + 2
    monkeypatch.setattr(statistics, "MOST_LINES", 2)
    lines, since = statistics.recent(ports, "agencja", "2027-01", most=12)
    assert (len(lines), since) == (2, "2026-04")


def test_a_month_that_came_back_goes_to_the_controller_once(duly: Duly) -> None:
    """M87: a head whose mailbox is full is no reason that nobody proposes changes (M24)."""
    clock.at(duly, "2027-02-10 10:00")
    cases.registered(duly)
    begin(duly, "2027-03-01 09:30")
    (lost,) = [one for one in duly.mailbox.to(HANNA) if "Podsumowanie: " in one.text]
    controller = cases.house(duly).settings.controller.email
    due = cases.house(duly).organisation.due_at
    bounce = {"bounceType": "Permanent"}
    assert duly.event("Bounce", lost, bounce=bounce) == "bounced"
    assert duly.event("Bounce", lost, bounce=bounce) == "nothing"
    organisation_store.forget(duly.ports(), "agencja")
    assert cases.house(duly).organisation.due_at == due
    duly.tick()
    (instead,) = [one for one in duly.mailbox.to(controller) if "Podsumowanie: " in one.text]
    assert "Otrzymane: 1" in instead.text
    assert duly.event("Bounce", instead, bounce=bounce) == "bounced"
    begin(duly, "2027-03-02 09:30")
    assert (len(months_told(duly)), len(months_told(duly, controller))) == (1, 1)


def test_a_sign_of_life_that_came_back_is_missed_and_not_sent_again(duly: Duly) -> None:
    """Item 9: its absence is the alarm."""
    set_complaints(duly, watch_email=WATCH)
    begin(duly, "2027-02-02 10:00")
    (sign,) = duly.mailbox.to(WATCH)
    sent = len(duly.mailbox.sent)
    assert duly.event("Bounce", sign, bounce={"bounceType": "Permanent"}) == "bounced"
    duly.tick()
    assert len(duly.mailbox.sent) == sent


def test_no_month_is_lost_in_an_outage(duly: Duly) -> None:
    """M87: an outage over the first of two months: both are told."""
    clock.at(duly, "2027-02-08 10:00")
    answered(duly, "delay")
    clock.at(duly, "2027-03-08 10:00")
    begin(duly, "2027-02-28 10:00")
    clock.at(duly, "2027-03-08 10:00")
    answered(duly, "tone")
    begin(duly, "2027-04-20 10:00")
    months = [one for one in told(duly, HANNA) if "w miesiącu" in one or "Podsumowanie" in one]
    assert ["luty 2027" in one for one in months] == [True, False]
    assert ["marzec 2027" in one for one in months] == [False, True]


def test_a_month_too_long_to_be_counted_stops_no_sign_of_life(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 9: its absence would be an alarm for nothing, and what is stuck would stay so."""
    set_complaints(duly, watch_email=WATCH)
    clock.at(duly, "2027-02-08 10:00")
    answered(duly, "delay")
    answered(duly, "delay")
    monkeypatch.setattr(statistics, "MOST_LINES", 1)
    duly.mailbox.sent.clear()
    begin(duly, "2027-03-02 10:00")
    assert len(duly.mailbox.to(WATCH)) == 1
    assert not [one for one in told(duly, HANNA) if "luty 2027" in one]
    begin(duly, "2027-03-03 10:00")
    assert len(duly.mailbox.to(WATCH)) == 2


def test_without_heads_the_administrators_are_told(duly: Duly) -> None:
    """M87: somebody always is."""
    staffed(duly, a_member(HEAD, "Hanna Head", Role.AGENT))
    clock.at(duly, "2027-02-08 10:00")
    answered(duly, "delay")
    begin(duly, "2027-03-02 10:00")
    assert len([one for one in told(duly, ANNA) if "luty 2027" in one]) == 1


def test_every_change_of_an_organisation_keeps_it_on_the_agenda(duly: Duly) -> None:
    """Item 9: a routine that a change forgot would be a sign of life that stops for no reason."""
    version = duly.staff("GET", "/api/organisation").json["version"]
    settings = duly.staff("GET", "/api/organisation").json["settings"]
    put = duly.staff("PUT", "/api/organisation/settings", settings, by=ADMIN, version=version)
    assert put.status == 200
    texts = {one: {"title": "Konkurs", "text": "Tak."} for one in ("pl", "en", "ru")}
    body = {"purpose": "contest", "texts": texts}
    assert duly.staff("POST", "/api/catalogue", body, by=ADMIN).status == 201
    root = duly.table()["O#agencja#ORGANISATION#agencja", "ROOT"]
    assert root["due_at"]["S"]
    assert root["shard"]["S"] in duly.ports().shards


def test_an_organisation_founded_before_there_was_a_routine_begins_it(duly: Duly) -> None:
    """Item 9: with its next change, such as the founding's command repeated."""
    ports = duly.ports()
    house = organisation_store.fresh_house(ports, "agencja")
    before = replace(house.organisation, routine=None)
    event = organisation.day_begun(house, told="", letters=(), body={}, now=ports.now).event
    ports.ledger.commit(Change.of(house.held, before, event))
    assert "due_at" not in duly.table()["O#agencja#ORGANISATION#agencja", "ROOT"]
    staffed(duly, OFFICER)
    assert cases.house(duly).organisation.due_at is not None
    assert "due_at" in duly.table()["O#agencja#ORGANISATION#agencja", "ROOT"]


def test_other_hours_move_the_routine(duly: Duly) -> None:
    """Item 9: at the opening hour of the office, as it is now."""
    begin(duly, "2027-02-02 10:00")
    set_complaints(duly, hours=organisation.Hours(start="07:30", end="15:30"))
    assert routine(duly) == "2027-02-03T07:30"


def test_an_organisation_that_is_not_due_costs_a_tick_nothing(duly: Duly) -> None:
    """Issue 3, figures: one query a shard."""
    begin(duly, "2027-02-02 10:00")
    with duly.calls() as made:
        run = agenda.run_due(duly.ports(), agenda.Budget(left=lambda: 55_000))
    assert made == ["dynamodb.Query"] * len(duly.ports().shards)
    assert run.done == 0


def test_an_administrator_who_was_first_leaves_the_routine_for_the_next_tick(duly: Duly) -> None:
    """Item 9: the day is begun on the organisation as it is, never over somebody's change."""
    set_complaints(duly, watch_email=WATCH)
    clock.at(duly, "2027-02-02 10:00")

    def meanwhile() -> None:
        def kept(house: House) -> Change:
            return organisation.keep_member(house, OFFICER, by=SYSTEM, now=duly.ports().now)

        organisations.change(duly.ports(), "agencja", None, kept)

    with duly.meanwhile(meanwhile):
        run = duly.tick()
    assert (run.skipped, run.failed) == (1, 0)
    duly.tick()
    duly.tick()
    assert len(told(duly, WATCH)) == 1
