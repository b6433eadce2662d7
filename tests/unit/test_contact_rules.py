"""May this be sent to this person, by this channel, for this reason?"""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from chalicelib.clients.domain import Client, ConsentState, Identity, Kind, Notice, Proof, Served
from chalicelib.clients.domain import Standing as On
from chalicelib.contact.domain import (
    Addressee,
    Channel,
    Ground,
    addressee,
    may_contact,
    may_quote,
    may_reply,
    may_write,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DECIDED = (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN)


def client(
    address: str = "a@b.example", notice: bool = True, **standings: ConsentState | None
) -> Client:
    """A client with these standings, each by a declaration of its purpose's name."""
    identity = Identity(
        kind=Kind.PERSON, name="Anna", language="pl", served=Served.DIRECT, email=address
    )
    return Client(
        identity=identity,
        created=NOW,
        notice=Notice(at=NOW, how="printed", source="x") if notice else None,
        standings={
            purpose: On(state, NOW, Proof.EMAIL_CLICK, f"by-{purpose}", "w")
            for purpose, state in standings.items()
            if state is not None
        },
    )


@pytest.mark.parametrize("states", list(product((None, *DECIDED), repeat=3)))
def test_commerce_needs_marketing_and_the_channel(states: tuple[ConsentState | None, ...]) -> None:
    """S16-S18: every combination of three standings, on every channel; the proofs are named."""
    named = dict(zip(("marketing", "email", "phone"), states, strict=True))
    one = client(marketing=states[0], email=states[1], phone=states[2])
    for channel, second in (
        (Channel.EMAIL, "email"),
        (Channel.PHONE, "phone"),
        (Channel.SMS, "phone"),
    ):
        verdict = may_write(addressee(one), Ground.CONSENT, channel, at=NOW)
        both = named["marketing"] is named[second] is ConsentState.GIVEN
        assert verdict.allowed is both
        assert verdict.proofs == (("by-marketing", f"by-{second}") if both else ())
        if not both:
            first = "marketing" if named["marketing"] is not ConsentState.GIVEN else second
            assert verdict.reason == f"no_consent:{first}"


@pytest.mark.parametrize("channel", Channel)
def test_no_consent_is_used_before_the_notice(channel: Channel) -> None:
    """S8: given and proven elsewhere, the consents wait until the information is delivered."""
    given = dict.fromkeys(("marketing", "email", "phone"), ConsentState.GIVEN)
    one = replace(client(notice=False, **given), identity=replace(client().identity, phone="+48"))
    for asked in (
        may_contact(one, "marketing", channel, at=NOW),
        may_write(addressee(one), Ground.CONSENT, channel, at=NOW),
    ):
        assert (asked.allowed, asked.reason, asked.proofs) == (False, "notice_required", ())
    told = replace(one, notice=Notice(at=NOW, how="printed", source="x"))
    assert may_contact(told, "marketing", channel, at=NOW).allowed


@pytest.mark.parametrize("channel", Channel)
def test_a_duty_needs_no_consent(channel: Channel) -> None:
    """S13: what is needed to serve a person goes, even before the notice, for it brings it."""
    refused = client(notice=False, marketing=ConsentState.REFUSED, email=ConsentState.WITHDRAWN)
    assert may_write(addressee(refused), Ground.DUTY, channel, at=NOW).allowed


@pytest.mark.parametrize("ground", Ground)
def test_nobody_is_written_to_without_an_address(ground: Ground) -> None:
    """S44: held, with its reason."""
    one = client(address="", marketing=ConsentState.GIVEN, email=ConsentState.GIVEN)
    verdict = may_write(addressee(one), ground, Channel.EMAIL, at=NOW)
    assert (verdict.allowed, verdict.reason) == (False, "no_email")


def test_a_bar_stands_before_everything_else() -> None:
    """M37: whom a letter may not reach at all, no ground and no address opens."""
    barred = Addressee(email="x@klient.example", bar="third_party")
    verdict = may_write(barred, Ground.DUTY, Channel.EMAIL, at=NOW)
    assert (verdict.allowed, verdict.reason) == (False, "third_party")


def test_a_stranger_gave_no_consent() -> None:
    """S16: who is no client of ours is not sent anything that rests on a consent."""
    stranger = Addressee(email="x@klient.example")
    assert may_write(stranger, Ground.DUTY, Channel.EMAIL, at=NOW).allowed
    assert not may_write(stranger, Ground.CONSENT, Channel.EMAIL, at=NOW).allowed


@pytest.mark.parametrize(("hours", "allowed"), [(-1, True), (0, False), (1, False)])
def test_a_term_that_is_over_is_over_before_the_tick(hours: int, allowed: bool) -> None:
    """S16, S56: the gate and the door to a letter agree, whenever the agenda comes."""
    ends = NOW + timedelta(days=30)
    one = client(marketing=ConsentState.GIVEN, email=ConsentState.GIVEN)
    term = replace(one.standings["email"], expires=ends)
    one = replace(one, standings={**one.standings, "email": term})
    at = ends + timedelta(hours=hours)
    asked = may_contact(one, "marketing", Channel.EMAIL, at=at)
    assert asked == may_write(addressee(one), Ground.CONSENT, Channel.EMAIL, at=at)
    assert asked.allowed is allowed
    assert allowed or asked.reason == "no_consent:email"


def test_a_private_answer_needs_consents_whose_term_is_not_over() -> None:
    """M82, M83: neither consent opens an address once its term is over."""
    both = client(data_processing=ConsentState.GIVEN, reply_by_email=ConsentState.GIVEN)
    terms = {name: replace(one, expires=NOW) for name, one in both.standings.items()}
    before = may_reply(both, "a@b.example", at=NOW)
    assert (before.data_consent, before.consent_to_address) == (True, True)
    over = may_reply(replace(both, standings=terms), "a@b.example", at=NOW)
    assert (over.data_consent, over.consent_to_address) == (False, False)


def test_a_quotation_needs_the_notice_and_nothing_else() -> None:
    """S8, S14: refused before it; allowed after it with every consent refused."""
    refused = client(marketing=ConsentState.REFUSED, phone=ConsentState.REFUSED)
    assert may_quote(refused).allowed
    before = may_quote(client(notice=False, marketing=ConsentState.GIVEN))
    assert (before.allowed, before.reason) == (False, "notice_required")
