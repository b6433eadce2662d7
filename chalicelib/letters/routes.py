"""The letters of a client as they were sent; what is stuck, and another try."""

import msgspec

from chalicelib.clients import domain as clients
from chalicelib.clients import store as client_store
from chalicelib.kernel.change import Key, Letter
from chalicelib.kernel.errors import NotFound
from chalicelib.organisations.domain import Role
from chalicelib.ports import Due
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)
MOST_STUCK = 100
_letter = msgspec.json.Decoder(Letter).decode


class LetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A letter: to whom, about what, how far it came; `sha256` is of the true bytes sent."""

    letter_id: str
    template: str
    to: str
    about: str
    state: str
    reason: str
    promised_at: Moment
    sent_at: Moment | None
    delivered_at: Moment | None
    message_id: str
    sha256: str
    url: str


class LettersView(msgspec.Struct, frozen=True, kw_only=True):
    """Every letter of a client, oldest first."""

    letters: tuple[LetterView, ...]


class StuckView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that failed again and again and was put aside."""

    kind: str
    owner: str
    item: str
    since: str


class StuckList(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for somebody to look at."""

    stuck: tuple[StuckView, ...]


class StuckItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The item that is to be tried again, as the list names it."""

    kind: str
    owner: str
    item: str
    since: str


class NotStuck(NotFound):
    code = "not_stuck"
    sentence = "This item is not stuck any more."


@routes.staff("GET", "/api/clients/{client_id}/letters", gives=LettersView)
def read_letters(call: Call, client_id: str) -> LettersView:
    """Every letter to or about the client, with the archived message (its link masked, R17)."""
    client_store.get(call.ports, call.org, client_id)
    items = call.ports.ledger.parts(clients.key(call.org, client_id), "LETTER#")
    letters = sorted((_letter(item.data) for item in items), key=lambda one: one.promised_at)
    return LettersView(letters=tuple(_view(call, one) for one in letters))


@routes.staff("GET", "/api/stuck", gives=StuckList, roles=frozenset({Role.HEAD, Role.ADMIN}))
def read_stuck(call: Call) -> StuckList:
    """What gave up after many attempts."""
    return StuckList(stuck=tuple(map(_stuck, call.ports.ledger.stuck(call.org, most=MOST_STUCK))))


@routes.staff(
    "POST",
    "/api/stuck/retry",
    takes=StuckItem,
    gives=StuckList,
    roles=frozenset({Role.HEAD, Role.ADMIN}),
)
def retry_stuck(call: Call) -> StuckList:
    """Try it again now."""
    given = call.body
    wanted = Due(key=Key(call.org, given.kind, given.owner), sk=given.item, due_at=given.since)
    if wanted not in call.ports.ledger.stuck(call.org, most=MOST_STUCK):
        raise NotStuck
    call.ports.ledger.recall(wanted, now=call.ports.now)
    return read_stuck(call)


def _stuck(due: Due) -> StuckView:
    return StuckView(kind=due.key.kind, owner=due.key.id, item=due.sk, since=due.due_at)


def _view(call: Call, letter: Letter) -> LetterView:
    url = ""
    if letter.archive:
        url = call.ports.bucket.link(
            letter.archive, filename=f"{letter.letter_id}.eml", content_type="message/rfc822"
        )
    return LetterView(
        letter_id=letter.letter_id,
        template=letter.template,
        to=letter.to,
        about=letter.about,
        state=letter.state,
        reason=letter.reason,
        promised_at=letter.promised_at,
        sent_at=letter.sent_at,
        delivered_at=letter.delivered_at,
        message_id=letter.message_id,
        sha256=letter.sha256,
        url=url,
    )
