"""From arrival to the register (M32-M48)."""

import pytest

from chalicelib.complaints.case import ComplaintUnknown, Person, State
from tests import cases
from tests.duly import Duly


def test_each_organisation_has_a_register_of_its_own(duly: Duly) -> None:
    """M15, M20: the tenant is the company; a case of one is nowhere in the other's register."""
    duly.found("druga")
    one = cases.received(duly)
    assert cases.case_of(duly, one.key.id).value.reference == one.case.reference
    with pytest.raises(ComplaintUnknown):
        cases.case_of(duly, one.key.id, org="druga")


def test_a_partner_is_answered_like_anybody_else(duly: Duly) -> None:
    """M21, M22, M29: a clinic that writes as itself is registered, told, and owed an answer."""
    clinic = Person(name="Klinika Zdrowie sp. z o.o.", email="k@klinika.example", company=True)
    held = cases.registered(duly, writer=clinic, audience="legal")
    assert held.value.answer_due is not None
    assert held.value.pack == "pl-legal-2018.1"
    assert len(duly.mailbox.to("k@klinika.example")) == 1


def test_a_receipt_is_one_transaction_without_a_read(duly: Duly) -> None:
    """M33: the case, its words, its number, its line of the register, all in one call."""
    ports, house = duly.ports(), cases.house(duly)
    given = cases.a_submission(ports.now)
    with duly.calls() as made:
        from chalicelib.complaints import service
        from chalicelib.kernel.change import Actor

        service.receive(ports, house, given, by=Actor("client"))
    assert made == ["dynamodb.TransactWriteItems"]


def test_a_submission_is_registered_at_its_moment(duly: Duly) -> None:
    """M32, M41: at once in office hours, else when the office opens next; the number stays."""
    one = cases.received(duly)
    held = cases.registered_now(duly, one)
    assert held.value.state is State.REGISTERED
    assert held.value.reference == one.case.reference


def test_an_anonymous_submission_is_registered_and_closed_at_once(duly: Duly) -> None:
    """M34, D2: nobody is written to, and it counts."""
    held = cases.registered(duly, writer=Person(), contract_number="")
    assert held.value.state is State.CLOSED_ANONYMOUS
    assert duly.mailbox.sent == []
