"""ID tokens as the user pool signs them, and the key set that verifies them."""

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://issuer.test/pool"
AUDIENCE = "app-client"
KID = "test-key"


@cache
def private_key() -> rsa.RSAPrivateKey:
    """The pool's key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def write_key_set(path: Path) -> str:
    """The public key set as a file; its address."""
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key().public_key()))
    path.write_text(json.dumps({"keys": [jwk | {"kid": KID, "use": "sig", "alg": "RS256"}]}))
    return path.as_uri()


def id_token(staff_id: str, org: str, *groups: str, **changes: Any) -> str:
    """An ID token of this person; `changes` make it a wrong one."""
    now = int(time.time())
    claims = {
        "sub": staff_id,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "token_use": "id",
        "custom:org": org,
        "cognito:groups": list(groups),
        "iat": now - 10,
        "exp": now + 600,
    }
    return jwt.encode(claims | changes, private_key(), "RS256", headers={"kid": KID})
