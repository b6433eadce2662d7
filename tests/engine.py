"""One local cloud engine for the whole test run; an account, table and bucket for each test.

The table is made from the very definition that infra/ deploys.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parent.parent
STARTS_WITHIN = 30.0


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """An engine on a free port, its state in this folder; its address."""
    port = _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
    }
    python = ROOT / ".venv-cloud" / "bin" / "python"
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-m", "ministack"], env=environment, stdout=log, stderr=log, cwd=folder
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(10)
            shutil.rmtree(folder / "state", ignore_errors=True)


@cache
def table_definition() -> dict[str, Any]:
    """The table as infra/ defines it, as an argument of CreateTable."""
    resources = yaml.safe_load((ROOT / "infra/template/storage.yaml").read_text())["Resources"]
    properties = resources["Table"]["Properties"]
    return {
        "AttributeDefinitions": properties["AttributeDefinitions"],
        "KeySchema": properties["KeySchema"],
        "GlobalSecondaryIndexes": properties["GlobalSecondaryIndexes"],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, **properties["StreamSpecification"]},
    }


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/_ministack/health", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the local cloud engine did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
