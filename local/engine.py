"""Starts ministack so that its state outlives every way of ending it.

Runs under `.venv-cloud`'s Python, as a script, with the environment that `local.cloud` prepares and
nothing of the host's: whatever is set here reaches the functions. What it adds to `python -m
ministack`:

- the state is saved every few seconds, not at a clean stop alone, so that `kill -9` costs seconds;
- a closed terminal (SIGHUP) is a clean stop;
- stream positions are forgotten before the start: records do not survive a restart, the positions
  do, and the first records after it would be skipped;
- it ends when the process that started it has gone, however that ended;
- events of `aws.ses` are let in from our mail sink alone, which stands for SES; anyone else is
  refused as on AWS.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

SAVE_EVERY_SECONDS = 5.0
# Saving copies everything: with much data it may take at most a twentieth of the time.
SAVE_SHARE = 20
SINK_MARK = "duly-mail-sink"


def forget_stream_positions(state: Path) -> None:
    file = state / "lambda.json"
    if not file.exists():
        return
    saved = json.loads(file.read_text())
    saved.get("payload", saved)["dynamodb_stream_positions"] = {}
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(saved))
    fresh.replace(file)


def empty(folder: Path) -> None:
    """Functions' unpacked code is left behind at every end; this folder holds nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def save_again_and_again(app: Any, port: int) -> None:
    # Not before the port answers: until then the saved state is still being read, and would be
    # overwritten.
    while not answers(port):
        time.sleep(0.2)
    while True:
        started = time.monotonic()
        # A store that changes while it is copied is reported by the engine's log and taken next
        # time.
        app.save_all(app._build_persistence_save_dict())
        time.sleep(max(SAVE_EVERY_SECONDS, (time.monotonic() - started) * SAVE_SHARE))


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def stop_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    stop()
    time.sleep(10)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)


def let_the_sink_speak_for_ses(eventbridge: Any) -> None:
    put_events = eventbridge._put_events

    def marked(data: dict[str, Any], allow_aws_source: bool = False) -> Any:
        entries = data.get("Entries") or [{}]
        from_sink = all(entry.get("TraceHeader") == SINK_MARK for entry in entries)
        return put_events(data, allow_aws_source=allow_aws_source or from_sink)

    eventbridge._put_events = marked


def main() -> None:
    parent = os.getppid()
    empty(Path(os.environ["TMPDIR"]))
    keeps_state = os.environ.get("PERSIST_STATE") == "1"
    if keeps_state:
        # A state that can't be read is the engine's to report; it starts all the same.
        with contextlib.suppress(ValueError):
            forget_stream_positions(Path(os.environ["STATE_DIR"]))
    app = importlib.import_module("ministack.app")
    # Read by now, and not for the functions: it would silence their own log.
    os.environ.pop("LOG_LEVEL", None)
    let_the_sink_speak_for_ses(importlib.import_module("ministack.services.eventbridge"))
    signal.signal(signal.SIGHUP, stop)
    if keeps_state:
        port = int(os.environ["GATEWAY_PORT"])
        threading.Thread(target=save_again_and_again, args=(app, port), daemon=True).start()
    threading.Thread(target=stop_with, args=(parent,), daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
