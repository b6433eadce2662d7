"""Who writes, and when it is there: what every letter takes from the organisation's settings."""

from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.documents.sheet import Controller
from chalicelib.organisations.domain import House, Settings

if TYPE_CHECKING:
    from chalicelib.letters.mime import Address


def controller(settings: Settings) -> Controller:
    """The controller as letters and papers name it."""
    one = settings.controller
    return Controller(
        name=one.name,
        address=one.address,
        registry_number=one.registry_number,
        email=one.email,
        phone=one.phone,
        dpo=one.dpo_line,
    )


def controller_address(settings: Settings) -> "Address":
    """Where a reply goes that is for nobody in particular."""
    from chalicelib.letters.mime import Address

    return Address(name=settings.controller.name[:80], email=settings.controller.email)


def link(settings: Settings, page: str, token: str) -> str:
    """The address of a page with a token in its fragment, which no server sees (R18)."""
    return f"{settings.host}/{page}#{token}"


def local(moment: datetime, house: House) -> datetime:
    """The moment as the clock on the organisation's wall shows it."""
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(house.settings.time_zone))
