"""A small threaded HTTP server: a function from request to answer, on the loopback interface.

It refuses what the local cloud never needs: bodies over the limit (413), unreadable lengths (400),
and a `Host` that is not this machine (421), so that no foreign page can reach it by rebinding a
name.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.settings import HOST

MEBIBYTE = 1024 * 1024
# API Gateway takes 10 MB; SES takes 40 MB, which base64 and JSON make more of.
API_BODY_LIMIT = 10 * MEBIBYTE
MAIL_BODY_LIMIT = 60 * MEBIBYTE

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    target: str
    headers: Message
    body: bytes = b""
    peer: str = HOST

    @property
    def path(self) -> str:
        """The path as sent: still percent-encoded."""
        return urlsplit("http://x" + self.target).path

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qs(urlsplit("http://x" + self.target).query)
        return {name: values[-1] for name, values in pairs.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def text_answer(status: int, text: str, kind: str = "text/plain; charset=utf-8") -> Answer:
    return Answer(status=status, headers=[("Content-Type", kind)], body=text.encode())


def json_answer(status: int, value: object) -> Answer:
    return text_answer(status, json.dumps(value, ensure_ascii=False), "application/json")


Handler = Callable[[Request], Answer]
Refusal = Callable[[HTTPStatus], Answer]


def plain_refusal(status: HTTPStatus) -> Answer:
    return text_answer(status, status.phrase + "\n")


class _Refused(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        self.status = status


class _Connection(BaseHTTPRequestHandler):
    """Reads one request after another from a connection and hands each to the server's function."""

    protocol_version = "HTTP/1.1"
    timeout = 75
    server: _Server

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST, ...: one function takes them all.
        if name.startswith("do_"):
            return self._answer_one
        raise AttributeError(name)

    def _answer_one(self) -> None:
        try:
            self._refuse_foreign_host()
            body = self._body()
        except _Refused as refused:
            self.close_connection = True
            self._send(self.server.refusal(refused.status))
            return
        request = Request(
            method=self.command,
            target=self.path,
            headers=self.headers,
            body=body,
            peer=self.client_address[0],
        )
        try:
            answer = self.server.answer(request)
        except Exception:
            # One failing request must not end the local cloud. No path: it may hold a person's
            # token.
            logger.exception("request_failed")
            answer = text_answer(500, "Internal Server Error\n")
        self._send(answer)

    def _refuse_foreign_host(self) -> None:
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0].lower()
        if host not in self.server.hosts:
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST)

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return b"".join(self._chunks())
        length = self.headers.get("Content-Length") or "0"
        if not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.BAD_REQUEST)
        if int(length) > self.server.body_limit:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self.rfile.read(int(length))

    def _chunks(self) -> Iterator[bytes]:
        total = 0
        while True:
            try:
                size = int(self.rfile.readline(64).split(b";")[0], 16)
            except ValueError:
                raise _Refused(HTTPStatus.BAD_REQUEST) from None
            total += size
            if total > self.server.body_limit:
                raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            if size == 0:
                while self.rfile.readline(8192).strip():
                    pass  # trailers
                return
            yield self.rfile.read(size)
            self.rfile.readline(8)

    def _send(self, answer: Answer) -> None:
        try:
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            if answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(answer.body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD" and answer.status not in (204, 304):
                self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the reader has gone; nobody is left to tell

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: paths and addresses are personal here."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        answer: Handler,
        refusal: Refusal,
        *,
        body_limit: int,
        hosts: frozenset[str],
    ) -> None:
        self.answer = answer
        self.refusal = refusal
        self.body_limit = body_limit
        self.hosts = hosts
        super().__init__((HOST, port), _Connection)


LOOPBACK_NAMES = frozenset({"localhost", HOST})


@contextmanager
def serving(
    port: int,
    answer: Handler,
    *,
    refusal: Refusal = plain_refusal,
    body_limit: int = API_BODY_LIMIT,
    hosts: frozenset[str] = LOOPBACK_NAMES,
) -> Iterator[str]:
    """Serve `answer` while the block runs; yields the origin. Port 0 takes any that is free."""
    server = _Server(port, answer, refusal, body_limit=body_limit, hosts=hosts)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
