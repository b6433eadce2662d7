"""The API's reference, made from what the routes state of themselves: `python -m infra.openapi`.

Writes docs/openapi.json (OpenAPI 3.1: routes, structs, refusals) and docs/errors.md (every refusal
with its code, status and sentence). `--check` writes nothing and fails where a file is out of date.
"""

import argparse
import importlib
import inspect
import json
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import app
import chalicelib
from chalicelib.kernel import ids
from chalicelib.kernel.errors import DomainError
from chalicelib.web import problem
from chalicelib.web.blueprint import ONCE, PATHS, VERSION, ApiBlueprint, Nothing, Spec

ROOT = Path(__file__).parent.parent
OPENAPI = "docs/openapi.json"
ERRORS = "docs/errors.md"
JSON = "application/json"
# What a mail program's own button posts, in one of two forms (RFC 8058 3.2).
ONE_CLICK = {
    form: {
        "schema": {
            "type": "object",
            "required": ["List-Unsubscribe"],
            "properties": {"List-Unsubscribe": {"const": "One-Click"}},
        }
    }
    for form in ("multipart/form-data", "application/x-www-form-urlencoded")
}
# The tag of a blueprint is its feature, but for the features that have several.
TAGS = {
    "chalicelib.consents.routes": "declarations",
    "chalicelib.consents.standing_routes": "consents",
    "chalicelib.consents.scan_routes": "scans",
    "chalicelib.consents.list_routes": "imports",
    "chalicelib.consents.public": "links",
    "chalicelib.consents.preferences_public": "preferences",
    "chalicelib.complaints.answer_routes": "answers",
    "chalicelib.complaints.paper_routes": "case papers",
    "chalicelib.complaints.public": "form",
}
# What several features call by one word, each its own: where the feature before it says too little.
NAMES = {
    "chalicelib.complaints.case.Channel": "CaseChannel",
    "chalicelib.complaints.case.Kind": "CaseKind",
    "chalicelib.complaints.case.State": "CaseState",
    "chalicelib.complaints.detectors.Kind": "PrivateKind",
    "chalicelib.complaints.privacy.Channel": "AnswerChannel",
    "chalicelib.complaints.privacy.Ground": "AnswerGround",
    "chalicelib.consents.imports.State": "ScanState",
    "chalicelib.consents.lists.State": "ConsentImportState",
}
MEANING = {
    400: "The request can't be read, or lacks a header.",
    401: "Nobody we know asks.",
    403: "Whoever asks may not.",
    404: "There is no such thing in this organisation.",
    409: "It does not fit what is stored now.",
    410: "It is over.",
    413: "The request is too large.",
    415: "Another media type than application/json.",
    422: "A field breaks a rule.",
    428: "If-Match is missing.",
    429: "More than one place may send in an hour; another channel is open.",
    503: "Something that Duly needs does not answer; nothing was done.",
}


def document() -> dict[str, Any]:
    """The OpenAPI document; the same sources make the same document."""
    specs = [(tag(blueprint), spec) for blueprint in app.BLUEPRINTS for spec in blueprint.specs]
    schemas = _schemas(spec for _, spec in specs)
    paths: dict[str, Any] = {}
    for feature, spec in specs:
        operation = _operation(feature, spec, schemas)
        paths.setdefault(spec.path, {})[spec.method.lower()] = operation
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Duly",
            "version": about["version"],
            "description": about["description"],
            "license": {"name": about["license"], "identifier": about["license"]},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": tag(blueprint), "description": _described(blueprint)}
            for blueprint in app.BLUEPRINTS
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {str(status): _refusal(status) for status in sorted(codes())},
            "securitySchemes": {
                "staff": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The ID token of a member of staff.",
                }
            },
        },
    }


def refusals() -> list[type[DomainError]]:
    """Every refusal of Duly that reaches a caller, sorted by code."""
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        importlib.import_module(module.name)
    return sorted(_below(DomainError), key=lambda one: (one.code, one.__qualname__))


def codes() -> dict[int, list[str]]:
    """The codes that each status may carry."""
    found: dict[int, list[str]] = {}
    for refusal in refusals():
        found.setdefault(problem.status(refusal()), []).append(refusal.code)
    return found


def errors() -> str:
    """docs/errors.md."""
    rows = [f"| `{one.code}` | {problem.status(one())} | {one.sentence} |" for one in refusals()]
    shape = '{"code", "field"?, "message"}'
    return "\n".join(
        [
            "# Refusals",
            "",
            f"Every refusal is `{shape}`. A code never changes its meaning; the",
            "sentence is for people who read the API, the pages have their own in each language;",
            "`field` names the part of the request that is to blame. What should never happen is a",
            "500 with the code `internal`. Made by `make openapi`.",
            "",
            "| Code | Status | Sentence |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def tag(blueprint: ApiBlueprint) -> str:
    """The feature that a blueprint belongs to."""
    module = blueprint.module
    return TAGS.get(module, module.split(".")[1])


def _described(blueprint: ApiBlueprint) -> str:
    return (sys.modules[blueprint.module].__doc__ or "").strip().partition("\n")[0]


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("chalicelib."):
            yield one
        yield from _below(one)


def _schemas(specs: Iterable[Spec]) -> dict[str, Any]:
    """Each struct of the routes and what it is made of, by name; ValueError where two share one."""
    kinds = {kind for spec in specs for kind in (spec.takes, spec.query, spec.gives)} - {Nothing}
    in_order = sorted(kinds, key=lambda kind: (kind.__name__, kind.__module__))
    _, found = msgspec.json.schema_components(in_order, ref_template="#/components/schemas/{name}")
    text = json.dumps(found)
    for qualified in (name for name in found if "." in name):
        name = _own_name(qualified)
        text = text.replace(f'"{qualified}"', f'"{name}"').replace(f'/{qualified}"', f'/{name}"')
    # Python ends a text with another sign than JSON Schema, whose `$` stops at no newline.
    schemas = dict(json.loads(text.replace(r"\\Z", "$")))
    if len(schemas) != len(found):
        raise ValueError("two structs share a name: NAMES gives one of them another")
    for schema in schemas.values():
        if "description" in schema:  # Python before 3.13 keeps a docstring's indentation
            schema["description"] = inspect.cleandoc(schema["description"])
    return schemas


def _own_name(qualified: str) -> str:
    """The name of what another feature calls by the same word: with its feature before it."""
    feature, *_, name = qualified.removeprefix("chalicelib.").split(".")
    return NAMES.get(qualified, feature.removesuffix("s").title() + name)


def _operation(feature: str, spec: Spec, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": spec.name,
        "summary": spec.summary,
        "tags": [feature],
        "parameters": [*_path(spec), *_query(spec, schemas), *_headers(spec)],
        "responses": {str(spec.status): _answer(spec, schemas)}
        | {str(one): {"$ref": f"#/components/responses/{one}"} for one in _refused(spec)},
        "security": [] if spec.roles is None else [{"staff": []}],
    }
    if spec.roles is not None:
        operation["x-roles"] = sorted(spec.roles)
    if spec.one_click:
        operation["requestBody"] = {"required": True, "content": ONE_CLICK}
    if spec.takes is not Nothing:
        operation["requestBody"] = {"required": True, "content": _content(_ref(spec.takes))}
    return operation


def _path(spec: Spec) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _spelled(PATHS.get(name, ids.PATTERN)),
        }
        for name in re.findall(r"{(\w+)}", spec.path)
    ]


def _query(spec: Spec, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if spec.query is Nothing:
        return []
    properties = schemas[spec.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": one} for name, one in properties.items()]


def _headers(spec: Spec) -> list[dict[str, Any]]:
    found = []
    if spec.changes:
        found.append(("If-Match", VERSION, "The version that was read, as its ETag says."))
    if spec.creates:
        same = "The same key and request again get the same answer, for a day."
        found.append(("Idempotency-Key", ONCE, same))
    return [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": description,
            "schema": _spelled(pattern),
        }
        for name, pattern, description in found
    ]


def _spelled(pattern: re.Pattern[str]) -> dict[str, str]:
    return {"type": "string", "pattern": f"^{pattern.pattern}$"}


def _refused(spec: Spec) -> list[int]:
    """The statuses that a refusal may have; to staff only an erased client is gone."""
    takes = spec.takes is not Nothing
    possible = {
        400: takes or spec.creates or spec.one_click,
        401: spec.roles is not None,
        403: True,
        404: True,
        409: True,
        410: spec.roles is None or "{client_id}" in spec.path,
        413: takes,
        415: takes,
        422: True,
        428: spec.changes,
        429: spec.roles is None and takes,
        503: True,
    }
    return [status for status, may in possible.items() if may]


def _answer(spec: Spec, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = schemas[spec.gives.__name__]
    answer: dict[str, Any] = {
        "description": schema.get("description", spec.summary),
        "content": _content(_ref(spec.gives)),
    }
    if "version" in schema["properties"]:
        etag = {"description": "The version, to be sent as If-Match.", "schema": {"type": "string"}}
        answer["headers"] = {"ETag": etag}
    return answer


def _refusal(status: int) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string", "enum": codes()[status]},
            "field": {"type": "string"},
            "message": {"type": "string"},
        },
        "additionalProperties": False,
    }
    return {"description": MEANING[status], "content": _content(schema)}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {JSON: {"schema": schema}}


def _ref(kind: type[Any]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def files() -> dict[str, str]:
    """The files of this module and what they should hold."""
    return {
        OPENAPI: json.dumps(document(), indent=1, ensure_ascii=False) + "\n",
        ERRORS: errors(),
    }


def main(arguments: list[str]) -> int:
    """Write the files; with `--check` compare them, 1 if one is out of date."""
    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where outdated")
    check = parser.parse_args(arguments).check
    outdated = False
    for name, wanted in files().items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == wanted:
            continue
        outdated = True
        if check:
            print(f"{name} is out of date: run `make openapi`.")
        else:
            path.write_text(wanted, encoding="utf-8")
            print(f"{name} is written.")
    return int(check and outdated)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
