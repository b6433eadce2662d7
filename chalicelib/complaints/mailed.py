"""An e-mail as a submission, pure: what of it is the complaint, what are its files, who wrote.

Nothing bars it (D3): too long a text goes on as a file, a mail that can't be read is flagged for a
person, and what looks like a machine's is flagged and never dropped.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

from chalicelib.complaints.case import MOST_SUBSTANCE, CaseFile, Channel, Flag, Person
from chalicelib.complaints.files import TEXT, TYPES
from chalicelib.complaints.inbound import (
    Attachment,
    Forwarded,
    Inbound,
    Kind,
    NoteCode,
    is_reply_address,
)
from chalicelib.complaints.receipt import Submission
from chalicelib.organisations.domain import Settings

MOST_ATTACHED = 40  # each is a write of the transaction; the rest stays in the mail as it came
MACHINES = frozenset({Kind.AUTO_REPLY, Kind.BOUNCE})
# What may have been lost in reading: somebody looks at the mail itself.
_UNREADABLE = frozenset(
    {
        *(NoteCode.BASE64_BROKEN, NoteCode.BOUNDARY_MISSING, NoteCode.CHARSET_REPLACED),
        *(NoteCode.ENCODING_UNKNOWN, NoteCode.ENCRYPTED, NoteCode.HEADER_BROKEN),
        *(NoteCode.MAIL_CUT, NoteCode.NESTING_TOO_DEEP, NoteCode.PARTS_UNREAD),
        *(NoteCode.QUOTED_PRINTABLE_BROKEN, NoteCode.SENDER_UNUSABLE),
    }
)
_BY_ENDING = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".txt": TEXT,
}


def submission(mail: Inbound, settings: Settings, *, received_at: datetime) -> Submission:
    """The mail as a submission, its files and its raw bytes still to be named."""
    text = words(mail)
    return Submission(
        channel=Channel.EMAIL,
        language=_language(text + mail.subject, settings.languages),
        received_at=received_at,
        writer=_writer(mail),
        subject=mail.subject,
        substance=shown(text),
        quoted=shown(mail.quoted),
        flags=_flags(mail),
        message_id=mail.message_id,
        notes=tuple(_notes(mail, settings)),
    )


def words(mail: Inbound) -> str:
    """What the writer says: their own words, and what they passed on, which may be all there is."""
    return "\n\n".join(filter(None, (mail.text, *map(_passed_on, mail.forwarded)))).strip()


def shown(text: str) -> str:
    """As much of a text as a case holds."""
    return text[:MOST_SUBSTANCE].strip()


def attached(mail: Inbound, now: datetime) -> Iterator[tuple[CaseFile, bytes]]:
    """The files, real attachments before pictures in the text, with their content; ids to come."""
    text = words(mail)
    if len(text) > MOST_SUBSTANCE:
        content = text.encode()
        yield _file("message.txt", TEXT, content, now), content
    ordered = sorted(mail.attachments, key=lambda one: one.inline)
    for one in ordered[: MOST_ATTACHED - (len(text) > MOST_SUBSTANCE)]:
        yield _file(one.name, _type(one), one.content, now), one.content


def is_ours(mail: Inbound, settings: Settings) -> bool:
    """Whether an address of our own sent it: our letter came back, and must not make another."""
    if mail.sender is None:
        return False
    address, mailbox = mail.sender.address.casefold(), settings.complaints.mailbox
    if is_reply_address(address, mailbox.rpartition("@")[2]):
        return True
    return address in {settings.sender.email.casefold(), mailbox.casefold()}


def answerable(mail: Inbound) -> bool:
    """Whether an automatic answer may go to who sent it."""
    return mail.answer_to is not None


def _writer(mail: Inbound) -> Person:
    if mail.sender is None:
        return Person()
    to = mail.answer_to or mail.sender
    return Person(name=mail.sender.name, email=to.address)


def _flags(mail: Inbound) -> tuple[Flag, ...]:
    nothing = not words(mail) and not mail.attachments and not mail.subject
    signs = {
        Flag.SPAM_SUSPECT: mail.sender is not None and not answerable(mail),
        Flag.UNREADABLE: nothing or any(one.code in _UNREADABLE for one in mail.notes),
    }
    return tuple(flag for flag, there in signs.items() if there)


def _notes(mail: Inbound, settings: Settings) -> Iterator[str]:
    """How it was read, and what it may belong to: hints for a person, on which nothing rests."""
    for note in mail.notes:
        yield f"{note.code}: {note.about}" if note.about else str(note.code)
    if len(mail.attachments) > MOST_ATTACHED:
        yield f"attachments_left_in_the_mail: {len(mail.attachments) - MOST_ATTACHED}"
    domain = settings.complaints.mailbox.rpartition("@")[2]
    if any(is_reply_address(one, domain) for one in mail.recipients):
        yield "reply_address_unknown"
    if mail.in_reply_to:
        yield f"in_reply_to: {mail.in_reply_to}"


def _passed_on(one: Forwarded) -> str:
    sender = f"{one.sender.name} <{one.sender.address}>".strip() if one.sender else ""
    return "\n".join(filter(None, ("---", sender, one.subject, one.text)))


def _type(one: Attachment) -> str:
    """The declared type if we know it, else what the ending says; its content is looked at later.

    Mail programs declare `application/octet-stream` for whatever they do not know.
    """
    if one.declared_type in TYPES:
        return one.declared_type
    return _BY_ENDING.get(PurePosixPath(one.name.lower()).suffix, one.declared_type)


def _file(name: str, content_type: str, content: bytes, now: datetime) -> CaseFile:
    return CaseFile(
        file_id="",
        name=name,
        content_type=content_type,
        size=len(content),
        state="uploaded",
        object_key="",
        added=now,
        source="email",
    )


def _language(text: str, languages: tuple[str, ...]) -> str:
    """The language as its letters tell it, if the organisation speaks it; else its first."""
    told = ""
    if len(re.findall("[А-Яа-яЁё]", text)) > len(text) // 4:
        told = "ru"
    elif re.search("[ąćęłńśźżĄĆĘŁŃŚŹŻ]", text):
        told = "pl"
    return told if told in languages else languages[0]
