"""What Duly answers, held to its reference: every answer of every test goes through here."""

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs

from infra import openapi


@cache
def document() -> dict[str, Any]:
    """The reference, as the routes state it now."""
    return openapi.document()


@cache
def _schema(method: str, path: str, status: int) -> tuple[Any, bool]:
    """What validates such an answer, and whether it names a version."""
    described = document()["paths"][path][method.lower()]["responses"]
    assert str(status) in described, f"{method} {path} answers {status}, which nothing describes"
    answer = described[str(status)]
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema = answer["content"][openapi.JSON]["schema"]
    whole = {"allOf": [schema], "components": {"schemas": _reached(schema)}}
    return jsonschema_rs.validator_for(whole), "ETag" in answer.get("headers", {})


def _reached(schema: Any) -> dict[str, Any]:
    """The named schemas that one leads to: a validator of all of them takes four megabytes."""
    every = document()["components"]["schemas"]
    found: dict[str, Any] = {}
    ahead = [schema]
    while ahead:
        for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(ahead.pop())):
            if name not in found:
                found[name] = every[name]
                ahead.append(every[name])
    return found


def hold(method: str, path: str, status: int, answered: Any, headers: dict[str, str]) -> None:
    """`ValidationError` unless the answer is what the reference says of this route and status."""
    schema, versioned = _schema(method, path, status)
    schema.validate(answered)
    assert versioned == ("ETag" in headers), path
