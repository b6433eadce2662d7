"""Make the package: `python -m infra.package --stage prod --out build/package`.

Leaves deployment.zip (every function's code) and template.json (the whole stack). The same
sources, lock file and Python make the same bytes. Chalice turns app.py into functions and routes;
the libraries are fetched here, by hash and as wheels only, since Chalice's own packager compiles
what it finds no wheel for, and carries on when the result can't run on Lambda.
"""

import argparse
import compileall
import hashlib
import json
import os
import platform
import py_compile
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra import template

ROOT = Path(__file__).parent.parent
LOCAL = "local"
OLDEST = (3, 11)
LIMIT_MB = 30
ELF_X86_64 = 62
# Amazon Linux 2 under Python 3.11, 2023 from 3.12 on: the newest glibc that a wheel may ask for.
GLIBC = {(3, 11): 26}
GLIBC_SINCE_2023 = 34
EPOCH = (1980, 1, 1, 0, 0, 0)
# What Chalice's packager adds by itself: the three files that a function needs of it.
PACKAGER = "chalice"
# What no function reads: sources of compiled modules, stubs, a page that shows an API, the names of
# holidays, pictures in AVIF, and compiled twins of modules of fontTools that are no part of a PDF.
NOT_SHIPPED = re.compile(
    r"\.(c|cpp|h|pyx|pxd|pyi)$|/swagger_ui/|^holidays/locale/"
    r"|^PIL/_avif\.|^pillow\.libs/libavif-|^fontTools/.*\.so$"
)
# The flags of byte code that is taken as it is: Lambda's folder can't be written, so code without
# any is compiled anew at every cold start, and dates mean nothing in a zip.
UNCHECKED_HASH = 0b01


class PackageError(Exception):
    """There is no package that could be trusted; the message says what to change."""


def build(stage: str, out: Path, *, project: Path = ROOT) -> Path:
    """Make deployment.zip and template.json for one stage in `out`, and return `out`."""
    if sys.version_info[:2] < OLDEST:
        message = f"This takes Python 3.11 or newer; it ran with {sys.version.split()[0]}."
        raise PackageError(message)
    libraries = fetch_libraries(project, project / "build" / "libraries", for_lambda=stage != LOCAL)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        merged = chalice_package(stage, project, Path(scratch))
        zipped = out / "deployment.zip"
        app = Path(scratch) / "app"
        shutil.unpack_archive(Path(scratch) / "deployment.zip", app)
        add_byte_code(app)
        files = {**_tree(libraries), **_tree(app)}
        # Squeezing takes ten seconds, which the local cloud has no use for.
        write_zip(zipped, files, level=1 if stage == LOCAL else 9)
    check_zip(zipped, for_lambda=stage != LOCAL)
    (out / "template.json").write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n")
    return out


def chalice_package(stage: str, project: Path, scratch: Path) -> template.Json:
    """What Chalice makes of app.py, merged with infra/ and finished.

    Leaves Chalice's zip of the app, without libraries, in `scratch`.
    """
    source = scratch / "source"
    source.mkdir()
    shutil.copy(project / "app.py", source)
    # Chalice ships whatever lies under chalicelib/, and has no way to leave anything out.
    shutil.copytree(
        project / "chalicelib", source / "chalicelib", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(
        project / ".chalice", source / ".chalice", ignore=shutil.ignore_patterns("deployments")
    )
    (source / "requirements.txt").touch()
    extra = scratch / "merge.json"
    extra.write_text(json.dumps(template.compose(project / "static_site")))
    _run([sys.executable, "-B", "-c", _REFUSE_DEBUG], source)
    _run(
        [
            *(sys.executable, "-B", "-c", "from chalice.cli import main; main()"),
            *("package", "--stage", stage, "--merge-template", str(extra), str(scratch)),
        ],
        source,
    )
    merged = json.loads((scratch / "sam.json").read_text())
    return template.finish(merged, stage=stage)


_REFUSE_DEBUG = (
    "import app, sys; sys.exit('app.debug is true: a client would see stack traces.'"
    " if app.app.debug else 0)"
)


def _run(command: list[str], folder: Path) -> None:
    environment = {
        **os.environ,
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "eu-central-1"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(done.stderr.strip() or done.stdout.strip())


def runtime_names(requirements: Iterable[str]) -> frozenset[str]:
    """Every distribution needed at run time: Chalice's own needs are those of its command."""
    wanted: dict[str, set[str]] = {}
    open_ends = [Requirement(line) for line in requirements]
    while open_ends:
        requirement = open_ends.pop()
        name = canonicalize_name(requirement.name)
        new = {"", *requirement.extras} - wanted.get(name, set())
        if name == PACKAGER or not new:
            continue
        wanted.setdefault(name, set()).update(new)
        open_ends += [
            needed
            for needed in map(Requirement, metadata.requires(name) or ())
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in new)
        ]
    return frozenset(wanted)


def locked(lock: str, names: frozenset[str]) -> str:
    """The part of a lock file that pins these names; refuses when one of them is not in it."""
    blocks = re.findall(r"^[^\s#-][^\n]*(?:\n[ \t]+[^\n]*)*", lock, flags=re.MULTILINE)
    pinned: dict[str, list[str]] = {}  # a name may have one pin for older Pythons, one for newer
    for block in blocks:
        pinned.setdefault(canonicalize_name(re.split(r"[=\[ ;]", block)[0]), []).append(block)
    missing = names - pinned.keys()
    if missing:
        message = f"requirements.txt does not pin {', '.join(sorted(missing))}: compile it anew."
        raise PackageError(message)
    return "\n".join(block for name in sorted(names) for block in pinned[name]) + "\n"


def fetch_libraries(project: Path, cache: Path, *, for_lambda: bool) -> Path:
    """A folder with the libraries: Lambda's wheels, or for the local cloud this machine's own."""
    lines = (project / "requirements.in").read_text().splitlines()
    names = runtime_names(line for line in lines if line and not line.startswith(("#", "-")))
    pins = locked((project / "requirements.txt").read_text(), names)
    python = sys.version_info[:2]
    tags = _lambda_tags(python) if for_lambda else []
    kind = f"{pins}{python}{tags or platform.platform()}{NOT_SHIPPED.pattern}"
    folder = cache / hashlib.sha256(kind.encode()).hexdigest()[:16]
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        pinned = Path(scratch) / "requirements.txt"
        pinned.write_text(pins)
        fresh = Path(scratch) / "libraries"
        _run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:"),
                *(option for tag in tags for option in ("--platform", tag)),
                *("--target", str(fresh), "--requirement", str(pinned)),
            ],
            project,
        )
        shutil.rmtree(fresh / "bin", ignore_errors=True)
        for file in list(_files(fresh)):
            if NOT_SHIPPED.search(file.relative_to(fresh).as_posix()):
                file.unlink()
        add_byte_code(fresh)
        fresh.rename(folder)
    return folder


def add_byte_code(folder: Path) -> None:
    """Compile every module here, the same bytes each time (PEP 552), as it will lie on Lambda."""
    compileall.compile_dir(
        folder,
        quiet=2,  # a library may ship a module for another Python: no Lambda would import it
        stripdir=str(folder),
        prependdir="/var/task",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        maxlevels=20,
    )


def _lambda_tags(python: tuple[int, int]) -> list[str]:
    newest = GLIBC.get(python, GLIBC_SINCE_2023)
    return [f"manylinux_2_{minor}_x86_64" for minor in range(newest, 4, -1)] + [
        "manylinux2014_x86_64"
    ]


def write_zip(target: Path, files: Mapping[str, bytes], *, level: int = 9) -> None:
    """A zip that depends on the files' names and bytes, and on nothing else."""
    with zipfile.ZipFile(target, "w") as out:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            out.writestr(entry, files[name], compresslevel=level)


def check_zip(zipped: Path, *, for_lambda: bool) -> None:
    """Refuse what Lambda could not load, what the runtime brings itself, and what is too large."""
    with zipfile.ZipFile(zipped) as content:
        for name in content.namelist():
            stale = name.endswith(".pyc") and not _is_unchecked(content, name)
            if stale or name.startswith(("botocore/", "boto3/")):
                message = f"{name} does not belong in the package."
                raise PackageError(message)
            if name.endswith(".dist-info/WHEEL") and b"-linux_x86_64" in content.read(name):
                message = f"{name}: built on this machine, it can't run on Lambda."
                raise PackageError(message)
            if for_lambda and _is_foreign(content, name):
                message = f"{name} is not for x86-64 Linux."
                raise PackageError(message)
    if megabytes(zipped) > LIMIT_MB:
        message = f"The package has {megabytes(zipped):.1f} MB, {LIMIT_MB} are allowed."
        raise PackageError(message)


def megabytes(zipped: Path) -> float:
    """The size of the package."""
    return zipped.stat().st_size / 1e6


def _is_unchecked(content: zipfile.ZipFile, name: str) -> bool:
    with content.open(name) as code:
        header = code.read(8)
    return len(header) == 8 and struct.unpack("<I", header[4:])[0] == UNCHECKED_HASH


def _is_foreign(content: zipfile.ZipFile, name: str) -> bool:
    if not re.search(r"\.(so|dylib|pyd)(\.|$)", name):
        return False
    with content.open(name) as library:
        header = library.read(20)
    return header[:5] != b"\x7fELF\x02" or struct.unpack_from("<H", header, 18)[0] != ELF_X86_64


def _tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def main() -> None:
    """Build, and say what was made."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.package", description="Make the zip and the template."
    )
    parser.add_argument("--stage", required=True, choices=["local", "dev", "prod"])
    parser.add_argument("--out", type=Path, default=Path("build/package"))
    options = parser.parse_args()
    try:
        out = build(options.stage, options.out)
    except (PackageError, template.TemplateError) as error:
        sys.exit(f"No package: {error}")
    zipped = out / "deployment.zip"
    digest = hashlib.sha256(zipped.read_bytes()).hexdigest()
    print(f"{zipped}: {megabytes(zipped):.1f} MB, sha256 {digest}")


if __name__ == "__main__":
    main()
