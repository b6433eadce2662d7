"""Where a declaration is kept.

What it says is the part `DECL#<id>` of its client, how far it came stands on the client's root.
"""

import msgspec

from chalicelib.clients import domain as clients
from chalicelib.clients import store as client_store
from chalicelib.clients.domain import Client, ClientUnknown, DeclarationUnknown
from chalicelib.consents.domain import Declaration
from chalicelib.kernel.change import Held
from chalicelib.ports import Item, Ports

_declaration = msgspec.json.Decoder(Declaration).decode


def get(
    ports: Ports, org: str, client_id: str, declaration_id: str
) -> tuple[Held[Client], Declaration]:
    """The client and one declaration of theirs, in one call."""
    part = f"DECL#{declaration_id}"
    items = ports.ledger.read(clients.key(org, client_id), "ROOT", part)
    if "ROOT" not in items:
        raise ClientUnknown
    found = client_store.held(items["ROOT"])
    client_store.refuse_erased(found.value)
    if part not in items:
        raise DeclarationUnknown
    return found, declaration(items[part])


def declaration(item: Item) -> Declaration:
    """The declaration that a part holds."""
    return _declaration(item.data)
