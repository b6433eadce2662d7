"""The API's reference is made from the routes, is up to date, and says what Duly really answers."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, quote

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
from chalicelib.web.blueprint import Spec
from infra import openapi
from tests.duly import ADMIN, Context, Duly
from tests.examples import Examples, entered

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
# These need more to have happened, such as a file in quarantine or a day that has come: here their
# refusal is held to the reference, and what they grant by each test of theirs (`tests.reference`).
NOT_THERE = {
    "acknowledge_on_request": "writer_stands_outside",
    "answer_handed_over": "answer_not_out",
    "answer_posted": "answer_not_out",
    "apply_import": "changed_meanwhile",
    "approve_answer": "answer_not_submitted",
    "assign_scan": "scan_page_unknown",
    "close_case_not_on_behalf": "not_denied",
    "decide_scan": "scan_page_unknown",
    "erase_client": "erasure_blocked",
    "extend_case": "extension_refused",
    "hand_over_case": "already_handed_over",
    "insured_asked_by_post": "submission_refused",
    "keep_client_file": "not_uploaded",
    "keep_organisation_file": "not_uploaded",
    "keep_request_open": "request_not_answered",
    "leave_case_unanswered": "no_answer_unknown",
    "log_contact": "submission_refused",
    "read_export": "export_unknown",
    "record_case_performed": "nothing_granted",
    "record_own_request": "submission_refused",
    "record_stage_outside": "submission_refused",
    "release_case_file": "case_file_unknown",
    "reopen_case": "not_closed",
    "request_from_client": "submission_refused",
    "retry_stuck": "not_stuck",
    "return_answer": "answer_not_submitted",
    "review_answer": "correction_refused",
    "send_answer": "insured_undecided",
    "send_offer": "consent_missing",
    "submit_answer": "answer_incomplete",
    "suspend_case": "suspension_ground_unknown",
    "unsubscribe": "link_invalid",
}
# Links first, while they are good; a hold before what it bars.
LAST = {"hold_client": 2, "erase_client": 3}
WHERE = {"find_clients": "?name=luc", "list_cases": "?list=mine"}
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
    """Each route once, most of them granted; `duly` holds each answer to the reference."""
    examples = Examples(duly)
    in_order = sorted(examples.all, key=lambda one: LAST.get(one.spec.name, bool(one.spec.roles)))
    refused = {}
    for one in in_order:
        example = examples.of(one.spec, **_prepared(duly, examples, one.spec))
        where = f"{one.where}{WHERE.get(one.spec.name, '')}"
        answer = examples.ask(example, where=where if "?" in where else example.where)
        if answer.status != one.spec.status:
            refused[one.spec.name] = answer.json["code"]
    assert refused == NOT_THERE


def _prepared(duly: Duly, examples: Examples, spec: Spec) -> dict[str, str]:
    """What this route acts on, fresh; the versions are those of now."""
    found = {}
    if "{declaration_id}" in spec.path:
        draft = duly.declared(examples.client)
        found["declaration_id"] = draft["declaration_id"]
        if spec.name in FIRST:
            assert duly.act(draft, FIRST[spec.name]).status < 300
    if "{case_id}" in spec.path:
        case = entered(duly)
        if spec.name != "prove_insured_address":
            where, how = f"/api/complaints/{case['case_id']}/insured-address", {"how": "z umowy"}
            case = duly.staff("POST", where, how, by=ADMIN, version=case["version"]).json
        found["case_id"], examples.versions["case"] = case["case_id"], case["version"]
    if "{answer_id}" in spec.path:
        where = f"/api/complaints/{found['case_id']}/answers"
        answer = duly.staff("POST", where, {"outcome": "rejected"}, by=ADMIN).json
        found["answer_id"], examples.versions["case"] = answer["answer_id"], answer["version"]
    examples.versions["client"] = duly.read_client(examples.ids["client_id"])["version"]
    catalogue = duly.staff("GET", "/api/catalogue").json
    examples.versions["organisation"] = catalogue["version"]
    order = [entry["purpose"] for entry in catalogue["purposes"]]
    examples.bodies["order_purposes"] = {"order": order}
    return found


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
