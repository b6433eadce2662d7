"""The engine's launcher: what is stored outlives every end, and every process ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from local.clients import client
from local.cloud import Engine
from local.engine import forget_stream_positions
from local.settings import ROOT, Place, Ports

TABLE = {
    "TableName": "kept",
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
SAVED_WITHIN_SECONDS = 20


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(folder=tmp_path)


@pytest.fixture
def engine(place: Place) -> Iterator[Engine]:
    engine = Engine(place, Ports.free(), persist=True, enforce_iam=True)
    engine.start()
    yield engine
    engine.stop()


def put(engine: Engine, key: str) -> None:
    client("dynamodb", engine.url).put_item(TableName="kept", Item={"PK": {"S": key}})


def keys(engine: Engine) -> set[str]:
    found = client("dynamodb", engine.url).scan(TableName="kept")["Items"]
    return {item["PK"]["S"] for item in found}


def test_what_is_stored_survives_a_kill_and_a_stop(engine: Engine, place: Place) -> None:
    """State survives a kill -9 (all but the last seconds) and a clean stop (whole)."""
    client("dynamodb", engine.url).create_table(**TABLE)
    put(engine, "before the kill")
    saved = place.state / "dynamodb.json"
    until = time.monotonic() + SAVED_WITHIN_SECONDS
    while "before the kill" not in (saved.read_text() if saved.exists() else ""):
        assert time.monotonic() < until, "the state was not saved by itself"
        time.sleep(0.2)
    engine.kill()
    engine.start()
    put(engine, "before the stop")
    engine.stop()
    engine.start()
    assert keys(engine) == {"before the kill", "before the stop"}


def test_events_of_ses_come_from_the_sink_alone(engine: Engine) -> None:
    """On AWS nobody but AWS publishes as aws.ses; a fault in Duly must not pass unseen here."""
    entry = {"Source": "aws.ses", "DetailType": "Email Bounced", "Detail": "{}"}
    answer = client("events", engine.url).put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_the_engine_ends_with_the_process_that_started_it(place: Place) -> None:
    """Whatever ends a run, kill -9 included, no engine is left behind."""
    start = (
        "import sys; from pathlib import Path; from local.cloud import Engine;"
        "from local.settings import Place, Ports;"
        "engine = Engine(Place(folder=Path(sys.argv[1])), Ports.free(), persist=False,"
        " enforce_iam=False); engine.start(); print(engine._process.pid, flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", start, str(place.folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        assert runs(number)
        parent.kill()
    until = time.monotonic() + 15
    while runs(number):
        assert time.monotonic() < until, "the engine outlived its parent"
        time.sleep(0.1)


def runs(number: int) -> bool:
    # Its new parent may take its time to collect it: a zombie is no running process.
    with suppress(OSError):
        stat = Path(f"/proc/{number}/stat")
        if stat.exists():
            return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_stream_positions_are_forgotten_and_nothing_else(tmp_path: Path) -> None:
    """Records do not survive a restart; positions that did would skip the first ones after it."""
    file = tmp_path / "lambda.json"
    payload = {"functions": {"a": 1}, "dynamodb_stream_positions": {"m": 17}}
    file.write_text(json.dumps({"__ministack_format__": 2, "payload": payload}))
    forget_stream_positions(tmp_path)
    kept = {"functions": {"a": 1}, "dynamodb_stream_positions": {}}
    assert json.loads(file.read_text()) == {"__ministack_format__": 2, "payload": kept}
    forget_stream_positions(tmp_path / "nowhere")
