"""What reading an e-mail gives, and the caps: past them it is cut, and a note says so."""

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

MOST_BYTES = 40 * 1024 * 1024  # what SES takes in
MOST_PARTS = 200
MOST_DEPTH = 12
MOST_TEXT = 200_000  # characters of all text together; the form takes 20,000
MOST_HTML = 1_000_000  # characters of all HTML together
MOST_SUBJECT, MOST_NAME, MOST_FILE_NAME = 500, 200, 120
MOST_REFERENCES = 50
MOST_LINES, MOST_VALUE, MOST_MARKS = 2_000, 16_384, 100_000
_NO_REPLY = r"(no|do[._-]?not)[._-]?reply([+._-]|@)"


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


Noting = Callable[..., None]
