"""How long a letter takes from its promise to SES: in the local cloud, by the table's stream."""

import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure, figure
from bench.house import a_duly
from chalicelib.organisations.domain import Sender
from local.clients import client
from local.cloud import SENDER_DOMAIN, Cloud, running
from local.settings import HOST, Ports
from tests import identity
from tests.duly import Duly

WARM, LETTERS = 3, 30
_LONGEST = 20.0


def p95() -> Figure:
    """Seconds from the request that promises a letter to SES, beside SES alone."""
    ports = Ports.free()
    with running(ports=ports) as cloud, tempfile.TemporaryDirectory() as folder:
        jwks = identity.write_key_set(Path(folder) / "jwks.json")
        sender = Sender(name="Agencja", email=f"zgody@{SENDER_DOMAIN}")
        environment = {**_environment(cloud.outputs), "USER_POOL_JWKS_URL": jwks}
        with a_duly(environment, sender=sender) as duly:
            took = [_seconds(duly, cloud, number) for number in range(WARM + LETTERS)][WARM:]
        mime = cloud.raw_mail(cloud.mails()[0]["number"])
        ses = client("sesv2", f"http://{HOST}:{ports.mail}")
        alone = [_send(ses, sender.email, mime) for _ in range(WARM + LETTERS)][WARM:]
    note = f"{LETTERS} letters one after another, warm; by the table's stream; floor: SES alone"
    return figure("letter_p95_s", _p95(took), "s", _p95(alone), at_most=2, note=note)


def _seconds(duly: Duly, cloud: Cloud, number: int) -> float:
    address = f"client{number}@klient.example"
    draft = duly.declared(duly.client(email=address))
    promised = time.time()
    assert duly.act(draft, "send").status == 202
    while not (found := cloud.mails(to=address)):
        if time.time() - promised > _LONGEST:
            raise RuntimeError("no letter came by the stream")
        time.sleep(0.05)
    received = datetime.fromisoformat(found[0]["received_at"])
    return received.timestamp() - promised


def _send(ses: Any, sender: str, mime: bytes) -> float:
    started = time.perf_counter()
    ses.send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": ["floor@klient.example"]},
        Content={"Raw": {"Data": mime}},
    )
    return time.perf_counter() - started


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def _environment(outputs: Mapping[str, str]) -> dict[str, str]:
    return {
        "STAGE": "local",
        "AWS_ENDPOINT_URL": outputs["EngineUrl"],
        "AWS_ACCESS_KEY_ID": "test",
        "TABLE_NAME": outputs["TableName"],
        "BUCKET_NAME": outputs["BucketName"],
        "LINK_KEYS_SECRET": outputs["LinkKeysSecret"],
    }
