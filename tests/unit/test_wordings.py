"""The default wordings say what the law asks for, in every language; merging touches placeholders
only."""

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.organisations import defaults

CONSENTS = ("marketing", "email", "phone")
EVERY_TEXT = list(product(defaults.PURPOSES, defaults.LANGUAGES))
EVERY_CONSENT = list(product(CONSENTS, defaults.LANGUAGES))
CONTROLLER = {
    "controller_name": "Agencja „Bursztyn” Sp. z o.o.",
    "controller_address": "ul. Długa 12/3, 80-831 Gdańsk",
    "controller_registry_number": "KNF 11234567/A",
    "controller_email": "dane@bursztyn.example",
    "controller_phone": "+48585550123",
}


def merged(text: str, language: str = "en", **changed: Any) -> str:
    details: dict[str, Any] = {**CONTROLLER, "dpo": None, "language": language, **changed}
    return defaults.merge(text, **details)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(.*?)\}", text))


@pytest.mark.parametrize(("purpose", "language"), EVERY_TEXT)
def test_every_purpose_has_its_own_complete_words_in_every_language(
    purpose: str, language: str
) -> None:
    """S7, S16-S19."""
    text = defaults.default_texts()[purpose][language]
    assert text.title
    assert "\n" not in text.title
    assert placeholders(text.text) <= defaults.PLACEHOLDERS
    assert "{" not in merged(text.text, language)
    others = {defaults.default_texts()[other][language].text for other in defaults.PURPOSES}
    assert len(others) == len(defaults.PURPOSES)


@pytest.mark.parametrize("language", defaults.LANGUAGES)
def test_the_notice_says_everything_that_article_13_asks_for(language: str) -> None:
    """S3, S4, S7: controller, contact, officer, purposes and bases, recipients, transfers,
    retention, rights and complaint, whether data are required, automated decisions."""
    text = defaults.default_texts()["notice"][language].text
    assert placeholders(text) == defaults.PLACEHOLDERS
    stems = {
        "pl": "lit. b|lit. c|lit. f|lit. a|Odbiorcami|Obszar Gospodarczy|Jak długo|sprostowania"
        "|usunięcia|przeniesienia|sprzeciw|wycofać|skarga|Prezesa Urzędu Ochrony Danych Osobowych"
        "|dobrowolne|profilowaniu",
        "en": "6(1)(b)|6(1)(c)|6(1)(f)|6(1)(a)|Recipients|Economic Area|How long|corrected|erased"
        "|portability|object|withdraw|complaint|supervisory authority|voluntary|profiling",
        "ru": "6(1)(b)|6(1)(c)|6(1)(f)|6(1)(a)|152-ФЗ|Получателями|другие страны|Как долго"
        "|уточнения|удаления|переноса|возразить|отозвать|Роскомнадзор|UODO|добровольно"
        "|профилирование",
    }[language]
    assert [stem for stem in stems.split("|") if stem not in text] == []


@pytest.mark.parametrize(("purpose", "language"), EVERY_CONSENT)
def test_a_consent_names_the_controller_the_channel_and_the_way_back(
    purpose: str, language: str
) -> None:
    """S16-S19: controller, purpose, channel, voluntary, withdrawal at any time without
    retroactive effect."""
    text = defaults.default_texts()[purpose][language].text
    assert {"controller_name", "controller_address", "controller_email"} <= placeholders(text)
    channel = {
        "pl": {"marketing": "Sposób kontaktu", "email": "elektroniczną", "phone": "SMS i MMS"},
        "en": {"marketing": "means of contact", "email": "electronic mail", "phone": "SMS and MMS"},
        "ru": {"marketing": "Способ связи", "email": "по электронной почте", "phone": "SMS и MMS"},
    }[language][purpose]
    purpose_words = {"pl": "marketing", "en": "marketing", "ru": "реклам"}[language]
    voluntary = {"pl": "dobrowolna", "en": "voluntary", "ru": "добровольное"}[language]
    withdrawal = {
        "pl": "wycofać w każdej chwili",
        "en": "withdraw it at any time",
        "ru": "отозвать в любое время",
    }[language]
    earlier = {
        "pl": "nie wpływa na zgodność z prawem działań podjętych wcześniej",
        "en": "does not affect the lawfulness of what was done before",
        "ru": "не влияет на законность того, что было сделано раньше",
    }[language]
    for said in (channel, purpose_words, voluntary, withdrawal, earlier):
        assert said in text


@pytest.mark.parametrize("language", defaults.LANGUAGES)
def test_e_mail_and_telephone_are_kept_apart(language: str) -> None:
    """S17-S19, D9: each says that the other is not covered."""
    texts = defaults.default_texts()
    apart = {
        "pl": ("nie obejmuje rozmów telefonicznych ani SMS", "nie obejmuje poczty elektronicznej"),
        "en": ("not cover telephone calls or SMS", "not cover electronic mail"),
        "ru": ("не распространяется на телефонные", "не распространяется на электронную"),
    }[language]
    assert apart[0] in texts["email"][language].text
    assert apart[1] in texts["phone"][language].text


def test_the_polish_channels_stand_on_the_law_on_electronic_communications() -> None:
    """D12: art. 398 PKE, in force since 10 November 2024."""
    for purpose in ("email", "phone"):
        assert "art. 398" in defaults.default_texts()[purpose]["pl"].text


@pytest.mark.parametrize(("purpose", "language"), EVERY_TEXT)
def test_lines_are_unwrapped_and_every_character_can_be_printed(
    purpose: str, language: str
) -> None:
    """S28: what the PDF's font must have: Latin, Latin Extended-A, Cyrillic and this
    punctuation."""
    text = defaults.default_texts()[purpose][language].text
    starts = [line for line in text.split("\n") if line]
    assert all(line[0].isupper() or line[0].isdigit() or line[:2] == "– " for line in starts)
    assert not re.search(r"[^\n -~À-ſ\u0400-\u04ff§№«»„”–]", text)


def test_a_named_officer_is_said_and_a_missing_one_is_said_too() -> None:
    """GDPR Art. 13(1)(b), S4."""
    for language in defaults.LANGUAGES:
        named = merged("{dpo}", language, dpo="Żaneta Świątek, iod@bursztyn.example")
        assert "Żaneta Świątek, iod@bursztyn.example" in named
        none = merged("{dpo}", language)
        assert none != named
        assert "dane@bursztyn.example" in none
        assert "{" not in named + none


def test_what_was_merged_in_is_not_looked_at_again() -> None:
    """A controller's name is text, whatever it says."""
    assert merged("{controller_name}", controller_name="{dpo} {nobody}") == "{dpo} {nobody}"
    assert "{controller_email}" in merged("{dpo}", dpo="{controller_email}")


@pytest.mark.parametrize("name", ["client_name", "Controller_Name", "dpo_contact", "имя", "__x__"])
def test_a_placeholder_that_there_is_not_is_refused_by_name(name: str) -> None:
    """S24: a slip in an edited text is told to whoever edits it."""
    with pytest.raises(ValueError, match=re.escape(f"{{{name}}}")):
        merged(f"Hello {{{name}}}")


def test_a_detail_that_the_controller_lacks_leaves_no_hole() -> None:
    """S3: a notice with a gap in it is not a notice."""
    with pytest.raises(ValueError, match="controller_phone"):
        merged("Call {controller_phone}", controller_phone=" ")
    assert merged("Write to us", controller_phone="") == "Write to us"


def test_other_braces_stay() -> None:
    """No str.format on an organisation's text."""
    text = "{} {0} {a b} {controller_name.__class__} {{ }} {!r} { dpo }"
    assert merged(text) == text


def test_a_language_without_wordings_is_refused() -> None:
    """S4."""
    with pytest.raises(ValueError, match="'de'"):
        merged("Hallo", "de")


@given(st.text())
def test_text_without_placeholders_comes_back_as_it_is(text: str) -> None:
    """S24, S26: merging changes nothing that it was not asked to change."""
    if re.search(r"\{([^\W\d]\w*)\}", text):
        with pytest.raises(ValueError, match="placeholder"):
            merged(text)
    else:
        assert merged(text) == text


PIECES = ["{controller_name}", "{controller_email}", "{ ", " }", "x", "\n"]


@given(st.lists(st.sampled_from(PIECES)), st.text())
def test_each_placeholder_is_replaced_once_wherever_it_stands(pieces: list[str], name: str) -> None:
    """S4: any name of a controller, any place in the text."""
    name = f"N{name}"
    told = merged("".join(pieces), controller_name=name)
    expected = {"{controller_name}": name, "{controller_email}": CONTROLLER["controller_email"]}
    assert told == "".join(expected.get(piece, piece) for piece in pieces)
