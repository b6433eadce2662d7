"""The public routes of complaints as the pages know them, and what they were asked."""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from altcha import create_challenge

from tests.site.fake_duly import Answer, FakeDuly, a_token, refusal

RECEIVED = "2026-11-27T17:05:00Z"
WORDING = "wordingwordingwordingwor"
ORGANISATIONS = {
    "pl": ("Agencja Polisa sp. z o.o.", "ul. Długa 5, 00-001 Warszawa", "+48 22 100 20 30"),
    "en": ("Agencja Polisa sp. z o.o.", "ul. Długa 5, 00-001 Warsaw", "+48 22 100 20 30"),
    "ru": ("АО «Страховая компания Надёжность»", "101000, Москва, Мясницкая ул., 1", "84951002030"),
}
CONSENTS = {
    "pl": (
        "Zgadzam się na odpowiedź e-mailem",
        "Zgadzam się, aby odpowiedź na to zgłoszenie, także zawierającą moje dane osobowe, wysłano "
        "na podany adres e-mail.",
    ),
    "en": (
        "I agree to be answered by e-mail",
        "I agree that the answer to this submission, personal data included, is sent to the e-mail "
        "address given here.",
    ),
    "ru": (
        "Согласен получить ответ по электронной почте",
        "Согласен, чтобы ответ на это обращение, в том числе содержащий мои персональные данные, "
        "был направлен на указанный адрес электронной почты.",
    ),
}
WHY = {
    "pl": "wpłynęło pt. 27 listopada 2026 18:05 Warszawa → zarejestrowane pon. 30 listopada → "
    "30. dzień śr. 30 grudnia",
    "en": "received Fri 27 Nov 2026 18:05 Warsaw → registered Mon 30 Nov → 30th day Wed 30 Dec",
    "ru": "получено пт 27 ноября 2026 18:05 Москва → зарегистрировано пн 30 ноября → "
    "30‑й день ср 30 декабря",
}


def an_organisation(language: str = "pl") -> dict[str, str]:
    """Who is written to."""
    name, address, phone = ORGANISATIONS[language]
    return {"name": name, "address": address, "email": "reklamacje@polisa.example", "phone": phone}


def a_challenge() -> dict[str, Any]:
    """One that takes a few tries."""
    made = create_challenge("PBKDF2/SHA-256", 1, counter=7, hmac_secret="h", hmac_key_secret="k")
    return dict(made.to_dict())


def a_form(language: str = "pl", **changes: Any) -> dict[str, Any]:
    """What the form needs to know."""
    classes = {
        "travel": ("Ubezpieczenie podróży", "Travel insurance", "Страхование путешественников"),
        "motor_liability": ("OC posiadaczy pojazdów", "Motor third-party liability", "ОСАГО"),
    }
    products = [
        {"code": code, "titles": {"pl": pl, "en": en, "ru": ru}}
        for code, (pl, en, ru) in classes.items()
    ]
    texts = {one: {"title": title, "text": text} for one, (title, text) in CONSENTS.items()}
    return {
        "organisation": an_organisation(language),
        "languages": ["pl", "en", "ru"],
        "products": products,
        "kinds": ["complaint", "request", "suggestion", "gratitude"],
        "reply_forms": ["paper", "electronic"],
        "scopes": {"natural": ["complaint"], "legal": ["complaint"]},
        "email_consent": {"wording_id": WORDING, "texts": texts},
        "most_files": 10,
        "most_file_bytes": 25 * 1024 * 1024,
        "most_bytes": 100 * 1024 * 1024,
        "file_types": [".pdf"],
        **changes,
    }


def a_receipt(language: str = "pl", **changes: Any) -> dict[str, Any]:
    """What a submission gets."""
    return {
        "reference": "7K3F-9QXM-2T",
        "received_at": RECEIVED,
        "status_link": f"/status#{a_token()}",
        "register_on": "2026-11-30",
        "answer_by": "2026-12-30",
        "why": WHY[language],
        "acknowledgement": "email",
        **changes,
    }


def a_standing(language: str = "pl", **changes: Any) -> dict[str, Any]:
    """What the status page shows."""
    return {
        "reference": "7K3F-9QXM-2T",
        "language": language,
        "organisation": an_organisation(language),
        "stage": "in_review",
        "received_on": "2026-11-27",
        "registered_on": "2026-11-30",
        "next": {"date": "2026-12-30", "why": WHY[language]},
        "may_add": True,
        "where_next": [],
        **changes,
    }


# What the answer holds for a writer who stands outside: the number alone (D7).
OUTSIDE: dict[str, Any] = {
    "stage": "with_insured",
    "received_on": None,
    "registered_on": None,
    "next": None,
    "where_next": [],
}


def a_body() -> dict[str, Any]:
    """Somebody outside to turn to."""
    return {
        "name": {
            "pl": "Rzecznik Finansowy",
            "en": "Financial Ombudsman",
            "ru": "Финансовый уполномоченный",
        },
        "how": {
            "pl": "Wniosek pisemny albo przez internet.",
            "en": "Apply in writing or on line.",
            "ru": "Заявление письменно или через интернет.",
        },
    }


def a_question(language: str = "pl", **changes: Any) -> dict[str, Any]:
    """What the insured is asked."""
    return {
        "organisation": an_organisation(language),
        "reference": "7K3F-9QXM-2T",
        "language": language,
        "received_on": "2026-11-27",
        "client_name": "Anna Nowak",
        "state": "open",
        **changes,
    }


@dataclass
class FakeComplaints(FakeDuly):
    """One organisation's form, one case's status, one question; spends proofs as Duly does."""

    reading: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=a_form)
    receipt: dict[str, Any] = field(default_factory=a_receipt)
    standing: dict[str, Any] = field(default_factory=a_standing)
    question: dict[str, Any] = field(default_factory=a_question)
    seconds: int = 600
    spent: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    upload_gets: list[int] = field(default_factory=list)
    lost: list[bool] = field(default_factory=list)

    def address(self, page: str = "complaint", **query: str) -> str:
        """A page of the site: the form by its query, the others by their token."""
        if page != "complaint":
            return f"{self.origin}/{page}#{query.get('token', a_token())}"
        asked = "&".join(f"{name}={value}" for name, value in {"org": "polisa", **query}.items())
        return f"{self.origin}/complaint?{asked}"

    def called(self) -> list[str]:
        """Which routes were called, in order."""
        return [path.removeprefix("/api/public/polisa/") for path, _ in self.asked]

    def submissions(self) -> list[dict[str, Any]]:
        """The bodies that reached the submission."""
        return [body for path, body in self.asked if path.endswith("/complaints")]

    def upload(self, path: str, body: bytes) -> int:
        """As the bucket answers; the key is in the form."""
        key = re.search(rb'name="key"\r\n\r\n([^\r]+)', body)
        assert key is not None
        status = self.upload_gets.pop(0) if self.upload_gets else 204
        if status < 300:
            self.uploads.append(key[1].decode())
        return status

    def answer(self, path: str, body: dict[str, Any]) -> Answer | None:
        """As the routes do; `refuse` comes first, `lost` acts and then breaks off."""
        self.asked.append((path, body))
        time.sleep(self.delay)
        route = path.removeprefix("/api/public/polisa/")
        if self.refuse.get(route):
            return self.refuse[route].pop(0)
        return self._answer(route, body)

    def _answer(self, route: str, body: dict[str, Any]) -> Answer | None:
        offer = {"challenge": a_challenge(), "challenge_seconds": self.seconds}
        if route == "complaints":
            return self._spend(body)
        if route.endswith("insured/act"):
            return self._decide(body.get("decision", ""))
        if route.endswith("/files"):
            key = {"key": f"quarantine/{body['slot']}"}
            return 200, {"url": f"{self.origin}/upload", "fields": key, "folder": "f" * 32}
        given: dict[str, Answer] = {
            "complaints/form": (200, self.form | offer),
            "complaints/challenge": (200, offer),
            "complaints/status": (200, self.standing),
            "complaints/status/add": (201, {"reference": "7K3F-9QXM-2T", "added_at": RECEIVED}),
            "complaints/insured/read": (200, self.question),
            "information": (200, {"organisation": self.form["organisation"]}),
        }
        return given.get(route, refusal(404, "not_found"))

    def _spend(self, body: dict[str, Any]) -> Answer | None:
        before = self.spent.setdefault(body["proof"], body)
        if before != body:
            return refusal(409, "proof_reused", field="proof")
        if self.lost and self.lost.pop(0):
            return None
        return 201, self.receipt

    def _decide(self, decision: str) -> Answer:
        if decision not in ("mine", "not_mine"):
            return refusal(422, "invalid", field="decision")
        if self.question.get("decision", decision) != decision:
            return refusal(409, "already_decided")
        self.question |= {"state": "answered", "decision": decision}
        return 200, {"decision": decision, "decided_at": RECEIVED}
