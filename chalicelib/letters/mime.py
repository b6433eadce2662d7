"""A composed letter as the bytes that are sent.

The same letter gives the same bytes: boundaries come from the message id, and nothing is random.
So the archive needs no search for a token in encoded bytes: it is `build` of the same letter
composed with `facts.masked(link)`, and differs from what was sent in the token alone (R17). What
identifies the sent message is the SHA-256 of its true bytes.

Headers are written here, not by `email`: Python before 3.13 turns a display name
`=?utf-8?q?=0ABcc:_x?=` into a real Bcc line, and drops quotes when it folds a long name. So a
name is either plain words or encoded words, nothing in between; `=?`, controls and bidi controls
are refused, and an address is one plain mailbox.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from chalicelib.kernel import text as rules

if TYPE_CHECKING:
    from email.message import EmailMessage

# What a letter may say in its headers besides what every letter says: a list of what is allowed,
# so that no caller adds a recipient or a request for a read receipt.
ALLOWED_HEADERS = frozenset(
    {
        "Auto-Submitted",
        "Feedback-ID",
        "In-Reply-To",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "References",
        "X-Auto-Response-Suppress",
    }
)

_MOST_TEXT = 400
_MOST_VALUE = 900  # with its name below the 998 characters of a line (RFC 5322 2.1.1)
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9'+-]+( [A-Za-z0-9'+-]+)*")
_PLAIN_LINE = 60
_MOST_ENCODED = 39  # bytes: as an encoded word, after "Reply-To: ", below 76 characters
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._+-]{1,120}@[A-Za-z0-9.-]{1,120}>")
_CONTENT_TYPE = re.compile(
    r"(application|audio|font|image|text|video)/[a-z0-9][a-z0-9!#$&^_.+-]{0,99}"
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_VALUE = re.compile(r"[!-~]+( [!-~]+)*")


class UnsafeHeader(ValueError):
    """Something that must not reach a header; the message names the header, never its value."""


class Address(msgspec.Struct, frozen=True):
    """A name and one mailbox; the name may be empty."""

    name: str
    email: str


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes with a letter."""

    filename: str
    content_type: str
    content: bytes


def build(
    *,
    from_: Address,
    reply_to: Address,
    to: Address,
    subject: str,
    text: str,
    html: str,
    attachments: tuple[Attachment, ...],
    message_id: str,
    date: datetime,
    language: str,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The message: text and HTML as alternatives, then the attachments (S41, S45-S46, S50).

    `UnsafeHeader` where a name, an address, a file name or a header could say something else to a
    mail program than it says here, or could reach another person.
    """
    if date.utcoffset() is None:
        raise ValueError("the date has no time zone")
    head = {
        "From": _address("From", from_),
        "Reply-To": _address("Reply-To", reply_to),
        "To": _address("To", to),
        "Subject": _words(_line("Subject", subject)),
        "Date": format_datetime(date.astimezone(UTC)),
        "Message-ID": _matching(_MESSAGE_ID, "Message-ID", message_id),
        **{name: _extra(name, value) for name, value in (headers or {}).items()},
    }
    message = _empty()
    # "Raw" keeps `email` from parsing and folding anew what is already in its final form.
    for name, value in head.items():
        message.set_raw(name, value)
    message.set_content(text, subtype="plain", charset="utf-8", cte=_encoding(text))
    message.add_alternative(html, subtype="html", charset="utf-8", cte=_encoding(html))
    for attachment in attachments:
        _attach(message, attachment)
    _set_boundaries(message, message_id)
    # Last: `email` would move it into the first part, like everything that begins with "Content-".
    message.set_raw("Content-Language", _matching(_LANGUAGE, "Content-Language", language))
    return message.as_bytes()


def _empty() -> "EmailMessage":
    # Imported here: `email`'s header parser takes longer to load than most routes take to answer.
    from email.message import EmailMessage
    from email.policy import SMTP

    return EmailMessage(policy=SMTP.clone(refold_source="none"))


def _encoding(text: str) -> str:
    """The shorter of the two encodings that survive every relay: quoted-printable for Latin
    letters."""
    size = len(text.encode())
    beyond = size - len(text.encode("ascii", "ignore"))
    return "quoted-printable" if 6 * beyond < size else "base64"


def _attach(message: "EmailMessage", attachment: Attachment) -> None:
    kind = _matching(_CONTENT_TYPE, "Content-Type", attachment.content_type)
    filename = _line("Content-Disposition", attachment.filename)
    if "/" in filename or "\\" in filename:
        raise UnsafeHeader("Content-Disposition")
    main, _, sub = kind.partition("/")
    message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=filename)


def _set_boundaries(message: "EmailMessage", message_id: str) -> None:
    """Boundaries from the message id. `=_` never occurs in quoted-printable or base64 (RFC 2045
    6.7)."""
    digest = sha256(message_id.encode()).hexdigest()[:32]
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{number}_{digest}")


def _address(header: str, address: Address) -> str:
    """The mailbox with its name, or the mailbox alone; refuses two, and more than 254
    characters."""
    try:
        email = rules.email(address.email, header)
    except rules.EmailRefused as refused:
        raise UnsafeHeader(header) from refused
    if not address.name:
        return email
    return f"{_words(_line(header, address.name))}\n <{email}>"


def _line(header: str, value: str) -> str:
    """One line of text that means in a header what it means elsewhere."""
    if "\n" in value or "\t" in value:
        raise UnsafeHeader(header)
    try:
        return rules.line(value, header, most=_MOST_TEXT)
    except rules.TextRefused as refused:
        raise UnsafeHeader(header) from refused


def _words(value: str) -> str:
    """Plain words as they are; anything else as encoded words, one to a line (RFC 2047)."""
    if len(value) <= _PLAIN_LINE and _PLAIN_WORDS.fullmatch(value):
        return value
    encoded = (b64encode(piece.encode()).decode() for piece in _pieces(value))
    return "\n ".join(f"=?utf-8?b?{word}?=" for word in encoded)


def _pieces(value: str) -> Iterator[str]:
    """The value in pieces short enough for an encoded word, cut after spaces where there are any:
    a reader that wrongly puts a space between two encoded words then breaks no word."""
    while len(value.encode()) > _MOST_ENCODED:
        most = len(value.encode()[:_MOST_ENCODED].decode(errors="ignore"))
        cut = value.rfind(" ", 0, most) + 1 or most
        yield value[:cut]
        value = value[cut:]
    yield value


def _extra(name: str, value: str) -> str:
    if name not in ALLOWED_HEADERS or "=?" in value or len(value) > _MOST_VALUE:
        raise UnsafeHeader(name if name in ALLOWED_HEADERS else "a header that letters do not have")
    return _matching(_VALUE, name, value)


def _matching(pattern: re.Pattern[str], header: str, value: str) -> str:
    if pattern.fullmatch(value) is None:
        raise UnsafeHeader(header)
    return value
