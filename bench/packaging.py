"""The package as it is uploaded, beside the libraries in it."""

import zipfile
from pathlib import Path

from bench.figures import Figure, figure
from infra import package
from local.packaging import digest

OUT = Path(__file__).parent.parent / "build" / "bench" / "package"


def megabytes() -> Figure:
    """The size of what `make package` makes; made anew when a source has changed."""
    stamp, made_from = OUT / "built-from", digest()
    if not (stamp.exists() and stamp.read_text() == made_from):
        package.build("prod", OUT)
        stamp.write_text(made_from)
    zipped = OUT / "deployment.zip"
    with zipfile.ZipFile(zipped) as content:
        entries = content.infolist()
    ours = ("app.py", "chalicelib/")
    libraries = sum(one.compress_size for one in entries if not one.filename.startswith(ours)) / 1e6
    note = "floor: the libraries in it; without the runtime's own boto3"
    size = package.megabytes(zipped)
    return figure("package_mb", size, "MB", libraries, at_most=30, note=note)
