"""Proof of work on the public form: cheap to verify, hard to fake, good for one thing."""

import base64
import copy
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from altcha import Challenge, Payload, Solution, solve_challenge

from chalicelib.complaints import proof_of_work
from chalicelib.complaints.proof_of_work import LIFE, ProofExpired, ProofRefused
from chalicelib.kernel.tokens import KeyRing

NOW = datetime(2026, 11, 27, 10, 0, 0, tzinfo=UTC)
KEYS = KeyRing(signing="k2", keys={"k1": b"1" * 64, "k2": b"2" * 64})
SOONER = KeyRing(signing="k1", keys={"k1": b"1" * 64})


def a_challenge(org: str = "agencja", purpose: str = "complaint", keys: KeyRing = KEYS) -> Any:
    """A challenge made at ten o'clock."""
    return proof_of_work.challenge(org, purpose, keys, now=NOW)


def solved(challenge: Any) -> Any:
    """The payload of somebody who did the work."""
    found = solve_challenge(Challenge.from_dict(challenge))
    assert found is not None
    return {"challenge": challenge, "solution": found.to_dict()}


def spelled(payload: Any) -> str:
    """As it is sent."""
    return base64.b64encode(json.dumps(payload).encode()).decode()


def verified(proof: str, *, after: timedelta = timedelta(), keys: KeyRing = KEYS) -> str:
    """What our own form's proof gets."""
    return proof_of_work.verify(proof, "agencja", "complaint", keys, now=NOW + after)


@pytest.fixture(scope="module")
def payload() -> Any:
    """One solved challenge for all that only spoil a copy of it."""
    return solved(a_challenge())


def test_work_is_accepted_without_doing_it_again(
    payload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M1: two HMACs, no key derivation, whatever the cost of the challenge."""

    def derived(*_: Any, **__: Any) -> bytes:
        raise AssertionError("a key was derived")

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", derived)
    nonce = payload["challenge"]["parameters"]["nonce"]
    assert verified(spelled(payload)) == hashlib.sha256(nonce.encode()).hexdigest()[:32]


def test_a_challenge_takes_work_but_not_much() -> None:
    """M1: between a quarter and a thousand tries, of a millisecond or so each."""
    found = solved(a_challenge())["solution"]
    assert proof_of_work.LEAST_TRIES <= found["counter"] <= proof_of_work.MOST_TRIES <= 1_000


def test_two_challenges_are_spent_apart() -> None:
    one, other = solved(a_challenge()), solved(a_challenge())
    assert verified(spelled(one)) != verified(spelled(other))


def test_a_proof_lasts_ten_minutes_to_the_second(payload: Any) -> None:
    """R13: good in the last second, over in the next."""
    assert timedelta(minutes=10) >= LIFE
    assert verified(spelled(payload), after=LIFE - timedelta(seconds=1))
    with pytest.raises(ProofExpired):
        verified(spelled(payload), after=LIFE)


def _no_work(proof: Any) -> None:
    prefix = proof["challenge"]["parameters"]["keyPrefix"]
    proof["solution"] = {"counter": 0, "derivedKey": prefix + "00" * 16}


def _empty_key(proof: Any) -> None:
    proof["solution"]["derivedKey"] = ""


def _number_for_key(proof: Any) -> None:
    proof["solution"]["derivedKey"] = 7


def _longer(proof: Any) -> None:
    proof["challenge"]["parameters"]["data"]["expires"] += 3600


def _easier(proof: Any) -> None:
    proof["challenge"]["parameters"] |= {"cost": 1, "keyPrefix": "00"}


def _without_the_signed_key(proof: Any) -> None:
    del proof["challenge"]["parameters"]["keySignature"]


def _null_for_the_signed_key(proof: Any) -> None:
    proof["challenge"]["parameters"]["keySignature"] = None


def _unsigned(proof: Any) -> None:
    del proof["challenge"]["signature"]


def _other_nonce(proof: Any) -> None:
    nonce = proof["challenge"]["parameters"]["nonce"]
    proof["challenge"]["parameters"]["nonce"] = nonce[1:] + nonce[0] + "0" * 2


def _capital_nonce(proof: Any) -> None:
    proof["challenge"]["parameters"]["nonce"] = "A" + "b" * 31


def _other_key(proof: Any) -> None:
    proof["challenge"]["parameters"]["data"]["kid"] = "k1"


def _unknown_key(proof: Any) -> None:
    proof["challenge"]["parameters"]["data"]["kid"] = "k9"


def _spliced_end(proof: Any) -> None:
    proof["challenge"]["parameters"]["expiresAt"] = 1


def _more_data(proof: Any) -> None:
    proof["challenge"]["parameters"]["data"]["more"] = 1


def _another_purpose(proof: Any) -> None:
    proof["challenge"]["parameters"]["data"]["purpose"] = "status"


@pytest.mark.parametrize(
    "spoil",
    [
        _no_work,
        _empty_key,
        _number_for_key,
        _longer,
        _easier,
        _without_the_signed_key,
        _null_for_the_signed_key,
        _unsigned,
        _other_nonce,
        _capital_nonce,
        _other_key,
        _unknown_key,
        _spliced_end,
        _more_data,
        _another_purpose,
    ],
)
def test_a_proof_that_was_touched_is_refused(payload: Any, spoil: Callable[[Any], None]) -> None:
    """Zero work, splicing, a later end, an easier task: one and the same answer."""
    spoiled = copy.deepcopy(payload)
    spoil(spoiled)
    with pytest.raises(ProofRefused) as refused:
        verified(spelled(spoiled))
    assert refused.value.field == "proof"


def test_the_end_is_told_to_none_who_did_no_work(payload: Any) -> None:
    """R16: an expired challenge without its solution is refused like any other."""
    spoiled = copy.deepcopy(payload)
    _no_work(spoiled)
    with pytest.raises(ProofRefused):
        verified(spelled(spoiled), after=timedelta(hours=1))


@pytest.mark.parametrize(
    ("org", "purpose"), [("inna", "complaint"), ("agencja", "status"), ("agencja", "")]
)
def test_a_proof_is_good_for_one_thing_of_one_organisation(
    payload: Any, org: str, purpose: str
) -> None:
    """R8."""
    with pytest.raises(ProofRefused):
        proof_of_work.verify(spelled(payload), org, purpose, KEYS, now=NOW)


@pytest.mark.parametrize(
    "proof",
    [
        "",
        "!",
        "zażółć",
        "\ud800",
        "e30=",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"challenge": 1, "solution": 2}').decode(),
        base64.b64encode(b'{"challenge": {"parameters": []}, "solution": {}}').decode(),
        base64.b64encode(b"[" * 1_400).decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        "A" * 2_001,
        "A" * 1_000_000,
    ],
)
def test_garbage_is_refused(proof: str) -> None:
    """R16: never an error of ours."""
    with pytest.raises(ProofRefused):
        verified(proof)


def test_a_huge_number_and_a_lone_surrogate_are_refused(payload: Any) -> None:
    spoiled = copy.deepcopy(payload)
    spoiled["challenge"]["parameters"]["cost"] = 10**400
    with pytest.raises(ProofRefused):
        verified(spelled(spoiled))
    spoiled["challenge"]["signature"] = "\ud800"
    with pytest.raises(ProofRefused):
        verified(spelled(spoiled))


def test_another_spelling_is_the_same_proof(payload: Any) -> None:
    """What is spent is the nonce, however the rest is written."""
    other = copy.deepcopy(payload)
    other["solution"] |= {"derivedKey": other["solution"]["derivedKey"].upper(), "time": 7}
    other["more"] = "ignored"
    assert verified(spelled(other)) == verified(spelled(payload))


def test_an_older_key_verifies_until_its_time_is_over() -> None:
    """R11: a challenge signed right before the rotation is still good."""
    proof = spelled(solved(a_challenge(keys=SOONER)))
    assert verified(proof)
    seconds = int(NOW.timestamp())
    over = KeyRing(signing="k2", keys=KEYS.keys, until={"k1": seconds})
    with pytest.raises(ProofRefused):
        verified(proof, keys=over)
    rejected = KeyRing(signing="k2", keys=KEYS.keys, reject_before=seconds + 1)
    with pytest.raises(ProofRefused):
        verified(proof, keys=rejected)


def test_the_key_of_the_links_signs_no_challenge(payload: Any) -> None:
    """R8: keys are derived for this alone."""
    challenge = Challenge.from_dict(payload["challenge"])
    from altcha import verify_solution

    plain = verify_solution(
        Payload(challenge, Solution.from_dict(payload["solution"])), KEYS.keys["k2"]
    )
    assert plain.invalid_signature


def test_verifying_is_quick(payload: Any) -> None:
    """M1: far below the price of one try of the solver."""
    proof = spelled(payload)
    verified(proof)
    started = time.perf_counter()
    for _ in range(20):
        verified(proof)
    assert (time.perf_counter() - started) / 20 < 0.005
