"""What the modules import: nothing heavy at the start, each outside library at one door."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from chalicelib.aws import clients

ROOT = Path(__file__).parent.parent.parent
OURS = sorted([*(ROOT / "chalicelib").rglob("*.py"), ROOT / "app.py"])
HEAVY = ("boto3", "botocore", "fpdf", "PIL", "jinja2", "jwt", "altcha")
# What only the background does, or only a few requests: letters and papers, lists and pictures,
# mail that comes in, copies, and the tools for them.
NOT_AT_A_START = (
    "chalicelib.agenda",
    "chalicelib.complaints.chapters",
    "chalicelib.complaints.correspondence",
    "chalicelib.complaints.inbound",
    "chalicelib.complaints.lexicon",
    "chalicelib.complaints.mail",
    "chalicelib.complaints.on_paper",
    "chalicelib.consents.correspondence",
    "chalicelib.consents.list_work",
    "chalicelib.consents.receipts",
    "chalicelib.consents.scan_work",
    "chalicelib.digests",
    "chalicelib.documents.letter",
    "chalicelib.documents.pdf",
    "chalicelib.documents.render",
    "chalicelib.documents.scans.reading",
    "chalicelib.documents.workbooks",
    "chalicelib.letters.complaint_facts",
    "chalicelib.letters.compose",
    "chalicelib.letters.facts",
    "chalicelib.letters.mime",
    "chalicelib.portability.contents",
    "chalicelib.roots",
    "email",
    "fractions",
    "http.client",
    "urllib.request",
    "xml",
    "zipfile",
    "zoneinfo",
)


def test_importing_the_app_loads_nothing_heavy() -> None:
    """In a fresh interpreter: no route pays for what it does not use (`import_modules`)."""
    script = f"import sys, app; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == []


def test_importing_the_app_loads_what_a_request_needs() -> None:
    """Each module is half a millisecond of the first request's wait (`cold_start`)."""
    script = f"import sys, app; print(*sorted(set(sys.modules) & set({NOT_AT_A_START!r})))"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == []
    names = [one for one in NOT_AT_A_START if one.startswith("chalicelib.")]
    assert [one for one in names if importlib.util.find_spec(one) is None] == []


def test_every_service_is_named_that_is_called() -> None:
    """Botocore knows those of `SERVICES` alone: it does not look for others at a start."""
    called = {
        node.args[0].value
        for path in OURS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "clients.client"
        and isinstance(node.args[0], ast.Constant)
    }
    assert called == set(clients.SERVICES)


def test_botocore_has_one_door() -> None:
    """AWS stands behind the ports: `aws/` alone imports botocore, nobody imports boto3."""
    assert _importers("boto3") == set()
    assert {one.parent.name for one in _importers("botocore")} == {"aws"}


def test_chalice_has_one_door() -> None:
    """The rest must not notice if it is replaced: `web/` and app.py alone import it."""
    found = _importers("chalice")
    assert {one.parent.name for one in found} <= {"web", ROOT.name}
    assert ROOT / "app.py" in found


def test_one_place_reads_the_clock() -> None:
    """The moment is an argument: only `wiring` asks for the time of day."""
    asking = {one for one in OURS if set(_called(one)) & {"now", "utcnow", "today"}}
    assert {one.name for one in asking} <= {"wiring.py"}


def test_nobody_prints() -> None:
    """What is said goes through `log`, where nothing personal gets in."""
    assert {one for one in OURS if "print" in set(_called(one, of={"print"}))} == set()


def _importers(library: str) -> set[Path]:
    return {one for one in OURS if library in set(_imported(one))}


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _called(path: Path, of: frozenset[str] | set[str] = frozenset()) -> Iterator[str]:
    """Methods of `datetime` and `date` that are called, or the plain functions named in `of`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in of:
            yield called.id
        if isinstance(called, ast.Attribute) and ast.unparse(called.value) in {"datetime", "date"}:
            yield called.attr
