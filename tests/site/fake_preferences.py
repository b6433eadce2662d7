"""A client's own consents behind one link, as the page of consents knows the API."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.site.fake_duly import Answer, FakeDuly, a_token, refusal

TITLES = {
    "marketing": {"pl": "Marketing", "en": "Marketing", "ru": "Маркетинг"},
    "email": {"pl": "E-mail", "en": "E-mail", "ru": "Электронная почта"},
    "phone": {"pl": "SMS i telefon", "en": "SMS and telephone", "ru": "СМС и телефон"},
    "survey": {"pl": "Ankieta", "en": "Survey", "ru": "Опрос"},
    "partners": {"pl": "Partnerzy", "en": "Partners", "ru": "Партнёры"},
    "contest": {"pl": "Konkurs", "en": "Contest", "ru": "Конкурс"},
}
STATES = {"marketing": "given", "email": "given", "phone": "refused", "survey": "awaiting_email"}
SETTLED = ("given", "awaiting_email")


def a_consent(purpose: str, state: str, *, hidden: bool = False) -> dict[str, Any]:
    """One consent as the API gives it; `hidden`: the organisation asks for it no more."""
    text = {
        one: f"{title}: zgadzam się.\n\n– raz;\n– dwa." for one, title in TITLES[purpose].items()
    }
    return {
        "purpose": purpose,
        "titles": TITLES[purpose],
        "texts": text,
        "state": state,
        "decided_on": "2026-11-22" if state not in ("none", "awaiting_email") else None,
        "expires_on": "2027-11-22" if state == "given" else None,
        "can_be_added": state not in SETTLED and not hidden,
    }


@dataclass
class FakePreferences(FakeDuly):
    """The consents, some asked for no more; `refuse`: what a route's next calls get instead."""

    reading: dict[str, Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=lambda: dict(STATES))
    hidden: tuple[str, ...] = ()

    def address(self) -> str:
        """The address that stands in each message."""
        return f"{self.origin}/p#{a_token()}"

    def answer(self, path: str, body: dict[str, Any]) -> Answer | None:
        """What the API says; None breaks off in the middle of it."""
        self.asked.append((path, body))
        time.sleep(self.delay)
        route = path.rpartition("/")[2]
        if self.refuse.get(route):
            return self.refuse[route].pop(0)
        if route not in ("read", "act"):
            return refusal(404, "not_found")
        for one in body.get("withdraw", ()):
            self.states[one] = "withdrawn"
        for one in body.get("add", ()):
            self.states[one] = "awaiting_email"
        controller = {
            "name": "Agencja Pod Dębem",
            "address": "ul. Długa 5, 00-001 Warszawa",
            "email": "biuro@poddebem.example",
            "phone": "+48221234567",
        }
        return 200, {
            "language": "pl",
            "languages": ["pl", "en", "ru"],
            "controller": controller,
            "client_name": "Jan Żółkiewski",
            "consents": [
                a_consent(one, state, hidden=one in self.hidden)
                for one, state in self.states.items()
            ],
        }
