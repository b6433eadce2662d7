"""Complaints as tests need them: a submission with defaults, received through the use case."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from chalicelib.complaints import service
from chalicelib.complaints.case import Channel, Complaint, Person
from chalicelib.complaints.receipt import Submission
from chalicelib.complaints.service import Received
from chalicelib.kernel.change import Actor, Held
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House
from tests.duly import Duly

WRITER = Person(
    name="Łucja Żółć",
    email="lucja@klient.example",
    phone="+48600100200",
    postal_address="ul. Krótka 2, 00-002 Warszawa",
    city="Warszawa",
)
INSURED = Person(name="Jan Ubezpieczony", email="jan@ubezpieczony.example")
SUBSTANCE = "Szkoda nie została rozpatrzona w terminie, proszę o wyjaśnienie."


def house(duly: Duly, org: str = "agencja") -> House:
    """The organisation as it is now."""
    return organisations.fresh_house(duly.ports(), org)


def a_submission(now: datetime, **changes: Any) -> Submission:
    """A complaint of a client about a claim, by the form, at this moment."""
    one = Submission(
        channel=Channel.FORM,
        language="pl",
        received_at=now,
        writer=WRITER,
        contract_number="AB-123",
        product="motor_liability",
        substance=SUBSTANCE,
    )
    return replace(one, **changes)


def received(duly: Duly, **changes: Any) -> Received:
    """A submission that was taken in, not registered yet."""
    ports = duly.ports()
    given = a_submission(ports.now, **changes)
    return service.receive(ports, house(duly), given, by=Actor("client"))


def registered(duly: Duly, **changes: Any) -> Held[Complaint]:
    """A registered case, its first letters sent; the clock moved on if that is what it takes."""
    return registered_now(duly, received(duly, **changes))


def registered_now(duly: Duly, one: Received) -> Held[Complaint]:
    """The case once it is registered."""
    case = case_of(duly, one.key.id).value
    due = registration_moment(case)
    now = duly.ports().now
    if due > now:
        duly.clock[0] += due - now
    duly.tick()
    duly.tick()
    return case_of(duly, one.key.id)


def case_of(duly: Duly, case_id: str, org: str = "agencja") -> Held[Complaint]:
    """The case as it is now."""
    from chalicelib.complaints import store

    return store.get(duly.ports(), org, case_id)


def registration_moment(case: Complaint) -> datetime:
    """When the case is registered."""
    from chalicelib.policy import engine

    return engine.registration_at(case.policy, case.facts, case.calendar).astimezone(UTC)
