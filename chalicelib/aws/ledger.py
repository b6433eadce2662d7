"""The ledger: the only writer of aggregates, over one DynamoDB table.

| PK | SK | attributes |
|---|---|---|
| `O#<org>#<KIND>#<id>` | `ROOT` | `v` version, `head` chain hash, `data` JSON; on the agenda (1) |
| same | `EVENT#<version>` | `env`, `digest`, `hash`; `body`, `salt` until erased |
| same | `LETTER#<about>#<id>` | `v`, `data`; on the agenda (1) |
| same | other parts | `data`; `list`, `rank` where a worklist shows it |
| `O#<org>#<LOOKUP>#<digest>` | aggregate's `<KIND>#<id>`, or `UNIQUE` (2) | `target` |
| `O#<org>#PERSON#<staff id>` | `NOTICE#<about>#<step>` | `data`; on the agenda (1) |
| `O#<org>#COUNT#<kind>.<digest>` | window | `n`, `expires_at` (TTL) |
| `O#<org>#ONCE#<digest>` | `ONCE` | `request`, `result`, `expires_at` (TTL) |

(1) `shard`, `due_at` and `tries`, for as long as something is due.
(2) Where one aggregate alone may hold the value.

These keys hold nothing personal: the stream, the dead letters and the access logs carry them
alone. `rank`, the key of an index, may be a name.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.aws import clients
from chalicelib.kernel import chain, ids
from chalicelib.kernel.change import (
    AlreadyDone,
    Change,
    Counter,
    Key,
    Letter,
    Lookup,
    Notice,
    Once,
    Part,
)
from chalicelib.kernel.errors import (
    ChangedMeanwhile,
    IdempotencyKeyReused,
    Taken,
    TooManyRequests,
    Unavailable,
)
from chalicelib.ports import Due, EventRecord, Item, Listed, Page

SHARDS = tuple(f"due#{number}" for number in range(4))
# What takes seconds and memory has shards of its own, and a function of its own that asks them.
HEAVY = frozenset({"IMPORT", "ERASURE", "CONSENTS", "EXPORT", "PORTABILITY"})
HEAVY_SHARDS = tuple(f"heavy#{number}" for number in range(2))
ROOT = "ROOT"
UNIQUE = "UNIQUE"
_encode = msgspec.json.Encoder().encode
Attributes = dict[str, Any]


class DynamoLedger:
    """The ledger over the table of this name."""

    def __init__(self, table: str, clock: Callable[[], datetime]) -> None:
        self.table = table
        self.clock = clock

    # Reading

    def read(self, key: Key, *sks: str) -> dict[str, Item]:
        """These items of one aggregate, in one consistent call; what is not there is left out."""
        wanted = [_key(key, sk) for sk in sks]
        if len(wanted) == 1:
            found = _call("get_item", TableName=self.table, Key=wanted[0], ConsistentRead=True)
            items = [found["Item"]] if "Item" in found else []
        else:
            items = self._batch(wanted)
        return {item["SK"]["S"]: _item(item) for item in items}

    def read_whole(self, key: Key, *sks: str) -> dict[str, Item]:
        """As `read`, and no write of anybody's falls between the items."""
        gets = [{"Get": {"TableName": self.table, "Key": _key(key, sk)}} for sk in sks]
        answers = _call("transact_get_items", TransactItems=gets)["Responses"]
        items = [answer["Item"] for answer in answers if "Item" in answer]
        return {item["SK"]["S"]: _item(item) for item in items}

    def roots(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """The roots of these aggregates, a hundred at most, in one call; the gone are left out."""
        wanted = [_key(key, ROOT) for key in keys]
        return {item.key: item for item in map(_item, self._batch(wanted) if wanted else [])}

    def parts(self, key: Key, prefix: str) -> list[Item]:
        """Every part whose SK begins so, in order; pages are followed."""
        return [_item(item) for item in self._query(str(key), prefix)]

    def events(self, key: Key, *, before: int = 0, most: int = 50) -> list[EventRecord]:
        """Events, newest first, older than version `before` (0: from the newest)."""
        if before == 1:
            return []
        last = f"EVENT#{before - 1 if before else 9_999_999_999:010d}"
        answer = _call(
            "query",
            TableName=self.table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues=_values(pk=str(key), first="EVENT#0000000001", last=last),
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=most,
        )
        return [_event(item) for item in answer["Items"]]

    def hashes(self, places: Sequence[tuple[Key, int]]) -> dict[tuple[Key, int], str]:
        """The hash of each of these events, a hundred at most; of what they say nothing is read."""
        wanted = [_key(key, _event_sk(version)) for key, version in places]
        names = {"#hash": "hash"}
        found = self._batch(
            wanted, ProjectionExpression="PK, SK, #hash", ExpressionAttributeNames=names
        )
        return {
            (_parse(one["PK"]["S"]), int(one["SK"]["S"].removeprefix("EVENT#"))): one["hash"]["S"]
            for one in found
        }

    def find(self, org: str, kind: str, digest: str) -> list[Key]:
        """What an exact look-up points to."""
        found = self._query(f"O#{org}#{kind}#{digest}", "")
        targets = (item["target"]["S"].partition("#") for item in found if "target" in item)
        return [Key(org, target[0], target[2]) for target in targets]

    def held(self, org: str, kind: str, digests: Sequence[str]) -> set[str]:
        """Which of these values, unique or marked, a hundred at most, anybody has; in one call."""
        start = f"O#{org}#{kind}#"
        wanted = [{"PK": {"S": f"{start}{one}"}, "SK": {"S": UNIQUE}} for one in digests]
        found = self._batch(wanted) if wanted else []
        return {item["PK"]["S"].removeprefix(start) for item in found}

    def worklist(self, name: str, *, prefix: str, after: str, most: int) -> Page:
        """A page of a worklist in the order of rank; `after`: the rank the last page ended with."""
        items = self._listed(name, prefix, after, most)
        keys = tuple(_parse(item["PK"]["S"]) for item in items)
        ranks = tuple(item["rank"]["S"] for item in items)
        return Page(keys=keys, ranks=ranks, after=ranks[-1] if len(items) == most else "")

    def _listed(self, name: str, prefix: str, after: str, most: int) -> list[Attributes]:
        begin = max(prefix, after + "\0") if after else prefix
        values = _values(list=name, first=begin or " ")  # a key of an index is never empty
        values |= _values(last=prefix + "\U0010ffff")
        if values[":first"]["S"] > values[":last"]["S"]:
            return []
        answer = _call(
            "query",
            TableName=self.table,
            IndexName="worklist",
            KeyConditionExpression="#list = :list AND #rank BETWEEN :first AND :last",
            ExpressionAttributeNames={"#list": "list", "#rank": "rank"},
            ExpressionAttributeValues=values,
            Limit=most,
        )
        found: list[Attributes] = answer["Items"]
        return found

    def count(self, name: str, *, first: str, before: str) -> int:
        """How many of a worklist have a rank from `first` on and before `before`; no item is read.

        Index entries alone are read, a megabyte of them in one call.
        """
        if first >= before:
            return 0
        asked: Attributes = {
            "TableName": self.table,
            "IndexName": "worklist",
            "KeyConditionExpression": "#list = :list AND #rank BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#list": "list", "#rank": "rank"},
            # No rank is as short as a bare day: what begins with `before` comes after it.
            "ExpressionAttributeValues": _values(list=name, first=first, last=before),
            "Select": "COUNT",
        }
        found = 0
        while True:
            answer = _call("query", **asked)
            found += int(answer["Count"])
            if "LastEvaluatedKey" not in answer:
                return found
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def entries(self, name: str, *, prefix: str, after: str, most: int) -> Listed:
        """A page of the parts themselves that a worklist shows, a hundred at most."""
        answer = self._listed(name, prefix, after, most)
        wanted = [{part: one[part] for part in ("PK", "SK")} for one in answer]
        read = map(_item, self._batch(wanted) if wanted else [])
        found = {(item.key, item.sk): item for item in read}
        places = [(_parse(one["PK"]["S"]), one["SK"]["S"]) for one in answer]
        items = tuple(found[place] for place in places if place in found)
        return Listed(items=items, after=answer[-1]["rank"]["S"] if len(answer) == most else "")

    def clock_offset(self) -> float:
        """The seconds by which a demonstration moved the clock on; for the stage `local` alone."""
        where = {"PK": {"S": "LOCAL#CLOCK"}, "SK": {"S": ROOT}}
        found = _call("get_item", TableName=self.table, Key=where).get("Item", {})
        return float(found.get("seconds", {"N": "0"})["N"])

    # Writing

    def commit(self, change: Change, *, settles: tuple[Item, Letter] | None = None) -> int:
        """Write the change whole, in one transaction; the new version.

        `settles` takes a letter's last step along: what its sending means for its owner is one
        write with the mark that it was sent.

        `ChangedMeanwhile` if the version is not the one that was read, `Taken` if a unique look-up
        is held by another, `AlreadyDone` or `IdempotencyKeyReused` if the request came before,
        `TooManyRequests` if one of its counters is full.
        """
        version, writes = self._writes(change, settles)
        try:
            _call("transact_write_items", TransactItems=writes)
        except clients.client("dynamodb").exceptions.TransactionCanceledException as error:
            self._explain(error, change, len(writes))
        return version

    def commit_together(self, changes: Sequence[Change]) -> None:
        """Write changes of different aggregates in one transaction, a hundred items at most.

        All or none; `ChangedMeanwhile` whatever stood in the way: one by one they tell what it was.
        """
        writes = [one for change in changes for one in self._writes(change)[1]]
        try:
            _call("transact_write_items", TransactItems=writes)
        except clients.client("dynamodb").exceptions.TransactionCanceledException as error:
            raise ChangedMeanwhile from error

    def _writes(
        self, change: Change, settles: tuple[Item, Letter] | None = None
    ) -> tuple[int, list[Attributes]]:
        version, key = change.version + 1, change.key
        hash_, event = _written_event(change, version)
        writes = [self._root(change, version, hash_), self._put(event, create=True)]
        writes += [self._part(key, part) for part in change.parts]
        writes += [self._letter(key, letter, change.event.at) for letter in change.letters]
        writes += [self._lookup(key, lookup) for lookup in change.lookups]
        writes += [self._notice(key.org, notice) for notice in change.notices]
        writes += [self._counted(key.org, counter) for counter in change.counters]
        if settles:
            writes.append({"Update": self._letter_step(*settles, due_at=None)})
        if change.once:
            writes.append(self._put(_once(key.org, change.once), create=True))
        return version, writes

    def spend(self, org: str, counters: Sequence[Counter]) -> None:
        """Count something that changes nothing else; `TooManyRequests` if a counter is full."""
        writes = [self._counted(org, counter) for counter in counters]
        try:
            _call("transact_write_items", TransactItems=writes)
        except clients.client("dynamodb").exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", [])
            if any(one.get("Code") == "ConditionalCheckFailed" for one in reasons):
                raise TooManyRequests from error
            raise Unavailable from error

    def was_done(self, org: str, once: Once) -> bool:
        """Whether this very request came before; `IdempotencyKeyReused` if another had its key."""
        return self.result_of(org, once) is not None

    def result_of(self, org: str, once: Once) -> str | None:
        """What this very request made, or None; `IdempotencyKeyReused` if another had its key."""
        wanted = {name: _once(org, once)[name] for name in ("PK", "SK")}
        found = _call("get_item", TableName=self.table, Key=wanted, ConsistentRead=True)
        if "Item" not in found:
            return None
        if found["Item"]["request"]["S"] != once.request:
            raise IdempotencyKeyReused
        result: str = found["Item"]["result"]["S"]
        return result

    def save_letter(self, item: Item, letter: Letter, *, due_at: datetime | None) -> Item:
        """A letter's own step on condition of its version; `due_at` None takes it off the agenda.

        A lease keeps `due_at`, so that the index is not written twice for one letter.
        """
        try:
            _call("update_item", **self._letter_step(item, letter, due_at=due_at))
        except clients.client("dynamodb").exceptions.ConditionalCheckFailedException as error:
            raise ChangedMeanwhile from error
        due = _instant(due_at) if due_at else ""
        return msgspec.structs.replace(
            item, data=_encode(letter), version=item.version + 1, due_at=due
        )

    # The agenda

    def due(self, shard: str, *, until: datetime, most: int, after: Due | None = None) -> list[Due]:
        """What is due in one shard, oldest first; `after`: the last of the page before.

        The next page starts at a place, not at a moment: a thousand items of one moment are a
        thousand.
        """
        asked: Attributes = {
            "TableName": self.table,
            "IndexName": "agenda",
            "KeyConditionExpression": "#shard = :shard AND due_at <= :until",
            "ExpressionAttributeNames": {"#shard": "shard"},
            "ExpressionAttributeValues": _values(shard=shard, until=_instant(until)),
            "Limit": most,
        }
        if after is not None:
            place = {"shard": {"S": shard}, "due_at": {"S": after.due_at}}
            asked["ExclusiveStartKey"] = _key(after.key, after.sk) | place
        answer = _call("query", **asked)
        return [
            Due(key=_parse(one["PK"]["S"]), sk=one["SK"]["S"], due_at=one["due_at"]["S"])
            for one in answer["Items"]
        ]

    def stuck(self, org: str, *, most: int) -> list[Due]:
        """What gave up after many attempts and waits for staff of this organisation."""
        return self.due(_stuck(org), until=datetime.max.replace(tzinfo=UTC), most=most)

    def postpone(self, due: Due, *, attempts: int, due_at: datetime | None) -> None:
        """It failed, or is about to be tried: due again later; None: `stuck`, a shard of its own.

        That shard is the organisation's. A commit of the root says anew when it is due, and sets
        the attempts to none.
        """
        shard = _shard(due.key) if due_at else _stuck(due.key.org)
        self._reschedule(due, shard, _instant(due_at) if due_at else due.due_at, attempts)

    def recall(self, due: Due, *, now: datetime) -> None:
        """What is stuck, back into the agenda, due now."""
        self._reschedule(due, _shard(due.key), _instant(now), 0)

    # Erasure

    def strip(self, key: Key, *, keep: Sequence[str]) -> tuple[int, int]:
        """Remove every item of an aggregate but its events and these; strip the events' bodies.

        Envelope, digest and hash of each event stay, and with them the chain. Only what there is is
        touched, so that it may be broken off and begun again.
        """
        items = bodies = 0
        for item in self._query(str(key), ""):
            sk, where = item["SK"]["S"], {"PK": item["PK"], "SK": item["SK"]}
            if sk in keep:
                continue
            if not sk.startswith("EVENT#"):
                _call("delete_item", TableName=self.table, Key=where)
                items += 1
            elif "body" in item:
                _call(
                    "update_item",
                    TableName=self.table,
                    Key=where,
                    UpdateExpression="REMOVE body, salt",
                    ConditionExpression="attribute_exists(PK)",
                )
                bodies += 1
        return items, bodies

    def unpoint(self, key: Key, lookups: Sequence[Lookup]) -> None:
        """Remove these pointers to an aggregate; removing what is not there is no error."""
        for one in lookups:
            gone = msgspec.structs.replace(one, remove=True)
            _call("delete_item", **self._lookup(key, gone)["Delete"])

    def _reschedule(self, due: Due, shard: str, due_at: str, attempts: int) -> None:
        values = _values(shard=shard, due=due_at, was=due.due_at)
        try:
            _call(
                "update_item",
                TableName=self.table,
                Key=_key(due.key, due.sk),
                UpdateExpression="SET #shard = :shard, due_at = :due, tries = :tries",
                ExpressionAttributeNames={"#shard": "shard"},
                ConditionExpression="due_at = :was",
                ExpressionAttributeValues=values | {":tries": {"N": str(attempts)}},
            )
        except clients.client("dynamodb").exceptions.ConditionalCheckFailedException as error:
            raise ChangedMeanwhile from error

    # The writes of a transaction

    def _root(self, change: Change, version: int, hash_: str) -> Attributes:
        item = _key(change.key, ROOT) | {
            "v": {"N": str(version)},
            "head": {"S": hash_},
            "data": {"S": _encode(change.root).decode()},
        }
        if change.due_at is not None:
            item |= {"shard": {"S": _shard(change.key)}, "due_at": {"S": _instant(change.due_at)}}
        if change.version == 0:
            return self._put(item, create=True)
        put = {
            "TableName": self.table,
            "Item": item,
            "ConditionExpression": "v = :was AND head = :head",
            "ExpressionAttributeValues": {
                ":was": {"N": str(change.version)},
                ":head": {"S": change.head},
            },
        }
        return {"Put": put}

    def _part(self, key: Key, part: Part) -> Attributes:
        if part.data is None:
            return {"Delete": {"TableName": self.table, "Key": _key(key, part.sk)}}
        item = _key(key, part.sk) | {"data": {"S": _encode(part.data).decode()}}
        if part.list_name:
            rank = _instant(self.clock()) if part.at_write else part.rank
            item |= {
                "list": {"S": f"O#{key.org}#{part.list_name}"},
                "rank": {"S": f"{rank}\0{key.id}\0{part.sk}"},
            }
        return self._put(item, create=part.create)

    def _letter(self, key: Key, letter: Letter, at: datetime) -> Attributes:
        item = _key(key, f"LETTER#{letter.about}#{letter.letter_id}") | {
            "v": {"N": "1"},
            "data": {"S": _encode(letter).decode()},
        }
        if letter.state == "promised":
            item |= {"shard": {"S": _shard(key)}, "due_at": {"S": _instant(at)}}
        return self._put(item, create=True)

    def _letter_step(self, item: Item, letter: Letter, *, due_at: datetime | None) -> Attributes:
        values = {
            ":data": {"S": _encode(letter).decode()},
            ":was": {"N": str(item.version)},
            ":v": {"N": str(item.version + 1)},
        }
        update = "SET #data = :data, v = :v"
        if due_at is None:
            update += " REMOVE #shard, due_at, tries"
        else:
            update += ", #shard = :shard, due_at = :due"
            values |= _values(shard=_shard(item.key), due=_instant(due_at))
        return {
            "TableName": self.table,
            "Key": _key(item.key, item.sk),
            "UpdateExpression": update,
            "ConditionExpression": "v = :was",
            "ExpressionAttributeNames": {"#data": "data", "#shard": "shard"},
            "ExpressionAttributeValues": values,
        }

    def _lookup(self, key: Key, lookup: Lookup) -> Attributes:
        target = {"S": f"{key.kind}#{lookup.target or key.id}"}
        item = {
            "PK": {"S": f"O#{key.org}#{lookup.kind}#{lookup.digest}"},
            "SK": {"S": UNIQUE} if lookup.unique or lookup.mark else target,
        }
        if lookup.remove:
            return {"Delete": {"TableName": self.table, "Key": item}}
        if lookup.mark:
            return self._put(item, create=False)
        return self._put(item | {"target": target}, create=lookup.unique)

    def _notice(self, org: str, notice: Notice) -> Attributes:
        person = Key(org, "PERSON", notice.person)
        item = _key(person, f"NOTICE#{notice.about}#{notice.step}") | {
            "data": {"S": _encode(notice).decode()},
            "shard": {"S": _shard(person)},
            "due_at": {"S": _instant(notice.due_at)},
        }
        return self._put(item, create=False)

    def _counted(self, org: str, counter: Counter) -> Attributes:
        update = {
            "TableName": self.table,
            "Key": {
                "PK": {"S": f"O#{org}#COUNT#{counter.kind}.{counter.digest}"},
                "SK": {"S": counter.window},
            },
            "UpdateExpression": "SET expires_at = :ends ADD n :one",
            "ConditionExpression": "attribute_not_exists(n) OR n < :most",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":most": {"N": str(counter.most)},
                ":ends": {"N": str(counter.expires_at)},
            },
        }
        return {"Update": update}

    def _put(self, item: Attributes, *, create: bool) -> Attributes:
        put: Attributes = {"TableName": self.table, "Item": item}
        if create:
            put["ConditionExpression"] = "attribute_not_exists(PK)"
            put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return {"Put": put}

    def _explain(self, error: Any, change: Change, writes: int) -> None:
        """Which condition failed, as a refusal of the domain."""
        reasons = error.response.get("CancellationReasons", [])
        failed = [n for n, one in enumerate(reasons) if one.get("Code") == "ConditionalCheckFailed"]
        if change.once and failed and failed[-1] == writes - 1:
            before = reasons[-1].get("Item") or {}
            if before.get("request", {}).get("S") == change.once.request:
                raise AlreadyDone(before["result"]["S"]) from error
            raise IdempotencyKeyReused from error
        if any(one.get("Code") == "TransactionConflict" for one in reasons) or 0 in failed:
            raise ChangedMeanwhile from error
        first_lookup = 2 + len(change.parts) + len(change.letters)
        first_notice = first_lookup + len(change.lookups)
        if failed and first_lookup <= failed[0] < first_notice:
            raise Taken from error
        first_counter = first_notice + len(change.notices)
        after = first_counter + len(change.counters)
        if failed and first_counter <= failed[0] and failed[-1] < after:
            raise TooManyRequests from error
        if failed:
            raise ChangedMeanwhile from error
        raise Unavailable from error

    def _batch(self, wanted: list[Attributes], **only: Any) -> list[Attributes]:
        found: list[Attributes] = []
        for _ in range(5):
            request = {self.table: {"Keys": wanted, "ConsistentRead": True, **only}}
            answer = _call("batch_get_item", RequestItems=request)
            found += answer["Responses"].get(self.table, [])
            wanted = answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", [])
            if not wanted:
                return found
        raise Unavailable

    def _query(self, pk: str, prefix: str) -> list[Attributes]:
        found: list[Attributes] = []
        asked: Attributes = {
            "TableName": self.table,
            "KeyConditionExpression": "PK = :pk",
            "ExpressionAttributeValues": _values(pk=pk),
            "ConsistentRead": True,
        }
        if prefix:
            asked["KeyConditionExpression"] += " AND begins_with(SK, :sk)"
            asked["ExpressionAttributeValues"] |= _values(sk=prefix)
        while True:
            answer = _call("query", **asked)
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def promised_in(event: Attributes) -> Iterator[Due]:
    """The letters that a batch of the table's stream (keys alone) says were promised."""
    for record in event.get("Records", []):
        keys = record["dynamodb"]["Keys"]
        if record["eventName"] == "INSERT" and keys["SK"]["S"].startswith("LETTER#"):
            yield Due(key=_parse(keys["PK"]["S"]), sk=keys["SK"]["S"], due_at="")


def written_in(event: Attributes) -> Iterator[tuple[Key, int]]:
    """The events that a batch of the table's stream (keys alone) says were written."""
    for record in event.get("Records", []):
        keys = record["dynamodb"]["Keys"]
        if record["eventName"] == "INSERT" and keys["SK"]["S"].startswith("EVENT#"):
            yield _parse(keys["PK"]["S"]), int(keys["SK"]["S"].removeprefix("EVENT#"))


def _call(operation: str, **arguments: Any) -> Attributes:
    """One call; throttling and outages that outlast botocore's retries: `Unavailable` (a 503).

    `ChangedMeanwhile` where a single write meets a transaction on the same item.
    """
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    dynamodb = clients.client("dynamodb")
    try:
        answer: Attributes = getattr(dynamodb, operation)(**arguments)
    except (ConnectionError, HTTPClientError) as error:
        raise Unavailable from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "TransactionConflictException":  # a single write met somebody's transaction
            raise ChangedMeanwhile from error
        conflict = operation == "transact_get_items" and code == "TransactionCanceledException"
        if status >= 500 or conflict or code in _TRANSIENT:
            raise Unavailable from error
        raise
    return answer


_TRANSIENT = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
}


def _written_event(change: Change, version: int) -> tuple[str, Attributes]:
    event = change.event
    envelope = {
        "aggregate": str(change.key),
        "version": version,
        "kind": event.kind,
        "at": _instant(event.at),
        "actor": {"kind": event.actor.kind, "id": event.actor.id},
        "previous": change.head,
    }
    origin = msgspec.to_builtins(event.actor.origin)  # a client's own address is in a body, too
    told = msgspec.to_builtins(event.body) | ({"origin": origin} if origin else {})
    body = chain.canonical(told)
    salt = ids.new_id()
    body_digest = chain.digest(salt, body)
    hash_ = chain.link(envelope, body_digest)
    item = _key(change.key, _event_sk(version)) | {
        "env": {"S": chain.canonical(envelope).decode()},
        "digest": {"S": body_digest},
        "hash": {"S": hash_},
        "body": {"S": body.decode()},
        "salt": {"S": salt},
    }
    return hash_, item


def _once(org: str, once: Once) -> Attributes:
    return {
        "PK": {"S": f"O#{org}#ONCE#{once.digest}"},
        "SK": {"S": "ONCE"},
        "request": {"S": once.request},
        "result": {"S": once.result},
        "expires_at": {"N": str(once.expires_at)},
    }


def _event(item: Attributes) -> EventRecord:
    erased = "body" not in item
    return EventRecord(
        envelope=msgspec.json.decode(item["env"]["S"]),
        digest=item["digest"]["S"],
        hash=item["hash"]["S"],
        body=None if erased else msgspec.json.decode(item["body"]["S"]),
        salt=None if erased else item["salt"]["S"],
    )


def _item(item: Attributes) -> Item:
    return Item(
        key=_parse(item["PK"]["S"]),
        sk=item["SK"]["S"],
        data=item["data"]["S"].encode(),
        version=int(item["v"]["N"]) if "v" in item else 0,
        head=item["head"]["S"] if "head" in item else "",
        due_at=item["due_at"]["S"] if "due_at" in item else "",
        attempts=int(item["tries"]["N"]) if "tries" in item else 0,
    )


def _key(key: Key, sk: str) -> Attributes:
    return {"PK": {"S": str(key)}, "SK": {"S": sk}}


def _event_sk(version: int) -> str:
    return f"EVENT#{version:010d}"


def _parse(pk: str) -> Key:
    _, org, kind, id_ = pk.split("#", 3)
    return Key(org, kind, id_)


def _stuck(org: str) -> str:
    return f"stuck#{org}"


def _shard(key: Key) -> str:
    shards = HEAVY_SHARDS if key.kind in HEAVY else SHARDS
    return shards[zlib.crc32(str(key).encode()) % len(shards)]


def _values(**values: str) -> Attributes:
    return {f":{name}": {"S": value} for name, value in values.items()}


def _instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond, so that text sorts as time does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
