"""Signed papers come back as scans: matched, put together, recorded; or left to a person."""

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
from chalicelib.clients import domain, store
from chalicelib.consents import imports, scan_work
from chalicelib.documents.scans import printed, reading
from chalicelib.documents.sheet import Area
from chalicelib.kernel.change import SYSTEM
from tests.api.test_attachments import sent_form
from tests.api.test_standings import recorded, standing
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
    chance = generator.chance_of(seed)
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
    duly.tick()
    assert again(duly, answer.json)["state"] == "reading"  # nothing heavy in the small function
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
    assert duly.consents(client["client_id"]) == {
        "marketing": "given",
        "email": "given",
        "phone": "refused",
    }
    read = duly.read_client(client["client_id"])
    by = {one["purpose"]: one for one in read["consents"]}
    assert by["marketing"]["proof"] == by["phone"]["proof"] == "signature"
    assert by["marketing"]["at"] == duly.again(declaration)["printed_at"]
    assert duly.again(declaration)["state"] == "confirmed"
    assert read["notice"]["how"] == "printed"
    assert "paper_signed" in duly.events(client["client_id"])


def test_the_pages_are_kept_as_one_paper_of_their_client(duly: Duly) -> None:
    """S31, S35: a PDF of the client's own with its digest; nothing else of the upload stays."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    scans = imported(duly, scanned(pictures(pdf)))
    kept = {key: one for key, one in duly.objects().items() if "-signed-" in key}
    ((where, content),) = kept.items()
    assert where.startswith(f"papers/agencja/{client['client_id']}/")
    with pypdfium2.PdfDocument(content) as paper:
        assert len(paper) == printed.count(pdf)
    rest = [one for one in duly.objects() if one.startswith(("quarantine/", "scans/"))]
    assert rest == []
    assert not [one for one in duly.objects() if one.endswith(".jpg")]
    with urllib.request.urlopen(scans["pages"][0]["url"], timeout=10) as answer:
        assert answer.read() == content


def test_no_version_of_an_upload_stays_once_it_is_read(duly: Duly) -> None:
    """S33, S15: it shows whoever signed; in a bucket with versions a deletion alone hides it."""
    clients.client("s3").put_bucket_versioning(
        Bucket=wiring.setting("BUCKET_NAME"), VersioningConfiguration={"Status": "Enabled"}
    )
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    scans = imported(duly, scanned(pictures(pdf)), b"MZ a program")
    assert [one["state"] for one in scans["files"]] == ["read", "type_refused"]
    assert set(states(scans)) == {"recorded"}
    assert versions(duly, "quarantine/") == []


def test_one_file_may_hold_many_clients(duly: Duly) -> None:
    """S35: each page finds its own client, in whatever order and file the pages lie."""
    answers = ({"marketing": True}, {"phone": True}, {"email": False})
    people = [duly.client(email=f"k{n}@klient.example") for n in range(3)]
    papers = [
        printed_paper(duly, client, **said)[1] for client, said in zip(people, answers, strict=True)
    ]
    pages = [page for n, pdf in enumerate(papers) for page in pictures(pdf, seed=n)]
    generator.chance_of(7).shuffle(pages)
    half = len(pages) // 2
    scans = imported(duly, scanned(pages[:half]), scanned(pages[half:]))
    assert set(states(scans)) == {"recorded"}, scans["pages"]
    found = [duly.consents(client["client_id"]) for client in people]
    assert [one.get("marketing") for one in found] == ["given", "none", "none"]
    assert [one.get("phone") for one in found] == ["none", "given", "none"]
    assert found[2]["email"] == "refused"


def test_a_scan_seen_before_changes_nothing(duly: Duly) -> None:
    """S37: the same file, in one import or in two; or the same paper on the glass once more."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    once = scanned(pictures(pdf))
    first = imported(duly, once, once)
    assert [one["state"] for one in first["files"]] == ["read", "seen"]
    version = duly.read_client(client["client_id"])["version"]
    second = imported(duly, once)
    assert [one["state"] for one in second["files"]] == ["seen"]
    third = imported(duly, scanned(pictures(pdf, seed=2)))
    assert set(states(third)) == {"seen"}
    assert third["correct"] is True
    assert duly.read_client(client["client_id"])["version"] == version
    assert not [one for one in duly.objects() if one.endswith(".jpg")]


def test_missing_pages_are_named_and_may_follow(duly: Duly) -> None:
    """S31, S37: nothing changes until the paper is whole; the rest may come in a later import."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True, email=True, phone=True)
    pages = pictures(pdf)
    assert len(pages) > 1
    first = imported(duly, scanned(pages[1:]))
    assert set(states(first)) == {"incomplete"}
    assert first["pages"][0]["missing"] == [1]
    assert first["correct"] is False
    assert duly.consents(client["client_id"])["marketing"] == "awaiting_signature"
    waiting = duly.staff("GET", "/api/scans/waiting").json["pages"]
    assert [one["import_id"] for one in waiting] == [first["import_id"]] * len(pages[1:])
    second = imported(duly, scanned(pages[:1]))
    assert states(second) == ["recorded"]
    assert set(states(again(duly, first))) == {"recorded"}
    assert duly.staff("GET", "/api/scans/waiting").json["pages"] == []
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_a_paper_whose_rest_never_comes_may_be_rejected(duly: Duly) -> None:
    """S37: it leaves the list; the next scan of it starts anew."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True, email=True, phone=True)
    pages = pictures(pdf)
    scans = imported(duly, scanned(pages[1:]))
    assert decided(duly, scans["pages"][0], "accept").told == (409, "scan_page_settled")
    assert decided(duly, scans["pages"][0], "reject").status == 202
    heavy(duly)
    assert set(states(again(duly, scans))) == {"rejected"}
    assert duly.staff("GET", "/api/scans/waiting").json["pages"] == []
    assert set(states(imported(duly, scanned(pages)))) == {"recorded"}


def test_the_names_of_files_are_forgotten(duly: Duly) -> None:
    """S15: people call files by people; an import keeps what it did, not what they were called."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    scans = imported(duly, scanned(pictures(pdf)))
    assert [one["name"] for one in scans["files"]] == ["skan.pdf"]
    duly.wait(days=13)
    assert heavy(duly).done == 0
    duly.wait(days=2)
    heavy(duly)
    now = again(duly, scans)
    assert [one["name"] for one in now["files"]] == [""]
    assert now["finished_at"] == scans["finished_at"]
    assert "skan.pdf" not in str(duly.table())
    assert heavy(duly).done == 0


def test_an_unsigned_paper_waits_for_a_person(duly: Duly) -> None:
    """S30: a machine sees no signature, a person does and accepts it; nothing changes before."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    scans = imported(duly, scanned(pictures(pdf, sign=False)))
    last = scans["pages"][-1]
    assert last["state"] == "waiting"
    assert last["doubts"] == ["unsigned"]
    assert last["signed"] is False
    assert duly.consents(client["client_id"])["marketing"] == "awaiting_signature"
    assert decided(duly, last, "accept").status == 202
    heavy(duly)
    assert set(states(again(duly, scans))) == {"recorded"}
    assert duly.consents(client["client_id"])["marketing"] == "given"
    told = duly.staff("GET", f"/api/clients/{client['client_id']}/events").json["events"][0]
    assert told["body"]["accepted_by"] == [AGENT]
    late = decided(duly, last, "reject")
    assert late.told == (409, "scan_page_settled")


def test_a_paper_with_writing_on_it_may_be_rejected(duly: Duly) -> None:
    """S37: words by hand beside the fields change nothing, and a clean paper may follow."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    pages = pictures(pdf)
    generator.scribbled(pages[0], Area(70, 8, 60, 8), DPI, generator.chance_of(3))
    scans = imported(duly, scanned(pages))
    assert scans["pages"][0]["doubts"] == ["marked"], scans["pages"]
    assert set(states(scans)) == {"waiting"}
    assert decided(duly, scans["pages"][0], "reject").status == 202
    heavy(duly)
    assert set(states(again(duly, scans))) == {"rejected"}
    assert duly.consents(client["client_id"])["marketing"] == "awaiting_signature"
    assert duly.staff("GET", "/api/scans/waiting").json["pages"] == []
    clean = imported(duly, scanned(pictures(pdf, seed=5)))
    assert set(states(clean)) == {"recorded"}
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_a_later_decision_stands(duly: Duly) -> None:
    """D21: what was signed before the client withdrew joins the history, whenever it is scanned."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True, email=True)
    duly.wait(days=2)
    duly.sent(client, marketing=False)
    scans = imported(duly, scanned(pictures(pdf)))
    assert set(states(scans)) == {"recorded"}
    found = duly.consents(client["client_id"])
    assert found["marketing"] == "refused"
    assert found["email"] == "given"
    told = duly.staff("GET", f"/api/clients/{client['client_id']}/events").json["events"][0]
    assert (told["body"]["standing"], told["body"]["history"]) == (["email"], ["marketing"])


def test_the_day_of_signature_may_be_stated(duly: Duly) -> None:
    """D21: the client decided when the paper was signed, not when it was printed or imported."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    duly.wait(days=9)
    today = wiring.now().date()
    signed_on = (today - timedelta(days=4)).isoformat()
    imported(duly, scanned(pictures(pdf)), signed_on=signed_on)
    read = duly.read_client(client["client_id"])
    (marketing,) = [one for one in read["consents"] if one["purpose"] == "marketing"]
    assert marketing["state"] == "given"
    assert marketing["at"][:10] in (signed_on, (today - timedelta(days=5)).isoformat())
    files = {"files": [{"file_id": uuid_id(), "name": "a.pdf"}]}
    body = files | {"signed_on": (today + timedelta(days=2)).isoformat()}
    refused = duly.staff("POST", "/api/scans", body)
    assert (refused.told, refused.json["field"]) == ((422, "signed_in_future"), "signed_on")


def said_by_telephone(duly: Duly) -> tuple[Any, bytes, str]:
    """Printed, then a yes by telephone, then signed on this day, and two days later scanned."""
    client = duly.client()
    declaration, pdf = printed_paper(duly, client, marketing=True)
    duly.act(duly.again(declaration), "hand-over")
    duly.wait(hours=30)
    recorded(duly, client, "marketing", source="oral")
    duly.wait(days=2)
    signed_on = wiring.now().date().isoformat()
    duly.wait(days=2)
    return client, pdf, signed_on


def proof(duly: Duly, client: Any) -> tuple[str, str]:
    """How the client stands on marketing, and by what."""
    one = standing(duly.read_client(client["client_id"]), "marketing")
    return one["state"], one["proof"]


@pytest.mark.parametrize("seed", [1, 5])
def test_a_paper_without_its_day_counts_once_the_day_is_stated(duly: Duly, seed: int) -> None:
    """Issue 4, D21: the same file, or the paper scanned once more; recorded once all the same."""
    client, pdf, signed_on = said_by_telephone(duly)
    first = imported(duly, scanned(pictures(pdf)))
    assert set(states(first)) == {"history"}
    assert proof(duly, client)[1] != "signature"
    content = scanned(pictures(pdf, seed=seed))
    second = imported(duly, content, signed_on=signed_on)
    assert set(states(second)) == {"recorded"}, second
    assert second["correct"] is True
    assert proof(duly, client) == ("given", "signature")
    assert set(states(again(duly, first))) == {"recorded"}
    told = duly.staff("GET", f"/api/clients/{client['client_id']}/events").json["events"][0]
    assert (told["kind"], told["body"]["stated"]) == ("paper_signed", signed_on)
    assert not [one for one in duly.objects() if one.endswith(".jpg")]
    version = duly.read_client(client["client_id"])["version"]
    third = imported(duly, content, signed_on=signed_on)
    assert [one["state"] for one in third["files"]] == ["seen"]
    assert set(states(imported(duly, scanned(pictures(pdf, seed=6)), signed_on=signed_on))) == {
        "seen"
    }
    assert duly.read_client(client["client_id"])["version"] == version


def test_a_day_stated_late_is_never_over_a_later_decision(duly: Duly) -> None:
    """D21: the client withdrew when the paper was here; no day that is stated since is its own."""
    client, pdf, _ = said_by_telephone(duly)
    imported(duly, scanned(pictures(pdf)))
    duly.wait(days=1)
    recorded(duly, client, "marketing", source="oral", decided="withdrawn")
    duly.wait(days=2)
    today = wiring.now().date().isoformat()
    second = imported(duly, scanned(pictures(pdf, seed=5)), signed_on=today)
    assert set(states(second)) == {"seen"}
    assert proof(duly, client)[0] == "withdrawn"


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_writing_on_a_later_scan_is_looked_at_before_its_day_counts(
    duly: Duly, decision: str
) -> None:
    """Issue 4, S37: what a person accepts counts, what one rejects changes nothing."""
    client, pdf, signed_on = said_by_telephone(duly)
    imported(duly, scanned(pictures(pdf)))
    before = proof(duly, client)
    pages = pictures(pdf, seed=5)
    generator.scribbled(pages[0], Area(70, 8, 60, 8), DPI, generator.chance_of(3))
    second = imported(duly, scanned(pages), signed_on=signed_on)
    assert set(states(second)) == {"waiting"}
    assert second["pages"][0]["doubts"] == ["marked"]
    assert proof(duly, client) == before
    assert decided(duly, second["pages"][0], decision).status == 202
    heavy(duly)
    accepted = decision == "accept"
    now = again(duly, second)
    assert set(states(now)) == {"recorded" if accepted else "seen"}
    assert proof(duly, client) == (("given", "signature") if accepted else before)
    assert duly.staff("GET", "/api/scans/waiting").json["pages"] == []
    assert not [one for one in duly.objects() if one.endswith(".jpg")]


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31"])
def test_a_day_that_was_long_ago_is_refused(duly: Duly, day: str) -> None:
    """Issue 4, D21: before there is an import that nobody could settle."""
    body = {"files": [{"file_id": uuid_id(), "name": "a.pdf"}], "signed_on": day}
    refused = duly.staff("POST", "/api/scans", body)
    assert (refused.told, refused.json["field"]) == ((422, "signed_long_ago"), "signed_on")
    assert duly.staff("POST", "/api/scans", body | {"signed_on": "1990-01-01"}).status == 201


def test_a_day_before_the_printing_needs_a_person(duly: Duly) -> None:
    """D21: nobody signs what is not printed yet; whoever stated the day looks again."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    early = date(2020, 2, 29).isoformat()
    scans = imported(duly, scanned(pictures(pdf)), signed_on=early)
    assert set(states(scans)) == {"waiting"}
    assert scans["pages"][0]["doubts"] == ["signed_before_printed"]


def test_a_printed_paper_never_expires_for_import(duly: Duly) -> None:
    """S31: scanned a year later, after the link that went with it expired."""
    client = duly.client()
    draft = duly.declared(client, marketing=True)
    done = duly.act(draft, "print")
    with urllib.request.urlopen(done.json["url"], timeout=10) as answer:
        pdf = answer.read()
    assert duly.act(done.json["declaration"], "send").status == 202
    duly.tick()
    duly.wait(days=400)
    duly.tick()
    assert duly.consents(client["client_id"])["marketing"] == "expired"
    imported(duly, scanned(pictures(pdf)))
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_another_organisations_paper_is_unmatched(duly: Duly) -> None:
    """S37: never the wrong client; its code is told to nobody here."""
    duly.found("inna")
    stranger = duly.staff("POST", "/api/clients", person(), org="inna").json
    path = f"/api/clients/{stranger['client_id']}/declarations"
    draft = duly.staff("POST", path, {"answers": {"marketing": True}}, org="inna").json
    where = f"{path}/{draft['declaration_id']}/print"
    done = duly.staff("POST", where, version=draft["version"], org="inna").json
    with urllib.request.urlopen(done["url"], timeout=10) as answer:
        pdf = answer.read()
    before = duly.staff("GET", f"/api/clients/{stranger['client_id']}", org="inna").json
    scans = imported(duly, scanned(pictures(pdf)))
    assert set(states(scans)) == {"unmatched"}
    assert {one["reason"] for one in scans["pages"]} == {"other_organisation"}
    assert {one["code"] for one in scans["pages"]} == {""}
    after = duly.staff("GET", f"/api/clients/{stranger['client_id']}", org="inna").json
    assert after == before
    typed = {"code": done["code"], "page": 1}
    refused = assigned(duly, scans["pages"][0], **typed)
    assert refused.told == (404, "declaration_unknown")
    hidden = duly.staff("GET", f"/api/scans/{scans['import_id']}", org="inna")
    assert hidden.told == (404, "import_unknown")


def test_a_person_assigns_what_no_machine_can_match(duly: Duly) -> None:
    """S37: the code is torn off; a person types it from elsewhere, the ink is looked at after."""
    client = duly.client()
    declaration, pdf = printed_paper(duly, client, marketing=True)
    pages = pictures(pdf)
    for page in pages:
        page.paste(255, (round(165 * DPI / 25.4), round(14 * DPI / 25.4), page.width, 240))
    scans = imported(duly, scanned(pages))
    assert set(states(scans)) == {"unmatched"}
    listed = duly.staff("GET", "/api/scans/unmatched").json["pages"]
    assert [one["number"] for one in listed] == list(range(1, len(pages) + 1))
    assert {one["reason"] for one in listed} == {"no_code"}
    wrong = assigned(duly, listed[0], code=declaration["code"], page=99)
    assert wrong.told == (422, "scan_page_number_refused")
    by_ids = {
        "client_id": client["client_id"],
        "declaration_id": declaration["declaration_id"],
    }
    for number, one in enumerate(listed, 1):
        said = by_ids if number == 1 else {"code": declaration["code"].lower()}
        assert assigned(duly, one, page=number, **said).status == 202
    heavy(duly)
    now = again(duly, scans)
    doubts = {doubt for one in now["pages"] for doubt in one["doubts"]}
    # Found by the marks alone: what is missing, and its surroundings, is the code torn off.
    assert "missing_ink" in doubts
    assert not doubts & {"not_aligned", "unsigned"}
    for one in now["pages"]:
        if one["state"] == "waiting" and one["doubts"]:
            assert decided(duly, one, "accept").status == 202
    heavy(duly)
    assert set(states(again(duly, scans))) == {"recorded"}
    assert duly.consents(client["client_id"])["marketing"] == "given"
    assert duly.staff("GET", "/api/scans/unmatched").json["pages"] == []
    assert not [one for one in duly.objects() if one.startswith("scans/")]


def test_a_page_of_who_is_erased_meanwhile_goes_with_them(duly: Duly) -> None:
    """S15, S37: assigned by a person, its client erased before the next turn: no picture stays."""
    client = duly.client()
    declaration, pdf = printed_paper(duly, client, marketing=True)
    hidden = pictures(pdf)[:1]
    hidden[0].paste(255, (round(165 * DPI / 25.4), round(14 * DPI / 25.4), hidden[0].width, 240))
    scans = imported(duly, scanned(hidden))
    assert states(scans) == ["unmatched"]
    by_ids = {"client_id": client["client_id"], "declaration_id": declaration["declaration_id"]}
    answer = assigned(duly, scans["pages"][0], **by_ids)
    assert answer.status == 202, answer.json
    held = store.get(duly.ports(), "agencja", client["client_id"])
    duly.ports().ledger.commit(domain.leave(held, by=SYSTEM, now=duly.ports().now))
    duly.tick()
    heavy(duly)
    (page,) = again(duly, scans)["pages"]
    assert (page["state"], page["reason"], page["url"]) == ("seen", "client_erased", "")
    rooms = ("scans/", "papers/", "quarantine/")
    assert not [one for one in duly.objects() if one.startswith(rooms)]


def nobodys(seed: int = 1) -> Any:
    """A page of something else."""
    page = Image.new("L", (1240, 1754), 255)
    generator.scribbled(page, Area(30, 60, 120, 40), DPI, generator.chance_of(seed))
    return page


def versions(duly: Duly, room: str = "scans/") -> list[str]:
    """Every version that the bucket still has of anything in this room."""
    bucket = wiring.setting("BUCKET_NAME")
    page = clients.client("s3").list_object_versions(Bucket=bucket, Prefix=room)
    return [one["Key"] for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]


def test_what_belongs_to_nobody_is_dismissed(duly: Duly) -> None:
    """S37: a page of anything else leaves the list, and changes nothing; no version of it stays."""
    scans = imported(duly, scanned([nobodys(), Image.new("L", (1240, 1754), 255)]))
    assert states(scans) == ["unmatched", "blank"]
    assert decided(duly, scans["pages"][0], "accept").told == (409, "scan_page_settled")
    assert decided(duly, scans["pages"][0], "reject").status == 202
    now = again(duly, scans)
    assert states(now) == ["rejected", "blank"]
    assert now["pages"][0]["url"] == ""
    assert duly.staff("GET", "/api/scans/unmatched").json["pages"] == []
    assert versions(duly)
    heavy(duly)
    assert versions(duly) == []
    assert duly.objects() == {}
    assert states(again(duly, scans)) == ["rejected", "blank"]
    assert heavy(duly).done == 0


def test_a_page_that_nobody_picks_is_erased_in_time(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S37, GDPR Art. 5(1)(e): reminded of, then gone; that there was a page stays known."""
    monkeypatch.setattr(scan_work, "MOST_GONE", 1)  # of one transaction
    content = scanned([nobodys(1), nobodys(2)])
    scans = imported(duly, content)
    assert states(scans) == ["unmatched"] * 2
    duly.wait(days=75)
    heavy(duly)
    duly.tick()
    assert duly.mailbox.sent == []
    duly.wait(days=2)
    heavy(duly)
    duly.tick()
    duly.tick()
    (told,) = duly.mailbox.to("ewa@agencja.example")
    assert scans["import_id"] in told.text
    assert "przypisanie do klienta" in told.text
    duly.wait(days=12)
    heavy(duly)
    assert states(again(duly, scans)) == ["unmatched"] * 2
    duly.wait(days=2)
    heavy(duly)
    now = again(duly, scans)
    assert states(now) == ["over"] * 2
    assert (now["state"], now["correct"]) == ("done", False)
    assert {(one["url"], one["reason"], one["code"]) for one in now["pages"]} == {("", "", "")}
    assert versions(duly) == []
    kept = [str(item) for (_, sk), item in duly.table().items() if sk.startswith("PAGE#")]
    assert not [one for one in kept if "sha256" in one or ".jpg" in one]
    assert duly.staff("GET", "/api/scans/unmatched").json["pages"] == []
    assert decided(duly, now["pages"][0], "reject").told == (409, "scan_page_settled")
    assert len(duly.mailbox.sent) == 1
    assert heavy(duly).done == 0
    assert states(imported(duly, content)) == ["unmatched"] * 2  # the file is no longer "seen"


def test_nobody_is_reminded_of_what_was_decided(duly: Duly) -> None:
    """S37: a page that was dismissed or assigned has no term any more."""
    scans = imported(duly, scanned([nobodys()]))
    decided(duly, scans["pages"][0], "reject")
    for _ in range(2):
        heavy(duly)
        duly.wait(days=80)
    duly.tick()
    assert duly.mailbox.sent == []
    assert states(again(duly, scans)) == ["rejected"]


def test_a_picture_goes_though_the_bucket_failed_at_first(duly: Duly) -> None:
    """GDPR Art. 5(1)(e): what is said to be over is shown to nobody, and erased by a later turn."""
    scans = imported(duly, scanned([nobodys()]))
    duly.wait(days=91)
    events = clients.client("s3").meta.events
    operation = "before-send.s3.ListObjectVersions"

    def fails(**_: Any) -> None:
        raise RuntimeError("no bucket today")

    events.register(operation, fails)
    try:
        assert heavy(duly).failed == 1
    finally:
        events.unregister(operation, fails)
    now = again(duly, scans)
    assert (states(now), now["pages"][0]["url"]) == (["over"], "")
    assert versions(duly)
    duly.wait(hours=1)
    heavy(duly)
    assert versions(duly) == []
    assert states(again(duly, scans)) == ["over"]


def test_bad_files_have_their_own_result_and_the_rest_goes_on(duly: Duly) -> None:
    """Issue 4, bad input: a clear result for each file, nothing half done."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    huge = BytesIO()
    Image.new("1", (10_000, 10_000)).save(huge, "PNG")
    good = scanned(pictures(pdf))
    files = [
        uploaded(duly, b"%PDF-1.7\nnothing"),
        uploaded(duly, b"MZ a program"),
        uploaded(duly, huge.getvalue()),
        {"file_id": uuid_id(), "name": "nigdy.pdf"},
        uploaded(duly, good[: len(good) // 3]),
        uploaded(duly, good),
    ]
    answer = duly.staff("POST", "/api/scans", {"files": files})
    run = heavy(duly)
    scans = again(duly, answer.json)
    assert [one["state"] for one in scans["files"]] == [
        "damaged",
        "type_refused",
        "read",
        "not_uploaded",
        "damaged",
        "read",
    ]
    assert scans["pages"][0]["state"] == "unreadable"
    assert scans["pages"][0]["reason"] == "too_large"
    assert run.failed == run.stuck == 0
    assert scans["correct"] is False
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_a_strip_among_the_pages_stops_none_of_them(duly: Duly) -> None:
    """Issue 4, S37: of whatever shape a page is, it is its own, and the paper beside it counts."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    pages = pictures(pdf)
    strip = Image.new("L", (3000, 40), 0)
    scans = imported(duly, scanned([strip, *pages]))
    assert [one["state"] for one in scans["files"]] == ["read"]
    assert states(scans) == ["unmatched", *["recorded"] * len(pages)]


@pytest.mark.parametrize("step", ["read", "kept", "examine"])
def test_a_page_that_cannot_be_examined_stops_no_other(
    duly: Duly, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Issue 4, bad input: whatever its picture sets off, the page is unreadable alone."""
    people = [duly.client(email=f"k{n}@klient.example") for n in range(2)]
    papers = [pictures(printed_paper(duly, one, marketing=True)[1])[:1] for one in people]
    works, calls = getattr(reading, step), 0

    def fails_once(*said: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("no such shape")
        return works(*said)

    monkeypatch.setattr(reading, step, fails_once)
    scans = imported(duly, scanned([page for paper in papers for page in paper]))
    assert [one["state"] for one in scans["files"]] == ["read"]
    assert [one["reason"] for one in scans["pages"]] == ["damaged", ""]
    assert states(scans)[0] == "unreadable"
    assert scans["pages"][1]["client_id"] == people[1]["client_id"]
    assert scans["correct"] is False


def test_a_lack_of_memory_is_no_pages_own(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """Robustness: the run failed, not the page; the next one reads it."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    answer = duly.staff("POST", "/api/scans", {"files": [uploaded(duly, scanned(pictures(pdf)))]})

    def hungry(_: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(reading, "read", hungry)
        assert heavy(duly).failed == 1
    duly.wait(minutes=11)
    heavy(duly)
    assert set(states(again(duly, answer.json))) == {"recorded"}


def test_a_file_that_kills_its_reader_is_given_up(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robustness: a run that dies loses one step; after a few deaths the next file has its turn."""
    from chalicelib.documents.scans import sources

    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    files = [uploaded(duly, b"%PDF-1.7\ndeadly"), uploaded(duly, scanned(pictures(pdf)))]
    answer = duly.staff("POST", "/api/scans", {"files": files})
    opened = sources.opened

    def deadly(content: bytes) -> Any:
        if content.endswith(b"deadly"):
            raise KeyboardInterrupt  # as when Lambda ends a function: nothing is caught
        return opened(content)

    monkeypatch.setattr(sources, "opened", deadly)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            heavy(duly)
        assert heavy(duly).done == 0  # leased: nobody takes it up at once
        duly.wait(minutes=11)
    heavy(duly)
    states_ = [one["state"] for one in again(duly, answer.json)["files"]]
    assert states_ == ["took_too_long", "read"]
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_a_file_that_was_refused_may_be_imported_again(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, S37: too many pages of one import are few in the next, and none of them was seen."""
    first, other = duly.client(), duly.client(email="inna@klient.example")
    pages = pictures(printed_paper(duly, first, marketing=True)[1])
    late = scanned(pictures(printed_paper(duly, other, marketing=True)[1]))
    monkeypatch.setattr(imports, "MOST_PAGES", len(pages))
    whole = imported(duly, scanned(pages), late, late)
    assert [one["state"] for one in whole["files"]] == ["read", *["too_many_pages"] * 2]
    assert whole["correct"] is False
    anew = imported(duly, late)
    assert [one["state"] for one in anew["files"]] == ["read"]
    assert set(states(anew)) == {"recorded"}
    assert duly.consents(other["client_id"])["marketing"] == "given"


def test_a_file_that_was_given_up_half_read_may_be_imported_again(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, S37: what was read is recorded once; what was not is not taken for seen."""
    first, other = duly.client(), duly.client(email="inna@klient.example")
    front = pictures(printed_paper(duly, first, marketing=True)[1])
    back = pictures(printed_paper(duly, other, marketing=True)[1], seed=2)
    content = scanned([*front, *back])
    answer = duly.staff("POST", "/api/scans", {"files": [uploaded(duly, content)]})
    read, turns = reading.read, 0

    def deadly(picture: Any) -> Any:
        nonlocal turns
        turns += 1
        if turns > len(front):
            raise KeyboardInterrupt  # as when Lambda ends a function
        return read(picture)

    monkeypatch.setattr(scan_work, "CHUNK", 1)
    monkeypatch.setattr(reading, "read", deadly)
    for _ in range(4):  # the first turn came further, the next three did not
        with pytest.raises(KeyboardInterrupt):
            heavy(duly)
        duly.wait(minutes=11)
    heavy(duly)
    monkeypatch.setattr(reading, "read", read)
    half = again(duly, answer.json)
    assert [one["state"] for one in half["files"]] == ["took_too_long"]
    assert set(states(half)) == {"recorded"}
    version = duly.read_client(first["client_id"])["version"]
    anew = imported(duly, content)
    assert [one["state"] for one in anew["files"]] == ["read"]
    assert states(anew) == [*["seen"] * len(front), *["recorded"] * len(back)]
    assert duly.read_client(first["client_id"])["version"] == version
    assert duly.consents(other["client_id"])["marketing"] == "given"
    assert [one["state"] for one in imported(duly, content)["files"]] == ["seen"]


def test_two_imports_of_one_file_at_once_record_once(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S37: neither was read to its end when the other began; the paper is recorded once."""
    monkeypatch.setattr(scan_work, "CHUNK", 1)
    monkeypatch.setattr(scan_work, "SECONDS", 0)  # one step of a turn
    client = duly.client()
    pages = pictures(printed_paper(duly, client, marketing=True)[1])
    content = scanned([*pages, Image.new("L", pages[0].size, 255)])
    made = [
        duly.staff("POST", "/api/scans", {"files": [uploaded(duly, content)]}).json
        for _ in range(2)
    ]
    while any(again(duly, one)["state"] != "done" for one in made):
        heavy(duly)
    found = [again(duly, one) for one in made]
    assert [one["files"][0]["state"] for one in found] == ["read"] * 2
    papers = [states(one)[:-1] for one in found]
    assert sorted(papers) == [["recorded"] * len(pages), ["seen"] * len(pages)]
    assert duly.events(client["client_id"]).count("paper_signed") == 1
    assert not [one for one in duly.objects() if one.endswith(".jpg")]


def test_a_crash_between_client_and_import_records_once(duly: Duly) -> None:
    """S37, S60: the client's change is written, the import's is not; the next turn agrees."""
    client = duly.client()
    _, pdf = printed_paper(duly, client, marketing=True)
    files = [uploaded(duly, scanned(pictures(pdf)))]
    answer = duly.staff("POST", "/api/scans", {"files": files})
    events = clients.client("dynamodb").meta.events
    seen: list[str] = []

    def dies(params: Any, **_: Any) -> None:
        keys = [one["Put"]["Item"]["PK"]["S"] for one in params["TransactItems"] if "Put" in one]
        signed = any("paper_signed" in str(one) for one in params["TransactItems"])
        if signed:
            seen.append("client")
        elif seen == ["client"] and any("#IMPORT#" in key for key in keys):
            seen.append("import")
            raise KeyboardInterrupt

    hook = "provide-client-params.dynamodb.TransactWriteItems"
    events.register(hook, dies)
    try:
        with pytest.raises(KeyboardInterrupt):
            heavy(duly)
    finally:
        events.unregister(hook, dies)
    assert duly.consents(client["client_id"])["marketing"] == "given"
    duly.wait(minutes=11)
    heavy(duly)
    assert set(states(again(duly, answer.json))) == {"recorded"}
    assert duly.events(client["client_id"]).count("paper_signed") == 1
    assert not [one for one in duly.objects() if one.endswith(".jpg")]


def test_the_same_request_again_makes_no_second_import(duly: Duly) -> None:
    """S60: an Idempotency-Key stands for one import."""
    files = {"files": [uploaded(duly, b"%PDF-1.7\n")]}
    first = duly.staff("POST", "/api/scans", files, once="the-same-import-twice")
    second = duly.staff("POST", "/api/scans", files, once="the-same-import-twice")
    assert first.json["import_id"] == second.json["import_id"]
    twice = {"files": files["files"] * 2}
    assert duly.staff("POST", "/api/scans", twice).told == (422, "nothing_to_import")


@pytest.mark.parametrize(
    ("name", "kind", "size", "field"),
    [
        ("a.docx", "application/msword", 10, "content_type"),
        ("a.png", PDF, 10, "content_type"),
        ("a.pdf", PDF, 0, "size"),
        ("a.pdf", PDF, 50 * 1024 * 1024 + 1, "size"),
        ("a\u202efdp.pdf", PDF, 10, "name"),
    ],
)
def test_what_cannot_be_scanned_is_refused_before_it_is_sent(
    duly: Duly, name: str, kind: str, size: int, field: str
) -> None:
    """S33: type, ending, name and size."""
    body = {"name": name, "content_type": kind, "size": size}
    answer = duly.staff("POST", "/api/scans/uploads", body)
    assert (answer.status, answer.json["field"]) == (422, field)


def assigned(duly: Duly, one: Any, **said: Any) -> Any:
    """A person says where a page belongs."""
    where = f"/api/scans/{one['import_id']}/pages/{one['number']}/assign"
    return duly.staff("POST", where, said)


def decided(duly: Duly, page: Any, decision: str) -> Any:
    """A person decides on a page."""
    where = f"/api/scans/{page['import_id']}/pages/{page['number']}/decide"
    return duly.staff("POST", where, {"decision": decision})


def person() -> dict[str, str]:
    """Somebody of another organisation."""
    return {
        "kind": "person",
        "name": "Obca Osoba",
        "language": "pl",
        "served": "remote",
        "email": "obca@klient.example",
    }


def uuid_id() -> str:
    """An id under which nothing was uploaded."""
    return uuid.uuid4().hex[:21] + "A"
