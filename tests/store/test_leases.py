"""What is heavy is leased before its turn: a turn that ends its process counts, and starves nobody.

A process that dies tells nothing: `Killed` is no Exception, and the agenda catches none of it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import agenda
from chalicelib.aws.ledger import HEAVY, HEAVY_SHARDS
from chalicelib.kernel import ids
from chalicelib.kernel.change import SYSTEM, Change, Event, Held, Key
from chalicelib.kernel.errors import ChangedMeanwhile
from chalicelib.ports import Item, Ports
from tests.duly import HEAD, Duly
from tests.store.faults import Killed

Turn = Callable[[Ports, Item], None]
TIME = agenda.Budget(left=lambda: 55_000)


class Work:
    """Turns of one kind, each job's own, through the agenda's door."""

    def __init__(self, duly: Duly, patch: pytest.MonkeyPatch, kind: str = "EXPORT") -> None:
        self.duly, self.kind = duly, kind
        self.turns: dict[Key, Turn] = {}
        self.begun: list[Key] = []
        self.counted: list[str] = []
        patch.setattr(agenda, "WORK", {**agenda.WORK, kind: self.attend})

    def attend(self, ports: Ports, item: Item) -> None:
        """The job's own turn."""
        self.begun.append(item.key)
        self.turns[item.key](ports, item)

    def job(self, turn: Turn) -> Key:
        """A job that is due now."""
        key, ports = Key("agencja", self.kind, ids.new_id()), self.duly.ports()
        event = Event(kind="begun", actor=SYSTEM, at=ports.now)
        ports.ledger.commit(
            Change(key=key, version=0, head="", root={}, event=event, due_at=ports.now)
        )
        self.turns[key] = turn
        return key

    def behind(self, first: Key, turn: Turn) -> Key:
        """A job of the same shard, due after the first one."""
        while True:
            key = self.job(turn)
            if self.shard(key) == self.shard(first):
                return key
            ports = self.duly.ports()
            wrote(ports, ports.ledger.read(key, "ROOT")["ROOT"])

    def shard(self, key: Key) -> str:
        """Where the job is due."""
        ports = self.duly.ports()
        later = ports.now + timedelta(days=99)
        (found,) = [
            one
            for one in HEAVY_SHARDS
            if key in [due.key for due in ports.ledger.due(one, until=later, most=9)]
        ]
        return found

    def tick(self) -> agenda.Run:
        """A minute later, the function of heavy things."""
        self.duly.wait(minutes=1)
        ports = replace(
            self.duly.ports(),
            shards=HEAVY_SHARDS,
            count=lambda name, value: self.counted.append(name),
        )
        return agenda.run_on(ports, TIME)

    def root(self, key: Key) -> Item:
        """The root as it is stored."""
        return self.duly.ports().ledger.read(key, "ROOT")["ROOT"]


def wrote(ports: Ports, item: Item, **when: Any) -> None:
    """A turn that succeeds, and says when the next one is."""
    held = Held[Any](key=item.key, value={}, version=item.version, head=item.head)
    event = Event(kind="went_on", actor=SYSTEM, at=ports.now)
    ports.ledger.commit(Change.of(held, {}, event, **when))


def dies(ports: Ports, item: Item) -> None:
    """A turn for which the memory does not suffice."""
    raise Killed


def fails(ports: Ports, item: Item) -> None:
    """A turn that tells what is wrong."""
    raise RuntimeError


def test_whatever_is_heavy_is_leased() -> None:
    """What has shards and a function of its own has a lease, and nothing else pays for one."""
    assert set(agenda.WORK) == HEAVY
    assert not set(agenda.ATTEND) & HEAVY


@pytest.mark.parametrize("kind", sorted(HEAVY))
def test_a_job_that_kills_its_process_starves_nobody_and_is_given_up(
    duly: Duly, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Not again before its lease is over; the next one at the next tick; stuck after eight."""
    work = Work(duly, monkeypatch, kind)
    deadly = work.job(dies)
    duly.wait(seconds=1)
    good = work.behind(deadly, wrote)
    for attempt in range(1, agenda.MOST_ATTEMPTS + 1):
        with pytest.raises(Killed):
            work.tick()
        assert work.root(deadly).attempts == attempt
        run = work.tick()
        assert (run.done, run.failed, run.stuck) == (int(attempt == 1), 0, 0)
        duly.wait(minutes=7, seconds=50)
        assert work.tick().failed == 0
        assert work.begun.count(deadly) == attempt, "leased: nobody takes it up at once"
    assert work.begun.count(good) == 1
    run = work.tick()
    assert (run.done, run.failed, run.stuck, work.counted) == (0, 1, 1, ["stuck_items"])
    assert work.begun.count(deadly) == agenda.MOST_ATTEMPTS
    duly.wait(days=30)
    assert work.tick() == agenda.Run()
    (stuck,) = duly.staff("GET", "/api/stuck", by=HEAD).json["stuck"]
    assert (stuck["kind"], stuck["owner"]) == (kind, deadly.id)
    work.turns[deadly] = wrote
    assert duly.staff("POST", "/api/stuck/retry", stuck, by=HEAD).status == 200
    assert work.tick().done == 1
    assert not work.root(deadly).due_at


def test_a_turn_that_fails_is_one_attempt(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease has counted it; it waits as anything else that failed, not for the lease."""
    work = Work(duly, monkeypatch)
    bad = work.job(fails)
    for attempt in range(1, agenda.MOST_ATTEMPTS + 1):
        run = work.tick()
        assert (run.failed, run.stuck) == (1, int(attempt == agenda.MOST_ATTEMPTS)), attempt
        assert work.root(bad).attempts == attempt
        pause = min(30 * 2**attempt, 3600)
        duly.wait(seconds=pause - 70)
        assert work.tick().failed == 0
    duly.wait(days=30)
    assert work.tick().failed == 0
    assert work.counted == ["stuck_items"]


def test_a_turn_that_succeeds_starts_the_attempts_anew(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job of many turns is not given up for what it survived; the turn knows what was before."""
    work, seen = Work(duly, monkeypatch), list[int]()
    job = work.job(dies)
    for _ in range(2):
        with pytest.raises(Killed):
            work.tick()
        duly.wait(minutes=10)

    def turn(ports: Ports, item: Item) -> None:
        seen.append(item.attempts)
        wrote(ports, item, due_at=ports.now if len(seen) == 1 else None)

    work.turns[job] = turn
    assert work.tick().done == 2
    assert seen == [2, 0]
    assert (work.root(job).attempts, work.root(job).due_at) == (0, "")


def test_who_was_second_keeps_no_lease(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """S60: nothing failed, so nothing counts; the next tick has it, or it is as they say."""
    work = Work(duly, monkeypatch)

    def second(ports: Ports, item: Item) -> None:
        raise ChangedMeanwhile

    job = work.job(second)
    was = work.root(job)
    for _ in range(2):
        assert work.tick().skipped == 1
        assert work.root(job) == was
    assert work.begun == [job, job]

    def overtaken(ports: Ports, item: Item) -> None:
        wrote(ports, item, due_at=ports.now + timedelta(days=1))
        raise ChangedMeanwhile

    work.turns[job] = overtaken
    assert work.tick().skipped == 1
    assert work.root(job).due_at > (duly.ports().now + timedelta(hours=23)).isoformat()


def test_what_a_turn_wrote_before_it_failed_counts(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is over and due in two weeks is not taken up in between for a failure behind it."""
    work = Work(duly, monkeypatch)

    def over(ports: Ports, item: Item) -> None:
        wrote(ports, item, due_at=ports.now + timedelta(days=14))
        raise RuntimeError

    job = work.job(over)
    assert work.tick().failed == 1
    assert work.root(job).attempts == 0
    duly.wait(days=13)
    assert work.tick() == agenda.Run()
    work.turns[job] = wrote
    duly.wait(days=1)
    assert work.tick().done == 1


def test_what_failed_after_a_step_goes_on_from_there(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step reset the attempts, the failure after it is the first one."""
    work = Work(duly, monkeypatch)

    def half(ports: Ports, item: Item) -> None:
        wrote(ports, item, due_at=ports.now)
        raise RuntimeError

    job = work.job(half)
    for _ in range(3):
        assert work.tick().failed == 1
        assert work.root(job).attempts == 1
