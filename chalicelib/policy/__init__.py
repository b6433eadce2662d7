"""Policy: which dated rules apply to a complaint, and which dates follow from them, and why.

Packs are data (`packs/*.toml`), holidays are data (`holidays/*.toml`), the rest is pure. Here are
their names alone, so that settings can be checked without reading any of them.
"""

from pathlib import Path

_HERE = Path(__file__).parent


def _names(folder: str) -> tuple[str, ...]:
    # `pl-nat-2015.2.toml` is the second edition of the pack `pl-nat-2015`.
    found = (file.name.split(".") for file in (_HERE / folder).iterdir())
    return tuple(sorted({name for name, *_, suffix in found if suffix == "toml"}))


PACKS = _names("packs")
COUNTRIES = _names("holidays")
