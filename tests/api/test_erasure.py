"""Erasing a client: when, why not, what stays, and how it is proven (S15, D22)."""

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.clients import domain, store
from chalicelib.complaints import acts
from chalicelib.complaints.case import Closed, Outcome, State
from chalicelib.kernel import chain
from chalicelib.kernel.change import SYSTEM, Actor, Key
from tests import cases
from tests.api import test_scans as scans
from tests.duly import ADMIN, Duly


def without_contract(duly: Duly) -> Any:
    """A client who was told everything, wanted nothing, and concluded nothing."""
    client = duly.client(name="Grażyna Zapomniana", email="grazyna@klient.example")
    duly.sent(client, marketing=False, email=False)
    duly.edit(client, contract={"state": "none"})
    return client


def stored(duly: Duly) -> str:
    """Everything in table and bucket, versions included."""
    return str(duly.table()) + str(duly.objects())


def run(duly: Duly) -> None:
    """The tick, as often as an erasure needs."""
    for _ in range(2):
        duly.tick()
        duly.heavy_tick()


def close(duly: Duly, case_id: str) -> None:
    """The case was answered."""
    held, house, now = cases.case_of(duly, case_id), cases.house(duly), duly.ports().now
    ended = Closed(state=State.ANSWERED, at=now, outcome=Outcome.UPHELD)
    case = replace(held.value, closed=ended)
    duly.ports().ledger.commit(acts.done(held, case, house, "answered", by=SYSTEM, now=now))


def test_without_contract_and_consent_a_client_is_erased(duly: Duly) -> None:
    """S15, D22: after the days of grace nothing is left that names them, and the chain stands."""
    client = without_contract(duly)
    key = Key("agencja", "CLIENT", client["client_id"])
    duly.wait(days=15)  # the request to confirm runs out
    run(duly)
    assert "Grażyna Zapomniana" in stored(duly)
    duly.wait(days=16)
    run(duly)
    left = stored(duly)
    for told in ("Grażyna", "grazyna@", "600100200"):
        assert told not in left
    records = list(reversed(duly.ports().ledger.events(key, most=200)))
    head = chain.GENESIS
    for one in records:
        assert one.body is None
        assert one.envelope["previous"] == head
        head = chain.link(one.envelope, one.digest)
    answer = duly.staff("GET", f"/api/clients/{key.id}/erasure", by=ADMIN)
    assert answer.json["certificate"]["head"] == head
    assert answer.json["certificate"]["ground"] == "no_basis"
    assert duly.staff("GET", f"/api/clients/{key.id}").told == (410, "client_erased")


def test_who_ever_consented_is_not_erased_by_itself(duly: Duly) -> None:
    """D22: a consent is a basis; unknown contracts never erase."""
    consented = duly.client(email="jeden@klient.example")
    _, token = duly.sent(consented)
    duly.confirm(token)
    duly.edit(consented, contract={"state": "none"})
    unknown = duly.client(email="dwa@klient.example")
    duly.wait(days=400)
    run(duly)
    for one in (consented, unknown):
        assert duly.staff("GET", f"/api/clients/{one['client_id']}").status == 200


def test_an_erasure_on_request_says_what_stands_against_it(duly: Duly) -> None:
    """S15: a hold, a contract and an open complaint each have a name; then nothing stands."""
    client = without_contract(duly)
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    held = duly.staff("PUT", f"{path}/hold", {"reason": "proces"}, by=ADMIN, version=version)
    case = cases.received(duly, client_id=client["client_id"])
    answer = duly.staff("GET", f"{path}/erasure", by=ADMIN)
    assert answer.json["blockers"] == ["legal_hold", "open_complaint"]
    refused = duly.staff("POST", f"{path}/erasure", by=ADMIN, version=held.json["version"])
    assert refused.told == (409, "erasure_blocked")
    assert refused.json["field"] == "legal_hold"
    free = duly.staff("PUT", f"{path}/hold", {"reason": ""}, by=ADMIN, version=held.json["version"])
    assert case.case.is_open
    refused = duly.staff("POST", f"{path}/erasure", by=ADMIN, version=free.json["version"])
    assert refused.json["field"] == "open_complaint"


@pytest.mark.parametrize("still", ["legal_hold", "open_complaint", "complaint_by_form"])
def test_time_alone_erases_nobody_whose_data_are_needed(duly: Duly, still: str) -> None:
    """S15: a hold or an open complaint keeps the data; once it is over, they go by themselves."""
    client = without_contract(duly)
    path = f"/api/clients/{client['client_id']}"
    if still == "legal_hold":
        version = duly.read_client(client["client_id"])["version"]
        duly.staff("PUT", f"{path}/hold", {"reason": "proces"}, by=ADMIN, version=version)
    elif still == "open_complaint":
        received = cases.received(duly, client_id=client["client_id"])
    else:  # which names no client: it is known by the address that it came from
        received = cases.received(
            duly, writer=replace(cases.WRITER, email="Grazyna@klient.example")
        )
        answer = duly.staff("GET", f"{path}/erasure", by=ADMIN)
        assert answer.json["blockers"] == ["open_complaint"]
    for days in (15, 16, 2):
        duly.wait(days=days)
        run(duly)
    assert duly.staff("GET", path).status == 200
    assert duly.staff("GET", "/api/erasures", by=ADMIN).json["erasures"] == []
    if still == "legal_hold":
        version = duly.read_client(client["client_id"])["version"]
        duly.staff("PUT", f"{path}/hold", {"reason": ""}, by=ADMIN, version=version)
    else:
        close(duly, received.key.id)
    duly.wait(days=2)
    run(duly)
    assert duly.staff("GET", path).told == (410, "client_erased")


def test_who_is_kept_meanwhile_is_not_erased_by_a_request_that_came_too_late(duly: Duly) -> None:
    """S15: a hold that is set at the same moment wins: the request is a 409, and nothing erases."""
    client = without_contract(duly)
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]

    def keep() -> None:
        duly.staff("PUT", f"{path}/hold", {"reason": "proces"}, by=ADMIN, version=version)

    with duly.meanwhile(keep):
        answer = duly.staff("POST", f"{path}/erasure", by=ADMIN, version=version)
    assert answer.told == (409, "changed_meanwhile")
    run(duly)
    assert duly.read_client(client["client_id"])["identity"]["name"] == "Grażyna Zapomniana"
    assert not [one for one in duly.objects() if one.startswith("erasures/")]


def test_an_erasure_that_broke_off_after_its_first_step_goes_on(duly: Duly) -> None:
    """S15: the client's own record says that they leave, and for whom; the job follows from it."""
    client = without_contract(duly)
    key = Key("agencja", "CLIENT", client["client_id"])
    held = store.get(duly.ports(), key.org, key.id)
    by = Actor("staff", ADMIN)
    duly.ports().ledger.commit(domain.leave(held, by=by, now=duly.ports().now))
    run(duly)
    certificate = duly.staff("GET", f"/api/clients/{key.id}/erasure", by=ADMIN).json["certificate"]
    assert (certificate["ground"], certificate["by"]) == ("request", ADMIN)
    assert "Grażyna" not in stored(duly)


def test_the_evidence_of_a_withdrawal_outlives_its_client(duly: Duly) -> None:
    """S57, D22: bare standings and a keyed hash of the address stay, then they go, too."""
    client = duly.client(email="trzy@klient.example")
    _, token = duly.sent(client)
    duly.confirm(token)
    duly.sent(client, marketing=False, email=False)
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    answer = duly.staff("POST", f"{path}/erasure", by=ADMIN, version=version)
    assert answer.status == 202
    run(duly)
    left = stored(duly)
    assert "trzy@klient.example" not in left
    assert any("#SUPPRESSED#" in pk for pk, _ in duly.table())
    assert "withdrawn" in left
    duly.wait(days=365 * 6 + 1)
    run(duly)
    assert not any("#SUPPRESSED#" in pk for pk, _ in duly.table())


def test_nothing_legible_is_left_of_a_long_relation(duly: Duly) -> None:
    """S15: scans, offers, notes, reminders to staff, letters, papers; then one search of all."""
    client = duly.client(name="Ksenofont Czytelny", email="ksenofont@klient.example")
    path = f"/api/clients/{client['client_id']}"
    _, paper = scans.printed_paper(duly, client, marketing=True, email=True)
    scans.imported(duly, scans.scanned(scans.pictures(paper)))
    offer = {"subject": "Oferta dla Ksenofonta", "text": "Panie Ksenofoncie, mamy ofertę."}
    assert duly.staff("POST", f"{path}/offers", offer).status == 202
    version = duly.read_client(client["client_id"])["version"]
    said = {"decided": "given", "source": "oral", "note": "Ksenofont Czytelny przez telefon"}
    duly.staff("PUT", f"{path}/consents/phone", said, version=version)
    for _ in range(3):
        duly.tick()
        duly.wait(days=15)
    for told in ("Ksenofont", "ksenofont@"):
        assert told in stored(duly)
    version = duly.read_client(client["client_id"])["version"]
    assert duly.staff("POST", f"{path}/erasure", by=ADMIN, version=version).status == 202
    run(duly)
    for told in ("Ksenofon", "ksenofon", "600100200", "Czytelny"):
        assert told not in stored(duly)
    rooms = {one.split("/")[0] for one in duly.objects() if client["client_id"] in one}
    assert rooms == {"erasures"}


def test_what_was_on_its_way_while_they_were_erased_goes_too(duly: Duly) -> None:
    """S15: a letter that was being sent is archived too late, and found by the second look."""
    client = without_contract(duly)
    path = f"/api/clients/{client['client_id']}/erasure"
    version = duly.read_client(client["client_id"])["version"]
    duly.staff("POST", path, by=ADMIN, version=version)
    run(duly)
    late = f"letters/agencja/{client['client_id']}/late.eml"
    duly.ports().bucket.put(late, b"Gra\xc5\xbcyna", content_type="message/rfc822", sha256="")
    run(duly)
    assert late in duly.objects()
    before = duly.staff("GET", path, by=ADMIN).json["certificate"]
    duly.wait(minutes=21)
    run(duly)
    assert late not in duly.objects()
    after = duly.staff("GET", path, by=ADMIN).json["certificate"]
    assert after == before | {"objects": before["objects"] + 1}
    events = [one.envelope["kind"] for one in duly.ports().ledger.events(erasure(client), most=9)]
    run(duly)
    assert events[0] == "erasure_looked_again"
    assert len(duly.ports().ledger.events(erasure(client), most=9)) == len(events)


def erasure(client: Any) -> Key:
    """The job that erases this client."""
    return Key("agencja", "ERASURE", f"CLIENT.{client['client_id']}")


def test_no_pointer_leads_to_who_was_erased(duly: Duly) -> None:
    """S15: neither address nor number nor the code on a paper finds them."""
    client = duly.client(email="piec@klient.example")
    for _ in range(3):
        duly.declared(client, marketing=True)
    assert sum("#PAPERCODE#" in pk for pk, _ in duly.table()) == 3
    version = duly.read_client(client["client_id"])["version"]
    duly.staff("POST", f"/api/clients/{client['client_id']}/erasure", by=ADMIN, version=version)
    run(duly)
    kinds = {pk.split("#")[2] for pk, _ in duly.table() if pk.startswith("O#agencja#")}
    assert kinds.isdisjoint({"PAPERCODE", "EMAIL", "PHONE"})


def test_the_mark_of_an_address_goes_with_the_last_who_has_it(duly: Duly) -> None:
    """S15, S52: while a family shares it a list finds the other one; then no trace is left."""
    marks = ("O#agencja#EMAIL#", "UNIQUE")
    family = [duly.client(email="dom@klient.example", name=name) for name in ("Ewa", "Jan")]
    for client, left in zip(family, (1, 0), strict=True):
        version = duly.read_client(client["client_id"])["version"]
        duly.staff("POST", f"/api/clients/{client['client_id']}/erasure", by=ADMIN, version=version)
        run(duly)
        found = [pk for pk, sk in duly.table() if pk.startswith(marks[0]) and sk == marks[1]]
        assert len(found) == left


def test_what_the_mail_service_tells_of_the_erased_changes_nothing(duly: Duly) -> None:
    """S15: a bounce that comes while they leave writes nothing of them, and is no error."""
    client = duly.client(email="szesc@klient.example")
    duly.sent(client)
    (sent,) = duly.mailbox.to("szesc@klient.example")
    held = store.get(duly.ports(), "agencja", client["client_id"])
    duly.ports().ledger.commit(domain.leave(held, by=SYSTEM, now=duly.ports().now))
    key = Key("agencja", "CLIENT", client["client_id"])
    left = duly.ports().ledger.read(key, "ROOT")["ROOT"]
    bounce = {"bounceType": "Permanent"}
    assert duly.event("Bounce", sent, bounce=bounce) == "bounced"
    assert duly.event("Complaint", sent) == "complained"
    assert duly.ports().ledger.read(key, "ROOT")["ROOT"] == left


def test_who_asks_to_be_erased_ends_what_they_agreed_to(duly: Duly) -> None:
    """S57, D22: a consent that was given is kept as withdrawn, so that no old list revives it."""
    client = duly.client(email="siedem@klient.example")
    _, token = duly.sent(client)
    duly.confirm(token)
    version = duly.read_client(client["client_id"])["version"]
    duly.staff("POST", f"/api/clients/{client['client_id']}/erasure", by=ADMIN, version=version)
    run(duly)
    key = Key("agencja", "CLIENT", client["client_id"])
    left = store.held(duly.ports().ledger.read(key, "ROOT")["ROOT"]).value
    assert {one.state for one in left.standings.values()} == {domain.ConsentState.WITHDRAWN}
    assert len(left.suppressed) == 2


def test_a_new_record_does_not_revive_what_the_erased_withdrew(duly: Duly) -> None:
    """S15, D22: the address is known by its hash alone; a consent of today is another matter."""
    client = duly.client(email="osiem@klient.example")
    _, token = duly.sent(client)
    duly.confirm(token)
    version = duly.read_client(client["client_id"])["version"]
    path = f"/api/clients/{client['client_id']}/erasure"
    old = duly.ports().now.isoformat()
    duly.wait(days=1)
    duly.staff("POST", path, by=ADMIN, version=version)
    run(duly)
    again = duly.client(email="osiem@klient.example")
    duly.sent(again, notice=True)
    path = f"/api/clients/{again['client_id']}/consents/marketing"
    version = duly.read_client(again["client_id"])["version"]
    body = {"decided": "given", "source": "paper", "decided_at": old}
    refused = duly.staff("PUT", path, body, version=version)
    assert refused.told == (409, "withdrawn_and_erased")
    duly.wait(days=1)
    new = {"decided": "given", "source": "paper"}
    assert duly.staff("PUT", path, new, version=version).status == 200


def test_a_link_of_an_erased_client_is_dead(duly: Duly) -> None:
    """R15: whoever opens it learns that it was withdrawn, and nothing else."""
    client = duly.client(email="cztery@klient.example")
    _, token = duly.sent(client)
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    duly.staff("POST", f"{path}/erasure", by=ADMIN, version=version)
    assert duly.public("/links/read", {"token": token}).told == (410, "link_withdrawn")
    run(duly)
    assert duly.public("/links/read", {"token": token}).told == (410, "link_withdrawn")
    assert duly.public("/links/renew", {"token": token}).status == 202


def test_an_agent_does_not_erase(duly: Duly) -> None:
    """S15: the log and the act are an administrator's or a head's."""
    client = without_contract(duly)
    path = f"/api/clients/{client['client_id']}/erasure"
    assert duly.staff("POST", path, version=1).told == (403, "role_refused")
    assert duly.staff("GET", "/api/erasures").told == (403, "role_refused")
    assert duly.staff("GET", "/api/erasures", by=ADMIN).json == {"erasures": [], "cursor": ""}
