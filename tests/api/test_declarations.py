"""Declarations, through the API: tick, preview, send; or print and hand over."""

import hashlib
import re
import urllib.request
from typing import Any

import msgspec
import pytest

from chalicelib.consents.correspondence import DEAD_LINK
from tests.duly import AGENT, HEAD, SITE, Answer, Duly

LINK = re.compile(re.escape(SITE) + r"/[cp]#[A-Za-z0-9._-]+")


def answers(declaration: Any) -> dict[str, bool]:
    """What is recorded, purpose by purpose."""
    return {one["purpose"]: one["answer"] for one in declaration["answers"]}


def asked(duly: Duly, client: Any, said: dict[str, bool], **more: Any) -> Answer:
    """An attempt at a draft."""
    path = f"/api/clients/{client['client_id']}/declarations"
    return duly.staff("POST", path, {"answers": said} | more)


def preview(duly: Duly, declaration: Any, by: str = AGENT) -> Any:
    """What is shown before sending."""
    answer = duly.staff("GET", duly.where(declaration) + "/preview", by=by)
    assert answer.status == 200, answer.json
    return answer.json


def fetched(url: str) -> bytes:
    """What a presigned address downloads."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        content: bytes = answer.read()
        return content


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ({"email": True}, {"notice": True, "email": True}),
        ({"notice": False, "phone": True}, {"notice": True, "phone": True}),
        ({"marketing": False}, {"notice": True, "marketing": False}),
        ({"notice": True}, {"notice": True}),
    ],
)
def test_any_consent_ticks_the_notice(
    duly: Duly, said: dict[str, bool], recorded: dict[str, bool]
) -> None:
    """S7, S8, S10, S11, D11: with a consent, or before the notice, the first option stands."""
    declared = asked(duly, duly.client(), said)
    assert declared.status == 201, declared.json
    assert answers(declared.json) == recorded
    kinds = {one["purpose"]: one["kind"] for one in declared.json["answers"]}
    assert kinds.pop("notice") == "notice"
    assert set(kinds.values()) <= {"consent"}


def test_the_notice_cannot_be_unticked_while_a_consent_stands(duly: Duly) -> None:
    """S11: not in a draft that is edited either."""
    draft = duly.declared(duly.client(), marketing=True)
    body = {"answers": {"notice": False, "marketing": True}}
    again = duly.staff("PUT", duly.where(draft), body, version=draft["version"])
    assert answers(again.json) == {"notice": True, "marketing": True}


def test_every_consent_may_be_refused_and_an_offer_made(duly: Duly) -> None:
    """S13, S14: only the notice is needed to calculate and conclude; refusals are recorded."""
    client = duly.client()
    duly.sent(client, marketing=False, email=False, phone=False)
    assert set(duly.consents(client["client_id"]).values()) == {"refused"}
    may = duly.staff("GET", f"/api/clients/{client['client_id']}/may/quotation").json
    assert may["allowed"] is True
    known = duly.read_client(client["client_id"])
    assert known["notice"]["how"] == "letter"
    assert known["state"] == "active"


def test_nothing_ticked_is_nothing_declared(duly: Duly) -> None:
    """S19: at least one option, and only of the catalogue."""
    client = duly.client()
    nothing = asked(duly, client, {})
    assert (nothing.status, nothing.json["code"]) == (422, "nothing_declared")
    unknown = asked(duly, client, {"newsletter": True})
    assert (unknown.status, unknown.json["field"]) == (422, "answers.newsletter")


def test_the_preview_is_the_message_and_sends_nothing(duly: Duly) -> None:
    """S39, S40, S43, S46: word for word what goes out, but for the link, which is dead."""
    client = duly.client()
    draft = duly.declared(client)
    shown = preview(duly, draft)
    assert duly.tick().done == 0
    assert duly.mailbox.sent == []
    sent = duly.act(draft, "send")
    assert sent.status == 202, sent.json
    duly.tick()
    (mail,) = duly.mailbox.to(client["identity"]["email"])
    assert mail.message["Subject"] == shown["subject"]
    assert mail.message["Reply-To"].addresses[0].addr_spec == shown["reply_to"]
    assert LINK.sub("*", mail.text.replace("\r\n", "\n")) == LINK.sub("*", shown["text"])
    assert LINK.sub("*", mail.html.replace("\r\n", "\n")) == LINK.sub("*", shown["html"])
    went = [
        (one.get_filename(), one.get_content_type(), len(one.get_content()))
        for one in mail.message.iter_attachments()
    ]
    assert went == [(a["name"], a["content_type"], a["size"]) for a in shown["attachments"]]
    assert went[0][1] == "application/pdf"


def test_the_link_of_a_preview_is_dead(duly: Duly) -> None:
    """S39, R17: no usable token is in a preview, so nobody of staff can confirm for a client."""
    draft = duly.declared(duly.client())
    shown = preview(duly, draft)
    found = {one.partition("#")[2] for one in LINK.findall(shown["text"] + shown["html"])}
    assert len(found) == 1
    answer = duly.public("/links/read", {"token": found.pop()})
    assert (answer.status, answer.json["code"]) == (400, "link_invalid")


def test_the_message_is_addressed_as_the_sources_say(duly: Duly) -> None:
    """S44, S45, S47, S50: to the client, the subject exactly, one link, replies to who sent it."""
    client = duly.client()
    draft = duly.declared(client)
    answer = duly.staff("POST", duly.where(draft) + "/send", by=HEAD, version=draft["version"])
    assert answer.status == 202, answer.json
    duly.tick()
    (mail,) = duly.mailbox.sent
    assert mail.to == "lucja@klient.example"
    assert mail.message["To"].addresses[0].addr_spec == "lucja@klient.example"
    assert mail.message["Subject"] == "Ubezpieczenie"
    assert mail.message["Reply-To"].addresses[0].addr_spec == "hanna@agencja.example"
    alone = [line for line in mail.text.splitlines() if "/c#" in line]
    assert len(alone) == 1
    assert len(alone[0].strip()) <= 200
    assert alone[0].strip() in set(LINK.findall(mail.html))


def test_sending_needs_an_address(duly: Duly) -> None:
    """S5, S38: a client without one is served on paper."""
    client = duly.client(email="", served="direct")
    draft = duly.declared(client)
    for answer in (
        duly.act(draft, "send"),
        duly.staff("GET", duly.where(draft) + "/preview"),
    ):
        assert (answer.status, answer.json["code"]) == (422, "email_required")


def test_what_is_out_is_not_edited(duly: Duly) -> None:
    """S26, S60: a new declaration is made instead, and ends the one before."""
    client = duly.client()
    sent, token = duly.sent(client)
    body = {"answers": {"marketing": False}}
    version = duly.read_client(client["client_id"])["version"]
    answer = duly.staff("PUT", duly.where(sent), body, version=version)
    assert (answer.status, answer.json["code"]) == (409, "not_a_draft")
    duly.sent(client, marketing=False)
    answer = duly.public("/links/read", {"token": token})
    assert (answer.status, answer.json["code"]) == (410, "link_superseded")


def test_a_declaration_is_printed_without_an_address(duly: Duly) -> None:
    """S27, S28: a PDF of the chosen consents; each that was asked for awaits a signature."""
    client = duly.client(email="", phone="", served="direct")
    draft = duly.declared(client)
    printed = duly.act(draft, "print")
    assert printed.status == 200, printed.json
    paper = fetched(printed.json["url"])
    assert paper.startswith(b"%PDF-")
    assert hashlib.sha256(paper).hexdigest() == printed.json["sha256"]
    assert printed.json["declaration"]["state"] == "printed"
    assert printed.json["code"] == draft["code"]
    assert duly.consents(client["client_id"]) == {
        "marketing": "awaiting_signature",
        "email": "awaiting_signature",
        "phone": "refused",
    }
    assert duly.mailbox.sent == []


def test_a_paper_stays_what_it_was(duly: Duly) -> None:
    """S29: fetched or printed again after the client changed, it is the same paper."""
    client = duly.client()
    draft = duly.declared(client)
    first = duly.act(draft, "print").json
    path = f"/api/clients/{client['client_id']}"
    body = client["identity"] | {"name": "Ktoś Inny"}
    edited = duly.staff("PUT", path, body, version=first["version"])
    assert edited.status == 200, edited.json
    again = duly.staff("GET", duly.where(draft) + "/paper")
    assert again.status == 200, again.json
    assert again.json["sha256"] == first["sha256"]
    assert fetched(again.json["url"]) == fetched(first["url"])
    anew = duly.act(draft, "print", version=edited.json["version"])
    assert anew.json["sha256"] == first["sha256"]


def test_handing_a_paper_over_delivers_the_notice(duly: Duly) -> None:
    """S3, S7, S8, S29, D10: printed is not yet handed over; then the client is active."""
    client = duly.client(email="", phone="", served="direct")
    draft = duly.declared(client)
    early = duly.act(draft, "hand-over")
    assert (early.status, early.json["code"]) == (409, "not_printed")
    printed = duly.act(draft, "print").json
    assert duly.read_client(client["client_id"])["state"] == "before_notice"
    handed = duly.act(draft, "hand-over", version=printed["version"])
    assert handed.status == 200, handed.json
    known = duly.read_client(client["client_id"])
    assert (known["state"], known["notice"]["how"]) == ("active", "printed")


def test_every_act_names_the_version_that_was_read(duly: Duly) -> None:
    """Design, API: 428 without If-Match, 409 on another version, and nothing is sent or printed."""
    draft = duly.declared(duly.client())
    before = duly.table()
    for verb in ("send", "cancel", "print", "hand-over"):
        path = f"{duly.where(draft)}/{verb}"
        missing = duly.staff("POST", path)
        assert (missing.status, missing.json["code"]) == (428, "if_match_required"), verb
        late = duly.act(draft, verb, version=draft["version"] - 1)
        assert (late.status, late.json["code"]) == (409, "changed_meanwhile"), verb
    assert duly.table() == before


def test_drafting_twice_with_one_key_drafts_once(duly: Duly) -> None:
    """Design, API: the same request gets the same answer, another body under its key a 409."""
    client = duly.client()
    path = f"/api/clients/{client['client_id']}/declarations"
    body = {"answers": {"marketing": True}}
    first = duly.staff("POST", path, body, once="one-key-for-one-draft")
    again = duly.staff("POST", path, body, once="one-key-for-one-draft")
    assert (again.status, again.json) == (201, first.json)
    other = duly.staff("POST", path, {"answers": {"email": True}}, once="one-key-for-one-draft")
    assert (other.status, other.json["code"]) == (409, "idempotency_key_reused")
    assert len(duly.read_client(client["client_id"])["declarations"]) == 1


def test_a_letter_is_kept_as_it_was_sent_but_for_its_token(duly: Duly) -> None:
    """S46, R17: the archive holds the message, its link masked, and the true bytes' digest."""
    client = duly.client()
    _, token = duly.sent(client)
    (letter,) = duly.staff("GET", f"/api/clients/{client['client_id']}/letters").json["letters"]
    assert (letter["template"], letter["state"]) == ("confirm_consents", "sent")
    (mail,) = duly.mailbox.sent
    assert letter["sha256"] == hashlib.sha256(mail.raw).hexdigest()
    archived = msgspec.structs.replace(mail, raw=fetched(letter["url"]))
    assert token not in archived.text + archived.html
    assert archived.token == DEAD_LINK
    own = re.sub(r"(?<=/p#)\S+", DEAD_LINK, mail.text)
    assert archived.text == own.replace(token, DEAD_LINK)


def test_the_files_of_a_preview_open_before_anything_is_sent(duly: Duly) -> None:
    """S40, S41: what will be attached can be read first; the paper is the very one that is sent."""
    client = duly.client()
    draft = duly.declared(client)
    shown = duly.staff("GET", f"{duly.where(draft)}/preview").json
    with urllib.request.urlopen(shown["attachments"][0]["url"], timeout=5) as answer:
        paper = answer.read()
    assert paper.startswith(b"%PDF-")
    assert duly.act(draft, "send").status == 202
    duly.tick()
    sent = duly.mailbox.sent[-1].message
    assert next(sent.iter_attachments()).get_content() == paper


def test_a_printed_paper_is_the_one_that_is_mailed(duly: Duly) -> None:
    """S28: one code never stands on two different papers."""
    client = duly.client()
    printed = duly.act(duly.declared(client), "print").json
    identity = client["identity"] | {"name": "Łucja Nowa"}
    known = duly.read_client(client["client_id"])
    path = f"/api/clients/{client['client_id']}"
    edited = duly.staff("PUT", path, identity, version=known["version"])
    assert edited.status == 200, edited.json
    sent = duly.act(printed["declaration"], "send", version=edited.json["version"])
    assert sent.status == 202, sent.json
    duly.tick()
    paper = next(duly.mailbox.sent[-1].message.iter_attachments()).get_content()
    assert hashlib.sha256(paper).hexdigest() == printed["sha256"]


def test_an_act_without_a_body_refuses_one(duly: Duly) -> None:
    """Unknown fields are refused on every route, those that take nothing included."""
    draft = duly.declared(duly.client())
    answer = duly.staff(
        "POST", f"{duly.where(draft)}/send", {"surprise": 1}, version=draft["version"]
    )
    assert (answer.status, answer.json["code"]) == (422, "invalid")
    assert duly.mailbox.sent == []


def test_new_clients_and_known_ones_are_led_the_same_way(duly: Duly) -> None:
    """S1, S2, S56, S60: first the notice, then the rest; once given or changed later, one and the
    same declaration is mailed or printed."""
    client = duly.client()
    path = f"/api/clients/{client['client_id']}"
    assert duly.staff("GET", f"{path}/may/quotation").json["reason"] == "notice_required"
    _, token = duly.sent(client)
    assert duly.confirm(token).status == 200
    assert duly.staff("GET", f"{path}/may/quotation").json["allowed"]
    assert duly.consents(client["client_id"])["phone"] == "refused"
    later = duly.declared(client, phone=True)
    assert duly.act(later, "print").status == 200
    assert duly.consents(client["client_id"])["phone"] == "awaiting_signature"
    _, token = duly.sent(client, phone=True, marketing=False)
    assert duly.consents(client["client_id"])["marketing"] == "withdrawn"
    assert duly.confirm(token).status == 200
    assert duly.consents(client["client_id"]) == {
        "marketing": "withdrawn",
        "email": "given",
        "phone": "given",
    }
