"""Measure everything; write build/bench.json, print the table, 1 where a figure is over its limit."""

import sys
import tempfile
from pathlib import Path

import msgspec

from bench import confirming, starts
from bench.figures import Figure, table
from bench.house import SECRET, a_duly, an_account, event
from bench.memory import Table
from chalicelib.aws import clients
from tests import engine

OUT = Path(__file__).parent.parent / "build" / "bench.json"


def measure(folder: Path) -> list[Figure]:
    found: list[Figure] = []
    with engine.running(folder) as address:
        account = an_account(address, folder)
        with a_duly(account) as duly:
            found += confirming.units(duly)
            found.append(confirming.calls(duly))
            client = duly.client(email="cold@klient.example")
            _, token = duly.sent(client)
            items = clients.client("dynamodb").scan(TableName="duly")["Items"]
            stored = Table(items, secret=SECRET)
            found.append(confirming.cpu(duly, stored, token))
            asked = event("/api/public/agencja/links/read", "/api/public/{org}/links/read", {"token": token})
            key = f"O#agencja#CLIENT#{client['client_id']}"
            found += starts.figures(stored, account, asked, key, folder)
    return found


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="duly-bench-") as folder:
        found = measure(Path(folder))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    print(table(found))
    return int(not all(one.ok for one in found))


if __name__ == "__main__":
    sys.exit(main())
