"""Consents set by staff without a declaration: recorded by hand, withdrawn; what is weak."""

from typing import Annotated

import msgspec

from chalicelib.clients import store as client_store
from chalicelib.clients.domain import WEAK
from chalicelib.clients.routes import ClientsView, ClientView, view
from chalicelib.consents import service, standings
from chalicelib.consents.standings import Decided, Record, RecordUnknown, Source
from chalicelib.documents import store as file_store
from chalicelib.web import paging
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment
from chalicelib.web.history import Paged

routes = ApiBlueprint(__name__)
PAGE = 25
Note = Annotated[str, msgspec.Meta(max_length=1000)]
_record = msgspec.json.Decoder(Record).decode


class RecordInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was decided elsewhere: when, how we know, and the file that shows it, if there is one.

    `wording_id`: the words of the catalogue that the client was shown or read, if it was these.

    A word on the telephone or by SMS is weak: somebody is reminded until there is better proof.
    """

    decided: Decided
    source: Source
    decided_at: Moment | None = None
    note: Note = ""
    wording_id: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]{24})?$")] = ""
    file_id: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]{22})?$")] = ""


class WithdrawInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which consents the client no longer gives."""

    purposes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=20)]
    note: Note = ""


class OfferInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is offered, in plain words."""

    subject: str
    text: str


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """The offer that was promised."""

    offer_id: str


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """A record made by hand; `url` opens its file for five minutes."""

    record_id: str
    purpose: str
    decided: Decided
    decided_at: Moment
    source: Source
    note: str
    wording_id: str
    by: str
    at: Moment
    url: str


@routes.staff(
    "PUT",
    "/api/clients/{client_id}/consents/{purpose}",
    takes=RecordInput,
    gives=ClientView,
    changes=True,
)
def record_consent(call: Call, client_id: str, purpose: str) -> ClientView:
    """Set a consent by hand: given, refused or withdrawn elsewhere (S52-S55, S61)."""
    given = call.body
    record = standings.new_record(
        purpose,
        given.decided,
        decided_at=given.decided_at or call.ports.now,
        source=given.source,
        note=given.note,
        wording_id=given.wording_id,
        file_id=given.file_id,
        by=call.member.staff_id,
        now=call.ports.now,
    )
    held = service.record(call.ports, call.house, client_id, call.version, record, by=call.actor)
    return view(held, call.house)


@routes.staff(
    "POST",
    "/api/clients/{client_id}/withdraw",
    takes=WithdrawInput,
    gives=ClientView,
    changes=True,
)
def withdraw_consents(call: Call, client_id: str) -> ClientView:
    """Withdraw consents at once, without confirmation (S57, S61)."""
    held = service.withdraw(
        call.ports,
        call.house,
        client_id,
        call.version,
        call.body.purposes,
        call.body.note,
        by=call.actor,
    )
    return view(held, call.house)


@routes.staff("GET", "/api/clients/{client_id}/records/{record_id}", gives=RecordView)
def read_record(call: Call, client_id: str, record_id: str) -> RecordView:
    """What a consent set by hand rests on."""
    held = client_store.get(call.ports, call.org, client_id)
    items = call.ports.ledger.read(held.key, f"RECORD#{record_id}")
    if not items:
        raise RecordUnknown
    record = _record(items[f"RECORD#{record_id}"].data)
    told = {name: getattr(record, name) for name in RecordView.__struct_fields__ if name != "url"}
    file, url = None, ""
    if record.file_id:
        file = file_store.find_file(call.ports, held.key, record.file_id)
    if file is not None:
        url = call.ports.bucket.link(
            file.object_key, filename=file.name, content_type=file.content_type
        )
    return RecordView(**told, url=url)


@routes.staff(
    "POST",
    "/api/clients/{client_id}/offers",
    takes=OfferInput,
    gives=OfferView,
    status=202,
    creates=True,
)
def send_offer(call: Call, client_id: str) -> OfferView:
    """Send commercial information, if the client consented to it (S16, S17)."""
    offer_id = service.send_offer(
        call.ports,
        call.house,
        client_id,
        call.body.subject,
        call.body.text,
        by=call.actor,
        once=call.once_for,
    )
    return OfferView(offer_id=offer_id)


@routes.staff("GET", "/api/consents/weak", query=Paged, gives=ClientsView)
def read_weak(call: Call) -> ClientsView:
    """Clients with a consent that rests on a spoken word or an SMS, the oldest first (S54)."""
    keys, query = call.ports.link_keys(), f"weak\0{call.org}"
    after = paging.unseal(call.query.cursor, query, keys)
    name = f"O#{call.org}#{WEAK}"
    page = call.ports.ledger.worklist(name, prefix="", after=after, most=PAGE)
    roots = call.ports.ledger.roots(list(page.keys))
    found = (client_store.held(roots[key]) for key in page.keys if key in roots)
    return ClientsView(
        clients=tuple(view(one, call.house) for one in found),
        cursor=paging.seal(page.after, query, keys),
    )
