"""Builds `.venv` (development) and `.venv-cloud` (the local cloud) from the locks, with the Python
that runs it.

Standard library only: it runs before anything is installed. A stamp in `.venv` holds what was built
from what, so that a second run only compares. Both environments have the same Python: the engine
runs functions with its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT = ROOT / ".venv"
CLOUD = ROOT / ".venv-cloud"
STAMP = DEVELOPMENT / "built-from"
LOCKS = ("requirements-setup.txt", "requirements-dev.txt", "requirements-local.txt")
# Two environments and the package; measured, and rounded up.
NEEDED_BYTES = 1_500_000_000


def built_from() -> str:
    parts = [sys.version.encode(), *((ROOT / lock).read_bytes() for lock in LOCKS)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_done() -> bool:
    return (
        STAMP.exists() and STAMP.read_text() == built_from() and (CLOUD / "bin" / "python").exists()
    )


def build() -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        sys.exit(
            f"The disk has {free // 10**6} MB left and the set-up needs "
            f"{NEEDED_BYTES // 10**6} MB: free some space, then run it again."
        )
    print(f"Python {version}: building .venv and .venv-cloud", flush=True)
    STAMP.unlink(missing_ok=True)
    python = str(DEVELOPMENT / "bin" / "python")
    if not is_ours(python):
        venv.create(DEVELOPMENT, clear=True, with_pip=True, symlinks=True)
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "-r",
        "requirements-setup.txt",
    )
    uv = str(DEVELOPMENT / "bin" / "uv")
    sync = (uv, "pip", "sync", "--quiet", "--require-hashes", "--python")
    run(*sync, python, "requirements-setup.txt", "requirements-dev.txt")
    cloud = str(CLOUD / "bin" / "python")
    if not is_ours(cloud):
        run(uv, "venv", "--quiet", "--clear", "--no-project", "--python", python, str(CLOUD))
    run(*sync, cloud, "requirements-local.txt")
    STAMP.write_text(built_from())


def is_ours(python: str) -> bool:
    """Whether an environment has this very Python: then only what changed is installed."""
    try:
        asked = subprocess.run(
            [python, "-c", "import sys; print(sys.version)"], capture_output=True, check=False
        )
    except OSError:
        return False
    return asked.returncode == 0 and asked.stdout.decode().strip() == sys.version


def run(*command: str) -> None:
    # uv warns when its cache lies on another disk; a copy is right everywhere.
    environment = {"UV_LINK_MODE": "copy", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **os.environ}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        sys.exit(
            "The set-up stopped at: "
            + " ".join(command[-4:])
            + "\nIf the lines above speak of the network: check it (or the proxy) and try again."
        )


if __name__ == "__main__":
    if "--done" in sys.argv[1:]:
        sys.exit(not is_done())
    if not is_done():
        build()
