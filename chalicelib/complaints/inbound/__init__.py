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

from chalicelib.complaints.inbound.replies import case_of, is_reply_address, reply_address
from chalicelib.complaints.inbound.shapes import (
    MOST_BYTES,
    MOST_DEPTH,
    MOST_PARTS,
    MOST_TEXT,
    Attachment,
    Forwarded,
    Inbound,
    Kind,
    Mailbox,
    Note,
    NoteCode,
)

__all__ = [
    "MOST_BYTES",
    "MOST_DEPTH",
    "MOST_PARTS",
    "MOST_TEXT",
    "Attachment",
    "Forwarded",
    "Inbound",
    "Kind",
    "Mailbox",
    "Note",
    "NoteCode",
    "case_of",
    "is_reply_address",
    "read",
    "reply_address",
]


def read(raw: bytes) -> Inbound:
    """The mail, whatever the bytes are; keep `raw` as well, `notes` tells what is only there."""
    from chalicelib.complaints.inbound import reading  # the API signs addresses and reads no mail

    return reading.read(raw)
