"""Reading a request's body strictly.

Chalice's own `json_body` takes NaN, duplicate keys and lone surrogates, falls over deep nesting,
and is None for another media type (measured); every one of these is a 4xx here.
"""

import json
import re
from typing import Any, TypeVar

import msgspec

from chalicelib.kernel.errors import Invalid, Malformed, TooLarge, Unsupported

MOST_BYTES = 256 * 1024
MOST_DEPTH = 32
T = TypeVar("T")
_JSON_TYPE = re.compile(r"application/json\s*(;\s*charset=utf-8\s*)?", re.IGNORECASE)
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")


def read(raw: bytes, content_type: str, into: type[T]) -> T:
    """The body as this struct.

    `Unsupported`, `TooLarge`, `Malformed`, or `Invalid` with the field.
    """
    if _JSON_TYPE.fullmatch(content_type.strip()) is None:
        raise Unsupported
    if len(raw) > MOST_BYTES:
        raise TooLarge
    return convert(parse(raw), into)


def parse(raw: bytes) -> Any:
    """Strict JSON: UTF-8, no duplicate keys, no NaN, no lone surrogates, nothing deeper than 32."""
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    _refuse_depth(value, MOST_DEPTH)
    return value


def convert(value: Any, into: type[T], *, strict: bool = True) -> T:
    """The value as this struct; `Invalid` names the field and what is wrong with it."""
    try:
        return msgspec.convert(value, into, strict=strict)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error


def _invalid(message: str) -> Invalid:
    place = _PLACE.search(message)
    named = re.search(r"(?:missing required|contains unknown) field `([^`]*)`", message)
    parts = [place[1] if place else "", named[1] if named else ""]
    field = ".".join(part for part in parts if part).replace("[...]", "")
    sentence = "The request has an unknown field." if "unknown field" in message else ""
    if "missing required" in message:
        sentence = "A required field is missing."
    return Invalid(sentence or "A field has the wrong type or value.", field=field[:100] or None)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) != len(pairs):
        raise ValueError("duplicate key")
    return known


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _refuse_depth(value: Any, left: int) -> None:
    if left == 0:
        raise Malformed
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            _refuse_depth(child, left - 1)
