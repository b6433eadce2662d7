"""The ledger over a real table: one writer, whole transactions, conditions that hold."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import msgspec
import pytest

from chalicelib.aws import clients
from chalicelib.aws.ledger import SHARDS, DynamoLedger, promised_in
from chalicelib.kernel import chain, ids
from chalicelib.kernel.change import (
    SYSTEM,
    AlreadyDone,
    Change,
    Event,
    Key,
    Letter,
    Lookup,
    Once,
    Part,
)
from chalicelib.kernel.errors import ChangedMeanwhile, IdempotencyKeyReused, Taken
from chalicelib.ports import Due, EventRecord, Item
from tests.duly import Duly

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def ledger(duly: Duly) -> DynamoLedger:
    """The ledger over this test's own table."""
    found = duly.ports().ledger
    assert isinstance(found, DynamoLedger)
    return found


def a_key(kind: str = "THING") -> Key:
    """The key of an aggregate that nobody else has."""
    return Key("agencja", kind, ids.new_id())


def a_change(key: Key, version: int = 0, head: str = "", **promises: Any) -> Change:
    """A change of an aggregate."""
    event = Event(kind=f"change_{version + 1}", actor=SYSTEM, at=NOW, body={"łamię": version})
    root = {"version": version + 1}
    return Change(key=key, version=version, head=head, root=root, event=event, **promises)


def root(ledger: DynamoLedger, key: Key) -> Item:
    """The root as it is stored."""
    return ledger.read(key, "ROOT")["ROOT"]


def grown(ledger: DynamoLedger, key: Key, versions: int) -> Item:
    """The aggregate after so many changes."""
    head = ""
    for version in range(versions):
        ledger.commit(a_change(key, version, head))
        head = root(ledger, key).head
    return root(ledger, key)


def test_a_change_is_written_whole(ledger: DynamoLedger) -> None:
    """Root, parts, event, letters, look-ups: read back as they were written."""
    key, letter = a_key(), Letter(template="t", to="client", about="d1", promised_at=NOW)
    change = a_change(
        key,
        parts=(Part(sk="PART#1", data={"a": "ż"}), Part(sk="PART#2", data={}, create=True)),
        letters=(letter,),
        lookups=(Lookup(kind="EMAIL", digest="x1"),),
        due_at=NOW,
    )
    assert ledger.commit(change) == 1
    letter_sk = f"LETTER#d1#{letter.letter_id}"
    for read in (ledger.read, ledger.read_whole):
        found = read(key, "ROOT", "PART#1", "PART#9", letter_sk)
        assert set(found) == {"ROOT", "PART#1", letter_sk}
        assert msgspec.json.decode(found["PART#1"].data) == {"a": "ż"}
        assert msgspec.json.decode(found[letter_sk].data, type=Letter) == letter
        assert (found["ROOT"].version, found[letter_sk].version) == (1, 1)
    assert [one.sk for one in ledger.parts(key, "PART#")] == ["PART#1", "PART#2"]
    assert ledger.find("agencja", "EMAIL", "x1") == [key]
    assert ledger.find("agencja", "EMAIL", "x2") == []
    gone = a_change(
        key,
        1,
        root(ledger, key).head,
        parts=(Part(sk="PART#1", data=None),),
        lookups=(Lookup(kind="EMAIL", digest="x1", remove=True),),
    )
    assert ledger.commit(gone) == 2
    assert [one.sk for one in ledger.parts(key, "PART#")] == ["PART#2"]
    assert ledger.find("agencja", "EMAIL", "x1") == []
    assert root(ledger, key).due_at == ""


def test_a_change_on_another_version_writes_nothing(ledger: DynamoLedger) -> None:
    """S60: stale, created twice, of a forged head: 409, and not one item of it is there."""
    key = a_key()
    before = grown(ledger, key, 2)
    stale: list[Change] = [
        a_change(key, parts=(Part(sk="PART#x", data={}),)),
        a_change(key, 1, before.head, parts=(Part(sk="PART#x", data={}),)),
        a_change(key, 2, "forged", parts=(Part(sk="PART#x", data={}),)),
        a_change(key, 7, before.head, parts=(Part(sk="PART#x", data={}),)),
    ]
    for change in stale:
        with pytest.raises(ChangedMeanwhile):
            ledger.commit(change)
    assert root(ledger, key) == before
    assert ledger.parts(key, "PART#") == []
    assert len(ledger.events(key)) == 2


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What came of acts that begin together: a result, or the refusal."""
    barrier = Barrier(len(acts))

    def one(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except Exception as error:  # noqa: BLE001  the refusal is what is looked at
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def test_of_many_changes_at_once_one_is_written(ledger: DynamoLedger) -> None:
    """S60, R6: one success, a 409 for everybody else, one event."""
    key = a_key()
    before = grown(ledger, key, 1)
    change = a_change(key, 1, before.head)
    results = at_once(*[lambda: ledger.commit(change)] * 6)
    assert results.count(2) == 1
    assert sum(isinstance(one, ChangedMeanwhile) for one in results) == 5
    assert [one.envelope["version"] for one in ledger.events(key)] == [2, 1]


def test_a_part_that_must_be_new_is_new(ledger: DynamoLedger) -> None:
    """Nothing is overwritten that was meant to be created."""
    key = a_key()
    part = Part(sk="PART#1", data={"n": 1}, create=True)
    ledger.commit(a_change(key, parts=(part,)))
    with pytest.raises(ChangedMeanwhile):
        ledger.commit(a_change(key, 1, root(ledger, key).head, parts=(part,)))
    assert root(ledger, key).version == 1


def test_a_unique_look_up_has_one_holder(ledger: DynamoLedger) -> None:
    """S35: a paper's code leads to one aggregate; another's claim is `Taken` and writes nothing."""
    first, second = a_key(), a_key()
    code = Lookup(kind="PAPERCODE", digest="ABC", unique=True)
    ledger.commit(a_change(first, lookups=(code,)))
    for claim in (second, first):
        version = 1 if claim is first else 0
        head = root(ledger, first).head if claim is first else ""
        with pytest.raises(Taken):
            ledger.commit(a_change(claim, version, head, lookups=(code,)))
    assert ledger.read(second, "ROOT") == {}
    assert ledger.find("agencja", "PAPERCODE", "ABC") == [first]
    shared = Lookup(kind="EMAIL", digest="same")
    ledger.commit(a_change(second, lookups=(shared,)))
    ledger.commit(a_change(first, 1, root(ledger, first).head, lookups=(shared,)))
    assert set(ledger.find("agencja", "EMAIL", "same")) == {first, second}
    release = Lookup(kind="PAPERCODE", digest="ABC", unique=True, remove=True)
    ledger.commit(a_change(first, 2, root(ledger, first).head, lookups=(release,)))
    assert ledger.find("agencja", "PAPERCODE", "ABC") == []


def test_a_mark_says_whether_anybody_has_a_value(ledger: DynamoLedger) -> None:
    """S52: shared by all who have it, asked for many values in one call, found by nobody."""
    first, second = a_key(), a_key()
    mark = Lookup(kind="EMAIL", digest="marked", mark=True)
    ledger.commit(a_change(first, lookups=(Lookup(kind="EMAIL", digest="marked"), mark)))
    ledger.commit(a_change(second, lookups=(mark,)))
    assert ledger.held("agencja", "EMAIL", ["marked", "nobodys"]) == {"marked"}
    assert ledger.find("agencja", "EMAIL", "marked") == [first]
    gone = msgspec.structs.replace(mark, remove=True)
    ledger.commit(a_change(second, 1, root(ledger, second).head, lookups=(gone,)))
    assert ledger.held("agencja", "EMAIL", ["marked"]) == set()


def test_changes_of_different_aggregates_are_written_together_or_not_at_all(
    ledger: DynamoLedger,
) -> None:
    """S60: one of them in the way, and not one item of the others is there."""
    first, second = a_key(), a_key()
    ledger.commit_together([a_change(first), a_change(second)])
    assert (root(ledger, first).version, root(ledger, second).version) == (1, 1)
    third = a_key()
    with pytest.raises(ChangedMeanwhile):
        ledger.commit_together([a_change(third), a_change(first)])
    assert ledger.read(third, "ROOT") == {}


def test_a_request_under_one_key_is_done_once(ledger: DynamoLedger) -> None:
    """A lost answer can be retried: the same request gets what it made, another one is refused."""
    once = Once(digest="k1", request="r1", result="made", expires_at=1_900_000_000)
    ledger.commit(a_change(a_key(), once=once))
    again = a_key()
    with pytest.raises(AlreadyDone) as done:
        ledger.commit(a_change(again, once=msgspec.structs.replace(once, result="other")))
    assert done.value.result == "made"
    with pytest.raises(IdempotencyKeyReused):
        ledger.commit(a_change(again, once=msgspec.structs.replace(once, request="r2")))
    assert ledger.read(again, "ROOT") == {}
    assert ledger.was_done("agencja", once)
    assert not ledger.was_done("inna", once)
    with pytest.raises(IdempotencyKeyReused):
        ledger.was_done("agencja", msgspec.structs.replace(once, request="r2"))
    stale = a_change(again, 5, "x", once=once)
    with pytest.raises(AlreadyDone):
        ledger.commit(stale)
    fresh = msgspec.structs.replace(once, digest="k2")
    with pytest.raises(ChangedMeanwhile):
        ledger.commit(msgspec.structs.replace(stale, once=fresh))


def test_one_request_sent_many_times_at_once_is_done_once(ledger: DynamoLedger) -> None:
    """R6: whoever loses the race is told so, or gets what was made."""
    once = Once(digest="k3", request="r", result="made", expires_at=1_900_000_000)
    keys = [a_key() for _ in range(5)]
    results = at_once(*[lambda key=key: ledger.commit(a_change(key, once=once)) for key in keys])
    assert results.count(1) == 1
    assert all(isinstance(one, int | AlreadyDone | ChangedMeanwhile) for one in results)
    assert sum("ROOT" in ledger.read(key, "ROOT") for key in keys) == 1


def test_an_event_is_never_written_over(ledger: DynamoLedger) -> None:
    """R23: whatever happens to the root, a second event of one version can't be."""
    key = a_key()
    grown(ledger, key, 1)
    table = clients.client("dynamodb")
    table.delete_item(TableName="duly", Key={"PK": {"S": str(key)}, "SK": {"S": "ROOT"}})
    before = ledger.events(key)
    with pytest.raises(ChangedMeanwhile):
        ledger.commit(a_change(key))
    assert ledger.events(key) == before


def test_events_come_newest_first_page_by_page_and_make_a_chain(ledger: DynamoLedger) -> None:
    """R23: every page, its ends included; the whole is verified by anybody."""
    key = a_key()
    last = grown(ledger, key, 5)
    pages, before = [], 0
    while page := ledger.events(key, before=before, most=2):
        pages.append([one.envelope["version"] for one in page])
        before = page[-1].envelope["version"]
    assert pages == [[5, 4], [3, 2], [1]]
    export = chain.export(str(key), last.head, [exported(e) for e in reversed(ledger.events(key))])
    assert chain.verify(export) == 5
    clients.client("dynamodb").update_item(
        TableName="duly",
        Key={"PK": {"S": str(key)}, "SK": {"S": "EVENT#0000000002"}},
        UpdateExpression="REMOVE body, salt",
    )
    events = [exported(e) for e in reversed(ledger.events(key))]
    assert "body" not in events[1]
    assert chain.verify(chain.export(str(key), last.head, events)) == 5


def exported(one: EventRecord) -> dict[str, Any]:
    """An event as exports hold it."""
    event: dict[str, Any] = {"envelope": one.envelope, "digest": one.digest, "hash": one.hash}
    return event if one.body is None else event | {"body": one.body, "salt": one.salt}


def test_envelopes_and_keys_hold_nothing_personal(duly: Duly) -> None:
    """R17, GDPR Art. 17: with the bodies gone, the history names nobody."""
    client = duly.client()
    duly.sent(client)
    items = clients.client("dynamodb").scan(TableName="duly")["Items"]
    kept = [
        [item["PK"]["S"], item["SK"]["S"] if not item["SK"]["S"].startswith("WORDING") else ""]
        + [item[name]["S"] for name in ("env", "digest", "hash", "head") if name in item]
        for item in items
    ]
    for personal in ("lucja", "Łucja", "żółć", "600100200", duly.mailbox.sent[-1].token[-43:]):
        assert personal not in str(kept).lower().replace(" ", "")


# The agenda


def due_keys(ledger: DynamoLedger, until: datetime) -> list[Due]:
    """Everything that is due, in all shards."""
    return [one for shard in SHARDS for one in ledger.due(shard, until=until, most=100)]


def test_what_is_due_is_found_oldest_first_and_not_before(ledger: DynamoLedger) -> None:
    """Every aggregate lies in one of four shards; each shard is in order of time."""
    keys = [a_key() for _ in range(24)]
    for number, key in enumerate(keys):
        ledger.commit(a_change(key, due_at=NOW + timedelta(minutes=number)))
    assert {one.key for one in due_keys(ledger, NOW)} == {keys[0]}
    assert due_keys(ledger, NOW - timedelta(microseconds=1)) == []
    used = 0
    for shard in SHARDS:
        found = ledger.due(shard, until=LATER, most=100)
        assert [one.due_at for one in found] == sorted(one.due_at for one in found)
        used += bool(found)
    assert used == 4
    assert {one.key for one in due_keys(ledger, LATER)} == set(keys)


def test_a_page_goes_on_where_the_last_one_ended_even_within_one_moment(
    ledger: DynamoLedger,
) -> None:
    """Nothing is starved: a page ends at a place, not at a moment, and the place may be gone."""
    key = a_key()
    letters = [Letter(template="t", to="client", promised_at=NOW) for _ in range(23)]
    ledger.commit(a_change(key, letters=letters))
    (shard,) = [one for one in SHARDS if ledger.due(one, until=NOW, most=1)]
    found: list[Due] = []
    after: Due | None = None
    while page := ledger.due(shard, until=NOW, most=5, after=after):
        found += page
        after = page[-1]
        item = ledger.read(key, after.sk)[after.sk]
        ledger.save_letter(item, letters[0], due_at=None)
    assert len(found) == len({one.sk for one in found}) == 23


def test_what_failed_comes_later_and_what_gave_up_waits_for_its_organisation(
    ledger: DynamoLedger,
) -> None:
    """In sight of staff, and of no other organisation's; recalled, it is due again."""
    key = a_key()
    ledger.commit(a_change(key, due_at=NOW))
    (due,) = due_keys(ledger, NOW)
    ledger.postpone(due, attempts=3, due_at=LATER)
    assert due_keys(ledger, NOW) == []
    assert root(ledger, key).attempts == 3
    with pytest.raises(ChangedMeanwhile):
        ledger.postpone(due, attempts=4, due_at=LATER)
    (later,) = due_keys(ledger, LATER)
    ledger.postpone(later, attempts=8, due_at=None)
    assert due_keys(ledger, LATER) == []
    assert ledger.stuck("agencja", most=10) == [later]
    assert ledger.stuck("inna", most=10) == []
    ledger.recall(later, now=NOW)
    assert ledger.stuck("agencja", most=10) == []
    assert [one.key for one in due_keys(ledger, NOW)] == [key]
    assert root(ledger, key).attempts == 0
    with pytest.raises(ChangedMeanwhile):
        ledger.recall(later, now=NOW)


def test_a_change_takes_what_is_stuck_out_of_it(ledger: DynamoLedger) -> None:
    """Whoever acts on the aggregate starts its attention anew."""
    key = a_key()
    ledger.commit(a_change(key, due_at=NOW))
    (due,) = due_keys(ledger, NOW)
    ledger.postpone(due, attempts=8, due_at=None)
    ledger.commit(a_change(key, 1, root(ledger, key).head, due_at=LATER))
    assert ledger.stuck("agencja", most=10) == []
    assert [one.key for one in due_keys(ledger, LATER)] == [key]
    assert root(ledger, key).attempts == 0


def test_a_letters_step_is_taken_once(ledger: DynamoLedger) -> None:
    """Two senders claim one letter: one gets it, and the agenda keeps it until it is done."""
    key, letter = a_key(), Letter(template="t", to="client", promised_at=NOW)
    held = Letter(template="t", to="client", promised_at=NOW, state="held")
    ledger.commit(a_change(key, letters=(letter, held)))
    sk = f"LETTER##{letter.letter_id}"
    assert [one.sk for one in due_keys(ledger, NOW)] == [sk]
    item = ledger.read(key, sk)[sk]
    results = at_once(*[lambda: ledger.save_letter(item, letter, due_at=NOW)] * 4)
    assert sum(isinstance(one, Item) for one in results) == 1
    assert sum(isinstance(one, ChangedMeanwhile) for one in results) == 3
    claimed = next(one for one in results if isinstance(one, Item))
    assert ledger.read(key, sk)[sk] == claimed
    assert [one.sk for one in due_keys(ledger, NOW)] == [sk]
    ledger.save_letter(claimed, letter, due_at=None)
    assert due_keys(ledger, LATER) == []


def test_a_letters_last_step_and_what_it_means_are_one_write(ledger: DynamoLedger) -> None:
    """S7: sent and notice delivered, or neither."""
    key, letter = a_key(), Letter(template="t", to="client", promised_at=NOW)
    ledger.commit(a_change(key, letters=(letter,)))
    sk = f"LETTER##{letter.letter_id}"
    item = ledger.read(key, sk)[sk]
    done = msgspec.structs.replace(letter, state="sent")
    change = a_change(key, 1, root(ledger, key).head)
    stale = msgspec.structs.replace(item, version=9)
    with pytest.raises(ChangedMeanwhile):
        ledger.commit(change, settles=(stale, done))
    assert root(ledger, key).version == 1
    assert ledger.commit(change, settles=(item, done)) == 2
    assert due_keys(ledger, LATER) == []
    with pytest.raises(ChangedMeanwhile):
        ledger.commit(a_change(key, 2, root(ledger, key).head), settles=(item, done))


# Lists and the stream


def test_a_worklist_is_in_order_of_rank_page_by_page(ledger: DynamoLedger) -> None:
    """Names by their beginning; nobody is left out at a page's end, equal names neither."""
    names = ["ada", "adam", "adam", "adam", "adamska", "bea", "\U0010fffd"]
    keys = [a_key() for _ in names]
    for key, name in zip(keys, names, strict=True):
        part = Part(sk="NAME#0", data={}, list_name="L", rank=name)
        ledger.commit(a_change(key, parts=(part,)))

    def listed(prefix: str) -> list[Key]:
        found: list[Key] = []
        after = ""
        for _ in range(10):
            page = ledger.worklist("O#agencja#L", prefix=prefix, after=after, most=2)
            found += page.keys
            after = page.after
            if not after:
                return found
        raise AssertionError("the pages do not end")

    assert set(listed("adam")) == set(keys[1:5])
    assert listed("adam")[3] == keys[4]
    assert listed("ada")[0] == keys[0]
    assert listed("b") == [keys[5]]
    assert listed("x") == []
    assert ledger.worklist("O#inna#L", prefix="a", after="", most=2).keys == ()
    past = ledger.worklist("O#agencja#L", prefix="a", after="b", most=2)
    assert past.keys == ()


def test_the_stream_tells_of_promised_letters_and_nothing_else() -> None:
    """S43: inserted letters alone; another record of the batch harms nobody."""

    def record(name: str, sk: str) -> dict[str, Any]:
        keys = {"PK": {"S": "O#agencja#CLIENT#abc"}, "SK": {"S": sk}}
        return {"eventName": name, "dynamodb": {"Keys": keys}}

    event = {
        "Records": [
            record("INSERT", "LETTER#d#1"),
            record("MODIFY", "LETTER#d#1"),
            record("REMOVE", "LETTER#d#2"),
            record("INSERT", "EVENT#0000000001"),
            record("INSERT", "LETTER##3"),
        ]
    }
    assert list(promised_in(event)) == [
        Due(key=Key("agencja", "CLIENT", "abc"), sk="LETTER#d#1", due_at=""),
        Due(key=Key("agencja", "CLIENT", "abc"), sk="LETTER##3", due_at=""),
    ]
    assert list(promised_in({})) == []
