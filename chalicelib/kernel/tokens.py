"""Signed one-time links: `v1.<kid>.<claims>.<mac>`, signed for one purpose on one stage (R7-R11).

The claims are packed bytes in base64url: length of the organisation's slug and the slug, the
aggregate and what of it the link is about (16 random bytes each), the generation, and when the
link was issued and expires in seconds. The MAC is HMAC-SHA-256 over purpose, stage and all that
stands before it, so a link of another purpose, stage or organisation does not verify. Only one
spelling of a token is accepted.

A key ring is what the secret holds: `{"signing": "k2", "k2": "...", "k1": "...",
"made": {"k2": 1780000000}, "until": {"k1": 1790000000}, "reject_before": 0}`. `signing` names the
newest key. It signs once it is `SETTLING` old and every process knows it; until then the one before
it does. A key without a moment, such as the first, counts at once.
"""

import hashlib
import hmac
import re
import secrets
import string
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from chalicelib.kernel import ids
from chalicelib.kernel.errors import Gone, Malformed

MAX_LIFETIME = timedelta(days=90)
SETTLING = timedelta(minutes=5)  # well above the minute for which a process keeps its ring
SHORTEST_TERM = timedelta(days=1)
MOST_CHARACTERS = 400
_SHAPE = re.compile(r"(v1)\.([a-z0-9]{1,8})\.([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{43})")
_TAIL = struct.Struct(f">{ids.BYTES}s{ids.BYTES}sHII")
_KEY_CHARACTERS = string.ascii_letters + string.digits


class Purpose(StrEnum):
    """What a link is good for; it is good for nothing else (R8)."""

    CONFIRM = "confirm"
    STATUS = "status"
    INSURED = "insured"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"


class LinkInvalid(Malformed):
    """Forged, garbled, of another purpose, stage or organisation: all the same answer (R16)."""

    code = "link_invalid"
    sentence = "This link is not valid."


class LinkExpired(Gone):
    """The link was ours; its time is over (R13)."""

    code = "link_expired"
    sentence = "The time of this link is over."


class LinkSuperseded(Gone):
    """A newer message holds the link that counts (R14)."""

    code = "link_superseded"
    sentence = "A newer link was sent."


class LinkWithdrawn(Gone):
    """What the link was for is taken back, or its address is no longer theirs (R14, R15)."""

    code = "link_withdrawn"
    sentence = "This request was withdrawn."


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a link says: for what of which aggregate it is, a declaration of a client, say."""

    org: str
    owner_id: str
    about_id: str
    generation: int
    issued: datetime
    expires: datetime


class KeyRing(msgspec.Struct, frozen=True, kw_only=True):
    """The keys by `kid`; one signs, the others verify until their time is over (R11)."""

    signing: str
    keys: Mapping[str, bytes]
    until: Mapping[str, int] = {}
    reject_before: int = 0

    def __repr__(self) -> str:
        return f"KeyRing(signing={self.signing!r})"


class _Told(msgspec.Struct, frozen=True):
    """What the secret says beside the keys."""

    signing: str
    made: dict[str, int] = {}
    until: dict[str, int] = {}
    reject_before: int = 0

    def is_older(self, kid: str, age: timedelta, *, now: datetime) -> bool:
        """Whether the key has this age; one without a moment has any."""
        return now.timestamp() - self.made.get(kid, 0) >= age.total_seconds()


def ring(secret: Mapping[str, Any], *, now: datetime) -> KeyRing:
    """The key ring that a secret holds; ValueError if it is unusable, so all links fail closed."""
    told, keys = _opened(secret)
    settled = [kid for kid in keys if told.is_older(kid, SETTLING, now=now)]
    before = max(settled, key=_number, default=told.signing)
    return KeyRing(
        signing=told.signing if told.signing in settled else before,
        keys={kid: key.encode() for kid, key in keys.items()},
        until=told.until,
        reject_before=told.reject_before,
    )


def rotated(secret: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The secret with a new signing key; old keys verify for `MAX_LIFETIME` more, then go.

    The secret as it is if the newest key is younger than `SHORTEST_TERM`, so that a rotation told
    twice is one. Of two at the very same time the later write stands; the key of the other has
    signed nothing yet.
    """
    told, keys = _opened(secret)
    last = max(keys, key=_number)
    if not told.is_older(last, SHORTEST_TERM, now=now):
        return dict(secret)
    seconds = int(now.timestamp())
    ends = seconds + int(MAX_LIFETIME.total_seconds())
    until = {kid: told.until.get(kid, ends) for kid in keys}
    kept = {kid: key for kid, key in keys.items() if until[kid] > seconds}
    newest = f"k{_number(last) + 1}"
    return {
        **kept,
        newest: "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(64)),
        "signing": newest,
        "made": {kid: told.made[kid] for kid in kept if kid in told.made} | {newest: seconds},
        "until": {kid: until[kid] for kid in kept},
        "reject_before": told.reject_before,
    }


def sign(claims: Claims, *, purpose: Purpose, stage: str, keys: KeyRing) -> str:
    """The token for these claims, signed with the key whose turn it is."""
    org = claims.org.encode("ascii")
    packed = bytes([len(org)]) + org
    packed += _TAIL.pack(
        ids.to_bytes(claims.owner_id),
        ids.to_bytes(claims.about_id),
        claims.generation,
        int(claims.issued.timestamp()),
        int(claims.expires.timestamp()),
    )
    head = f"v1.{keys.signing}.{_encode(packed)}"
    return f"{head}.{_encode(_mac(keys.keys[keys.signing], purpose, stage, head))}"


def verify(
    token: str, *, org: str, purpose: Purpose, stage: str, keys: KeyRing, now: datetime
) -> Claims:
    """What a token of ours says.

    `LinkInvalid` for whatever we did not sign for this purpose, stage and organisation, without any
    look-up (R16, R21); `LinkExpired`, told only after the MAC is right, from the second `expires`
    on.
    """
    claims = authentic(token, org=org, purpose=purpose, stage=stage, keys=keys, now=now)
    if now >= claims.expires:
        raise LinkExpired
    return claims


def authentic(
    token: str, *, org: str, purpose: Purpose, stage: str, keys: KeyRing, now: datetime
) -> Claims:
    """What a token of ours says, be it expired: to ask for a new link takes no more (R24)."""
    shape = _SHAPE.fullmatch(token) if len(token) <= MOST_CHARACTERS else None
    if shape is None:
        raise LinkInvalid
    kid, packed, mac = shape[2], _decode(shape[3]), _decode(shape[4])
    key = keys.keys.get(kid)
    if key is None or packed is None or mac is None:
        raise LinkInvalid
    expected = _mac(key, purpose, stage, token.rpartition(".")[0])
    if not hmac.compare_digest(expected, mac):
        raise LinkInvalid
    claims = _unpack(packed)
    if claims.org != org or claims.issued.timestamp() < keys.reject_before:
        raise LinkInvalid
    if now.timestamp() >= keys.until.get(kid, float("inf")):
        raise LinkInvalid
    return claims


def _opened(secret: Mapping[str, Any]) -> tuple[_Told, dict[str, str]]:
    """What the secret says, and its keys; ValueError if it is unusable."""
    told = msgspec.convert(secret, _Told)
    kids = (name for name in secret if re.fullmatch("k[0-9]{1,7}", name))
    keys = msgspec.convert({kid: secret[kid] for kid in kids}, dict[str, str])
    if told.signing not in keys or any(len(key.encode()) < 32 for key in keys.values()):
        raise ValueError("the link keys are unusable")
    return told, keys


def _number(kid: str) -> int:
    return int(kid[1:])


def _unpack(packed: bytes) -> Claims:
    org = packed[1 : 1 + packed[0]]
    owner, about, generation, issued, expires = _TAIL.unpack(packed[1 + packed[0] :])
    return Claims(
        org=org.decode("ascii"),
        owner_id=ids.from_bytes(owner),
        about_id=ids.from_bytes(about),
        generation=generation,
        issued=datetime.fromtimestamp(issued, UTC),
        expires=datetime.fromtimestamp(expires, UTC),
    )


def _mac(key: bytes, purpose: Purpose, stage: str, head: str) -> bytes:
    message = "\0".join(("duly-link", purpose, stage, head)).encode("ascii")
    return hmac.new(key, message, hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    """The bytes, or None where another spelling would give the same bytes (R10)."""
    if len(text) % 4 == 1:
        return None
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return raw if _encode(raw) == text else None
