"""The headers of a message or part, read with patience."""

import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from chalicelib.complaints.inbound.characters import decoded, from_base64, line
from chalicelib.complaints.inbound.shapes import (
    MOST_FILE_NAME,
    MOST_LINES,
    MOST_NAME,
    MOST_VALUE,
    Mailbox,
    NoteCode,
    Noting,
)
from chalicelib.kernel import text as rules
from chalicelib.kernel.errors import Invalid

_HEADER_NAME = re.compile(rb"[!-9;-~]{1,100}[ \t]*")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_ENCODED_WORD = r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?="
_PARAMETER = re.compile(
    r';\s*([^\s=;"*]{1,60})(?:\*(\d{1,3}))?(\*)?\s*=\s*("(?:[^"\\]|\\.)*(?:"|\Z)|[^;]*)', re.DOTALL
)
_ONCE = ("from", "subject", "date", "message-id", "content-type", "reply-to")
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


def read_headers(
    source: bytes, start: int, end: int, note: Noting
) -> tuple[dict[str, list[bytes]], int]:
    """The headers, and where the body starts."""
    found: dict[str, list[bytes]] = {}
    last: list[bytes] = []
    position = start
    for _ in range(MOST_LINES):
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


def _header_line(source: bytes, position: int, end: int, note: Noting) -> tuple[bytes, int]:
    stop = source.find(b"\n", position, end)
    stop = end if stop < 0 else stop
    if stop - position > MOST_VALUE:
        note(NoteCode.HEADER_CUT)
        return source[position : position + MOST_VALUE], stop + 1
    return source[position:stop].rstrip(b"\r"), stop + 1


def _longer(value: bytes, line: bytes, note: Noting) -> bytes:
    if len(value) + len(line) > MOST_VALUE:
        note(NoteCode.HEADER_CUT)
        return value
    return value + b" " + line.strip()


def _goes_on(source: bytes, position: int, end: int) -> bool:
    """Whether a header follows the line that is none, which then is junk and no body."""
    following = source[position : min(end, position + 200)].partition(b"\n")[0]
    return re.match(rb"[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]", following) is not None


class Head:
    """The headers of one message or part, read with patience."""

    def __init__(self, headers: Mapping[str, list[bytes]], note: Noting) -> None:
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
            return decoded(value, named[1] if named else "", self._note)

    def values(self, name: str) -> list[str]:
        """All values, in lower case: for signs, not for people."""
        given = self._headers.get(name, ())
        return [value.strip().lower().decode("ascii", "replace") for value in given]

    def line(self, name: str, most: int) -> str:
        """The value as a line for people."""
        whole = line(words(self.first(name), self._note), MOST_VALUE)
        if len(whole) > most:
            self._note(NoteCode.HEADER_CUT, name)
        return whole[:most].strip()

    def field(self, name: str) -> tuple[str, dict[str, str]]:
        """A value with parameters, as those of Content-Type (RFC 2231)."""
        value = self.first(name)
        return value.partition(";")[0].strip().lower(), parameters(value, self._note)

    def mailbox(self, name: str) -> Mailbox | None:
        """The first usable address of a header, and the name before it."""
        value = self.first(name)
        opened = value.rfind("<")
        closed = value.find(">", opened)
        if 0 <= opened < closed and (address := _address(value[opened + 1 : closed])):
            before = value[:opened].strip().strip('"').replace('\\"', '"')
            return Mailbox(name=line(words(before, self._note), MOST_NAME), address=address)
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


def message_ids(value: str) -> Iterator[str]:
    for found in re.findall(r"<[!-;=?-~]{1,250}>", value):
        yield line(found, 252)


def words(value: str, note: Noting) -> str:
    """The value with its encoded words decoded once (RFC 2047).

    Neighbours of one charset are joined as bytes first: mailers cut letters in two.
    """
    joined = re.sub(r"\?=\s+(?==\?)", "?=", value)
    return re.sub(f"(?:{_ENCODED_WORD})+", lambda run: _run_of_words(run[0], note), joined)


def _run_of_words(run: str, note: Noting) -> str:
    gathered: list[tuple[str, bytes]] = []
    for charset, encoding, content in re.findall(_ENCODED_WORD, run):
        raw = content.encode("ascii", "replace")
        raw = from_base64(raw, note) if encoding in "bB" else binascii.a2b_qp(raw, header=True)
        label = charset.partition("*")[0].lower()
        if gathered and gathered[-1][0] == label:
            raw = gathered.pop()[1] + raw
        gathered.append((label, raw))
    return "".join(decoded(raw, label, note) for label, raw in gathered)


def parameters(value: str, note: Noting) -> dict[str, str]:
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
            plain.setdefault(name.lower(), words(text, note))
    return plain | {name: _continued(found, note) for name, found in pieces.items()}


def _continued(found: Mapping[int, tuple[bool, str]], note: Noting) -> str:
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
    return decoded(raw, charset, note)


def file_name(given: str, kind: str, number: int) -> str:
    """A name that no file system stumbles over: no folder, no control, its ending kept."""
    name = line(re.split(r"[/\\]", given.rstrip("/\\"))[-1], 1000)
    name = re.sub(r'[<>:"|?*]', "_", name).strip(". ")
    if not name:
        return f"attachment-{number}{_ENDINGS.get(kind, '')}"
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 10:
        return stem[: MOST_FILE_NAME - len(ending) - 1].rstrip() + dot + ending
    return name[:MOST_FILE_NAME].rstrip()
