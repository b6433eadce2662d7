"""The acts on a case, against the rules that they hold to: requests, ends, third parties, entry."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.complaints import attention, closing, entry, handling, receipt, requests
from chalicelib.complaints import case as cases
from chalicelib.complaints.case import (
    AlreadyClosed,
    AlreadyDecided,
    AnswerProgress,
    CaseFile,
    Channel,
    Complaint,
    Flag,
    Message,
    NotRegistered,
    Outcome,
    Person,
    State,
    SubmissionRefused,
)
from chalicelib.complaints.entry import Desk, EntryInput, FileInput, PersonInput, ReadBackInput
from chalicelib.complaints.handling import Classes, Corrections, Outside, Way
from chalicelib.complaints.receipt import Submission
from chalicelib.kernel.change import Actor, Change, Held, Letter
from chalicelib.kernel.errors import DomainError
from chalicelib.organisations import domain as organisations
from chalicelib.organisations.domain import House, Role
from chalicelib.policy.engine import ExtensionRefused, ExtensionTooLate
from chalicelib.policy.reasons import why_closing
from chalicelib.policy.suspension import may_close, outlook
from tests.cases import INSURED, WRITER, a_submission
from tests.duly import ADMIN, AGENT, HEAD, a_member, a_settings

RECEIVED = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)  # a Friday, noon in Moscow
OFFICER, CLIENT = Actor("staff", ADMIN), Actor("client")
KEY = cases.key("agencja", "case-1")
SEED, POLAND = "ru-medexpress-2019", "pl-nat-2026-02-13"
ONE = timedelta(days=1)
PACKS = {SEED: "Europe/Moscow", POLAND: "Europe/Warsaw"}


class Digests(dict[str, str]):
    """The digest of any value is the value itself."""

    def __missing__(self, value: str) -> str:
        return value


def the_house(pack: str = SEED) -> House:
    """An organisation under this pack, with an agent and a head."""
    settings = a_settings("ru" if pack == SEED else "pl", time_zone=PACKS[pack], policy_pack=pack)
    admin = a_member(ADMIN, "Anna Admin", Role.ADMIN)
    change = organisations.found("agencja", settings, "salt", admin, now=RECEIVED)
    parts = {part.sk: part.data for part in change.parts}
    members = (
        *parts["STAFF"].members,
        a_member(AGENT, "Ewa Agent", Role.AGENT),
        replace(a_member(HEAD, "Hanna Head", Role.HEAD), department="Szkody"),
    )
    return House(
        held=Held(key=change.key, value=change.root, version=1, head="h"),
        catalogue=parts["CATALOGUE"],
        directory=organisations.Directory(members=members),
    )


HOUSES = {pack: the_house(pack) for pack in PACKS}


def after(change: Change) -> Held[Complaint]:
    """The case once the change is written."""
    return Held(key=change.key, value=change.root, version=change.version + 1, head="h")


def received(pack: str = SEED, *, by: Actor = CLIENT, **changes: Any) -> Held[Complaint]:
    """A case that is not registered yet."""
    house = HOUSES[pack]
    wanted = a_submission(RECEIVED, language=house.settings.languages[0], **changes)
    wanted = receipt.checked(wanted, house.settings, now=RECEIVED)
    return after(
        receipt.receive(KEY, "7K3F9QXM2J", wanted, house, digests=Digests(), by=by, now=RECEIVED)
    )


def registered(pack: str = SEED, **changes: Any) -> Held[Complaint]:
    """A registered case of the writer's own."""
    return after(receipt.register(received(pack, **changes), HOUSES[pack], KEY, now=RECEIVED))


def about_another(pack: str = SEED, **changes: Any) -> Held[Complaint]:
    """A registered case that a third party wrote for an insured, whose address is known."""
    held = registered(pack, **{"insured": INSURED} | changes)
    return with_root(held, proven_email=held.value.addressee.email)


def with_root(held: Held[Complaint], **changes: Any) -> Held[Complaint]:
    """The case with another root."""
    return replace(held, value=replace(held.value, **changes))


def on(day: date) -> datetime:
    """Noon of a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def asked(held: Held[Complaint], day: date, pack: str = SEED, **options: Any) -> Held[Complaint]:
    """The case after one more request on that day."""
    return after(request(held, day, pack, **options))


def request(held: Held[Complaint], day: date, pack: str = SEED, **options: Any) -> Change:
    """One more request, by e-mail, unless it says otherwise."""
    wanted: dict[str, Any] = {
        "ground": "documents",
        "words": "Prosimy o kopię umowy.",
        "answer_by": day + ONE * 5,
        "way": Way(),
        "new_series": False,
    }
    wanted |= options
    return requests.request(
        held,
        wanted["ground"],
        wanted["words"],
        wanted["answer_by"],
        wanted["way"],
        HOUSES[pack],
        new_series=wanted["new_series"],
        by=OFFICER,
        now=on(day),
    )


def suspend(held: Held[Complaint], day: date, ground: str = "documents", **options: Any) -> Change:
    """Close as suspended on that day."""
    wanted: dict[str, Any] = {"way": Way(), "obtainable": False} | options
    return requests.suspend(
        held,
        ground,
        "",
        wanted["way"],
        HOUSES[SEED],
        obtainable=wanted["obtainable"],
        language="en",
        by=OFFICER,
        now=on(day),
    )


def told(change: Change) -> list[tuple[str, str]]:
    """Which letters are promised, and to whom."""
    return [(one.template, one.to) for one in change.letters]


def said(change: Change) -> cases.Said:
    """The words that the change keeps."""
    found = [part.data for part in change.parts if part.sk.startswith("SAID#")]
    assert len(found) == 1
    words: cases.Said = found[0]
    return words


DAY = date(2026, 11, 6)
MAIL = Way()


# Requests: the routes' act against the pure engine


@given(st.lists(st.integers(0, 16), min_size=1, max_size=6), st.booleans())
def test_a_request_goes_exactly_when_the_engine_says(gaps: list[int], own: bool) -> None:
    """Day by day: refused before the window, a new series after it, else counted (M64, M68-M71)."""
    held = registered()
    if own:
        held = after(
            requests.set_interval(
                held, 2, 12, "письмо клиента", HOUSES[SEED], by=OFFICER, now=RECEIVED
            )
        )
    least, most = (2, 12) if own else (5, 10)
    day, sent = DAY, list[date]()
    for gap in gaps:
        day += ONE * gap
        seen = requests.outlook(held.value, day)
        assert seen is not None
        case = held.value
        before = outlook(case.policy, case.facts, case.calendar, case.asked("documents"), today=day)
        assert seen == before
        if day < seen.next_from:
            assert sent and gap < least
            with pytest.raises(requests.RequestTooEarly) as early:
                request(held, day)
            assert seen.next_from.isoformat() in str(early.value)
            day -= ONE * gap
            continue
        if sent and gap > most:
            with pytest.raises(requests.RequestTooLate):
                request(held, day)
            assert seen.next_by is None
        held = asked(held, day, new_series=True)
        sent.append(day)
        assert [one.sent_on for one in held.value.requests] == sent
        assert [one.n for one in held.value.requests] == list(range(1, len(sent) + 1))
        now = requests.outlook(held.value, day)
        assert now is not None and 1 <= now.counted <= now.needed == 3


@given(
    st.lists(st.integers(5, 10), min_size=0, max_size=4),
    st.integers(0, 45),
    st.sampled_from(["permission", "documents", "own_request", "weather"]),
    st.booleans(),
    st.booleans(),
)
def test_a_case_is_suspended_exactly_when_the_engine_allows_it(
    gaps: list[int], later: int, ground: str, obtainable: bool, extended: bool
) -> None:
    """Refused with the reason's own code, and the reason as a sentence (M62-M70, M72)."""
    held, day = asked(registered(), DAY), DAY
    if extended:
        held = after(extend(held, DAY, DAY + ONE * 70))
    for gap in gaps:
        day += ONE * gap
        held = asked(held, day)
    day += ONE * later
    case = held.value
    verdict = may_close(
        case.policy,
        case.facts,
        case.calendar,
        case.asked(ground),
        ground=ground,
        today=day,
        obtainable=obtainable,
    )
    if verdict.allowed:
        closed = suspend(held, day, ground, obtainable=obtainable)
        assert closed.root.state is State.CLOSED_SUSPENDED
        return
    with pytest.raises(requests.REFUSALS[verdict.reason]) as refusal:
        suspend(held, day, ground, obtainable=obtainable)
    assert str(refusal.value) == why_closing(verdict, "en")


def test_who_was_asked_for_documents_was_not_asked_for_a_permission() -> None:
    """M64, M68: each ground counts its own requests; asking for the one bars not the other."""
    held = after(extend(registered(), DAY, DAY + ONE * 70))
    for n in (0, 5, 10):
        held = asked(held, DAY + ONE * n)
    with pytest.raises(requests.SuspensionRequestsMissing):
        suspend(held, DAY + ONE * 45, "permission")
    both = asked(held, DAY + ONE * 10, ground="permission")
    assert suspend(both, DAY + ONE * 45, "documents").root.closed is not None
    with pytest.raises(requests.SuspensionRequestsMissing):
        suspend(both, DAY + ONE * 45, "permission")
    seen = requests.outlook(both.value, DAY + ONE * 10)
    assert seen is not None and seen.counted == 1


def test_every_reason_of_the_engine_has_a_refusal_of_its_own() -> None:
    """No reason falls through, and none shares its code (M62-M72)."""
    from typing import get_args

    from chalicelib.policy.suspension import Reason

    assert set(requests.REFUSALS) == set(get_args(Reason)) - {"allowed"}
    assert len({one.code for one in requests.REFUSALS.values()}) == len(requests.REFUSALS)


def test_three_requests_and_thirty_days_never_fit_into_the_seeds_thirty_days() -> None:
    """Told at the first request; in the end an answer is due, not a suspension (D19, M52)."""
    first = request(registered(), DAY)
    assert first.event.body["fit"] == "if_extended"
    held = after(first)
    view = requests.outlook(held.value, DAY)
    assert view is not None
    assert (view.fit, view.first_closing) == ("if_extended", date(2026, 12, 16))
    assert held.value.answer_due is not None
    assert held.value.answer_due.limit == date(2026, 12, 6)
    for day in (DAY + ONE * 5, DAY + ONE * 10):
        held = asked(held, day)
    with pytest.raises(requests.SuspensionWaits):
        suspend(held, date(2026, 12, 6))
    with pytest.raises(requests.SuspensionAnswerDue):
        suspend(held, date(2026, 12, 16))
    extended = after(extend(held, date(2026, 12, 1), date(2027, 1, 10)))
    closed = suspend(extended, date(2026, 12, 16))
    assert closed.root.state is State.CLOSED_SUSPENDED


def test_each_ground_closes_in_its_own_wording() -> None:
    """Three distinct wordings, in the language of the case (M73)."""
    held = registered()
    grounds = ("documents", "permission")
    ripe = {"requests": tuple(asked_on(DAY + ONE * n, g) for n in (0, 5, 10) for g in grounds)}
    extended = {"extension": cases.Extension(to=date(2027, 2, 1), reason="documents", at=RECEIVED)}
    own = {"own_request_on": DAY}
    held = with_root(held, **ripe, **extended, **own)
    words = {}
    for ground in ("permission", "documents", "own_request"):
        change = suspend(held, date(2026, 12, 20), ground)
        words[ground] = said(change).wording
        assert change.root.closed.reason == ground
        assert told(change) == [("suspended", "writer")]
        assert set(change.letters[0].facts) == {receipt.ALLOWED_FOR}
        assert change.letters[0].about == said(change).said_id
    assert len(set(words.values())) == 3
    assert all("закрываем" in one for one in words.values())


def asked_on(day: date, ground: str) -> cases.Request:
    """A request of that day."""
    return cases.Request(n=1, ground=ground, sent_on=day, answer_by=day + ONE, channel="email")


def test_the_clients_own_request_needs_no_count_and_no_wait() -> None:
    """M72: his written request, at once; without it not."""
    held = registered()
    with pytest.raises(requests.SuspensionNotAsked):
        suspend(held, DAY, "own_request")
    held = after(requests.own_request(held, DAY, "письмо", HOUSES[SEED], by=OFFICER, now=on(DAY)))
    assert suspend(held, DAY, "own_request").root.state is State.CLOSED_SUSPENDED
    for day in (DAY - ONE, DAY + ONE):
        with pytest.raises(SubmissionRefused):
            requests.own_request(held, day, "письмо", HOUSES[SEED], by=OFFICER, now=on(DAY))


def test_what_went_by_post_counts_from_the_day_of_posting() -> None:
    """M64: the request is written, and no letter by e-mail is promised for it."""
    held = registered()
    posted = Way(channel="post", posted_on=DAY + ONE)
    change = request(held, DAY + ONE * 3, way=posted, answer_by=DAY + ONE * 20)
    assert change.root.requests[0].sent_on == DAY + ONE
    assert change.root.requests[0].channel == "post"
    assert told(change) == []
    assert said(change).posted_on == DAY + ONE
    for wrong in (None, DAY - ONE, DAY + ONE * 4):
        with pytest.raises(SubmissionRefused) as refusal:
            request(held, DAY + ONE * 3, way=Way(channel="post", posted_on=wrong))
        assert refusal.value.field == "posted_on"


def test_a_request_says_what_and_by_when() -> None:
    """M62, M66: one of the two grounds, words, a day to answer by that lies ahead."""
    held = registered()
    for options, field in (
        ({"ground": "own_request"}, "ground"),
        ({"words": " "}, "text"),
        ({"answer_by": DAY}, "answer_by"),
        ({"answer_by": DAY + ONE * 91}, "answer_by"),
    ):
        with pytest.raises(SubmissionRefused) as refusal:
            request(held, DAY, **options)
        assert refusal.value.field == field
    change = request(held, DAY)
    assert told(change) == [("data_requested", "writer")]
    assert change.root.state is State.AWAITING_INFORMATION
    assert said(change).until == DAY + ONE * 5
    assert said(change).text == "Prosimy o kopię umowy."
    assert "kopię" not in str(change.event.body)


def test_a_pack_without_the_three_requests_still_lets_documents_be_asked_for() -> None:
    """M46: no window binds where the rules name none, and no suspension follows."""
    held = asked(registered(POLAND), DAY, POLAND)
    held = asked(held, DAY + ONE, POLAND)
    assert len(held.value.requests) == 2
    assert requests.outlook(held.value, DAY) is None
    assert requests.may_suspend(held.value, "documents", DAY).reason == "no_such_ground"


# More time, and the ends


def extend(held: Held[Complaint], day: date, to: date, pack: str = SEED, **options: Any) -> Change:
    """More time, with all that the pack wants said."""
    wanted: dict[str, Any] = {
        "reason": "documents" if pack == SEED else "complex",
        "elements": dict.fromkeys(held.value.policy.letters["extension"], "Потому что."),
        "way": Way(),
    }
    wanted |= options
    return closing.extend(
        held,
        to,
        wanted["reason"],
        wanted["elements"],
        wanted["way"],
        HOUSES[pack],
        by=OFFICER,
        now=on(day),
    )


def test_an_extension_says_all_that_the_pack_wants() -> None:
    """M53: reason and expected day here, also what is still to be established in Poland."""
    for pack in PACKS:
        held = registered(pack)
        wanted = held.value.policy.letters["extension"]
        for name in wanted:
            for blank in ({}, {name: "  "}):
                elements = {one: "Słowa" for one in wanted if one != name} | blank
                with pytest.raises(closing.ElementMissing) as refusal:
                    extend(held, DAY, DAY + ONE * 45, pack, elements=elements)
                assert refusal.value.field == f"elements.{name}"
        with pytest.raises(SubmissionRefused):
            elements = dict.fromkeys([*wanted, "weather"], "Słowa")
            extend(held, DAY, DAY + ONE * 45, pack, elements=elements)
        change = extend(held, DAY, DAY + ONE * 45, pack)
        assert change.root.state is State.EXTENDED
        assert change.root.answer_due.limit == DAY + ONE * 45
        assert told(change) == [("answer_extended", "writer")]
        assert set(said(change).elements) == set(wanted)
        assert said(change).until == DAY + ONE * 45
        assert said(change).wording


def test_an_extension_keeps_to_the_packs_limits() -> None:
    """D6: no upper limit in the seed, sixty days from receipt in Poland; M53: before it is due."""
    assert extend(registered(), DAY, DAY + ONE * 400).root.extension.to == DAY + ONE * 400
    poland = registered(POLAND)
    assert extend(poland, DAY, DAY + ONE * 60, POLAND)
    with pytest.raises(ExtensionRefused) as refusal:
        extend(poland, DAY, DAY + ONE * 61, POLAND)
    assert refusal.value.field == "to"
    with pytest.raises(ExtensionRefused) as refusal:
        extend(poland, DAY, DAY + ONE * 45, POLAND, reason="holidays")
    assert refusal.value.field == "reason"
    with pytest.raises(ExtensionTooLate):
        extend(registered(), date(2026, 12, 7), DAY + ONE * 60)


def leave(held: Held[Complaint], reason: str, day: date = DAY, way: Way | None = MAIL) -> Change:
    """Leave it without an answer."""
    return closing.leave_unanswered(held, reason, "", way, HOUSES[SEED], by=OFFICER, now=on(day))


def test_a_case_is_left_unanswered_for_six_reasons_alone() -> None:
    """M56-M61: a closed list; each in its own words, to the writer."""
    held = registered()
    assert len(held.value.policy.no_answer) == 6
    wordings = set()
    for reason in held.value.policy.no_answer:
        change = leave(held, reason)
        assert change.root.state is State.CLOSED_UNANSWERED
        assert change.root.closed.reason == reason
        assert told(change) == [("not_answered", "writer")]
        wordings.add(said(change).wording)
    assert len(wordings) == 6
    with pytest.raises(closing.NoAnswerUnknown):
        leave(held, "not_interesting")
    with pytest.raises(closing.NoAnswerUnknown):  # Poland's rules know no such end
        leave(registered(POLAND), "repeated")


def test_the_decision_to_leave_unanswered_is_taken_by_the_thirtieth_day() -> None:
    """M54: on the 30th day from registration, not on the 31st."""
    held = registered()
    assert leave(held, "repeated", DAY + ONE * 30).root.state is State.CLOSED_UNANSWERED
    with pytest.raises(closing.NoAnswerTooLate):
        leave(held, "repeated", DAY + ONE * 31)


def test_nobody_is_told_only_where_nobody_can_be() -> None:
    """M56, M57: unreadable or unidentified, and without any address; else they are told."""
    nobody = registered(writer=Person(name="Iwan"), contract_number="")
    for reason in nobody.value.policy.no_answer:
        if reason in ("unreadable", "unidentified"):
            change = leave(nobody, reason, way=None)
            assert (told(change), change.root.state) == ([], State.CLOSED_UNANSWERED)
        else:
            with pytest.raises(SubmissionRefused):
                leave(nobody, reason, way=None)
        with pytest.raises(handling.AddresseeUnreachable):
            leave(nobody, reason)
    with pytest.raises(SubmissionRefused):
        leave(registered(), "unreadable", way=None)


def test_what_is_no_submission_goes_on_with_a_note() -> None:
    """M26, M30: to the ordinary process; the note is for staff and is in no letter."""
    house = HOUSES[SEED]
    change = closing.route_out(
        registered(), "заявление на выплату, передано", "", Way(), house, by=OFFICER, now=RECEIVED
    )
    assert change.root.state is State.ROUTED_OUT
    assert told(change) == [("routed_out", "writer")]
    assert "выплату" in change.event.body["note"]
    assert "выплату" not in said(change).text


def test_what_contests_a_court_goes_back_with_the_way_to_appeal() -> None:
    """M50: returned to the sender, with an explanation that must be there."""
    house = HOUSES[SEED]
    change = closing.return_court(
        registered(), "Апелляция подаётся за месяц.", Way(), house, by=OFFICER, now=RECEIVED
    )
    assert (change.root.state, change.root.closed.reason) == (State.RETURNED, "court")
    assert told(change) == [("court_returned", "writer")]
    assert said(change).text == "Апелляция подаётся за месяц."
    with pytest.raises(SubmissionRefused):
        closing.return_court(registered(), "", Way(), house, by=OFFICER, now=RECEIVED)


def test_an_answer_that_left_is_the_only_end() -> None:
    """M55: no other letter overtakes it."""
    sent = AnswerProgress(
        answer_id="a", outcome=Outcome.UPHELD, by=ADMIN, drafted_at=RECEIVED, channel="email"
    )
    held = with_root(registered(), answer=sent, own_request_on=DAY)
    house = HOUSES[SEED]
    ends: list[Callable[[], Change]] = [
        lambda: leave(held, "repeated"),
        lambda: extend(held, DAY, DAY + ONE * 45),
        lambda: suspend(held, DAY, "own_request"),
        lambda: closing.route_out(held, "n", "", Way(), house, by=OFFICER, now=RECEIVED),
        lambda: closing.return_court(held, "n", Way(), house, by=OFFICER, now=RECEIVED),
    ]
    for act in ends:
        with pytest.raises(closing.AnswerLeaves):
            act()


def test_a_duplicate_never_gives_more_time() -> None:
    """The case that stays is due no later, is open, and is the same person's."""
    first, later = registered(), replace(registered(), key=cases.key("agencja", "case-2"))
    later = with_root(later, reference="7K3F9QXM3G", received_at=RECEIVED + ONE * 7)
    later = with_root(later, registered_at=RECEIVED + ONE * 7)
    house = HOUSES[SEED]
    change = closing.close_duplicate(later, first, house, by=OFFICER, now=RECEIVED + ONE * 8)
    assert change.root.state is State.CLOSED_DUPLICATE
    assert change.root.duplicate_of == "case-1"
    assert told(change) == []
    linked = closing.link_duplicate(first, "case-2", house, by=OFFICER, now=RECEIVED)
    assert linked.root.duplicates == ("case-2",)
    assert linked.root.answer_due == first.value.answer_due
    with pytest.raises(closing.DuplicateDueEarlier):
        closing.require_same(later.value, first.value)
    with pytest.raises(closing.DuplicateRefused):
        closing.require_same(first.value, first.value)
    stranger = with_root(later, writer=Person(name="Ktoś", email="inny@klient.example"))
    with pytest.raises(closing.DuplicateRefused):
        closing.require_same(first.value, stranger.value)
    with pytest.raises(AlreadyClosed):
        closing.require_same(leave(first, "repeated").root, later.value)


def test_one_writer_for_two_insured_made_no_duplicates() -> None:
    """D7: who is answered decides, not who wrote."""
    other = Person(name="Maria Ubezpieczona", email="maria@ubezpieczony.example")
    first, second = about_another().value, about_another(insured=other).value
    second = replace(second, reference="7K3F9QXM3G")
    with pytest.raises(closing.DuplicateRefused):
        closing.require_same(first, second)


# Third parties


def every_letter(held: Held[Complaint]) -> list[tuple[str, Callable[[], Change]]]:
    """Every act that tells the client something, on a case in which each may be done."""
    house = HOUSES[SEED]
    held = with_root(held, own_request_on=DAY)
    return [
        ("request", lambda: request(held, DAY)),
        ("suspend", lambda: suspend(held, DAY, "own_request")),
        ("extend", lambda: extend(held, DAY, DAY + ONE * 45)),
        ("no answer", lambda: leave(held, "repeated")),
        (
            "route out",
            lambda: closing.route_out(held, "n", "", Way(), house, by=OFFICER, now=RECEIVED),
        ),
        (
            "return",
            lambda: closing.return_court(held, "n", Way(), house, by=OFFICER, now=RECEIVED),
        ),
    ]


def test_everything_is_said_to_the_insured_alone() -> None:
    """M37: never to the writer; M40: to the writer once an authority was seen."""
    held = about_another()
    assert held.value.question is not None
    for name, act in every_letter(held):
        assert [to for _, to in told(act())] == ["insured"], name
    granted = after(
        handling.record_authority(held, "доверенность", HOUSES[SEED], by=OFFICER, now=RECEIVED)
    )
    for name, act in every_letter(granted):
        assert [to for _, to in told(act())] == ["writer"], name


def test_nothing_is_said_to_an_insured_who_was_not_asked_or_said_no() -> None:
    """M38: the question comes first; D7: after a no, nothing but the end."""
    unasked = about_another(insured=Person(name="Jan"))
    assert unasked.value.question is None
    for name, act in every_letter(unasked):
        with pytest.raises(handling.InsuredNotAsked):
            act()
        assert name
    denied = after(insured_says(about_another(), "not_mine"))
    for name, act in every_letter(denied):
        with pytest.raises(handling.InsuredDenied):
            act()
        assert name


def insured_says(held: Held[Complaint], decision: Any, how: str = "telefon") -> Change:
    """What the insured told staff."""
    return handling.insured_answered(held, decision, how, HOUSES[SEED], by=OFFICER, now=RECEIVED)


def test_nothing_is_said_to_an_address_that_the_writer_alone_named() -> None:
    """M37: it may be a second mailbox of theirs; an officer establishes whose it is, then it is."""
    house, held = HOUSES[SEED], with_root(about_another(), proven_email="")
    held = after(insured_says(held, "mine", "link"))
    for name, act in every_letter(held):
        with pytest.raises(handling.AddressUnproven):
            act()
        assert name
    posted = asked(held, DAY, way=Way(channel="post", posted_on=DAY))
    assert posted.value.open_request is not None
    change = handling.prove_address(held, " z umowy ", house, by=OFFICER, now=RECEIVED)
    assert (change.event.kind, change.event.body) == ("address_proven", {"how": "z umowy"})
    for name, act in every_letter(after(change)):
        assert [to for _, to in told(act())] == ["insured"], name
    with pytest.raises(handling.AddressAlreadyProven):
        handling.prove_address(after(change), "x", house, by=OFFICER, now=RECEIVED)
    for other, refusal in (
        (registered(), handling.ThirdPartyOnly),
        (about_another(insured=Person(name="Jan")), handling.AddresseeUnreachable),
    ):
        with pytest.raises(refusal):
            handling.prove_address(other, "x", house, by=OFFICER, now=RECEIVED)


def test_another_address_is_unproven_and_a_click_at_the_wrong_one_was_nobodys() -> None:
    """M37, M38: what was clicked at an address that was not theirs, the insured never said."""
    elsewhere = replace(INSURED, email="nowy@ubezpieczony.example")
    for proven, how, decision in (
        (INSURED.email, "link", "mine"),
        ("", "telefon", "mine"),
        ("", "link", ""),
    ):
        held = with_root(about_another(), proven_email=proven)
        moved = correct(after(insured_says(held, "mine", how)), insured=elsewhere)
        assert moved.root.question.decision == decision
        assert not moved.root.may_email


def test_a_denial_closes_only_after_an_officers_look() -> None:
    """D7: a notice to the officer, then an act of theirs; nobody is written to."""
    house, held = HOUSES[SEED], about_another()
    with pytest.raises(closing.NotDenied):
        closing.close_not_on_behalf(held, house, by=OFFICER, now=RECEIVED)
    change = insured_says(held, "not_mine")
    assert change.root.is_open
    assert {one.step for one in change.notices} == {"insured_denied"}
    closed = closing.close_not_on_behalf(after(change), house, by=OFFICER, now=RECEIVED)
    assert closed.root.state is State.CLOSED_NOT_ON_BEHALF
    assert told(closed) == []
    with pytest.raises(AlreadyDecided):
        insured_says(after(change), "mine")
    with pytest.raises(handling.ThirdPartyOnly):
        closing.close_not_on_behalf(registered(), house, by=OFFICER, now=RECEIVED)


def test_the_question_is_asked_by_post_where_there_is_no_address() -> None:
    """D7, M38: by post on a day; the day of the answer stands."""
    house, held = HOUSES[SEED], about_another(insured=Person(name="Jan"))
    with pytest.raises(handling.AddresseeUnreachable):
        handling.ask_insured(held, house, by=OFFICER, now=RECEIVED)
    change = handling.insured_posted(held, DAY, house, by=OFFICER, now=on(DAY))
    assert change.root.question.posted_on == DAY
    assert change.root.answer_due == held.value.answer_due
    assert insured_says(after(change), "mine").root.question.decision == "mine"


def test_asking_again_ends_the_link_before() -> None:
    """R14, M38: each link has a generation of its own, whoever changes what in between."""
    house, held = HOUSES[SEED], about_another()
    again = handling.ask_insured(held, house, by=OFFICER, now=RECEIVED)
    assert told(again) == [("insured_asked", "insured")]
    assert again.letters[0].facts == {"generation": 2}
    moved = correct(after(again), insured=replace(INSURED, email="nowy@ubezpieczony.example"))
    assert told(moved) == [("insured_asked", "insured")]
    assert moved.root.question.generation == 3
    gone = correct(after(moved), insured=replace(INSURED, email=""))
    assert gone.root.question.generation == 4
    assert told(gone) == []


def test_another_insured_has_not_said_anything_yet() -> None:
    """M38: a yes is of the person who gave it; a corrected address of theirs keeps it."""
    held = after(insured_says(about_another(), "mine"))
    moved = correct(held, insured=replace(INSURED, email="nowy@ubezpieczony.example"))
    assert moved.root.question.decision == "mine"
    other = correct(held, insured=Person(name="Maria Inna", email="maria@inna.example"))
    assert other.root.question.decision == ""
    assert other.root.question.generation == 2
    assert told(other) == [("insured_asked", "insured")]


def test_another_insured_is_told_nothing_before_they_were_asked() -> None:
    """M38: who was asked before was somebody else; without an e-mail the question goes by post."""
    held = after(correct(about_another(), insured=Person(name="Maria Inna")))
    way = Way(channel="post", posted_on=DAY)
    with pytest.raises(handling.InsuredNotAsked):
        asked(held, DAY, way=way)
    posted = after(handling.insured_posted(held, DAY, HOUSES[SEED], by=OFFICER, now=on(DAY)))
    assert asked(posted, DAY, way=way).value.open_request is not None


@pytest.mark.parametrize("email", [WRITER.email, WRITER.email.upper()])
def test_the_writers_own_address_is_none_of_the_insured(email: str) -> None:
    """M37, D7: who names their own mailbox as the insured's is not asked in the insured's place."""
    held = about_another(insured=replace(INSURED, email=email))
    assert held.value.insured == replace(INSURED, email="")
    assert held.value.question is None
    with pytest.raises(handling.InsuredNotAsked):
        asked(held, DAY)
    with pytest.raises(SubmissionRefused) as refused:
        correct(held, insured=replace(INSURED, email=email))
    assert refused.value.field == "insured.email"
    with pytest.raises(SubmissionRefused):
        correct(about_another(), writer=replace(WRITER, email=INSURED.email))


# What is known


def correct(held: Held[Complaint], **changes: Any) -> Change:
    """Correct people and numbers."""
    return handling.correct(
        held,
        Corrections(**changes),
        HOUSES[SEED],
        digests=Digests(),
        by=OFFICER,
        now=RECEIVED,
    )


def test_lookups_follow_a_correction() -> None:
    """M10, M14: found by the new values, and no longer by the old ones."""
    held = registered()
    change = correct(
        held, writer=replace(WRITER, email="nowa@klient.example"), contract_number="CD-9"
    )
    pointers = {(one.kind, one.digest, one.remove) for one in change.lookups}
    assert pointers == {
        ("CASEEMAIL", WRITER.email, True),
        ("CASEEMAIL", "nowa@klient.example", False),
        ("CASECONTRACT", "AB-123", True),
        ("CASECONTRACT", "CD-9", False),
    }
    assert correct(held, claim_number="").root == held.value
    assert change.event.body["contract_number"] == ["AB-123", "CD-9"]
    assert "claim_number" not in change.event.body


def test_a_correction_makes_nobody_anonymous() -> None:
    """M34: an open case has somebody to be answered, or a number."""
    with pytest.raises(SubmissionRefused):
        correct(registered(), writer=Person(), contract_number="", claim_number="")


def test_whom_it_was_written_for_can_be_named_later() -> None:
    """M9, M36: then the third-party rule binds at once, and the insured is asked."""
    change = correct(registered(), insured=INSURED)
    assert change.root.third_party
    assert told(change) == [("insured_asked", "insured"), ("third_party_taken", "writer")]


def test_whoever_could_not_be_told_is_told_once_there_is_an_address() -> None:
    """M45, M39: the receipt, or the fixed text where the writer stands outside; at each address."""
    silent: dict[str, Any] = {"writer": Person(name="Iwan")}
    for held, template in (
        (registered(**silent), "submission_taken"),
        (registered(**silent, kind=cases.Kind.GRATITUDE), "gratitude_thanked"),
        (about_another(**silent), "third_party_taken"),
    ):
        change = correct(held, writer=Person(name="Iwan", email="iwan@klient.example"))
        assert told(change) == [(template, "writer")]
        again = correct(after(change), writer=Person(name="Jan", email="jan@klient.example"))
        assert told(again) == [(template, "writer")]
        same = correct(after(again), writer=Person(name="Jan K", email="Jan@klient.example"))
        assert told(same) == []
    paper = registered(**silent, channel=Channel.POST, paper=True)
    assert told(correct(paper, writer=Person(name="I", email="iwan@klient.example"))) == []
    suspect = registered(**silent, flags=(Flag.SPAM_SUSPECT,))
    assert told(correct(suspect, writer=Person(name="I", email="iwan@klient.example"))) == []


def test_an_authority_needs_an_insured_and_a_document() -> None:
    """M40: staff who saw it, what it was, when."""
    house = HOUSES[SEED]
    change = handling.record_authority(
        about_another(), "доверенность 77 АВ", house, by=OFFICER, now=RECEIVED
    )
    assert change.root.authority.by == ADMIN
    assert not change.root.third_party
    with pytest.raises(SubmissionRefused):
        handling.record_authority(registered(), "x", house, by=OFFICER, now=RECEIVED)
    with pytest.raises(NotRegistered):
        handling.record_authority(received(insured=INSURED), "x", house, by=OFFICER, now=RECEIVED)


def test_a_case_is_given_to_who_handles_cases() -> None:
    """M19, M32: not to an agent, not to a stranger; who gets it is told, who takes it is not."""
    house, held = HOUSES[SEED], registered()
    change = handling.assign(held, HEAD, "Szkody", house, by=OFFICER, now=RECEIVED)
    assert (change.root.assignee, change.root.department) == (HEAD, "Szkody")
    assert change.root.state is State.IN_REVIEW
    assert [(one.person, one.step) for one in change.notices] == [(HEAD, "assigned")]
    mine = handling.assign(held, ADMIN, "", house, by=OFFICER, now=RECEIVED)
    assert mine.notices == ()
    assert handling.assign(after(mine), "", "", house, by=OFFICER, now=RECEIVED).root.assignee == ""
    for wrong in (AGENT, "a9999999-9999-4999-8999-999999999999"):
        with pytest.raises(SubmissionRefused):
            handling.assign(held, wrong, "", house, by=OFFICER, now=RECEIVED)


def test_the_register_takes_no_department_that_is_not_the_organisations() -> None:
    """M35, M85: its line outlives the case; whoever types a department may type a person."""
    house, held = HOUSES[SEED], registered()
    named = handling.assign(held, HEAD, " szkody ", house, by=OFFICER, now=RECEIVED)
    assert named.root.department == "Szkody"
    with pytest.raises(SubmissionRefused):
        handling.assign(held, HEAD, "Dr Nowak", house, by=OFFICER, now=RECEIVED)
    with pytest.raises(SubmissionRefused):
        handling.classify(held, Classes(department="Dr N"), house, by=OFFICER, now=RECEIVED)


def test_why_it_came_about_may_be_said_after_the_end() -> None:
    """M23, M24: the cause is often known only once it was looked into; nothing else changes."""
    house = HOUSES[SEED]
    ended = replace(registered().value, closed=cases.Closed(state=State.ANSWERED, at=RECEIVED))
    held = replace(registered(), value=ended)
    given = Classes(cause="delay", department="Szkody")
    change = handling.classify(held, given, house, by=OFFICER, now=RECEIVED)
    assert (change.root.cause, change.root.department) == ("delay", "Szkody")
    for wrong in (
        Classes(kind=cases.Kind.REQUEST),
        Classes(vulnerable=False, cause="delay"),
        Classes(product=""),
    ):
        with pytest.raises(AlreadyClosed):
            handling.classify(held, wrong, house, by=OFFICER, now=RECEIVED)


def test_classes_change_and_the_audience_does_not() -> None:
    """M11, M23, M25-M28: kind, product, cause, department, vulnerable; the rest stays."""
    held = registered()
    given = Classes(kind=cases.Kind.REQUEST, product="travel", cause="slow_reply", vulnerable=True)
    change = handling.classify(held, given, HOUSES[SEED], by=OFFICER, now=RECEIVED)
    root = change.root
    assert (root.kind, root.product, root.cause, root.vulnerable) == (
        *(cases.Kind.REQUEST, "travel", "slow_reply", True),
    )
    assert (root.audience, root.department) == (held.value.audience, held.value.department)
    assert change.event.body == {
        "kind": "request",
        "product": "travel",
        "cause": "slow_reply",
        "vulnerable": True,
    }
    for wrong in (Classes(product="umbrella"), Classes(cause="Jan Kowalski")):
        with pytest.raises(SubmissionRefused):
            handling.classify(held, wrong, HOUSES[SEED], by=OFFICER, now=RECEIVED)


def test_a_contact_is_logged_with_whom_when_and_what() -> None:
    """M88: a part of its own; the event names it and holds none of the words."""
    held = registered()
    change = handling.contact(
        held,
        "call_out",
        "writer",
        RECEIVED,
        "Rozmowa o dokumentach.",
        HOUSES[SEED],
        by=OFFICER,
        now=RECEIVED + ONE,
    )
    kept = next(part.data for part in change.parts if part.sk.startswith("LOG#"))
    assert (kept.kind, kept.whom, kept.at, kept.by) == ("call_out", "writer", RECEIVED, ADMIN)
    assert "dokumentach" not in str(change.event.body)
    assert change.root == held.value
    with pytest.raises(SubmissionRefused):
        handling.contact(
            held,
            "meeting",
            "writer",
            RECEIVED + ONE * 3,
            "x",
            HOUSES[SEED],
            by=OFFICER,
            now=RECEIVED + ONE,
        )


def test_receipt_of_a_paper_is_confirmed_on_request() -> None:
    """M48: paper only when asked, electronic always, so not again; no third party (M39)."""
    house = HOUSES[SEED]
    paper = registered(channel=Channel.POST, paper=True)
    change = handling.acknowledge(paper, Way(), house, by=OFFICER, now=RECEIVED)
    assert told(change) == [("submission_taken", "writer")]
    posted = Way(channel="post", posted_on=DAY)
    assert told(handling.acknowledge(paper, posted, house, by=OFFICER, now=RECEIVED)) == []
    for again in (after(change), registered()):
        with pytest.raises(handling.AlreadyAcknowledged):
            handling.acknowledge(again, Way(), house, by=OFFICER, now=RECEIVED)
    third = about_another(channel=Channel.POST, paper=True)
    with pytest.raises(handling.WriterStandsOutside):
        handling.acknowledge(third, Way(), house, by=OFFICER, now=RECEIVED)


NO_EMAIL = replace(WRITER, email="")


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({"channel": Channel.POST, "paper": True, "acknowledge": True}, True),
        ({"channel": Channel.POST, "paper": True}, False),
        ({"channel": Channel.FORM}, True),
        ({"channel": Channel.FORM, "writer": Person(name="Łucja Żółć")}, False),
        ({"channel": Channel.FORM, "writer": WRITER}, False),
        ({"channel": Channel.POST, "paper": True, "insured": INSURED}, True),
    ],
)
def test_receipt_is_confirmed_by_post_where_there_is_no_email(
    changes: dict[str, Any], owed: bool
) -> None:
    """M39, M48: an officer is told, reminded on open days, and records the posting once."""
    house = HOUSES[SEED]
    held = received(**{"writer": NO_EMAIL} | changes)
    change = receipt.register(held, house, KEY, now=RECEIVED)
    assert ("receipt_by_post" in {one.step for one in change.notices}) is owed
    case = after(change)
    ahead = attention.steps(case.value, house.settings.complaints)
    assert ("receipt_by_post" in {one.kind for one in ahead}) is owed
    if not owed:
        return
    with pytest.raises(DomainError):
        handling.acknowledge(case, Way(), house, by=OFFICER, now=RECEIVED)
    way = Way(channel="post", posted_on=DAY)
    done = handling.acknowledge(case, way, house, by=OFFICER, now=RECEIVED)
    assert (told(done), done.root.acknowledged_on) == ([], DAY)
    ahead = attention.steps(done.root, house.settings.complaints)
    assert "receipt_by_post" not in {one.kind for one in ahead}
    with pytest.raises(handling.AlreadyAcknowledged):
        handling.acknowledge(after(done), way, house, by=OFFICER, now=RECEIVED)


def test_a_suspected_mass_mailing_is_confirmed_once_an_officer_looked() -> None:
    """M48, M60: no automatic answer to a machine, and none withheld from a person for good."""
    held = registered(flags=(Flag.SPAM_SUSPECT,))
    change = handling.acknowledge(held, Way(), HOUSES[SEED], by=OFFICER, now=RECEIVED)
    assert told(change) == [("submission_taken", "writer")]
    assert change.root.flags == ()


def test_a_hold_stops_the_time_of_keeping() -> None:
    """M85, D8: due for erasure from closing, unless held; the end of the hold counts it again."""
    house = HOUSES[SEED]
    closed = after(leave(registered(), "repeated"))
    on_hold = handling.hold(closed, "spór", house, by=OFFICER, now=RECEIVED)
    assert on_hold.due_at is None
    ended = handling.end_hold(after(on_hold), house, by=OFFICER, now=RECEIVED)
    assert ended.due_at is not None
    assert ended.due_at.date() >= date(2028, 11, 6)
    gone = with_root(closed, erasure="done")
    with pytest.raises(handling.Erased):
        handling.hold(gone, "spór", house, by=OFFICER, now=RECEIVED)


def test_stages_outside_are_recorded_before_and_after_the_end() -> None:
    """Issue 3, 7: ombudsman, regulator, court, each with the day by which to answer it."""
    house = HOUSES[SEED]
    stage = Outside(body="ombudsman", stage="opened", on=DAY, answer_by=DAY + ONE * 20)
    for held in (registered(), after(leave(registered(), "repeated"))):
        change = handling.record_outside(held, stage, house, by=OFFICER, now=on(DAY))
        assert change.root.outside[0].answer_by == DAY + ONE * 20
    for wrong, field in (
        (Outside(body="court", stage="opened", on=DAY + ONE), "on"),
        (Outside(body="court", stage="opened", on=DAY, answer_by=DAY - ONE), "answer_by"),
    ):
        with pytest.raises(SubmissionRefused) as refusal:
            handling.record_outside(registered(), wrong, house, by=OFFICER, now=on(DAY))
        assert refusal.value.field == field


def test_a_held_file_is_released_by_somebody_for_a_reason() -> None:
    """R13: once, and no file that is kept or missing."""
    file = CaseFile(
        file_id="f",
        name="a.pdf",
        content_type="application/pdf",
        size=1,
        state="held",
        object_key="held/x",
        added=RECEIVED,
        source="form",
        reason="active_content",
    )
    house, held = HOUSES[SEED], registered()
    change = handling.release_file(held, file, "obejrzany", house, by=OFFICER, now=RECEIVED)
    released = next(part.data for part in change.parts if part.sk == "FILE#f")
    assert (released.released_by, released.state) == (ADMIN, "held")
    assert change.event.body["reason"] == "obejrzany"
    for wrong in (released, replace(file, state="kept")):
        with pytest.raises(handling.NotHeld):
            handling.release_file(held, wrong, "x", house, by=OFFICER, now=RECEIVED)
    with pytest.raises(handling.CaseFileUnknown):
        handling.release_file(held, None, "x", house, by=OFFICER, now=RECEIVED)


# Agents


def test_handing_over_ends_the_agents_own_deadline() -> None:
    """M49: one working day from the agent's receipt, until it was passed on."""
    by, house = Actor("staff", AGENT), HOUSES[SEED]
    wanted: dict[str, Any] = {
        "channel": Channel.AGENT,
        "agent_received_at": RECEIVED - timedelta(hours=2),
        "handed_over": False,
    }
    held = received(by=by, **wanted)
    assert held.value.deadlines["hand_over"].limit == date(2026, 11, 9)
    assert held.value.agent == AGENT
    steps = handling_steps(held.value)
    assert "hand_over" in steps
    change = handling.hand_over(held, house, by=by, now=RECEIVED + timedelta(hours=1))
    assert "hand_over" not in handling_steps(change.root)
    for wrong in (after(change), received()):
        with pytest.raises(handling.AlreadyHandedOver):
            handling.hand_over(wrong, house, by=by, now=RECEIVED)


def handling_steps(case: Complaint) -> set[str]:
    """The kinds of the steps that the case will need."""
    from chalicelib.complaints import attention

    return {one.kind for one in attention.steps(case, HOUSES[SEED].settings.complaints)}


# Entry


DESK = Desk(org="agencja", staff_id=ADMIN, now=RECEIVED)


def entered(**changes: Any) -> Submission:
    """A submission as staff enter it."""
    wanted: dict[str, Any] = {"channel": "in_person", "substance": "Szkoda czeka."}
    return entry.submission(EntryInput(**wanted | changes), None, DESK)


def test_whoever_enters_a_letter_says_when_it_came() -> None:
    """M2, M41: the clock starts at the real moment; what is told face to face comes now."""
    for channel in ("post", "email"):
        with pytest.raises(SubmissionRefused) as refusal:
            entered(channel=channel)
        assert refusal.value.field == "received_at"
        at = RECEIVED - ONE * 3
        assert entered(channel=channel, received_at=at).received_at == at
    assert entered(channel="post", received_at=RECEIVED).paper
    assert entered().received_at == RECEIVED


def test_a_call_is_read_back() -> None:
    """M4: the words, whether the caller agreed, who took the call; of nothing but a call."""
    told = entered(channel="phone", read_back=ReadBackInput(agreed=True))
    assert told.read_back is not None
    assert (told.read_back.text, told.read_back.agreed) == ("Szkoda czeka.", True)
    assert told.read_back.taken_by == ADMIN
    other = entered(channel="phone", read_back=ReadBackInput(agreed=False, text="Inaczej."))
    assert other.read_back is not None
    assert other.read_back.text == "Inaczej."
    for wrong in ({"channel": "phone"}, {"read_back": ReadBackInput(agreed=True)}):
        with pytest.raises(SubmissionRefused) as refusal:
            entered(**wrong)
        assert refusal.value.field == "read_back"


def test_an_agent_says_when_they_received_it() -> None:
    """M49: their own moment, of an agent's submission and no other's."""
    at = RECEIVED - timedelta(hours=3)
    assert entered(channel="agent", agent_received_at=at).agent_received_at == at
    for wrong in ({"channel": "agent"}, {"agent_received_at": at}):
        with pytest.raises(SubmissionRefused) as refusal:
            entered(**wrong)
        assert refusal.value.field == "agent_received_at"


def test_the_portal_names_its_client() -> None:
    """M3: the personal account is somebody's."""
    with pytest.raises(entry.ClientOfCase):
        entered(channel="account")


def test_uploads_are_of_whoever_uploaded_them() -> None:
    """R13: the place of an upload follows from who asks, never from what they say."""
    one = FileInput(file_id="f" * 21 + "A", name="a/b.pdf", content_type="application/pdf", size=9)
    (file,) = entry.files((one,), DESK)
    assert file.object_key == f"quarantine/agencja/{ADMIN}/{'f' * 21}A"
    assert (file.name, file.state) == ("a_b.pdf", "uploaded")
    for wrong in ((one, one), tuple(big(n) for n in range(5))):
        with pytest.raises(SubmissionRefused):
            entry.files(wrong, DESK)


def big(n: int) -> FileInput:
    """A file of 25 MB."""
    return FileInput(
        file_id=f"{n}" * 21 + "A", name="a.pdf", content_type="application/pdf", size=25 * 2**20
    )


def test_what_came_after_the_end_is_a_new_submission_of_the_same_people() -> None:
    """M74: linked, with its own moment; an authority is not carried over (M40)."""
    old = replace(
        about_another().value, authority=cases.Authority(document="x", by="y", at=RECEIVED)
    )
    desk = replace(DESK, now=RECEIVED + ONE * 60)
    given = entry.ReopenInput(channel="in_person", substance="Nowe dowody.")
    new = entry.again(given, "case-1", old, desk)
    assert (new.reopens, new.received_at) == ("case-1", desk.now)
    assert (new.writer, new.insured, new.contract_number) == (WRITER, INSURED, "AB-123")
    case = receipt.receive(
        cases.key("agencja", "case-9"),
        "7K3F9QXM4Y",
        new,
        HOUSES[SEED],
        digests=Digests(),
        by=OFFICER,
        now=desk.now,
    ).root
    assert case.third_party
    other = replace(given, writer=PersonInput(name="Ktoś Inny"))
    assert entry.again(other, "case-1", old, desk).writer == Person(name="Ktoś Inny")
    own = replace(given, writer=PersonInput(name="Jan Ubezpieczony", email=INSURED.email))
    assert entry.again(own, "case-1", old, desk).insured is None  # they write for themselves (D7)


def test_what_waits_in_a_closed_case_starts_the_clock_of_the_new_one() -> None:
    """M41-M43, M74, D20: its own moment of receipt, an earlier one if stated, never a later one."""
    came, desk = RECEIVED + ONE * 3, replace(DESK, now=RECEIVED + ONE * 10)
    waiting = replace(about_another().value, waiting_since=came)
    for channel in ("post", "email", "in_person"):
        given = entry.ReopenInput(channel=channel, substance="Nowe.")
        assert entry.again(given, "case-1", waiting, desk).received_at == came
        earlier = replace(given, received_at=came - ONE)
        assert entry.again(earlier, "case-1", waiting, desk).received_at == came - ONE
        later = replace(given, received_at=came + timedelta(seconds=1))
        with pytest.raises(entry.NewsCameEarlier):
            entry.again(later, "case-1", waiting, desk)
    posted = entry.ReopenInput(channel="post", substance="Nowe.")
    with pytest.raises(SubmissionRefused):  # nothing waits: whoever enters it says when it came
        entry.again(posted, "case-1", replace(waiting, waiting_since=None), desk)


def test_what_waited_for_long_can_still_be_registered_again() -> None:
    """M33, M74: the moment is known, so ninety days of silence are no reason to refuse it."""
    settings, now = HOUSES[SEED].settings, RECEIVED + ONE * 200
    old = replace(about_another().value, waiting_since=RECEIVED)
    given = entry.ReopenInput(channel="in_person", substance="Nowe.")
    new = entry.again(given, "case-1", old, replace(DESK, now=now))
    assert receipt.checked(new, settings, now=now).received_at == RECEIVED
    with pytest.raises(receipt.ReceivedRefused):
        receipt.checked(replace(new, waited_since=None), settings, now=now)


# Before registration, and after the end


def test_acts_of_handling_need_a_case_that_is_open() -> None:
    """M74: a closed case is not handled on; an unregistered one not yet."""
    house = HOUSES[SEED]

    def acts(held: Held[Complaint]) -> list[Callable[[], Change]]:
        def done(act: Callable[..., Change], *given: Any, **more: Any) -> Callable[[], Change]:
            return lambda: act(held, *given, house, by=OFFICER, now=RECEIVED, **more)

        return [
            done(handling.assign, ADMIN, ""),
            done(handling.classify, Classes(product="travel")),
            done(handling.correct, Corrections(), digests=Digests()),
            done(handling.record_authority, "x"),
            done(handling.acknowledge, Way()),
            done(handling.ask_insured),
            done(handling.insured_posted, DAY),
            done(handling.insured_answered, "mine", "telefon"),
            done(handling.prove_address, "z umowy"),
            done(requests.request, "documents", "x", DAY + ONE, Way()),
            done(requests.set_interval, 1, 2, "x"),
            done(requests.own_request, DAY, "x"),
            done(requests.suspend, "documents", "", Way(), obtainable=False, language="en"),
            done(closing.extend, DAY + ONE, "documents", {}, Way()),
            done(closing.leave_unanswered, "repeated", "", Way()),
            done(closing.route_out, "x", "", Way()),
            done(closing.return_court, "x", Way()),
            done(closing.close_not_on_behalf),
        ]

    for held, refusal in (
        (received(insured=INSURED), NotRegistered),
        (after(leave(about_another(), "repeated")), AlreadyClosed),
    ):
        for act in acts(held):
            with pytest.raises(refusal):
                act()


def test_every_refusal_is_told_by_code() -> None:
    """Style, rule 5: whatever these acts say no to is a kind with a code."""
    for module in (handling, requests, closing, entry):
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, DomainError):
                assert one.code


def test_a_letter_of_staff_holds_no_word_of_theirs() -> None:
    """M37: facts of a letter are ids and dates; what is said is a part of its own."""
    for _, act in every_letter(about_another()):
        for letter in act().letters:
            assert isinstance(letter, Letter)
            assert set(letter.facts) == {receipt.ALLOWED_FOR}
            assert letter.about


def test_a_message_answers_the_open_request() -> None:
    """M74, M46: while the case is open, what comes joins it and ends the silence."""
    held = asked(registered(), DAY)
    message = Message(message_id="m", at=on(DAY + ONE), channel=Channel.POST, text="Oto kopia.")
    joined = receipt.join(held, message, (), HOUSES[SEED], by=OFFICER, now=on(DAY + ONE))
    assert joined.root.requests[0].answered_on == DAY + ONE
    assert joined.root.state is State.REGISTERED


@pytest.mark.parametrize(("sender", "answers"), [("writer", False), ("insured", True)])
def test_who_stands_outside_answers_nothing_for_the_insured(sender: Any, answers: bool) -> None:
    """M37, M66: the insured was asked; what somebody else sends leaves their silence as it is."""
    held = asked(about_another(), DAY)
    message = Message(
        message_id="m", at=on(DAY + ONE), channel=Channel.FORM, text="Oto kopia.", sender=sender
    )
    joined = receipt.join(held, message, (), HOUSES[SEED], by=CLIENT, now=on(DAY + ONE))
    assert (joined.root.open_request is None) is answers


def test_what_comes_after_the_end_waits_in_nobodys_silence() -> None:
    """M44, M74: the officer, the heads and management are told until one of them looked at it."""
    house = HOUSES[SEED]
    change = closing.route_out(
        registered(), "Szkody", "", Way(), house, by=OFFICER, now=on(DAY + ONE)
    )
    closed = after(change)
    message = Message(message_id="m", at=on(DAY + ONE * 3), channel=Channel.FORM, text="Nowe.")
    joined = receipt.join(closed, message, (), house, by=CLIENT, now=on(DAY + ONE * 3))
    again = receipt.join(
        after(joined),
        replace(message, message_id="n"),
        (),
        house,
        by=CLIENT,
        now=on(DAY + ONE * 5),
    )
    assert again.root.waiting_since == on(DAY + ONE * 3)
    ahead = attention.due(again.root, house.settings.complaints, on(DAY + ONE * 30))
    assert [(one.kind, one.to, one.days) for one in ahead if one.kind == "came_after"] == [
        ("came_after", "officer", 1),
        ("came_after", "head", 2),
        ("came_after", "head", 3),
        ("came_after", "management", 4),
        ("came_after", "management", 5),
        ("came_after", "management", 10),
        ("came_after", "management", 15),
    ]
    assert again.due_at == ahead[0].at
    looked = handling.note(after(again), "Dziękuje.", house, by=OFFICER, now=on(DAY + ONE * 5))
    reopened = closing.mark_reopened(after(again), "case-2", house, by=OFFICER, now=on(DAY))
    for seen in (looked, reopened):
        assert attention.due(seen.root, house.settings.complaints, on(DAY + ONE * 30)) == []
    late = replace(message, message_id="l", at=on(DAY + ONE * 2))  # entered days after it came
    found = receipt.join(after(again), late, (), house, by=OFFICER, now=on(DAY + ONE * 6))
    assert found.root.waiting_since == on(DAY + ONE * 2)
    open_still = receipt.join(registered(), message, (), house, by=CLIENT, now=on(DAY + ONE * 3))
    assert open_still.root.waiting_since is None
