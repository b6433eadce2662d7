"""Where a complaint is kept: `O#<org>#COMPLAINT#<id>`.

| SK | What |
|---|---|
| `ROOT` | the case: all that decides what happens next |
| `STATEMENT` | the words of the submission |
| `MESSAGE#<id>` | what came later |
| `FILE#<id>` | a file, uploaded, kept or held |
| `SAID#<id>` | what staff say to the client: what a letter is about |
| `LOG#<id>` | a note, a contact |
| `REGISTER` | its line of the register, without anything personal; outlives the rest |
| `LIST#STATE`, `LIST#STAFF`, `LIST#AGENT` | its places in worklists |
"""

from collections.abc import Sequence

import msgspec

from chalicelib.complaints import case as cases
from chalicelib.complaints.case import (
    CaseFile,
    Complaint,
    ComplaintUnknown,
    Logged,
    Message,
    Said,
    Statement,
)
from chalicelib.complaints.register import Entry
from chalicelib.kernel.change import Held, Key
from chalicelib.ports import Item, Ports

_complaint = msgspec.json.Decoder(Complaint).decode
_statement = msgspec.json.Decoder(Statement).decode
_message = msgspec.json.Decoder(Message).decode
_logged = msgspec.json.Decoder(Logged).decode
_said = msgspec.json.Decoder(Said).decode
_file = msgspec.json.Decoder(CaseFile).decode
_entry = msgspec.json.Decoder(Entry).decode


def get(ports: Ports, org: str, case_id: str) -> Held[Complaint]:
    """The case as it is now; `ComplaintUnknown` if there is none in this organisation."""
    return read(ports, cases.key(org, case_id))[0]


def read(ports: Ports, key: Key, *sks: str) -> tuple[Held[Complaint], dict[str, Item]]:
    """The case and these parts of it, in one call."""
    items = ports.ledger.read(key, "ROOT", *sks)
    if "ROOT" not in items:
        raise ComplaintUnknown
    return held(items["ROOT"]), items


def held(item: Item) -> Held[Complaint]:
    """The case that a root item holds."""
    return Held(key=item.key, value=_complaint(item.data), version=item.version, head=item.head)


def statement(items: dict[str, Item]) -> Statement:
    """The words of the submission, if they are still there."""
    return _statement(items["STATEMENT"].data) if "STATEMENT" in items else Statement(substance="")


def messages(ports: Ports, key: Key) -> list[Message]:
    """Everything that came later, oldest first."""
    found = [_message(item.data) for item in ports.ledger.parts(key, "MESSAGE#")]
    return sorted(found, key=lambda one: one.at)


def log(ports: Ports, key: Key) -> list[Logged]:
    """Every note and contact, oldest first."""
    found = [_logged(item.data) for item in ports.ledger.parts(key, "LOG#")]
    return sorted(found, key=lambda one: one.at)


def said(item: Item) -> Said:
    """What staff said, as a part holds it."""
    return _said(item.data)


def files(ports: Ports, key: Key) -> list[CaseFile]:
    """Every file of the case, oldest first."""
    found = [file(item) for item in ports.ledger.parts(key, "FILE#")]
    return sorted(found, key=lambda one: (one.added, one.name))


def file(item: Item) -> CaseFile:
    """The file that a part holds."""
    return _file(item.data)


def entry(item: Item) -> Entry:
    """The line of the register that a part holds."""
    return _entry(item.data)


def find(ports: Ports, org: str, kind: str, digest: str) -> list[Held[Complaint]]:
    """The cases that an exact look-up points to, a hundred at most."""
    keys = ports.ledger.find(org, kind, digest)[:100]
    return listed(ports, keys)


def listed(ports: Ports, keys: Sequence[Key]) -> list[Held[Complaint]]:
    """The cases of these keys in their order, in one call; the gone are left out."""
    found = ports.ledger.roots(list(dict.fromkeys(keys)))
    return [held(found[key]) for key in dict.fromkeys(keys) if key in found]
