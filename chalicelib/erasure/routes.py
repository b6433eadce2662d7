"""Erasing a client on request, a legal hold, and the certificates."""

from typing import Annotated

import msgspec

from chalicelib.clients import domain as clients
from chalicelib.clients import store as client_store
from chalicelib.clients.domain import Client, ClientUnknown, ContractState
from chalicelib.complaints import service as complaints
from chalicelib.erasure import service
from chalicelib.erasure.domain import Erasure, ErasureUnknown, Ground
from chalicelib.kernel.change import Held
from chalicelib.kernel.errors import ChangedMeanwhile, Conflict
from chalicelib.organisations.domain import Role
from chalicelib.web import paging
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment
from chalicelib.web.history import Paged

routes = ApiBlueprint(__name__)
OFFICERS = frozenset({Role.ADMIN, Role.HEAD})
PAGE = 25
Reason = Annotated[str, msgspec.Meta(max_length=500)]


class ErasureBlocked(Conflict):
    """Something still needs the data: `field` names what."""

    code = "erasure_blocked"
    sentence = "The data are still needed: a legal hold, a contract or an open complaint."


class HoldInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the data must be kept, such as a claim before a court; empty ends the hold."""

    reason: Reason


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """The hold as it stands."""

    version: int
    reason: str


class CertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, why, when, and where the chain of what is left ends.

    A line in an export of all clients, or in a list that was not yet applied, is not part
    of it: these copies end by themselves, after a day and a week.
    """

    kind: str
    id: str
    ground: Ground
    by: str
    begun_at: Moment
    finished_at: Moment | None
    items: int
    bodies: int
    objects: int
    events: int
    head: str


class ErasureView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a client can be erased now, or why not; the certificate once it was begun."""

    blockers: tuple[str, ...]
    certificate: CertificateView | None


class CertificatesView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of certificates, oldest first."""

    erasures: tuple[CertificateView, ...]
    cursor: str


@routes.staff(
    "POST",
    "/api/clients/{client_id}/erasure",
    gives=CertificateView,
    roles=OFFICERS,
    status=202,
    changes=True,
)
def erase_client(call: Call, client_id: str) -> CertificateView:
    """Erase a client on request (GDPR Art. 17).

    Refused, with the reason as the field, while something still needs the data.
    """
    held = client_store.get(call.ports, call.org, client_id)
    if held.version != call.version:
        raise ChangedMeanwhile
    blockers = _blockers(call, held)
    if blockers:
        raise ErasureBlocked(field=blockers[0])
    call.ports.ledger.commit(clients.leave(held, by=call.actor, now=call.ports.now))
    service.begin(call.ports, held.key, Ground.REQUEST, by=call.actor)
    return _certificate(service.get(call.ports, held.key).value)


@routes.staff("GET", "/api/clients/{client_id}/erasure", gives=ErasureView, roles=OFFICERS)
def read_erasure(call: Call, client_id: str) -> ErasureView:
    """Whether the client can be erased, or the certificate that they were."""
    key = clients.key(call.org, client_id)
    try:
        certificate = _certificate(service.get(call.ports, key).value)
    except ErasureUnknown:
        certificate = None
    items = call.ports.ledger.read(key, "ROOT")
    if "ROOT" not in items:
        raise ClientUnknown
    held = client_store.held(items["ROOT"])
    blockers = () if held.value.erasure else _blockers(call, held)
    return ErasureView(blockers=blockers, certificate=certificate)


@routes.staff(
    "PUT",
    "/api/clients/{client_id}/hold",
    takes=HoldInput,
    gives=HoldView,
    roles=OFFICERS,
    changes=True,
)
def hold_client(call: Call, client_id: str) -> HoldView:
    """A legal hold on a client, or its end."""
    held = client_store.get(call.ports, call.org, client_id)
    if held.version != call.version:
        raise ChangedMeanwhile
    change = clients.hold(held, call.body.reason, by=call.actor, now=call.ports.now)
    version = call.ports.ledger.commit(change)
    return HoldView(version=version, reason=change.root.hold)


@routes.staff("GET", "/api/erasures", query=Paged, gives=CertificatesView, roles=OFFICERS)
def read_erasures(call: Call) -> CertificatesView:
    """The log of all that was erased."""
    keys, query = call.ports.link_keys(), f"erasures\0{call.org}"
    after = paging.unseal(call.query.cursor, query, keys)
    found, after = service.jobs(call.ports, call.org, after=after, most=PAGE)
    shown = tuple(_certificate(one.value) for one in found)
    return CertificatesView(erasures=shown, cursor=paging.seal(after, query, keys))


def _blockers(call: Call, held: Held[Client]) -> tuple[str, ...]:
    """What still needs the data of this client."""
    client, found = held.value, []
    if client.hold:
        found.append("legal_hold")
    if client.contract.state is ContractState.ACTIVE:
        found.append("contract")
    if complaints.has_open(call.ports, held):
        found.append("open_complaint")
    return tuple(found)


def _certificate(job: Erasure) -> CertificateView:
    fields = CertificateView.__struct_fields__
    return CertificateView(**{name: getattr(job, name) for name in fields})
