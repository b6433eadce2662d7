"""Moves the running Duly's clock on: `python -m local.clock 3d`. The stage `local` alone reads it.

A moved clock stays moved over restarts, until `python -m local.clock 0` sets it right or `make
reset` forgets it.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta

from local.cloud import Cloud, Engine
from local.settings import HOST, LocalCloudError, Ports, default_place

_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOST = timedelta(days=3650)


def seconds_of(text: str) -> int:
    """`90`, `15m`, `6h`, `3d` or `2w` in seconds; time never runs back."""
    match = re.fullmatch(r"(\d{1,9})([smhdw]?)", text, flags=re.ASCII)
    if match is None:
        raise LocalCloudError(
            f"BY={text} is not understood: use for example BY=15m, BY=6h or BY=3d."
        )
    asked = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if asked > _MOST:
        raise LocalCloudError("The clock moves on by ten years at most.")
    return int(asked.total_seconds())


def main(by: str) -> None:
    seconds = seconds_of(by)
    cloud = running_cloud()
    ahead = timedelta(seconds=cloud.move_clock(seconds))
    print(f"Duly's clock is now {ahead} ahead." if ahead else "Duly's clock is right again.")


def running_cloud() -> Cloud:
    """The cloud that `make run` started on this machine."""
    place, ports = default_place(), Ports.from_environment()
    try:
        outputs = json.loads(place.outputs.read_text())
    except OSError:
        raise LocalCloudError("Duly is not running here. Start it first: make run") from None
    engine = Engine(place, ports, persist=True, enforce_iam=True)
    engine.url = outputs["EngineUrl"]
    return Cloud(
        site=outputs["SiteOrigin"], mailbox=outputs["MailboxUrl"], engine=engine, outputs=outputs
    )


if __name__ == "__main__":
    from botocore.exceptions import BotoCoreError

    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "")
    except LocalCloudError as problem:
        sys.exit(str(problem))
    except BotoCoreError:
        sys.exit(f"Duly does not answer on {HOST}. Start it first: make run")
