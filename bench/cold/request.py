"""The one request that each contender answers, and the question whether it did.

Imports nothing that a contender does not need itself.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

KEY = {"PK": sys.argv[2], "SK": "ROOT"} if len(sys.argv) > 2 else {}


class Context:
    """What Lambda tells of itself."""

    function_name = "bench"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:bench"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Time enough."""
        return 25_000


def ask(handler: Callable[[dict[str, Any], Any], dict[str, Any]]) -> None:
    """Hand the event named on the command line to the handler; exit 1 unless it answers 200."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123  pathlib is not free at a start
        event = json.load(file)
    answer = handler(event, Context())
    if answer["statusCode"] != 200 or not json.loads(answer["body"]):
        sys.exit(str(answer))
