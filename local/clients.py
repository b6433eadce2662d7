"""boto3 clients of the local engine, with the rights of the account itself."""

from __future__ import annotations

from typing import Any

from local.settings import REGION

# The engine takes this key for the account itself, also where it enforces IAM.
_ACCOUNT = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}


def client(service: str, engine: str) -> Any:
    import boto3

    return boto3.client(service, endpoint_url=engine, **_ACCOUNT, config=_config(service))


def resource(service: str, engine: str) -> Any:
    import boto3

    return boto3.resource(service, endpoint_url=engine, **_ACCOUNT, config=_config(service))


def _config(service: str) -> Any:
    from botocore.config import Config

    # Without this, presigned addresses come out in a signature that AWS no longer takes.
    signature = {"signature_version": "s3v4"} if service == "s3" else {}
    return Config(retries={"total_max_attempts": 3}, **signature)
