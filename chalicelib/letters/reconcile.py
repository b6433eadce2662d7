"""Letters after a restore from backup: what may have left since is not sent again by itself.

A restore brings letters back as they were: promised, though the mail service may have had them
since. Before a letter is handed over it is archived, outside the table; so an archive that is
younger than the moment to which the table went back says that it may have left. Such a letter is
held, in sight of staff. A letter without one did not leave, and goes out as it was promised.
"""

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from chalicelib import log
from chalicelib.kernel.change import Key, Letter
from chalicelib.ports import Due, Ports

PERHAPS_SENT = "perhaps_sent_before_restore"
PAGE = 100
_letter = msgspec.json.Decoder(Letter).decode


def hold_perhaps_sent(ports: Ports, taken: Collection[Key], *, since: datetime) -> tuple[Due, ...]:
    """Hold each letter of these aggregates that was archived since this true moment; which."""
    held = []
    for due in _promised(ports):
        if due.key in taken and _hold(ports, due, since):
            held.append(due)
    return tuple(held)


def _promised(ports: Ports) -> list[Due]:
    """Every letter on the agenda, whenever it is due; read before any is taken off it."""
    found: list[Due] = []
    for shard in ports.shards:
        after: Due | None = None
        while True:
            ends = datetime.max.replace(tzinfo=UTC)
            page = ports.ledger.due(shard, until=ends, most=PAGE, after=after)
            found += [one for one in page if one.sk.startswith("LETTER#")]
            if len(page) < PAGE:
                break
            after = page[-1]
    return found


def _hold(ports: Ports, due: Due, since: datetime) -> bool:
    item = ports.ledger.read(due.key, due.sk).get(due.sk)
    if item is None or not item.due_at:
        return False
    letter = _letter(item.data)
    archive = f"letters/{due.key.org}/{due.key.id}/{letter.letter_id}.eml"
    if not any(one.at >= since for one in ports.bucket.found(archive)):
        return False
    held = replace(letter, state="held", lease_until=None, archive=archive, reason=PERHAPS_SENT)
    ports.ledger.save_letter(item, held, due_at=None)
    log.info("letter_held_after_restore", letter=letter.letter_id, template=letter.template)
    return True
