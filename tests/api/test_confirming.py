"""A client confirms what was declared, by the link in the e-mail."""

from tests.duly import Duly


def test_a_client_confirms_by_the_link(duly: Duly) -> None:
    """S45, S47-S49: sent, opened, confirmed; each consent has its standing and its proof."""
    client = duly.client()
    sent, token = duly.sent(client)
    assert sent["state"] == "sent"
    assert duly.consents(client["client_id"]) == {
        "marketing": "awaiting_email",
        "email": "awaiting_email",
        "phone": "refused",
    }
    answer = duly.confirm(token)
    assert answer.status == 200, answer.json
    assert duly.consents(client["client_id"]) == {
        "marketing": "given",
        "email": "given",
        "phone": "refused",
    }
    assert answer.json["receipt"]["decision"] == "confirmed"
