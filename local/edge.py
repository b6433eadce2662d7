"""The edge: one origin for the pages and `/api/*`, in the place of the production CDN.

It does what `infra/` configures there, from the same header set (`infra/headers.json`):

- pages and assets come from `static_site/`, GET and HEAD alone; a page has the addresses that the
  CDN's function gives it (`infra.template.pages`: `/` is `index.html`, `/c` is `c.html`), anything
  unknown is `404.html`;
- `/api/*` goes to the gateway with two addresses appended to `X-Forwarded-For`, the caller's as
  CloudFront does and its own as API Gateway does (the engine's gateway appends none), so that
  `EDGE_HOPS` is one number everywhere; and with our secret in `X-Duly-Edge`, whatever the caller
  wrote there;
- the header set replaces what an answer brings, as a response headers policy with `override: true`
  does, so that a page works here under exactly the rules it has to live with there;
- bodies over 10 MB are refused, as by API Gateway. Nothing is logged: paths and addresses are
  personal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from infra.template import pages
from local.mail import pass_on
from local.serving import Answer, Request, json_answer, serving, text_answer
from local.settings import HOST, LocalCloudError

API = "/api"
EDGE_HEADER = "X-Duly-Edge"
FORWARDED_HEADER = "X-Forwarded-For"

# As in infra/template/api.yaml, `x-refusals`.
_UNREADABLE = ("malformed", "The request could not be read.")
_REFUSALS = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "The request is too large."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("unavailable", "Try again in a moment."),
}

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderSet:
    """The production header set: what every page, asset and answer of the API carries."""

    pages: Mapping[str, str]
    assets: Mapping[str, str]
    api: Mapping[str, str]

    @classmethod
    def read(cls, file: Path, **places: str) -> HeaderSet:
        """Refuses a set that is missing or has a placeholder that nothing fills."""
        try:
            groups = json.loads(file.read_text())
            filled = {
                name: {header: _fill(value, places) for header, value in groups[name].items()}
                for name in ("pages", "assets", "api")
            }
        except (OSError, ValueError, KeyError, AttributeError) as problem:
            raise LocalCloudError(
                f"The header set {file} can't be used ({problem}); no page is served without it."
            ) from problem
        return cls(**filled)


def _fill(value: str, places: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: places[match[1]], value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Answers for the origin. `gateway` is the address of the deployed stage: paths are appended to
    it.
    """

    site: Path
    headers: HeaderSet
    gateway: str
    secret: str

    def __call__(self, request: Request) -> Answer:
        if request.path == API or request.path.startswith(API + "/"):
            return _with(self.headers.api, self._api(request))
        return self._page(request)

    def refusal(self, status: HTTPStatus) -> Answer:
        """What the gateway would say, for what does not get as far."""
        code, message = _REFUSALS.get(status, _UNREADABLE)
        return _with(self.headers.api, json_answer(status, {"code": code, "message": message}))

    def _api(self, request: Request) -> Answer:
        gateway = urlsplit(self.gateway)
        forwarded = replace(
            request,
            target=gateway.path.rstrip("/") + request.target,
            headers=self._forwarded(request, gateway.netloc),
        )
        answer = pass_on(forwarded, f"{gateway.scheme}://{gateway.netloc}")
        return answer or self.refusal(HTTPStatus.SERVICE_UNAVAILABLE)

    def _forwarded(self, request: Request, host: str) -> Message:
        headers = Message()
        for name, value in request.headers.items():
            headers[name] = value
        before = headers.get_all(FORWARDED_HEADER, [])
        _set(headers, FORWARDED_HEADER, ", ".join([*before, request.peer, HOST]))
        _set(headers, EDGE_HEADER, self.secret)
        _set(headers, "Host", host)
        return headers

    def _page(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            refused = text_answer(405, "Method Not Allowed\n")
            return _with({**self.headers.pages, "Allow": "GET, HEAD"}, refused)
        file = find(self.site, request.path)
        status = 200
        if file is None:
            file, status = self.site / "404.html", 404
        if not file.is_file():
            return _with(self.headers.pages, text_answer(404, "Not Found\n"))
        group = self.headers.pages if file.suffix == ".html" else self.headers.assets
        kind = ("Content-Type", KINDS[file.suffix])
        return _with(group, Answer(status=status, headers=[kind], body=file.read_bytes()))


def find(site: Path, path: str) -> Path | None:
    """The file that a path names, or none. Nothing outside the site, hidden or of an unknown kind
    is served.
    """
    name = pages(site).get(path, unquote(path)).lstrip("/")
    if "\0" in name or any(part.startswith(".") for part in name.split("/")):
        return None
    root = site.resolve()
    file = (root / name).resolve()
    served = file.is_relative_to(root) and file.is_file() and file.suffix in KINDS
    return file if served else None


def _set(headers: Message, name: str, value: str) -> None:
    del headers[name]
    headers[name] = value


def _with(group: Mapping[str, str], answer: Answer) -> Answer:
    replaced = {name.lower() for name in group}
    kept = [(name, value) for name, value in answer.headers if name.lower() not in replaced]
    return replace(answer, headers=[*kept, *group.items()])


@contextmanager
def edge(port: int, handler: Edge) -> Iterator[str]:
    with serving(port, handler, refusal=handler.refusal) as origin:
        yield origin
