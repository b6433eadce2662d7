"""The package that the local cloud deploys: made by `infra.package`, and made anew when a source
has changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from local.settings import BUILD, ROOT, STAGE, LocalCloudError

PACKAGE = BUILD / "package-local"
_FOLDERS = ("chalicelib", "infra", ".chalice", "static_site")
_FILES = ("app.py", "requirements.in", "requirements.txt")


def local_package(say: Callable[[str], None] = lambda line: None) -> Path:
    """The folder with deployment.zip and template.json of the sources as they are now."""
    if not (ROOT / "app.py").exists():
        raise LocalCloudError("app.py is missing: this is not a whole copy of Duly.")
    BUILD.mkdir(exist_ok=True)
    # Several test processes may want it at once: one makes it, the others wait.
    with (BUILD / "package-local.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_from = digest()
        stamp = PACKAGE / "built-from"
        if not (stamp.exists() and stamp.read_text() == made_from):
            say("Making the package (the first time, libraries are fetched)")
            _build()
            stamp.write_text(made_from)
    return PACKAGE


def digest() -> str:
    """One number for everything that goes into the package; of the site only the pages' names and
    404.html do.
    """
    total = hashlib.sha256(sys.version.encode())
    for file in sorted(_sources()):
        total.update(f"{file.relative_to(ROOT)}\0".encode())
        if file.parts[len(ROOT.parts)] != "static_site" or file.name == "404.html":
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _sources() -> Iterator[Path]:
    yield from (ROOT / name for name in _FILES)
    for folder in _FOLDERS:
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and not {"__pycache__", "deployments", "deployed"} & set(file.parts):
                yield file


def _build() -> None:
    from infra.package import PackageError, build
    from infra.template import TemplateError

    try:
        build(STAGE, PACKAGE)
    except (PackageError, TemplateError) as problem:
        raise LocalCloudError(f"There is no package: {problem}") from problem
