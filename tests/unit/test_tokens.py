"""Signed one-time links."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import ids, tokens
from chalicelib.kernel.tokens import Claims, KeyRing, LinkExpired, LinkInvalid, Purpose

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = {"signing": "k2", "k2": "b" * 64, "k1": "a" * 64}
KEYS = tokens.ring(SECRET, now=NOW)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def claims(**changes: Any) -> Claims:
    """What a link of ours says."""
    one = Claims(
        org="agencja",
        owner_id=ids.from_bytes(b"c" * 16),
        about_id=ids.from_bytes(b"d" * 16),
        generation=1,
        issued=NOW,
        expires=NOW + timedelta(days=14),
    )
    return msgspec.structs.replace(one, **changes)


def signed(keys: KeyRing = KEYS, **changes: Any) -> str:
    """A token of ours."""
    return tokens.sign(claims(**changes), purpose=Purpose.CONFIRM, stage="prod", keys=keys)


def read(token: str, **changes: Any) -> Claims:
    """What the token says, at the right place and time unless told otherwise."""
    place: dict[str, Any] = {
        "org": "agencja",
        "purpose": Purpose.CONFIRM,
        "stage": "prod",
        "keys": KEYS,
        "now": NOW,
    }
    return tokens.verify(token, **(place | changes))


MOMENTS = st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(
    st.from_regex(r"[a-z][a-z0-9-]{1,22}[a-z0-9]", fullmatch=True),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 65535),
    MOMENTS,
)
def test_a_token_says_what_was_signed(
    org: str, raw: bytes, generation: int, issued: datetime
) -> None:
    """R7: 16-byte ids, a MAC of 256 bits, and short enough for one line of a letter (R19)."""
    said = claims(
        org=org,
        owner_id=ids.from_bytes(raw),
        generation=generation,
        issued=issued,
        expires=datetime.fromtimestamp(2**32 - 1, UTC),
    )
    token = tokens.sign(said, purpose=Purpose.CONFIRM, stage="prod", keys=KEYS)
    moment = min(issued, said.expires - timedelta(seconds=1))
    assert read(token, org=org, now=moment) == said
    assert len(token.rpartition(".")[2]) == math.ceil(32 * 8 / 6)
    assert len("https://" + "h" * 47 + "/c#" + token) <= 200


@pytest.mark.parametrize(
    "change", [{"org": "agencjb"}, {"stage": "dev"}, {"purpose": "unsubscribe"}]
)
def test_a_link_is_good_in_its_place_alone(change: dict[str, Any]) -> None:
    """R8: another organisation, stage or purpose gets the one answer."""
    with pytest.raises(LinkInvalid):
        read(signed(), **change)


def test_an_organisation_that_is_in_the_claims_alone_is_refused() -> None:
    """R8: genuine, but of another organisation."""
    with pytest.raises(LinkInvalid):
        read(signed(org="inna-agencja"))


def test_a_token_has_one_spelling() -> None:
    """R10: every other character in every place, and the aliases of base64, are refused."""
    token = signed()
    for place in range(len(token)):
        for other in (ALPHABET[place % 64], ".", "=", "!", "\n", "é", " "):
            if other == token[place]:
                continue
            with pytest.raises(LinkInvalid):
                read(token[:place] + other + token[place + 1 :])
    head, _, mac = token.rpartition(".")
    accepted = [c for c in ALPHABET if _reads(f"{head}.{mac[:-1]}{c}")]
    assert accepted == [mac[-1]]


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "x",
        "v1",
        "v1.k1..",
        "é" * 50,
        "v1.k2." + "A" * 201 + "." + "A" * 43,
        "A" * 10000,
        "v1.k2.A." + "A" * 43,
        "v1.k9.AAAA." + "A" * 43,
        "\ud800",
        "v2" + "." * 3,
    ],
)
def test_garbage_is_told_apart_from_nothing(garbage: str) -> None:
    """R9, R16: one kind of refusal, whatever it is, without any look-up."""
    with pytest.raises(LinkInvalid):
        read(garbage)


@given(st.text(max_size=450))
def test_no_text_makes_the_verifier_stumble(wild: str) -> None:
    """R9: refused, never an error of ours."""
    assert not _reads(wild)


def test_a_link_ends_at_its_second() -> None:
    """R13: a second before it is good, at its end it is over; over is told only of our own."""
    token, ends = signed(), NOW + timedelta(days=14)
    assert read(token, now=ends - timedelta(seconds=1)) == claims()
    with pytest.raises(LinkExpired):
        read(token, now=ends)
    with pytest.raises(LinkInvalid):
        read(token[:-2], now=ends)
    authentic = tokens.authentic(
        token, org="agencja", purpose=Purpose.CONFIRM, stage="prod", keys=KEYS, now=ends
    )
    assert authentic == claims()


def test_keys_are_followed_by_others_and_die() -> None:
    """R11: the newest signs; an old one verifies until the last link signed by it is over."""
    old = signed()
    secret = tokens.rotated(SECRET, now=NOW)
    assert secret["signing"] == "k3"
    assert len(secret["k3"]) == 64
    assert secret["k3"] != tokens.rotated(SECRET, now=NOW)["k3"]
    keys = tokens.ring(secret, now=NOW + tokens.SETTLING)
    assert read(old, keys=keys) == claims()
    assert read(signed(keys), keys=keys) == claims()
    assert signed(keys).split(".")[1] == "k3"
    later = NOW + tokens.MAX_LIFETIME
    long = signed(expires=NOW + timedelta(days=100))
    with pytest.raises(LinkInvalid):
        read(long, keys=keys, now=later)
    again = tokens.rotated(secret, now=later)
    assert {name for name in again if name[1:].isdigit()} == {"k3", "k4"}
    assert again["until"]["k3"] == int((later + tokens.MAX_LIFETIME).timestamp())
    assert again["made"] == {
        "k3": int(NOW.timestamp()),
        "k4": int(later.timestamp()),
    }


def test_a_new_key_signs_once_every_process_knows_it() -> None:
    """R11: for five minutes the key before it signs, so a ring of a minute ago reads each link."""
    secret = tokens.rotated(SECRET, now=NOW)
    almost = NOW + tokens.SETTLING - timedelta(seconds=1)
    for moment in (NOW - timedelta(minutes=1), NOW, almost):
        keys = tokens.ring(secret, now=moment)
        assert keys.signing == "k2"
        assert read(signed(keys)) == claims()
    assert tokens.ring(secret, now=NOW + tokens.SETTLING).signing == "k3"
    alone = {name: value for name, value in secret.items() if name not in ("k1", "k2")}
    assert tokens.ring(alone, now=NOW).signing == "k3", "rather a fresh key than none"


def test_the_first_key_counts_at_once() -> None:
    """R11: what CloudFormation makes has no moments; it signs, and it can be rotated."""
    first = {"signing": "k1", "k1": "a" * 64}
    assert tokens.ring(first, now=NOW).signing == "k1"
    assert tokens.rotated(first, now=NOW)["signing"] == "k2"


def test_a_rotation_told_twice_is_one() -> None:
    """R11: nothing within a day; of two at the same moment, the lost key has signed nothing."""
    secret = tokens.rotated(SECRET, now=NOW)
    day = NOW + tokens.SHORTEST_TERM
    assert tokens.rotated(secret, now=day - timedelta(seconds=1)) == secret
    assert tokens.rotated(secret, now=day)["signing"] == "k4"
    lost, kept = (tokens.rotated(SECRET, now=NOW) for _ in range(2))
    token = signed(tokens.ring(lost, now=NOW + timedelta(minutes=1)))
    assert read(token, keys=tokens.ring(kept, now=NOW)) == claims()


def test_everything_issued_before_a_moment_can_be_rejected() -> None:
    """R11: the emergency brake, and it survives a rotation."""
    braked = {**SECRET, "reject_before": int(NOW.timestamp()) + 1}
    for secret in (braked, tokens.rotated(braked, now=NOW)):
        keys = tokens.ring(secret, now=NOW)
        with pytest.raises(LinkInvalid):
            read(signed(keys), keys=keys)
        issued = NOW + timedelta(seconds=1)
        assert read(signed(keys, issued=issued), keys=keys).issued == issued


@pytest.mark.parametrize(
    "secret", [{}, {"signing": "k1"}, {"signing": "k1", "k1": "short"}, {"k1": "a" * 64}]
)
def test_unusable_keys_fail_closed(secret: dict[str, Any]) -> None:
    """R12: rather no link than a weak one."""
    with pytest.raises(ValueError, match=r"unusable|signing"):
        tokens.ring(secret, now=NOW)


def test_a_key_ring_never_shows_its_keys() -> None:
    """R17: not in a log, not in a trace."""
    assert "bbb" not in repr(KEYS)
    assert "aaa" not in str(KEYS)


def _reads(token: str) -> bool:
    try:
        read(token)
    except LinkInvalid:
        return False
    return True
