"""A route states what it takes, gives and allows; this wraps its view so that nothing is forgotten.

Chalice answers 500 before its middleware could map an error, so the view itself is wrapped. Around
every view, in this order: through our own edge, who asks, with which role, body, version,
Idempotency-Key; then the view; then the answer, or the refusal as problem JSON; then one log line.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from chalice import Blueprint, Response

from chalicelib import log, wiring
from chalicelib.kernel import ids
from chalicelib.kernel.change import Actor, Once, Origin
from chalicelib.kernel.errors import (
    DomainError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    PreconditionRequired,
    Unauthenticated,
)
from chalicelib.organisations.domain import House, Member, Role
from chalicelib.ports import Ports
from chalicelib.web import body as bodies
from chalicelib.web import problem
from chalicelib.web import staff as staffs

EVERYONE = frozenset(Role)
ADMINS = frozenset({Role.ADMIN})
ONCE_SECONDS = 24 * 3600
# What a parameter of a path may be; whatever can't exist is not found. Every other one is an id.
PATHS = {
    "org": ids.ORG_PATTERN,
    "purpose": re.compile(r"[a-z][a-z0-9_]{1,31}"),
    "token": re.compile(r"v1\.[A-Za-z0-9._-]{20,390}"),
    "staff_id": re.compile(r"[A-Za-z0-9-]{8,64}"),
    "wording_id": re.compile(r"[A-Za-z0-9_-]{24}"),
    "page": re.compile(r"[1-9][0-9]{0,3}"),
    "section": re.compile(r"[a-z][a-z_]{1,31}"),
    "number": re.compile(r"0|[1-9][0-9]{0,2}"),
}
ONE_CLICK = (b"List-Unsubscribe", b"One-Click")
VERSION = re.compile(r'(W/)?"?[0-9]{1,9}"?')
ONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
View = TypeVar("View", bound=Callable[..., Any])
# An instant in an answer: RFC 3339, with its offset.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request without body or query."""


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What a route states of itself; the OpenAPI document is made of it."""

    path: str
    method: str
    name: str
    summary: str
    takes: Any
    query: Any
    gives: Any
    status: int
    roles: frozenset[Role] | None
    creates: bool
    changes: bool
    one_click: bool = False


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a view sees it: checked, parsed, with the ports at hand."""

    ports: Ports
    origin: Origin
    body: Any
    query: Any
    version: int
    staff: staffs.Staff | None
    once: Callable[[str], Once] | None

    def once_for(self, result: str) -> Once:
        """The Idempotency-Key of this request, to be kept with the id that comes of it."""
        if self.once is None:
            raise IdempotencyKeyRequired
        return self.once(result)

    @property
    def house(self) -> House:
        """The organisation of who asks."""
        return self._staff.house

    @property
    def org(self) -> str:
        """Its slug."""
        return self._staff.org

    @property
    def member(self) -> Member:
        """Who asks."""
        return self._staff.member

    @property
    def actor(self) -> Actor:
        """Who asks, as events name them."""
        evidence = self.house.settings.evidence
        return Actor("staff", self._staff.member.staff_id, evidence.kept(self.origin))

    @property
    def _staff(self) -> staffs.Staff:
        if self.staff is None:
            raise Unauthenticated
        return self.staff


class NotThroughEdge(Forbidden):
    """The request did not come through our own edge, so its address proves nothing."""

    code = "not_through_edge"
    sentence = "Use the public address."


class OriginRefused(Forbidden):
    """A page that is not ours asks (R2; ASVS 3.5.2)."""

    code = "origin_refused"
    sentence = "This page may not do that."


class IdempotencyKeyRequired(Malformed):
    code = "idempotency_key_required"
    sentence = "Send an Idempotency-Key of 16 to 64 letters, digits, - and _."


class ApiBlueprint(Blueprint):
    """Routes of one feature; `specs` is what they state of themselves."""

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name)
        self.module = import_name
        self.specs: list[Spec] = []

    def staff(
        self,
        method: str,
        path: str,
        *,
        gives: Any,
        takes: Any = Nothing,
        query: Any = Nothing,
        roles: frozenset[Role] = EVERYONE,
        status: int = 200,
        creates: bool = False,
        changes: bool = False,
    ) -> Callable[[View], View]:
        """A route for staff with one of `roles`.

        `creates` needs an Idempotency-Key, `changes` an If-Match with the version that was read.
        """
        return self._register(
            method, path, takes, query, gives, status, roles=roles, creates=creates, changes=changes
        )

    def public(
        self, method: str, path: str, *, takes: Any, gives: Any, status: int = 200
    ) -> Callable[[View], View]:
        """A route for everybody: JSON from our own pages only (R2)."""
        return self._register(method, path, takes, Nothing, gives, status)

    def one_click(self, path: str, *, gives: Any) -> Callable[[View], View]:
        """The one exception to R2: a mail program's own button posts a form here (RFC 8058)."""
        return self._register("POST", path, Nothing, Nothing, gives, 200, one_click=True)

    def _register(
        self,
        method: str,
        path: str,
        takes: Any,
        query: Any,
        gives: Any,
        status: int,
        *,
        roles: frozenset[Role] | None = None,
        creates: bool = False,
        changes: bool = False,
        one_click: bool = False,
    ) -> Callable[[View], View]:
        register = super().route(path, methods=[method], content_types=[])

        def wrap(view: View) -> View:
            spec = Spec(
                path=path,
                method=method,
                name=view.__name__,
                summary=(view.__doc__ or "").strip().partition("\n")[0],
                takes=takes,
                query=query,
                gives=gives,
                status=status,
                roles=roles,
                creates=creates,
                changes=changes,
                one_click=one_click,
            )
            self.specs.append(spec)

            def answering(**path_ids: str) -> Response:
                return _answer(spec, view, self.current_request, path_ids)

            answering.__name__ = view.__name__
            register(answering)
            return view

        return wrap


def _answer(spec: Spec, view: Any, request: Any, path_ids: dict[str, str]) -> Response:
    started = time.monotonic()
    code, headers = "", dict(problem.HEADERS)
    try:
        call = _call(spec, request, path_ids)
        given = view(call, **path_ids)
        status, content = spec.status, msgspec.json.encode(given)
        version = getattr(given, "version", None)
        if version is not None:
            headers["ETag"] = f'"{version}"'
    except DomainError as error:
        status, code = problem.status(error), error.code
        content = msgspec.json.encode(problem.body(error))
    except Exception as error:  # noqa: BLE001  the last resort: told by kind and place, never by message
        log.error("request_failed", error, route=spec.name)
        status, code = 500, "internal"
        content = b'{"code":"internal","message":"Something failed here. It was noted."}'
    log.info(
        "request",
        route=spec.name,
        method=spec.method,
        path=spec.path,
        status=status,
        code=code,
        ms=round((time.monotonic() - started) * 1000),
    )
    return Response(content.decode(), headers={**headers}, status_code=status)


def _call(spec: Spec, request: Any, path_ids: dict[str, str]) -> Call:
    _refuse_foreign_edge(request)
    for name, value in path_ids.items():
        if PATHS.get(name, ids.PATTERN).fullmatch(value) is None:
            raise NotFound
    ports, staff = wiring.ports(), None
    if spec.roles is not None:
        staff = staffs.staff_of(request.headers.get("authorization", ""), ports)
        staffs.allow(staff, spec.roles)
    elif not spec.one_click:
        _refuse_foreign_origin(request)
    raw = b"" if spec.method == "GET" else _raw(request)
    query = bodies.convert(dict(request.query_params or {}), spec.query, strict=False)
    return Call(
        ports=ports,
        origin=_origin(request),
        body=_body(spec, raw, request),
        query=query,
        version=_version(request) if spec.changes else 0,
        staff=staff,
        once=_once(spec, request, raw, staff, path_ids) if spec.creates and staff else None,
    )


def _raw(request: Any) -> bytes:
    try:
        raw = request.raw_body
    except ValueError as error:
        raise Malformed from error
    return raw if isinstance(raw, bytes) else str(raw).encode("utf-8", "surrogatepass")


def _refuse_foreign_origin(request: Any) -> None:
    if request.headers.get("origin", "") not in wiring.setting("SITE_ORIGIN").split(","):
        raise OriginRefused


def _body(spec: Spec, raw: bytes, request: Any) -> Any:
    if spec.one_click:
        if not _is_one_click(raw, request.headers.get("content-type", "")):
            raise Malformed
        return Nothing()
    if spec.takes is Nothing and not raw.strip():
        return Nothing()
    return bodies.read(raw, request.headers.get("content-type", ""), spec.takes)


def _is_one_click(raw: bytes, content_type: str) -> bool:
    """Whether this is the one field of the button, in either of the two forms of RFC 8058 3.2."""
    if not content_type.lower().startswith("multipart/form-data"):
        return raw.strip() == b"=".join(ONE_CLICK)
    # Imported here: the parser takes longer to load than most routes take to answer.
    from email.parser import BytesParser

    head = b"Content-Type: " + content_type.encode("ascii", "replace") + b"\r\n\r\n"
    form = BytesParser().parsebytes(head + raw)
    fields = [
        (str(part.get_param("name", header="Content-Disposition")), part.get_payload(decode=True))
        for part in form.walk()
        if not part.is_multipart()
    ]
    name, value = ONE_CLICK
    return fields == [(name.decode(), value)]


def _version(request: Any) -> int:
    sent = request.headers.get("if-match")
    if sent is None:
        raise PreconditionRequired
    if VERSION.fullmatch(sent.strip()) is None:
        raise Invalid('If-Match holds a version, such as "3".', field="If-Match")
    return int(sent.strip().removeprefix("W/").strip('"'))


def _once(
    spec: Spec, request: Any, raw: bytes, staff: staffs.Staff, path_ids: Mapping[str, str]
) -> Callable[[str], Once]:
    key = request.headers.get("idempotency-key", "")
    if ONCE.fullmatch(key) is None:
        raise IdempotencyKeyRequired(field="Idempotency-Key")
    route = "\0".join((spec.name, *path_ids.values()))
    digest = _digest(f"{staff.member.staff_id}\0{route}\0{key}".encode())
    ends = int(wiring.real_now().timestamp()) + ONCE_SECONDS
    asked = _digest(route.encode() + b"\0" + raw)
    return lambda result: Once(digest=digest, request=asked, result=result, expires_at=ends)


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def _refuse_foreign_edge(request: Any) -> None:
    secret = wiring.setting("EDGE_SECRET", "").encode()
    sent = request.headers.get("x-duly-edge", "").encode()
    if secret and not hmac.compare_digest(secret, sent):
        raise NotThroughEdge


def _origin(request: Any) -> Origin:
    """Where the request came from: what our own edge appended, never what the caller wrote."""
    hops = int(wiring.setting("EDGE_HOPS", "1"))
    told = [one.strip() for one in request.headers.get("x-forwarded-for", "").split(",")]
    peer = request.context.get("identity", {}).get("sourceIp", "")
    address = told[-hops] if len(told) >= hops and told[-hops] else peer
    agent = "".join(c for c in request.headers.get("user-agent", "")[:200] if c.isprintable())
    return Origin(address=address[:45], agent=agent)
