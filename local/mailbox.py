"""The mailbox page: every e-mail that the local cloud sent, as its reader would see it.

For people: a list, and for each e-mail its HTML, text, headers, source and attachments. For tests,
JSON:

| Route | Answer |
|---|---|
| `GET /messages` (`?to=address`) | the list, newest first |
| `GET /messages/<number>` | one e-mail, read: headers, text, html, attachments |
| `GET /messages/<number>/raw` | the MIME as it was sent |
| `GET /messages/<number>/html` | the HTML part alone, without scripts |
| `GET /messages/<number>/attachments/<index>` | an attachment, to be saved |
| `DELETE /messages` | empties the mailbox |
| `GET /write`, `POST /write` | a form to write to an organisation, and what it sends |

An e-mail is foreign content: its HTML runs in a sandbox without scripts or network, and its links
open in a window of their own. Attachments are saved, never shown.
"""

from __future__ import annotations

import base64
import email.policy
import html
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import localtime, make_msgid, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.mail import Mail, MailStore, parse
from local.serving import (
    MAIL_BODY_LIMIT,
    Answer,
    Request,
    json_answer,
    serving,
    text_answer,
)

_ASSETS = Path(__file__).parent / "assets"
_VIEWS = {"html": "E-mail", "text": "Text", "headers": "Headers", "source": "Source"}
_SANDBOX = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
)
_OWN = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


Receive = Callable[[bytes, str], bool]


class Mailbox:
    """Answers for the mailbox; reads the store that the sink fills."""

    def __init__(self, store: MailStore, receive: Receive | None = None) -> None:
        self._store = store
        self._receive = receive
        number = r"(?P<number>\d{8})"
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = [
            ("GET", re.compile("/"), self._list_page),
            ("GET", re.compile(f"/{number}"), self._mail_page),
            ("GET", re.compile("/mailbox.css"), _style),
            ("GET", re.compile("/mailbox.js"), _script),
            ("POST", re.compile("/empty"), self._empty_page),
            ("GET", re.compile("/write"), self._write_page),
            ("POST", re.compile("/write"), self._written),
            ("GET", re.compile("/messages"), self._list),
            ("DELETE", re.compile("/messages"), self._empty),
            ("GET", re.compile(f"/messages/{number}"), self._mail),
            ("GET", re.compile(f"/messages/{number}/raw"), self._raw),
            ("GET", re.compile(f"/messages/{number}/html"), self._html),
            (
                "GET",
                re.compile(f"/messages/{number}/attachments/(?P<index>\\d+)"),
                self._attachment,
            ),
        ]

    def __call__(self, request: Request) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        # Another site's page may send a form here, but can't hide where it comes from.
        if method != "GET" and request.headers.get("Sec-Fetch-Site", "none") == "cross-site":
            return text_answer(403, "Forbidden\n")
        for wanted, path, answer in self._routes:
            match = path.fullmatch(request.path)
            if match and wanted == method:
                return _protected(answer(request, **match.groupdict()))
        return _protected(_not_found())

    # For tests and the demonstration.

    def _list(self, request: Request) -> Answer:
        wanted = request.query.get("to", "").lower()
        return json_answer(
            200,
            [
                {"number": number, **asdict(mail)}
                for number, mail in self._store.newest_first()
                if not wanted or wanted in (address.lower() for address in mail.recipients)
            ],
        )

    def _empty(self, request: Request) -> Answer:
        self._store.clear()
        return Answer(status=204)

    def _mail(self, request: Request, number: str) -> Answer:
        found = self._store.get(number)
        if found is None:
            return json_answer(404, {"code": "not_found"})
        mail, mime = found
        message = parse(mime)
        return json_answer(
            200,
            {
                "number": number,
                **asdict(mail),
                "headers": [[name, str(value)] for name, value in message.items()],
                "text": _part(message, "plain"),
                "html": _part(message, "html"),
                "attachments": [
                    {
                        "index": index,
                        "name": name,
                        "type": part.get_content_type(),
                        "size": len(data),
                    }
                    for index, (name, part, data) in enumerate(_attachments(message))
                ],
            },
        )

    def _raw(self, request: Request, number: str) -> Answer:
        found = self._store.get(number)
        if found is None:
            return _not_found()
        return _download(f"{number}.eml", "message/rfc822", found[1])

    def _html(self, request: Request, number: str) -> Answer:
        found = self._store.get(number)
        message = parse(found[1]) if found else EmailMessage()
        content = _part(message, "html")
        if content is None:
            return _not_found()
        shown = '<base target="_blank">' + _with_pictures(content, message)
        answer = text_answer(200, shown, "text/html; charset=utf-8")
        answer.headers.append(("Content-Security-Policy", _SANDBOX))
        return answer

    def _attachment(self, request: Request, number: str, index: str) -> Answer:
        found = self._store.get(number)
        parts = list(_attachments(parse(found[1]))) if found else []
        if int(index) >= len(parts):
            return _not_found()
        name, part, data = parts[int(index)]
        return _download(name, part.get_content_type(), data)

    # For people.

    def _list_page(self, request: Request) -> Answer:
        mails = self._store.newest_first()
        rows = "".join(
            f'<li><a href="/{number}"><strong>{_e(mail.subject or "(no subject)")}</strong>'
            f"<span>{_e(', '.join(mail.recipients))}</span>{_when(mail)}</a></li>"
            for number, mail in mails
        )
        listing = (
            f'<ol class="mails" reversed>{rows}</ol>'
            '<form method="post" action="/empty"><button>Empty the mailbox</button></form>'
            if mails
            else "<p>No e-mail has been sent yet. It appears here as soon as Duly sends one.</p>"
        )
        newest = mails[0][0] if mails else ""
        return _page(
            "Mailbox",
            "<h1>Mailbox</h1>"
            "<p>E-mails that the local Duly has sent. None of them left this machine.</p>"
            f'<p role="status" data-newest="{newest}"></p>'
            f"{_WRITE_LINK if self._receive else ''}{listing}",
        )

    def _reply_link(self, number: str) -> str:
        return f'<p><a href="/write?to={number}">Reply</a></p>' if self._receive else ""

    def _write_page(self, request: Request) -> Answer:
        """A reply is addressed to where the e-mail that it answers says."""
        found = self._store.get(request.query.get("to", ""))
        message = parse(found[1]) if found else EmailMessage()
        given = {
            "from": parseaddr(str(message["To"] or ""))[1],
            "to": parseaddr(str(message["Reply-To"] or ""))[1],
            "subject": f"Re: {message['Subject']}" if found else "",
        }
        return _write_form(given, sent="sent" in request.query)

    def _written(self, request: Request) -> Answer:
        fields, files = _form(request)
        given = {name: fields.get(name, "").strip() for name in ("from", "to", "subject", "text")}
        try:
            raw = _composed(given, files)
        except ValueError:
            return _write_form(given, "Fill in one address from which, and one to which.")
        if self._receive is None or not self._receive(raw, given["to"]):
            return _write_form(given, "No organisation here takes complaints at this address.")
        return Answer(status=303, headers=[("Location", "/write?sent=1")])

    def _empty_page(self, request: Request) -> Answer:
        self._store.clear()
        return Answer(status=303, headers=[("Location", "/")])

    def _mail_page(self, request: Request, number: str) -> Answer:
        found = self._store.get(number)
        if found is None:
            return _page(
                "Not found",
                "<h1>This e-mail is not here</h1>"
                '<p>The mailbox may have been emptied. <a href="/">See all e-mails</a></p>',
                status=404,
            )
        mail, mime = found
        message = parse(mime)
        view = request.query.get("view", "html")
        if view not in _VIEWS:
            view = "html"
        if view == "html" and _part(message, "html") is None:
            view = "text"
        tabs = "".join(
            f'<li><a href="/{number}?view={name}"{_current(name == view)}>{label}</a></li>'
            for name, label in _VIEWS.items()
        )
        return _page(
            mail.subject or "(no subject)",
            f'<p><a href="/">All e-mails</a></p><h1>{_e(mail.subject or "(no subject)")}</h1>'
            f"<dl><dt>From</dt><dd>{_e(str(message['From'] or mail.sender))}</dd>"
            f"<dt>To</dt><dd>{_e(', '.join(mail.recipients))}</dd>"
            f"<dt>Sent</dt><dd>{_when(mail)}</dd></dl>"
            f"{_attachment_links(number, message)}"
            f"{self._reply_link(number)}"
            f'<nav aria-label="Ways to see this e-mail"><ul class="tabs">{tabs}</ul></nav>'
            f"{_shown(view, number, message, mime)}",
        )


_WRITE_LINK = '<p><a href="/write">Write an e-mail to an organisation</a></p>'


def _write_form(given: Mapping[str, str], problem: str = "", *, sent: bool = False) -> Answer:
    """Plain HTML; what was filled in stays when something is wrong with it."""
    told = f'<p role="alert"><strong>{_e(problem)}</strong></p>' if problem else ""
    told = '<p role="status">The e-mail is sent.</p>' if sent else told
    lines = "".join(
        f'<p><label for="{name}">{label}</label><br><input id="{name}" name="{name}" '
        f'type="{kind}" size="60" value="{_e(given.get(name, ""))}"{more}></p>'
        for name, label, kind, more in (
            ("from", "From", "email", " required"),
            ("to", "To", "email", " required"),
            ("subject", "Subject", "text", ""),
        )
    )
    return _page(
        "Write an e-mail",
        f'<p><a href="/">All e-mails</a></p><h1>Write an e-mail</h1>{told}'
        "<p>It reaches Duly as if it had come from the outside.</p>"
        f'<form method="post" action="/write" enctype="multipart/form-data">{lines}'
        '<p><label for="text">Text</label><br>'
        f'<textarea id="text" name="text" rows="12" cols="60">{_e(given.get("text", ""))}'
        "</textarea></p>"
        '<p><label for="files">Files</label><br>'
        '<input id="files" name="files" type="file" multiple></p>'
        "<p><button>Send</button></p></form>",
        status=422 if problem else 200,
    )


def _form(request: Request) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    """The fields of a form with files; a browser writes it as a MIME message without a head."""
    head = f"Content-Type: {request.headers.get('Content-Type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    fields: dict[str, str] = {}
    files: list[tuple[str, str, bytes]] = []
    for part in message.iter_parts():
        content: Any = part.get_payload(decode=True)
        name, filename = part.get_param("name", header="content-disposition"), part.get_filename()
        if filename:
            files.append((filename, part.get_content_type(), content))
        elif filename is None:
            fields[str(name)] = content.decode("utf-8", "replace")
    return fields, files


def _composed(given: Mapping[str, str], files: list[tuple[str, str, bytes]]) -> bytes:
    """The message as a mail program would send it; ValueError without two plain addresses."""
    message = EmailMessage(policy=email.policy.SMTP)
    for name in ("from", "to"):
        address = given[name]
        if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", address):
            raise ValueError(name)
        message[name.title()] = address
    message["Subject"] = " ".join(given["subject"].split())
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=given["from"].rpartition("@")[2])
    message.set_content(given["text"].replace("\r\n", "\n"))
    for filename, kind, content in files:
        main, _, sub = kind.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=filename)
    return message.as_bytes()


def _current(is_current: bool) -> str:
    return ' aria-current="page"' if is_current else ""


def _shown(view: str, number: str, message: EmailMessage, mime: bytes) -> str:
    if view == "html":
        return (
            f'<iframe src="/messages/{number}/html" title="The e-mail"></iframe>'
            f'<p><a href="/messages/{number}/html">Open the e-mail alone</a></p>'
        )
    if view == "headers":
        rows = "".join(
            f"<dt>{_e(name)}</dt><dd>{_e(str(value))}</dd>" for name, value in message.items()
        )
        return f'<dl class="headers">{rows}</dl>'
    if view == "source":
        # Base64 lines say nothing to a person; the whole is one click away.
        source = mime.decode("utf-8", "replace")
        return (
            f'<p><a href="/messages/{number}/raw">Save the source</a></p>'
            f'<pre tabindex="0" role="region" aria-label="Source">{_e(source[:100_000])}</pre>'
        )
    text = _part(message, "plain")
    if text is None:
        return "<p>This e-mail has no text part.</p>"
    return f'<pre class="text" tabindex="0" role="region" aria-label="Text">{_linked(text)}</pre>'


def _attachment_links(number: str, message: EmailMessage) -> str:
    items = "".join(
        f'<li><a href="/messages/{number}/attachments/{index}" download>{_e(name)}</a> '
        f"({_e(part.get_content_type())}, {_size(len(data))})</li>"
        for index, (name, part, data) in enumerate(_attachments(message))
    )
    return f"<h2>Attachments</h2><ul>{items}</ul>" if items else ""


def _part(message: EmailMessage, subtype: str) -> str | None:
    part = message.get_body(preferencelist=(subtype,))
    return None if part is None else str(part.get_content())


def _attachments(message: EmailMessage) -> Iterator[tuple[str, EmailMessage, bytes]]:
    for part in message.iter_attachments():
        if isinstance(part, EmailMessage):
            name = part.get_filename() or "attachment"
            yield name, part, _bytes_of(part)


def _bytes_of(part: EmailMessage) -> bytes:
    data: Any = part.get_payload(decode=True)
    # A message within a message has no bytes of its own.
    return data if isinstance(data, bytes) else part.as_bytes()


def _with_pictures(text: str, message: EmailMessage) -> str:
    """Pictures sent along (`cid:`) stand in the page itself: the sandbox may load nothing."""
    for part in message.walk():
        content_id = str(part["Content-ID"] or "").strip().strip("<>")
        if content_id and part.get_content_maintype() == "image":
            data: Any = part.get_payload(decode=True)
            url = f"data:{part.get_content_type()};base64,{base64.b64encode(data).decode()}"
            text = text.replace(f"cid:{content_id}", url)
    return text


def _linked(text: str) -> str:
    return re.sub(
        r"https?://[^\s<>&\"']+",
        lambda match: f'<a href="{match[0]}" target="_blank" rel="noreferrer">{match[0]}</a>',
        _e(text),
    )


def _when(mail: Mail) -> str:
    local = datetime.fromisoformat(mail.received_at).astimezone()
    return f'<time datetime="{_e(mail.received_at)}">{local:%Y-%m-%d %H:%M:%S}</time>'


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1024 else f"{count / 1024:.0f} kB"


def _e(text: str) -> str:
    return html.escape(text)


def _download(name: str, kind: str, data: bytes) -> Answer:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Answer(headers=[("Content-Type", kind), ("Content-Disposition", disposition)], body=data)


def _not_found() -> Answer:
    return text_answer(404, "Not Found\n")


def _protected(answer: Answer) -> Answer:
    names = {name.lower() for name, _ in answer.headers}
    fixed = [
        ("Content-Security-Policy", _OWN),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ]
    answer.headers.extend((name, value) for name, value in fixed if name.lower() not in names)
    return answer


def _page(title: str, main: str, status: int = 200) -> Answer:
    return text_answer(
        status,
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_e(title)} · Duly, local mailbox</title>"
        '<link rel="stylesheet" href="/mailbox.css">'
        '<script src="/mailbox.js" defer></script></head>'
        f"<body><main>{main}</main></body></html>",
        "text/html; charset=utf-8",
    )


def _style(request: Request) -> Answer:
    return text_answer(200, (_ASSETS / "mailbox.css").read_text(), "text/css; charset=utf-8")


def _script(request: Request) -> Answer:
    return text_answer(200, (_ASSETS / "mailbox.js").read_text(), "text/javascript; charset=utf-8")


@contextmanager
def mailbox(port: int, store: MailStore, receive: Receive | None = None) -> Iterator[str]:
    """`receive` takes what a person writes: the message, and to whom; without it nobody can."""
    with serving(port, Mailbox(store, receive), body_limit=MAIL_BODY_LIMIT) as origin:
        yield origin
