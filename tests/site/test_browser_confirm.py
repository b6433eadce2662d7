"""The confirm page in a browser, against a fake that answers the contract of the link routes."""

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.site.declarations import a_reading
from tests.site.fake_duly import Answer, FakeDuly, a_receipt, a_token, refusal


def screen(page: Page, name: str) -> None:
    """The page has come to this screen, and says so to those who can't see it."""
    expect(page.locator("#screen")).to_have_attribute("data-screen", name)
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("h1")).to_be_focused()
    heading = page.locator("h1").inner_text()
    assert page.title().startswith(heading)


def open_choice(page: Page, duly: FakeDuly) -> None:
    """Opens the link up to the choice."""
    page.goto(duly.link())
    screen(page, "choice")


def choose(page: Page, decision: str) -> None:
    """Chooses and sends."""
    page.check(f"#decision-{decision}")
    page.click("button[type=submit]")


def test_the_page_shows_everything_that_is_to_be_confirmed(page: Page, duly: FakeDuly) -> None:
    """S47, S20, D14: who asks, every answer in words, every wording whole; no radio chosen."""
    open_choice(page, duly)
    main = page.locator("main")
    for text in ("Jan Żółkiewski", "Anna Nowak", "6 grudnia 2026, godz. 23:59 CET"):
        expect(main).to_contain_text(text)
    expect(page.locator("footer")).to_contain_text("ul. Długa 5, 00-001 Warszawa")
    said = page.locator(".said").all_inner_texts()
    assert [text.strip() for text in said] == [
        "Informacja przekazana",
        "Nie wyrażam zgody",
        "Tak, wyrażam zgodę",
        "Nie wyrażam zgody",
    ]
    page.click("summary")
    shown = " ".join(main.inner_text().split())
    for answer in duly.reading["answers"]:
        for line in filter(None, answer["text"].split("\n")):
            assert line.removeprefix("– ") in shown
    assert page.locator("input:checked").count() == 0
    assert page.locator("[lang=pl][data-title]").count() == 4


def test_opening_the_link_only_reads(page: Page, duly: FakeDuly) -> None:
    """R3: scripts on, nobody there for an hour: nothing but one `links/read`."""
    page.clock.install()
    open_choice(page, duly)
    page.clock.run_for("01:00:00")
    assert duly.routes() == ["read"]


def test_a_robot_that_presses_every_button_decides_nothing(page: Page, duly: FakeDuly) -> None:
    """R4: without a choice nothing is sent."""
    open_choice(page, duly)
    for button in page.locator("button, summary").all():
        button.click()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert duly.routes() == ["read"]
    expect(page.locator(".error-summary")).to_be_visible()


def test_the_token_leaves_the_address_before_anything_is_asked(page: Page, duly: FakeDuly) -> None:
    """R18: fragment gone, no request with the token in its address, no third party, no storage."""
    page.add_init_script(
        """const send = window.fetch; window.seen = [];
        window.fetch = (...request) => {
          window.seen.push(location.href); return send(...request); };"""
    )
    requests: list[Request] = []

    def record(request: Request) -> None:
        requests.append(request)

    page.on("request", record)
    open_choice(page, duly)
    choose(page, "confirm")
    screen(page, "registered")
    asked_from = page.evaluate("window.seen")
    assert len(asked_from) >= 3
    assert set(asked_from) == {f"{duly.origin}/c"} == {page.url}
    for request in requests:
        assert request.url.startswith(f"{duly.origin}/")
        assert a_token() not in request.url.partition("#")[0]
        assert request.headers.get("referer", "") == ""
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("history.state") is None


def test_a_person_confirms_and_sees_the_receipt(page: Page, duly: FakeDuly) -> None:
    """S48, S49: "registered", the moment and the reference; the same on a second visit."""
    open_choice(page, duly)
    choose(page, "confirm")
    screen(page, "registered")
    assert duly.acts() == [{"token": a_token(), "decision": "confirm", "digest": "d1"}]
    for _visit in range(2):
        main = page.locator("main")
        expect(main).to_contain_text("22 listopada 2026, godz. 14:05 CET")
        expect(main).to_contain_text("K7Q2-M4XD")
        expect(page.locator(".answer")).to_have_count(4)
        page.goto("about:blank")
        page.goto(duly.link())
        screen(page, "registered")
    assert len(duly.acts()) == 1


def test_confirming_takes_a_keyboard_and_nothing_else(page: Page, duly: FakeDuly) -> None:
    """R25: Tab, Space, arrows and Enter."""
    open_choice(page, duly)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "decision":
            break
    page.keyboard.press("Space")
    expect(page.locator("#decision-confirm")).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#decision-dispute")).to_be_checked()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(page.locator("button[type=submit]")).to_be_focused()
    assert duly.acts() == []
    page.keyboard.press("Enter")
    screen(page, "registered")


def test_sending_without_a_choice_says_what_is_missing(page: Page, duly: FakeDuly) -> None:
    """R4: error summary, focused, linked to the radios; nothing is sent."""
    open_choice(page, duly)
    page.click("button[type=submit]")
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    assert page.title().startswith("Błąd: ")
    expect(page.locator("fieldset")).to_have_attribute("aria-describedby", "decision-error")
    expect(page.locator("#decision-error")).to_be_visible()
    summary.get_by_role("link").click()
    expect(page.locator("#decision-confirm")).to_be_focused()
    assert page.url == f"{duly.origin}/c"
    assert duly.acts() == []
    choose(page, "confirm")
    screen(page, "registered")


def test_a_dispute_changes_nothing_and_leaves_the_choice_open(page: Page, duly: FakeDuly) -> None:
    """D13, R5: the same link still confirms."""
    open_choice(page, duly)
    choose(page, "dispute")
    screen(page, "disputed")
    expect(page.locator("main")).to_contain_text("6 grudnia 2026, godz. 23:59 CET")
    page.click("[data-back]")
    screen(page, "choice")
    assert page.locator("input:checked").count() == 0
    choose(page, "confirm")
    screen(page, "registered")
    assert [act["decision"] for act in duly.acts()] == ["dispute", "confirm"]


def test_an_earlier_dispute_is_shown_on_the_next_visit(page: Page, duly: FakeDuly) -> None:
    """D13."""
    duly.reading = a_reading(state="disputed", receipt=a_receipt("disputed"))
    page.goto(duly.link())
    screen(page, "disputed")


@pytest.mark.parametrize(
    ("answer", "ends_on", "renewable"),
    [
        (refusal(400, "link_invalid"), "invalid", False),
        (refusal(410, "link_expired"), "expired", True),
        (refusal(410, "link_superseded"), "superseded", True),
        (refusal(410, "link_withdrawn"), "withdrawn", False),
        (refusal(410, "link_closed"), "closed", False),
    ],
)
def test_a_dead_link_gets_its_own_page(
    page: Page, duly: FakeDuly, answer: Answer, ends_on: str, renewable: bool
) -> None:
    """R14, R24: calm page, and a way on where there is one; on opening and on sending alike."""
    duly.refuse = {"read": [answer]}
    page.goto(duly.link())
    screen(page, ends_on)
    assert page.locator("[data-renew]").count() == int(renewable)
    page.goto("about:blank")
    open_choice(page, duly)
    duly.refuse = {"act": [answer]}
    choose(page, "confirm")
    screen(page, ends_on)


def test_a_new_link_is_asked_for_by_a_press_alone(page: Page, duly: FakeDuly) -> None:
    """R24: no automatic request; a failed one can be repeated."""
    duly.refuse = {
        "read": [refusal(410, "link_expired")],
        "renew": [refusal(503, "unavailable")],
    }
    page.goto(duly.link())
    screen(page, "expired")
    assert duly.routes() == ["read"]
    page.click("[data-renew]")
    expect(page.locator(".error-summary")).to_be_focused()
    page.click("[data-renew]")
    screen(page, "renewed")
    assert duly.routes() == ["read", "renew", "renew"]
    assert duly.asked[-1] == ("/api/public/polisa/links/renew", {"token": a_token()})


@pytest.mark.parametrize("token", ["garbage", "v1.k1.AAAA.BBBB", f"{a_token()}%20"])
def test_garbage_gets_the_invalid_page_without_a_request(
    page: Page, duly: FakeDuly, token: str
) -> None:
    """R16, R21."""
    page.goto(duly.link(token))
    screen(page, "invalid")
    assert duly.asked == []


def test_a_page_without_a_token_asks_for_the_mail(page: Page, duly: FakeDuly) -> None:
    """R18: the token lives in memory, so a reload has none."""
    open_choice(page, duly)
    page.reload()
    screen(page, "missing")
    assert duly.routes() == ["read"]


def test_a_second_link_in_the_same_tab_is_opened(page: Page, duly: FakeDuly) -> None:
    """R25: an in-app browser keeps one tab, where only the fragment changes."""
    open_choice(page, duly)
    duly.reading = a_reading("en")
    page.evaluate("token => { location.hash = token }", a_token())
    expect(page.locator("h1")).to_have_text("Are these your answers?")
    assert page.url == f"{duly.origin}/c"
    assert duly.routes() == ["read", "read"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "Nie udało się wysłać decyzji."),
        (refusal(500, "internal"), "Nie udało się wysłać decyzji."),
        (refusal(503, "unavailable"), "Nie udało się wysłać decyzji."),
        (refusal(429, "too_many_requests"), "Zbyt wiele prób naraz."),
    ],
    ids=["network", "500", "503", "429"],
)
def test_a_failed_sending_keeps_the_choice(
    page: Page, duly: FakeDuly, answer: Answer | None, says: str
) -> None:
    """R5: what was chosen stays, and sending again is safe."""
    open_choice(page, duly)
    duly.refuse = {"act": [answer]}
    choose(page, "confirm")
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(says)
    expect(page.locator("#decision-confirm")).to_be_checked()
    page.click("button[type=submit]")
    screen(page, "registered")


@pytest.mark.parametrize("answer", [None, refusal(503, "x"), refusal(429, "too_many_requests")])
def test_a_failed_opening_can_be_tried_again(
    page: Page, duly: FakeDuly, answer: Answer | None
) -> None:
    """R25: a bad connection."""
    duly.refuse = {"read": [answer]}
    page.goto(duly.link())
    screen(page, "again")
    page.click("[data-again]")
    screen(page, "choice")


def test_answers_that_changed_meanwhile_are_read_and_chosen_anew(
    page: Page, duly: FakeDuly
) -> None:
    """R23: a decision is about what was shown."""
    open_choice(page, duly)
    duly.refuse = {"act": [refusal(409, "answers_changed")]}
    duly.reading = a_reading(digest="d2")
    choose(page, "confirm")
    expect(page.locator("[data-note]")).to_be_visible()
    screen(page, "choice")
    assert page.locator("input:checked").count() == 0
    choose(page, "confirm")
    screen(page, "registered")
    assert [act["digest"] for act in duly.acts()] == ["d1", "d2"]


def test_a_dispute_after_a_confirmation_shows_the_receipt(page: Page, duly: FakeDuly) -> None:
    """R5: confirmed stays confirmed."""
    open_choice(page, duly)
    duly.refuse = {"act": [refusal(409, "already_confirmed")]}
    duly.reading = a_reading(state="confirmed", receipt=a_receipt("confirmed"))
    choose(page, "dispute")
    screen(page, "registered")
    expect(page.locator("[data-note]")).to_be_visible()


def test_an_impatient_person_sends_once(page: Page, duly: FakeDuly) -> None:
    """R6: pressing again while it is being sent sends nothing more; waiting is announced."""
    open_choice(page, duly)
    duly.delay = 1
    page.check("#decision-confirm")
    page.locator("button[type=submit]").evaluate("button => { button.click(); button.click() }")
    expect(page.locator("form [role=status]")).to_have_text("Wysyłamy…")
    screen(page, "registered")
    assert len(duly.acts()) == 1


def test_a_slow_answer_is_announced_and_explained(page: Page, duly: FakeDuly) -> None:
    """R25: on a slow network nobody is left in front of an empty page."""
    duly.delay = 5.6
    page.goto(duly.link())
    expect(page.locator("#status")).to_contain_text("Trwa to dłużej niż zwykle.")
    expect(page.locator(".late")).to_be_visible()
    screen(page, "choice")
    expect(page.locator("#status")).to_be_empty()


def test_the_language_of_the_page_can_change_and_the_wordings_stay(
    page: Page, duly: FakeDuly
) -> None:
    """S38, R25: the choice stays as well."""
    open_choice(page, duly)
    page.check("#decision-dispute")
    page.get_by_role("button", name="Русский").click()
    expect(page.locator("h1")).to_have_text("Это ваши ответы?")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    assert page.title() == "Это ваши ответы? – Agencja Polisa sp. z o.o."
    expect(page.locator("[data-opening]").nth(1)).to_have_attribute("lang", "pl")
    expect(page.locator("[data-opening]").nth(1)).to_contain_text("Zgadzam się")
    expect(page.locator("#decision-dispute")).to_be_checked()
    assert duly.routes() == ["read"]


@pytest.mark.parametrize(("language", "heading"), [("ru", "Это ваши ответы?"), ("en", "Are these")])
def test_the_page_begins_in_the_language_of_the_declaration(
    page: Page, duly: FakeDuly, language: str, heading: str
) -> None:
    """S38: whatever the browser speaks."""
    duly.reading = a_reading(language)
    page.goto(duly.link())
    screen(page, "choice")
    expect(page.locator("h1")).to_contain_text(heading)


def test_wordings_are_text_and_nothing_else(page: Page, duly: FakeDuly) -> None:
    """R18: markup in a wording or a name is shown, not obeyed."""
    evil = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    duly.reading = a_reading(client_name=evil)
    duly.reading["answers"][1] |= {"title": evil, "text": evil}
    open_choice(page, duly)
    assert page.locator("main img, main script").count() == 0
    assert page.get_by_text(evil, exact=True).count() == 3


def test_printing_opens_every_wording(page: Page, duly: FakeDuly) -> None:
    """S48: what is printed is whole."""
    duly.reading = a_reading(state="confirmed", receipt=a_receipt("confirmed"))
    page.goto(duly.link())
    screen(page, "registered")
    page.evaluate("window.print = () => dispatchEvent(new Event('beforeprint'))")
    page.click("[data-print]")
    expect(page.locator("details")).to_have_attribute("open", "")


def test_without_scripts_the_page_names_another_way(browser: Browser, duly: FakeDuly) -> None:
    """R25, R3: nothing is read, and three languages say how to answer."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(duly.link())
        for word in ("odpisać na e\u2011mail", "reply to the e\u2011mail", "ответьте на письмо"):
            expect(page.locator("noscript p", has_text=word)).to_be_visible()
        expect(page.locator("#screen")).to_be_hidden()
    assert duly.asked == []
