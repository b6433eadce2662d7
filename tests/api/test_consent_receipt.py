"""What a client keeps of a confirmation: the letter, the paper, the record for a machine (S48)."""

import json
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import pikepdf

from chalicelib import wiring
from tests.api.test_portability import unpacked
from tests.duly import Duly
from tests.examples import RECORD, linked


def attached(message: EmailMessage) -> dict[str, tuple[str, bytes]]:
    """Name -> type and content of each attachment."""
    found = {}
    for one in message.iter_attachments():
        content = one.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(one.get_filename())] = (one.get_content_type(), content)
    return found


def test_the_receipt_brings_the_record_of_what_was_confirmed(duly: Duly) -> None:
    """S48: JSON by the standard, and the same inside the declaration's PDF/A-3u."""
    client = duly.client()
    sent, token = duly.sent(client)
    assert duly.confirm(token).status == 200
    duly.tick()
    letter = duly.mailbox.to(client["identity"]["email"])[-1]
    files = attached(letter.message)
    kind, content = files.pop("consent-receipt.json")
    assert kind == "application/json"
    told = json.loads(content)
    record = told["consent_record"]
    assert told["receipt_id"] == sent["declaration_id"] == record["record_id"]
    assert record["pii_principal_id"] == client["client_id"]
    given = {one["purpose_id"] for one in record["events"] if one["event_state"] == "given"}
    assert given == {"marketing", "email"}
    (paper,) = files.values()
    with pikepdf.open(BytesIO(paper[1])) as document:
        (file,) = document.Root.AF
        assert file.EF.F.read_bytes() == content
    assert len(letter.raw) < 200_000


def test_no_link_that_acts_is_in_the_record(duly: Duly) -> None:
    """R17: the page of consents is named, its token is not; the archive holds no key."""
    client = duly.client()
    _, token = duly.sent(client)
    duly.confirm(token)
    duly.tick()
    letter = duly.mailbox.to(client["identity"]["email"])[-1]
    own = linked(duly, client["identity"]["email"], "p")
    for _, content in attached(letter.message).values():
        assert own.encode() not in content
        assert token.encode() not in content
    record = json.loads(attached(letter.message)["consent-receipt.json"][1])["consent_record"]
    page = record["pii_processing"]["purposes"][0]["withdrawal"]["page"]
    assert f"{page}#{own}" in letter.text
    kept = b"".join(duly.objects().values())
    assert own.encode() not in kept


def copied(duly: Duly, client: Any) -> dict[str, list[tuple[str, str]]]:
    """What a copy says of marketing: record -> each state that the consent reached, and its day."""
    files = unpacked(duly, client)
    records = [json.loads(files[name]) for name in files if name.startswith("consent-records/")]
    return {
        record["record_id"]: [
            (one["event_state"], one["event_time"][:10])
            for one in record["events"]
            if one["purpose_id"] == "marketing" and one["event_state"] != "requested"
        ]
        for record in records
    }


def confirmed(duly: Duly, client: Any, **answers: bool) -> str:
    """A declaration that the client confirmed."""
    declared, token = duly.sent(client, **answers)
    assert duly.confirm(token).status == 200
    return str(declared["declaration_id"])


def today(duly: Duly) -> str:
    """The day by the test's clock."""
    return wiring.ports().now.date().isoformat()


def withdrawn(duly: Duly, client: Any) -> None:
    """Staff withdraw marketing, as the client told them."""
    path = f"/api/clients/{client['client_id']}"
    version = duly.read_client(client["client_id"])["version"]
    body = {"purposes": ["marketing"]}
    assert duly.staff("POST", f"{path}/withdraw", body, version=version).status == 200


def test_a_withdrawal_stays_in_its_record_when_the_consent_is_given_anew(duly: Duly) -> None:
    """S48, S57; GDPR Art. 7(1), 15: what was withdrawn was not given in between."""
    client, days = duly.client(), [today(duly)]
    first = confirmed(duly, client, marketing=True)
    duly.wait(days=1)
    days.append(today(duly))
    withdrawn(duly, client)
    duly.wait(days=1)
    days.append(today(duly))
    second = confirmed(duly, client, marketing=True)
    assert copied(duly, client) == {
        first: [("given", days[0]), ("withdrawn", days[1])],
        second: [("given", days[2])],
    }


def test_a_no_after_a_yes_is_a_withdrawal_in_both_records(duly: Duly) -> None:
    """S19, S48: the yes ended with it, and the no is what it counts as."""
    client, days = duly.client(), [today(duly)]
    first = confirmed(duly, client, marketing=True)
    duly.wait(days=1)
    days.append(today(duly))
    second = confirmed(duly, client, marketing=False, email=True)
    assert copied(duly, client) == {
        first: [("given", days[0]), ("withdrawn", days[1])],
        second: [("withdrawn", days[1])],
    }


def test_a_yes_ends_where_a_later_yes_stands(duly: Duly) -> None:
    """S19, S48: one record alone says that the consent is given now."""
    client, days = duly.client(), [today(duly)]
    first = confirmed(duly, client, marketing=True)
    duly.wait(days=1)
    days.append(today(duly))
    second = confirmed(duly, client, marketing=True)
    duly.wait(days=1)
    days.append(today(duly))
    withdrawn(duly, client)
    assert copied(duly, client) == {
        first: [("given", days[0]), ("superseded", days[1])],
        second: [("given", days[1]), ("withdrawn", days[2])],
    }


def test_a_decision_by_hand_ends_a_yes_and_an_older_one_ends_with_it(duly: Duly) -> None:
    """S48, S52; D21: each decision has its place by its own day, whenever it was written down."""
    client, day = duly.client(), today(duly)
    first = confirmed(duly, client, marketing=True)
    duly.wait(days=1)
    path = f"/api/clients/{client['client_id']}/consents/marketing"
    no = wiring.ports().now.isoformat()
    for decided, at in (("refused", no), ("given", "2020-01-02T10:00:00+00:00")):
        body = RECORD | {"decided": decided, "decided_at": at}
        version = duly.read_client(client["client_id"])["version"]
        assert duly.staff("PUT", path, body, version=version).status == 200
    told = copied(duly, client)
    assert told.pop(first) == [("given", day), ("withdrawn", no[:10])]
    assert sorted(told.values()) == [
        [("given", "2020-01-02"), ("superseded", day)],
        [("withdrawn", no[:10])],
    ]
