"""Deploy a package: `python -m infra.deploy --stage prod --parameter SiteOrigin=https://…`.

The same way leads to AWS and to the local cloud: the code goes to a bucket, the template names it
there, CloudFormation does the rest. Parameters that are not given keep their value. Prints the
stack's outputs as JSON.
"""

import argparse
import hashlib
import json
import mimetypes
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import takewhile
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra import template

ROOT = Path(__file__).parent.parent
LOCAL = "local"
FUNCTION_CODE = "./deployment.zip"
NOTHING_TO_DO = "No updates are to be performed"
UNUSABLE = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"})
MINUTES = 45  # a first CloudFront distribution takes its time
# What Python does not know everywhere, and a browser refuses under nosniff.
TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".woff2": "font/woff2"}
TEXT = ("text/", "application/json", "image/svg+xml")


class DeployError(Exception):
    """The stack is not as asked; the message says why, in CloudFormation's own words."""


def deploy(
    stage: str,
    package_dir: Path,
    *,
    endpoint_url: str | None = None,
    parameters: Mapping[str, str] = {},
) -> dict[str, str]:
    """Create or update the stack `duly-<stage>` and return its outputs by name.

    Refuses a package that was made for another stage. The first deployment draws an EdgeSecret
    unless one is given. Safe to repeat: what is as it should be is left alone.
    """
    merged = json.loads((package_dir / "template.json").read_text())
    made_for = merged["Parameters"]["Stage"]["Default"]
    if made_for != stage:
        message = f"{package_dir} was made for the stage {made_for}, not {stage}."
        raise DeployError(message)
    try:
        return _deploy(stage, package_dir, merged, endpoint_url=endpoint_url, given=parameters)
    except (BotoCoreError, ClientError) as error:
        raise DeployError(str(error)) from error


def _deploy(
    stage: str,
    package_dir: Path,
    merged: template.Json,
    *,
    endpoint_url: str | None,
    given: Mapping[str, str],
) -> dict[str, str]:
    cloud = Cloud(boto3.session.Session(), endpoint_url)
    bucket = cloud.artefacts()
    code = cloud.put(bucket, (package_dir / "deployment.zip").read_bytes(), ".zip")
    body = json.dumps(_with_code(merged, bucket, code)).encode()
    url = cloud.url(bucket, cloud.put(bucket, body, ".json"))
    outputs = cloud.stack(f"duly-{stage}", url, given, sorted(merged["Parameters"]))
    if stage == LOCAL:
        cloud.let_expire(merged, outputs["TableName"])
    else:
        cloud.publish(ROOT / "static_site", outputs["SiteBucketName"], outputs["DistributionId"])
    return outputs


def site_files(site: Path) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """Key, file and stored headers of everything that the site serves."""
    for file in sorted(site.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
            kind = kind or "application/octet-stream"
            charset = "; charset=utf-8" if kind.startswith(TEXT) else ""
            headers = {"ContentType": kind + charset}
            # Pages keep the edge's own default: the distribution tells browsers `no-store`, and a
            # deployment invalidates. Stored with `no-store`, no edge would keep them.
            if file.suffix != ".html":
                headers["CacheControl"] = template.headers()["assets"]["Cache-Control"]
            yield file.relative_to(site).as_posix(), file, headers


class Cloud:
    """AWS, or what stands in for it at an endpoint."""

    def __init__(self, session: Any, endpoint_url: str | None) -> None:
        self.session = session
        self.endpoint_url = endpoint_url
        self.region = session.region_name or "eu-central-1"
        self.s3 = self._client("s3")
        self.cloudformation = self._client("cloudformation")

    def _client(self, service: str) -> Any:
        return self.session.client(service, region_name=self.region, endpoint_url=self.endpoint_url)

    def artefacts(self) -> str:
        """The bucket for packages, one per account and region, closed to the public."""
        account = self._client("sts").get_caller_identity()["Account"]
        name = f"duly-artefacts-{account}-{self.region}"
        place: dict[str, Any] = {}
        if self.region != "us-east-1":
            place = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        try:
            self.s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
        except ClientError as missing:
            if missing.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
                raise
        else:
            return name
        self.s3.create_bucket(Bucket=name, **place)
        self.s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )
        return name

    def put(self, bucket: str, content: bytes, ending: str) -> str:
        """Store content under its digest, so that unchanged code is an unchanged function."""
        key = hashlib.sha256(content).hexdigest() + ending
        self.s3.put_object(Bucket=bucket, Key=key, Body=content)
        return key

    def url(self, bucket: str, key: str) -> str:
        if self.endpoint_url:
            return f"{self.endpoint_url}/{bucket}/{key}"
        return f"https://{bucket}.s3.{self.region}.amazonaws.com/{key}"

    def stack(
        self, name: str, url: str, given: Mapping[str, str], known: list[str]
    ) -> dict[str, str]:
        """Create or update, wait for the end, and return the outputs."""
        unknown = given.keys() - set(known)
        if unknown:
            message = f"The template has no parameter {', '.join(sorted(unknown))}."
            raise DeployError(message)
        before = self._described(name)
        if before and before["StackStatus"] in UNUSABLE:
            status = before["StackStatus"]
            message = f"The stack {name} never came up ({status}): delete it, then deploy."
            raise DeployError(message)
        values = _parameters(given, before, known)
        request = {
            "StackName": name,
            "TemplateURL": url,
            "Parameters": values,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        if before is None:
            self.cloudformation.create_stack(**request)
            self._wait(name, "stack_create_complete")
        elif self._update(request):
            self._wait(name, "stack_update_complete")
        after = self._described(name)
        if after is None:
            message = f"The stack {name} is gone."
            raise DeployError(message)
        return {out["OutputKey"]: out["OutputValue"] for out in after.get("Outputs", [])}

    def _update(self, request: dict[str, Any]) -> bool:
        try:
            self.cloudformation.update_stack(**request)
        except ClientError as error:
            if NOTHING_TO_DO in error.response["Error"]["Message"]:
                return False
            raise
        return True

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            stacks = self.cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        alive = [stack for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
        return alive[0] if alive else None

    def _wait(self, name: str, state: str) -> None:
        delay = 1 if self.endpoint_url else 10
        try:
            self.cloudformation.get_waiter(state).wait(
                StackName=name,
                WaiterConfig={"Delay": delay, "MaxAttempts": MINUTES * 60 // delay},
            )
        except WaiterError as error:
            events = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            # Newest first; this deployment begins where the stack itself was asked.
            ours = takewhile(lambda e: e.get("ResourceStatusReason") != "User Initiated", events)
            reasons = [
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
                for event in ours
                if event["ResourceStatus"].endswith("_FAILED")
            ]
            raise DeployError("\n".join(reversed(reasons)) or str(error)) from error

    def let_expire(self, merged: template.Json, table: str) -> None:
        """The local engine makes the table without its TTL; CloudFormation does not need this."""
        wanted = merged["Resources"]["Table"]["Properties"]["TimeToLiveSpecification"]
        dynamodb = self._client("dynamodb")
        now = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if now["TimeToLiveStatus"] == "DISABLED":
            dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)

    def publish(self, site: Path, bucket: str, distribution: str) -> None:
        """Make the site's bucket equal to the folder; the edges forget what they kept."""
        wanted = set()
        for key, file, headers in site_files(site):
            self.s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), **headers)
            wanted.add(key)
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            stale = [{"Key": i["Key"]} for i in page.get("Contents", []) if i["Key"] not in wanted]
            if stale:
                self.s3.delete_objects(Bucket=bucket, Delete={"Objects": stale})
        self._client("cloudfront").create_invalidation(
            DistributionId=distribution,
            InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": ["/*"]},
                "CallerReference": secrets.token_hex(8),
            },
        )


def _with_code(merged: template.Json, bucket: str, key: str) -> template.Json:
    for resource in merged["Resources"].values():
        if resource.get("Properties", {}).get("CodeUri") == FUNCTION_CODE:
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    return merged


def _parameters(
    given: Mapping[str, str], before: dict[str, Any] | None, known: list[str]
) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
    ]
    if before is None:
        if "EdgeSecret" not in given:
            drawn = secrets.token_urlsafe(32)
            values.append({"ParameterKey": "EdgeSecret", "ParameterValue": drawn})
        return values
    kept = {p["ParameterKey"] for p in before.get("Parameters", [])} & set(known) - given.keys()
    return values + [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]


def main() -> None:
    """Deploy to AWS, or to where AWS_ENDPOINT_URL points."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description="Deploy a package.")
    parser.add_argument("--stage", required=True, choices=["local", "dev", "prod"])
    parser.add_argument("--package", type=Path, default=Path("build/package"))
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    try:
        outputs = deploy(
            options.stage,
            options.package,
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
            parameters=dict(given.partition("=")[::2] for given in options.parameter),
        )
    except DeployError as error:
        sys.exit(f"Not deployed: {error}")
    print(json.dumps(outputs, indent=2))


if __name__ == "__main__":
    main()
