"""How a link lives and ends: resent, reminded, taken back, run out; and that it rests nowhere."""

import base64
import email
import email.policy
import json
import re
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from msgspec.structs import replace

from chalicelib import wiring
from chalicelib.aws import clients
from chalicelib.clients import store
from chalicelib.kernel.change import SYSTEM, Change, Event
from tests.conftest import LINK_KEY
from tests.duly import ADMIN, SITE, Answer, Duly, moment

READ, ACT, RENEW = "/links/read", "/links/act", "/links/renew"
LISTS = ("letters", "events", "events/export")
EMAIL, SENDER = "lucja@klient.example", "ewa@agencja.example"


def test_the_stored_expiry_ends_a_link_to_the_microsecond(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R13: a microsecond before the stored moment it works, at the moment it does not."""
    sent, token = duly.sent(duly.client())
    ends = moment(sent["expires_at"])
    monkeypatch.setattr(wiring, "now", lambda: ends - timedelta(microseconds=1))
    assert duly.public(READ, {"token": token}).status == 200
    monkeypatch.setattr(wiring, "now", lambda: ends)
    assert duly.public(READ, {"token": token}).told == (410, "link_expired")
    assert _act(duly, token).told == (410, "link_expired")


def test_a_stored_expiry_that_was_shortened_wins(duly: Duly) -> None:
    """R13: the token says two weeks; the item, changed later, says less, and is obeyed."""
    client = duly.client()
    _, token = duly.sent(client)
    ports = duly.ports()
    held = store.get(ports, "agencja", client["client_id"])
    (progress,) = held.value.declarations
    shorter = replace(progress, expires=ports.now)
    changed = replace(held.value, declarations=(shorter,))
    event = Event(kind="expiry_shortened", actor=SYSTEM, at=ports.now)
    ports.ledger.commit(Change.of(held, changed, event, due_at=changed.due_at))
    assert duly.public(READ, {"token": token}).told == (410, "link_expired")
    assert _act(duly, token).told == (410, "link_expired")


def test_an_unanswered_link_expires_by_the_agenda(duly: Duly) -> None:
    """R13, S49: after its days it is over for good, and the sender is told once."""
    sent, token = duly.sent(duly.client())
    duly.wait(days=15)
    for _ in range(4):
        duly.tick()
    assert duly.again(sent)["state"] == "expired"
    assert duly.public(READ, {"token": token}).told == (410, "link_expired")
    assert len(duly.mailbox.to(SENDER)) == 1
    assert len(duly.mailbox.to(EMAIL)) == 1  # a reminder that comes too late is not sent


def test_a_resend_supersedes_the_link_before_it(duly: Duly) -> None:
    """R14: the generation rises; the old link says so and writes nothing; the new one works."""
    client = duly.client()
    sent, old = duly.sent(client)
    again = duly.act(duly.again(sent), "send")
    assert again.json["generation"] == 2
    before = duly.table()
    assert duly.public(READ, {"token": old}).told == (410, "link_superseded")
    assert _act(duly, old).told == (410, "link_superseded")
    assert duly.table() == before
    duly.tick()
    assert duly.confirm(duly.mailbox.to(EMAIL)[-1].token).status == 200
    assert duly.public(READ, {"token": old}).told == (410, "link_superseded")


def test_a_letter_of_an_older_generation_is_not_sent_any_more(duly: Duly) -> None:
    """R14: resent before the first letter left: one mail goes, its link is the one that counts."""
    draft = duly.declared(duly.client())
    sent = duly.act(draft, "send")
    assert duly.act(sent.json, "send").status == 202
    duly.tick()
    (mail,) = duly.mailbox.to(EMAIL)
    assert duly.confirm(mail.token).status == 200


def test_a_reminder_keeps_the_link(duly: Duly) -> None:
    """R14: one reminder, after the days that were set; its link and the first are both alive."""
    sent, first = duly.sent(duly.client())
    duly.wait(days=3)
    for _ in range(3):
        duly.tick()
    assert len(duly.mailbox.to(EMAIL)) == 2
    second = duly.mailbox.to(EMAIL)[-1].token
    assert duly.again(sent)["generation"] == 1
    assert [duly.public(READ, {"token": one}).status for one in (first, second)] == [200, 200]
    receipt = duly.confirm(second).json["receipt"]
    assert duly.confirm(first).json["receipt"] == receipt


def test_a_withdrawn_request_is_dead(duly: Duly) -> None:
    """R14: taken back by staff, or overtaken by another declaration: no page, no write. Whom a
    newer message awaits is told so."""
    client = duly.client()
    sent, cancelled = duly.sent(client)
    assert duly.act(duly.again(sent), "cancel").status == 200
    before = duly.table()
    assert duly.public(READ, {"token": cancelled}).told == (410, "link_withdrawn")
    assert _act(duly, cancelled).told == (410, "link_withdrawn")
    assert duly.table() == before
    _, overtaken = duly.sent(client)
    _, token = duly.sent(client, marketing=False, email=True)
    before = duly.table()
    for dead in (cancelled, overtaken):
        assert duly.public(READ, {"token": dead}).told == (410, "link_superseded")
        assert _act(duly, dead).told == (410, "link_superseded")
    assert duly.table() == before
    assert duly.confirm(token).status == 200


def test_a_link_dies_with_the_address_that_it_was_sent_to(duly: Duly) -> None:
    """R15: whoever reads the old mailbox can't confirm any more, not even when it is set back."""
    client = duly.client()
    _, token = duly.sent(client)
    duly.edit(client, email="nowy@klient.example")
    before = duly.table()
    assert duly.public(READ, {"token": token}).told == (410, "link_withdrawn")
    assert _act(duly, token).told == (410, "link_withdrawn")
    assert duly.table() == before
    duly.edit(client, email=EMAIL)
    assert duly.public(READ, {"token": token}).told == (410, "link_withdrawn")
    duly.wait(days=4)
    duly.tick()
    assert len(duly.mailbox.to(EMAIL)) == 1  # no reminder of a dead request
    assert duly.consents(client["client_id"])["marketing"] == "none"


def test_another_telephone_number_leaves_the_link_alive(duly: Duly) -> None:
    """R15: only the address that the link went to matters."""
    client = duly.client()
    _, token = duly.sent(client)
    duly.edit(client, phone="+48600100299")
    assert duly.confirm(token).status == 200


def test_no_token_and_no_key_rests_anywhere(duly: Duly) -> None:
    """R17: after a whole story, plant in hand, neither the table, nor the bucket, nor the logs, nor
    any answer to staff, nor the stream holds a token that works or a key."""
    client = duly.client()
    where = f"/api/clients/{client['client_id']}"
    with duly.logs() as logs:
        draft = duly.declared(client)
        answers = [duly.staff("GET", f"{duly.where(draft)}/preview")]
        sent = duly.act(draft, "send").json
        duly.tick()
        answers += [duly.staff("GET", f"{duly.where(sent)}/preview")]
        first = duly.mailbox.to(EMAIL)[-1].token
        duly.wait(days=3)
        duly.tick()
        duly.tick()
        for token in (first, first[:-1], f"{first}x"):
            duly.public(RENEW, {"token": token})
        duly.confirm(first, "dispute")
        answers += [duly.act(duly.again(sent), "print")]
        duly.act(duly.again(sent), "send")
        duly.tick()
        last = duly.mailbox.to(EMAIL)[-1].token
        duly.event("Delivery", duly.mailbox.to(EMAIL)[-1])
        duly.public(ACT, {"token": last, "decision": "never", "digest": ""})
        duly.confirm(last)
        duly.tick()
        one = duly.where(sent)
        paths = (one, f"{one}/paper", where, *(f"{where}/{it}" for it in LISTS))
        answers += [duly.staff("GET", path) for path in paths]
        answers += [
            duly.staff("GET", path, by=ADMIN)
            for path in ("/api/clients?name=lucja", "/api/organisation", "/api/staff", "/api/stuck")
        ]
    planted = {one.token for one in duly.mailbox.to(EMAIL) if "/c#" in one.text}
    assert len(planted) == 3
    assert {first, last} <= planted
    mails = "".join(_everything(one.raw) for one in duly.mailbox.to(EMAIL))
    assert all(token in mails for token in planted)  # the search below does find what is there
    secrets = [LINK_KEY, *planted, *(token.rpartition(".")[2] for token in planted)]
    objects = duly.objects()
    assert sum(name.endswith(".eml") for name in objects) == len(duly.mailbox.sent)
    places = {
        "table": json.dumps(list(duly.table().values()), ensure_ascii=False),
        "logs": "\n".join(logs),
        "answers": json.dumps([[one.json, one.headers] for one in answers], ensure_ascii=False),
        "stream": json.dumps(_stream(), default=str),
    }
    places |= {name: _everything(content) for name, content in objects.items()}
    for place, text in places.items():
        assert text, place
        for secret in secrets:
            assert secret not in text, place
        for found in re.findall(r"v1\.k\d+\.[\w-]+\.[\w-]{43}", text):
            assert duly.public(READ, {"token": found}).status == 400, place
    assert len(logs) > 20
    assert all(EMAIL not in line and "Łucja" not in line for line in logs)
    assert [one.status for one in answers] == [200] * len(answers)


def test_the_archive_is_the_message_with_its_link_masked(duly: Duly) -> None:
    """R17: what staff may download differs from what the client got in the token alone."""
    client = duly.client()
    _, token = duly.sent(client)
    path = f"/api/clients/{client['client_id']}/letters"
    (letter,) = duly.staff("GET", path).json["letters"]
    (name,) = [one for one in duly.objects() if one.endswith(f"{letter['letter_id']}.eml")]
    archived = email.message_from_bytes(duly.objects()[name], policy=email.policy.default)
    body = archived.get_body(("plain",))
    assert body is not None
    (mail,) = duly.mailbox.to(EMAIL)
    own = re.sub(r"(?<=/p#)\S+", "masked", mail.text)
    assert str(body.get_content()) == own.replace(token, "masked")
    assert duly.public(READ, {"token": "masked"}).told == (400, "link_invalid")
    stored = clients.client("s3").head_object(Bucket=wiring.setting("BUCKET_NAME"), Key=name)
    assert stored["Metadata"]["sha256"] == letter["sha256"]


@pytest.mark.parametrize("language", ["pl", "en", "ru"])
def test_the_link_stands_alone_in_full_and_is_ours(duly: Duly, language: str) -> None:
    """R19: alone on its line of the text, at most 200 characters, our host; and so in the HTML."""
    org = "agencja-" + "dluga-" * 2 + "nazw"  # 24 characters, the longest that there is
    duly.found(org)
    body = {"kind": "person", "name": "Łucja Żółć", "language": language, "served": "remote"}
    made = duly.staff("POST", "/api/clients", body | {"email": EMAIL}, org=org)
    path = f"/api/clients/{made.json['client_id']}/declarations"
    draft = duly.staff("POST", path, {"answers": {"marketing": True}}, org=org).json
    send = f"{path}/{draft['declaration_id']}/send"
    assert duly.staff("POST", send, version=draft["version"], org=org).status == 202
    duly.tick()
    (mail,) = duly.mailbox.to(EMAIL)
    lines = [line for line in mail.text.splitlines() if mail.token in line]
    assert lines == [f"{SITE}/c#{mail.token}"]
    assert len(lines[0]) <= 200
    own = [line for line in mail.text.splitlines() if "/p#" in line]  # the client's own page (S57)
    assert len(own) == 1
    assert len(own[0]) <= 200
    assert re.findall(r"https?://\S+", mail.text) == [*lines, *own]
    assert set(re.findall(r'href="(https?://[^"]*)"', mail.html)) == {*lines, *own}
    assert f">{lines[0]}<" in re.sub(r"\s+(?=<)|(?<=>)\s+", "", mail.html)
    assert duly.public(READ, {"token": mail.token}, org=org).status == 200


def test_asking_for_a_new_link_tells_nobody_anything(duly: Duly) -> None:
    """R24: valid, expired, superseded, withdrawn, confirmed, forged, unknown: one answer; the
    sender is told once for each request; nothing goes to a client by itself."""
    duly.found("inna")
    client = duly.client()
    _, confirmed = duly.sent(client)
    duly.confirm(confirmed)
    taken_back, withdrawn = duly.sent(client)
    duly.act(duly.again(taken_back), "cancel")
    sent, superseded = duly.sent(client)
    duly.act(duly.again(sent), "send")
    duly.tick()
    valid = duly.mailbox.to(EMAIL)[-1].token
    unknown = duly.client(email="inny@klient.example", phone="")
    _, expired = duly.sent(unknown)
    duly.tick()
    mails, notes = len(duly.mailbox.to(EMAIL)), len(duly.mailbox.to(SENDER))
    head, _, mac = valid.rpartition(".")
    forged = [f"{head}.{mac[::-1]}", valid[:-1], "x", "", "é", "v1.k9." + "A" * 90 + "." + "A" * 43]
    answers = set()
    for token in (valid, superseded, confirmed, *forged, valid, superseded):
        answers.add(duly.public(RENEW, {"token": token}).seen)
    answers.add(duly.public(RENEW, {"token": valid}, org="inna").seen)
    answers.add(duly.public(RENEW, {"token": valid}, org="nie-ma-takiej").seen)
    duly.wait(days=15)
    for _ in range(4):
        duly.tick()
    told = len(duly.mailbox.to(SENDER)) - notes
    for token in (expired, expired, withdrawn):
        answers.add(duly.public(RENEW, {"token": token}).seen)
    assert answers == {(202, '{"code": "asked"}', next(iter(answers))[2])}
    for _ in range(3):
        duly.tick()
    kinds = [one for one in duly.events(client["client_id"]) if one == "link_requested"]
    assert len(kinds) == 2  # the one that waits, and the one that was withdrawn
    assert len(duly.mailbox.to(SENDER)) - notes - told == 2
    requested = [one["template"] for one in _letters(duly, client)].count("link_requested")
    assert requested == 2
    assert len(duly.mailbox.to(EMAIL)) == mails
    assert len(duly.mailbox.to("inny@klient.example")) == 1


def test_a_wish_for_a_new_link_outlives_a_change_in_the_same_moment(duly: Duly) -> None:
    """R24: staff edit the client while the client asks: who was told "asked" was heard."""
    client = duly.client()
    _, token = duly.sent(client)
    with duly.meanwhile(lambda: duly.edit(client, phone="+48600100277")) as done:
        assert duly.public(RENEW, {"token": token}).status == 202
    assert done == ["once"]
    assert duly.events(client["client_id"])[-1] == "link_requested"
    duly.tick()
    assert len(duly.mailbox.to(SENDER)) == 1


def _act(duly: Duly, token: str) -> Answer:
    return duly.public(ACT, {"token": token, "decision": "confirm", "digest": "0" * 64})


def _letters(duly: Duly, client: Any) -> list[Any]:
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/letters")
    letters: list[Any] = answer.json["letters"]
    return letters


def _everything(content: bytes) -> str:
    """An object as it lies there and, if it is a message, every part of it decoded."""
    found = [content.decode("utf-8", "replace")]
    message = email.message_from_bytes(content, policy=email.policy.default)
    for part in message.walk() if message["Message-ID"] else ():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            found.append(payload.decode("utf-8", "replace"))
            found.append(base64.b64encode(payload).decode())
    return "\n".join(found)


def _stream() -> list[Any]:
    """Every record of the table's stream, as the letters function gets it."""
    described = clients.client("dynamodb").describe_table(TableName="duly")["Table"]
    assert described["StreamSpecification"]["StreamViewType"] == "KEYS_ONLY"
    streams = botocore.session.get_session().create_client("dynamodbstreams")
    arn = described["LatestStreamArn"]
    shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    records: list[Any] = []
    for shard in shards:
        at = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records += streams.get_records(ShardIterator=at)["Records"]
    assert records
    assert all(set(one["dynamodb"]) & {"NewImage", "OldImage"} == set() for one in records)
    return records
