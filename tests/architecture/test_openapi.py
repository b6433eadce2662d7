"""The API's reference is made from the routes, is up to date, and says what Duly really answers."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, quote

import jsonschema_rs
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import app as application
from infra import openapi
from tests.duly import Answer, Context, Duly
from tests.examples import Examples

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
GOOD, BAD = 2, 3
# What must have happened to a declaration before.
FIRST = {
    "cancel_declaration": "send",
    "read_paper": "print",
    "hand_over_declaration": "print",
}
# These need a file in quarantine, and something stuck: their own tests have them.
NOT_THERE = {"keep_client_file": 409, "keep_organisation_file": 409, "retry_stuck": 404}
Start = Callable[[str, list[tuple[str, str]]], Any]


def test_the_reference_is_up_to_date() -> None:
    """docs/openapi.json and docs/errors.md are what `make openapi` writes."""
    assert openapi.main(["--check"]) == 0


def test_every_route_is_described() -> None:
    """Each route has its summary, its tag, its answer, and its refusals; staff routes a sign-in."""
    document = openapi.document()
    described = {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    specs = {(s.method, s.path): s for b in application.BLUEPRINTS for s in b.specs}
    assert described.keys() == specs.keys()
    for where, operation in described.items():
        assert operation["summary"].endswith((".", ")", "…")), where
        assert operation["tags"], where
        wanted: list[Any] = [] if specs[where].roles is None else [{"staff": []}]
        assert operation["security"] == wanted, where
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", where[1])), where


def test_every_moment_of_an_answer_is_described_as_one() -> None:
    """No view leaves a field without a type: what ends in `_at` is a moment."""
    for name, schema in openapi.document()["components"]["schemas"].items():
        for field, one in schema.get("properties", {}).items():
            assert set(one) - {"default"}, f"{name}.{field} has no type"
            if field.endswith("_at"):
                assert "date-time" in json.dumps(one), f"{name}.{field}"


def test_every_good_request_gets_the_answer_that_is_described(duly: Duly) -> None:
    """Each route once, granted: the status and the very shape of the reference, and its ETag."""
    examples, document = Examples(duly), openapi.document()
    links_first = sorted(examples.all, key=lambda one: one.spec.roles is not None)
    for one in links_first:
        ids = {}
        if "{declaration_id}" in one.spec.path:
            draft = duly.declared(examples.client)
            ids["declaration_id"] = draft["declaration_id"]
            if one.spec.name in FIRST:
                assert duly.act(draft, FIRST[one.spec.name]).status < 300
        examples.versions["client"] = duly.read_client(examples.ids["client_id"])["version"]
        catalogue = duly.staff("GET", "/api/catalogue").json
        examples.versions["organisation"] = catalogue["version"]
        order = [entry["purpose"] for entry in catalogue["purposes"]]
        examples.bodies["order_purposes"] = {"order": order}
        where = f"{one.where}?name=luc" if one.spec.name == "find_clients" else None
        example = examples.of(one.spec, **ids)
        answer = examples.ask(example, where=where or example.where)
        wanted = NOT_THERE.get(one.spec.name, one.spec.status)
        assert answer.status == wanted, (one.spec.name, answer.json)
        _hold(document, one.spec.method, one.spec.path, answer)


def _hold(document: dict[str, Any], method: str, path: str, answer: Answer) -> None:
    """`ValidationError` unless the answer is what the document says of this status."""
    described = document["paths"][path][method.lower()]["responses"][str(answer.status)]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    schema = described["content"]["application/json"]["schema"]
    whole = {"allOf": [schema], "components": document["components"]}
    jsonschema_rs.validator_for(whole).validate(answer.json)
    assert ("ETag" in described.get("headers", {})) == ("ETag" in answer.headers), path


def test_what_is_answered_is_what_the_reference_says(duly: Duly) -> None:
    """Every route, good and bad requests made from the reference: never a 5xx, all described."""
    examples = Examples(duly)
    document = openapi.document()
    schema = schemathesis.openapi.from_wsgi("/openapi.json", _Gateway(duly, document))
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        example = examples.of(duly.routes[operation.method.upper(), operation.path])
        for mode, most in ((GenerationMode.POSITIVE, GOOD), (GenerationMode.NEGATIVE, BAD)):
            _ask(operation.as_strategy(generation_mode=mode), most, example.headers(), examples.ids)


def _ask(cases: Any, most: int, headers: dict[str, str], ids: dict[str, str]) -> None:
    """Send some cases, most to what is really there, and hold the answers to the reference."""

    @settings(
        max_examples=most,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, there=st.integers(0, 3))
    def ask(case: Any, there: int) -> None:
        if there:
            known = case.path_parameters or {}
            case.path_parameters = {name: ids.get(name, value) for name, value in known.items()}
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)

    ask()


class _Gateway:
    """The gateway in front of the app, as WSGI: routes by path, hands over bytes as base64."""

    def __init__(self, duly: Duly, document: dict[str, Any]) -> None:
        self.duly = duly
        self.document = json.dumps(document)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == "/openapi.json":
            start("200 OK", [("Content-Type", "application/json")])
            return [self.document.encode()]
        event = self._event(method, path.encode("latin-1").decode("utf-8", "replace"), environ)
        if event is None:
            start("404 Not Found", [("Content-Type", "application/json; charset=utf-8")])
            return [b'{"code":"not_found","message":"There is no such thing here."}']
        given = application.app(event, Context())
        start(f"{given['statusCode']} -", list(given["headers"].items()))
        return [given["body"].encode()]

    def _event(self, method: str, path: str, environ: dict[str, Any]) -> dict[str, Any] | None:
        try:
            resource, values = self.duly._match(method, path)
        except AssertionError:
            return None
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {
            name[5:].replace("_", "-").title(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        headers["Content-Type"] = environ.get("CONTENT_TYPE", "")
        return {
            "resource": resource,
            "path": quote(path),
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "multiValueQueryStringParameters": parse_qs(
                environ.get("QUERY_STRING", ""), keep_blank_values=True
            )
            or None,
            "pathParameters": values,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "identity": {"sourceIp": "198.51.100.7"},
            },
            "body": b64encode(raw).decode() if raw else None,
            "isBase64Encoded": True,
        }
