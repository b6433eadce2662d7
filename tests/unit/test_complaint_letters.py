"""Every letter about a submission: in every language, as text and as HTML, without gaps; a third
party learns nothing, staff's mail names nobody, and nothing that a person wrote becomes markup."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, fields, replace

from chalicelib.documents.letter import Section
from chalicelib.documents.sheet import Controller
from chalicelib.kernel.days import day, month
from chalicelib.letters import complaint_facts as facts
from chalicelib.letters.compose import LANGUAGES, Composed, compose, letter_name
from chalicelib.letters.service import GROUNDS
from tests.unit.test_compose import HOSTILE, Page

ROOT = Path(__file__).parents[2]
WARSAW = ZoneInfo("Europe/Warsaw")
REFERENCE = "7K3F-9QXM-2J"
LINK = "https://sprawy.bursztyn.example/s#v1.k3.eyJvcmciOiJidXJzenR5biJ9.Zm9vYmFyYmF6"
DESK = "https://sprawy.bursztyn.example/desk/cases/7K3F9QXM2J"
WHY = "otrzymano pt. 6 lis 2026 18:05 Warszawa → 30. dzień niedz. 6 gru"
ORGANISATION = Controller(
    name="Agencja „Bursztyn” Sp. z o.o.",
    address="ul. Długa 12/3, 80-831 Gdańsk",
    registry_number="KNF 11234567/A",
    email="reklamacje@bursztyn.example",
    phone="+48585550123",
    dpo="Żaneta Świątek, iod@bursztyn.example",
)
TEXT = "Szanowna Pani,\nsprawdziliśmy wszystko.\n\nKwota była właściwa – zgodnie z § 14."
ELSEWHERE = (
    Section(title="Rzecznik Finansowy", text="al. Jerozolimskie 87\n02-001 Warszawa"),
    Section(text="Sąd."),
)
M39 = (
    "Благодарим за направленное обращение в САО «Медэкспресс». Мы сделаем все возможное для "
    "разрешения описанной ситуации. Наш сотрудник свяжется с застрахованным для уточнения "
    "деталей, а также проинформирует его о ходе решения и принятых мерах. Ответ на данное "
    "обращение будет предоставлен непосредственно застрахованному"
)


def to_person(letter: type[facts.ToPerson], /, **told: Any) -> Any:
    base: dict[str, Any] = {"organisation": ORGANISATION, "reference": REFERENCE, "link": LINK}
    return letter(**base | told)


def an_item(kind: str = "answer_due", **told: Any) -> facts.DigestItem:
    base: dict[str, Any] = {
        "reference": REFERENCE,
        "kind": kind,
        "on": date(2026, 12, 6),
        "days": 5,
        "due": date(2026, 12, 7),
        "why": WHY,
        "link": DESK,
    }
    return facts.DigestItem(**base | told)


def a_month(**told: Any) -> facts.MonthlyDigest:
    base: dict[str, Any] = {
        "staff_name": "Łukasz Żółć",
        "month": date(2026, 11, 1),
        "department": "Likwidacja szkód",
        "received": 31,
        "closed": 28,
        "since": date(2025, 12, 1),
        "answered": 26,
        "late": 3,
        "late_unanswered": 2,
        "before_closed": 17,
        "before_late": 5,
        "before_on_time_percent": 71,
        "open_by_age": (facts.Tally(label="> 60", number=4),),
        "open": 12,
        "overdue": 1,
        "on_time_percent": 96,
        "median_days": 9,
        "p90_days": 24,
        "by_kind": (facts.Tally(label="complaint", number=30), facts.Tally(label="", number=1)),
        "by_product": (facts.Tally(label="Motor & more", number=31),),
        "by_cause": (facts.Tally(label="late_payment", number=11),),
        "by_department": (facts.Tally(label="Likwidacja szkód", number=31),),
        "alarms": ("late_payment: 11 razy w ciągu miesiąca.",),
        "link": DESK,
    }
    return facts.MonthlyDigest(**base | told)


TAKEN = {"received_on": date(2026, 11, 6), "registered_on": date(2026, 11, 9)}
ANSWERED: dict[str, Any] = {
    "addressee": "Łucja Żółć",
    "kind": "complaint",
    "answered_on": date(2026, 12, 4),
    "text": TEXT,
    "signer_name": "Łukasz Żółć",
    "signer_position": "Specjalista ds. reklamacji",
}
TO_PERSONS = [
    to_person(
        facts.SubmissionTaken,
        kind="complaint",
        missing=("Numer polisy.", "Telefon."),
        answer_by=date(2026, 12, 6),
        why=WHY,
        elements=(Section(title="Czas", text="Osiem tygodni."),),
        **TAKEN,
    ),
    *(
        to_person(facts.SubmissionTaken, kind=kind, link="", **TAKEN)
        for kind in ("request", "suggestion", "gratitude")
    ),
    to_person(facts.ThirdPartyTaken),
    to_person(facts.GratitudeThanked),
    to_person(facts.MessageAdded, received_at=datetime(2026, 11, 20, 9, 5, tzinfo=WARSAW), files=2),
    to_person(facts.DataRequested, n=1, what="documents", text=TEXT, answer_by=date(2026, 11, 27)),
    to_person(
        facts.DataRequested,
        n=3,
        what="permission",
        text=TEXT,
        answer_by=date(2026, 11, 27),
        may_close=True,
        due=date(2026, 12, 6),
    ),
    to_person(
        facts.AnswerExtended,
        expected_by=date(2027, 1, 5),
        wording="sprawa jest szczególnie skomplikowana",
        elements=ELSEWHERE,
        text=TEXT,
    ),
    to_person(facts.AnswerSent, **ANSWERED),
    *(
        to_person(
            facts.AnswerSent,
            **ANSWERED,
            outcome=outcome,
            elements=ELSEWHERE,
            elsewhere=ELSEWHERE,
            attachments=("protokół.pdf",),
        )
        for outcome in ("upheld", "partly", "rejected", "withdrawn")
    ),
    to_person(facts.AnswerElsewhere, sent_on=date(2026, 12, 4), tracking="00559007734046"),
    to_person(facts.AnswerElsewhere, sent_on=date(2026, 12, 4), way="in_person"),
    to_person(facts.NotAnswered, wording="Tekstu nie można odczytać.", elsewhere=ELSEWHERE),
    to_person(facts.Suspended, wording="Zamykamy sprawę.", text=TEXT, elsewhere=ELSEWHERE),
    to_person(facts.CourtReturned, text=TEXT),
    to_person(facts.RoutedOut, text=TEXT),
    to_person(
        facts.InsuredAsked,
        insured_name="Jan Ubezpieczony",
        received_on=date(2026, 11, 6),
        expires_at=datetime(2026, 12, 6, 14, 5, tzinfo=WARSAW),
    ),
]
TO_STAFF = [
    facts.CaseDigest(staff_name="Łukasz Żółć", items=tuple(map(an_item, facts.STEPS)), left_out=3),
    facts.CaseDigest(
        staff_name="Łukasz Żółć",
        items=(facts.DigestItem(reference=REFERENCE, kind="something_new"),),
    ),
    facts.AliveReport(
        organisation_name=ORGANISATION.name,
        day=date(2026, 11, 27),
        made_at=datetime(2026, 11, 27, 7, 0, tzinfo=WARSAW),
        open=41,
        received=7,
        due_today=2,
        overdue=1,
        stuck=0,
        letters_held=3,
        next_due=date(2026, 11, 30),
    ),
    a_month(),
    a_month(
        on_time_percent=None,
        median_days=None,
        p90_days=None,
        before_closed=0,
        alarms=(),
        department="",
    ),
]
EVERY_LETTER = [*TO_PERSONS, *TO_STAFF]


def named(told: Any) -> str:
    return letter_name(type(told))


def both(letter: Composed) -> tuple[str, str]:
    """What either part says, blanks alike."""
    return " ".join(letter.text.split()), Page(letter.html).words


def strings(value: Any) -> list[str]:
    """Every text in the facts, as a reader sees it."""
    if isinstance(value, str):
        return [" ".join(line.split()) for line in value.splitlines()]
    if isinstance(value, tuple):
        return [text for one in value for text in strings(one)]
    if not is_struct(value):
        return []
    return [text for one in asdict(value).values() for text in strings(one)]


def is_struct(value: Any) -> bool:
    return hasattr(value, "__struct_fields__")


CODES = {"complaint", "request", "suggestion", "gratitude", "documents", "permission", "post"}
CODES |= {"in_person", "upheld", "partly", "rejected", "withdrawn", "something_new", *facts.STEPS}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", EVERY_LETTER, ids=named)
def test_every_letter_exists_in_every_language(told: Any, language: str) -> None:
    """M45-M50, M53-M55: one subject, a text part, HTML that a screen reader can read, no gap."""
    letter = compose(told, language)
    assert letter.subject.splitlines() == [letter.subject]
    assert letter.subject.strip(" :–") == letter.subject
    gap = r"\n{4}|[ \t]\n|<[a-z/]|&[a-z#]+;|\{\{|None|Undefined|\.\.(?!\.)| [.,:]"
    assert not re.search(gap, letter.text)
    page = Page(letter.html)
    assert page.all("html")[0]["lang"] == language
    assert len(page.all("h1")) == 1
    assert all(table["role"] == "presentation" for table in page.all("table"))
    assert re.search(r"[a-z]", letter.subject) or language != "en"
    assert bool(re.search("[а-яё]", letter.subject)) == (language == "ru")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", EVERY_LETTER, ids=named)
def test_every_fact_is_said_in_both_parts(told: Any, language: str) -> None:
    """M46, M53, M73, M108: what a letter is given it says, as text and as HTML."""
    wanted = set(strings(told)) - CODES - {""}
    if language == "pl" and not isinstance(told, facts.ToPerson):
        wanted.discard("Łukasz Żółć")  # a Polish greeting would have to decline the name
    text, html = both(compose(told, language))
    html += " ".join(tag["href"] or "" for tag in Page(compose(told, language).html).all("a"))
    for one in wanted:
        assert one in text or one.upper() in text
        assert one in html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", EVERY_LETTER, ids=named)
def test_a_letter_fetches_nothing_and_fits_any_mail_program(told: Any, language: str) -> None:
    """R18, R19: no image, script, form or outside address; far below the size that Gmail cuts."""
    html = compose(told, language).html
    page = Page(html)
    assert {"img", "script", "link", "form", "iframe", "object", "video"}.isdisjoint(
        tag for tag, _ in page.tags
    )
    assert "url(" not in html
    assert "src=" not in html
    assert {tag["href"] for tag in page.all("a")} <= {LINK, DESK}
    assert len(html.encode()) < 60_000


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", [one for one in TO_PERSONS if one.link], ids=named)
def test_the_link_stands_alone_on_its_line_once(told: Any, language: str) -> None:
    """R19: a mail program breaks nothing, and a reader sees where it leads."""
    letter = compose(told, language)
    assert [line for line in letter.text.splitlines() if "://" in line] == [LINK]
    assert Page(letter.html).words.count(LINK) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", TO_PERSONS, ids=named)
def test_every_letter_to_a_person_says_who_writes_and_the_number(told: Any, language: str) -> None:
    """M45: the number, the organisation, and how to reach it."""
    for words in both(compose(told, language)):
        for detail in (REFERENCE, *strings(ORGANISATION)):
            assert detail in words


def test_the_fixed_text_is_the_seeds_own() -> None:
    """M39: verbatim, the organisation's name merged in."""
    organisation = replace(ORGANISATION, name="САО «Медэкспресс»")
    for words in both(compose(to_person(facts.ThirdPartyTaken, organisation=organisation), "ru")):
        assert f"{M39}." in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_third_party_is_told_the_number_the_text_and_the_page_alone(language: str) -> None:
    """M37, M39, D7: the letter can hold no fact of the case, for it is given none."""
    names = {field.name for field in fields(facts.ThirdPartyTaken)}
    assert names == {"organisation", "reference", "link"}
    (text, _) = both(compose(to_person(facts.ThirdPartyTaken), language))
    assert len(text) < 1_200
    for other in ("complaint", "reklamac", "жалоб", "претенз"):
        assert other not in text.replace(ORGANISATION.email, "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [ORGANISATION.name, "САО «Медэкспресс»"])
def test_the_status_page_says_what_the_letter_says(language: str, name: str) -> None:
    """M39, D7: the page of who stands outside has the letter's own text, and its subject's word."""
    words = json.loads((ROOT / f"static_site/locales/{language}.json").read_text("utf-8"))
    organisation = replace(ORGANISATION, name=name)
    letter = compose(to_person(facts.ThirdPartyTaken, organisation=organisation), language)
    addressed = name if language == "pl" else name.rstrip(".")  # as status-page.mjs merges it
    text = words["stage.with_insured_text"].replace("%{addressed}", addressed)
    first = text[0].lower() if language == "pl" else text[0]  # after a salutation
    assert f"{first}{text[1:]}" in " ".join(letter.text.split())
    assert letter.subject == f"{words['stage.with_insured']}: {REFERENCE}"


def test_what_is_missing_is_asked_for_and_nothing_otherwise() -> None:
    """M46: a whole submission is not asked for anything."""
    whole = to_person(facts.SubmissionTaken, kind="complaint", **TAKEN)
    for language, heading in (
        ("pl", "Czego jeszcze"),
        ("en", "What we still need"),
        ("ru", "Чего ещё"),
    ):
        for words in both(compose(TO_PERSONS[0], language)):
            assert heading.lower() in words.lower()
            assert "- Numer polisy. - Telefon." in words or words.count("Numer polisy.") == 1
        for words in both(compose(whole, language)):
            assert heading.lower() not in words.lower()


def test_each_kind_of_submission_is_taken_in_its_own_words() -> None:
    """M25-M28, M31: a complaint is not thanked for its kind words."""
    for language in LANGUAGES:
        letters = [compose(one, language) for one in TO_PERSONS[:4]]
        assert len({letter.subject for letter in letters}) == 4
        assert len({letter.text.split("\n\n")[1] for letter in letters}) == 4


def test_an_extension_names_the_day() -> None:
    """M53: reasons, circumstances, and the expected date."""
    told = next(one for one in TO_PERSONS if isinstance(one, facts.AnswerExtended))
    for language in LANGUAGES:
        for words in both(compose(told, language)):
            assert words.count(day(told.expected_by, language)) >= 2


def test_a_request_says_that_the_answers_date_stands() -> None:
    """D19, M70: suspension never moves the answer date; the first request is not a reminder."""
    first, third = (one for one in TO_PERSONS if isinstance(one, facts.DataRequested))
    for language, again in (("pl", "ponownie."), ("en", "before."), ("ru", "уже писали")):
        for words in both(compose(third, language)):
            assert day(date(2026, 12, 6), language) in words
            assert again in words
        for words in both(compose(first, language)):
            assert day(date(2026, 12, 6), language) not in words
            assert again not in words


def test_the_answer_elsewhere_does_not_say_what_the_answer_is() -> None:
    """M76-M80, M84: it is given nothing but the day and the number of the parcel."""
    names = {field.name for field in fields(facts.AnswerElsewhere)}
    assert names == {"organisation", "reference", "link", "sent_on", "way", "tracking"}


def test_the_insured_is_told_no_more_than_is_needed() -> None:
    """M38, D7: neither who wrote nor what about; until when the link holds."""
    names = {field.name for field in fields(facts.InsuredAsked)}
    assert names == {
        "organisation",
        "reference",
        "link",
        "insured_name",
        "received_on",
        "expires_at",
    }
    for words in both(compose(TO_PERSONS[-1], "en")):
        assert "6 December 2026, 14:05 (CET, UTC+1)" in words
    with pytest.raises(ValueError, match="200 characters"):
        replace(TO_PERSONS[-1], link="")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_has_words_of_its_own(language: str) -> None:
    """M44, M49, M70, D7: who reads the digest knows what to do; a new step is told all the same."""
    said = {
        kind: compose(facts.CaseDigest(staff_name="A", items=(an_item(kind),)), language).text
        for kind in (*facts.STEPS, "something_new")
    }
    assert len(set(said.values())) == len(said)


def test_every_step_that_the_code_knows_is_among_them() -> None:
    """M44, M49: no notice is written that the digest has no words for."""
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "chalicelib" / "complaints").glob("*.py")
    )
    steps = set(re.findall(r'self\.step\(\s*"([a-z_]+)"', source))
    steps |= set(re.findall(r'notices\(\s*[\w.]+, \w+, house,\s*"([a-z_]+)"', source))
    steps |= {"answer_due", "answer_limit", "answer_overdue"}
    assert len(steps) > 12
    assert steps <= set(facts.STEPS)


def test_a_digest_has_the_most_urgent_first_and_each_step_once() -> None:
    """Design, "Digests": what is lost if nobody acts leads; then the earlier day."""
    items = facts.most_urgent_first(
        [
            an_item("registered", on=None, due=None),
            an_item("answer_due", reference="B", due=date(2026, 12, 9)),
            an_item("answer_due", reference="A", due=date(2026, 12, 8)),
            an_item("unheard_of"),
            an_item("answer_overdue", reference="C", on=date(2026, 12, 8), days=1),
            an_item("answer_overdue", reference="C", on=date(2026, 12, 9), days=2),
        ]
    )
    assert [(one.kind, one.reference, one.days) for one in items] == [
        ("answer_overdue", "C", 2),
        ("answer_due", "A", 5),
        ("answer_due", "B", 5),
        ("registered", REFERENCE, 5),
        ("unheard_of", REFERENCE, 5),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_alive_report_says_what_its_absence_means(language: str) -> None:
    """Issue 3, item 9: the numbers can be read in the subject, and a missing mail is the alarm."""
    report = next(one for one in TO_STAFF if isinstance(one, facts.AliveReport))
    letter = compose(report, language)
    assert ": 1," in letter.subject
    absent = {"pl": "nie przyjdzie", "en": "does not come", "ru": "не придёт"}[language]
    for words in both(letter):
        assert absent in words
        for number in (41, 7, 2, 1, 0, 3):
            assert f": {number}" in words
    assert day(date(2026, 11, 30), language) in letter.text
    nothing = compose(replace(report, next_due=None), language).text
    assert day(date(2026, 11, 30), language) not in nothing


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_month_is_told_by_kind_product_cause_and_department(language: str) -> None:
    """M24, M87: totals, days and repeating causes; what nobody classed is told, too."""
    text = compose(a_month(), language).text
    assert month(date(2026, 11, 1), language) in text
    for line in ("Motor & more: 31", "late_payment: 11", "Likwidacja szkód: 31", "96%", "> 60: 4"):
        assert line in text
    for number in (31, 28, 26, 3, 2, 12, 1, 9, 24, 17, "71%", 5):
        assert f": {number}\n" in text
    assert day(date(2025, 12, 1), language) in " ".join(text.split())
    assert {"pl": "nie określono: 1", "en": "not stated: 1", "ru": "не указано: 1"}[
        language
    ] in text


def test_every_letter_to_a_person_has_a_ground_to_be_sent() -> None:
    """M45-M50: a letter that contact does not know would be held for ever."""
    assert {named(told) for told in TO_PERSONS} <= set(GROUNDS)


def test_every_letter_was_looked_at_here() -> None:
    """No struct without an example above."""
    assert {type(told) for told in EVERY_LETTER} == set(get_args(facts.ComplaintFacts))


def hostile_version(told: Any, hostile: str) -> Any:
    """The facts with every text replaced but the ones that are codes or links."""

    def changed(name: str, value: Any) -> Any:
        if isinstance(value, str):
            codes = {"kind", "what", "way", "outcome", "link", "label"}
            return value if name in codes or not value else hostile
        if isinstance(value, tuple):
            return tuple(changed(name, one) for one in value)
        if is_struct(value):
            inner = {key: changed(key, one) for key, one in asdict(value).items()}
            return replace(value, **inner)
        return value

    return changed("", told)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("told", EVERY_LETTER, ids=named)
def test_facts_stay_text(told: Any, hostile: str) -> None:
    """R18: no markup, no template and no link comes from what somebody typed."""
    plain = Page(compose(hostile_version(told, "plain"), "en").html)
    letter = compose(hostile_version(told, hostile), "en")
    page = Page(letter.html)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert {tag["href"] for tag in page.all("a")} <= {LINK, DESK}
    assert " ".join(hostile.split()) in page.words
    assert hostile in letter.text or hostile.upper() in letter.text


@given(st.text(), st.text())
def test_any_text_makes_a_letter_that_can_be_sent(name: str, words: str) -> None:
    """M33: nothing that a person may type stops a letter or opens a tag."""
    told = to_person(
        facts.AnswerSent,
        **ANSWERED | {"addressee": name, "text": words},
        elements=(Section(title=name, text=words),),
    )
    letter = compose(told, "ru")
    letter.html.encode()
    letter.text.encode()
    assert {tag["href"] for tag in Page(letter.html).all("a")} == {LINK}


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x.example/c#a b", "//x/c#a"])
def test_a_link_that_is_not_one_plain_address_is_refused(link: str) -> None:
    """R19."""
    for told in (TO_PERSONS[0], an_item(), a_month()):
        with pytest.raises(ValueError, match="200 characters"):
            replace(told, link=link)


def test_a_moment_without_a_zone_is_refused() -> None:
    """S49: a time without its zone is no time."""
    naive = datetime(2026, 12, 6, 14, 5)  # noqa: DTZ001 - the point of the test
    added = next(one for one in TO_PERSONS if isinstance(one, facts.MessageAdded))
    alive = next(one for one in TO_STAFF if isinstance(one, facts.AliveReport))
    for told, field in (
        (added, "received_at"),
        (TO_PERSONS[-1], "expires_at"),
        (alive, "made_at"),
    ):
        with pytest.raises(ValueError, match="time zone"):
            replace(told, **{field: naive})


def test_days_and_months_are_said_as_people_say_them() -> None:
    """M45: a day in the genitive, a month alone in the nominative."""
    first = date(2026, 8, 1)
    assert [day(first, one) for one in LANGUAGES] == [
        "1 sierpnia 2026 r.",
        "1 August 2026",
        "1 августа 2026 г.",
    ]
    assert [month(first, one) for one in LANGUAGES] == [
        "sierpień 2026",
        "August 2026",
        "август 2026",
    ]
    for language in LANGUAGES:
        days = {day(date(2026, n, 1), language) for n in range(1, 13)}
        months = {month(date(2026, n, 1), language) for n in range(1, 13)}
        assert len(days) == len(months) == 12
