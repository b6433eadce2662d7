"""Lists of old consents: read, tried without effect, applied; whatever is wrong is told by line."""

import csv
import io
import urllib.request
from typing import Any

from tests.api.test_attachments import sent_form
from tests.duly import ADMIN, Answer, Duly

CSV = "text/csv"
POLISH = (
    "Nr klienta;Imię i nazwisko;E-mail;Telefon;Data informacji;"
    "Zgoda marketing;marketing: data;marketing: źródło;marketing: uwaga\r\n"
)
ONE = (
    "K-1;Żaneta Łęcka;zaneta@klient.example;+48 600 700 800;01.02.2019;"
    "tak;03.02.2019;papier;teczka 7\r\n"
)


def uploaded(duly: Duly, content: bytes, name: str = "zgody.csv", kind: str = CSV) -> str:
    """A list on its way into an import."""
    body = {"name": name, "content_type": kind, "size": len(content)}
    form = duly.staff("POST", "/api/imports", body, by=ADMIN)
    assert form.status == 201, form.json
    assert sent_form(form.json, content) in (200, 204)
    return str(form.json["file_id"])


def again(duly: Duly, import_id: str) -> Any:
    """The import now."""
    answer = duly.staff("GET", f"/api/imports/{import_id}", by=ADMIN)
    assert answer.status == 200, answer.json
    return answer.json


def tried(duly: Duly, content: bytes | str, name: str = "zgody.csv", kind: str = CSV) -> Any:
    """An import after its dry run."""
    raw = content.encode() if isinstance(content, str) else content
    import_id = uploaded(duly, raw, name, kind)
    answer = duly.staff("POST", f"/api/imports/{import_id}/check", {"name": name}, by=ADMIN)
    assert answer.status == 202, answer.json
    duly.heavy_tick()
    return again(duly, import_id)


def applied(duly: Duly, content: bytes | str, **more: str) -> Any:
    """An import that was tried and done."""
    one = tried(duly, content, **more)
    assert one["state"] == "checked", one
    answer = begun(duly, one)
    assert answer.status == 202, answer.json
    duly.heavy_tick()
    return again(duly, one["import_id"])


def begun(duly: Duly, one: Any, by: str = ADMIN) -> Answer:
    """A person wants it done."""
    path = f"/api/imports/{one['import_id']}/apply"
    return duly.staff("POST", path, by=by, version=one["version"])


def counts(found: Any) -> dict[str, int]:
    """How many lines of each result there are."""
    return {name: number for name, number in found.items() if number}


def report(one: Any) -> list[list[str]]:
    """The report as a spreadsheet reads it."""
    with urllib.request.urlopen(one["report_url"], timeout=10) as answer:
        raw: bytes = answer.read()
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def the_client(duly: Duly, name: str) -> Any:
    """The one client whose name begins so."""
    (found,) = duly.staff("GET", f"/api/clients?name={name}").json["clients"]
    return found


def test_old_consents_are_tried_then_done(duly: Duly) -> None:
    """S52-S54: client, notice and decision as the list says, proof and source with them."""
    one = tried(duly, POLISH + ONE)
    assert one["state"] == "checked", one
    assert counts(one["checked"]) == {"created": 1}
    assert duly.staff("GET", "/api/clients?name=zaneta").json["clients"] == []
    assert begun(duly, one).status == 202
    duly.heavy_tick()
    one = again(duly, one["import_id"])
    assert (one["state"], counts(one["applied"])) == ("done", {"created": 1})
    client = the_client(duly, "zaneta")
    assert client["state"] == "active"
    assert client["notice"]["how"] == "recorded"
    assert client["notice"]["at"] == "2019-01-31T23:00:00Z"
    (told,) = [each for each in client["consents"] if each["purpose"] == "marketing"]
    assert (told["state"], told["proof"], told["at"]) == ("given", "record", "2019-02-02T23:00:00Z")
    where = f"/api/clients/{client['client_id']}/records/{told['declaration_id']}"
    record = duly.staff("GET", where).json
    assert (record["source"], record["note"], record["by"]) == ("paper", "teczka 7", ADMIN)
