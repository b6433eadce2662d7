"""A declaration as it is printed: what goes onto the paper, and where on it everything stands."""

from datetime import date
from typing import Literal

import msgspec

Language = Literal["pl", "en", "ru"]
Kind = Literal["notice", "consent"]


class Controller(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides why and how the data are processed (GDPR Art. 13(1)(a), (b))."""

    name: str
    address: str
    registry_number: str
    email: str
    phone: str
    dpo: str | None = None


class SheetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose with the full wording that was shown, and what the client answered (S28)."""

    title: str
    text: str
    answer: bool
    kind: Kind


class DeclarationSheet(msgspec.Struct, frozen=True, kw_only=True):
    """All that a printed declaration says. Plain text throughout: nothing in it is markup."""

    org: str
    code: str
    language: Language
    controller: Controller
    client_name: str
    client_address: str | None = None
    client_email: str | None = None
    client_phone: str | None = None
    declared_on: date
    answers: tuple[SheetAnswer, ...]


class Paper(msgspec.Struct, frozen=True, array_like=True):
    """A paper as it was printed: where it lies, and the digest of its bytes."""

    object_key: str
    sha256: str
    layout: str


class Area(msgspec.Struct, frozen=True):
    """A rectangle on the page: millimetres from its top left corner."""

    x: float
    y: float
    width: float
    height: float


class AnswerBox(msgspec.Struct, frozen=True, kw_only=True):
    """The box of the answer with this index, and whether it is printed ticked."""

    answer: int
    area: Area
    ticked: bool


class PageLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Where on one page is what a scan of it is aligned by and read at (S35).

    `corners` are the filled squares: top left, top right, bottom left, bottom right. `qr` is the
    symbol without its quiet zone. The fields to be written by hand stand on the last page only.
    """

    page: int
    pages: int
    width: float
    height: float
    payload: str
    corners: tuple[Area, Area, Area, Area]
    qr: Area
    boxes: tuple[AnswerBox, ...] = ()
    place: Area | None = None
    date: Area | None = None
    signature: Area | None = None
