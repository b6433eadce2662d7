"""Powertools' resolver with a boto3 table."""

import os

import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from bench.cold.request import KEY, ask

app = APIGatewayRestResolver()
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@app.post("/api/public/<org>/links/read")
def read(org: str) -> dict[str, str]:
    """One item."""
    return {"data": table.get_item(Key=KEY)["Item"]["data"]}


ask(app.resolve)
