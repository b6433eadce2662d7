"""Everything about a client, for the client: whole, readable, verifiable (GDPR 12, 15, 20)."""

import io
import json
import subprocess
import sys
import urllib.request
import zipfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from chalicelib import wiring
from chalicelib.clients import store as client_store
from chalicelib.complaints import service as complaints
from chalicelib.complaints.case import Channel, Message
from chalicelib.kernel import chain
from chalicelib.kernel.change import Actor, Origin
from chalicelib.organisations import store as organisations
from chalicelib.portability import contents, domain, service
from tests import cases
from tests.api.test_answers import Desk, desk
from tests.api.test_imports import applied, listed, the_client
from tests.duly import ADMIN, AGENT, HEAD, Duly
from tests.examples import RECORD


def where(client: Any) -> str:
    """The address of a client's copies."""
    return f"/api/clients/{client['client_id']}/portability"


def asked(duly: Duly, client: Any) -> Any:
    """A copy that was asked for."""
    answer = duly.staff("POST", where(client), by=ADMIN)
    assert answer.status == 202, answer.json
    assert answer.json["state"] == "making"
    return answer.json


def again(duly: Duly, client: Any, copy: Any) -> Any:
    """The copy as it is now."""
    answer = duly.staff("GET", f"{where(client)}/{copy['export_id']}", by=ADMIN)
    assert answer.status == 200, answer.json
    return answer.json


def unpacked(duly: Duly, client: Any) -> dict[str, bytes]:
    """A copy, made and downloaded: name -> content."""
    copy = asked(duly, client)
    duly.heavy_tick()
    ready = again(duly, client, copy)
    assert ready["state"] == "ready"
    with urllib.request.urlopen(ready["url"], timeout=10) as answer:
        content = answer.read()
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        assert len(package.namelist()) == ready["files"]
        return {name: package.read(name) for name in package.namelist()}


def confirmed(duly: Duly) -> tuple[Any, str]:
    """A client with a confirmed declaration, a decision by hand and a complaint."""
    client = duly.client()
    _, token = duly.sent(client)
    assert duly.confirm(token).status == 200
    duly.tick()
    path = f"/api/clients/{client['client_id']}/consents/phone"
    version = duly.read_client(client["client_id"])["version"]
    assert duly.staff("PUT", path, RECORD, version=version).status == 200
    cases.received(duly, client_id=client["client_id"])
    return client, token


def verified(folder: Path, *names: str) -> tuple[int, str]:
    """What `verify.py` says, run as its reader runs it."""
    command = [sys.executable, "-I", str(folder / "verify.py"), *(str(folder / n) for n in names)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    return ran.returncode, ran.stdout


def test_a_copy_holds_all_that_is_known_and_no_key(duly: Duly) -> None:
    """S48, S52; R17: identity, declarations with words, history, letters, records, complaints."""
    client, token = confirmed(duly)
    files = unpacked(duly, client)
    told = json.loads(files["client.json"])
    assert told["identity"]["name"] == "Łucja Żółć"
    states = {one["purpose"]: one["state"] for one in told["standings"]}
    assert states == {"marketing": "given", "email": "given", "phone": "given"}
    (declared,) = [json.loads(files[name]) for name in files if name.startswith("declarations/")]
    assert all(one["wording"]["text"] for one in declared["answers"])
    records = [json.loads(files[name]) for name in files if name.startswith("consent-records/")]
    assert {one["schema_version"] for one in records} == {"ISO/IEC TS 27560:2023"}
    assert len(records) == 2
    letters = [name for name in files if name.endswith(".eml") and name.startswith("letters/")]
    assert len(letters) == 2
    (statement,) = [files[n] for n in files if n.endswith("statement.json")]
    assert json.loads(statement)["substance"]
    history = json.loads(files["history.json"])
    assert history["events"][-1]["envelope"]["kind"] == "copy_requested"
    assert chain.verify(files["history.json"].decode()) == len(history["events"])
    whole = b"".join(files.values())
    assert token.encode() not in whole
    assert token.split(".")[2].encode() not in whole
    listed = {one["name"] for one in json.loads(files["contents.json"])["files"]}
    assert listed == files.keys() - {"contents.json"}


def test_a_copy_names_the_number_from_elsewhere_and_the_words_of_each_decision(duly: Duly) -> None:
    """GDPR Art. 15(1), 20(1): the number of another system; which wording a standing rests on."""
    applied(duly, listed("K-1;Anna Nowak;anna@klient.example;;01.01.2019;nie;03.02.2019;papier"))
    told = json.loads(unpacked(duly, the_client(duly, "anna"))["client.json"])
    assert told["external_id"] == "K-1"
    client, _ = confirmed(duly)
    told = json.loads(unpacked(duly, client)["client.json"])
    (rests_on,) = [one["wording_id"] for one in told["standings"] if one["purpose"] == "marketing"]
    assert rests_on in {one["wording_id"] for one in told["wordings"]}


@pytest.mark.parametrize("language", ["pl", "en", "ru"])
def test_the_summary_is_read_by_a_person(duly: Duly, language: str) -> None:
    """GDPR Art. 12(1): in the client's language, with the words of each consent."""
    client = duly.client(language=language)
    _, token = duly.sent(client)
    duly.confirm(token)
    duly.tick()
    files = unpacked(duly, client)
    with pypdfium2.PdfDocument(files["summary.pdf"]) as document:
        said = " ".join(p.get_textpage().get_text_bounded() for p in document)
    titles = {"pl": "Dane klienta", "en": "A client's data", "ru": "Данные клиента"}
    assert titles[language] in said
    names = {"pl": "polski", "en": "English", "ru": "русский"}
    assert names[language] in said
    assert "confirm_consents" not in said and "receipt" not in said
    assert "Łucja Żółć" in said
    assert "verify.py" in files["README.txt"].decode()


def test_the_verifier_names_the_first_event_that_was_tampered_with(
    duly: Duly, tmp_path: Path
) -> None:
    """R23: nothing but Python; a changed word, a lost event, a moved one, a stray space."""
    client, _ = confirmed(duly)
    files = unpacked(duly, client)
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    history = tmp_path / "history.json"
    history.write_bytes(files["history.json"])
    assert verified(tmp_path) == (0, "history.json: The history stands.\n")

    def tampered(change: Any) -> str:
        whole = json.loads(files["history.json"])
        change(whole["events"])
        history.write_text(chain.export(whole["aggregate"], whole["head"], whole["events"]))
        code, said = verified(tmp_path)
        assert code == 1
        return said

    def edit(number: int, **changes: Any) -> Any:
        return lambda events: events[number - 1].update(changes)

    assert "event 1: what it says was changed" in tampered(edit(1, body={"name": "Inna"}))
    assert "event 3: who, when" in tampered(lambda e: e[2]["envelope"].update(at="2020"))
    assert "event 2: another event" in tampered(lambda e: e.pop(1))
    assert "event 2: another event" in tampered(lambda e: e.insert(1, e.pop(2)))
    for change in (
        edit(2, explanation="NIE"),
        lambda e: e[1].pop("salt"),
        lambda e: e[1].pop("body"),
    ):
        assert "event 2: something was added to it or taken out" in tampered(change)
    last = len(json.loads(files["history.json"])["events"])
    assert f"event {last}: events are missing" in tampered(lambda e: e.pop())
    history.write_bytes(files["history.json"].replace(b'"kind": ', b'"kind":  ', 1))
    assert "event 1: the file was edited" in verified(tmp_path)[1]
    added = json.loads(files["history.json"]) | {"note": "NIE"}
    history.write_text(json.dumps(added, sort_keys=True, indent=1, ensure_ascii=False) + "\n")
    assert "something was added to the file" in verified(tmp_path)[1]
    history.write_text("{")
    assert verified(tmp_path)[0] == 1


def test_the_verifier_says_which_events_are_there_without_their_words(
    duly: Duly, tmp_path: Path
) -> None:
    """R23, GDPR Art. 15: a digest alone holds the chain; that the words were taken out is seen."""
    files = unpacked(duly, duly.client())
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    whole = json.loads(files["history.json"])
    del whole["events"][0]["body"], whole["events"][0]["salt"]
    (tmp_path / "history.json").write_text(
        chain.export(whole["aggregate"], whole["head"], whole["events"])
    )
    stands = "history.json: The history stands. Without what they say: events 1.\n"
    assert verified(tmp_path) == (0, stands)


def test_a_history_that_was_rewritten_as_a_whole_is_found_by_a_seal(
    duly: Duly, tmp_path: Path
) -> None:
    """R23: who holds the table can forge a chain, but not what was sealed of it."""
    client, _ = confirmed(duly)
    files = unpacked(duly, client)
    whole = json.loads(files["history.json"])
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    (tmp_path / "history.json").write_bytes(files["history.json"])
    sealed = {"heads": {whole["aggregate"]: [2, whole["events"][1]["hash"]]}, "day": "2026-01-02"}
    (tmp_path / "seal.json").write_text(json.dumps({"seal": sealed}))
    assert verified(tmp_path, "history.json", "seal.json")[0] == 0
    head, forged = chain.GENESIS, []
    for event in whole["events"]:
        envelope = event["envelope"] | {"previous": head, "at": "2020-01-01T00:00:00.000000Z"}
        head = chain.link(envelope, event["digest"])
        forged.append(event | {"envelope": envelope, "hash": head})
    (tmp_path / "history.json").write_text(chain.export(whole["aggregate"], head, forged))
    assert verified(tmp_path)[0] == 0
    code, said = verified(tmp_path, "history.json", "seal.json")
    assert (code, "event 2: not what was sealed on 2026-01-02" in said) == (1, True)


def worked(duly: Duly, client: Any, **changes: Any) -> dict[str, bytes]:
    """A copy of a client whose case was written to by them, and noted on by staff."""
    held = cases.registered(duly, client_id=client["client_id"], **changes)
    message = Message(
        message_id="m" * 21 + "A", at=duly.ports().now, channel=Channel.FORM, text="Dosyłam skan."
    )
    by = Actor("client", "", Origin(address="203.0.113.7"))
    complaints.join(duly.ports(), cases.house(duly), held.key.id, message, by=by)
    for verb, body in (
        ("note", {"text": "PODEJRZANY"}),
        ("hold", {"reason": "PROCES"}),
        ("end-hold", None),
        ("own-request", {"on": held.value.day(message.at).isoformat(), "document": "SZKODY"}),
    ):
        version = cases.case_of(duly, held.key.id).version
        path = f"/api/complaints/{held.key.id}/{verb}"
        answer = duly.staff("POST", path, body, by=ADMIN, version=version)
        assert answer.status == 200, answer.json
    return unpacked(duly, client)


def insured_client(duly: Duly, **changes: Any) -> Any:
    """The client for whom somebody else wrote."""
    own = {"name": cases.INSURED.name, "email": cases.INSURED.email, "phone": ""}
    return duly.client(**own | changes)


def letters(files: dict[str, bytes]) -> set[str]:
    """Which letters about the one case are in the copy."""
    (listed,) = [
        c for n, c in files.items() if n.endswith("/letters/letters.json") and "compl" in n
    ]
    return {one["template"] for one in json.loads(listed)}


def told(files: dict[str, bytes]) -> dict[str, Any]:
    """What each event of the one case in the copy says; None where that is left out."""
    (name,) = [name for name in files if name.endswith("/events.json")]
    events = json.loads(files[name])["events"]
    assert chain.verify(files[name].decode()) == len(events)
    return {one["envelope"]["kind"]: one.get("body") for one in events}


def test_a_copy_tells_what_happened_to_each_submission(duly: Duly, tmp_path: Path) -> None:
    """GDPR Art. 15, 20; R23: every event in its place, and one script that checks them all."""
    files = worked(duly, duly.client())
    (name,) = [name for name in files if name.endswith("/events.json")]
    kinds = told(files)
    assert list(kinds)[:2] == ["complaint_received", "complaint_registered"]
    assert {"message_joined", "noted", "held", "hold_ended", "suspension_asked"} <= kinds.keys()
    assert kinds["complaint_registered"] == {"anonymous": False, "third_party": False}
    assert kinds["message_joined"]["text"] == sha256("Dosyłam skan.".encode()).hexdigest()
    for one in ("verify.py", "history.json", name):
        (tmp_path / one).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / one).write_bytes(files[one])
    whole = json.loads(files[name])
    mute = ", ".join(str(n) for n, one in enumerate(whole["events"], 1) if "body" not in one)
    stands = f"The history stands. Without what they say: events {mute}."
    assert verified(tmp_path) == (0, f"history.json: The history stands.\n{name}: {stands}\n")
    whole["events"][1]["body"]["anonymous"] = True
    (tmp_path / name).write_text(chain.export(whole["aggregate"], whole["head"], whole["events"]))
    wrong = f"{name}: TAMPERED WITH: event 2: what it says was changed"
    for code, said in (verified(tmp_path), verified(tmp_path, name)):
        assert (code, wrong in said) == (1, True)


def test_a_copy_holds_no_word_of_staff_and_nobody_elses_data(duly: Duly) -> None:
    """GDPR Art. 15(4): notes, reasons and other people stay out of what an event says."""
    files = worked(duly, duly.client(), vulnerable=True)
    kinds = told(files)
    for kind in ("complaint_received", "noted", "held", "hold_ended", "suspension_asked"):
        assert kinds[kind] is None
    (name,) = [name for name in files if name.endswith("/events.json")]
    for word in ("PODEJRZANY", "PROCES", "SZKODY", "vulnerable"):
        assert word.encode() not in files[name]


def test_where_another_stands_in_the_case_only_days_and_codes_are_told(duly: Duly) -> None:
    """GDPR Art. 15(4), M37: who wrote for whom, from where, is not repeated."""
    files = worked(duly, insured_client(duly), insured=cases.INSURED)
    kinds = told(files)
    assert kinds["message_joined"] is None and kinds["complaint_received"] is None
    assert kinds["complaint_registered"] == {"anonymous": False, "third_party": True}
    (name,) = [name for name in files if name.endswith("/events.json")]
    for word in (cases.INSURED.name, cases.INSURED.email, "203.0.113.7"):
        assert word.encode() not in files[name]


def test_who_wrote_for_another_has_their_own_words_alone(duly: Duly) -> None:
    """M37, M39: nothing of what came of it, whoever asks for a copy of what is known of them."""
    files = worked(duly, duly.client(), insured=cases.INSURED)
    assert not [name for name in files if name.endswith("/events.json")]
    (facts,) = [json.loads(files[name]) for name in files if name.endswith("/case.json")]
    assert facts["contract_number"] is not None
    assert facts.keys().isdisjoint({"state", "closed", "question", "requests", "extension"})
    (answers,) = [json.loads(files[name]) for name in files if name.endswith("/answers.json")]
    assert answers == []
    (messages,) = [json.loads(files[name]) for name in files if name.endswith("/messages.json")]
    assert [one["text"] for one in messages] == ["Dosyłam skan."]


def papers(files: dict[str, bytes]) -> list[bytes]:
    """The papers about submissions that are in the copy."""
    return [files[name] for name in files if "/papers/" in name]


def post(duly: Duly, one: Desk) -> None:
    """The paper leaves: it was posted the day before."""
    duly.wait(days=3)
    on = one.case.day(duly.ports().now - timedelta(days=1))
    posted = one.act("posted", {"posted_on": on.isoformat(), "tracking": "RR1"})
    assert posted.status == 200, posted.json


def test_an_answer_on_paper_is_in_the_copy_once_it_left(duly: Duly) -> None:
    """GDPR Art. 15(3), M80: the paper as it was posted, no draft and no print."""
    client = duly.client()
    one = desk(duly, client_id=client["client_id"])
    one.draft()
    one.write("Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł.")
    assert papers(unpacked(duly, client)) == []
    assert one.send("registered_post", informational=False).status == 202
    assert papers(unpacked(duly, client)) == []
    post(duly, one)
    (paper,) = papers(unpacked(duly, client))
    (kept,) = [
        c for k, c in duly.objects().items() if k.startswith(f"papers/agencja/{one.case_id}")
    ]
    assert paper == kept


def test_the_clients_own_mails_are_in_the_copy_as_they_came(duly: Duly) -> None:
    """GDPR Art. 15(3), (4): theirs alone, not the mails of anybody else in the case."""
    client = insured_client(duly)
    held = cases.registered(duly, client_id=client["client_id"], insured=cases.INSURED)
    ports, org = duly.ports(), held.key.org
    for sender in ("writer", "insured", "other"):
        raw = f"mail/{org}/{held.key.id}/{sender}.eml"
        content = f"Subject: {sender}".encode()
        digest = sha256(content).hexdigest()
        ports.bucket.put(raw, content, content_type="message/rfc822", sha256=digest)
        message = Message(
            message_id=sender,
            at=ports.now,
            channel=Channel.EMAIL,
            text="Dosyłam.",
            sender=sender,
            raw=raw,
        )
        complaints.join(ports, cases.house(duly), held.key.id, message, by=Actor("client"))
    files = unpacked(duly, client)
    mails = [files[name] for name in files if "/mail/" in name]
    assert mails == [b"Subject: insured"]


def test_the_insured_is_not_told_who_wrote_for_them(duly: Duly) -> None:
    """GDPR Art. 15(4), M37: no name and no address of the writer, in no file of the copy."""
    files = worked(duly, insured_client(duly), insured=cases.INSURED)
    assert letters(files) == {"insured_asked"}
    one = cases.WRITER
    for word in (one.name, one.email, one.phone, one.postal_address):
        assert [name for name in files if word.encode() in files[name]] == []


@pytest.mark.parametrize(
    "client",
    [
        {"name": "Ubezpieczony Jan"},
        {"name": "UBEZPIECZONY  Jan", "email": "nowy@klient.example"},
        {"name": "Janusz Ubezpieczony-Nowak"},
    ],
)
def test_the_insured_is_known_by_address_or_by_the_words_of_the_name(
    duly: Duly, client: dict[str, str]
) -> None:
    """GDPR Art. 15, M37: another order of words is the same person, who has what is theirs."""
    files = worked(duly, insured_client(duly, **client), insured=cases.INSURED)
    assert letters(files) == {"insured_asked"}
    assert told(files)["complaint_registered"] is not None


@pytest.mark.parametrize(
    "client",
    [
        {"name": "Zofia Inna", "email": "zofia@klient.example"},
        {"email": cases.WRITER.email},
        {"name": cases.WRITER.name},
    ],
)
def test_in_doubt_who_the_client_is_they_have_what_both_may_have(
    duly: Duly, client: dict[str, str]
) -> None:
    """GDPR Art. 15(4), M37: neither of them, or the address of one and the name of another."""
    files = worked(duly, insured_client(duly, **client), insured=cases.INSURED)
    assert letters(files) == set()
    assert not [name for name in files if name.endswith("/events.json")]
    (facts,) = [json.loads(files[name]) for name in files if name.endswith("/case.json")]
    assert facts["contract_number"] is not None
    assert facts.keys().isdisjoint({"writer", "state", "question"})


def test_that_it_was_asked_for_is_told_once(duly: Duly) -> None:
    """S56: the same request again is the same copy; the client's history says so once."""
    client = duly.client()
    first = duly.staff("POST", where(client), by=HEAD, once="k" * 20)
    second = duly.staff("POST", where(client), by=HEAD, once="k" * 20)
    assert first.json["export_id"] == second.json["export_id"]
    duly.heavy_tick()
    duly.heavy_tick()
    assert duly.events(client["client_id"]).count("copy_requested") == 1


def test_a_copy_that_broke_off_before_the_history_said_so_says_so(duly: Duly) -> None:
    """S56: whatever breaks off between the job and the client's event, both are there at last."""
    client = duly.client()
    ports, key = duly.ports(), domain.key("agencja", "x" * 21 + "A")
    from chalicelib.kernel.change import Actor, Once

    once = Once(digest="d", request="r", result=key.id, expires_at=2**31)
    by = Actor("staff", ADMIN)
    job = domain.ask(key, client["client_id"], once=once, by=by, now=ports.now)
    ports.ledger.commit(job)
    duly.heavy_tick()
    assert duly.events(client["client_id"])[-1] == "copy_requested"
    assert again(duly, client, {"export_id": key.id})["state"] == "ready"


def test_an_agent_makes_no_copy_and_nobody_reads_anothers(duly: Duly) -> None:
    """Issue 2, 11: the copy is for who answers such requests, and for that client alone."""
    client, other = duly.client(), duly.client(email="inny@klient.example", phone="")
    assert duly.staff("POST", where(client), by=AGENT).told == (403, "role_refused")
    copy = asked(duly, client)
    path = f"{where(other)}/{copy['export_id']}"
    assert duly.staff("GET", path, by=ADMIN).told == (404, "portability_unknown")
    path = f"{where(client)}/{'x' * 21}A"
    assert duly.staff("GET", path, by=ADMIN).told == (404, "portability_unknown")


def test_a_copy_is_over_after_a_week_and_goes_with_its_client(duly: Duly) -> None:
    """S15: what was made of somebody's data is erased with them."""
    client = duly.client()
    copy = asked(duly, client)
    duly.heavy_tick()
    assert [key for key in duly.objects() if key.startswith("exports/")]
    duly.wait(days=7, minutes=1)
    assert again(duly, client, copy)["state"] == "over"
    late = asked(duly, client)
    path = f"/api/clients/{client['client_id']}/erasure"
    version = duly.read_client(client["client_id"])["version"]
    assert duly.staff("POST", path, by=ADMIN, version=version).status == 202
    duly.heavy_tick()
    assert not [key for key in duly.objects() if key.startswith("exports/")]
    job = service.get(duly.ports(), "agencja", client["client_id"], late["export_id"])
    assert job.value.state(duly.ports().now) is domain.State.GONE


def test_what_finds_no_room_is_named_and_the_rest_goes_on(duly: Duly) -> None:
    """GDPR Art. 15: an object that is too much is handed over apart, never left out in silence."""
    client, _ = confirmed(duly)
    ports = wiring.ports()
    held = client_store.get(ports, "agencja", client["client_id"])
    told = contents.known(ports, organisations.house(ports, "agencja"), held)
    packed = service.pack(ports, told, most=1)
    assert packed.left_out >= 2
    with zipfile.ZipFile(io.BytesIO(packed.content)) as package:
        listed = json.loads(package.read("contents.json"))
        assert len(listed["left_out"]) == packed.left_out
        assert "history.json" in package.namelist()
    assert service.pack(ports, told, most=1).content == packed.content
