"""The client's own page of consents, the one click, and commerce that stops (S57, S58, S60)."""

import re
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.clients import store as client_store
from chalicelib.clients.domain import Progress
from chalicelib.consents import preferences
from chalicelib.kernel.change import Key
from tests.clock import ZONE, at
from tests.duly import ADMIN, Duly, Sent


def consenting(duly: Duly, email: str = "anna@klient.example") -> Any:
    """A client who confirmed marketing and e-mail."""
    client = duly.client(email=email)
    _, token = duly.sent(client)
    duly.confirm(token)
    duly.tick()
    return client


def own_token(sent: Sent) -> str:
    """The token of the client's own page, which stands alone on a line of every message."""
    found = re.search(r"^https?://\S+/p#(\S+)\r?$", sent.text, re.MULTILINE)
    assert found is not None, sent.text
    return found[1]


def states(answer: Any) -> dict[str, str]:
    """How each consent stands, as the page shows it."""
    return {one["purpose"]: one["state"] for one in answer.json["consents"]}


def addable(answer: Any) -> set[str]:
    """What the page offers to add."""
    return {one["purpose"] for one in answer.json["consents"] if one["can_be_added"]}


def declarations(duly: Duly, client: Any) -> tuple[Progress, ...]:
    """How far each declaration of the client has come."""
    return client_store.get(duly.ports(), "agencja", client["client_id"]).value.declarations


def change_purpose(duly: Duly, purpose: str, **changes: Any) -> None:
    """The administrator changes an entry of the catalogue."""
    version = duly.staff("GET", "/api/catalogue", by=ADMIN).json["version"]
    path = f"/api/catalogue/purposes/{purpose}"
    answer = duly.staff("PATCH", path, changes, by=ADMIN, version=version)
    assert answer.status == 200, answer.json


def died() -> None:
    """The process ends in the middle of its work."""
    raise RuntimeError("died")


def test_every_message_leads_to_the_page_that_ends_it(duly: Duly) -> None:
    """S57: request and receipt carry a link that shows every consent in its words."""
    consenting(duly)
    for sent in duly.mailbox.to("anna@klient.example"):
        shown = duly.public("/preferences/read", {"token": own_token(sent)})
        assert shown.status == 200, shown.json
        assert states(shown) == {"marketing": "given", "email": "given", "phone": "refused"}
        assert all(one["texts"]["pl"] for one in shown.json["consents"])


def test_looking_withdraws_nothing_and_one_act_does(duly: Duly) -> None:
    """S57, R1; GDPR Art. 7(3): at once, with a receipt; staff are told; again is nothing new."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    for _ in range(3):
        duly.public("/preferences/read", {"token": token})
    assert duly.consents(client["client_id"])["marketing"] == "given"
    body = {"token": token, "withdraw": ["marketing"]}
    answer = duly.public("/preferences/act", body)
    assert states(answer)["marketing"] == "withdrawn"
    before = len(duly.events(client["client_id"]))
    assert duly.public("/preferences/act", body).status == 200
    assert len(duly.events(client["client_id"])) == before
    duly.tick()
    assert "Zgoda wycofana" in duly.mailbox.subjects()
    assert any("wycofał zgodę" in one for one in duly.mailbox.subjects())


def test_a_withdrawal_stops_what_was_promised_already(duly: Duly) -> None:
    """S57: an offer that waits in the outbox does not leave any more."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    path, offer = f"/api/clients/{client['client_id']}/offers", {"subject": "OC", "text": "Taniej."}
    assert duly.staff("POST", path, offer).status == 202
    duly.public("/preferences/act", {"token": token, "withdraw": ["email"]})
    duly.tick()
    assert "OC" not in duly.mailbox.subjects()
    refused = duly.staff("POST", path, offer)
    assert refused.told == (409, "consent_missing")


URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="----Form"'


def multipart(*values: str) -> str:
    """The button's field as a form of parts."""
    part = '------Form\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n{}\r\n'
    return "".join(part.format(one) for one in values) + "------Form--\r\n"


@pytest.mark.parametrize(
    ("kind_of_form", "body"),
    [(URLENCODED, "List-Unsubscribe=One-Click"), (MULTIPART, multipart("One-Click"))],
)
def test_commerce_can_be_ended_with_one_click(duly: Duly, kind_of_form: str, body: str) -> None:
    """S17; RFC 8058: the mail program's own button, in both of its forms, without a page, a cookie
    or an Origin."""
    client = consenting(duly)
    path = f"/api/clients/{client['client_id']}/offers"
    duly.staff("POST", path, {"subject": "Oferta OC", "text": "Dzień dobry,\n\nmamy ofertę."})
    duly.tick()
    sent = duly.mailbox.to("anna@klient.example")[-1]
    assert sent.message["Subject"] == "Oferta OC"
    assert sent.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = str(sent.message["List-Unsubscribe"]).strip("<>")
    assert url.startswith("https://")
    where = "/" + url.split("/", 3)[3]
    for kind, bad in (
        (URLENCODED, "x=1"),
        (URLENCODED, multipart("One-Click")),
        (MULTIPART, "List-Unsubscribe=One-Click"),
        (MULTIPART, multipart("Two-Click")),
        (MULTIPART, multipart("One-Click", "x")),
        ("multipart/form-data", multipart("One-Click")),
        ("multipart/form-data; boundary=\u017c", ""),
    ):
        refused = duly.request("POST", where, raw=bad, headers={"Content-Type": kind})
        assert refused.told == (400, "malformed"), (kind, bad)
    assert duly.consents(client["client_id"])["email"] == "given"
    for _ in range(2):
        click = duly.request("POST", where, raw=body, headers={"Content-Type": kind_of_form})
        assert click.status == 200, click.json
    after = duly.consents(client["client_id"])
    assert (after["email"], after["marketing"]) == ("withdrawn", "given")


def test_a_message_to_serve_has_no_button_to_unsubscribe(duly: Duly) -> None:
    """S13: what is a duty does not end with a consent."""
    consenting(duly)
    for sent in duly.mailbox.to("anna@klient.example"):
        assert sent.message["List-Unsubscribe"] is None


def test_a_consent_that_is_added_is_confirmed_as_always(duly: Duly) -> None:
    """S58, S60: asked for on the page, given only once the client confirms the message."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    body = {"token": token, "add": ["phone"]}
    assert states(duly.public("/preferences/act", body))["phone"] == "awaiting_email"
    key = Key("agencja", "CLIENT", client["client_id"])
    (asked,) = duly.ports().ledger.events(key, most=1)
    assert (asked.envelope["kind"], asked.envelope["actor"]["kind"]) == (
        "declaration_sent",
        "client",
    )
    count = len(duly.events(client["client_id"]))
    assert duly.public("/preferences/act", body).status == 200
    assert len(duly.events(client["client_id"])) == count
    duly.tick()
    duly.confirm(duly.mailbox.to("anna@klient.example")[-1].token)
    assert duly.consents(client["client_id"])["phone"] == "given"


def test_a_wish_is_written_whole_or_not_at_all(duly: Duly) -> None:
    """S58: a process that dies leaves no draft behind; the next press sends one message."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    wish = {"token": token, "add": ["phone"]}
    before, letters = len(duly.events(client["client_id"])), len(duly.mailbox.sent)
    with duly.meanwhile(died):
        assert duly.public("/preferences/act", wish).status == 500
    assert len(duly.events(client["client_id"])) == before
    with duly.calls() as made:
        assert states(duly.public("/preferences/act", wish))["phone"] == "awaiting_email"
    assert made.count("dynamodb.TransactWriteItems") == 1
    assert [one.state for one in declarations(duly, client)] == ["confirmed", "sent"]
    duly.tick()
    assert len(duly.mailbox.sent) == letters + 1


def test_what_is_asked_for_no_more_can_end_but_not_be_added(duly: Duly) -> None:
    """S22, S57: hidden since it was decided, it is shown as it stands; adding it is refused."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    change_purpose(duly, "marketing", hidden=True)
    change_purpose(duly, "phone", hidden=True)
    shown = duly.public("/preferences/read", {"token": token})
    assert states(shown) == {"email": "given", "marketing": "given", "phone": "refused"}
    assert addable(shown) == set()
    refused = duly.public("/preferences/act", {"token": token, "add": ["phone"]})
    assert refused.told == (422, "purpose_not_asked")
    after = duly.public("/preferences/act", {"token": token, "withdraw": ["marketing", "email"]})
    assert states(after) == {"email": "withdrawn", "marketing": "withdrawn", "phone": "refused"}
    assert addable(after) == {"email"}
    assert duly.consents(client["client_id"])["marketing"] == "withdrawn"


def test_a_later_wish_leaves_behind_what_is_asked_for_no_more(duly: Duly) -> None:
    """S22, S58: an unanswered message that asks for a hidden consent does not bar the next wish."""
    client = duly.client(email="anna@klient.example")
    duly.sent(client, marketing=True, email=True)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    change_purpose(duly, "marketing", hidden=True)
    answer = duly.public("/preferences/act", {"token": token, "add": ["phone"]})
    assert answer.status == 200, answer.json
    assert declarations(duly, client)[-1].asks == ("email", "phone")


def test_what_waits_for_a_signature_may_be_confirmed_by_e_mail_instead(duly: Duly) -> None:
    """S58, S60: a paper that nobody signs does not keep the client from the page."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    printed = duly.declared(client, phone=True)
    assert duly.act(printed, "print").status == 200
    shown = duly.public("/preferences/read", {"token": token})
    assert (states(shown)["phone"], addable(shown)) == ("awaiting_signature", {"phone"})
    after = duly.public("/preferences/act", {"token": token, "add": ["phone"]})
    assert (states(after)["phone"], addable(after)) == ("awaiting_email", set())


def test_days_are_days_where_the_organisation_is(duly: Duly) -> None:
    """S57: shortly after midnight in Warsaw it is the new day, though in UTC it is the old one."""
    change_purpose(duly, "marketing", months=12)
    today = duly.ports().now.astimezone(ZONE).date()
    first, second = today + timedelta(days=1), today + timedelta(days=2)
    at(duly, f"{first}T00:30:00")
    consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])

    def days(answer: Any, purpose: str) -> tuple[str | None, str | None]:
        (one,) = (one for one in answer.json["consents"] if one["purpose"] == purpose)
        return one["decided_on"], one["expires_on"]

    shown = duly.public("/preferences/read", {"token": token})
    given, ends = days(shown, "marketing")
    assert given == str(first)
    assert ends is not None
    assert ends[5:7] == given[5:7]
    assert days(shown, "email") == (str(first), None)
    at(duly, f"{second}T23:59:00")
    after = duly.public("/preferences/act", {"token": token, "withdraw": ["email"]})
    assert days(after, "email") == (str(second), None)


def test_a_second_wish_takes_the_first_one_along(duly: Duly) -> None:
    """S58: the later message supersedes the one before, and asks for all that was wished."""
    client = duly.client(email="anna@klient.example")
    duly.sent(client, notice=True)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    for wished in ("marketing", "phone"):
        answer = duly.public("/preferences/act", {"token": token, "add": [wished]})
    awaited = {one for one, state in states(answer).items() if state == "awaiting_email"}
    assert awaited == {"marketing", "phone"}
    duly.tick()
    duly.confirm(duly.mailbox.to("anna@klient.example")[-1].token)
    after = duly.consents(client["client_id"])
    assert (after["marketing"], after["phone"]) == ("given", "given")


def test_what_can_not_be_asked_for_withdraws_nothing(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S57, S58: one act is done whole or not at all, so that its answer is true."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    both = {"token": token, "withdraw": ["email"], "add": ["phone"]}
    unknown = duly.public("/preferences/act", both | {"add": ["phone", "nothing"]})
    assert unknown.status == 422
    with monkeypatch.context() as patched:
        patched.setattr(preferences, "MOST_A_DAY", 0)
        assert duly.public("/preferences/act", both).told == (429, "too_many_requests")
    assert duly.consents(client["client_id"])["email"] == "given"
    after = states(duly.public("/preferences/act", both))
    assert (after["email"], after["phone"]) == ("withdrawn", "awaiting_email")


def test_no_mailbox_is_flooded_from_the_page(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    """S58: the information alone is not asked for; a day has an end; the next one begins anew."""
    client = duly.client(email="anna@klient.example")
    duly.sent(client, notice=True)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    count = len(duly.events(client["client_id"]))
    for _ in range(3):
        body = {"token": token, "add": ["notice"]}
        assert duly.public("/preferences/act", body).status == 200
    assert len(duly.events(client["client_id"])) == count
    for _ in range(preferences.MOST_A_DAY):
        duly.declared(client, notice=True)  # what staff only drafted floods no mailbox
    wish = {"token": token, "add": ["phone"]}
    monkeypatch.setattr(preferences, "MOST_A_DAY", 1)
    assert duly.public("/preferences/act", wish).told == (429, "too_many_requests")
    duly.wait(days=1, minutes=1)
    assert states(duly.public("/preferences/act", wish))["phone"] == "awaiting_email"


def test_a_wish_sent_twice_at_once_is_one_message(duly: Duly) -> None:
    """S58: two windows, one press each: nobody sees an error, one message leaves."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    wish = {"token": token, "add": ["phone"]}
    before = len(duly.mailbox.sent)
    with duly.meanwhile(lambda: duly.public("/preferences/act", wish)):
        answer = duly.public("/preferences/act", wish)
    assert states(answer)["phone"] == "awaiting_email"
    duly.tick()
    assert len(duly.mailbox.sent) == before + 1
    duly.confirm(duly.mailbox.to("anna@klient.example")[-1].token)
    assert duly.consents(client["client_id"])["phone"] == "given"


def test_an_old_button_ends_a_consent_that_was_given_anew(duly: Duly) -> None:
    """S57; RFC 8058: pressed today, it is a withdrawal of today, whatever message it stands in."""
    client = consenting(duly)
    path = f"/api/clients/{client['client_id']}/offers"
    duly.staff("POST", path, {"subject": "Oferta", "text": "Dzień dobry."})
    duly.tick()
    sent = duly.mailbox.to("anna@klient.example")[-1]
    where = "/" + str(sent.message["List-Unsubscribe"]).strip("<>").split("/", 3)[3]
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def press() -> str:
        click = duly.request("POST", where, raw="List-Unsubscribe=One-Click", headers=form)
        assert click.status == 200, click.json
        return duly.consents(client["client_id"])["email"]

    assert press() == "withdrawn"
    _, token = duly.sent(client)
    duly.confirm(token)
    assert duly.consents(client["client_id"])["email"] == "given"
    duly.wait(days=80)
    assert press() == "withdrawn"


def test_another_address_ends_the_links_before(duly: Duly) -> None:
    """R15: whoever reads the old mailbox can't act for the client any more."""
    client = consenting(duly)
    token = own_token(duly.mailbox.to("anna@klient.example")[-1])
    duly.edit(client, email="nowa@klient.example")
    assert duly.public("/preferences/read", {"token": token}).told == (410, "link_withdrawn")
    act = duly.public("/preferences/act", {"token": token, "withdraw": ["marketing"]})
    assert act.told == (410, "link_withdrawn")


@pytest.mark.parametrize("route", ["/preferences/read", "/preferences/act"])
def test_a_link_of_another_purpose_opens_nothing(duly: Duly, route: str) -> None:
    """R8: the link that confirms is not the link that withdraws."""
    client = duly.client(email="b@klient.example")
    _, token = duly.sent(client)
    assert duly.public(route, {"token": token}).told == (400, "link_invalid")
    own = own_token(duly.mailbox.to("b@klient.example")[-1])
    assert duly.public("/links/read", {"token": own}).told == (400, "link_invalid")


def test_the_archive_holds_no_link_that_acts(duly: Duly) -> None:
    """R17: neither the page's token nor the one click's is kept anywhere."""
    client = consenting(duly)
    path = f"/api/clients/{client['client_id']}/offers"
    duly.staff("POST", path, {"subject": "Oferta", "text": "Dzień dobry."})
    duly.tick()
    sent = duly.mailbox.to("anna@klient.example")[-1]
    click = str(sent.message["List-Unsubscribe"]).rstrip(">").rpartition("/")[2]
    kept = str(duly.table()) + str(duly.objects())
    assert own_token(sent) not in kept
    assert click not in kept
