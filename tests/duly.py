"""Duly as its users meet it: requests through the app's own door, the agenda, the mailbox."""

import email.policy
import json
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from functools import partial
from typing import Any

import msgspec

import app as application
from chalicelib import agenda, log, wiring
from chalicelib.aws import clients, ledger
from chalicelib.kernel.change import SYSTEM, Change
from chalicelib.organisations import service as organisations
from chalicelib.organisations.domain import (
    Controller,
    DataProtectionOfficer,
    House,
    Member,
    Role,
    Sender,
    Settings,
    keep_member,
)
from chalicelib.ports import Ports
from tests import identity, reference

SITE = "https://zgody.example"
AGENT = "a1111111-1111-4111-8111-111111111111"
ADMIN = "a2222222-2222-4222-8222-222222222222"
OTHER = "a3333333-3333-4333-8333-333333333333"
HEAD = "a4444444-4444-4444-8444-444444444444"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    json: Any
    headers: dict[str, str]

    @property
    def told(self) -> tuple[int, str | None]:
        """The status, and the code of a refusal."""
        return self.status, self.json.get("code")

    @property
    def seen(self) -> tuple[int, str, str]:
        """All that a caller sees, to be compared."""
        return self.status, json.dumps(self.json), json.dumps(sorted(self.headers.items()))


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the mail service took it."""

    to: str
    sender: str
    tags: dict[str, str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The message, parsed from its true bytes."""
        return BytesParser(policy=email.policy.default).parsebytes(self.raw)

    @property
    def text(self) -> str:
        """The text part."""
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def html(self) -> str:
        """The HTML part."""
        part = self.message.get_body(("html",))
        assert part is not None
        return str(part.get_content())

    @property
    def token(self) -> str:
        """The token of the link that stands alone on a line of the text."""
        found = re.search(r"^https?://\S+/c#(\S+)\r?$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]


class Mailbox:
    """The mail service's door: keeps what was sent, and refuses or dies when told to."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def send(self, raw: bytes, *, sender: str, to: str, tags: dict[str, str]) -> str:
        """Take a message, as the port promises."""
        self.before()
        self.sent.append(Sent(to=to, sender=sender, tags=dict(tags), raw=raw))
        self.after()
        return f"message-{len(self.sent)}"

    def to(self, address: str) -> list[Sent]:
        """What went to this address, oldest first."""
        return [one for one in self.sent if one.to == address]

    def subjects(self) -> list[str]:
        """The subjects of all that was sent."""
        return [str(one.message["Subject"]) for one in self.sent]


class Context:
    """What Lambda tells of itself."""

    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:test"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Time enough."""
        return 55_000


class Duly:
    """One Duly with its own table and bucket."""

    def __init__(self, mailbox: Mailbox, clock: list[timedelta]) -> None:
        self.mailbox = mailbox
        self.clock = clock
        self.routes = {
            (spec.method, spec.path): spec
            for blueprint in application.BLUEPRINTS
            for spec in blueprint.specs
        }

    def ports(self) -> Ports:
        """What a use case gets."""
        return wiring.ports()

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.clock[0] += timedelta(**time)

    def tick(self) -> agenda.Run:
        """The tick runs, as it does every minute."""
        return agenda.run_due(wiring.ports(), agenda.Budget(left=lambda: 55_000))

    def heavy_tick(self) -> agenda.Run:
        """The tick of what is heavy: imports, erasures."""
        ports = msgspec.structs.replace(wiring.ports(), shards=ledger.HEAVY_SHARDS)
        return agenda.run_on(ports, agenda.Budget(left=lambda: 55_000))

    def event(self, kind: str, sent: Sent, **details: Any) -> str:
        """The mail service tells something of a message that it took."""
        tags = {name: [value] for name, value in sent.tags.items()}
        detail = {"eventType": kind, "mail": {"tags": tags}, **details}
        return agenda.on_mail_event(wiring.ports(), detail)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        raw: str | None = None,
        base64: bool = False,
    ) -> Answer:
        """One request as the gateway hands it over."""
        plain, _, query = path.partition("?")
        resource, values = self._match(method, plain)
        sent = {"Content-Type": "application/json", "X-Forwarded-For": "203.0.113.9"}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        sent |= headers or {}
        event = {
            "resource": resource,
            "path": plain,
            "httpMethod": method,
            "headers": sent,
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "multiValueQueryStringParameters": _query(query),
            "pathParameters": values,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "identity": {"sourceIp": "198.51.100.7"},
                "stage": "v1",
            },
            "body": raw if raw is not None else None if body is None else json.dumps(body),
            "isBase64Encoded": base64,
        }
        given = application.app(event, Context())
        answer = Answer(
            status=given["statusCode"],
            json=json.loads(given["body"]),
            headers=given["headers"],
        )
        if answer.status != 500:
            reference.hold(method, resource, answer.status, answer.json, answer.headers)
        return answer

    def staff(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str = AGENT,
        org: str = "agencja",
        version: int | None = None,
        once: str | None = None,
        **options: Any,
    ) -> Answer:
        """A request of a member of staff, with whatever the route needs."""
        headers = dict(options.pop("headers", {}))
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if method == "POST":
            headers.setdefault("Idempotency-Key", once or secrets.token_hex(16))
        role = {ADMIN: "admin", HEAD: "head"}.get(by, "agent")
        token = identity.id_token(by, org, role)
        return self.request(method, path, body, token=token, headers=headers, **options)

    def public(self, path: str, body: Any, org: str = "agencja", **options: Any) -> Answer:
        """A request of one of our own pages."""
        headers = {"Origin": SITE, "User-Agent": "Mozilla/5.0"} | options.pop("headers", {})
        return self.request("POST", f"/api/public/{org}{path}", body, headers=headers, **options)

    # What tests need again and again

    def found(self, org: str = "agencja", language: str = "pl", **changes: Any) -> None:
        """An organisation with an agent, a head and an administrator."""
        ports = wiring.ports()
        settings = a_settings(language, **changes)
        house = organisations.found(
            ports, org, settings, a_member(ADMIN, "Anna Admin", Role.ADMIN, language)
        )
        for staff_id, name, role in (
            (AGENT, "Ewa Agent", Role.AGENT),
            (HEAD, "Hanna Head", Role.HEAD),
        ):
            member = a_member(staff_id, name, role, language)
            kept = partial(_kept, member=member, now=ports.now)
            house = organisations.change(ports, org, None, kept)
        assert house.directory.members

    def client(self, **changes: Any) -> Any:
        """A client, as the API gives it."""
        body = {
            "kind": "person",
            "name": "Łucja Żółć",
            "language": "pl",
            "served": "remote",
            "email": "lucja@klient.example",
            "phone": "+48 600 100 200",
        }
        answer = self.staff("POST", "/api/clients", body | changes)
        assert answer.status == 201, answer.json
        return answer.json

    def declared(self, client: Any, **answers: bool) -> Any:
        """A draft of a declaration; without answers: marketing and e-mail yes, phone no."""
        ticked = answers or {"marketing": True, "email": True, "phone": False}
        path = f"/api/clients/{client['client_id']}/declarations"
        answer = self.staff("POST", path, {"answers": ticked})
        assert answer.status == 201, answer.json
        return answer.json

    def sent(self, client: Any, **answers: bool) -> tuple[Any, str]:
        """A declaration that was sent, and the token in the client's mailbox."""
        draft = self.declared(client, **answers)
        sent = self.act(draft, "send")
        assert sent.status == 202, sent.json
        self.tick()
        return sent.json, self.mailbox.to(client["identity"]["email"])[-1].token

    def act(self, declaration: Any, verb: str, *, version: int | None = None) -> Answer:
        """An act of staff on a declaration: send, cancel, print, hand-over."""
        where = self.where(declaration)
        known = declaration["version"] if version is None else version
        return self.staff("POST", f"{where}/{verb}", version=known)

    def where(self, declaration: Any) -> str:
        """The address of a declaration."""
        client_id = declaration["client"]["client_id"]
        return f"/api/clients/{client_id}/declarations/{declaration['declaration_id']}"

    def again(self, declaration: Any) -> Any:
        """The declaration as it is now."""
        answer = self.staff("GET", self.where(declaration))
        assert answer.status == 200, answer.json
        return answer.json

    def read_client(self, client_id: str) -> Any:
        """The client now."""
        answer = self.staff("GET", f"/api/clients/{client_id}")
        assert answer.status == 200, answer.json
        return answer.json

    def edit(self, client: Any, **changes: Any) -> None:
        """Staff change the client's identity or contact."""
        known = self.read_client(client["client_id"])
        wanted = known["identity"] | {"contract": known["contract"]} | changes
        path = f"/api/clients/{client['client_id']}"
        answer = self.staff("PUT", path, wanted, version=known["version"])
        assert answer.status == 200, answer.json

    def consents(self, client_id: str) -> dict[str, str]:
        """The standing on each purpose."""
        return {one["purpose"]: one["state"] for one in self.read_client(client_id)["consents"]}

    def events(self, client_id: str) -> list[str]:
        """The kinds of all events, oldest first."""
        answer = self.staff("GET", f"/api/clients/{client_id}/events")
        return [one["kind"] for one in reversed(answer.json["events"])]

    def confirm(self, token: str, decision: str = "confirm") -> Answer:
        """Read the link and answer it, as the page does."""
        read = self.public("/links/read", {"token": token})
        if read.status != 200:
            return read
        body = {"token": token, "decision": decision, "digest": read.json["digest"]}
        return self.public("/links/act", body)

    # What is stored, called and logged, seen from outside

    def table(self) -> dict[tuple[str, str], Any]:
        """Every item of the table as it is stored, by its keys."""
        pages = clients.client("dynamodb").get_paginator("scan").paginate(TableName="duly")
        items = (item for page in pages for item in page["Items"])
        return {(item["PK"]["S"], item["SK"]["S"]): item for item in items}

    def objects(self) -> dict[str, bytes]:
        """Every object of the bucket, by its key."""
        s3, bucket = clients.client("s3"), wiring.setting("BUCKET_NAME")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    @contextmanager
    def calls(self) -> Iterator[list[str]]:
        """The AWS calls that leave the process, as `service.Operation`, each attempt counted."""
        made: list[str] = []

        def note(event_name: str, **_: Any) -> None:
            made.append(event_name.removeprefix("before-send."))

        hooks = [
            clients.client(one).meta.events for one in ("dynamodb", "s3", "secretsmanager", "sesv2")
        ]
        for hook in hooks:
            hook.register("before-send", note)
        try:
            yield made
        finally:
            for hook in hooks:
                hook.unregister("before-send", note)

    @contextmanager
    def meanwhile(self, act: Callable[[], Any]) -> Iterator[list[str]]:
        """Somebody acts once, right before the next transaction leaves the process."""
        operation = "before-send.dynamodb.TransactWriteItems"
        events = clients.client("dynamodb").meta.events
        done: list[str] = []

        def hook(**_: Any) -> None:
            if not done:
                done.append("once")
                act()

        events.register(operation, hook)
        try:
            yield done
        finally:
            events.unregister(operation, hook)

    @contextmanager
    def logs(self) -> Iterator[list[str]]:
        """Every line that the process logs, ours and the libraries', as it is written out."""
        written: list[str] = []

        class Keep(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                written.append(self.format(record))

        handler = Keep()
        handler.setFormatter(log._logger().registered_formatter)
        loggers = [logging.getLogger("duly"), logging.getLogger()]
        for logger in loggers:
            logger.addHandler(handler)
        try:
            yield written
        finally:
            for logger in loggers:
                logger.removeHandler(handler)

    def gateway(self, method: str, resource: str, org: str = "agencja", **headers: str) -> Any:
        """What the app answers to a method on a resource, whether or not there is such a route."""
        event = {
            "resource": resource,
            "path": resource.replace("{org}", org),
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "multiValueQueryStringParameters": None,
            "pathParameters": {"org": org},
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "identity": {"sourceIp": "198.51.100.7"},
                "stage": "v1",
            },
            "body": None,
            "isBase64Encoded": False,
        }
        return application.app(event, Context())

    def _match(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        wanted = path.strip("/").split("/")
        for known_method, known in self.routes:
            parts = known.strip("/").split("/")
            if known_method != method or len(parts) != len(wanted):
                continue
            pairs = list(zip(parts, wanted, strict=True))
            if all(part == given or part.startswith("{") for part, given in pairs):
                values = {part[1:-1]: given for part, given in pairs if part.startswith("{")}
                return known, values
        raise AssertionError(f"no route {method} {path}")


def a_settings(language: str = "pl", **changes: Any) -> Settings:
    """Settings of a Polish agency."""
    settings = Settings(
        controller=Controller(
            name="Agencja Bezpieczna sp. z o.o.",
            address="ul. Długa 1, 00-001 Warszawa",
            registry_number="KRS 0000123456",
            email="biuro@agencja.example",
            phone="+48221234567",
            dpo=DataProtectionOfficer(name="Olga Ochrona", email="iod@agencja.example"),
        ),
        sender=Sender(name="Agencja Bezpieczna", email="zgody@agencja.example"),
        host=SITE,
        languages=(language, *(one for one in ("pl", "en", "ru") if one != language)),
        time_zone="Europe/Warsaw",
        policy_pack="pl-nat-2026-02-13",
        link_days=14,
        reminder_days=3,
    )
    return msgspec.structs.replace(settings, **changes)


def a_member(staff_id: str, name: str, role: Role, language: str = "pl") -> Member:
    """A person of the directory."""
    first = name.partition(" ")[0].lower()
    return Member(
        staff_id=staff_id,
        name=name,
        email=f"{first}@agencja.example",
        role=role,
        language=language,
    )


def _kept(house: House, member: Member, now: datetime) -> Change:
    return keep_member(house, member, by=SYSTEM, now=now)


def _query(query: str) -> dict[str, list[str]] | None:
    from urllib.parse import parse_qs

    return parse_qs(query, keep_blank_values=True) or None


def moment(text: str) -> datetime:
    """An instant of an answer."""
    return datetime.fromisoformat(text)
