"""Where files are kept: parts `FILE#<id>` of the client or the organisation that they belong to."""

import msgspec

from chalicelib.documents.attachments import StoredFile
from chalicelib.kernel.change import Key
from chalicelib.ports import Ports

_file = msgspec.json.Decoder(StoredFile).decode


def find_file(ports: Ports, owner: Key, file_id: str) -> StoredFile | None:
    """The file of this owner, or None."""
    items = ports.ledger.read(owner, f"FILE#{file_id}")
    return _file(items[f"FILE#{file_id}"].data) if items else None


def files(ports: Ports, owner: Key) -> list[StoredFile]:
    """Every file of this owner."""
    return [_file(item.data) for item in ports.ledger.parts(owner, "FILE#")]
