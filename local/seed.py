"""The demonstration: two organisations, their people, clients and cases, by Duly's own doors.

Made again it changes nothing: what is there, by its e-mail address or its contract, is left alone.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from infra import organisation
from local.cases import Case
from local.desk import Desk

FOLDER = Path(__file__).parent / "demonstration"
PASSWORD = "Demonstration-1"  # noqa: S105  of made-up people on this machine

# How a case goes on once it is registered; the second desk is a head's.
GoesOn = Callable[[Case, Desk], None]
Cases = tuple[tuple[dict[str, Any], GoesOn | None], ...]

CLIENTS: dict[str, tuple[dict[str, Any], ...]] = {
    "agencja-pod-debem": (
        {"kind": "person", "name": "Łucja Żółkiewska", "email": "lucja@klient.duly.example"},
        {"kind": "person", "name": "Wojciech Świerczyński", "phone": "+48 601 234 567"},
        {"kind": "company", "name": "Piekarnia Źdźbło s.c.", "email": "biuro@zdzblo.duly.example"},
        {"kind": "person", "name": "Ольга Петренко", "email": "olga@klient.duly.example"},
    ),
    "sever-garant": (
        {"kind": "person", "name": "Дмитрий Щукин", "email": "shchukin@klient.duly.example"},
        {"kind": "company", "name": "ООО «Ёлочка»", "email": "mail@yolochka.duly.example"},
    ),
}


def seed(outputs: Mapping[str, str]) -> Iterator[str]:
    """Make the demonstration; a line for each sign-in."""
    as_operator(outputs)
    for path in sorted(FOLDER.glob("*.toml")):
        founding = organisation.read(path)
        host = outputs["SiteOrigin"]
        settings = msgspec.structs.replace(founding.settings, host=host)
        founding = msgspec.structs.replace(founding, settings=settings)
        organisation.found(founding, outputs, password=PASSWORD)
        agent = next(one for one in founding.staff if one.role == "agent")
        desk = Desk.sign_in(outputs, agent.email, PASSWORD)
        for given in CLIENTS[founding.org]:
            if _is_known(desk, given):
                continue
            served = "remote" if "email" in given else "direct"
            first = {"language": founding.settings.languages[0], "served": served}
            desk.post("/api/clients", first | given)
        for person in founding.staff:
            house = founding.settings.controller.name
            yield f"{person.email}  {PASSWORD}  ({person.role}, {house})"


def seed_cases(outputs: Mapping[str, str], tick: Callable[[], Any]) -> None:
    """Cases in several states in both organisations; `tick` has what is due done."""
    for officer, head, cases in (
        ("zofia@poddebem.duly.example", "jerzy@poddebem.duly.example", _polish()),
        ("krylov@sever-garant.duly.example", "zimina@sever-garant.duly.example", _russian()),
    ):
        desk = Desk.sign_in(outputs, officer, PASSWORD)
        second = Desk.sign_in(outputs, head, PASSWORD)
        for entry, goes_on in cases:
            if desk.get(f"/api/complaints?contract={quote(entry['contract_number'])}")["cases"]:
                continue
            case = Case(desk, desk.post("/api/complaints", entry)["case_id"])
            _until_registered(case, tick)
            if goes_on is not None:
                goes_on(case, second)


def _is_known(desk: Desk, given: Mapping[str, Any]) -> bool:
    by = "email" if "email" in given else "phone"
    return bool(desk.get(f"/api/clients?{by}={quote(given[by])}")["clients"])


def _until_registered(case: Case, tick: Callable[[], Any]) -> None:
    for _ in range(20):
        tick()
        if case.read()["registered_at"] is not None:
            return
        time.sleep(0.5)


def _entry(days: int, contract: str, substance: str, **more: Any) -> dict[str, Any]:
    """Something that was brought in person so many days ago; far enough to be registered by now."""
    at = (datetime.now(UTC) - timedelta(days=days)).replace(hour=9, minute=30, second=0)
    return {
        "channel": "in_person",
        "received_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "contract_number": contract,
        "substance": substance,
    } | more


def _person(name: str, address: str, email: str = "") -> dict[str, str]:
    return {"name": name, "postal_address": address, "email": email}


def _polish() -> Cases:
    home = "ul. Słoneczna 7/2, 31-100 Kraków"
    return (
        (
            _entry(
                24,
                "AC-2026-0117",
                "Odmówiono mi wypłaty za szybę, choć umowa obejmuje szyby.",
                writer=_person("Zenon Łąka", home),
                product="land_vehicles",
            ),
            _assign,
        ),
        (
            _entry(
                12,
                "OC-2026-0342",
                "Zgłosiłam szkodę i od dwóch tygodni nikt się nie odzywa.",
                writer=_person("Urszula Miś", home),
                product="motor_liability",
            ),
            _ask("Prosimy o kopię dowodu rejestracyjnego pojazdu."),
        ),
        (
            _entry(
                18,
                "ZD-2026-0093",
                "Towarzystwo zaniżyło zwrot kosztów leczenia.",
                writer=_person("Ignacy Dąbrowa", home),
                product="medical",
                vulnerable=True,
            ),
            _extend,
        ),
        (
            _entry(
                9,
                "DOM-2026-0411",
                "Sąsiadce zalało mieszkanie, a wypłaty nie ma. Piszę za nią.",
                writer=_person("Feliks Sąsiad", home, "feliks@klient.duly.example"),
                insured=_person("Honorata Kaczor", home, "honorata@klient.duly.example"),
            ),
            None,
        ),
        (
            _entry(
                8,
                "TUR-2026-0256",
                "Dziękuję pani z infolinii za pomoc po wypadku na nartach.",
                kind="gratitude",
                reply_form="electronic",
                writer=_person("Bożena Wróbel", home, "bozena@klient.duly.example"),
            ),
            _thank,
        ),
        (
            _entry(
                7,
                "OC-2026-0518",
                "Proszę o wyjaśnienie, skąd wzrost składki.",
                kind="request",
                writer=_person("Łucja Żółkiewska", home, "lucja@klient.duly.example"),
            ),
            None,
        ),
    )


def _russian() -> Cases:
    home = "199034, Санкт-Петербург, 5-я линия, д. 12, кв. 3"
    return (
        (
            _entry(
                9,
                "ДМС-2026-77",
                "Клиника не приняла меня по полису, хотя запись была подтверждена.",
                writer=_person("Дмитрий Щукин", home),
                product="medical",
            ),
            _assign,
        ),
        (
            _entry(
                8,
                "КАСКО-2026-15",
                "Ремонт затянулся на месяц, причину не объясняют.",
                writer=_person("Галина Ершова", home),
                product="land_vehicles",
            ),
            _ask("Просим направить копию заказа-наряда."),
        ),
        (
            _entry(
                7,
                "ВЗР-2026-08",
                "Предлагаю присылать полис сразу на двух языках.",
                kind="suggestion",
                writer=_person("Семён Ёлкин", home, "semyon@klient.duly.example"),
            ),
            None,
        ),
    )


def _assign(case: Case, second: Desk) -> None:
    """In an officer's hands."""
    me = case.read()["entered_by"]
    case.act("assign", {"assignee": me})
    case.act("note", {"text": "Akta szkody / материалы: 2 + 3."})


def _ask(words: str) -> GoesOn:
    """Documents asked for by post, so that the case waits for the client."""

    def ask(case: Case, second: Desk) -> None:
        today = datetime.now(UTC).date()
        way = {"channel": "post", "posted_on": (today - timedelta(days=1)).isoformat()}
        until = (today + timedelta(days=9)).isoformat()
        body = {"ground": "documents", "text": words, "answer_by": until, "way": way}
        case.act("request", body)

    return ask


def _extend(case: Case, second: Desk) -> None:
    """A longer time, told by post with what the law wants said."""
    today = datetime.now(UTC).date()
    case.act(
        "extend",
        {
            "to": (today + timedelta(days=30)).isoformat(),
            "reason": "complex",
            "elements": {
                "reason": "Czekamy na opinię lekarza orzecznika.",
                "circumstances": "Trzeba ustalić koszt leczenia szpitalnego.",
                "expected": "Odpowiedź przekażemy w ciągu 30 dni.",
            },
            "way": {"channel": "post", "posted_on": today.isoformat()},
        },
    )


def _thank(case: Case, second: Desk) -> None:
    """Answered by e-mail, approved by a second person first."""
    case.draft(None)
    case.write("Dziękujemy za miłe słowa, przekażemy je koleżance.", {}, {"name": "Zofia Sarna"})
    case.answering("review", {})
    case.approve(second)
    case.answering("send", {"channel": "email", "informational": True})


def as_operator(outputs: Mapping[str, str]) -> None:
    """Act as whoever runs the local cloud: its account, its addresses."""
    os.environ |= {
        "STAGE": "local",
        "AWS_ENDPOINT_URL": outputs["EngineUrl"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "BUCKET_NAME": outputs["BucketName"],
        "LINK_KEYS_SECRET": outputs["LinkKeysSecret"],
        "MAIL_CONFIGURATION_SET": outputs["MailConfigurationSetName"],
    }
