"""Where a client is kept: `O#<org>#CLIENT#<id>`.

Its parts: `NAME#<n>`, `DECL#<id>`, `FILE#<id>`, letters and events.
"""

import msgspec

from chalicelib.clients import domain
from chalicelib.clients.domain import Client, ClientErased, ClientUnknown
from chalicelib.kernel.change import Held
from chalicelib.ports import Item, Ports

_client = msgspec.json.Decoder(Client).decode


def get(ports: Ports, org: str, client_id: str) -> Held[Client]:
    """The client as it is now; `ClientUnknown` if there is none in this organisation.

    `ClientErased` once its erasure has begun: nobody acts on it any more.
    """
    items = ports.ledger.read(domain.key(org, client_id), "ROOT")
    if "ROOT" not in items:
        raise ClientUnknown
    found = held(items["ROOT"])
    refuse_erased(found.value)
    return found


def refuse_erased(client: Client) -> None:
    """`ClientErased` once the erasure has begun."""
    if client.erasure:
        raise ClientErased


def held(item: Item) -> Held[Client]:
    """The client that a root item holds."""
    return Held(key=item.key, value=_client(item.data), version=item.version, head=item.head)
