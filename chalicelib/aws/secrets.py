"""The link keys: read from Secrets Manager, kept for a minute, failing closed (R11, R12)."""

import json
import time
from datetime import datetime
from typing import Any

from chalicelib.aws import clients
from chalicelib.kernel import tokens
from chalicelib.kernel.errors import Unavailable

KEPT_SECONDS = 60.0
_kept: dict[str, tuple[float, tokens.KeyRing]] = {}


def link_keys(secret_id: str, *, now: datetime) -> tokens.KeyRing:
    """The key ring; `Unavailable` when it can't be read, so that no link works without its key."""
    at, known = _kept.get(secret_id, (0.0, None))
    if known is None or time.monotonic() - at > KEPT_SECONDS:
        known = _read(secret_id, now)
        _kept[secret_id] = (time.monotonic(), known)
    return known


def rotate(secret_id: str, *, now: datetime) -> None:
    """A new signing key, unless the newest is younger than a day (`tokens.rotated`)."""
    known = json.loads(_value(secret_id))
    changed = tokens.rotated(known, now=now)
    if changed == known:
        return
    clients.client("secretsmanager").put_secret_value(
        SecretId=secret_id, SecretString=json.dumps(changed)
    )
    _kept.pop(secret_id, None)


def _read(secret_id: str, now: datetime) -> tokens.KeyRing:
    try:
        return tokens.ring(json.loads(_value(secret_id)), now=now)
    except ValueError as error:
        raise Unavailable from error


def _value(secret_id: str) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = clients.client("secretsmanager").get_secret_value(SecretId=secret_id)
    except (BotoCoreError, ClientError) as error:
        raise Unavailable from error
    return answer.get("SecretString", "")
