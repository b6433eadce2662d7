"""Clients: create, find, read, edit; may one act for them; their history."""

from typing import Annotated

import msgspec

from chalicelib.clients import domain, service, store
from chalicelib.clients.domain import (
    Client,
    ClientState,
    ConsentState,
    Contract,
    DeclarationState,
    Identity,
    Kind,
    Notice,
    Proof,
    Served,
)
from chalicelib.kernel.change import Held
from chalicelib.kernel.errors import Invalid
from chalicelib.organisations.domain import House
from chalicelib.ports import Page
from chalicelib.web import history, paging
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment
from chalicelib.web.history import EventsView, ExportView, Paged

routes = ApiBlueprint(__name__)

PAGE = 25
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class IdentityInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the client is and how to reach it."""

    kind: Kind
    name: Name
    language: str
    served: Served
    email: str = ""
    phone: str = ""
    address: str = ""


class ClientInput(IdentityInput, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client's identity, contact and contract, whole."""

    contract: Contract = Contract()


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of `email`, `phone` and `name` (its beginning); `cursor` goes on."""

    email: str = ""
    phone: str = ""
    name: str = ""
    cursor: str = ""


class StandingView(msgspec.Struct, frozen=True, kw_only=True):
    """A client's standing on one purpose; the proof where there was a decision."""

    purpose: str
    state: ConsentState
    at: Moment | None = None
    proof: Proof | None = None
    declaration_id: str | None = None
    wording_id: str | None = None
    expires_at: Moment | None = None
    weak: bool = False


class DeclarationProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a declaration has come."""

    declaration_id: str
    state: DeclarationState
    generation: int
    sent_at: Moment | None = None
    printed_at: Moment | None = None
    decided_at: Moment | None = None
    expires_at: Moment | None = None


class ClientView(msgspec.Struct, frozen=True, kw_only=True):
    """All about a client that one read shows; `external_id` is how another system knows them."""

    client_id: str
    version: int
    external_id: str
    state: ClientState
    identity: Identity
    contract: Contract
    notice: Notice | None
    consents: tuple[StandingView, ...]
    declarations: tuple[DeclarationProgress, ...]


class ClientsView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of clients; `cursor` is empty at the end."""

    clients: tuple[ClientView, ...]
    cursor: str


class May(msgspec.Struct, frozen=True, kw_only=True):
    """Yes or no, why, and the declarations that prove a yes."""

    allowed: bool
    reason: str
    proofs: tuple[str, ...]


@routes.staff(
    "POST", "/api/clients", takes=IdentityInput, gives=ClientView, status=201, creates=True
)
def create_client(call: Call) -> ClientView:
    """A new client, before the notice (S5, S12)."""
    identity = Identity(**msgspec.structs.asdict(call.body))
    held = service.create(call.ports, call.house, identity, once=call.once_for, by=call.actor)
    return view(held, call.house)


@routes.staff("GET", "/api/clients", query=Search, gives=ClientsView)
def find_clients(call: Call) -> ClientsView:
    """By e-mail address, by telephone number, or by how a name begins."""
    asked = {
        name: getattr(call.query, name)
        for name in ("email", "phone", "name")
        if getattr(call.query, name)
    }
    if len(asked) != 1:
        raise Invalid("Give exactly one of email, phone and name.", field="email")
    ((by, value),) = asked.items()
    keys = call.ports.link_keys()
    query = f"clients\0{call.org}\0{by}\0{value}"
    after = paging.unseal(call.query.cursor, query, keys)
    if by == "name":
        page = service.find_by_name(call.ports, call.house, value, after=after, most=PAGE)
    else:
        page = service.find_exactly(call.ports, call.house, by, value, after=after, most=PAGE)
    return ClientsView(clients=_read(call, page), cursor=paging.seal(page.after, query, keys))


@routes.staff("GET", "/api/clients/{client_id}", gives=ClientView)
def read_client(call: Call, client_id: str) -> ClientView:
    """The client: identity, contract, notice, its standing on every purpose, its declarations."""
    return view(store.get(call.ports, call.org, client_id), call.house)


@routes.staff("PUT", "/api/clients/{client_id}", takes=ClientInput, gives=ClientView, changes=True)
def edit_client(call: Call, client_id: str) -> ClientView:
    """Other identity, contact or contract; another e-mail address ends the links to the old one."""
    given = msgspec.structs.asdict(call.body)
    contract = given.pop("contract")
    held = service.edit(
        call.ports,
        call.house,
        client_id,
        call.version,
        Identity(**given),
        contract,
        by=call.actor,
    )
    return view(held, call.house)


@routes.staff("GET", "/api/clients/{client_id}/events", query=Paged, gives=EventsView)
def read_events(call: Call, client_id: str) -> EventsView:
    """What happened to a client, newest first: who, when, from where."""
    return history.page(call, store.get(call.ports, call.org, client_id))


@routes.staff("GET", "/api/clients/{client_id}/events/export", gives=ExportView)
def export_events(call: Call, client_id: str) -> ExportView:
    """The whole history, to be verified by anybody without Duly."""
    return history.export(call, store.get(call.ports, call.org, client_id))


def view(held: Held[Client], house: House) -> ClientView:
    """The client as staff see it: every visible purpose, and every other that was ever decided."""
    client = held.value
    shown = [one.purpose for one in house.catalogue.visible if one.purpose != domain.NOTICE]
    purposes = dict.fromkeys([*shown, *client.standings])
    return ClientView(
        client_id=held.key.id,
        version=held.version,
        external_id=client.external_id,
        state=client.state,
        identity=client.identity,
        contract=client.contract,
        notice=client.notice,
        consents=tuple(_standing(client, one) for one in purposes),
        declarations=tuple(_progress(one) for one in reversed(client.declarations)),
    )


def _read(call: Call, page: Page) -> tuple[ClientView, ...]:
    """The clients of a page, each once: a client may be found by several of its names."""
    keys = list(dict.fromkeys(page.keys))
    roots = call.ports.ledger.roots(keys)
    return tuple(view(store.held(roots[key]), call.house) for key in keys if key in roots)


def _standing(client: Client, purpose: str) -> StandingView:
    decided = client.standings.get(purpose)
    if decided is None:
        return StandingView(purpose=purpose, state=client.consent(purpose))
    return StandingView(
        purpose=purpose,
        state=client.consent(purpose),
        at=decided.at,
        proof=decided.proof,
        declaration_id=decided.declaration_id,
        wording_id=decided.wording_id,
        expires_at=decided.expires,
        weak=decided.weak,
    )


def _progress(one: domain.Progress) -> DeclarationProgress:
    return DeclarationProgress(
        declaration_id=one.id,
        state=one.state,
        generation=one.gen,
        sent_at=one.sent,
        printed_at=one.printed,
        decided_at=one.decided,
        expires_at=one.expires,
    )
