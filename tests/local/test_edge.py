"""The edge: one origin with the production header set, and an honest forwarded address."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.template import headers as production_headers
from local.edge import Edge, HeaderSet, edge
from local.serving import API_BODY_LIMIT, Answer, Request, serving
from local.settings import ROOT, LocalCloudError

SECRET = "s" * 32
UPLOADS = "http://127.0.0.1:4566"
Answered = tuple[int, dict[str, str], bytes]


class Gateway:
    """Stands for the deployed API: notes what it is asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        own = [("Content-Type", "application/json"), ("Cache-Control", "public"), ("ETag", '"7"')]
        return Answer(status=201, headers=[*own, ("Connection", "x")], body=b'{"ok": true}')


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    (root / "js").mkdir(parents=True)
    (root / "index.html").write_text("home")
    (root / "c.html").write_text("confirm")
    (root / "404.html").write_text("no such page")
    (root / "js" / "main.mjs").write_text("export {}")
    (root / ".hidden.html").write_text("hidden")
    (root / "notes.sh").write_text("no kind")
    (tmp_path / "secret.html").write_text("outside")
    (root / "link.html").symlink_to(tmp_path / "secret.html")
    return root


@contextmanager
def an_edge(site: Path) -> Iterator[tuple[str, Gateway]]:
    gateway = Gateway()
    header_set = HeaderSet.read(ROOT / "infra" / "headers.json", UploadOrigin=UPLOADS)
    with serving(0, gateway) as behind:
        handler = Edge(site=site, headers=header_set, gateway=f"{behind}/v1/stage", secret=SECRET)
        with edge(0, handler) as origin:
            yield origin, gateway


def ask(
    origin: str,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answered:
    connection = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def expected(group: str) -> dict[str, str]:
    filled = production_headers()[group]
    return {name: value.replace("${UploadOrigin}", UPLOADS) for name, value in filled.items()}


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, b"home"),
        ("/index.html", 200, b"home"),
        ("/c", 200, b"confirm"),
        ("/c?from=mail", 200, b"confirm"),
        ("/nowhere", 404, b"no such page"),
        ("/js/main.mjs", 200, b"export {}"),
        ("/js", 404, b"no such page"),
        ("/notes.sh", 404, b"no such page"),
        ("/.hidden.html", 404, b"no such page"),
        ("/link", 404, b"no such page"),
        ("/../secret.html", 404, b"no such page"),
        ("/%2e%2e/secret.html", 404, b"no such page"),
        ("/js/..%2f..%2fsecret.html", 404, b"no such page"),
        ("/c%00.html", 404, b"no such page"),
    ],
)
def test_a_path_names_a_page_of_the_site_or_nothing(
    site: Path, path: str, status: int, body: bytes
) -> None:
    """Pages have the addresses that the CDN gives them; nothing else on the disk has one."""
    with an_edge(site) as (origin, _):
        assert ask(origin, path)[::2] == (status, body)


def test_pages_assets_and_answers_carry_the_production_headers(site: Path) -> None:
    """R18: the very header set that is deployed, on pages, errors, assets and the API."""
    wanted = {
        "/": "pages",
        "/nowhere": "pages",
        "/js/main.mjs": "assets",
        "/api/anything": "api",
    }
    with an_edge(site) as (origin, _):
        for path, group in wanted.items():
            headers = ask(origin, path)[1]
            assert expected(group).items() <= headers.items(), path
        assert UPLOADS in ask(origin, "/")[1]["Content-Security-Policy"]


def test_the_api_is_asked_with_the_callers_address_and_our_secret(site: Path) -> None:
    """A caller's address is what our own edge appended; what the caller claims comes before it."""
    claimed = {"X-Forwarded-For": "6.6.6.6", "X-Duly-Edge": "forged", "Connection": "close"}
    with an_edge(site) as (origin, gateway):
        status, headers, body = ask(
            origin, "/api/public/o/x%2Fy?a=%20", "POST", b'{"a": 1}', claimed
        )
    [request] = gateway.requests
    assert request.target == "/v1/stage/api/public/o/x%2Fy?a=%20"
    assert (request.method, request.body) == ("POST", b'{"a": 1}')
    assert request.headers.get_all("X-Forwarded-For") == ["6.6.6.6, 127.0.0.1, 127.0.0.1"]
    assert request.headers.get_all("X-Duly-Edge") == [SECRET]
    assert (status, json.loads(body)) == (201, {"ok": True})
    assert headers["ETag"] == '"7"'
    assert headers["Cache-Control"] == "no-store"
    assert headers.get("Connection") != "x"


def test_a_body_over_ten_megabytes_is_refused_before_it_is_read(site: Path) -> None:
    """What API Gateway would not take is not taken here, by length and by chunks."""
    too_long = {"Content-Length": str(API_BODY_LIMIT + 1)}
    with an_edge(site) as (origin, gateway):
        status, headers, body = ask(origin, "/api/x", "POST", b"", too_long)
        assert (status, json.loads(body)["code"]) == (413, "too_large")
        assert expected("api").items() <= headers.items()
        chunked = {"Transfer-Encoding": "chunked"}
        refused = ask(origin, "/api/x", "POST", b"fffffff\r\n", chunked)
        assert refused[0] == 413
        assert ask(origin, "/api/x", "POST", b"zz\r\n", chunked)[0] == 400
    assert gateway.requests == []


def test_a_chunked_body_arrives_whole(site: Path) -> None:
    """A client that does not know its length beforehand is served like any other."""
    with an_edge(site) as (origin, gateway):
        chunks = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        ask(origin, "/api/x", "POST", chunks, {"Transfer-Encoding": "chunked"})
    assert gateway.requests[0].body == b"abcde"


def test_pages_are_only_read(site: Path) -> None:
    """No method but GET and HEAD means anything to a page."""
    with an_edge(site) as (origin, _):
        status, headers, _ = ask(origin, "/c", "POST", b"x")
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
        status, headers, body = ask(origin, "/c", "HEAD")
        assert (status, headers["Content-Length"], body) == (200, "7", b"")


def test_a_foreign_name_reaches_nothing(site: Path) -> None:
    """A page elsewhere that rebinds its own name to this machine gets no answer."""
    with an_edge(site) as (origin, gateway):
        assert ask(origin, "/api/x", headers={"Host": "evil.example"})[0] == 421
    assert gateway.requests == []


def test_a_gateway_that_is_gone_is_said_so(site: Path) -> None:
    """A stopped engine is a 503 with the API's headers, never a hanging page."""
    header_set = HeaderSet.read(ROOT / "infra" / "headers.json", UploadOrigin=UPLOADS)
    with serving(0, Gateway()) as closed:
        pass
    handler = Edge(site=site, headers=header_set, gateway=closed, secret=SECRET)
    with edge(0, handler) as origin:
        status, headers, body = ask(origin, "/api/x")
    assert (status, json.loads(body)["code"]) == (503, "unavailable")
    assert expected("api").items() <= headers.items()


@pytest.mark.parametrize(
    "content", [None, "{", "{}", '{"pages": {"A": "${Unknown}"}, "assets": {}, "api": {}}']
)
def test_no_page_is_served_without_the_header_set(tmp_path: Path, content: str | None) -> None:
    """The edge refuses to start rather than to serve pages without their rules."""
    file = tmp_path / "headers.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(LocalCloudError, match="header set"):
        HeaderSet.read(file, UploadOrigin=UPLOADS)
