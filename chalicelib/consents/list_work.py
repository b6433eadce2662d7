"""What the agenda does with a list of old consents: read, try, apply; a part of it at a time.

Trying and applying are the same code but for the last write. Lines of different people are worked
off side by side; lines that share a number or an address one after the other, so that two lines of
one person never make two clients.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta

import msgspec

from chalicelib.clients import domain as client_domain
from chalicelib.clients import service as client_service
from chalicelib.clients import store as client_store
from chalicelib.clients.domain import EXTERNAL, SUPPRESSED, Client, Identity
from chalicelib.consents import columns, importing, list_service, lists, standings
from chalicelib.consents.columns import Line, Reading
from chalicelib.consents.lists import ConsentImport, Result, State, Told
from chalicelib.documents import delimited, workbooks
from chalicelib.documents.delimited import Row, Trouble, Unreadable
from chalicelib.kernel import ids, tables
from chalicelib.kernel.change import Actor, AlreadyDone, Change, Held, Key, Once
from chalicelib.kernel.errors import (
    ChangedMeanwhile,
    DomainError,
    Taken,
    TooLarge,
    Unavailable,
)
from chalicelib.organisations import store as organisations
from chalicelib.organisations.domain import House
from chalicelib.ports import Item, Ports

MOST_ATTEMPTS = 3
SECONDS = 10.0  # of one turn, and a step: the agenda begins none with less than fifteen left
MOST_TRIES = 5
MOST_SUPPRESSED = 5000  # are kept in memory; beyond that each line asks
BATCH = 100
BUNCH = 16  # groups of lines
MOST_ITEMS = 100  # of one transaction
HANDS = 4
ONCE_DAYS = 90
REPORT = ("line", "result", "code", "field", "client_id")
JSON = "application/json"
DAY_ONE, DAY_ONE_1904 = date(1899, 12, 30), date(1904, 1, 1)

_lines = msgspec.json.Decoder(tuple[Line, ...]).decode


def attend(ports: Ports, item: Item) -> None:
    """One turn of an import that is due: a few steps, each written down when it is done."""
    held, ends = list_service.held_of(item), time.monotonic() + SECONDS
    if held.value.state is State.READING:
        change = _read(ports, held, patient=item.attempts < MOST_ATTEMPTS)
        ports.ledger.commit(change)
        ports.bucket.delete(list_service.quarantine(item.key.org, item.key.id))
        return
    if held.value.state not in (State.CHECKING, State.APPLYING):
        _forget(ports, held)
        return
    turn, stage = _Turn(ports, held), held.value.state
    while held.value.state is stage:
        turn.step(held)
        held = list_service.get(ports, item.key.org, item.key.id)
        if time.monotonic() >= ends:
            break


def _clear(ports: Ports, held: Held[ConsentImport]) -> None:
    """The lines go: they are all that the list says of people."""
    for part in range(1, held.value.parts + 1):
        ports.bucket.delete(_part(held.key, part))


def _forget(ports: Ports, held: Held[ConsentImport]) -> None:
    _clear(ports, held)
    change = lists.forget(held, now=ports.now)
    if change is not None:
        ports.ledger.commit(change)


# Reading


def _read(ports: Ports, held: Held[ConsentImport], *, patient: bool) -> Change:
    """The whole list, as parts of lines; whatever is wrong with all of it is told at once."""
    now = ports.now
    if not patient:
        return lists.refused(held, "took_too_long", now=now)
    try:
        content = ports.bucket.get(
            list_service.quarantine(held.key.org, held.key.id), most=lists.MOST_BYTES
        )
        if content is None:
            return lists.refused(held, "not_uploaded", now=now)
        return _parts(ports, held, content)
    except TooLarge:
        return lists.refused(held, "too_large", now=now)
    except Unreadable as error:
        return lists.refused(held, error.trouble, at=error.line, now=now)
    except (columns.ColumnMissing, columns.ColumnTwice) as error:
        return lists.refused(held, error.code, field=error.field or "", now=now)


def _parts(ports: Ports, held: Held[ConsentImport], content: bytes) -> Change:
    house = organisations.house(ports, held.key.org)
    written_in, rows = _opened(content, house)
    first = next(rows, None)
    if first is None:
        raise Unreadable(Trouble.EMPTY)
    found = columns.columns(first.cells, _titles(house))
    reading = Reading(
        languages=house.settings.languages,
        time_zone=house.settings.time_zone,
        first_day=_first_day(content),
    )
    number = parts = 0
    batch: list[Line] = []
    for row in rows:
        number += 1
        if number > lists.MOST_LINES:
            raise Unreadable(Trouble.TOO_LARGE, row.number)
        batch.append(columns.line(row, found, reading))
        if len(batch) == lists.PART:
            parts += 1
            _put(ports, _part(held.key, parts), msgspec.json.encode(batch), JSON)
            batch.clear()
    if batch:
        parts += 1
        _put(ports, _part(held.key, parts), msgspec.json.encode(batch), JSON)
    if not number:
        raise Unreadable(Trouble.EMPTY)
    return lists.was_read(
        held,
        sha256=hashlib.sha256(content).hexdigest(),
        written_in=written_in,
        ignored=found.ignored,
        lines=number,
        parts=parts,
        now=ports.now,
    )


def _opened(content: bytes, house: House) -> tuple[str, Iterator[Row]]:
    """How the list is written down, and its rows; the separator is the one that gives columns."""
    if workbooks.is_workbook(content):
        return "xlsx", workbooks.rows(content)
    name = delimited.encoding(content)
    titles = _titles(house)

    def fits(separator: str) -> int:
        first = next(delimited.rows(content, name, separator), None)
        return columns.score(first.cells, titles) if first else 0

    separator = max(delimited.SEPARATORS, key=fits)
    return name, delimited.rows(content, name, separator)


def _first_day(content: bytes) -> date | None:
    """From when a workbook counts its days."""
    if not workbooks.is_workbook(content):
        return None
    return DAY_ONE_1904 if workbooks.is_1904(content) else DAY_ONE


def _titles(house: House) -> dict[str, list[str]]:
    return {
        one.purpose: [text.title for text in one.texts.values()]
        for one in house.catalogue.purposes
        if one.purpose != client_domain.NOTICE
    }


# Trying and applying


class _Turn:
    """What one turn keeps at hand: the organisation, the source that all lines share."""

    def __init__(self, ports: Ports, held: Held[ConsentImport]) -> None:
        self.ports = ports
        self.key = held.key
        self.house = organisations.house(ports, held.key.org)
        self.dry = held.value.state is State.CHECKING
        root = held.value
        self.sha256 = root.sha256
        self.source = importing.Source(
            import_id=held.key.id,
            by=root.applying_by or Actor("staff", root.by),
            now=ports.now,
            months=self.house.catalogue.months,
            grace=timedelta(days=self.house.settings.keeping.grace_days),
        )
        self.nobodys: set[str] = set()  # of these lines' numbers and addresses
        self.tried: dict[str, str] = {}  # whom the dry run found for each of these lines
        self.kept_off = self._kept_off()

    def step(self, held: Held[ConsentImport]) -> None:
        """One part of the list, its results kept, the import one part further."""
        part, stage = held.value.part + 1, lists.stage_of(held.value)
        content = self.ports.bucket.get(_part(self.key, part), most=lists.MOST_BYTES)
        if content is None:
            raise Unavailable
        lines = [self._checked(line) for line in _lines(content)]
        self.tried = {} if self.dry else self._found_before(part)
        self._look_up(lines)
        groups = together(lines)
        bunches = [groups[start : start + BUNCH] for start in range(0, len(groups), BUNCH)]
        with ThreadPoolExecutor(HANDS) as hands:
            results = [one for some in hands.map(self._bunch, bunches) for one in some]
        results.sort(key=lambda one: one.line)
        rows = tables.lines(msgspec.structs.astuple(one) for one in results)
        _put(self.ports, _results(self.key, stage, part), rows, tables.CSV)
        change = lists.went_on(held, tuple(results), now=self.ports.now)
        if part == held.value.parts:
            self._finish(stage, part)
        self.ports.ledger.commit(change)
        if change.root.state is State.DONE:
            _clear(self.ports, held)

    def _checked(self, line: Line) -> Line:
        """The line with names and addresses as Duly writes them, or with what is wrong with it."""
        if line.problem or line.identity is None:
            return line
        try:
            identity = client_service.checked(self.house, line.identity)
        except DomainError as error:
            return msgspec.structs.replace(line, problem=error.code, field=error.field or "")
        return msgspec.structs.replace(line, identity=identity)

    def _look_up(self, lines: Sequence[Line]) -> None:
        """Which numbers and addresses of these lines nobody has: one call for a hundred of them."""
        wanted: dict[str, set[str]] = {}
        for line in lines:
            for kind, digest in self._ways(line):
                wanted.setdefault(kind, set()).add(digest)
        self.nobodys = set()
        for kind, digests in wanted.items():
            each = sorted(digests)
            for start in range(0, len(each), BATCH):
                some = each[start : start + BATCH]
                self.nobodys |= set(some) - self.ports.ledger.held(self.key.org, kind, some)

    def _ways(self, line: Line) -> list[tuple[str, str]]:
        """By what a client is found, in this order: number, e-mail, telephone; as kind and hash."""
        identity = line.identity
        if line.problem or identity is None:
            return []
        number = client_domain.external_value(line.external_id) if line.external_id else ""
        digests = client_service.digests(self.house, identity, external_id=line.external_id)
        values = ((EXTERNAL, number), ("EMAIL", identity.email), ("PHONE", identity.phone))
        return [(kind, digests[value]) for kind, value in values if value]

    def _finish(self, stage: str, parts: int) -> None:
        """One report of all lines."""
        whole = [tables.head(REPORT)]
        for part in range(1, parts + 1):
            where = _results(self.key, stage, part)
            whole.append(self.ports.bucket.get(where, most=lists.MOST_BYTES) or b"")
        _put(self.ports, list_service.report_place(self.key, stage), b"".join(whole), tables.CSV)

    def _bunch(self, groups: Iterable[Sequence[Line]]) -> list[Told]:
        """Lines of different people: what is written of them is written together.

        Several lines of one person go one by one, for the later builds on what the earlier wrote.
        """
        told: list[Told] = []
        wanted: list[tuple[Line, Told, Change]] = []
        for group in groups:
            if len(group) > 1:
                told += map(self._one, group)
                continue
            (line,) = group
            said, change = self._foreseen(line)
            if change is None:
                told.append(said)
                continue
            if sum(one.items for *_, one in wanted) + change.items > MOST_ITEMS:
                told += self._written(wanted)
                wanted = []
            wanted.append((line, said, change))
        return told + self._written(wanted)

    def _foreseen(self, line: Line) -> tuple[Told, Change | None]:
        """As `_planned`; what does not go at once is settled at once, and nothing is left."""
        try:
            return self._planned(line)
        except Unavailable:
            raise
        except DomainError:
            return self._one(line), None

    def _written(self, wanted: Sequence[tuple[Line, Told, Change]]) -> list[Told]:
        """All in one transaction; where something stands in the way, each by itself."""
        if len(wanted) > 1:
            with suppress(ChangedMeanwhile):
                self.ports.ledger.commit_together([change for *_, change in wanted])
                for line, *_ in wanted:
                    self._taken(line)
                return [told for _, told, _ in wanted]
        return [self._one(line) for line, *_ in wanted]

    def _one(self, line: Line) -> Told:
        """One line, whatever it holds: its result is its own, and the next one's turn comes."""
        for attempt in range(MOST_TRIES):
            try:
                return self._by_itself(line)
            except Unavailable:
                raise  # it is not the line's fault: the whole part is tried again later
            except (ChangedMeanwhile, Taken) as error:
                self._taken(line)
                if attempt == MOST_TRIES - 1:
                    return Told(line.number, Result.REFUSED, error.code)
            except DomainError as error:
                return Told(line.number, Result.REFUSED, error.code, error.field or "")
        raise AssertionError("the last attempt returns")

    def _by_itself(self, line: Line) -> Told:
        told, change = self._planned(line)
        if change is None:
            return told
        try:
            self.ports.ledger.commit(change)
        except AlreadyDone as done:
            return Told(line.number, Result.UNCHANGED, client_id=done.result)
        self._taken(line)
        return told

    def _taken(self, line: Line) -> None:
        """Somebody may have its number or its addresses by now: the next look asks."""
        self.nobodys -= {digest for _, digest in self._ways(line)}

    def _planned(self, line: Line) -> tuple[Told, Change | None]:
        """What becomes of a line, and what is to be written for it: nothing where it is tried."""
        if line.problem or line.identity is None:
            return Told(line.number, Result.REFUSED, line.problem, line.field), None
        told, change = self._settled(line, line.identity)
        return told, None if self.dry else change

    def _settled(self, line: Line, identity: Identity) -> tuple[Told, Change | None]:
        digests = client_service.digests(self.house, identity, external_id=line.external_id)
        held = self._client(line, identity)
        if held is None:
            self._refuse_erased(line)
            self._refuse_suppressed(line, identity, digests)
            return self._new(line, identity, digests)
        client_store.refuse_erased(held.value)
        wanted = importing.records(held.key.id, line, self.source)
        there = self.ports.ledger.read(held.key, *wanted) if wanted else {}
        given = [one for sk, one in wanted.items() if sk not in there]
        if given:
            self._refuse_suppressed(line, identity, digests)
        change = importing.known_client(held, line, given, self.source, digests=digests)
        if change is None:
            return Told(line.number, Result.UNCHANGED, client_id=held.key.id), None
        only = importing.only_history(change)
        result = Result.HISTORY if only else Result.UPDATED
        return Told(line.number, result, client_id=held.key.id), change

    def _new(
        self, line: Line, identity: Identity, digests: Mapping[str, str]
    ) -> tuple[Told, Change]:
        key = client_domain.key(self.key.org, ids.new_id())
        raw = f"import\0{self.sha256}\0{line.number}".encode()
        once = Once(
            digest=hashlib.sha256(raw).hexdigest()[:32],
            request=self.sha256,
            result=key.id,
            expires_at=int((self.source.now + timedelta(days=ONCE_DAYS)).timestamp()),
        )
        change = importing.new_client(key, identity, line, self.source, digests=digests, once=once)
        client_id = "" if self.dry else key.id
        return Told(line.number, Result.CREATED, client_id=client_id), change

    def _client(self, line: Line, identity: Identity) -> Held[Client] | None:
        """Who is meant: by the number, else by e-mail and name, else by telephone and name."""
        for kind, digest in self._ways(line):
            if digest in self.nobodys:
                continue
            found = self._found(kind, digest)
            held = importing.fitting(line, identity, found, by_number=kind == EXTERNAL)
            if held is not None:
                return held
        return None

    def _found(self, kind: str, digest: str) -> list[Held[Client]]:
        return self._read(self.ports.ledger.find(self.key.org, kind, digest))

    def _read(self, keys: Sequence[Key]) -> list[Held[Client]]:
        pages = (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
        items = (item for page in pages for item in self.ports.ledger.roots(page).values())
        return [client_store.held(item) for item in items if item.key.kind == "CLIENT"]

    def _found_before(self, part: int) -> dict[str, str]:
        """Whom the dry run found, by the number of the line."""
        raw = self.ports.bucket.get(_results(self.key, "check", part), most=lists.MOST_BYTES)
        rows = delimited.rows(raw or b"", "utf-8", ",")
        return {row.cells[0]: row.cells[-1] for row in rows}

    def _refuse_erased(self, line: Line) -> None:
        """A list that was tried before somebody was erased does not bring them back (S15)."""
        client_id = self.tried.get(str(line.number))
        if client_id:
            for one in self._read([client_domain.key(self.key.org, client_id)]):
                client_store.refuse_erased(one.value)

    def _refuse_suppressed(
        self, line: Line, identity: Identity, digests: Mapping[str, str]
    ) -> None:
        if not any(one.decided == "given" for one in line.decisions):
            return
        values = {digests[one] for one in (identity.email, identity.phone) if one}
        if self.kept_off is None:
            found = [one.value for value in values for one in self._found(SUPPRESSED, value)]
        else:
            found = [one for one in self.kept_off if values & set(one.suppressed)]
        standings.refuse_suppressed(line.decisions, found)

    def _kept_off(self) -> list[Client] | None:
        """Those who withdrew and were erased, few as they are; None where they are many."""
        keys = self.ports.ledger.find(self.key.org, SUPPRESSED, client_domain.ANY)
        if len(keys) > MOST_SUPPRESSED:
            return None
        return [one.value for one in self._read(keys)]


def together(lines: Iterable[Line]) -> list[list[Line]]:
    """Lines that share a number or an address, in their order, as one group each."""
    groups: dict[int, list[Line]] = {}
    of: dict[str, int] = {}
    for place, line in enumerate(lines):
        keys = _keys(line)
        joined = sorted({of[one] for one in keys if one in of})
        home = joined[0] if joined else place
        members = groups.setdefault(home, [])
        for other in joined[1:]:
            members += groups.pop(other)
            of |= {one: home for one, group in of.items() if group == other}
        members.append(line)
        of |= dict.fromkeys(keys, home)
    for members in groups.values():
        members.sort(key=lambda one: one.number)
    return list(groups.values())


def _keys(line: Line) -> list[str]:
    if line.identity is None:
        return []
    values = (line.external_id, line.identity.email, line.identity.phone)
    return [f"{n}{one.casefold()}" for n, one in enumerate(values) if one]


def _put(ports: Ports, where: str, content: bytes, content_type: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    ports.bucket.put(where, content, content_type=content_type, sha256=digest)


def _part(key: Key, part: int) -> str:
    return f"imports/{key.org}/{key.id}/lines-{part:05d}.json"


def _results(key: Key, stage: str, part: int) -> str:
    return f"imports/{key.org}/{key.id}/{stage}-{part:05d}.csv"
