"""The routes of a client's own page of consents, and of the mail program's one click."""

from datetime import date
from typing import Annotated

import msgspec

from chalicelib.consents import preferences
from chalicelib.consents.preferences import Own
from chalicelib.consents.public import Asked, Link, PublicController, public_controller
from chalicelib.organisations import store as organisations
from chalicelib.web.blueprint import ApiBlueprint, Call

routes = ApiBlueprint(__name__)
Purposes = Annotated[tuple[str, ...], msgspec.Meta(max_length=20)]


class Choice(Link, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person withdraws, and what they ask to be added; there is no default (R4)."""

    withdraw: Purposes = ()
    add: Purposes = ()


class OwnConsent(msgspec.Struct, frozen=True, kw_only=True):
    """One consent in its words, and how it stands; days are days of the organisation's zone.

    `can_be_added`: whether the client may ask for it now. What the organisation asks for no more is
    shown as it stands, and can be withdrawn where it is given (S22, S57).
    """

    purpose: str
    titles: dict[str, str]
    texts: dict[str, str]
    state: str
    decided_on: date | None
    expires_on: date | None
    can_be_added: bool


class OwnConsents(msgspec.Struct, frozen=True, kw_only=True):
    """Every consent of the client behind the link."""

    language: str
    languages: tuple[str, ...]
    controller: PublicController
    client_name: str
    consents: tuple[OwnConsent, ...]


@routes.public("POST", "/api/public/{org}/preferences/read", takes=Link, gives=OwnConsents)
def read_preferences(call: Call, org: str) -> OwnConsents:
    """Every consent of the client; changes nothing."""
    return _shown(call, preferences.open_own(call.ports, org, call.body.token))


@routes.public("POST", "/api/public/{org}/preferences/act", takes=Choice, gives=OwnConsents)
def act_on_preferences(call: Call, org: str) -> OwnConsents:
    """Withdraw, at once; or ask for a consent to be added, which a message then asks to confirm."""
    given = call.body
    own = preferences.act(call.ports, org, given.token, given.withdraw, given.add, call.origin)
    return _shown(call, own)


@routes.one_click("/api/public/{org}/unsubscribe/{token}", gives=Asked)
def unsubscribe(call: Call, org: str, token: str) -> Asked:
    """The mail program's own button: commerce by e-mail ends (RFC 8058)."""
    preferences.unsubscribe(call.ports, org, token, call.origin)
    return Asked(code="unsubscribed")


def _shown(call: Call, own: Own) -> OwnConsents:
    house = own.house
    return OwnConsents(
        language=own.language,
        languages=house.settings.languages,
        controller=public_controller(house.settings),
        client_name=own.client.identity.name,
        consents=tuple(_consent(call, own, one) for one in preferences.shown(own)),
    )


def _consent(call: Call, own: Own, purpose: str) -> OwnConsent:
    """The words of a consent that is given, in its language; else those that are asked for now."""
    standing = own.client.standings.get(purpose)
    given = standing if purpose in own.client.given else None
    entries = (one for one in own.house.catalogue.purposes if one.purpose == purpose)
    entry = next(entries, None)
    ids = set(entry.wordings.values()) if entry else set()
    kept = given if ids else standing
    if kept and kept.wording_id:
        ids.add(kept.wording_id)
    words = organisations.wordings(call.ports, own.house.organisation.org, ids)
    found = sorted(
        words.values(),
        key=lambda one: given is not None and one.wording_id == given.wording_id,
    )
    return OwnConsent(
        purpose=purpose,
        titles={one.language: one.title for one in found},
        texts={one.language: one.text for one in found},
        state=own.client.consent(purpose),
        decided_on=own.day(standing.at) if standing else None,
        expires_on=own.day(standing.expires) if standing and standing.expires else None,
        can_be_added=own.can_be_added(purpose),
    )
