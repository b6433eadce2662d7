"""The register read month by month, counted, and written out as a table."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice

import msgspec

from chalicelib.complaints import register, store
from chalicelib.complaints.register import Entry
from chalicelib.kernel import ids, tables
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.workdays import local
from chalicelib.organisations.domain import House
from chalicelib.ports import Ports
from chalicelib.statistics import domain
from chalicelib.statistics.domain import Statistics

PAGE = 100
MOST_LINES = 50_000
COLUMNS = (*Entry.__struct_fields__, "late")


class TooManyLines(Invalid):
    """More lines than one answer can count in time."""

    code = "too_many_lines"
    sentence = "There are too many cases in these months: ask for fewer months."


def entries(ports: Ports, org: str, months: Iterable[str]) -> Iterator[Entry]:
    """Every line of the register of these months of receipt; `TooManyLines` beyond the most."""
    read = 0
    for month in months:
        for entry in _month(ports, org, month):
            read += 1
            if read > MOST_LINES:
                raise TooManyLines(field="from")
            yield entry


def recent(ports: Ports, org: str, last: str, *, most: int) -> tuple[list[Entry], str]:
    """The lines of the last months of receipt up to this one, and the first month that is there.

    So many months at most, and as many whole ones, newest first, as can be counted in time:
    `TooManyLines` if not even the last one can.
    """
    found: list[Entry] = []
    first = ""
    for month in (domain.months_before(last, n) for n in range(most)):
        lines = list(islice(_month(ports, org, month), MOST_LINES - len(found) + 1))
        if len(found) + len(lines) > MOST_LINES:
            break
        found, first = found + lines, month
    if not first:
        raise TooManyLines(field="from")
    return found, first


def statistics(ports: Ports, house: House, first: str, last: str) -> Statistics:
    """The register of these months, counted as of today."""
    lines = entries(ports, house.organisation.org, domain.months(first, last))
    return domain.statistics(lines, on=today(ports, house))


def export(ports: Ports, house: House, first: str, last: str) -> tuple[str, int]:
    """The lines of these months as a table: a link for five minutes, and how many they are.

    The file goes through the bucket, for an answer of the gateway is small; it lies there a week.
    """
    org = house.organisation.org
    lines = list(entries(ports, org, domain.months(first, last)))
    content = table(lines)
    key = f"exports/{org}/{ids.new_id()}.csv"
    digest = hashlib.sha256(content).hexdigest()
    ports.bucket.put(key, content, content_type=tables.CSV, sha256=digest)
    name = f"register-{first}-{last}.csv"
    return ports.bucket.link(key, filename=name, content_type=tables.CSV), len(lines)


def table(lines: Iterable[Entry]) -> bytes:
    """The lines as a table for a spreadsheet (`kernel.tables`)."""
    told = (msgspec.to_builtins(one) | {"late": domain.is_late(one)} for one in lines)
    rows = ([one.get(name, _default(name)) for name in COLUMNS] for one in told)
    return tables.head(COLUMNS) + tables.lines(rows)


def today(ports: Ports, house: House) -> date:
    """The day on the organisation's wall."""
    return local(ports.now, house.settings.time_zone).date()


def _default(name: str) -> object:
    return _DEFAULTS.get(name)


def _month(ports: Ports, org: str, month: str) -> Iterator[Entry]:
    name, after = f"O#{org}#{register.month_list(month)}", ""
    while True:
        page = ports.ledger.entries(name, prefix="", after=after, most=PAGE)
        yield from map(store.entry, page.items)
        after = page.after
        if not after:
            return


_DEFAULTS = {
    one.name: one.default
    for one in msgspec.structs.fields(Entry)
    if one.default is not msgspec.NODEFAULT
}
