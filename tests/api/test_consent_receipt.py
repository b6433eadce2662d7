"""What a client keeps of a confirmation: the letter, the paper, the record for a machine (S48)."""

import json
from email.message import EmailMessage
from io import BytesIO

import pikepdf

from tests.duly import Duly
from tests.examples import linked


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
