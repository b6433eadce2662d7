"""The mail sink: stands between Duly and the engine's SES, and keeps each e-mail as it was sent.

Functions reach it as `AWS_ENDPOINT_URL_SESV2`. Every call goes on to the engine, so that its checks
stay (an unverified sender is refused); of an accepted SendEmail the sink keeps the raw MIME, which
the engine would reduce to subject and text. Like SES it then publishes what became of the e-mail to
EventBridge, if the call named a configuration set:

| Recipient | Events, after Email Sent |
|---|---|
| `bounce@simulator.amazonses.com`, `…+bounce@…` | Email Bounced (Permanent, General) |
| `suppressionlist@simulator.amazonses.com` | Email Bounced (Permanent, OnAccountSuppressionList) |
| `…+softbounce@…` | Email Bounced (Transient, MailboxFull) |
| `complaint@simulator.amazonses.com`, `…+complaint@…` | Email Delivered, Email Complaint Received |
| any other | Email Delivered |
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.engine import SINK_MARK
from local.serving import MAIL_BODY_LIMIT, Answer, Request, json_answer, serving
from local.settings import LocalCloudError

SEND_PATH = "/v2/email/outbound-emails"
SIMULATOR = "simulator.amazonses.com"
# SES takes seconds; this is enough for a sender to note first what SES answered.
EVENT_DELAY_SECONDS = 0.3
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One e-mail as SES accepted it; the MIME itself lies beside it."""

    message_id: str
    received_at: str
    sender: str
    recipients: list[str]
    subject: str
    configuration_set: str | None = None
    tags: dict[str, list[str]] = field(default_factory=dict)


class MailStore:
    """The e-mails of one folder: `<number>.eml` beside `<number>.json`, the newest number last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._mails = {file.stem: _read(file) for file in sorted(folder.glob("*.json"))}
        self._last = max((int(number) for number in self._mails), default=0)

    def add(self, mail: Mail, mime: bytes) -> str:
        with self._lock:
            self._last += 1
            number = f"{self._last:08d}"
            # The index entry comes last: a mail without one was never accepted.
            (self._folder / f"{number}.eml").write_bytes(mime)
            (self._folder / f"{number}.json").write_text(json.dumps(asdict(mail)))
            self._mails[number] = mail
        return number

    def newest_first(self) -> list[tuple[str, Mail]]:
        with self._lock:
            return sorted(self._mails.items(), reverse=True)

    def get(self, number: str) -> tuple[Mail, bytes] | None:
        with self._lock:
            mail = self._mails.get(number)
            if mail is None:
                return None
            return mail, (self._folder / f"{number}.eml").read_bytes()

    def clear(self) -> None:
        with self._lock:
            for number in self._mails:
                (self._folder / f"{number}.json").unlink(missing_ok=True)
                (self._folder / f"{number}.eml").unlink(missing_ok=True)
            self._mails.clear()


def _read(file: Path) -> Mail:
    return Mail(**json.loads(file.read_text()))


def parse(mime: bytes) -> EmailMessage:
    return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(mime)


def mail_from(call: Mapping[str, Any], mime: bytes, message_id: str, now: datetime) -> Mail:
    """What the index keeps of one SendEmail call with raw content."""
    message = parse(mime)
    destination = call.get("Destination") or {}
    named = [
        address
        for kind in ("ToAddresses", "CcAddresses", "BccAddresses")
        for address in destination.get(kind) or []
    ]
    # Without a Destination SES takes the recipients from the headers.
    in_headers = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    tags: dict[str, list[str]] = {}
    for tag in call.get("EmailTags") or []:
        tags.setdefault(tag["Name"], []).append(tag["Value"])
    return Mail(
        message_id=message_id,
        received_at=now.isoformat(timespec="milliseconds"),
        sender=parseaddr(call.get("FromEmailAddress") or str(message["From"] or ""))[1],
        recipients=[address for _, address in getaddresses(named or in_headers)],
        subject=str(message["Subject"] or ""),
        configuration_set=call.get("ConfigurationSetName"),
        tags=tags,
    )


@dataclass(frozen=True, slots=True)
class Event:
    detail_type: str
    detail: dict[str, Any]


def events_of(mail: Mail, mime: bytes, now: datetime) -> Iterator[Event]:
    """What SES would publish about this e-mail, in order; one event per kind of end that its
    recipients met.
    """
    bounces: dict[tuple[str, str], list[str]] = {}
    delivered: list[str] = []
    complained: list[str] = []
    for address in mail.recipients:
        local, _, domain = address.lower().rpartition("@")
        word = local if domain == SIMULATOR else local.rpartition("+")[2] if "+" in local else ""
        kind = _BOUNCES.get(word)
        if kind:
            bounces.setdefault(kind, []).append(address)
            continue
        delivered.append(address)
        if word == "complaint":
            complained.append(address)

    about = _about(mail, mime)
    at = _instant(now)
    yield Event("Email Sent", {"eventType": "Send", "send": {}, "mail": about})
    feedback = {"feedbackId": f"{mail.message_id}-feedback", "timestamp": at}
    for (bounce_type, sub_type), addresses in bounces.items():
        status = "5.1.1" if bounce_type == "Permanent" else "4.2.2"
        gone = [
            {
                "emailAddress": address,
                "action": "failed",
                "status": status,
                "diagnosticCode": f"smtp; {status} from the mail sink",
            }
            for address in addresses
        ]
        bounce = {
            "bounceType": bounce_type,
            "bounceSubType": sub_type,
            "bouncedRecipients": gone,
            "reportingMTA": "dns; localhost",
            **feedback,
        }
        yield Event("Email Bounced", {"eventType": "Bounce", "bounce": bounce, "mail": about})
    if delivered:
        delivery = {
            "timestamp": at,
            "processingTimeMillis": int(EVENT_DELAY_SECONDS * 1000),
            "recipients": delivered,
            "smtpResponse": "250 2.6.0 Message received by the mail sink",
            "reportingMTA": "localhost",
        }
        yield Event(
            "Email Delivered", {"eventType": "Delivery", "delivery": delivery, "mail": about}
        )
    if complained:
        complaint = {
            "complainedRecipients": [{"emailAddress": address} for address in complained],
            "complaintFeedbackType": "abuse",
            "complaintSubType": None,
            "userAgent": "mail sink",
            "arrivalDate": at,
            **feedback,
        }
        yield Event(
            "Email Complaint Received",
            {"eventType": "Complaint", "complaint": complaint, "mail": about},
        )


_BOUNCES = {
    "bounce": ("Permanent", "General"),
    "suppressionlist": ("Permanent", "OnAccountSuppressionList"),
    "softbounce": ("Transient", "MailboxFull"),
}


def _about(mail: Mail, mime: bytes) -> dict[str, Any]:
    message = parse(mime)
    common = {"subject": mail.subject, "messageId": mail.message_id}
    common_lists = {
        name.lower(): [str(value) for value in message.get_all(name, [])] for name in ("From", "To")
    }
    return {
        "timestamp": _instant(datetime.fromisoformat(mail.received_at)),
        "source": mail.sender,
        "sendingAccountId": "000000000000",
        "messageId": mail.message_id,
        "destination": mail.recipients,
        "headersTruncated": False,
        "headers": [{"name": name, "value": str(value)} for name, value in message.items()],
        "commonHeaders": {**common, **common_lists},
        "tags": {
            "ses:operation": ["SendRawEmail"],
            "ses:configuration-set": [mail.configuration_set],
            "ses:from-domain": [mail.sender.rpartition("@")[2]],
            **mail.tags,
        },
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Publish = Callable[[list[Event]], None]


def to_event_bridge(client: Any) -> Publish:
    """Publishes on the default bus, under the mark by which the engine knows the sink."""

    def publish(events: list[Event]) -> None:
        entries = [
            {
                "Source": "aws.ses",
                "DetailType": event.detail_type,
                "Detail": json.dumps(event.detail),
                "TraceHeader": SINK_MARK,
            }
            for event in events
        ]
        for start in range(0, len(entries), 10):
            answer = client.put_events(Entries=entries[start : start + 10])
            if answer["FailedEntryCount"]:
                raise LocalCloudError(f"The engine refused the mail events: {answer['Entries']}")

    return publish


class Sink:
    """Answers SESv2 calls: keeps what is sent, passes every call on."""

    def __init__(self, store: MailStore, engine: str, publish: Publish) -> None:
        self._store = store
        self._engine = engine
        self._publish = publish

    def __call__(self, request: Request) -> Answer:
        answer = pass_on(request, self._engine)
        if answer is None:
            return json_answer(502, {"message": "The engine does not answer."})
        if request.method == "POST" and request.path == SEND_PATH and answer.status == 200:
            self._keep(json.loads(request.body), json.loads(answer.body)["MessageId"])
        return answer

    def _keep(self, call: dict[str, Any], message_id: str) -> None:
        data = ((call.get("Content") or {}).get("Raw") or {}).get("Data")
        if not data:
            logger.warning("mail_without_raw_content_not_kept")
            return
        mime = base64.b64decode(data)
        now = datetime.now(UTC)
        mail = mail_from(call, mime, message_id, now)
        self._store.add(mail, mime)
        if mail.configuration_set:
            threading.Thread(target=self._tell, args=(mail, mime), daemon=True).start()

    def _tell(self, mail: Mail, mime: bytes) -> None:
        time.sleep(EVENT_DELAY_SECONDS)
        try:
            self._publish(list(events_of(mail, mime, datetime.now(UTC))))
        except Exception:
            # As with SES, an event may be lost; Duly's own reconciling has to do without it.
            logger.exception("mail_event_not_published", extra={"message_id": mail.message_id})


def pass_on(request: Request, origin: str) -> Answer | None:
    """Send the request on as it came, for its `Host` is part of the signature; none: no answer."""
    target = urlsplit(origin)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
    try:
        connection.putrequest(
            request.method, request.target, skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers.items():
            if name.lower() not in HOP_BY_HOP | {"content-length", "expect"}:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body)
        reply = connection.getresponse()
        body = reply.read()
        kept = [
            (name, value)
            for name, value in reply.getheaders()
            if name.lower() not in HOP_BY_HOP | {"content-length"}
        ]
        return Answer(status=reply.status, headers=kept, body=body)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@contextmanager
def mail_sink(port: int, store: MailStore, engine: str, publish: Publish) -> Iterator[str]:
    with serving(port, Sink(store, engine, publish), body_limit=MAIL_BODY_LIMIT) as origin:
        yield origin
