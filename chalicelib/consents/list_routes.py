"""Lists of old consents: upload, dry run, apply, how far it has come (S52-S54)."""

import msgspec

from chalicelib.consents import list_service, lists
from chalicelib.consents.lists import ConsentImport, Result, State
from chalicelib.documents.routes import NewFile, Upload
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import Held
from chalicelib.organisations.domain import Role
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)
IMPORTERS = frozenset({Role.ADMIN, Role.HEAD})


class CheckInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the uploaded list is called."""

    name: str


class ProblemView(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is refused: why, and which column is to blame."""

    line: int
    code: str
    field: str


class CountsView(msgspec.Struct, frozen=True, kw_only=True):
    """Lines by what became, or would become, of them."""

    created: int
    updated: int
    history: int
    unchanged: int
    refused: int


class ConsentImportView(msgspec.Struct, frozen=True, kw_only=True):
    """An import as far as it came.

    `ignored` are headers that mean nothing here, `trouble` why the whole list was refused.
    `report_url` is the report line by line, for five minutes, once a stage is over.
    """

    import_id: str
    version: int
    state: State
    trouble: str
    trouble_line: int
    trouble_field: str
    written_in: str
    ignored: tuple[str, ...]
    lines: int
    done: int
    checked: CountsView
    applied: CountsView
    problems: tuple[ProblemView, ...]
    report_url: str
    created_at: Moment
    finished_at: Moment | None


@routes.staff("POST", "/api/imports", takes=NewFile, gives=Upload, status=201, roles=IMPORTERS)
def upload_consents(call: Call) -> Upload:
    """A form for one list of old consents: CSV or XLSX of 50 MB at most."""
    given = call.body
    text.line(given.name, "name", most=120)
    list_service.check_claim(given.name, given.content_type, given.size)
    import_id = ids.new_id()
    form = call.ports.bucket.upload_form(
        list_service.quarantine(call.org, import_id),
        content_type=given.content_type,
        most=lists.MOST_BYTES,
    )
    return Upload(file_id=import_id, url=form["url"], fields=form["fields"])


@routes.staff(
    "POST",
    "/api/imports/{import_id}/check",
    takes=CheckInput,
    gives=ConsentImportView,
    status=202,
    roles=IMPORTERS,
)
def check_import(call: Call, import_id: str) -> ConsentImportView:
    """Read the uploaded list and try every line without effect; within the next minutes."""
    name = text.line(call.body.name, "name", most=120)
    return _view(call, list_service.begin(call.ports, call.org, import_id, name, by=call.actor))


@routes.staff(
    "POST",
    "/api/imports/{import_id}/apply",
    gives=ConsentImportView,
    status=202,
    changes=True,
    roles=IMPORTERS,
)
def apply_import(call: Call, import_id: str) -> ConsentImportView:
    """Apply what was tried; lines that are refused stay out, the others are done one by one."""
    held = list_service.apply(call.ports, call.org, import_id, call.version, by=call.actor)
    return _view(call, held)


@routes.staff("GET", "/api/imports/{import_id}", gives=ConsentImportView, roles=IMPORTERS)
def read_import(call: Call, import_id: str) -> ConsentImportView:
    """How far an import has come, what is wrong with its first lines, and the report of all."""
    return _view(call, list_service.get(call.ports, call.org, import_id))


def _view(call: Call, held: Held[ConsentImport]) -> ConsentImportView:
    root = held.value
    return ConsentImportView(
        import_id=held.key.id,
        version=held.version,
        state=root.state,
        trouble=root.trouble,
        trouble_line=root.trouble_at,
        trouble_field=root.trouble_field,
        written_in=root.written_in,
        ignored=root.ignored,
        lines=root.lines,
        done=min(root.part * lists.PART, root.lines),
        checked=_counts(root.checked),
        applied=_counts(root.applied),
        problems=tuple(
            ProblemView(line=one.line, code=one.code, field=one.field) for one in root.problems
        ),
        report_url=list_service.report(call.ports, held),
        created_at=root.created,
        finished_at=root.finished,
    )


def _counts(found: dict[str, int]) -> CountsView:
    return CountsView(**{kind.value: found.get(kind, 0) for kind in Result})
