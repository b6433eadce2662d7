"""An import of scans as it is kept: `O#<org>#IMPORT#<id>`, its files on the root, its pages parts.

It is due from its first moment until its last page is settled; each step is one Change, so that a
crash loses one step at most and nothing is done twice. Pages are numbered through the whole import.
Whatever is wrong with a file or a page is its own result, and the rest goes on.

A picture that belongs to nobody has a term, from the day of the import: whoever imported it is
reminded, then it goes (GDPR Art. 5(1)(e)). Its page says first that it is gone, then the picture is
erased, then its key is forgotten: so a crash leaves no picture that nothing speaks of.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.documents.scans.ink import Ink
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    Change,
    Event,
    Held,
    Key,
    Lookup,
    Notice,
    Once,
    Part,
)
from chalicelib.kernel.errors import Conflict, Invalid, NotFound

KIND = "IMPORT"
MOST_FILES = 40
MOST_BYTES = 50 * 1024 * 1024
MOST_PAGES = 1000  # of all files together
NAMES_KEPT = timedelta(days=14)
REMINDED = timedelta(days=14)  # before the term of what nobody picked
TO_DO = "SCANS"
SEEN_FILE = "SCANFILE"
EARLIEST = date(1990, 1, 1)  # of a signature; an older day is a slip of the keyboard


class FileState(StrEnum):
    """What became of a file; the rest are the words of `documents.scans.sources.Trouble`."""

    PENDING = "pending"
    READ = "read"
    SEEN = "seen"
    NOT_UPLOADED = "not_uploaded"
    TOOK_TOO_LONG = "took_too_long"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    TYPE_REFUSED = "type_refused"
    TOO_MANY_PAGES = "too_many_pages"
    NO_PAGES = "no_pages"
    TOO_LARGE = "too_large"


class PageState(StrEnum):
    """How far a page has come."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    BLANK = "blank"
    UNREADABLE = "unreadable"
    SEEN = "seen"
    INCOMPLETE = "incomplete"
    WAITING = "waiting"
    RECORDED = "recorded"
    HISTORY = "history"
    REJECTED = "rejected"
    OVER = "over"  # nobody picked it in time


class State(StrEnum):
    """How far the import has come."""

    READING = "reading"
    SETTLING = "settling"
    DONE = "done"


class ScanFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One uploaded file: what it is called, what became of it, how many of its pages were read."""

    file_id: str
    name: str
    state: FileState = FileState.PENDING
    sha256: str = ""
    pages: int = 0
    read: int = 0


class ScanPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One page: part `PAGE#<number>` of its import.

    `reason` says why it is unmatched or unreadable, `doubts` why it waits for a person, `missing`
    which pages its paper still lacks. `open` while the next step must settle it.
    """

    number: int
    file: int
    in_file: int
    state: PageState
    reason: str = ""
    code: str = ""
    page: int = 0
    pages: int = 0
    client_id: str = ""
    declaration_id: str = ""
    object_key: str = ""
    sha256: str = ""
    signed: bool | None = None
    doubts: tuple[str, ...] = ()
    ink: Ink | None = None
    missing: tuple[int, ...] = ()
    open: bool = False
    accepted_by: str = ""
    rejected_by: str = ""

    @property
    def gone(self) -> bool:
        """Nobody's for good, and its picture is still to be erased."""
        nobodys = self.state in (PageState.REJECTED, PageState.OVER) and not self.declaration_id
        return nobodys and bool(self.object_key)


class ScanImport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of an import of scans.

    `unmatched` counts the pages of which nobody knows yet whose they are, `unmatched_days` says how
    long they wait; `gone` counts the pictures that are to be erased.
    """

    kind: Literal["scan"] = "scan"
    by: str
    created: datetime
    files: tuple[ScanFile, ...]
    signed_on: date | None = None
    pages: int = 0
    open: int = 0
    unmatched: int = 0
    unmatched_days: int = 90
    reminded: bool = False
    gone: int = 0
    finished: datetime | None = None

    @property
    def decide_by(self) -> datetime:
        """Until when an unmatched page waits for somebody who knows whose it is."""
        return self.created + timedelta(days=self.unmatched_days)

    @property
    def remind_at(self) -> datetime:
        """When whoever imported it is reminded of what is still unmatched."""
        return self.decide_by - min(REMINDED, timedelta(days=self.unmatched_days) / 2)

    @property
    def due_at(self) -> datetime | None:
        """The next moment that something is to be done, once all is settled; None for never."""
        moments = []
        if self.finished is not None and any(one.name for one in self.files):
            moments.append(self.finished + NAMES_KEPT)
        if self.unmatched:
            moments.append(self.decide_by if self.reminded else self.remind_at)
        return min(moments, default=None)

    @property
    def state(self) -> State:
        """Reading until every file has its result, then settling what was read."""
        if any(one.state is FileState.PENDING for one in self.files):
            return State.READING
        return State.SETTLING if self.open else State.DONE

    @property
    def current(self) -> int:
        """Which file is read now."""
        return next(
            number for number, one in enumerate(self.files) if one.state is FileState.PENDING
        )


class ImportUnknown(NotFound):
    code = "import_unknown"
    sentence = "There is no such import."


class PageUnknown(NotFound):
    code = "scan_page_unknown"
    sentence = "There is no such page in this import."


class NothingToImport(Invalid):
    code = "nothing_to_import"
    sentence = "Name at least one uploaded file, each once."


class SignedInFuture(Invalid):
    code = "signed_in_future"
    sentence = "Nobody has signed on a day that is still to come."


class SignedLongAgo(Invalid):
    code = "signed_long_ago"
    sentence = "No paper of ours was signed before 1990."


class PageNotOpen(Conflict):
    """Only what is unmatched is assigned, only what waits is decided."""

    code = "scan_page_settled"
    sentence = "This page waits for nobody."


def key(org: str, import_id: str) -> Key:
    """Where an import is kept."""
    return Key(org, KIND, import_id)


def create(
    where: Key,
    files: Sequence[ScanFile],
    *,
    signed_on: date | None,
    today: date,
    unmatched_days: int,
    once: Once,
    by: Actor,
    now: datetime,
) -> Change:
    """A new import, due at once; what its pages without a client may wait for counts from now."""
    if not files or len({one.file_id for one in files}) != len(files):
        raise NothingToImport(field="files")
    if signed_on is not None and signed_on > today:
        raise SignedInFuture(field="signed_on")
    if signed_on is not None and signed_on < EARLIEST:
        raise SignedLongAgo(field="signed_on")
    root = ScanImport(
        by=by.id,
        created=now,
        files=tuple(files),
        signed_on=signed_on,
        unmatched_days=unmatched_days,
    )
    body = {"files": [one.file_id for one in files], "signed_on": signed_on}
    return Change(
        key=where,
        version=0,
        head="",
        root=root,
        event=Event(kind="scans_imported", actor=by, at=now, body=body),
        due_at=now,
        once=once,
    )


def read_on(
    held: Held[ScanImport], file: ScanFile, pages: Sequence[ScanPage], *, now: datetime
) -> Change:
    """Some pages of the file that is being read, or its result.

    Only a file that was read to its end was seen: any other may be imported again.
    """
    files = tuple(
        file if number == held.value.current else one for number, one in enumerate(held.value.files)
    )
    root = replace(
        held.value,
        files=files,
        pages=held.value.pages + len(pages),
        open=held.value.open + sum(one.open for one in pages),
        unmatched=held.value.unmatched + sum(one.state is PageState.UNMATCHED for one in pages),
    )
    whole = file.state is FileState.READ
    lookups = (Lookup(kind=SEEN_FILE, digest=file.sha256),) if whole else ()
    body = {"file": file.file_id, "state": file.state, "sha256": file.sha256, "read": file.read}
    return _step(held, root, "scan_read", body, pages, now, lookups)


def settled(held: Held[ScanImport], pages: Sequence[ScanPage], *, now: datetime) -> Change:
    """What became of the pages of one paper; none of them is open any more."""
    closed = [replace(one, open=False) for one in pages]
    root = replace(held.value, open=max(0, held.value.open - sum(one.open for one in pages)))
    body = {"pages": [[one.number, one.state] for one in closed]}
    return _step(held, root, "scan_settled", body, closed, now)


def followed(held: Held[ScanImport], pages: Sequence[ScanPage], *, now: datetime) -> Change:
    """What became of pages whose paper a later import completed."""
    body = {"pages": [[one.number, one.state] for one in pages]}
    return _step(held, held.value, "scan_settled", body, pages, now)


def assign(
    held: Held[ScanImport],
    page: ScanPage,
    *,
    client_id: str,
    declaration_id: str,
    code: str,
    number: int,
    total: int,
    by: Actor,
    now: datetime,
) -> Change:
    """A person says which page of which declaration this is (S37)."""
    if page.state is not PageState.UNMATCHED or page.open:
        raise PageNotOpen
    assigned = replace(
        page,
        state=PageState.MATCHED,
        client_id=client_id,
        declaration_id=declaration_id,
        code=code,
        page=number,
        pages=total,
        open=True,
    )
    return _reopened(held, _picked(held.value), assigned, "scan_assigned", by, now)


def decide(
    held: Held[ScanImport], page: ScanPage, *, accept: bool, by: Actor, now: datetime
) -> Change:
    """A person looked at a page: the paper counts as it was recorded, or it does not.

    A paper whose other pages will never come may be rejected, too.
    """
    rejectable = page.state is PageState.INCOMPLETE and not accept
    if page.open or not (rejectable or page.state is PageState.WAITING):
        raise PageNotOpen
    decided = replace(page, accepted_by=by.id) if accept else replace(page, rejected_by=by.id)
    kind = "scan_accepted" if accept else "scan_rejected"
    return _reopened(held, held.value, replace(decided, open=True), kind, by, now)


def forget(held: Held[ScanImport], *, now: datetime) -> Change | None:
    """The names of the files go some days after the last step: people call files by people."""
    if all(not one.name for one in held.value.files):
        return None
    files = tuple(replace(one, name="") for one in held.value.files)
    return _step(held, replace(held.value, files=files), "scan_names_forgotten", {}, (), now)


def dismiss(held: Held[ScanImport], page: ScanPage, *, by: Actor, now: datetime) -> Change:
    """A person says that an unmatched page belongs to no declaration; its picture goes next."""
    if page.state is not PageState.UNMATCHED or page.open:
        raise PageNotOpen
    gone = replace(_bare(page, PageState.REJECTED), rejected_by=by.id)
    root = _picked(held.value)
    root = replace(root, gone=root.gone + gone.gone)
    return _step(held, root, "scan_dismissed", {"page": page.number}, [gone], now, by=by)


def remind(held: Held[ScanImport], *, on: date, now: datetime) -> Change:
    """Word to whoever imported it: what is still unmatched goes after this day."""
    data = {"reference": held.key.id, "kind": "scans_unmatched", "on": on.isoformat()}
    notice = Notice(
        person=held.value.by, about=held.key.id, step="unmatched", due_at=now, data=data
    )
    change = _step(held, replace(held.value, reminded=True), "scans_reminded", {}, (), now)
    return replace(change, notices=(notice,))


def lapse(held: Held[ScanImport], pages: Sequence[ScanPage], *, now: datetime) -> Change:
    """Nobody picked these in time: of each stays that there was a page (GDPR Art. 5(1)(e)).

    The file may be imported anew, by whoever finds out after all.
    """
    root = held.value
    over = [_bare(one, PageState.OVER) for one in pages]
    gone = sum(one.gone for one in over)
    root = replace(root, unmatched=max(0, root.unmatched - len(over)), gone=root.gone + gone)
    files = sorted({root.files[one.file].sha256 for one in pages} - {""})
    lookups = [Lookup(kind=SEEN_FILE, digest=one, remove=True) for one in files]
    body = {"pages": [one.number for one in over]}
    return _step(held, root, "scans_lapsed", body, over, now, lookups)


def erased(held: Held[ScanImport], pages: Sequence[ScanPage], *, now: datetime) -> Change:
    """The pictures of these pages are gone, every version of them."""
    root = replace(held.value, gone=max(0, held.value.gone - len(pages)))
    body = {"pages": [one.number for one in pages]}
    left = [replace(one, object_key="") for one in pages]
    return _step(held, root, "scan_pictures_erased", body, left, now)


def _bare(page: ScanPage, state: PageState) -> ScanPage:
    """That there was a page, and where its picture is to be erased."""
    return ScanPage(
        number=page.number,
        file=page.file,
        in_file=page.in_file,
        state=state,
        object_key=page.object_key,
    )


def _picked(root: ScanImport) -> ScanImport:
    """One page less of which nobody knows whose it is."""
    return replace(root, unmatched=max(0, root.unmatched - 1))


def _reopened(
    held: Held[ScanImport], root: ScanImport, page: ScanPage, kind: str, by: Actor, now: datetime
) -> Change:
    root = replace(root, open=root.open + 1)
    body = {"page": page.number, "declaration": page.declaration_id}
    return _step(held, root, kind, body, [page], now, by=by)


def _step(
    held: Held[ScanImport],
    root: ScanImport,
    kind: str,
    body: dict[str, Any],
    pages: Iterable[ScanPage],
    now: datetime,
    lookups: Sequence[Lookup] = (),
    by: Actor = SYSTEM,
) -> Change:
    over = root.state is State.DONE
    root = replace(root, finished=(root.finished or now) if over else None)
    return Change.of(
        held,
        root,
        Event(kind=kind, actor=by, at=now, body=body),
        parts=[_part(held.value, one) for one in pages],
        lookups=lookups,
        due_at=root.due_at if over and not root.gone else now,
    )


def _part(root: ScanImport, page: ScanPage) -> Part:
    """What a person has to do is in the worklist, oldest import first."""
    to_do = page.state in (PageState.UNMATCHED, PageState.WAITING, PageState.INCOMPLETE)
    listed = to_do and not page.open
    name = "unmatched" if page.state is PageState.UNMATCHED else "waiting"
    rank = f"{name}#{root.created.isoformat()}#{page.number:05d}" if listed else ""
    return Part(
        sk=f"PAGE#{page.number:05d}",
        data=page,
        list_name=TO_DO if listed else "",
        rank=rank,
    )
