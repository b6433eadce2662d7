"""Finds a Chromium for the browser tests, or gets one: Debian's where apt-get works as root, else
one that is on the machine, else Playwright's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# The one without windows paints the same and costs a third of the time; the whole one else.
DEBIAN = ("chromium-headless-shell", "chromium")
OTHERS = ("chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def chromium() -> str | None:
    """The browser to start, or none: then Playwright has its own. `DULY_CHROMIUM` names another."""
    named = os.environ.get("DULY_CHROMIUM")
    if named:
        return named
    for name in (*DEBIAN, *OTHERS, *APPLICATIONS):
        found = shutil.which(name)
        if found:
            return found
    return None


def main() -> None:
    if os.environ.get("DULY_CHROMIUM") or shutil.which(DEBIAN[0]):
        return
    if os.geteuid() == 0 and shutil.which("apt-get") and _installed_from_debian():
        return
    if chromium() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def _installed_from_debian() -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def apt_get(*words: str) -> bool:
        told = subprocess.run(["apt-get", "-qq", *words], env=environment, check=False)
        return told.returncode == 0

    return apt_get("update") and any(
        apt_get("install", "-y", "--no-install-recommends", name) and shutil.which(name)
        for name in DEBIAN
    )


if __name__ == "__main__":
    main()
