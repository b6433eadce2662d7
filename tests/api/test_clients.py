"""Clients, through the API."""

import secrets
from typing import Any
from urllib.parse import quote

from tests.duly import Answer, Duly
from tests.examples import PERSON


def find(duly: Duly, **query: str) -> list[str]:
    """The names of the clients that are found."""
    return [one["identity"]["name"] for one in found(duly, **query).json["clients"]]


def found(duly: Duly, **query: str) -> Answer:
    """A search."""
    asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return duly.staff("GET", f"/api/clients?{asked}")


def edited(duly: Duly, client: Any, **changes: Any) -> Answer:
    """The client, with other identity or contract."""
    known = duly.read_client(client["client_id"])
    body = known["identity"] | {"contract": known["contract"]} | changes
    path = f"/api/clients/{client['client_id']}"
    return duly.staff("PUT", path, body, version=known["version"])


def test_a_client_is_created_with_the_least_that_is_needed(duly: Duly) -> None:
    """S5: name, language and how they are served; face to face without an e-mail address."""
    least = {"kind": "person", "name": "Jan Nowak", "language": "pl", "served": "direct"}
    answer = duly.staff("POST", "/api/clients", least)
    assert answer.status == 201, answer.json
    assert answer.json["identity"].items() >= least.items()
    remote = duly.staff("POST", "/api/clients", least | {"served": "remote"})
    assert (remote.status, remote.json["code"]) == (422, "email_required")
    assert remote.json["field"] == "email"


def test_a_company_is_a_client_too(duly: Duly) -> None:
    """S5: a legal person is created with as little."""
    client = duly.client(kind="company", name="Zakład Usług „Żuraw” sp. j.")
    assert client["identity"]["kind"] == "company"


def test_a_saved_client_opens_with_its_consents(duly: Duly) -> None:
    """S6, S19: one read shows the notice and the standing on each purpose."""
    client = duly.read_client(duly.client()["client_id"])
    assert client["notice"] is None
    assert {one["purpose"]: one["state"] for one in client["consents"]} == {
        "marketing": "none",
        "email": "none",
        "phone": "none",
    }


def test_before_the_notice_only_identity_and_contact_are_written(duly: Duly) -> None:
    """S3, S8, S12, D10: a contract is refused, and so is an offer; name and address are not."""
    client = duly.client()
    assert client["state"] == "before_notice"
    refused = edited(duly, client, contract={"state": "active"})
    assert (refused.status, refused.json["code"]) == (409, "notice_required")
    may = duly.staff("GET", f"/api/clients/{client['client_id']}/may/quotation").json
    assert (may["allowed"], may["reason"]) == (False, "notice_required")
    assert edited(duly, client, name="Łucja Nowa").status == 200
    duly.sent(client)
    assert edited(duly, client, contract={"state": "active"}).status == 200
    may = duly.staff("GET", f"/api/clients/{client['client_id']}/may/quotation").json
    assert may["allowed"] is True


def test_a_contract_that_ended_has_its_day(duly: Duly) -> None:
    """D22: `ended` with the date, and no other state with one."""
    client = duly.client()
    duly.sent(client)
    for wrong in ({"state": "ended"}, {"state": "active", "ended_on": "2026-01-31"}):
        refused = edited(duly, client, contract=wrong)
        assert (refused.status, refused.json["field"]) == (422, "contract.ended_on")
    ended = {"state": "ended", "ended_on": "2026-01-31"}
    assert edited(duly, client, contract=ended).json["contract"] == ended


def test_clients_are_found_by_exactly_what_was_given(duly: Duly) -> None:
    """Issue 2, 3: e-mail without case, telephone however it is written; nothing by half."""
    duly.client(email="Lucja@Klient.example")
    assert find(duly, email="lucja@klient.EXAMPLE") == ["Łucja Żółć"]
    assert find(duly, phone="+48(600) 100-200") == ["Łucja Żółć"]
    assert find(duly, email="lucja@klient.example.com") == []
    assert find(duly, phone="600100200") == []


def test_clients_are_found_by_how_a_name_begins(duly: Duly) -> None:
    """Issue 2, 3: first name or surname, without case and accents, Polish and Cyrillic too."""
    for name in ("Łucja Żółć", "Łukasz Żołna", "Lucyna Ząb", "Анна Ёлкина"):
        duly.client(name=name)
    assert find(duly, name="łu") == ["Łucja Żółć", "Lucyna Ząb", "Łukasz Żołna"]
    assert find(duly, name="ŻÓŁ") == find(duly, name="zol")
    assert set(find(duly, name="zo")) == {"Łucja Żółć", "Łukasz Żołna"}
    assert find(duly, name="żółć łucja") == ["Łucja Żółć"]
    assert find(duly, name="елк") == ["Анна Ёлкина"]
    assert find(duly, name="ucja") == []


def test_a_long_list_of_names_comes_in_pages(duly: Duly) -> None:
    """Issue 2, 3: every client once, in the order of names; a cursor is of its own query alone."""
    wanted = [f"Nowak {number:02d}" for number in range(28)]
    for name in wanted:
        duly.client(name=name)
    first = found(duly, name="nowak").json
    assert len(first["clients"]) == 25
    rest = found(duly, name="nowak", cursor=first["cursor"]).json
    assert rest["cursor"] == ""
    names = [one["identity"]["name"] for one in first["clients"] + rest["clients"]]
    assert names == wanted
    other = found(duly, name="nowa", cursor=first["cursor"])
    assert (other.status, other.json["code"]) == (422, "cursor_refused")


def test_a_switchboards_many_clients_come_in_pages(duly: Duly) -> None:
    """Issue 2, 3: one telephone number may be that of more clients than one answer holds."""
    made = {duly.client(email=f"k{number}@klient.example")["client_id"] for number in range(27)}
    first = duly.staff("GET", "/api/clients?phone=%2B48600100200").json
    assert len(first["clients"]) == 25
    rest = duly.staff("GET", f"/api/clients?phone=%2B48600100200&cursor={first['cursor']}").json
    assert rest["cursor"] == ""
    both = [one["client_id"] for one in (*first["clients"], *rest["clients"])]
    assert len(both) == 27
    assert set(both) == made


def test_a_client_is_found_by_what_is_true_now(duly: Duly) -> None:
    """S60: a changed name, address and telephone number are found; the old ones are not."""
    client = duly.client()
    changed = edited(
        duly, client, name="Maria Wiśniewska", email="maria@klient.example", phone="+48700100200"
    )
    assert changed.status == 200, changed.json
    for gone in ({"name": "zolc"}, {"email": "lucja@klient.example"}, {"phone": "+48600100200"}):
        assert find(duly, **gone) == []
    for known in (
        {"name": "wisn"},
        {"email": "maria@klient.example"},
        {"phone": "+48 700 100 200"},
    ):
        assert find(duly, **known) == ["Maria Wiśniewska"]


def test_creating_twice_with_one_key_creates_once(duly: Duly) -> None:
    """Design, API: same request, same answer; another body under the key: 409; a new key: new."""
    key = secrets.token_hex(16)
    first = duly.staff("POST", "/api/clients", PERSON, once=key)
    again = duly.staff("POST", "/api/clients", PERSON, once=key)
    assert (again.status, again.json) == (201, first.json)
    other = duly.staff("POST", "/api/clients", PERSON | {"name": "Inny"}, once=key)
    assert (other.status, other.json["code"]) == (409, "idempotency_key_reused")
    assert len(find(duly, name="nowak")) == 1
    assert duly.staff("POST", "/api/clients", PERSON).status == 201
    assert len(find(duly, name="nowak")) == 2


def test_two_people_at_one_client(duly: Duly) -> None:
    """S60: the second change names a version that is gone: 409, and nothing is lost."""
    client = duly.client()
    path, body = f"/api/clients/{client['client_id']}", PERSON
    missing = duly.staff("PUT", path, body)
    assert (missing.status, missing.json["code"]) == (428, "if_match_required")
    first = duly.staff("PUT", path, body, version=client["version"])
    assert first.status == 200
    assert first.headers["ETag"] == f'"{first.json["version"]}"'
    late = duly.staff("PUT", path, body | {"name": "Ktoś"}, version=client["version"])
    assert (late.status, late.json["code"]) == (409, "changed_meanwhile")
    assert duly.read_client(client["client_id"])["identity"]["name"] == "Jan Nowak"


def test_another_address_ends_what_was_sent_to_the_old_one(duly: Duly) -> None:
    """R15: the link in the old mailbox is dead."""
    client = duly.client()
    _, token = duly.sent(client)
    assert edited(duly, client, email="nowy@klient.example").status == 200
    answer = duly.public("/links/read", {"token": token})
    assert (answer.status, answer.json["code"]) == (410, "link_withdrawn")


def test_the_mailbox_of_a_member_of_staff_is_no_clients(duly: Duly) -> None:
    """R23: whoever confirms must be the client, so staff's own addresses are refused."""
    body = {"kind": "person", "name": "Jan", "language": "pl", "served": "remote"}
    answer = duly.staff("POST", "/api/clients", body | {"email": "Ewa@agencja.example"})
    assert (answer.status, answer.json["code"]) == (422, "email_of_staff")
