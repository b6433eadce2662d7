"""The page of a client's rights in a browser: three languages, narrow and wide, printed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.site.fake_duly import refusal, serving
from tests.site.fake_information import FakeInformation, an_information
from tests.site.test_browser_accessibility import breaches, runs_over, small_targets

PACKS = ("ru-medexpress-2019", "ru-442fz-2024", "pl-nat-2026-02-13", "uk-disp-2026", "eu-eiopa")
FACTS: dict[str, Any] = {
    "membership": {"pl": "Członek związku.", "en": "A member.", "ru": "Член союза."},
    "agents_register": "https://polisa.example/agenci",
}
HEADINGS = {
    "pl": "Informacje dla klientów",
    "en": "Information for clients",
    "ru": "Информация для клиентов",
}


@pytest.fixture
def information() -> Iterator[FakeInformation]:
    """The site and the information of an insurer under the order of 2019."""
    with serving(FakeInformation()) as fake:
        yield fake


def opened(page: Page, information: FakeInformation, lang: str = "ru", **asked: str) -> Page:
    """The page, shown."""
    page.goto(information.address(lang, **asked))
    page.wait_for_selector("[data-screen=information]")
    return page


@pytest.fixture(params=[(320, "light"), (320, "dark"), (1200, "light")])
def sized(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of 320 pixels, light and dark, and one of a desk."""
    width, scheme = request.param
    with browser.new_context(
        viewport={"width": width, "height": 720}, color_scheme=scheme
    ) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page


@pytest.mark.parametrize("language", HEADINGS)
def test_the_page_is_accessible_in_every_language(
    sized: Page, information: FakeInformation, language: str
) -> None:
    """R25: WCAG 2.2 AA as far as a machine can tell, with nothing beside the window."""
    for pack in PACKS:
        information.reading = an_information(pack, **FACTS)
        opened(sized, information, language)
        expect(sized.locator("html")).to_have_attribute("lang", language)
        expect(sized.locator("h1")).to_have_text(HEADINGS[language])
        assert breaches(sized) == []
        assert runs_over(sized) == 0
        assert small_targets(sized) == []


@pytest.mark.parametrize("name", ["again", "unknown"])
def test_its_other_screens_are_accessible(
    sized: Page, information: FakeInformation, name: str
) -> None:
    """R25."""
    status = {"again": 503, "unknown": 404}[name]
    information.refuse = {"information": [refusal(status, "x")]}
    sized.goto(information.address())
    sized.wait_for_selector(f"[data-screen={name}]")
    assert breaches(sized) == []
    assert runs_over(sized) == 0
    assert small_targets(sized) == []


def test_the_contents_lead_to_every_section(page: Page, information: FakeInformation) -> None:
    """M90-M105: rights, cooling-off, sources, where else to turn, how submissions are handled."""
    opened(page, information)
    links = page.locator("[data-contents] a")
    expect(links).to_have_count(5)
    for link in links.all():
        target = page.locator(f"section{link.get_attribute('href')} h2")
        expect(target).to_have_text(link.inner_text())
    links.nth(4).click()
    expect(page.locator("#elsewhere")).to_be_in_viewport()


def test_a_link_to_a_section_opens_at_it(page: Page, information: FakeInformation) -> None:
    """M108: letters and status pages lead straight to the bodies."""
    page.goto(information.address() + "#elsewhere")
    page.wait_for_selector("[data-screen=information]")
    expect(page.locator("#elsewhere h2")).to_be_in_viewport()


def test_the_warning_stands_out_and_names_the_insurer(
    page: Page, information: FakeInformation
) -> None:
    """M96: a box of its own, said to be important in words, with the organisation's name."""
    opened(page, information)
    warning = page.locator("#cooling_off .warning")
    expect(warning.locator(".label")).to_have_text("Важно")
    expect(warning).to_contain_text("АО «Страховая компания Надёжность» не будет нести")
    expect(page.locator("#cooling_off li")).to_have_count(4)
    expect(page.locator("#rights ol > li")).to_have_count(10)


def test_bodies_can_be_called_written_to_and_visited(
    page: Page, information: FakeInformation
) -> None:
    """M101-M105: telephone, site and e-mail are links; nothing claims to have been checked."""
    opened(page, information)
    targets = [
        one.get_attribute("href") or "" for one in page.locator("#elsewhere .contact a").all()
    ]
    for target in (
        "tel:88002000010",
        "https://finombudsman.ru",
        "tel:88003003000",
        "tel:+74993003000",
        "https://www.cbr.ru/reception/",
        "tel:+74957719788",
        "mailto:mail@ins-union.ru",
    ):
        assert target in targets
    expect(page.locator("#elsewhere")).to_contain_text("+7 495 621 64 65")
    expect(page.locator("[data-checked]")).to_have_count(0)
    information.reading["sections"][4]["blocks"][2]["checked_on"] = "2026-11-20"
    opened(page, information)
    expect(page.locator("[data-checked]")).to_have_text(re.compile("Проверено 20 ноября 2026"))


def test_each_section_says_since_when_and_by_which_order(
    page: Page, information: FakeInformation
) -> None:
    """M109: version and effective date, number and date of the order."""
    opened(page, information, "en")
    since = "In force from 12 April 2019. Extract from order No 28 of 12 April 2019."
    expect(page.locator(".since")).to_have_text([since] * 5)
    expect(page.locator("[data-fact=standing]")).to_have_text("As of 27 November 2026. Version 1.")


def test_feedback_leads_to_the_form_of_the_organisation(
    page: Page, information: FakeInformation
) -> None:
    """M89: in the reader's language."""
    opened(page, information, "ru")
    link = page.get_by_role("link", name="Обратная связь").first
    expect(link).to_have_attribute("href", "/complaint?org=polisa&lang=ru")
    page.get_by_role("button", name="Polski").click()
    link = page.get_by_role("link", name="Kontakt").first
    expect(link).to_have_attribute("href", "/complaint?org=polisa&lang=pl")


def test_what_the_organisation_says_of_itself_is_shown_where_it_does(
    page: Page, information: FakeInformation
) -> None:
    """M106, M107."""
    opened(page, information)
    expect(page.locator("#organisation")).to_have_count(0)
    information.reading = an_information(**FACTS)
    opened(page, information)
    expect(page.locator("#organisation p").first).to_have_text("Член союза.")
    register = page.get_by_role("link", name="polisa.example/agenci")
    expect(register).to_have_attribute("href", "https://polisa.example/agenci")
    expect(page.locator("[data-contents] a").last).to_have_text("О нас")


def test_another_language_asks_nothing_again_and_keeps_the_place(
    page: Page, information: FakeInformation
) -> None:
    """R26: the address carries language, organisation and day along, as nothing is stored."""
    opened(page, information, "pl", on="2026-11-27")
    for name, language in (("English", "en"), ("Русский", "ru")):
        page.get_by_role("button", name=name).click()
        expect(page.locator("h1")).to_have_text(HEADINGS[language])
        expect(page).to_have_title(re.compile(f"^{HEADINGS[language]} – "))
        assert page.url.endswith(f"/information?org=polisa&lang={language}&on=2026-11-27")
    assert information.asked == [("/api/public/polisa/information", {"on": "2026-11-27"})]


def test_a_text_that_was_published_in_one_language_says_so(
    page: Page, information: FakeInformation
) -> None:
    """R25: a screen reader speaks it in its own language (WCAG 3.1.2)."""
    section = information.reading["sections"][0]
    section["titles"] = {"pl": "Nasze zasady"}
    section["blocks"] = [{"kind": "paragraph", "text": {"pl": "Tylko po polsku."}}]
    opened(page, information, "en")
    expect(page.locator("#submissions h2")).to_have_attribute("lang", "pl")
    expect(page.locator("#submissions p").first).to_have_attribute("lang", "pl")
    assert breaches(page) == []


def test_hostile_words_stay_words(page: Page, information: FakeInformation) -> None:
    """R18: no markup from text, and no link but of the web."""
    hostile = '<img src=x onerror="alert(1)">'
    information.reading = an_information(
        membership=dict.fromkeys(("pl", "en", "ru"), hostile), agents_register="javascript:alert(1)"
    )
    opened(page, information)
    expect(page.locator("#organisation p").first).to_have_text(hostile)
    expect(page.locator("#organisation a")).to_have_count(0)
    expect(page.locator("#organisation")).to_contain_text("javascript:alert(1)")


def test_an_address_without_an_organisation_asks_nobody(
    page: Page, information: FakeInformation
) -> None:
    """Issue 3, bad input."""
    for query in ("", "?org=", "?org=../x", "?org=Polisa"):
        page.goto(f"{information.origin}/information{query}")
        page.wait_for_selector("[data-screen=unknown]")
    assert information.asked == []


def test_what_did_not_open_can_be_tried_again(page: Page, information: FakeInformation) -> None:
    """R25: no connection, too many at once; then it is there."""
    information.refuse = {"information": [refusal(503, "unavailable"), refusal(429, "too_many")]}
    page.goto(information.address("en"))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-reason]")).to_contain_text("too many attempts")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("[data-screen=information]")


def test_nothing_comes_from_elsewhere(page: Page, information: FakeInformation) -> None:
    """R18: pages, styles, scripts, words and answer are of one origin."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, information)
    assert asked
    assert all(one.startswith(information.origin) for one in asked)


def test_the_printed_page_is_the_text_alone(page: Page, information: FakeInformation) -> None:
    """M109: what is printed is the extract, without buttons, contents and forms."""
    opened(page, information)
    page.emulate_media(media="print")
    for hidden in (".contents", "[data-print]", "section[data-feedback]", ".languages"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#cooling_off .warning")).to_be_visible()
    expect(page.locator("#elsewhere .contact").first).to_be_visible()
