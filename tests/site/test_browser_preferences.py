"""A client's own page of consents in a browser (S57, S58; GDPR Art. 7(3))."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, expect

from tests.site.fake_duly import Answer, a_token, refusal
from tests.site.fake_preferences import FakePreferences
from tests.site.test_browser_confirm import screen


def opened(page: Page, preferences: FakePreferences) -> None:
    """Opens the link."""
    page.goto(preferences.address())
    screen(page, "consents")


def test_the_page_shows_every_consent_and_ticks_none(
    page: Page, preferences: FakePreferences
) -> None:
    """S57, D11: how each stands, its full words, and nothing ticked beforehand."""
    opened(page, preferences)
    said = [one.strip() for one in page.locator(".said > :first-child").all_inner_texts()]
    assert said == [
        "Zgoda udzielona",
        "Zgoda udzielona",
        "Brak zgody",
        "Czeka na potwierdzenie w wiadomości e‑mail",
    ]
    page.locator("summary").first.click()
    expect(page.locator("main")).to_contain_text("Marketing: zgadzam się.")
    assert page.locator("input:checked").count() == 0
    assert page.locator("input[name=withdraw]").count() == 2
    assert page.locator("input[name=add]").count() == 1


def test_opening_only_reads_and_the_token_leaves_the_address(
    page: Page, preferences: FakePreferences
) -> None:
    """R1, R3, R18: one read, no third party, nothing stored, no token in an address."""
    requests: list[Request] = []

    def record(request: Request) -> None:
        requests.append(request)

    page.on("request", record)
    page.clock.install()
    opened(page, preferences)
    page.clock.run_for("01:00:00")
    assert [path.rpartition("/")[2] for path, _ in preferences.asked] == ["read"]
    assert page.url == f"{preferences.origin}/p"
    for request in requests:
        assert request.url.startswith(f"{preferences.origin}/")
        assert a_token() not in request.url.partition("#")[0]
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_one_consent_is_withdrawn_with_one_act(page: Page, preferences: FakePreferences) -> None:
    """S57: tick and send; what was sent is what was ticked, and the page shows it."""
    opened(page, preferences)
    page.check("#choice-email")
    page.click("button[type=submit]")
    expect(page.locator("[data-note]")).to_be_visible()
    (act,) = preferences.acts()
    assert (act["withdraw"], act["add"]) == (["email"], [])
    expect(page.locator("[data-purpose=email] .said")).to_contain_text("Zgoda wycofana")


def test_everything_is_withdrawn_with_one_button(page: Page, preferences: FakePreferences) -> None:
    """GDPR Art. 7(3), S57: as easy as giving."""
    opened(page, preferences)
    page.click("[data-all]")
    expect(page.locator("[data-note]")).to_be_visible()
    assert preferences.acts()[0]["withdraw"] == ["marketing", "email"]
    expect(page.locator("[data-all]")).to_be_hidden()


def test_a_consent_is_added_by_asking_for_it(page: Page, preferences: FakePreferences) -> None:
    """S58: it then waits for the confirmation by e-mail."""
    opened(page, preferences)
    page.check("#choice-phone")
    page.click("button[type=submit]")
    expect(page.locator("[data-purpose=phone] .said")).to_contain_text("Czeka na potwierdzenie")
    assert preferences.acts()[0]["add"] == ["phone"]


def test_what_is_asked_for_no_more_is_shown_and_ends_but_is_not_offered(
    page: Page, preferences: FakePreferences
) -> None:
    """S22, S57: hidden since it was decided: no box where it was refused, one to withdraw it."""
    preferences.states = {"contest": "refused", "partners": "given", "phone": "withdrawn"}
    preferences.hidden = ("contest", "partners")
    opened(page, preferences)
    expect(page.locator("[data-purpose=contest]")).to_contain_text("Konkurs")
    expect(page.locator("[data-purpose=contest] input")).to_have_count(0)
    expect(page.locator("input[name=add]")).to_have_value("phone")
    page.click("button[type=submit]")
    page.click(".error-summary a")
    expect(page.locator("[data-purpose=partners] input[name=withdraw]")).to_be_focused()
    page.check("[data-purpose=partners] input")
    page.click("button[type=submit]")
    expect(page.locator("[data-purpose=partners] .said")).to_contain_text("Zgoda wycofana")
    expect(page.locator("[data-purpose=partners] input")).to_have_count(0)


def test_a_page_on_which_nothing_can_change_asks_nothing(
    page: Page, preferences: FakePreferences
) -> None:
    """S57, S58: all is awaited or asked for no more: shown, without a question or a button."""
    preferences.states = {"contest": "withdrawn", "survey": "awaiting_email"}
    preferences.hidden = ("contest",)
    opened(page, preferences)
    expect(page.locator("[data-consents] > li")).to_have_count(2)
    expect(page.locator("main button:visible")).to_have_count(0)
    expect(page.locator("legend")).to_be_hidden()


def test_days_are_those_of_the_organisation(page: Page, preferences: FakePreferences) -> None:
    """S57: the day as the API gives it, in words, wherever the reader is."""
    opened(page, preferences)
    since = page.locator("[data-purpose=email] [data-since]")
    expect(since).to_have_text("22 listopada 2026 – 22 listopada 2027")


def test_nothing_ticked_is_said_and_sends_nothing(page: Page, preferences: FakePreferences) -> None:
    """R4: the summary leads to the first box."""
    opened(page, preferences)
    page.click("button[type=submit]")
    expect(page.locator(".error-summary")).to_be_focused()
    page.click(".error-summary a")
    expect(page.locator("#choice")).to_be_focused()
    assert preferences.acts() == []


@pytest.mark.parametrize(
    ("answer", "ends_on"),
    [
        (refusal(400, "link_invalid"), "invalid"),
        (refusal(410, "link_expired"), "expired"),
        (refusal(410, "link_withdrawn"), "withdrawn"),
        (refusal(503, "unavailable"), "again"),
        (None, "again"),
    ],
    ids=["invalid", "expired", "withdrawn", "outage", "broken"],
)
def test_a_link_that_is_over_ends_calmly(
    page: Page, preferences: FakePreferences, answer: Answer | None, ends_on: str
) -> None:
    """R14-R16: a page that says what to do, and no more."""
    preferences.refuse["read"] = [answer] * 3
    page.goto(preferences.address())
    screen(page, ends_on)


@pytest.mark.parametrize("language", ["pl", "en", "ru"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_is_accessible(
    page: Page, preferences: FakePreferences, language: str, width: int
) -> None:
    """R25; WCAG 2.2 AA: in each language, narrow and wide, before and after an act."""
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, preferences)
    page.click(f"[data-language={language}]")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.check("#choice-email")
    page.click("button[type=submit]")
    expect(page.locator("[data-note]")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
