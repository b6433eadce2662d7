"""Other rules for an open case: which pack, what is refused, who is told, and nobody twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.complaints import attention, receipt, rules
from chalicelib.complaints import case as cases
from chalicelib.complaints.case import (
    AlreadyClosed,
    AnswerProgress,
    Channel,
    Complaint,
    Extension,
    Flag,
    Kind,
    NotRegistered,
    Outcome,
    Person,
)
from chalicelib.complaints.closing import AnswerLeaves
from chalicelib.complaints.rules import (
    CaseRules,
    RulesForbidExtension,
)
from chalicelib.kernel.change import Actor, Change, Held
from chalicelib.kernel.errors import DomainError
from chalicelib.organisations import domain as organisations
from chalicelib.organisations.domain import House, Role
from chalicelib.policy.calendars import calendar
from chalicelib.policy.packs import Audience, load
from tests.cases import INSURED, WRITER, a_submission
from tests.duly import ADMIN, HEAD, a_member, a_settings

KEY = cases.key("agencja", "case-1")
OFFICER = Actor("staff", ADMIN)
POLAND, BRITAIN, RUSSIA = "pl-nat-2026-02-13", "uk-disp-2026", "ru-442fz-2024"
ZONES = {POLAND: "Europe/Warsaw", BRITAIN: "Europe/London", RUSSIA: "Europe/Moscow"}
RECEIVED = datetime(2026, 7, 1, 9, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)
LEGAL = CaseRules(audience="legal", reason="pisze spółka")
ABOUT_DATA = CaseRules(scope="data_protection", reason="chodzi o dane")


class Digests(dict[str, str]):
    """The digest of any value is the value itself."""

    def __missing__(self, value: str) -> str:
        return value


def a_house(pack: str) -> House:
    """An organisation under this pack, with a head."""
    settings = a_settings(time_zone=ZONES[pack], policy_pack=pack)
    admin = a_member(ADMIN, "Anna Admin", Role.ADMIN)
    change = organisations.found("agencja", settings, "salt", admin, now=RECEIVED)
    parts = {part.sk: part.data for part in change.parts}
    members = (*parts["STAFF"].members, a_member(HEAD, "Hanna Head", Role.HEAD))
    return House(
        held=Held(key=change.key, value=change.root, version=1, head="h"),
        catalogue=parts["CATALOGUE"],
        directory=organisations.Directory(members=members),
    )


HOUSES = {pack: a_house(pack) for pack in ZONES}


def after(change: Change) -> Held[Complaint]:
    """The case once the change is written."""
    return Held(key=change.key, value=change.root, version=change.version + 1, head="h")


def received(pack: str = POLAND, at: datetime = RECEIVED, **changes: Any) -> Held[Complaint]:
    """A case that is not registered yet."""
    house = HOUSES[pack]
    wanted = receipt.checked(a_submission(at, **changes), house.settings, now=at)
    by = Actor("client")
    return after(
        receipt.receive(KEY, "7K3F9QXM2J", wanted, house, digests=Digests(), by=by, now=at)
    )


def registered(pack: str = POLAND, at: datetime = RECEIVED, **changes: Any) -> Held[Complaint]:
    """A registered case."""
    return after(receipt.register(received(pack, at, **changes), HOUSES[pack], KEY, now=at))


def with_root(held: Held[Complaint], **changes: Any) -> Held[Complaint]:
    """The case with another root."""
    return replace(held, value=replace(held.value, **changes))


def put(
    held: Held[Complaint], asked: CaseRules, pack: str = POLAND, *, now: datetime | None = None
) -> Change:
    """The act, a week after the receipt unless it says otherwise."""
    at = now or held.value.received_at + DAY * 7
    return rules.set_rules(held, asked, HOUSES[pack], by=OFFICER, now=at)


def refused(act: Callable[[], Any]) -> tuple[str, str | None]:
    """The code of a refusal, and the field."""
    with pytest.raises(DomainError) as caught:
        act()
    return caught.value.code, caught.value.field


# Which pack


def test_a_company_that_wrote_by_e_mail_gets_its_own_rules() -> None:
    """D20, M2: an e-mail does not say who writes; the event tells both sides, and why."""
    held = registered(channel=Channel.EMAIL)
    assert held.value.pack == "pl-nat-2026-02-13.1"
    change = put(held, LEGAL)
    case = change.root
    assert (case.audience, case.scope, case.pack) == ("legal", "complaint", "pl-legal-2018.1")
    assert change.event.kind == "rules_set"
    limit = held.value.answer_due
    assert limit is not None
    assert change.event.body == {
        "reason": "pisze spółka",
        "audience": ["natural", "legal"],
        "scope": ["complaint", "complaint"],
        "pack": ["pl-nat-2026-02-13.1", "pl-legal-2018.1"],
        "limit": [limit.limit.isoformat()] * 2,
    }
    assert case.policy.reply_form.source == "act-2017"
    entry = next(part.data for part in change.parts if part.sk == "REGISTER")
    assert (entry.audience, entry.pack) == ("legal", "pl-legal-2018.1")


def test_the_day_of_receipt_chooses_the_pack_and_never_today() -> None:
    """D20: received the day before the law changed, set right weeks after it."""
    eve = datetime(2026, 2, 12, 9, tzinfo=UTC)
    held = registered(at=eve, audience="legal")
    back = CaseRules(audience="natural", reason="pisze osoba fizyczna")
    for day in (1, 30):
        assert put(held, back, now=eve + DAY * day).root.pack == "pl-nat-2015.1"
    next_day = registered(at=eve + DAY, audience="legal")
    assert put(next_day, back).root.pack == "pl-nat-2026-02-13.1"


def test_a_complaint_about_data_gets_its_pack_from_the_day_of_the_law_on() -> None:
    """D20: more time is told and never given in silence: no day of the answer is told as none."""
    change = put(registered(BRITAIN), ABOUT_DATA, BRITAIN)
    assert change.root.pack == "uk-dp-2026-06-19.1"
    assert change.event.body["limit"] == ["2026-08-26", None]
    assert "acknowledge" in change.root.deadlines
    early = registered(BRITAIN, datetime(2026, 6, 18, 9, tzinfo=UTC))
    assert refused(lambda: put(early, ABOUT_DATA, BRITAIN)) == ("rules_unknown", "scope")


@pytest.mark.parametrize(
    ("pack", "asked", "field"),
    [
        (POLAND, ABOUT_DATA, "scope"),
        (RUSSIA, ABOUT_DATA, "scope"),
        (BRITAIN, CaseRules(audience="legal", scope="data_protection", reason="x"), "audience"),
    ],
)
def test_what_has_no_rules_is_refused_by_its_field(pack: str, asked: CaseRules, field: str) -> None:
    """D20: no pack stands in for another here, as it does where a submission comes in (M33)."""
    assert refused(lambda: put(registered(pack), asked, pack)) == ("rules_unknown", field)


def test_where_one_pack_is_for_both_its_edition_stays() -> None:
    """D20: Russia's is for companies, too: the audience is counted, and nothing else moves."""
    held = registered(RUSSIA)
    case = put(held, LEGAL, RUSSIA).root
    assert (case.audience, case.pack) == ("legal", held.value.pack)
    assert case.deadlines == held.value.deadlines


def test_the_settings_of_today_choose_nothing_for_a_case_of_yesterday() -> None:
    """D20: an organisation that has moved on to another law keeps the old cases under the old."""
    held = registered()
    case = rules.set_rules(held, LEGAL, HOUSES[BRITAIN], by=OFFICER, now=RECEIVED + DAY).root
    assert case.pack == "pl-legal-2018.1"
    assert case.calendar == held.value.calendar


def test_another_country_brings_its_days() -> None:
    """D20: the calendar follows the pack, around the day of receipt."""
    case, settings = registered().value, HOUSES[POLAND].settings
    assert rules.calendar_of(case, load("pl-legal-2018"), settings) == case.calendar
    russian = rules.calendar_of(case, load(RUSSIA), settings)
    assert russian == calendar("RU", RECEIVED.date())


# What is refused


def test_it_is_refused_where_nothing_changes_or_no_reason_is_given() -> None:
    """D20: the reason is one line, and mandatory."""
    held = registered()
    for same in (CaseRules(reason="x"), CaseRules(audience="natural", reason="x")):
        assert refused(partial(put, held, same)) == ("rules_unchanged", None)
    for reason in ("", "  ", "a" * 501):
        asked = replace(LEGAL, reason=reason)
        assert refused(partial(put, held, asked)) == ("text_refused", "reason")
    assert put(held, replace(LEGAL, reason=" a\nb ")).event.body["reason"] == "a b"


def test_only_an_open_case_whose_answer_has_not_left_gets_other_rules() -> None:
    """D20, M55: what is not registered, closed, or answered stays under what it was handled by."""
    held = registered()
    gone = AnswerProgress(answer_id="a", by=ADMIN, drafted_at=RECEIVED, channel="registered_post")
    end = cases.Closed(state=cases.State.ROUTED_OUT, at=RECEIVED)
    for one, error in (
        (received(), NotRegistered),
        (with_root(held, closed=end), AlreadyClosed),
        (with_root(held, answer=gone), AnswerLeaves),
    ):
        with pytest.raises(error):
            put(one, LEGAL)


def extended(held: Held[Complaint], days: int, reason: str, on: int = 20) -> Held[Complaint]:
    """The case after the client was told, on that day, that it takes so many days."""
    at = held.value.received_at
    told = Extension(to=(at + DAY * days).date(), reason=reason, at=at + DAY * on)
    return with_root(held, extension=told)


def test_an_extension_that_was_told_stays_true_or_the_rules_stay() -> None:
    """M53: no extension there, another reason, too far, too late: each is refused by name."""
    held = extended(registered(), 60, "complex")
    case = put(held, LEGAL, now=RECEIVED + DAY * 21).root
    assert case.extension == held.value.extension
    assert case.answer_due is not None
    assert case.answer_due.limit == held.value.extension.to  # type: ignore[union-attr]
    entered_late = extended(registered(), 60, "complex", on=33)
    assert put(entered_late, LEGAL, now=RECEIVED + DAY * 34).root.audience == "legal"
    none = extended(registered(BRITAIN), 70, "")
    with pytest.raises(RulesForbidExtension, match="do not extend the answer, and"):
        put(none, ABOUT_DATA, BRITAIN)
    for one, why in (
        (extended(registered(), 60, "weather"), "for the reason"),
        (extended(registered(), 61, "complex"), "to the day"),
    ):
        with pytest.raises(RulesForbidExtension, match=why):
            put(one, LEGAL)
    russian = with_root(held, pack="ru-medexpress-2019.1")  # thirty days, eight weeks in Britain
    with pytest.raises(RulesForbidExtension, match="too late"):
        rules.require_extension(
            extended(registered(BRITAIN), 60, "documents", on=45).value, russian.value
        )


# Who is told


def test_an_answer_with_the_second_person_goes_back_to_who_wrote_it() -> None:
    """M55: it was held to other rules; its author is told, and reads why."""
    submitted = AnswerProgress(
        answer_id="a",
        outcome=Outcome.UPHELD,
        by=HEAD,
        authors=(HEAD, ADMIN, "gone"),
        drafted_at=RECEIVED,
        submitted_at=RECEIVED,
        approved_at=RECEIVED,
        approved_by=ADMIN,
    )
    change = put(with_root(registered(), answer=submitted), LEGAL)
    answer = change.root.answer
    assert (answer.submitted_at, answer.approved_at, answer.approved_by) == (None, None, "")
    assert answer.returned == "pisze spółka"
    assert [(one.person, one.step) for one in change.notices] == [(HEAD, "answer_returned")]
    draft = replace(submitted, submitted_at=None, approved_at=None, approved_by="")
    change = put(with_root(registered(), answer=draft), LEGAL)
    assert change.root.answer == draft
    assert change.notices == ()


def test_receipt_is_confirmed_where_only_the_other_rules_want_it() -> None:
    """M45, M48: what came on paper is confirmed unasked in Britain; nobody is told twice."""
    now = RECEIVED + DAY
    paper = registered(channel=Channel.POST, paper=True).value
    british = replace(paper, pack="uk-disp-2026.1")
    assert not paper.acknowledges
    assert british.acknowledges

    def letters(before: Complaint, case: Complaint) -> list[tuple[str, str]]:
        return [(one.template, one.to) for one in rules.told_late(before, case, now)]

    assert letters(paper, british) == [("submission_taken", "writer")]
    thanks = replace(british, kind=Kind.GRATITUDE)
    assert letters(paper, thanks) == [("gratitude_thanked", "writer")]
    assert letters(british, british) == []
    for changes in (
        {"writer": replace(WRITER, email="")},
        {"flags": (Flag.SPAM_SUSPECT,)},
        {"insured": INSURED},
        {"acknowledged_on": now.date()},
    ):
        assert letters(paper, replace(british, **changes)) == []


def test_who_can_only_be_told_by_post_is_named_to_an_officer() -> None:
    """M48: there is no e-mail address, and the other rules confirm unasked."""
    writer = Person(name="Anna Nowak", postal_address="ul. Długa 5, 00-001 Warszawa")
    held = registered(channel=Channel.POST, paper=True, writer=writer)
    british = replace(held.value, pack="uk-disp-2026.1")
    told = rules.word(held, british, HOUSES[POLAND], by=OFFICER, now=RECEIVED + DAY / 2)
    assert {one.step for one in told} == {"receipt_by_post"}


def test_a_day_of_the_answer_that_comes_back_is_told_at_once() -> None:
    """M52: from rules without a day to rules with one: the steps that lie behind are told."""
    house = HOUSES[BRITAIN]
    held = registered(BRITAIN, scope="data_protection")
    assert held.value.answer_due is None
    now = RECEIVED + DAY * 54
    held = with_root(held, attended_until=now - DAY / 2)
    change = put(held, CaseRules(scope="complaint", reason="not only data"), BRITAIN, now=now)
    assert change.event.body["limit"] == [None, "2026-08-26"]
    told = {one.data["on"] for one in change.notices if one.data["kind"] == "answer_due"}
    assert told == {"2026-08-26"}
    assert change.due_at == attention.next_moment(change.root, house.settings.complaints)
    assert change.due_at is not None
    assert change.due_at > now - DAY / 2


PINS = st.sampled_from(
    ("pl-nat-2026-02-13.1", "ru-442fz-2024.1", "uk-disp-2026.1", "uk-dp-2026-06-19.1")
)


@given(old=PINS, new=PINS, days=st.integers(0, 120), behind=st.integers(0, 3))
def test_no_step_is_lost_where_the_day_is_earlier_and_none_is_told_twice(
    old: str, new: str, days: int, behind: int
) -> None:
    """M52, D20: whatever the two ladders are, and whenever the rules change."""
    settings = HOUSES[POLAND].settings.complaints
    base, now = registered().value, RECEIVED + DAY * days
    before = replace(base, pack=old)
    marked = [one for one in attention.steps(before, settings) if one.at <= now - DAY * behind]
    mark = marked[-1].at if marked else None
    before = replace(before, attended_until=mark)
    case = replace(before, pack=new)
    taken = {one.name for one in marked}
    missed = {one.name for one in rules.missed(before, case, settings)}
    due = {one.name for one in attention.due(case, settings, now)}
    assert not missed & taken
    assert not due & (taken | missed)
    was, will = before.answer_due, case.answer_due
    if will is not None and (was is None or will.limit < was.limit):
        past = {one.name for one in attention.steps(case, settings) if one.at <= now}
        assert past <= taken | missed | due
    if will is None or (was is not None and will.limit > was.limit):
        assert not any(one.startswith("answer_") for one in missed)


@pytest.mark.parametrize(("audience", "other"), [("natural", "legal"), ("legal", "natural")])
def test_set_right_later_it_is_as_if_it_had_been_known(audience: Audience, other: Audience) -> None:
    """D20: the same pack, calendar and dates as an entry of then."""
    known = registered(audience=audience).value
    case = put(registered(audience=other), CaseRules(audience=audience, reason="x")).root
    for name in ("pack", "calendar", "deadlines"):
        assert getattr(case, name) == getattr(known, name)
