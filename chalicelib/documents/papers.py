"""Papers: rendered, kept in the bucket under one key for one declaration and layout."""

import hashlib

from chalicelib.documents import codes, render
from chalicelib.documents.sheet import DeclarationSheet
from chalicelib.kernel.change import Key
from chalicelib.ports import Ports

PDF = "application/pdf"
_NAMES = {"pl": "Oswiadczenie", "en": "Declaration", "ru": "Zayavlenie"}


def rendered(sheet: DeclarationSheet) -> bytes:
    """The paper; the same sheet gives the same bytes."""
    return render.render(sheet)


def keep(ports: Ports, owner: Key, declaration_id: str, sheet: DeclarationSheet) -> dict[str, str]:
    """The paper's key and SHA-256; rendered once, for another release might draw other bytes."""
    key = object_key(owner, declaration_id)
    kept = ports.bucket.stat(key)
    if kept is not None:
        return {"object_key": key, "sha256": kept.sha256, "layout": render.LAYOUT}
    content = rendered(sheet)
    digest = hashlib.sha256(content).hexdigest()
    ports.bucket.put(key, content, content_type=PDF, sha256=digest)
    return {"object_key": key, "sha256": digest, "layout": render.LAYOUT}


def object_key(owner: Key, declaration_id: str) -> str:
    """Where the paper of a declaration lies."""
    return f"papers/{owner.org}/{owner.id}/{declaration_id}-{render.LAYOUT}.pdf"


def link(ports: Ports, owner: Key, declaration_id: str, *, code: str, language: str) -> str:
    """A presigned address of the paper, for five minutes."""
    return ports.bucket.link(
        object_key(owner, declaration_id), filename=filename(code, language), content_type=PDF
    )


def filename(code: str, language: str) -> str:
    """What the paper is called when it is downloaded or attached."""
    return f"{_NAMES[language]}-{codes.group(code)}.pdf"
