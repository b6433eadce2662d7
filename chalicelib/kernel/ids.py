"""Ids of 128 random bits: 22 characters of base64url, or the 16 bytes that a link carries (R7)."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

BYTES = 16
PATTERN = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")  # the last character holds two bits only
ORG_PATTERN = re.compile(r"[a-z][a-z0-9-]{1,22}[a-z0-9]")


def new_id() -> str:
    """A fresh id; `secrets`, so that nobody can guess another one from it.

    It never begins with a hyphen: a spreadsheet would take it for a formula, so that an export
    would have to quote it and whoever copies it from there would ask for nobody.
    """
    while (fresh := from_bytes(secrets.token_bytes(BYTES))).startswith("-"):
        pass
    return fresh


def derived(said: str) -> str:
    """The id that belongs to these words: the same whenever it is asked for; no hyphen first."""
    digest = hashlib.sha256(said.encode()).digest()
    while (found := from_bytes(digest[:BYTES])).startswith("-"):
        digest = hashlib.sha256(digest).digest()
    return found


def from_bytes(raw: bytes) -> str:
    """The one spelling of 16 bytes."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    """The 16 bytes of an id; ValueError for anything but the one spelling."""
    if not is_id(text):
        raise ValueError("not an id")
    return urlsafe_b64decode(text + "==")


def is_id(text: str) -> bool:
    """Whether the text is an id in its one spelling."""
    return PATTERN.fullmatch(text) is not None


def is_org(text: str) -> bool:
    """Whether the text can be an organisation's slug: 3 to 24 of a-z, 0-9 and inner hyphens."""
    return ORG_PATTERN.fullmatch(text) is not None
