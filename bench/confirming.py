"""Sending and confirming: calls, write units, CPU time."""

import contextlib
import io
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import app as application
from bench.calls import Recorder
from bench.figures import Figure, figure
from bench.house import Context, event
from bench.memory import Answers, Table, answering, operation, response
from bench.units import WriteMeter
from chalicelib import wiring
from chalicelib.aws import clients
from tests.duly import Duly

BLOCKS = 25
CONFIRMATIONS_A_BLOCK = 20
RESOURCE = "/api/public/{org}/links/act"


def units(duly: Duly) -> Iterator[Figure]:
    """Write units of one confirmation request, and of one confirmation with its two letters."""
    dynamodb, observer = clients.client("dynamodb"), _observer()
    duly.tick()  # what was promised before is not weighed here
    client = duly.client(email="units@klient.example")
    draft = duly.declared(client)
    with WriteMeter(dynamodb, observer, wiring.setting("TABLE_NAME")) as sending:
        assert duly.act(draft, "send").status == 202
        assert duly.tick().done == 1
    token = duly.mailbox.to("units@klient.example")[-1].token
    with WriteMeter(dynamodb, observer, wiring.setting("TABLE_NAME")) as confirming:
        assert duly.confirm(token).status == 200
        assert duly.tick().done == 2
    for name, meter, most in (("send_wru", sending, 16), ("confirm_wru", confirming, None)):
        told = meter.units
        yield figure(
            name,
            told.used,
            "write units",
            told.smallest,
            at_most=most,
            note="floor: the same writes, each item within one KB",
        )


def calls(duly: Duly) -> Figure:
    """AWS calls of one warm confirmation."""
    for address in ("warm@klient.example", "calls@klient.example"):
        client = duly.client(email=address)
        _, token = duly.sent(client)
        read = duly.public("/links/read", {"token": token})
        body = {"token": token, "decision": "confirm", "digest": read.json["digest"]}
        with Recorder(*(clients.client(name).meta.events for name in _SERVICES)) as heard:
            assert duly.public("/links/act", body).status == 200
    told = ", ".join(call.operation for call in heard.calls)
    return figure("confirm_calls", len(heard.calls), "calls", 1, at_most=2, note=told)


def cpu(duly: Duly, table: Table, token: str) -> Figure:
    """CPU time of one warm confirmation with the network stubbed, beside its two bare calls."""
    read = duly.public("/links/read", {"token": token})
    body = {"token": token, "decision": "confirm", "digest": read.json["digest"]}
    asked = event("/api/public/agencja/links/act", RESOURCE, body)
    dynamodb, bare = clients.client("dynamodb"), _observer()

    def confirm() -> None:
        assert application.app(asked, Context())["statusCode"] == 200

    answers = _Repeated(table)
    with answering(answers, dynamodb, bare):
        with Recorder(dynamodb.meta.events) as heard:
            confirm()
        reading, writing = heard.calls

        def floor() -> None:
            bare.batch_get_item(**reading.asked)
            bare.transact_write_items(**writing.asked)

        ours, floors = _in_turns(confirm, floor)
    return figure(
        "confirm_cpu",
        ours,
        "ms",
        floors,
        at_most=2,
        bounds="ratio",
        note=f"median of {BLOCKS} blocks of {CONFIRMATIONS_A_BLOCK}, in turns",
    )


class _Repeated(Answers):
    """The same answer to the same operation again: one confirmation is measured many times."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._known: dict[str, bytes] = {"TransactWriteItems": b"{}"}

    def __call__(self, request: Any, **_: Any) -> Any:
        """The answer as it was the first time; nothing is written."""
        asked = operation(request)
        if asked not in self._known:
            self._known[asked] = self.body(asked, request.body)
        return response(self._known[asked])


def _in_turns(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    """Median CPU milliseconds of one call of each; what they log goes nowhere."""
    took: tuple[list[float], list[float]] = ([], [])
    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(BLOCKS + 1):
            for measured, times in zip((first, second), took, strict=True):
                started = time.process_time()
                for _ in range(CONFIRMATIONS_A_BLOCK):
                    measured()
                times.append((time.process_time() - started) / CONFIRMATIONS_A_BLOCK * 1000)
    ours, floors = (statistics.median(times[1:]) for times in took)
    return ours, floors


_SERVICES = ("dynamodb", "s3", "secretsmanager", "sesv2")


def _observer() -> Any:
    """A client that nobody listens to."""
    import botocore.session

    return botocore.session.get_session().create_client("dynamodb")
