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
_ERASED = {"envelope", "digest", "hash"}
_WHOLE = _ERASED | {"body", "salt"}
_CLOSING = "\n  }"  # the line that ends an event, as `export` indents it


class Broken(Exception):
    """The export is not what was written; the message names the first place."""


def canonical(value: Any) -> bytes:
    """The one JSON spelling that is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(salt: str, body: bytes) -> str:
    """Digest of a body under its salt; without the salt a short body can't be guessed from it."""
    return _sha256(salt.encode() + body)


def link(envelope: dict[str, Any], body_digest: str) -> str:
    """The hash that the next event builds on; the envelope's `previous` is the hash before it."""
    return _sha256(canonical(envelope) + body_digest.encode())


def verify(text: str) -> int:
    """The number of events in an export that stands; `Broken` names the first that does not."""
    whole = _read(text)
    aggregate, events, head = whole["aggregate"], whole["events"], GENESIS
    for number, event in enumerate(events, 1):
        head = _checked(event, number, aggregate, head)
    if head != whole["head"]:
        raise Broken(f"the export does not end where its head says, after event {len(events)}")
    written = export(aggregate, head, events)
    if written != text:
        place = next(
            (n for n, pair in enumerate(zip(text, written, strict=False)) if pair[0] != pair[1]),
            min(len(text), len(written)),
        )
        raise Broken(f"{_place(text, place)}: not spelled as Duly writes it: something was edited")
    return len(events)


def export(aggregate: str, head: str, events: list[dict[str, Any]]) -> str:
    """The export that `verify` reads: every byte of it is covered."""
    whole = {"aggregate": aggregate, "events": events, "head": head}
    return json.dumps(whole, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def _read(text: str) -> dict[str, Any]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        raise Broken(f"{_place(text, error.pos)}: not readable as JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise Broken("not an export: numbers or depth beyond what Duly writes") from error
    if not isinstance(whole, dict) or set(whole) != {"aggregate", "events", "head"}:
        raise Broken("not an export: it needs aggregate, events and head, and nothing else")
    if not isinstance(whole["events"], list):
        raise Broken("not an export: events is no list")
    for number, event in enumerate(whole["events"], 1):
        if not isinstance(event, dict) or set(event) not in (_ERASED, _WHOLE):
            raise Broken(
                f"event {number}: it needs envelope, digest, hash, and body with salt or neither"
            )
        if not isinstance(event["envelope"], dict) or not isinstance(event.get("salt", ""), str):
            raise Broken(f"event {number}: envelope or salt is not what Duly writes")
    return whole


def _place(text: str, position: int) -> str:
    """Which event stands at this position of an export, by the lines that close the ones before."""
    return f"event {text.count(_CLOSING, 0, position) + 1}"


def _checked(event: dict[str, Any], number: int, aggregate: str, head: str) -> str:
    envelope = event["envelope"]
    if envelope.get("aggregate") != aggregate or envelope.get("version") != number:
        raise Broken(f"event {number}: the envelope is of another event")
    if envelope.get("previous") != head:
        raise Broken(f"event {number}: it does not follow the event before it")
    if "body" in event and digest(event["salt"], canonical(event["body"])) != event["digest"]:
        raise Broken(f"event {number}: the body does not match its digest")
    if link(envelope, str(event["digest"])) != event["hash"]:
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
