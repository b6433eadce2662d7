"""A client's history, through the API: newest first, whole, and provably as it was written."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel import chain
from tests.duly import AGENT, Duly, moment

ROOT = Path(__file__).parent.parent.parent


def lived(duly: Duly) -> Any:
    """A client who confirmed by the link."""
    client = duly.client()
    _, token = duly.sent(client)
    assert duly.confirm(token).status == 200
    return client


def exported(duly: Duly, client: Any) -> str:
    """The export of a client's history."""
    answer = duly.staff("GET", f"/api/clients/{client['client_id']}/events/export")
    assert answer.status == 200, answer.json
    assert answer.json["filename"] == f"history-{client['client_id']}.json"
    return str(answer.json["export"])


def test_the_history_says_who_when_and_from_where(duly: Duly) -> None:
    """S56, R23; issue 2, 10: every event, newest first; the client's with address and browser."""
    client = lived(duly)
    path = f"/api/clients/{client['client_id']}/events"
    events = duly.staff("GET", path).json["events"]
    assert [one["kind"] for one in events] == [
        "declaration_confirmed",
        "notice_delivered",
        "declaration_sent",
        "declaration_drafted",
        "client_created",
    ]
    assert [one["version"] for one in events] == [5, 4, 3, 2, 1]
    moments = [moment(one["at"]) for one in events]
    assert moments == sorted(moments, reverse=True)
    assert all(one.utcoffset() is not None for one in moments)
    created, confirmed = events[-1], events[0]
    assert created["actor"] == {"kind": "staff", "id": AGENT}
    assert created["actor_name"] == "Ewa Agent"
    assert confirmed["actor"] == {"kind": "client", "id": client["client_id"]}
    told = json.dumps(confirmed["body"])
    assert "203.0.113.9" in told
    assert "Mozilla/5.0" in told


def test_a_long_history_comes_in_pages(duly: Duly) -> None:
    """Issue 2, 10: every event once, newest first."""
    client = duly.client()
    path = f"/api/clients/{client['client_id']}"
    for number in range(55):
        body = client["identity"] | {"address": f"ul. Długa {number}"}
        assert duly.staff("PUT", path, body, version=number + 1).status == 200
    first = duly.staff("GET", f"{path}/events").json
    rest = duly.staff("GET", f"{path}/events?cursor={first['cursor']}").json
    assert rest["cursor"] == ""
    versions = [one["version"] for one in first["events"] + rest["events"]]
    assert versions == list(range(56, 0, -1))
    assert chain.verify(exported(duly, client)) == 56


def test_an_export_is_verified_without_duly(duly: Duly, tmp_path: Path) -> None:
    """R23; issue 2, 10: by the verifier's own command, on the file."""
    file = tmp_path / "history.json"
    file.write_text(exported(duly, lived(duly)), encoding="utf-8")
    ran = _verifier(file)
    assert ran.returncode == 0, ran.stdout
    assert "5 events, the chain stands" in ran.stdout


@pytest.mark.parametrize("number", [1, 3, 5])
def test_one_flipped_byte_is_named(duly: Duly, tmp_path: Path, number: int) -> None:
    """R23; issue 2, 10: in the body of any event; the first that is not as written is named."""
    whole = json.loads(exported(duly, lived(duly)))
    event = whole["events"][number - 1]
    raw = json.dumps(event["body"], ensure_ascii=False)
    at = next(n for n, char in enumerate(raw) if char.isalpha() and raw[n - 1].isalpha())
    event["body"] = json.loads(raw[:at] + chr(ord(raw[at]) ^ 1) + raw[at + 1 :])
    file = tmp_path / "history.json"
    text = chain.export(whole["aggregate"], whole["head"], whole["events"])
    file.write_text(text, encoding="utf-8")
    ran = _verifier(file)
    assert ran.returncode == 1
    assert f"event {number}" in ran.stdout


def test_no_event_can_be_left_out_or_moved(duly: Duly) -> None:
    """R23: the chain runs from the first event to the head."""
    whole = json.loads(exported(duly, lived(duly)))
    events = whole["events"]
    for wrong in (events[:-1], events[1:], [events[1], events[0], *events[2:]], []):
        with pytest.raises(chain.Broken):
            chain.verify(chain.export(whole["aggregate"], whole["head"], wrong))


def _verifier(file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "chalicelib.kernel.chain", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_an_act_of_staff_says_where_it_came_from(duly: Duly) -> None:
    """Issue 2, 10: who, when, from where; as far as the organisation keeps it (R23)."""
    client = duly.client(address="ul. Dębowa 1, Łódź")
    events = duly.staff("GET", f"/api/clients/{client['client_id']}/events").json["events"]
    assert events[-1]["actor"] == {"kind": "staff", "id": AGENT}
    assert events[-1]["body"]["origin"]["address"] == "203.0.113.9"
    assert events[-1]["body"]["address"] == "ul. Dębowa 1, Łódź"
