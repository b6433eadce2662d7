"""Import of scans, for staff: upload, import, watch, and decide what needs a person (S31-S37)."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from chalicelib.consents import imports, scans
from chalicelib.consents.imports import FileState, PageState, ScanFile, ScanImport, ScanPage, State
from chalicelib.documents import codes, papers
from chalicelib.documents.routes import NewFile, Upload
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import Held
from chalicelib.kernel.errors import Invalid
from chalicelib.web import paging
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)
PAGE = 25
ONE_PAGE = "/api/scans/{import_id}/pages/{page}"


class UploadedScan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was uploaded for this import."""

    file_id: str
    name: str


class ScansInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The files, and the day on which their papers were signed, where staff know it (D21)."""

    files: Annotated[tuple[UploadedScan, ...], msgspec.Meta(min_length=1, max_length=40)]
    signed_on: date | None = None


class Assignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of which declaration it is: by the code on the paper, or by the ids."""

    code: str = ""
    client_id: str = ""
    declaration_id: str = ""
    page: Annotated[int, msgspec.Meta(ge=1, le=999)] = 1


class PageDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person who looked at the page says."""

    decision: Literal["accept", "reject"]


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the page of the list starts."""

    cursor: str = ""


class ScanFileView(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and what became of it."""

    file_id: str
    name: str
    state: FileState
    pages: int
    read: int
    sha256: str


class ScanPageView(msgspec.Struct, frozen=True, kw_only=True):
    """A page, what became of it, and why; `url` shows it for five minutes.

    `over`: nobody said in time whose it is, and its picture is erased.
    """

    import_id: str
    number: int
    file: int
    in_file: int
    state: PageState
    reason: str
    code: str
    page: int
    pages: int
    client_id: str
    declaration_id: str
    signed: bool | None
    doubts: tuple[str, ...]
    missing: tuple[int, ...]
    settling: bool
    url: str


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """An import as far as it came. `correct`: all was read, and each page found its place (S34)."""

    import_id: str
    version: int
    state: State
    correct: bool
    signed_on: date | None
    created_at: Moment
    finished_at: Moment | None
    files: tuple[ScanFileView, ...]
    pages: tuple[ScanPageView, ...]


class ScanPagesView(msgspec.Struct, frozen=True, kw_only=True):
    """Pages that need a person."""

    pages: tuple[ScanPageView, ...]
    cursor: str


@routes.staff("POST", "/api/scans/uploads", takes=NewFile, gives=Upload, status=201)
def upload_scan(call: Call) -> Upload:
    """A form for one file of scans: PDF, JPEG, PNG or TIFF of 50 MB at most (S33)."""
    given = call.body
    scans.check_claim(text.line(given.name, "name", most=120), given.content_type, given.size)
    file_id = ids.new_id()
    where = scans.quarantine(call.org, file_id)
    form = call.ports.bucket.upload_form(
        where, content_type=given.content_type, most=imports.MOST_BYTES
    )
    return Upload(file_id=file_id, url=form["url"], fields=form["fields"])


@routes.staff("POST", "/api/scans", takes=ScansInput, gives=ImportView, status=201, creates=True)
def import_scans(call: Call) -> ImportView:
    """Import what was uploaded; it is read within the next minutes (S31-S36)."""
    for one in call.body.files:
        if not ids.is_id(one.file_id):
            raise Invalid(field="files")
    files = [
        ScanFile(file_id=one.file_id, name=text.line(one.name, "files.name", most=120))
        for one in call.body.files
    ]
    held = scans.create(
        call.ports,
        call.house,
        files,
        signed_on=call.body.signed_on,
        by=call.actor,
        once=call.once_for,
    )
    return _view(call, held)


@routes.staff("GET", "/api/scans/unmatched", query=PageQuery, gives=ScanPagesView)
def read_unmatched_scans(call: Call) -> ScanPagesView:
    """Pages whose declaration nobody knows yet (S37).

    Each waits `unmatched_days` of the organisation's keeping from its import; then its picture is
    erased.
    """
    return _to_do(call, "unmatched")


@routes.staff("GET", "/api/scans/waiting", query=PageQuery, gives=ScanPagesView)
def read_waiting_scans(call: Call) -> ScanPagesView:
    """Pages that wait for a person, or for the rest of their paper."""
    return _to_do(call, "waiting")


@routes.staff("GET", "/api/scans/{import_id}", gives=ImportView)
def read_scans(call: Call, import_id: str) -> ImportView:
    """How far an import has come, file by file and page by page (S34)."""
    return _view(call, scans.get(call.ports, call.org, import_id))


@routes.staff("POST", ONE_PAGE + "/assign", takes=Assignment, gives=ImportView, status=202)
def assign_scan(call: Call, import_id: str, page: str) -> ImportView:
    """Say which declaration an unmatched page belongs to; its ink is looked at next (S37)."""
    given = call.body
    by_ids = ids.is_id(given.client_id) and ids.is_id(given.declaration_id)
    if bool(given.code) == by_ids:
        raise Invalid("Give the code, or client_id and declaration_id.", field="code")
    scans.assign(
        call.ports,
        call.house,
        import_id,
        int(page),
        declaration=given.code or (given.client_id, given.declaration_id),
        page=given.page,
        by=call.actor,
    )
    return read_scans(call, import_id)


@routes.staff("POST", ONE_PAGE + "/decide", takes=PageDecision, gives=ImportView, status=202)
def decide_scan(call: Call, import_id: str, page: str) -> ImportView:
    """Accept or reject a page that waits, or dismiss one that belongs to no declaration."""
    accept = call.body.decision == "accept"
    scans.decide(call.ports, call.org, import_id, int(page), accept=accept, by=call.actor)
    return read_scans(call, import_id)


def _to_do(call: Call, name: str) -> ScanPagesView:
    keys, query = call.ports.link_keys(), f"scans\0{call.org}\0{name}"
    after = paging.unseal(call.query.cursor, query, keys)
    listed = scans.to_do(call.ports, call.org, name, after=after, most=PAGE)
    return ScanPagesView(
        pages=tuple(_page(call, item.key.id, scans.shown(item)) for item in listed.items),
        cursor=paging.seal(listed.after, query, keys),
    )


def _view(call: Call, held: Held[ScanImport]) -> ImportView:
    root, found = held.value, scans.pages(call.ports, held.key)
    return ImportView(
        import_id=held.key.id,
        version=held.version,
        state=root.state,
        correct=_correct(root, found),
        signed_on=root.signed_on,
        created_at=root.created,
        finished_at=root.finished,
        files=tuple(
            ScanFileView(
                file_id=one.file_id,
                name=one.name,
                state=one.state,
                pages=one.pages,
                read=one.read,
                sha256=one.sha256,
            )
            for one in root.files
        ),
        pages=tuple(_page(call, held.key.id, one) for one in found),
    )


def _correct(root: ScanImport, found: list[ScanPage]) -> bool:
    fine = {PageState.RECORDED, PageState.HISTORY, PageState.SEEN, PageState.BLANK}
    whole = all(one.state in (FileState.READ, FileState.SEEN) for one in root.files)
    return root.state is State.DONE and whole and all(one.state in fine for one in found)


def _page(call: Call, import_id: str, one: ScanPage) -> ScanPageView:
    url = ""
    if one.object_key and not one.gone:
        kind = papers.PDF if one.object_key.endswith(".pdf") else scans.JPEG
        name = f"scan-{one.number}.{'pdf' if kind == papers.PDF else 'jpg'}"
        url = call.ports.bucket.link(one.object_key, filename=name, content_type=kind)
    return ScanPageView(
        import_id=import_id,
        number=one.number,
        file=one.file,
        in_file=one.in_file,
        state=one.state,
        reason=one.reason,
        code=codes.group(one.code) if one.code else "",
        page=one.page,
        pages=one.pages,
        client_id=one.client_id,
        declaration_id=one.declaration_id,
        signed=one.signed,
        doubts=one.doubts,
        missing=one.missing,
        settling=one.open,
        url=url,
    )
