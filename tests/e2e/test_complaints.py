"""Complaints over the deployed stack, under the policies that it would have on AWS."""

import urllib.error
from typing import Any

import pytest

from local import form
from local.cases import Case
from local.demo.complaints import MAILBOX, PERFORMANCE, POLICY, POSITION, SIGNER, a_mail, a_photo
from local.desk import Refused, download, send_form
from tests.e2e.conftest import Whole, wait

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

ORG = "agencja-pod-debem"
ALL = f"/api/public/{ORG}/complaints"
WRITER = {
    "language": "pl",
    "name": "Łucja Żółć",
    "postal_address": "ul. Krótka 2, 00-002 Warszawa",
    "contract_number": "AB-123",
}
SUBSTANCE = "Szkoda nie została rozpatrzona w terminie, proszę o wyjaśnienie."
PAID = "Reklamację uznajemy i wypłacamy odszkodowanie w kwocie 3 400 zł."
FILES = {
    ("umowa.pdf", "application/pdf"): POLICY,
    ("szkoda.jpg", "image/jpeg"): a_photo(),
    ("dziwny.pdf", "application/pdf"): b"<html><script>alert(1)</script></html>",
}


def registered(whole: Whole, reference: str) -> Case:
    """The case of this number, once it is registered and its files were looked at."""
    case = Case.find(whole.officer, reference)

    def is_ready() -> bool:
        whole.cloud.tick()
        read = case.read()
        looked = {one["state"] for one in read["files"]} <= {"kept", "held"}
        return looked and read["registered_at"] is not None

    wait(is_ready)
    return case


def told(refused: Any) -> tuple[int, str]:
    """The status of a refusal and its code."""
    return refused.value.status, refused.value.problem["code"]


def test_a_form_runs_to_its_answer_on_paper(office: Whole) -> None:
    """M2, M13, M41, M45, M52, M78, M84, R13: files out of quarantine, a letter, a case on paper."""
    address = "formularz@klient.duly.example"
    sent = form.file(
        office.public, ORG, FILES, **WRITER, email=address, substance=SUBSTANCE, kind="complaint"
    )
    case = registered(office, sent["reference"])
    files = {one["name"]: one for one in case.read()["files"]}
    assert {name: one["state"] for name, one in files.items()} == {
        "umowa.pdf": "kept",
        "szkoda.jpg": "kept",
        "dziwny.pdf": "held",
    }
    assert download(files["umowa.pdf"]["url"]) == POLICY
    released = f"files/{files['dziwny.pdf']['file_id']}/release"
    case.act(released, {"reason": "obejrzano w izolacji"})
    (held,) = (one for one in case.read()["files"] if one["state"] == "held")
    assert download(held["url"]) == FILES["dziwny.pdf", "application/pdf"]
    assert case.read()["reference"] in office.mail(address)["subject"]
    case.draft("upheld")
    case.write(PAID, {"position": POSITION, "performance": PERFORMANCE}, SIGNER)
    assert not case.check(informational=True)["channels"]["email"]["open"]
    case.approve(office.head)
    letter = case.answering("send", {"channel": "registered_post"})
    assert download(letter["paper_url"]).startswith(b"%PDF-1.")
    today = case.read()["answer"]["sent_at"][:10]
    done = case.answering("posted", {"posted_on": today, "tracking": "RR123456785PL"})
    assert (done["state"], done["late"]) == ("answered", False)
    office.mail(address, 2)
    assert download(office.officer.get(f"{case.where}/pdf")["url"]).startswith(b"%PDF-1.")
    exported = office.officer.get("/api/statistics/export")
    assert case.read()["reference"].encode() in download(exported["url"])


def test_a_form_without_work_or_with_another_file_is_refused(office: Whole) -> None:
    """M33, R12: no proof, a proof that was spent on other words, more bytes than were named."""
    with pytest.raises(Refused) as no_proof:
        office.public.post(ALL, {"proof": "e30=", "substance": SUBSTANCE})
    assert told(no_proof) == (422, "proof_refused")
    proof = form.worked(office.public.post(f"{ALL}/form", {})["challenge"])
    filled = {"proof": proof, "seconds": 90, "anonymous": True, "substance": SUBSTANCE}
    first = office.public.post(ALL, filled)
    assert office.public.post(ALL, filled) == first
    with pytest.raises(Refused) as spent:
        office.public.post(ALL, filled | {"substance": "Inne słowa."})
    assert told(spent) == (409, "proof_reused")
    kind = {"name": "umowa.pdf", "content_type": "application/pdf"}
    slot = office.public.post(f"{ALL}/files", kind | {"slot": 0, "size": 10, "proof": proof})
    with pytest.raises(urllib.error.HTTPError) as larger:
        send_form(slot["url"], slot["fields"], "umowa.pdf", POLICY * 10)
    with larger.value as answer:
        assert answer.code in (400, 403)


def test_a_mail_becomes_a_case_and_a_reply_joins_it(office: Whole) -> None:
    """M2, M3, M45, M13: by the bucket's own event; the reply comes back by the signed address."""
    address = "poczta@klient.duly.example"
    sender = f"Poczta Klientka <{address}>"
    raw = a_mail(SUBSTANCE, sender=sender, files={"umowa.pdf": POLICY})
    assert office.cloud.receive_mail(raw, MAILBOX)
    found: list[Any] = []

    def has_come() -> bool:
        found[:] = office.officer.get(f"/api/complaints?email={address}")["cases"]
        return bool(found)

    wait(has_come)
    case = registered(office, found[0]["reference"])
    read = case.read()
    assert (read["channel"], read["substance"]) == ("email", SUBSTANCE)
    assert [(one["name"], one["state"]) for one in read["files"]] == [("umowa.pdf", "kept")]
    taken = office.message(office.mail(address))
    reply_to = taken["Reply-To"].addresses[0].addr_spec
    reply = a_mail("Dosyłam rachunek.", sender=sender, to=reply_to, files={"rachunek.pdf": POLICY})
    assert office.cloud.receive_mail(reply, reply_to)
    wait(lambda: len(case.read()["messages"]) == 1)
    assert {one["name"] for one in case.read()["files"]} == {"umowa.pdf", "rachunek.pdf"}
    assert case.read()["state"] == "registered"


def test_a_machines_mail_is_no_case_and_a_broken_one_waits_for_a_person(office: Whole) -> None:
    """M33; RFC 3834: no loop; what can't be read is a case all the same, and nobody is answered."""
    address = "automat@klient.duly.example"
    machine = a_mail("Jestem na urlopie.", sender=f"Automat <{address}>", machine=True)
    assert office.cloud.receive_mail(machine, MAILBOX)
    assert not office.cloud.receive_mail(machine, "nikt@obca.duly.example")
    before = len(office.officer.get("/api/complaints?list=unassigned")["cases"])
    broken = b"\xff\xfe no headers at all \x00\n" * 20
    assert office.cloud.receive_mail(broken, MAILBOX)

    def unassigned() -> list[Any]:
        return list(office.officer.get("/api/complaints?list=unassigned")["cases"])

    wait(lambda: len(unassigned()) > before)
    assert office.officer.get(f"/api/complaints?email={address}")["cases"] == []
    assert [one for one in unassigned() if "unreadable" in one["flags"]]
    assert office.cloud.mails(address) == []
