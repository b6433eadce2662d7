"""E-mail that comes in: laid down in the bucket as SES would, for the right organisation."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any


def deliver(table: Any, bucket: Any, raw: bytes, to: str) -> bool:
    """Put the message under `inbound/<organisation>/`; False where none takes mail for `to`.

    As the rules of receipt do: its mailbox, and `r+...` at the same domain for replies. `table` and
    `bucket` are resources of boto3.
    """
    name, _, domain = to.strip().lower().rpartition("@")
    for org, mailbox in _mailboxes(table):
        own, _, host = mailbox.lower().rpartition("@")
        if domain == host and name.partition("+")[0] in {own, "r"}:
            key = f"inbound/{org}/{secrets.token_hex(16)}"
            bucket.put_object(Key=key, Body=raw)
            return True
    return False


def _mailboxes(table: Any) -> Iterator[tuple[str, str]]:
    """Each organisation that takes complaints by e-mail, and where."""
    asked: dict[str, Any] = {
        "FilterExpression": "SK = :root AND contains(PK, :kind)",
        "ExpressionAttributeValues": {":root": "ROOT", ":kind": "#ORGANISATION#"},
    }
    while True:
        page = table.scan(**asked)
        for item in page["Items"]:
            root = json.loads(item["data"])
            mailbox = root["settings"].get("complaints", {}).get("mailbox", "")
            if mailbox:
                yield root["org"], mailbox
        if "LastEvaluatedKey" not in page:
            return
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
