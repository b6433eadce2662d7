"""May I contact? One call, many at once, and the feed that a mailing tool obeys (S16-S18, S57)."""

import secrets
from typing import Any

from chalicelib.clients import store
from chalicelib.consents import standings
from chalicelib.kernel import ids
from chalicelib.kernel.change import SYSTEM
from tests.duly import ADMIN, Duly


def consenting(duly: Duly, **answers: bool) -> Any:
    """A client who confirmed these answers."""
    client = duly.client(email=f"{secrets.token_hex(6)}@klient.example")
    _, token = duly.sent(client, **answers)
    duly.confirm(token)
    return client


def asked(duly: Duly, client: Any, **question: str) -> tuple[bool, str]:
    """The answer to one question."""
    query = "&".join(f"{name}={value}" for name, value in question.items())
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/may/contact?{query}")
    assert answer.status == 200, answer.json
    return answer.json["allowed"], answer.json["reason"]


def test_each_channel_needs_its_own_consent(duly: Duly) -> None:
    """S16-S18: marketing alone opens nothing; with e-mail it opens e-mail, not the telephone."""
    client = consenting(duly, marketing=True, email=True, phone=False)
    assert asked(duly, client, purpose="marketing", channel="email") == (True, "consent")
    assert asked(duly, client, purpose="marketing", channel="phone")[1] == "no_consent:phone"
    assert asked(duly, client, purpose="marketing", channel="sms")[1] == "no_consent:phone"
    assert asked(duly, client, purpose="service", channel="phone") == (True, "duty")
    assert asked(duly, client, purpose="survey", channel="email")[1] == "no_consent:survey"
    early = "2020-01-01T00:00:00Z"
    assert asked(duly, client, purpose="marketing", channel="email", at=early)[0] is False


def test_one_question_is_one_read(duly: Duly) -> None:
    """S16: settings cached, the gate costs a single read, and names the proof."""
    client = consenting(duly, marketing=True, email=True)
    path = f"/api/clients/{client['client_id']}/may/contact?purpose=marketing&channel=email"
    duly.staff("GET", path)
    with duly.calls() as made:
        answer = duly.staff("GET", path)
    assert made == ["dynamodb.GetItem"]
    assert len(answer.json["proofs"]) == 2


def test_many_are_asked_about_at_once(duly: Duly) -> None:
    """S16-S18: in the order asked; a stranger, or another organisation's client, may not be."""
    yes, no = consenting(duly, marketing=True, email=True), duly.client(email="b@klient.example")
    stranger = ids.new_id()
    wanted = [yes["client_id"], stranger, no["client_id"], yes["client_id"]]
    body = {"purpose": "marketing", "channel": "email", "clients": wanted}
    answers = duly.staff("POST", "/api/may/contact", body).json["answers"]
    assert [one["client_id"] for one in answers] == wanted
    assert [one["allowed"] for one in answers] == [True, False, False, True]
    assert answers[1]["reason"] == "unknown"
    bad = duly.staff("POST", "/api/may/contact", body | {"clients": ["x"]})
    assert (bad.status, bad.json["field"]) == (422, "clients")


def test_the_feed_tells_each_change_once_and_goes_on(duly: Duly) -> None:
    """S57: a withdrawal reaches the mailing tool; its cursor is never over."""
    first = duly.staff("GET", "/api/consents/changes").json
    assert first["changes"] == []
    client = consenting(duly, marketing=True, email=True)
    duly.wait(seconds=20)
    told = duly.staff("GET", f"/api/consents/changes?cursor={first['cursor']}").json
    assert [one["client_id"] for one in told["changes"]] == [client["client_id"]]
    assert told["changes"][0]["email"]["allowed"] is True
    assert told["changes"][0]["phone"]["allowed"] is False
    again = duly.staff("GET", f"/api/consents/changes?cursor={told['cursor']}").json
    assert again["changes"] == []
    duly.sent(client, marketing=False)
    duly.wait(seconds=20)
    after = duly.staff("GET", f"/api/consents/changes?cursor={again['cursor']}").json
    assert after["changes"][0]["email"] == {
        "allowed": False,
        "reason": "no_consent:marketing",
        "proofs": [],
    }


def changes(duly: Duly, cursor: str) -> tuple[dict[str, Any], str]:
    """Who changed since, by id, and how to go on."""
    duly.wait(seconds=20)
    told = duly.staff("GET", f"/api/consents/changes?cursor={cursor}").json
    return {one["client_id"]: one for one in told["changes"]}, told["cursor"]


def test_the_feed_tells_of_the_erased_for_good(duly: Duly) -> None:
    """S15, S57: a tool that asks seldom learns of an erasure that began and ended meanwhile."""
    client = consenting(duly, marketing=True, email=True)
    _, cursor = changes(duly, "")
    version = duly.read_client(client["client_id"])["version"]
    path = f"/api/clients/{client['client_id']}/erasure"
    assert duly.staff("POST", path, by=ADMIN, version=version).status == 202
    duly.heavy_tick()
    assert duly.staff("GET", path, by=ADMIN).json["certificate"]["finished_at"]
    told, _ = changes(duly, cursor)
    assert told[client["client_id"]]["given"] == []
    assert told[client["client_id"]]["email"]["reason"] == "erased"


def test_what_a_slow_turn_writes_is_not_slipped_in_behind_the_cursor(duly: Duly) -> None:
    """S57: the agenda's moment may be minutes old when it commits; the reader has gone on."""
    slow, quick = (consenting(duly, marketing=True, email=True) for _ in range(2))
    stale = duly.ports()
    duly.wait(minutes=10)
    withdraw(duly, quick)
    told, cursor = changes(duly, "")
    assert set(told) == {slow["client_id"], quick["client_id"]}
    held = store.get(stale, "agencja", slow["client_id"])
    change = standings.withdraw(held, ("marketing",), by=SYSTEM, now=stale.now)
    assert change is not None
    stale.ledger.commit(change)
    told, _ = changes(duly, cursor)
    assert told[slow["client_id"]]["email"]["allowed"] is False


def test_the_feed_tells_that_a_client_is_reached_elsewhere(duly: Duly) -> None:
    """S17: consent to e-mail is of no use for an address that is the client's no more."""
    client, silent = consenting(duly, marketing=True, email=True), duly.client(email="b@k.example")
    _, cursor = changes(duly, "")
    duly.edit(client, email="nowy@klient.example")
    duly.edit(silent, email="inny@klient.example")
    told, _ = changes(duly, cursor)
    assert list(told) == [client["client_id"]]


def withdraw(duly: Duly, client: Any) -> None:
    """Staff withdraw marketing."""
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    duly.staff("POST", f"{path}/withdraw", {"purposes": ["marketing"]}, version=version)
