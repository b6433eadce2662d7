"""Laying down heads as the table's stream brings them, and sealing the days that are over.

| key | what |
|---|---|
| `roots/<day>/<org>/<digest>.json` | heads that a batch of the stream brought on that day (UTC) |
| `seals/<org>/<day>.json` | the day's seal, signed |

The bucket keeps every version and lets nobody delete one (Object Lock): done twice is the same
object twice. What the stream loses is made good by the chain's next event, for each head stands for
all before it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import islice

import msgspec

from chalicelib.kernel.change import Key
from chalicelib.ports import Vault
from chalicelib.roots import domain
from chalicelib.roots.domain import Root, Sealed

AT_ONCE = 100  # heads of one read
LOOKED_BACK = 7  # days; what was not sealed in time is sealed late
MOST_BYTES = 200 * 1024 * 1024
JSON = "application/json"


def lay_down(vault: Vault, grown: Iterable[tuple[Key, int]], *, today: date) -> int:
    """The heads of the chains that grew, one object for each organisation; how many heads."""
    newest: dict[Key, int] = {}
    for key, version in grown:
        newest[key] = max(version, newest.get(key, 0))
    places, found = iter(newest.items()), []
    while page := list(islice(places, AT_ONCE)):
        hashes = vault.hashes(page)
        found += [
            Root(key, version, hashes[key, version])
            for key, version in page
            if (key, version) in hashes
        ]
    for part in domain.parts(found):
        content = msgspec.json.encode(part)
        name = hashlib.sha256(content).hexdigest()
        _put(vault, f"roots/{today}/{part.org}/{name[:32]}.json", content)
    return len(found)


def seal_days(vault: Vault, *, today: date) -> int:
    """Every day of the last week that is over and not sealed, oldest first; how many seals."""
    made = 0
    for back in range(LOOKED_BACK, 0, -1):
        day = today - timedelta(days=back)
        laid: dict[str, list[str]] = defaultdict(list)
        for one in vault.bucket.found(f"roots/{day}/"):
            laid[one.key.split("/")[2]].append(one.key)
        for org in sorted(laid):
            made += _seal(vault, org, day, laid[org])
    return made


def seals(vault: Vault, org: str) -> list[Sealed]:
    """Every seal of an organisation, oldest first."""
    keys = [one.key for one in vault.bucket.found(f"seals/{org}/")]
    return [_sealed(_get(vault, key)) for key in keys]


def _seal(vault: Vault, org: str, day: date, keys: list[str]) -> int:
    """The day's seal; none where there is one, or a later one, which can't be put off any more."""
    before = [one.key for one in vault.bucket.found(f"seals/{org}/")]
    key = f"seals/{org}/{day}.json"
    if before and before[-1] >= key:
        return 0
    previous = domain.digest(_sealed(_get(vault, before[-1])).seal).hex() if before else ""
    contents = [_get(vault, one) for one in keys]
    seal = domain.seal(org, day, contents, previous=previous)
    signature = vault.sign(domain.digest(seal)).hex()
    _put(vault, key, msgspec.json.encode(Sealed(seal=seal, key=vault.key, signature=signature)))
    return 1


def _get(vault: Vault, key: str) -> bytes:
    content = vault.bucket.get(key, most=MOST_BYTES)
    if content is None:
        raise domain.Unsound(f"{key}: it was listed and is not there")
    return content


def _put(vault: Vault, key: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    vault.bucket.put(key, content, content_type=JSON, sha256=digest)


def _sealed(content: bytes) -> Sealed:
    return msgspec.json.decode(content, type=Sealed)
