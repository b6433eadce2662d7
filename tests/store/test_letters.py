"""Letters: whatever dies or refuses, none is lost, and none goes out more than twice."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import agenda, wiring
from chalicelib.aws import clients
from chalicelib.aws.mailer import SesMailer
from chalicelib.kernel import chain
from chalicelib.ports import MailDelayed, MailRefused
from tests.duly import Duly, Mailbox, Sent
from tests.store.faults import Faults, Killed, install

LIFE = [
    "client_created",
    "declaration_drafted",
    "declaration_sent",
    "notice_delivered",
    "declaration_confirmed",
]
MOST_SIDE_EFFECTS = 40


@pytest.fixture
def faults(duly: Duly, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Faults over the ports of this test."""
    with monkeypatch.context() as patch:
        yield install(patch, mailbox)


class Story:
    """A client's life from draft to receipt, told by people who try again when nothing answers."""

    def __init__(self, duly: Duly, name: str) -> None:
        self.duly, self.name, self.email = duly, name, f"{name}@klient.example"
        self.deaths = 0

    def live(self) -> str:
        """The whole story; the client's id."""
        identity = {
            "kind": "person",
            "name": self.name,
            "language": "pl",
            "served": "remote",
            "email": self.email,
        }
        client = self.insist(lambda: self.made("/api/clients", identity, "client"))
        path = f"/api/clients/{client['client_id']}/declarations"
        ticked = {"answers": {"marketing": True, "phone": False}}
        draft = self.insist(lambda: self.made(path, ticked, "draft"))
        self.insist(lambda: self.sent(draft))
        self.insist(self.duly.tick)
        self.arrives(self.email)
        token = self.duly.mailbox.to(self.email)[0].token
        self.insist(lambda: self.confirmed(token))
        self.insist(self.duly.tick)
        self.arrives("ewa@agencja.example")
        for _ in range(3):
            self.duly.wait(minutes=3)
            self.insist(self.duly.tick)
        return str(client["client_id"])

    def insist(self, step: Any) -> Any:
        """The step; where the process dies, a fresh one is asked again, after leases are over."""
        try:
            return step()
        except Killed:
            self.deaths += 1
            wiring._cache.clear()
            self.duly.wait(minutes=3)
            return step()

    def arrives(self, address: str) -> None:
        """Wait for the mail, as people do."""
        before = list(self.duly.mailbox.to(address))
        if not before:
            self.duly.wait(minutes=3)
            self.insist(self.duly.tick)

    def made(self, path: str, body: Any, what: str) -> Any:
        """A request under its Idempotency-Key."""
        answer = self.duly.staff("POST", path, body, once=f"{self.name}-{what}-0123456789")
        assert answer.status == 201, answer.json
        return answer.json

    def sent(self, draft: Any) -> None:
        """Send it, unless it turns out to be sent already."""
        now = self.duly.staff("GET", self.duly.where(draft)).json
        if now["state"] == "draft":
            answer = self.duly.act(now, "send")
            assert answer.status == 202, answer.json

    def confirmed(self, token: str) -> None:
        """The client confirms; twice is once."""
        answer = self.duly.confirm(token)
        assert answer.status == 200, answer.json
        assert answer.json["receipt"]["decision"] == "confirmed"


def history(duly: Duly, client_id: str) -> list[str]:
    """The kinds of all events of a chain that stands."""
    export = duly.staff("GET", f"/api/clients/{client_id}/events/export").json["export"]
    assert chain.verify(export) > 0
    return [one["envelope"]["kind"] for one in json.loads(export)["events"]]


def states(duly: Duly, client: Any) -> list[Any]:
    """The same, without the address for the archived mail: each asking signs another."""
    return [one | {"url": ""} for one in letters(duly, client)]


def letters(duly: Duly, client: Any) -> list[Any]:
    """A client's letters, as staff see them."""
    found: list[Any] = duly.staff("GET", f"/api/clients/{client['client_id']}/letters").json[
        "letters"
    ]
    return found


def waiting(duly: Duly) -> list[Any]:
    """Whatever is on the agenda but the routine of each day, and whatever is stuck."""
    ports = wiring.ports()
    until = ports.now.replace(year=ports.now.year + 1)
    due = [one for shard in ports.shards for one in ports.ledger.due(shard, until=until, most=99)]
    due += ports.ledger.stuck("agencja", most=99)
    return [one for one in due if one.key.kind != "ORGANISATION"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_dying_between_any_two_side_effects_loses_nothing(
    duly: Duly, faults: Faults, when: str
) -> None:
    """Nothing acknowledged is lost: one death at each side effect of a client's life in its turn.

    Each letter goes out once, twice at most where the process died between the mail service's yes
    and our mark; each event is written once; the chain stands; nothing is left behind.
    """
    story = Story(duly, "k0")
    client_id = story.live()
    effects = list(faults.calls)
    assert 14 <= len(effects) <= MOST_SIDE_EFFECTS
    assert history(duly, client_id) == LIFE
    duplicates = 0
    for number, effect in enumerate(effects):
        duly.mailbox.sent.clear()
        faults.kill(number, when=when)
        story = Story(duly, f"{when}{number}")
        client_id = story.live()
        assert story.deaths == 1, (number, effect)
        assert history(duly, client_id) == LIFE, (number, effect)
        assert duly.consents(client_id) == {
            "marketing": "given",
            "email": "none",
            "phone": "refused",
        }
        times = Counter(one.tags["letter"] for one in duly.mailbox.sent)
        assert len(times) == 3, (number, effect)
        assert max(times.values()) <= 2, (number, effect)
        duplicates += sum(times.values()) - 3
        assert waiting(duly) == [], (number, effect)
    assert duplicates == {"before": 3, "after": 3}[when], "one for each letter, and no other"


# What the mail service does


def promised(duly: Duly) -> Any:
    """A client to whom a declaration is to be sent."""
    client = duly.client()
    duly.act(duly.declared(client), "send")
    return client


def raising(error: Exception) -> Any:
    """A mail service that answers so."""

    def answers() -> None:
        raise error

    return answers


def test_a_throttled_letter_goes_a_moment_later(duly: Duly, mailbox: Mailbox) -> None:
    """Rate: tried again after twenty seconds, not in the same breath."""
    client = promised(duly)
    mailbox.before = raising(MailDelayed("TooManyRequestsException"))
    assert duly.tick().mail_stopped == "TooManyRequestsException"
    (letter,) = letters(duly, client)
    assert (letter["state"], letter["reason"]) == ("promised", "TooManyRequestsException")
    mailbox.before = lambda: None
    assert duly.tick().done == 0
    duly.wait(seconds=21)
    assert duly.tick().done == 1
    (letter,) = letters(duly, client)
    assert (letter["state"], letter["reason"]) == ("sent", "")
    assert len(mailbox.sent) == 1


def test_a_daily_quota_is_not_stormed(duly: Duly, mailbox: Mailbox) -> None:
    """Quota: one attempt an hour for one letter, and none is lost."""
    promised(duly)
    attempts: list[int] = []

    def over() -> None:
        attempts.append(1)
        raise MailDelayed("LimitExceededException", quota=True)

    mailbox.before = over
    for _ in range(59):
        duly.tick()
        duly.wait(minutes=1)
    assert len(attempts) == 1
    mailbox.before = lambda: None
    duly.wait(minutes=2)
    duly.tick()
    assert len(mailbox.sent) == 1


def test_a_time_out_is_settled_by_what_the_mail_service_tells(duly: Duly, mailbox: Mailbox) -> None:
    """Rule 4: no answer came, the letter left: its event says so, and it is not sent again."""
    client = promised(duly)
    mailbox.after = raising(MailDelayed("ReadTimeoutError", uncertain=True))
    duly.tick()
    (letter,) = letters(duly, client)
    assert letter["state"] == "sending"
    assert duly.read_client(client["client_id"])["state"] == "before_notice"
    mailbox.after = lambda: None
    detail = {
        "eventType": "Send",
        "mail": {
            "messageId": "ses-1",
            "tags": {name: [value] for name, value in mailbox.sent[0].tags.items()},
        },
    }
    for _ in range(2):
        agenda.on_mail_event(wiring.ports(), detail)
    (letter,) = letters(duly, client)
    assert (letter["state"], letter["message_id"]) == ("sent", "ses-1")
    assert letter["url"]
    assert letter["sha256"]
    assert duly.read_client(client["client_id"])["state"] == "active"
    duly.wait(hours=1)
    duly.tick()
    assert len(mailbox.sent) == 1
    assert history(duly, client["client_id"]).count("notice_delivered") == 1


def test_a_time_out_of_which_nothing_is_heard_is_tried_again(duly: Duly, mailbox: Mailbox) -> None:
    """R20: after ten minutes, not before; either copy confirms, once in total."""
    client = promised(duly)
    mailbox.after = raising(MailDelayed("ReadTimeoutError", uncertain=True))
    duly.tick()
    mailbox.after = lambda: None
    duly.wait(minutes=9)
    duly.tick()
    assert len(mailbox.sent) == 1
    duly.wait(minutes=2)
    duly.tick()
    assert len(mailbox.sent) == 2
    for one in mailbox.sent[:2]:
        assert duly.confirm(one.token).status == 200
    assert history(duly, client["client_id"]).count("declaration_confirmed") == 1


def test_a_refused_letter_is_held_in_sight(duly: Duly, mailbox: Mailbox) -> None:
    """Held with its reason, off the agenda; it delivers no notice, and the sender is told."""
    client = promised(duly)
    reject = raising(MailRefused("MessageRejected"))

    def once() -> None:
        mailbox.before = lambda: None
        reject()

    mailbox.before = once
    duly.tick()
    letter = next(one for one in letters(duly, client) if one["template"] == "confirm_consents")
    assert (letter["state"], letter["reason"]) == ("held", "MessageRejected")
    duly.wait(days=1)
    duly.tick()
    assert [one.to for one in mailbox.sent] == ["ewa@agencja.example"]
    read = duly.read_client(client["client_id"])
    assert read["state"] == "before_notice"
    assert read["declarations"][0]["state"] == "undeliverable"


@pytest.mark.parametrize(
    "bounce",
    [
        {"bounceType": "Permanent", "bounceSubType": "General"},
        {"bounceType": "Transient", "bounceSubType": "MailboxFull"},
    ],
)
def test_a_bounce_told_twice_is_one_bounce(
    duly: Duly, mailbox: Mailbox, bounce: dict[str, str]
) -> None:
    """D10: back before the notice, the request is undeliverable, the sender told once. A soft
    bounce is told once SES has given up; an automatic answer is none."""
    client = promised(duly)
    duly.tick()
    message = mailbox.sent[0]
    assert duly.event("Bounce", message, bounce={"bounceType": "Transient"}) == "transient"
    assert duly.read_client(client["client_id"])["state"] == "active"
    away = {"bounceType": "Transient", "bounceSubType": "General"}
    assert duly.event("Bounce", message, bounce=away) == "transient"
    assert duly.read_client(client["client_id"])["state"] == "active"
    assert duly.event("Bounce", message, bounce=bounce) == "bounced"
    assert duly.event("Bounce", message, bounce=bounce) == "nothing"
    assert duly.event("Delivery", message) == "nothing"
    read = duly.read_client(client["client_id"])
    assert read["state"] == "before_notice"
    assert read["declarations"][0]["state"] == "undeliverable"
    assert duly.confirm(message.token).json["code"] == "link_withdrawn"
    duly.tick()
    assert [one.to for one in mailbox.sent[1:]] == ["ewa@agencja.example"]
    assert history(duly, client["client_id"]).count("letter_bounced") == 1


def test_whoever_calls_it_spam_is_not_reminded(duly: Duly, mailbox: Mailbox) -> None:
    """The link stays good; no reminder follows; told twice, it changes nothing."""
    client = promised(duly)
    duly.tick()
    message = mailbox.sent[0]
    assert duly.event("Complaint", message) == "complained"
    assert duly.event("Complaint", message) == "nothing"
    duly.wait(days=4)
    duly.tick()
    assert len(mailbox.sent) == 1
    assert duly.confirm(message.token).status == 200
    assert history(duly, client["client_id"]).count("letter_complained") == 1


@pytest.mark.parametrize(
    ("kind", "state", "client_state"),
    [
        ("Send", "sent", "active"),
        ("Delivery", "delivered", "active"),
        ("Bounce", "bounced", "before_notice"),
        ("Complaint", "complained", "active"),
    ],
)
def test_an_event_that_comes_before_our_own_mark_is_not_lost(
    duly: Duly, mailbox: Mailbox, kind: str, state: str, client_state: str
) -> None:
    """Rule 4: told while the sender still waits for its answer: settled once, and kept so."""
    client = promised(duly)
    details = {"bounce": {"bounceType": "Permanent"}} if kind == "Bounce" else {}
    told: list[str] = []

    def tell() -> None:
        mailbox.after = lambda: None
        told.append(duly.event(kind, mailbox.sent[-1], **details))

    mailbox.after = tell
    duly.tick()
    assert told != ["unknown"]
    letter = next(one for one in letters(duly, client) if one["template"] == "confirm_consents")
    assert letter["state"] == state
    assert letter["url"]
    assert duly.read_client(client["client_id"])["state"] == client_state
    assert history(duly, client["client_id"]).count("notice_delivered") == 1
    duly.wait(hours=1)
    duly.tick()
    assert len(mailbox.to("lucja@klient.example")) == 1


def test_an_event_of_no_letter_of_ours_changes_nothing(duly: Duly, mailbox: Mailbox) -> None:
    """Other software on the account sends, too; a letter that is gone is gone."""
    client = promised(duly)
    duly.tick()
    before = states(duly, client)
    known = mailbox.sent[0]
    stranger = Sent(to=known.to, sender=known.sender, tags={"campaign": "x"}, raw=b"")
    gone = Sent(to=known.to, sender=known.sender, tags=known.tags | {"letter": "x"}, raw=b"")
    other = Sent(to=known.to, sender=known.sender, tags=known.tags | {"org": "inna"}, raw=b"")
    assert duly.event("Complaint", stranger) == "foreign"
    assert duly.event("Complaint", gone) == "unknown"
    assert duly.event("Complaint", other) == "unknown"
    assert agenda.on_mail_event(wiring.ports(), {}) == "foreign"
    assert duly.event("Open", known) == "nothing"
    assert states(duly, client) == before


def test_a_letter_whose_reason_has_passed_is_not_sent(duly: Duly, mailbox: Mailbox) -> None:
    """R14, R15: cancelled, or another address, before it left: nothing goes out."""
    client = duly.client()
    sent = duly.act(duly.declared(client), "send").json
    assert duly.act(sent, "cancel").status == 200
    duly.tick()
    assert mailbox.sent == []
    (letter,) = letters(duly, client)
    assert (letter["state"], letter["reason"]) == ("unneeded", "declaration_no_longer_out")


# The mail service itself, by its own answers


def answering(status: int, code: str, message: str = "") -> tuple[int, dict[str, str], bytes]:
    """An answer of SES."""
    body = json.dumps({"message": message, "MessageId": "ses-9"}).encode()
    return status, {"x-amzn-errortype": code} if code else {}, body


@pytest.mark.parametrize(
    ("answer", "refusal", "quota"),
    [
        (answering(400, "MessageRejected"), MailRefused, None),
        (answering(400, "BadRequestException"), MailRefused, None),
        (answering(429, "TooManyRequestsException"), MailDelayed, False),
        (
            answering(400, "ThrottlingException", "Maximum sending rate exceeded."),
            MailDelayed,
            False,
        ),
        (answering(400, "ThrottlingException", "Daily message quota exceeded."), MailDelayed, True),
        (answering(400, "LimitExceededException"), MailDelayed, False),
        (answering(400, "SendingPausedException"), MailDelayed, False),
        (answering(500, "InternalServiceErrorException"), MailDelayed, False),
    ],
)
def test_each_answer_of_the_mail_service_is_told_apart(
    duly: Duly, answer: Any, refusal: type[Exception], quota: bool | None
) -> None:
    """Rule 6: never, later, or tomorrow; and each message is asked for once (trap 6)."""
    asked = _answer_with(answer)
    with pytest.raises(refusal) as refused:
        SesMailer("duly").send(b"x", sender="a@b.example", to="c@d.example", tags={"a": "b"})
    assert getattr(refused.value, "quota", None) == quota
    assert not getattr(refused.value, "uncertain", False)
    assert len(asked) == 1


def test_what_the_mail_service_accepts_has_its_id_and_our_tags(duly: Duly) -> None:
    """Rule 4: by its tags an event finds its letter."""
    asked = _answer_with(answering(200, ""))
    sent = SesMailer("duly").send(b"x", sender="a@b.example", to="c@d.example", tags={"a": "b"})
    assert sent == "ses-9"
    (body,) = [json.loads(one) for one in asked]
    assert body["EmailTags"] == [{"Name": "a", "Value": "b"}]
    assert body["ConfigurationSetName"] == "duly"
    assert body["Destination"] == {"ToAddresses": ["c@d.example"]}


@pytest.mark.parametrize(
    ("failure", "uncertain"),
    [
        ("ReadTimeoutError", True),
        ("ConnectionClosedError", True),
        ("ConnectTimeoutError", False),
        ("EndpointConnectionError", False),
    ],
)
def test_silence_is_uncertain_and_no_connection_is_not(
    duly: Duly, failure: str, uncertain: bool
) -> None:
    """Rule 4: a letter may have left only where the request did."""
    from botocore import exceptions

    def fails(request: Any, **_: Any) -> None:
        raise getattr(exceptions, failure)(endpoint_url=request.url)

    clients.client("sesv2").meta.events.register("before-send.sesv2.SendEmail", fails)
    with pytest.raises(MailDelayed) as delayed:
        SesMailer("duly").send(b"x", sender="a@b.example", to="c@d.example", tags={})
    assert delayed.value.uncertain is uncertain


def _answer_with(answer: tuple[int, dict[str, str], bytes]) -> list[bytes]:
    """SES answers so; what it was asked."""
    from botocore.awsrequest import AWSResponse

    status, headers, body = answer
    asked: list[bytes] = []

    def answers(request: Any, **_: Any) -> Any:
        asked.append(request.body)
        response = AWSResponse(request.url, status, headers, None)
        response._content = body
        return response

    clients.client("sesv2").meta.events.register("before-send.sesv2.SendEmail", answers)
    return asked
