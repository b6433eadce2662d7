"""Every page and screen before axe-core, at 320 pixels, and in the dark (R25)."""

import re
from collections.abc import Callable
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.site.declarations import a_reading
from tests.site.fake_duly import FakeDuly, a_receipt, refusal

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ["/", "/nowhere", "/privacy.html", "/accessibility.html"]


def _read_gets(status: int, code: str) -> Callable[[Page, FakeDuly], None]:
    def arrange(page: Page, duly: FakeDuly) -> None:
        duly.refuse = {"read": [refusal(status, code)]}
        page.goto(duly.link())

    return arrange


def _choice(page: Page, duly: FakeDuly) -> None:
    page.goto(duly.link())
    page.click("summary")


def _error(page: Page, duly: FakeDuly) -> None:
    page.goto(duly.link())
    page.click("button[type=submit]")


def _decided(decision: str) -> Callable[[Page, FakeDuly], None]:
    def arrange(page: Page, duly: FakeDuly) -> None:
        duly.reading |= {"state": decision, "receipt": a_receipt(decision)}
        page.goto(duly.link())

    return arrange


def _missing(page: Page, duly: FakeDuly) -> None:
    page.goto(duly.link(""))


def _renewed(page: Page, duly: FakeDuly) -> None:
    _read_gets(410, "link_expired")(page, duly)
    page.click("[data-renew]")


SCREENS = {
    "choice": _choice,
    "error": _error,
    "registered": _decided("confirmed"),
    "disputed": _decided("disputed"),
    "invalid": _read_gets(400, "link_invalid"),
    "missing": _missing,
    "expired": _read_gets(410, "link_expired"),
    "superseded": _read_gets(410, "link_superseded"),
    "withdrawn": _read_gets(410, "link_withdrawn"),
    "closed": _read_gets(410, "link_closed"),
    "again": _read_gets(503, "unavailable"),
    "renewed": _renewed,
}


def breaches(page: Page) -> list[str]:
    """What axe-core objects to; the driver's own channel lets it in past the content policy."""
    page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    return [
        f"{breach['id']}: {node['target']} {node['failureSummary']}"
        for breach in found["violations"]
        for node in breach["nodes"]
    ]


def runs_over(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wider: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider


def small_targets(page: Page) -> list[str]:
    """Controls below 24 by 24 pixels; links within a sentence are exempt (WCAG 2.5.8)."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, summary")]
        .filter((each) => each.checkVisibility() && !each.classList.contains("skip"))
        .filter((each) => !each.closest("[aria-hidden=true]"))
        .filter((each) => { const box = each.getBoundingClientRect();
          return box.width < 24 || box.height < 24 })
        .map((each) => each.outerHTML)"""
    )
    return found


@pytest.fixture(params=["light", "dark"])
def narrow(request: pytest.FixtureRequest, browser: Browser) -> Page:
    """A page of 320 pixels: a screen of 1280 at 400 %."""
    context = browser.new_context(
        viewport={"width": 320, "height": 640},
        locale="ru-RU",
        timezone_id="Europe/Moscow",
        color_scheme=request.param,
    )
    request.addfinalizer(context.close)
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible(narrow: Page, duly: FakeDuly, path: str) -> None:
    """R25: WCAG 2.2 AA as far as a machine can tell; in Russian, whose words are the longest."""
    narrow.goto(duly.origin + path)
    expect(narrow.locator("html")).to_have_attribute("lang", "ru")
    assert breaches(narrow) == []
    assert runs_over(narrow) == 0
    assert small_targets(narrow) == []


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_accessible(narrow: Page, duly: FakeDuly, name: str) -> None:
    """R25."""
    duly.reading = a_reading("ru")
    SCREENS[name](narrow, duly)
    shown = "choice" if name == "error" else name
    expect(narrow.locator("#screen")).to_have_attribute("data-screen", shown)
    assert breaches(narrow) == []
    assert runs_over(narrow) == 0
    assert small_targets(narrow) == []


def test_a_long_unbroken_name_does_not_widen_the_page(narrow: Page, duly: FakeDuly) -> None:
    """R25: reflow."""
    duly.reading = a_reading("ru", client_name="Щ" * 120, staff_name="x" * 120)
    duly.reading["controller"] |= {"name": "Ю" * 80, "email": f"{'a' * 60}@polisa.example"}
    duly.reading["answers"][1] |= {"title": "Ж" * 80, "text": "ж" * 200}
    narrow.goto(duly.link())
    expect(narrow.locator("#screen")).to_have_attribute("data-screen", "choice")
    assert runs_over(narrow) == 0


def test_a_reader_changes_the_language_of_a_page(narrow: Page, duly: FakeDuly) -> None:
    """S38: and the links to the other pages carry it along, as nothing is stored."""
    narrow.goto(f"{duly.origin}/?lang=pl")
    expect(narrow.locator("h1")).to_have_text("Zgoda jak należy, odpowiedź na czas")
    narrow.get_by_role("button", name="English").click()
    expect(narrow.locator("h1")).to_have_text("Duly given, duly answered")
    assert narrow.title() == "Duly – consents, duly given"
    narrow.get_by_role("link", name="Privacy").click()
    expect(narrow.locator("h1")).to_have_text("Privacy on these pages")
    home = narrow.get_by_role("link", name="Duly")
    expect(home).to_have_attribute("href", re.compile(r"lang=en$"))  # the page has begun to speak
    home.click()
    expect(narrow.locator("h1")).to_have_text("Duly given, duly answered")
