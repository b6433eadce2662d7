"""Consents that are set without a declaration: by hand (S52-S55), withdrawn (S57, S61), run out.

What was decided elsewhere is recorded with when, by which proof and from which source, and never
over a later decision (D21). A withdrawal counts at once and needs no confirmation.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, Protocol

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import (
    NOTICE,
    Client,
    ConsentState,
    Proof,
    Standing,
    change_of,
    refusal,
    require_notice,
    word_of,
)
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import SYSTEM, Actor, Change, Event, Held, Letter, Part
from chalicelib.kernel.errors import Conflict, Invalid, NotFound

Decided = Literal["given", "refused", "withdrawn"]
Source = Literal["other_system", "paper", "sms", "oral", "e_mail"]
# A message on a telephone and a spoken word are hard to prove; the others are records (S53, S54).
WEAK_SOURCES = frozenset({"sms", "oral"})
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision recorded by hand: the part `RECORD#<id>` of the client."""

    record_id: str
    purpose: str
    decided: Decided
    decided_at: datetime
    source: Source
    note: str = ""
    wording_id: str = ""
    file_id: str = ""
    by: str
    at: datetime


class Decision(Protocol):
    """A decision as it was made elsewhere, in a record or a line of a list."""

    @property
    def decided(self) -> Decided:
        """What was decided."""

    @property
    def decided_at(self) -> datetime:
        """When."""


class PurposeUnknownHere(Invalid):
    code = "purpose_not_in_catalogue"
    sentence = "The catalogue has no such consent."


class WordingRefused(Invalid):
    """What a client was shown is evidence: words of something else are none (S26)."""

    code = "wording_refused"
    sentence = "Name a wording of this consent, or none."


class DecidedRefused(Invalid):
    """A decision in the future, or before anybody living decided anything."""

    code = "decided_at_refused"
    sentence = "Give the moment of the decision: not in the future, and not before 1900."


class NothingToWithdraw(Conflict):
    code = "nothing_to_withdraw"
    sentence = "This consent is not given."


class WithdrawnAndErased(Conflict):
    """Who withdrew and was erased is not written to because an old record still has them (S15)."""

    code = "withdrawn_and_erased"
    sentence = "A client with this address withdrew later and was erased."


class RecordUnknown(NotFound):
    code = "record_unknown"
    sentence = "There is no such record."


def record(held: Held[Client], given: Record, *, by: Actor, now: datetime) -> Change:
    """A decision that was made elsewhere (S52, S53); an older one only joins the history (D21).

    So does a word that says again what a better proof says already: it would make it weak (S54).
    """
    require_notice(held.value)
    if given.purpose == NOTICE:
        raise PurposeUnknownHere(field="purpose")
    if not EARLIEST <= given.decided_at <= now:
        raise DecidedRefused(field="decided_at")
    note = given.note and text.line(given.note, "note", most=1000)
    kept = replace(given, note=note)
    before = held.value.standings.get(given.purpose)
    changed = held.value
    stands = held.value.is_open_to(given.purpose, given.decided_at)
    standing = _standing(kept, before)
    if stands and standing.weak and held.value.in_force(given.purpose, given.decided_at):
        stands = before is not None and before.weak
    if stands:
        changed = _with(held.value, given.purpose, standing)
    body = msgspec.to_builtins(kept) | {"stands": stands}
    return change_of(
        held,
        changed,
        Event(kind="consent_recorded", actor=by, at=now, body=body),
        parts=(Part(sk=f"RECORD#{kept.record_id}", data=kept, create=True),),
    )


def refuse_suppressed(decisions: Iterable[Decision], suppressed: Iterable[Client]) -> None:
    """`WithdrawnAndErased` for a consent that is older than the withdrawal of who was erased."""
    ended = [
        one.at
        for client in suppressed
        for one in client.standings.values()
        if one.state is ConsentState.WITHDRAWN
    ]
    given = (one.decided_at for one in decisions if one.decided == "given")
    if ended and any(at <= max(ended) for at in given):
        raise WithdrawnAndErased(field="email")


def withdraw(
    held: Held[Client],
    purposes: tuple[str, ...],
    *,
    by: Actor,
    now: datetime,
    note: str = "",
    letters: tuple[Letter, ...] = (),
) -> Change | None:
    """These consents, withdrawn at once (S57, S61); None where none of them is given.

    It is as easy as giving: no confirmation, whoever tells us (GDPR Art. 7(3)).
    """
    ended = {
        purpose: replace(
            one,
            state=ConsentState.WITHDRAWN,
            at=now,
            proof=Proof.EMAIL_CLICK if by.kind == "client" else Proof.RECORD,
            expires=None,
        )
        for purpose, one in held.value.standings.items()
        if purpose in purposes and one.state is ConsentState.GIVEN
    }
    if not ended:
        return None
    changed = replace(held.value, standings={**held.value.standings, **ended})
    body = {
        "purposes": sorted(ended),
        "note": note and text.line(note, "note", most=1000),
        "proofs": {name: held.value.standings[name].declaration_id for name in sorted(ended)},
    }
    event = Event(kind="consents_withdrawn", actor=by, at=now, body=body)
    return change_of(held, changed, event, letters=letters)


def attend(held: Held[Client], *, now: datetime) -> Change | None:
    """What is due for the standing itself: a consent runs out, or somebody is told of one.

    None where nothing is.
    """
    client = held.value
    due = [one for one in client.standing_moments() if one[2] <= now]
    if not due:
        return None
    over = {
        purpose: replace(client.standings[purpose], state=ConsentState.EXPIRED)
        for purpose, why, _ in due
        if why == "expires"
    }
    changed = replace(client, standings={**client.standings, **over}, attended_until=now)
    notices = [
        notice
        for purpose, why, moment in sorted(due)
        for notice in word_of(held.key, client, purpose, why, moment, now=now)
    ]
    body = {"due": sorted([purpose, why] for purpose, why, _ in due)}
    event = Event(kind="consents_attended", actor=SYSTEM, at=now, body=body)
    return change_of(held, changed, event, notices=tuple(notices))


def new_record(
    purpose: str,
    decided: Decided,
    *,
    decided_at: datetime,
    source: Source,
    note: str,
    wording_id: str,
    file_id: str,
    by: str,
    now: datetime,
) -> Record:
    """A record with an id of its own."""
    return Record(
        record_id=ids.new_id(),
        purpose=purpose,
        decided=decided,
        decided_at=decided_at,
        source=source,
        note=note,
        wording_id=wording_id,
        file_id=file_id,
        by=by,
        at=now,
    )


def _standing(given: Record, before: Standing | None) -> Standing:
    state = ConsentState(given.decided)
    if state is ConsentState.REFUSED:
        state = refusal(before)
    proof = Proof.ORAL if given.source in WEAK_SOURCES and not given.file_id else Proof.RECORD
    return Standing(
        state, given.decided_at, proof, given.record_id, given.wording_id, None, given.by
    )


def _with(client: Client, purpose: str, standing: Standing) -> Client:
    return replace(client, standings={**client.standings, purpose: standing})
