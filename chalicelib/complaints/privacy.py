"""The privacy gate: what a letter holds, and by which channels it may therefore leave (M75-M84).

Rules and lists of words (`privacy/*.toml`), no model: a person must be able to say why something
was found. The gate would rather find too much than too little; the officer confirms or corrects
it, and a correction says why. A finding says where and by which rule, and never what: it may be
kept and logged. Numbers of bank accounts are not looked for: an organisation names its own.

Pure; text as it is stored (NFC).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Literal

import msgspec

from chalicelib.complaints import numbers
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.kernel.text import block

Language = Literal["pl", "en", "ru"]

_HERE = Path(__file__).parent / "privacy"
_LANGUAGES: tuple[Language, ...] = ("pl", "en", "ru")


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
    letter = _Letter(text, _words(language))
    return _merged(
        chain(_numbers(letter), _documents(letter), _addresses(letter), _health(letter), _sums(letter))
    )


# ---- The officer's say, and the gate ----


class CorrectionNeedsReason(Invalid):
    """A finding taken away or added without saying why."""

    code = "correction_needs_reason"
    sentence = "Say why you correct what was found in the letter."


class CorrectionRefused(Invalid):
    """Takes away what was not found, or adds a stretch that is not in the letter."""

    code = "correction_refused"
    sentence = "The correction does not fit the letter."


class ReviewOutdated(Conflict):
    """The letter was changed after it was looked at."""

    code = "review_outdated"
    sentence = "The letter has changed since it was checked for private data. Check it again."


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer made of the findings of one text, known by its digest.

    Nothing removed and nothing added confirms them; a correction needs its reason.
    """

    text_digest: str
    removed: tuple[Finding, ...] = ()
    added: tuple[Finding, ...] = ()
    reason: str = ""


def confirmed(text: str) -> Review:
    """The officer agrees with what was found in this text."""
    return Review(text_digest=digest(text))


def corrected(
    text: str,
    found: tuple[Finding, ...],
    *,
    removed: Iterable[Finding] = (),
    added: Iterable[tuple[int, int, Kind]] = (),
    reason: str,
) -> Review:
    """The officer knows better, and says why; `CorrectionNeedsReason`, `CorrectionRefused`."""
    taken, new = tuple(removed), tuple(added)
    if not reason.strip():
        raise CorrectionNeedsReason(field="reason")
    if not set(taken) <= set(found) or not (taken or new):
        raise CorrectionRefused(field="removed")
    if not all(0 <= start < end <= len(text) for start, end, _ in new):
        raise CorrectionRefused(field="added")
    return Review(
        text_digest=digest(text),
        removed=taken,
        added=tuple(
            Finding(start=start, end=end, kind=kind, reason=Rule.OFFICER) for start, end, kind in new
        ),
        reason=block(reason, "reason", most=1000),
    )


def reviewed(text: str, found: tuple[Finding, ...], review: Review) -> tuple[Finding, ...]:
    """What counts once the officer has looked; `ReviewOutdated` for a text changed since."""
    if review.text_digest != digest(text):
        raise ReviewOutdated
    return tuple(sorted([*(one for one in found if one not in review.removed), *review.added]))


def digest(text: str) -> str:
    """Which text a review is about."""
    return hashlib.sha256(text.encode()).hexdigest()


class Channel(StrEnum):
    """How an answer may leave."""

    EMAIL = "email"
    REGISTERED_POST = "registered_post"
    IN_PERSON = "in_person"


class Why(StrEnum):
    """A ground for or against a channel."""

    NOTHING_PRIVATE = "nothing_private"
    EMAIL_IDENTIFIED = "email_identified"
    CONSENT_TO_ADDRESS = "consent_to_address"
    OFFICIAL_LETTER = "official_letter"
    CLIENT_IDENTIFIED = "client_identified"
    HOLDS_PRIVATE = "holds_private"
    NOT_INFORMATIONAL = "not_informational"
    EMAIL_NOT_IDENTIFIED = "email_not_identified"
    DATA_CONSENT_MISSING = "data_consent_missing"
    CONSENT_TO_ADDRESS_MISSING = "consent_to_address_missing"


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A ground with the line that it rests on, and the kind that it speaks of."""

    why: Why
    line: str
    kind: Kind | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """For each allowed channel its grounds; why e-mail is not among them, where it is not.

    In person always means with the identification recorded first (M80, M84).
    """

    allowed: dict[Channel, tuple[Ground, ...]]
    against_email: tuple[Ground, ...] = ()

    @property
    def needs_identification(self) -> frozenset[Channel]:
        """Channels that are open only once the identification of the client is recorded."""
        return frozenset({Channel.IN_PERSON})


def channels(
    found: Iterable[Finding],
    *,
    identified_email: bool,
    data_consent: bool,
    written_consent_to_address: bool,
    informational: bool,
) -> Verdict:
    """Which channels are open to a letter that holds this.

    E-mail is, for a plain piece of information that holds nothing private (M76-M80), to the address
    identified for this client who signed the consent to data processing (M81, M82), or to the one
    that he consented to in writing (M83). Post and in person always are (M84).
    """
    against = _against(found, informational=informational)
    grounds = tuple(
        _exceptions(identified_email and data_consent, written_consent_to_address)
        if against
        else [Ground(why=Why.NOTHING_PRIVATE, line="M76")]
    )
    allowed = {
        Channel.REGISTERED_POST: (Ground(why=Why.OFFICIAL_LETTER, line="M84"),),
        Channel.IN_PERSON: (Ground(why=Why.CLIENT_IDENTIFIED, line="M84"),),
    }
    if grounds:
        return Verdict(allowed={Channel.EMAIL: grounds, **allowed})
    missing = (
        Ground(why=Why.DATA_CONSENT_MISSING, line="M82")
        if identified_email
        else Ground(why=Why.EMAIL_NOT_IDENTIFIED, line="M81")
    )
    consent = Ground(why=Why.CONSENT_TO_ADDRESS_MISSING, line="M83")
    return Verdict(allowed=allowed, against_email=(*against, missing, consent))


def _against(found: Iterable[Finding], *, informational: bool) -> tuple[Ground, ...]:
    held = {one.kind for one in found}
    against = [
        Ground(why=Why.HOLDS_PRIVATE, line=kind.forbidden_by, kind=kind)
        for kind in Kind
        if kind in held
    ]
    if not informational:
        against.append(Ground(why=Why.NOT_INFORMATIONAL, line="M77"))
    return tuple(against)


def _exceptions(identified: bool, consented: bool) -> Iterator[Ground]:
    if identified:
        yield Ground(why=Why.EMAIL_IDENTIFIED, line="M81")
    if consented:
        yield Ground(why=Why.CONSENT_TO_ADDRESS, line="M83")


# ---- The detectors ----


class _Letter:
    """A text as the rules see it: every sign in its place, its diacritics and odd spaces plain."""

    def __init__(self, text: str, words: "_Words") -> None:
        self.text = text.translate(_PLAIN)
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
    words = letter.words
    for match in re.finditer(_ELEVEN_OR_TWELVE, letter.text):
        digits = re.sub(r"\D", "", match[0])
        valid = numbers.pesel(digits) or numbers.snils(digits) or numbers.inn_of_person(digits)
        if valid and letter.last(words.telephones, match.start(), 30) < 0:
            yield _found(match, Kind.IDENTITY, Rule.CHECK_DIGIT)
    for match in re.finditer(_POLISH_DOCUMENT, letter.text):
        if numbers.polish_document(re.sub(r"\s", "", match[0]).upper()):
            yield _found(match, Kind.IDENTITY, Rule.CHECK_DIGIT)
    for match in re.finditer(_NIP, letter.text):
        own = letter.says(words.companies, match.start())
        if numbers.nip(re.sub(r"\D", "", match[0])) and not own:
            yield _found(match, Kind.IDENTITY, Rule.CHECK_DIGIT)
    for pattern in (_NINO, _MACHINE_READABLE, _RUSSIAN_PASSPORT):
        for match in re.finditer(pattern, letter.text):
            if letter.last(words.telephones, match.start(), 30) < 0:
                yield _found(match, Kind.IDENTITY, Rule.DOCUMENT_FORM)


def _documents(letter: _Letter) -> Iterator[Finding]:
    for named, number in letter.words.documents:
        for word in named.finditer(letter.text):
            end = min(letter.sentence(word.start())[1], word.end() + 60)
            if match := number.search(letter.text, word.end(), end):
                yield _found(match, Kind.IDENTITY, Rule.NAMED_DOCUMENT)


def _addresses(letter: _Letter) -> Iterator[Finding]:
    for pattern, reason in letter.words.addresses:
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


# ---- What is looked for ----

# One sign for one sign, so that places stay true.
_PLAIN = str.maketrans(
    "ąćęłńóśźżĄĆĘŁŃÓŚŹŻёЁ\u00a0\u2007\u2009\u202f\t\u2010\u2011\u2012\u2013\u2014\u2212’",
    "acelnoszzACELNOSZZеЕ     ------'",
)
# A point after a short word is an abbreviation: `ul. Długa`, `г. Москва`.
_SENTENCE_END = (
    r"(?<!\b[^\W\d])(?<!\b[^\W\d]{2})(?<!\b[^\W\d]{3})[.!?]+[)\]»”\"]*\s+(?=[A-ZА-Я«„“\"])|\n\s*\n"
)
_START, _END = r"(?<![\w+])(?<!\d[-/.])", r"(?!\w)(?![-/]\d)"
_ELEVEN_OR_TWELVE = rf"{_START}(?:\d{{3}}-\d{{3}}-\d{{3}}[ -]\d{{2}}|\d{{11,12}}){_END}"
_POLISH_DOCUMENT = rf"{_START}(?:[A-Z]{{3}} ?\d{{6}}|[A-Z]{{2}} ?\d{{7}}){_END}"
_NIP = rf"(?<!\w)NIP:? ?(?:nr ?)?(?:PL ?)?\d(?:[ -]?\d){{9}}{_END}"
_NINO = rf"{_START}[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){{3}} ?[A-D]{_END}"
_MACHINE_READABLE = r"(?<!\w)[PIAC][A-Z<][A-Z]{3}[A-Z0-9<]{10,}"
# Series of region and year of printing, then the number, apart as on the page.
_RUSSIAN_PASSPORT = rf"{_START}\d\d (?:9[7-9]|[0-4]\d) (?:№ ?|N ?)?\d{{6}}{_END}|\d{{4}} ?№ ?\d{{6}}{_END}"
# Russian letters that look like Latin ones are typed for them. U is for provisional use (COVID-19).
_ICD = r"(?<![\w.-])[A-ZАВЕКМНОРСТХ]\d\d"
_ICD_WITH_POINT = rf"{_ICD}\.\d{{1,2}}(?![\w%])"
_ICD_NAMED = (
    r"(?i:(?<!\w)(?:ICD|МКБ|MKB)(?:-?10)?|(?<!\w)(?:rozpozn|diagno|диагно)\w*)[^.!?\n]{0,30}?"
    rf"{_ICD}(?!\w)"
)
_NUMBER = r"(?<![\w.,/-])(?:\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)"
_SYMBOLS = "[$€£₽]"
_CODES = "(?-i:PLN|EUR|USD|GBP|RUB|RUR|CHF)"
_NO_SUM = (
    r"(?!\d|[./:,-]\d|\s*(?:%|proc|dni|mies|tyg|rat\b|raty|lat|rok|r\.|day|month|week|year|instal|per"
    r"|дн|день|мес|год|г\.|недел|лет|раз|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|stycz|lut|kwie"
    r"|maj|czerw|lip|sierp|wrze|paz|list|grud|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек))"
)
_CALCULATION = r"(?<!\w)\d[\d .,]*[x×*·х] ?\d[\d .,]*= ?\d[\d .,]*"
_HOUSE_NUMBER = r"\d+ ?[A-Za-zА-Яа-я]?(?:[/-]\d+\w?)?(?!\w)"
_NAME = r"(?-i:[A-ZА-Я0-9])[\w.'-]*(?:\s+[\w.'-]+){0,3}?"


class _Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    illnesses: list[str]
    illnesses_here: list[str]
    services: list[str]
    leading: list[str]
    general: list[str]
    personal: list[str]


class _Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    currencies: list[str]
    numerals: list[str]
    thousands: list[str]
    premiums: list[str]
    amounts_to: list[str]
    surcharges: list[str]
    payouts: list[str]
    paid: list[str]


class _Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    before: list[str]
    after: list[str]
    house: list[str]
    home: list[str]
    clients: list[str]
    offices: list[str]


class _Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    telephones: list[str]
    companies: list[str]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    health: _Health
    money: _Money
    address: _Address
    identity: _Identity


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: list[str]
    number: str


class _Documents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    documents: list[_Document]


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    """The lists as patterns, ready for a letter of one language."""

    telephones: re.Pattern[str]
    companies: re.Pattern[str]
    documents: list[tuple[re.Pattern[str], re.Pattern[str]]]
    addresses: list[tuple[re.Pattern[str], Rule]]
    offices: re.Pattern[str]
    clients: re.Pattern[str]
    illnesses: re.Pattern[str]
    services: re.Pattern[str]
    general: re.Pattern[str]
    personal: re.Pattern[str]
    sums: list[re.Pattern[str]]
    surcharges: re.Pattern[str]
    premiums: re.Pattern[str]
    payouts: re.Pattern[str]
    paid: re.Pattern[str]


@cache
def _words(language: Language) -> _Words:
    # Letters mix languages: all words count in all of them, but for those with a meaning elsewhere.
    files = [_file(one) for one in _LANGUAGES]
    health, money = [one.health for one in files], [one.money for one in files]
    address, identity = [one.address for one in files], [one.identity for one in files]
    here = _file(language).health.illnesses_here
    return _Words(
        telephones=_any(chain.from_iterable(one.telephones for one in identity)),
        companies=_any(chain.from_iterable(one.companies for one in identity)),
        documents=[(_any(one.words), _number(one.number)) for one in _named_documents()],
        addresses=_address_patterns(address),
        offices=_any(chain.from_iterable(one.offices for one in address)),
        clients=_any(chain.from_iterable(one.clients for one in address)),
        illnesses=_any([*chain.from_iterable(one.illnesses + one.leading for one in health), *here]),
        services=_any(chain.from_iterable(one.services for one in health)),
        general=_any(chain.from_iterable(one.general for one in health)),
        personal=_any(chain.from_iterable(one.personal for one in health)),
        sums=_sum_patterns(money),
        surcharges=_surcharge_pattern(money),
        premiums=_any(chain.from_iterable(one.premiums for one in money)),
        payouts=_any(chain.from_iterable(one.payouts for one in money)),
        paid=_any(chain.from_iterable(one.paid for one in money)),
    )


def _file(language: Language) -> _File:
    return msgspec.toml.decode((_HERE / f"{language}.toml").read_bytes(), type=_File)


def _named_documents() -> list[_Document]:
    written = (_HERE / "documents.toml").read_bytes()
    return msgspec.toml.decode(written, type=_Documents).documents


def _number(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"{_START}{pattern.replace('A-Z', 'A-ZА-Я')}{_END}")


def _address_patterns(files: list[_Address]) -> list[tuple[re.Pattern[str], Rule]]:
    before = _source(chain.from_iterable(one.before for one in files))
    after = _source(chain.from_iterable(one.after for one in files))
    house = _source(chain.from_iterable(one.house for one in files))
    home = _source(chain.from_iterable(one.home for one in files))
    numbered = rf"{_NAME},?\s+(?:{house}\s*)?{_HOUSE_NUMBER}"
    streets = [
        rf"{before}\s*{numbered}",
        rf"(?-i:[А-Я])\w+\s+{after},?\s+(?:{house}\s*)?{_HOUSE_NUMBER}",
        rf"(?<!\w)\d+\w?\s+(?:(?-i:[A-Z])[\w']+\s+){{1,3}}{after}",
        rf"{home}[^.!?]{{0,60}}?{house}\s*{_HOUSE_NUMBER}",
        r"(?<!\w)(?:flat|apartment|кв\.|квартир\w+ №?)\s*\d+",
        rf"(?<!\w)(?:д\.|дом)\s*{_HOUSE_NUMBER},?\s*(?:кв|корп|стр)",
    ]
    postcodes = [
        r"(?<![\w/-])\d\d-\d{3}\s+(?-i:[A-Z])\w+",
        r"(?<!\w)(?-i:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})(?!\w)",
        r"(?-i:[A-Z])\w+,\s+(?-i:[A-Z]{2})\s+\d{5}(?!\w)",
        r"(?<![\w-])[1-6]\d{5},\s+(?:г\.\s*)?(?-i:[А-Я])\w+",
        r"(?<!\w)(?:p\.?o\.? box|skrytka pocztowa|а/я)\s*\d+",
    ]
    return [
        *((re.compile(one, re.I), Rule.STREET) for one in streets),
        *((re.compile(one, re.I), Rule.POSTCODE) for one in postcodes),
    ]


def _sum_patterns(files: list[_Money]) -> list[re.Pattern[str]]:
    currency = _source(chain.from_iterable(one.currencies for one in files))
    currency = rf"(?:{currency}|{_CODES}(?!\w)|{_SYMBOLS})"
    thousands = _source(chain.from_iterable(one.thousands for one in files))
    numeral = _source(chain.from_iterable(one.numerals for one in files))
    noun = _source(chain.from_iterable(one.premiums + one.payouts for one in files))
    amounts_to = _source(chain.from_iterable(one.amounts_to for one in files))
    return [
        re.compile(pattern, re.I)
        for pattern in (
            rf"{_NUMBER}(?:\s?{thousands})?\s?{currency}",
            rf"(?:(?<!\w){_CODES}|{_SYMBOLS})\s?\d[\d.,]*(?: \d{{3}})*(?:\s?{thousands})?",
            rf"{numeral}(?:[\s-]+(?:{numeral}|{thousands})){{0,8}}\s+{currency}",
            rf"{noun}[^.!?\d]{{0,60}}?{amounts_to}:?\s+{_NUMBER}{_NO_SUM}",
        )
    ]


def _surcharge_pattern(files: list[_Money]) -> re.Pattern[str]:
    noun = _source(chain.from_iterable(one.surcharges for one in files))
    share = r"\d+(?:[.,]\d+)?\s*(?:%|procent\w*|per\s?cent|процент\w*)"
    return re.compile(rf"{noun}[^.!?]{{0,40}}?{share}|{share}[^.!?]{{0,25}}?{noun}", re.I)


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_source(words), re.I)


def _source(words: Iterable[str]) -> str:
    """One of the words: `*` is the rest of a word, a space any white space."""
    return "(?:" + "|".join(map(_word, sorted(set(words), key=len, reverse=True))) + ")"


def _word(word: str) -> str:
    plain = re.escape(word.translate(_PLAIN)).replace(r"\ ", r"\s+").replace(r"\*", r"\w*")
    return rf"(?<!\w){plain}" + ("" if word[-1] in ".:*" else r"(?!\w)")
