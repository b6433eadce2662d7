"""The whole of Duly, deployed: one local cloud for these tests, with its demonstration."""

import re
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest

from local import seed
from local.cloud import Cloud, running
from local.demo.story import Story
from local.desk import Desk

PATIENCE = 60.0
AGENT = "piotr@poddebem.duly.example"
OFFICER = "zofia@poddebem.duly.example"
HEAD = "jerzy@poddebem.duly.example"


class Whole:
    """A deployed Duly, and what a test does with it again and again."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.agent = Desk.sign_in(cloud.outputs, AGENT, seed.PASSWORD)
        self.public = Desk(site=cloud.site)
        self.officer = Desk.sign_in(cloud.outputs, OFFICER, seed.PASSWORD)
        self.head = Desk.sign_in(cloud.outputs, HEAD, seed.PASSWORD)

    def client(self, name: str, address: str, language: str = "pl") -> Any:
        """A client who is served remotely."""
        identity = {"kind": "person", "name": name, "language": language, "served": "remote"}
        return self.agent.post("/api/clients", identity | {"email": address})

    def send(self, client: Any) -> Any:
        """Marketing and e-mail yes, telephone no: declared and sent."""
        answers = {"marketing": True, "email": True, "phone": False}
        path = f"/api/clients/{client['client_id']}/declarations"
        draft = self.agent.post(path, {"answers": answers})
        return self.agent.post(f"{path}/{draft['declaration_id']}/send", version=draft["version"])

    def mail(self, address: str, count: int = 1) -> dict[str, Any]:
        """The newest e-mail to an address, once there are so many; nobody calls the tick here."""
        wait(lambda: len(self.cloud.mails(address)) >= count)
        return self.cloud.mails(address)[0]

    def message(self, mail: dict[str, Any]) -> EmailMessage:
        """An e-mail, parsed from its true bytes."""
        raw = self.cloud.raw_mail(mail["number"])
        parsed: Any = BytesParser(policy=default).parsebytes(raw)
        return parsed  # type: ignore[no-any-return]

    def link(self, mail: dict[str, Any]) -> str:
        """The link that stands alone on a line of the text."""
        part = self.message(mail).get_body(("plain",))
        assert part is not None
        found = re.search(r"(?m)^(http\S+/c#\S+?)\r?$", part.get_content())
        assert found is not None
        return found[1]

    def consents(self, client: Any) -> dict[str, str]:
        """The client's standing on each purpose."""
        now = self.agent.get(f"/api/clients/{client['client_id']}")
        return {one["purpose"]: one["state"] for one in now["consents"]}

    def events(self, client: Any) -> list[str]:
        """What happened to the client, oldest first."""
        events = self.agent.get(f"/api/clients/{client['client_id']}/events")["events"]
        return [one["kind"] for one in reversed(events)]


def wait(holds: Callable[[], bool]) -> None:
    """Until it holds, a minute at most."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, "it did not happen within a minute"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def whole() -> Iterator[Whole]:
    """One Duly for all of these tests; each brings a client of its own."""
    with running() as cloud:
        list(seed.seed(cloud.outputs))
        yield Whole(cloud)


@pytest.fixture
def office(whole: Whole) -> Iterator[Whole]:
    """The same in office hours: what is submitted is registered at once."""
    story = Story(whole.cloud)
    story.to_working_day()
    yield whole
    story.clock_right()
