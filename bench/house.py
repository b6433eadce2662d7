"""A Duly to measure: the tests' own, over a table of its own."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.aws import clients
from tests import engine, identity
from tests.conftest import LINK_KEY, forget_processes
from tests.duly import SITE, Context, Duly, Mailbox

__all__ = ["SECRET", "Context", "a_duly", "an_account", "event"]

SECRET = json.dumps({"signing": "k1", "k1": LINK_KEY})
_SETTINGS = {
    "STAGE": "test",
    "TABLE_NAME": "duly",
    "BUCKET_NAME": "duly",
    "LINK_KEYS_SECRET": "link-keys",
    "SITE_ORIGIN": SITE,
    "USER_POOL_ISSUER": identity.ISSUER,
    "USER_POOL_CLIENT_ID": identity.AUDIENCE,
    "MAIL_CONFIGURATION_SET": "duly",
    "MAIL_RATE": "1000000",
    "EDGE_HOPS": "1",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def an_account(address: str, folder: Path) -> dict[str, str]:
    """The environment of an empty account of the engine, with table, bucket and link keys in it."""
    number = f"{secrets.randbelow(10**12):012d}"
    access = {"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": number}
    environment = {**_SETTINGS, **access, "BUCKET_NAME": f"duly-{number}"}
    environment["USER_POOL_JWKS_URL"] = identity.write_key_set(folder / "jwks.json")
    with pytest.MonkeyPatch.context() as patch:
        _set(patch, environment)
        clients.client("dynamodb").create_table(TableName="duly", **engine.table_definition())
        clients.client("s3").create_bucket(
            Bucket=environment["BUCKET_NAME"],
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        )
        clients.client("secretsmanager").create_secret(Name="link-keys", SecretString=SECRET)
    return environment


@contextmanager
def a_duly(environment: Mapping[str, str], **settings: Any) -> Iterator[Duly]:
    """Duly in this environment with one organisation, `agencja`; its mail is kept here."""
    mailbox, clock = Mailbox(), [timedelta()]
    with pytest.MonkeyPatch.context() as patch:
        _set(patch, {**_SETTINGS, **environment})
        patch.setattr(wiring, "now", lambda: wiring.real_now() + clock[0])
        patch.setattr(wiring, "_mailer", lambda: mailbox)
        duly = Duly(mailbox, clock)
        duly.found(**settings)
        yield duly
    forget_processes()


def event(path: str, resource: str, body: Any) -> dict[str, Any]:
    """A POST of one of our pages, as API Gateway hands it to a function (payload 1.0)."""
    headers = {
        "Content-Type": "application/json",
        "Origin": SITE,
        "User-Agent": "Mozilla/5.0",
        "X-Forwarded-For": "203.0.113.9",
    }
    return {
        "resource": resource,
        "path": path,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"org": path.split("/")[3]},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": "POST",
            "identity": {"sourceIp": "198.51.100.7"},
            "stage": "v1",
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def _set(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    forget_processes()
    for name, value in environment.items():
        patch.setenv(name, value)
