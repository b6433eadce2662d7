"""Cold starts: fresh interpreters that answer one request each, taken in turns.

CPU time is what counts: the stub beside them costs no waiting worth the name, and other work on the
machine would be most of the wall time, which the note tells.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from bench import stub
from bench.figures import Figure, figure
from bench.memory import Table

ROOT = Path(__file__).parent.parent
LIBRARIES = ROOT / "build" / "bench" / "libraries"
ROUNDS = 7
HEAVY = ("boto3", "botocore", "fpdf", "PIL", "jinja2", "jwt")
_FLOOR = "chalice_bare"
_NAMES = {
    "duly_read": "cold_start",
    "powertools_boto3": "cold_start_powertools",
    "fastapi_boto3": "cold_start_fastapi",
}


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of one start."""

    cpu: float
    wall: float


def figures(
    table: Table, environment: dict[str, str], event: dict[str, Any], key: str, folder: Path
) -> Iterator[Figure]:
    """The first read of what is to be confirmed, beside one item by others."""
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    with stub.serving(table) as address:
        child = _environment({**environment, "AWS_ENDPOINT_URL": address})
        took: dict[str, list[Took]] = {name: [] for name in (_FLOOR, *_NAMES)}
        for round_ in range(ROUNDS + 1):
            for name, times in took.items():
                one = _run(name, child, str(path), key)
                if round_:  # the one before wrote the byte code
                    times.append(one)
    yield from _compared(took)
    yield _imports(child)


def _compared(took: dict[str, list[Took]]) -> Iterator[Figure]:
    cpu = {name: statistics.median(one.cpu for one in times) for name, times in took.items()}
    wall = {name: statistics.median(one.wall for one in times) for name, times in took.items()}
    floor, ours = cpu[_FLOOR], cpu["duly_read"]
    for contender, name in _NAMES.items():
        value, waited = cpu[contender], f"{wall[contender]:.0f} ms by the clock, floor"
        waited += f" {wall[_FLOOR]:.0f}"
        if contender == "duly_read":
            yield figure(
                name,
                value,
                "ms",
                floor,
                at_most=1.25,
                bounds="ratio",
                note=f"CPU time, median of {ROUNDS} in turns; four calls to one; {waited}",
            )
            continue
        note = f"one item; has to be slower than cold_start; {waited}"
        yield replace(figure(name, value, "ms", floor, note=note), ok=value > ours)


def _imports(environment: dict[str, str]) -> Figure:
    """How many of the heavy libraries `import app` loads."""
    asked = f"import app, sys; print(len({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return figure(
        "import_modules", int(done.stdout), "modules", 0, at_most=0, note=", ".join(HEAVY)
    )


def _run(name: str, environment: dict[str, str], *arguments: str) -> Took:
    command = [sys.executable, "-m", f"bench.cold.{name}", *arguments]
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{name} did not answer: {said.read().decode()[-2000:]}")
    return Took(cpu=(usage.ru_utime + usage.ru_stime) * 1000, wall=wall * 1000)


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Nothing of the host's but the path, and where the libraries measured beside Duly lie."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(LIBRARIES),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **settings,
    }
