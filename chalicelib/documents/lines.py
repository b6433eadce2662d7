"""Text as lines of a given width, in the declaration's font, before any PDF library sees it.

Whatever a person wrote is plain text here: composed, its blanks alike, and what the font lacks is
shown as missing. Nothing is interpreted, nothing is refused.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

POINT = 25.4 / 72

FONTS = Path(__file__).parent / "fonts"
FONT_FILES = {False: FONTS / "NotoSans-Regular.ttf", True: FONTS / "NotoSans-Bold.ttf"}
CAP_HEIGHT = 0.714
MISSING = "\ufffd"  # a letter that the font does not have is seen to be missing

_MOST_HELD = 5  # single letters in a row: a text of nothing else is broken like any other


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """How wide clean text runs, in millimetres."""
    widths = advances(bold=bold)
    return sum(map(widths.__getitem__, text)) * size * POINT / 1000


@cache
def advances(*, bold: bool) -> dict[str, int]:
    """The letters that the font has, with their widths in thousandths of the size."""
    from fontTools.ttLib import TTFont

    with TTFont(FONT_FILES[bold], lazy=True) as font:
        scale, widths = 1000 / font["head"].unitsPerEm, font["hmtx"].metrics
        return {chr(c): round(widths[name][0] * scale) for c, name in font.getBestCmap().items()}


def clean(text: str) -> str:
    """Text with what can be shown of it: composed, blanks alike, what the font lacks as U+FFFD."""
    normal = unicodedata.normalize("NFC", re.sub("\r\n?|[\u2028\u2029\x85]", "\n", text))
    return normal.translate(_shown)


class _Shown(dict[int, str]):
    """What is shown of a character: found out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _as_shown(chr(code))
        return self[code]


_shown = _Shown()


def _as_shown(character: str) -> str:
    if character == "\n" or character in advances(bold=False):
        return "" if character == "\u00ad" else character
    category = unicodedata.category(character)
    if character == "\t" or category == "Zs":
        return "\u00a0" if character == "\u202f" else " "
    invisible = category == "Cf" or "\ufe00" <= character <= "\ufe0f"
    return "" if invisible else MISSING


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """One paragraph as lines that fit: broken at spaces, inside a word only if it fits no line."""
    widths = advances(bold=bold)
    lines, used = [""], 0
    for word in _unbreakable(clean(text).replace("\n", " ")):
        gap = widths[" "] if lines[-1] else 0
        long = sum(map(widths.__getitem__, word))
        if (used + gap + long) * size * POINT / 1000 <= width:
            lines[-1] = f"{lines[-1]} {word}" if gap else word
            used += gap + long
            continue
        *whole, rest = _cut(word, width, size, bold=bold)
        lines += [*whole, rest.lstrip(" ")]
        used = sum(map(widths.__getitem__, lines[-1]))
    return lines if lines[0] else lines[1:]


def _unbreakable(text: str) -> list[str]:
    """Words; a letter alone (w, z, i) neither ends a line nor, as the last of all, begins one."""
    words: list[str] = []
    held = ""
    for word in filter(None, text.split(" ")):
        held += word
        if len(word) == 1 and word.isalpha() and len(held) < _MOST_HELD:
            held += " "
            continue
        words.append(held)
        held = ""
    if held:
        words.append(" ".join([*words[-1:], held.rstrip(" ")]))
        del words[-2:-1]
    return words


def _cut(word: str, width: float, size: float, *, bold: bool) -> list[str]:
    widths = advances(bold=bold)
    pieces, used = [""], 0
    for character in word:
        if (used + widths[character]) * size * POINT / 1000 > width:
            pieces.append("")
            used = 0
        pieces[-1] += character
        used += widths[character]
    return pieces


def shortened(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Text as one line; an ellipsis stands for what does not fit."""
    first, *more = wrap(text, width, size, bold=bold) or [""]
    if not more:
        return first
    while first and measure(first + "…", size, bold=bold) > width:
        first = first[:-1]
    return first.rstrip(" ") + "…"


def paragraphs(text: str, width: float, size: float) -> list[str]:
    """The lines of text that has line breaks of its own; an empty line stays an empty line."""
    lines: list[str] = []
    for paragraph in clean(text).split("\n"):
        lines += wrap(paragraph, width, size) or [""]
    return lines
