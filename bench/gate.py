"""One question to the gate: may this client be contacted? What it reads, and how long it takes."""

import contextlib
import io
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import app as application
from bench.calls import Recorder
from bench.figures import Figure, figure
from bench.house import Context
from chalicelib.aws import clients
from tests import identity
from tests.duly import AGENT, Duly

ASKED, WARM = 200, 20
RESOURCE = "/api/clients/{client_id}/may/contact"
_SERVICES = ("dynamodb", "s3", "secretsmanager", "sesv2")


def figures(duly: Duly) -> Iterator[Figure]:
    """Reads of one warm question; 95 of 100 answers, beside the one read alone."""
    client = duly.client(email="gate@klient.example")
    _, token = duly.sent(client)
    assert duly.confirm(token).status == 200
    question = _question(client["client_id"])

    def ask() -> None:
        assert application.app(question, Context())["statusCode"] == 200

    with contextlib.redirect_stdout(io.StringIO()):
        ask()
        with Recorder(*(clients.client(name).meta.events for name in _SERVICES)) as heard:
            ask()
        told = ", ".join(call.operation for call in heard.calls)
        reads = sum(call.items_read for call in heard.calls)
        yield figure("gate_reads", reads, "items", 1, at_most=1, note=told)
        dynamodb, read = clients.client("dynamodb"), heard.calls[0].asked
        took, floor = _p95(ask, lambda: dynamodb.get_item(**read))
    note = f"{ASKED} questions through the app, local engine; floor: its one read, in turns"
    yield figure("gate_p95_ms", took, "ms", floor, at_most=30, note=note)


def _p95(*asked: Callable[[], Any]) -> tuple[float, ...]:
    """Milliseconds that 95 of 100 of each do not exceed, asked in turns."""
    took: list[list[float]] = [[] for _ in asked]
    for _ in range(WARM + ASKED):
        for one, times in zip(asked, took, strict=True):
            started = time.perf_counter()
            one()
            times.append((time.perf_counter() - started) * 1000)
    return tuple(statistics.quantiles(times[WARM:], n=20)[-1] for times in took)


def _question(client_id: str) -> dict[str, Any]:
    """The question of a member of staff, as API Gateway hands it to a function (payload 1.0)."""
    token = identity.id_token(AGENT, "agencja", "agent")
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.9"}
    asked = {"purpose": "marketing", "channel": "email"}
    return {
        "resource": RESOURCE,
        "path": RESOURCE.format(client_id=client_id),
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": asked,
        "multiValueQueryStringParameters": {name: [value] for name, value in asked.items()},
        "pathParameters": {"client_id": client_id},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": RESOURCE,
            "httpMethod": "GET",
            "identity": {"sourceIp": "198.51.100.7"},
            "stage": "v1",
        },
        "body": None,
        "isBase64Encoded": False,
    }
