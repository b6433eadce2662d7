"""Papers: rendered, kept in the bucket under one key for one declaration and layout."""

import hashlib

import msgspec

from chalicelib.documents import codes
from chalicelib.documents.sheet import DeclarationSheet, Paper
from chalicelib.kernel.change import Key
from chalicelib.ports import Ports

PDF = "application/pdf"
_NAMES = {"pl": "Oswiadczenie", "en": "Declaration", "ru": "Zayavlenie"}


def rendered(sheet: DeclarationSheet) -> bytes:
    """The paper; the same sheet gives the same bytes."""
    from chalicelib.documents import render

    return render.render(sheet)


def confirmed(sheet: DeclarationSheet, *, filename: str, says: str, record: bytes) -> bytes:
    """The client's copy of what was confirmed: PDF/A-3u, a machine's record of it inside (S48)."""
    from chalicelib.documents import pdf, render

    embedded = pdf.Embedded(
        filename=filename, content_type="application/json", content=record, says=says
    )
    return render.render(sheet, embedded)


def keep(ports: Ports, owner: Key, declaration_id: str, sheet: DeclarationSheet) -> Paper:
    """Render and keep the paper, under a key that follows from what it says."""
    from chalicelib.documents.render import LAYOUT

    content = rendered(sheet)
    said = hashlib.sha256(msgspec.json.encode(sheet)).hexdigest()[:16]
    key = f"papers/{owner.org}/{owner.id}/{declaration_id}-{said}-{LAYOUT}.pdf"
    digest = hashlib.sha256(content).hexdigest()
    ports.bucket.put(key, content, content_type=PDF, sha256=digest)
    return Paper(key, digest, LAYOUT)


def link(ports: Ports, paper: Paper, *, code: str, language: str) -> str:
    """A presigned address of the paper, for five minutes."""
    return ports.bucket.link(paper.object_key, filename=filename(code, language), content_type=PDF)


def filename(code: str, language: str) -> str:
    """What the paper is called when it is downloaded or attached."""
    return f"{_NAMES[language]}-{codes.group(code)}.pdf"
