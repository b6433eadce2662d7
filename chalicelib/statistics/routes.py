"""Statistics and the register as a table, for who answers for quality."""

from typing import Annotated

import msgspec

from chalicelib.organisations.domain import Role
from chalicelib.statistics import domain, service
from chalicelib.statistics.domain import Statistics
from chalicelib.web.blueprint import ApiBlueprint, Call

routes = ApiBlueprint(__name__)
COUNTERS = frozenset({Role.QUALITY, Role.HEAD, Role.ADMIN})
# `\Z`: in Python `$` also stands before a line break at the end.
Month = Annotated[str, msgspec.Meta(pattern=r"^((19|20)[0-9]{2}-(0[1-9]|1[0-2]))?\Z")]


class Months(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Months of receipt, both ends in them; left out: the last twelve."""

    first: Month = msgspec.field(default="", name="from")
    last: Month = msgspec.field(default="", name="to")


class StatisticsView(msgspec.Struct, frozen=True, kw_only=True):
    """The register of these months, counted."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    statistics: Statistics


class ExportedView(msgspec.Struct, frozen=True, kw_only=True):
    """A table to download: CSV for five minutes, and how many lines it has."""

    url: str
    lines: int


@routes.staff("GET", "/api/statistics", query=Months, gives=StatisticsView, roles=COUNTERS)
def read_statistics(call: Call) -> StatisticsView:
    """Submissions by kind, product, cause, department, outcome, month; how fast (M24, M86)."""
    first, last = _months(call)
    counted = service.statistics(call.ports, call.house, first, last)
    return StatisticsView(first=first, last=last, statistics=counted)


@routes.staff("GET", "/api/statistics/export", query=Months, gives=ExportedView, roles=COUNTERS)
def export_register(call: Call) -> ExportedView:
    """The lines of the register as a table, without anybody's name (M86)."""
    url, lines = service.export(call.ports, call.house, *_months(call))
    return ExportedView(url=url, lines=lines)


def _months(call: Call) -> tuple[str, str]:
    given: Months = call.query
    last = given.last or service.today(call.ports, call.house).isoformat()[:7]
    return given.first or domain.months_before(last, 11), last
