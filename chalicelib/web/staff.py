"""Who asks: the member of staff behind an ID token, checked by Duly itself.

The gateway's authorizer checks too, but Chalice's local server does not (measured: a forged
`alg: none` administrator passes), and an access token or one after sign-out passes some gateways.
"""

import json
import time
from typing import Any

import msgspec

from chalicelib import log, wiring
from chalicelib.kernel import ids
from chalicelib.kernel.errors import DomainError, Forbidden, Unauthenticated, Unavailable
from chalicelib.organisations import store
from chalicelib.organisations.domain import House, Member, Role
from chalicelib.ports import Ports

REFRESH_SECONDS = 60.0
KEPT_SECONDS = 3600.0
LEEWAY_SECONDS = 5


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """The pool's public keys by id, when they were last asked for, and when to ask again."""

    keys: dict[str, Any] = {}
    asked_at: float = float("-inf")
    stale_at: float = float("-inf")


_jwks = KeySet()


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """The member of staff who asks, and the organisation they ask for."""

    member: Member
    house: House

    @property
    def org(self) -> str:
        """The slug that every key of this request begins with."""
        return self.house.organisation.org


class RoleRefused(Forbidden):
    code = "role_refused"
    sentence = "Your role does not allow this."


def staff_of(authorization: str, ports: Ports) -> Staff:
    """The member of staff behind `Bearer <ID token>`.

    `Unauthenticated` unless signature, issuer, audience, expiry and `token_use` are right, and the
    organisation's directory lists the person as active with the role that the token claims.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    claims = _claims(token.strip())
    org, groups = claims.get("custom:org", ""), claims.get("cognito:groups", [])
    if not isinstance(org, str) or not ids.is_org(org) or not isinstance(groups, list):
        raise Unauthenticated
    try:
        house = store.house(ports, org)
        member = house.directory.get(str(claims["sub"]))
    except Unavailable:
        raise
    except DomainError as error:
        raise Unauthenticated from error
    if not member.active or member.role not in groups:
        raise Unauthenticated
    return Staff(member=member, house=house)


def allow(staff: Staff, roles: frozenset[Role]) -> None:
    """`RoleRefused` unless the person has one of these roles."""
    if staff.member.role not in roles:
        raise RoleRefused


def _claims(token: str) -> dict[str, Any]:
    import jwt

    try:
        kid = jwt.get_unverified_header(token).get("kid")
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(kid),
            algorithms=["RS256"],
            audience=wiring.setting("USER_POOL_CLIENT_ID"),
            issuer=wiring.setting("USER_POOL_ISSUER"),
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise Unauthenticated from error
    if claims.get("token_use") != "id":
        raise Unauthenticated
    return claims


def _key(kid: Any) -> Any:
    """The pool's public key of this id; an unknown id re-reads the set once a minute at most.

    While the set can't be read, the keys in memory go on, and it is asked for once a minute at
    most; `Unavailable` only where there are none.
    """
    global _jwks  # noqa: PLW0603  one key set per process
    from jwt import PyJWK

    if not isinstance(kid, str):
        raise Unauthenticated
    now = time.monotonic()
    if now > _jwks.stale_at or (kid not in _jwks.keys and now - _jwks.asked_at > REFRESH_SECONDS):
        _jwks = _asked(_jwks)
    if kid not in _jwks.keys:
        raise Unauthenticated
    return PyJWK.from_dict(_jwks.keys[kid], algorithm="RS256").key


def _asked(known: KeySet) -> KeySet:
    try:
        found = _fetch(wiring.setting("USER_POOL_JWKS_URL"))
    except Unavailable as error:
        if not known.keys:
            raise
        log.error("key_set_unread", error.__cause__ or error)
        found, kept = known.keys, REFRESH_SECONDS
    else:
        kept = KEPT_SECONDS
    now = time.monotonic()
    return KeySet(keys=found, asked_at=now, stale_at=now + kept)


def _fetch(url: str) -> dict[str, Any]:
    import urllib.request
    from http.client import HTTPException

    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310  our own setting
            return {one["kid"]: one for one in json.load(answer)["keys"]}
    # TypeError: JSON, but no key set. HTTPException: an answer that breaks off is no OSError.
    except (OSError, ValueError, KeyError, TypeError, HTTPException) as error:
        raise Unavailable from error
