"""May one act for this client, and may this person be contacted? One call, many at once, a feed."""

from datetime import timedelta
from typing import Annotated

import msgspec

from chalicelib.clients import domain as clients
from chalicelib.clients import store
from chalicelib.clients.domain import FEED, Client, ClientUnknown
from chalicelib.clients.routes import May
from chalicelib.contact import domain
from chalicelib.contact.domain import Channel, Verdict
from chalicelib.kernel import ids
from chalicelib.kernel.change import Key
from chalicelib.kernel.errors import Invalid
from chalicelib.web import paging
from chalicelib.web.blueprint import ApiBlueprint, Call, Moment

routes = ApiBlueprint(__name__)

MOST_AT_ONCE = 10_000
PAGE = 100
# Two processes' clocks differ, and a write that is tried again keeps the moment of its first try:
# what changed a moment ago may still get an earlier neighbour.
SETTLED = timedelta(seconds=15)
Purpose = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{1,31}$")]
ClientIds = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which purpose, by which channel, at which moment (now, where none is given)."""

    purpose: Purpose
    channel: Channel
    at: Moment | None = None


class Questions(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same question about up to 10,000 people."""

    clients: ClientIds


class MayOne(May, frozen=True, kw_only=True):
    """The answer about one of many."""

    client_id: str


class MayMany(msgspec.Struct, frozen=True, kw_only=True):
    """An answer for each that was asked about, in the same order."""

    answers: tuple[MayOne, ...]


class FeedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cursor`: that of the last answer; empty begins with the oldest."""

    cursor: str = ""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A client whose consents changed, and what may be done now for commerce."""

    client_id: str
    given: tuple[str, ...]
    email: May
    phone: May
    sms: May


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed since, oldest change first; ask again with `cursor`, which is never over."""

    changes: tuple[Changed, ...]
    cursor: str


@routes.staff("GET", "/api/clients/{client_id}/may/quotation", gives=May)
def may_quote(call: Call, client_id: str) -> May:
    """Whether an offer may be calculated: the notice is needed and nothing else (S8, S14)."""
    return _may(domain.may_quote(store.get(call.ports, call.org, client_id).value))


@routes.staff("GET", "/api/clients/{client_id}/may/contact", query=Question, gives=May)
def may_contact(call: Call, client_id: str) -> May:
    """Whether this person may be contacted, why, and by which proof: one read (S16-S18)."""
    found = call.ports.ledger.read(clients.key(call.org, client_id), "ROOT")
    if "ROOT" not in found:
        raise ClientUnknown
    return _may(_asked(call, store.held(found["ROOT"]).value, call.query))


@routes.staff("POST", "/api/may/contact", takes=Questions, gives=MayMany)
def may_contact_many(call: Call) -> MayMany:
    """The same about up to 10,000 people; who is not known may not be contacted."""
    asked = call.body.clients
    if not all(map(ids.is_id, asked)):
        raise Invalid("Give ids of clients.", field="clients")
    known = _clients(call, [clients.key(call.org, one) for one in dict.fromkeys(asked)])
    unknown = Verdict(allowed=False, reason="unknown")
    verdicts = {one: _asked(call, client, call.body) for one, client in known.items()}
    return MayMany(answers=tuple(_one(one, verdicts.get(one, unknown)) for one in asked))


@routes.staff("GET", "/api/consents/changes", query=FeedQuery, gives=Changes)
def read_changes(call: Call) -> Changes:
    """Whose consents changed, for a mailing tool that must obey: each client at its last change."""
    keys, query = call.ports.link_keys(), f"changes\0{call.org}"
    after = paging.unseal(call.query.cursor, query, keys)
    name = f"O#{call.org}#{FEED}"
    page = call.ports.ledger.worklist(name, prefix="", after=after, most=PAGE)
    until = (call.ports.now - SETTLED).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    settled = [(key, rank) for key, rank in zip(page.keys, page.ranks, strict=True) if rank < until]
    found = _clients(call, [key for key, _ in settled])
    last = settled[-1][1] if settled else after
    return Changes(
        changes=tuple(
            _changed(call, key.id, found[key.id]) for key, _ in settled if key.id in found
        ),
        cursor=paging.seal(last or " ", query, keys),
    )


def _clients(call: Call, keys: list[Key]) -> dict[str, Client]:
    found: dict[str, Client] = {}
    for start in range(0, len(keys), 100):
        roots = call.ports.ledger.roots(keys[start : start + 100])
        found |= {key.id: store.held(item).value for key, item in roots.items()}
    return found


def _changed(call: Call, client_id: str, client: Client) -> Changed:
    may = {
        channel.value: _may(domain.may_contact(client, "marketing", channel, at=call.ports.now))
        for channel in Channel
    }
    given = (one for one in sorted(client.given) if client.in_force(one, call.ports.now))
    return Changed(client_id=client_id, given=tuple(given), **may)


def _asked(call: Call, client: Client, question: Question) -> Verdict:
    at = question.at or call.ports.now
    return domain.may_contact(client, question.purpose, question.channel, at=at)


def _may(verdict: Verdict) -> May:
    return May(allowed=verdict.allowed, reason=verdict.reason, proofs=verdict.proofs)


def _one(client_id: str, verdict: Verdict) -> MayOne:
    return MayOne(
        client_id=client_id,
        allowed=verdict.allowed,
        reason=verdict.reason,
        proofs=verdict.proofs,
    )
