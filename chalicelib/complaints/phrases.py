"""What an answer begins from, and how our letters say what the rules want said: words as data.

`phrases/<language>.toml` has a text for each outcome and for each element of each pack; where the
law differs, one for the jurisdiction or for the pack. What stands in square brackets is filled in
by an officer, and no letter leaves with it. Contact data of the bodies that a client may turn to
(M101-M105, M108) are in `phrases/bodies.toml`, with where they were read and how sure they are;
what the organisation publishes of them goes first (`elsewhere`).
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.policy.packs import Confidence, Pack

_FOLDER = Path(__file__).parent / "phrases"
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]*\]")
_BODY = re.compile(r"\{([a-z]+)\}")
EVERYBODY = "everybody"


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authority, an ombudsman or a union: how to reach it; L is "unverified" to staff."""

    address: str = ""
    phone: str = ""
    email: str = ""
    web: str = ""
    source: str
    confidence: Confidence


def template(outcome: str, language: str) -> str:
    """What an answer of this outcome begins from; "" for an outcome that there is not."""
    text: str = _words(language)["template"].get(outcome, "")
    return text.strip()


def title(letter: str, key: str, language: str) -> str:
    """What an element is called where it stands in a letter; "" for none."""
    found: str = _words(language).get(letter, {}).get(key, {}).get("title", "")
    return found


def element(
    pack: Pack, letter: str, key: str, language: str, published: Mapping[str, str] | None = None
) -> str:
    """The text by which a letter holds this element of the pack; "" where there is none.

    It may have places to be filled in. `published`: how the organisation says that bodies are
    reached, by their names, and all of them as `EVERYBODY`.
    """
    told = published or {}
    text = _text(pack, letter, key, language, whole=EVERYBODY in told)
    phone = _words(language)["labels"]["phone"]
    return _BODY.sub(lambda name: told.get(name[1]) or _reached(body(pack, name[1]), phone), text)


def ready(pack: Pack, letter: str, key: str, language: str) -> str:
    """The same, for a letter that leaves without an officer: "" where a place is to be filled."""
    text = element(pack, letter, key, language)
    return "" if _PLACEHOLDER.search(text) else text


def body(pack: Pack, name: str) -> Body:
    """The ombudsman, the regulator or another body of the pack's jurisdiction."""
    return _bodies()[pack.jurisdiction][name]


def unverified(pack: Pack, letter: str, key: str) -> bool:
    """Whether the element names a body whose contact data nobody has checked."""
    return any(body(pack, name).confidence == "L" for name in named(pack, letter, key))


def named(pack: Pack, letter: str, key: str) -> frozenset[str]:
    """The bodies that this element says how to reach."""
    return frozenset(_BODY.findall(_text(pack, letter, key, "en")))


def _text(pack: Pack, letter: str, key: str, language: str, *, whole: bool = False) -> str:
    """The words as they are written, `published` first where there is everybody to name."""
    wanted = _words(language).get(letter, {}).get(key, {})
    names = ("published",) if whole else ()
    found = (wanted.get(name) for name in (*names, pack.pack, pack.jurisdiction, "any"))
    text: str = next((one for one in found if one), "")
    return text.strip()


def _reached(one: Body, phone: str) -> str:
    """How to reach it, one way on each line."""
    told = (one.address, f"{phone} {one.phone}" if one.phone else "", one.email, one.web)
    return "\n".join(line for line in told if line)


@cache
def _words(language: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


@cache
def _bodies() -> dict[str, dict[str, Body]]:
    content = (_FOLDER / "bodies.toml").read_bytes()
    return msgspec.toml.decode(content, type=dict[str, dict[str, Body]])
