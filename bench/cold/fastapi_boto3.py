"""FastAPI behind Mangum with a boto3 table."""

import os

import boto3
from fastapi import FastAPI
from mangum import Mangum

from bench.cold.request import KEY, ask

app = FastAPI()
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@app.post("/api/public/{org}/links/read")
def read(org: str) -> dict[str, str]:
    """One item."""
    return {"data": table.get_item(Key=KEY)["Item"]["data"]}


ask(Mangum(app, lifespan="off"))
