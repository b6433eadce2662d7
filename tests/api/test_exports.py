"""All clients and consents as files: whole, formula-safe, known of, gone after a day."""

import csv
import io
import json
import urllib.request
from typing import Any

import pytest

from chalicelib.exports import domain, service
from chalicelib.organisations import domain as organisation
from tests.duly import ADMIN, AGENT, HEAD, Answer, Duly


def begun(duly: Duly, what: str, form: str = "csv", *, by: str = ADMIN, **more: Any) -> Answer:
    """An export is asked for."""
    return duly.staff("POST", "/api/exports", {"what": what, "format": form}, by=by, **more)


def exported(duly: Duly, what: str, form: str = "csv") -> tuple[Any, bytes]:
    """An export that is done, and its file."""
    answer = begun(duly, what, form)
    assert answer.status == 202, answer.json
    assert (answer.json["state"], answer.json["url"]) == ("writing", "")
    duly.heavy_tick()
    done = again(duly, answer.json)
    assert done["state"] == "done", done
    with urllib.request.urlopen(done["url"], timeout=10) as file:
        return done, file.read()


def again(duly: Duly, export: Any) -> Any:
    """The export now."""
    answer = duly.staff("GET", f"/api/exports/{export['export_id']}", by=ADMIN)
    assert answer.status == 200, answer.json
    return answer.json


def table(raw: bytes) -> list[dict[str, str]]:
    """The file as a spreadsheet reads it."""
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def given(duly: Duly, client: Any, purpose: str, decided: str) -> None:
    """A decision set by hand."""
    version = duly.read_client(client["client_id"])["version"]
    path = f"/api/clients/{client['client_id']}/consents/{purpose}"
    body = {"decided": decided, "source": "paper"}
    answer = duly.staff("PUT", path, body, version=version)
    assert answer.status == 200, answer.json


def informed(duly: Duly, **changes: Any) -> Any:
    """A client who got the notice by a declaration."""
    client = duly.client(**changes)
    duly.sent(client)
    return client


def test_each_client_is_one_line_whatever_the_name(duly: Duly) -> None:
    """Issue 4, 10: a name of five words is in the list of names five times, in the file once."""
    names = ["Anna Maria Teresa Zofia Nowak", "Żaneta Łęcka", "Nowak"]
    for n, name in enumerate(names):
        duly.client(name=name, email=f"c{n}@klient.example")
    done, raw = exported(duly, "clients")
    rows = table(raw)
    assert sorted(one["name"] for one in rows) == sorted(names)
    assert (done["lines"], done["size"]) == (3, len(raw))
    assert {one["state"] for one in rows} == {"before_notice"}


def test_consents_come_with_what_proves_them(duly: Duly) -> None:
    """Issue 4, 10; S52: every standing with its day, its proof and the proof's id."""
    client = informed(duly)
    given(duly, client, "marketing", "given")
    given(duly, client, "phone", "refused")
    rows = {one["purpose"]: one for one in table(exported(duly, "consents")[1])}
    assert {name: one["state"] for name, one in rows.items()} == {
        "marketing": "given",
        "phone": "refused",
    }
    read = duly.read_client(client["client_id"])["consents"]
    (known,) = [one for one in read if one["purpose"] == "marketing"]
    row = rows["marketing"]
    assert (row["proof"], row["proof_id"]) == ("record", known["declaration_id"])
    assert (row["decided_at"], row["client_id"]) == (known["at"], client["client_id"])


def test_a_name_that_is_a_formula_is_text(duly: Duly) -> None:
    """ASVS 1.2.10: nobody's spreadsheet computes what a client is called."""
    names = ["=HYPERLINK(1)", "+48", "-2+3", "@SUM(A1)", "＝1+1"]
    for n, name in enumerate(names):
        duly.client(name=name, email=f"c{n}@klient.example")
    rows = table(exported(duly, "clients")[1])
    assert sorted(one["name"] for one in rows) == sorted(f"'{one}" for one in names)
    assert {one["phone"] for one in rows} == {"'+48600100200"}


def test_lines_of_json_say_the_same(duly: Duly) -> None:
    """Issue 4, 10: one object in each line, nothing escaped that no JSON needs escaped."""
    client = informed(duly, name="=Łucja")
    given(duly, client, "marketing", "given")
    for what, number in (("clients", 1), ("consents", 2)):  # the declaration said no to telephone
        done, raw = exported(duly, what, "jsonl")
        lines = [json.loads(one) for one in raw.splitlines()]
        assert done["lines"] == len(lines) == number
        assert {one["name"] for one in lines} == {"=Łucja"}
        assert {one["client_id"] for one in lines} == {client["client_id"]}


def test_no_clients_make_a_table_without_lines(duly: Duly) -> None:
    """Issue 4, 10: the names of the columns alone; no JSON is no line."""
    done, raw = exported(duly, "clients")
    assert (done["lines"], table(raw)) == (0, [])
    assert exported(duly, "consents", "jsonl")[1] == b""


def test_an_export_is_part_of_the_organisations_evidence(duly: Duly) -> None:
    """Issue 4, 10: who exported what, in the organisation's own chain, before the file is."""
    done = begun(duly, "clients", "jsonl", by=HEAD).json
    (told,) = duly.ports().ledger.events(organisation.key("agencja"), most=1)
    assert told.envelope["kind"] == "data_exported"
    assert told.envelope["actor"] == {"kind": "staff", "id": HEAD}
    asked = {"export": done["export_id"], "what": "clients", "format": "jsonl"}
    assert told.body is not None
    assert told.body.items() >= asked.items()


def test_the_same_request_is_one_export(duly: Duly) -> None:
    """Issue 4, 10: a repeated request finds what it made, and is told of once."""
    first, second = (begun(duly, "clients", once="o" * 20).json for _ in range(2))
    assert first["export_id"] == second["export_id"]
    assert begun(duly, "consents", once="o" * 20).told == (409, "idempotency_key_reused")


def test_only_who_answers_for_the_organisation_exports(duly: Duly) -> None:
    """Issue 4, 10: administrators and heads."""
    assert begun(duly, "clients", by=AGENT).told == (403, "role_refused")
    assert begun(duly, "clients", by=HEAD).status == 202


def test_a_file_is_gone_after_a_day(duly: Duly) -> None:
    """S15: what was exported outlives nobody's erasure for long."""
    duly.client()
    done, _ = exported(duly, "clients")
    assert [key for key in duly.objects() if key.startswith("exports/")]
    duly.wait(days=1, minutes=1)
    assert again(duly, done)["url"] == ""
    duly.heavy_tick()
    assert again(duly, done)["state"] == "over"
    assert not [key for key in duly.objects() if key.startswith("exports/")]


def test_a_large_export_is_written_part_by_part(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, 10: each part is written down when it is there, none is held with another."""
    monkeypatch.setattr(service, "PAGE", 2)
    monkeypatch.setattr(service, "SECONDS", 0.0)  # a turn is one step
    monkeypatch.setattr(service, "PART", 100)
    names = [f"Nowak{n}" for n in range(5)]
    for n, name in enumerate(names):
        duly.client(name=name, email=f"c{n}@klient.example")
    duly.client(name="Pan Nowak", email="two@klient.example")
    done, raw = exported(duly, "clients")
    assert sorted(one["name"] for one in table(raw)) == sorted([*names, "Pan Nowak"])
    held = service.get(duly.ports(), "agencja", done["export_id"])
    assert len(held.value.parts) > 1


def test_a_crash_after_the_last_part_begins_again(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robustness: the object was whole and nobody had said so; the file is written anew."""
    duly.client()
    export = begun(duly, "clients").json
    true = domain.wrote

    def dies(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(domain, "wrote", dies)
    assert duly.heavy_tick().failed == 1
    monkeypatch.setattr(domain, "wrote", true)
    duly.wait(hours=1)
    duly.heavy_tick()
    done = again(duly, export)
    assert (done["state"], done["lines"]) == ("done", 1)


def test_an_erased_client_is_in_no_later_export(duly: Duly) -> None:
    """S15, D22: not even while the erasure is only begun."""
    client = duly.client()
    version = duly.read_client(client["client_id"])["version"]
    assert version
    from chalicelib.clients import domain as clients
    from chalicelib.clients import store
    from chalicelib.kernel.change import SYSTEM

    ports = duly.ports()
    held = store.get(ports, "agencja", client["client_id"])
    ports.ledger.commit(clients.leave(held, by=SYSTEM, now=ports.now))
    assert table(exported(duly, "clients")[1]) == []


def test_another_organisations_export_is_not_there(duly: Duly) -> None:
    """Issue 4, 10: an id of another organisation's is no export."""
    export = begun(duly, "clients").json
    duly.found("inna")
    where = f"/api/exports/{export['export_id']}"
    assert duly.staff("GET", where, by=ADMIN, org="inna").told == (404, "export_unknown")
