"""The words of a client's copy: whole in three languages, and for every state there is (S19)."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.clients.domain import ConsentState, ContractState, DeclarationState, Proof
from chalicelib.letters.service import GROUNDS
from chalicelib.portability import summary

LANGUAGES = ("pl", "en", "ru")


def keys(words: dict[str, Any], before: str = "") -> Iterator[str]:
    """Every key, the nested ones by their way."""
    for name, value in words.items():
        if isinstance(value, dict):
            yield from keys(value, f"{before}{name}.")
        else:
            assert value.strip(), name
            yield f"{before}{name}"


def test_every_language_says_the_same_things() -> None:
    """Issue 4, 7: pl, en, ru."""
    first, *others = (set(keys(summary.words(one))) for one in LANGUAGES)
    assert all(one == first for one in others)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_a_word(language: str) -> None:
    """S19: what a standing, a proof, a contract or a declaration can be is said in words."""
    words = summary.words(language)
    assert words["proofs"].keys() == set(Proof)
    assert words["contracts"].keys() == set(ContractState)
    assert words["progress"].keys() == set(DeclarationState)
    decided = {
        ConsentState.GIVEN,
        ConsentState.REFUSED,
        ConsentState.WITHDRAWN,
        ConsentState.EXPIRED,
    }
    assert words["states"].keys() == decided


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_and_every_letter_to_a_client_has_a_name(language: str) -> None:
    """GDPR Art. 12(1): plain words, no name of ours for a letter and no code of a language."""
    words = summary.words(language)
    assert words["languages"].keys() == set(LANGUAGES)
    about_cases = {"submission_taken", "third_party_taken", "gratitude_thanked", "message_added"}
    about_cases |= {"data_requested", "answer_extended", "answer_sent", "answer_elsewhere"}
    about_cases |= {"not_answered", "suspended", "court_returned", "routed_out", "insured_asked"}
    assert words["templates"].keys() == set(GROUNDS) - about_cases


def test_the_rights_name_the_page_and_the_controller() -> None:
    """GDPR Art. 15(1)(e), (f)."""
    for language in LANGUAGES:
        said = summary.words(language)["rights"]
        assert {"{page}", "{email}", "{phone}"} <= set(said.split()) | {
            one.rstrip(".,") for one in said.split()
        }
