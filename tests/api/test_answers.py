"""Answers through the API: written, checked, approved, and sent by a channel that they may take."""

import json
import urllib.request
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import wiring
from chalicelib.complaints.case import Complaint, Kind
from chalicelib.kernel.change import SYSTEM, Held
from chalicelib.organisations import service as organisations
from chalicelib.organisations.domain import Role, keep_member
from chalicelib.policy.packs import load
from chalicelib.ports import MailDelayed, MailRefused
from tests import identity
from tests.cases import INSURED, WRITER, case_of, registered
from tests.duly import ADMIN, AGENT, HEAD, Answer, Duly, a_member

QUALITY = "a6666666-6666-4666-8666-666666666666"
ROLES = {ADMIN: "admin", HEAD: "head", AGENT: "agent", QUALITY: "quality"}
PLAIN = "Dziękujemy za zgłoszenie. Wyjaśniamy, jak działa infolinia i kiedy jest czynna."
SIGNER = {"name": "Anna Admin", "position": "specjalistka ds. reklamacji"}
# The same private thing in each language, with its kind and the line that keeps it from e-mail.
PRIVATE = {
    "pl": [
        ("M76", "address", "Pismo wysłaliśmy na adres: ul. Krótka 2/5, 00-002 Warszawa."),
        ("M76", "identity", "W polisie wpisano PESEL 44051401359."),
        ("M79", "health", "Rozpoznano u Pani nadciśnienie tętnicze (I10.0)."),
        ("M78", "money", "Składka wynosi 1 250,00 zł rocznie."),
        ("M80", "payout", "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł."),
    ],
    "en": [
        ("M76", "identity", "The policy shows the passport number 925076473."),
        ("M79", "health", "You were diagnosed with diabetes."),
        ("M78", "money", "Your premium is £1,250.00 a year."),
        ("M80", "payout", "We paid you compensation of £3,400."),
    ],
    "ru": [
        ("M76", "identity", "В договоре указан СНИЛС 112-233-445 95."),
        ("M79", "health", "Вам поставлен диагноз «сахарный диабет»."),
        ("M78", "money", "Страховая премия составляет 12 500 руб."),
        ("M80", "payout", "Вам выплачено страховое возмещение в размере 34 000 руб."),
    ],
}


class Desk:
    """One case and its answer, in the hands of an officer."""

    def __init__(self, duly: Duly, case: Held[Complaint], by: str = ADMIN) -> None:
        self.duly, self.case_id, self.by = duly, case.key.id, by
        self.version, self.answer_id = case.version, ""

    @property
    def all(self) -> str:
        """The address of the case's answers."""
        return f"/api/complaints/{self.case_id}/answers"

    @property
    def one(self) -> str:
        """The address of the answer."""
        return f"{self.all}/{self.answer_id}"

    @property
    def case(self) -> Complaint:
        """The case as it is now."""
        return case_of(self.duly, self.case_id).value

    def ask(
        self, method: str, where: str, body: Any = None, *, by: str = "", **more: Any
    ) -> Answer:
        """One request of an officer on the version that they know."""
        who = by or self.by
        headers = {
            "Authorization": f"Bearer {identity.id_token(who, 'agencja', ROLES[who])}",
            "If-Match": f'"{self.version}"',
            "Idempotency-Key": more.pop("once", f"key-{self.version}-{'0' * 16}"),
        }
        answer = self.duly.request(method, where, body, headers=headers)
        if answer.status < 300 and "version" in answer.json:
            self.version = answer.json["version"]
        return answer

    def draft(self, outcome: str | None = "upheld", language: str = "", **more: Any) -> Any:
        """A draft from its template."""
        body = {"outcome": outcome, "language": language}
        answer = self.ask("POST", self.all, body, **more)
        assert answer.status == 201, answer.json
        self.answer_id = answer.json["answer_id"]
        return answer.json

    def write(self, text: str = PLAIN, outcome: str | None = "upheld", **changes: Any) -> Any:
        """A whole answer: every element that is wanted, filled in."""
        view = self.read()
        if view["outcome"] != outcome:
            self.put(text, outcome, {})
            view = self.read()
        words = {one["key"]: f"Wyjaśnienie: {one['key']}." for one in view["elements"]}
        words.pop("signatory", None)
        answer = self.put(text, outcome, words | changes)
        assert answer.status == 200, answer.json
        return answer.json

    def put(
        self, text: str, outcome: str | None, elements: dict[str, str], *, by: str = "", **more: Any
    ) -> Answer:
        """Other words."""
        body = {"text": text, "outcome": outcome, "elements": elements, "signer": SIGNER} | more
        return self.ask("PUT", self.one, body, by=by)

    def read(self) -> Any:
        """The answer as it is."""
        answer = self.ask("GET", self.one)
        assert answer.status == 200, answer.json
        return answer.json

    def check(self, *, informational: bool = False) -> Any:
        """What stands between the answer and its sending."""
        said = "true" if informational else "false"
        answer = self.ask("GET", f"{self.one}/check?informational={said}")
        assert answer.status == 200, answer.json
        return answer.json

    def act(self, verb: str, body: Any = None, *, by: str = "") -> Answer:
        """An act on the answer."""
        return self.ask("POST", f"{self.one}/{verb}", body, by=by)

    def send(self, channel: str = "email", *, informational: bool = True) -> Answer:
        """Send it; what was found in it is confirmed first."""
        if channel == "email":
            assert self.act("review", {}).status == 200
        return self.act("send", {"channel": channel, "informational": informational})


def desk(duly: Duly, **changes: Any) -> Desk:
    """A registered complaint of the form."""
    return Desk(duly, registered(duly, **changes))


def written(duly: Duly, text: str = PLAIN, outcome: str = "upheld", **changes: Any) -> Desk:
    """A complaint with a whole answer to it."""
    one = desk(duly, **changes)
    one.draft(outcome)
    one.write(text, outcome)
    return one


def told(answer: Answer) -> tuple[int, str | None, str | None]:
    """The status of a refusal, its code and field."""
    return answer.status, answer.json.get("code"), answer.json.get("field")


def join(duly: Duly, staff_id: str, name: str, role: Role) -> None:
    """One more person of the directory."""
    member = a_member(staff_id, name, role)
    now = duly.ports().now
    organisations.change(
        duly.ports(),
        "agencja",
        None,
        lambda found: keep_member(found, member, by=SYSTEM, now=now),
    )


def settings(duly: Duly, **changes: Any) -> None:
    """Other settings of complaints."""
    known = duly.staff("GET", "/api/organisation", by=ADMIN).json
    body = known["settings"]
    body["complaints"] |= changes
    version = known["version"]
    answer = duly.staff("PUT", "/api/organisation/settings", body, by=ADMIN, version=version)
    assert answer.status == 200, answer.json


def consented(duly: Duly, *purposes: str, **changes: Any) -> Any:
    """A client who confirmed these consents by a link."""
    catalogue = duly.staff("GET", "/api/catalogue", by=ADMIN).json
    version = catalogue["version"]
    for purpose in purposes:
        where = f"/api/catalogue/purposes/{purpose}"
        shown = duly.staff("PATCH", where, {"hidden": False}, by=ADMIN, version=version)
        assert shown.status == 200, shown.json
        version = shown.json["version"]
    client = duly.client(**changes)
    _, token = duly.sent(client, **dict.fromkeys(purposes, True))
    assert duly.confirm(token).status == 200
    return client


def mails(duly: Duly, template: str, case_id: str) -> list[Any]:
    """The letters of a case by this template, as they are kept."""
    found = [
        json.loads(item["data"]["S"])
        for (pk, sk), item in duly.table().items()
        if pk.endswith(case_id) and sk.startswith("LETTER#")
    ]
    return [one for one in found if one["template"] == template]


def kinds(duly: Duly, case_id: str) -> list[str]:
    """The kinds of the case's events, oldest first."""
    events = duly.ports().ledger.events(case_of(duly, case_id).key)
    return [one.envelope["kind"] for one in reversed(events)]


def notices(duly: Duly, kind: str) -> list[str]:
    """Who is told of this step."""
    return [
        pk.rpartition("#")[2]
        for (pk, sk), item in duly.table().items()
        if sk.startswith("NOTICE#") and json.loads(item["data"]["S"])["data"]["kind"] == kind
    ]


# The draft


def test_a_draft_begins_from_its_template_and_is_one(duly: Duly) -> None:
    """M52: by outcome and language; the same request again is the same draft."""
    one = desk(duly)
    version = one.version
    draft = one.draft("rejected", once="a" * 20)
    assert draft["stage"] == "draft"
    assert (draft["outcome"], draft["language"]) == ("rejected", "pl")
    assert draft["signer"] == {"name": "Anna Admin", "position": ""}
    wanted = [each["key"] for each in draft["elements"]]
    assert wanted[:3] == ["reasons", "position", "signatory"]
    one.version = version
    again = one.ask("POST", one.all, {"outcome": "rejected", "language": ""}, once="a" * 20)
    assert (again.status, again.json["answer_id"]) == (201, draft["answer_id"])
    other = one.ask("POST", one.all, {"outcome": "upheld"}, once="b" * 20)
    assert told(other) == (409, "answer_drafted", None)
    reused = one.ask("POST", one.all, {"outcome": "upheld"}, once="a" * 20)
    assert told(reused) == (409, "idempotency_key_reused", None)
    assert kinds(duly, one.case_id).count("answer_drafted") == 1


def test_an_answer_has_the_outcome_that_its_kind_needs(duly: Duly) -> None:
    """M27, M31: a complaint has an outcome, thanks have none; languages are the house's."""
    one = desk(duly)
    assert told(one.ask("POST", one.all, {})) == (422, "submission_refused", "outcome")
    bad = one.ask("POST", one.all, {"outcome": "upheld", "language": "de"})
    assert told(bad) == (422, "submission_refused", "language")
    thanks = desk(duly, kind=Kind.GRATITUDE)
    wrong = thanks.ask("POST", thanks.all, {"outcome": "upheld"})
    assert told(wrong) == (422, "submission_refused", "outcome")
    assert thanks.draft(None)["elements"] == []


@pytest.mark.parametrize("kind", [Kind.GRATITUDE, Kind.SUGGESTION, Kind.REQUEST])
def test_what_is_no_complaint_ends_with_a_short_answer(duly: Duly, kind: Kind) -> None:
    """M25, M27, M31: answered, without the elements that the law wants of a complaint."""
    one = desk(duly, kind=kind)
    one.draft(None)
    assert one.put(PLAIN, None, {}).status == 200
    assert one.check()["gaps"] == []
    assert one.send().status == 202
    assert one.case.state == "answered"


def test_only_who_handles_cases_answers_them(duly: Duly) -> None:
    """An agent is refused at every route; another organisation's case is not there."""
    one = written(duly)
    for method, where in (
        ("GET", one.one),
        ("GET", f"{one.one}/check"),
        ("POST", one.all),
        ("POST", f"{one.one}/approve"),
        ("POST", f"{one.one}/send"),
    ):
        body = {"channel": "email"} if where.endswith("send") else {} if method == "POST" else None
        assert one.ask(method, where, body, by=AGENT).told == (403, "role_refused"), where
    other = one.answer_id[::-1][:21] + "A"
    assert one.ask("GET", f"{one.all}/{other}").told == (404, "answer_unknown")
    nowhere = f"/api/complaints/{other}/answers/{one.answer_id}"
    assert one.ask("GET", nowhere).told == (404, "complaint_unknown")


def test_an_act_is_on_the_version_that_was_read(duly: Duly) -> None:
    """A page that is out of date changes nothing."""
    one = written(duly)
    one.version -= 1
    for verb, body in (("send", {"channel": "email"}), ("submit", None), ("review", {})):
        assert one.act(verb, body).told == (409, "changed_meanwhile"), verb


# The linter


def test_an_answer_with_a_gap_is_not_sent_and_each_gap_names_rule_and_source(duly: Duly) -> None:
    """M52, M108: rule, sentence, document, address, and whether anybody has checked it."""
    one = desk(duly)
    one.draft("rejected")
    assert one.put("", "rejected", {}, signer={"name": "", "position": ""}).status == 200
    found = {gap["field"]: gap for gap in one.check()["gaps"]}
    assert {"text", "signer.name", "signer.position", "elements.reasons"} <= found.keys()
    bodies = {f"elements.{name}" for name in ("appeal", "mediation", "ombudsman", "court")}
    assert bodies <= found.keys()
    ombudsman = found["elements.ombudsman"]
    pack = load(one.case.pack)
    source = pack.sources[pack.letters["refusal"]["ombudsman"].source]
    assert ombudsman == {
        "field": "elements.ombudsman",
        "rule": "letters.refusal.ombudsman",
        "reason": "missing",
        "sentence": "wniosek do Rzecznika Finansowego",
        "document": source.document,
        "address": source.address,
        "unverified": False,
    }
    assert found["elements.defendant"]["unverified"] is True
    for verb, body in (("send", {"channel": "registered_post"}), ("submit", None)):
        assert told(one.act(verb, body)) == (422, "answer_incomplete", "text")
    one.write(outcome="rejected", ombudsman="Wniosek do [adres].")
    (gap,) = one.check()["gaps"]
    assert (gap["field"], gap["reason"]) == ("elements.ombudsman", "placeholder")
    refused = one.act("send", {"channel": "registered_post"})
    assert told(refused) == (422, "answer_incomplete", "elements.ombudsman")
    one.write(outcome="rejected")
    assert one.check()["gaps"] == []


def test_an_element_that_the_rules_do_not_know_is_refused(duly: Duly) -> None:
    """No text is lost silently."""
    one = desk(duly)
    one.draft()
    refused = one.put(PLAIN, "upheld", {"leaflet": "x"})
    assert told(refused) == (422, "submission_refused", "elements.leaflet")


@pytest.mark.parametrize("channel", ["email", "registered_post"])
def test_a_negative_answer_holds_where_to_turn_to_as_it_is_received(
    duly: Duly, channel: str
) -> None:
    """M52, M108: words, every element, every body and the signature, in the mail and on paper."""
    one = written(
        duly, outcome="rejected", reply_form="electronic" if channel == "email" else "paper"
    )
    sent = one.send(channel)
    assert sent.status == 202, sent.json
    duly.tick()
    if channel == "email":
        letter = duly.mailbox.to(WRITER.email)[-1].text
    else:
        with urllib.request.urlopen(sent.json["paper_url"], timeout=10) as got:
            letter = printed(got.read())
        assert WRITER.name in letter
        assert "ul. Krótka 2" in letter
    letter = " ".join(letter.split())
    wanted = {each["key"] for each in sent.json["elements"]} - {"signatory"}
    assert {"reasons", "position", "mediation", "ombudsman", "court"} <= wanted
    for words in (PLAIN, one.case.reference, *SIGNER.values()):
        assert words in letter, words
    for key in wanted:
        assert f"Wyjaśnienie: {key}." in letter, key


def printed(pdf: bytes) -> str:
    """The words of a paper."""
    import pypdfium2

    pages = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in pages)


# The privacy gate


@pytest.mark.parametrize(
    ("language", "line", "kind", "text"),
    [(one, *each) for one, found in PRIVATE.items() for each in found],
)
def test_what_is_private_does_not_go_by_plain_email(
    duly: Duly, language: str, line: str, kind: str, text: str
) -> None:
    """M75, M76, M78, M79, M80: found in three languages, shown with kind, rule and stretch."""
    one = desk(duly)
    one.draft("withdrawn", language)
    one.write(text, "withdrawn")
    check = one.check(informational=True)
    assert kind in {found["kind"] for found in check["findings"]}, check["findings"]
    (found, *_) = [each for each in check["findings"] if each["kind"] == kind]
    assert found["line"] == line
    assert found["stretch"] == check["letter"][found["start"] : found["end"]]
    assert found["stretch"] in text
    email = check["channels"]["email"]
    assert not email["open"]
    assert {"why": "holds_private", "line": line, "kind": kind} in email["against"]
    assert {"M81", "M83"} <= {each["line"] for each in email["against"]}
    assert told(one.send()) == (409, "channel_refused", "channel")
    assert one.case.is_open


def test_plain_information_goes_by_email(duly: Duly) -> None:
    """M76, M77, M55: nothing private and informational; the client learns the result by it."""
    one = written(duly)
    check = one.check(informational=True)
    assert check["findings"] == []
    assert check["channels"]["email"]["grounds"] == [
        {"why": "nothing_private", "line": "M76", "kind": None}
    ]
    sent = one.send()
    assert sent.status == 202, sent.json
    assert (sent.json["state"], sent.json["stage"]) == ("answered", "sent")
    assert (sent.json["late"], sent.json["channel"]) == (False, "email")
    case = one.case
    assert case.closed is not None
    assert (case.closed.outcome, case.closed.by) == ("upheld", ADMIN)
    duly.tick()
    mail = duly.mailbox.to(WRITER.email)[-1]
    for words in (PLAIN, "Wyjaśnienie: position.", SIGNER["name"], SIGNER["position"]):
        assert words in " ".join(mail.text.split()), words
    assert kinds(duly, one.case_id)[-1] == "answer_sent"


def test_an_answer_that_does_not_merely_inform_needs_an_exception(duly: Duly) -> None:
    """M77: whether it is information or consultation is the officer's word."""
    one = written(duly)
    against = one.check()["channels"]["email"]["against"]
    assert {"why": "not_informational", "line": "M77", "kind": None} in against
    assert told(one.send(informational=False)) == (409, "channel_refused", "channel")
    assert one.send(informational=True).status == 202


def test_an_officer_corrects_what_was_found_with_a_reason(duly: Duly) -> None:
    """M75: a false alarm is taken away, a miss is added, each with a reason that is kept."""
    one = written(duly, "W przykładzie z broszury składka wynosi 100 zł.")
    found = one.check()["found"]
    removed = [{key: each[key] for key in ("start", "end", "kind", "rule")} for each in found]
    assert removed
    body = {"removed": removed, "reason": " "}
    assert told(one.act("review", body)) == (422, "correction_needs_reason", "reason")
    wrong = {"removed": [removed[0] | {"start": 0}], "reason": "nie"}
    assert told(one.act("review", wrong)) == (422, "correction_refused", "removed")
    beyond = {"added": [{"start": 0, "end": 99_999, "kind": "money"}], "reason": "nie"}
    assert told(one.act("review", beyond)) == (422, "correction_refused", "added")
    body = {"removed": removed, "reason": "To przykład z broszury."}
    corrected = one.act("review", body)
    assert (corrected.json["reviewed"], corrected.json["reviewed_by"]) == (True, ADMIN)
    assert one.check(informational=True)["findings"] == []
    assert one.check(informational=True)["found"] == found
    events = duly.ports().ledger.events(case_of(duly, one.case_id).key)
    assert events[0].body is not None
    assert events[0].body["review"]["reason"] == "To przykład z broszury."
    assert one.act("send", {"channel": "email", "informational": True}).status == 202


def test_what_was_added_by_an_officer_counts(duly: Duly) -> None:
    """M75: the detectors propose; a person decides."""
    one = written(duly)
    added = {"start": 0, "end": 10, "kind": "health"}
    assert one.act("review", {"added": [added], "reason": "choroba opisowo"}).status == 200
    refused = one.act("send", {"channel": "email", "informational": True})
    assert told(refused) == (409, "channel_refused", "channel")
    (found,) = one.check()["findings"]
    assert (found["kind"], found["rule"]) == ("health", "officer")


def test_nothing_goes_by_email_that_no_officer_looked_at(duly: Duly) -> None:
    """M75: a review is of these very words; other words need another."""
    one = written(duly)
    body = {"channel": "email", "informational": True}
    assert told(one.act("send", body)) == (409, "review_needed", None)
    assert one.act("review", {}).json["reviewed"] is True
    one.write(PLAIN + " Zapraszamy.")
    assert one.read()["reviewed"] is False
    assert told(one.act("send", body)) == (409, "review_outdated", None)
    assert one.act("review", {}).status == 200
    assert one.act("send", body).status == 202


def test_an_identified_address_needs_the_consent_to_data_processing(duly: Duly) -> None:
    """M81, M82: the client's own address is not enough; with the signed consent it is."""
    text = "Składka wynosi 1 250,00 zł rocznie."
    stranger = written(duly, text, client_id=duly.client(email="inny@klient.example")["client_id"])
    lines = {each["line"] for each in stranger.check()["channels"]["email"]["against"]}
    assert "M81" in lines
    own = written(duly, text, client_id=duly.client()["client_id"])
    against = own.check()["channels"]["email"]["against"]
    assert {"why": "data_consent_missing", "line": "M82", "kind": None} in against
    assert told(own.send()) == (409, "channel_refused", "channel")
    client = consented(duly, "data_processing")
    one = written(duly, text, client_id=client["client_id"])
    grounds = one.check()["channels"]["email"]["grounds"]
    assert grounds == [{"why": "email_identified", "line": "M81", "kind": None}]
    assert one.send(informational=False).status == 202
    events = duly.ports().ledger.events(case_of(duly, one.case_id).key)
    assert events[0].body is not None
    (proof,) = events[0].body["proofs"]
    assert proof == duly.read_client(client["client_id"])["declarations"][-1]["declaration_id"]


def test_the_proof_is_one_that_the_pack_accepts(duly: Duly) -> None:
    """M82: under the source's rules a click is no signature."""
    client = consented(duly, "data_processing", language="pl")
    known = duly.staff("GET", "/api/organisation", by=ADMIN).json
    body = known["settings"] | {"policy_pack": "ru-medexpress-2019"}
    version = known["version"]
    answer = duly.staff("PUT", "/api/organisation/settings", body, by=ADMIN, version=version)
    assert answer.status == 200, answer.json
    one = written(duly, "Страховая премия 12 500 руб.", client_id=client["client_id"])
    against = one.check()["channels"]["email"]["against"]
    assert {"why": "data_consent_missing", "line": "M82", "kind": None} in against


def test_a_written_consent_to_the_address_is_enough(duly: Duly) -> None:
    """M83: given on the form for the address given there, or as a declaration for one's own."""
    text = "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł."
    one = written(duly, text, email_consent="w" * 24)
    grounds = one.check()["channels"]["email"]["grounds"]
    assert grounds == [{"why": "consent_to_address", "line": "M83", "kind": None}]
    corrected = duly.staff(
        "POST",
        f"/api/complaints/{one.case_id}/correct",
        {"writer": {"name": "Łucja Żółć", "email": "nowy@klient.example"}},
        by=ADMIN,
        version=one.version,
    )
    assert corrected.status == 200, corrected.json
    assert not one.check()["channels"]["email"]["open"]
    client = consented(duly, "reply_by_email")
    other = written(duly, text, client_id=client["client_id"])
    assert other.check()["channels"]["email"]["grounds"] == grounds
    duly.edit(client, email="inny@klient.example")
    duly.edit(client, email=WRITER.email)
    assert not other.check()["channels"]["email"]["open"], "agreed to for the address before"
    client = consented(duly, "reply_by_email")
    other = written(duly, text, client_id=client["client_id"])
    assert other.send(informational=False).status == 202


def test_without_an_exception_only_post_and_handing_over_are_left(duly: Duly) -> None:
    """M84: the only channels left are the official letter, and in person with identification."""
    one = written(duly, "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł.")
    channels = one.check()["channels"]
    assert [name for name, each in channels.items() if each["open"]] == [
        "registered_post",
        "in_person",
    ]
    assert channels["in_person"]["needs_identification"]
    assert {each["line"] for each in channels["registered_post"]["grounds"]} == {"M84"}


# Paper


def test_registered_post_ends_the_case_on_the_day_of_posting(duly: Duly) -> None:
    """M80, M84, M52: the letter is made, posted, and told of elsewhere without a word of it."""
    text = "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł."
    one = written(duly, text)
    made = one.send("registered_post", informational=False)
    assert made.status == 202, made.json
    assert (made.json["stage"], made.json["state"]) == ("out", "registered")
    with urllib.request.urlopen(made.json["paper_url"], timeout=10) as got:
        content = got.read()
    assert content.startswith(b"%PDF")
    assert [key for key in duly.objects() if key.startswith(f"papers/agencja/{one.case_id}/")]
    duly.wait(days=3)
    on = case_of(duly, one.case_id).value.day(duly.ports().now - timedelta(days=1))
    for day, field in ((on + timedelta(days=5), "posted_on"), (date(2026, 1, 1), "posted_on")):
        body = {"posted_on": day.isoformat(), "tracking": "RR1"}
        assert told(one.act("posted", body)) == (422, "submission_refused", field)
    handed = {"document": "dowód", "seen_by": ADMIN, "on": on.isoformat()}
    assert told(one.act("handed", handed)) == (409, "answer_not_out", None)
    one.version = case_of(duly, one.case_id).version
    body = {"posted_on": on.isoformat(), "tracking": "RR 123 456 789 PL"}
    posted = one.act("posted", body)
    assert posted.status == 200, posted.json
    case = one.case
    assert case.closed is not None
    assert case.answer is not None
    assert (case.day(case.closed.at), case.answer.sent_on) == (on, on)
    assert posted.json["tracking"] == "RR 123 456 789 PL"
    (letter,) = mails(duly, "answer_elsewhere", one.case_id)
    assert letter["to"] == "writer"
    duly.tick()
    mail = duly.mailbox.to(WRITER.email)[-1]
    assert "RR 123 456 789 PL" in mail.text
    for words in ("3 400", "odszkodowanie", "Wyjaśnienie"):
        assert words not in mail.text + mail.html


def test_handing_over_needs_the_identification(duly: Duly) -> None:
    """M80, M84: which document was seen, by whom, when; only then is the case answered."""
    one = written(duly, "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł.")
    today = one.case.day(duly.ports().now).isoformat()
    seen = {"document": "dowód osobisty", "seen_by": ADMIN, "on": today}
    assert told(one.act("handed", seen)) == (409, "answer_not_out", None)
    assert one.send("in_person").status == 202
    nobody = one.act("handed", seen | {"seen_by": "nikt"})
    assert told(nobody) == (422, "submission_refused", "seen_by")
    assert told(one.act("handed", seen | {"document": " "})) == (422, "text_refused", "document")
    assert one.act("handed", {"on": today}).status == 422
    assert one.case.is_open
    done = one.act("handed", seen)
    assert done.status == 200, done.json
    assert done.json["identification"] == seen
    assert one.case.state == "answered"
    assert mails(duly, "answer_elsewhere", one.case_id) == []


def test_other_words_make_another_paper(duly: Duly) -> None:
    """What is posted is what was approved and made, never older words."""
    one = written(duly, "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł.")
    assert one.send("registered_post").status == 202
    one.write("Wypłaciliśmy Pani odszkodowanie w kwocie 3 500 zł.")
    today = one.case.day(duly.ports().now).isoformat()
    body = {"posted_on": today, "tracking": "RR1"}
    assert told(one.act("posted", body)) == (409, "answer_not_out", None)
    assert one.send("registered_post").status == 202
    assert one.act("posted", body).status == 200


@pytest.mark.parametrize("whose", ["another_address", "another_reader"])
def test_a_paper_for_another_reader_or_address_is_no_longer_the_answer(
    duly: Duly, whose: str
) -> None:
    """M37, M84: what was made for the one is not posted to the other, and is approved anew."""
    one = written(duly, "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł.")
    assert one.send("registered_post").status == 202
    case = {
        "another_address": {"writer": {"name": WRITER.name, "postal_address": "ul. Nowa 9"}},
        "another_reader": {"insured": {"name": "Jan Inny", "postal_address": "ul. Inna 7"}},
    }[whose]
    where = f"/api/complaints/{one.case_id}"
    given = duly.staff("POST", f"{where}/correct", case, by=ADMIN, version=one.version)
    assert given.status == 200, given.json
    one.version = given.json["version"]
    if whose == "another_reader":
        on = {"on": one.case.day(duly.ports().now).isoformat()}
        asked = duly.staff("POST", f"{where}/insured-posted", on, by=ADMIN, version=one.version)
        one.version = asked.json["version"]
    body = {"posted_on": one.case.day(duly.ports().now).isoformat(), "tracking": "RR1"}
    assert told(one.act("posted", body)) == (409, "answer_not_out", None)
    again = one.send("registered_post")
    assert (again.status, again.json["stage"]) == (202, "out")
    assert one.act("posted", body).status == 200


def test_a_letter_needs_an_address(duly: Duly) -> None:
    """M84: the addressee's own, or the linked client's; without either, in person."""
    text = "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł."
    nowhere = replace(WRITER, postal_address="")
    one = written(duly, text, writer=nowhere)
    assert told(one.send("registered_post")) == (409, "postal_address_missing", "channel")
    client = duly.client(address="ul. Nowa 3, 00-003 Warszawa")
    other = written(duly, text, writer=nowhere, client_id=client["client_id"])
    assert other.send("registered_post").status == 202
    silent = written(duly, writer=replace(WRITER, email=""))
    assert told(silent.send("email")) == (409, "addressee_unreachable", "channel")


def test_what_was_granted_is_to_be_done_and_recorded(duly: Duly) -> None:
    """PL act of 2015 Art. 9(4), item 9: the case says by which day, until it was done."""
    one = written(duly)
    where = f"/api/complaints/{one.case_id}"
    done = {"on": one.case.day(duly.ports().now).isoformat(), "how": "przelew na konto"}
    early = duly.staff("POST", f"{where}/performed", done, by=ADMIN, version=one.version)
    assert early.told == (409, "nothing_granted")
    assert one.send().status == 202
    case = duly.staff("GET", where, by=ADMIN).json
    perform = next(term for term in case["deadlines"] if term["rule"] == "perform")
    sent = one.case.day(duly.ports().now)
    assert perform["limit"] == (sent + timedelta(days=30)).isoformat()
    assert "perform_due" in {step["kind"] for step in case["steps"]}
    duly.wait(days=3)
    late = done | {"on": (sent + timedelta(days=9)).isoformat()}
    refused = duly.staff("POST", f"{where}/performed", late, by=ADMIN, version=case["version"])
    assert (*refused.told, refused.json["field"]) == (422, "submission_refused", "on")
    kept = duly.staff("POST", f"{where}/performed", done, by=ADMIN, version=case["version"])
    assert kept.json["performed_on"] == done["on"]
    assert not {step["kind"] for step in kept.json["steps"]} & {"perform_due", "perform_overdue"}


# The form of the answer


def at(duly: Duly, moment: datetime) -> None:
    """Set the clock."""
    duly.clock[0] = moment - wiring.real_now()


@pytest.mark.parametrize(
    ("received", "pack", "asked", "form", "refused"),
    [
        (datetime(2026, 2, 12, 17, 5, tzinfo=UTC), "pl-nat-2015.1", "", "paper", "email"),
        (
            datetime(2026, 2, 12, 17, 5, tzinfo=UTC),
            "pl-nat-2015.1",
            "electronic",
            "electronic",
            "registered_post",
        ),
        (
            datetime(2026, 2, 13, 9, 0, tzinfo=UTC),
            "pl-nat-2026-02-13.1",
            "",
            "electronic",
            "registered_post",
        ),
        (datetime(2026, 2, 13, 9, 0, tzinfo=UTC), "pl-nat-2026-02-13.1", "paper", "paper", "email"),
    ],
)
def test_the_form_of_the_answer_is_that_of_the_day_of_receipt(
    duly: Duly, received: datetime, pack: str, asked: str, form: str, refused: str
) -> None:
    """D20: received on 12 February 2026 at 18:05, registered on the 13th: still the older rules."""
    at(duly, received)
    one = written(duly, reply_form=asked)
    case = one.case
    assert case.registered_at is not None
    assert case.day(case.registered_at) == date(2026, 2, 13)
    assert case.pack == pack
    check = one.check(informational=True)
    assert check["reply_form"]["form"] == form
    assert check["reply_form"]["document"]
    assert not check["channels"][refused]["form"]
    assert told(one.send(refused)) == (409, "reply_form_refused", "channel")
    allowed = "email" if form == "electronic" else "registered_post"
    assert one.send(allowed).status == 202


def test_paper_does_where_no_email_may_go(duly: Duly) -> None:
    """M84: a form that can't be kept without breaking secrecy gives way to the safe channel."""
    one = written(duly, "Wypłaciliśmy Pani odszkodowanie w kwocie 3 400 zł.")
    assert one.check()["reply_form"]["form"] == "electronic"
    assert one.send("registered_post", informational=False).status == 202


# A second person


def test_a_second_person_approves_where_the_house_wants_it(duly: Duly) -> None:
    """Issue 3, 8: never who wrote it; other words take the approval back; heads are told."""
    settings(duly, approval=True)
    one = written(duly)
    assert one.act("review", {}).status == 200
    body = {"channel": "email", "informational": True}
    assert told(one.act("send", body)) == (409, "approval_needed", None)
    assert told(one.act("approve", by=HEAD)) == (409, "answer_not_submitted", None)
    assert one.act("submit").json["stage"] == "submitted"
    assert notices(duly, "approval_asked") == [HEAD]
    assert told(one.act("submit")) == (409, "answer_submitted", None)
    assert told(one.act("approve")) == (403, "approval_by_another", None)
    returned = one.act("return", {"reason": "Proszę wskazać umowę."}, by=HEAD)
    assert (returned.json["stage"], returned.json["returned"]) == (
        "returned",
        "Proszę wskazać umowę.",
    )
    assert notices(duly, "answer_returned") == [ADMIN]
    assert one.act("submit").status == 200
    approved = one.act("approve", by=HEAD)
    assert (approved.json["stage"], approved.json["approved_by"]) == ("approved", HEAD)
    assert notices(duly, "answer_approved") == [ADMIN]
    one.write(PLAIN + " Zapraszamy.")
    assert one.read()["stage"] == "draft"
    assert one.act("review", {}).status == 200
    assert told(one.act("send", body)) == (409, "approval_needed", None)
    assert one.act("submit").status == 200
    assert one.act("approve", by=HEAD).status == 200
    assert one.act("send", body).status == 202


def test_whoever_wrote_at_it_does_not_approve_it(duly: Duly) -> None:
    """Issue 3, 8: a head who edited is an author; another officer may approve."""
    settings(duly, approval=True)
    join(duly, QUALITY, "Kazimiera Kontrola", Role.QUALITY)
    one = written(duly)
    words = {each["key"]: "Wyjaśnienie." for each in one.read()["elements"]}
    words.pop("signatory")
    assert one.put(PLAIN + " Zapraszamy.", "upheld", words, by=HEAD).status == 200
    assert one.act("submit").status == 200
    assert set(notices(duly, "approval_asked")) == {QUALITY}
    assert told(one.act("approve", by=HEAD)) == (403, "approval_by_another", None)
    assert one.act("approve", by=QUALITY).status == 200


# Third parties


def test_an_insured_is_answered_only_once_they_said_yes_or_were_asked_by_post(duly: Duly) -> None:
    """M37, M38, D7: not asked, silent, denied: each refused by its name; then to them alone."""
    body = {"channel": "email", "informational": True}
    unasked = written(duly, insured=replace(INSURED, email=""))
    assert unasked.act("review", {}).status == 200
    assert told(unasked.act("send", body)) == (409, "insured_not_asked", None)
    one = written(duly, insured=INSURED)
    assert one.act("review", {}).status == 200
    assert told(one.act("send", body)) == (409, "insured_undecided", None)
    said(duly, one, "/insured-answer", {"decision": "not_mine", "how": "telefon"})
    assert told(one.act("send", body)) == (409, "insured_denied", None)
    other = written(duly, insured=INSURED)
    said(duly, other, "/insured-answer", {"decision": "mine", "how": "telefon"})
    assert told(other.act("send", body)) == (409, "address_unproven", "channel")
    assert not other.check()["channels"]["email"]["open"]
    said(duly, other, "/insured-address", {"how": "z umowy"})
    assert other.send().status == 202
    duly.tick()
    assert PLAIN in " ".join(duly.mailbox.to(INSURED.email)[-1].text.split())
    assert all(PLAIN not in " ".join(mail.text.split()) for mail in duly.mailbox.to(WRITER.email))
    silent = written(duly, insured=INSURED)
    on = silent.case.day(duly.ports().now).isoformat()
    said(duly, silent, "/insured-posted", {"on": on})
    said(duly, silent, "/insured-address", {"how": "z umowy"})
    assert silent.send().status == 202


def said(duly: Duly, one: Desk, where: str, body: Any) -> None:
    """An act of handling on the case."""
    (path,) = [spec.path for spec in duly.routes.values() if spec.path.endswith(where)]
    answer = one.ask("POST", path.format(case_id=one.case_id), body)
    assert answer.status == 200, answer.json


def test_what_the_writer_agreed_to_is_not_the_insureds_consent(duly: Duly) -> None:
    """M83, M37: the consent on the form is for the writer's address."""
    one = written(duly, "Składka wynosi 1 250,00 zł.", insured=INSURED, email_consent="w" * 24)
    assert not one.check()["channels"]["email"]["open"]


# What becomes of it


@pytest.mark.parametrize("how", ["bounce", "refused"])
def test_an_answer_that_does_not_arrive_opens_the_case_again(duly: Duly, how: str) -> None:
    """M55: a bounce, or the mail service's no: nobody was answered, and the officer learns."""
    one = written(duly)
    assert one.send().status == 202
    if how == "refused":
        duly.mailbox.before = refuse
    duly.tick()
    duly.mailbox.before = lambda: None
    if how == "bounce":
        mail = duly.mailbox.to(WRITER.email)[-1]
        assert duly.event("Bounce", mail, bounce={"bounceType": "Permanent"}) == "bounced"
        assert duly.event("Bounce", mail, bounce={"bounceType": "Permanent"}) == "nothing"
    case = case_of(duly, one.case_id)
    assert case.value.is_open
    assert kinds(duly, one.case_id)[-1] == "answer_bounced"
    assert set(notices(duly, "answer_bounced")) == {ADMIN}
    one.version = case.version
    view = one.read()
    assert view["bounced_at"]
    assert view["stage"] == "draft"
    check = one.check(informational=True)
    assert check["channels"]["registered_post"]["open"]
    assert one.send("registered_post").status == 202
    today = one.case.day(duly.ports().now).isoformat()
    assert one.act("posted", {"posted_on": today, "tracking": "RR1"}).status == 200


def refuse() -> None:
    """The mail service says no, for good."""
    raise MailRefused("address")


def test_the_day_on_which_it_left_is_the_day_of_the_answer(duly: Duly) -> None:
    """M52: where the mail service took it a day later, that day counts."""
    one = written(duly)
    assert one.send().status == 202
    first = one.case.answer
    assert first is not None
    assert first.sent_on is not None
    duly.mailbox.before = delay
    duly.tick()
    duly.mailbox.before = lambda: None
    duly.wait(days=1)
    duly.tick()
    answer = one.case.answer
    assert answer is not None
    assert answer.sent_on == first.sent_on + timedelta(days=1)
    assert kinds(duly, one.case_id)[-1] == "answer_left"
    assert one.case.state == "answered"


def delay() -> None:
    """The mail service takes nothing more today."""
    raise MailDelayed("quota", quota=True)


def test_a_late_answer_leaves_all_the_same_and_is_marked(duly: Duly) -> None:
    """M52: after the thirtieth day it is still an answer; the register knows both days."""
    one = written(duly)
    due = one.case.answer_due
    assert due is not None
    duly.wait(days=45)
    sent = one.send()
    assert sent.status == 202, sent.json
    assert sent.json["late"] is True
    case = one.case
    assert case.answer is not None
    assert case.answer.sent_on is not None
    assert case.answer.sent_on > due.limit


def test_a_closed_case_is_not_answered_again(duly: Duly) -> None:
    """M74, D5: later information opens a new one."""
    one = written(duly)
    assert one.send().status == 202
    for verb, body in (
        ("review", {}),
        ("submit", None),
        ("send", {"channel": "email"}),
        ("posted", {"posted_on": "2026-11-27", "tracking": "RR1"}),
    ):
        assert told(one.act(verb, body))[:2] == (409, "already_closed"), verb
    assert told(one.put(PLAIN, "upheld", {}))[:2] == (409, "already_closed")


def test_nothing_private_is_in_envelopes_notices_or_logs(duly: Duly) -> None:
    """M75: words, findings, people and reasons are in bodies and parts alone."""
    secrets = ["PESEL", "44051401359", "Żółć", "lucja@klient.example", "sekretny", "Krótka"]
    with duly.logs() as lines:
        settings(duly, approval=True)
        one = written(duly, "W polisie wpisano PESEL 44051401359.")
        assert one.act("review", {"removed": [], "reason": ""}).status == 200
        one.send()
        one.act("submit")
        one.act("return", {"reason": "sekretny powód"}, by=HEAD)
        one.act("submit")
        one.act("approve", by=HEAD)
        assert one.send("registered_post").status == 202
        today = one.case.day(duly.ports().now).isoformat()
        assert one.act("posted", {"posted_on": today, "tracking": "RR1"}).status == 200
        duly.tick()
    seen = "\n".join(lines)
    for (pk, sk), item in duly.table().items():
        if sk.startswith("EVENT#"):
            seen += item["env"]["S"]
        if sk.startswith("NOTICE#"):
            seen += item["data"]["S"]
        seen += pk + sk if not sk.startswith("NAME#") else ""
    assert "answer_posted" in seen
    assert [secret for secret in secrets if secret in seen] == []


def test_an_answer_costs_one_read_and_one_transaction(duly: Duly) -> None:
    """Design, calls: the case and its words together, then the change whole."""
    one = written(duly)
    with duly.calls() as calls:
        assert one.act("review", {}).status == 200
    assert calls == ["dynamodb.TransactGetItems", "dynamodb.TransactWriteItems"]
