"""The public form as a page fills it in: a challenge worked on, files uploaded, all of it sent."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from local.desk import Desk, send_form

# Name and type of a file, and its content.
Uploads = Mapping[tuple[str, str], bytes]


def worked(challenge: Any) -> str:
    """The proof of somebody whose machine did the work."""
    from altcha import Challenge, solve_challenge

    found = solve_challenge(Challenge.from_dict(challenge))
    if found is None:
        raise ValueError("The challenge has no solution.")
    payload = {"challenge": challenge, "solution": found.to_dict()}
    return base64.b64encode(json.dumps(payload).encode()).decode()


def file(public: Desk, org: str, files: Uploads | None = None, **filled: Any) -> Any:
    """One submission to the organisation, with its files; what the page is told."""
    path = f"/api/public/{org}/complaints"
    proof = worked(public.post(f"{path}/form", {})["challenge"])
    sent = [
        _upload(public, f"{path}/files", slot, *kind, content, proof=proof)
        for slot, (kind, content) in enumerate((files or {}).items())
    ]
    return public.post(path, {"proof": proof, "seconds": 90, "files": sent, **filled})


def add(public: Desk, org: str, token: str, text: str, files: Uploads | None = None) -> Any:
    """A message, documents or both, through the private page."""
    path = f"/api/public/{org}/complaints/status"
    sent = [
        _upload(public, f"{path}/files", slot, *kind, content, token=token)
        for slot, (kind, content) in enumerate((files or {}).items())
    ]
    return public.post(f"{path}/add", {"token": token, "text": text, "files": sent})


def _upload(
    public: Desk, path: str, slot: int, name: str, kind: str, content: bytes, **who: str
) -> dict[str, Any]:
    told = {"slot": slot, "name": name, "content_type": kind, "size": len(content)}
    form = public.post(path, told | who)
    send_form(form["url"], form["fields"], name, content)
    return told | {"folder": form["folder"]}
