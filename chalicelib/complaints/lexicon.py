"""The lists of words (`privacy/*.toml`) as patterns, ready for a letter of one language.

In the lists `*` is the rest of a word and a space any white space; case and diacritics do not
count. Compiled at the first letter, not at import.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import chain
from pathlib import Path

import msgspec

from chalicelib.complaints.numbers import END, START
from chalicelib.documents.sheet import Language

_HERE = Path(__file__).parent / "privacy"
_LANGUAGES: tuple[Language, ...] = ("pl", "en", "ru")
# One sign for one sign, so that places stay true.
PLAIN = str.maketrans(
    "ąćęłńóśźżĄĆĘŁŃÓŚŹŻёЁ\u00a0\u2007\u2009\u202f\t\u2010\u2011\u2012\u2013\u2014\u2212’",
    "acelnoszzACELNOSZZеЕ     ------'",
)
_SYMBOLS = "[$€£₽]"
_CODES = "(?-i:PLN|EUR|USD|GBP|RUB|RUR|CHF)"
_NUMBER = r"(?<![\w.,/-])(?:\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)"
_NO_SUM = (
    r"(?!\d|[./:,-]\d|\s*(?:%|proc|dni|mies|tyg|rat\b|raty|lat|rok|r\.|day|month|week|year|instal|per"
    r"|дн|день|мес|год|г\.|недел|лет|раз|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|stycz|lut|kwie"
    r"|maj|czerw|lip|sierp|wrze|paz|list|grud|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек))"
)
_HOUSE_NUMBER = r"\d{1,3} ?[A-Za-zА-Яа-я]?\d{0,2}(?:[/-]\d+\w?)?(?!\w)"
_NAME = r"(?-i:[A-ZА-Я0-9])[\w.'-]*(?:\s+[\w.'-]+){0,3}?"
_POSTCODES = (
    r"(?<![\w/-])\d\d-\d{3}\s+(?-i:[A-Z])\w+",
    r"(?<!\w)(?-i:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})(?!\w)",
    r"(?<!\w)(?-i:[A-Z])\w+,\s+(?-i:[A-Z]{2})\s+\d{5}(?!\w)",
    r"(?<![\w-])[1-6]\d{5},\s+(?:г\.\s*)?(?-i:[А-Я])\w+",
    r"(?<!\w)(?:p\.?o\.? box|skrytka pocztowa|skr\. poczt\.|а/я)\s*\d+",
)


class _Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    illnesses: list[str]
    body: list[str]
    signs: list[str]
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
    priced: list[str]
    amounts: list[str]
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


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The lists as patterns, ready for a letter of one language."""

    telephones: re.Pattern[str]
    companies: re.Pattern[str]
    documents: list[tuple[re.Pattern[str], re.Pattern[str]]]
    streets: list[re.Pattern[str]]
    postcodes: list[re.Pattern[str]]
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
def words_of(language: Language) -> Words:
    # Letters mix languages: all words count in all of them, but for those with a meaning elsewhere.
    files = [_file(one) for one in _LANGUAGES]
    health, money = [one.health for one in files], [one.money for one in files]
    address, identity = [one.address for one in files], [one.identity for one in files]
    here = _file(language).health.illnesses_here
    return Words(
        telephones=_any(chain.from_iterable(one.telephones for one in identity)),
        companies=_any(chain.from_iterable(one.companies for one in identity)),
        documents=[(_any(one.words), _number(one.number)) for one in _named_documents()],
        streets=_street_patterns(address),
        postcodes=[re.compile(one, re.I) for one in _POSTCODES],
        offices=_any(chain.from_iterable(one.offices for one in address)),
        clients=_any(chain.from_iterable(one.clients for one in address)),
        illnesses=_any([*chain.from_iterable(map(_of_illness, health)), *here]),
        services=_any(chain.from_iterable(one.services for one in health)),
        general=_any(chain.from_iterable(one.general for one in health)),
        personal=_any(chain.from_iterable(one.personal for one in health)),
        sums=_sum_patterns(money),
        surcharges=_surcharge_pattern(money),
        premiums=_any(chain.from_iterable(one.premiums for one in money)),
        payouts=_any(chain.from_iterable(one.payouts for one in money)),
        paid=_any(chain.from_iterable(one.paid for one in money)),
    )


def _of_illness(health: _Health) -> list[str]:
    return [*health.illnesses, *health.leading, *health.body, *health.signs]


def _file(language: Language) -> _File:
    return msgspec.toml.decode((_HERE / f"{language}.toml").read_bytes(), type=_File)


def _named_documents() -> list[_Document]:
    written = (_HERE / "documents.toml").read_bytes()
    return msgspec.toml.decode(written, type=_Documents).documents


def _number(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"{START}{pattern.replace('A-Z', 'A-ZА-Я')}{END}")


def _street_patterns(files: list[_Address]) -> list[re.Pattern[str]]:
    before = _source(chain.from_iterable(one.before for one in files))
    after = _source(chain.from_iterable(one.after for one in files))
    house = _source(chain.from_iterable(one.house for one in files))
    home = _source(chain.from_iterable(one.home for one in files))
    numbered = rf"{_NAME},?\s+(?:{house}\s*)?{_HOUSE_NUMBER}"
    streets = [
        rf"{before}\s*(?:[^\W\d]{{1,10}}\.?\s+){{0,2}}?{numbered}",
        rf"(?<!\w)(?-i:[А-Я])\w+\s+{after},?\s+(?:{house}\s*)?{_HOUSE_NUMBER}",
        rf"(?<!\w)\d+\w?\s+(?:(?-i:[A-Z])[\w']+\s+){{1,3}}{after}",
        rf"{home}[^.!?\d]{{0,40}}?(?<!\w)(?-i:[A-ZА-Я])[\w'-]+,?\s+{_HOUSE_NUMBER}",
        rf"{home}[^.!?\d]{{0,40}}?(?<!\w)(?-i:[A-Z])[\w'-]+\s+(?:Cottage|House|Farm|Lodge|Barn|Manor)",
        r",\s+(?-i:[A-Z])\w+(?:ska|cka|skiej|ckiej|owa|owej|icza|iego)\s+\d{1,3}(?!\w)",
        r",\s+(?-i:[А-Я])\w+(?:ая|ой|ого|ева|ова|ина),\s+\d{1,3}(?!\w)",
        r"(?<!\w)\d+\w?\s+The\s+(?-i:[A-Z])\w+,\s+(?-i:[A-Z])",
        rf"(?<!\w)(?-i:[A-Z])\w+\s+{_HOUSE_NUMBER}\s+(?:lok\.|m\.)\s*\d",
        rf"{home}[^.!?]{{0,60}}?{house}\s*{_HOUSE_NUMBER}",
        r"(?<!\w)(?:flat|apartment|кв\.|квартир\w+ №?)\s*\d+",
        rf"(?<!\w)(?:д\.|дом)\s*{_HOUSE_NUMBER},?\s*(?:кв|корп|стр)",
    ]
    return [re.compile(one, re.I) for one in streets]


def _sum_patterns(files: list[_Money]) -> list[re.Pattern[str]]:
    currency = _unbound(chain.from_iterable(one.currencies for one in files))
    currency = rf"(?:{currency}|{_CODES}(?!\w)|{_SYMBOLS})"
    thousands = _unbound(chain.from_iterable(one.thousands for one in files))
    numeral = _source(chain.from_iterable(one.numerals for one in files))
    noun = _source(chain.from_iterable(one.premiums + one.priced for one in files))
    amount = _source(chain.from_iterable(one.amounts for one in files))
    amounts_to = _source(chain.from_iterable(one.amounts_to for one in files))
    return [
        re.compile(pattern, re.I)
        for pattern in (
            rf"{_NUMBER}(?:\s?{thousands})?\s?{currency}",
            rf"(?:(?<!\w){_CODES}|{_SYMBOLS})\s?\d[\d.,]*(?: \d{{3}})*(?:\s?{thousands})?",
            rf"{numeral}(?:[\s-]+(?:{numeral}|{thousands})){{0,8}}\s+{currency}",
            rf"{noun}[^.!?\d]{{0,60}}?{amounts_to}:?\s+{_NUMBER}{_NO_SUM}",
            r"(?<![\w.,/-])\d[\d .]{0,12},--?(?!\w)",
            rf"{amount}:?\s+{_NUMBER}{_NO_SUM}",
        )
    ]


def _surcharge_pattern(files: list[_Money]) -> re.Pattern[str]:
    noun = _source(chain.from_iterable(one.surcharges for one in files))
    share = r"(?<![\w.,])\d+(?:[.,]\d+)?\s*(?:%|procent\w*|per\s?cent|процент\w*)"
    return re.compile(rf"{noun}[^.!?]{{0,40}}?{share}|{share}[^.!?]{{0,25}}?{noun}", re.I)


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_source(words), re.I)


def _source(words: Iterable[str]) -> str:
    """One of the words: `*` is the rest of a word, a space any white space."""
    return rf"(?<!\w){_unbound(words)}"


def _unbound(words: Iterable[str]) -> str:
    """The same, right behind a number too: `500zł`."""
    return "(?:" + "|".join(map(_word, sorted(set(words), key=len, reverse=True))) + ")"


def _word(word: str) -> str:
    plain = re.escape(word.translate(PLAIN)).replace(r"\ ", r"\s+").replace(r"\*", r"\w*")
    return plain + ("" if word[-1] in ".:*" else r"(?!\w)")
