"""The texts that come with Duly, by jurisdiction: data with sources, until an organisation
publishes its own.

`defaults/<jurisdiction>.toml` holds for each section its titles and its blocks. A block may name
the policy packs for which alone it is meant (`packs`) or is not (`but`): the document of 2019 goes
on saying what it says, next to what is law now. Under the packs that it names as `unverified_for`
nobody has read that it still holds.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.information.domain import SECTIONS, SHIPPED, AnyBlock, Edition, Order, Words
from chalicelib.policy.packs import Pack, Source

FOLDER = Path(__file__).parent / "defaults"
_CHOICE = frozenset({"packs", "but", "unverified_for"})


class Book(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One jurisdiction's texts as they stand in the file."""

    jurisdiction: str
    sources: dict[str, Source]
    orders: dict[str, Order] = {}
    sections: dict[str, "Chapter"]


class Chapter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One section: its titles, and its blocks not yet read."""

    titles: Words
    blocks: list[dict[str, Any]]


def shipped(pack: Pack) -> dict[str, Edition]:
    """The sections that Duly ships for a policy pack; a jurisdiction need not have all."""
    book, found = _book(pack.jurisdiction), {}
    for section in (one for one in SECTIONS if one in book.sections):
        chapter = book.sections[section]
        blocks = tuple(_block(one, pack.pack) for one in chapter.blocks if _is_for(one, pack.pack))
        if blocks:
            found[section] = Edition(
                section=section,
                number=SHIPPED,
                effective_from=pack.effective_from,
                order=book.orders.get(pack.pack),
                titles=chapter.titles,
                blocks=blocks,
            )
    return found


def sources(pack: Pack) -> Mapping[str, Source]:
    """What the sources of the shipped blocks are, by the key that a block names."""
    return _book(pack.jurisdiction).sources


@cache
def _book(jurisdiction: str) -> Book:
    import tomllib

    file = FOLDER / f"{jurisdiction.lower()}.toml"
    return msgspec.convert(
        tomllib.loads(file.read_text(encoding="utf-8")), Book, builtin_types=(date,)
    )


def _is_for(block: Mapping[str, Any], pack: str) -> bool:
    return pack in block.get("packs", (pack,)) and pack not in block.get("but", ())


def _block(given: Mapping[str, Any], pack: str) -> AnyBlock:
    plain = {name: one for name, one in given.items() if name not in _CHOICE}
    if pack in given.get("unverified_for", ()):
        plain["confidence"] = "L"
    block: AnyBlock = msgspec.convert(plain, AnyBlock, builtin_types=(date,))
    return block
