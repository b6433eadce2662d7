"""Measure all, write build/bench.json, print the table; exit 1 if a figure is over its limit."""

import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from bench import (
    confirming,
    escalating,
    gate,
    importing,
    inbound,
    letters,
    packaging,
    pages,
    papers,
    privacy,
    scans,
    starts,
    ticks,
)
from bench.figures import Figure, table
from bench.house import SECRET, a_duly, an_account, event
from bench.memory import Table
from chalicelib.aws import clients
from chalicelib.consents import sheets, store
from chalicelib.organisations import store as organisations
from tests import engine

OUT = Path(__file__).parent.parent / "build" / "bench.json"
READ = "/api/public/{org}/links/read"


def measure(folder: Path) -> Iterator[Figure]:
    """Every figure, in the order of the issues."""
    with engine.running(folder) as address:
        account = an_account(address, folder)
        with a_duly(account) as duly:
            client = duly.client(email="read@klient.example")
            sent, token = duly.sent(client)
            key = f"O#agencja#CLIENT#{client['client_id']}"
            stored = clients.client("dynamodb").scan(TableName="duly")["Items"]
            root = next(one for one in stored if one["PK"]["S"] == key and one["SK"]["S"] == "ROOT")
            ports, house = duly.ports(), organisations.house(duly.ports(), "agencja")
            held = store.get(ports, "agencja", client["client_id"], sent["declaration_id"])
            sheet = sheets.sheet(ports, house, *held)

            read = event(READ.format(org="agencja"), READ, {"token": token})
            yield from starts.figures(Table(stored, secret=SECRET), account, read, key, folder)
            yield confirming.calls(duly)
            yield confirming.cpu(duly, Table(stored), token)
            yield from confirming.units(duly)
            yield from ticks.idle(duly, root)
            yield from ticks.due(duly, stored, root)
            yield from gate.figures(duly)
            yield from inbound.figures(account)
            yield from escalating.figures(duly)  # it moves the clock on
    yield from papers.figures(sheet)
    yield from scans.figures(sheet)
    yield from importing.figures()
    yield from pages.figures()
    yield packaging.megabytes()
    yield from privacy.figures()
    yield letters.p95()


def told(figures: Iterable[Figure], say: Callable[[str], None]) -> Iterator[Figure]:
    """The figures, each said as it comes; what Duly logs meanwhile goes nowhere."""
    with contextlib.redirect_stdout(io.StringIO()):
        started = time.monotonic()
        for one in figures:
            say(f"{one.name} ({time.monotonic() - started:.0f} s)")
            yield one


def main() -> int:
    """Measure, write, print."""
    terminal = sys.stdout

    def say(line: str) -> None:
        print(line, file=terminal, flush=True)

    with tempfile.TemporaryDirectory(prefix="duly-bench-") as folder:
        found = list(told(measure(Path(folder)), say))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    say("\n" + table(found))
    over = [one.name for one in found if not one.ok]
    say(f"\nOver the limit: {', '.join(over)}" if over else f"\nAll within their limits: {OUT}")
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
