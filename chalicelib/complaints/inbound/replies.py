"""The address that a reply comes back to: it names the case, under a MAC."""

import hashlib
import hmac
import re
from base64 import b32decode, b32encode
from datetime import datetime

from chalicelib.kernel import ids
from chalicelib.kernel.tokens import KeyRing

_REPLY_LOCAL = re.compile(r"[rR]\+([A-Za-z2-7]{26})\.([A-Za-z2-7]{32})")
_MAC_BYTES = 20


def reply_address(case_id: str, org: str, keys: KeyRing, stage: str, domain: str) -> str:
    """Where replies about a case go: `r+<id>.<mac>@domain`, 61 characters before the @.

    In base32, as mail systems change case. ValueError for what is not an id of ours.
    """
    case = ids.to_bytes(case_id)
    mac = _reply_mac(keys.keys[keys.signing], stage, org, case)
    return f"r+{_base32(case)}.{_base32(mac)}@{domain}"


def is_reply_address(address: str, domain: str) -> bool:
    """Whether it looks like one of ours, whatever its MAC says."""
    local, _, host = address.rpartition("@")
    return _REPLY_LOCAL.fullmatch(local) is not None and host.lower() == domain.lower()


def case_of(
    address: str, *, org: str, keys: KeyRing, stage: str, domain: str, now: datetime
) -> str | None:
    """The case that a reply address of ours names, or None; every key is tried, in constant time.

    The address carries no moment, so `reject_before` can't speak of it; a key that leaked is taken
    out of the ring. A reply to a case whose key is gone is a letter with threading hints.
    """
    local, _, host = address.rpartition("@")
    shape = _REPLY_LOCAL.fullmatch(local)
    if shape is None or host.lower() != domain.lower():
        return None
    case, mac = (_from_base32(part.upper()) for part in shape.groups())
    if case is None or mac is None:
        return None
    matched = False
    for kid, key in keys.keys.items():
        fits = hmac.compare_digest(_reply_mac(key, stage, org, case), mac)
        matched |= fits and now.timestamp() < keys.until.get(kid, float("inf"))
    return ids.from_bytes(case) if matched else None


def _reply_mac(key: bytes, stage: str, org: str, case: bytes) -> bytes:
    message = "\0".join(("duly-reply", stage, org, case.hex())).encode()
    return hmac.new(key, message, hashlib.sha256).digest()[:_MAC_BYTES]


def _base32(raw: bytes) -> str:
    return b32encode(raw).decode().rstrip("=").lower()


def _from_base32(text: str) -> bytes | None:
    """The bytes, or None where another spelling would give the same bytes."""
    raw = b32decode(text + "=" * (-len(text) % 8))
    return raw if _base32(raw) == text.lower() else None
