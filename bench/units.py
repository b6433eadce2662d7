"""Write units from the items' true sizes (Amazon DynamoDB developer guide, "read and write
operations" and "global secondary indexes").

A write costs one unit for each started KB of the larger of the item before and after it, twice
that in a transaction. An index costs its own: one unit per started KB of the entry that appears or
vanishes, two for one whose key changes, none where the entry stays as it was.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from bench.calls import Attributes, Call, Recorder

INDEXES = {"agenda": ("shard", "due_at"), "worklist": ("list", "rank")}
_KB = 1024


class Units(msgspec.Struct, frozen=True, kw_only=True):
    """What a stretch of code wrote: units, and units if each item fitted into one KB."""

    used: int
    smallest: int
    writes: int


class WriteMeter(Recorder):
    """Hears every write, and looks at its items before and after by a client of its own."""

    def __init__(self, client: Any, observer: Any, table: str) -> None:
        super().__init__(client.meta.events)
        self._observer, self._table = observer, table
        self._before_images: list[Attributes] = []
        self._used: list[tuple[int, int]] = []

    @property
    def units(self) -> Units:
        """What was written since the meter was made."""
        used, smallest = (sum(column) for column in zip(*self._used, strict=True))
        return Units(used=used, smallest=smallest, writes=len(self._used))

    def on_asked(self, params: Attributes) -> None:
        """Remember the items as they are before the write."""
        self._before_images = [self._image(key) for _, key in _written(params)]

    def on_answered(self, call: Call) -> None:
        """Count the write, if it was one; a refused one is not counted."""
        if "Error" in call.answer or call.operation not in ("TransactWriteItems", "UpdateItem"):
            return
        times = 2 if call.operation == "TransactWriteItems" else 1
        keys = [key for _, key in _written(call.asked)]
        for key, before in zip(keys, self._before_images, strict=True):
            after = self._image(key)
            size = max(item_size(before), item_size(after))
            for index in INDEXES.values():
                entry = index_units(before, after, index)
                self._used.append((entry, entry))
            self._used.append((times * _started(size), times))

    def _image(self, key: Attributes) -> Attributes:
        found = self._observer.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        image: Attributes = found.get("Item", {})
        return image


def item_size(item: Attributes) -> int:
    """Bytes of an item: names and values in UTF-8; of a number half its digits and one."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Attributes) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.strip("-").replace(".", "")) + 1) // 2 + 1
    raise ValueError(f"Duly writes no attribute of type {kind}")


def index_units(before: Attributes, after: Attributes, index: tuple[str, str]) -> int:
    """Units of one index for an item that was so and is so now."""
    was, is_ = _entry(before, index), _entry(after, index)
    return 0 if was == is_ else sum(_started(item_size(entry)) for entry in (was, is_) if entry)


def _entry(item: Attributes, index: tuple[str, str]) -> Attributes:
    names = ("PK", "SK", *index)
    return {name: item[name] for name in names} if set(index) <= item.keys() else {}


def _started(size: int) -> int:
    return max(1, -(-size // _KB))


def _written(params: Attributes) -> Iterator[tuple[str, Attributes]]:
    """Kind and key of every write of a call."""
    if "UpdateExpression" in params:
        yield "Update", params["Key"]
    for write in params.get("TransactItems", ()):
        ((kind, what),) = write.items()
        item = what.get("Item") or what.get("Key")
        if kind != "Get":
            yield kind, {name: item[name] for name in ("PK", "SK")}
