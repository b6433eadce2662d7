"""The public form over the wire: every file that a browser loads to show and to send it.

Taken from what the page itself refers to, compressed as the edge does: gzip, as Brotli, which
CloudFront prefers, is smaller still; with the headers of each answer. The floor is one file of each
kind instead of many: what a bundler would send.
"""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, figure

SITE = Path(__file__).parent.parent / "static_site"
HEADERS = Path(__file__).parent.parent / "infra" / "headers.json"
PAGE = "complaint.html"
LANGUAGE = "ru"  # the heaviest: two bytes a letter
LEVEL = 6
_IMPORTS = re.compile(r'^(?:import|export) .*?from "\./([\w/-]+\.mjs)"', re.MULTILINE | re.DOTALL)
_REFERS = re.compile(r'(?:src|href)="/((?:css|js|img)/[^"]+)"')
_WORKERS = re.compile(r'"/(js/vendor/[^"]+)"')


def figures() -> Iterator[Figure]:
    """Kilobytes of the form with all its assets."""
    files = loaded()
    sent = sum(_wire(file) for file in files)
    kinds = (".html", ".css", ".mjs", ".js", ".json", ".svg")
    together = sum(_packed(b"".join(_of(files, kind))) for kind in kinds)
    note = f"{len(files)} files, gzip {LEVEL}, headers counted; floor: one file of each kind"
    yield figure("form_kb", sent / 1024, "KB", together / 1024, at_most=60, note=note)


def loaded() -> tuple[Path, ...]:
    """The page, what it refers to, what that imports, the worker, and the words of a language."""
    found = [SITE / PAGE, SITE / "locales" / f"{LANGUAGE}.json"]
    found += [SITE / one for one in _REFERS.findall((SITE / PAGE).read_text("utf-8"))]
    for file in found:
        if file.suffix == ".mjs":
            source = file.read_text("utf-8")
            further = [file.parent / one for one in _IMPORTS.findall(source)]
            further += [SITE / one for one in _WORKERS.findall(source)]
            found += [one for one in dict.fromkeys(further) if one not in found]
    return tuple(dict.fromkeys(found))


def _wire(file: Path) -> int:
    """The bytes of one answer: what CloudFront says about it, and the compressed file."""
    kind = "pages" if file.suffix == ".html" else "assets"
    said = json.loads(HEADERS.read_text("utf-8"))[kind]
    headers = sum(len(f"{name}: {value}\r\n") for name, value in said.items())
    return headers + _packed(file.read_bytes())


def _packed(content: bytes) -> int:
    return len(gzip.compress(content, LEVEL))


def _of(files: tuple[Path, ...], kind: str) -> Iterator[bytes]:
    return (file.read_bytes() for file in files if file.suffix == kind)
