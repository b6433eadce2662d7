"""Every letter says what it must, in every language, as text and as HTML; facts never become
markup."""

import re
from datetime import datetime, timedelta, timezone, tzinfo
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from msgspec.structs import replace

from chalicelib.documents.sheet import Controller, SheetAnswer
from chalicelib.letters import facts
from chalicelib.letters.compose import LANGUAGES, compose, letter_name, moment

WARSAW = ZoneInfo("Europe/Warsaw")
LINK = "https://zgody.bursztyn.example/c#v1.k3.eyJvcmciOiJidXJzenR5biJ9.Zm9vYmFyYmF6"
CONTROLLER = Controller(
    name="Agencja „Bursztyn” Sp. z o.o.",
    address="ul. Długa 12/3, 80-831 Gdańsk",
    registry_number="KNF 11234567/A",
    email="dane@bursztyn.example",
    phone="+48585550123",
    dpo="Żaneta Świątek, iod@bursztyn.example",
)
OWN = "https://zgody.example/p#v1.k1.own"
ANSWERS = (
    SheetAnswer(title="Notice & more", text="First.\n\n– one;\n– two.", answer=True, kind="notice"),
    SheetAnswer(title="Marketing", text="Zgadzam się.", answer=True, kind="consent"),
    SheetAnswer(title="Телефон", text="Я соглашаюсь.", answer=False, kind="consent"),
)
NOTES: tuple[type[facts.Note], ...] = (
    facts.ClientConfirmed,
    facts.ClientDisputed,
    facts.ClientWithdrew,
    facts.LinkExpired,
    facts.LinkRequested,
    facts.Undeliverable,
)


def a_confirmation(**changed: Any) -> facts.ConfirmConsents:
    told: dict[str, Any] = {
        "controller": CONTROLLER,
        "client_name": "Grażyna Brzęczyszczykiewicz",
        "staff_name": "Łukasz Żółć",
        "answers": ANSWERS,
        "link": LINK,
        "expires_at": datetime(2026, 12, 6, 14, 5, tzinfo=WARSAW),
        "reminder": False,
        "preferences": OWN,
        **changed,
    }
    return facts.ConfirmConsents(**told)


def a_receipt(**changed: Any) -> facts.Receipt:
    told: dict[str, Any] = {
        "controller": CONTROLLER,
        "client_name": "Екатерина Щукина",
        "staff_name": "Łukasz Żółć",
        "answers": ANSWERS,
        "reference": "D-7KQ4-93",
        "decided_at": datetime(2026, 7, 1, 9, 30, tzinfo=WARSAW),
        "preferences": OWN,
        **changed,
    }
    return facts.Receipt(**told)


def a_withdrawal(**changed: Any) -> facts.ConsentsWithdrawn:
    told: dict[str, Any] = {
        "controller": CONTROLLER,
        "client_name": "Екатерина Щукина",
        "titles": ("Marketing", "SMS/telefon"),
        "withdrawn_at": datetime(2026, 7, 1, 9, 30, tzinfo=WARSAW),
        "preferences": OWN,
        **changed,
    }
    return facts.ConsentsWithdrawn(**told)


def an_offer(**changed: Any) -> facts.Offer:
    told: dict[str, Any] = {
        "controller": CONTROLLER,
        "client_name": "Екатерина Щукина",
        "staff_name": "Łukasz Żółć",
        "subject_line": "OC i AC taniej",
        "text": "Szanowni Państwo,\n\nmamy ofertę dla Екатерина Щукина.",
        "preferences": OWN,
        **changed,
    }
    return facts.Offer(**told)


def a_note(kind: type[facts.Note], **changed: Any) -> Any:
    told: dict[str, Any] = {
        "staff_name": "Łukasz Żółć",
        "client_name": "Екатерина Щукина",
        "declared_at": datetime(2026, 11, 22, 9, 30, tzinfo=WARSAW),
        "happened_at": datetime(2026, 12, 6, 14, 5, tzinfo=WARSAW),
        "titles": ("Marketing", "SMS/telefon"),
        **changed,
    }
    return kind(**told)


TO_CLIENTS = [
    a_confirmation(),
    a_confirmation(reminder=True),
    a_receipt(),
    a_withdrawal(),
    an_offer(),
]
EVERY_LETTER = [*TO_CLIENTS, *map(a_note, NOTES)]


class Page(HTMLParser):
    """The tags of an HTML letter, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.pieces).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("reminder", [False, True])
@pytest.mark.parametrize(
    ("language", "subject"), [("pl", "Ubezpieczenie"), ("en", "Insurance"), ("ru", "Страхование")]
)
def test_the_subject_is_exactly_this_word_for_the_reminder_too(
    language: str, subject: str, reminder: bool
) -> None:
    """S45."""
    assert compose(a_confirmation(reminder=reminder), language).subject == subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", EVERY_LETTER, ids=lambda told: letter_name(type(told)))
def test_every_letter_exists_in_every_language(told: Any, language: str) -> None:
    """S44, S46: a subject of one line, a text part, and HTML that a screen reader can read."""
    letter = compose(told, language)
    assert letter.subject
    assert letter.subject.splitlines() == [letter.subject]
    assert not re.search(r"\n{4}|[ \t]\n|<[a-z/]|&[a-z#]+;|\{\{|None|Undefined", letter.text)
    page = Page(letter.html)
    assert page.all("html")[0]["lang"] == language
    assert len(page.all("h1")) == 1
    assert all(table["role"] == "presentation" for table in page.all("table"))
    for name in (told.client_name, getattr(told, "staff_name", told.client_name)):
        assert name in letter.text or language == "pl"
    assert told.client_name in page.words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", EVERY_LETTER, ids=lambda told: letter_name(type(told)))
def test_a_letter_fetches_nothing_and_fits_any_mail_program(told: Any, language: str) -> None:
    """R18, R19, S44: no image, script, form or outside address; far below the size that Gmail
    cuts off."""
    html = compose(told, language).html
    page = Page(html)
    assert {"img", "script", "link", "form", "iframe", "object", "video"}.isdisjoint(
        tag for tag, _ in page.tags
    )
    assert "url(" not in html
    assert {tag["href"] for tag in page.all("a")} <= {LINK, OWN}
    assert "src=" not in html
    assert len(html.encode()) < 60_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_stands_alone_on_its_line_once(language: str) -> None:
    """S47, R19: text: one line that is the link. HTML: one button, and once in full to read."""
    letter = compose(a_confirmation(), language)
    assert [line for line in letter.text.splitlines() if "://" in line] == [LINK, OWN]
    page = Page(letter.html)
    assert [tag["href"] for tag in page.all("a")] == [LINK, LINK, OWN]
    assert page.words.count(LINK) == 1
    assert page.words.count("://") == 2
    assert len(re.findall(r"font-weight:700;text-decoration:none", letter.html)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", TO_CLIENTS[:3], ids=["confirmation", "reminder", "receipt"])
def test_every_answer_is_said_in_words_with_its_full_wording(told: Any, language: str) -> None:
    """S46, S48: yes and no in words, never by colour alone; the wording in full; who the
    controller is."""
    letter = compose(told, language)
    page = Page(letter.html)
    yes_notice, yes, no = {
        "pl": ("TAK – informacja przekazana", "TAK – wyrażam zgodę", "NIE – nie wyrażam zgody"),
        "en": ("YES – information given", "YES – I agree", "NO – I do not agree"),
        "ru": ("ДА – информация предоставлена", "ДА – даю согласие", "НЕТ – не даю согласия"),
    }[language]
    for words in (letter.text, page.words):
        for one, said in zip(ANSWERS, (yes_notice, yes, no), strict=True):
            assert words.count(said) == 2
            assert re.search(f"{re.escape(one.title)}\\s+{said}", words)
            for line in one.text.split("\n"):
                assert line in words
        for detail in (CONTROLLER.name, CONTROLLER.address, CONTROLLER.registry_number):
            assert detail in words
        for detail in (CONTROLLER.email, CONTROLLER.phone, CONTROLLER.dpo or ""):
            assert detail in words
    assert "<br>" not in letter.html.split("– one;")[0].rsplit("<p", 1)[-1]


@pytest.mark.parametrize(
    ("language", "until", "reply"),
    [
        ("pl", "6 grudnia 2026 r., godz. 14:05 (CET, UTC+1)", "odpowiedzieć na tę wiadomość"),
        ("en", "6 December 2026, 14:05 (CET, UTC+1)", "reply to this message"),
        ("ru", "6 декабря 2026 г., 14:05 (CET, UTC+1)", "ответьте на это сообщение"),
    ],
)
def test_the_confirmation_says_until_when_and_what_to_do_if_it_is_not_right(
    language: str, until: str, reply: str
) -> None:
    """S49, S50: the end of the link with its zone; a reply reaches the person who sent it."""
    letter = compose(a_confirmation(), language)
    for words in (letter.text, Page(letter.html).words):
        assert until in words
        assert reply in words
        assert "Łukasz Żółć" in words


def test_a_reminder_says_that_it_is_one() -> None:
    """S49: the same message again, and it says so."""
    for language, word in (("pl", "przypominamy"), ("en", "reminder"), ("ru", "Напоминаем")):
        assert word in compose(a_confirmation(reminder=True), language).text
        assert word not in compose(a_confirmation(), language).text


def test_a_receipt_has_the_number_and_the_moment() -> None:
    """S48: summer time is told as summer time."""
    letter = compose(a_receipt(), "en")
    for words in (letter.text, Page(letter.html).words):
        assert "D-7KQ4-93" in words
        assert "1 July 2026, 09:30 (CEST, UTC+2)" in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_note_names_the_client_and_what_happened(language: str) -> None:
    """D13, R24: five notes to the sender, each with words of its own."""
    letters = [compose(a_note(kind), language) for kind in NOTES]
    assert len({letter.subject for letter in letters}) == len(NOTES)
    assert all(letter.subject.endswith(": Екатерина Щукина") for letter in letters)
    assert all("- Marketing\n- SMS/telefon\n" in letter.text for letter in letters)


def test_a_missing_fact_is_an_error_not_a_gap() -> None:
    """S46: facts of another shape do not make half a letter."""

    class Receipt(Controller, frozen=True, kw_only=True):
        """A receipt without what a receipt needs."""

    half = Receipt(name="A", address="B", registry_number="C", email="D", phone="E")
    with pytest.raises(UndefinedError):
        compose(half, "en")  # type: ignore[arg-type]


def test_a_language_without_letters_is_refused() -> None:
    """S44."""
    with pytest.raises(ValueError, match="'de'"):
        compose(a_receipt(), "de")


HOSTILE = [
    "<script>alert(1)</script>",
    '<a href="https://evil.example">x</a>',
    '"><img src=x onerror=alert(1)>',
    "https://evil.example/click",
    "javascript:alert(1)",
    "{{ link }} {% raw %}",
    "[x](https://evil.example)",
    "<!--",
    "</title></style></td></table>",
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_facts_stay_text(hostile: str, language: str) -> None:
    """R18, S46: no markup, no template and no link comes from what somebody typed."""
    plain = Page(compose(a_confirmation(), language).html)
    answers = tuple(replace(one, title=hostile, text=f"{hostile}\n\n{hostile}") for one in ANSWERS)
    controller = replace(CONTROLLER, name=hostile, address=hostile, dpo=hostile)
    letter = compose(
        a_confirmation(
            client_name=hostile, staff_name=hostile, answers=answers, controller=controller
        ),
        language,
    )
    page = Page(letter.html)
    paragraphs = [tag for tag, _ in page.tags if tag != "p"]
    assert paragraphs == [tag for tag, _ in plain.tags if tag != "p"]
    assert {tag["href"] for tag in page.all("a")} == {LINK, OWN}
    assert hostile in page.words
    assert hostile in letter.text


def test_a_name_takes_one_line_and_turns_no_text_round() -> None:
    """R19: no second link line, no bidi or control characters, in either part."""
    name = "Anna\n\nhttps://evil.example\r\n\u202egnp.exe\u2066\x1b[31m\u2028x\ud800"
    letter = compose(a_confirmation(client_name=name), "en")
    assert "Client: Anna https://evil.example gnp.exe[31m x\n" in letter.text
    assert not re.search("[\x1b\u202a-\u202e\u2066-\u2069\u2028\ud800]", letter.text + letter.html)


@given(st.text(), st.text())
def test_any_text_makes_a_letter_that_can_be_sent(name: str, wording: str) -> None:
    """S46, M33: nothing that a person may type stops a letter or opens a tag."""
    answers = (SheetAnswer(title=name, text=wording, answer=True, kind="consent"),)
    letter = compose(a_confirmation(client_name=name, answers=answers), "pl")
    letter.html.encode()
    letter.text.encode()
    assert [line for line in letter.text.splitlines() if line == LINK] == [LINK]
    assert {tag["href"] for tag in Page(letter.html).all("a")} == {LINK, OWN}


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "https://x.example/c#a b",
        "https://x.example/c#é",
        "https://x.example/c#a\nb",
        "https://x.example/c#" + "a" * 200,
        "//x.example/c#a",
        "",
    ],
)
def test_a_link_that_is_not_one_plain_address_is_refused(link: str) -> None:
    """R19: at most 200 characters, nothing that a mail program would break."""
    with pytest.raises(ValueError, match="200 characters"):
        a_confirmation(link=link)


def test_a_moment_without_a_zone_is_refused() -> None:
    """S49: a time without its zone is no time."""
    naive = datetime(2026, 12, 6, 14, 5)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="time zone"):
        a_confirmation(expires_at=naive)
    with pytest.raises(ValueError, match="time zone"):
        a_receipt(decided_at=naive)
    for field in ("declared_at", "happened_at"):
        with pytest.raises(ValueError, match="time zone"):
            a_note(facts.LinkExpired, **{field: naive})


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (ZoneInfo("UTC"), "2 May 2026, 08:00 (UTC)"),
        (ZoneInfo("Europe/Moscow"), "2 May 2026, 08:00 (MSK, UTC+3)"),
        (ZoneInfo("Asia/Kolkata"), "2 May 2026, 08:00 (IST, UTC+5:30)"),
        (ZoneInfo("Asia/Yekaterinburg"), "2 May 2026, 08:00 (UTC+5)"),
        (ZoneInfo("America/St_Johns"), "2 May 2026, 08:00 (NDT, UTC-2:30)"),
        (timezone(timedelta(hours=2)), "2 May 2026, 08:00 (UTC+2)"),
    ],
)
def test_a_moment_is_told_with_its_zone(zone: tzinfo, said: str) -> None:
    """S49: the abbreviation where the zone has one, the offset always."""
    when = datetime(2026, 5, 2, 8, 0, tzinfo=zone)
    assert moment(when, "en") == said


def test_every_month_has_its_name() -> None:
    """S49."""
    for language in LANGUAGES:
        months = {
            moment(datetime(2026, month, 1, tzinfo=WARSAW), language).split()[1]
            for month in range(1, 13)
        }
        assert len(months) == 12


def test_a_masked_link_has_no_token() -> None:
    """R17: the archive keeps where the link led, not what made it act."""
    assert facts.masked(LINK) == "https://zgody.bursztyn.example/c#masked"
    for tokenless in ("https://x.example/c", "https://x.example/c#"):
        with pytest.raises(ValueError, match="masked"):
            facts.masked(tokenless)
