"""A list of old consents, 100,000 lines, tried and applied in a process of its own.

`python -m bench.importing <lines>` does it in the environment that it finds, and prints what it
cost. The floor of the memory is the process with its libraries before the first line is read.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, figure
from bench.house import a_duly, an_account
from bench.starts import ROOT
from chalicelib.consents import list_service, lists
from chalicelib.kernel.change import Actor
from tests import engine
from tests.duly import ADMIN

LINES = 100_000
_HEADER = (
    "Nr klienta;Imię i nazwisko;E-mail;Telefon;Adres;Data informacji;"
    "Zgoda marketing;Zgoda email;data;źródło\r\n"
)


def figures(lines: int = LINES) -> Iterator[Figure]:
    """The seconds from the order to apply until the last line is done, and the peak of memory."""
    with tempfile.TemporaryDirectory(prefix="duly-import-") as scratch:
        folder = Path(scratch)
        with engine.running(folder) as address:
            account = an_account(address, folder)
            done = subprocess.run(
                [sys.executable, "-m", "bench.importing", str(lines)],
                cwd=ROOT,
                env=os.environ | account,
                capture_output=True,
                check=True,
            )
    told = json.loads(done.stdout.splitlines()[-1])
    note = f"{lines} new clients, two consents each; dry run before it: {told['tried']:.0f} s"
    yield figure("import_100k_s", told["applied"], "s", 0, at_most=600, note=note)
    note = f"the whole process, list of {told['size'] / 1024**2:.1f} MB and libraries included"
    yield figure("import_mb", told["mb"], "MB", told["floor"], at_most=512, note=note)


def content(lines: int) -> bytes:
    """The list, the same in every run."""
    rows = (
        f"K-{n};Żaneta Łęcka-{n};z{n}@klient.example;+486{n:08d};ul. Krótka {n}, 00-001 Warszawa;"
        "01.02.2019;tak;nie;03.02.2019;papier\r\n"
        for n in range(lines)
    )
    return (_HEADER + "".join(rows)).encode("cp1250")


def _peak() -> float:
    # Not `ru_maxrss`: a child starts with its parent's.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Do it once and tell what it cost."""
    lines = int(sys.argv[1])
    with contextlib.redirect_stdout(io.StringIO()), a_duly(os.environ) as duly:
        ports, by = duly.ports(), Actor("staff", ADMIN)
        import_id = "A" * 22
        raw = content(lines)
        where = list_service.quarantine("agencja", import_id)
        ports.bucket.put(where, raw, content_type="text/csv", sha256="")
        size = len(raw)
        del raw
        floor = _peak()
        started = time.perf_counter()
        list_service.begin(ports, "agencja", import_id, "zgody.csv", by=by)
        duly.heavy_tick()
        held = list_service.get(ports, "agencja", import_id)
        assert held.value.state is lists.State.CHECKED, held.value
        tried = time.perf_counter()
        list_service.apply(ports, "agencja", import_id, held.version, by=by)
        duly.heavy_tick()
        done = time.perf_counter()
        root = list_service.get(ports, "agencja", import_id).value
        assert root.applied == {"created": lines}, root
    told = {"tried": tried - started, "applied": done - tried, "size": size}
    print(json.dumps(told | {"mb": _peak(), "floor": floor}))


if __name__ == "__main__":
    main()
