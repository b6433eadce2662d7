"""What text may be stored, and what may reach an e-mail header.

Measured traps behind the rules: Python before 3.13 unfolds `=?utf-8?q?=0ABcc:_x?=` in a header into
a real Bcc line, JSON brings lone surrogates and controls, and bidi controls turn a shown name
round.
"""

import re
import unicodedata

from chalicelib.kernel.errors import Invalid

# Patterns are compiled and kept by `re` at their first use, which comes late or never in a request
# that only reads: together they take as long as a dozen modules.
#
# C0 and C1 controls but tab and newline, line and paragraph separators, bidi controls,
# what has no width, lone surrogates, noncharacters, BOM.
_FORBIDDEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\u200b-\u200f\u061c"
    "\ud800-\udfff\ufeff\ufffe\uffff]"
)
_SPACES = r"\s+"
# One mailbox, as strict as a business needs: no quoted local parts, comments or address literals.
_EMAIL = (
    r"(?=.{3,254}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_PHONE = r"\+?[0-9]{5,15}"
_PHONE_FILLERS = r"[\s().\-/]"
# A run of marks is sorted when text is normalised, and a long one takes for ever; a joiner after
# each thirtieth is the standard's remedy (UAX #15, stream-safe text).
_UNUSUAL_RUN = r"[^\x00-\u02ff\u0400-\u0482\u2000-\u20cf]{31,}"


class TextRefused(Invalid):
    """Characters that no honest text needs, or none at all, or too many."""

    code = "text_refused"
    sentence = "Remove control characters, and keep to the length."


class EmailRefused(Invalid):
    """Not exactly one plain e-mail address."""

    code = "email_refused"
    sentence = "Give exactly one e-mail address."


class PhoneRefused(Invalid):
    """Not one telephone number."""

    code = "phone_refused"
    sentence = "Give one telephone number of 5 to 15 digits, + in front if it is international."


def line(text: str, field: str, *, most: int = 200) -> str:
    """A line that may reach a header: trimmed, white space folded, NFC, 1 to `most` characters."""
    _refuse_forbidden(text, field)
    folded = re.sub(_SPACES, " ", unicodedata.normalize("NFC", text)).strip()
    if not folded or len(folded) > most or "=?" in folded:
        raise TextRefused(field=field)
    return folded


def block(text: str, field: str, *, most: int = 20_000) -> str:
    """Text of several lines: NFC, trimmed at both ends, 1 to `most` characters."""
    normal = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    _refuse_forbidden(normal, field)
    if not normal or len(normal) > most:
        raise TextRefused(field=field)
    return normal


def email(text: str, field: str) -> str:
    """Exactly one address, its domain in lower case; never two, never `=?` (S44, S50)."""
    if re.fullmatch(_EMAIL, text) is None or "=?" in text or len(text.rpartition("@")[0]) > 64:
        raise EmailRefused(field=field)
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def phone(text: str, field: str) -> str:
    """The digits of one number, `+` kept; spaces, brackets, dots and hyphens dropped."""
    digits = re.sub(_PHONE_FILLERS, "", text)
    if re.fullmatch(_PHONE, digits) is None:
        raise PhoneRefused(field=field)
    return digits


def cleaned(text: str) -> str:
    """What strangers wrote, made fit to be kept: NFC without what is forbidden, never refused."""
    allowed = re.sub(_FORBIDDEN, "", text)
    safe = re.sub(_UNUSUAL_RUN, lambda run: _stream_safe(run[0]), allowed)
    return unicodedata.normalize("NFC", safe)


def fold(text: str) -> str:
    """How names are compared: without case and accents, Polish l with stroke included."""
    plain = text
    for _ in range(2):  # taking a sign apart may bring capitals: TRADE MARK SIGN holds "TM"
        plain = unicodedata.normalize("NFKD", plain.casefold().replace("ł", "l"))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", re.sub(_SPACES, " ", kept)).strip()


def _refuse_forbidden(text: str, field: str) -> None:
    if re.search(_FORBIDDEN, text):
        raise TextRefused(field=field)


def _stream_safe(run: str) -> str:
    kept, marks = [], 0
    for one in run:
        marks = marks + 1 if unicodedata.combining(one) else 0
        kept.append(one if marks % 30 or not marks else one + "\u034f")
    return "".join(kept)
