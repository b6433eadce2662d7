"""Opaque cursors: where the next page of one query of one organisation starts, signed."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.tokens import KeyRing


class CursorRefused(Invalid):
    """Not a cursor of ours, or one of another query."""

    code = "cursor_refused"
    sentence = "This cursor belongs to another query."


def seal(after: str, query: str, keys: KeyRing) -> str:
    """The cursor for what comes after; "" where nothing does."""
    if not after:
        return ""
    raw = after.encode()
    return urlsafe_b64encode(_mac(raw, query, keys, keys.signing) + raw).decode()


def unseal(cursor: str, query: str, keys: KeyRing) -> str:
    """Where to start; `CursorRefused` for whatever was not sealed for this very query."""
    if not cursor:
        return ""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii"))
    except ValueError as error:
        raise CursorRefused(field="cursor") from error
    mac, after = raw[:16], raw[16:]
    if not any(hmac.compare_digest(_mac(after, query, keys, kid), mac) for kid in keys.keys):
        raise CursorRefused(field="cursor")
    return after.decode()


def _mac(after: bytes, query: str, keys: KeyRing, kid: str) -> bytes:
    message = f"duly-cursor\0{query}\0".encode() + after
    return hmac.new(keys.keys[kid], message, hashlib.sha256).digest()[:16]
