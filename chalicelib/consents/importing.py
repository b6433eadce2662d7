"""What one line of a list of old consents changes: a new client, or more of a known one (S52-S54).

All of a line is one change, or nothing of it is done. What the list says of a known client's name
and addresses is not taken over: staff keep those here. Its decisions join the history, and stand
unless a later one does (D21). A decision has an id made of what it says, so the same list read
again, in whatever form, finds it there and changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.clients import domain as client_domain
from chalicelib.clients.domain import (
    Client,
    Contract,
    ContractState,
    EndRefused,
    Identity,
    Notice,
)
from chalicelib.consents import standings
from chalicelib.consents.columns import DateRefused, Line
from chalicelib.consents.standings import Record
from chalicelib.kernel import ids, text
from chalicelib.kernel.change import Actor, Change, Event, Held, Key, Once, Part
from chalicelib.kernel.errors import Conflict


class ClientAmbiguous(Conflict):
    """Consents of one person must never be another's."""

    code = "client_ambiguous"
    sentence = "More than one client fits this line, or its number does not go with whom it names."


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Which import a line belongs to, and who answers for it."""

    import_id: str
    by: Actor
    now: datetime
    months: Mapping[str, int]
    grace: timedelta


def fitting(
    line: Line, identity: Identity, found: Iterable[Held[Client]], *, by_number: bool
) -> Held[Client] | None:
    """The client whom a line means, of those found by its number or by one of its addresses.

    With an address the name must be the same, for a family or an office has one address; with a
    number it may be another, but then an address must be the same, for two systems count from one.
    `ClientAmbiguous` for several, for one of whom nothing but the number fits, or for one who has
    another number.
    """
    fits = [one for one in found if by_number or _namesakes(one.value.identity, identity)]
    if len(fits) > 1 or not all(_alike(one.value.identity, identity) for one in fits):
        raise ClientAmbiguous(field="name")
    for one in fits:
        if line.external_id and one.value.external_id not in ("", line.external_id):
            raise ClientAmbiguous(field="external_id")
    return next(iter(fits), None)


def _namesakes(one: Identity, other: Identity) -> bool:
    return text.fold(one.name) == text.fold(other.name)


def _alike(one: Identity, other: Identity) -> bool:
    """Whether they may be the same person: one of name, e-mail and telephone is the same."""
    email = one.email.casefold() == other.email.casefold()
    phone = one.phone == other.phone
    return _namesakes(one, other) or bool(one.email and email) or bool(one.phone and phone)


def records(client_id: str, line: Line, source: Source) -> dict[str, Record]:
    """The decisions of a line as records, by their sort keys; the same decision is the same key."""
    found = {}
    for one in sorted(line.decisions, key=lambda one: one.decided_at):
        said = "\0".join(
            (
                client_id,
                one.purpose,
                one.decided,
                one.decided_at.isoformat(),
                one.source,
                one.note,
            )
        )
        record = Record(
            record_id=ids.derived(said),
            purpose=one.purpose,
            decided=one.decided,
            decided_at=one.decided_at,
            source=one.source,
            note=one.note,
            by=source.by.id,
            at=source.now,
        )
        found[f"RECORD#{record.record_id}"] = record
    return found


def new_client(
    key: Key,
    identity: Identity,
    line: Line,
    source: Source,
    *,
    digests: Mapping[str, str],
    once: Once,
) -> Change:
    """A client whom nobody knew here, with contract, notice and decisions as one change.

    Without a recorded notice there is the bare identity (D10), or `NoticeRequired`.
    """
    client = Client(identity=identity, created=source.now, external_id=line.external_id)
    client = _completed(client, line, source)
    given = list(records(key.id, line, source).values())
    client, parts, told = _decided(key, client, given, source)
    body = _body(line, source, told) | {"identity": msgspec.to_builtins(identity)}
    change = client_domain.arrived(key, client, _event(body, source), digests=digests, parts=parts)
    return replace(client_domain.with_validity(change, source.months, before=None), once=once)


def known_client(
    held: Held[Client],
    line: Line,
    given: Sequence[Record],
    source: Source,
    *,
    digests: Mapping[str, str],
) -> Change | None:
    """What a line adds to a known client; None where all of it is there. `given`: the new records.

    Only what is not known is filled in: the number elsewhere, the contract, the notice.
    """
    before = held.value
    external_id = before.external_id or line.external_id
    client = _completed(replace(before, external_id=external_id), line, source)
    lookups = () if before.external_id else client_domain.known_elsewhere(client, digests)
    client, parts, told = _decided(held.key, client, given, source)
    if client == before and not given:
        return None
    event = _event(_body(line, source, told), source)
    change = client_domain.change_of(held, client, event, parts=parts, lookups=lookups)
    return client_domain.with_validity(change, source.months, before=before)


def only_history(change: Change) -> bool:
    """Whether all that a change brings are decisions older than those that stand (D21)."""
    told = change.event.body["decisions"]
    return bool(told) and change.version > 0 and not any(stands for _, stands in told)


def _completed(client: Client, line: Line, source: Source) -> Client:
    """The client with notice and contract of the line, where nothing was known of them."""
    if line.notice_at is not None and line.notice_at > source.now:
        raise DateRefused(field="notice_given_at")
    if client.notice is None and line.notice_at is not None:
        notice = Notice(at=line.notice_at, how="recorded", source=source.import_id)
        client = replace(client, notice=notice)
    ended = line.contract.state is ContractState.ENDED
    if ended != (line.contract.ended_on is not None):
        raise EndRefused(field="contract_ended_on")
    if line.contract == Contract() or client.contract != Contract():
        return client
    _require_notice(client)
    ends = source.now + source.grace if line.contract.state is ContractState.NONE else None
    return replace(client, contract=line.contract, erase_at=ends)


def _decided(
    key: Key, client: Client, given: Sequence[Record], source: Source
) -> tuple[Client, list[Part], list[list[Any]]]:
    """The client after these decisions, their parts, and whether each of them stands."""
    parts, told = [], []
    if given:
        _require_notice(client)
    for one in given:
        held = Held(key=key, value=client, version=0, head="")
        change = standings.record(held, one, by=source.by, now=source.now)
        client = change.root
        parts += [part for part in change.parts if part.sk.startswith("RECORD#")]
        told.append([change.event.body, change.event.body["stands"]])
    return client, parts, told


def _require_notice(client: Client) -> None:
    try:
        client_domain.require_notice(client)
    except client_domain.NoticeRequired as error:
        raise client_domain.NoticeRequired(field="notice_given_at") from error


def _body(line: Line, source: Source, told: list[list[Any]]) -> dict[str, Any]:
    return {
        "import": source.import_id,
        "line": line.number,
        "external_id": line.external_id,
        "contract": msgspec.to_builtins(line.contract),
        "notice_at": line.notice_at and line.notice_at.isoformat(),
        "decisions": told,
    }


def _event(body: dict[str, Any], source: Source) -> Event:
    return Event(kind="client_imported", actor=source.by, at=source.now, body=body)
