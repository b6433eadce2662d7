"""What the writer wrote, told apart from what they quoted and passed on."""

import re

from chalicelib.kernel import text as rules

# All are compared with folded lines: without case and accents, in Russian without short i.
_ORIGINAL = re.compile(
    r"[\s*_=-]*(original message|original appointment|wiadomosc oryginalna|oryginalna wiadomosc"
    r"|исходное сообщение|оригинальное сообщение)[\s*_=:-]*"
)
_PASSED_ON = re.compile(
    r"[\s*_=-]*((begin )?forwarded message|wiadomosc przekazana( dalej)?|przekazana wiadomosc"
    r"|poczatek przekazywanej wiadomosci|пересылаемое сообщение|пересланное сообщение"
    r"|перенаправленное сообщение|начало переадресованного сообщения)[\s*_=:-]*"
)
_FORWARDING_SUBJECT = re.compile(r"\s*(fwd?|pd|przekazane|пересл|пересылка)\s*:")
_FIRST_FIELD = re.compile(r"[*\s]*(from|od|от)\s*:[*\s]*\S.*")
_FIELD = re.compile(
    r"[*\s]*(sent|date|to|subject|wyslano|data|do|temat|отправлено|дата|кому|тема)\s*:.*"
)
_STARTS = re.compile(
    r"(on |w dniu |dnia |\d|(pon|wt|sr|czw|pt|sob|niedz|пн|вт|ср|чт|пт|сб|вс)\w*[.,])"
)
_WROTE = re.compile(
    r"(\b(wrote|napisal(\(a\)|a)?|pisze|пишет|(на)?писал(\(а\)|а)?)\s*|<\S{3,254}>\s*):\s*\Z"
)


def split(text: str, subject: str) -> tuple[str, str, str]:
    """What the writer wrote, what he quoted, what he passed on; all of it, in its order."""
    own: list[str] = []
    quoted: list[str] = []
    to, lines, at = own, text.split("\n"), 0
    while at < len(lines):
        told = _folded(lines[at])
        if _PASSED_ON.fullmatch(told):
            return _parts_of_text(own, quoted, lines[at:])
        if _ORIGINAL.fullmatch(told) or _is_field_block(told, lines, at):
            if _FORWARDING_SUBJECT.match(rules.fold(subject)):
                return _parts_of_text(own, quoted, lines[at:])
            return _parts_of_text(own, quoted + lines[at:], [])
        many = _attribution(told, lines, at)
        if many and not _is_quote(_next_line(lines, at + many)):
            return _parts_of_text(own, quoted + lines[at:], [])
        for line in lines[at : at + max(many, 1)]:
            if line.strip():  # an empty line stays with the one before it
                to = quoted if many or _is_quote(line) else own
            to.append(line)
        at += max(many, 1)
    return _parts_of_text(own, quoted, [])


def _parts_of_text(*parts: list[str]) -> tuple[str, str, str]:
    own, quoted, passed_on = ("\n".join(lines).strip() for lines in parts)
    return own, quoted, passed_on


def _folded(line: str) -> str:
    """The line as the marks are compared; "" for what is too short or long to be one."""
    return rules.fold(line) if 4 <= len(line) <= 300 else ""


def _is_quote(line: str) -> bool:
    return line.lstrip(" ")[:1] == ">"


def _next_line(lines: list[str], at: int) -> str:
    return next((line for line in lines[at : at + 3] if line.strip()), "")


def _is_field_block(told: str, lines: list[str], at: int) -> bool:
    """Outlook's way to quote: From, Sent, To, Subject."""
    if not _FIRST_FIELD.fullmatch(told):
        return False
    following = (_folded(line) for line in lines[at + 1 : at + 7])
    return sum(_FIELD.fullmatch(line) is not None for line in following) >= 2


def _attribution(told: str, lines: list[str], at: int) -> int:
    """How many lines say "on that day, she wrote:"; 0 if none do.

    Where no quote marks follow, only a line with an address in it counts: "on 5 May the agent
    wrote:" may well be the complaint itself.
    """
    if not _STARTS.match(told) and not _says_who(told):
        return 0
    for many in (1, 2, 3):
        if not lines[at : at + many][-1].strip():
            return 0
        together = " ".join(lines[at : at + many])
        marked = _is_quote(_next_line(lines, at + many))
        if _says_who(_folded(together)) and (marked or "@" in together):
            return many
    return 0


def _says_who(told: str) -> bool:
    return any(one.isdigit() for one in told) and _WROTE.search(told) is not None
