"""What the letters of a case say: stored facts made a letter's."""

from datetime import datetime

from chalicelib.complaints.case import Complaint
from chalicelib.kernel.change import Change, Held, Letter
from chalicelib.letters.service import Composer
from chalicelib.organisations.domain import House
from chalicelib.ports import Item

COMPOSERS: dict[str, Composer] = {}


def on_bounced(
    held: Held[Complaint], letter: Letter, part: Item | None, house: House, now: datetime
) -> Change | None:
    """What it means for the case that a letter came back."""
    return None
