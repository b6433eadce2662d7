"""One running local cloud: the engine as a process, the mail sink, mailbox and edge as threads
beside it.

    with running() as cloud:
        requests.post(cloud.site + "/api/...")

starts an instance of its own on free ports, with a folder that goes when the block ends, and
deploys the real package into it. `make run` is the same with fixed ports and a folder that stays.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.clients import client, resource
from local.delivery import deliver
from local.deployment import deploy_into, gateway_of
from local.edge import Edge, HeaderSet, edge
from local.mail import MailStore, mail_sink, to_event_bridge
from local.mailbox import mailbox
from local.packaging import local_package
from local.settings import HOST, REGION, ROOT, STAGE, LocalCloudError, Place, Ports

START_SECONDS = 60
# A clean stop saves the whole state; then it is over.
STOP_SECONDS = 20
NEEDED_BYTES = 300_000_000
# Whoever sends from here may: the demonstration's organisations do.
SENDER_DOMAIN = "duly.example"


class Engine:
    """The engine's process, in a process group of its own with the functions that it runs."""

    def __init__(self, place: Place, ports: Ports, *, persist: bool, enforce_iam: bool) -> None:
        self._place = place
        self._ports = ports
        self._persist = persist
        self._enforce_iam = enforce_iam
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{HOST}:{ports.engine}"

    def start(self) -> None:
        """Refuses to start where the set-up is missing or the disk is full; returns when it
        answers.
        """
        python = ROOT / ".venv-cloud" / "bin" / "python"
        if not python.exists():
            raise LocalCloudError("The local cloud is not installed here. Run: make setup")
        self._place.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._place.folder).free
        if free < NEEDED_BYTES:
            raise LocalCloudError(
                f"The disk has {free // 10**6} MB left and the local cloud needs "
                f"{NEEDED_BYTES // 10**6} MB: free some space and start again."
            )
        # The last start's log is enough; a log that only grows would fill the disk.
        with self._place.log.open("wb") as log:
            self._process = subprocess.Popen(
                # -P: the names in local/ must not stand before the libraries' own.
                [str(python), "-P", str(ROOT / "local" / "engine.py")],
                cwd=self._place.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _environment(self) -> dict[str, str]:
        """Nothing of the host's but the path: all of this reaches the functions."""
        place = self._place
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(place.scratch),
            "TMPDIR": str(place.scratch),
            "TZ": "UTC",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_SESV2": f"http://{HOST}:{self._ports.mail}",
            "MINISTACK_REGION": REGION,
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self._ports.engine),
            "AUTH": "true" if self._enforce_iam else "false",
            "PERSIST_STATE": "1" if self._persist else "0",
            "STATE_DIR": str(place.state),
            "S3_PERSIST": "1" if self._persist else "0",
            "S3_DATA_DIR": str(place.objects),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        }

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if not self.alive():
                break
            with (
                suppress(OSError),
                urllib.request.urlopen(self.url + "/_ministack/ready", timeout=2),
            ):
                return
            time.sleep(0.05)
        self.kill()
        raise LocalCloudError(f"The engine did not start. Its log ends with:\n{self._log_end()}")

    def _log_end(self) -> str:
        with suppress(OSError):
            return self._place.log.read_text(errors="replace")[-2000:]
        return "(no log)"

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """A clean stop; by force if it takes too long, or where nothing is kept that could be
        saved. Leaves no process of the group behind.
        """
        if self._process is None:
            return
        if self.alive() and self._persist:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Ends the engine and its functions at once, as a crash would."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@dataclass(frozen=True)
class Cloud:
    """What a person, a test or the demonstration needs to know of a running local cloud."""

    site: str
    mailbox: str
    engine: Engine
    outputs: Mapping[str, str]

    @property
    def api(self) -> str:
        return self.site + "/api"

    def client(self, service: str) -> Any:
        """A boto3 client of the engine, with the rights of the account itself."""
        return client(service, self.engine.url)

    @cached_property
    def table(self) -> Any:
        return resource("dynamodb", self.engine.url).Table(self.outputs["TableName"])

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        """The e-mails sent so far, newest first."""
        query = f"?to={quote(to)}" if to else ""
        with urllib.request.urlopen(f"{self.mailbox}/messages{query}", timeout=10) as answer:
            mails: list[dict[str, Any]] = json.load(answer)
            return mails

    def raw_mail(self, number: str) -> bytes:
        with urllib.request.urlopen(f"{self.mailbox}/messages/{number}/raw", timeout=10) as answer:
            mime: bytes = answer.read()
            return mime

    def receive_mail(self, raw: bytes, to: str) -> bool:
        """An e-mail comes in, as SES would lay it down; False where nobody takes mail for `to`."""
        bucket = resource("s3", self.engine.url).Bucket(self.outputs["BucketName"])
        return deliver(self.table, bucket, raw, to)

    def move_clock(self, seconds: int) -> int:
        """Move Duly's clock on; 0 sets it right. Returns how far ahead of the real one it is now.

        Links and sign-ins keep the real time.
        """
        if seconds == 0:
            self.table.put_item(Item={**CLOCK_KEY, "seconds": 0})
            return 0
        changed = self.table.update_item(
            Key=CLOCK_KEY,
            UpdateExpression="ADD seconds :on",
            ExpressionAttributeValues={":on": seconds},
            ReturnValues="UPDATED_NEW",
        )
        return int(changed["Attributes"]["seconds"])

    def ahead(self) -> int:
        """How many seconds Duly's clock is ahead of the real one."""
        item = self.table.get_item(Key=CLOCK_KEY, ConsistentRead=True).get("Item", {})
        return int(item.get("seconds", 0))

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Run a function by its name in the template (`Tick`, `Letters`) and return its answer.

        Refuses (LocalCloudError) what ended in an error, in the function's own words.
        """
        found = self.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=function
        )
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise LocalCloudError(f"{function} failed: {result}")
        return result

    def tick(self) -> Any:
        """Work off the agenda now, instead of within the minute."""
        return self.invoke("Tick", {**_SCHEDULED, "time": _instant()})

    def heavy_tick(self) -> Any:
        """Work off what takes memory and time: scans, lists, erasures, copies."""
        return self.invoke("HeavyTick", {**_SCHEDULED, "time": _instant()})

    def logs(self) -> list[str]:
        """Every line that the functions have logged so far."""
        logs = self.client("logs")
        lines = []
        for page in logs.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                events = logs.get_paginator("filter_log_events").paginate(
                    logGroupName=group["logGroupName"]
                )
                lines += [event["message"] for found in events for event in found["events"]]
        return lines

    def verify_sender(self, identity: str) -> None:
        """Let an address, or every address of a domain, be a sender. The engine asks no proof."""
        ses = self.client("sesv2")
        with suppress(ses.exceptions.AlreadyExistsException):
            ses.create_email_identity(EmailIdentity=identity)


STACK = f"duly-{STAGE}"
# What EventBridge sends on a schedule; Chalice reads all of it.
_SCHEDULED = {
    "version": "0",
    "id": "00000000-0000-0000-0000-000000000000",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "region": REGION,
    "resources": [],
    "detail": {},
}


def _instant() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


CLOCK_KEY = {"PK": "LOCAL#CLOCK", "SK": "ROOT"}


@contextmanager
def running(
    *,
    place: Place | None = None,
    ports: Ports | None = None,
    persist: bool = False,
    enforce_iam: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Cloud]:
    """A local cloud with the real package deployed, from the first line of the block to its last.

    Without a place it has one of its own that goes with it, and free ports. `enforce_iam` makes the
    engine check each function's own role, as AWS does. `say` hears what is being done.
    """
    with ExitStack() as stack:
        if place is None:
            # Ours and not the test runner's: a path in the engine's environment has to be short.
            folder = tempfile.mkdtemp(prefix="duly-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            place = Place(folder=Path(folder))
        if ports is None:
            ports = Ports.free()
        engine = Engine(place, ports, persist=persist, enforce_iam=enforce_iam)
        stack.callback(engine.stop)
        say("Starting the local cloud")
        engine.start()
        # Before the functions: the tick may send as soon as it is deployed.
        store = MailStore(place.mail)
        publish = to_event_bridge(client("events", engine.url))
        stack.enter_context(mail_sink(ports.mail, store, engine.url, publish))
        site = f"http://localhost:{ports.site}"
        package = local_package(say)
        say("Deploying")
        secret = edge_secret(place)
        outputs = deploy_into(engine.url, package, site=site, secret=secret)
        receive = partial(
            deliver,
            resource("dynamodb", engine.url).Table(outputs["TableName"]),
            resource("s3", engine.url).Bucket(outputs["BucketName"]),
        )
        box = stack.enter_context(mailbox(ports.mailbox, store, receive))
        handler = Edge(
            site=ROOT / "static_site",
            headers=HeaderSet.read(ROOT / "infra" / "headers.json", UploadOrigin=engine.url),
            gateway=gateway_of(engine.url, outputs),
            secret=secret,
        )
        stack.enter_context(edge(ports.site, handler))
        addresses = {"EngineUrl": engine.url, "SiteOrigin": site, "MailboxUrl": box}
        cloud = Cloud(site=site, mailbox=box, engine=engine, outputs={**outputs, **addresses})
        place.outputs.write_text(json.dumps(cloud.outputs, indent=1))
        cloud.verify_sender(SENDER_DOMAIN)
        yield cloud


def edge_secret(place: Place) -> str:
    """What the edge adds to each request; made once, since the deployed functions know it too."""
    if not place.edge_secret.exists():
        place.edge_secret.touch(mode=0o600)
        place.edge_secret.write_text(secrets.token_urlsafe(32))
    return place.edge_secret.read_text()
