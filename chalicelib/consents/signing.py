"""What a signed paper means for a client: the rules of S31-S37 and D21.

A paper's pages may come together or one after the other, in several imports; they are put together
under its declaration. Once all are there and nothing on them needs a person, each consent stands as
the declaration recorded it, as of the day on which the client signed: never over a decision that
came later, whatever the day of the import. A paper that was recorded is recorded once.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import (
    NOTICE,
    Client,
    ConsentState,
    DeclarationState,
    Notice,
    Progress,
    Proof,
    Standing,
    change_of,
    refusal,
)
from chalicelib.consents.domain import Answer, Declaration
from chalicelib.kernel import workdays
from chalicelib.kernel.change import Actor, Change, Event, Held, Part


class PaperState(StrEnum):
    """What became of a signed paper."""

    INCOMPLETE = "incomplete"
    WAITING = "waiting"
    RECORDED = "recorded"
    HISTORY = "history"
    REJECTED = "rejected"


FINAL = frozenset({PaperState.RECORDED, PaperState.HISTORY})


class Doubt(StrEnum):
    """Why a paper waits for a person, besides what is seen on its pages."""

    DISPUTED_LATER = "disputed_later"
    SIGNED_BEFORE_PRINTED = "signed_before_printed"


class KeptPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a signed paper: its picture, what of it needs a person, and who looked at it."""

    page: int
    object_key: str
    sha256: str
    import_id: str
    number: int
    doubts: tuple[str, ...] = ()
    accepted_by: str = ""


class SignedPaper(msgspec.Struct, frozen=True, kw_only=True):
    """The paper of one declaration as it came back: part `PAPER#<declaration>` of the client."""

    declaration_id: str
    state: PaperState = PaperState.INCOMPLETE
    total: int
    pages: tuple[KeptPage, ...] = ()
    doubts: tuple[str, ...] = ()
    signed_on: date | None = None
    signed_at: datetime | None = None
    object_key: str = ""
    sha256: str = ""
    recorded: datetime | None = None
    by: str = ""

    @property
    def missing(self) -> tuple[int, ...]:
        """The pages that are not there yet."""
        have = {one.page for one in self.pages}
        return tuple(number for number in range(1, self.total + 1) if number not in have)

    @property
    def ordered(self) -> tuple[KeptPage, ...]:
        """The pages as they lie in the paper: a page that came twice once, the one signed first."""
        best: dict[int, KeptPage] = {}
        for one in sorted(self.pages, key=lambda one: ("unsigned" in one.doubts, one.number)):
            best.setdefault(one.page, one)
        return tuple(best[number] for number in sorted(best))


def with_pages(
    paper: SignedPaper | None, declaration_id: str, total: int, pages: Iterable[KeptPage]
) -> SignedPaper:
    """The paper with these pages as well; after a rejection it starts anew."""
    if paper is None or paper.state is PaperState.REJECTED:
        paper = SignedPaper(declaration_id=declaration_id, total=total)
    kept = {(one.import_id, one.number): one for one in paper.pages}
    kept |= {(one.import_id, one.number): one for one in pages}
    return replace(paper, pages=tuple(kept.values()))


def judged(
    client: Client, declaration: Declaration, paper: SignedPaper, *, zone: str
) -> SignedPaper:
    """What becomes of the paper now: incomplete, waiting for a person, or to be recorded (S37)."""
    progress = client.declaration(paper.declaration_id)
    at = moment(progress, declaration, paper.signed_on, zone=zone)
    judged_at = replace(paper, signed_at=at)
    if paper.missing:
        return replace(judged_at, state=PaperState.INCOMPLETE, doubts=())
    doubts = _doubts(progress, judged_at, zone=zone)
    if doubts:
        return replace(judged_at, state=PaperState.WAITING, doubts=doubts)
    changes = any(_decided(client, declaration, at))
    state = PaperState.RECORDED if changes else PaperState.HISTORY
    return replace(judged_at, state=state, doubts=())


def dated(
    client: Client,
    declaration: Declaration,
    paper: SignedPaper,
    pages: Sequence[KeptPage],
    day: date,
    *,
    zone: str,
) -> SignedPaper | None:
    """The paper that was recorded without a day, now that one is stated; None: nothing changes.

    It was signed when it was recorded, so a later day is none of its own: what the client decided
    in between stays the later decision (D21). Its pages stay those that it was recorded with.
    """
    if paper.state not in FINAL or paper.signed_on is not None or paper.recorded is None:
        return None
    grown = with_pages(paper, paper.declaration_id, paper.total, pages)
    again = judged(client, declaration, replace(grown, signed_on=day), zone=zone)
    at = again.signed_at
    if at is None or at > paper.recorded or not _decided(client, declaration, at):
        return None
    return replace(again, pages=paper.pages)


def moment(
    progress: Progress, declaration: Declaration, signed_on: date | None, *, zone: str
) -> datetime:
    """When the client decided: the day that staff state, else when the paper was made (D21).

    A day begins before its decisions, so that none of the same day is taken for an earlier one; but
    nobody signs a paper before it is printed.
    """
    made = first_out(progress, declaration)
    if signed_on is None:
        return made
    return max(made, workdays.instant(signed_on, time(), zone))


def first_out(progress: Progress, declaration: Declaration) -> datetime:
    """When there first was something to sign: printed, or sent, for a message carries the paper.

    What was sent again keeps its last day alone, so then it is the day of the declaration.
    """
    sent = progress.sent if progress.gen <= 1 else declaration.created
    return min((one for one in (progress.printed, sent) if one), default=declaration.created)


def keep(held: Held[Client], paper: SignedPaper, *, kind: str, by: Actor, now: datetime) -> Change:
    """The paper as far as it came; no consent changes."""
    body = {
        "declaration": paper.declaration_id,
        "pages": [[one.page, one.sha256] for one in paper.pages],
        "missing": list(paper.missing),
        "doubts": list(_all_doubts(paper)),
    }
    return Change.of(
        held,
        held.value,
        Event(kind=kind, actor=by, at=now, body=body),
        parts=(_part(paper),),
        due_at=held.value.due_at,
    )


def record(
    held: Held[Client], declaration: Declaration, paper: SignedPaper, *, by: Actor, now: datetime
) -> Change:
    """Each consent as the signed paper says, with the strongest proof (S30, S36; D21)."""
    client, at = held.value, paper.signed_at
    assert at is not None  # noqa: S101  `judged` says when
    decided = dict(_decided(client, declaration, at))
    progress = client.declaration(paper.declaration_id)
    confirmed = progress.state is DeclarationState.CONFIRMED
    progress = replace(
        progress,
        state=DeclarationState.CONFIRMED,
        decided=progress.decided if confirmed else at,
        remind=None,
        expires=None,
        wish=None,
    )
    kept = tuple(progress if one.id == progress.id else one for one in client.declarations)
    changed = replace(client, declarations=kept, standings={**client.standings, **decided})
    if declaration.gives_notice and changed.notice is None:
        changed = replace(changed, notice=Notice(at=at, how="printed", source=progress.id))
    event = Event(
        kind="paper_signed", actor=by, at=now, body=_evidence(declaration, paper, decided)
    )
    return change_of(held, changed, event, parts=(_part(paper),))


def _doubts(progress: Progress, paper: SignedPaper, *, zone: str) -> tuple[str, ...]:
    """What a person must look at before anything changes; what one accepted is none any more."""
    seen = set(_all_doubts(paper))
    looked_at = bool(paper.pages) and any(one.accepted_by for one in paper.pages)
    if not looked_at:
        made, day = progress.printed, paper.signed_on
        if made is not None and day is not None and day < workdays.local(made, zone).date():
            seen.add(Doubt.SIGNED_BEFORE_PRINTED)
        disputed = progress.state is DeclarationState.DISPUTED and progress.decided
        if disputed and paper.signed_at is not None and disputed > paper.signed_at:
            seen.add(Doubt.DISPUTED_LATER)
    return tuple(sorted(seen))


def _all_doubts(paper: SignedPaper) -> tuple[str, ...]:
    """Of all copies of all pages; a page that is signed on one copy is signed."""
    open_ = [one for one in paper.pages if not one.accepted_by]
    signed = {one.page for one in paper.pages if "unsigned" not in one.doubts}
    return tuple(
        sorted(
            {
                doubt
                for one in open_
                for doubt in one.doubts
                if doubt != "unsigned" or one.page not in signed
            }
        )
    )


def _decided(
    client: Client, declaration: Declaration, at: datetime
) -> Sequence[tuple[str, Standing]]:
    """The standings that the paper changes; none where a later decision stands."""
    made = first_out(client.declaration(declaration.declaration_id), declaration)
    found = []
    for one in declaration.answers:
        if one.purpose == NOTICE:
            continue
        before = client.standings.get(one.purpose)
        after = _after(before, one, declaration.declaration_id, at)
        same = before is not None and after.at == before.at and after.state is before.state
        if after != before and (same or client.is_open_to(one.purpose, at, made=made)):
            found.append((one.purpose, after))
    return found


def _after(before: Standing | None, answer: Answer, declaration_id: str, at: datetime) -> Standing:
    """The standing after the signature; the same decision keeps the day on which it was made."""
    state = ConsentState.GIVEN if answer.answer else refusal(before)
    same = before is not None and before.declaration_id == declaration_id
    if before is not None and same and before.state is state:
        at = before.at
    return Standing(state, at, Proof.SIGNATURE, declaration_id, answer.wording_id)


def _evidence(
    declaration: Declaration, paper: SignedPaper, decided: dict[str, Standing]
) -> dict[str, Any]:
    """What was signed, when, on which pages; what stands by it and what a later decision beat."""
    answered = [one.purpose for one in declaration.answers if one.purpose != NOTICE]
    return {
        "declaration": paper.declaration_id,
        "answers": [[one.purpose, one.wording_id, one.answer] for one in declaration.answers],
        "signed_at": paper.signed_at,
        "stated": paper.signed_on,
        "paper": paper.object_key,
        "sha256": paper.sha256,
        "pages": [[one.page, one.sha256, one.import_id] for one in paper.ordered],
        "accepted_by": sorted({one.accepted_by for one in paper.pages if one.accepted_by}),
        "standing": sorted(decided),
        "history": sorted(set(answered) - decided.keys()),
    }


def _part(paper: SignedPaper) -> Part:
    return Part(sk=f"PAPER#{paper.declaration_id}", data=paper)
