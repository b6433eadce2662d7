"""A page of ours and the fake behind it, for the tests that need one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.site.declarations import a_reading
from tests.site.fake_complaints import FakeComplaints
from tests.site.fake_duly import FakeDuly, serving
from tests.site.fake_preferences import FakePreferences


@pytest.fixture
def duly() -> Iterator[FakeDuly]:
    """The site and its API with one open declaration in Polish."""
    with serving(FakeDuly(a_reading())) as fake:
        yield fake


@pytest.fixture
def preferences() -> Iterator[FakePreferences]:
    """A client's own consents."""
    with serving(FakePreferences()) as fake:
        yield fake


@pytest.fixture
def complaints() -> Iterator[FakeComplaints]:
    """The site and the public routes of complaints, of an organisation that writes Polish."""
    with serving(FakeComplaints()) as fake:
        yield fake


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on a telephone in Warsaw; a script error or a breach of the policy fails the test."""
    with browser.new_context(
        viewport={"width": 360, "height": 780}, locale="pl-PL", timezone_id="Europe/Warsaw"
    ) as context:
        opened = context.new_page()
        opened.set_default_timeout(30_000)
        mistakes: list[str] = []
        opened.on("pageerror", lambda error: mistakes.append(str(error)))
        opened.on(
            "console",
            lambda line: mistakes.append(line.text) if "Content Security" in line.text else None,
        )
        yield opened
        assert mistakes == []
