"""The public form through the API (M1, M2, M5-M13, M33, M83)."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.complaints import proof_of_work, store
from chalicelib.complaints.case import MOST_FILES, Complaint, Flag, State
from tests import cases
from tests.api.test_escalation import set_complaints
from tests.duly import Duly
from tests.public_form import (
    INSURED,
    SUBSTANCE,
    WRITER,
    a_proof,
    filled,
    for_insured,
    sent,
    token_of,
    worked,
)


@pytest.fixture(autouse=True)
def light_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One try costs next to nothing here; the number of tries stays."""
    monkeypatch.setattr(proof_of_work, "COST", 1)
    yield


def the_cases(duly: Duly) -> list[Complaint]:
    """Every case that there is."""
    roots = [key for key in duly.table() if "#COMPLAINT#" in key[0] and key[1] == "ROOT"]
    return [
        store.get(duly.ports(), "agencja", pk.rpartition("#")[2]).value for pk, _ in sorted(roots)
    ]


def the_case(duly: Duly) -> Complaint:
    """The one case."""
    (found,) = the_cases(duly)
    return found


def later(monkeypatch: pytest.MonkeyPatch, **time: float) -> None:
    """The true time moves on, by which proofs live."""
    before = wiring.real_now
    monkeypatch.setattr(wiring, "real_now", lambda: before() + timedelta(**time))


def test_the_form_says_what_it_offers(duly: Duly) -> None:
    """M11, M83, D18: classes and kinds as data, the consent word for word, other ways to write."""
    offer = duly.public("/complaints/form", {})
    assert offer.status == 200
    told = offer.json
    assert told["kinds"] == ["complaint", "request", "gratitude", "suggestion"]
    assert len(told["products"]) >= 9
    assert set(told["organisation"]) == {"name", "address", "email", "phone"}
    assert told["organisation"]["phone"]
    for language in told["languages"]:
        consent = told["email_consent"]["texts"][language]
        assert told["organisation"]["name"] in consent["text"]
    assert told["challenge_seconds"] <= 600
    assert (told["most_files"], told["most_file_bytes"]) == (10, 25 * 1024 * 1024)


def test_the_form_offers_what_the_rules_know(duly: Duly) -> None:
    """D20, M2: a complaint about data is offered where it has a pack, to whom that is made for."""
    alone = {"natural": ["complaint"], "legal": ["complaint"]}
    assert duly.public("/complaints/form", {}).json["scopes"] == alone
    duly.found("brit", "en", time_zone="Europe/London", policy_pack="uk-disp-2026")
    both = alone | {"natural": ["complaint", "data_protection"]}
    assert duly.public("/complaints/form", {}, "brit").json["scopes"] == both


@pytest.mark.parametrize(
    ("org", "audience", "scope", "pack"),
    [
        ("brit", "natural", "data_protection", "uk-dp-2026-06-19.1"),
        ("brit", "natural", "complaint", "uk-disp-2026.1"),
        ("brit", "legal", "data_protection", "uk-disp-2026.1"),
        ("agencja", "natural", "data_protection", "pl-nat-2026-02-13.1"),
        ("agencja", "legal", "complaint", "pl-legal-2018.1"),
    ],
)
def test_who_writes_and_of_what_chooses_the_pack(
    duly: Duly, org: str, audience: str, scope: str, pack: str
) -> None:
    """D20, M33: what was not offered is a complaint like any other: nothing is refused for it."""
    duly.found("brit", "en", time_zone="Europe/London", policy_pack="uk-disp-2026")
    body = filled(a_proof(duly, org), audience=audience, scope=scope)
    assert duly.public("/complaints", body, org).status == 201
    (key,) = [key for key in duly.table() if "#COMPLAINT#" in key[0] and key[1] == "ROOT"]
    case = store.get(duly.ports(), org, key[0].rpartition("#")[2]).value
    assert (case.audience, case.pack) == (audience, pack)
    assert case.scope == case.policy.scope
    assert case.writer.company == (audience == "legal")


def test_opening_the_form_writes_nothing(duly: Duly) -> None:
    """R1: and costs no call once the organisation is known."""
    duly.public("/complaints/form", {})
    before = duly.table()
    with duly.calls() as made:
        duly.public("/complaints/form", {})
        duly.public("/complaints/challenge", {})
    assert made == []
    assert duly.table() == before


def test_a_submission_is_one_transaction_and_no_read(duly: Duly) -> None:
    """M33: nonce, case, words, number, counter: one call."""
    proof = a_proof(duly)
    with duly.calls() as made:
        answer = duly.public("/complaints", filled(proof))
    assert answer.status == 201, answer.json
    assert made == ["dynamodb.TransactWriteItems"]


def test_every_field_arrives(duly: Duly) -> None:
    """M5-M12: as it was filled in."""
    employee = {"department": "Szkody", "position": "Likwidator", "name": "Nowak Jan"}
    for_insured(duly, claim_number="SZ/7", employee=employee, kind="request", audience="legal")
    case = the_case(duly)
    assert case.writer.name == WRITER["name"]
    assert case.writer.city == WRITER["city"]
    assert case.writer.phone == "+48600100200"
    assert case.writer.postal_address == WRITER["postal_address"]
    assert case.insured is not None
    assert case.insured.email == INSURED["email"]
    assert (case.contract_number, case.claim_number) == ("AB-123", "SZ/7")
    assert (case.product, case.kind, case.audience) == ("motor_liability", "request", "legal")
    assert case.employee.position == "Likwidator"
    held, items = store.read(duly.ports(), cases_key(duly), "STATEMENT")
    assert store.statement(items).substance == SUBSTANCE
    assert held.value.flags == ()


def cases_key(duly: Duly) -> Any:
    """The key of the one case."""
    from chalicelib.complaints import case as complaints

    (pk,) = {pk for pk, sk in duly.table() if "#COMPLAINT#" in pk and sk == "ROOT"}
    return complaints.key("agencja", pk.rpartition("#")[2])


def test_words_alone_are_enough(duly: Duly) -> None:
    """D3, M14, M33: nothing is required but words or a file."""
    answer = duly.public("/complaints", {"proof": a_proof(duly), "substance": "Coś jest nie tak."})
    assert answer.status == 201, answer.json
    assert answer.json["acknowledgement"] == "none"


def test_nothing_at_all_is_refused(duly: Duly) -> None:
    answer = duly.public("/complaints", {"proof": a_proof(duly), "substance": "  "})
    assert answer.told == (422, "nothing_submitted")
    assert answer.json["field"] == "substance"
    assert the_cases(duly) == []


def test_the_sender_learns_what_happens_next(duly: Duly) -> None:
    """M41-M46: number, day of the register, last day of the answer, why, and the private link."""
    answer = sent(duly)
    told, case = answer.json, the_case(duly)
    assert told["reference"] == case.reference
    moment = cases.registration_moment(case)
    assert told["register_on"] == case.day(moment).isoformat()
    assert case.answer_due is not None
    assert told["answer_by"] == case.answer_due.limit.isoformat()
    assert "→" in told["why"]
    assert told["acknowledgement"] == "email"
    status = duly.public("/complaints/status", {"token": token_of(answer)})
    assert status.status == 200
    assert status.json["reference"] == told["reference"]


def test_who_gave_a_postal_address_alone_is_written_to(duly: Duly) -> None:
    """M48."""
    assert sent(duly, email="").json["acknowledgement"] == "post"


def test_the_same_act_again_gets_the_first_answer(duly: Duly) -> None:
    """One submission, however often it is sent; filling time is no part of the act."""
    body = filled(a_proof(duly))
    first = duly.public("/complaints", body)
    second = duly.public("/complaints", body | {"seconds": 500})
    assert (first.status, second.status) == (201, 201)
    assert first.json == second.json
    assert len(the_cases(duly)) == 1


def test_a_proof_is_spent_on_other_words_no_more(duly: Duly) -> None:
    """A replay with another body is refused, and nothing is registered."""
    body = filled(a_proof(duly))
    duly.public("/complaints", body)
    again = duly.public("/complaints", body | {"substance": "Coś innego."})
    assert again.told == (409, "proof_reused")
    assert len(the_cases(duly)) == 1


def test_another_spelling_of_the_proof_is_the_same_proof(duly: Duly) -> None:
    """What is spent is the nonce."""
    proof = a_proof(duly)
    duly.public("/complaints", filled(proof))
    payload = json.loads(base64.b64decode(proof))
    payload["solution"]["derivedKey"] = payload["solution"]["derivedKey"].upper()
    other = base64.b64encode(json.dumps(payload).encode()).decode()
    again = duly.public("/complaints", filled(other, substance="Coś innego."))
    assert again.told == (409, "proof_reused")


def test_a_proof_whose_time_is_over_is_refused(duly: Duly, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = a_proof(duly)
    later(monkeypatch, minutes=10)
    answer = duly.public("/complaints", filled(proof))
    assert answer.told == (410, "proof_expired")
    upload = {"slot": 0, "name": "a.pdf", "content_type": "application/pdf", "size": 5}
    files = duly.public("/complaints/files", {"proof": proof, **upload})
    assert files.told == (410, "proof_expired")
    assert the_cases(duly) == []


def test_a_lost_answer_is_told_after_the_time_of_the_proof(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sends twice because the line broke at the wrong moment."""
    body = filled(a_proof(duly))
    first = duly.public("/complaints", body)
    later(monkeypatch, minutes=11)
    assert duly.public("/complaints", body).json == first.json
    other = duly.public("/complaints", body | {"substance": "Coś innego."})
    assert other.told == (409, "proof_reused")
    assert len(the_cases(duly)) == 1


def test_work_that_was_not_done_is_refused(duly: Duly) -> None:
    """Zero work, garbage, nothing: one answer, no write."""
    challenge = duly.public("/complaints/challenge", {}).json["challenge"]
    half = challenge["parameters"]["keyPrefix"]
    lazy = {"challenge": challenge, "solution": {"counter": 0, "derivedKey": half + "0" * 32}}
    for proof in (base64.b64encode(json.dumps(lazy).encode()).decode(), "", "AAAA", "ż"):
        answer = duly.public("/complaints", filled(proof))
        assert answer.told == (422, "proof_refused")
    assert the_cases(duly) == []


def test_a_refused_proof_costs_no_call(duly: Duly) -> None:
    """R21."""
    duly.public("/complaints/form", {})
    with duly.calls() as made:
        duly.public("/complaints", filled("AAAA"))
    assert made == []


def test_work_for_another_purpose_or_organisation_is_refused(duly: Duly) -> None:
    """R8."""
    duly.found("inna")
    ports = duly.ports()
    made = proof_of_work.challenge("agencja", "status", ports.link_keys(), now=ports.real_now)
    for proof in (worked(made), a_proof(duly, "inna")):
        answer = duly.public("/complaints", filled(proof))
        assert answer.told == (422, "proof_refused")


def test_an_unknown_organisation_has_no_form(duly: Duly) -> None:
    for path in ("/complaints/form", "/complaints/challenge"):
        assert duly.public(path, {}, "niema").status == 404


def test_over_the_limit_is_said_and_nothing_is_lost_for_others(duly: Duly) -> None:
    """M33: by address and hour; a refusal and a replay count nothing; another address goes on."""
    bodies = [filled(a_proof(duly)) for _ in range(10)]
    for body in bodies:
        assert duly.public("/complaints", body).status == 201
    late = filled(a_proof(duly))
    assert duly.public("/complaints", late).told == (429, "too_many_requests")
    assert duly.public("/complaints", bodies[0]).status == 201
    elsewhere = {"X-Forwarded-For": "203.0.113.10"}
    assert duly.public("/complaints", late, headers=elsewhere).status == 201
    assert len(the_cases(duly)) == 11


def test_a_line_of_ipv6_is_one_place(duly: Duly) -> None:
    """M33, R21: whoever has one address of IPv6 has 2^64; a neighbour's line is another place."""
    set_complaints(duly, hourly_most=2)

    def sent_from(*addresses: str) -> list[int]:
        where = [{"X-Forwarded-For": one} for one in addresses]
        return [
            duly.public("/complaints", filled(a_proof(duly)), headers=one).status for one in where
        ]

    assert sent_from("2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:1:f::3") == [201, 201, 429]
    assert sent_from("2001:db8:1:2::1") == [201]
    assert sent_from("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7") == [201, 201, 429]


def test_forms_for_files_are_as_many_as_an_hours_submissions_can_hold(duly: Duly) -> None:
    """M13, R21: one proof of work signs no more than that, from one place; another goes on."""
    set_complaints(duly, hourly_most=1)
    body = {"proof": a_proof(duly), **UPLOAD}
    got = [duly.public("/complaints/files", body).status for _ in range(MOST_FILES + 1)]
    assert got == [*[200] * MOST_FILES, 429]
    elsewhere = {"X-Forwarded-For": "203.0.113.10"}
    assert duly.public("/complaints/files", body, headers=elsewhere).status == 200


def test_what_a_machine_fills_in_is_flagged_and_registered(duly: Duly) -> None:
    """Never dropped: the clock of a flagged submission runs like any other."""
    answer = sent(duly, website="https://spam.example", seconds=0)
    assert answer.status == 201
    case = cases.registered_now(duly, received(duly))
    assert set(case.value.flags) == {Flag.HONEYPOT, Flag.TOO_FAST}
    assert case.value.registered_at is not None
    assert case.value.answer_due is not None


def received(duly: Duly) -> Any:
    """The one case as `cases` knows it."""
    from types import SimpleNamespace

    return SimpleNamespace(key=cases_key(duly))


def test_an_anonymous_writer_leaves_nothing_behind(duly: Duly) -> None:
    """M33, M34, D2: whatever the fields held; no link, no answer, closed at once."""
    answer = sent(duly, anonymous=True, contract_number="")
    told = answer.json
    assert (told["status_link"], told["answer_by"], told["acknowledgement"]) == ("", None, "none")
    stored = json.dumps({str(key): str(item) for key, item in duly.table().items()})
    for known in (WRITER["name"], WRITER["email"], WRITER["postal_address"], "203.0.113.9"):
        assert known not in stored
    case = cases.registered_now(duly, received(duly))
    assert case.value.state is State.CLOSED_ANONYMOUS


def test_a_writer_for_somebody_else_learns_no_date(duly: Duly) -> None:
    """D7, M39."""
    told = for_insured(duly).json
    assert (told["answer_by"], told["why"]) == (None, "")
    assert told["acknowledgement"] == "email"


def test_the_consent_is_the_one_that_was_shown(duly: Duly) -> None:
    """M83: by its id; another one is asked for again; without an address there is none."""
    wording = duly.public("/complaints/form", {}).json["email_consent"]["wording_id"]
    assert sent(duly, email_consent="reply_by_email.0.abc").told == (422, "wording_changed")
    sent(duly, email_consent=wording)
    assert the_case(duly).email_consent == wording


def test_a_consent_without_an_address_is_none(duly: Duly) -> None:
    """M83."""
    wording = duly.public("/complaints/form", {}).json["email_consent"]["wording_id"]
    sent(duly, email="", email_consent=wording)
    assert the_case(duly).email_consent == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "a@b"}, "email"),
        ({"phone": "abc"}, "phone"),
        ({"name": "x\u202ey"}, "name"),
        ({"substance": "a" * 20_001}, "substance"),
        ({"product": "nope"}, "product"),
        ({"language": "de"}, "language"),
        ({"about": "other"}, "insured"),
        ({"insured": INSURED}, "insured"),
        ({"about": "other", "insured": INSURED | {"email": "x"}}, "insured.email"),
        ({"claims_authority": True}, "claims_authority"),
        ({"employee": {"name": "=?utf-8?q?x?="}}, "employee.name"),
        ({"seconds": -1}, "seconds"),
        ({"kind": "rant"}, "kind"),
        ({"reply_form": "pigeon"}, "reply_form"),
        ({"more": 1}, "more"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(
    duly: Duly, changes: dict[str, Any], field: str
) -> None:
    answer = sent(duly, **changes)
    assert answer.status == 422
    assert answer.json["field"] == field
    assert the_cases(duly) == []


# Files


UPLOAD = {"slot": 0, "name": "polisa.pdf", "content_type": "application/pdf", "size": 5}


def a_file(folder: str, **changes: Any) -> dict[str, Any]:
    """A file as the submission names it."""
    return UPLOAD | {"folder": folder} | changes


def test_a_file_is_signed_for_exactly_its_size_and_type(duly: Duly) -> None:
    """M13: in quarantine, each in a folder of its own; one proof is good for more of them."""
    proof = a_proof(duly)
    form = duly.public("/complaints/files", {"proof": proof, **UPLOAD}).json
    key = f"quarantine/agencja/form-{form['folder']}/0"
    assert form["fields"]["key"] == key
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    conditions = policy["conditions"]
    assert ["content-length-range", 5, 5] in conditions
    assert {"Content-Type": "application/pdf"} in conditions
    assert {"key": key} in conditions
    again = duly.public("/complaints/files", {"proof": proof, **UPLOAD}).json
    assert again["folder"] != form["folder"]


def test_files_join_the_case_and_are_looked_at(duly: Duly) -> None:
    """M13: also those that were uploaded with a proof before the one that was spent."""
    first, second = a_proof(duly), a_proof(duly)
    folders = []
    for proof in (first, second):
        form = duly.public("/complaints/files", {"proof": proof, **UPLOAD}).json
        folders.append(form["folder"])
        content = b"%PDF-1.7\n%%EOF\n"
        duly.ports().bucket.put(
            form["fields"]["key"], content, content_type="application/pdf", sha256="x"
        )
    assert folders[0] != folders[1]
    files = [a_file(folders[0]), a_file(folders[1])]
    answer = duly.public("/complaints", filled(second, substance="", files=files))
    assert answer.status == 201, answer.json
    duly.tick()
    duly.tick()
    seen = store.files(duly.ports(), cases_key(duly))
    assert [one.state for one in seen] == ["kept", "kept"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slot": 10}, "slot"),
        ({"slot": -1}, "slot"),
        ({"size": 0}, "size"),
        ({"size": 25 * 1024 * 1024 + 1}, "size"),
        ({"content_type": "text/html; charset=utf-8"}, "content_type"),
        ({"content_type": "x"}, "content_type"),
        ({"name": ""}, "name"),
        ({"name": "a\u202efdp.exe"}, "name"),
        ({"name": "a" * 161}, "name"),
    ],
)
def test_a_file_beyond_the_limits_gets_no_form(
    duly: Duly, changes: dict[str, Any], field: str
) -> None:
    answer = duly.public("/complaints/files", {"proof": a_proof(duly), **UPLOAD, **changes})
    assert answer.status == 422
    assert answer.json["field"] == field


def test_files_beyond_the_limits_are_refused(duly: Duly) -> None:
    """M13: ten at most, 100 MB together, none twice, none elsewhere."""
    large = 25 * 1024 * 1024
    many = [a_file("a" * 32, slot=slot, size=large) for slot in range(5)]
    assert sent(duly, files=many).told == (422, "files_too_large")
    assert sent(duly, files=[a_file("a" * 32)] * 2).told == (422, "submission_refused")
    eleven = [a_file(f"{slot:032x}") for slot in range(11)]
    assert sent(duly, files=eleven).status == 422
    assert sent(duly, files=[a_file("../../papers")]).status == 422
    assert the_cases(duly) == []


def test_nothing_personal_is_logged(duly: Duly) -> None:
    """R17: neither words, people, proof nor link."""
    proof = a_proof(duly)
    with duly.logs() as written:
        answer = duly.public("/complaints", filled(proof))
        duly.public("/complaints", filled(proof, substance="Coś innego."))
    log = "\n".join(written)
    for known in (*WRITER.values(), SUBSTANCE, proof, token_of(answer), "203.0.113.9"):
        assert known not in log


@pytest.mark.parametrize("path", ["", "/form", "/challenge", "/files", "/status", "/insured/act"])
def test_only_our_own_pages_may_ask(duly: Duly, path: str) -> None:
    """R2."""
    answer = duly.public(f"/complaints{path}", {}, headers={"Origin": "https://evil.example"})
    assert answer.told == (403, "origin_refused")
