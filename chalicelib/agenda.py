"""Whatever must happen later is due in the agenda; here each kind finds its handler.

The tick alone gets everything done; the table's stream hands letters over within a second. Twice,
late or at the same time does no harm: every handler ends in a conditional write.

What is heavy may end its process, by memory or by time, and then nobody counts that it failed. So
each of its turns is leased first: counted as an attempt, and not due before the lease is over.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib import log
from chalicelib.clients import service as clients
from chalicelib.complaints import correspondence as case_letters
from chalicelib.complaints import service as complaints
from chalicelib.consents import correspondence, list_work, scan_work
from chalicelib.consents import service as consents
from chalicelib.digests import service as digests
from chalicelib.erasure import service as erasure
from chalicelib.exports import service as exports
from chalicelib.kernel.change import Key
from chalicelib.kernel.errors import ChangedMeanwhile, DomainError
from chalicelib.letters import service as letters
from chalicelib.letters.service import Owner
from chalicelib.portability import service as portability
from chalicelib.ports import Due, Item, MailDelayed, Ports

PAGE = 100
MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
LEASE = timedelta(minutes=10)  # longer than any function may run
MOST_TRIES = 5

# Who promises letters, and who attends to an aggregate that is due, by its kind.
OWNERS: Mapping[str, Owner] = {
    "CLIENT": correspondence.OWNER,
    "COMPLAINT": case_letters.OWNER,
    "ORGANISATION": digests.ORGANISATION,
    "PERSON": digests.PERSON,
}
TARGETS = {"CLIENT": clients.TARGET, "COMPLAINT": complaints.TARGET}
ATTEND: Mapping[str, Callable[[Ports, Key], str]] = {
    "CLIENT": lambda ports, key: consents.attend(ports, key, complaints.has_open),
    "COMPLAINT": complaints.attend,
    "ORGANISATION": digests.begin_day,
    "PERSON": digests.attend,
}
# Who does a turn of what is heavy: handed the root as it was before the lease, its attempts too.
WORK: Mapping[str, Callable[[Ports, Item], None]] = {
    "IMPORT": scan_work.attend,
    "CONSENTS": list_work.attend,
    "EXPORT": exports.attend,
    "PORTABILITY": portability.attend,
    "ERASURE": lambda ports, item: erasure.attend(ports, item, TARGETS),
}


class NeverEnded(Exception):
    """Attempt after attempt was begun, and none of them came to an end."""


class Run(msgspec.Struct, kw_only=True):
    """What one run did."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    stuck: int = 0
    stopped: str = ""
    mail_stopped: str = ""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there is time for one more item."""

    left: Any

    def spent(self) -> bool:
        """Less than fifteen seconds left: a letter may wait ten for the mail service."""
        return bool(self.left() < 15_000)


def run_due(ports: Ports, budget: Budget) -> Run:
    """Everything that is due, shard by shard, until time is up.

    Each minute starts at another shard, so that a long one never keeps the others waiting for ever.
    Once the mail service says stop, letters wait and everything else goes on: no deadline waits for
    mail.
    """
    run = Run()
    first = ports.now.minute % len(ports.shards)
    for shard in (*ports.shards[first:], *ports.shards[:first]):
        _work_off(ports, shard, budget, run)
        if run.stopped:
            break
    return run


def run_on(ports: Ports, budget: Budget) -> Run:
    """As `run_due`, again and again while something is done: what is heavy goes turn by turn."""
    whole = Run()
    while True:
        run = run_due(ports, budget)
        whole = Run(
            done=whole.done + run.done,
            skipped=whole.skipped + run.skipped,
            failed=whole.failed + run.failed,
            stuck=whole.stuck + run.stuck,
            stopped=run.stopped,
        )
        if run.stopped or not run.done:
            return whole


def hand_over(ports: Ports, dues: Iterable[Due], budget: Budget) -> Run:
    """Letters straight from the table's stream, until time is up.

    What fails here, or is not reached, is on the agenda anyhow.
    """
    run = Run()
    for due in dues:
        if budget.spent():
            run.stopped = "time"
            break
        _attempt(ports, due, run)
    return run


def _work_off(ports: Ports, shard: str, budget: Budget, run: Run) -> None:
    after: Due | None = None
    told: set[Key] = set()  # whose notices became a letter: one letter a person a run
    while True:
        page = ports.ledger.due(shard, until=ports.now, most=PAGE, after=after)
        for due in page:
            if budget.spent():
                run.stopped = "time"
                return
            if due.sk.startswith("NOTICE#"):
                if due.key in told:
                    continue
                told.add(due.key)
            _attempt(ports, due, run)
        if len(page) < PAGE:
            return
        after = page[-1]


def _attempt(ports: Ports, due: Due, run: Run) -> None:
    """One due item; what fails is tried again later, and one bad item stops nobody else."""
    if run.mail_stopped and due.sk.startswith("LETTER#"):
        run.skipped += 1
        return
    try:
        outcome = _handle(ports, due)
    except MailDelayed as delayed:
        run.mail_stopped = str(delayed) or "mail"
        return
    except ChangedMeanwhile:
        run.skipped += 1
        return
    except Exception as error:  # noqa: BLE001  one poisoned item must not stop the rest
        _failed(ports, due, error, run)
        return
    if outcome == "skipped":
        run.skipped += 1
    else:
        run.done += 1


def _handle(ports: Ports, due: Due) -> str:
    if due.sk.startswith("LETTER#"):
        return letters.deliver(ports, due, OWNERS[due.key.kind])
    if due.key.kind in WORK:
        return _work(ports, due.key)
    return ATTEND[due.key.kind](ports, due.key)


def _work(ports: Ports, key: Key) -> str:
    """A turn of what is heavy, leased; its commit says when it is due, which ends the lease.

    `NeverEnded` instead of a turn once its attempts are used up.
    """
    item = ports.ledger.read(key, "ROOT").get("ROOT")
    if item is None or not item.due_at or _moment(item) > ports.now:
        return "skipped"
    if item.attempts >= MOST_ATTEMPTS:
        raise NeverEnded
    due = Due(key=key, sk="ROOT", due_at=item.due_at)
    ports.ledger.postpone(due, attempts=item.attempts + 1, due_at=ports.now + LEASE)
    try:
        WORK[key.kind](ports, item)
    except ChangedMeanwhile:
        _give_back(ports, item)
        raise
    return "done"


def _give_back(ports: Ports, was: Item) -> None:
    """Somebody was first, and nothing failed: due as it was, if the lease still stands."""
    with suppress(DomainError):  # then it is due when the lease is over
        item = ports.ledger.read(was.key, was.sk).get(was.sk)
        if item is not None and _is_leased(ports, item):
            leased = Due(key=was.key, sk=was.sk, due_at=item.due_at)
            ports.ledger.postpone(leased, attempts=was.attempts, due_at=_moment(was))


def _is_leased(ports: Ports, item: Item) -> bool:
    """Whether the item is as this run leased it: nobody has said since when it is due."""
    return bool(item.due_at) and _moment(item) == ports.now + LEASE


def _moment(item: Item) -> datetime:
    return datetime.fromisoformat(item.due_at)


def _failed(ports: Ports, due: Due, error: Exception, run: Run) -> None:
    """Count the attempt and back off; after the last one, out of the way and in sight of staff.

    A lease has counted it already. What a turn wrote before it failed says when the next one is.
    """
    log.error("agenda_item_failed", error, item=due.sk, owner=str(due.key))
    run.failed += 1
    try:
        item = ports.ledger.read(due.key, due.sk).get(due.sk)
        if item is None or not item.due_at:
            return
        leased = due.key.kind in WORK and _is_leased(ports, item)
        if due.key.kind in WORK and not leased and _moment(item) > ports.now:
            return
        attempts = item.attempts if leased else item.attempts + 1
        later = ports.now + min(FIRST_PAUSE * 2**attempts, LONGEST_PAUSE)
        still = Due(key=due.key, sk=due.sk, due_at=item.due_at)
        given_up = attempts >= MOST_ATTEMPTS
        ports.ledger.postpone(still, attempts=attempts, due_at=None if given_up else later)
    except DomainError as again:
        log.error("agenda_postpone_failed", again, item=due.sk)
        return
    if given_up:
        run.stuck += 1
        ports.count("stuck_items", 1)


def _is_lost(bounce: dict[str, Any]) -> bool:
    """Whether the message did not arrive and will not.

    SES tells of a soft bounce once it has given up; but with the subtype General it may be an
    answer such as "out of office", sent by a mailbox that has the message.
    """
    kind, subtype = bounce.get("bounceType"), bounce.get("bounceSubType", "General")
    return kind == "Permanent" or (kind == "Transient" and subtype != "General")


def on_mail_event(ports: Ports, detail: dict[str, Any]) -> str:
    """What the mail service tells; of the bounces those that say that nothing arrived."""
    kind = detail.get("eventType", "")
    if kind == "Bounce" and not _is_lost(detail.get("bounce", {})):
        return "transient"
    tags = detail.get("mail", {}).get("tags", {})
    if not {"org", "kind", "owner", "letter", "about"} <= set(tags):
        return "foreign"
    key, message_id = letters.tagged(tags)[0], detail["mail"].get("messageId", "")
    if key.kind not in OWNERS:
        return "foreign"
    for _ in range(MOST_TRIES):
        try:
            return letters.on_mail_event(
                ports, kind, tags, OWNERS[key.kind], message_id=str(message_id)
            )
        except ChangedMeanwhile:  # another event of the letter, or its sender's own mark
            continue
    raise ChangedMeanwhile
