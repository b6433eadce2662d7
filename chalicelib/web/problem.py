"""One table turns refusals into answers: `{"code", "field"?, "message"}`."""

from typing import Any

from chalicelib.kernel import errors

STATUSES: dict[type[errors.DomainError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.Unsupported: 415,
    errors.Invalid: 422,
    errors.PreconditionRequired: 428,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}

# The header set of every answer; the edge sets the same (infra/headers.json, compared by a test).
HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Vary": "Origin",
    "X-Content-Type-Options": "nosniff",
}


def status(error: errors.DomainError) -> int:
    """The status of a refusal: that of its nearest kind."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def body(error: errors.DomainError) -> dict[str, Any]:
    """The answer's body; `field` only where one is to blame."""
    answer = {"code": error.code, "message": str(error)}
    return answer if error.field is None else answer | {"field": error.field}
