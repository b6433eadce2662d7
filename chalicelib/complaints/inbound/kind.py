"""What kind of mail it is: a letter of a person, or something that a machine sent (RFC 3834).

A complaint is never dropped: what a person's letter may bear, too, such as a subject that begins
like a notice of absence, is a doubt. One doubt makes a letter that nobody answers before a person
has looked; two of them are a machine's.
"""

import re
from collections.abc import Iterator

from chalicelib.complaints.inbound.headers import Head
from chalicelib.complaints.inbound.mime import Part
from chalicelib.complaints.inbound.shapes import Kind, Mailbox
from chalicelib.kernel import text as rules

_DAEMONS = ("mailer-daemon@", "mail-daemon@")
# Headers, and what their value begins with when the mail was sent by a machine (RFC 3834, RFC 2076,
# MS-OXCMAIL). "" is any value at all; None is a doubt.
_SIGNS: tuple[tuple[Kind | None, str, str], ...] = (
    (Kind.BOUNCE, "x-failed-recipients", r""),
    (Kind.AUTO_REPLY, "auto-submitted", r"auto-replied\b"),
    (None, "auto-submitted", r"(?!no\s*(;|\Z)|auto-replied\b)"),
    (None, "x-auto-response-suppress", r"(?!none\b)\S"),
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
# Of folded subjects, from their start. What a mail program writes before one that it answers:
_ANSWERED_SUBJECT = (
    r"(re\s*:\s*)?((automatic|auto|vacation)[ -]?(reply|response)|odpowiedz automatyczna"
    r"|automatyczna odpowiedz|autoodpowiedz|автоматическии ответ|автоответ)\s*(:|\Z)"
)
# What somebody who is away may write, and somebody who complains ("nieobecność agenta"):
_ABSENT_SUBJECT = (
    r"(re\s*:\s*)?("
    r"out of (the )?office|(jestem )?poza biurem|nieobecnosc( w (biurze|pracy))?|autoresponder"
    r"|вне офиса|не в офисе|нет на месте|(я )?(в отпуске|отсутствую)( (до|с) [^,]{1,20})?"
    r")\s*([:;.!-]|\Z)"
)
_BOUNCED_SUBJECT = r"(undeliver|delivery (status|failure|has failed)|mail delivery|returned mail"
_BOUNCED_SUBJECT += r"|failure notice|niedostarcz|nie dostarczono|недоставлен|не доставлен)"


def kind_of(
    head: Head, part: Part, sender: Mailbox | None, subject: str
) -> tuple[Kind, tuple[str, ...]]:
    """The kind, and every sign of a machine that was found."""
    found = [
        (kind, name)
        for kind, name, begins in _SIGNS
        if any(re.match(begins, value) for value in head.values(name))
    ]
    found += _signs_of_form(head, part, sender, rules.fold(subject))
    kinds = {kind for kind, _ in found if kind}
    doubts = {sign for kind, sign in found if kind is None}
    if doubts:
        kinds.add(Kind.AUTO_REPLY if len(doubts) > 1 else Kind.SPAM_SUSPECT)
    order = (Kind.BOUNCE, Kind.AUTO_REPLY, Kind.SPAM_SUSPECT)
    kind = next((one for one in order if one in kinds), Kind.LETTER)
    return kind, tuple(dict.fromkeys(sign for _, sign in found))


def _signs_of_form(
    head: Head, part: Part, sender: Mailbox | None, subject: str
) -> Iterator[tuple[Kind | None, str]]:
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
        yield Kind.BOUNCE if bounced else None, "return-path"
    if sender and sender.address.lower().startswith("postmaster@"):
        yield None, "postmaster"
    if re.match(_ANSWERED_SUBJECT, subject):
        yield Kind.AUTO_REPLY, "subject"
    if re.match(_ABSENT_SUBJECT, subject):
        yield None, "subject"
