"""Scans of signed papers, read in a process of its own: how long, how much memory, how many found.

`python -m bench.scans page` and `... file` measure one reading of what comes on standard input. The
rates are of the seeded generator's pages: read, aligned, and found signed with nothing to be asked.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import msgspec

from bench.figures import Figure, figure
from bench.starts import ROOT
from chalicelib.documents import codes, render
from chalicelib.documents.scans import reading, sources
from chalicelib.documents.sheet import DeclarationSheet
from tests.scans import generator
from tests.scans.generator import Spoil

N, PAGES, ROUNDS = 200, 100, 3
WRONG = 40


def figures(sheet: DeclarationSheet) -> Iterator[Figure]:
    """A page, a file of a hundred, three sets of two hundred, and papers of other people."""
    paper = render.render(sheet)
    page = _file(paper, sheet, Spoil(dpi=300, noise=2), 1)
    told = [_told("page", page, paper) for _ in range(ROUNDS)]
    least = min(told, key=lambda one: one["s"])
    note = f"300 dpi A4 in a PDF: read, matched, compared, kept; least of {ROUNDS}, cold"
    yield figure("scan_page_s", least["s"], "s", least["floor"], at_most=1.5, note=note)
    whole = _file(paper, sheet, Spoil(dpi=300, noise=2), PAGES)
    note = f"{PAGES} pages of 300 dpi in one file of {len(whole) / 1e6:.0f} MB; floor: one page"
    most = _told("file", whole, paper)["mb"]
    yield figure("scan_mb", most, "MB", max(one["mb"] for one in told), at_most=512, note=note)
    yield _rate("scan_flat", generator.flat, 100, sheet, paper)
    yield _rate("scan_skewed", generator.skewed, 99, sheet, paper)
    yield _rate("scan_photo", generator.photo, 95, sheet, paper)
    yield _wrong(sheet, paper)


def _rate(
    name: str,
    how: Callable[[Random], Spoil],
    least: float,
    sheet: DeclarationSheet,
    paper: bytes,
) -> Figure:
    """How many of a hundred are found as what they are; a figure below `least` is not ok."""
    found = sum(_is_found(how, seed, sheet, paper) for seed in range(N))
    rate = 100 * found / N
    note = f"{found} of {N} seeded pages: code, alignment, signature; at least {least:g}"
    one = figure(name, rate, "%", least, note=note)
    return msgspec.structs.replace(one, ok=rate >= least)


def _is_found(
    how: Callable[[Random], Spoil], seed: int, sheet: DeclarationSheet, paper: bytes
) -> bool:
    """Whether this page is found, its place in the paper and its signature with it."""
    layouts = render.layout(sheet)
    number = seed % len(layouts)
    content = generator.page_of(paper, layouts, number, how, seed)
    with sources.opened(content) as source:
        picture = source.picture(1)
    read = reading.read(picture)
    if read.payload is None or (read.payload.code, read.payload.page) != (sheet.code, number + 1):
        return False
    verdict = reading.examine(picture, read, paper, number + 1, len(layouts))
    return not verdict.doubts


def _wrong(sheet: DeclarationSheet, paper: bytes) -> Figure:
    """Pages of other papers that are read as ours, or pass beside our paper for one of its own."""
    wrong = 0
    for seed in range(WRONG):
        code = codes.new_code(seed.to_bytes(8, "big") * 2)
        other = msgspec.structs.replace(sheet, code=code, client_name=f"Inna Osoba {seed}")
        layouts, theirs = render.layout(other), render.render(other)
        how = (generator.flat, generator.skewed, generator.photo)[seed % 3]
        content = generator.page_of(theirs, layouts, seed % len(layouts), how, seed)
        with sources.opened(content) as source:
            read = reading.read(source.picture(1))
        wrong += read.payload is not None and read.payload.code != code
    note = f"{WRONG} pages of other clients' papers, flat, skewed and photographed"
    return figure("scan_wrong_client", wrong, "pages", 0, at_most=0, note=note)


def _file(paper: bytes, sheet: DeclarationSheet, how: Spoil, pages: int) -> bytes:
    """The first page, signed or not, as often as asked, as one PDF of a scanner."""
    chance = generator.chance_of(pages)
    picture = generator.spoilt(next(generator.printed(paper, how.dpi)), how, chance)
    return generator.pdf_of([picture] * pages, how.dpi)


def _told(what: str, content: bytes, paper: bytes) -> dict[str, float]:
    length = len(paper).to_bytes(8, "big")
    done = subprocess.run(
        [sys.executable, "-m", "bench.scans", what],
        cwd=ROOT,
        input=length + paper + content,
        capture_output=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _read(content: bytes, paper: bytes) -> None:
    """Every page as an import reads it."""
    with sources.opened(content) as source:
        for number in range(1, source.pages + 1):
            picture = source.picture(number)
            read = reading.read(picture)
            assert read.payload is not None
            payload = read.payload
            reading.examine(picture, read, paper, payload.page, payload.pages)
            reading.kept(picture, read.corners)


def main() -> None:
    """Do it once and tell what it cost; the floor unpacks the page and looks for any code."""
    raw = sys.stdin.buffer.read()
    split = 8 + int.from_bytes(raw[:8], "big")
    paper, content = raw[8:split], raw[split:]
    started = time.perf_counter()
    _read(content, paper)
    took = time.perf_counter() - started
    started = time.perf_counter()
    with sources.opened(content) as source:
        reading.read(source.picture(1))
    floor = time.perf_counter() - started
    # Not `ru_maxrss`: a child starts with its parent's.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"mb": peak, "s": took, "floor": floor}))


if __name__ == "__main__":
    main()
