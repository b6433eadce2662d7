"""How often the privacy gate misses, and how often it cries wolf: on letters that were written for
it (`tests/labelled`), and only on the half that its rules were never tuned on."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from bench.figures import Figure, figure
from chalicelib.complaints.privacy import Kind, Language, findings

LABELLED = Path(__file__).parent.parent / "tests" / "labelled"
LANGUAGES: tuple[Language, ...] = ("pl", "en", "ru")
Half = Literal["tuned", "held_out"]


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A few lines of a letter, and what they hold."""

    language: Language
    text: str
    holds: frozenset[Kind]

    @property
    def found(self) -> frozenset[Kind]:
        """What the gate says they hold."""
        return frozenset(one.kind for one in findings(self.text, self.language))


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Secrets not found, of all secrets; clean passages suspected, of all clean ones."""

    missed: int
    secrets: int
    alarmed: int
    clean: int

    @property
    def miss(self) -> float:
        """Per cent of the secrets."""
        return 100 * self.missed / self.secrets

    @property
    def false(self) -> float:
        """Per cent of the clean passages."""
        return 100 * self.alarmed / self.clean


def passages(half: Half) -> Iterator[Passage]:
    """One half of the labelled set."""
    for language in LANGUAGES:
        written = (LABELLED / f"{language}.{half}.toml").read_text(encoding="utf-8")
        for held, texts in tomllib.loads(written).items():
            holds = frozenset(map(Kind, held.split("+"))) if held != "clean" else frozenset[Kind]()
            for text in texts:
                yield Passage(language=language, text=text, holds=holds)


def rates(half: Half) -> Rates:
    """Counted: a secret is one kind in one passage."""
    known = list(passages(half))
    clean = [one for one in known if not one.holds]
    return Rates(
        missed=sum(len(one.holds - one.found) for one in known),
        secrets=sum(len(one.holds) for one in known),
        alarmed=sum(bool(one.found) for one in clean),
        clean=len(clean),
    )


def figures() -> Iterator[Figure]:
    """The two figures; their floor is what the half reaches that the rules were tuned on."""
    held_out, tuned = rates("held_out"), rates("tuned")
    secrets = f"{held_out.missed} of {held_out.secrets} secrets; floor: the tuned half"
    clean = f"{held_out.alarmed} of {held_out.clean} clean passages; floor: the tuned half"
    yield figure("privacy_miss", held_out.miss, "%", tuned.miss, at_most=2, note=secrets)
    yield figure("privacy_false", held_out.false, "%", tuned.false, at_most=5, note=clean)
