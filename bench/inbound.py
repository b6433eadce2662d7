"""A heavy mail, taken in by a process of its own: how much memory, how long.

`python -m bench.inbound take KEY` takes in the object that lies under this key, end to end: out of
the bucket, read, its files looked at and kept, the case written. `... floor` decodes the same
attachments from standard input and digests them, and finds no structure at all.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from bench.figures import Figure, figure
from bench.starts import ROOT
from chalicelib import wiring
from chalicelib.aws import clients
from chalicelib.complaints import mail as mails

MEGABYTES, ATTACHMENTS, ROUNDS = 10, 5, 3
_SIZE = MEGABYTES * 1024 * 1024 // ATTACHMENTS


def figures(account: Mapping[str, str], org: str = "agencja") -> Iterator[Figure]:
    """Peak memory of the process and the seconds of one mail, in an account with this organisation.

    The environment names the account to this process, too.
    """
    raw = mail()
    keys = [f"inbound/{org}/heavy{number}" for number in range(ROUNDS)]
    for key in keys:
        clients.client("s3").put_object(Bucket=account["BUCKET_NAME"], Key=key, Body=raw)
    ours = _least([("take", key) for key in keys], b"", account)
    floors = _least([("floor",)] * ROUNDS, raw, {})
    note = f"{ATTACHMENTS} attachments, {MEGABYTES} MB decoded, {len(raw) / 1024**2:.1f} MB as sent"
    floor = "end to end on the local engine; floor: base64 and SHA-256 alone"
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


def _least(
    asked: list[tuple[str, ...]], raw: bytes, account: Mapping[str, str]
) -> tuple[float, float]:
    """The most memory, and the least time, of some fresh processes."""
    told = []
    for one in asked:
        done = subprocess.run(
            [sys.executable, "-m", "bench.inbound", *one],
            cwd=ROOT,
            env={**os.environ, **account},
            input=raw,
            capture_output=True,
            check=True,
        )
        told.append(json.loads(done.stdout.splitlines()[-1]))
    return max(one["mb"] for one in told), min(one["s"] for one in told)


def _take(key: str) -> None:
    assert mails.take(wiring.ports(), key) == "received"


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
    if sys.argv[1] == "take":
        _take(sys.argv[2])
    else:
        _floor(raw)
    took = time.perf_counter() - started
    # Not `ru_maxrss`: a child starts with its parent's.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"mb": peak, "s": took}))


if __name__ == "__main__":
    main()
