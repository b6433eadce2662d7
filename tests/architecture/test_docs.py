"""The documents say what is there: settings, functions, packages, refusals, commands."""

import re
from pathlib import Path

import app as application
from infra.openapi import refusals
from tests.coverage_of_requirements import named

ROOT = Path(__file__).parent.parent.parent
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# Read by the libraries themselves.
LIBRARIES = {"POWERTOOLS_SERVICE_NAME"}


def test_every_setting_is_in_the_architecture() -> None:
    """Whoever deploys Duly finds each environment variable, and none that is no more."""
    sources = "".join(
        one.read_text(encoding="utf-8") for one in (ROOT / "chalicelib").rglob("*.py")
    )
    read = set(re.findall(r'setting\("([A-Z_]+)"', sources))
    rows = re.findall(r"^\| (`[^|]*) \|", _section("Functions"), re.MULTILINE)
    told = set(re.findall(r"`([A-Z_]+)`", " ".join(rows)))
    assert told - LIBRARIES == read


def test_every_function_is_in_the_architecture() -> None:
    """Each handler of app.py with what calls it."""
    routes = {spec.name for one in application.BLUEPRINTS for spec in one.specs}
    handlers = set(application.app.handler_map) - routes
    told = set(re.findall(r"^\| `([a-z_]+)`", _section("Functions"), re.MULTILINE))
    assert told == handlers | {"api_handler"}


def test_every_package_is_in_the_architecture() -> None:
    """The map of the house has a line for each room, and no room that is not there."""
    told = set(re.findall(r"`chalicelib/(\w+)/`", _section("House")))
    rooms = {one.parent.name for one in (ROOT / "chalicelib").glob("*/__init__.py")}
    assert told == rooms


def test_every_refusal_is_in_the_documents() -> None:
    """docs/errors.md has each code; that it is whole and up to date test_openapi.py holds."""
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == [one.code for one in refusals()]


def test_every_make_target_says_what_it_does() -> None:
    """`make` alone lists what can be done."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    helped = re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE)
    assert sorted(" ".join(phony).split()) == sorted(set(helped))


def test_decisions_have_numbers_of_their_own() -> None:
    """One screen per decision, in docs/adr/, none twice, none left out."""
    numbers = sorted(one.name.partition("-")[0] for one in (ROOT / "docs/adr").glob("0*.md"))
    assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)]


def test_a_requirement_is_named_alone_or_in_a_range() -> None:
    """How docstrings name what they prove, read as `tests.coverage_of_requirements` reads it."""
    assert list(named("S45, S47-S49: and M41-43; R16, MS9, S3x")) == [
        *("S45", "S47", "S48", "S49"),
        *("M41", "M42", "M43"),
    ]
    assert list(named("S61-S99")) == ["S61", "S62"]


def _section(heading: str) -> str:
    return ARCHITECTURE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
