"""The agenda: what is due gets its turn, what fails waits, and nothing is lost in silence."""

import itertools
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import agenda, wiring
from chalicelib.aws.ledger import promised_in
from chalicelib.clients import domain as clients
from chalicelib.clients import store as client_store
from chalicelib.kernel import ids
from chalicelib.kernel.change import SYSTEM, Change, Event, Letter
from chalicelib.kernel.errors import Unavailable
from chalicelib.letters.service import LEASE
from chalicelib.ports import Due, MailDelayed
from tests.duly import AGENT, HEAD, Duly, Mailbox
from tests.store.faults import Faults, install

TIME = agenda.Budget(left=lambda: 55_000)


@pytest.fixture
def faults(duly: Duly, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Faults over the ports of this test."""
    with monkeypatch.context() as patch:
        yield install(patch, mailbox)


def promise(duly: Duly, client: Any, *letters: Letter, ago: timedelta = timedelta()) -> None:
    """Promise these letters, due since then."""
    ports = wiring.ports()
    held = client_store.get(ports, "agencja", client["client_id"])
    event = Event(kind="promised", actor=SYSTEM, at=ports.now - ago)
    ports.ledger.commit(
        Change.of(held, held.value, event, letters=letters, due_at=held.value.due_at)
    )


def note(declaration: Any, **changes: Any) -> Letter:
    """A note to the agent about a declaration."""
    one: dict[str, Any] = {
        "template": "client_disputed",
        "to": f"staff:{AGENT}",
        "about": declaration["declaration_id"],
        "promised_at": wiring.now(),
    }
    return Letter(**(one | changes))


def letters_of(duly: Duly, client: Any) -> list[Any]:
    """A client's letters, as staff see them."""
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/letters")
    assert answer.status == 200, answer.json
    found: list[Any] = answer.json["letters"]
    return found


@pytest.mark.parametrize("what", ["leased", "poisoned"])
def test_more_than_a_page_of_one_moment_starves_nobody(duly: Duly, what: str) -> None:
    """What is due behind 110 items of one moment that are skipped or fail has its turn at once."""
    client = duly.client()
    draft = duly.declared(client)
    moment = wiring.now()
    bad: dict[str, Any] = {"lease_until": moment + timedelta(hours=1)}
    if what == "poisoned":
        bad = {"template": "unknown"}
    promise(
        duly,
        client,
        *[note(draft, letter_id=ids.new_id(), **bad) for _ in range(90)],
        ago=timedelta(minutes=5),
    )
    again = clients.key("agencja", client["client_id"])
    assert len(wiring.ports().ledger.parts(again, "LETTER#")) == 90
    older = wiring.now() - timedelta(minutes=5)
    ports = wiring.ports()
    held = client_store.get(ports, "agencja", client["client_id"])
    (shard,) = [s for s in ports.shards if ports.ledger.due(s, until=ports.now, most=1)]
    first = ports.ledger.due(shard, until=ports.now, most=1)[0].due_at
    event = Event(kind="promised", actor=SYSTEM, at=type(older).fromisoformat(first))
    more = [note(draft, letter_id=ids.new_id(), **bad) for _ in range(20)]
    ports.ledger.commit(Change.of(held, held.value, event, letters=more))
    promise(duly, client, note(draft))
    run = duly.tick()
    assert len(duly.mailbox.sent) == 1
    assert (run.skipped, run.failed) == ((110, 0) if what == "leased" else (0, 110))
    assert run.stopped == ""


def test_a_tick_stops_in_time_and_the_next_one_goes_on(duly: Duly) -> None:
    """Trap 12: no item is begun when less than fifteen seconds are left."""
    client = duly.client()
    draft = duly.declared(client)
    promise(duly, client, *[note(draft, letter_id=ids.new_id()) for _ in range(3)])
    left = iter([50_000, 4_999])
    run = agenda.run_due(wiring.ports(), agenda.Budget(left=lambda: next(left)))
    assert (run.done, run.stopped) == (1, "time")
    assert duly.tick().done == 2


def test_a_poisoned_item_backs_off_is_stuck_in_sight_and_can_be_tried_again(
    duly: Duly, faults: Faults
) -> None:
    """Eight attempts, ever further apart; then staff see it; once healed, retrying gets it done."""
    client = duly.client()
    draft = duly.declared(client)
    promise(duly, client, note(draft))
    faults.before = _no_bucket
    for attempt in range(1, 9):
        run = duly.tick()
        assert (run.failed, run.stuck) == (1, int(attempt == 8)), attempt
        pause = min(30 * 2**attempt, 3600)
        duly.wait(seconds=pause - 10)
        assert duly.tick().failed == 0, "it waits for its turn, ever longer"
        duly.wait(seconds=max(10, LEASE.total_seconds() + 10 - pause))
    duly.wait(days=30)
    assert duly.tick().failed == 0
    assert duly.staff("GET", "/api/stuck").status == 403
    (stuck,) = duly.staff("GET", "/api/stuck", by=HEAD).json["stuck"]
    assert stuck["owner"] == client["client_id"]
    faults.heal()
    retried = duly.staff("POST", "/api/stuck/retry", stuck, by=HEAD)
    assert (retried.status, retried.json) == (200, {"stuck": []})
    assert duly.staff("POST", "/api/stuck/retry", stuck, by=HEAD).json["code"] == "not_stuck"
    assert duly.tick().done == 1
    assert len(duly.mailbox.sent) == 1


def _no_bucket(number: int, name: str) -> None:
    if name == "put":
        raise Unavailable


def _due(duly: Duly) -> list[Due]:
    ports = wiring.ports()
    return [
        one for shard in ports.shards for one in ports.ledger.due(shard, until=ports.now, most=9)
    ]


def test_a_handler_that_fails_stops_nobody_else(duly: Duly) -> None:
    """One bad item, one good one, one tick."""
    client = duly.client()
    draft = duly.declared(client)
    promise(duly, client, note(draft, template="unknown"), note(draft, letter_id=ids.new_id()))
    run = duly.tick()
    assert (run.done, run.failed) == (1, 1)


def test_no_deadline_waits_for_the_mail_service(duly: Duly, mailbox: Mailbox) -> None:
    """No deadline passes in silence: while letters wait, what is over is over."""
    clients_ = [duly.client(email=f"k{number}@klient.example") for number in range(4)]
    for client in clients_:
        duly.sent(client)
    sent = len(mailbox.sent)
    mailbox.before = _throttled
    promise(duly, clients_[0], note(duly.declared(clients_[0])), ago=timedelta(hours=1))
    duly.wait(days=15)
    run = duly.tick()
    assert run.mail_stopped == "ThrottlingException"
    assert len(mailbox.sent) == sent
    for client in clients_:
        assert "declaration_expired" in duly.events(client["client_id"])
    mailbox.before = lambda: None
    duly.wait(minutes=2)
    duly.tick()
    subjects = len(mailbox.sent) - sent
    assert subjects == 5, "the note and four news of an expired link"


def _throttled() -> None:
    raise MailDelayed("ThrottlingException")


def test_the_reminder_comes_once_and_then_the_end(duly: Duly, mailbox: Mailbox) -> None:
    """S49: the same link after three days, the news to the sender after fourteen, and quiet."""
    client = duly.client()
    _, token = duly.sent(client)
    duly.tick()
    assert len(mailbox.sent) == 1
    duly.wait(days=3)
    for _ in range(3):
        duly.tick()
    to_client = mailbox.to("lucja@klient.example")
    assert len(to_client) == 2
    assert duly.public("/links/read", {"token": token}).status == 200
    assert duly.public("/links/read", {"token": to_client[1].token}).status == 200
    duly.wait(days=12)
    for _ in range(3):
        duly.tick()
    assert len(mailbox.sent) == 3
    assert mailbox.sent[-1].to == "ewa@agencja.example"
    assert duly.consents(client["client_id"])["marketing"] == "expired"
    assert _due(duly) == []


def test_the_stream_and_the_tick_at_once_send_a_letter_once(duly: Duly, mailbox: Mailbox) -> None:
    """A letter is claimed by a lease: handed over again while it is being sent, it goes once."""
    client = duly.client()
    duly.act(duly.declared(client), "send")
    (letter,) = letters_of(duly, client)
    sk = f"LETTER#{letter['about']}#{letter['letter_id']}"
    keys = {"PK": {"S": str(clients.key("agencja", client["client_id"]))}, "SK": {"S": sk}}
    batch = {"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": keys}}] * 2}
    runs: list[agenda.Run] = []

    def meanwhile() -> None:
        mailbox.before = lambda: None
        runs.append(agenda.hand_over(wiring.ports(), promised_in(batch), TIME))
        runs.append(duly.tick())

    mailbox.before = meanwhile
    outer = agenda.hand_over(wiring.ports(), promised_in(batch), TIME)
    assert len(mailbox.sent) == 1
    assert (outer.done, outer.skipped) == (1, 1)
    assert [(run.done, run.failed) for run in runs] == [(0, 0), (0, 0)]
    assert duly.tick().done == 0


def test_an_old_image_of_the_index_sends_nothing_too_early(duly: Duly, mailbox: Mailbox) -> None:
    """The letter itself says when it is due: what the index said a moment ago is not believed."""
    client = duly.client()
    duly.act(duly.declared(client), "send")
    ports = wiring.ports()
    (due,) = _due(duly)
    mailbox.after = _no_answer
    assert agenda.hand_over(ports, [due], TIME).mail_stopped == "ReadTimeoutError"
    mailbox.after = lambda: None
    assert agenda.hand_over(wiring.ports(), [due], TIME).skipped == 1
    assert len(mailbox.sent) == 1


def _no_answer() -> None:
    raise MailDelayed("ReadTimeoutError", uncertain=True)


def test_letters_keep_to_the_pace(
    duly: Duly, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL_RATE letters a second leave this process, and no more."""
    monkeypatch.setenv("MAIL_RATE", "8")
    client = duly.client()
    draft = duly.declared(client)
    promise(duly, client, *[note(draft, letter_id=ids.new_id()) for _ in range(5)])
    moments: list[float] = []
    mailbox.before = lambda: moments.append(time.monotonic())
    duly.tick()
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert len(gaps) == 4
    assert min(gaps) >= 0.12
