"""A DynamoDB table in memory, at the network's place.

It answers as much of DynamoDB as Duly asks in the measured cases, through botocore itself
(`answering`) or over HTTP (`bench.stub`). Conditions are taken as met: one caller at a time. So
calls and items are counted as they would be on AWS, at sizes that the local engine can't index.
"""

import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

Attributes = dict[str, Any]


class Table:
    """Items by key, and the index `agenda` in its order."""

    def __init__(self, items: Iterable[Attributes] = (), *, secret: str = "") -> None:
        self.items: dict[tuple[str, str], Attributes] = {}
        self._agenda: dict[str, list[tuple[str, str, str]]] = {}
        self._secret = secret
        for item in items:
            self.put(item)

    def answer(self, operation: str, asked: Attributes) -> Attributes:
        """The answer to one call; KeyError for a call that none of the measured cases makes."""
        answers: dict[str, Callable[[Attributes], Attributes]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch,
            "Query": self._query,
            "UpdateItem": self._update,
            "TransactWriteItems": self._transact,
            "GetSecretValue": lambda asked: {"Name": "link-keys", "SecretString": self._secret},
        }
        return answers[operation](asked)

    def put(self, item: Attributes) -> None:
        """Store an item and its entry of the agenda."""
        self.remove(item)
        key = (item["PK"]["S"], item["SK"]["S"])
        self.items[key] = item
        if "shard" in item:
            insort(self._agenda.setdefault(item["shard"]["S"], []), (item["due_at"]["S"], *key))

    def remove(self, where: Attributes) -> None:
        """Remove an item and its entry of the agenda."""
        key = (where["PK"]["S"], where["SK"]["S"])
        gone = self.items.pop(key, None)
        if gone and "shard" in gone:
            entries = self._agenda[gone["shard"]["S"]]
            del entries[bisect_left(entries, (gone["due_at"]["S"], *key))]

    def _get(self, asked: Attributes) -> Attributes:
        found = self.items.get((asked["Key"]["PK"]["S"], asked["Key"]["SK"]["S"]))
        return {"Item": found} if found else {}

    def _batch(self, asked: Attributes) -> Attributes:
        ((name, wanted),) = asked["RequestItems"].items()
        found = [self._get({"Key": key}).get("Item") for key in wanted["Keys"]]
        return {"Responses": {name: [item for item in found if item]}, "UnprocessedKeys": {}}

    def _query(self, asked: Attributes) -> Attributes:
        if asked["IndexName"] != "agenda":
            raise KeyError(asked["IndexName"])
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        entries = self._agenda.get(values[":shard"], [])
        last = bisect_right(entries, (values[":until"], "\U0010ffff"))
        first, start = 0, asked.get("ExclusiveStartKey")
        if start:
            place = (start["due_at"]["S"], start["PK"]["S"], start["SK"]["S"])
            first = bisect_right(entries, place)
        found = [
            {
                "PK": {"S": pk},
                "SK": {"S": sk},
                "shard": {"S": values[":shard"]},
                "due_at": {"S": due},
            }
            for due, pk, sk in entries[first : max(first, min(last, first + asked["Limit"]))]
        ]
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _transact(self, asked: Attributes) -> Attributes:
        for write in asked["TransactItems"]:
            ((kind, what),) = write.items()
            if kind == "Put":
                self.put(what["Item"])
            elif kind == "Update":
                self._update(what)
            else:
                self.remove(what["Key"])
        return {}

    def _update(self, asked: Attributes) -> Attributes:
        """`SET a = :x, b = :y REMOVE c, d`: all that the ledger writes."""
        names = asked.get("ExpressionAttributeNames", {})
        sets, _, removes = asked["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        item = {**(self._get(asked).get("Item") or asked["Key"])}
        for one in sets.split(", "):
            name, _, value = one.partition(" = ")
            item[names.get(name, name)] = asked["ExpressionAttributeValues"][value]
        for name in filter(None, removes.split(", ")):
            item.pop(names.get(name, name), None)
        self.put(item)
        return {}


class Answers:
    """Stands in for the network of botocore clients: a table behind their doors."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __call__(self, request: Any, **_: Any) -> Any:
        """The handler of `before-send`: an answer instead of a request that leaves."""
        return response(self.body(operation(request), request.body))

    def body(self, operation: str, asked: bytes) -> bytes:
        """The answer's bytes."""
        return json.dumps(self.table.answer(operation, json.loads(asked))).encode()


def operation(request: Any) -> str:
    """Which operation a request asks for."""
    target = request.headers["X-Amz-Target"]
    return (target.decode() if isinstance(target, bytes) else str(target)).partition(".")[2]


def response(body: bytes) -> Any:
    """An answer as botocore gets it from the network."""
    from botocore.awsrequest import AWSResponse

    headers = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(body))}
    return AWSResponse("http://127.0.0.1/", 200, headers, _Raw(body))


@contextmanager
def answering(handler: Any, *clients: Any) -> Iterator[None]:
    """Inside the block, what these clients send is answered by the handler."""
    for client in clients:
        client.meta.events.register_first("before-send", handler)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-send", handler)


class _Raw(BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """All of it at once."""
        yield self.read()
