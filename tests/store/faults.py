"""Faults on demand: a process that dies between two side effects, a service that is silent."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from chalicelib import wiring

WRITES = frozenset({"commit", "save_letter", "postpone", "recall", "put", "delete", "send"})


class Killed(BaseException):
    """The process is gone: nothing of ours can catch this."""


class Faults:
    """Every side effect passes here, by its name, before and after it happens."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.before: Callable[[int, str], None] = lambda number, name: None
        self.after: Callable[[int, str], None] = lambda number, name: None

    def kill(self, number: int, *, when: str) -> None:
        """Die once, at this side effect, `before` or `after` it."""
        self.heal()

        def dies(at: int, name: str) -> None:
            if at == number:
                raise Killed(name)

        setattr(self, when, dies)

    def heal(self) -> None:
        """No fault from here on; side effects are counted anew."""
        self.calls = []
        self.before = self.after = lambda number, name: None

    def wrap(self, inner: Any) -> Any:
        """The port, with each of its side effects passing here."""
        return _Watched(inner, self)


class _Watched:
    def __init__(self, inner: Any, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in WRITES:
            return found

        def watched(*arguments: Any, **options: Any) -> Any:
            number = len(self._faults.calls)
            self._faults.calls.append(name)
            self._faults.before(number, name)
            result = found(*arguments, **options)
            self._faults.after(number, name)
            return result

        return watched


def install(monkeypatch: pytest.MonkeyPatch, mailbox: Any) -> Faults:
    """Faults over the ledger, the bucket and the mailer of this test: its ports alone."""
    faults = Faults()
    for name in ("_ledger", "_bucket"):
        real = getattr(wiring, name)
        monkeypatch.setattr(wiring, name, cache(lambda real=real: faults.wrap(real())))
    monkeypatch.setattr(wiring, "_mailer", lambda: faults.wrap(mailbox))
    return faults
