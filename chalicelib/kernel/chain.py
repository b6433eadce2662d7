"""The hash chain of an aggregate's events, and its verifier.

An event is an envelope (who, what, when: never personal), a digest of salt and body, and the body.
The chain runs over envelope and digest, so that stripping a body and its salt (erasure, GDPR
Art. 17) leaves the chain whole. `python -m chalicelib.kernel.chain export.json` checks an export
and names the first event that is not as it was written.
"""

import hashlib
import json
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

GENESIS = ""


class Broken(Exception):
    """The export is not what was written; the message names the first place."""


def canonical(value: Any) -> bytes:
    """The one JSON spelling that is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(salt: str, body: bytes) -> str:
    """Digest of a body under its salt; without the salt a short body can't be guessed from it."""
    return _sha256(salt.encode() + body)


def link(envelope: dict[str, Any], body_digest: str) -> str:
    """The hash that the next event builds on; the envelope holds the hash before it as `previous`."""
    return _sha256(canonical(envelope) + body_digest.encode())


def verify(text: str) -> int:
    """The number of events in an export that stands; `Broken` names the first that does not."""
    export = _read(text)
    head = GENESIS
    for number, event in enumerate(export["events"], 1):
        head = _checked(event, number, export["aggregate"], head)
    if head != export["head"]:
        raise Broken(
            f"the export does not end where its head says, after event {number_of(export)}"
        )
    return number_of(export)


def number_of(export: dict[str, Any]) -> int:
    """How many events an export holds."""
    return len(export["events"])


def export(aggregate: str, head: str, events: list[dict[str, Any]]) -> str:
    """The export that `verify` reads: every byte of it is covered."""
    whole = {"aggregate": aggregate, "events": events, "head": head}
    return json.dumps(whole, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def _read(text: str) -> dict[str, Any]:
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise Broken(f"not readable as JSON: {error}") from error
    if not isinstance(whole, dict) or set(whole) != {"aggregate", "events", "head"}:
        raise Broken("not an export: it needs aggregate, events and head, and nothing else")
    for number, event in enumerate(whole["events"], 1):
        if not isinstance(event, dict) or not {"envelope", "digest", "hash"} <= set(event):
            raise Broken(f"event {number}: envelope, digest or hash is missing")
    if export(whole["aggregate"], whole["head"], whole["events"]) != text:
        raise Broken("the file is not spelled as Duly writes it: something was edited")
    return whole


def _checked(event: dict[str, Any], number: int, aggregate: str, head: str) -> str:
    envelope = event["envelope"]
    if envelope.get("aggregate") != aggregate or envelope.get("version") != number:
        raise Broken(f"event {number}: the envelope is of another event")
    if envelope.get("previous") != head:
        raise Broken(f"event {number}: it does not follow the event before it")
    if (
        "body" in event
        and digest(event.get("salt", ""), canonical(event["body"])) != event["digest"]
    ):
        raise Broken(f"event {number}: the body does not match its digest")
    if link(envelope, event["digest"]) != event["hash"]:
        raise Broken(f"event {number}: envelope and digest do not match the hash")
    return str(event["hash"])


def _sha256(raw: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()


def main(arguments: list[str]) -> int:
    """Check the exports named on the command line; 1 at the first that does not stand."""
    for name in arguments:
        try:
            count = verify(Path(name).read_text(encoding="utf-8"))
        except (Broken, UnicodeDecodeError) as error:
            sys.stdout.write(f"{name}: BROKEN: {error}\n")
            return 1
        sys.stdout.write(f"{name}: {count} events, the chain stands\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
