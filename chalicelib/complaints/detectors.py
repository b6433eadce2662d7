"""What a letter holds that may not go by plain e-mail (M76, M78-M80): rules and lists, no model.

A person must be able to say why something was found. The rules would rather find too much than too
little; a finding says where and by which rule, and never what: it may be kept and logged. Numbers
of bank accounts are not looked for: an organisation names its own.

Pure; text as it is stored (NFC).
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from chalicelib.complaints import numbers
from chalicelib.complaints.numbers import END, START
from chalicelib.documents.sheet import Language

if TYPE_CHECKING:
    from chalicelib.complaints.lexicon import Words

# A point after a short word is an abbreviation: `ul. Długa`, `г. Москва`.
_SENTENCE_END = (
    r"(?<!\b[^\W\d])(?<!\b[^\W\d]{2})(?<!\b[^\W\d]{3})[.!?]+[)\]»”\"]*\s+(?=[A-ZА-Я«„“\"])|\n\s*\n"
)
_CHECKED = (
    (rf"{START}(\d{{11}}){END}", numbers.pesel),
    (rf"{START}(\d{{3}}([ -])\d{{3}}\2\d{{3}}[ -]\d{{2}}|\d{{11}}){END}", numbers.snils),
    (rf"{START}(\d{{12}}){END}", numbers.inn_of_person),
    (rf"{START}([A-Z]{{3}} ?\d{{6}}|[A-Z]{{2}} ?\d{{7}}){END}", numbers.polish_document),
)
_NIP = rf"(?<!\w)NIP(?: to|:)? ?(?:nr ?)?(?:PL ?)?(\d(?:[ -]?\d){{9}}){END}"
_NINO = rf"{START}[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){{3}} ?[A-D]{END}"
_MACHINE_READABLE = r"(?<!\w)[PIAC][A-Z<][A-Z]{3}[A-Z0-9]*<[A-Z0-9<]{5,}"
# Series of region and year of printing, then the number, apart as on the page.
_RUSSIAN_PASSPORT = (
    rf"{START}\d\d ?(?:9[7-9]|[0-4]\d) (?:№ ?|N ?)?\d{{6}}{END}|\d{{4}} ?№ ?\d{{6}}{END}"
)
# Russian letters that look like Latin ones are typed for them. U is for provisional use (COVID-19).
_ICD = r"(?<![\w.-])[A-ZАВЕКМНОРСТХ]\d\d"
_ICD_WITH_POINT = rf"{_ICD}\.\d{{1,2}}(?![\w%])"
_ICD_NAMED = (
    r"(?i:(?<!\w)(?:ICD|МКБ|MKB)(?:-?10)?"
    r"|(?<!\w)(?:rozpozn|diagno|диагно|chorob|schorzen|disease|заболеван)\w*)"
    rf"[^.!?\n]{{0,30}}?{_ICD}(?!\w)"
)
_CALCULATION = r"(?<!\w)\d[\d .,]{0,15}[x×*·х] ?\d[\d .,]{0,15}= ?\d[\d .,]{0,15}"


class Kind(StrEnum):
    """What may not go by plain e-mail."""

    ADDRESS = "address"
    IDENTITY = "identity"
    HEALTH = "health"
    MONEY = "money"
    PAYOUT = "payout"

    @property
    def forbidden_by(self) -> str:
        """The line of the requirements that forbids it."""
        return _FORBIDDEN_BY[self]


_FORBIDDEN_BY = {
    Kind.ADDRESS: "M76",
    Kind.IDENTITY: "M76",
    Kind.HEALTH: "M79",
    Kind.MONEY: "M78",
    Kind.PAYOUT: "M80",
}


class Rule(StrEnum):
    """Why something was found."""

    CHECK_DIGIT = "check_digit"
    NAMED_DOCUMENT = "named_document"
    DOCUMENT_FORM = "document_form"
    STREET = "street"
    POSTCODE = "postcode"
    DIAGNOSIS_CODE = "diagnosis_code"
    ILLNESS = "illness"
    MEDICAL_SERVICE = "medical_service"
    SUM = "sum"
    CALCULATION = "calculation"
    SURCHARGE = "surcharge"
    PAID = "paid"
    OFFICER = "officer"


class Finding(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A stretch of the letter, what it is and why; never the stretch itself."""

    start: int
    end: int
    kind: Kind
    reason: Rule


def findings(text: str, language: Language) -> tuple[Finding, ...]:
    """All that the letter holds, in its order; stretches of one kind do not overlap."""
    from chalicelib.complaints.lexicon import words_of

    letter = _Letter(text, words_of(language))
    return _merged(
        chain(
            _numbers(letter),
            _numbers_by_form(letter),
            _documents(letter),
            _addresses(letter),
            _health(letter),
            _sums(letter),
        )
    )


class _Letter:
    """A text as the rules see it: every sign in its place, its diacritics and odd spaces plain."""

    def __init__(self, text: str, words: "Words") -> None:
        from chalicelib.complaints.lexicon import PLAIN

        self.text = text.translate(PLAIN)
        self.words = words
        self._ends = [found.end() for found in re.finditer(_SENTENCE_END, self.text)]

    def sentence(self, at: int) -> tuple[int, int]:
        """Where the sentence around this place begins and ends."""
        start = max((end for end in self._ends if end <= at), default=0)
        return start, min((end for end in self._ends if end > at), default=len(self.text))

    def says(self, pattern: re.Pattern[str], at: int) -> bool:
        """Whether the sentence around this place holds one of the words."""
        return pattern.search(self.text, *self.sentence(at)) is not None

    def last(self, pattern: re.Pattern[str], before: int, within: int = 10_000) -> int:
        """Where the word stands last in the sentence before this place; -1 if it does not."""
        start = max(self.sentence(before)[0], before - within)
        return max((one.start() for one in pattern.finditer(self.text, start, before)), default=-1)

    def nearest(self, pattern: re.Pattern[str], at: int) -> int | None:
        """How far the word is in the sentence around this place."""
        found = pattern.finditer(self.text, *self.sentence(at))
        return min((abs(one.start() - at) for one in found), default=None)


def _found(match: re.Match[str], kind: Kind, reason: Rule) -> Finding:
    return Finding(start=match.start(), end=match.end(), kind=kind, reason=reason)


def _numbers(letter: _Letter) -> Iterator[Finding]:
    for pattern, valid in _CHECKED:
        for match in re.finditer(pattern, letter.text):
            if valid(re.sub(r"\W", "", match[1])) and not _is_telephone(letter, match):
                yield _found(match, Kind.IDENTITY, Rule.CHECK_DIGIT)


def _numbers_by_form(letter: _Letter) -> Iterator[Finding]:
    for match in re.finditer(_NIP, letter.text):
        # Every letterhead has the organisation's own.
        own = letter.says(letter.words.companies, match.start())
        if numbers.nip(re.sub(r"\W", "", match[1])) and not own:
            yield _found(match, Kind.IDENTITY, Rule.CHECK_DIGIT)
    for pattern in (_NINO, _MACHINE_READABLE, _RUSSIAN_PASSPORT):
        for match in re.finditer(pattern, letter.text):
            if not _is_telephone(letter, match):
                yield _found(match, Kind.IDENTITY, Rule.DOCUMENT_FORM)


def _is_telephone(letter: _Letter, match: re.Match[str]) -> bool:
    return letter.last(letter.words.telephones, match.start(), 30) >= 0


def _documents(letter: _Letter) -> Iterator[Finding]:
    for named, number in letter.words.documents:
        for word in named.finditer(letter.text):
            end = min(letter.sentence(word.start())[1], word.end() + 60)
            if match := number.search(letter.text, word.end(), end):
                yield _found(match, Kind.IDENTITY, Rule.NAMED_DOCUMENT)


def _addresses(letter: _Letter) -> Iterator[Finding]:
    streets = ((one, Rule.STREET) for one in letter.words.streets)
    postcodes = ((one, Rule.POSTCODE) for one in letter.words.postcodes)
    for pattern, reason in chain(streets, postcodes):
        for match in pattern.finditer(letter.text):
            # Answers name the ombudsman and the court with their addresses: no secret.
            office = letter.last(letter.words.offices, match.start())
            if office <= letter.last(letter.words.clients, match.start()):
                yield _found(match, Kind.ADDRESS, reason)


def _health(letter: _Letter) -> Iterator[Finding]:
    words = letter.words
    for pattern, reason in (
        (words.illnesses, Rule.ILLNESS),
        (words.services, Rule.MEDICAL_SERVICE),
    ):
        for match in pattern.finditer(letter.text):
            terms = letter.says(words.general, match.start())
            if not terms or letter.says(words.personal, match.start()):
                yield _found(match, Kind.HEALTH, reason)
    for match in re.finditer(_ICD_WITH_POINT, letter.text):
        yield _found(match, Kind.HEALTH, Rule.DIAGNOSIS_CODE)
    for match in re.finditer(_ICD_NAMED, letter.text):
        yield _found(match, Kind.HEALTH, Rule.DIAGNOSIS_CODE)


def _sums(letter: _Letter) -> Iterator[Finding]:
    words = letter.words
    for pattern in words.sums:
        for match in pattern.finditer(letter.text):
            yield _found(match, _kind_of_sum(letter, match.start()), Rule.SUM)
    for match in re.finditer(_CALCULATION, letter.text):
        yield _found(match, Kind.MONEY, Rule.CALCULATION)
    for match in words.surcharges.finditer(letter.text):
        yield _found(match, Kind.MONEY, Rule.SURCHARGE)
    for match in words.paid.finditer(letter.text):
        start, end = letter.sentence(match.start())
        before = words.payouts.search(letter.text, start, match.start())
        if before or words.payouts.search(letter.text, match.end(), end):
            yield _found(match, Kind.PAYOUT, Rule.PAID)


def _kind_of_sum(letter: _Letter, at: int) -> Kind:
    """What was paid for a claim (M80), or any other money (M78), by the word that is nearest."""
    payout = letter.nearest(letter.words.payouts, at)
    premium = letter.nearest(letter.words.premiums, at)
    if payout is None or (premium is not None and premium < payout):
        return Kind.MONEY
    return Kind.PAYOUT


def _merged(found: Iterable[Finding]) -> tuple[Finding, ...]:
    merged: list[Finding] = []
    for one in sorted(found, key=lambda one: (one.kind, one.start, -one.end)):
        last = merged[-1] if merged else None
        if last and last.kind is one.kind and one.start < last.end:
            merged[-1] = msgspec.structs.replace(last, end=max(last.end, one.end))
        else:
            merged.append(one)
    return tuple(sorted(merged))
