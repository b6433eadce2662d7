"""Every element of every pack has its words in three languages, and every outcome a beginning."""

import ast
import re
from pathlib import Path

import pytest

from chalicelib.complaints import chapters, phrases
from chalicelib.complaints.case import Outcome
from chalicelib.complaints.elements import _PLACEHOLDER
from chalicelib.policy import PACKS
from chalicelib.policy.packs import Pack, load

ROOT = Path(__file__).parents[2]
LANGUAGES = ("pl", "en", "ru")
ELEMENTS = [
    (name, letter, key)
    for name in PACKS
    for letter, elements in load(name).letters.items()
    for key in elements
]
CYRILLIC = re.compile("[а-яё]{3}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("pack", "letter", "key"), ELEMENTS)
def test_every_element_of_every_pack_has_words(
    pack: str, letter: str, key: str, language: str
) -> None:
    """M46, M52-M53, M108: what the rules want said can be said, in the client's language."""
    said = phrases.element(load(pack), letter, key, language)
    assert said == said.strip()
    assert said
    assert not re.search(r"[{}]", said)
    assert bool(CYRILLIC.search(without_contacts(said))) == (language == "ru")
    heading = phrases.title(letter, key, language)
    assert heading
    assert bool(CYRILLIC.search(heading)) == (language == "ru" and not heading.isascii())


def without_contacts(said: str) -> str:
    """The text but for addresses, which stay as the post of that country reads them."""
    return said.split("\n", 1)[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_beginning_that_an_officer_must_fill(
    outcome: Outcome, language: str
) -> None:
    """Issue 3, item 8: a template is no answer; as it is, the linter keeps it back."""
    text = phrases.template(outcome, language)
    assert _PLACEHOLDER.search(text)
    assert text == text.strip()
    texts = {phrases.template(one, language) for one in Outcome}
    assert len(texts) == len(Outcome)
    assert phrases.template("", language) == ""


def test_every_open_place_is_seen_by_the_linter() -> None:
    """Issue 3, item 8: brackets are balanced, on one line, and short enough to be found."""
    for language in LANGUAGES:
        texts = [phrases.template(outcome, language) for outcome in Outcome]
        texts += [phrases.element(load(p), letter, key, language) for p, letter, key in ELEMENTS]
        for text in texts:
            assert not re.search(r"[\[\]]", _PLACEHOLDER.sub("", text))


@pytest.mark.parametrize("pack", [name for name in PACKS if load(name).jurisdiction == "RU"])
def test_a_refusal_names_every_body_of_the_source(pack: str) -> None:
    """M101-M105, M108: the ombudsman, the Bank of Russia and the union, with how to reach them."""
    rules = load(pack)
    said = " ".join(phrases.ready(rules, "refusal", key, "ru") for key in rules.letters["refusal"])
    for detail in (
        "№ 123-ФЗ",
        "119017",
        "8 (800) 200-00-10",
        "finombudsman.ru",
        "8 800 300-30-00",
        "cbr.ru/reception",
        "115093",
        "mail@ins-union.ru",
        "в суд",
    ):
        assert detail in said


@pytest.mark.parametrize("pack", ["pl-nat-2015", "pl-nat-2026-02-13"])
def test_a_polish_refusal_names_the_financial_ombudsman(pack: str) -> None:
    """Law D.1, article 10: where to apply, out of court and in court."""
    rules = load(pack)
    for language in LANGUAGES:
        said = phrases.ready(rules, "refusal", "ombudsman", language)
        assert "Rzecznik" in said
        assert "Nowogrodzka 47A, 00-695 Warszawa" in said
        assert "KNF" in said + phrases.ready(rules, "refusal", "mediation", language)


def test_a_company_is_not_sent_to_an_ombudsman_who_takes_people_alone() -> None:
    """Law D.1: the element is inherited and unverified; an officer looks before it is said."""
    rules = load("pl-legal-2018")
    for language in LANGUAGES:
        assert phrases.element(rules, "refusal", "ombudsman", language).startswith("[")
        assert phrases.ready(rules, "refusal", "ombudsman", language) == ""
        said = phrases.element(rules, "refusal", "mediation", language)
        assert "Rzecznik" not in said


def test_only_what_has_no_open_place_goes_into_an_automatic_letter() -> None:
    """M54, M73, M108: a letter that no officer finishes never has a bracket in it."""
    for pack, letter, key in ELEMENTS:
        for language in LANGUAGES:
            said = phrases.ready(load(pack), letter, key, language)
            assert "[" not in said
            if letter == "acknowledgement":
                assert said


def test_contact_data_that_nobody_checked_are_flagged() -> None:
    """Law D.5: the bodies of the source document are of 2019; staff see it."""

    def flagged(pack: Pack) -> set[str]:
        return {
            key
            for letter, elements in pack.letters.items()
            for key in elements
            if phrases.unverified(pack, letter, key)
        }

    assert flagged(load("ru-442fz-2024")) == {"ombudsman", "regulator", "union"}
    assert flagged(load("pl-nat-2026-02-13")) == set()
    for pack in map(load, PACKS):
        for names in phrases._bodies().get(pack.jurisdiction, {}).values():
            assert names.confidence == "L" or names.source.startswith("https://")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_has_words_on_paper(language: str) -> None:
    """Issue 3, item 10: who reads the case on paper reads no code."""
    kinds, words = events_of_the_code(), chapters.words(language)
    assert len(kinds) > 30
    assert kinds <= words["events"].keys()
    dates = [said for name, said in words["dates"].items() if name != "keep_own"]  # a reason
    for said in [*words["events"].values(), *dates]:
        assert "_" not in said
        assert said[0].isupper()
        assert bool(CYRILLIC.search(said)) == (language == "ru")


def events_of_the_code() -> set[str]:
    """Every kind of event that an act of complaints writes down."""
    acts = ("done", "_logged", "_closed", "_done", "Event")
    return {
        argument.value
        for path in (ROOT / "chalicelib" / "complaints").glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in acts
        for argument in [*call.args, *(one.value for one in call.keywords if one.arg == "kind")]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value
    }


def test_what_there_is_no_word_for_is_empty() -> None:
    """An element of a pack to come is asked of the officer; nothing breaks."""
    assert phrases.element(load("eu-eiopa"), "answer", "of_tomorrow", "pl") == ""
    assert phrases.element(load("eu-eiopa"), "refusal", "ombudsman", "pl") == ""
    assert phrases.title("answer", "of_tomorrow", "pl") == ""
