"""The token and the keys that sign it: only our own spelling of our own token opens a link."""

import base64
import hashlib
import hmac
import json
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import app as application
from chalicelib import wiring
from chalicelib.aws import clients, secrets
from chalicelib.kernel import tokens
from tests.conftest import LINK_KEY, forget_processes
from tests.duly import Answer, Context, Duly

READ, ACT, RENEW = "/links/read", "/links/act", "/links/renew"


def test_a_token_is_random_ids_under_a_full_mac(duly: Duly) -> None:
    """R7: two ids of 128 random bits, a MAC of 256 under a key of more, all as documented."""
    seen: list[bytes] = []
    for number in range(4):
        client = duly.client(email=f"klient{number}@poczta.example", phone="")
        sent, token = duly.sent(client)
        version, kid, packed, mac = token.split(".")
        claims, length = _raw(packed), len("agencja")
        assert (version, kid, claims[0], claims[1:8]) == ("v1", "k1", length, b"agencja")
        client_id, declaration_id, generation, issued, expires = struct.unpack(
            ">16s16sHII", claims[8:]
        )
        assert client_id == _raw(client["client_id"])
        assert declaration_id == _raw(sent["declaration_id"])
        assert generation == 1
        assert expires - issued == pytest.approx(14 * 86400, abs=2)
        assert _raw(mac) == _mac(LINK_KEY, "confirm", "test", f"v1.k1.{packed}")
        assert len(_raw(mac)) * 8 == 256
        seen += [client_id, declaration_id]
    assert len(set(seen)) == len(seen)
    # Random in every part: no byte is the same in all eight, as one of a time or version would be.
    assert all(len({one[at] for one in seen}) > 1 for at in range(16))
    assert len(LINK_KEY) * 8 >= 256


def test_new_keys_are_drawn_from_more_than_256_bits(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R7: a rotated key is 64 characters of 62, so 381 bits; no two are alike."""
    began = wiring.real_now()
    for day in range(3):
        _true_time(monkeypatch, began.timestamp() + day * 86400)
        _rotate()
    drawn = [value for name, value in _secret().items() if name in ("k2", "k3", "k4")]
    assert [len(one) for one in drawn] == [64, 64, 64]
    assert len(set(drawn)) == 3
    assert all(one.isalnum() and one.isascii() and len(set(one)) > 20 for one in drawn)


def test_a_link_is_good_for_its_purpose_stage_and_organisation_alone(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R8: under the very same key, another purpose, stage or organisation does not verify."""
    duly.found("inna")
    _, token = duly.sent(duly.client())
    head = token.rpartition(".")[0]
    assert _signed(head, "confirm", "test") == token
    _refused(duly.public(READ, {"token": _signed(head, "unsubscribe", "test")}))
    _refused(duly.public(READ, {"token": _signed(head, "confirm", "prod")}))
    _refused(duly.public(READ, {"token": _signed(head, "", "test")}))
    _refused(duly.public(READ, {"token": token}, org="inna"))
    claims = _raw(head.split(".")[2])
    foreign = f"v1.k1.{_text(bytes([4]) + b'inna' + claims[8:])}"
    _refused(duly.public(READ, {"token": _signed(foreign, "confirm", "test")}))
    answer = duly.public(READ, {"token": _signed(foreign, "confirm", "test")}, org="inna")
    assert (answer.status, answer.json["code"]) == (410, "link_withdrawn")
    monkeypatch.setenv("STAGE", "prod")
    _refused(duly.public(READ, {"token": token}))
    monkeypatch.setenv("STAGE", "test")
    assert duly.confirm(token).status == 200


def test_letters_beyond_ascii_are_a_refusal_and_no_failure(duly: Duly) -> None:
    """R9: the MAC is compared as bytes; a comparison of text would raise, and answer 500."""
    _, token = duly.sent(duly.client())
    with pytest.raises(TypeError):
        hmac.compare_digest("é", "é")
    head = token.rpartition(".")[0]
    strange = ["é", token[:-1] + "é", f"{head}.{'é' * 43}", f"v1.kł.{token[6:]}", "ｖ" + token[1:]]
    strange += [f"{head}.{'Ａ' * 43}", f"{head}.{'٣' * 43}", token + "\u0000", "\u202e" + token]
    for one in strange:
        for path, more in ((READ, {}), (ACT, {"decision": "confirm", "digest": ""})):
            _refused(duly.public(path, {"token": one} | more))


def test_a_token_has_one_spelling(duly: Duly) -> None:
    """R10: what Python's base64 would read as the same bytes is refused."""
    _, token = duly.sent(duly.client())
    head, _, mac = token.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    aliases = [one for one in alphabet if _loose(mac[:-1] + one) == _loose(mac)]
    assert len(aliases) == 4
    spellings = [f"{head}.{mac[:-1]}{one}" for one in aliases if one != mac[-1]]
    for extra in ("!", "\n", " ", "=", "\r\n", "%", "\t"):
        assert _loose(mac[:9] + extra + mac[9:]) == _loose(mac)
        spellings += [f"{head}.{mac[:9]}{extra}{mac[9:]}", token + extra, extra + token]
    version, kid, claims = head.split(".")
    spellings += [
        f"{version}.{kid}.{claims}=.{mac}",
        f"{version}.{kid}.{claims[:5]}\n{claims[5:]}.{mac}",
        f"V1.{kid}.{claims}.{mac}",
        f"{version}.K1.{claims}.{mac}",
        f"{version}.k01.{claims}.{mac}",
        token.replace("-", "+").replace("_", "/") + "=",
        token + ".",
        token.replace(".", ". "),
    ]
    for one in spellings:
        _refused(duly.public(READ, {"token": one}))
    assert duly.confirm(token).status == 200


def test_rotated_keys_verify_until_their_last_link_is_over(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R11: three keys at once; the newest signs, the others verify for 90 days, then no more."""
    links = []
    began = wiring.real_now().timestamp()
    for number in range(3):
        if number:
            _true_time(monkeypatch, began + number * 86400)
            _rotate()
            _true_time(monkeypatch, began + number * 86400 + 300)
        _, token = duly.sent(duly.client(email=f"klient{number}@poczta.example", phone=""))
        links.append(token)
    assert [one.split(".")[1] for one in links] == ["k1", "k2", "k3"]
    assert [duly.public(READ, {"token": one}).status for one in links] == [200, 200, 200]
    until = _secret()["until"]
    assert set(until) == {"k1", "k2"}
    assert until["k1"] == int(began + 86400 + tokens.MAX_LIFETIME.total_seconds())
    _true_time(monkeypatch, until["k1"] - 1)
    assert duly.public(READ, {"token": links[0]}).told == (410, "link_expired")
    _true_time(monkeypatch, until["k1"])
    _refused(duly.public(READ, {"token": links[0]}))
    _true_time(monkeypatch, until["k2"] + 1)
    _refused(duly.public(READ, {"token": links[1]}))
    assert duly.public(READ, {"token": links[2]}).told == (410, "link_expired")
    _rotate()
    assert {name for name in _secret() if name.startswith("k")} == {"k3", "k4"}
    _refused(duly.public(READ, {"token": links[0]}))


def test_a_process_that_has_not_heard_of_a_rotation_reads_what_is_sent_after_it(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R11: a link sent right after a rotation opens in a process whose ring is a minute old."""
    duly.sent(duly.client(email="wczesniej@poczta.example", phone=""))
    unaware = dict(secrets._kept)
    _rotate()
    kept = _secret()
    _rotate()
    assert _secret() == kept, "a second rotation within the day changes nothing"
    began = wiring.real_now().timestamp()
    _, token = duly.sent(duly.client(email="zaraz@poczta.example", phone=""))
    assert token.split(".")[1] == "k1"
    secrets._kept.update(unaware)
    assert duly.public(READ, {"token": token}).status == 200
    _true_time(monkeypatch, began + tokens.SETTLING.total_seconds())
    secrets._kept.clear()
    _, token = duly.sent(duly.client(email="pozniej@poczta.example", phone=""))
    assert token.split(".")[1] == "k2"


def test_everything_issued_before_a_moment_can_be_refused_at_once(duly: Duly) -> None:
    """R11: `reject_before` in the secret, without a deployment; what is sent after it works."""
    sent, old = duly.sent(duly.client())
    issued = struct.unpack(">I", _raw(old.split(".")[2])[-8:-4])[0]
    _keep_secret(_secret() | {"reject_before": issued})
    assert duly.public(READ, {"token": old}).status == 200
    _keep_secret(_secret() | {"reject_before": issued + 1})
    _refused(duly.public(READ, {"token": old}))
    _rotate()
    _refused(duly.public(READ, {"token": old}))
    while wiring.real_now().timestamp() < issued + 1:
        pass
    assert duly.act(duly.again(sent), "send").status == 202
    duly.tick()
    assert duly.confirm(duly.mailbox.to("lucja@klient.example")[-1].token).status == 200


def test_keys_that_cannot_be_had_close_every_link(duly: Duly) -> None:
    """R12: a missing, unreadable or short key is a 503 that asks to try again; no link opens."""
    _, token = duly.sent(duly.client())
    before, act = duly.table(), {"token": token, "decision": "confirm", "digest": "0" * 64}
    right = "k" * 64
    for kept in (
        "not JSON",
        "[]",
        "{}",
        '{"signing": "k1"}',
        '{"signing": "k1", "k1": "too short"}',
        f'{{"signing": "k2", "k1": "{right}"}}',
        f'{{"signing": ["k1"], "k1": "{right}"}}',
        '{"signing": "k1", "k1": 7}',
        f'{{"signing": "k1", "k1": "{right}", "until": 7}}',
        f'{{"signing": "k1", "k1": "{right}", "made": {{"k1": "today"}}}}',
        f'{{"signing": "k1", "k1": "{right}", "reject_before": "soon"}}',
        None,
    ):
        _keep_secret(kept)
        for path, body in ((READ, {"token": token}), (ACT, act), (RENEW, {"token": token})):
            for given in (body, body | {"token": "forged"}):
                assert duly.public(path, given).told == (503, "unavailable"), kept
    assert duly.table() == before


def test_an_outage_of_the_key_store_closes_the_links_until_it_is_over(duly: Duly) -> None:
    """R12: no answer from Secrets Manager is a 503; when it answers again, the link works."""
    _, token = duly.sent(duly.client())
    forget_processes()
    events = clients.client("secretsmanager").meta.events
    attempts = []

    def down(**_: Any) -> Any:
        from botocore.exceptions import ConnectTimeoutError

        attempts.append(1)
        raise ConnectTimeoutError(endpoint_url="https://secretsmanager")

    events.register("before-send", down)
    assert duly.public(READ, {"token": token}).told == (503, "unavailable")
    assert attempts
    events.unregister("before-send", down)
    assert duly.confirm(token).status == 200


def test_a_link_ends_at_the_signed_second(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """R13: good until a microsecond before the `expires` of the token, refused from it on."""
    _, token = duly.sent(duly.client())
    ends = struct.unpack(">I", _raw(token.split(".")[2])[-4:])[0]
    duly.clock[0] = timedelta(days=-20)  # the stored expiry is far away: the signed one decides
    _true_time(monkeypatch, ends, timedelta(microseconds=-1))
    assert duly.public(READ, {"token": token}).status == 200
    _true_time(monkeypatch, ends)
    assert duly.public(READ, {"token": token}).told == (410, "link_expired")
    act = {"token": token, "decision": "confirm", "digest": "0" * 64}
    assert duly.public(ACT, act).told == (410, "link_expired")


def test_the_confirmed_are_shown_their_receipt_when_the_link_is_over(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R5, R13: an expiry ends what is open, not the proof of what was registered."""
    _, token = duly.sent(duly.client())
    receipt = duly.confirm(token).json["receipt"]
    _true_time(monkeypatch, wiring.real_now().timestamp() + 20 * 86400)
    assert duly.public(READ, {"token": token}).json["receipt"] == receipt


def _true_time(
    monkeypatch: pytest.MonkeyPatch, second: float, more: timedelta = timedelta()
) -> None:
    moment = datetime.fromtimestamp(second, UTC) + more
    monkeypatch.setattr(wiring, "real_now", lambda: moment)


def _rotate() -> None:
    """The schedule fires."""
    event = {"id": "1", "account": "1", "region": "eu-central-1", "detail": {}, "version": "0"}
    event |= {"detail-type": "Scheduled Event", "source": "aws.events"}
    event |= {"time": "2026-11-22T00:00:00Z", "resources": []}
    application.rotate_link_keys(event, Context())


def _secret() -> dict[str, Any]:
    answer = clients.client("secretsmanager").get_secret_value(SecretId="link-keys")
    kept: dict[str, Any] = json.loads(answer["SecretString"])
    return kept


def _keep_secret(kept: dict[str, Any] | str | None) -> None:
    """Another secret (None: none at all), and processes that have not seen the one before."""
    client = clients.client("secretsmanager")
    if kept is None:
        client.delete_secret(SecretId="link-keys", ForceDeleteWithoutRecovery=True)
    else:
        text = kept if isinstance(kept, str) else json.dumps(kept)
        client.put_secret_value(SecretId="link-keys", SecretString=text)
    secrets._kept.clear()


def _refused(answer: Answer) -> None:
    assert answer.told == (400, "link_invalid")


def _mac(key: str, purpose: str, stage: str, head: str) -> bytes:
    """The MAC as it is documented, computed here without the code under test."""
    message = f"duly-link\0{purpose}\0{stage}\0{head}".encode()
    return hmac.new(key.encode(), message, hashlib.sha256).digest()


def _signed(head: str, purpose: str, stage: str) -> str:
    return f"{head}.{_text(_mac(LINK_KEY, purpose, stage, head))}"


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _loose(text: str) -> bytes:
    """As Python's base64 reads by default: it skips what it does not know, and spare bits."""
    return base64.urlsafe_b64decode(text + "==")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
