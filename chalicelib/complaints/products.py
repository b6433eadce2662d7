"""The classes of insurance of the source document's page and policy, as data (M11)."""

from functools import cache
from pathlib import Path

import msgspec

_FILE = Path(__file__).parent / "products.toml"


class Product(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class, and what it is called."""

    code: str
    pl: str
    en: str
    ru: str


@cache
def products() -> tuple[Product, ...]:
    """Every class, in the order in which they are offered."""
    found = msgspec.toml.decode(_FILE.read_bytes(), type=dict[str, list[Product]])
    return tuple(found["product"])


def is_product(code: str) -> bool:
    """Whether there is a class of this code; none at all is one, too (D3)."""
    return code == "" or any(one.code == code for one in products())
