"""The rules of an answer, without a store: what it must hold, who approves it, how it may leave."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.clients.domain import Client, ConsentState, Identity, Proof, Served, Standing
from chalicelib.clients.domain import Kind as ClientKind
from chalicelib.complaints import answers, elements, phrases, privacy, receipt
from chalicelib.complaints import case as cases
from chalicelib.complaints.answers import Sending, Words
from chalicelib.complaints.case import (
    Channel,
    Complaint,
    Identification,
    Kind,
    Outcome,
    Person,
    Question,
    Said,
    Signer,
    State,
    SubmissionRefused,
)
from chalicelib.complaints.handling import (
    AddresseeUnreachable,
    AddressUnproven,
    InsuredDenied,
    InsuredNotAsked,
)
from chalicelib.complaints.privacy import Channel as By
from chalicelib.complaints.privacy import ReviewOutdated
from chalicelib.contact.domain import Reply, may_reply
from chalicelib.documents.sheet import Paper
from chalicelib.kernel.change import SYSTEM, Actor, Change, Held
from chalicelib.kernel.errors import DomainError
from chalicelib.organisations import domain as organisations
from chalicelib.organisations.domain import House, Role
from chalicelib.policy import PACKS
from chalicelib.policy.packs import load
from tests.cases import INSURED, WRITER, a_submission
from tests.duly import ADMIN, AGENT, HEAD, a_member, a_settings

NOW = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)  # a Friday
KEY = cases.key("agencja", "case-1")
OFFICER, SECOND = Actor("staff", ADMIN), Actor("staff", HEAD)
PAPER = Paper("papers/x.pdf", "0" * 64, "letter-1")
PLAIN = "Wyjaśniamy, jak działa infolinia i kiedy jest czynna."
SIGNER = Signer(name="Anna Admin", position="specjalistka")
NOBODY = Reply(identified_email=False, data_consent=False, consent_to_address=False)
# The elements by which an answer names a body to turn to.
BODIES = {
    *("appeal", "mediation", "ombudsman", "court", "regulator", "union", "elsewhere"),
    *("refer", "commissioner"),
}
DAY = timedelta(days=1)


class Digests(dict[str, str]):
    """The digest of any value is the value itself."""

    def __missing__(self, value: str) -> str:
        return value


def a_house(*, approval: bool = False) -> House:
    """A Polish organisation with an officer, a head and an agent."""
    settings = a_settings()
    settings = replace(settings, complaints=replace(settings.complaints, approval=approval))
    admin = a_member(ADMIN, "Anna Admin", Role.ADMIN)
    change = organisations.found("agencja", settings, "salt", admin, now=NOW)
    parts = {part.sk: part.data for part in change.parts}
    people = (a_member(AGENT, "Ewa Agent", Role.AGENT), a_member(HEAD, "Hanna Head", Role.HEAD))
    return House(
        held=Held(key=change.key, value=change.root, version=1, head="h"),
        catalogue=parts["CATALOGUE"],
        directory=organisations.Directory(members=(*parts["STAFF"].members, *people)),
    )


HOUSE = a_house()


def after(change: Change | None) -> Held[Complaint]:
    """The case once the change is written."""
    assert change is not None
    return Held(key=change.key, value=change.root, version=change.version + 1, head="h")


def words_after(change: Change, said: Said) -> Said:
    """The words once the change is written."""
    found: Said = next((one.data for one in change.parts if one.sk.startswith("SAID#")), said)
    return found


def registered(**changes: Any) -> Held[Complaint]:
    """A registered complaint."""
    given = receipt.checked(a_submission(NOW, **changes), HOUSE.settings, now=NOW)
    held = after(
        receipt.receive(
            KEY, "7K3F9QXM2J", given, HOUSE, digests=Digests(), by=Actor("client"), now=NOW
        )
    )
    return after(receipt.register(held, HOUSE, KEY, now=NOW))


def under(pack: str, **changes: Any) -> Complaint:
    """A complaint under these rules."""
    return replace(registered().value, pack=load(pack).pin, **changes)


def with_root(held: Held[Complaint], **changes: Any) -> Held[Complaint]:
    """The case with another root."""
    return replace(held, value=replace(held.value, **changes))


def whole_words(case: Complaint, outcome: Outcome | None, text: str = PLAIN) -> Words:
    """Words with every element that is wanted."""
    given = {one.key: "Wyjaśnienie." for one in elements.wanted(case, outcome)}
    return Words(outcome=outcome, text=text, elements=given, signer=SIGNER)


def drafted(
    held: Held[Complaint] | None = None,
    outcome: Outcome | None = Outcome.UPHELD,
    text: str = PLAIN,
    language: str = "pl",
) -> tuple[Held[Complaint], Said]:
    """A case with a whole answer."""
    held = held or registered()
    change = answers.draft(
        held,
        "answer-1",
        whole_words(held.value, outcome, text),
        language,
        HOUSE,
        by=OFFICER,
        now=NOW,
    )
    said = next(part.data for part in change.parts if part.sk == "SAID#answer-1")
    return after(change), said


def reviewed(held: Held[Complaint], said: Said) -> tuple[Held[Complaint], Said]:
    """What was found in it confirmed."""
    change = answers.review(held, said, (), (), "", HOUSE, by=OFFICER, now=NOW)
    return after(change), words_after(change, said)


def sending(channel: By = By.EMAIL, **changes: Any) -> Sending:
    """A sending that only informs, with an address and nothing signed."""
    one = Sending(channel=channel, informational=True, reply=NOBODY, postal_address="ul. Krótka 2")
    return replace(one, **changes)


def emailed(now: datetime = NOW, **changes: Any) -> Change:
    """An answer sent by e-mail."""
    held, said = reviewed(*drafted(registered(**changes)))
    return answers.send_email(held, said, sending(), HOUSE, by=OFFICER, now=now)


def printed(channel: By, now: datetime = NOW, **changes: Any) -> tuple[Held[Complaint], Said]:
    """An answer on paper, not gone yet."""
    held, said = drafted(registered(reply_form="paper", **changes))
    asked = sending(channel)
    change = answers.send_paper(held, said, PAPER, asked, HOUSE, by=OFFICER, now=now)
    return after(change), words_after(change, said)


def refused(act: Callable[[], Any], refusal: type[DomainError]) -> None:
    """The act is refused by this name, and by no other."""
    with pytest.raises(refusal) as found:
        act()
    assert type(found.value) is refusal


# The elements


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("outcome", [Outcome.PARTLY, Outcome.REJECTED])
def test_every_negative_answer_names_a_body_to_turn_to(pack: str, outcome: Outcome) -> None:
    """M108: whatever the rules, whoever is refused learns where to turn next."""
    case = under(pack)
    assert {one.key for one in elements.wanted(case, outcome)} & BODIES, pack
    blank = Said(said_id="a", text=PLAIN, language="pl", signer=SIGNER)
    rules = [gap.rule for gap in elements.gaps(case, blank, outcome, "pl")]
    assert any(rule.rpartition(".")[2] in BODIES for rule in rules)


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("language", ["pl", "en", "ru"])
def test_every_gap_names_its_rule_and_source(pack: str, language: str) -> None:
    """M52: the rule's key, its sentence in the reader's language, its document, and its doubts."""
    case = under(pack)
    blank = Said(said_id="a", text=PLAIN, language=language)
    for gap in elements.gaps(case, blank, Outcome.REJECTED, language):
        if gap.field in ("text", "signer.name") and gap.rule in ("text", "signer"):
            continue
        _, letter, key = gap.rule.split(".")
        element = case.policy.letters[letter][key]  # type: ignore[index]
        assert gap.sentence == getattr(element, language)
        assert gap.document == case.policy.sources[element.source].document
        assert gap.unverified == (element.confidence == "L")
        assert gap.reason == "missing"
    full = [one.key for one in elements.wanted(case, Outcome.REJECTED)]
    assert len(full) == len(set(full)), "an element would stand for two"


@pytest.mark.parametrize(
    ("outcome", "wanted"),
    [
        (Outcome.UPHELD, {"position", "signatory", "performance"}),
        (Outcome.WITHDRAWN, {"position", "signatory"}),
        (
            Outcome.REJECTED,
            {"reasons", "position", "signatory"}
            | {"appeal", "mediation", "ombudsman", "court", "defendant"},
        ),
        (
            Outcome.PARTLY,
            {"reasons", "position", "signatory", "performance"}
            | {"appeal", "mediation", "ombudsman", "court", "defendant"},
        ),
    ],
)
def test_the_elements_follow_the_outcome(outcome: Outcome, wanted: set[str]) -> None:
    """M52: what is granted in part is granted and refused, and holds the elements of both."""
    case = under("pl-nat-2026-02-13")
    assert {one.key for one in elements.wanted(case, outcome)} == wanted


@pytest.mark.parametrize("words", ["[data]", "Kwota: [kwota].", "[ ]", "Do [imię i\nnazwisko]"])
def test_a_place_to_be_filled_in_is_a_gap_wherever_it_stands(words: str) -> None:
    """M52: in the text, in an element, in the signature, and in an element that is not wanted."""
    case = under("pl-nat-2026-02-13")
    known = {one.key: "Tak." for one in elements.wanted(case, Outcome.UPHELD)}
    good = Said(said_id="a", text=PLAIN, elements=known, signer=SIGNER)
    assert elements.gaps(case, good, Outcome.UPHELD, "pl") == ()
    for bad, field in (
        (replace(good, text=words), "text"),
        (replace(good, elements=known | {"position": words}), "elements.position"),
        (replace(good, elements=known | {"court": words}), "elements.court"),
        (replace(good, signer=Signer(name="A", position=words)), "signer.position"),
    ):
        (gap,) = elements.gaps(case, bad, Outcome.UPHELD, "pl")
        assert (gap.field, gap.reason) == (field, "placeholder")


def test_thanks_need_words_and_a_name_alone() -> None:
    """M25, M27, M31: a short answer; but a request that is refused names where to turn (M108)."""
    for kind in (Kind.GRATITUDE, Kind.SUGGESTION, Kind.REQUEST):
        case = under("pl-nat-2026-02-13", kind=kind)
        said = Said(said_id="a", text=PLAIN, signer=SIGNER)
        assert elements.gaps(case, said, None, "pl") == ()
        unsigned = elements.gaps(case, replace(said, signer=Signer()), None, "pl")
        assert [gap.field for gap in unsigned] == ["signer.name"]
    request = under("pl-nat-2026-02-13", kind=Kind.REQUEST)
    assert {one.key for one in elements.wanted(request, Outcome.REJECTED)} & BODIES


def test_a_finding_is_shown_in_the_field_in_which_it_stands() -> None:
    """M75: the officer sees where, though the whole letter is looked through at once."""
    case = registered().value
    said = Said(
        said_id="a",
        text="Dzień dobry.",
        elements={"position": "Składka wynosi 1 250,00 zł.", "reasons": "PESEL 44051401359."},
        language="pl",
    )
    places = [
        (one.kind, elements.field_at(said, one.start)) for one in answers.findings(case, said)
    ]
    assert places == [("money", "elements.position"), ("identity", "elements.reasons")]
    assert elements.field_at(Said(said_id="a"), 0) == "text"


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("language", ["pl", "en", "ru"])
def test_what_every_letter_says_is_no_secret(pack: str, language: str) -> None:
    """M76, M108: an ombudsman's address is no client's; one that an officer wrote is looked at."""
    case = under(pack)
    standard = {
        one.key: phrases.element(case.policy, one.letter, one.key, language)
        for one in elements.wanted(case, Outcome.REJECTED)
    }
    said = Said(said_id="a", text="Text.", elements=standard, language=language)
    assert answers.findings(case, said) == ()
    private = "44051401359"
    for key, words in standard.items():
        other = replace(said, elements=standard | {key: f"{words} {private}."})
        kinds = {one.kind for one in answers.findings(case, other)}
        assert "identity" in kinds, key


# Who is asked


def test_a_complaint_has_an_outcome_and_thanks_have_none() -> None:
    """M27, M28: also where the kind was changed after the draft."""
    held, said = reviewed(*drafted())
    thanks = with_root(held, kind=Kind.GRATITUDE)
    refused(lambda: answers.require_sendable(thanks, said, sending(), HOUSE), SubmissionRefused)
    request = with_root(registered(), kind=Kind.REQUEST)
    drafted(request, None)
    drafted(request, Outcome.UPHELD)
    refused(lambda: drafted(registered(), None), SubmissionRefused)
    refused(
        lambda: drafted(with_root(registered(), kind=Kind.SUGGESTION), Outcome.UPHELD),
        SubmissionRefused,
    )


def test_the_same_words_again_take_nothing_back() -> None:
    """Issue 3, 8: only a change takes an approval back."""
    held, said = drafted()
    held = after(answers.submit(held, said, HOUSE, by=OFFICER, now=NOW))
    held = after(answers.approve(held, said, HOUSE, by=SECOND, now=NOW))
    same = whole_words(held.value, Outcome.UPHELD)
    kept = answers.redraft(held, said, same, HOUSE, by=SECOND, now=NOW)
    assert kept.root.answer == held.value.answer
    for words in (
        replace(same, text=PLAIN + " Zapraszamy."),
        replace(same, outcome=Outcome.REJECTED),
        replace(same, signer=Signer(name="Kto Inny", position="kierownik")),
        replace(same, elements={}),
    ):
        change = answers.redraft(held, said, words, HOUSE, by=SECOND, now=NOW)
        progress = change.root.answer
        assert progress.approved_at is progress.submitted_at is None
        assert progress.authors == (ADMIN, HEAD)


@given(st.lists(st.sampled_from(["edit", "submit", "approve", "return", "send"]), max_size=12))
def test_nothing_unapproved_is_ever_sent_and_nobody_approves_their_own(acts_: list[str]) -> None:
    """Issue 3, 8: whatever two people do in whatever order."""
    house = a_house(approval=True)
    held, said = drafted()
    approved: str | None = None
    for n, act in enumerate(acts_):
        by = (OFFICER, SECOND)[n % 2]
        try:
            change = one_act(act, held, said, house, by, n)
        except DomainError as refusal:
            assert act != "send" or held.value.closed or approved != elements.whole(said), refusal
            continue
        if act == "send":
            assert approved == elements.whole(said)
        if act == "approve":
            assert by.id not in held.value.answer_of("answer-1").authors
        said, held = words_after(change, said), after(change)
        approved = {"approve": elements.whole(said), "edit": None, "return": None}.get(
            act, approved
        )


def one_act(act: str, held: Held[Complaint], said: Said, house: House, by: Actor, n: int) -> Change:
    """One act of one of two people."""
    if act == "edit":
        words = whole_words(held.value, Outcome.UPHELD, f"{PLAIN} {n}")
        return answers.redraft(held, said, words, house, by=by, now=NOW)
    if act == "submit":
        return answers.submit(held, said, house, by=by, now=NOW)
    if act == "approve":
        return answers.approve(held, said, house, by=by, now=NOW)
    if act == "return":
        return answers.give_back(held, said, "Nie.", house, by=by, now=NOW)
    post = sending(By.IN_PERSON)
    return answers.send_paper(held, said, PAPER, post, house, by=by, now=NOW)


def test_who_may_approve_is_told_and_never_an_author() -> None:
    """Issue 3, 8: the heads; where a head wrote it, whoever else may."""
    held, said = drafted()
    asked = answers.submit(held, said, HOUSE, by=OFFICER, now=NOW)
    assert [one.person for one in asked.notices] == [HEAD]
    words = whole_words(held.value, Outcome.UPHELD, "Inaczej.")
    change = answers.redraft(held, said, words, HOUSE, by=SECOND, now=NOW)
    both = answers.submit(after(change), words_after(change, said), HOUSE, by=OFFICER, now=NOW)
    assert both.notices == ()


# The gate


STANDINGS = (None, ConsentState.GIVEN, ConsentState.WITHDRAWN)


def a_client(
    address: str,
    data: ConsentState | None,
    agreed: ConsentState | None,
    proof: Proof = Proof.SIGNATURE,
) -> Client:
    """A client with these standings."""
    given = {"data_processing": data, "reply_by_email": agreed}
    return Client(
        identity=Identity(
            kind=ClientKind.PERSON, name="A", language="pl", served=Served.DIRECT, email=address
        ),
        created=NOW,
        standings={
            purpose: Standing(state, NOW, proof, f"by-{purpose}", "w")
            for purpose, state in given.items()
            if state is not None
        },
    )


@pytest.mark.parametrize(
    ("address", "data", "agreed", "written"),
    list(product(["a@b.example", "A@B.example", "x@y.example", ""], STANDINGS, STANDINGS, [0, 1])),
)
def test_what_speaks_for_an_address_is_each_fact_by_itself(
    address: str, data: ConsentState | None, agreed: ConsentState | None, written: int
) -> None:
    """M81, M82, M83: every combination of address, standings and the word on the form."""
    reply = may_reply(a_client("a@b.example", data, agreed), address, at=NOW, written=bool(written))
    own = address.casefold() == "a@b.example"
    assert reply.identified_email is own
    assert reply.data_consent is (data is ConsentState.GIVEN)
    declared = own and agreed is ConsentState.GIVEN
    assert reply.consent_to_address is (declared or (bool(written) and bool(address)))
    assert reply.proofs == tuple(
        f"by-{purpose}"
        for purpose, there in (
            ("data_processing", data is ConsentState.GIVEN),
            ("reply_by_email", declared),
        )
        if there
    )


def test_nobody_linked_speaks_for_nothing() -> None:
    """M81: an address that nobody tied to a client is not identified, nor is an empty one."""
    assert may_reply(None, "a@b.example", at=NOW) == NOBODY
    assert not may_reply(a_client("", None, None), "", at=NOW).identified_email


@pytest.mark.parametrize("proof", Proof)
def test_a_consent_counts_with_a_proof_that_the_pack_accepts(proof: Proof) -> None:
    """M82: the source wants a signature; where no rule says, the client's own act will do."""
    client = a_client("a@b.example", ConsentState.GIVEN, ConsentState.GIVEN, proof)
    rule = load("ru-medexpress-2019").data_consent
    assert rule is not None
    strict = may_reply(client, "a@b.example", at=NOW, proofs=rule.proofs)
    assert strict.data_consent is (proof is Proof.SIGNATURE)
    usual = may_reply(client, "a@b.example", at=NOW)
    own_act = proof in (Proof.SIGNATURE, Proof.EMAIL_CLICK)
    assert usual.data_consent is usual.consent_to_address is own_act


@pytest.mark.parametrize(
    ("text", "informational", "identified", "consent", "agreed"),
    list(product([PLAIN, "Składka wynosi 1 250,00 zł."], *[[False, True]] * 4)),
)
def test_an_email_leaves_exactly_when_the_rules_allow_it(
    text: str, informational: bool, identified: bool, consent: bool, agreed: bool
) -> None:
    """M76-M84: every combination of content, the officer's word, address and consents."""
    held, said = reviewed(*drafted(text=text))
    reply = Reply(identified_email=identified, data_consent=consent, consent_to_address=agreed)
    asked = sending(informational=informational, reply=reply)
    allowed = (text == PLAIN and informational) or (identified and consent) or agreed
    if not allowed:
        refused(
            lambda: answers.send_email(held, said, asked, HOUSE, by=OFFICER, now=NOW),
            privacy.ChannelRefused,
        )
        by_post = replace(asked, channel=By.REGISTERED_POST)
        answers.send_paper(held, said, PAPER, by_post, HOUSE, by=OFFICER, now=NOW)
        return
    change = answers.send_email(held, said, asked, HOUSE, by=OFFICER, now=NOW)
    assert change.root.state is State.ANSWERED
    assert change.event.body["grounds"]
    assert [one.template for one in change.letters] == ["answer_sent"]


def test_a_review_is_of_these_very_words() -> None:
    """M75: nobody looked, or looked at others: no e-mail; the evidence stays."""
    held, said = drafted()

    def email(words: Said) -> Change:
        return answers.send_email(held, words, sending(), HOUSE, by=OFFICER, now=NOW)

    refused(lambda: email(said), answers.ReviewNeeded)
    _, seen = reviewed(held, said)
    refused(lambda: email(replace(seen, text=PLAIN + "!")), ReviewOutdated)
    assert email(seen).root.closed is not None


def test_no_address_is_no_channel() -> None:
    """M84: an e-mail needs an address, a letter too; who comes needs none."""
    held, said = reviewed(*drafted(registered(writer=Person(name="Jan", phone="+48600100200"))))

    def check(asked: Sending) -> None:
        answers.require_sendable(held, said, asked, HOUSE)

    refused(lambda: check(sending()), AddresseeUnreachable)
    post = sending(By.REGISTERED_POST, postal_address="")
    refused(lambda: check(post), answers.AddressMissing)
    check(sending(By.IN_PERSON, postal_address=""))


# The form


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("channel", [Channel.FORM, Channel.POST, Channel.PHONE])
@pytest.mark.parametrize("asked", ["", "paper", "electronic"])
@pytest.mark.parametrize("reachable", [False, True])
def test_one_channel_at_least_has_the_form_that_the_pack_wants(
    pack: str, channel: Channel, asked: str, reachable: bool
) -> None:
    """M84: the client's choice counts where the pack lets them choose."""
    case = under(pack, channel=channel, reply_form=asked)
    rule = case.policy.reply_form
    form = answers.reply_form(case)
    wanted = asked if asked in rule.client_may_choose else getattr(rule, case.form)
    assert form.form == wanted
    assert form.document == case.policy.sources[rule.source].document
    allowed = {one: answers.forms_allowed(case, one, email_open=reachable) for one in By}
    assert allowed == {
        By.EMAIL: wanted == "electronic",
        By.REGISTERED_POST: wanted == "paper" or not reachable,
        By.IN_PERSON: True,
    }


# Third parties


@pytest.mark.parametrize(
    ("decision", "posted", "refusal"),
    [
        (None, False, InsuredNotAsked),
        ("", False, answers.InsuredUndecided),
        ("", True, None),
        ("mine", False, None),
        ("not_mine", False, InsuredDenied),
        ("not_mine", True, InsuredDenied),
    ],
)
def test_the_insured_is_asked_before_they_are_answered(
    decision: Any, posted: bool, refusal: type[DomainError] | None
) -> None:
    """M37, M38, D7: on every channel, and still when the paper leaves."""
    asked = Question(
        asked_at=NOW,
        generation=1,
        expires=NOW + 30 * DAY,
        decision=decision or "",
        posted_on=NOW.date() if posted else None,
    )
    question = None if decision is None else asked
    case = with_root(registered(insured=INSURED), question=question, proven_email=INSURED.email)
    held, said = reviewed(*drafted(case))
    for channel in By:
        act = partial(answers.require_sendable, held, said, sending(channel), HOUSE)
        if refusal:
            refused(act, refusal)
        elif channel is By.EMAIL:
            act()
            letters = answers.send_email(held, said, sending(), HOUSE, by=OFFICER, now=NOW).letters
            assert [(one.template, one.to) for one in letters] == [("answer_sent", "insured")]
    if refusal is None:
        paper = with_root(held, reply_form="paper")
        out = answers.send_paper(
            paper, said, PAPER, sending(By.REGISTERED_POST), HOUSE, by=OFFICER, now=NOW
        )
        denied = with_root(after(out), question=replace(asked, decision="not_mine"))
        refused(
            lambda: answers.posted(
                denied,
                words_after(out, said),
                NOW.date(),
                "RR1",
                HOUSE,
                by=OFFICER,
                now=NOW,
            ),
            InsuredDenied,
        )


def test_an_answer_goes_to_no_address_that_the_writer_alone_named() -> None:
    """M37, M83: by e-mail once an officer knows whose it is; on paper and in person before that."""
    asked = Question(asked_at=NOW, generation=1, expires=NOW + 30 * DAY, decision="mine")
    held, said = reviewed(*drafted(with_root(registered(insured=INSURED), question=asked)))
    act = partial(answers.require_sendable, held, said, sending(By.EMAIL), HOUSE)
    refused(act, AddressUnproven)
    known = with_root(held, proven_email=INSURED.email)
    assert answers.require_sendable(known, said, sending(By.EMAIL), HOUSE)
    paper = with_root(held, reply_form="paper")
    assert answers.require_sendable(paper, said, sending(By.REGISTERED_POST), HOUSE)


# Days


def test_a_paper_is_posted_between_its_making_and_today() -> None:
    """M52: the day of posting ends the case, told late or not; the register counts from it."""
    held, said = printed(By.REGISTERED_POST)
    now = NOW + 4 * DAY

    def post(on: date) -> Change:
        return answers.posted(held, said, on, "RR1", HOUSE, by=OFFICER, now=now)

    for day in (date(2026, 11, 5), date(2026, 11, 11)):
        refused(partial(post, day), SubmissionRefused)
    for day in (date(2026, 11, 6), date(2026, 11, 9), date(2026, 11, 10)):
        case = post(day).root
        assert (case.day(case.closed.at), case.answer.sent_on) == (day, day)
        assert case.facts.events == {"closed": day, "final_sent": day, "answer_written": day}
        assert case.closed.at <= now


def test_the_letter_elsewhere_holds_no_word_of_the_answer() -> None:
    """M84, M78: how and when it went; and nobody is told who has no e-mail address."""
    held, said = printed(By.REGISTERED_POST)
    change = answers.posted(held, said, NOW.date(), "RR1", HOUSE, by=OFFICER, now=NOW)
    (letter,) = change.letters
    assert (letter.template, letter.to, letter.about) == ("answer_elsewhere", "writer", "")
    assert letter.facts == {"channel": "registered_post", "on": "2026-11-06"}
    silent = replace(WRITER, email="")
    held, said = printed(By.REGISTERED_POST, writer=silent)
    assert answers.posted(held, said, NOW.date(), "RR1", HOUSE, by=OFFICER, now=NOW).letters == ()


def test_a_paper_leaves_by_the_way_it_was_made_for() -> None:
    """M80, M84: what was made for the post is not handed over unseen, nor the other way round."""
    held, said = printed(By.IN_PERSON)
    seen = Identification(document="dowód", seen_by=ADMIN, on=NOW.date())
    refused(
        lambda: answers.posted(held, said, NOW.date(), "RR1", HOUSE, by=OFFICER, now=NOW),
        answers.AnswerNotOut,
    )
    change = answers.handed(held, said, seen, HOUSE, by=OFFICER, now=NOW)
    assert change.root.answer.identification == seen
    assert change.root.state is State.ANSWERED
    held, said = printed(By.REGISTERED_POST)
    refused(
        lambda: answers.handed(held, said, seen, HOUSE, by=OFFICER, now=NOW), answers.AnswerNotOut
    )


@pytest.mark.parametrize("late", [0, 1])
def test_late_is_the_day_after_the_limit(late: int) -> None:
    """M52, M54: on the last day it is in time; after it the answer leaves, marked."""
    due = registered().value.answer_due
    assert due is not None
    now = datetime.combine(due.limit + late * DAY, NOW.time(), UTC)
    change = emailed(now)
    assert answers.is_late(change.root) is bool(late)
    assert change.event.body["late"] is bool(late)


# What becomes of the letter


def test_the_day_that_it_left_counts() -> None:
    """M52: promised before midnight, taken after it: it left on the second day."""
    change = emailed()
    held, (letter,) = after(change), change.letters
    assert answers.on_sent(held, letter, HOUSE, now=NOW) is None
    moved = answers.on_sent(held, letter, HOUSE, now=NOW + DAY)
    assert moved is not None
    assert moved.root.answer.sent_on == date(2026, 11, 7)
    assert moved.event.kind == "answer_left"


def test_a_bounce_opens_the_case_once_and_only_for_its_own_letter() -> None:
    """M55: the answer that ended the case; not another letter, not one that was replaced."""
    change = emailed()
    held, (letter,) = after(change), change.letters
    opened = answers.on_bounced(held, letter, HOUSE, now=NOW)
    assert opened is not None
    case = opened.root
    assert case.is_open
    assert (case.answer.channel, case.answer.sent_on) == ("", None)
    assert opened.event.actor == SYSTEM
    assert [one.person for one in opened.notices] == [ADMIN]
    assert opened.due_at is not None
    assert answers.on_bounced(after(opened), letter, HOUSE, now=NOW) is None
    for other in (replace(letter, template="submission_taken"), replace(letter, about="x")):
        assert answers.on_bounced(held, other, HOUSE, now=NOW) is None
    assert answers.on_bounced(with_root(held, erasure="begun"), letter, HOUSE, now=NOW) is None
    paper, said = printed(By.REGISTERED_POST)
    posted = answers.posted(paper, said, NOW.date(), "RR1", HOUSE, by=OFFICER, now=NOW)
    assert answers.on_bounced(after(posted), letter, HOUSE, now=NOW) is None


def test_the_stage_of_an_answer_follows_from_what_happened() -> None:
    """One name for each step, for whoever looks."""
    held, said = drafted()
    assert answers.stage(held.value) == "draft"
    submitted = after(answers.submit(held, said, HOUSE, by=OFFICER, now=NOW))
    assert answers.stage(submitted.value) == "submitted"
    back = answers.give_back(submitted, said, "Nie.", HOUSE, by=SECOND, now=NOW)
    assert answers.stage(back.root) == "returned"
    yes = answers.approve(submitted, said, HOUSE, by=SECOND, now=NOW)
    assert answers.stage(yes.root) == "approved"
    assert answers.stage(printed(By.REGISTERED_POST)[0].value) == "out"
    assert answers.stage(emailed().root) == "sent"
    with pytest.raises(cases.AnswerUnknown):
        answers.stage(registered().value)
