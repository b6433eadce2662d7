"""The user pool's public keys can't be read for a while: who is signed in goes on working."""

import json
from pathlib import Path

import jwt
import pytest
from msgspec.structs import replace

from chalicelib.web import staff
from tests import identity
from tests.duly import AGENT, Duly

NEW_KID = "next-key"


def test_known_keys_outlive_an_outage(
    duly: Duly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Issue 2, 11: an hour-old key set that can't be read anew is used on, and asked for calmly."""
    assert _status(duly, _signed()) == 200
    right = tmp_path / "jwks.json"
    monkeypatch.setenv("USER_POOL_JWKS_URL", (tmp_path / "gone.json").as_uri())
    _wait(staff.KEPT_SECONDS + 1)
    with duly.logs() as lines:
        assert [_status(duly, _signed()) for _ in range(3)] == [200, 200, 200]
    assert _times_told(lines) == 1, "asked once a minute at most"
    _wait(staff.REFRESH_SECONDS + 1)
    (tmp_path / "gone.json").write_text("[]")
    with duly.logs() as lines:
        assert [_status(duly, _signed()) for _ in range(3)] == [200, 200, 200]
    assert _times_told(lines) == 1
    monkeypatch.setenv("USER_POOL_JWKS_URL", _with_another_key(right))
    assert _status(duly, _signed_by_another()) == 401, "not asked again within the minute"
    _wait(staff.REFRESH_SECONDS + 1)
    assert _status(duly, _signed_by_another()) == 200


def test_without_any_key_nobody_is_let_in(
    duly: Duly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Issue 2, 11: no key was ever read, so no token can be checked: try again in a moment."""
    right = (tmp_path / "jwks.json").as_uri()
    monkeypatch.setenv("USER_POOL_JWKS_URL", (tmp_path / "gone.json").as_uri())
    assert _status(duly, _signed()) == 503
    monkeypatch.setenv("USER_POOL_JWKS_URL", right)
    assert _status(duly, _signed()) == 200


def _status(duly: Duly, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return duly.request("GET", "/api/staff", headers=headers).status


def _wait(seconds: float) -> None:
    """The process has its key set for so much longer."""
    known = staff._jwks
    staff._jwks = replace(
        known, asked_at=known.asked_at - seconds, stale_at=known.stale_at - seconds
    )


def _times_told(lines: list[str]) -> int:
    return len({line for line in lines if "key_set_unread" in line})


def _with_another_key(right: Path) -> str:
    keys = json.loads(right.read_text())["keys"]
    right.write_text(json.dumps({"keys": [*keys, keys[0] | {"kid": NEW_KID}]}))
    return right.as_uri()


def _signed() -> str:
    """A token of this minute: it ends after ten, and a run of all tests can take longer."""
    return identity.id_token(AGENT, "agencja", "agent")


def _signed_by_another() -> str:
    claims = jwt.decode(_signed(), options={"verify_signature": False})
    return jwt.encode(claims, identity.private_key(), "RS256", headers={"kid": NEW_KID})
