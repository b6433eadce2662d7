"""Staff at work on cases through the API: enter, read, act; the clock and the letters beside."""

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.kernel.change import SYSTEM, Change, Key, Letter
from chalicelib.organisations import service as organisations
from chalicelib.organisations.domain import House, Member, Role, keep_member
from chalicelib.policy.calendars import calendar
from tests.duly import ADMIN, HEAD, Answer, Duly, a_member

SEED = "ru-medexpress-2019"
INSURED = {"name": "Ирина Застрахованная", "email": "irina@insured.example"}
WRITER = {
    "name": "Павел Писатель",
    "email": "pavel@writer.example",
    "phone": "+79161234567",
    "postal_address": "ул. Садовая, 1, Москва",
    "city": "Москва",
}
COMPLAINT = {
    "channel": "in_person",
    "writer": WRITER,
    "contract_number": "ДМС-77-001",
    "claim_number": "У-5512",
    "product": "medical",
    "substance": "В клинике отказали в приёме кардиолога.",
}


class Office:
    """One organisation's office, under the rules of the source document unless said otherwise."""

    def __init__(self, duly: Duly, org: str = "medex", pack: str = SEED, **changes: Any) -> None:
        self.duly, self.org = duly, org
        settings = {"time_zone": "Europe/Moscow", "policy_pack": pack} | changes
        duly.found(org, "ru", **settings)
        self.open()

    def open(self) -> None:
        """On to a Monday, ten o'clock in the morning, with no holiday just before or after it."""
        now = self.duly.ports().now
        days = calendar("RU", now.date())
        monday = (now + timedelta(days=7 - now.weekday())).replace(hour=7, minute=0, second=0)
        while not all(days.is_working(monday.date() + timedelta(n)) for n in (-4, -3, *range(5))):
            monday += timedelta(days=7)
        self.duly.clock[0] += monday - now

    def join(self, staff_id: str, name: str, role: Role) -> None:
        """Another person of the office."""
        kept = partial(_kept, member=a_member(staff_id, name, role), now=self.duly.ports().now)
        organisations.change(self.duly.ports(), self.org, None, kept)

    def department(self, name: str) -> str:
        """The administrator's department, by this name."""
        now = self.duly.ports().now
        organisations.change(self.duly.ports(), self.org, None, partial(_moved, to=name, now=now))
        return name

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """A request of staff, the head if nobody is named."""
        options.setdefault("by", HEAD)
        return self.duly.staff(method, path, body, org=self.org, **options)

    def enter(self, **changes: Any) -> Any:
        """A submission, entered by staff."""
        by = changes.pop("by", HEAD)
        answer = self.ask("POST", "/api/complaints", COMPLAINT | changes, by=by)
        assert answer.status == 201, answer.json
        return answer.json

    def case(self, **changes: Any) -> Any:
        """A registered case, its first letters sent."""
        case = self.enter(**changes)
        self.duly.tick()
        self.duly.tick()
        found = self.read(case)
        assert found["registered_at"], found
        return found

    def read(self, case: Any, **options: Any) -> Any:
        """The whole case now."""
        answer = self.ask("GET", f"/api/complaints/{case['case_id']}", **options)
        assert answer.status == 200, answer.json
        return answer.json

    def act(self, case: Any, verb: str, body: Any = None, **options: Any) -> Answer:
        """An act on the case as it is now."""
        options.setdefault("version", self.read(case)["version"])
        return self.ask("POST", f"/api/complaints/{case['case_id']}/{verb}", body, **options)

    def done(self, case: Any, verb: str, body: Any = None, **options: Any) -> Any:
        """An act that is granted; the case after it."""
        answer = self.act(case, verb, body, **options)
        assert answer.status < 300, (verb, answer.json)
        return answer.json

    def events(self, case: Any) -> list[str]:
        """The kinds of all events, oldest first."""
        answer = self.ask("GET", f"/api/complaints/{case['case_id']}/events")
        return [one["kind"] for one in reversed(answer.json["events"])]

    def letters(self, case: Any) -> list[Letter]:
        """Every letter of the case, as it is stored."""
        key = Key(self.org, "COMPLAINT", case["case_id"])
        decode = msgspec.json.Decoder(Letter).decode
        return [decode(one.data) for one in self.duly.ports().ledger.parts(key, "LETTER#")]

    def today(self, days: int = 0) -> str:
        """A day of the office, counted from today."""
        return (self.duly.ports().now + timedelta(days=days)).date().isoformat()


def _moved(house: House, to: str, now: Any) -> Change:
    member = replace(house.directory.get(ADMIN), department=to)
    return keep_member(house, member, by=SYSTEM, now=now)


def _kept(house: House, member: Member, now: Any) -> Change:
    return keep_member(house, member, by=SYSTEM, now=now)
