"""`make run`: Duly on this machine, in the foreground. `python -m local.run stop` ends it from
elsewhere.

One process runs here at a time: it holds the lock of its folder while it lives, so a stale file
never counts. Everything that it starts is a thread of it or in the engine's process group, and ends
with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from local.cloud import Cloud, running
from local.settings import LocalCloudError, Place, Ports, default_place

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The engine of a run that was killed notices within a second and saves first.
ENGINE_MAY_STILL_END_SECONDS = 15
STOP_SECONDS = 60
SEEDED_KEY = {"PK": "LOCAL#SEEDED", "SK": "ROOT"}


class _Stop(BaseException):
    """Someone asked for the end; no `except Exception` on the way may swallow it."""


def run(place: Place, ports: Ports) -> None:
    _heed_signals()
    with _alone(place) as ended_well:
        _refuse_taken(ports, patience=0 if ended_well else ENGINE_MAY_STILL_END_SECONDS)
        with running(place=place, ports=ports, persist=True, say=_say) as cloud:
            sign_ins = _seed(cloud)
            _welcome(cloud, sign_ins)
            while cloud.engine.alive():
                time.sleep(0.5)
        raise LocalCloudError(
            f"The engine ended by itself; {place.log} says why. "
            "What was saved is kept: make run starts again."
        )


def stop(place: Place) -> None:
    """End a running Duly and wait until it has; saying so is all when there is none."""
    holder = _holder(place)
    if holder is None:
        _say("Duly is not running.")
        return
    os.kill(holder, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        if not _runs(holder):
            _say("Stopped.")
            return
        time.sleep(0.1)
    raise LocalCloudError(
        f"Process {holder} does not end. See what it does, or end it: kill -9 {holder}"
    )


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def _alone(place: Place) -> Iterator[bool]:
    """Hold the folder; yields whether the run before this one ended as it should."""
    place.folder.mkdir(parents=True, exist_ok=True)
    with place.lock.open("a+") as lock:
        if not _take(lock):
            raise LocalCloudError(
                f"Duly is running already (process {_holder(place)}). Stop it with: make stop"
            )
        lock.seek(0)
        ended_well = not lock.read()
        _write(lock, str(os.getpid()))
        try:
            yield ended_well
        finally:
            _write(lock, "")


def _write(lock: IO[str], text: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(text)
    lock.flush()


def _holder(place: Place) -> int | None:
    """The process that runs here, if one does."""
    try:
        with place.lock.open("r+") as lock:
            return None if _take(lock) else int(lock.read() or "0") or None
    except FileNotFoundError:
        return None


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refuse_taken(ports: Ports, *, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            return ports.refuse_taken()
        except LocalCloudError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.5)


def _seed(cloud: Cloud) -> list[str]:
    """The demonstration's organisations, once; returns the sign-ins that they came with."""
    from local.seed import seed, seed_cases

    seeded = cloud.table.get_item(Key=SEEDED_KEY).get("Item")
    if seeded is None:
        _say("Making the demonstration organisations")
        seeded = {**SEEDED_KEY, "sign_ins": list(seed(cloud.outputs))}
        seed_cases(cloud.outputs, cloud.tick)
        cloud.table.put_item(Item=seeded)
    return [str(line) for line in seeded["sign_ins"]]


def _welcome(cloud: Cloud, sign_ins: list[str]) -> None:
    lines = [
        "",
        "Duly is running.",
        "",
        f"  Pages and API   {cloud.site}",
        f"  Mailbox         {cloud.mailbox}",
        f"  AWS services    {cloud.engine.url}",
        "",
        *(
            ["Demonstration sign-ins:", "", *(f"  {line}" for line in sign_ins), ""]
            if sign_ins
            else []
        ),
        "Ctrl-C stops it; what it holds stays until `make reset`.",
    ]
    _say("\n".join(lines))


def _say(line: str) -> None:
    print(line, flush=True)


def _heed_signals() -> None:
    def end(*_: object) -> None:
        # Once is enough: a second Ctrl-C must not interrupt the tidying up.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise _Stop

    for each in SIGNALS:
        signal.signal(each, end)


def main(arguments: list[str]) -> None:
    try:
        if arguments == ["stop"]:
            stop(default_place())
        elif not arguments:
            run(default_place(), Ports.from_environment())
        else:
            sys.exit("Use: python -m local.run [stop]")
    except _Stop:
        _say("\nStopped.")
    except LocalCloudError as problem:
        sys.exit(str(problem))
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
        sys.exit("The disk is full: free some space and start again.")


if __name__ == "__main__":
    main(sys.argv[1:])
