"""E-mail that comes in, read as what a complaint needs of it (M2, M3, M33).

`read` takes any bytes and never raises: it is the reader that runs on what strangers send, and a
mail that can't be read is still a submission. So the MIME reader is our own, small and linear:
`email` raises on a score of malformed headers, recurses on nested brackets and parts, and grows
quadratically on some. Nothing is lost in silence: what was cut, guessed or left unread is named in
`notes`, a part that is too deep or too long is kept as a file, and the caller keeps the raw bytes.

Whatever the sender says is hearsay: the date does not start a clock, the threading headers join no
case. A reply is joined by the address that it was sent to, which carries a MAC (`reply_address`).

Nothing automatic is ever answered (RFC 3834): whom an acknowledgement may go to is `answer_to`, and
it is nobody unless the mail is a letter.
"""

import binascii
import codecs
import hashlib
import hmac
import html
import re
import unicodedata
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from html.parser import HTMLParser

import msgspec

from chalicelib.kernel import ids
from chalicelib.kernel import text as rules
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.tokens import KeyRing

MOST_BYTES = 40 * 1024 * 1024  # what SES takes in
MOST_PARTS = 200
MOST_DEPTH = 12
MOST_TEXT = 200_000  # characters of all text together; the form takes 20,000
MOST_HTML = 1_000_000  # characters of all HTML together
MOST_SUBJECT, MOST_NAME, MOST_FILE_NAME = 500, 200, 120
MOST_REFERENCES = 50
_MOST_LINES, _MOST_VALUE, _MOST_MARKS = 2_000, 16_384, 100_000


class Kind(StrEnum):
    """What came; only a letter is ever answered."""

    LETTER = "letter"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    SPAM_SUSPECT = "spam_suspect"


class NoteCode(StrEnum):
    """What a person should know about how the mail was read."""

    ALL_QUOTED = "all_quoted"
    BASE64_BROKEN = "base64_broken"
    BOUNDARY_MISSING = "boundary_missing"
    CHARSET_REPLACED = "charset_replaced"
    CHARSET_UNKNOWN = "charset_unknown"
    DATE_UNREADABLE = "date_unreadable"
    ENCODING_UNKNOWN = "encoding_unknown"
    ENCRYPTED = "encrypted"
    HEADER_BROKEN = "header_broken"
    HEADER_CUT = "header_cut"
    HEADER_TWICE = "header_twice"
    HTML_PREFERRED = "html_preferred"
    HTML_UNCLOSED = "html_unclosed"
    MAIL_CUT = "mail_cut"
    MULTIPART_UNCLOSED = "multipart_unclosed"
    NESTING_TOO_DEEP = "nesting_too_deep"
    PARTS_UNREAD = "parts_unread"
    QUOTED_PRINTABLE_BROKEN = "quoted_printable_broken"
    SENDER_UNUSABLE = "sender_unusable"
    TEXT_CUT = "text_cut"
    TEXT_OUTSIDE_PARTS = "text_outside_parts"


class Note(msgspec.Struct, frozen=True):
    """One note, and what it is about: a header, a charset, a file."""

    code: NoteCode
    about: str = ""


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """A name, which proves nothing, and one plain address."""

    name: str
    address: str


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it came: its type is what the sender declares, its content unchecked."""

    name: str
    declared_type: str
    size: int
    sha256: str
    content: bytes
    inline: bool
    forwarded: bool

    def __repr__(self) -> str:
        return f"Attachment({self.declared_type}, {self.size} bytes)"


class Forwarded(msgspec.Struct, frozen=True, kw_only=True):
    """A mail inside the mail: attached whole, or below a "forwarded message" line."""

    sender: Mailbox | None
    subject: str
    sent_at: datetime | None
    text: str


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """One e-mail; every text in it holds to the rules of `kernel.text`."""

    kind: Kind
    signs: tuple[str, ...]
    sender: Mailbox | None
    reply_to: Mailbox | None
    recipients: tuple[str, ...]
    subject: str
    sent_at: datetime | None
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    text: str
    quoted: str
    forwarded: tuple[Forwarded, ...]
    attachments: tuple[Attachment, ...]
    notes: tuple[Note, ...]

    @property
    def answer_to(self) -> Mailbox | None:
        """Whom an acknowledgement may go to: nobody, unless a person wrote and can be answered."""
        to = self.reply_to or self.sender
        if self.kind is not Kind.LETTER or to is None:
            return None
        return None if re.match(_NO_REPLY, to.address.lower()) else to


def read(raw: bytes) -> Inbound:
    """The mail, whatever the bytes are; keep `raw` as well, `notes` tells what is only there."""
    reader = _Reader()
    if len(raw) > MOST_BYTES:
        reader.note(NoteCode.MAIL_CUT, str(len(raw)))
    source = raw[:MOST_BYTES]
    if b"\n" not in source:
        source = source.replace(b"\r", b"\n")
    part = reader.part(source, 0, len(source))
    whole = _joined(reader.pieces(part, 0, nested=False))
    head = _Head(part.headers, reader.note)
    sender, subject = head.mailbox("from"), head.line("subject", MOST_SUBJECT)
    if sender is None:
        reader.note(NoteCode.SENDER_UNUSABLE)
    own, quoted, passed_on = _split(whole, subject)
    if not own and quoted and not passed_on:
        own, quoted = whole, ""
        reader.note(NoteCode.ALL_QUOTED)
    if passed_on:
        inner = Forwarded(sender=None, subject="", sent_at=None, text=passed_on)
        reader.forwarded.insert(0, inner)
    kind, signs = _kind(head, part, sender, subject)
    references = tuple(_message_ids(head.first("references")))
    return Inbound(
        kind=kind,
        signs=signs,
        sender=sender,
        reply_to=head.mailbox("reply-to"),
        recipients=tuple(head.addresses("delivered-to", "to", "cc")),
        subject=subject,
        sent_at=head.date(),
        message_id=next(_message_ids(head.first("message-id")), ""),
        in_reply_to=next(_message_ids(head.first("in-reply-to")), ""),
        references=references[-MOST_REFERENCES:],
        text=own,
        quoted=quoted,
        forwarded=tuple(reader.forwarded),
        attachments=tuple(reader.attachments),
        notes=tuple(reader.notes),
    )


# --- The address that a reply comes back to -------------------------------------------------------

_REPLY_LOCAL = re.compile(r"[rR]\+([A-Za-z2-7]{26})\.([A-Za-z2-7]{32})")
_MAC_BYTES = 20


def reply_address(case_id: str, org: str, keys: KeyRing, stage: str, domain: str) -> str:
    """Where replies about a case go: `r+<id>.<mac>@domain`, 61 characters before the @.

    In base32, as mail systems change case. ValueError for what is not an id of ours.
    """
    case = ids.to_bytes(case_id)
    mac = _reply_mac(keys.keys[keys.signing], stage, org, case)
    return f"r+{_base32(case)}.{_base32(mac)}@{domain}"


def case_of(
    address: str, *, org: str, keys: KeyRing, stage: str, domain: str, now: datetime
) -> str | None:
    """The case that a reply address of ours names, or None; every key is tried, in constant time.

    The address carries no moment, so `reject_before` can't speak of it; a key that leaked is taken
    out of the ring. A reply to a case whose key is gone is a letter with threading hints.
    """
    local, _, host = address.rpartition("@")
    shape = _REPLY_LOCAL.fullmatch(local)
    if shape is None or host.lower() != domain.lower():
        return None
    case, mac = (_from_base32(part.upper()) for part in shape.groups())
    if case is None or mac is None:
        return None
    matched = False
    for kid, key in keys.keys.items():
        fits = hmac.compare_digest(_reply_mac(key, stage, org, case), mac)
        matched |= fits and now.timestamp() < keys.until.get(kid, float("inf"))
    return ids.from_bytes(case) if matched else None


def _reply_mac(key: bytes, stage: str, org: str, case: bytes) -> bytes:
    message = "\0".join(("duly-reply", stage, org, case.hex())).encode()
    return hmac.new(key, message, hashlib.sha256).digest()[:_MAC_BYTES]


def _base32(raw: bytes) -> str:
    return b32encode(raw).decode().rstrip("=").lower()


def _from_base32(text: str) -> bytes | None:
    """The bytes, or None where another spelling would give the same bytes."""
    raw = b32decode(text + "=" * (-len(text) % 8))
    return raw if _base32(raw) == text.lower() else None


# --- What kind of mail it is ----------------------------------------------------------------------

_NO_REPLY = r"(no|do[._-]?not)[._-]?reply([+._-]|@)"
_DAEMONS = ("mailer-daemon@", "mail-daemon@", "postmaster@")
# Headers, and what their value begins with when the mail was sent by a machine (RFC 3834, RFC 2076,
# MS-OXCMAIL). "" is any value at all.
_SIGNS: tuple[tuple[Kind, str, str], ...] = (
    (Kind.BOUNCE, "x-failed-recipients", r""),
    (Kind.AUTO_REPLY, "auto-submitted", r"(?!no\s*(;|\Z))"),
    (Kind.AUTO_REPLY, "x-auto-response-suppress", r"(?!none\b)\S"),
    (Kind.AUTO_REPLY, "precedence", r"auto[_-]?reply"),
    (Kind.AUTO_REPLY, "x-autoreply", r"(?!no\b)"),
    (Kind.AUTO_REPLY, "x-autorespond", r""),
    (Kind.AUTO_REPLY, "x-autoresponder", r""),
    (Kind.AUTO_REPLY, "x-auto-reply-from", r""),
    (Kind.SPAM_SUSPECT, "precedence", r"(bulk|junk|list)"),
    (Kind.SPAM_SUSPECT, "list-id", r""),
    (Kind.SPAM_SUSPECT, "list-unsubscribe", r""),
    (Kind.SPAM_SUSPECT, "list-post", r""),
    (Kind.SPAM_SUSPECT, "x-spam-flag", r"yes"),
    (Kind.SPAM_SUSPECT, "x-ses-spam-verdict", r"fail"),
    (Kind.SPAM_SUSPECT, "x-ses-virus-verdict", r"fail"),
)
# Of folded subjects, from their start: "nieobecność agenta" is what a complaint may be about.
_AUTOMATIC_SUBJECT = (
    r"(re\s*:\s*)?("
    r"(automatic|auto|vacation)[ -]?(reply|response|responder)\b|out of (the )?office\b|auto:"
    r"|odpowiedz automatyczna|automatyczna odpowiedz|autoodpowiedz|autoresponder"
    r"|(jestem )?poza biurem|nieobecnosc( w (biurze|pracy))?\s*([:;.!-]|\Z)"
    r"|автоматическии ответ|автоответ|вне офиса|не в офисе|нет на месте"
    r"|(я )?(в отпуске|отсутствую)\s*([:;.!-]|\Z|до |с )"
    r")"
)
_BOUNCED_SUBJECT = r"(undeliver|delivery (status|failure|has failed)|mail delivery|returned mail"
_BOUNCED_SUBJECT += r"|failure notice|niedostarcz|nie dostarczono|недоставлен|не доставлен)"


def _kind(
    head: "_Head", part: "_Part", sender: Mailbox | None, subject: str
) -> tuple[Kind, tuple[str, ...]]:
    """The kind, and every sign of a machine that was found."""
    found = [
        (kind, name)
        for kind, name, begins in _SIGNS
        if any(re.match(begins, value) for value in head.values(name))
    ]
    found += _signs_of_form(head, part, sender, rules.fold(subject))
    kinds = {kind for kind, _ in found}
    order = (Kind.BOUNCE, Kind.AUTO_REPLY, Kind.SPAM_SUSPECT)
    kind = next((one for one in order if one in kinds), Kind.LETTER)
    return kind, tuple(dict.fromkeys(sign for _, sign in found))


def _signs_of_form(
    head: "_Head", part: "_Part", sender: Mailbox | None, subject: str
) -> Iterator[tuple[Kind, str]]:
    if part.kind == "multipart/report":
        told = part.params.get("report-type", "").lower()
        bounced = told in {"", "delivery-status"}
        yield Kind.BOUNCE if bounced else Kind.AUTO_REPLY, "multipart/report"
    if part.kind == "message/delivery-status":
        yield Kind.BOUNCE, part.kind
    if sender and sender.address.lower().startswith(_DAEMONS):
        yield Kind.BOUNCE, "daemon"
    if "<>" in head.values("return-path")[:1]:
        bounced = re.match(_BOUNCED_SUBJECT, subject) is not None
        yield Kind.BOUNCE if bounced else Kind.AUTO_REPLY, "return-path"
    if re.match(_AUTOMATIC_SUBJECT, subject):
        yield Kind.AUTO_REPLY, "subject"


# --- Parts ----------------------------------------------------------------------------------------

_Noting = Callable[..., None]
_HEADER_NAME = re.compile(rb"[!-9;-~]{1,100}[ \t]*")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,99}/[a-z0-9][a-z0-9!#$&^_.+-]{0,99}")
_MESSAGES = ("message/rfc822", "message/global")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
_ENDINGS = {
    "application/pdf": ".pdf",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/html": ".html",
    "text/plain": ".txt",
}


class _Piece(msgspec.Struct, frozen=True):
    """A piece of text to be read, and whether it came as HTML."""

    text: str
    was_html: bool


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part: its headers, and where its body lies in the bytes; nothing is copied before need."""

    source: bytes
    start: int
    end: int
    headers: Mapping[str, list[bytes]]
    kind: str
    params: Mapping[str, str]
    disposition: str
    filename: str


class _Reader:
    """One reading: what was found so far, and the caps."""

    def __init__(self) -> None:
        self.notes: dict[Note, None] = {}
        self.attachments: list[Attachment] = []
        self.forwarded: list[Forwarded] = []
        self._parts = 0
        self._text_left, self._html_left = MOST_TEXT, MOST_HTML

    def note(self, code: NoteCode, about: str = "") -> None:
        """Note it once; what it is about comes from the mail, so it is cleaned and short."""
        if len(self.notes) < MOST_PARTS:
            self.notes[Note(code, _line(about, 100))] = None

    def part(self, source: bytes, start: int, end: int, default: str = "text/plain") -> _Part:
        """The part that lies there."""
        headers, body = _headers(source, start, end, self.note)
        head = _Head(headers, self.note)
        kind, params = head.field("content-type")
        disposition, more = head.field("content-disposition")
        return _Part(
            source=source,
            start=body,
            end=end,
            headers=headers,
            kind=kind if _TYPE.fullmatch(kind) else default,
            params=params,
            disposition=disposition,
            filename=more.get("filename") or params.get("name", ""),
        )

    def pieces(self, part: _Part, depth: int, *, nested: bool) -> list[_Piece]:
        """The text of a part; its files and inner mails go where they are gathered."""
        self._parts += 1
        if part.kind in _ENCRYPTED:
            self.note(NoteCode.ENCRYPTED, part.kind)
        if part.kind.startswith("multipart/") or part.kind in _MESSAGES:
            if depth >= MOST_DEPTH:
                self.note(NoteCode.NESTING_TOO_DEEP)
                return self._keep(part, nested)
            if part.kind in _MESSAGES:
                return self._message(part, depth)
            return self._multipart(part, depth, nested)
        shown = part.disposition != "attachment" and not part.filename
        if shown and part.kind in {"text/plain", "text/html"}:
            return self._text(part, nested)
        return self._keep(part, nested)

    def _multipart(self, part: _Part, depth: int, nested: bool) -> list[_Piece]:
        spans = _spans(part, self.note)
        if not spans:
            return self._text(part, nested)
        default = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
        found = []
        for number, (start, end) in enumerate(spans):
            if self._parts >= MOST_PARTS:
                self.note(NoteCode.PARTS_UNREAD, str(len(spans) - number))
                break
            child = self.part(part.source, start, end, default)
            found.append(self.pieces(child, depth + 1, nested=nested))
        if part.kind == "multipart/alternative":
            return self._best(found)
        return [piece for pieces in found for piece in pieces]

    def _best(self, found: list[list[_Piece]]) -> list[_Piece]:
        """Of the alternatives the plain one, unless the HTML says far more."""
        plain = [one for pieces in found for one in pieces if not one.was_html]
        rich = [one for pieces in found for one in pieces if one.was_html]
        short, long = len(_joined(plain)), len(_joined(rich))
        if short and long <= 3 * short + 500:
            return plain
        if short:
            self.note(NoteCode.HTML_PREFERRED)
        return rich or plain

    def _message(self, part: _Part, depth: int) -> list[_Piece]:
        place = len(self.forwarded)
        source, start, end = part.source, part.start, part.end
        if self._encoding(part) in {"base64", "quoted-printable"}:  # forbidden, and done
            source = self._content(part)
            start, end = 0, len(source)
        inner = self.part(source, start, end)
        text = _joined(self.pieces(inner, depth + 1, nested=True))
        head = _Head(inner.headers, self.note)
        one = Forwarded(
            sender=head.mailbox("from"),
            subject=head.line("subject", MOST_SUBJECT),
            sent_at=head.date(),
            text=text,
        )
        self.forwarded.insert(place, one)
        return []

    def _text(self, part: _Part, nested: bool) -> list[_Piece]:
        content = self._content(part)
        text = _decoded(content, part.params.get("charset", ""), self.note)
        was_html, whole = part.kind == "text/html", len(text)
        most = self._html_left if was_html else MOST_TEXT
        if was_html:
            self._html_left = max(0, most - whole)
        text = _block(_readable(text[:most], self.note) if was_html else text[:most])
        if whole > most or len(text) > self._text_left:
            self.note(NoteCode.TEXT_CUT, str(whole))
            self._keep(part, nested, content)
        text = text[: self._text_left].strip()
        self._text_left = max(0, self._text_left - len(text) - 2)  # pieces are joined by two
        return [_Piece(text, was_html)] if text else []

    def _keep(self, part: _Part, nested: bool, content: bytes | None = None) -> list[_Piece]:
        if content is None:
            content = self._content(part)
        if not content.strip() and not part.filename:
            return []
        self.attachments.append(
            Attachment(
                name=_file_name(part.filename, part.kind, len(self.attachments) + 1),
                declared_type=part.kind,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                content=content,
                inline=part.disposition == "inline" or "content-id" in part.headers,
                forwarded=nested,
            )
        )
        return []

    def _encoding(self, part: _Part) -> str:
        given = part.headers.get("content-transfer-encoding", [b""])[0]
        return given.partition(b";")[0].strip().lower().decode("ascii", "replace")

    def _content(self, part: _Part) -> bytes:
        encoding, raw = self._encoding(part), part.source[part.start : part.end]
        if encoding == "base64":
            return _from_base64(raw, self.note)
        if encoding == "quoted-printable":
            if re.search(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(\r?\n|\Z))", raw):
                self.note(NoteCode.QUOTED_PRINTABLE_BROKEN)
            return binascii.a2b_qp(raw)
        if encoding not in {"", "7bit", "8bit", "binary"}:
            self.note(NoteCode.ENCODING_UNKNOWN, encoding)
        return raw


def _headers(
    source: bytes, start: int, end: int, note: _Noting
) -> tuple[dict[str, list[bytes]], int]:
    """The headers, and where the body starts."""
    found: dict[str, list[bytes]] = {}
    last: list[bytes] = []
    position = start
    for _ in range(_MOST_LINES):
        line, after = _header_line(source, position, end, note)
        name, colon, value = line.partition(b":")
        if not line:
            return found, min(after, end)
        if line[:1] in b" \t" and last:
            last[-1] = _longer(last[-1], line, note)
        elif colon and _HEADER_NAME.fullmatch(name):
            last = found.setdefault(name.strip().lower().decode("ascii"), [])
            last.append(value.strip())
        elif not line.startswith((b"From ", b">From ")):
            note(NoteCode.HEADER_BROKEN)
            if not _goes_on(source, after, end):
                return found, position
        position = after
    note(NoteCode.HEADER_CUT)
    body = _EMPTY_LINE.search(source, min(position, end), end)
    return found, body.end() if body else end


def _header_line(source: bytes, position: int, end: int, note: _Noting) -> tuple[bytes, int]:
    stop = source.find(b"\n", position, end)
    stop = end if stop < 0 else stop
    if stop - position > _MOST_VALUE:
        note(NoteCode.HEADER_CUT)
        return source[position : position + _MOST_VALUE], stop + 1
    return source[position:stop].rstrip(b"\r"), stop + 1


def _longer(value: bytes, line: bytes, note: _Noting) -> bytes:
    if len(value) + len(line) > _MOST_VALUE:
        note(NoteCode.HEADER_CUT)
        return value
    return value + b" " + line.strip()


def _goes_on(source: bytes, position: int, end: int) -> bool:
    """Whether a header follows the line that is none, which then is junk and no body."""
    following = source[position : min(end, position + 200)].partition(b"\n")[0]
    return re.match(rb"[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]", following) is not None


def _spans(part: _Part, note: _Noting) -> list[tuple[int, int]]:
    """Where the parts of a multipart lie; none if no boundary is found."""
    boundary = part.params.get("boundary", "").encode("utf-8", "replace")[:200].rstrip()
    found = list(_delimiters(part, boundary, note)) if boundary else []
    if not found:
        note(NoteCode.BOUNDARY_MISSING)
        boundary = _guessed_boundary(part)
        found = list(_delimiters(part, boundary, note)) if boundary else []
    spans = []
    for (_, after, closing), following in zip(found, [*found, None][1:], strict=True):
        if closing:
            _note_outside(part.source[after : part.end], note)
            break
        if following is None:
            note(NoteCode.MULTIPART_UNCLOSED)
        spans.append((after, max(after, following[0] if following else part.end)))
    return spans


def _delimiters(part: _Part, boundary: bytes, note: _Noting) -> Iterator[tuple[int, int, bool]]:
    """Each delimiter line: where it starts, where what follows starts, whether it closes."""
    source, mark, position = part.source, b"--" + boundary, part.start
    found = tried = 0
    while (at := source.find(mark, position, part.end)) >= 0:
        position, tried = at + len(mark), tried + 1
        if found > MOST_PARTS or tried > _MOST_MARKS:
            note(NoteCode.PARTS_UNREAD)
            return
        if at > part.start and source[at - 1] != 0x0A:
            continue
        stop = source.find(b"\n", position, part.end)
        stop = part.end if stop < 0 else stop
        closing = source.startswith(b"--", position)
        rest = source[position + 2 * closing : min(stop, position + 200)]
        if not rest.strip():
            # The line break before a delimiter belongs to it (RFC 2046 5.1.1).
            before = at - 1 if at > part.start else at
            before -= before > part.start and source[before - 1] == 0x0D
            found += 1
            yield before, min(stop + 1, part.end), closing
            if closing:
                return


def _guessed_boundary(part: _Part) -> bytes:
    """The first line that looks like a boundary and is closed further on."""
    body = part.source[part.start : part.end]
    found = re.search(rb"^--([^\s-][^\r\n]{0,69})\r?$", body, re.MULTILINE)
    boundary = found[1].rstrip() if found else b""
    return boundary if b"--" + boundary + b"--" in body else b""


def _note_outside(after: bytes, note: _Noting) -> None:
    if after.strip():
        note(NoteCode.TEXT_OUTSIDE_PARTS)


# --- Headers --------------------------------------------------------------------------------------

_ENCODED_WORD = r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?="
_PARAMETER = re.compile(
    r';\s*([^\s=;"*]{1,60})(?:\*(\d{1,3}))?(\*)?\s*=\s*("(?:[^"\\]|\\.)*(?:"|\Z)|[^;]*)', re.DOTALL
)
_ONCE = ("from", "subject", "date", "message-id", "content-type", "reply-to")


class _Head:
    """The headers of one message or part, read with patience."""

    def __init__(self, headers: Mapping[str, list[bytes]], note: _Noting) -> None:
        self._headers, self._note = headers, note
        for name in _ONCE:
            if len(headers.get(name, ())) > 1:
                note(NoteCode.HEADER_TWICE, name)

    def first(self, name: str) -> str:
        """The first value as characters, encoded words not yet decoded; "" without one."""
        value = self._headers.get(name, [b""])[0]
        try:
            return value.decode()
        except UnicodeDecodeError:
            kind = self._headers.get("content-type", [b""])[0].decode("ascii", "replace")
            named = re.search(r'charset\s*=\s*"?([A-Za-z0-9._:-]{1,40})', kind)
            return _decoded(value, named[1] if named else "", self._note)

    def values(self, name: str) -> list[str]:
        """All values, in lower case: for signs, not for people."""
        given = self._headers.get(name, ())
        return [value.strip().lower().decode("ascii", "replace") for value in given]

    def line(self, name: str, most: int) -> str:
        """The value as a line for people."""
        whole = _line(_words(self.first(name), self._note), _MOST_VALUE)
        if len(whole) > most:
            self._note(NoteCode.HEADER_CUT, name)
        return whole[:most].strip()

    def field(self, name: str) -> tuple[str, dict[str, str]]:
        """A value with parameters, as those of Content-Type (RFC 2231)."""
        value = self.first(name)
        return value.partition(";")[0].strip().lower(), _parameters(value, self._note)

    def mailbox(self, name: str) -> Mailbox | None:
        """The first usable address of a header, and the name before it."""
        value = self.first(name)
        opened = value.rfind("<")
        closed = value.find(">", opened)
        if 0 <= opened < closed and (address := _address(value[opened + 1 : closed])):
            before = value[:opened].strip().strip('"').replace('\\"', '"')
            return Mailbox(name=_line(_words(before, self._note), MOST_NAME), address=address)
        address = next(_addresses(value), "")
        return Mailbox(name="", address=address) if address else None

    def addresses(self, *names: str) -> Iterator[str]:
        """Every address in these headers, once, at most a hundred."""
        given = (value for name in names for value in self._headers.get(name, ())[:20])
        known = dict.fromkeys(
            address for value in given for address in _addresses(value.decode("utf-8", "replace"))
        )
        yield from list(known)[:100]

    def date(self) -> datetime | None:
        """When the sender says that it was sent."""
        value = self.first("date").strip()
        if not value:
            return None
        try:
            told = parsedate_to_datetime(value[:100])
            return told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
            self._note(NoteCode.DATE_UNREADABLE, value)
            return None


def _addresses(value: str) -> Iterator[str]:
    for word in re.split(r'[\s<>(),;:"\[\]]+', value):
        if address := _address(word):
            yield address


def _address(word: str) -> str:
    """One plain address, its domain in ASCII; "" for anything else."""
    local, at, domain = word.strip().rpartition("@")
    if not at or len(word) > 254:
        return ""
    try:
        spelt = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        return rules.email(f"{local}@{spelt}", "from")
    except (Invalid, UnicodeError):
        return ""


def _message_ids(value: str) -> Iterator[str]:
    for found in re.findall(r"<[!-;=?-~]{1,250}>", value):
        yield _line(found, 252)


def _words(value: str, note: _Noting) -> str:
    """The value with its encoded words decoded once (RFC 2047).

    Neighbours of one charset are joined as bytes first: mailers cut letters in two.
    """
    joined = re.sub(r"\?=\s+(?==\?)", "?=", value)
    return re.sub(f"(?:{_ENCODED_WORD})+", lambda run: _run_of_words(run[0], note), joined)


def _run_of_words(run: str, note: _Noting) -> str:
    gathered: list[tuple[str, bytes]] = []
    for charset, encoding, content in re.findall(_ENCODED_WORD, run):
        raw = content.encode("ascii", "replace")
        raw = _from_base64(raw, note) if encoding in "bB" else binascii.a2b_qp(raw, header=True)
        label = charset.partition("*")[0].lower()
        if gathered and gathered[-1][0] == label:
            raw = gathered.pop()[1] + raw
        gathered.append((label, raw))
    return "".join(_decoded(raw, label, note) for label, raw in gathered)


def _parameters(value: str, note: _Noting) -> dict[str, str]:
    """Parameters by name, continuations joined and decoded; of two with one name the first."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, number, starred, given in _PARAMETER.findall(value):
        text = given.strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'))
        if number or starred:
            known = pieces.setdefault(name.lower(), {})
            known.setdefault(int(number or 0), (bool(starred), text))
        else:
            plain.setdefault(name.lower(), _words(text, note))
    return plain | {name: _continued(found, note) for name, found in pieces.items()}


def _continued(found: Mapping[int, tuple[bool, str]], note: _Noting) -> str:
    """The pieces of one parameter in their order: `utf-8'pl'%C5%82%C3%B3d` and what follows."""
    ordered = [found[number] for number in sorted(found)]
    charset, raw = "utf-8", b""
    if ordered[0][0] and ordered[0][1].count("'") >= 2:
        charset, _, first = ordered[0][1].split("'", 2)
        ordered[0] = (True, first)
    for percented, text in ordered:
        piece = text.encode("utf-8", "replace")
        if percented:
            piece = re.sub(rb"%([0-9A-Fa-f]{2})", lambda one: bytes([int(one[1], 16)]), piece)
        raw += piece
    return _decoded(raw, charset, note)


def _file_name(given: str, kind: str, number: int) -> str:
    """A name that no file system stumbles over: no folder, no control, its ending kept."""
    name = _line(re.split(r"[/\\]", given.rstrip("/\\"))[-1], 1000)
    name = re.sub(r'[<>:"|?*]', "_", name).strip(". ")
    if not name:
        return f"attachment-{number}{_ENDINGS.get(kind, '')}"
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 10:
        return stem[: MOST_FILE_NAME - len(ending) - 1].rstrip() + dot + ending
    return name[:MOST_FILE_NAME].rstrip()


# --- Bytes to characters --------------------------------------------------------------------------

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_CODECS = (
    *("utf-8", "utf-16", "utf-32", "ascii", "cp", "iso8859-", "koi8-", "mac-"),
    *("gb", "big5", "shift_jis", "euc_", "iso2022_"),
)
# What Windows wrote and labelled with the standard's name: there the standard has controls only.
_MISLABELLED = {"iso8859-1": "cp1252", "iso8859-2": "cp1250"}
_C1 = bytes(range(0x80, 0xA0))
# A run of marks is sorted when text is normalised, and a long one takes for ever; a joiner after
# each thirtieth is the standard's remedy (UAX #15, stream-safe text).
_UNUSUAL_RUN = r"[^\x00-\u02ff\u0400-\u0482\u2000-\u20cf]{31,}"


def _from_base64(raw: bytes, note: _Noting) -> bytes:
    packed = raw.translate(None, b"\r\n \t")
    core = packed.rstrip(b"=")
    if not core.translate(None, _BASE64) and len(core) % 4 != 1:
        return binascii.a2b_base64(core + b"=" * (-len(core) % 4))
    note(NoteCode.BASE64_BROKEN)
    content = bytearray()
    many = packed.count(b"=") > _MOST_MARKS
    for run in [packed] if many else re.split(rb"=+", packed):  # each was padded by itself
        letters = run.translate(None, _NOT_BASE64)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        content += binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    return bytes(content)


def _decoded(raw: bytes, charset: str, note: _Noting) -> str:
    """The characters, in the declared charset if it is true, else in UTF-8, else replaced."""
    codec = _codec(raw, charset)
    if codec is None:
        note(NoteCode.CHARSET_UNKNOWN, charset)
    for one in (codec, "utf-8"):
        try:
            if one is not None:
                return raw.decode(one)
        except ValueError:
            note(NoteCode.CHARSET_REPLACED, charset)
    note(NoteCode.CHARSET_REPLACED, charset)
    return raw.decode(codec or "utf-8", "replace")


def _codec(raw: bytes, charset: str) -> str | None:
    """A codec for text, corrected where labels lie; `zlib` and `unicode_escape` are not texts."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    label = charset.strip().strip("'\"")
    if not label:
        return "utf-8"
    try:
        name = codecs.lookup(label).name if re.fullmatch("[A-Za-z0-9._:-]{1,40}", label) else ""
    except (LookupError, ValueError):
        return None
    if name == "utf-16":  # without a mark: where the zeros are
        return "utf-16-be" if raw[::2].count(0) > raw[1::2].count(0) else "utf-16-le"
    if name in _MISLABELLED and len(raw) != len(raw.translate(None, _C1)):
        return _MISLABELLED[name]
    return name if name.startswith(_CODECS) else None


def _normal(text: str) -> str:
    """NFC without what `kernel.text` forbids."""
    allowed = re.sub(rules._FORBIDDEN, "", text)
    safe = re.sub(_UNUSUAL_RUN, lambda run: _stream_safe(run[0]), allowed)
    return unicodedata.normalize("NFC", safe)


def _stream_safe(run: str) -> str:
    kept, marks = [], 0
    for one in run:
        marks = marks + 1 if unicodedata.combining(one) else 0
        kept.append(one if marks % 30 or not marks else one + "\u034f")
    return "".join(kept)


def _line(text: str, most: int) -> str:
    """A line for people that may reach a header of ours: what `kernel.text.line` takes, or ""."""
    spaced = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text[: 4 * most])
    return _normal(spaced).replace("=?", "= ?").strip()[:most].strip()


def _block(text: str) -> str:
    """Text of several lines: what `kernel.text.block` takes, or ""."""
    return _normal(re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)).strip()


def _joined(pieces: Iterable[_Piece]) -> str:
    return "\n\n".join(piece.text for piece in pieces)


# --- HTML to text ---------------------------------------------------------------------------------

_UNSEEN = re.compile(
    r"<!--.*?(?:-->|(?P<open>\Z))"
    r"|<(script|style|title|xml)\b.*?(?:</\2[^<>]{0,100}>|(?P<open2>\Z))"
    r"|<[!?][^<>]{0,8000}>",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"(</?[A-Za-z][^<>]{0,8000}>)")
_BARE_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)\s*/?>")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")  # `int` refuses thousands of digits
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "ul", "ol"})
_BLOCKS = frozenset(
    {
        *("address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "footer"),
        *("form", "header", "li", "main", "pre", "section", "tr"),
    }
)
_MOST_QUOTES = 5


class _Readable(HTMLParser):
    """HTML as text. Fed one tag at a time, as the parser is quadratic on what never closes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.lines: list[str] = []
        self._line: list[str] = []
        self._links: list[str] = []
        self._lists: list[int | None] = []
        self._quotes = self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What a tag means for the lines."""
        self._break(tag)
        given = {name: value or "" for name, value in attrs}
        if tag in {"ol", "ul"}:
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._line.append(self._bullet())
        elif tag == "a":
            self._links.append(given.get("href", "").strip())
        elif tag == "img" and given.get("alt", "").strip():
            self.words(f"[{given['alt'].strip()}]")
        elif tag in {"td", "th"} and self._line:
            self._line.append(" ")
        self._opened(tag)

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        """What its end means."""
        if tag == "a" and self._links:
            self._show_link(self._links.pop())
        self._break(tag)
        if tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)

    def tag(self, source: str) -> None:
        """One tag; only those with attributes need to be parsed."""
        if bare := _BARE_TAG.fullmatch(source):
            handle = self.handle_endtag if bare[1] else self._opens
            handle(bare[2].lower())
            return
        self.feed(source)
        self.clear_cdata_mode()
        if self.rawdata:  # no tag after all
            self.words(self.rawdata)
            self.reset()

    def words(self, text: str) -> None:
        """Text between tags."""
        if not text:
            return
        if not self._pre:
            self._line.append(re.sub(r"[ \t\r\n\f\xa0]+", " ", text))
            return
        first, *rest = text.split("\n")
        self._line.append(first)
        for one in rest:
            self.flush()
            self._line.append(one)

    def flush(self) -> None:
        """The line ends."""
        line = "".join(self._line)
        line = line if self._pre else re.sub(" {2,}", " ", line).strip()
        self._line.clear()
        if line or (self.lines and self.lines[-1].strip("> ")):
            self.lines.append("> " * min(self._quotes, _MOST_QUOTES) + line)

    def _opens(self, tag: str) -> None:
        self.handle_starttag(tag, [])

    def _opened(self, tag: str) -> None:
        self._quotes += tag == "blockquote"
        self._pre += tag == "pre"
        if tag == "hr":
            self.lines.append("---")

    def _break(self, tag: str) -> None:
        if tag in _SPACED:
            self.flush()
            self.flush()
        elif tag in _BLOCKS and (tag == "br" or any(one.strip() for one in self._line)):
            self.flush()

    def _bullet(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        self._lists[-1] += 1
        return f"{self._lists[-1]}. "

    def _show_link(self, href: str) -> None:
        shown = "".join(self._line[-20:])
        target = re.sub(r"^(mailto|tel):", "", href, flags=re.IGNORECASE)
        wanted = re.match(r"(https?|mailto|tel):", href, re.IGNORECASE) is not None
        if wanted and target.rstrip("/") not in shown:
            self._line.append(f" <{target[:2000]}>")


def _readable(source: str, note: _Noting) -> str:
    """What a person would read: no scripts and styles, links shown, lists and quotes marked."""
    parser = _Readable()
    seen = _UNSEEN.sub(lambda one: _gap(one, note), _LONG_NUMBER.sub("\ufffd", source))
    for number, piece in enumerate(_TAG.split(seen)):
        if number % 2 == 0:
            parser.words(html.unescape(piece))
        else:
            parser.tag(piece)
    parser.flush()
    return "\n".join(parser.lines)


def _gap(unseen: re.Match[str], note: _Noting) -> str:
    if unseen["open"] is not None or unseen["open2"] is not None:
        note(NoteCode.HTML_UNCLOSED)
    return ""


# --- What is quoted -------------------------------------------------------------------------------

# All are compared with folded lines: without case and accents, in Russian without short i.
_ORIGINAL = re.compile(
    r"[\s*_=-]*(original message|original appointment|wiadomosc oryginalna|oryginalna wiadomosc"
    r"|исходное сообщение|оригинальное сообщение)[\s*_=:-]*"
)
_PASSED_ON = re.compile(
    r"[\s*_=-]*((begin )?forwarded message|wiadomosc przekazana( dalej)?|przekazana wiadomosc"
    r"|poczatek przekazywanej wiadomosci|пересылаемое сообщение|пересланное сообщение"
    r"|перенаправленное сообщение|начало переадресованного сообщения)[\s*_=:-]*"
)
_FORWARDING_SUBJECT = re.compile(r"\s*(fwd?|pd|przekazane|пересл|пересылка)\s*:")
_FIRST_FIELD = re.compile(r"[*\s]*(from|od|от)\s*:[*\s]*\S.*")
_FIELD = re.compile(
    r"[*\s]*(sent|date|to|subject|wyslano|data|do|temat|отправлено|дата|кому|тема)\s*:.*"
)
_STARTS = re.compile(
    r"(on |w dniu |dnia |\d|(pon|wt|sr|czw|pt|sob|niedz|пн|вт|ср|чт|пт|сб|вс)\w*[.,])"
)
_WROTE = re.compile(
    r"(\b(wrote|napisal(\(a\)|a)?|pisze|пишет|(на)?писал(\(а\)|а)?)\s*|<\S{3,254}>\s*):\s*\Z"
)


def _split(text: str, subject: str) -> tuple[str, str, str]:
    """What the writer wrote, what he quoted, what he passed on; all of it, in its order."""
    own: list[str] = []
    quoted: list[str] = []
    to, lines, at = own, text.split("\n"), 0
    while at < len(lines):
        told = _folded(lines[at])
        if _PASSED_ON.fullmatch(told):
            return _parts_of_text(own, quoted, lines[at:])
        if _ORIGINAL.fullmatch(told) or _is_field_block(told, lines, at):
            if _FORWARDING_SUBJECT.match(rules.fold(subject)):
                return _parts_of_text(own, quoted, lines[at:])
            return _parts_of_text(own, quoted + lines[at:], [])
        many = _attribution(told, lines, at)
        if many and not _is_quote(_next_line(lines, at + many)):
            return _parts_of_text(own, quoted + lines[at:], [])
        for line in lines[at : at + max(many, 1)]:
            if line.strip():  # an empty line stays with the one before it
                to = quoted if many or _is_quote(line) else own
            to.append(line)
        at += max(many, 1)
    return _parts_of_text(own, quoted, [])


def _parts_of_text(*parts: list[str]) -> tuple[str, str, str]:
    own, quoted, passed_on = ("\n".join(lines).strip() for lines in parts)
    return own, quoted, passed_on


def _folded(line: str) -> str:
    """The line as the marks are compared; "" for what is too short or long to be one."""
    return rules.fold(line) if 4 <= len(line) <= 300 else ""


def _is_quote(line: str) -> bool:
    return line.lstrip(" ")[:1] == ">"


def _next_line(lines: list[str], at: int) -> str:
    return next((line for line in lines[at : at + 3] if line.strip()), "")


def _is_field_block(told: str, lines: list[str], at: int) -> bool:
    """Outlook's way to quote: From, Sent, To, Subject."""
    if not _FIRST_FIELD.fullmatch(told):
        return False
    following = (_folded(line) for line in lines[at + 1 : at + 7])
    return sum(_FIELD.fullmatch(line) is not None for line in following) >= 2


def _attribution(told: str, lines: list[str], at: int) -> int:
    """How many lines say "on that day, she wrote:"; 0 if none do.

    Where no quote marks follow, only a line with an address in it counts: "on 5 May the agent
    wrote:" may well be the complaint itself.
    """
    if not _STARTS.match(told) and not _says_who(told):
        return 0
    for many in (1, 2, 3):
        if not lines[at : at + many][-1].strip():
            return 0
        together = " ".join(lines[at : at + many])
        marked = _is_quote(_next_line(lines, at + many))
        if _says_who(_folded(together)) and (marked or "@" in together):
            return many
    return 0


def _says_who(told: str) -> bool:
    return any(one.isdigit() for one in told) and _WROTE.search(told) is not None
