"""The catalogue of purposes, through the API."""

from typing import Any

from chalicelib.organisations.defaults import FURTHER
from tests.api.test_organisation import entitle
from tests.duly import ADMIN, Answer, Duly

OWN = {
    language: {"title": "Konkurs", "text": f"Zgadzam się na udział ({language})."}
    for language in ("pl", "en", "ru")
}


def catalogue(duly: Duly) -> Any:
    """The catalogue as it is."""
    return duly.staff("GET", "/api/catalogue").json


def edit(duly: Duly, purpose: str, body: Any) -> Answer:
    """The administrator edits a purpose."""
    version = catalogue(duly)["version"]
    path = f"/api/catalogue/purposes/{purpose}"
    return duly.staff("PATCH", path, body, by=ADMIN, version=version)


def add(duly: Duly, purpose: str = "contest", **options: Any) -> Answer:
    """The administrator adds a purpose."""
    body = {"purpose": purpose, "texts": OWN}
    return duly.staff("POST", "/api/catalogue", body, by=ADMIN, **options)


def names(duly: Duly) -> list[str]:
    """The purposes in their order."""
    return [one["purpose"] for one in catalogue(duly)["purposes"]]


def test_each_purpose_has_a_text_and_a_standing_of_its_own(duly: Duly) -> None:
    """S7, S16-S19, D9: the notice first; marketing, e-mail and telephone apart; every language."""
    assert names(duly) == ["notice", "marketing", "email", "phone", *FURTHER]
    for language in ("pl", "en", "ru"):
        texts = [one["texts"][language]["text"] for one in catalogue(duly)["purposes"]]
        assert len(set(texts)) == 6
        assert all(len(one) > 200 for one in texts)
    client = duly.client()
    _, token = duly.sent(client, marketing=True, email=False, phone=True)
    duly.confirm(token)
    assert duly.consents(client["client_id"]) == {
        "marketing": "given",
        "email": "refused",
        "phone": "given",
    }


def test_the_words_behind_an_id_can_be_read(duly: Duly) -> None:
    """S20, S21: the full text, the controller in it, by the id that a declaration carries."""
    declared = duly.declared(duly.client())
    for one in declared["answers"]:
        read = duly.staff("GET", f"/api/wordings/{one['wording_id']}")
        assert read.status == 200, read.json
        assert read.json["text"] == one["text"]
        assert "Agencja Bezpieczna" in read.json["text"]


def test_a_hidden_purpose_is_not_asked(duly: Duly) -> None:
    """S22: hidden from new declarations; what was decided on it stays in sight."""
    client = duly.client()
    _, token = duly.sent(client, phone=True)
    duly.confirm(token)
    assert edit(duly, "phone", {"hidden": True}).status == 200
    path = f"/api/clients/{client['client_id']}/declarations"
    answer = duly.staff("POST", path, {"answers": {"phone": True}})
    assert (answer.status, answer.json["code"]) == (422, "purpose_not_asked")
    assert answer.json["field"] == "answers.phone"
    assert duly.consents(client["client_id"])["phone"] == "given"
    assert "phone" not in duly.consents(duly.client(email="b@klient.example")["client_id"])


def test_the_notice_cannot_be_hidden(duly: Duly) -> None:
    """S7, S22: it is a duty, not an option."""
    answer = edit(duly, "notice", {"hidden": True})
    assert (answer.status, answer.json["code"]) == (409, "notice_stays")


def test_an_agency_adds_its_own_consent(duly: Duly) -> None:
    """S23: asked, answered and shown like any other."""
    assert add(duly).status == 201
    client = duly.client()
    sent, token = duly.sent(client, contest=True)
    assert sent["answers"][-1]["text"] == "Zgadzam się na udział (pl)."
    duly.confirm(token)
    assert duly.consents(client["client_id"])["contest"] == "given"
    twice = add(duly)
    assert (twice.status, twice.json["code"]) == (409, "purpose_exists")


def test_adding_a_purpose_twice_with_one_key_adds_it_once(duly: Duly) -> None:
    """Design, API: the same request under the same Idempotency-Key gets the same answer."""
    first = add(duly, once="a-key-that-is-used-twice")
    again = add(duly, once="a-key-that-is-used-twice")
    assert (again.status, again.json) == (201, first.json)
    other = add(duly, "other", once="a-key-that-is-used-twice")
    assert (other.status, other.json["code"]) == (409, "idempotency_key_reused")
    body = {"purpose": "contest", "texts": OWN | {"pl": {"title": "Inny", "text": "Inny."}}}
    changed = duly.staff("POST", "/api/catalogue", body, by=ADMIN, once="a-key-that-is-used-twice")
    assert (changed.status, changed.json["code"]) == (409, "idempotency_key_reused")
    assert names(duly).count("contest") == 1


def test_an_edited_text_is_a_new_wording(duly: Duly) -> None:
    """S24, S26: what earlier clients agreed to stays word for word; the next see the new text."""
    client = duly.client()
    sent, token = duly.sent(client)
    duly.confirm(token)
    before = {one["purpose"]: one for one in sent["answers"]}["marketing"]
    texts = {one: {"title": "Marketing", "text": f"Nowy tekst {one}"} for one in ("pl", "en", "ru")}
    assert edit(duly, "marketing", {"texts": texts}).status == 200
    kept = duly.staff("GET", duly.where(sent)).json["answers"]
    assert before in kept
    standing = duly.read_client(client["client_id"])["consents"][0]
    assert standing["wording_id"] == before["wording_id"]
    new = duly.declared(client)["answers"]
    shown = {one["purpose"]: one for one in new}["marketing"]
    assert shown["text"] == "Nowy tekst pl"
    assert shown["wording_id"] != before["wording_id"]


def test_a_text_is_given_in_every_language_of_the_organisation(duly: Duly) -> None:
    """S24: a missing language is refused; so is a placeholder that nothing fills."""
    refused = edit(duly, "marketing", {"texts": {"pl": OWN["pl"]}})
    assert (refused.status, refused.json["field"]) == (422, "texts")
    bad = OWN | {"ru": {"title": "x", "text": "{nieznane}"}}
    refused = edit(duly, "marketing", {"texts": bad})
    assert (refused.status, refused.json["field"]) == (422, "texts.ru.text")


def test_purposes_are_put_in_another_order(duly: Duly) -> None:
    """S7, S22: every purpose exactly once, the notice first."""
    version = catalogue(duly)["version"]
    path = "/api/catalogue/order"
    for wrong in (
        ["marketing", "notice", "email", "phone"],
        ["notice", "marketing", "email"],
        ["notice", "marketing", "email", "phone", "phone"],
        ["notice", "marketing", "email", "other"],
    ):
        answer = duly.staff("PUT", path, {"order": wrong}, by=ADMIN, version=version)
        assert (answer.status, answer.json["field"]) == (422, "order"), wrong
    order = ["notice", "phone", "email", "marketing", *FURTHER]
    assert duly.staff("PUT", path, {"order": order}, by=ADMIN, version=version).status == 200
    assert names(duly) == order
    declared = duly.declared(duly.client(), marketing=True, phone=True)
    assert [one["purpose"] for one in declared["answers"]] == ["notice", "phone", "marketing"]


def test_changing_the_catalogue_needs_the_plan(duly: Duly) -> None:
    """S25, D16: hide, add, edit and order are an entitlement of the organisation."""
    entitle(duly, edit_catalogue=False)
    version = catalogue(duly)["version"]
    order = {"order": names(duly)}
    for answer in (
        edit(duly, "phone", {"hidden": True}),
        edit(duly, "phone", {"texts": OWN}),
        add(duly),
        duly.staff("PUT", "/api/catalogue/order", order, by=ADMIN, version=version),
    ):
        assert (answer.status, answer.json["code"]) == (403, "not_in_plan")
    assert catalogue(duly)["version"] == version
