"""Proof of work on the public form: what a person never notices, and a flood pays for.

Somebody who asks for the form gets a challenge; their browser finds, by trying one number after
another, the one key whose beginning the challenge tells. Duly signed that key when it made the
challenge, so that verifying is two HMACs and no key derivation. The challenge says for what, for
which organisation and until when it is good, under the same signature: a proof of another purpose
or organisation, or with a later end spliced in, does not verify. The end is a member of `data`,
not altcha's own `expiresAt`, which is compared with the machine's clock before the signature is.

A proof is no single use by itself: whoever accepts one spends its nonce in the transaction of the
act (`kernel.change.Once`), with the digest that `verify` gives. The keys come from the key ring of
the links, each derived for this alone: the newest signs, the others verify until their time is
over (R11).
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.kernel.errors import Gone, Invalid
from chalicelib.kernel.tokens import KeyRing

if TYPE_CHECKING:
    from altcha import Challenge

LIFE = timedelta(minutes=10)
MOST_CHARACTERS = 2_000
ALGORITHM = "PBKDF2/SHA-256"
COST = 5_000  # of one try; a millisecond on a desk, some on an old telephone
LEAST_TRIES, MOST_TRIES = 250, 1_000


class ProofRefused(Invalid):
    """No work, another's work, or work for something else: all the same answer."""

    code = "proof_refused"
    sentence = "The proof of work does not hold."


class ProofExpired(Gone):
    """The proof is ours and right; its ten minutes are over."""

    code = "proof_expired"
    sentence = "The time of this proof of work is over. Ask for a new challenge."


class Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a challenge is good for; signed with it."""

    kid: str
    org: str
    purpose: str
    expires: int


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A proof that holds: the digest of its nonce, by which it is spent once, and its end."""

    nonce: str
    expires: datetime


def challenge(org: str, purpose: str, keys: KeyRing, *, now: datetime) -> dict[str, Any]:
    """A new challenge, as altcha's worker takes it; it ends after `LIFE`."""
    from altcha import create_challenge

    signing, solving = _secrets(keys, keys.signing)
    bound = Bound(kid=keys.signing, org=org, purpose=purpose, expires=int((now + LIFE).timestamp()))
    made = create_challenge(
        ALGORITHM,
        COST,
        counter=LEAST_TRIES + secrets.randbelow(MOST_TRIES - LEAST_TRIES + 1),
        data=msgspec.to_builtins(bound),
        hmac_secret=signing,
        hmac_key_secret=solving,
    )
    return dict(made.to_dict())


def verify(proof: str, org: str, purpose: str, keys: KeyRing, *, now: datetime) -> str:
    """The digest of the proof's nonce, by which it is spent.

    `ProofRefused` for whatever is no work done on a challenge of ours, for this purpose and this
    organisation; `ProofExpired`, told only after all of that holds, from the very second on.
    """
    known = authentic(proof, org, purpose, keys, now=now)
    if now >= known.expires:
        raise ProofExpired(field="proof")
    return known.nonce


def authentic(proof: str, org: str, purpose: str, keys: KeyRing, *, now: datetime) -> Proof:
    """A proof that holds, be it expired: what it was spent on may still be told."""
    from altcha import Payload, verify_solution

    if len(proof) > MOST_CHARACTERS:
        raise ProofRefused(field="proof")
    try:
        payload = Payload.from_base64(proof)
        bound = msgspec.convert(payload.challenge.parameters.data, Bound)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProofRefused(field="proof") from error
    if not _counts(bound, org, purpose, keys, now) or not _is_ours(payload.challenge):
        raise ProofRefused(field="proof")
    signing, solving = _secrets(keys, bound.kid)
    if not verify_solution(payload, signing, hmac_key_secret=solving).verified:
        raise ProofRefused(field="proof")
    nonce = hashlib.sha256(payload.challenge.parameters.nonce.encode()).hexdigest()[:32]
    return Proof(nonce=nonce, expires=datetime.fromtimestamp(bound.expires, UTC))


def _counts(bound: Bound, org: str, purpose: str, keys: KeyRing, now: datetime) -> bool:
    """Whether the challenge is for this, and its key still in force."""
    issued = bound.expires - LIFE.total_seconds()
    return (
        (bound.org, bound.purpose) == (org, purpose)
        and bound.kid in keys.keys
        and now.timestamp() < keys.until.get(bound.kid, float("inf"))
        and issued >= keys.reject_before
    )


def _is_ours(made: "Challenge") -> bool:
    """Whether it has the shape of our challenges: the signed key, so that nothing is derived."""
    parameters = made.parameters
    return bool(parameters.key_signature) and parameters.expires_at is None


def _secrets(keys: KeyRing, kid: str) -> tuple[bytes, bytes]:
    """The key that signs challenges and the one that signs solutions, of this key of the ring."""
    return (
        hmac.new(keys.keys[kid], b"duly-proof\0challenge", hashlib.sha256).digest(),
        hmac.new(keys.keys[kid], b"duly-proof\0solution", hashlib.sha256).digest(),
    )
