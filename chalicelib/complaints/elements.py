"""What an answer must hold before it leaves: the pack's mandatory elements, each with its source.

A gap names the rule, says it in the reader's language, and where it is written; what nobody has
checked is flagged. In a negative outcome the bodies to turn to are among the elements (M108).
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from chalicelib.complaints import phrases
from chalicelib.complaints.case import GRANTED, Complaint, Kind, Outcome, Said
from chalicelib.complaints.privacy import digest
from chalicelib.policy.packs import Element, LetterKind

NEGATIVE = frozenset({Outcome.PARTLY, Outcome.REJECTED})
# The element that the signer's name and position make, where the pack asks for it.
SIGNATORY = "signatory"
LETTERS: tuple[LetterKind, ...] = ("answer", "refusal")
BETWEEN = "\n\n"
_PLACEHOLDER = re.compile(r"\[[^\[\]]*\]")
_WORDS = {
    "text": {"pl": "treść odpowiedzi", "en": "the words of the answer", "ru": "текст ответа"},
    "signer": {
        "pl": "imię i nazwisko osoby, która odpowiada",
        "en": "the name of the person who answers",
        "ru": "имя и фамилия отвечающего",
    },
    "placeholder": {
        "pl": "w tekście zostało miejsce do uzupełnienia",
        "en": "the text still has a place to be filled in",
        "ru": "в тексте осталось незаполненное место",
    },
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One element that the letter must hold, and the letter of the pack that asks for it."""

    letter: LetterKind
    key: str
    element: Element

    @property
    def rule(self) -> str:
        """The pack's key of it."""
        return f"letters.{self.letter}.{self.key}"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What is not there yet: where, by which rule, in words, and where the rule is written."""

    field: str
    rule: str
    reason: Literal["missing", "placeholder"]
    sentence: str
    document: str = ""
    address: str = ""
    unverified: bool = False


def wanted(case: Complaint, outcome: Outcome | None) -> tuple[Wanted, ...]:
    """Every element that the answer must hold under this outcome, in the pack's order.

    Thanks, a suggestion or a request gets a short answer, unless its outcome is negative.
    """
    if case.kind is not Kind.COMPLAINT and outcome not in NEGATIVE:
        return ()
    asked = LETTERS if outcome in NEGATIVE else LETTERS[:1]
    return tuple(
        Wanted(letter=letter, key=key, element=element)
        for letter in asked
        for key, element in case.policy.letters.get(letter, {}).items()
        if _applies(element, case, outcome)
    )


def known(case: Complaint) -> tuple[str, ...]:
    """The key of every element that an answer under these rules can hold, in their order."""
    letters = case.policy.letters
    return tuple(dict.fromkeys([*letters.get("answer", {}), *letters.get("refusal", {})]))


def gaps(case: Complaint, said: Said, outcome: Outcome | None, language: str) -> tuple[Gap, ...]:
    """What is missing or not filled in, told in this language; nothing, if the letter is whole."""
    return tuple(_gaps(case, said, outcome, language))


def passages(said: Said) -> tuple[tuple[str, str], ...]:
    """The words of the letter with the field that each stands in, in the order in which they go."""
    elements = [(f"elements.{key}", words) for key, words in said.elements.items()]
    return tuple((field, words) for field, words in [("text", said.text), *elements] if words)


def whole(said: Said) -> str:
    """All the words of the letter: what is looked through for private data."""
    return BETWEEN.join(words for _, words in passages(said))


def field_at(said: Said, place: int) -> str:
    """The field that this place of the whole letter stands in."""
    field, end = "text", 0
    for field, words in passages(said):
        end += len(words) + len(BETWEEN)
        if place < end:
            return field
    return field


def own_words(case: Complaint, said: Said) -> tuple[tuple[int, int], ...]:
    """The stretches of the whole letter that are, word for word, what every such letter says.

    Where to turn to has addresses and telephones in it, and nobody's secret: as the pack's phrases
    say it, or as it was published when the answer was drafted.
    """
    standard = {
        phrases.element(case.policy, letter, key, said.language)
        for letter in LETTERS
        for key in case.policy.letters.get(letter, {})
    }
    found, start = [], 0
    for _, words in passages(said):
        if words in standard or digest(words) in said.published:
            found.append((start, start + len(words)))
        start += len(words) + len(BETWEEN)
    return tuple(found)


def _applies(element: Element, case: Complaint, outcome: Outcome | None) -> bool:
    return {
        "always": True,
        "unless_granted": outcome in NEGATIVE,
        "if_granted": outcome in GRANTED,
        "if_incomplete": bool(case.missing),
    }[element.when]


def _gaps(case: Complaint, said: Said, outcome: Outcome | None, language: str) -> Iterator[Gap]:
    needed = wanted(case, outcome)
    keys = {one.key for one in needed}
    if not said.text or _PLACEHOLDER.search(said.text):
        yield _gap("text", "text", "placeholder" if said.text else "missing", language)
    for one in needed:
        for field, words in _places(one, said):
            yield from _unfilled(case, one, field, words, language)
    if not said.signer.name and SIGNATORY not in keys:
        yield _gap("signer.name", "signer", "missing", language)
    for key in sorted(said.elements.keys() - keys):
        if _PLACEHOLDER.search(said.elements[key]):
            yield _gap(f"elements.{key}", key, "placeholder", language)


def _places(one: Wanted, said: Said) -> tuple[tuple[str, str], ...]:
    """Where an element stands, with what stands there: in its own text, or in the signature."""
    if one.key == SIGNATORY:
        signer = said.signer
        return (("signer.name", signer.name), ("signer.position", signer.position))
    return ((f"elements.{one.key}", said.elements.get(one.key, "")),)


def _unfilled(case: Complaint, one: Wanted, field: str, words: str, language: str) -> Iterator[Gap]:
    placeholder = _PLACEHOLDER.search(words) is not None
    if words and not placeholder:
        return
    source = case.policy.sources[one.element.source]
    yield Gap(
        field=field,
        rule=one.rule,
        reason="placeholder" if placeholder else "missing",
        sentence=getattr(one.element, language),
        document=source.document,
        address=source.address,
        unverified=one.element.unverified,
    )


def _gap(field: str, rule: str, reason: Literal["missing", "placeholder"], language: str) -> Gap:
    words = _WORDS["placeholder" if reason == "placeholder" else rule]
    return Gap(field=field, rule=rule, reason=reason, sentence=words[language])
