"""From arrival to the register (M32-M48)."""

from chalicelib.complaints.case import Person, State
from tests import cases
from tests.duly import Duly


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
