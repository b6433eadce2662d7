"""One JSON line an event: a fixed name and ids, never a person, a body, an address or a token."""

from functools import cache
from typing import Any


@cache
def _logger() -> Any:
    from aws_lambda_powertools.logging import Logger

    return Logger(service="duly", utc=True, log_uncaught_exceptions=False)


def info(event: str, **fields: Any) -> None:
    """Something happened as it should."""
    _logger().info(event, extra=fields)


def error(event: str, failure: BaseException, **fields: Any) -> None:
    """Something failed: the kind of failure and the place, for messages may hold personal data."""
    _logger().error(
        event, extra={**fields, "failure": type(failure).__name__, "at": _place(failure)}
    )


def _place(failure: BaseException) -> str:
    trace = failure.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
