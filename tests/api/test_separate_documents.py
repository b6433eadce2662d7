"""Consent to the processing of data is a document of its own where the rules say so (M82)."""

from typing import Any

import pytest

from tests.duly import Duly

ORG = "sever-garant"


@pytest.fixture
def insurer(duly: Duly) -> Duly:
    """A Russian insurer beside the Polish agency."""
    duly.found(ORG, "ru", policy_pack="ru-442fz-2024", time_zone="Europe/Moscow")
    return duly


def drafted(insurer: Duly, client: Any, **answers: bool) -> Any:
    """What comes of ticking these."""
    path = f"/api/clients/{client['client_id']}/declarations"
    return insurer.staff("POST", path, {"answers": answers}, org=ORG)


def a_client(insurer: Duly) -> Any:
    """A client of the insurer."""
    body = {"kind": "person", "name": "Анна Ли", "language": "ru", "served": "remote"}
    made = insurer.staff("POST", "/api/clients", body | {"email": "anna@klient.example"}, org=ORG)
    return made.json


def told_first(insurer: Duly, client: Any) -> str:
    """The client gets the information about the controller; the text of the message."""
    draft = drafted(insurer, client, notice=True).json
    send = f"/api/clients/{client['client_id']}/declarations/{draft['declaration_id']}/send"
    assert insurer.staff("POST", send, version=draft["version"], org=ORG).status == 202
    insurer.tick()
    return insurer.mailbox.to("anna@klient.example")[-1].text


def test_it_is_asked_for_where_the_pack_builds_on_it_and_hidden_elsewhere(insurer: Duly) -> None:
    """M82, S22: visible at the Russian insurer; ready but hidden at the Polish agency."""
    for org, hidden in ((ORG, False), ("agencja", True)):
        catalogue = insurer.staff("GET", "/api/catalogue", org=org).json["purposes"]
        known = {one["purpose"]: one["hidden"] for one in catalogue}
        assert known["data_processing"] is hidden
        assert known["reply_by_email"] is True


def test_it_is_not_merged_with_another_consent(insurer: Duly) -> None:
    """152-FZ Art. 9 since 1 September 2025: apart from other consents and from the information
    about the controller, in the paper and in the message; S8: the information comes first.
    """
    client = a_client(insurer)
    for other in ("marketing", "notice"):
        mixed = drafted(insurer, client, data_processing=True, **{other: True})
        assert mixed.told == (422, "separate_document")
        assert mixed.json["field"] == "answers.data_processing"
    early = drafted(insurer, client, data_processing=True)
    assert early.told == (409, "notice_required")
    told_first(insurer, client)
    alone = drafted(insurer, client, data_processing=True)
    assert alone.status == 201
    assert [one["purpose"] for one in alone.json["answers"]] == ["data_processing"]


def test_one_document_does_not_take_the_place_of_the_other(insurer: Duly) -> None:
    """R14: both are out, each with a link of its own that acts."""
    client = a_client(insurer)
    path = f"/api/clients/{client['client_id']}/declarations"
    for answers in ({"marketing": True, "email": True}, {"data_processing": True}):
        draft = drafted(insurer, client, **answers).json
        send = f"{path}/{draft['declaration_id']}/send"
        assert insurer.staff("POST", send, version=draft["version"], org=ORG).status == 202
        insurer.tick()
    tokens = [one.token for one in insurer.mailbox.to("anna@klient.example")]
    assert len(tokens) == 2
    for token in tokens:
        read = insurer.public("/links/read", {"token": token}, org=ORG)
        act = {"token": token, "decision": "confirm", "digest": read.json["digest"]}
        assert insurer.public("/links/act", act, org=ORG).status == 200
    read = insurer.staff("GET", f"/api/clients/{client['client_id']}", org=ORG).json
    states = {one["purpose"]: one["state"] for one in read["consents"]}
    assert (states["data_processing"], states["marketing"]) == ("given", "given")


def test_a_client_who_wishes_both_is_sent_a_message_for_each(insurer: Duly) -> None:
    """S58; 152-FZ Art. 9: ticked together on the client's own page, asked for apart."""
    client = a_client(insurer)
    token = told_first(insurer, client).split("/p#")[1].split()[0]
    wish = {"token": token, "add": ["data_processing", "marketing"]}
    answer = insurer.public("/preferences/act", wish, org=ORG)
    states = {one["purpose"]: one["state"] for one in answer.json["consents"]}
    assert (states["data_processing"], states["marketing"]) == ("awaiting_email",) * 2
    insurer.tick()
    assert len(insurer.mailbox.to("anna@klient.example")) == 3
