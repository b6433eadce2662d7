"""AWS clients, made once per process and on first use.

Bare botocore: boto3 adds import time and nothing that Duly calls.
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

# Whom Duly calls. Botocore would look through all of its 400 services to find that it knows one.
SERVICES = ("dynamodb", "kms", "s3", "secretsmanager", "sesv2")


class ModelFiles:
    """Botocore's files of services and endpoints, read by msgspec.

    Two clients read 2 MB of JSON; botocore's own reader, which keeps the order in a type of its own
    where a dict keeps it anyhow, takes a tenth of a cold start for it (`make bench`).
    """

    def exists(self, file_path: str) -> bool:
        """Whether there is such a file; the path has no extension."""
        return any(Path(file_path + extension).is_file() for extension in (".json", ".json.gz"))

    def load_file(self, file_path: str) -> Any:
        """What the file says, or None where there is none."""
        plain, packed = Path(file_path + ".json"), Path(file_path + ".json.gz")
        if plain.is_file():
            return msgspec.json.decode(plain.read_bytes())
        if packed.is_file():
            import gzip

            return msgspec.json.decode(gzip.decompress(packed.read_bytes()))
        return None


@cache
def session() -> Any:
    """The process's botocore session."""
    import botocore.session

    made = botocore.session.get_session()
    loader = made.get_component("data_loader")
    loader.file_loader = ModelFiles()
    loader.list_available_services = lambda type_name: SERVICES
    return made


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
        parameter_validation=False,  # AWS checks what it is asked; so each call costs less
        user_agent="duly",  # botocore builds its own anew for each call, a sixth of its time
    )
    return session().create_client(service, config=config)
