"""Which lines of the two source documents a test proves.

`python -m tests.coverage_of_requirements`. A test proves the lines that its docstring names (`S45`,
`S47-S49`), a test of the pages' scripts those in its name. Only what is really run counts: what
pytest collects, and what `node --test` finds. Lines that were decided against count too, each with
its decision. Lines that only the desk can show are listed apart. Prints the lines that are left,
and ends with one line: `S 40/62 M 0/109`.
"""

import contextlib
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LINES = {"S": 62, "M": 109}
DECIDED_AGAINST = {
    "S51": "D13",  # the page has a way to disagree
    "S62": "D17",  # a help link instead of a chat
}
# What only a screen of staff's can show: what lies behind it may be proven already.
WAITS_FOR_THE_DESK = ("S6", "S9", "S20", "S21", "S32", "S33", "S55", "S59")
_NAMED = re.compile(r"\b([SM])([1-9]\d{0,2})(?:\s?[-–]\s?\1?(\d{1,3}))?\b")
_SCRIPT_TEST = re.compile(r"""^\s*(?:test|it)\(\s*(["'`])(?P<name>.+?)\1""", re.MULTILINE)


class Collected:
    """A plug-in of pytest's: what every test that it collects says of itself."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep the docstring of each test, one that is given many times once."""
        tests = {getattr(item, "function", None) for item in session.items}
        self.said = [one.__doc__ or "" for one in tests if one is not None]


def named(text: str) -> Iterator[str]:
    """The lines that a text names; `S47-S49` and `S47-49` are three."""
    for kind, first, last in _NAMED.findall(text):
        for number in range(int(first), int(last or first) + 1):
            if number <= LINES[kind]:
                yield f"{kind}{number}"


def proven() -> set[str]:
    """The lines that some test names."""
    plugin = Collected()
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = pytest.main(["--collect-only", "-q", str(TESTS)], plugins=[plugin])
    if code != pytest.ExitCode.OK:
        raise SystemExit(f"The tests can't be collected:\n{told.getvalue()}")
    return {line for said in [*plugin.said, *_scripts()] for line in named(said)}


def left(of: Iterable[str]) -> dict[str, list[str]]:
    """The lines of each document that are not among these."""
    known = set(of)
    return {
        kind: [line for n in range(1, most + 1) if (line := f"{kind}{n}") not in known]
        for kind, most in LINES.items()
    }


def _scripts() -> Iterator[str]:
    for file in sorted(TESTS.rglob("*.test.mjs")):
        for found in _SCRIPT_TEST.finditer(file.read_text(encoding="utf-8")):
            yield found["name"]


def main() -> int:
    """Print what is left, what was decided against, and the sum."""
    found = proven()
    missing = left(found | set(DECIDED_AGAINST))
    for kind, lines in missing.items():
        open_ = [line for line in lines if line not in WAITS_FOR_THE_DESK]
        print(f"Not proven, {kind}: {', '.join(open_) or 'none'}")
    waiting = [line for line in WAITS_FOR_THE_DESK if line in missing["S"]]
    behind = [line for line in WAITS_FOR_THE_DESK if line not in waiting]
    print(f"Wait for the desk: {', '.join(waiting) or 'none'}")
    print(f"Wait for the desk, proven behind it: {', '.join(behind) or 'none'}")
    for line, decision in DECIDED_AGAINST.items():
        print(f"Decided against: {line} ({decision})")
    print(*(f"{kind} {most - len(missing[kind])}/{most}" for kind, most in LINES.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
