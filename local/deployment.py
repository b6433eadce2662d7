"""Deploys the package into the engine, as to AWS and by the same code, and adds what the engine
leaves out.

Of the template the engine applies neither the table's TTL nor the gateway's own answers: both are
set by API after each deployment (a new API body may mean a new API). Backups and the bucket's
lifecycle mean nothing here and stay out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.clients import client
from local.settings import REGION, STAGE, LocalCloudError

# Letters a second and process; the engine has no limit, a person waiting has.
MAIL_RATE = "10"
GATEWAY_STAGE = "v1"


def deploy_into(engine: str, package: Path, *, site: str, secret: str) -> dict[str, str]:
    """Deploy as to AWS, by the same code; returns the stack's outputs."""
    from infra.deploy import DeployError, deploy

    parameters = {
        "SiteOrigin": site,
        "EdgeSecret": secret,
        "CognitoEndpoint": engine,
        "MailRate": MAIL_RATE,
    }
    try:
        with _as_the_account():
            outputs = deploy(STAGE, package, endpoint_url=engine, parameters=parameters)
    except DeployError as problem:
        raise LocalCloudError(f"The stack was not deployed: {problem}") from problem
    resources = json.loads((package / "template.json").read_text())["Resources"]
    _expire_items(engine, outputs["TableName"], resources["Table"]["Properties"])
    _answer_as_told(engine, outputs["RestAPIId"], resources["RestAPI"]["Properties"], parameters)
    return outputs


def gateway_of(engine: str, outputs: Mapping[str, str]) -> str:
    """The address of the deployed stage; the engine knows APIs by path, AWS by host."""
    return f"{engine}/restapis/{outputs['RestAPIId']}/{GATEWAY_STAGE}/_user_request_"


def _expire_items(engine: str, table: str, properties: Mapping[str, Any]) -> None:
    dynamodb = client("dynamodb", engine)
    wanted = properties["TimeToLiveSpecification"]
    current = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    # Setting what is set is an error, here and on AWS.
    if current["TimeToLiveStatus"] == "DISABLED":
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _answer_as_told(
    engine: str, api: str, properties: Mapping[str, Any], parameters: Mapping[str, str]
) -> None:
    """What the gateway says when no function is asked: unknown path, no token, too much."""
    gateway = client("apigateway", engine)
    for kind, response in properties["GatewayResponses"].items():
        headers = response["ResponseParameters"]["Headers"]
        status = {"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            responseParameters={
                f"gatewayresponse.header.{name}": _resolved(value, parameters)
                for name, value in headers.items()
            },
            responseTemplates=response["ResponseTemplates"],
            **status,
        )
    gateway.create_deployment(restApiId=api, stageName=GATEWAY_STAGE)


def _resolved(value: str | dict[str, str], parameters: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    text = value["Fn::Sub"]
    for name, given in parameters.items():
        text = text.replace(f"${{{name}}}", given)
    return text


@contextmanager
def _as_the_account() -> Iterator[None]:
    """While the deployment reads the environment, it holds the engine's account and nothing of the
    host's.
    """
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ |= before
