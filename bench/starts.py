"""Cold starts: fresh interpreters that answer one request each, taken in turns."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import stub
from bench.figures import Figure, figure
from bench.memory import Table

ROOT = Path(__file__).parent.parent
LIBRARIES = ROOT / "build" / "bench" / "libraries"
ROUNDS = int(__import__("os").environ.get("R","9"))
HEAVY = ("boto3", "botocore", "fpdf", "PIL", "jinja2", "jwt")
# Wall time is what a client waits; the machine is shared, so each round takes all in turns.
_FLOOR = "chalice_bare"
_NAMES = {
    "duly_read": "cold_start",
    "powertools_boto3": "cold_start_powertools",
    "fastapi_boto3": "cold_start_fastapi",
}


def figures(
    table: Table, environment: dict[str, str], event: dict[str, Any], key: str, folder: Path
) -> Iterator[Figure]:
    """The first read of what is to be confirmed, beside one item by others."""
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    with stub.serving(table) as address:
        child = _environment({**environment, "AWS_ENDPOINT_URL": address})
        took: dict[str, list[float]] = {name: [] for name in (_FLOOR, *_NAMES)}
        for round_ in range(ROUNDS + 1):
            for name, times in took.items():
                seconds = _run(name, child, str(path), key)
                if round_:  # the one before wrote the byte code
                    times.append(seconds * 1000)
    yield from _compared(took)
    yield _imports(child)


def _compared(took: dict[str, list[float]]) -> Iterator[Figure]:
    floor = statistics.median(took[_FLOOR])
    ours = statistics.median(took["duly_read"])
    for contender, name in _NAMES.items():
        value = statistics.median(took[contender])
        if contender == "duly_read":
            yield figure(
                name,
                value,
                "ms",
                floor,
                at_most=1.25,
                bounds="ratio",
                note=f"median of {ROUNDS} fresh interpreters, taken in turns with the floor",
            )
            continue
        theirs = figure(name, value, "ms", floor, note="one item; has to be slower than cold_start")
        yield Figure(**{**_fields(theirs), "ok": value > ours})


def _fields(one: Figure) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


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
    return figure("import_modules", int(done.stdout), "modules", 0, at_most=0, note=", ".join(HEAVY))


def _run(name: str, environment: dict[str, str], *arguments: str) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", f"bench.cold.{name}", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{name} did not answer: {done.stderr[-2000:]}")
    return took


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Nothing of the host's but the path; what is measured beside Duly comes after its own libraries."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(LIBRARIES),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **settings,
    }
