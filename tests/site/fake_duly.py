"""A small server for the pages: the files of static_site with the production header set, and the
three public link routes as the pages know them. It records what it was asked and answers what it is
told to.
"""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

SITE = Path(__file__).parents[2] / "static_site"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'none'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types duly-worker",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
}

Answer = tuple[int, dict[str, Any]]
Fake = TypeVar("Fake", bound="FakeDuly")


def a_token(org: str = "polisa") -> str:
    """A token of the right shape for an organisation; only a server could tell it is forged."""
    claims = bytes([len(org)]) + org.encode() + bytes(range(42))
    return f"v1.k1.{urlsafe_b64encode(claims).rstrip(b'=').decode()}.{'A' * 43}"


def refusal(status: int, code: str, **more: str) -> Answer:
    """An error as the API words it."""
    return status, {"code": code, "message": code, **more}


def a_receipt(decision: str) -> dict[str, str]:
    """The receipt of a decision made on 22 November 2026."""
    return {"reference": "K7Q2-M4XD", "decision": decision, "decided_at": "2026-11-22T13:05:41Z"}


@dataclass
class FakeDuly:
    """One declaration behind one link; `refuse` holds what a route's next calls get instead."""

    reading: dict[str, Any]
    refuse: dict[str, list[Answer | None]] = field(default_factory=dict)
    delay: float = 0
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    origin: str = ""

    def link(self, token: str | None = None) -> str:
        """The address that stands in the e-mail."""
        return f"{self.origin}/c#{a_token() if token is None else token}"

    def routes(self) -> list[str]:
        """Which routes were called, in order."""
        return [path.rpartition("/")[2] for path, _ in self.asked]

    def acts(self) -> list[dict[str, Any]]:
        """The bodies that reached `links/act`."""
        return [body for path, body in self.asked if path.endswith("/act")]

    def upload(self, path: str, body: bytes) -> int:
        """The status that a presigned upload gets; here there is none."""
        raise NotImplementedError(path)

    def answer(self, path: str, body: dict[str, Any]) -> Answer | None:
        """What the API says; None breaks off in the middle of it."""
        self.asked.append((path, body))
        time.sleep(self.delay)
        route = path.rpartition("/")[2]
        if self.refuse.get(route):
            return self.refuse[route].pop(0)
        if route == "read":
            return 200, self.reading
        if route == "renew":
            return 202, {}
        decision = {"confirm": "confirmed", "dispute": "disputed"}.get(body.get("decision", ""))
        if decision is None:
            return refusal(422, "decision_missing", field="decision")
        self.reading = {**self.reading, "state": decision, "receipt": a_receipt(decision)}
        return 200, {"receipt": self.reading["receipt"]}


def _file(path: str) -> Path | None:
    """The file of an address: a page by its name, as the edge has it."""
    name = path.lstrip("/") or "index"
    found = (SITE / f"{name}.html", SITE / name)
    return next((one for one in found if one.is_file()), None)


def _posted(fake: FakeDuly, path: str, content_type: str, body: bytes) -> Answer | None:
    if content_type.startswith("multipart/"):
        return fake.upload(path, body), {}
    return fake.answer(path, json.loads(body))


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """The fake on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            file = _file(urlsplit(self.path).path)
            if file is None:
                self.reply(404, (SITE / "404.html").read_bytes(), TYPES[".html"])
            else:
                self.reply(200, file.read_bytes(), TYPES[file.suffix])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = _posted(fake, self.path, self.headers["Content-Type"], body)
            if answer is None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
                self.close_connection = True
                return
            self.reply(answer[0], json.dumps(answer[1]).encode(), TYPES[".json"])

        def reply(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silence; the base class writes to stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.origin = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
