"""What the agenda does with an import of scans: read it page by page, settle paper by paper, and
erase what belongs to nobody.

In steps of a few pages; a step that dies is tried again after its lease; a file on which several
die has a result of its own, and the next one's turn comes (S31-S37). A module of its own, because
no request reads pictures.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from chalicelib.clients import domain as client_domain
from chalicelib.clients.domain import Client
from chalicelib.consents import imports, scans, signing, store
from chalicelib.consents.domain import Declaration
from chalicelib.consents.imports import (
    FileState,
    PageState,
    PageUnknown,
    ScanFile,
    ScanImport,
    ScanPage,
    State,
)
from chalicelib.consents.scans import JPEG, Target
from chalicelib.consents.signing import KeptPage, PaperState, SignedPaper
from chalicelib.documents import papers
from chalicelib.documents.codes import Payload
from chalicelib.documents.scans import reading, sources
from chalicelib.documents.scans.reading import Outcome, Reading, Verdict
from chalicelib.documents.scans.sources import Picture, Source, Trouble, Unreadable
from chalicelib.kernel import workdays
from chalicelib.kernel.change import Actor, Change, Held, Key
from chalicelib.kernel.errors import ChangedMeanwhile, Gone, NotFound, TooLarge
from chalicelib.organisations import store as organisations
from chalicelib.ports import Item, Ports

MOST_ATTEMPTS = 3
CHUNK = 5  # pages of one step
MOST_PARTS = 90  # of one transaction, which has room for a hundred
MOST_GONE = 50  # with a pointer for each of forty files
SECONDS = 5.0  # of one turn; the agenda gives the next one
_paper = msgspec.json.Decoder(SignedPaper).decode


def attend(ports: Ports, item: Item) -> None:
    """One turn of an import that is due: a few steps, each written down when it is done."""
    turn = _Turn(ports, item.key, patient=item.attempts < MOST_ATTEMPTS)
    ends = time.monotonic() + SECONDS
    while turn.step() and time.monotonic() < ends:
        pass


class _Turn:
    """What one turn keeps at hand: the organisation, papers by their code, the open pages."""

    def __init__(self, ports: Ports, key: Key, *, patient: bool) -> None:
        self.ports = ports
        self.key = key
        self.house = organisations.house(ports, key.org)
        self.patient = patient
        self.targets: dict[str, Target | None] = {}
        self.known: dict[int, ScanPage] | None = None

    def step(self) -> bool:
        """The next step; False when nothing is left to do."""
        held = scans.get(self.ports, self.key.org, self.key.id)
        if held.value.state is State.READING:
            self._read(held)
        elif held.value.state is State.SETTLING:
            self._settle(held)
        else:
            change = self._wound_up(held)
            if change is None:
                return False
            self.ports.ledger.commit(change)
        return True

    def _wound_up(self, held: Held[ScanImport]) -> Change | None:
        """What is to be done once all is settled: pictures of nobody go, then names of files."""
        root, now = held.value, self.ports.now
        if root.gone:
            gone = [one for one in scans.pages(self.ports, self.key) if one.gone][:MOST_GONE]
            for one in gone:
                self.ports.bucket.erase(one.object_key)
            return imports.erased(held, gone, now=now)
        if root.unmatched and now >= root.decide_by:
            known = scans.pages(self.ports, self.key)
            late = [one for one in known if one.state is PageState.UNMATCHED][:MOST_GONE]
            return imports.lapse(held, late, now=now)
        if root.unmatched and not root.reminded and now >= root.remind_at:
            on = workdays.local(root.decide_by, self.house.settings.time_zone).date()
            return imports.remind(held, on=on, now=now)
        if root.finished is not None and now >= root.finished + imports.NAMES_KEPT:
            return imports.forget(held, now=now)
        return None

    # Reading

    def _read(self, held: Held[ScanImport]) -> None:
        file = held.value.files[held.value.current]
        found: list[ScanPage] = []
        if not self.patient:
            file, self.patient = replace(file, state=FileState.TOOK_TOO_LONG), True
        else:
            try:
                file, found = self._some_pages(held, file)
            except TooLarge:
                file = replace(file, state=FileState.TOO_LARGE)
            except Unreadable as error:
                file = replace(file, state=FileState(error.trouble.value))
        self.ports.ledger.commit(imports.read_on(held, file, found, now=self.ports.now))
        if file.state is not FileState.PENDING:
            self.ports.cache.pop("scan", None)
            self.ports.bucket.erase(scans.quarantine(self.key.org, file.file_id))

    def _some_pages(
        self, held: Held[ScanImport], file: ScanFile
    ) -> tuple[ScanFile, list[ScanPage]]:
        content = self._content(file)
        if content is None:
            return replace(file, state=FileState.NOT_UPLOADED), []
        if not file.sha256:
            file = replace(file, sha256=hashlib.sha256(content).hexdigest())
            if self._seen(held.value, file):
                return replace(file, state=FileState.SEEN), []
        with sources.opened(content) as source:
            if held.value.pages - file.read + source.pages > imports.MOST_PAGES:
                return replace(file, state=FileState.TOO_MANY_PAGES), []
            last = min(file.read + CHUNK, source.pages)
            first = held.value.pages + 1
            found = [
                self._one_page(source, in_file, held.value.current, first + n)
                for n, in_file in enumerate(range(file.read + 1, last + 1))
            ]
            state = FileState.READ if last == source.pages else FileState.PENDING
            return replace(file, state=state, pages=source.pages, read=last), found

    def _content(self, file: ScanFile) -> bytes | None:
        """The file; kept in memory from step to step, one at a time."""
        kept = self.ports.cache.get("scan")
        if kept is not None and kept[0] == file.file_id:
            content: bytes = kept[1]
            return content
        where = scans.quarantine(self.key.org, file.file_id)
        got = self.ports.bucket.get(where, most=imports.MOST_BYTES)
        if got is not None:
            self.ports.cache["scan"] = (file.file_id, got)
        return got

    def _seen(self, root: ScanImport, file: ScanFile) -> bool:
        """Whether this very file was read before, in this import or in another one (S37)."""
        if any(one.sha256 == file.sha256 and one.state is FileState.READ for one in root.files):
            return True
        found = self.ports.ledger.find(self.key.org, imports.SEEN_FILE, file.sha256)
        before = [key for key in found if key != self.key]
        if root.signed_on is None:
            return bool(before)
        # With a day that nobody stated yet, its papers may say more than they did.
        return any(scans.get(self.ports, key.org, key.id).value.signed_on for key in before)

    def _one_page(self, source: Source, in_file: int, file: int, number: int) -> ScanPage:
        page = ScanPage(number=number, file=file, in_file=in_file, state=PageState.UNMATCHED)
        try:
            return self._read_page(source.picture(in_file), page)
        except Unreadable as error:
            return replace(page, state=PageState.UNREADABLE, reason=error.trouble.value)

    def _read_page(self, picture: Picture, page: ScanPage) -> ScanPage:
        with _this_page_alone():
            read = reading.read(picture)
        if read.outcome is Outcome.BLANK:
            return replace(page, state=PageState.BLANK)
        with _this_page_alone():
            content = reading.kept(picture, read.corners)
        page = replace(page, sha256=hashlib.sha256(content).hexdigest())
        target = self._target(read.payload)
        if isinstance(target, str) or read.payload is None:
            reason = (target if isinstance(target, str) else "") or read.outcome.value
            code = read.payload.code if read.payload and reason == "unknown_code" else ""
            page = replace(page, reason=reason, code=code)
            return replace(page, object_key=self._put(_loose(self.key, page), content, page))
        payload = read.payload
        with _this_page_alone():
            verdict = reading.examine(picture, read, target.paper, payload.page, payload.pages)
        page = replace(
            page,
            code=payload.code,
            page=payload.page,
            pages=payload.pages,
            client_id=target.client_id,
            declaration_id=target.declaration.declaration_id,
        )
        page = replace(page, object_key=self._put(_bound(self.key.org, page), content, page))
        return _judged(page, verdict)

    def _target(self, payload: Payload | None) -> Target | str:
        """The declaration that a code names, or why it names none of this organisation's."""
        if payload is None:
            return ""
        if payload.org != self.key.org:
            return "other_organisation"
        if payload.code not in self.targets:
            if len(self.targets) > 20:
                self.targets.clear()  # papers are small, a thousand of them are not
            self.targets[payload.code] = scans.by_code(self.ports, self.house, payload.code)
        return self.targets[payload.code] or "unknown_code"

    def _put(self, where: str, content: bytes, page: ScanPage) -> str:
        self.ports.bucket.put(where, content, content_type=JPEG, sha256=page.sha256)
        return where

    # Settling

    def _settle(self, held: Held[ScanImport]) -> None:
        """What becomes of the open pages of one declaration."""
        if self.known is None:
            self.known = {one.number: one for one in scans.pages(self.ports, self.key)}
        first = next(one for one in self.known.values() if one.open)
        group = [
            one
            for one in self.known.values()
            if one.declaration_id == first.declaration_id and one.client_id == first.client_id
        ]
        for attempt in range(scans.MOST_TRIES):
            try:
                examined = [self._examined(one) for one in group]
                done, gone = self._settled(held.value, examined)
            except ChangedMeanwhile:
                if attempt == scans.MOST_TRIES - 1:
                    raise
                continue
            break
        for start in range(0, len(done), MOST_PARTS):
            part = done[start : start + MOST_PARTS]
            held = scans.get(self.ports, self.key.org, self.key.id) if start else held
            self.ports.ledger.commit(imports.settled(held, part, now=self.ports.now))
        self.known |= {one.number: replace(one, open=False) for one in done}
        moved = {one.object_key for one in group} - {one.object_key for one in examined}
        for where in filter(None, {*gone, *moved}):
            self.ports.bucket.erase(where)

    def _examined(self, page: ScanPage) -> ScanPage:
        """A page that a person assigned, beside its paper now; the picture goes to its client."""
        if not page.open or page.state is not PageState.MATCHED or page.ink or page.doubts:
            return page
        if page.object_key == _bound(self.key.org, page):
            return page
        target = self._target(
            Payload(org=self.key.org, code=page.code, page=page.page, pages=page.pages, layout="")
        )
        content = self.ports.bucket.get(page.object_key, most=imports.MOST_BYTES)
        if content is None or isinstance(target, str):
            return replace(page, doubts=(reading.Doubt.NOT_ALIGNED.value,))
        self._put(_bound(self.key.org, page), content, page)
        blind = Reading(outcome=Outcome.NO_CODE)
        try:
            with sources.opened(content) as source, _this_page_alone():
                picture = source.picture(1)
                verdict = reading.examine(picture, blind, target.paper, page.page, page.pages)
        except Unreadable:
            verdict = Verdict(doubts=(reading.Doubt.NOT_ALIGNED,))
        return _judged(replace(page, object_key=_bound(self.key.org, page)), verdict)

    def _settled(
        self, root: ScanImport, group: Sequence[ScanPage]
    ) -> tuple[list[ScanPage], list[str]]:
        """The pages with what became of them, and the objects that have no more use."""
        first = group[0]
        try:
            held, declaration, paper = self._stored(first)
        except (NotFound, Gone):
            lost = [one for one in group if one.open]
            return [_lost(one) for one in lost], [one.object_key for one in lost]
        if paper is not None and paper.state in signing.FINAL:
            return self._again(root, held, declaration, paper, group)
        if any(one.rejected_by for one in group if one.open):
            return self._rejected(held, paper, group)
        grown = signing.with_pages(
            paper,
            first.declaration_id,
            first.pages,
            [_kept(self.key.id, one) for one in group if one.state is not PageState.REJECTED],
        )
        grown = replace(grown, signed_on=root.signed_on or grown.signed_on)
        judged = signing.judged(held.value, declaration, grown, zone=self.house.settings.time_zone)
        by = Actor("staff", next((p.accepted_by for p in group if p.accepted_by), root.by))
        if judged.state in signing.FINAL:
            judged, gone = self._bind(held.key, judged, by)
            change = self._recorded(held, declaration, judged, by)
        else:
            gone, kind = [], f"paper_{judged.state}"
            change = signing.keep(held, judged, kind=kind, by=by, now=self.ports.now)
        if judged != paper:
            self.ports.ledger.commit(change)
        self._follow(judged)
        return [_became(one, judged) for one in group], gone

    def _stored(self, page: ScanPage) -> tuple[Held[Client], Declaration, SignedPaper | None]:
        found = store.get(self.ports, self.key.org, page.client_id, page.declaration_id)
        sk = f"PAPER#{page.declaration_id}"
        items = self.ports.ledger.read(found[0].key, sk)
        return *found, _paper(items[sk].data) if sk in items else None

    def _recorded(
        self, held: Held[Client], declaration: Declaration, paper: SignedPaper, by: Actor
    ) -> Change:
        change = signing.record(held, declaration, paper, by=by, now=self.ports.now)
        months = self.house.catalogue.months
        return client_domain.with_validity(change, months, before=held.value)

    def _again(
        self,
        root: ScanImport,
        held: Held[Client],
        declaration: Declaration,
        paper: SignedPaper,
        group: Sequence[ScanPage],
    ) -> tuple[list[ScanPage], list[str]]:
        """The paper was recorded before: only a day that nobody stated then changes anything."""
        new = [one for one in group if one.open or one.state is PageState.WAITING]
        dated = None
        if root.signed_on is not None and not any(one.rejected_by for one in new):
            dated = signing.dated(
                held.value,
                declaration,
                paper,
                [_kept(self.key.id, one) for one in new],
                root.signed_on,
                zone=self.house.settings.time_zone,
            )
        if dated is None:
            return self._repeated(paper, group)
        if dated.state is PaperState.WAITING:
            return [_became(one, dated) for one in new], []
        by = Actor("staff", next((one.accepted_by for one in new if one.accepted_by), root.by))
        dated = replace(dated, recorded=self.ports.now, by=by.id)
        self.ports.ledger.commit(self._recorded(held, declaration, dated, by))
        self._follow(dated)
        return [_became(one, dated) for one in new], [one.object_key for one in new]

    def _repeated(
        self, paper: SignedPaper, group: Sequence[ScanPage]
    ) -> tuple[list[ScanPage], list[str]]:
        """The paper was recorded before: its own pages say so, any other is seen and dropped."""
        self._follow(paper)
        own = {(one.import_id, one.number) for one in paper.pages}
        done, gone = [], []
        for one in group:
            if (self.key.id, one.number) in own:
                done.append(_became(one, paper))
                gone += [one.object_key] if one.object_key != paper.object_key else []
            elif one.open or one.state is PageState.WAITING:
                seen = replace(one, state=PageState.SEEN, doubts=(), object_key=paper.object_key)
                done.append(seen)
                gone.append(one.object_key)
        return done, gone

    def _rejected(
        self, held: Held[Client], paper: SignedPaper | None, group: Sequence[ScanPage]
    ) -> tuple[list[ScanPage], list[str]]:
        """A person rejected the paper: nothing changes, and the next scan of it starts anew."""
        by = Actor("staff", next(one.rejected_by for one in group if one.rejected_by))
        if paper is not None and paper.state is not PaperState.REJECTED:
            paper = replace(paper, state=PaperState.REJECTED, by=by.id)
            kind = "paper_rejected"
            change = signing.keep(held, paper, kind=kind, by=by, now=self.ports.now)
            self.ports.ledger.commit(change)
        if paper is not None:
            self._follow(paper)
        return [replace(one, state=PageState.REJECTED) for one in group], []

    def _bind(self, owner: Key, paper: SignedPaper, by: Actor) -> tuple[SignedPaper, list[str]]:
        """The pages as one PDF of the client's own, with its digest."""
        contents = []
        for one in paper.ordered:
            content = self.ports.bucket.get(one.object_key, most=imports.MOST_BYTES)
            if content is None:
                raise PageUnknown  # told to staff as stuck: nothing can be bound without it
            contents.append(content)
        pdf = reading.bound(tuple(contents))
        digest = hashlib.sha256(pdf).hexdigest()
        where = f"papers/{owner.org}/{owner.id}/{paper.declaration_id}-signed-{digest[:16]}.pdf"
        self.ports.bucket.put(where, pdf, content_type=papers.PDF, sha256=digest)
        kept = replace(paper, object_key=where, sha256=digest, recorded=self.ports.now, by=by.id)
        return kept, [one.object_key for one in paper.pages]

    def _follow(self, paper: SignedPaper) -> None:
        """Tell earlier imports what became of the pages that they brought."""
        others: dict[str, list[int]] = {}
        for one in paper.pages:
            if one.import_id != self.key.id:
                others.setdefault(one.import_id, []).append(one.number)
        for import_id, numbers in others.items():
            where = imports.key(self.key.org, import_id)
            sks = [f"PAGE#{number:05d}" for number in numbers]
            items = self.ports.ledger.read(where, "ROOT", *sks)
            if "ROOT" not in items:
                continue
            before = [scans.shown(items[sk]) for sk in sks if sk in items]
            told = [_became(one, paper) for one in before]
            if told != before:
                change = imports.followed(scans.root(items["ROOT"]), told, now=self.ports.now)
                self.ports.ledger.commit(change)


@contextmanager
def _this_page_alone() -> Iterator[None]:
    """What goes wrong with one picture is its page's own trouble; a lack of memory is the run's."""
    try:
        yield
    except (MemoryError, Unreadable):
        raise
    except Exception as error:
        raise Unreadable(Trouble.DAMAGED) from error


def _judged(page: ScanPage, verdict: Verdict) -> ScanPage:
    return replace(
        page,
        state=PageState.MATCHED,
        signed=verdict.signed,
        doubts=tuple(doubt.value for doubt in verdict.doubts),
        ink=verdict.ink,
        open=True,
    )


def _became(page: ScanPage, paper: SignedPaper) -> ScanPage:
    """The page with what became of its paper."""
    state = PageState(paper.state.value)
    final = paper.state in signing.FINAL
    doubts = page.doubts
    if state is PageState.WAITING:
        doubts = tuple(sorted({*page.doubts, *_of_paper(paper.doubts)}))
    return replace(
        page,
        state=state,
        doubts=doubts,
        missing=paper.missing,
        object_key=paper.object_key if final else page.object_key,
    )


def _of_paper(doubts: Iterable[str]) -> list[str]:
    return [one for one in doubts if one in set(signing.Doubt)]


def _lost(page: ScanPage) -> ScanPage:
    """Its client was erased meanwhile, and with them goes what the page shows."""
    return replace(
        page, state=PageState.SEEN, reason="client_erased", doubts=(), ink=None, object_key=""
    )


def _kept(import_id: str, page: ScanPage) -> KeptPage:
    own = tuple(one for one in page.doubts if one not in set(signing.Doubt))
    return KeptPage(
        page=page.page,
        object_key=page.object_key,
        sha256=page.sha256,
        import_id=import_id,
        number=page.number,
        doubts=own,
        accepted_by=page.accepted_by,
    )


def _loose(key: Key, page: ScanPage) -> str:
    """Where a page lies that belongs to nobody yet."""
    return f"scans/{key.org}/{key.id}/{page.number:05d}-{page.sha256[:16]}.jpg"


def _bound(org: str, page: ScanPage) -> str:
    """Where a page of a client's paper lies: with all that is the client's."""
    name = f"{page.declaration_id}-scan-{page.page}-{page.sha256[:16]}.jpg"
    return f"papers/{org}/{page.client_id}/{name}"
