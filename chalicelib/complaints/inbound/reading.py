"""One mail read whole; see the package for what is promised."""

from chalicelib.complaints.inbound.headers import Head, message_ids
from chalicelib.complaints.inbound.kind import kind_of
from chalicelib.complaints.inbound.mime import Reader, joined
from chalicelib.complaints.inbound.quotes import split
from chalicelib.complaints.inbound.shapes import (
    MOST_BYTES,
    MOST_REFERENCES,
    MOST_SUBJECT,
    Forwarded,
    Inbound,
    NoteCode,
)


def read(raw: bytes) -> Inbound:
    """The mail, whatever the bytes are; keep `raw` as well, `notes` tells what is only there."""
    reader = Reader()
    if len(raw) > MOST_BYTES:
        reader.note(NoteCode.MAIL_CUT, str(len(raw)))
    source = raw[:MOST_BYTES]
    if b"\n" not in source:
        source = source.replace(b"\r", b"\n")
    part = reader.part(source, 0, len(source))
    whole = joined(reader.pieces(part, 0, nested=False))
    head = Head(part.headers, reader.note)
    sender, subject = head.mailbox("from"), head.line("subject", MOST_SUBJECT)
    if sender is None:
        reader.note(NoteCode.SENDER_UNUSABLE)
    own, quoted, passed_on = split(whole, subject)
    if not own and quoted and not passed_on:
        own, quoted = whole, ""
        reader.note(NoteCode.ALL_QUOTED)
    if passed_on:
        inner = Forwarded(sender=None, subject="", sent_at=None, text=passed_on)
        reader.forwarded.insert(0, inner)
    kind, signs = kind_of(head, part, sender, subject)
    references = tuple(message_ids(head.first("references")))
    return Inbound(
        kind=kind,
        signs=signs,
        sender=sender,
        reply_to=head.mailbox("reply-to"),
        recipients=tuple(head.addresses("delivered-to", "to", "cc")),
        subject=subject,
        sent_at=head.date(),
        message_id=next(message_ids(head.first("message-id")), ""),
        in_reply_to=next(message_ids(head.first("in-reply-to")), ""),
        references=references[-MOST_REFERENCES:],
        text=own,
        quoted=quoted,
        forwarded=tuple(reader.forwarded),
        attachments=tuple(reader.attachments),
        notes=tuple(reader.notes),
    )
