"""The clock of a test, set to a time on the organisation's wall."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib import wiring
from tests.duly import Duly

ZONE = ZoneInfo("Europe/Warsaw")


def at(duly: Duly, wall: str) -> None:
    """It is this local time now, back or forward."""
    wanted = datetime.fromisoformat(wall).replace(tzinfo=ZONE)
    duly.clock[0] = wanted - wiring.real_now()


def ticks(duly: Duly, first: str, last: str, *, every: timedelta) -> None:
    """The tick runs from one local time to another, and what it promises is sent."""
    now = datetime.fromisoformat(first)
    while now <= datetime.fromisoformat(last):
        at(duly, now.isoformat())
        duly.tick()
        now += every
