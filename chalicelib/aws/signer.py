"""The key that seals: it lies in KMS and signs digests; it can't leave, nor do anything else."""

from chalicelib.aws import clients
from chalicelib.kernel.errors import Unavailable


def sign(key_id: str, digest: bytes) -> bytes:
    """ECDSA over P-256 of a SHA-256 digest, DER-encoded; every outage is `Unavailable`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = clients.client("kms").sign(
            KeyId=key_id,
            Message=digest,
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
    except (BotoCoreError, ClientError) as error:
        raise Unavailable from error
    signature: bytes = answer["Signature"]
    return signature
