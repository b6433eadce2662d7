"""Copy, erasure and sealed heads over the deployed stack: each function with its own role."""

import io
import json
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel import chain
from infra import roots
from local import seed
from local.clients import client as aws
from local.desk import Desk
from tests.e2e.conftest import Whole, wait

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
SCHEDULED = {
    "version": "0",
    "id": "1",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail-type": "Scheduled Event",
    "detail": {},
}
ADMIN = "barbara@poddebem.duly.example"


@pytest.fixture
def admin(whole: Whole) -> Desk:
    """Who answers such requests."""
    return Desk.sign_in(whole.cloud.outputs, ADMIN, seed.PASSWORD)


def function(whole: Whole, name: str) -> Any:
    """What a deployed function answers, asked as its schedule asks it, and without the wait."""
    functions = aws("lambda", whole.cloud.outputs["EngineUrl"])
    resource = aws("cloudformation", whole.cloud.outputs["EngineUrl"]).describe_stack_resource(
        StackName="duly-local", LogicalResourceId=name
    )
    physical = resource["StackResourceDetail"]["PhysicalResourceId"]
    answer = functions.invoke(FunctionName=physical, Payload=json.dumps(SCHEDULED).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()
    return answer


def test_a_client_gets_a_copy_and_is_erased(whole: Whole, admin: Desk) -> None:
    """S15; GDPR Art. 15, 17, 20: made and downloaded, then nothing of the client is left."""
    client = whole.client("Klara Żądło", "prawa@klient.duly.example")
    whole.send(client)
    whole.mail("prawa@klient.duly.example")
    path = f"/api/clients/{client['client_id']}"
    copy = admin.post(f"{path}/portability")

    def ready() -> bool:
        return bool(admin.get(f"{path}/portability/{copy['export_id']}")["state"] == "ready")

    function(whole, "HeavyTick")
    wait(ready)
    url = admin.get(f"{path}/portability/{copy['export_id']}")["url"]
    with urllib.request.urlopen(url, timeout=10) as answer:
        package = zipfile.ZipFile(io.BytesIO(answer.read()))
    history = package.read("history.json").decode()
    assert chain.verify(history) >= 3
    assert any(name.endswith(".eml") for name in package.namelist())
    admin.post(f"{path}/erasure", version=admin.get(path)["version"])

    def erased() -> bool:
        return bool(admin.get(f"{path}/erasure")["certificate"]["finished_at"])

    function(whole, "HeavyTick")
    wait(erased)
    left = [key for key in keys(whole, "BucketName") if client["client_id"] in key]
    assert [key.split("/")[0] for key in left] == ["erasures"]  # the log, which names nobody


def test_heads_come_by_the_stream_and_are_sealed(whole: Whole, tmp_path: Path) -> None:
    """R23: laid down by the table's own stream; sealed and signed by another function."""
    outputs = whole.cloud.outputs
    client = whole.client("Jan Nowak", "pieczec@klient.duly.example")
    today = datetime.now(UTC).date()
    wait(lambda: laid_down(whole, client["client_id"], today.isoformat()))
    s3, bucket = aws("s3", outputs["EngineUrl"]), outputs["RootsBucketName"]
    for key in keys(whole, "RootsBucketName"):  # as if it had been yesterday
        before = key.replace(today.isoformat(), (today - timedelta(days=1)).isoformat())
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key=before, Body=content)
    function(whole, "SealRoots")
    seed.as_operator(outputs)
    org = next(key.split("/")[1] for key in keys(whole, "RootsBucketName") if "seals/" in key)
    assert org == "agencja-pod-debem"
    roots.fetch(bucket, outputs["RootsKeyId"], org, tmp_path / "seals")
    export = whole.agent.get(f"/api/clients/{client['client_id']}/events/export")["export"]
    history = tmp_path / "history.json"
    history.write_text(export, encoding="utf-8")
    assert "1 seals say the same" in roots.check(tmp_path / "seals", [history])[1]


def laid_down(whole: Whole, client_id: str, day: str) -> bool:
    """Whether the client's head lies in the locked bucket."""
    s3, bucket = aws("s3", whole.cloud.outputs["EngineUrl"]), "RootsBucketName"
    found = (one for one in keys(whole, bucket) if one.startswith(f"roots/{day}/"))
    contents = (
        s3.get_object(Bucket=whole.cloud.outputs[bucket], Key=one)["Body"].read() for one in found
    )
    return any(client_id.encode() in content for content in contents)


def keys(whole: Whole, output: str) -> list[str]:
    """Every key of a bucket."""
    s3 = aws("s3", whole.cloud.outputs["EngineUrl"])
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=whole.cloud.outputs[output])
    return [one["Key"] for page in pages for one in page.get("Contents", [])]
