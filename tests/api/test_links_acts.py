"""What a link does when it is used: it acts once, whole and provably, however often it comes."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.aws import clients
from chalicelib.clients import store
from chalicelib.kernel import chain
from chalicelib.kernel.change import Actor, Change, Event
from chalicelib.kernel.errors import ChangedMeanwhile
from tests.duly import ADMIN, Answer, Duly

READ, ACT = "/links/read", "/links/act"
EMAIL = "lucja@klient.example"
DECIDED = {"confirm": "confirmed", "dispute": "disputed"}


@settings(
    max_examples=6, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(st.sampled_from(["confirm", "dispute", "read"]), min_size=1, max_size=6))
def test_any_sequence_of_acts_ends_where_the_first_confirmation_put_it(
    duly: Duly, acts: list[str]
) -> None:
    """R5: the same act again has the same receipt; confirmed stays confirmed; a dispute may still
    be followed by a confirmation; only what changed something is an event."""
    client = _only_client(duly)
    _, token = duly.sent(client)
    before, digest = duly.events(client["client_id"]), _body(duly, token, "")["digest"]
    receipt: dict[str, Any] | None = None
    happened = []
    for act in acts:
        decision = {"decision": act, "digest": digest}
        path, more = (READ, {}) if act == "read" else (ACT, decision)
        answer = duly.public(path, {"token": token} | more)
        if act == "read":
            assert (answer.status, answer.json["receipt"]) == (200, receipt)
        elif receipt and receipt["decision"] == "confirmed" and act == "dispute":
            assert (answer.status, answer.json["code"]) == (409, "already_confirmed")
        elif receipt and receipt["decision"] == DECIDED[act]:
            assert (answer.status, answer.json["receipt"]) == (200, receipt)
        else:
            assert answer.status == 200, answer.json
            receipt = answer.json["receipt"]
            assert receipt["decision"] == DECIDED[act]
            happened.append(f"declaration_{DECIDED[act]}")
    assert duly.events(client["client_id"])[len(before) :] == happened
    given_now = "given" if "confirm" in acts else "awaiting_email"
    known = duly.consents(client["client_id"])["marketing"]
    assert known in (given_now, "given")  # "given" may stand from an example before this one


def test_a_dispute_changes_no_consent_and_leaves_the_link_alive(duly: Duly) -> None:
    """R5, D13: the sender is told; the client may still confirm, and then not dispute again."""
    client = duly.client()
    _, token = duly.sent(client)
    standing = duly.consents(client["client_id"])
    assert duly.confirm(token, "dispute").json["receipt"]["decision"] == "disputed"
    assert duly.consents(client["client_id"]) == standing
    duly.tick()
    assert len(duly.mailbox.to("ewa@agencja.example")) == 1
    assert len(duly.mailbox.to(EMAIL)) == 1
    assert duly.confirm(token).json["receipt"]["decision"] == "confirmed"
    assert duly.consents(client["client_id"])["marketing"] == "given"
    assert duly.confirm(token, "dispute").status == 409
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_what_is_sent_again_after_a_dispute_is_undecided(duly: Duly) -> None:
    """R5, R14: the new link shows no receipt of the dispute that came before it."""
    client = duly.client()
    sent, token = duly.sent(client)
    assert duly.confirm(token, "dispute").status == 200
    assert duly.act(duly.again(sent), "send").status == 202
    duly.tick()
    shown = duly.public(READ, {"token": duly.mailbox.to(EMAIL)[-1].token})
    assert (shown.status, shown.json["state"], shown.json["receipt"]) == (200, "open", None)


def test_fifty_at_once_make_one_transition(duly: Duly) -> None:
    """R6: one event, one receipt, one note to the sender; all who asked read the same receipt."""
    client = duly.client()
    _, token = duly.sent(client)
    digest = duly.public(READ, {"token": token}).json["digest"]
    body = {"token": token, "decision": "confirm", "digest": digest}
    before = duly.events(client["client_id"])
    answers: list[Answer] = []
    start = threading.Barrier(50)

    def post() -> None:
        start.wait()
        answers.append(duly.public(ACT, body))

    threads = [threading.Thread(target=post) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    statuses = Counter(one.status for one in answers)
    assert set(statuses) <= {200, 503}
    assert all(one.json["code"] == "unavailable" for one in answers if one.status == 503)
    receipts = [one.json["receipt"] for one in answers if one.status == 200]
    receipts.append(duly.public(ACT, body).json["receipt"])
    receipts.append(duly.public(READ, {"token": token}).json["receipt"])
    assert all(one == receipts[0] for one in receipts)
    assert duly.events(client["client_id"])[len(before) :] == ["declaration_confirmed"]
    templates = Counter(_letters(duly, client))
    assert (templates["receipt"], templates["client_confirmed"]) == (1, 1)
    duly.tick()
    assert len(duly.mailbox.to(EMAIL)) == 2  # the request and one receipt
    assert len(duly.mailbox.to("ewa@agencja.example")) == 1


def test_an_act_outlives_a_change_of_the_client_in_the_same_moment(duly: Duly) -> None:
    """R6: staff edit the client between our read and our write: the act is tried again."""
    client = duly.client()
    _, token = duly.sent(client)
    body = _body(duly, token, "confirm")
    with duly.meanwhile(lambda: duly.edit(client, phone="+48600100201")) as done:
        answer = duly.public(ACT, body)
    assert done == ["once"]
    assert answer.status == 200, answer.json
    assert duly.read_client(client["client_id"])["identity"]["phone"] == "+48600100201"
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_a_letter_that_went_twice_works_once(duly: Duly) -> None:
    """R20: the process dies after the mail service's yes, so the letter goes again; either mail's
    link may be used, and both together act once."""
    client = duly.client()
    duly.mailbox.after = _die
    duly.act(duly.declared(client), "send")
    duly.tick()
    duly.mailbox.after = lambda: None
    duly.wait(minutes=5)
    duly.tick()
    first, second = (one.token for one in duly.mailbox.to(EMAIL))
    before = duly.events(client["client_id"])
    receipt = duly.confirm(first).json["receipt"]
    assert duly.confirm(second).json["receipt"] == receipt
    assert duly.confirm(first).json["receipt"] == receipt
    assert duly.events(client["client_id"])[len(before) :] == ["declaration_confirmed"]
    duly.tick()
    assert [one for one in _letters(duly, client) if one == "receipt"] == ["receipt"]


@pytest.mark.parametrize(
    ("keeps_address", "keeps_agent"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_evidence_holds_what_the_organisation_keeps(
    duly: Duly, keeps_address: bool, keeps_agent: bool
) -> None:
    """R23: wordings, decision, moment, generation; address and user agent as the settings allow,
    the address being what our own edge appended."""
    known = duly.staff("GET", "/api/organisation", by=ADMIN).json
    wanted = known["settings"] | {"evidence": {"address": keeps_address, "user_agent": keeps_agent}}
    path = "/api/organisation/settings"
    changed = duly.staff("PUT", path, wanted, by=ADMIN, version=known["version"])
    assert changed.status == 200, changed.json
    client = duly.client()
    sent, token = duly.sent(client)
    body = _body(duly, token, "confirm")
    headers = {"User-Agent": "Przeglądarka/7\u00a0(X)\t", "X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    receipt = duly.public(ACT, body, headers=headers).json["receipt"]
    event = duly.staff("GET", f"/api/clients/{client['client_id']}/events").json["events"][0]
    assert event["kind"] == "declaration_confirmed"
    assert event["actor"] == {"kind": "client", "id": client["client_id"]}
    origin = {
        **({"address": "203.0.113.9"} if keeps_address else {}),
        **({"agent": "Przeglądarka/7(X)"} if keeps_agent else {}),
    }
    assert event["body"] == {
        "declaration": sent["declaration_id"],
        "generation": 1,
        "decision": "confirmed",
        "answers": [[one["purpose"], one["wording_id"], one["answer"]] for one in sent["answers"]],
        "shown": body["digest"],
        **({"origin": origin} if origin else {}),
    }
    assert event["at"].endswith("Z")
    assert event["at"].rstrip("0Z") == receipt["decided_at"].rstrip("0Z")
    if not (keeps_address or keeps_agent):
        of_the_client = [one for key, one in duly.table().items() if "#CLIENT#" in str(key)]
        assert "203.0.113.9" not in json.dumps(of_the_client)


def test_a_written_event_is_never_written_again(duly: Duly) -> None:
    """R23: the writer's own condition refuses a second event in the place of the first; and an
    edit behind its back is named by the chain."""
    client = duly.client()
    _, token = duly.sent(client)
    body = _body(duly, token, "confirm")
    with _transactions() as made:
        assert duly.public(ACT, body).status == 200
    puts = [one["Put"] for writes in made for one in writes if "Put" in one]
    (put,) = [one for one in puts if one["Item"]["SK"]["S"].startswith("EVENT#")]
    before = duly.table()
    dynamodb = clients.client("dynamodb")
    other = put | {"Item": put["Item"] | {"body": {"S": "{}"}}}
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(**other)
    ports = duly.ports()
    held = store.get(ports, "agencja", client["client_id"])
    stale = Change.of(held, held.value, Event(kind="again", actor=Actor("system"), at=ports.now))
    ports.ledger.commit(stale)
    with pytest.raises(ChangedMeanwhile):
        ports.ledger.commit(stale)
    after = duly.table()
    assert all(after[key] == item for key, item in before.items() if key[1] != "ROOT")
    export = _export(duly, client)
    assert chain.verify(export) == held.version + 1
    dynamodb.put_item(TableName="duly", Item=other["Item"])
    with pytest.raises(chain.Broken, match=f"event {held.version}"):
        chain.verify(_export(duly, client))


def _body(duly: Duly, token: str, decision: str) -> dict[str, Any]:
    shown = duly.public(READ, {"token": token})
    assert shown.status == 200, shown.json
    return {"token": token, "decision": decision, "digest": shown.json["digest"]}


def _only_client(duly: Duly) -> Any:
    """One client for all examples: each sending supersedes what was out before it."""
    found = duly.staff("GET", f"/api/clients?email={EMAIL}").json["clients"]
    return found[0] if found else duly.client()


def _letters(duly: Duly, client: Any) -> list[str]:
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/letters")
    return [one["template"] for one in answer.json["letters"]]


def _export(duly: Duly, client: Any) -> str:
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/events/export")
    return str(answer.json["export"])


@contextmanager
def _transactions() -> Iterator[list[list[dict[str, Any]]]]:
    """The writes of each transaction that is made, as they are asked for."""
    events = clients.client("dynamodb").meta.events
    made: list[list[dict[str, Any]]] = []

    def hook(params: dict[str, Any], **_: Any) -> None:
        made.append(params["TransactItems"])

    events.register("provide-client-params.dynamodb.TransactWriteItems", hook)
    try:
        yield made
    finally:
        events.unregister("provide-client-params.dynamodb.TransactWriteItems", hook)


def _die() -> None:
    raise SystemError("killed after the mail service's yes")
