"""What the stories need again and again: desks, the mailbox, the clock, and checks."""

import email.policy
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, ClassVar

from chalicelib.kernel.workdays import instant, local
from chalicelib.policy.calendars import calendar
from local import seed
from local.cloud import Cloud
from local.desk import Desk, Refused, send_form
from local.settings import BUILD

OUT = BUILD / "demo"
PATIENCE = 60.0
# The functions read the clock of the demonstration once a second.
CLOCK_SECONDS = 1.1
ZONE = "Europe/Warsaw"
ORG = "agencja-pod-debem"
AGENT = "piotr@poddebem.duly.example"
ADMIN = "barbara@poddebem.duly.example"
OFFICER = "zofia@poddebem.duly.example"
HEAD = "jerzy@poddebem.duly.example"
FOREIGNER = "belova@sever-garant.duly.example"


class NotAsItShouldBe(Exception):
    """The demonstration met something that breaks a promise."""


class Story:
    """One story over one local cloud, in the Polish agency."""

    title: ClassVar[str]

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.agent = self.desk(AGENT)
        self.admin = self.desk(ADMIN)
        self.public = Desk(site=cloud.site)

    def run(self) -> None:
        """The story from its first step to its last."""
        raise NotImplementedError

    def desk(self, email_address: str) -> Desk:
        """This person's desk."""
        return Desk.sign_in(self.cloud.outputs, email_address, seed.PASSWORD)

    # Clients

    def new_client(self, name: str, address: str = "", **more: Any) -> Any:
        """A client: served remotely, if there is an e-mail address."""
        how = {"served": "remote", "email": address} if address else {"served": "direct"}
        known = {"kind": "person", "name": name, "language": "pl"}
        return self.agent.post("/api/clients", known | how | more)

    def sent_to(self, name: str, address: str) -> tuple[Any, str]:
        """A client with a declaration that was sent; the token of its link."""
        client = self.new_client(name, address)
        path = f"/api/clients/{client['client_id']}/declarations"
        draft = self.agent.post(path, {"answers": {"marketing": True, "email": True}})
        self.agent.post(f"{where(draft)}/send", version=draft["version"])
        return client, link_token(self.message(self.arrived(address))[0], "c")

    def read(self, client: Any) -> Any:
        """The client now."""
        return self.agent.get(f"/api/clients/{client['client_id']}")

    def consents(self, client: Any) -> dict[str, str]:
        """The client's standing on each purpose."""
        return {one["purpose"]: one["state"] for one in self.read(client)["consents"]}

    def upload(self, owner: str, name: str, content: bytes) -> str:
        """A PDF by presigned form, as a browser sends it."""
        kind = {"name": name, "content_type": "application/pdf"}
        form = self.agent.post(f"{owner}/files", kind | {"size": len(content)})
        send_form(form["url"], form["fields"], name, content)
        self.agent.put(f"{owner}/files/{form['file_id']}", kind)
        return str(form["file_id"])

    # Letters

    def arrived(self, address: str, count: int = 1) -> dict[str, Any]:
        """The newest e-mail to this address, once there are so many."""
        wait(lambda: len(self.cloud.mails(address)) >= count)
        return self.cloud.mails(address)[0]

    def message(self, mail: dict[str, Any]) -> tuple[EmailMessage, bytes]:
        """An e-mail of the mailbox, parsed, and its bytes."""
        raw = self.cloud.raw_mail(mail["number"])
        parsed: Any = BytesParser(policy=email.policy.default).parsebytes(raw)
        return parsed, raw

    def kept_mail(self, address: str, name: str, count: int = 1) -> EmailMessage:
        """The newest e-mail to this address, once there are so many; its bytes in build/demo."""
        message, raw = self.message(self.arrived(address, count))
        (OUT / name).write_bytes(raw)
        return message

    def link(self, verb: str, token: str, **body: Any) -> Any:
        """What the page behind the link of a declaration asks."""
        return self.public.post(f"/api/public/{ORG}/links/{verb}", {"token": token, **body})

    # Time

    def now(self) -> datetime:
        """The moment that Duly takes it to be."""
        return datetime.now(UTC) + timedelta(seconds=self.cloud.ahead())

    def pass_time(self, days: int) -> None:
        """The clock moved on; then the tick."""
        self.go_to(self.now() + timedelta(days=days))
        self.cloud.tick()

    def go_to(self, moment: datetime) -> None:
        """On to this moment, without a tick on the way."""
        self.cloud.move_clock(round((moment - self.now()).total_seconds()))
        time.sleep(CLOCK_SECONDS)

    def clock_right(self) -> None:
        """The clock as it really is."""
        self.cloud.move_clock(0)
        time.sleep(CLOCK_SECONDS)

    def to_working_day(self, hour: int = 10, zone: str = ZONE, country: str = "PL") -> datetime:
        """On to the next working day, when the office is open."""
        today = local(self.now(), zone).date()
        day = calendar(country, today).next_working(today + timedelta(days=1))
        moment = instant(day, datetime.min.time().replace(hour=hour), zone)
        self.go_to(moment)
        return moment


def where(declaration: Any) -> str:
    """The address of a declaration."""
    client_id = declaration["client"]["client_id"]
    return f"/api/clients/{client_id}/declarations/{declaration['declaration_id']}"


def body(message: EmailMessage) -> str:
    """The text part, its line breaks plain."""
    part = message.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def link_token(message: EmailMessage, page: str) -> str:
    """The token of the link to this page that stands alone on one line."""
    found = re.findall(rf"(?m)^https?://\S+/{page}#(\S+)$", body(message))
    check(len(found) == 1, f"one link to /{page} stands alone on a line")
    return str(found[0])


def told(message: EmailMessage) -> str:
    """The words of the text part, however its lines are broken."""
    return " ".join(body(message).split())


def check(holds: bool, what: str) -> None:
    """`NotAsItShouldBe` unless it holds."""
    if not holds:
        raise NotAsItShouldBe(what)


def refused(code: str, act: Callable[[], Any]) -> None:
    """The act must be refused with this code."""
    try:
        act()
    except Refused as answer:
        found = answer.problem.get("code")
        check(found == code, f"refused with {code}, not with {found}")
        return
    raise NotAsItShouldBe(f"it was not refused with {code}")


def wait(holds: Callable[[], bool]) -> None:
    """Until it holds; the local cloud does by itself what the demonstration waits for."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > ends:
            raise NotAsItShouldBe("what was promised did not happen within a minute")
        time.sleep(0.1)


def say(line: str) -> None:
    """Tell what happened."""
    print(line, flush=True)
