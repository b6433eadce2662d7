"""Check that the histories of a client and of their submissions are as they were written, with
nothing but Python 3.

python3 verify.py                            all that lie beside this file
python3 verify.py HISTORY [seal.json ...]    one of them

Each event's hash covers its envelope and the digest of its body, and names the hash before it. The
first event that was changed, removed, added or moved is named. Of an event that is not yours to
read the digest alone is there, and holds the chain together; such events are named. A seal is the
list of heads that Duly signed for one day: with one, a history that was rewritten as a whole is
found out, too.
"""

import hashlib
import json
import pathlib
import sys
from base64 import urlsafe_b64encode
from typing import Any

ALONE = {"envelope", "digest", "hash"}
WHOLE = ALONE | {"body", "salt"}


def sha(raw: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()


def spelled(value: Any, **how: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, **how).encode()


def wrong_with(event: Any, number: int, aggregate: str, head: str) -> str:
    if set(event) not in (ALONE, WHOLE):
        return "something was added to it or taken out of it"
    envelope, tight = event["envelope"], (",", ":")
    if (envelope["aggregate"], envelope["version"]) != (aggregate, number):
        return "another event stands here"
    if envelope["previous"] != head:
        return "it does not follow the event before it"
    if "body" in event:
        body = event["salt"].encode() + spelled(event["body"], separators=tight)
        if sha(body) != event["digest"]:
            return "what it says was changed"
    if sha(spelled(envelope, separators=tight) + event["digest"].encode()) != event["hash"]:
        return "who, when or what kind was changed"
    return ""


def check(text: str, seals: list[Any]) -> str:
    whole = json.loads(text)
    if set(whole) != {"aggregate", "events", "head"}:
        return "something was added to the file or taken out of it"
    aggregate, events, head = whole["aggregate"], whole["events"], ""
    for number, event in enumerate(events, 1):
        wrong = wrong_with(event, number, aggregate, head)
        if wrong:
            return f"event {number}: {wrong}"
        head = event["hash"]
    if head != whole["head"]:
        return f"event {len(events) + 1}: events are missing at the end"
    again = spelled(whole, indent=1).decode() + "\n"
    if again != text:
        pairs = enumerate(zip(text, again, strict=False))
        same = next((n for n, (a, b) in pairs if a != b), len(text))
        return f"event {text.count(chr(10) + '  }', 0, same) + 1}: the file was edited"
    for seal in seals:
        version, sealed = seal["heads"].get(aggregate, (0, ""))
        if version and (version > len(events) or events[version - 1]["hash"] != sealed):
            return f"event {min(version, len(events) + 1)}: not what was sealed on {seal['day']}"
    return ""


def unread(text: str) -> str:
    """Which events are there without what they say."""
    events = enumerate(json.loads(text)["events"], 1)
    numbers = ", ".join(str(number) for number, event in events if "body" not in event)
    return f" Without what they say: events {numbers}." if numbers else ""


def main(names: list[str]) -> int:
    here = pathlib.Path(__file__).parent
    whole = [here / "history.json", *sorted(here.glob("complaints/*/events.json"))]
    seals = [json.loads(pathlib.Path(one).read_bytes())["seal"] for one in names[1:]]
    found = 0
    for history in [pathlib.Path(names[0])] if names else whole:
        stands = ""
        try:
            text = history.read_bytes().decode()
            wrong = check(text, seals)
            stands = "" if wrong else f"The history stands.{unread(text)}"
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            wrong = f"the file can't be read as a history: {error!r}"
        name = history.relative_to(here) if history.is_relative_to(here) else history
        sys.stdout.write(f"{name}: {stands or f'TAMPERED WITH: {wrong}'}\n")
        found += bool(wrong)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
