"""Declarations, for staff: tick, preview, send, print, hand over, take back."""

from typing import Annotated, Any

import msgspec

from chalicelib.clients.domain import Client, DeclarationState
from chalicelib.clients.routes import ClientView
from chalicelib.clients.routes import view as client_view
from chalicelib.consents import domain, service, sheets, store
from chalicelib.consents.domain import Declaration
from chalicelib.consents.service import Wish
from chalicelib.documents import codes, papers
from chalicelib.kernel.change import Change, Held
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)
ONE = "/api/clients/{client_id}/declarations/{declaration_id}"


class DeclarationInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the client said. Without `attachments` the sender's default ones go with it (S42)."""

    answers: Annotated[dict[str, bool], msgspec.Meta(max_length=50)]
    language: str = ""
    attachments: Annotated[tuple[str, ...], msgspec.Meta(max_length=10)] | None = None


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose: the words shown, and the answer."""

    purpose: str
    kind: str
    title: str
    text: str
    answer: bool
    wording_id: str


class AttachedView(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with the message."""

    file_id: str
    name: str
    content_type: str
    size: int


class DeclarationView(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration as staff see it; `version` is the client's, to be sent as If-Match."""

    declaration_id: str
    version: int
    state: DeclarationState
    code: str
    language: str
    answers: tuple[AnswerView, ...]
    attachments: tuple[AttachedView, ...]
    created_at: Moment
    sent_at: Moment | None
    printed_at: Moment | None
    decided_at: Moment | None
    expires_at: Moment | None
    generation: int
    client: ClientView


class PreviewAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the message, as it will go; `url` opens it for five minutes."""

    name: str
    content_type: str
    size: int
    url: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The message as it will go, its link dead (S39-S41)."""

    version: int
    to: str
    reply_to: str
    subject: str
    html: str
    text: str
    attachments: tuple[PreviewAttachment, ...]


class PaperView(msgspec.Struct, frozen=True, kw_only=True):
    """The paper; `url` downloads it for five minutes."""

    url: str
    sha256: str
    code: str


class Printed(PaperView, frozen=True, kw_only=True):
    """The paper, and the declaration that is printed now."""

    version: int
    declaration: DeclarationView


@routes.staff(
    "POST",
    "/api/clients/{client_id}/declarations",
    takes=DeclarationInput,
    gives=DeclarationView,
    status=201,
    creates=True,
)
def draft_declaration(call: Call, client_id: str) -> DeclarationView:
    """Tick what the client said; any consent ticks the notice (S10, S13-S14)."""
    held, declaration = service.draft(
        call.ports,
        call.house,
        client_id,
        _wish(call),
        member=call.member,
        by=call.actor,
        once=call.once_for,
    )
    return _view(call, held, declaration)


@routes.staff("GET", ONE, gives=DeclarationView)
def read_declaration(call: Call, client_id: str, declaration_id: str) -> DeclarationView:
    """What was declared, with the words shown, and how far it came."""
    return _view(call, *store.get(call.ports, call.org, client_id, declaration_id))


@routes.staff("PUT", ONE, takes=DeclarationInput, gives=DeclarationView, changes=True)
def redraft_declaration(call: Call, client_id: str, declaration_id: str) -> DeclarationView:
    """Other answers, language or attachments, while it is a draft."""
    held, declaration = service.redraft(
        call.ports,
        call.house,
        client_id,
        declaration_id,
        call.version,
        _wish(call),
        member=call.member,
        by=call.actor,
    )
    return _view(call, held, declaration)


@routes.staff("GET", ONE + "/preview", gives=Preview)
def preview_declaration(call: Call, client_id: str, declaration_id: str) -> Preview:
    """The exact message, before it is sent; nothing is sent by looking at it."""
    from chalicelib.letters.compose import compose

    held, prepared, urls = service.preview(
        call.ports, call.house, client_id, declaration_id, member=call.member
    )
    composed = compose(prepared.masked, prepared.language)
    return Preview(
        version=held.version,
        to=prepared.to.email,
        reply_to=prepared.reply_to.email,
        subject=composed.subject,
        html=composed.html,
        text=composed.text,
        attachments=tuple(
            PreviewAttachment(
                name=one.filename, content_type=one.content_type, size=len(one.content), url=url
            )
            for one, url in zip(prepared.attachments, urls, strict=True)
        ),
    )


@routes.staff("POST", ONE + "/send", gives=DeclarationView, status=202, changes=True)
def send_declaration(call: Call, client_id: str, declaration_id: str) -> DeclarationView:
    """Send it, or send it again: then the link before is dead (S43, R14)."""
    settings = call.house.settings

    def decide(held: Held[Client], declaration: Declaration) -> Change:
        return domain.send(
            held,
            declaration,
            link_days=settings.link_days,
            reminder_days=settings.reminder_days,
            by=call.actor,
            now=call.ports.now,
        )

    return _acted(call, client_id, declaration_id, decide)


@routes.staff("POST", ONE + "/cancel", gives=DeclarationView, changes=True)
def cancel_declaration(call: Call, client_id: str, declaration_id: str) -> DeclarationView:
    """Take the request back: its link is dead."""
    return _acted(
        call,
        client_id,
        declaration_id,
        lambda held, _: domain.cancel(held, declaration_id, by=call.actor, now=call.ports.now),
    )


@routes.staff("POST", ONE + "/print", gives=Printed, changes=True)
def print_declaration(call: Call, client_id: str, declaration_id: str) -> Printed:
    """Make the paper; no e-mail address is needed (S27-S29)."""
    held, declaration = service.print_paper(
        call.ports, call.house, client_id, declaration_id, call.version, by=call.actor
    )
    paper, view = _paper(call, declaration), _view(call, held, declaration)
    return Printed(
        url=paper.url,
        sha256=paper.sha256,
        code=paper.code,
        version=held.version,
        declaration=view,
    )


@routes.staff("GET", ONE + "/paper", gives=PaperView)
def read_paper(call: Call, client_id: str, declaration_id: str) -> PaperView:
    """The printed paper again, byte for byte."""
    return _paper(call, store.get(call.ports, call.org, client_id, declaration_id)[1])


@routes.staff("POST", ONE + "/hand-over", gives=DeclarationView, changes=True)
def hand_over_declaration(call: Call, client_id: str, declaration_id: str) -> DeclarationView:
    """The printed paper was handed to the client: the notice is delivered (S3, S7)."""
    return _acted(
        call,
        client_id,
        declaration_id,
        lambda held, declaration: domain.hand_over(
            held, declaration, by=call.actor, now=call.ports.now
        ),
    )


def _paper(call: Call, declaration: Declaration) -> PaperView:
    if declaration.paper is None:
        raise domain.NotPrinted
    code, language = declaration.code, declaration.language
    url = papers.link(call.ports, declaration.paper, code=code, language=language)
    return PaperView(url=url, sha256=declaration.paper.sha256, code=codes.group(code))


def _acted(call: Call, client_id: str, declaration_id: str, decide: Any) -> DeclarationView:
    held, declaration = service.act(
        call.ports, call.org, client_id, declaration_id, call.version, decide
    )
    return _view(call, held, declaration)


def _wish(call: Call) -> Wish:
    given = call.body
    return Wish(answers=given.answers, language=given.language, attachments=given.attachments)


def _view(call: Call, held: Held[Client], declaration: Declaration) -> DeclarationView:
    progress = held.value.declaration(declaration.declaration_id)
    shown = sheets.shown(call.ports, call.house, declaration)
    return DeclarationView(
        declaration_id=declaration.declaration_id,
        version=held.version,
        state=progress.state,
        code=codes.group(declaration.code),
        language=declaration.language,
        answers=tuple(
            AnswerView(
                purpose=said.purpose,
                kind=words.kind,
                title=words.title,
                text=words.text,
                answer=said.answer,
                wording_id=said.wording_id,
            )
            for said, words in zip(declaration.answers, shown, strict=True)
        ),
        attachments=tuple(
            AttachedView(
                file_id=one.file_id, name=one.name, content_type=one.content_type, size=one.size
            )
            for one in declaration.attachments
        ),
        created_at=declaration.created,
        sent_at=progress.sent,
        printed_at=progress.printed,
        decided_at=progress.decided,
        expires_at=progress.expires,
        generation=progress.gen,
        client=client_view(held, call.house),
    )
