"""The pages in a browser before the real routes: true work, true files, true cases."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from chalicelib.complaints import case as complaints
from chalicelib.complaints import store
from chalicelib.kernel.change import Key
from tests import cases
from tests.api.test_insured_question import the_case
from tests.api.test_status_page import the_key
from tests.duly import SITE, Duly
from tests.public_form import SUBSTANCE, insured_token
from tests.site.fake_duly import Answer, FakeDuly, serving
from tests.site.test_browser_confirm import screen

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"


@dataclass
class RealDuly(FakeDuly):
    """The site before the app itself; uploads are handed on to the bucket that signed them."""

    reading: dict[str, Any] = field(default_factory=dict)
    duly: Duly | None = None
    bucket: str = ""

    def answer(self, path: str, body: dict[str, Any]) -> Answer | None:
        """As the gateway hands it over."""
        assert self.duly is not None
        self.asked.append((path, body))
        given = self.duly.request("POST", path, body, headers={"Origin": SITE})
        if path.endswith("/files") and given.status == 200:
            self.bucket = given.json["url"]
            given.json["url"] = f"{self.origin}{urlsplit(self.bucket).path}"
        return given.status, given.json

    def upload(self, path: str, body: bytes) -> int:
        """The status that the bucket gives."""
        boundary = body.split(b"\r\n", 1)[0][2:].decode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        request = urllib.request.Request(self.bucket, data=body, headers=kind)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code


@pytest.fixture
def site(duly: Duly) -> Iterator[RealDuly]:
    """Pages and routes under one origin."""
    with serving(RealDuly(duly=duly)) as real:
        yield real


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that allows no mistake of ours."""
    with browser.new_context(locale="pl-PL", timezone_id="Europe/Warsaw") as context:
        opened = context.new_page()
        opened.set_default_timeout(30_000)
        mistakes: list[str] = []
        opened.on("pageerror", lambda error: mistakes.append(str(error)))
        yield opened
        assert mistakes == []


def key_of(duly: Duly) -> Key:
    """The key of the one case."""
    return complaints.key("agencja", the_key(duly).id)


def test_a_complaint_from_the_form_to_its_status(duly: Duly, site: RealDuly, page: Page) -> None:
    """M2, M5-M13, M45: real work in the worker, two files through the bucket's own check."""
    page.goto(f"{site.origin}/complaint?org=agencja")
    screen(page, "form")
    page.check("#kind-complaint")
    page.fill("#substance", SUBSTANCE)
    page.fill("#name", "Łucja Żółć")
    page.fill("#email", "lucja@klient.example")
    page.check("#email_consent")
    files: Any = [
        {"name": f"skan {n}.pdf", "mimeType": "application/pdf", "buffer": PDF + bytes([65 + n])}
        for n in range(2)
    ]
    page.set_input_files("#files", files)
    expect(page.locator("[data-attachments-status]")).to_have_text("Dołączono 2 pliki")
    page.click("button[type=submit]")
    screen(page, "sent")
    case = the_case(duly)
    shown = page.locator(".reference").inner_text()
    assert shown == case.reference
    assert case.email_consent.startswith("reply_by_email.")
    link = page.locator("#link").input_value()

    one: Any = type("One", (), {"key": key_of(duly)})
    cases.registered_now(duly, one)
    seen = store.files(duly.ports(), key_of(duly))
    assert sorted((file.name, file.state) for file in seen) == [
        ("skan 0.pdf", "kept"),
        ("skan 1.pdf", "kept"),
    ]
    page.goto(link)
    screen(page, "status")
    expect(page.locator("h1")).to_contain_text(shown)
    expect(page.locator("[data-stage]")).to_have_text("Zarejestrowane")
    page.fill("#text", "Jeszcze jedno.")
    page.click("button[type=submit]")
    expect(page.locator("[data-note]")).to_be_visible()
    assert [one.text for one in store.messages(duly.ports(), key_of(duly))] == ["Jeszcze jedno."]


def test_a_file_of_another_size_is_refused_by_the_bucket(
    duly: Duly, site: RealDuly, page: Page
) -> None:
    """M13: exactly the size that was signed; the page says so and keeps the rest."""
    page.goto(f"{site.origin}/complaint?org=agencja")
    screen(page, "form")
    real = site.answer

    def smaller(path: str, body: dict[str, Any]) -> Answer | None:
        return real(path, body | ({"size": 3} if path.endswith("/files") else {}))

    site.answer = smaller  # type: ignore[method-assign]
    file: Any = {"name": "skan.pdf", "mimeType": "application/pdf", "buffer": PDF}
    page.set_input_files("#files", [file])
    expect(page.locator(".attachment")).to_contain_text("Nie wysłano")
    assert duly.objects() == {}


def test_the_insured_answers_on_the_page(duly: Duly, site: RealDuly, page: Page) -> None:
    """M36-M38, D7: written for somebody else, who is asked, and says so."""
    page.goto(f"{site.origin}/complaint?org=agencja")
    screen(page, "form")
    page.fill("#substance", SUBSTANCE)
    page.fill("#name", "Łucja Żółć")
    page.fill("#email", "lucja@klient.example")
    page.check("#about-other")
    page.fill("#insured_name", "Jan Ubezpieczony")
    page.fill("#insured_email", "jan@ubezpieczony.example")
    page.click("button[type=submit]")
    screen(page, "sent")
    expect(page.locator("[data-answer]")).to_be_hidden()
    one: Any = type("One", (), {"key": key_of(duly)})
    cases.registered_now(duly, one)
    page.goto(f"{site.origin}/insured#{insured_token(duly)}")
    screen(page, "question")
    page.check("#decision-mine")
    page.click("button[type=submit]")
    screen(page, "decided")
    question = the_case(duly).question
    assert question is not None
    assert (question.decision, question.how) == ("mine", "link")
