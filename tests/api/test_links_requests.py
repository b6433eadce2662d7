"""The routes behind a link, asked by scanners, robots, strangers and forgers: nothing happens."""

import base64
import json
import random
import secrets
from datetime import timedelta
from typing import Any

import pytest

import app as application
from chalicelib import wiring
from tests.duly import SITE, Duly

READ, ACT, RENEW = "/links/read", "/links/act", "/links/renew"
RESOURCES = [f"/api/public/{{org}}{one}" for one in (READ, ACT, RENEW)]
SCANNERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) SafeLinks",
    "Mozilla/5.0 (compatible; proofpoint-url-defense)",
    "BarracudaCentral/1.0 Link Protect",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)

FORM = "application/x-www-form-urlencoded"
STRANGERS = (
    "",
    "null",
    "https://evil.example",
    SITE.replace("https", "http"),
    SITE + ".evil.example",
    SITE.replace("//", "//evil."),
    SITE + "/",
)


def test_get_head_and_options_lead_nowhere_and_change_nothing(duly: Duly) -> None:
    """R1: no method but POST has a route; 100 fetches by scanners leave every item byte-equal."""
    for resource in RESOURCES:
        assert set(application.app.routes[resource]) == {"POST"}
    sent, token = duly.sent(duly.client())
    before = duly.table()
    for number in range(100):
        answer = duly.gateway(
            ("GET", "HEAD", "OPTIONS")[number % 3],
            RESOURCES[number % len(RESOURCES)],
            **{"User-Agent": SCANNERS[number % 4], "Sec-Purpose": "prefetch", "Origin": SITE},
        )
        assert answer["statusCode"] == 405
    assert duly.table() == before
    assert duly.confirm(token).json["receipt"]["reference"] == sent["code"]


def test_reading_a_hundred_times_changes_nothing(duly: Duly) -> None:
    """R1: a scanner that runs the page's script reads; every item stays byte-equal."""
    _, token = duly.sent(duly.client())
    before = duly.table()
    for number in range(100):
        agent = {"User-Agent": SCANNERS[number % 4]}
        answer = duly.public(READ, {"token": token}, headers=agent)
        assert (answer.status, answer.json["state"], answer.json["receipt"]) == (200, "open", None)
    assert duly.table() == before
    assert duly.confirm(token).status == 200


def test_only_json_acts(duly: Duly) -> None:
    """R2: whatever a foreign form can send without a preflight is refused unread."""
    _, token = duly.sent(duly.client())
    before, body = duly.table(), _act(duly, token)
    form = f"token={token}&decision=confirm&digest={body['digest']}"
    for kind in (
        FORM,
        "text/plain",
        "text/plain;application/json",
        "multipart/form-data",
        "",
        "*/*",
    ):
        for path in (READ, ACT, RENEW):
            for raw in (json.dumps(body), form):
                answer = duly.public(path, None, raw=raw, headers={"Content-Type": kind})
                assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type"), kind
    assert duly.table() == before


def test_only_our_own_pages_act(duly: Duly) -> None:
    """R2: a missing or another Origin is refused, and nothing is written."""
    _, token = duly.sent(duly.client())
    before, body = duly.table(), _act(duly, token)
    for origin in STRANGERS:
        for path, given in ((READ, {"token": token}), (ACT, body), (RENEW, {"token": token})):
            answer = duly.public(path, given, headers={"Origin": origin})
            assert (answer.status, answer.json["code"]) == (403, "origin_refused"), origin
    answer = duly.request("POST", f"/api/public/agencja{ACT}", body)
    assert (answer.status, answer.json["code"]) == (403, "origin_refused")
    assert duly.table() == before


def test_an_act_says_what_was_decided_about_what_was_shown(duly: Duly) -> None:
    """R4: no decision is no act; nor is a decision on what was not shown; there is no default."""
    _, token = duly.sent(duly.client())
    before, body = duly.table(), _act(duly, token)
    refused: list[tuple[dict[str, Any], int, str]] = [
        ({"token": token}, 422, "decision"),
        ({"token": token, "digest": body["digest"]}, 422, "decision"),
        ({"token": token, "decision": "confirm"}, 422, "digest"),
        ({"decision": "confirm", "digest": body["digest"]}, 422, "token"),
        (body | {"decision": None}, 422, "decision"),
        (body | {"decision": ""}, 422, "decision"),
        (body | {"decision": "yes"}, 422, "decision"),
        (body | {"decision": True}, 422, "decision"),
        (body | {"decision": ["confirm", "dispute"]}, 422, "decision"),
        (body | {"digest": 1}, 422, "digest"),
        (body | {"consents": ["marketing"]}, 422, "consents"),
        (body | {"digest": ""}, 409, "answers_changed"),
        (body | {"digest": "0" * 64}, 409, "answers_changed"),
    ]
    for given, status, told in refused:
        answer = duly.public(ACT, given)
        assert answer.status == status, given
        assert told in (answer.json.get("field"), answer.json["code"])
    assert duly.table() == before


def test_whatever_we_did_not_sign_gets_the_very_same_answer(duly: Duly) -> None:
    """R16: a thousand forged, foreign, unknown and garbled tokens; one status, body, headers."""
    _, token = duly.sent(duly.client())
    samples = _not_ours(token, random.Random(16))  # noqa: S311  samples, no secret
    assert len(set(samples)) >= 1000
    answers = {duly.public(READ, {"token": one}).seen for one in samples}
    act = {"decision": "confirm", "digest": "0" * 64}
    answers |= {duly.public(ACT, {"token": one} | act).seen for one in samples[::10]}
    answers |= {duly.public(READ, {"token": token}, org=one).seen for one in ("inna", "x-y-z")}
    assert len(answers) == 1
    status, body, _ = answers.pop()
    assert (status, json.loads(body)["code"]) == (400, "link_invalid")


def test_why_a_link_is_over_is_told_to_its_holder_alone(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R16: expired, superseded, withdrawn and confirmed are told after the MAC was found right."""
    client = duly.client()
    _, confirmed = duly.sent(client)
    assert duly.confirm(confirmed).status == 200
    cancelled, withdrawn = duly.sent(duly.client(email="inny@klient.example"))
    assert duly.act(duly.again(cancelled), "cancel").status == 200
    again, superseded = duly.sent(client)
    duly.act(again, "send")
    duly.tick()
    live = duly.mailbox.to("lucja@klient.example")[-1].token
    assert live != superseded
    told = {
        confirmed: (200, None),
        withdrawn: (410, "link_withdrawn"),
        superseded: (410, "link_superseded"),
        live: (200, None),
    }
    refusals = set()
    for token, expected in told.items():
        answer = duly.public(READ, {"token": token})
        assert (answer.status, answer.json.get("code")) == expected
        refusals.add(duly.public(READ, {"token": _forged(token)}).seen)
    later = wiring.real_now() + timedelta(days=15)
    monkeypatch.setattr(wiring, "real_now", lambda: later)
    answer = duly.public(READ, {"token": live})
    assert (answer.status, answer.json["code"]) == (410, "link_expired")
    refusals.add(duly.public(READ, {"token": _forged(live)}).seen)
    assert len(refusals) == 1
    assert next(iter(refusals))[0] == 400


def test_a_thousand_forgeries_cost_no_call_and_lock_nobody_out(duly: Duly) -> None:
    """R21: a bad MAC reaches no AWS service; the client's own link works right after."""
    _, token = duly.sent(duly.client())
    assert duly.public(READ, {"token": token}).status == 200
    act = {"decision": "confirm", "digest": "0" * 64}
    with duly.calls() as made:
        for number in range(1000):
            path, more = ((READ, {}), (ACT, act), (RENEW, {}))[number % 3]
            answer = duly.public(path, {"token": _forged(token)} | more)
            assert answer.status == (202 if path == RENEW else 400)
    assert made == []
    assert duly.confirm(token).status == 200


def test_reading_and_acting_cost_what_the_design_allows(duly: Duly) -> None:
    """R21: on a warm process, reading is 1 read; acting is 1 read and 1 transaction."""
    client = duly.client()
    _, first = duly.sent(client)
    assert duly.confirm(first).status == 200
    _, token = duly.sent(client)
    with duly.calls() as reading:
        assert duly.public(READ, {"token": token}).status == 200
    body = _act(duly, token)
    with duly.calls() as acting:
        assert duly.public(ACT, body).status == 200
    with duly.calls() as repeating:
        assert duly.public(ACT, body).status == 200
    assert reading == ["dynamodb.BatchGetItem"]
    assert acting == ["dynamodb.BatchGetItem", "dynamodb.TransactWriteItems"]
    assert repeating == ["dynamodb.BatchGetItem"]


def _act(duly: Duly, token: str, decision: str = "confirm") -> dict[str, Any]:
    """The body that the page sends."""
    shown = duly.public(READ, {"token": token})
    assert shown.status == 200, shown.json
    return {"token": token, "decision": decision, "digest": shown.json["digest"]}


def _forged(token: str) -> str:
    """The same claims under a MAC of the right length that is not ours."""
    mac = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    return f"{token.rpartition('.')[0]}.{mac}"


def _not_ours(token: str, chance: random.Random) -> list[str]:
    """Tokens that we never signed: each way to be wrong, many times."""
    version, kid, claims, mac = token.split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def other(text: str) -> str:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice(letters.replace(text[at], "")) + text[at + 1 :]

    def noise(most: int) -> str:
        return "".join(chr(chance.randrange(1, 0xD7FF)) for _ in range(chance.randrange(1, most)))

    made = [_forged(token) for _ in range(250)]
    made += [f"{version}.{kid}.{other(claims)}.{mac}" for _ in range(250)]
    made += [f"{version}.{kid}.{claims}.{other(mac)}" for _ in range(250)]
    made += [f"{version}.k{chance.randrange(2, 10**7)}.{claims}.{mac}" for _ in range(150)]
    made += [noise(400) for _ in range(150)]
    made += [token[:cut] for cut in range(len(token))]
    return [*made, "x" * 100_000, f"v2.{kid}.{claims}.{mac}", f"{version}.{kid}..{mac}"]
