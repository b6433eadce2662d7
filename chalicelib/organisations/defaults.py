"""The wordings that a new organisation starts with, and how a controller is merged into a
wording.

The words are data: `wordings/<language>.toml`, one title and one text for each purpose (S7,
S16-S19; e-mail and telephone are kept apart, D9). A placeholder is one of six fixed names in
braces; nothing else in a text is ever interpreted, so an organisation may write braces in a
wording of its own.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

PURPOSES = ("notice", "marketing", "email", "phone")
# Ready in the catalogue, and hidden until a policy pack or the organisation wants them.
FURTHER = ("data_processing", "reply_by_email")
LANGUAGES = ("pl", "en", "ru")
PLACEHOLDERS = frozenset(
    {
        "controller_name",
        "controller_address",
        "controller_registry_number",
        "controller_email",
        "controller_phone",
        "dpo",
    }
)

_WORDINGS = Path(__file__).parent / "wordings"
# Anything in braces that could be meant as a name, in any alphabet: a slip of the keyboard is told
# to whoever edits the text, and does not reach a client.
_PLACEHOLDER = re.compile(r"\{([^\W\d]\w*)\}")
# In the files, a line break before an ordinary line is for the eye of whoever edits them.
_SOFT_BREAK = re.compile(r"(?<!\n)\n(?!\n|– )")


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A purpose's words in one language. Paragraphs are parted by an empty line."""

    title: str
    text: str


@cache
def default_texts() -> Mapping[str, Mapping[str, Text]]:
    """The default texts by purpose and language, placeholders not yet merged; read once."""
    return MappingProxyType(
        {
            purpose: MappingProxyType(
                {language: _text(_words(language)[purpose]) for language in LANGUAGES}
            )
            for purpose in (*PURPOSES, *FURTHER)
        }
    )


def merge(
    text: str,
    *,
    controller_name: str,
    controller_address: str,
    controller_registry_number: str,
    controller_email: str,
    controller_phone: str,
    dpo: str | None,
    language: str,
) -> str:
    """The text with the controller in the place of its placeholders.

    `{dpo}` becomes a sentence of its own: how to reach the data-protection officer, or that none
    was appointed (GDPR Art. 13(1)(b)). What was merged in is not looked at again. `ValueError`
    names a placeholder that there is not, or that would leave a hole because the controller has
    no such detail.
    """
    words = _words(language)
    values = {
        "controller_name": controller_name,
        "controller_address": controller_address,
        "controller_registry_number": controller_registry_number,
        "controller_email": controller_email,
        "controller_phone": controller_phone,
    }
    sentence = words["dpo_sentence"] if dpo else words["no_dpo_sentence"]
    values["dpo"] = _replaced(_unwrapped(sentence), {**values, "dpo_contact": dpo or ""})
    return _replaced(text, values)


def _replaced(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise ValueError(f"unknown placeholder {{{name}}}")
        if not values[name].strip():
            raise ValueError(f"nothing to put in the place of {{{name}}}")
        return values[name]

    return _PLACEHOLDER.sub(value, text)


@cache
def _words(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise ValueError(f"no wordings in the language {language!r}")
    import tomllib

    return tomllib.loads((_WORDINGS / f"{language}.toml").read_text(encoding="utf-8"))


def _text(words: Mapping[str, str]) -> Text:
    return Text(title=words["title"], text=_unwrapped(words["text"]))


def _unwrapped(text: str) -> str:
    return _SOFT_BREAK.sub(" ", text.strip())
