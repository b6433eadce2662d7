"""Signed papers come back as scans: matched, put together, recorded; or left to a person."""

import random
import urllib.request
import uuid
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import msgspec
import pypdfium2
import pytest
from PIL import Image

from chalicelib import agenda, wiring
from chalicelib.aws import clients, ledger
from chalicelib.documents.scans import printed
from chalicelib.documents.sheet import Area
from tests.api.test_attachments import sent_form
from tests.duly import AGENT, Duly
from tests.scans import generator

DPI = 150
PDF = "application/pdf"


def heavy(duly: Duly) -> agenda.Run:
    """The function of heavy things runs, as it does every minute."""
    ports = msgspec.structs.replace(wiring.ports(), shards=ledger.HEAVY_SHARDS)
    return agenda.run_on(ports, agenda.Budget(left=lambda: 55_000))


def printed_paper(duly: Duly, client: Any, **answers: bool) -> tuple[Any, bytes]:
    """A declaration that was printed, and the bytes of its paper."""
    done = duly.act(duly.declared(client, **answers), "print")
    assert done.status == 200, done.json
    with urllib.request.urlopen(done.json["url"], timeout=10) as answer:
        return done.json["declaration"], answer.read()


def pictures(pdf: bytes, *, sign: bool = True, seed: int = 1) -> list[Any]:
    """The paper's pages, signed by hand, as a scanner delivers them."""
    chance = random.Random(seed)
    found = []
    for number, picture in enumerate(generator.printed(pdf, DPI), 1):
        page = printed.page(pdf, number, printed.count(pdf))
        assert page is not None
        if sign and "signature" in page.fields:
            generator.with_signature(picture, page.fields["signature"], DPI, chance)
        found.append(picture)
    return found


def scanned(pages: list[Any]) -> bytes:
    """The pages as one PDF of a scanner."""
    return generator.pdf_of(pages, DPI)


def uploaded(duly: Duly, content: bytes, name: str = "skan.pdf", kind: str = PDF) -> Any:
    """A file on its way into an import."""
    body = {"name": name, "content_type": kind, "size": len(content)}
    form = duly.staff("POST", "/api/scans/uploads", body)
    assert form.status == 201, form.json
    assert sent_form(form.json, content) in (200, 204)
    return {"file_id": form.json["file_id"], "name": name}


def imported(duly: Duly, *contents: bytes, **more: Any) -> Any:
    """An import of these files, read and settled."""
    files = [uploaded(duly, one) for one in contents]
    answer = duly.staff("POST", "/api/scans", {"files": files} | more)
    assert answer.status == 201, answer.json
    heavy(duly)
    return again(duly, answer.json)


def again(duly: Duly, scans: Any) -> Any:
    """The import now."""
    answer = duly.staff("GET", f"/api/scans/{scans['import_id']}")
    assert answer.status == 200, answer.json
    return answer.json


def states(scans: Any) -> list[str]:
    """What became of each page."""
    return [one["state"] for one in scans["pages"]]


def test_a_signed_scan_changes_the_consents(duly: Duly) -> None:
    """S31, S34-S36: matched by itself; each consent stands as the paper says, by signature."""
    client = duly.client()
    declaration, pdf = printed_paper(duly, client, marketing=True, email=True, phone=False)
    scans = imported(duly, scanned(pictures(pdf)))
    assert scans["state"] == "done", scans
    assert set(states(scans)) == {"recorded"}, scans["pages"]
    assert scans["correct"] is True
