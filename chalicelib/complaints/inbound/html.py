"""HTML as the text that a person would read."""

import html
import re
from html.parser import HTMLParser

from chalicelib.complaints.inbound.shapes import NoteCode, Noting

_UNSEEN = re.compile(
    r"<!--.*?(?:-->|(?P<open>\Z))"
    r"|<(script|style|title|xml)\b.*?(?:</\2[^<>]{0,100}>|(?P<open2>\Z))"
    r"|<[!?][^<>]{0,8000}>",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"(</?[A-Za-z][^<>]{0,8000}>)")
_BARE_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)\s*/?>")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")  # `int` refuses thousands of digits
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "ul", "ol"})
_BLOCKS = frozenset(
    {
        *("address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "footer"),
        *("form", "header", "li", "main", "pre", "section", "tr"),
    }
)
_MOST_QUOTES = 5


class _Readable(HTMLParser):
    """HTML as text. Fed one tag at a time, as the parser is quadratic on what never closes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.lines: list[str] = []
        self._line: list[str] = []
        self._links: list[str] = []
        self._lists: list[int | None] = []
        self._quotes = self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What a tag means for the lines."""
        self._break(tag)
        given = {name: value or "" for name, value in attrs}
        if tag in {"ol", "ul"}:
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._line.append(self._bullet())
        elif tag == "a":
            self._links.append(given.get("href", "").strip())
        elif tag == "img" and given.get("alt", "").strip():
            self.words(f"[{given['alt'].strip()}]")
        elif tag in {"td", "th"} and self._line:
            self._line.append(" ")
        self._opened(tag)

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        """What its end means."""
        if tag == "a" and self._links:
            self._show_link(self._links.pop())
        self._break(tag)
        if tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)

    def tag(self, source: str) -> None:
        """One tag; only those with attributes need to be parsed."""
        if bare := _BARE_TAG.fullmatch(source):
            handle = self.handle_endtag if bare[1] else self._opens
            handle(bare[2].lower())
            return
        self.feed(source)
        self.clear_cdata_mode()
        if self.rawdata:  # no tag after all
            self.words(self.rawdata)
            self.reset()

    def words(self, text: str) -> None:
        """Text between tags."""
        if not text:
            return
        if not self._pre:
            self._line.append(re.sub(r"[ \t\r\n\f\xa0]+", " ", text))
            return
        first, *rest = text.split("\n")
        self._line.append(first)
        for one in rest:
            self.flush()
            self._line.append(one)

    def flush(self) -> None:
        """The line ends."""
        line = "".join(self._line)
        line = line if self._pre else re.sub(" {2,}", " ", line).strip()
        self._line.clear()
        if line or (self.lines and self.lines[-1].strip("> ")):
            self.lines.append("> " * min(self._quotes, _MOST_QUOTES) + line)

    def _opens(self, tag: str) -> None:
        self.handle_starttag(tag, [])

    def _opened(self, tag: str) -> None:
        self._quotes += tag == "blockquote"
        self._pre += tag == "pre"
        if tag == "hr":
            self.lines.append("---")

    def _break(self, tag: str) -> None:
        if tag in _SPACED:
            self.flush()
            self.flush()
        elif tag in _BLOCKS and (tag == "br" or any(one.strip() for one in self._line)):
            self.flush()

    def _bullet(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        self._lists[-1] += 1
        return f"{self._lists[-1]}. "

    def _show_link(self, href: str) -> None:
        shown = "".join(self._line[-20:])
        target = re.sub(r"^(mailto|tel):", "", href, flags=re.IGNORECASE)
        wanted = re.match(r"(https?|mailto|tel):", href, re.IGNORECASE) is not None
        if wanted and target.rstrip("/") not in shown:
            self._line.append(f" <{target[:2000]}>")


def readable(source: str, note: Noting) -> str:
    """What a person would read: no scripts and styles, links shown, lists and quotes marked."""
    parser = _Readable()
    seen = _UNSEEN.sub(lambda one: _gap(one, note), _LONG_NUMBER.sub("\ufffd", source))
    for number, piece in enumerate(_TAG.split(seen)):
        if number % 2 == 0:
            parser.words(html.unescape(piece))
        else:
            parser.tag(piece)
    parser.flush()
    return "\n".join(parser.lines)


def _gap(unseen: re.Match[str], note: Noting) -> str:
    if unseen["open"] is not None or unseen["open2"] is not None:
        note(NoteCode.HTML_UNCLOSED)
    return ""
