"""Bytes to characters: what was declared if it is true, else what is likely, never an error."""

import binascii
import codecs
import re

from chalicelib.complaints.inbound.shapes import MOST_MARKS, NoteCode, Noting
from chalicelib.kernel import text as rules

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_CODECS = (
    *("utf-8", "utf-16", "utf-32", "ascii", "cp", "iso8859-", "koi8-", "mac-"),
    *("gb", "big5", "shift_jis", "euc_", "iso2022_"),
)
# What Windows wrote and labelled with the standard's name: there the standard has controls only.
_MISLABELLED = {"iso8859-1": "cp1252", "iso8859-2": "cp1250"}
_C1 = bytes(range(0x80, 0xA0))


def from_base64(raw: bytes, note: Noting) -> bytes:
    """The bytes, as many as can be read: padding and strangers among the letters go."""
    packed = raw.translate(None, b"\r\n \t")
    core = packed.rstrip(b"=")
    if not core.translate(None, _BASE64) and len(core) % 4 != 1:
        return binascii.a2b_base64(core + b"=" * (-len(core) % 4))
    note(NoteCode.BASE64_BROKEN)
    content = bytearray()
    many = packed.count(b"=") > MOST_MARKS
    for run in [packed] if many else re.split(rb"=+", packed):  # each was padded by itself
        letters = run.translate(None, _NOT_BASE64)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        content += binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    return bytes(content)


def decoded(raw: bytes, charset: str, note: Noting) -> str:
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


def line(text: str, most: int) -> str:
    """A line for people that may reach a header of ours: what `kernel.text.line` takes, or ""."""
    spaced = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text[: 4 * most])
    return rules.cleaned(spaced).replace("=?", "= ?").strip()[:most].strip()


def block(text: str) -> str:
    """Text of several lines: what `kernel.text.block` takes, or ""."""
    return rules.cleaned(re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)).strip()
