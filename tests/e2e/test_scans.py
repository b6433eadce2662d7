"""Signed papers come back over the deployed stack; the function for what is heavy reads them."""

from typing import Any

import pytest

from local import seed
from local.demo.papers import spoilt
from local.desk import Desk, download, send_form
from tests.e2e.conftest import Whole, wait
from tests.scans import generator

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

FOREIGNER = "belova@sever-garant.duly.example"
SAID = {"marketing": True, "email": True, "phone": False}


def printed(desk: Desk, name: str, language: str = "pl") -> tuple[Any, bytes]:
    """A client, and the paper of a declaration that was printed for them."""
    known = {"kind": "person", "name": name, "language": language, "served": "direct"}
    client = desk.post("/api/clients", known)
    path = f"/api/clients/{client['client_id']}/declarations"
    draft = desk.post(path, {"answers": SAID})
    where = f"{path}/{draft['declaration_id']}/print"
    return client, download(desk.post(where, version=draft["version"])["url"])


def imported(whole: Whole, **files: bytes) -> Any:
    """An import of these files, read."""
    named = []
    for name, content in files.items():
        kind = {"name": f"{name}.pdf", "content_type": "application/pdf", "size": len(content)}
        slot = whole.agent.post("/api/scans/uploads", kind)
        send_form(slot["url"], slot["fields"], name, content)
        named.append({"file_id": slot["file_id"], "name": f"{name}.pdf"})
    path = f"/api/scans/{whole.agent.post('/api/scans', {'files': named})['import_id']}"

    def is_done() -> bool:
        whole.cloud.heavy_tick()
        return bool(whole.agent.get(path)["state"] == "done")

    wait(is_done)
    return whole.agent.get(path)


def test_a_signed_scan_gives_its_consents(whole: Whole) -> None:
    """S31, S34-S36: through a feeder, skewed; kept as the client's paper, proved by signature."""
    client, paper = printed(whole.agent, "Ignacy Podajnik")
    scans = imported(whole, podajnik=spoilt(paper, generator.skewed, seed=12))
    assert {one["state"] for one in scans["pages"]} == {"recorded"}
    assert scans["correct"] is True
    assert whole.consents(client) == {"marketing": "given", "email": "given", "phone": "refused"}
    assert download(scans["pages"][0]["url"]).startswith(b"%PDF-")
    assert "paper_signed" in whole.events(client)


def test_what_is_not_ours_or_not_signed_changes_nothing(whole: Whole) -> None:
    """S35, S37: another organisation's code is nobody's here; no signature waits for a person."""
    stranger = Desk.sign_in(whole.cloud.outputs, FOREIGNER, seed.PASSWORD)
    _, foreign = printed(stranger, "Антон Чужой", "ru")
    client, unsigned = printed(whole.agent, "Janina Niepodpisana")
    scans = imported(
        whole,
        obcy=spoilt(foreign, generator.flat, seed=15),
        bez=spoilt(unsigned, generator.flat, seed=14, sign=False),
        uszkodzony=b"%PDF-1.4\n% the rest was lost on the way\n",
    )
    states: dict[int, set[str]] = {}
    for page in scans["pages"]:
        states.setdefault(page["file"], set()).add(page["state"])
    assert states[0] == {"unmatched"}
    assert "waiting" in states[1]
    assert scans["files"][2]["state"] == "damaged"
    assert whole.consents(client)["marketing"] != "given"
