"""The ladder as its people meet it: which mailbox, when, once."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib import agenda
from chalicelib.complaints import acts, attention, files, service
from chalicelib.complaints.case import Channel
from chalicelib.kernel.change import SYSTEM, Actor, Change
from chalicelib.organisations import domain as organisation
from chalicelib.organisations import service as organisations
from chalicelib.organisations.domain import House, Member, Role
from tests import cases, clock
from tests.duly import AGENT, OTHER, Duly, a_member

OFFICER = a_member(OTHER, "Olga Officer", Role.QUALITY)


def staffed(duly: Duly, *members: Member) -> None:
    """These people join the organisation."""
    for member in members:

        def kept(house: House, member: Member = member) -> Change:
            return organisation.keep_member(house, member, by=SYSTEM, now=duly.ports().now)

        organisations.change(duly.ports(), "agencja", None, kept)


def set_complaints(duly: Duly, **changes: Any) -> None:
    """Other settings of complaints."""

    def changed(house: House) -> Change:
        settings = house.settings
        wanted = replace(settings, complaints=replace(settings.complaints, **changes))
        return organisation.change_settings(house, wanted, by=SYSTEM, now=duly.ports().now)

    organisations.change(duly.ports(), "agencja", None, changed)


def told(duly: Duly, address: str) -> list[str]:
    """What each digest to this address says of a case, in the order of sending."""
    return [sent.text for sent in duly.mailbox.to(address)]


def test_each_step_reaches_the_right_mailbox_once(duly: Duly) -> None:
    """M52, item 9: a month of ticks, each hour, from receipt to overdue: nobody is told twice."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")  # received and registered: due on 3 March
    cases.registered(duly)
    clock.ticks(duly, "2027-02-01 10:30", "2027-03-08 18:30", every=timedelta(hours=1))
    officer, head, admin = (
        told(duly, one)
        for one in ("olga@agencja.example", "hanna@agencja.example", "anna@agencja.example")
    )
    assert len(officer) == 1 + 3  # registered; 10, 5 and 2 days before
    assert len(head) == 2 + 1  # a day before, at the target; and February in numbers
    assert len(admin) == 1 + 3  # at the limit; the 4th, 5th and 8th of March
    assert all("03.2027" in one or "marca 2027" in one for one in officer[1:])


def test_three_days_without_a_tick_are_caught_up_in_order(duly: Duly) -> None:
    """Item 9: the event tells every step in order, each person gets one letter of how it stands."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")
    held = cases.registered(duly)
    clock.ticks(duly, "2027-02-01 10:10", "2027-02-28 18:00", every=timedelta(days=1))
    sent = len(duly.mailbox.sent)
    clock.at(duly, "2027-03-04 11:00")
    duly.tick()
    clock.at(duly, "2027-03-04 11:05")
    duly.tick()
    duly.tick()
    letters = duly.mailbox.sent[sent:]
    assert sorted({one.to for one in letters}) == [
        "anna@agencja.example",
        "hanna@agencja.example",
        "olga@agencja.example",
    ]
    events = duly.ports().ledger.events(held.key)
    steps = events[0].body["steps"] if events[0].body else []
    assert [one.rsplit(".", 1)[1] for one in steps] == [
        "officer",
        "head",
        "head",
        "management",
        "management",
    ]


def test_two_ticks_at_once_take_each_step_once(duly: Duly) -> None:
    """Item 9: the second finds the case changed, and leaves it."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")
    held = cases.registered(duly)
    clock.at(duly, "2027-02-19 10:00")
    before = cases.case_of(duly, held.key.id).version
    with duly.meanwhile(lambda: service.attend(duly.ports(), held.key)):
        run = duly.tick()
    assert run.failed == 0
    assert cases.case_of(duly, held.key.id).version == before + 1


def test_a_case_that_is_not_due_costs_a_tick_nothing(duly: Duly) -> None:
    """Issue 3, figures: one query a shard, whatever waits."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")
    cases.registered(duly)
    clock.ticks(duly, "2027-02-01 10:05", "2027-02-01 10:15", every=timedelta(minutes=5))
    with duly.calls() as made:
        run = duly.tick()
    assert made == ["dynamodb.Query"] * len(duly.ports().shards)
    assert (run.done, run.skipped) == (0, 0)


def test_files_that_can_not_be_looked_at_silence_no_deadline(duly: Duly, monkeypatch: Any) -> None:
    """Item 9: a case that failed until it was put aside is told of all the same."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")

    def broken(*_: Any) -> Any:
        raise RuntimeError

    one = cases.received(duly)
    held = cases.registered_now(duly, one)
    monkeypatch.setattr(files, "look", broken)
    ports, house = duly.ports(), cases.house(duly)
    waiting = replace(held.value, unchecked=1)
    ports.ledger.commit(acts.done(held, waiting, house, "file_added", by=SYSTEM, now=ports.now))
    clock.ticks(duly, "2027-02-01 10:10", "2027-02-01 20:00", every=timedelta(minutes=30))
    assert [d.key for d in ports.ledger.stuck("agencja", most=9)] == [held.key]
    clock.ticks(duly, "2027-02-19 08:00", "2027-02-19 12:00", every=timedelta(minutes=10))
    events = [one.envelope["kind"] for one in ports.ledger.events(held.key)]
    assert events[0] == "escalated"
    assert len(told(duly, "olga@agencja.example")) == 2


def test_a_longer_ladder_moves_a_case_that_was_due_for_another(duly: Duly) -> None:
    """Item 9: other hours move what is due; the case goes to its new place, and costs nothing."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")
    held = cases.registered(duly)
    clock.ticks(duly, "2027-02-01 10:10", "2027-02-01 10:20", every=timedelta(minutes=5))
    hours = organisation.Hours(start="12:00", end="17:00")
    set_complaints(duly, hours=hours)
    clock.at(duly, "2027-02-19 09:30")  # the old moment of ten days before
    duly.tick()
    moved = cases.case_of(duly, held.key.id)
    assert duly.ports().ledger.events(held.key)[0].envelope["kind"] == "rescheduled"
    due = attention.next_moment(moved.value, cases.house(duly).settings.complaints)
    assert due is not None
    assert due.astimezone(clock.ZONE).isoformat()[:16] == "2027-02-19T12:00"
    with duly.calls() as made:
        agenda.run_due(duly.ports(), agenda.Budget(left=lambda: 55_000))
    assert made == ["dynamodb.Query"] * len(duly.ports().shards)


def test_an_agent_is_reminded_to_hand_over(duly: Duly) -> None:
    """M49: the agent's own mailbox on the day it is due, the head's the day after."""
    staffed(duly, OFFICER)
    clock.at(duly, "2027-02-01 10:00")
    ports = duly.ports()
    given = cases.a_submission(
        ports.now, channel=Channel.AGENT, agent_received_at=ports.now, handed_over=False
    )
    service.receive(ports, cases.house(duly), given, by=Actor("staff", AGENT))
    clock.ticks(duly, "2027-02-01 10:10", "2027-02-02 18:00", every=timedelta(hours=1))
    assert len(told(duly, "ewa@agencja.example")) == 1
    assert told(duly, "hanna@agencja.example") == []
    clock.ticks(duly, "2027-02-03 08:10", "2027-02-05 18:00", every=timedelta(hours=1))
    assert len(told(duly, "ewa@agencja.example")) == 1
    assert len(told(duly, "hanna@agencja.example")) == 1
