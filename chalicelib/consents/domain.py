"""The rules of a declaration.

What it says (answers and the wordings shown) is a part of the client and is never edited once it is
out; how far it has come stands on the client's root. A "no" counts as soon as the declaration is
out, for a client who was heard to refuse must not be written to; a "yes" counts when the client
confirms.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.clients.domain import (
    NOTICE,
    OUT,
    Client,
    ConsentState,
    DeclarationState,
    DeclarationUnknown,
    EmailRequired,
    Notice,
    Progress,
    Proof,
    Standing,
    change_of,
    refusal,
    require_notice,
    superseded,
)
from chalicelib.documents.sheet import Paper
from chalicelib.kernel import chain, tokens
from chalicelib.kernel.change import (
    SYSTEM,
    Actor,
    Change,
    Event,
    Held,
    Letter,
    Lookup,
    Once,
    Origin,
    Part,
)
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.kernel.tokens import LinkExpired

State = DeclarationState
MOST_DECLARATIONS = 200
DATA_PROCESSING = "data_processing"
MOST_ATTACHMENTS = 10


class Decision(StrEnum):
    """The two radios of the page (D13, D14)."""

    CONFIRM = "confirm"
    DISPUTE = "dispute"


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a client said about one purpose, and the words that they were shown."""

    purpose: str
    wording_id: str
    answer: bool


class Attached(msgspec.Struct, frozen=True, array_like=True):
    """A file that goes with the message, as it was when it was attached (S41)."""

    file_id: str
    name: str
    content_type: str
    size: int
    sha256: str
    object_key: str


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What a client declared at one time. `code` is what is printed on its paper."""

    declaration_id: str
    code: str
    language: str
    answers: tuple[Answer, ...]
    attachments: tuple[Attached, ...] = ()
    by: str
    created: datetime
    paper: Paper | None = None

    @property
    def asks(self) -> tuple[str, ...]:
        """The consents that were answered with yes."""
        return tuple(one.purpose for one in self.answers if one.answer and one.purpose != NOTICE)

    @property
    def gives_notice(self) -> bool:
        """Whether it hands the information about the controller to the client (S7)."""
        return any(one.purpose == NOTICE and one.answer for one in self.answers)


class NothingDeclared(Invalid):
    code = "nothing_declared"
    sentence = "Answer at least one purpose."


class PurposeNotAsked(Invalid):
    code = "purpose_not_asked"
    sentence = "The catalogue does not ask for this purpose now."


class SeparateDocument(Invalid):
    """Consent to the processing of data is a document of its own, by the pack's rules (156-FZ)."""

    code = "separate_document"
    sentence = "The rules that apply want this consent in a document of its own."


class TooMany(Conflict):
    code = "too_many_declarations"
    sentence = "This client has too many declarations."


class NotADraft(Conflict):
    """What is out is not edited; a new declaration is made instead (S26)."""

    code = "not_a_draft"
    sentence = "This declaration is out already. Make a new one."


class NotSendable(Conflict):
    code = "not_sendable"
    sentence = "This declaration can't be sent any more."


class NotPrinted(Conflict):
    code = "not_printed"
    sentence = "Print the declaration first."


class NotOut(Conflict):
    code = "not_out"
    sentence = "This declaration waits for nobody."


LinkSuperseded = tokens.LinkSuperseded
LinkWithdrawn = tokens.LinkWithdrawn


class AlreadyConfirmed(Conflict):
    """Confirmed stays confirmed: a dispute afterwards is refused (R5)."""

    code = "already_confirmed"
    sentence = "This was confirmed already."


class AnswersChanged(Conflict):
    """What was shown is not what would be confirmed."""

    code = "answers_changed"
    sentence = "What you were shown is out of date. Read it again."


def answers(
    client: Client, given: Mapping[str, bool], shown: Mapping[str, str], *, separate: bool = False
) -> tuple[Answer, ...]:
    """The answers as they are recorded, in the catalogue's order.

    `shown`: the visible purposes and their wordings. Any consent ticks the notice, and it can't be
    unticked while one stands (S10, S11, D11); before the notice every declaration carries it (S8).
    `separate`: the consent to the processing of data stands alone in its document, apart from the
    notice, too (152-FZ Art. 9); `NoticeRequired` until the notice was given in one of its own.
    """
    if not given:
        raise NothingDeclared(field="answers")
    for purpose in given:
        if purpose not in shown:
            raise PurposeNotAsked(field=f"answers.{purpose}"[:100])
    ticked = dict(given)
    if separate and DATA_PROCESSING in given:
        if len(given) > 1:
            raise SeparateDocument(field=f"answers.{DATA_PROCESSING}")
        require_notice(client)
    elif any(given.values()) or client.notice is None:
        ticked[NOTICE] = True
    return tuple(
        Answer(purpose, wording, ticked[purpose])
        for purpose, wording in shown.items()
        if purpose in ticked
    )


def draft(
    held: Held[Client],
    declaration: Declaration,
    *,
    once: Once | None = None,
    by: Actor,
    now: datetime,
) -> Change:
    """A new declaration, not yet shown to anybody but its writer."""
    client = held.value
    if len(client.declarations) >= MOST_DECLARATIONS:
        raise TooMany
    progress = Progress(
        id=declaration.declaration_id,
        state=State.DRAFT,
        by=by.id,
        asks=declaration.asks,
        created=now,
    )
    changed = replace(client, declarations=(*client.declarations, progress))
    return change_of(
        held,
        changed,
        Event(kind="declaration_drafted", actor=by, at=now, body=_said(declaration)),
        parts=(Part(sk=f"DECL#{declaration.declaration_id}", data=declaration, create=True),),
        lookups=(
            Lookup(
                kind="PAPERCODE",
                digest=declaration.code,
                unique=True,
            ),
        ),
        once=once,
    )


def redraft(held: Held[Client], declaration: Declaration, *, by: Actor, now: datetime) -> Change:
    """Other answers or attachments, while it is a draft."""
    progress = held.value.declaration(declaration.declaration_id)
    if progress.state is not State.DRAFT:
        raise NotADraft
    changed = _with(held.value, replace(progress, asks=declaration.asks))
    return change_of(
        held,
        changed,
        Event(kind="declaration_redrafted", actor=by, at=now, body=_said(declaration)),
        parts=(Part(sk=f"DECL#{declaration.declaration_id}", data=declaration),),
    )


def send(
    held: Held[Client],
    declaration: Declaration,
    *,
    link_days: int,
    reminder_days: int,
    by: Actor,
    keeper: str = "",
    now: datetime,
) -> Change:
    """Promise the message that asks the client to confirm (S43, S44).

    It is written in the name of who sends it; where the client asked for it, of their `keeper`.
    A second sending raises the generation, so the link before it is dead; any other declaration
    that was out is superseded, for the latest is the one that counts (R14).
    """
    client, progress = held.value, held.value.declaration(declaration.declaration_id)
    if progress.state in (State.CONFIRMED, State.SUPERSEDED):
        raise NotSendable
    if not client.identity.email:
        raise EmailRequired(field="email")
    sent = replace(
        progress,
        state=State.SENT,
        gen=progress.gen + 1,
        by=keeper or by.id,
        sent=now,
        remind=now + timedelta(days=reminder_days) if reminder_days else None,
        expires=now + timedelta(days=link_days),
        decided=None,
        wish=None,
    )
    others = tuple(
        one if one.id == sent.id or apart(one.asks, sent.asks) else superseded(one)
        for one in client.declarations
    )
    changed = _with(_heard(replace(client, declarations=others), declaration, progress, now), sent)
    gone = [new.id for new, old in zip(others, client.declarations, strict=True) if new != old]
    body = {"declaration": sent.id, "generation": sent.gen, "superseded": gone}
    return change_of(
        held,
        changed,
        Event(kind="declaration_sent", actor=by, at=now, body=body),
        letters=(_letter("confirm_consents", "client", sent, now),),
    )


def ask(
    held: Held[Client],
    declaration: Declaration,
    *,
    link_days: int,
    by: Actor,
    keeper: str,
    now: datetime,
) -> Change:
    """What a client asks for on their own page, made and sent as one (S58): never a draft alone.

    It is one event, the sending, which says what is asked, too. Nobody is reminded of their own
    wish.
    """
    made = draft(held, declaration, by=by, now=now)
    sent = send(
        replace(held, value=made.root),
        declaration,
        link_days=link_days,
        reminder_days=0,
        by=by,
        keeper=keeper,
        now=now,
    )
    return replace(
        sent,
        event=replace(sent.event, body={**made.event.body, **sent.event.body}),
        parts=(*made.parts, *sent.parts),
        lookups=made.lookups,
    )


def apart(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether what asks for these are documents of their own: neither takes the other's place."""
    return (DATA_PROCESSING in one) != (DATA_PROCESSING in other)


def cancel(held: Held[Client], declaration_id: str, *, by: Actor, now: datetime) -> Change:
    """Take a request back: its link is dead (R14)."""
    progress = held.value.declaration(declaration_id)
    if progress.state not in OUT:
        raise NotOut
    changed = _with(held.value, superseded(progress))
    return change_of(
        held,
        changed,
        Event(kind="declaration_cancelled", actor=by, at=now, body={"declaration": declaration_id}),
    )


def print_paper(
    held: Held[Client],
    declaration: Declaration,
    *,
    paper: Paper,
    by: Actor,
    now: datetime,
) -> Change:
    """The paper was made, to be verified and handed over; it needs no e-mail address (S28, S29)."""
    progress = held.value.declaration(declaration.declaration_id)
    if progress.state in (State.CONFIRMED, State.SUPERSEDED):
        raise NotSendable
    state = progress.state if progress.state in OUT else State.PRINTED
    # The same paper again: whoever signed the first print did so from its day on (D21).
    printed = replace(progress, state=state, printed=progress.printed or now)
    changed = _with(_heard(held.value, declaration, progress, now), printed)
    body = {"declaration": printed.id, "paper": paper.object_key, "sha256": paper.sha256}
    return change_of(
        held,
        changed,
        Event(kind="declaration_printed", actor=by, at=now, body=body),
        parts=(Part(sk=f"DECL#{printed.id}", data=replace(declaration, paper=paper)),),
    )


def hand_over(held: Held[Client], declaration: Declaration, *, by: Actor, now: datetime) -> Change:
    """The printed paper was handed to the client: with it the notice is delivered (S3, S7)."""
    progress = held.value.declaration(declaration.declaration_id)
    if progress.printed is None:
        raise NotPrinted
    changed = held.value
    if declaration.gives_notice and changed.notice is None:
        changed = replace(changed, notice=Notice(at=now, how="printed", source=progress.id))
    return change_of(
        held,
        changed,
        Event(kind="paper_handed_over", actor=by, at=now, body={"declaration": progress.id}),
    )


def open_link(client: Client, declaration_id: str, generation: int, *, now: datetime) -> Progress:
    """The declaration behind a genuine link, while it lives or when it was confirmed by it.

    `LinkSuperseded`, `LinkWithdrawn` or `LinkExpired` otherwise.
    """
    try:
        progress = client.declaration(declaration_id)
    except DeclarationUnknown as error:
        raise LinkWithdrawn from error
    if generation != progress.gen:
        raise LinkSuperseded
    if progress.state is State.CONFIRMED:
        return progress
    if progress.state is State.EXPIRED or (progress.expires and now >= progress.expires):
        raise LinkExpired
    if progress.state not in OUT:
        raise LinkSuperseded if _overtaken(client, progress) else LinkWithdrawn
    return progress


def _overtaken(client: Client, progress: Progress) -> bool:
    """Whether another declaration was sent after this one: a newer message awaits the client."""
    sent = progress.sent
    later = (one.sent for one in client.declarations if one.id != progress.id)
    return sent is not None and any(moment is not None and moment > sent for moment in later)


def decide(
    held: Held[Client],
    declaration: Declaration,
    decision: Decision,
    *,
    generation: int,
    digest: str,
    origin: Origin,
    now: datetime,
) -> Change | None:
    """The client's act on the page (S47-S49, D13, D14); None where it was recorded before (R5).

    Confirming sets each consent with its proof, tells the sender, promises the receipt. Disputing
    changes no consent, tells the sender and leaves the link alive; no reminder follows.
    """
    client = held.value
    progress = open_link(client, declaration.declaration_id, generation, now=now)
    if progress.state is State.CONFIRMED:
        if decision is Decision.DISPUTE:
            raise AlreadyConfirmed
        return None
    if digest != shown_digest(declaration):
        raise AnswersChanged
    if decision is Decision.DISPUTE:
        return _disputed(held, declaration, progress, digest, origin, now)
    confirmed = replace(
        progress, state=State.CONFIRMED, decided=now, remind=None, expires=None, wish=None
    )
    changed = _given(_with(client, confirmed), declaration, now)
    changed = _refused(changed, declaration, Proof.EMAIL_CLICK, now)
    if changed.notice is None and declaration.gives_notice:
        # Quicker than our own mark that the message left: whoever confirms it has it.
        changed = replace(changed, notice=Notice(at=now, how="letter", source=confirmed.id))
    return change_of(
        held,
        changed,
        Event(
            kind="declaration_confirmed",
            actor=Actor("client", held.key.id, origin),
            at=now,
            body=_evidence(declaration, progress, digest, "confirmed"),
        ),
        letters=(
            _letter("receipt", "client", confirmed, now),
            _letter("client_confirmed", f"staff:{progress.by}", confirmed, now),
        ),
    )


def ask_again(
    held: Held[Client], declaration_id: str, generation: int, *, now: datetime
) -> Change | None:
    """The client asks for a new link (R24).

    The sender is told once; nothing goes to the client by itself.
    """
    progress = held.value.declaration(declaration_id)
    if progress.state is State.CONFIRMED or progress.wish is not None or generation > progress.gen:
        return None
    changed = _with(held.value, replace(progress, wish=now))
    return change_of(
        held,
        changed,
        Event(
            kind="link_requested",
            actor=Actor("client", held.key.id),
            at=now,
            body={"declaration": progress.id},
        ),
        letters=(_letter("link_requested", f"staff:{progress.by}", progress, now),),
    )


def attend(held: Held[Client], *, now: datetime) -> Change | None:
    """What is due for this client: one reminder or one expiry; None when nothing is (S49).

    A reminder goes once and keeps the link; what is due together comes one after the other.
    """
    for progress in held.value.declarations:
        if progress.state not in OUT:
            continue
        if progress.expires and now >= progress.expires:
            over = replace(progress, state=State.EXPIRED, remind=None, expires=None)
            letter = _letter("link_expired", f"staff:{progress.by}", over, now)
            return _attended(held, over, "declaration_expired", letter, now)
        if progress.remind and now >= progress.remind:
            reminded = replace(progress, remind=None)
            letter = _letter("confirm_consents", "client", reminded, now, reminder=True)
            return _attended(held, reminded, "declaration_reminded", letter, now)
    return None


def on_sent(
    held: Held[Client], letter: Letter, gives_notice: bool, *, now: datetime
) -> Change | None:
    """The message left: with it the notice is delivered, if this is the first (S7, D10)."""
    client = held.value
    if letter.template != "confirm_consents" or client.notice is not None or not gives_notice:
        return None
    if client.erasure:  # it was on its way when they left: nothing is written of them any more
        return None
    notice = Notice(at=now, how="letter", source=letter.letter_id)
    return change_of(
        held,
        replace(client, notice=notice),
        Event(kind="notice_delivered", actor=SYSTEM, at=now, body={"letter": letter.letter_id}),
    )


def on_bounced(held: Held[Client], letter: Letter, *, now: datetime) -> Change | None:
    """The message came back, and the sender is told (D10).

    The notice that it carried was not delivered, and its declaration waits for nobody; unless the
    client confirmed what the message asked: then it had arrived, whatever came back. So had the
    notice, where the client confirmed a consent elsewhere: each brings it (S10).
    """
    client = held.value
    if letter.template != "confirm_consents" or client.erasure:
        return None
    progress = client.declaration(letter.about)
    if progress.state is State.CONFIRMED:
        return None
    carried = client.notice is not None and client.notice.source == letter.letter_id
    current = progress.state in OUT and letter.facts.get("generation") == progress.gen
    if not (carried or current):
        return None
    # What was set by hand stands: its proof is elsewhere (S52, S53), and no decision of the client
    # came back with the message (D21). Until the notice is delivered nothing may rest on it (S8):
    # that is for the gate.
    changed = replace(client, notice=_confirmed_notice(client)) if carried else client
    letters: tuple[Letter, ...] = ()
    if current:
        lost = replace(progress, state=State.UNDELIVERABLE, remind=None, expires=None)
        changed = _with(changed, lost)
        letters = (_letter("undeliverable", f"staff:{progress.by}", lost, now),)
    lost_notice = carried and changed.notice is None
    body = {"declaration": progress.id, "letter": letter.letter_id, "notice_lost": lost_notice}
    return change_of(
        held,
        changed,
        Event(kind="letter_bounced", actor=SYSTEM, at=now, body=body),
        letters=letters,
    )


def on_complained(held: Held[Client], letter: Letter, *, now: datetime) -> Change | None:
    """The client reported the message as spam: no reminder follows; the link in it stays good."""
    if letter.template != "confirm_consents" or held.value.erasure:
        return None
    progress = held.value.declaration(letter.about)
    if progress.state not in OUT or progress.remind is None:
        return None
    changed = _with(held.value, replace(progress, remind=None))
    body = {"declaration": progress.id, "letter": letter.letter_id}
    return change_of(
        held,
        changed,
        Event(kind="letter_complained", actor=SYSTEM, at=now, body=body),
    )


def address_generation(client: Client) -> int:
    """What a client's own links have instead of a counter: they live as long as the address."""
    return zlib.crc32(client.identity.email.encode()) & 0xFFFF


def shown_digest(declaration: Declaration) -> str:
    """The digest of what a client is shown; a wording's id is itself the digest of its words."""
    return hashlib.sha256(chain.canonical(_said(declaration))).hexdigest()


def _said(declaration: Declaration) -> dict[str, Any]:
    return {
        "declaration": declaration.declaration_id,
        "language": declaration.language,
        "answers": [[one.purpose, one.wording_id, one.answer] for one in declaration.answers],
        "attachments": [one.sha256 for one in declaration.attachments],
    }


def _evidence(
    declaration: Declaration, progress: Progress, digest: str, decision: str
) -> dict[str, Any]:
    """What was shown and answered; where from is the actor's (R23)."""
    return {
        "declaration": progress.id,
        "generation": progress.gen,
        "decision": decision,
        "answers": [[one.purpose, one.wording_id, one.answer] for one in declaration.answers],
        "shown": digest,
    }


def _disputed(
    held: Held[Client],
    declaration: Declaration,
    progress: Progress,
    digest: str,
    origin: Origin,
    now: datetime,
) -> Change | None:
    if progress.state is State.DISPUTED:
        return None
    disputed = replace(progress, state=State.DISPUTED, decided=now, remind=None)
    changed = _with(held.value, disputed)
    return change_of(
        held,
        changed,
        Event(
            kind="declaration_disputed",
            actor=Actor("client", held.key.id, origin),
            at=now,
            body=_evidence(declaration, progress, digest, "disputed"),
        ),
        letters=(_letter("client_disputed", f"staff:{progress.by}", disputed, now),),
    )


def _attended(
    held: Held[Client], progress: Progress, kind: str, letter: Letter, now: datetime
) -> Change:
    changed = _with(held.value, progress)
    return change_of(
        held,
        changed,
        Event(kind=kind, actor=SYSTEM, at=now, body={"declaration": progress.id}),
        letters=(letter,),
    )


def _letter(template: str, to: str, progress: Progress, now: datetime, **facts: Any) -> Letter:
    return Letter(
        template=template,
        to=to,
        about=progress.id,
        facts={"generation": progress.gen, **facts},
        promised_at=now,
    )


def _with(client: Client, progress: Progress) -> Client:
    kept = tuple(progress if one.id == progress.id else one for one in client.declarations)
    return replace(client, declarations=kept)


def _given(client: Client, declaration: Declaration, now: datetime) -> Client:
    given = {
        one.purpose: Standing(
            ConsentState.GIVEN,
            now,
            Proof.EMAIL_CLICK,
            declaration.declaration_id,
            one.wording_id,
        )
        for one in declaration.answers
        if one.answer and one.purpose != NOTICE
    }
    return replace(client, standings={**client.standings, **given})


def _heard(client: Client, declaration: Declaration, progress: Progress, now: datetime) -> Client:
    """The refusals that were heard, in force once the declaration first leaves the desk."""
    if progress.state is not State.DRAFT:
        return client
    return _refused(client, declaration, Proof.ORAL, now)


def _refused(client: Client, declaration: Declaration, proof: Proof, now: datetime) -> Client:
    """Every "no" of the declaration in force: a refusal, or a withdrawal of what was given."""
    no = {}
    for one in _refusals(declaration.answers):
        before = client.standings.get(one.purpose)
        state = refusal(before)
        # Confirmed later, a "no" has a better proof and keeps the day on which it was said.
        same = before is not None and before.declaration_id == declaration.declaration_id
        at = before.at if before is not None and same and before.state is state else now
        no[one.purpose] = Standing(state, at, proof, declaration.declaration_id, one.wording_id)
    return replace(client, standings={**client.standings, **no})


def _confirmed_notice(client: Client) -> Notice | None:
    """The notice that came with a consent which the client confirmed, if there is one (S10)."""
    for one in client.declarations:
        if one.state is State.CONFIRMED and one.asks and one.decided:
            how: Literal["letter", "printed"] = "letter" if one.sent else "printed"
            return Notice(at=one.decided, how=how, source=one.id)
    return None


def _refusals(given: Iterable[Answer]) -> Iterable[Answer]:
    return (one for one in given if not one.answer and one.purpose != NOTICE)
