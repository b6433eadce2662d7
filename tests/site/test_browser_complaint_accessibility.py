"""Every screen of the complaint's pages before axe-core, narrow and wide, light and dark (R25)."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.site.fake_complaints import (
    OUTSIDE,
    FakeComplaints,
    a_body,
    a_form,
    a_question,
    a_receipt,
    a_standing,
)
from tests.site.fake_duly import refusal
from tests.site.test_browser_accessibility import breaches, runs_over, small_targets
from tests.site.test_browser_complaint import PDF, attach, send

Arrange = Callable[[Page, FakeComplaints], None]


def _open(page: Page, complaints: FakeComplaints) -> None:
    page.goto(complaints.address())
    page.wait_for_selector("[data-screen=form]")


def _everything(page: Page, complaints: FakeComplaints) -> None:
    """Every field open, a draft restored, files in every state, the counter shown."""
    both = ["complaint", "data_protection"]
    complaints.form = complaints.form | {"scopes": {"natural": both, "legal": both}}
    _open(page, complaints)
    page.fill("#substance", "ż" * 20_001)
    page.check("#about-other")
    page.click("summary")
    page.wait_for_timeout(500)
    page.reload()
    page.wait_for_selector("[data-screen=form]")
    page.check("#anonymous")
    page.uncheck("#anonymous")
    complaints.upload_gets = [204, 403]
    attach(page, PDF, {**PDF, "name": "w" * 100 + ".pdf"})
    expect(page.locator("[data-retry]").last).to_be_visible()
    complaints.delay = 0.6
    attach(page, PDF)


def _errors(page: Page, complaints: FakeComplaints) -> None:
    _everything(page, complaints)
    complaints.delay = 0
    send(page)
    page.wait_for_selector(".error-summary")


def _anonymous(page: Page, complaints: FakeComplaints) -> None:
    _open(page, complaints)
    page.check("#anonymous")


def _sent(page: Page, complaints: FakeComplaints) -> None:
    _open(page, complaints)
    page.fill("#substance", "a")
    send(page)
    page.wait_for_selector("[data-screen=sent]")
    page.click("summary")


def _sent_anonymous(page: Page, complaints: FakeComplaints) -> None:
    complaints.receipt |= {"status_link": "", "acknowledgement": "none"}
    _open(page, complaints)
    page.fill("#substance", "a")
    send(page)


def _form_gets(status: int, code: str) -> Arrange:
    def arrange(page: Page, complaints: FakeComplaints) -> None:
        complaints.refuse = {"complaints/form": [refusal(status, code)]}
        page.goto(complaints.address())

    return arrange


def _too_many(page: Page, complaints: FakeComplaints) -> None:
    _open(page, complaints)
    page.fill("#substance", "a")
    complaints.refuse = {"complaints": [refusal(429, "too_many_requests")]}
    send(page)


def _status(page: Page, complaints: FakeComplaints) -> None:
    page.goto(complaints.address("status"))
    page.wait_for_selector("[data-screen=status]")
    page.click("summary")
    complaints.upload_gets = [403]
    attach(page, PDF)
    page.click("button[type=submit]")
    page.wait_for_selector(".error-summary")


def _status_closed(page: Page, complaints: FakeComplaints) -> None:
    complaints.standing |= {"may_add": False, "stage": "returned", "next": None}
    page.goto(complaints.address("status"))


def _status_outside(page: Page, complaints: FakeComplaints) -> None:
    complaints.standing |= OUTSIDE
    page.goto(complaints.address("status"))


def _link_gets(path: Literal["status", "insured"], status: int, code: str) -> Arrange:
    route = {"status": "complaints/status", "insured": "complaints/insured/read"}[path]

    def arrange(page: Page, complaints: FakeComplaints) -> None:
        complaints.refuse = {route: [refusal(status, code)]}
        page.goto(complaints.address(path))

    return arrange


def _question(page: Page, complaints: FakeComplaints) -> None:
    page.goto(complaints.address("insured"))
    page.click("button[type=submit]")


def _decided(page: Page, complaints: FakeComplaints) -> None:
    complaints.question |= {"state": "answered", "decision": "mine"}
    page.goto(complaints.address("insured"))


SCREENS: dict[str, tuple[str, Arrange]] = {
    "everything": ("form", _everything),
    "errors": ("form", _errors),
    "anonymous": ("form", _anonymous),
    "sent": ("sent", _sent),
    "sent_anonymous": ("sent", _sent_anonymous),
    "too_many": ("too_many", _too_many),
    "again": ("again", _form_gets(503, "unavailable")),
    "form_too_many": ("again", _form_gets(429, "too_many_requests")),
    "unknown": ("unknown", _form_gets(404, "not_found")),
    "status": ("status", _status),
    "status_closed": ("status", _status_closed),
    "status_outside": ("status", _status_outside),
    "status_invalid": ("invalid", _link_gets("status", 400, "link_invalid")),
    "status_expired": ("expired", _link_gets("status", 410, "link_expired")),
    "status_superseded": ("superseded", _link_gets("status", 410, "link_superseded")),
    "status_again": ("again", _link_gets("status", 503, "unavailable")),
    "question": ("question", _question),
    "decided": ("decided", _decided),
    "insured_withdrawn": ("withdrawn", _link_gets("insured", 410, "link_withdrawn")),
    "insured_expired": ("expired", _link_gets("insured", 410, "link_expired")),
}


def _speaking(complaints: FakeComplaints, language: str) -> None:
    complaints.form = a_form(language)
    complaints.receipt = a_receipt(language)
    complaints.standing = a_standing(language, where_next=[a_body()])
    complaints.question = a_question(language)


@pytest.fixture(params=[("light", 320), ("dark", 1280)], ids=["light-320", "dark-1280"])
def look(request: pytest.FixtureRequest) -> tuple[Literal["light", "dark"], int]:
    """A colour scheme and a width: 320 pixels are a screen of 1280 at 400 %."""
    found: tuple[Literal["light", "dark"], int] = request.param
    return found


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_accessible(
    browser: Browser,
    complaints: FakeComplaints,
    look: tuple[Literal["light", "dark"], int],
    name: str,
) -> None:
    """R25: WCAG 2.2 AA as far as a machine can tell, in every language; nothing runs over."""
    _speaking(complaints, "ru")
    colours, width = look
    shown, arrange = SCREENS[name]
    with browser.new_context(
        viewport={"width": width, "height": 640},
        locale="ru-RU",
        timezone_id="Europe/Moscow",
        color_scheme=colours,
    ) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        arrange(page, complaints)
        expect(page.locator("#screen")).to_have_attribute("data-screen", shown)
        for language in ("ru", "pl", "en"):
            page.click(f"[data-language={language}]")
            expect(page.locator("html")).to_have_attribute("lang", language)
            assert breaches(page) == []
            assert runs_over(page) == 0
            assert small_targets(page) == []
