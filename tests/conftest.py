"""The engine, and a Duly of its own for each test."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from chalicelib import wiring
from chalicelib.aws import clients
from local.browser import chromium
from tests import engine, identity
from tests.duly import SITE, Duly, Mailbox

BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LINK_KEY = "k" * 64

hypothesis.settings.register_profile("duly", deadline=None, max_examples=60)
hypothesis.settings.load_profile("duly")
expect.set_options(timeout=30_000)  # a build machine may stand still for longer than five seconds


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes name no test by all they hold: each worker must find the same names."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and len(val) > 40 else None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole local clouds are started one at a time, however many workers there are."""
    for item in items:
        if item.path.parent.name in ("local", "e2e"):
            item.add_marker(pytest.mark.xdist_group("clouds"))


@pytest.fixture(scope="session", autouse=True)
def _models_read_once() -> Iterator[None]:
    """Botocore's files of services are read once a run, not once a test."""
    read = cache(clients.ModelFiles().load_file)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clients.ModelFiles, "load_file", lambda _, path: read(path))
        yield


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One engine for the whole run."""
    with engine.running(tmp_path_factory.mktemp("engine")) as address:
        yield address


class Clients:
    """AWS clients that one test after another uses, each under an account of its own.

    To make them anew is nearly half of what it costs to begin a test; they keep nothing of it.
    """

    def __init__(self) -> None:
        self.make = clients.client.__wrapped__
        self.session = cache(clients.session.__wrapped__)
        self.client = cache(self._made)
        self.hooks: list[tuple[Any, str, Any]] = []

    def lend(self, patched: pytest.MonkeyPatch, account: str) -> None:
        """To this test."""
        patched.setattr(clients, "session", self.session)
        patched.setattr(clients, "client", self.client)
        self.session().get_credentials().access_key = account

    def take_back(self) -> None:
        """Without what the test had them do besides."""
        for events, name, handler in self.hooks:
            events.unregister(name, handler)
        self.hooks.clear()

    def _made(self, service: str) -> Any:
        made = self.make(service)
        events = made.meta.events
        register = events.register

        def noted(name: str, handler: Any, *rest: Any, **more: Any) -> None:
            self.hooks.append((events, name, handler))
            register(name, handler, *rest, **more)

        events.register = noted
        return made


@pytest.fixture(scope="session")
def aws(cloud: str) -> Clients:
    """The clients of the whole run: they know the engine's address."""
    return Clients()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run: Playwright's plain interface can be opened once a process."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def mailbox() -> Mailbox:
    """Where letters arrive."""
    return Mailbox()


@pytest.fixture
def duly(
    cloud: str, aws: Clients, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Duly]:
    """Duly over a table and a bucket of its own, with one organisation, `agencja`."""
    account = f"{secrets.randbelow(10**12):012d}"
    bucket = f"duly-{account}"
    environment = {
        "STAGE": "test",
        "TABLE_NAME": "duly",
        "BUCKET_NAME": bucket,
        "LINK_KEYS_SECRET": "link-keys",
        "SITE_ORIGIN": SITE,
        "USER_POOL_ISSUER": identity.ISSUER,
        "USER_POOL_JWKS_URL": identity.write_key_set(tmp_path / "jwks.json"),
        "USER_POOL_CLIENT_ID": identity.AUDIENCE,
        "MAIL_CONFIGURATION_SET": "duly",
        "MAIL_RATE": "10000",
        "EDGE_HOPS": "1",
        "AWS_ENDPOINT_URL": cloud,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_what_was_read()
    aws.lend(monkeypatch, account)
    clients.client("dynamodb").create_table(TableName="duly", **engine.table_definition())
    where = {"LocationConstraint": "eu-central-1"}
    clients.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    secret = f'{{"signing": "k1", "k1": "{LINK_KEY}"}}'
    clients.client("secretsmanager").create_secret(Name="link-keys", SecretString=secret)
    clock = [timedelta()]
    monkeypatch.setattr(wiring, "now", lambda: wiring.real_now() + clock[0])
    monkeypatch.setattr(wiring, "_mailer", lambda: mailbox)
    one = Duly(mailbox, clock)
    one.found()
    yield one
    aws.take_back()
    forget_what_was_read()


def forget_processes() -> None:
    """As in a fresh process: no client, no cache, no key is kept."""
    clients.client.cache_clear()
    clients.session.cache_clear()
    forget_what_was_read()


def forget_what_was_read() -> None:
    """No cache, no key."""
    wiring._ledger.cache_clear()
    wiring._bucket.cache_clear()
    from chalicelib.aws import secrets as kept_keys
    from chalicelib.web import staff

    wiring._cache.clear()
    kept_keys._kept.clear()
    staff._jwks = staff.KeySet()
