"""Exports of all clients and consents, for who answers for the organisation."""

import msgspec

from chalicelib.exports import service
from chalicelib.exports.domain import Export, Format, State, What
from chalicelib.kernel.change import Held
from chalicelib.organisations.domain import Role
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)
EXPORTERS = frozenset({Role.ADMIN, Role.HEAD})


class ExportInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be taken away, and in which form."""

    what: What
    format: Format = Format.CSV


class DataExportView(msgspec.Struct, frozen=True, kw_only=True):
    """An export as far as it came; `url` downloads it for five minutes, for one day."""

    export_id: str
    what: What
    format: Format
    state: State
    lines: int
    size: int
    created_at: Moment
    finished_at: Moment | None
    url: str


@routes.staff(
    "POST",
    "/api/exports",
    takes=ExportInput,
    gives=DataExportView,
    status=202,
    creates=True,
    roles=EXPORTERS,
)
def begin_export(call: Call) -> DataExportView:
    """Write all clients, or all consents, to a file; within the next minutes."""
    held = service.begin(
        call.ports,
        call.org,
        call.body.what,
        call.body.format,
        once=call.once_for,
        by=call.actor,
    )
    return _view(call, held)


@routes.staff("GET", "/api/exports/{export_id}", gives=DataExportView, roles=EXPORTERS)
def read_export(call: Call, export_id: str) -> DataExportView:
    """How far an export has come, and the file once it is whole."""
    return _view(call, service.get(call.ports, call.org, export_id))


def _view(call: Call, held: Held[Export]) -> DataExportView:
    root = held.value
    return DataExportView(
        export_id=held.key.id,
        what=root.what,
        format=root.format,
        state=root.state,
        lines=root.lines,
        size=root.size,
        created_at=root.created,
        finished_at=root.finished,
        url=service.link(call.ports, held),
    )
