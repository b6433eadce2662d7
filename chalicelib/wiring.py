"""The real things behind the ports, made once per process. `now()` alone reads the clock."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from chalicelib.aws import ledger, secrets, signer
from chalicelib.aws.bucket import S3Bucket
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.mailer import SesMailer
from chalicelib.kernel.tokens import KeyRing
from chalicelib.ports import Elsewhere, Ports, Vault, untold

LOCAL = "local"
_cache: dict[Any, Any] = {}
_offset: tuple[float, float] = (0.0, 0.0)
_next_letter = 0.0
_elsewhere: Callable[[Ports, str, str], Elsewhere] = untold


def setting(name: str, default: str | None = None) -> str:
    """An environment variable; KeyError at once when a needed one is missing."""
    return os.environ[name] if default is None else os.environ.get(name, default)


def real_now() -> datetime:
    """The true moment: links and sign-ins live by it on every stage."""
    return datetime.now(UTC)


def now() -> datetime:
    """The moment of the business; only on the stage `local` may it run ahead of the true one."""
    if setting("STAGE") != LOCAL:
        return real_now()
    return real_now() + timedelta(seconds=_demonstration_offset())


def ports() -> Ports:
    """Everything from outside, for one request or one event."""
    return Ports(
        ledger=_ledger(),
        bucket=_bucket(),
        mailer=_mailer(),
        link_keys=_link_keys,
        now=now(),
        real_now=real_now(),
        stage=setting("STAGE"),
        pace=_pace,
        count=_count,
        cache=_cache,
        shards=ledger.SHARDS,
        elsewhere=_elsewhere,
    )


def tell_elsewhere(by: Callable[[Ports, str, str], Elsewhere]) -> None:
    """Who knows where else a client may turn: told by `app.py`, which sees every feature."""
    global _elsewhere  # noqa: PLW0603  one feature publishes it
    _elsewhere = by


def vault() -> Vault:
    """Where the heads of chains are laid down, and what seals them."""
    key = setting("ROOTS_KEY", "")
    return Vault(
        hashes=_ledger().hashes,
        bucket=S3Bucket(setting("ROOTS_BUCKET_NAME")),
        key=key,
        sign=lambda digest: signer.sign(key, digest),
    )


@cache
def _ledger() -> DynamoLedger:
    return DynamoLedger(setting("TABLE_NAME"), clock=now)


@cache
def _bucket() -> S3Bucket:
    return S3Bucket(setting("BUCKET_NAME"))


@cache
def _mailer() -> SesMailer:
    return SesMailer(setting("MAIL_CONFIGURATION_SET"))


def _link_keys() -> KeyRing:
    return secrets.link_keys(setting("LINK_KEYS_SECRET"), now=real_now())


def _pace() -> None:
    """Wait until this process may send its next letter: `MAIL_RATE` letters a second.

    Two processes send at most (stream and tick, one at a time each), so each paces at half the
    rate.
    """
    global _next_letter  # noqa: PLW0603  one pace per process
    wait = _next_letter - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    _next_letter = time.monotonic() + 1 / float(setting("MAIL_RATE", "5"))


def _count(name: str, value: int) -> None:
    """A metric of Duly's, in CloudWatch's embedded format (on the log line, no call)."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace="Duly"):
        pass


def _demonstration_offset() -> float:
    """How far a demonstration has moved the clock on; read at most once a second."""
    global _offset  # noqa: PLW0603  one clock per process
    read_at, seconds = _offset
    if time.monotonic() - read_at > 1:
        seconds = _ledger().clock_offset()
        _offset = (time.monotonic(), seconds)
    return seconds
