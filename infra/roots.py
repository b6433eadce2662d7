"""Check histories against the sealed heads of all chains.

`python -m infra.roots fetch --stage prod --org agencja FOLDER` brings every seal of an organisation
and the public half of the key that signed them. `python -m infra.roots check FOLDER history.json`
needs neither AWS nor Duly's table: it checks that the seals follow one another, that each is
signed, and that each history is the one that was sealed; the first day that is not is named. Keep
`key.pem` of the first time yourself, apart from AWS: then nobody can sign anew with another key.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import boto3
import msgspec

from chalicelib.kernel import chain
from chalicelib.roots import domain
from chalicelib.roots.domain import Sealed, Unsound

KEY = "key.pem"


def fetch(bucket: str, key_id: str, org: str, folder: Path) -> int:
    """Every seal of the organisation and the key's public half, as files; how many seals."""
    from cryptography.hazmat.primitives import serialization

    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    session = boto3.session.Session()
    s3, kms = (session.client(name, endpoint_url=endpoint) for name in ("s3", "kms"))
    folder.mkdir(parents=True, exist_ok=True)
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / KEY).write_bytes(pem)
    number = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"seals/{org}/"):
        for one in page.get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            (folder / one["Key"].rpartition("/")[2]).write_bytes(content)
            number += 1
    return number


def check(folder: Path, histories: Sequence[Path]) -> list[str]:
    """What stands, line by line; `Unsound` or `chain.Broken` at the first that does not."""
    files = sorted(folder.glob("*.json"))
    sealed = [msgspec.json.decode(file.read_bytes(), type=Sealed) for file in files]
    domain.check(sealed, signed_by((folder / KEY).read_bytes()))
    said = [f"{len(sealed)} seals follow one another and are signed"]
    for file in histories:
        text = file.read_text(encoding="utf-8")
        events = chain.verify(text)
        whole = json.loads(text)
        hashes = [event["hash"] for event in whole["events"]]
        spoken = domain.check_history(whole["aggregate"], hashes, sealed)
        said.append(f"{file}: {events} events, the chain stands; {spoken} seals say the same")
    return said


def signed_by(pem: bytes) -> Callable[[bytes, bytes], bool]:
    """Whether a signature over a digest is this key's."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    key = serialization.load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Unsound("the key is not the kind that seals are signed with")

    def signed(digest: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        except InvalidSignature:
            return False
        return True

    return signed


def main() -> None:
    """Fetch or check, as the command line says; 1 at the first thing that does not stand."""
    parser = argparse.ArgumentParser(prog="python -m infra.roots", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    fetching = verbs.add_parser("fetch")
    fetching.add_argument("--stage", required=True, choices=["local", "dev", "prod"])
    fetching.add_argument("--org", required=True)
    fetching.add_argument("folder", type=Path)
    checking = verbs.add_parser("check")
    checking.add_argument("folder", type=Path)
    checking.add_argument("history", type=Path, nargs="*")
    options = parser.parse_args()
    if options.verb == "fetch":
        known = outputs(options.stage)
        place = (known["RootsBucketName"], known["RootsKeyId"])
        print(f"{fetch(*place, options.org, options.folder)} seals")
        return
    try:
        print("\n".join(check(options.folder, options.history)))
    except (Unsound, chain.Broken) as wrong:
        sys.exit(f"DOES NOT STAND: {wrong}")


def outputs(stage: str) -> dict[str, str]:
    """The outputs of the stage's stack."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    stacks = boto3.client("cloudformation", endpoint_url=endpoint)
    (found,) = stacks.describe_stacks(StackName=f"duly-{stage}")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


if __name__ == "__main__":
    main()
