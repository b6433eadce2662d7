"""The rules of a declaration: each act by itself, and any sequence of acts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from chalicelib.clients.domain import (
    OUT,
    Client,
    ConsentState,
    DeclarationState,
    DeclarationUnknown,
    EmailRequired,
    Notice,
    Progress,
    Proof,
    Served,
    Standing,
)
from chalicelib.consents import domain, standings
from chalicelib.consents.domain import Answer, Decision, Declaration
from chalicelib.documents.sheet import Paper
from chalicelib.kernel.change import Actor, Change, Held, Letter, Once, Origin
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.tokens import LinkExpired
from tests.unit.test_client_rules import KEY, NOTICE, NOW, identity

STAFF, CLIENT = Actor("staff", "ewa"), Actor("client", KEY.id)
SHOWN = {"notice": "w-n", "marketing": "w-m", "email": "w-e", "phone": "w-p"}
ONCE = Once(digest="d", request="r", result="x", expires_at=1)
PAPER = Paper(object_key="papers/x.pdf", sha256="x", layout="1")
ORIGIN = Origin(address="203.0.113.9", agent="Mozilla")
TICKED = {"marketing": True, "email": True, "phone": False}
DAYS = timedelta(days=1)


def client(**changes: Any) -> Held[Client]:
    """A client as it was read."""
    one = replace(Client(identity=identity(), created=NOW), **changes)
    return Held(key=KEY, value=one, version=1, head="h")


def after(change: Change) -> Held[Client]:
    """The client once the change is written."""
    return Held(key=KEY, value=change.root, version=change.version + 1, head=f"h{change.version}")


def declaration(name: str = "d1", ticked: dict[str, bool] | None = None) -> Declaration:
    """What a client said."""
    given_ = domain.answers(client().value, ticked or TICKED, SHOWN)
    return Declaration(
        declaration_id=name, code=f"C-{name}", language="pl", answers=given_, by="ewa", created=NOW
    )


def drafted(one: Declaration | None = None, **changes: Any) -> Held[Client]:
    """A client with a draft."""
    said = one or declaration()
    return after(domain.draft(client(**changes), said, once=ONCE, by=STAFF, now=NOW))


def sending(held: Held[Client], one: Declaration, now: datetime = NOW, reminder: int = 3) -> Change:
    """The change that sends it."""
    return domain.send(held, one, link_days=14, reminder_days=reminder, by=STAFF, now=now)


def sent(one: Declaration | None = None, **changes: Any) -> Held[Client]:
    """A client to whom a declaration was sent."""
    said = one or declaration()
    return after(sending(drafted(said, **changes), said))


def deciding(held: Held[Client], one: Declaration, choice: Decision, **changes: Any) -> Any:
    """The client's act, by the link that was sent."""
    asked: dict[str, Any] = {
        "generation": 1,
        "digest": domain.shown_digest(one),
        "origin": ORIGIN,
        "now": NOW,
    }
    return domain.decide(held, one, choice, **(asked | changes))


def states(held: Held[Client]) -> dict[str, ConsentState]:
    """The standing on each consent."""
    return {one: held.value.consent(one) for one in SHOWN if one != "notice"}


# What is recorded


@given(st.dictionaries(st.sampled_from([*SHOWN]), st.booleans(), min_size=1), st.booleans())
def test_the_notice_goes_with_every_consent_and_with_the_first_declaration(
    ticked: dict[str, bool], informed: bool
) -> None:
    """S7, S8, S10, S11, D11: any yes ticks the notice; nothing else is ever ticked for anybody."""
    one = client(notice=NOTICE if informed else None).value
    recorded = {said.purpose: said.answer for said in domain.answers(one, ticked, SHOWN)}
    if any(ticked.values()) or not informed:
        assert recorded.pop("notice") is True
        assert recorded == {name: yes for name, yes in ticked.items() if name != "notice"}
    else:
        assert recorded == ticked


def test_answers_stand_in_the_order_of_the_catalogue_with_the_words_shown() -> None:
    """S19, S26: each with the wording that the client is shown."""
    recorded = domain.answers(client().value, {"phone": False, "email": True}, SHOWN)
    assert recorded == (
        Answer("notice", "w-n", True),
        Answer("email", "w-e", True),
        Answer("phone", "w-p", False),
    )


def test_nothing_and_what_is_not_asked_are_refused() -> None:
    """S22: a hidden purpose is not asked for; the field says which."""
    with pytest.raises(domain.NothingDeclared):
        domain.answers(client().value, {}, SHOWN)
    with pytest.raises(domain.PurposeNotAsked) as refused:
        domain.answers(client().value, {"x" * 200: True}, SHOWN)
    assert refused.value.field == ("answers." + "x" * 200)[:100]


def test_a_draft_changes_no_standing_and_has_its_code() -> None:
    """S60: its writer alone sees it; the code on its paper belongs to it alone."""
    change = domain.draft(client(), declaration(), once=ONCE, by=STAFF, now=NOW)
    assert set(states(after(change)).values()) == {ConsentState.NONE}
    assert (change.once, change.letters, change.due_at) == (ONCE, (), None)
    assert change.lookups[0].unique
    assert change.root.declarations[0].asks == ("marketing", "email")
    full = client(declarations=(progress_("x"),) * domain.MOST_DECLARATIONS)
    with pytest.raises(domain.TooMany):
        domain.draft(full, declaration(), once=ONCE, by=STAFF, now=NOW)


def test_a_draft_may_be_changed_and_nothing_else_may() -> None:
    """S26: what is out is not edited."""
    other = declaration(ticked={"phone": True})
    change = domain.redraft(drafted(), other, by=STAFF, now=NOW)
    assert change.root.declarations[0].asks == ("phone",)
    assert change.parts[0].data == other
    with pytest.raises(domain.NotADraft):
        domain.redraft(sent(), other, by=STAFF, now=NOW)
    with pytest.raises(DeclarationUnknown):
        domain.redraft(drafted(), declaration("d9"), by=STAFF, now=NOW)


# Out to the client


def test_sending_promises_one_letter_and_its_reminder() -> None:
    """S43, S44, S49: a letter to the client, a date for the reminder, a date for the end."""
    change = sending(drafted(), declaration())
    (letter,) = change.letters
    assert (letter.template, letter.to, letter.about) == ("confirm_consents", "client", "d1")
    assert letter.facts == {"generation": 1}
    one = change.root.declaration("d1")
    assert (one.state, one.gen, one.by) == (DeclarationState.SENT, 1, "ewa")
    assert (one.remind, one.expires) == (NOW + 3 * DAYS, NOW + 14 * DAYS)
    assert change.due_at == NOW + 3 * DAYS
    without = sending(drafted(), declaration(), reminder=0)
    assert without.root.declaration("d1").remind is None
    assert without.due_at == NOW + 14 * DAYS
    with pytest.raises(EmailRequired):
        sending(drafted(identity=identity(email="")), declaration())


def test_a_refusal_counts_when_the_declaration_leaves_the_desk() -> None:
    """S13, S57, D13: a no is in force at once, a yes when the client confirms it."""
    assert states(sent()) == {
        "marketing": ConsentState.AWAITING_EMAIL,
        "email": ConsentState.AWAITING_EMAIL,
        "phone": ConsentState.REFUSED,
    }
    assert sent().value.standings["phone"] == Standing(
        ConsentState.REFUSED, NOW, Proof.ORAL, "d1", "w-p"
    )
    printed = domain.print_paper(drafted(), declaration(), paper=PAPER, by=STAFF, now=NOW)
    assert states(after(printed))["phone"] is ConsentState.REFUSED
    given_ = {"phone": Standing(ConsentState.GIVEN, NOW, Proof.SIGNATURE, "d0", "w")}
    assert states(sent(standings=given_))["phone"] is ConsentState.WITHDRAWN
    again = sending(sent(standings=given_), declaration(), NOW + DAYS)
    assert again.root.standings["phone"].at == NOW


def test_a_second_print_leaves_the_day_of_the_first() -> None:
    """D21: it is the same paper, and who signed the first print may have done so on its day."""
    printed = after(domain.print_paper(drafted(), declaration(), paper=PAPER, by=STAFF, now=NOW))
    again = domain.print_paper(printed, declaration(), paper=PAPER, by=STAFF, now=NOW + 5 * DAYS)
    assert again.root.declaration("d1").printed == NOW


def test_a_withdrawal_takes_back_what_still_asks_for_the_same_consent() -> None:
    """S57: no reminder, no promised letter and no link asks again for what the client ended."""
    given_ = {
        "marketing": Standing(ConsentState.GIVEN, NOW - DAYS, Proof.SIGNATURE, "d0", "w"),
        "phone": Standing(ConsentState.GIVEN, NOW - DAYS, Proof.SIGNATURE, "d0", "w"),
    }
    asking = declaration()
    renewing = sent(asking, standings=given_)
    other = standings.withdraw(renewing, ("email",), by=STAFF, now=NOW + DAYS)
    assert other is None
    ended = standings.withdraw(renewing, ("marketing",), by=STAFF, now=NOW + DAYS)
    assert ended is not None
    assert ended.root.declaration("d1").state is DeclarationState.SUPERSEDED
    assert ended.event.body["superseded"] == ["d1"]
    assert ended.root.consent("marketing") is ConsentState.WITHDRAWN
    assert ended.due_at is None
    with pytest.raises(domain.LinkWithdrawn):
        deciding(after(ended), asking, Decision.CONFIRM, now=NOW + 2 * DAYS)


def test_a_refusal_that_is_older_than_the_request_leaves_it_alone() -> None:
    """D21, S58: what was said before the client was asked does not answer the question."""
    asked = sent()
    old = standings.new_record(
        "marketing",
        "refused",
        decided_at=NOW - DAYS,
        source="paper",
        note="",
        wording_id="",
        file_id="",
        by="ewa",
        now=NOW,
    )
    held = Held(
        key=asked.key, value=replace(asked.value, notice=NOTICE), version=asked.version, head="h"
    )
    change = standings.record(held, old, by=STAFF, now=NOW)
    assert change.root.declaration("d1").state is DeclarationState.SENT


def test_sending_again_kills_the_link_before_it_and_any_other_that_is_out() -> None:
    """R14: the latest is the one that counts."""
    second = declaration("d2")
    held = after(domain.draft(sent(), second, once=ONCE, by=STAFF, now=NOW))
    change = sending(held, second)
    assert change.event.body["superseded"] == ["d1"]
    assert change.root.declaration("d1").state is DeclarationState.SUPERSEDED
    with pytest.raises(domain.LinkWithdrawn):
        domain.open_link(change.root, "d1", 1, now=NOW)
    again = after(sending(after(change), second))
    with pytest.raises(domain.LinkSuperseded):
        domain.open_link(again.value, "d2", 1, now=NOW)
    assert domain.open_link(again.value, "d2", 2, now=NOW).gen == 2
    for late in (domain.send, domain.print_paper):
        with pytest.raises(domain.NotSendable):
            options: Any = (
                {"link_days": 1, "reminder_days": 0} if late is domain.send else {"paper": PAPER}
            )
            late(again, declaration("d1"), by=STAFF, now=NOW, **options)


def test_a_request_can_be_taken_back() -> None:
    """R14: its link is dead, its reminder never comes."""
    change = domain.cancel(sent(), "d1", by=STAFF, now=NOW)
    assert change.due_at is None
    with pytest.raises(domain.LinkWithdrawn):
        domain.open_link(change.root, "d1", 1, now=NOW)
    for waiting in (drafted(), after(change)):
        with pytest.raises(domain.NotOut):
            domain.cancel(waiting, "d1", by=STAFF, now=NOW)


def test_paper_needs_no_address_and_brings_the_notice_when_it_is_handed_over() -> None:
    """S3, S7, S28, S29: printed, then handed over; the first time counts."""
    held = drafted(identity=identity(email="", served=Served.DIRECT))
    with pytest.raises(domain.NotPrinted):
        domain.hand_over(held, declaration(), by=STAFF, now=NOW)
    printed = after(domain.print_paper(held, declaration(), paper=PAPER, by=STAFF, now=NOW))
    assert printed.value.declaration("d1").state is DeclarationState.PRINTED
    assert printed.value.notice is None
    given_ = domain.hand_over(printed, declaration(), by=STAFF, now=NOW)
    assert given_.root.notice == Notice(at=NOW, how="printed", source="d1")
    again = domain.hand_over(after(given_), declaration(), by=STAFF, now=NOW + DAYS)
    assert again.root.notice == given_.root.notice
    out = domain.print_paper(sent(), declaration(), paper=PAPER, by=STAFF, now=NOW)
    assert out.root.declaration("d1").state is DeclarationState.SENT
    silent = replace(declaration(), answers=(Answer("phone", "w-p", False),))
    assert domain.hand_over(printed, silent, by=STAFF, now=NOW).root.notice is None


# The client's act


def test_confirming_sets_each_consent_with_its_proof_and_sends_the_receipt() -> None:
    """S47-S49, R23: the yes and the no, what was shown, from where; the sender is told."""
    one = declaration()
    change = deciding(sent(one), one, Decision.CONFIRM, now=NOW + DAYS)
    assert states(after(change)) == {
        "marketing": ConsentState.GIVEN,
        "email": ConsentState.GIVEN,
        "phone": ConsentState.REFUSED,
    }
    proofs = {standing.proof for standing in change.root.standings.values()}
    assert proofs == {Proof.EMAIL_CLICK}
    assert [(letter.template, letter.to) for letter in change.letters] == [
        ("receipt", "client"),
        ("client_confirmed", "staff:ewa"),
    ]
    assert change.event.actor == replace(CLIENT, origin=ORIGIN)
    assert change.event.body == {
        "declaration": "d1",
        "generation": 1,
        "decision": "confirmed",
        "answers": [
            ["notice", "w-n", True],
            ["marketing", "w-m", True],
            ["email", "w-e", True],
            ["phone", "w-p", False],
        ],
        "shown": domain.shown_digest(one),
    }
    assert change.due_at is None
    assert "notice" not in change.root.standings


def test_disputing_changes_no_consent_and_leaves_the_link_alive() -> None:
    """D13, R5: the sender is told once; confirming is still possible; after it no dispute is."""
    one = declaration()
    before = sent(one)
    change = deciding(before, one, Decision.DISPUTE)
    assert change.root.standings == before.value.standings
    assert [(letter.template, letter.to) for letter in change.letters] == [
        ("client_disputed", "staff:ewa")
    ]
    assert deciding(after(change), one, Decision.DISPUTE) is None
    confirmed = after(deciding(after(change), one, Decision.CONFIRM))
    assert states(confirmed)["marketing"] is ConsentState.GIVEN
    assert deciding(confirmed, one, Decision.CONFIRM) is None
    with pytest.raises(domain.AlreadyConfirmed):
        deciding(confirmed, one, Decision.DISPUTE)


def test_what_was_shown_is_what_is_confirmed() -> None:
    """R23: other answers, other attachments or another language have another digest."""
    one = declaration()
    with pytest.raises(domain.AnswersChanged):
        deciding(sent(one), one, Decision.CONFIRM, digest="0" * 64)
    file = domain.Attached("f", "a.pdf", "application/pdf", 1, "s", "k")
    others = [replace(one, language="en"), replace(one, attachments=(file,)), declaration("d2")]
    digests = {domain.shown_digest(each) for each in (one, *others)}
    assert len(digests) == 4


@pytest.mark.parametrize("act", [Decision.CONFIRM, Decision.DISPUTE])
def test_a_link_is_over_at_its_second(act: Decision) -> None:
    """R13: a second before its end it acts; at its end it does not."""
    one = declaration()
    ends = NOW + 14 * DAYS
    assert deciding(sent(one), one, act, now=ends - timedelta(seconds=1)) is not None
    with pytest.raises(LinkExpired):
        deciding(sent(one), one, act, now=ends)
    over = after(domain.attend(sent(one), now=ends) or pytest.fail("nothing expired"))
    with pytest.raises(LinkExpired):
        deciding(over, one, act, now=NOW)


def test_a_link_of_an_unknown_declaration_was_withdrawn() -> None:
    """R14, R15: erased or never there is told alike."""
    with pytest.raises(domain.LinkWithdrawn):
        domain.open_link(client().value, "d9", 1, now=NOW)
    with pytest.raises(domain.LinkWithdrawn):
        domain.open_link(drafted().value, "d1", 0, now=NOW)


def test_a_new_link_is_asked_for_once() -> None:
    """R24: the sender is told; nothing goes to the client by itself; sending it clears the wish."""
    over = after(domain.attend(sent(), now=NOW + 14 * DAYS) or pytest.fail("nothing expired"))
    change = domain.ask_again(over, "d1", 1, now=NOW)
    assert change is not None
    assert [(letter.template, letter.to) for letter in change.letters] == [
        ("link_requested", "staff:ewa")
    ]
    assert domain.ask_again(after(change), "d1", 1, now=NOW) is None
    assert domain.ask_again(over, "d1", 2, now=NOW) is None
    assert sending(after(change), declaration()).root.declaration("d1").wish is None
    one = declaration()
    confirmed = after(deciding(sent(one), one, Decision.CONFIRM))
    assert domain.ask_again(confirmed, "d1", 1, now=NOW) is None


# What time and the mail service bring


def test_one_reminder_then_the_end() -> None:
    """S49: the reminder once, with the same link; the end tells the sender; then there is quiet."""
    held = sent()
    assert domain.attend(held, now=NOW + 3 * DAYS - timedelta(seconds=1)) is None
    reminded = domain.attend(held, now=NOW + 3 * DAYS)
    assert reminded is not None
    (letter,) = reminded.letters
    assert letter.facts == {"generation": 1, "reminder": True}
    assert reminded.root.declaration("d1").gen == 1
    assert domain.attend(after(reminded), now=NOW + 4 * DAYS) is None
    assert reminded.due_at == NOW + 14 * DAYS
    over = domain.attend(after(reminded), now=NOW + 14 * DAYS)
    assert over is not None
    assert over.event.kind == "declaration_expired"
    assert [(one.template, one.to) for one in over.letters] == [("link_expired", "staff:ewa")]
    assert over.due_at is None
    assert domain.attend(after(over), now=NOW + 99 * DAYS) is None
    assert states(after(over))["marketing"] is ConsentState.EXPIRED


def test_a_late_tick_reminds_nobody_of_what_is_over() -> None:
    """S49: the end comes before the reminder when both are due."""
    over = domain.attend(sent(), now=NOW + 15 * DAYS)
    assert over is not None
    assert over.event.kind == "declaration_expired"


def letter_of(held: Held[Client], **changes: Any) -> Letter:
    """The letter that asked the client to confirm."""
    one = Letter(
        letter_id="l1",
        template="confirm_consents",
        to="client",
        about="d1",
        facts={"generation": 1},
        promised_at=NOW,
    )
    return replace(one, **changes)


def test_the_notice_is_delivered_by_the_first_letter_that_carries_it() -> None:
    """S7, D10: sent, if it carries the notice, and no later one."""
    held = sent()
    change = domain.on_sent(held, letter_of(held), True, now=NOW)
    assert change is not None
    assert change.root.notice == Notice(at=NOW, how="letter", source="l1")
    assert change.due_at == held.value.due_at
    assert domain.on_sent(after(change), letter_of(held), True, now=NOW) is None
    assert domain.on_sent(held, letter_of(held), False, now=NOW) is None
    assert domain.on_sent(held, letter_of(held, template="receipt"), True, now=NOW) is None


def test_a_bounce_takes_the_notice_back_and_the_request_with_it() -> None:
    """D10: back before the notice; the sender is told; a later letter's notice stays."""
    held = after(domain.on_sent(sent(), letter_of(sent()), True, now=NOW) or pytest.fail())
    change = domain.on_bounced(held, letter_of(held), now=NOW)
    assert change is not None
    assert change.root.notice is None
    assert change.root.declaration("d1").state is DeclarationState.UNDELIVERABLE
    assert [one.template for one in change.letters] == ["undeliverable"]
    assert change.due_at is None
    assert domain.on_bounced(after(change), letter_of(held), now=NOW) is None
    other = domain.on_bounced(held, letter_of(held, letter_id="l2"), now=NOW)
    assert other is not None
    assert other.root.notice is not None
    old = after(sending(held, declaration()))
    lost = domain.on_bounced(old, letter_of(held), now=NOW)
    assert lost is not None
    assert lost.root.notice is None
    assert lost.root.declaration("d1").state is DeclarationState.SENT
    assert not lost.letters
    assert domain.on_bounced(held, letter_of(held, template="receipt"), now=NOW) is None


def test_a_bounce_leaves_what_was_set_by_hand() -> None:
    """S52, S53, D21: proven elsewhere, it rests on no message; the notice alone is taken back."""
    by_hand = {
        "marketing": Standing(ConsentState.GIVEN, NOW - DAYS, Proof.RECORD, "r1", "", None, "ewa"),
        "phone": Standing(ConsentState.REFUSED, NOW - DAYS, Proof.ORAL, "r2", "", None, "ewa"),
    }
    one = declaration(ticked={"email": True})
    held = sent(one, standings=by_hand)
    held = after(domain.on_sent(held, letter_of(held), True, now=NOW) or pytest.fail())
    change = domain.on_bounced(held, letter_of(held), now=NOW)
    assert change is not None
    assert change.root.notice is None
    assert change.event.body["notice_lost"] is True
    assert change.root.standings == by_hand


def test_a_late_bounce_leaves_the_notice_that_another_declaration_brought() -> None:
    """S7, S10, D10: the client confirmed a consent meanwhile, and each brings the notice."""
    held = after(domain.on_sent(sent(), letter_of(sent()), True, now=NOW) or pytest.fail())
    second = declaration("d2")
    held = after(domain.draft(held, second, once=ONCE, by=STAFF, now=NOW))
    held = after(sending(held, second))
    held = after(deciding(held, second, Decision.CONFIRM, now=NOW + DAYS))
    assert held.value.notice == Notice(at=NOW, how="letter", source="l1")
    change = domain.on_bounced(held, letter_of(held), now=NOW + 2 * DAYS)
    assert change is not None
    assert change.root.notice == Notice(at=NOW + DAYS, how="letter", source="d2")
    assert change.event.body["notice_lost"] is False
    assert domain.on_bounced(after(change), letter_of(held), now=NOW + 2 * DAYS) is None


def test_who_confirms_has_the_notice_though_our_mark_of_the_sending_was_lost() -> None:
    """S7, D10: the process died between the mail service's yes and our mark; the client clicked."""
    change = deciding(sent(), declaration(), Decision.CONFIRM)
    assert change.root.notice == Notice(at=NOW, how="letter", source="d1")
    refusing = declaration(ticked={"phone": False})
    without = replace(refusing, answers=tuple(a for a in refusing.answers if a.purpose != "notice"))
    assert deciding(sent(without), without, Decision.CONFIRM).root.notice is None


def test_who_calls_it_spam_is_not_reminded() -> None:
    """The link stays good; nothing more is sent by itself."""
    change = domain.on_complained(sent(), letter_of(sent()), now=NOW)
    assert change is not None
    assert change.root.declaration("d1").remind is None
    assert change.root.declaration("d1").state is DeclarationState.SENT
    assert change.due_at == NOW + 14 * DAYS
    assert domain.on_complained(after(change), letter_of(sent()), now=NOW) is None
    assert domain.on_complained(sent(), letter_of(sent(), template="receipt"), now=NOW) is None


def progress_(name: str) -> Progress:
    """A draft."""
    return Progress(id=name, state=DeclarationState.DRAFT, by="ewa", created=NOW)


class Life(RuleBasedStateMachine):
    """Everything that staff, the client, time and the mail service may do, in any order."""

    @initialize()
    def begin(self) -> None:
        """A client without declarations."""
        self.now, self.held = NOW, client()
        self.said: dict[str, Declaration] = {}
        self.letters: list[Letter] = []
        self.generations: dict[str, int] = {}
        self.reminders: dict[tuple[str, int], int] = {}

    @precondition(lambda self: len(self.said) < 4)
    @rule(ticked=st.dictionaries(st.sampled_from([*SHOWN]), st.booleans(), min_size=1))
    def draft(self, ticked: dict[str, bool]) -> None:
        """Staff ticks."""
        name = f"d{len(self.said)}"
        recorded = domain.answers(self.held.value, ticked, SHOWN)
        self.said[name] = replace(declaration(name), answers=recorded)
        self.take(domain.draft(self.held, self.said[name], once=ONCE, by=STAFF, now=self.now))

    @precondition(lambda self: self.said)
    @rule(data=st.data(), verb=st.sampled_from(["send", "cancel", "print", "hand_over", "ask"]))
    def act(self, data: Any, verb: str) -> None:
        """Staff acts on one of the declarations, or the client asks for a new link."""
        one = data.draw(st.sampled_from(list(self.said.values())))
        common: dict[str, Any] = {"by": STAFF, "now": self.now}
        acts: dict[str, Any] = {
            "send": lambda: sending(self.held, one, self.now),
            "cancel": lambda: domain.cancel(self.held, one.declaration_id, **common),
            "print": lambda: domain.print_paper(self.held, one, paper=PAPER, **common),
            "hand_over": lambda: domain.hand_over(self.held, one, **common),
            "ask": lambda: domain.ask_again(self.held, one.declaration_id, 1, now=self.now),
        }
        heard = verb in ("send", "print") and self.state(one) is DeclarationState.DRAFT
        self.tried(acts[verb], one, heard=heard)

    @precondition(lambda self: self.said)
    @rule(data=st.data(), choice=st.sampled_from(Decision), generation=st.integers(0, 3))
    def decide(self, data: Any, choice: Decision, generation: int) -> None:
        """The client answers one of the links that there ever were."""
        one = data.draw(st.sampled_from(list(self.said.values())))
        self.tried(
            lambda: deciding(self.held, one, choice, generation=generation, now=self.now),
            one,
            confirmed=choice is Decision.CONFIRM,
        )

    @precondition(lambda self: self.letters)
    @rule(data=st.data(), told=st.sampled_from(["sent", "bounced", "complained"]))
    def mail(self, data: Any, told: str) -> None:
        """The mail service tells something of a letter, in any order."""
        letter = data.draw(st.sampled_from(self.letters))
        one = self.said[letter.about]
        acts: dict[str, Any] = {
            "sent": lambda: domain.on_sent(self.held, letter, one.gives_notice, now=self.now),
            "bounced": lambda: domain.on_bounced(self.held, letter, now=self.now),
            "complained": lambda: domain.on_complained(self.held, letter, now=self.now),
        }
        self.tried(acts[told], one)

    @rule(hours=st.integers(1, 24 * 8))
    def wait(self, hours: int) -> None:
        """Time passes, and the tick gets everything done that is due."""
        self.now += timedelta(hours=hours)
        for _ in range(20):
            change = domain.attend(self.held, now=self.now)
            if change is None:
                break
            assert self.held.value.due_at is not None
            assert self.held.value.due_at <= self.now
            self.unchanged(change)
            self.take(change)
        due = self.held.value.due_at
        assert due is None or due > self.now

    def tried(
        self, act: Any, one: Declaration, *, heard: bool = False, confirmed: bool = False
    ) -> None:
        """An act, refused or done; standings move for a yes confirmed and a no heard alone."""
        try:
            change = act()
        except DomainError:
            return
        if change is None:
            return
        said = {each.purpose: each.answer for each in one.answers if each.purpose != "notice"}
        for purpose in SHOWN:
            before = self.held.value.standings.get(purpose)
            now = change.root.standings.get(purpose)
            if before == now:
                continue
            assert purpose in said
            assert now is not None
            if said[purpose]:
                assert confirmed
                assert (now.state, now.proof) == (ConsentState.GIVEN, Proof.EMAIL_CLICK)
            else:
                assert heard or confirmed
                assert now.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN)
        self.take(change)

    def unchanged(self, change: Change) -> None:
        """Time alone decides nothing."""
        assert change.root.standings == self.held.value.standings
        assert change.root.notice == self.held.value.notice

    def take(self, change: Change) -> None:
        """The change is written."""
        assert (change.version, change.head) == (self.held.version, self.held.head)
        assert change.due_at == change.root.due_at
        self.letters += [one for one in change.letters if one.template == "confirm_consents"]
        for one in change.letters:
            if one.facts.get("reminder"):
                sending_ = (one.about, one.facts["generation"])
                self.reminders[sending_] = self.reminders.get(sending_, 0) + 1
        before = {one.id: one for one in self.held.value.declarations}
        for one in change.root.declarations:
            known = before.get(one.id)
            if known is not None and known.state is DeclarationState.CONFIRMED:
                assert one.state is DeclarationState.CONFIRMED
        self.held = after(change)

    def state(self, one: Declaration) -> DeclarationState:
        """How far a declaration has come."""
        return self.held.value.declaration(one.declaration_id).state

    @invariant()
    def at_most_one_is_out(self) -> None:
        """R14: one link counts."""
        assert sum(one.state in OUT for one in self.held.value.declarations) <= 1

    @invariant()
    def what_is_out_ends_and_what_is_not_waits_for_nothing(self) -> None:
        """No deadline passes in silence, and none is left behind."""
        for one in self.held.value.declarations:
            assert (one.expires is not None) == (one.state in OUT)
            assert one.remind is None or one.state in OUT

    @invariant()
    def generations_never_fall(self) -> None:
        """R14: a link once dead stays dead; each is reminded of once."""
        for one in self.held.value.declarations:
            assert one.gen >= self.generations.get(one.id, 0)
            self.generations[one.id] = one.gen
        assert all(count == 1 for count in self.reminders.values())


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
