"""Every AWS call of a stretch of code, heard at botocore's own hooks."""

from typing import Any, Self

import msgspec

Attributes = dict[str, Any]


class Call(msgspec.Struct, kw_only=True):
    """One call: what was asked, and what was answered."""

    operation: str
    asked: Attributes
    answer: Attributes

    @property
    def items_read(self) -> int:
        """Items, or entries of an index, that the call read."""
        if self.operation == "GetItem":
            return 1
        if self.operation == "BatchGetItem":
            asked: Attributes = self.asked["RequestItems"]
            return sum(len(one["Keys"]) for one in asked.values())
        if self.operation == "TransactGetItems":
            return len(self.asked["TransactItems"])
        return len(self.answer["Items"]) if self.operation == "Query" else 0


class Recorder:
    """Listens to a botocore session or client; `calls` is what it heard since it was made."""

    def __init__(self, *emitters: Any) -> None:
        self.calls: list[Call] = []
        self._asked: Attributes = {}
        self._emitters = emitters

    def __enter__(self) -> Self:
        for one in self._emitters:
            one.register("provide-client-params", self._before)
            one.register("after-call", self._after)
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._emitters:
            one.unregister("provide-client-params", self._before)
            one.unregister("after-call", self._after)

    def of(self, *operations: str) -> list[Call]:
        """The calls of these operations."""
        return [call for call in self.calls if call.operation in operations]

    def _before(self, params: Attributes, **_: Any) -> None:
        self._asked = params
        self.on_asked(params)

    def _after(self, event_name: str, parsed: Attributes, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        call = Call(operation=operation, asked=self._asked, answer=parsed)
        self.calls.append(call)
        self.on_answered(call)

    def on_asked(self, params: Attributes) -> None:
        """Before a call leaves."""

    def on_answered(self, call: Call) -> None:
        """After its answer came."""
