"""What the tick asks for: with nothing due at two sizes, and with a hundredth of 100,000 due."""

import contextlib
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from bench.calls import Attributes, Recorder
from bench.figures import Figure, figure
from bench.memory import Answers, Table, answering
from chalicelib import agenda, wiring
from chalicelib.aws import clients, ledger
from chalicelib.kernel import ids
from chalicelib.kernel.change import Key
from chalicelib.ports import MailDelayed
from tests.duly import Duly

FEW, MANY, DUE, LETTERS = 1_000, 100_000, 1_000, 100
_BATCH = 25
_IN_MEMORY = (
    "table in memory, at the network's place (the local engine walks the whole table at each query "
    "of an index)"
)


def idle(duly: Duly, root: Attributes) -> Iterator[Figure]:
    """Calls of a tick with nothing due: in the local engine, and with a hundred times more."""
    dynamodb, shards = clients.client("dynamodb"), len(ledger.SHARDS)
    table = wiring.setting("TABLE_NAME")
    items = list(_clients(root, FEW))
    for start in range(0, FEW, _BATCH):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + _BATCH]]
        dynamodb.batch_write_item(RequestItems={table: puts})
    few = _idle_calls(duly)
    note = f"{FEW:,} clients in the local engine; floor: one call a shard"
    yield figure("tick_idle_calls_1k", few, "calls", shards, note=note)
    with answering(Answers(Table(_clients(root, MANY))), dynamodb):
        many = _idle_calls(duly)
    note = f"at most: what the tick took at {FEW:,}; {MANY:,} clients, {_IN_MEMORY}"
    yield figure("tick_idle_calls_100k", many, "calls", shards, at_most=few, note=note)


def due(duly: Duly, stored: list[Attributes], root: Attributes) -> Iterator[Figure]:
    """Items read for one declaration whose time is over, and for the letter that comes of it."""
    dynamodb = clients.client("dynamodb")
    table = Table([*stored, *_clients(root, MANY - DUE)])
    declaration = _declaration_of(root, stored)
    for item in _clients(root, DUE):
        table.put(_over(item, wiring.now()))
        table.put(declaration | {"PK": item["PK"]})
    with answering(Answers(table), dynamodb), contextlib.redirect_stdout(io.StringIO()):
        duly.mailbox.before = _mail_stops
        with Recorder(dynamodb.meta.events) as heard:
            run = duly.tick()
        assert (run.done, run.failed) == (DUE, 0), run
        entries = [one for call in heard.of("Query") for one in call.answer["Items"]]
        declarations = sum(one["SK"]["S"] == "ROOT" for one in entries)
        reads = declarations + len(heard.of("GetItem"))

        duly.mailbox.before = lambda: None
        duly.wait(minutes=1)
        with Recorder(dynamodb.meta.events) as heard:
            run = agenda.run_due(duly.ports(), agenda.Budget(left=_time_for(LETTERS)))
        assert (run.done, run.failed) == (LETTERS, 0), run
        letter_reads = sum(one.items_read for one in heard.of("GetItem", "BatchGetItem"))
    note = f"{DUE:,} due of {MANY:,}; an entry of the index is an item, too; {_IN_MEMORY}"
    yield figure("tick_due_reads", reads / DUE, "items", 1, at_most=2, note=note)
    note = "items of the table a letter: the client, the letter, what it is about"
    yield figure("tick_letter_reads", letter_reads / LETTERS, "items", 1, at_most=3, note=note)


def _clients(root: Attributes, number: int) -> Iterator[Attributes]:
    """As many clients as this one, each with an id of its own and nothing due yet."""
    for _ in range(number):
        key = Key("agencja", "CLIENT", ids.new_id())
        yield root | {"PK": {"S": str(key)}, "shard": {"S": ledger._shard(key)}}


def _declaration_of(root: Attributes, stored: list[Attributes]) -> Attributes:
    sk = f"DECL#{json.loads(root['data']['S'])['declarations'][0]['id']}"
    return next(one for one in stored if one["PK"] == root["PK"] and one["SK"]["S"] == sk)


def _over(root: Attributes, now: datetime) -> Attributes:
    """The client with its declaration's time over."""
    data, over = json.loads(root["data"]["S"]), (now - timedelta(hours=1)).isoformat()
    for one in data["declarations"]:
        one["expires"], one["remind"] = over, None
    return root | {"data": {"S": json.dumps(data)}, "due_at": {"S": ledger._instant(now)}}


def _mail_stops() -> None:
    raise MailDelayed("quota", quota=True)


def _time_for(items: int) -> Any:
    """The time left, as Lambda tells it: enough for this many items."""
    asked = count(1)
    return lambda: 55_000 if next(asked) <= items else 0


def _idle_calls(duly: Duly) -> int:
    duly.tick()  # whatever else was due
    with Recorder(clients.client("dynamodb").meta.events) as heard:
        run = duly.tick()
    assert (run.done, run.skipped, run.failed) == (0, 0, 0), run
    return len(heard.calls)
