"""The status page and the question to the insured in a browser."""

import pytest
from playwright.sync_api import Page, Request, expect

from tests.site.fake_complaints import OUTSIDE, FakeComplaints, a_body, a_question, a_standing
from tests.site.fake_duly import Answer, a_token, refusal
from tests.site.test_browser_complaint import PDF, attach
from tests.site.test_browser_confirm import screen


def open_status(page: Page, complaints: FakeComplaints) -> None:
    """Opens the status link."""
    page.goto(complaints.address("status"))
    screen(page, "status")


def open_question(page: Page, complaints: FakeComplaints) -> None:
    """Opens the link to the insured."""
    page.goto(complaints.address("insured"))
    screen(page, "question")


def answered(complaints: FakeComplaints) -> list[str]:
    """The answers that were sent."""
    return [body["decision"] for path, body in complaints.asked if path.endswith("/act")]


@pytest.mark.parametrize(
    ("path", "shown"), [("status", "status"), ("insured", "question")], ids=["status", "insured"]
)
def test_the_token_leaves_the_address_before_anything_is_asked(
    page: Page, complaints: FakeComplaints, path: str, shown: str
) -> None:
    """R18: fragment gone, no token in an address, no third party, nothing stored."""
    requests: list[Request] = []

    def record(request: Request) -> None:
        requests.append(request)

    page.add_init_script(
        """const send = window.fetch; window.seen = [];
        window.fetch = (...request) => {
          window.seen.push(location.href); return send(...request); };"""
    )
    page.on("request", record)
    page.goto(complaints.address(path))
    screen(page, shown)
    assert set(page.evaluate("window.seen")) == {f"{complaints.origin}/{path}"} == {page.url}
    for request in requests:
        assert request.url.startswith(f"{complaints.origin}/")
        assert a_token() not in request.url.partition("#")[0]
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    page.reload()
    screen(page, "missing")


@pytest.mark.parametrize("path", ["status", "insured"])
@pytest.mark.parametrize(
    ("answer", "ends_on"),
    [
        (refusal(400, "link_invalid"), "invalid"),
        (refusal(410, "link_expired"), "expired"),
        (refusal(410, "link_superseded"), "superseded"),
        (refusal(410, "link_withdrawn"), "withdrawn"),
        (refusal(503, "unavailable"), "again"),
        (refusal(429, "too_many_requests"), "again"),
        (None, "again"),
    ],
)
def test_a_link_that_opens_nothing_gets_its_own_page(
    page: Page, complaints: FakeComplaints, path: str, answer: Answer | None, ends_on: str
) -> None:
    """R14, R16, R24."""
    route = "complaints/status" if path == "status" else "complaints/insured/read"
    complaints.refuse = {route: [answer]}
    page.goto(complaints.address(path))
    screen(page, ends_on)


@pytest.mark.parametrize("path", ["status", "insured"])
def test_garbage_gets_the_invalid_page_without_a_request(
    page: Page, complaints: FakeComplaints, path: str
) -> None:
    """R16, R21."""
    page.goto(complaints.address(path, token="garbage"))
    screen(page, "invalid")
    assert complaints.asked == []


def test_the_status_is_the_number_the_stage_and_the_next_date(
    page: Page, complaints: FakeComplaints
) -> None:
    """D7, M45: nothing of what was written is on the page."""
    open_status(page, complaints)
    expect(page.locator("h1")).to_have_text("Zgłoszenie 7K3F-9QXM-2T")
    main = page.locator("main")
    for text in (
        "W trakcie rozpatrywania",
        "piątek, 27 listopada 2026",
        "poniedziałek, 30 listopada 2026",
        "środa, 30 grudnia 2026",
        "+48 22 100 20 30",
        "ul. Długa 5, 00-001 Warszawa",
    ):
        expect(main).to_contain_text(text)
    page.click("summary")
    expect(main).to_contain_text("30. dzień śr. 30 grudnia")
    expect(page.locator("[data-where]")).to_be_hidden()


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ("received", "zostanie wpisane do rejestru"),
        ("registered", "zostanie przydzielone"),
        ("in_review", "Zajmuje się nim"),
        ("awaiting_information", "Poprosiliśmy"),
        ("extended", "został przedłużony"),
        ("answered", "Wysłaliśmy odpowiedź"),
        ("passed_on", "Przekazaliśmy zgłoszenie właściwemu zespołowi"),
        ("returned", "Zwróciliśmy zgłoszenie"),
        ("duplicate", "odpowiadamy na nie razem z tamtym"),
        ("unanswered", "pozostawimy zgłoszenie bez odpowiedzi"),
        ("suspended", "zarejestrujemy zgłoszenie ponownie"),
        ("closed", "Sprawa jest zamknięta"),
    ],
)
def test_every_stage_has_its_words(
    page: Page, complaints: FakeComplaints, stage: str, says: str
) -> None:
    """D7, M26, M30, M50: what the letters promise that the page shows, and no fact of the case."""
    complaints.standing = a_standing(stage=stage, registered_on=None, next=None)
    open_status(page, complaints)
    expect(page.locator("[data-stage-text]")).to_contain_text(says)
    expect(page.locator("[data-next]")).to_be_hidden()
    expect(page.locator("[data-registered]")).to_be_hidden()
    expect(page.locator("[data-why]")).to_be_hidden()


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ("passed_on", ("Przekazane", "Passed on", "Передано")),
        ("returned", ("Zwrócone", "Returned", "Возвращено")),
        (
            "duplicate",
            (
                "Połączone z innym zgłoszeniem",
                "Joined with another submission",
                "Объединено с другим обращением",
            ),
        ),
        (
            "unanswered",
            ("Zamknięte bez odpowiedzi", "Closed without an answer", "Закрыто без ответа"),
        ),
        (
            "suspended",
            (
                "Zamknięte, można wznowić",
                "Closed, can be taken up again",
                "Закрыто, можно возобновить",
            ),
        ),
    ],
)
def test_an_end_is_named_in_three_languages(
    page: Page, complaints: FakeComplaints, stage: str, named: tuple[str, str, str]
) -> None:
    """M26, M30, M50: as the letters name it."""
    complaints.standing = a_standing(stage=stage, next=None)
    open_status(page, complaints)
    for language, name in zip(("Polski", "English", "Русский"), named, strict=True):
        page.get_by_role("button", name=language).click()
        expect(page.locator("[data-stage]")).to_have_text(name)


@pytest.mark.parametrize(
    ("name", "merged"),
    [("Agencja Polisa sp. z o.o.", "Agencja Polisa sp. z o.o"), ("САО «Медэкспресс»", "")],
)
def test_a_writer_who_stands_outside_reads_the_letter_and_nothing_else(
    page: Page, complaints: FakeComplaints, name: str, merged: str
) -> None:
    """M39, D7: word for word, in each language, with this organisation's name; no date at all."""
    complaints.standing = a_standing(**OUTSIDE)
    complaints.standing["organisation"]["name"] = name
    open_status(page, complaints)
    for language, thanks in {
        "Polski": f"zgłoszenie skierowane do nas ({name}). Zrobimy",
        "English": f"Thank you for your submission to {merged or name}. We will",
        "Русский": f"Благодарим за направленное обращение в {merged or name}. Мы сделаем",
    }.items():
        page.get_by_role("button", name=language).click()
        expect(page.locator("[data-stage-text]")).to_contain_text(thanks)
    expect(page.locator("[data-stage-text]")).to_contain_text("и принятых мерах")
    expect(page.locator("[data-dates]")).to_be_hidden()
    expect(page.locator("[data-why]")).to_be_hidden()
    expect(page.locator("[data-where]")).to_be_hidden()


def test_where_else_to_turn_is_said_in_the_readers_language(
    page: Page, complaints: FakeComplaints
) -> None:
    """M101-M108."""
    complaints.standing = a_standing(stage="answered", where_next=[a_body()])
    open_status(page, complaints)
    expect(page.locator("[data-bodies]")).to_contain_text("Rzecznik Finansowy")
    page.get_by_role("button", name="English").click()
    expect(page.locator("[data-bodies]")).to_contain_text("Financial Ombudsman")


def test_each_way_to_reach_a_body_has_a_line_of_its_own(
    page: Page, complaints: FakeComplaints
) -> None:
    """M108: an address, a telephone and a site are told apart, and a long site fits the screen."""
    how = (
        "Skargi dotyczące ubezpieczeń.\nul. Nowa 1, 00-950 Warszawa\nhttps://rf.example/" + "a" * 80
    )
    one = {"name": {"pl": "Rzecznik Finansowy"}, "how": {"pl": how}}
    complaints.standing = a_standing(stage="unanswered", where_next=[one])
    open_status(page, complaints)
    said = page.locator("[data-bodies] li").inner_text()
    assert said.splitlines() == ["Rzecznik Finansowy", *how.splitlines()]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_message_and_a_document_are_added(page: Page, complaints: FakeComplaints) -> None:
    """M46, M74: and the page says that they have arrived."""
    open_status(page, complaints)
    page.fill("#text", "Przesyłam rachunek.")
    attach(page, PDF)
    page.click("button[type=submit]")
    expect(page.locator("[data-note]")).to_be_visible()
    screen(page, "status")
    (added,) = [body for path, body in complaints.asked if path.endswith("/add")]
    assert added["token"] == a_token()
    assert added["text"] == "Przesyłam rachunek."
    assert [one["folder"] for one in added["files"]] == ["f" * 32]
    expect(page.locator("#text")).to_have_value("")
    assert page.locator(".attachment").count() == 0


def test_nothing_is_not_added_and_a_failure_keeps_what_was_written(
    page: Page, complaints: FakeComplaints
) -> None:
    open_status(page, complaints)
    page.click("button[type=submit]")
    expect(page.locator(".error-summary")).to_contain_text("wpisać wiadomość albo dołączyć plik")
    page.fill("#text", "Przesyłam rachunek.")
    complaints.refuse = {"complaints/status/add": [None, refusal(429, "too_many_requests")]}
    page.click("button[type=submit]")
    expect(page.locator(".error-summary")).to_contain_text("Nie udało się wysłać")
    page.click("button[type=submit]")
    expect(page.locator(".error-summary")).to_contain_text("Zbyt wiele prób naraz")
    page.click("button[type=submit]")
    expect(page.locator("[data-note]")).to_be_visible()
    said = [body["text"] for path, body in complaints.asked if path.endswith("/add")]
    assert said == ["Przesyłam rachunek."] * 3


@pytest.mark.parametrize(
    ("language", "status", "code", "said"),
    [
        ("pl", 429, "too_many_additions", "zadzwonić lub napisać"),
        ("en", 429, "too_many_additions", "call or write"),
        ("ru", 429, "too_many_additions", "позвоните или напишите"),
        ("pl", 409, "adding_ended", "prosimy zadzwonić lub napisać"),
        ("en", 409, "adding_ended", "To tell us more, call or write"),
        ("ru", 409, "adding_ended", "позвоните или напишите"),
    ],
)
def test_over_a_limit_other_ways_are_named_and_what_was_written_stays(
    page: Page, complaints: FakeComplaints, language: str, status: int, code: str, said: str
) -> None:
    """R21, M33: the ways themselves are on the same page; "later" only where later is true."""
    complaints.standing = a_standing(language=language)
    complaints.refuse = {"complaints/status/add": [refusal(status, code)]}
    open_status(page, complaints)
    page.fill("#text", "Jeszcze jedno.")
    page.click("button[type=submit]")
    expect(page.locator(".error-summary")).to_contain_text(said)
    expect(page.locator("#text")).to_have_value("Jeszcze jedno.")
    for way in ("phone", "address", "email"):
        expect(page.locator(f".channels [data-fact={way}]")).not_to_be_empty()


def test_a_file_over_the_limit_names_other_ways(page: Page, complaints: FakeComplaints) -> None:
    """R21."""
    complaints.refuse = {"complaints/status/files": [refusal(429, "too_many_additions")]}
    open_status(page, complaints)
    attach(page, PDF)
    expect(page.locator(".attachment")).to_contain_text("zadzwonić lub napisać")


def test_where_nothing_may_be_added_other_ways_are_named(
    page: Page, complaints: FakeComplaints
) -> None:
    complaints.standing = a_standing(may_add=False, stage="closed")
    open_status(page, complaints)
    expect(page.locator("form")).to_be_hidden()
    expect(page.locator("[data-not-adding]")).to_be_visible()


def test_opening_the_question_only_reads(page: Page, complaints: FakeComplaints) -> None:
    """R3, M38: scripts on, nobody there for an hour: nothing but one read; no radio is chosen."""
    page.clock.install()
    open_question(page, complaints)
    page.clock.run_for("01:00:00")
    assert complaints.called() == ["complaints/insured/read"]
    assert page.locator("input:checked").count() == 0


def test_a_robot_that_presses_every_button_answers_nothing(
    page: Page, complaints: FakeComplaints
) -> None:
    """R4, D14."""
    open_question(page, complaints)
    for button in page.locator("button").all():
        button.click()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert answered(complaints) == []
    expect(page.locator(".error-summary")).to_be_visible()
    page.locator(".error-summary a").click()
    expect(page.locator("#decision-mine")).to_be_focused()


@pytest.mark.parametrize("decision", ["mine", "not_mine"])
def test_the_insured_answers_by_keyboard(
    page: Page, complaints: FakeComplaints, decision: str
) -> None:
    """M38, D7, R25: and sees what was registered, also on the next visit."""
    open_question(page, complaints)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "decision":
            break
    page.keyboard.press("Space")
    if decision == "not_mine":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    screen(page, "decided")
    assert answered(complaints) == [decision]
    expect(page.locator("[data-decision]")).to_contain_text(
        "Tak" if decision == "mine" else "Nie, nie wysłano"
    )
    expect(page.locator("main")).to_contain_text("27 listopada 2026, godz. 18:05 CET")
    page.goto("about:blank")
    page.goto(complaints.address("insured"))
    screen(page, "decided")
    assert answered(complaints) == [decision]


def test_an_answer_that_stands_is_shown(page: Page, complaints: FakeComplaints) -> None:
    """D7: the other answer afterwards changes nothing, and is told so."""
    open_question(page, complaints)
    complaints.question = a_question(decision="not_mine", state="answered")
    page.check("#decision-mine")
    page.click("button[type=submit]")
    screen(page, "decided")
    expect(page.locator("[data-note]")).to_be_visible()
    expect(page.locator("[data-decision]")).to_contain_text("Nie, nie wysłano")


def test_a_failed_answer_keeps_the_choice(page: Page, complaints: FakeComplaints) -> None:
    """R5, R6: sending again is safe, pressing twice sends once."""
    open_question(page, complaints)
    complaints.refuse = {"complaints/insured/act": [None]}
    page.check("#decision-mine")
    page.click("button[type=submit]")
    expect(page.locator(".error-summary")).to_contain_text("Nie udało się wysłać")
    expect(page.locator("#decision-mine")).to_be_checked()
    complaints.delay = 0.5
    page.locator("button[type=submit]").evaluate("button => { button.click(); button.click() }")
    screen(page, "decided")
    assert answered(complaints) == ["mine", "mine"]


@pytest.mark.parametrize(("language", "heading"), [("ru", "Это отправлено"), ("en", "Was this")])
def test_the_question_is_asked_in_the_language_of_the_case(
    page: Page, complaints: FakeComplaints, language: str, heading: str
) -> None:
    """M38: whatever the browser speaks."""
    complaints.question = a_question(language)
    open_question(page, complaints)
    expect(page.locator("h1")).to_contain_text(heading)
