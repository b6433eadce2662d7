"""Use cases of scans: what people ask for; a paper found by its code.

The API writes down what a person wants and makes the import due; what is heavy runs on the agenda,
in `scan_work` (S31-S37).
"""

from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from chalicelib.clients import store as client_store
from chalicelib.clients.domain import Client, DeclarationUnknown
from chalicelib.consents import imports, sheets, store
from chalicelib.consents.domain import Declaration
from chalicelib.consents.imports import (
    ImportUnknown,
    PageState,
    PageUnknown,
    ScanFile,
    ScanImport,
    ScanPage,
)
from chalicelib.documents import codes, papers
from chalicelib.documents.scans import printed
from chalicelib.kernel import ids, workdays
from chalicelib.kernel.change import Actor, AlreadyDone, Change, Held, Key, Once
from chalicelib.kernel.errors import ChangedMeanwhile, Gone, Invalid, NotFound
from chalicelib.organisations.domain import House
from chalicelib.ports import Item, Listed, Ports

MOST_TRIES = 5
MOST_PAPER_BYTES = 10 * 1024 * 1024
JPEG = "image/jpeg"
TYPES = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/tiff": (".tif", ".tiff"),
}

_import = msgspec.json.Decoder(ScanImport).decode
_page = msgspec.json.Decoder(ScanPage).decode


class ScanTypeRefused(Invalid):
    code = "scan_type_refused"
    sentence = "Import PDF, JPEG, PNG or TIFF."


class ScanSizeRefused(Invalid):
    code = "scan_size_refused"
    sentence = "A file may have 50 MB."


class PageNumberRefused(Invalid):
    code = "scan_page_number_refused"
    sentence = "The declaration has no page of this number."


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The declaration that a code names, its client, and its paper as it was printed."""

    client_id: str
    declaration: Declaration
    paper: bytes


def quarantine(org: str, file_id: str) -> str:
    """Where a file lies from its upload until it is read."""
    return f"quarantine/{org}/scans/{file_id}"


def check_claim(name: str, content_type: str, size: int) -> None:
    """`ScanTypeRefused` or `ScanSizeRefused` for what is not taken at all."""
    if not name.lower().endswith(TYPES.get(content_type, ("\0",))):
        raise ScanTypeRefused(field="content_type")
    if not 0 < size <= imports.MOST_BYTES:
        raise ScanSizeRefused(field="size")


def create(
    ports: Ports,
    house: House,
    files: Sequence[ScanFile],
    *,
    signed_on: date | None,
    by: Actor,
    once: Callable[[str], Once],
) -> Held[ScanImport]:
    """A new import; the same request again gives the one that it made."""
    org, import_id = house.organisation.org, ids.new_id()
    today = workdays.local(ports.now, house.settings.time_zone).date()
    change = imports.create(
        imports.key(org, import_id),
        files,
        signed_on=signed_on,
        today=today,
        unmatched_days=house.settings.keeping.unmatched_days,
        once=once(import_id),
        by=by,
        now=ports.now,
    )
    try:
        ports.ledger.commit(change)
    except AlreadyDone as done:
        import_id = done.result
    return get(ports, org, import_id)


def get(ports: Ports, org: str, import_id: str) -> Held[ScanImport]:
    """The import as it is now; `ImportUnknown` if there is none in this organisation."""
    items = ports.ledger.read(imports.key(org, import_id), "ROOT")
    if "ROOT" not in items:
        raise ImportUnknown
    return root(items["ROOT"])


def pages(ports: Ports, where: Key) -> list[ScanPage]:
    """Every page of an import, in order."""
    return [_page(item.data) for item in ports.ledger.parts(where, "PAGE#")]


def to_do(ports: Ports, org: str, name: str, *, after: str, most: int) -> Listed:
    """A page of what is unmatched, or waits for a person, oldest import first."""
    listed = f"O#{org}#{imports.TO_DO}"
    return ports.ledger.entries(listed, prefix=f"{name}#", after=after, most=most)


def shown(item: Item) -> ScanPage:
    """The page that an entry of the worklist holds."""
    return _page(item.data)


def assign(
    ports: Ports,
    house: House,
    import_id: str,
    number: int,
    *,
    declaration: tuple[str, str] | str,
    page: int,
    by: Actor,
) -> None:
    """A person says which page of which declaration this is: by its code, or by its ids (S37)."""
    org = house.organisation.org
    target = _chosen(ports, house, declaration)
    total = printed.count(target.paper)
    if not 1 <= page <= total:
        raise PageNumberRefused(field="page")

    def decided(held: Held[ScanImport], one: ScanPage) -> Change:
        return imports.assign(
            held,
            one,
            client_id=target.client_id,
            declaration_id=target.declaration.declaration_id,
            code=target.declaration.code,
            number=page,
            total=total,
            by=by,
            now=ports.now,
        )

    _act(ports, org, import_id, number, decided)


def decide(ports: Ports, org: str, import_id: str, number: int, *, accept: bool, by: Actor) -> None:
    """A person looked: a page that waits is accepted or rejected, an unmatched one dismissed.

    The picture of one that is dismissed is erased by the next turn, every version of it.
    """

    def decided(held: Held[ScanImport], one: ScanPage) -> Change:
        if one.state is PageState.UNMATCHED and not accept:
            return imports.dismiss(held, one, by=by, now=ports.now)
        return imports.decide(held, one, accept=accept, by=by, now=ports.now)

    _act(ports, org, import_id, number, decided)


def _act(
    ports: Ports,
    org: str,
    import_id: str,
    number: int,
    decided: Callable[[Held[ScanImport], ScanPage], Change],
) -> None:
    """One act on one page; a step settled meanwhile does not take it from the person."""
    where, sk = imports.key(org, import_id), f"PAGE#{number:05d}"
    for attempt in range(MOST_TRIES):
        items = ports.ledger.read(where, "ROOT", sk)
        if "ROOT" not in items:
            raise ImportUnknown
        if sk not in items:
            raise PageUnknown
        page = _page(items[sk].data)
        try:
            ports.ledger.commit(decided(root(items["ROOT"]), page))
        except ChangedMeanwhile:
            if attempt == MOST_TRIES - 1:
                raise
            continue
        return


def _chosen(ports: Ports, house: House, declaration: tuple[str, str] | str) -> Target:
    org = house.organisation.org
    if isinstance(declaration, str):
        return _typed(ports, house, declaration)
    held, one = store.get(ports, org, *declaration)
    return Target(client_id=held.key.id, declaration=one, paper=_printed(ports, house, held, one))


def _typed(ports: Ports, house: House, code: str) -> Target:
    try:
        found = by_code(ports, house, codes.parse_code(code))
    except codes.PaperCodeRefused as error:
        raise codes.PaperCodeRefused(field="code") from error
    if found is None:
        raise DeclarationUnknown
    return found


def by_code(ports: Ports, house: House, code: str) -> Target | None:
    """The declaration of this organisation that bears this code; None where there is none."""
    org = house.organisation.org
    for key in ports.ledger.find(org, "PAPERCODE", code):
        for item in ports.ledger.parts(key, "DECL#"):
            declaration = store.declaration(item)
            if declaration.code == code:
                return _target(ports, house, key.id, declaration)
    return None


def _target(ports: Ports, house: House, client_id: str, declaration: Declaration) -> Target | None:
    """The declaration with its paper; None once the client's data are gone."""
    try:
        held = client_store.get(ports, house.organisation.org, client_id)
    except (NotFound, Gone):
        return None
    paper = _printed(ports, house, held, declaration)
    return Target(client_id=client_id, declaration=declaration, paper=paper)


def _printed(ports: Ports, house: House, held: Held[Client], declaration: Declaration) -> bytes:
    """The paper as it was printed; if only a message carried it, as it would be."""
    if declaration.paper is not None:
        kept = ports.bucket.get(declaration.paper.object_key, most=MOST_PAPER_BYTES)
        if kept is not None:
            return kept
    return papers.rendered(sheets.sheet(ports, house, held, declaration))


def root(item: Item) -> Held[ScanImport]:
    """The import that a root item holds."""
    return Held(key=item.key, value=_import(item.data), version=item.version, head=item.head)
