"""Complaints: a receipt, a case that is due among a million, its digests, a page of a worklist."""

import contextlib
import io
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bench.calls import Attributes, Recorder
from bench.figures import Figure, figure
from bench.memory import Answers, Table, answering
from chalicelib import wiring
from chalicelib.aws import clients, ledger
from chalicelib.complaints import attention, register, service
from chalicelib.kernel import ids
from chalicelib.kernel.change import SYSTEM, Actor, Change, Key
from chalicelib.organisations import service as organisations
from chalicelib.organisations import store as organisation_store
from chalicelib.organisations.domain import House, Role, keep_member
from tests import cases
from tests.duly import HEAD, Duly, a_member

OPEN, DUE, LISTED, PAGE = 1_000_000, 1_000, 100_000, 25
OFFICERS = 20
_IN_MEMORY = (
    "index in memory, at the network's place (the local engine walks the whole table at each query "
    "of an index)"
)
_LATER = "9999-01-01T00:00:00.000000Z"


def figures(duly: Duly) -> Iterator[Figure]:
    """Every figure of complaints that are received, wait, and fall due."""
    yield receipt(duly)
    staff = [f"officer{n:04d}" for n in range(OFFICERS)]
    for one in staff:
        _join(duly, one)
    case = _waiting_case(duly)
    stored = clients.client("dynamodb").scan(TableName=wiring.setting("TABLE_NAME"))["Items"]
    yield from escalation(duly, stored, case, staff)
    yield worklist(duly, stored, case)


def receipt(duly: Duly) -> Figure:
    """AWS calls of one receipt from the form, settings cached."""
    ports, house = duly.ports(), cases.house(duly)
    given = cases.a_submission(ports.now)
    with Recorder(*_heard()) as heard:
        service.receive(ports, house, given, by=Actor("client"))
    reads = sum(call.items_read for call in heard.calls)
    told = ", ".join(call.operation for call in heard.calls)
    found = figure("register_calls", len(heard.calls), "calls", 1, at_most=1, note=told)
    return replace(found, ok=found.ok and not reads)


def escalation(
    duly: Duly, stored: list[Attributes], case: Attributes, staff: list[str]
) -> Iterator[Figure]:
    """A thousand cases of a million come to a rung of the ladder; then their officers are told."""
    table = _Cases(_undated(one) for one in stored)
    for n in range(DUE):
        table.put(_of(case, staff[n % len(staff)]))
    table.wait(OPEN - DUE)
    dynamodb = clients.client("dynamodb")
    with answering(Answers(table), dynamodb), contextlib.redirect_stdout(io.StringIO()):
        organisation_store.house(duly.ports(), "agencja")  # settings are cached
        with Recorder(dynamodb.meta.events) as heard:
            run = duly.tick()
        assert (run.done, run.failed) == (DUE, 0), run
        queries = heard.of("Query")
        entries = sum(len(call.answer["Items"]) for call in queries)
        reads = entries + sum(call.items_read for call in heard.of("GetItem", "BatchGetItem"))
        calls = len(heard.calls) - len(queries)

        sent = len(duly.mailbox.sent)
        duly.wait(minutes=3)
        for _ in range(2):  # a letter that was written late in the first run leaves in the next
            told = duly.tick()
            assert told.failed == 0, told
        mails = [one.to for one in duly.mailbox.sent[sent:]]
    note = f"one read and one transaction; {DUE:,} due of {OPEN:,}; {_IN_MEMORY}"
    yield figure("escalate_calls", calls / DUE, "calls", 1, at_most=2, note=note)
    note = f"an entry of the index is an item, too; {DUE:,} due of {OPEN:,}; {_IN_MEMORY}"
    yield figure("tick_1m_reads", reads / DUE, "items", 1, at_most=2, note=note)
    note = f"{DUE:,} notices of {len(staff)} people"
    most = max(mails.count(one) for one in set(mails))
    assert len(set(mails)) == len(staff), mails
    yield figure("digest_mails", most, "mails a person a run", 1, at_most=1, note=note)


def worklist(duly: Duly, stored: list[Attributes], case: Attributes) -> Figure:
    """Queries of one page of the open cases, as the desk asks for it."""
    table = _Cases(_undated(one) for one in stored)
    shown = [_of(case, "") for _ in range(PAGE + 1)]
    for one in shown:
        table.put(one)
    table.list_open((one["PK"]["S"] for one in shown), LISTED)
    dynamodb = clients.client("dynamodb")
    with answering(Answers(table), dynamodb), Recorder(dynamodb.meta.events) as heard:
        answer = duly.staff("GET", "/api/complaints?list=open", by=HEAD)
    assert answer.status == 200, answer.json
    assert len(answer.json["cases"]) == PAGE, len(answer.json["cases"])
    told = ", ".join(call.operation for call in heard.calls)
    note = f"{LISTED:,} open cases; {told}; {_IN_MEMORY}"
    return figure("worklist_queries", len(heard.of("Query")), "queries", 1, at_most=1, note=note)


class _Cases(Table):
    """The table in memory, with what the cases' keys and worklists are asked."""

    def __init__(self, items: Iterable[Attributes]) -> None:
        super().__init__(items)
        self._open: list[tuple[str, str]] = []

    def wait(self, number: int) -> None:
        """So many cases more wait in the agenda, each for a day far off."""
        for n in range(number):
            key = Key("agencja", "COMPLAINT", f"{n:022d}")
            shard = self._agenda.setdefault(ledger._shard(key), [])
            shard.append((_LATER, str(key), "ROOT"))
        for entries in self._agenda.values():
            entries.sort()

    def list_open(self, first: Iterable[str], number: int) -> None:
        """These cases, and behind them as many as there are to be, in the worklist."""
        ranks = [(f"2026-12-01\0{n:022d}", pk) for n, pk in enumerate(first)]
        other = "O#agencja#COMPLAINT#other"
        ranks += [(f"2027-01-01\0{n:022d}", other) for n in range(number - len(ranks))]
        self._open = sorted(ranks)

    def _query(self, asked: Attributes) -> Attributes:
        if asked.get("IndexName") == "agenda":
            return super()._query(asked)
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        if "IndexName" in asked:
            return self._page(values, asked["Limit"])
        found = [
            item
            for (pk, sk), item in sorted(self.items.items())
            if pk == values[":pk"] and sk.startswith(values.get(":sk", ""))
        ]
        return {"Items": found, "Count": len(found)}

    def _page(self, values: dict[str, str], most: int) -> Attributes:
        assert values[":list"] == f"O#agencja#{register.OPEN}"
        first = bisect_left(self._open, (values[":first"],))
        last = bisect_right(self._open, (values[":last"], "\U0010ffff"))
        found = [
            {"PK": {"S": pk}, "SK": {"S": "LIST#STATE"}, "rank": {"S": rank}}
            for rank, pk in self._open[first : min(last, first + most)]
        ]
        return {"Items": found, "Count": len(found)}


def _waiting_case(duly: Duly) -> Attributes:
    """A registered case's root, the clock on the first rung of its ladder."""
    held = cases.registered(duly)
    moment = attention.next_moment(held.value, cases.house(duly).settings.complaints)
    assert moment is not None
    for _ in range(3):  # whatever else is due before
        duly.tick()
    duly.clock[0] += moment + timedelta(seconds=5) - duly.ports().now
    where = {"PK": {"S": str(held.key)}, "SK": {"S": "ROOT"}}
    root = clients.client("dynamodb").get_item(TableName=wiring.setting("TABLE_NAME"), Key=where)
    item: Attributes = root["Item"]
    return item


def _of(case: Attributes, officer: str) -> Attributes:
    """Another case of the same, of this officer, in the agenda by its own key."""
    key = Key("agencja", "COMPLAINT", ids.new_id())
    data: dict[str, Any] = json.loads(case["data"]["S"])
    data["assignee"] = officer
    changed = {"data": {"S": json.dumps(data)}, "shard": {"S": ledger._shard(key)}}
    return case | {"PK": {"S": str(key)}} | changed


def _undated(item: Attributes) -> Attributes:
    """What is stored, nothing of it due."""
    return {name: value for name, value in item.items() if name not in ("shard", "due_at")}


def _join(duly: Duly, staff_id: str) -> None:
    """An officer with a mailbox of their own."""
    member = replace(
        a_member(staff_id, "Olga Officer", Role.QUALITY), email=f"{staff_id}@agencja.example"
    )

    def kept(house: House) -> Change:
        return keep_member(house, member, by=SYSTEM, now=datetime.now(UTC))

    organisations.change(duly.ports(), "agencja", None, kept)


def _heard() -> tuple[Any, ...]:
    return tuple(
        clients.client(name).meta.events for name in ("dynamodb", "s3", "secretsmanager", "sesv2")
    )
