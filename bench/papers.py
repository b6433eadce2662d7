"""A declaration on one page, warm: ours beside the same words set by reportlab."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import msgspec

from bench.figures import Figure, figure
from bench.starts import LIBRARIES, ROOT
from chalicelib.documents import lines, render
from chalicelib.documents.sheet import DeclarationSheet

WARM, ROUNDS = 3, 15


def figures(sheet: DeclarationSheet) -> Iterator[Figure]:
    """CPU time of one rendering."""
    whole, sheet = sheet, _one_page(sheet)
    ours = milliseconds(lambda: render.render(sheet))
    fonts = [str(path) for path in lines.FONT_FILES.values()]
    done = subprocess.run(
        [sys.executable, "-m", "bench.with_reportlab", *fonts],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(LIBRARIES)},
        input=json.dumps(msgspec.to_builtins(sheet)),
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = float(done.stdout)
    note = f"one page PDF/A-2u in {sheet.language}; CPU time, median of {ROUNDS}, warm"
    yield figure("pdf_ms", ours, "ms", theirs, at_most=100, note=note)
    note = "the same words and fonts by reportlab: no PDF/A, no layout kept for scans"
    yield figure("pdf_reportlab_ms", theirs, "ms", theirs, note=note)
    note = f"{len(render.layout(whole))} pages: the default wordings, whole, as they are sent"
    yield figure("pdf_whole_ms", milliseconds(lambda: render.render(whole)), "ms", ours, note=note)


def _one_page(sheet: DeclarationSheet) -> DeclarationSheet:
    """The declaration with each wording cut where all of them fill one page."""
    for most in range(1000, 0, -50):
        answers = tuple(msgspec.structs.replace(one, text=one.text[:most]) for one in sheet.answers)
        cut = msgspec.structs.replace(sheet, answers=answers)
        if len(render.layout(cut)) == 1:
            return cut
    raise ValueError("not even the titles fit onto one page")


def milliseconds(draw: Callable[[], bytes]) -> float:
    """Median CPU time of one drawing, once warm."""
    took = []
    for _ in range(WARM + ROUNDS):
        started = time.process_time()
        assert draw().startswith(b"%PDF")
        took.append((time.process_time() - started) * 1000)
    return statistics.median(took[WARM:])
