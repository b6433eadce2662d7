"""Consents set by hand, withdrawn, run out, and proofs that are weak (S52-S57, S61)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.duly import ADMIN, Duly, moment


def client_told(duly: Duly) -> Any:
    """A client to whom the notice was delivered, and who decided nothing."""
    client = duly.client()
    duly.sent(client, notice=True)
    return duly.read_client(client["client_id"])


def recorded(duly: Duly, client: Any, purpose: str, **given: Any) -> Any:
    """A consent set by hand; the client after it."""
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    body = {"decided": "given", "source": "paper"} | given
    answer = duly.staff("PUT", f"{path}/consents/{purpose}", body, version=version)
    assert answer.status == 200, answer.json
    return answer.json


def ticks(duly: Duly) -> None:
    """What is due together is done one after the other."""
    for _ in range(4):
        duly.tick()


def wordings(duly: Duly) -> dict[str, Any]:
    """The words of today by purpose and language."""
    read = duly.staff("GET", "/api/catalogue", by=ADMIN).json["purposes"]
    return {one["purpose"]: one["wordings"] for one in read}


def standing_words(duly: Duly, client: Any) -> str:
    """The words that the record behind a client's marketing consent names."""
    one = standing(client, "marketing")
    path = f"/api/clients/{client['client_id']}/records/{one['declaration_id']}"
    found: str = duly.staff("GET", path).json["wording_id"]
    return found


def standing(client: Any, purpose: str) -> Any:
    """How the client stands on a purpose."""
    return next(one for one in client["consents"] if one["purpose"] == purpose)


def test_a_consent_from_another_system_is_a_record(duly: Duly) -> None:
    """S52, S55: the status is set by hand, with its day and its source."""
    client = client_told(duly)
    day = "2025-03-01T10:00:00Z"
    after = recorded(duly, client, "marketing", decided_at=day, note="karta z 2025 r.")
    one = standing(after, "marketing")
    assert (one["state"], one["proof"], one["weak"]) == ("given", "record", False)
    assert moment(one["at"]) == moment(day)
    path = f"/api/clients/{client['client_id']}/records/{one['declaration_id']}"
    assert duly.staff("GET", path).json["note"] == "karta z 2025 r."


@pytest.mark.parametrize("source", ["sms", "oral"])
def test_a_word_by_telephone_is_weak_until_there_is_better(duly: Duly, source: str) -> None:
    """S53, S54: listed, spoken of every fortnight, and no longer once the client confirms."""
    client = client_told(duly)
    after = recorded(duly, client, "marketing", source=source)
    assert standing(after, "marketing")["weak"] is True
    weak = duly.staff("GET", "/api/consents/weak").json["clients"]
    assert [one["client_id"] for one in weak] == [client["client_id"]]
    duly.wait(days=14, minutes=1)
    ticks(duly)
    duly.wait(minutes=3)
    ticks(duly)
    (told,) = [one for one in duly.mailbox.to("ewa@agencja.example") if "SMS" in one.text]
    assert client["client_id"] in told.text
    _, token = duly.sent(client, marketing=True)
    duly.confirm(token)
    assert standing(duly.read_client(client["client_id"]), "marketing")["weak"] is False
    assert duly.staff("GET", "/api/consents/weak").json["clients"] == []


def test_a_bounce_takes_the_notice_back_and_leaves_what_was_set_by_hand(duly: Duly) -> None:
    """S8, S52, D10: the consents stand, nothing may rest on them, and the feed says so."""
    client = client_told(duly)
    sent = duly.mailbox.to("lucja@klient.example")[-1]
    for purpose in ("marketing", "email"):
        recorded(duly, client, purpose)
    cursor = fed(duly, "")[1]
    assert duly.event("Bounce", sent, bounce={"bounceType": "Permanent"}) == "bounced"
    after = duly.read_client(client["client_id"])
    assert (after["state"], after["notice"]) == ("before_notice", None)
    assert [standing(after, one)["state"] for one in ("marketing", "email")] == ["given", "given"]
    told, cursor = fed(duly, cursor)
    assert told == {client["client_id"]: (False, "notice_required")}
    path = f"/api/clients/{client['client_id']}/offers"
    offer = {"subject": "OC", "text": "Taniej."}
    assert duly.staff("POST", path, offer).told == (409, "consent_missing")
    duly.edit(client, email="lucja2@klient.example")
    duly.sent(duly.read_client(client["client_id"]), notice=True)
    assert fed(duly, cursor)[0] == {client["client_id"]: (True, "consent")}
    assert duly.staff("POST", path, offer).status == 202


def fed(duly: Duly, cursor: str) -> tuple[dict[str, tuple[bool, str]], str]:
    """Whom the feed names since, with what it says of commerce by e-mail, and how to go on."""
    duly.wait(seconds=20)
    told = duly.staff("GET", f"/api/consents/changes?cursor={cursor}").json
    answers = {one["client_id"]: one["email"] for one in told["changes"]}
    return {key: (one["allowed"], one["reason"]) for key, one in answers.items()}, told["cursor"]


def test_an_older_decision_joins_the_history_and_changes_nothing(duly: Duly) -> None:
    """D21: whatever the day of recording, the later decision stands."""
    client = client_told(duly)
    recorded(duly, client, "marketing", decided="refused")
    after = recorded(duly, client, "marketing", decided_at="2020-01-01T00:00:00Z")
    assert standing(after, "marketing")["state"] == "refused"
    assert duly.events(client["client_id"])[-1] == "consent_recorded"


def test_a_withdrawal_by_staff_counts_at_once(duly: Duly) -> None:
    """S57, S61: no confirmation, no letter; what is not given can't be withdrawn."""
    client = client_told(duly)
    recorded(duly, client, "marketing")
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    sent = len(duly.mailbox.sent)
    body = {"purposes": ["marketing"], "note": "telefon"}
    answer = duly.staff("POST", f"{path}/withdraw", body, version=version)
    assert standing(answer.json, "marketing")["state"] == "withdrawn"
    duly.tick()
    assert len(duly.mailbox.sent) == sent
    again = duly.staff("POST", f"{path}/withdraw", body, version=answer.json["version"])
    assert again.told == (409, "nothing_to_withdraw")


def test_a_consent_runs_out_when_its_term_is_over(duly: Duly) -> None:
    """S56: a purpose may be good for some months; a month before somebody is told, then it ends."""
    version = duly.staff("GET", "/api/catalogue", by=ADMIN).json["version"]
    path = "/api/catalogue/purposes/marketing"
    changed = duly.staff("PATCH", path, {"months": 12}, by=ADMIN, version=version)
    assert changed.json["purposes"][1]["months"] == 12
    client = client_told(duly)
    after = recorded(duly, client, "marketing")
    ends = moment(standing(after, "marketing")["expires_at"])
    assert timedelta(days=364) < ends - duly.ports().now < timedelta(days=367)
    duly.wait(days=340)
    ticks(duly)
    duly.wait(minutes=3)
    ticks(duly)
    assert any("wygaśnie" in one.text for one in duly.mailbox.to("ewa@agencja.example"))
    assert duly.consents(client["client_id"])["marketing"] == "given"
    duly.wait(days=27)
    ticks(duly)
    assert duly.consents(client["client_id"])["marketing"] == "expired"


def test_who_is_recorded_in_the_last_month_of_a_term_is_spoken_of_at_once(duly: Duly) -> None:
    """S56: there is no later day on which somebody could be told before it ends."""
    version = duly.staff("GET", "/api/catalogue", by=ADMIN).json["version"]
    path = "/api/catalogue/purposes/marketing"
    assert duly.staff("PATCH", path, {"months": 12}, by=ADMIN, version=version).status == 200
    client = client_told(duly)
    long_ago = duly.ports().now - timedelta(days=350)
    recorded(duly, client, "marketing", decided_at=long_ago.isoformat())
    ticks(duly)
    duly.wait(minutes=3)
    ticks(duly)
    told = [one for one in duly.mailbox.to("ewa@agencja.example") if "wygaśnie" in one.text]
    assert len(told) == 1
    assert duly.consents(client["client_id"])["marketing"] == "given"


def test_the_words_of_a_record_are_those_that_were_shown_or_none(duly: Duly) -> None:
    """S26, S52: an old card held other words than the catalogue; who reads these out says so."""
    client = client_told(duly)
    read_out = wordings(duly)["marketing"]["ru"]
    after = recorded(duly, client, "marketing", source="oral", wording_id=read_out)
    assert standing_words(duly, after) == read_out
    assert standing_words(duly, recorded(duly, client, "marketing")) == ""


def test_a_word_makes_no_better_proof_weak(duly: Duly) -> None:
    """S53, S54: what is said again on the telephone joins the history; a no still counts."""
    client = client_told(duly)
    strong = standing(recorded(duly, client, "marketing"), "marketing")
    again = standing(recorded(duly, client, "marketing", source="sms"), "marketing")
    assert (again["proof"], again["weak"]) == ("record", False)
    assert again["declaration_id"] == strong["declaration_id"]
    no = recorded(duly, client, "marketing", source="sms", decided="withdrawn")
    assert standing(no, "marketing")["state"] == "withdrawn"
    yes = recorded(duly, client, "marketing", source="sms")
    assert standing(yes, "marketing")["weak"]


def test_what_can_not_be_recorded_is_refused(duly: Duly) -> None:
    """S52, S26: no decision in the future or out of all time, no purpose that there is not, no file
    that is not there, no words of something else."""
    client = client_told(duly)
    path, version = f"/api/clients/{client['client_id']}/consents", client["version"]
    body = {"decided": "given", "source": "paper"}
    future = body | {"decided_at": "2099-01-01T00:00:00Z"}
    words = wordings(duly)
    cases = [
        ("marketing", future, "decided_at_refused"),
        ("marketing", body | {"decided_at": "0001-01-01T00:00:00+14:00"}, "decided_at_refused"),
        ("marketing", body | {"wording_id": "A" * 24}, "wording_refused"),
        ("marketing", body | {"wording_id": words["phone"]["pl"]}, "wording_refused"),
        ("marketing", body | {"wording_id": "A" * 5000}, "invalid"),
        ("marketing", body | {"file_id": "A" * 5000}, "invalid"),
        ("nothing", body, "purpose_not_in_catalogue"),
        ("notice", body, "purpose_not_in_catalogue"),
        ("marketing", body | {"file_id": "A" * 22}, "attachment_unknown"),
        ("marketing", body | {"source": "dream"}, "invalid"),
    ]
    for purpose, given, code in cases:
        answer = duly.staff("PUT", f"{path}/{purpose}", given, version=version)
        assert answer.told == (422, code)
    stranger = duly.client(email="x@klient.example")
    early = f"/api/clients/{stranger['client_id']}/consents/marketing"
    refused = duly.staff("PUT", early, body, version=stranger["version"])
    assert refused.told == (409, "notice_required")
