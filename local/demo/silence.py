"""Cases that nobody touches: each step of the ladder, in the right mailbox, once."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from local import form
from local.cases import Case
from local.cloud import Cloud
from local.demo.story import ADMIN, HEAD, OFFICER, ORG, Story, body, check, say, wait
from local.desk import Desk

COLLEAGUE = "hanna@poddebem.duly.example"
WATCH = "dyzur@ksiegowosc.duly.example"
# Who is told: both officers while the case is nobody's, the head, and without a management of its
# own the administrator.
PEOPLE = {"officer": (OFFICER, COLLEAGUE), "head": (HEAD,), "management": (ADMIN,)}
EVERYBODY = (OFFICER, COLLEAGUE, HEAD, ADMIN)
NORTH = "sever-garant"
NORTHERN = {
    "officer": ("krylov@sever-garant.duly.example", "lisitsyna@sever-garant.duly.example"),
    "head": ("zimina@sever-garant.duly.example",),
    "management": ("orlov@sever-garant.duly.example",),
}
# Notices of one run are gathered for two minutes, so that a person gets one letter.
GATHERED = timedelta(minutes=4)


class Silence(Story):
    """Time passes, and somebody is always told."""

    title = "Silence: nobody touches a case, and the ladder speaks"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.officer = self.desk(OFFICER)

    def run(self) -> None:
        """A month for one case; for another, days without a tick."""
        self.to_working_day()
        self.ladder()
        self.clock_right()
        self.outage()

    def ladder(self) -> None:
        """On to each step's moment: its people get one letter, nobody else any; then again none."""
        case = self.untouched(self.officer, ORG, language="pl", name="Cierpliwa Klientka")
        read = case.read()
        number = read["reference"]
        self.settled()
        # Both officers hear of the new case; from here on each letter is counted.
        self.told_once(EVERYBODY, number, Counter(PEOPLE["officer"]))
        told = 0
        for at, steps in moments(read["steps"], until="answer_overdue"):
            before = self.letters(EVERYBODY, number)
            alive = len(self.cloud.mails(WATCH))
            self.go_to(at)
            self.settled()
            wanted = Counter({who: 1 for step in steps for who in PEOPLE[step["to"]]})
            self.told_once(EVERYBODY, number, before + wanted)
            check(len(self.cloud.mails(WATCH)) == alive + 1, "one sign of life that day")
            told += len(steps)
            say(f"    {at:%Y-%m-%d}: {said(steps)}")
        self.kept_mail(ADMIN, "silence-1-digest-to-management.eml")
        self.kept_mail(HEAD, "silence-2-digest-to-head.eml")
        alive_mail = self.kept_mail(WATCH, "silence-3-alive.eml")
        check("Duly" in body(alive_mail), "a sign of life goes outside each day")
        say(f"20. {told} steps, each in the right mailbox, once; a sign of life every day.")

    def outage(self) -> None:
        """Three days and more without a tick: caught up in order, one letter a person."""
        self.to_working_day(zone="Europe/Moscow", country="RU")
        officer = self.desk(NORTHERN["officer"][0])
        case = self.untouched(officer, NORTH, language="ru", name="Терпеливая Клиентка")
        read = case.read()
        number = read["reference"]
        everybody = [one for people in NORTHERN.values() for one in people]
        self.settled()
        officers = Counter(NORTHERN["officer"])
        self.told_once(everybody, number, officers)
        steps = read["steps"]
        last = next(n for n, one in enumerate(steps) if one["kind"] == "answer_overdue")
        seen, missed = steps[:2], steps[2 : last + 1]
        begins = moment(seen[-1]["at"]) + timedelta(hours=1)
        self.go_to(begins)
        self.settled()
        before = officers + officers  # the earlier steps, told together
        self.told_once(everybody, number, before)
        ends = moment(missed[-1]["at"]) + timedelta(hours=1)
        check(ends - begins >= timedelta(days=3), "three days and more lie between")
        self.go_to(ends)  # nobody ticks on the way: the machine was off
        self.settled()
        wanted = Counter({who: 1 for one in missed for who in NORTHERN[one["to"]]})
        self.told_once(everybody, number, before + wanted)
        escalated = [one for one in case.events() if one["kind"] == "escalated"]
        names = [step.split(".")[0] for step in escalated[-1]["body"]["steps"]]
        check(names == [one["kind"] for one in missed], "every step was taken, in order")
        self.clock_right()
        days = (ends - begins).days
        say(f"21. {days} days without a tick: {len(names)} steps caught up in order.")

    def untouched(self, desk: Desk, org: str, *, name: str, language: str) -> Case:
        """A registered complaint that nobody will touch."""
        sent = form.file(
            self.public,
            org,
            name=name,
            language=language,
            email=f"cierpliwa@{org}.duly.example",
            substance="Czekam na odpowiedź. / Жду ответа.",
        )
        case = Case.find(desk, sent["reference"])
        self.cloud.tick()
        wait(lambda: case.read()["state"] == "registered")
        return case

    def settled(self) -> None:
        """Two ticks: one for what is due, and, once notices are gathered, one that tells them."""
        self.cloud.tick()
        self.go_to(self.now() + GATHERED)
        self.cloud.tick()

    def told_once(self, people: Iterable[str], number: str, wanted: Counter[str]) -> None:
        """So many letters there are, and after more ticks no more."""
        wait(lambda: self.letters(people, number) >= wanted)
        self.settled()
        check(self.letters(people, number) == wanted, "each of them once, and nobody else")

    def letters(self, people: Iterable[str], number: str) -> Counter[str]:
        """How many letters each of them got about this case."""
        found: Counter[str] = Counter()
        for one in people:
            mails = self.cloud.mails(one)
            found[one] = sum(number in body(self.message(mail)[0]) for mail in mails)
        return found


def moments(steps: list[Any], *, until: str) -> Iterable[tuple[datetime, list[Any]]]:
    """The steps by their moment, in order, up to the first of this kind."""
    for at, group in groupby(steps, key=itemgetter("at")):
        together = list(group)
        yield moment(at), together
        if any(one["kind"] == until for one in together):
            return


def moment(text: str) -> datetime:
    """An instant of the API."""
    return datetime.fromisoformat(text)


def said(steps: list[Any]) -> str:
    """The steps of one moment, in plain words."""
    words = {"answer_due": "answer due", "answer_limit": "last day", "answer_overdue": "overdue"}
    return ", ".join(
        f"{one['to']} is told: {words.get(one['kind'], one['kind'])} ({one['days']} days)"
        for one in steps
    )
