"""E-mail that comes in: laid down in the bucket as SES would, for the right organisation."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from local.clients import client, resource


def deliver(engine: str, outputs: Mapping[str, str], raw: bytes, to: str) -> bool:
    """Put the message under `inbound/<organisation>/`; False where none takes mail for `to`.

    As the rules of receipt do: its mailbox, and `r+...` at the same domain for replies.
    """
    name, _, domain = to.strip().lower().rpartition("@")
    for org, mailbox in _mailboxes(engine, outputs["TableName"]):
        own, _, host = mailbox.lower().rpartition("@")
        if domain == host and name.partition("+")[0] in {own, "r"}:
            key = f"inbound/{org}/{secrets.token_hex(16)}"
            client("s3", engine).put_object(Bucket=outputs["BucketName"], Key=key, Body=raw)
            return True
    return False


def _mailboxes(engine: str, table: str) -> Iterator[tuple[str, str]]:
    """Each organisation that takes complaints by e-mail, and where."""
    asked: dict[str, Any] = {
        "FilterExpression": "SK = :root AND contains(PK, :kind)",
        "ExpressionAttributeValues": {":root": "ROOT", ":kind": "#ORGANISATION#"},
    }
    while True:
        page = resource("dynamodb", engine).Table(table).scan(**asked)
        for item in page["Items"]:
            root = json.loads(item["data"])
            mailbox = root["settings"].get("complaints", {}).get("mailbox", "")
            if mailbox:
                yield root["org"], mailbox
        if "LastEvaluatedKey" not in page:
            return
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
