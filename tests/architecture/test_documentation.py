"""The documents fail when they are wrong: what the code has, they name; what they name, exists."""

import importlib.util
import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

import app as application
from chalicelib.agenda import OWNERS
from local.settings import Ports

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README, CHANGELOG = ROOT / "README.md", ROOT / "CHANGELOG.md"
ARCHITECTURE, RUNBOOK = DOCS / "architecture.md", DOCS / "runbook.md"
DECISIONS = sorted((DOCS / "adr").glob("[0-9]*.md"))
PAGES = sorted([README, CHANGELOG, *DOCS.rglob("*.md")])
SOURCES = sorted([*(ROOT / "chalicelib").rglob("*.py"), ROOT / "app.py"])
TEMPLATE = ROOT / "infra" / "template"

SECTIONS = {
    README: ["What works today", "Run", "Test", "Deploy"],
    CHANGELOG: ["Unreleased"],
    ARCHITECTURE: [
        *("The one idea", "House", "Functions", "Table", "Letters", "Agenda", "Links", "Security"),
        *("Budgets", "Not built yet"),
    ],
    RUNBOOK: [
        *("First deployment", "Founding an organisation", "Looking into it", "Alarms"),
        *("Mail that comes in", "Each day", "Keeping and erasing", "Link keys"),
        *("Restoring from backup", "The local cloud"),
    ],
}
# An address of somebody's machine: a document is read elsewhere.
MACHINE = re.compile(r"(?<![\w.:/*-])(?:/(?:work|tmp|home|root|Users|mnt|srv|opt|var)/|[A-Z]:\\)")
MOST_LINES_OF_A_DECISION = 40
OURS = {"chalicelib", "infra", "local", "bench", "tests"}


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"(?ms)^ *```.*?^ *```$", "", text(page))


def headings(page: Path, level: str = "#{1,6}") -> list[str]:
    return re.findall(rf"(?m)^{level} (.+)$", prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors that a heading gets: as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-")
        for one in (unicodedata.normalize("NFC", heading) for heading in headings(page))
    }


def ticked(page: Path) -> set[str]:
    """Everything that the page sets in `code`."""
    return set(re.findall(r"`([^`\n]+)`", prose(page)))


def template(piece: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((TEMPLATE / piece).read_text(encoding="utf-8"))
    return found


def read_settings() -> set[str]:
    """The environment variables that the functions' code reads."""
    return {
        name
        for source in SOURCES
        for name in re.findall(r"""\bsetting\(\s*["'](\w+)["']""", text(source))
    }


def given_settings() -> set[str]:
    """The environment variables that the template gives."""
    given = template("functions.yaml")["Globals"]["Function"]["Environment"]["Variables"]
    return set(given)


def test_every_environment_variable_is_given_and_described() -> None:
    """What the code reads the template gives, and docs/architecture.md describes all of it."""
    assert len(read_settings()) > 5
    assert read_settings() <= given_settings()
    assert given_settings() <= ticked(ARCHITECTURE)


def test_every_function_is_described() -> None:
    """The functions of app.py are those of .chalice/config.json, with their memory and time."""
    chalice = application.app
    made = {one.name for one in chalice.event_sources}
    made |= {one.name for one in chalice.pure_lambda_functions}
    stages = json.loads(text(ROOT / ".chalice" / "config.json"))["stages"]
    for stage in stages.values():
        assert set(stage["lambda_functions"]) == made | {"api_handler"}
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| `\w+` \|.*\| (\d+, \d+) \|$", text(ARCHITECTURE)))
    assert rows == {
        name: f"{one['lambda_memory_size']}, {one['lambda_timeout']}"
        for name, one in stages["prod"]["lambda_functions"].items()
    }


def test_every_letter_is_described() -> None:
    """A folder of templates, a composer and a row of docs/architecture.md for each letter (S43).

    No two kinds of aggregate promise a letter of the same name.
    """
    folders = (ROOT / "chalicelib" / "letters" / "templates").iterdir()
    letters = {one.name for one in folders if one.is_dir() and not one.name.startswith("_")}
    composed = [name for owner in OWNERS.values() for name in owner.composers]
    assert sorted(letters) == sorted(composed)
    section = text(ARCHITECTURE).partition("\n## Letters\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", section)) == letters


def test_every_room_is_described() -> None:
    """Nothing stands in chalicelib/ that the house does not name."""
    rooms = {
        one.name + "/" if one.is_dir() else one.name
        for one in (ROOT / "chalicelib").iterdir()
        if not one.name.startswith("__")
    }
    assert {f"chalicelib/{one}" for one in rooms} <= ticked(ARCHITECTURE)


def test_every_target_of_make_is_described() -> None:
    """The README names each target of the Makefile, and no other."""
    targets = set(re.findall(r"(?m)^([a-z-]+):.*?## ", text(ROOT / "Makefile")))
    assert targets == set(re.findall(r"(?m)^make ([a-z-]+)", text(README)))
    named = {one for page in PAGES for one in re.findall(r"`make ([a-z-]+)", text(page))}
    assert named <= targets


def test_every_alarm_leads_to_a_section_of_the_runbook() -> None:
    """An alarm's description ends in `Runbook: <section>.`, which exists (robustness)."""
    sources = [text(TEMPLATE / "watching.yaml"), text(ROOT / "infra" / "template.py")]
    asked = {one for source in sources for one in re.findall(r"Runbook: ([^.]+)\.", source)}
    asked = {
        name
        for one in asked
        for name in (("function errors", "function throttles") if "{" in one else (one,))
    }
    there = {one.lower() for one in headings(RUNBOOK, "###")}
    assert {one.lower() for one in asked} <= there
    alarms = re.findall(r"(?m)^  (\w+Alarm):$", sources[0])
    assert alarms and set(alarms) <= set(re.findall(r"\w+Alarm", text(RUNBOOK)))


def test_every_parameter_of_the_stack_is_described() -> None:
    """The runbook has a row for each parameter, and for no other."""
    section = text(RUNBOOK).partition("### Parameters of the stack")[2].partition("\n### ")[0]
    described = re.findall(r"(?m)^\| `(\w+)` \|", section)
    assert sorted(described) == sorted(template("parameters.yaml")["Parameters"])


def test_every_metric_of_ours_is_described() -> None:
    """What Duly counts, the runbook explains."""
    counted = {name for source in SOURCES for name in re.findall(r'\.count\("(\w+)"', text(source))}
    assert counted and counted <= ticked(RUNBOOK)


def test_every_port_of_the_local_cloud_is_described() -> None:
    """The README names the variable and the number of each door."""
    for name in Ports.__dataclass_fields__:
        assert f"`{Ports.variable(name)}`" in text(README)
        assert str(getattr(Ports(), name)) in text(README)


def test_the_demonstration_signs_in_as_the_readme_says() -> None:
    """Each person of the demonstration, and the password, is in the README."""
    from local.seed import PASSWORD

    people = [
        email
        for file in (ROOT / "local" / "demonstration").glob("*.toml")
        for email in re.findall(r'email = "([^"]+)"\nrole', text(file))
    ]
    assert people and PASSWORD in text(README)
    assert [one for one in people if one not in text(README)] == []


@pytest.mark.parametrize("page", SECTIONS, ids=lambda page: page.name)
def test_a_page_has_its_sections(page: Path) -> None:
    """What a reader looks for is there."""
    assert [one for one in SECTIONS[page] if one not in headings(page, "##")] == []


def test_decisions_are_numbered_one_after_another() -> None:
    """Unique numbers without a gap; the list names every decision."""
    numbers = [int(file.name[:4]) for file in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    listed = re.findall(r"(?m)^\| (\d+) \| \[(.+)\]\((.+)\) \|$", text(DOCS / "adr" / "README.md"))
    assert listed == [
        (str(number), headings(file, "#")[0].partition(". ")[2], file.name)
        for number, file in enumerate(DECISIONS, 1)
    ]


@pytest.mark.parametrize("file", DECISIONS, ids=lambda file: file.name[:4])
def test_a_decision_fits_one_screen_and_says_what_it_costs(file: Path) -> None:
    """Title, name, four sections, something good and something bad."""
    number, _, title = headings(file, "#")[0].partition(". ")
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower().replace("'", "")).strip("-")
    assert file.name == f"{int(number):04d}-{slug}.md"
    assert headings(file, "##") == ["Status", "Context", "Decision", "Consequences"]
    status = text(file).partition("## Status")[2].split()[0]
    assert status.rstrip(",") in {"Accepted", "Superseded"}
    assert "- Good: " in text(file) and "- Bad: " in text(file)
    assert len(text(file).splitlines()) <= MOST_LINES_OF_A_DECISION


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if not target.startswith("https://"):
                yield page, target


def test_links_between_documents_resolve() -> None:
    """Every file and every anchor that a document links to exists."""
    dead = []
    for page, target in links():
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append((page.name, target))
    assert dead == []


def test_paths_that_documents_name_exist() -> None:
    """`infra/deploy.py` and the like; what is built or stands for many is left out."""
    rooms = ("app.py", "chalicelib/", "infra/", "local/", "static_site/", "tests/", "docs/")
    missing = {
        (page.name, one)
        for page in PAGES
        for one in ticked(page)
        if one.startswith(rooms) and re.fullmatch(r"[\w./-]+", one) and not (ROOT / one).exists()
    }
    assert missing == set()


def test_commands_and_routes_that_documents_name_exist() -> None:
    """Each `python -m …` is a module that runs, each `GET /api/…` a route of this method."""
    whole = {page: text(page) for page in PAGES}
    commands = {(p.name, m) for p, one in whole.items() for m in re.findall(r"-m ([\w.]+)", one)}
    ours = {(page, module) for page, module in commands if module.split(".")[0] in OURS}
    assert len(ours) > 3
    missing = [one for one in ours if importlib.util.find_spec(one[1]) is None]
    assert missing == []
    routes = {(spec.method, spec.path) for one in application.BLUEPRINTS for spec in one.specs}
    named = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/api/[^`?]*)(?:\?[^`]*)?`")
    asked = {way for one in whole.values() for way in named.findall(one)}
    assert asked and asked <= routes


def test_no_document_names_a_path_of_a_machine() -> None:
    """Nor does the licence, the notice or the Makefile: they are read elsewhere."""
    pages = [*PAGES, ROOT / "LICENSE", ROOT / "NOTICE", ROOT / "Makefile"]
    assert [page.name for page in pages if MACHINE.search(text(page))] == []


def test_the_licence_is_the_one_that_the_package_names() -> None:
    """Apache-2.0 in full; the notice names what is under another licence."""
    assert 'license = "Apache-2.0"' in text(ROOT / "pyproject.toml")
    licence = text(ROOT / "LICENSE")
    assert "Version 2.0, January 2004" in licence and "END OF TERMS AND CONDITIONS" in licence
    assert "OFL.txt" in text(ROOT / "NOTICE")
