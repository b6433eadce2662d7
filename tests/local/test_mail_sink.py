"""The mail sink: what SES is told, is kept, passed on, and answered by events."""

from __future__ import annotations

import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from local.mail import SEND_PATH, Event, Mail, MailStore, events_of, mail_from, mail_sink
from local.serving import Answer, Request, json_answer, serving

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def a_mime(to: str = "Jan Kowalski <jan@klient.example>") -> bytes:
    message = EmailMessage()
    message["From"] = "Agencja Żółć <zgody@duly.example>"
    message["To"] = to
    message["Subject"] = "Ubezpieczenie"
    message.set_content("Dzień dobry")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="zgoda.pdf")
    return message.as_bytes()


def a_call(mime: bytes, *to: str, **more: Any) -> dict[str, Any]:
    return {
        "FromEmailAddress": "zgody@duly.example",
        "Destination": {"ToAddresses": list(to)},
        "Content": {"Raw": {"Data": base64.b64encode(mime).decode()}},
        **more,
    }


class Engine:
    """Stands for the engine's SES: accepts, unless the sender is `nobody@…`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        if b"nobody@" in request.body:
            return json_answer(400, {"name": "MessageRejected"})
        return json_answer(200, {"MessageId": "m-1"})


class Bus:
    """Keeps what is published, and says when something was."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._told = threading.Event()

    def __call__(self, events: list[Event]) -> None:
        self.events += events
        self._told.set()

    def types(self) -> list[str]:
        assert self._told.wait(5), "no event was published"
        return [event.detail_type for event in self.events]


@contextmanager
def a_sink(folder: Path) -> Iterator[tuple[str, MailStore, Engine, Bus]]:
    store, engine, bus = MailStore(folder), Engine(), Bus()
    with serving(0, engine) as behind, mail_sink(0, store, behind, bus) as address:
        yield address, store, engine, bus


def send(address: str, call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(address + SEND_PATH, data=json.dumps(call).encode())
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=x")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_an_email_is_kept_byte_for_byte_and_its_id_returned(tmp_path: Path) -> None:
    """What was sent is what the local mailbox shows, attachments and headers too."""
    mime = a_mime()
    with a_sink(tmp_path) as (address, store, engine, _):
        tags = [{"Name": "letter", "Value": "L1"}]
        status, body = send(address, a_call(mime, "jan@klient.example", EmailTags=tags))
    assert (status, body) == (200, {"MessageId": "m-1"})
    [(number, mail)] = store.newest_first()
    found = store.get(number)
    assert found is not None and found[1] == mime
    assert (mail.subject, mail.recipients) == ("Ubezpieczenie", ["jan@klient.example"])
    assert mail.tags == {"letter": ["L1"]}
    # The signature covers the host: the engine must see the request as it was signed.
    assert engine.requests[0].headers["Host"] == address.removeprefix("http://")
    assert engine.requests[0].headers["Authorization"] == "AWS4-HMAC-SHA256 Credential=x"


def test_what_the_engine_refuses_is_refused_and_not_kept(tmp_path: Path) -> None:
    """A sender that SES has not verified sends nothing, here as there."""
    call = a_call(a_mime(), "jan@klient.example")
    with a_sink(tmp_path) as (address, store, _, _):
        status, body = send(address, {**call, "FromEmailAddress": "nobody@else.example"})
    assert (status, body["name"]) == (400, "MessageRejected")
    assert store.newest_first() == []


def test_a_configuration_set_brings_events_with_the_tags(tmp_path: Path) -> None:
    """Bounces find their letter by its tag, so the events carry the tags as SES does."""
    more = {
        "ConfigurationSetName": "duly-local",
        "EmailTags": [{"Name": "letter", "Value": "L1"}],
    }
    with a_sink(tmp_path) as (address, _, _, bus):
        send(address, a_call(a_mime(), "bounce@simulator.amazonses.com", **more))
        assert bus.types() == ["Email Sent", "Email Bounced"]
    detail = bus.events[1].detail
    assert detail["mail"]["messageId"] == "m-1"
    assert detail["mail"]["tags"]["letter"] == ["L1"]
    assert detail["mail"]["tags"]["ses:configuration-set"] == ["duly-local"]
    assert (detail["eventType"], detail["bounce"]["bounceType"]) == ("Bounce", "Permanent")


@pytest.mark.parametrize(
    ("recipient", "types", "bounce_type"),
    [
        ("jan@klient.example", ["Email Sent", "Email Delivered"], None),
        ("jan+bounce@klient.example", ["Email Sent", "Email Bounced"], "Permanent"),
        ("jan+softbounce@klient.example", ["Email Sent", "Email Bounced"], "Transient"),
        ("bounce@klient.example", ["Email Sent", "Email Delivered"], None),
        (
            "complaint@simulator.amazonses.com",
            ["Email Sent", "Email Delivered", "Email Complaint Received"],
            None,
        ),
        (
            "jan+complaint@klient.example",
            ["Email Sent", "Email Delivered", "Email Complaint Received"],
            None,
        ),
    ],
)
def test_each_recipient_meets_the_end_that_its_address_asks_for(
    recipient: str, types: list[str], bounce_type: str | None
) -> None:
    """What becomes of a letter can be tried without a real mailbox."""
    mime = a_mime()
    mail = mail_from(a_call(mime, recipient, ConfigurationSetName="x"), mime, "m-1", NOW)
    events = list(events_of(mail, mime, NOW))
    assert [event.detail_type for event in events] == types
    bounces = [e.detail["bounce"]["bounceType"] for e in events if "bounce" in e.detail]
    assert bounces == ([bounce_type] if bounce_type else [])


def test_recipients_come_from_the_headers_where_the_call_names_none() -> None:
    """As with SES: the MIME's own To and Bcc count when there is no destination."""
    mime = a_mime()
    mail = mail_from({"Content": {}}, mime, "m-1", NOW)
    assert mail.recipients == ["jan@klient.example"]
    assert mail.sender == "zgody@duly.example"


def test_mails_survive_a_restart_and_keep_their_order(tmp_path: Path) -> None:
    """The mailbox of a stopped Duly is there again after the next start."""
    first = MailStore(tmp_path)
    for name in ("a", "b"):
        first.add(a_mail(name), name.encode())
    again = MailStore(tmp_path)
    again.add(a_mail("c"), b"c")
    assert [mail.subject for _, mail in again.newest_first()] == ["c", "b", "a"]
    again.clear()
    assert MailStore(tmp_path).newest_first() == []
    assert list(tmp_path.iterdir()) == []


def a_mail(subject: str) -> Mail:
    return Mail(
        message_id=f"m-{subject}",
        received_at=NOW.isoformat(),
        sender="zgody@duly.example",
        recipients=["jan@klient.example"],
        subject=subject,
    )
