"""AWS clients, made once per process and on first use.

Bare botocore: boto3 adds import time and nothing that Duly calls.
"""

from functools import cache
from typing import Any


@cache
def session() -> Any:
    """The process's botocore session."""
    import botocore.session

    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """A client with a budget: connect 1 s, read 3 s, three attempts.

    SES gets one attempt and 10 s: a repeated timed-out call is a second e-mail (its retries are the
    letter's own). S3 signs with SigV4.
    """
    from botocore.config import Config

    mail = service == "sesv2"
    config = Config(
        connect_timeout=1,
        read_timeout=10 if mail else 3,
        retries={"total_max_attempts": 1 if mail else 3, "mode": "standard"},
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path"} if service == "s3" else None,
        user_agent_extra="duly",
    )
    return session().create_client(service, config=config)
