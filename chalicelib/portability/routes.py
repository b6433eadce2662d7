"""A client's copy of all that is known of them: asked for and handed over (GDPR 12, 15, 20)."""

import msgspec

from chalicelib.clients import store as clients
from chalicelib.kernel.change import Held
from chalicelib.organisations.domain import Role
from chalicelib.portability import domain, service
from chalicelib.portability.domain import Copy, State
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)
ANSWERING = frozenset({Role.QUALITY, Role.HEAD, Role.ADMIN})


class CopyView(msgspec.Struct, frozen=True, kw_only=True):
    """How far the copy has come; once it is ready, `url` downloads it for five minutes.

    The copy is kept for seven days. `left_out`: files that are handed over apart.
    """

    export_id: str
    state: State
    asked_at: Moment
    made_at: Moment | None
    until: Moment | None
    size: int
    files: int
    left_out: int
    sha256: str
    url: str


@routes.staff(
    "POST",
    "/api/clients/{client_id}/portability",
    gives=CopyView,
    roles=ANSWERING,
    status=202,
    creates=True,
)
def ask_for_copy(call: Call, client_id: str) -> CopyView:
    """Everything about a client as one ZIP, made in the background (GDPR Art. 15, 20)."""
    held = clients.get(call.ports, call.org, client_id)
    return _view(call, service.ask(call.ports, held, by=call.actor, once=call.once_for))


@routes.staff(
    "GET",
    "/api/clients/{client_id}/portability/{export_id}",
    gives=CopyView,
    roles=ANSWERING,
)
def read_copy(call: Call, client_id: str, export_id: str) -> CopyView:
    """How far the copy has come, and where it can be downloaded."""
    clients.get(call.ports, call.org, client_id)
    return _view(call, service.get(call.ports, call.org, client_id, export_id))


def _view(call: Call, held: Held[Copy]) -> CopyView:
    copy, state, url = held.value, held.value.state(call.ports.now), ""
    if state is State.READY:
        url = call.ports.bucket.link(
            copy.object_key, filename=f"{copy.client_id}.zip", content_type=service.ZIP
        )
    return CopyView(
        export_id=held.key.id,
        state=state,
        asked_at=copy.created,
        made_at=copy.finished,
        until=copy.finished + domain.KEPT if copy.finished else None,
        size=copy.size,
        files=copy.files,
        left_out=copy.left_out,
        sha256=copy.sha256,
        url=url,
    )
