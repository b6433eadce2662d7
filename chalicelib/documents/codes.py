"""The code of a paper, and what the QR code on each of its pages says (S28, S35).

A code is read aloud, typed from a printout and scanned: nine random characters of Crockford's
base32 (45 bits; no I, L, O, U) and a check character. The check is a sum over the field of 32
elements with a different weight for every place, so every single wrong character and every two
exchanged ones are caught. The payload is made of the characters of QR's alphanumeric mode alone.
"""

import re

import msgspec

from chalicelib.kernel import ids
from chalicelib.kernel.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BYTES = 6  # 48 bits, of which 45 are used
LENGTH = 10

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_FILLERS = re.compile(r"[\s\u2010-\u2015\u2212-]")
# What looks the same: Crockford's own, and what a Cyrillic keyboard makes of the rest.
_LOOKALIKES = str.maketrans("OILАВСЕНКМОРТУХ", "011ABCEHKM0PTYX")
_FIELD_SIZE, _FIELD_POLYNOMIAL = 32, 0b100101
_PAYLOAD = re.compile(
    r"DULY1/(?P<org>[A-Z0-9-]{3,24})/(?P<code>[0-9A-Z]{10})"
    r"/(?P<page>[1-9][0-9]{0,2})/(?P<pages>[1-9][0-9]{0,2})/(?P<layout>[A-Z][0-9]{1,2})",
    re.ASCII,
)


class PaperCodeRefused(Invalid, ValueError):
    """Not the code of any paper: too long, too short, or its check character says no."""

    code = "paper_code_refused"
    sentence = "This is not the code of a document. Compare it with the paper, letter by letter."


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What a QR code says: which paper of which organisation, and which page of it."""

    org: str
    code: str
    page: int
    pages: int
    layout: str


def new_code(random_bytes: bytes) -> str:
    """The code that these random bytes make; ValueError for fewer than `RANDOM_BYTES`."""
    if len(random_bytes) < RANDOM_BYTES:
        raise ValueError(f"a paper code takes {RANDOM_BYTES} random bytes")
    number = int.from_bytes(random_bytes[:RANDOM_BYTES], "big")
    drawn = "".join(ALPHABET[number >> 5 * place & 31] for place in range(LENGTH - 1))
    return drawn + ALPHABET[_times_two(_weighted_sum(drawn))]


def parse_code(text: str) -> str:
    """The code in its one spelling, however it was typed: case, spaces, hyphens, O for 0, I for 1.

    `PaperCodeRefused` for anything that is no code.
    """
    code = _FILLERS.sub("", text).upper().translate(_LOOKALIKES)
    if not _is_code(code):
        raise PaperCodeRefused
    return code


def group(code: str) -> str:
    """The code as people read it: 7K3F-9QXM-2T."""
    return "-".join((code[:4], code[4:8], code[8:]))


def qr_payload(*, org: str, code: str, page: int, pages: int, layout: str) -> str:
    """What this page's QR code says; ValueError for what `parse_payload` would not read back."""
    text = f"DULY1/{org.upper()}/{code}/{page}/{pages}/{layout}"
    if not ids.is_org(org) or parse_payload(text) is None:
        raise ValueError("not a page of a paper")
    return text


def parse_payload(text: str) -> Payload | None:
    """The page that a QR code names; None for any other text: an address, a payment, a forgery."""
    found = _PAYLOAD.fullmatch(text)
    if found is None:
        return None
    org, page, pages = found["org"].lower(), int(found["page"]), int(found["pages"])
    if not ids.is_org(org) or not _is_code(found["code"]) or page > pages:
        return None
    return Payload(org=org, code=found["code"], page=page, pages=pages, layout=found["layout"])


def _is_code(code: str) -> bool:
    known = len(code) == LENGTH and _VALUES.keys() >= set(code)
    return known and _weighted_sum(code) == 0


def _weighted_sum(characters: str) -> int:
    """Zero for a whole code; each place weighs twice, in the field, what the next one does."""
    total = 0
    for character in characters:
        total = _times_two(total) ^ _VALUES[character]
    return total


def _times_two(value: int) -> int:
    doubled = value << 1
    return doubled ^ _FIELD_POLYNOMIAL if doubled >= _FIELD_SIZE else doubled
