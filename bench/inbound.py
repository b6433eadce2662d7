"""A heavy mail, read in a process of its own: how much memory, how long.

`python -m bench.inbound read` and `... floor` take the mail from standard input and print what they
cost. The floor decodes the same attachments and digests them, and finds no structure at all.
"""

import hashlib
import json
import random
import subprocess
import sys
import time
from binascii import a2b_base64
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from bench.figures import Figure, figure
from bench.starts import ROOT
from chalicelib.complaints import inbound

MEGABYTES, ATTACHMENTS, ROUNDS = 10, 5, 3
_SIZE = MEGABYTES * 1024 * 1024 // ATTACHMENTS


def figures() -> Iterator[Figure]:
    """Peak memory of the process, and the seconds of one reading."""
    raw = mail()
    ours, floors = _least("read", raw), _least("floor", raw)
    note = f"{ATTACHMENTS} attachments, {MEGABYTES} MB decoded, {len(raw) / 1024**2:.1f} MB as sent"
    floor = "floor: base64 and SHA-256 alone"
    yield figure("inbound_mb", ours[0], "MB", floors[0], at_most=512, note=note)
    yield figure(
        "inbound_s", ours[1], "s", floors[1], at_most=5, note=f"least of {ROUNDS}, cold; {floor}"
    )


def mail() -> bytes:
    """The mail, the same in every run: words in text and HTML, files that no zip makes small."""
    content = random.Random(13)  # noqa: S311  to be the same, not to be secret
    message = EmailMessage(policy=SMTP)
    message["From"] = "Anna Kowalska <anna@klient.example>"
    message["To"] = "reklamacje@agencja.example"
    message["Subject"] = "Reklamacja: odmowa wypłaty odszkodowania"
    words = "Składam reklamację i proszę o ponowne rozpatrzenie sprawy.\n" * 300
    message.set_content(words)
    message.add_alternative(f"<p>{words}</p>", subtype="html")
    for number in range(ATTACHMENTS):
        message.add_attachment(
            content.randbytes(_SIZE),
            maintype="application",
            subtype="pdf",
            filename=f"załącznik {number}.pdf",
        )
    return bytes(message)


def _least(what: str, raw: bytes) -> tuple[float, float]:
    """The most memory, and the least time, of some fresh processes."""
    told = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-m", "bench.inbound", what],
            cwd=ROOT,
            input=raw,
            capture_output=True,
            check=True,
        )
        told.append(json.loads(done.stdout))
    return max(one["mb"] for one in told), min(one["s"] for one in told)


def _read(raw: bytes) -> None:
    one = inbound.read(raw)
    assert [file.size for file in one.attachments] == [_SIZE] * ATTACHMENTS
    assert not one.notes


def _floor(raw: bytes) -> None:
    kept = []
    for part in raw.split(b"Content-Transfer-Encoding: base64")[-ATTACHMENTS:]:
        content = a2b_base64(part[part.index(b"\r\n\r\n") : part.index(b"\r\n--")])
        kept.append((content, hashlib.sha256(content).hexdigest()))
    assert [len(content) for content, _ in kept] == [_SIZE] * ATTACHMENTS


def main() -> None:
    """Do it once and tell what it cost."""
    raw = sys.stdin.buffer.read()
    started = time.perf_counter()
    {"read": _read, "floor": _floor}[sys.argv[1]](raw)
    took = time.perf_counter() - started
    # Not `ru_maxrss`: a child starts with its parent's.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"mb": peak, "s": took}))


if __name__ == "__main__":
    main()
