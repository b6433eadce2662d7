"""The parts of a mail: found by their boundaries, read once, nothing copied before need."""

import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from chalicelib.complaints.inbound.characters import block, decoded, from_base64, line
from chalicelib.complaints.inbound.headers import Head, file_name, read_headers
from chalicelib.complaints.inbound.html import readable
from chalicelib.complaints.inbound.shapes import (
    MOST_DEPTH,
    MOST_HTML,
    MOST_MARKS,
    MOST_PARTS,
    MOST_SUBJECT,
    MOST_TEXT,
    Attachment,
    Forwarded,
    Note,
    NoteCode,
    Noting,
)

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,99}/[a-z0-9][a-z0-9!#$&^_.+-]{0,99}")
_MESSAGES = ("message/rfc822", "message/global")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


class Piece(msgspec.Struct, frozen=True):
    """A piece of text to be read, and whether it came as HTML."""

    text: str
    was_html: bool


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part: its headers, and where its body lies in the bytes; nothing is copied before need."""

    source: bytes
    start: int
    end: int
    headers: Mapping[str, list[bytes]]
    kind: str
    params: Mapping[str, str]
    disposition: str
    filename: str


class Reader:
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
            self.notes[Note(code, line(about, 100))] = None

    def part(self, source: bytes, start: int, end: int, default: str = "text/plain") -> Part:
        """The part that lies there."""
        headers, body = read_headers(source, start, end, self.note)
        head = Head(headers, self.note)
        kind, params = head.field("content-type")
        disposition, more = head.field("content-disposition")
        return Part(
            source=source,
            start=body,
            end=end,
            headers=headers,
            kind=kind if _TYPE.fullmatch(kind) else default,
            params=params,
            disposition=disposition,
            filename=more.get("filename") or params.get("name", ""),
        )

    def pieces(self, part: Part, depth: int, *, nested: bool) -> list[Piece]:
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

    def _multipart(self, part: Part, depth: int, nested: bool) -> list[Piece]:
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

    def _best(self, found: list[list[Piece]]) -> list[Piece]:
        """Of the alternatives the plain one, unless the HTML says far more."""
        plain = [one for pieces in found for one in pieces if not one.was_html]
        rich = [one for pieces in found for one in pieces if one.was_html]
        short, long = len(joined(plain)), len(joined(rich))
        if short and long <= 3 * short + 500:
            return plain
        if short:
            self.note(NoteCode.HTML_PREFERRED)
        return rich or plain

    def _message(self, part: Part, depth: int) -> list[Piece]:
        place = len(self.forwarded)
        source, start, end = part.source, part.start, part.end
        if self._encoding(part) in {"base64", "quoted-printable"}:  # forbidden, and done
            source = self._content(part)
            start, end = 0, len(source)
        inner = self.part(source, start, end)
        text = joined(self.pieces(inner, depth + 1, nested=True))
        head = Head(inner.headers, self.note)
        one = Forwarded(
            sender=head.mailbox("from"),
            subject=head.line("subject", MOST_SUBJECT),
            sent_at=head.date(),
            text=text,
        )
        self.forwarded.insert(place, one)
        return []

    def _text(self, part: Part, nested: bool) -> list[Piece]:
        content = self._content(part)
        text = decoded(content, part.params.get("charset", ""), self.note)
        was_html, whole = part.kind == "text/html", len(text)
        most = self._html_left if was_html else MOST_TEXT
        if was_html:
            self._html_left = max(0, most - whole)
        text = block(readable(text[:most], self.note) if was_html else text[:most])
        if whole > most or len(text) > self._text_left:
            self.note(NoteCode.TEXT_CUT, str(whole))
            self._keep(part, nested, content)
        text = text[: self._text_left].strip()
        self._text_left = max(0, self._text_left - len(text) - 2)  # pieces are joined by two
        return [Piece(text, was_html)] if text else []

    def _keep(self, part: Part, nested: bool, content: bytes | None = None) -> list[Piece]:
        if content is None:
            content = self._content(part)
        if not content.strip() and not part.filename:
            return []
        self.attachments.append(
            Attachment(
                name=file_name(part.filename, part.kind, len(self.attachments) + 1),
                declared_type=part.kind,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                content=content,
                inline=part.disposition == "inline" or "content-id" in part.headers,
                forwarded=nested,
            )
        )
        return []

    def _encoding(self, part: Part) -> str:
        given = part.headers.get("content-transfer-encoding", [b""])[0]
        return given.partition(b";")[0].strip().lower().decode("ascii", "replace")

    def _content(self, part: Part) -> bytes:
        encoding, raw = self._encoding(part), part.source[part.start : part.end]
        if encoding == "base64":
            return from_base64(raw, self.note)
        if encoding == "quoted-printable":
            if re.search(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(\r?\n|\Z))", raw):
                self.note(NoteCode.QUOTED_PRINTABLE_BROKEN)
            return binascii.a2b_qp(raw)
        if encoding not in {"", "7bit", "8bit", "binary"}:
            self.note(NoteCode.ENCODING_UNKNOWN, encoding)
        return raw


def joined(pieces: Iterable[Piece]) -> str:
    return "\n\n".join(piece.text for piece in pieces)


def _spans(part: Part, note: Noting) -> list[tuple[int, int]]:
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


def _delimiters(part: Part, boundary: bytes, note: Noting) -> Iterator[tuple[int, int, bool]]:
    """Each delimiter line: where it starts, where what follows starts, whether it closes."""
    source, mark, position = part.source, b"--" + boundary, part.start
    found = tried = 0
    while (at := source.find(mark, position, part.end)) >= 0:
        position, tried = at + len(mark), tried + 1
        if found > MOST_PARTS or tried > MOST_MARKS:
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


def _guessed_boundary(part: Part) -> bytes:
    """The first line that looks like a boundary and is closed further on."""
    body = part.source[part.start : part.end]
    found = re.search(rb"^--([^\s-][^\r\n]{0,69})\r?$", body, re.MULTILINE)
    boundary = found[1].rstrip() if found else b""
    return boundary if b"--" + boundary + b"--" in body else b""


def _note_outside(after: bytes, note: Noting) -> None:
    if after.strip():
        note(NoteCode.TEXT_OUTSIDE_PARTS)
