"""The routes behind an e-mailed link: read what is to be confirmed, answer, ask for a new link.

A token travels in the body alone: the page keeps it in the fragment of its address, so that no log,
no referrer and no proxy sees it (R17, R18). Reading changes nothing; answering needs a decision.
"""

import msgspec

from chalicelib.clients.domain import DeclarationState
from chalicelib.consents import domain, service, sheets
from chalicelib.consents.domain import Decision
from chalicelib.consents.service import Opened
from chalicelib.documents import codes
from chalicelib.organisations.domain import Settings
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token of a link."""

    token: str


class Act(Link, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person chose and sent: there is no default (R4).

    `digest` says what was shown to them.
    """

    decision: Decision
    digest: str


class PublicController(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks."""

    name: str
    address: str
    email: str
    phone: str


class PublicAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose: the words, and the answer that was recorded."""

    purpose: str
    kind: str
    title: str
    text: str
    answer: bool


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What was registered, and when (S48)."""

    reference: str
    decision: str
    decided_at: Moment | None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be confirmed."""

    state: str
    language: str
    languages: tuple[str, ...]
    controller: PublicController
    client_name: str
    staff_name: str
    answers: tuple[PublicAnswer, ...]
    digest: str
    expires_at: Moment
    receipt: Registered | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The act is registered; the same act again gets the same receipt (R5)."""

    receipt: Registered


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The same answer to everybody (R24)."""

    code: str = "asked"


def public_controller(settings: Settings) -> PublicController:
    """The controller, as the pages behind links name it."""
    one = settings.controller
    return PublicController(name=one.name, address=one.address, email=one.email, phone=one.phone)


@routes.public("POST", "/api/public/{org}/links/read", takes=Link, gives=Shown)
def read_link(call: Call, org: str) -> Shown:
    """What is to be confirmed; changes nothing."""
    return _shown(call, service.open_link(call.ports, org, call.body.token))


@routes.public("POST", "/api/public/{org}/links/act", takes=Act, gives=Receipt)
def act_on_link(call: Call, org: str) -> Receipt:
    """Confirm or dispute; needs a decision (D13, D14)."""
    given = call.body
    opened = service.answer_link(
        call.ports, org, given.token, given.decision, given.digest, call.origin
    )
    return Receipt(receipt=_registered(opened))


@routes.public("POST", "/api/public/{org}/links/renew", takes=Link, gives=Asked, status=202)
def renew_link(call: Call, org: str) -> Asked:
    """Ask the sender for a new link."""
    service.renew_link(call.ports, org, call.body.token)
    return Asked()


def _shown(call: Call, opened: Opened) -> Shown:
    house, declaration = opened.house, opened.declaration
    decided = opened.progress.decided is not None
    words = sheets.shown(call.ports, house, declaration)
    states = {DeclarationState.SENT: "open"}
    return Shown(
        state=states.get(opened.progress.state, opened.progress.state),
        language=declaration.language,
        languages=house.settings.languages,
        controller=public_controller(house.settings),
        client_name=opened.held.value.identity.name,
        staff_name=house.directory.get(opened.progress.by).name,
        answers=tuple(
            PublicAnswer(
                purpose=said.purpose,
                kind=one.kind,
                title=one.title,
                text=one.text,
                answer=one.answer,
            )
            for said, one in zip(declaration.answers, words, strict=True)
        ),
        digest=domain.shown_digest(declaration),
        expires_at=opened.progress.expires or opened.claims.expires,
        receipt=_registered(opened) if decided else None,
    )


def _registered(opened: Opened) -> Registered:
    return Registered(
        reference=codes.group(opened.declaration.code),
        decision=str(opened.progress.state),
        decided_at=opened.progress.decided,
    )
