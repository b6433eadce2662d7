"""The floor: a minimal Chalice app, one bare botocore client, one GetItem."""

import os

from chalice import Chalice

from bench.cold.request import KEY, ask

app = Chalice(app_name="floor", configure_logs=False)


@app.route("/api/public/{org}/links/read", methods=["POST"])
def read(org: str) -> dict[str, str]:
    """One item."""
    import botocore.session

    client = botocore.session.get_session().create_client("dynamodb")
    key = {name: {"S": value} for name, value in KEY.items()}
    found = client.get_item(TableName=os.environ["TABLE_NAME"], Key=key)
    return {"data": found["Item"]["data"]["S"]}


ask(app)
