"""Who may: every staff route, every wrong token and role; and a caller's address."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.organisations.domain import Role
from tests import identity
from tests.duly import ADMIN, AGENT, HEAD, SITE, Answer, Duly
from tests.examples import Example, Examples

QUALITY = "a6666666-6666-4666-8666-666666666666"
PEOPLE = {Role.AGENT: AGENT, Role.HEAD: HEAD, Role.ADMIN: ADMIN, Role.QUALITY: QUALITY}


@pytest.fixture
def examples(duly: Duly) -> Examples:
    """A good request for every route."""
    return Examples(duly)


def staff_routes(examples: Examples) -> list[Example]:
    """The routes that are not for everybody."""
    found = [one for one in examples.all if one.spec.roles is not None]
    assert len(found) > 30
    return found


def good(**changes: Any) -> str:
    """The administrator's ID token; `changes` make it a wrong one."""
    return identity.id_token(ADMIN, "agencja", "admin", **changes)


def none_signed() -> str:
    """The administrator's claims under `alg: none`."""
    claims = good().split(".")[1]
    return f"{coded({'alg': 'none', 'typ': 'JWT', 'kid': identity.KID})}.{claims}."


def signed_with_the_public_key() -> str:
    """HS256 with the pool's public key as the secret: the classic confusion."""
    public = identity.private_key().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = f"{coded({'alg': 'HS256', 'typ': 'JWT', 'kid': identity.KID})}.{good().split('.')[1]}"
    return f"{head}.{plain(hmac.new(pem, head.encode(), hashlib.sha256).digest())}"


def signed_by_another(kid: str = identity.KID) -> str:
    """True claims, another's key."""
    claims = jwt.decode(good(), options={"verify_signature": False})
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, stranger, "RS256", headers={"kid": kid})


def tampered() -> str:
    """A true signature over other claims."""
    head, claims, mac = identity.id_token(AGENT, "agencja", "agent").split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{head}.{coded(told | {'sub': ADMIN, 'cognito:groups': ['admin']})}.{mac}"


def coded(value: Any) -> str:
    """A part of a token."""
    return plain(json.dumps(value).encode())


def plain(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


WRONG: dict[str, Callable[[], str | None]] = {
    "none at all": lambda: None,
    "not a token": lambda: "zzz",
    "not ASCII": lambda: "ą.ę.ł",
    "alg none": none_signed,
    "HS256 with the public key": signed_with_the_public_key,
    "another's key": signed_by_another,
    "an unknown key id": lambda: signed_by_another("stranger"),
    "tampered": tampered,
    "another issuer": lambda: good(iss="https://issuer.test/other"),
    "another audience": lambda: good(aud="other-client"),
    "expired": lambda: good(exp=int(time.time()) - 60),
    "an access token": lambda: good(token_use="access"),
    "no use": lambda: good(token_use=None),
    "no organisation": lambda: good(**{"custom:org": ""}),
    "an organisation that is none": lambda: good(**{"custom:org": "agencja#CLIENT"}),
    "an unknown organisation": lambda: good(**{"custom:org": "nieznana"}),
    "groups that are no list": lambda: good(**{"cognito:groups": "admin"}),
    "a group that the directory does not know": lambda: identity.id_token(
        AGENT, "agencja", "admin"
    ),
    "no group": lambda: good(**{"cognito:groups": []}),
    "nobody of the directory": lambda: identity.id_token("a" * 36, "agencja", "admin"),
}


def test_every_staff_route_refuses_every_wrong_token(examples: Examples) -> None:
    """Issue 2, 11; robustness, trap 4: signature, issuer, audience, expiry, use, directory."""
    tokens = {name: make() for name, make in WRONG.items()}
    before = examples.duly.table()
    for one in staff_routes(examples):
        for name, token in tokens.items():
            sent = {k: v for k, v in one.headers().items() if k != "Authorization"}
            if token is not None:
                sent["Authorization"] = f"Bearer {token}"
            answer = examples.duly.request(one.spec.method, one.where, one.body, headers=sent)
            assert answer.status == 401, (name, one.spec.name, answer.json)
            assert answer.json["code"] == "unauthenticated", name
    for scheme in ("Basic", "bearer\t", "", "Token"):
        one = staff_routes(examples)[0]
        answer = examples.ask(one, headers={"Authorization": f"{scheme} {good()}"})
        assert answer.status == 401, scheme
    assert examples.duly.table() == before


def test_every_staff_route_refuses_the_roles_that_it_does_not_name(examples: Examples) -> None:
    """Issue 2, 11: role by role, route by route; a role that may is not refused for its role."""
    duly = examples.duly
    _join(duly, QUALITY, "quality")
    for one in staff_routes(examples):
        for role, staff_id in PEOPLE.items():
            token = identity.id_token(staff_id, "agencja", role)
            refused = one.spec.roles is not None and role not in one.spec.roles
            if not refused and one.spec.method != "GET":
                continue
            headers = one.headers() | {"Authorization": f"Bearer {token}"}
            answer = duly.request(one.spec.method, one.where, one.body, headers=headers)
            told = (one.spec.name, role, answer.json)
            if refused:
                assert (answer.status, answer.json["code"]) == (403, "role_refused"), told
            else:
                assert answer.status not in {401, 403}, told


def test_a_person_who_left_is_nobody_at_every_route(examples: Examples) -> None:
    """Issue 2, 11: the directory decides, whatever the token still says."""
    _join(examples.duly, AGENT, "agent", active=False)
    for one in staff_routes(examples):
        token = identity.id_token(AGENT, "agencja", "agent")
        headers = one.headers() | {"Authorization": f"Bearer {token}"}
        answer = examples.duly.request(one.spec.method, one.where, one.body, headers=headers)
        assert answer.status == 401, (one.spec.name, answer.json)


def test_an_agent_sets_default_attachments_for_nobody_else(duly: Duly) -> None:
    """S42: one's own; an administrator may for anybody."""
    version = duly.staff("GET", "/api/staff").json["version"]
    path = f"/api/staff/{HEAD}/default-attachments"
    answer = duly.staff("PUT", path, {"files": []}, version=version)
    assert (answer.status, answer.json["code"]) == (403, "role_refused")
    answer = duly.staff("PUT", path, {"files": []}, by=ADMIN, version=version)
    assert answer.status == 200


def test_a_callers_address_is_what_our_edge_appended(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 2, 11; R23: the first of X-Forwarded-For is what the caller wrote, no proof."""
    for hops, told, kept in (
        ("1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("2", "1.1.1.1, 203.0.113.9, 192.0.2.2", "203.0.113.9"),
        ("2", "203.0.113.9", "198.51.100.7"),
    ):
        monkeypatch.setenv("EDGE_HOPS", hops)
        client = duly.client(email=f"{hops}.{len(told)}@klient.example")
        _, token = duly.sent(client)
        read = duly.public("/links/read", {"token": token})
        body = {"token": token, "decision": "confirm", "digest": read.json["digest"]}
        headers = {"X-Forwarded-For": told, "X-Real-Ip": "1.1.1.1", "Forwarded": "for=1.1.1.1"}
        assert duly.public("/links/act", body, headers=headers).status == 200
        events = duly.staff("GET", f"/api/clients/{client['client_id']}/events").json["events"]
        confirmed = next(one for one in events if one["kind"] == "declaration_confirmed")
        assert kept in json.dumps(confirmed["body"])
        assert "1.1.1.1" not in json.dumps(events)


def test_every_route_wants_the_edges_secret_where_there_is_one(
    examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 2, 11: past our own edge nobody asks anything, for then the address proves nothing."""
    monkeypatch.setenv("EDGE_SECRET", "s" * 40)
    for one in examples.all:
        for sent in ({}, {"X-Duly-Edge": ""}, {"X-Duly-Edge": "s" * 39}, {"X-Duly-Edge": "ś" * 40}):
            answer = examples.ask(one, headers=dict(sent))
            told = (one.spec.name, sent, answer.json)
            assert (answer.status, answer.json["code"]) == (403, "not_through_edge"), told
    read = next(one for one in examples.all if one.spec.name == "read_organisation")
    assert examples.ask(read, headers={"X-Duly-Edge": "s" * 40}).status == 200


def test_public_routes_answer_our_own_pages_alone(examples: Examples) -> None:
    """R2; ASVS 3.5.2: another origin, or none, changes and reads nothing."""
    public = [one for one in examples.all if one.spec.roles is None and not one.spec.one_click]
    assert len(public) >= 3
    for one in public:
        for origin in ("", "null", "https://evil.example", SITE + ".evil.example", SITE + "/"):
            answer = examples.ask(one, headers={"Origin": origin})
            assert (answer.status, answer.json["code"]) == (403, "origin_refused"), one.spec.name


def test_every_answer_has_the_header_set(examples: Examples) -> None:
    """Robustness, header set: granted or refused, nothing is cached, sniffed or framed."""
    from chalicelib.web.problem import HEADERS

    for one in examples.all:
        for sent in ({}, {"Authorization": "Bearer x", "Origin": "x"}):
            answer = examples.ask(one, headers=dict(sent))
            assert answer.headers.items() >= HEADERS.items(), one.spec.name


def _join(duly: Duly, staff_id: str, role: str, *, active: bool = True) -> Answer:
    """A person joins the directory, or leaves it."""
    version = duly.staff("GET", "/api/staff", by=ADMIN).json["version"]
    body = {
        "name": "Jakub Jakość",
        "email": "jakub@agencja.example",
        "role": role,
        "active": active,
    }
    answer = duly.staff("PUT", f"/api/staff/{staff_id}", body, by=ADMIN, version=version)
    assert answer.status == 200, answer.json
    return answer
