"""E-mail that comes in becomes a case or joins one; no machine is answered, nothing is lost."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from msgspec.structs import replace

import app as application
from chalicelib import wiring
from chalicelib.aws import clients
from chalicelib.complaints import mail, store
from chalicelib.complaints.case import Channel, Complaint, Flag, State
from chalicelib.complaints.inbound import reply_address
from chalicelib.kernel.change import Held
from chalicelib.organisations.domain import ComplaintSettings
from tests import cases
from tests.duly import Context, Duly

BOX = "reklamacje@agencja.example"
ANNA = "anna@klient.example"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 8
WORDS = "Składam reklamację: szkoda nie została rozpatrzona w terminie."


@pytest.fixture
def agency(duly: Duly) -> Duly:
    """An organisation that takes complaints by e-mail; another beside it."""
    for org, box in (("szybka", BOX), ("inna", "skargi@inna.example")):
        duly.found(org, complaints=ComplaintSettings(mailbox=box))
    return duly


def a_mail(
    text: str = WORDS,
    *,
    sender: str = f"Anna Kowalska <{ANNA}>",
    to: str = BOX,
    headers: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    type_: str = "application/pdf",
) -> bytes:
    """A mail of a client."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, "Reklamacja"
    message["Message-ID"] = "<1@klient.example>"
    for name, value in (headers or {}).items():
        del message[name]
        message[name] = value
    message.set_content(text)
    maintype, _, subtype = type_.partition("/")
    for name, content in (files or {}).items():
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return bytes(message)


def lay_down(raw: bytes, name: str = "m1", org: str = "szybka") -> str:
    """What SES does."""
    key = f"inbound/{org}/{name}"
    bucket = wiring.setting("BUCKET_NAME")
    clients.client("s3").put_object(Bucket=bucket, Key=key, Body=raw)
    return key


def take(duly: Duly, raw: bytes, name: str = "m1", org: str = "szybka") -> str:
    """The mail arrives and is taken in."""
    return mail.take(duly.ports(), lay_down(raw, name, org))


def all_cases(duly: Duly, org: str = "szybka") -> list[Held[Complaint]]:
    """Every case of the organisation, oldest first."""
    ids = [
        pk.rpartition("#")[2]
        for pk, sk in duly.table()
        if pk.startswith(f"O#{org}#COMPLAINT#") and sk == "ROOT"
    ]
    found = [cases.case_of(duly, one, org) for one in ids]
    return sorted(found, key=lambda one: one.value.entered_at)


def the_case(duly: Duly) -> Held[Complaint]:
    (one,) = all_cases(duly)
    return one


def statement(duly: Duly, held: Held[Complaint]) -> Any:
    return store.statement(store.read(duly.ports(), held.key, "STATEMENT")[1])


def reply_to(duly: Duly, held: Held[Complaint], org: str = "szybka", box: str = BOX) -> str:
    """The address that letters about this case bear."""
    ports = duly.ports()
    return reply_address(held.key.id, org, ports.link_keys(), ports.stage, box.partition("@")[2])


def register(duly: Duly, held: Held[Complaint]) -> None:
    """Time passes until the case is registered and its letter has left."""
    due = cases.registration_moment(held.value)
    duly.clock[0] += max(due - duly.ports().now, timedelta())
    duly.tick()
    duly.tick()


def test_a_mail_becomes_a_case_that_is_registered_and_acknowledged(agency: Duly) -> None:
    """M2, M3, M33, M45: words, writer, file, the mail as it came; it then leaves `inbound/`."""
    raw = a_mail(files={"umowa.pdf": PDF})
    assert take(agency, raw) == "received"
    held = the_case(agency)
    case = held.value
    assert (case.channel, case.writer.name, case.writer.email) == (
        Channel.EMAIL,
        "Anna Kowalska",
        ANNA,
    )
    assert (case.flags, case.files, case.language) == ((), 1, "pl")
    said = statement(agency, held)
    assert (said.substance, said.subject) == (WORDS, "Reklamacja")
    objects = agency.objects()
    assert objects[said.raw] == raw
    assert said.raw.startswith(f"mail/szybka/{held.key.id}/")
    (file,) = store.files(agency.ports(), held.key)
    assert (file.name, file.state, objects[file.object_key]) == ("umowa.pdf", "kept", PDF)
    assert not [key for key in objects if key.startswith("inbound/")]
    register(agency, held)
    assert the_case(agency).value.registered_at is not None
    assert [one.to for one in agency.mailbox.sent] == [ANNA]


def test_the_clock_starts_when_the_mail_came_not_when_it_was_taken(agency: Duly) -> None:
    """D20: an outage of Duly's moves no date of receipt."""
    key = lay_down(a_mail())
    laid = agency.ports().now
    later = wiring.real_now() + timedelta(hours=30)
    ports = replace(agency.ports(), now=later, real_now=later)
    assert mail.take(ports, key) == "received"
    case = the_case(agency).value
    assert abs(case.received_at - laid) < timedelta(seconds=5)
    assert case.entered_at == later


def test_the_same_object_twice_makes_one_case(agency: Duly) -> None:
    """The answer got lost, or event and schedule met: one case, one copy of everything."""
    raw = a_mail(files={"umowa.pdf": PDF})
    assert take(agency, raw) == "received"
    kept = agency.objects()
    assert take(agency, raw) == "received"
    assert the_case(agency).version == 1
    assert agency.objects() == kept
    assert mail.take(agency.ports(), "inbound/szybka/m1") == "gone"


def test_a_case_that_was_not_written_leaves_its_mail_where_it_was(agency: Duly) -> None:
    """Only what was committed is removed."""
    key = lay_down(a_mail())
    ports = agency.ports()

    class Down:
        def __getattr__(self, name: str) -> Any:
            if name == "commit":
                raise RuntimeError("down")
            return getattr(ports.ledger, name)

    broken: Any = Down()
    with pytest.raises(RuntimeError):
        mail.take(replace(ports, ledger=broken), key)
    assert key in agency.objects()
    assert not all_cases(agency)
    assert mail.take(agency.ports(), key) == "received"


def test_a_reply_joins_its_case_and_is_acknowledged(agency: Duly) -> None:
    """M3: by the signed address alone, upper case too, as mail systems change it."""
    take(agency, a_mail())
    held = the_case(agency)
    register(agency, held)
    address = reply_to(agency, held).replace("r+", "R+")
    reply = a_mail("Dosyłam dokument.", to=address, files={"scan.pdf": PDF})
    assert take(agency, reply, "m2") == "joined"
    assert take(agency, reply, "m2") == "joined"
    case = the_case(agency).value
    assert (case.messages, case.files) == (1, 1)
    (message,) = store.messages(agency.ports(), held.key)
    assert (message.text, message.sender) == ("Dosyłam dokument.", "writer")
    assert agency.objects()[message.raw] == reply
    agency.tick()
    assert len(agency.mailbox.to(ANNA)) == 2


def test_a_reply_from_an_unknown_address_is_told_as_such(agency: Duly) -> None:
    """Whoever has the address may write; it is not taken for the writer."""
    take(agency, a_mail())
    held = the_case(agency)
    other = a_mail("To ja, syn.", to=reply_to(agency, held), sender="syn@klient.example")
    assert take(agency, other, "m2") == "joined"
    (message,) = store.messages(agency.ports(), held.key)
    assert message.sender == "other"


@pytest.mark.parametrize("forged", ["other organisation", "another case", "garbled"])
def test_a_reply_address_that_is_not_ours_joins_nothing(agency: Duly, forged: str) -> None:
    """No MAC, no case: the mail is a case of its own, with a hint for a person."""
    take(agency, a_mail(to="skargi@inna.example"), org="inna")
    (theirs,) = all_cases(agency, "inna")
    good = reply_to(agency, theirs)
    address = {
        "other organisation": reply_to(agency, theirs, "inna"),
        "another case": "r+" + "a" * 26 + good[28:],
        "garbled": good.replace(".", ".2", 1)[:60] + "@agencja.example",
    }[forged]
    assert take(agency, a_mail(to=address)) == "received"
    (theirs_now,) = all_cases(agency, "inna")
    assert theirs_now.version == theirs.version
    hints = statement(agency, the_case(agency)).notes
    assert ("reply_address_unknown" in hints) == (forged != "garbled")


AUTOMATIC: list[Mapping[str, str]] = [
    {"Auto-Submitted": "auto-replied"},
    {"Subject": "Automatic reply: Reklamacja"},
    {"X-Auto-Response-Suppress": "All", "Auto-Submitted": "auto-generated"},
    {"From": "MAILER-DAEMON@mx.example"},
    {"Return-Path": "<>", "Subject": "Undeliverable: decyzja"},
]


@pytest.mark.parametrize("headers", AUTOMATIC)
def test_what_a_machine_sent_makes_no_case_and_is_kept(
    agency: Duly, headers: Mapping[str, str]
) -> None:
    """Nobody answers an out-of-office note or a bounce (RFC 3834)."""
    raw = a_mail(headers=headers)
    assert take(agency, raw) == "ignored"
    assert not all_cases(agency)
    assert agency.objects() == {"ignored/szybka/m1": raw}
    agency.tick()
    assert not agency.mailbox.sent


DOUBTS: list[Mapping[str, str]] = [
    {"X-Auto-Response-Suppress": "OOF"},
    {"Auto-Submitted": "auto-generated"},
    {"Return-Path": "<>"},
    {"Subject": "Poza biurem"},
]


@pytest.mark.parametrize("headers", DOUBTS)
def test_what_may_be_a_persons_is_registered_and_not_answered(
    agency: Duly, headers: Mapping[str, str]
) -> None:
    """M1, M33; robustness: a complaint is never dropped; its clock runs, a person looks at it."""
    assert take(agency, a_mail(headers=headers)) == "received"
    held = the_case(agency)
    assert Flag.SPAM_SUSPECT in held.value.flags
    answer = a_mail("Oto dokumenty.", to=reply_to(agency, held), headers=headers)
    assert take(agency, answer, "m2") == "joined"
    assert the_case(agency).value.messages == 1
    agency.tick()
    assert not agency.mailbox.to(ANNA)


def test_who_writes_from_one_address_and_asks_for_answers_at_another_is_one_person(
    agency: Duly,
) -> None:
    """M1, M88: the case keeps the address to answer at; their reply is theirs all the same."""
    headers = {"Reply-To": "anna@dom.example"}
    take(agency, a_mail(headers=headers))
    held = the_case(agency)
    assert held.value.writer.email == "anna@dom.example"
    take(agency, a_mail("Oto dokumenty.", to=reply_to(agency, held), headers=headers), "m2")
    (message,) = store.messages(agency.ports(), held.key)
    assert message.sender == "writer"


@pytest.mark.parametrize("headers", AUTOMATIC)
def test_what_a_machine_sent_about_a_case_is_a_note_of_it(
    agency: Duly, headers: Mapping[str, str]
) -> None:
    """Staff see that the client is away; the client gets nothing, and no request is answered."""
    take(agency, a_mail())
    held = the_case(agency)
    raw = a_mail("Jestem na urlopie.", to=reply_to(agency, held), headers=headers)
    assert take(agency, raw, "m2") == "noted"
    assert take(agency, raw, "m2") == "noted"
    (note,) = store.log(agency.ports(), held.key)
    assert note.kind == "email"
    assert "Jestem na urlopie." in note.text
    assert the_case(agency).value.messages == 0
    assert raw in agency.objects().values()
    agency.tick()
    assert not agency.mailbox.sent


@pytest.mark.parametrize(
    "sender", ["zgody@agencja.example", BOX, "Reklamacje@Agencja.example", "reply"]
)
def test_our_own_letters_make_no_case(agency: Duly, sender: str) -> None:
    """A loop ends where it would begin."""
    if sender == "reply":
        take(agency, a_mail(to="skargi@inna.example"), org="inna")
        sender = reply_to(agency, all_cases(agency, "inna")[0])
    assert take(agency, a_mail(sender=sender)) == "ignored"
    assert not all_cases(agency)


def test_one_sender_gets_five_answers_a_day(agency: Duly) -> None:
    """A machine that nobody recognised: its mails are cases, but it is not fed for ever."""
    for number in range(mail.MOST_ANSWERS + 2):
        assert take(agency, a_mail(), f"m{number}") == "received"
    found = all_cases(agency)
    assert len(found) == mail.MOST_ANSWERS + 2
    quiet = [one for one in found if Flag.SPAM_SUSPECT in one.value.flags]
    assert len(quiet) == 2
    assert "many_mails_of_one_sender" in statement(agency, quiet[0]).notes
    for one in found:
        register(agency, one)
    assert len(agency.mailbox.to(ANNA)) == mail.MOST_ANSWERS


def test_an_unrecognised_autoresponder_is_not_answered_for_ever(agency: Duly) -> None:
    """Our acknowledgement, its reply, our acknowledgement: five times, then silence."""
    take(agency, a_mail())
    held = the_case(agency)
    register(agency, held)
    address = reply_to(agency, held)
    for number in range(mail.MOST_ANSWERS + 3):
        assert take(agency, a_mail("Dziękujemy!", to=address), f"r{number}") == "joined"
    agency.tick()
    assert the_case(agency).value.messages == mail.MOST_ANSWERS + 3
    assert len(agency.mailbox.to(ANNA)) <= 1 + mail.MOST_ANSWERS


def test_suspected_spam_is_registered_flagged_and_not_answered(agency: Duly) -> None:
    """No complaint is dropped for how it looks (M33)."""
    assert take(agency, a_mail(headers={"X-SES-Spam-Verdict": "FAIL"})) == "received"
    held = the_case(agency)
    assert held.value.flags == (Flag.SPAM_SUSPECT,)
    register(agency, held)
    assert the_case(agency).value.registered_at is not None
    assert not agency.mailbox.to(ANNA)


MALFORMED = {
    "no header": b"\x00\xff\xfe garbage without any header",
    "one byte": b"\n",
    "no sender": b"Subject: Reklamacja\r\n\r\ntext",
    "broken base64": b"From: anna@klient.example\r\nContent-Transfer-Encoding: base64\r\n\r\n*!~a",
    "no boundary": b"From: anna@klient.example\r\nContent-Type: multipart/mixed\r\n\r\ntext",
    "encrypted": b"From: anna@klient.example\r\nContent-Type: application/pkcs7-mime\r\n\r\nMIIB",
    "nested": b"From: anna@klient.example\r\n"
    + b"Content-Type: message/rfc822\r\n\r\n" * 60
    + b"text",
    "unknown encoding": b"From: anna@klient.example\r\nContent-Transfer-Encoding: x-uu\r\n\r\na",
    "false charset": b"From: anna@klient.example\r\nContent-Type: text/plain; charset=utf-8"
    b"\r\n\r\nza\xbf\xf3\xb3\xe6",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_mail_that_cannot_be_read_is_a_case_for_a_person(agency: Duly, kind: str) -> None:
    """Flagged, its bytes kept, and not closed as anonymous before anybody has looked (M34)."""
    raw = MALFORMED[kind]
    assert take(agency, raw) == "received"
    held = the_case(agency)
    assert Flag.UNREADABLE in held.value.flags
    assert agency.objects()[statement(agency, held).raw] == raw
    register(agency, held)
    assert the_case(agency).value.state is State.REGISTERED


def test_what_is_no_mail_of_any_organisation_is_kept_and_counted(
    agency: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty object, an unknown organisation, another name: out of the way, in sight."""
    counted: list[tuple[str, int]] = []
    ports = replace(agency.ports(), count=lambda name, value: counted.append((name, value)))
    keys = [
        lay_down(b"", "empty"),
        lay_down(a_mail(), "m1", "nobody"),
        lay_down(a_mail(), "a/b/c"),
        lay_down(a_mail(), "x", "UPPER"),
    ]
    assert [mail.take(ports, key) for key in keys] == ["unread"] * 4
    assert counted == [("mail_unread", 1)] * 4
    assert set(agency.objects()) == {key.replace("inbound/", "unread/") for key in keys}
    setup = lay_down(a_mail(), mail.SETUP)
    assert mail.take(ports, setup) == "ignored"
    assert counted[-1] == ("mail_ignored", 1)


def test_a_huge_mail_is_a_case_and_a_larger_one_is_kept(
    agency: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SES would never take in is not read at all; what it takes is."""
    big = a_mail(files={"film.bin": bytes(12 * 2**20)}, type_="application/octet-stream")
    assert take(agency, big) == "received"
    (file,) = store.files(agency.ports(), the_case(agency).key)
    assert (file.state, file.reason) == ("held", "type")
    monkeypatch.setattr(mail, "MOST_STORED", 1_000_000)
    assert take(agency, big, "m2") == "unread"


def test_ten_attachments_and_a_hundred_become_files(agency: Duly) -> None:
    """Each is looked at; what fits no transaction stays in the mail, and a note says so."""
    ten = {f"zdjęcie {number}.pdf": PDF + bytes([number]) for number in range(10)}
    take(agency, a_mail(files=ten))
    held = the_case(agency)
    assert held.value.files == 10
    assert {one.state for one in store.files(agency.ports(), held.key)} == {"kept"}
    many = {f"{number}.pdf": PDF for number in range(100)}
    take(agency, a_mail(files=many), "m2")
    held = all_cases(agency)[-1]
    assert held.value.files == 40
    assert "attachments_left_in_the_mail: 60" in statement(agency, held).notes


def test_what_is_not_what_it_says_is_held_and_never_lost(agency: Duly) -> None:
    """A program as a PDF, a page with a script; a PDF sent as just anything is known for one."""
    files = {"umowa.pdf": b"MZ\x90\x00 program", "strona.html": b"<script>alert(1)</script>"}
    take(agency, a_mail(files=files))
    held = the_case(agency)
    found = {one.name: one for one in store.files(agency.ports(), held.key)}
    assert found["umowa.pdf"].state == found["strona.html"].state == "held"
    objects = agency.objects()
    assert objects[found["umowa.pdf"].object_key] == files["umowa.pdf"]
    unknown = a_mail(files={"scan.PDF": PDF}, type_="application/octet-stream")
    take(agency, unknown, "m2")
    (scan,) = store.files(agency.ports(), all_cases(agency)[-1].key)
    assert (scan.state, scan.content_type) == ("kept", "application/pdf")


def test_a_text_longer_than_a_case_holds_goes_on_as_a_file(agency: Duly) -> None:
    """M6: nothing of what was written is cut away in silence."""
    long = "\n".join(f"{number}. Zażółć gęślą jaźń." for number in range(2_000))
    take(agency, a_mail(long))
    held = the_case(agency)
    assert len(statement(agency, held).substance) <= 20_000
    (file,) = store.files(agency.ports(), held.key)
    assert (file.name, file.state) == ("message.txt", "kept")
    assert agency.objects()[file.object_key].decode() == long


def test_a_complaint_that_was_passed_on_is_read(agency: Duly) -> None:
    """Forwarded whole: the complaint is the mail inside the mail."""
    outer = EmailMessage(policy=SMTP)
    outer["From"], outer["To"], outer["Subject"] = "biuro@partner.example", BOX, "Fwd: skarga"
    outer.set_content("Przekazuję.")
    inner = EmailMessage(policy=SMTP)
    inner["From"], inner["Subject"] = f"Anna <{ANNA}>", "Skarga"
    inner.set_content(WORDS)
    outer.add_attachment(inner)
    take(agency, bytes(outer))
    said = statement(agency, the_case(agency)).substance
    assert said.startswith("Przekazuję.")
    assert f"Anna <{ANNA}>" in said
    assert WORDS in said


def test_the_language_is_the_writers_if_the_organisation_speaks_it(agency: Duly) -> None:
    """The acknowledgement is read by who wrote."""
    take(agency, a_mail("Прошу рассмотреть мою жалобу о страховке."))
    assert the_case(agency).value.language == "ru"


def test_the_schedule_finds_what_no_event_brought(agency: Duly) -> None:
    """A lost event loses no mail; a fresh one is left to its event, a bad one stops nobody."""
    good, bad = lay_down(a_mail(), "b"), lay_down(a_mail(), "a")
    now = wiring.real_now()
    ports = replace(agency.ports(), real_now=now)
    mail.handle(ports, {}, Context().get_remaining_time_in_millis)
    assert not all_cases(agency)
    bucket = ports.bucket

    class Sick:
        def __getattr__(self, name: str) -> Any:
            return getattr(bucket, name)

        def get(self, key: str, *, most: int) -> bytes | None:
            if key == bad:
                raise RuntimeError("poison")
            return bucket.get(key, most=most)

    sick: Any = Sick()
    later = replace(ports, real_now=now + timedelta(minutes=6), bucket=sick)
    mail.handle(later, {}, Context().get_remaining_time_in_millis)
    assert len(all_cases(agency)) == 1
    assert bad in agency.objects()
    assert good not in agency.objects()


def test_the_function_takes_what_its_event_names(agency: Duly) -> None:
    """The bucket's event, as the rule hands it on; nothing personal is logged on the way."""
    key = lay_down(a_mail(files={"umowa.pdf": PDF}))
    with agency.logs() as lines:
        application.inbound_mail({"key": key}, Context())
        application.inbound_mail({"key": key}, Context())
        application.inbound_mail({}, Context())
    assert len(all_cases(agency)) == 1
    told = [json.loads(line) for line in lines if line.startswith("{")]
    outcomes = {one["timestamp"]: one["outcome"] for one in told if "outcome" in one}
    assert list(outcomes.values()) == ["received", "gone"]
    logged = "\n".join(lines).casefold()
    for personal in (ANNA, "kowalska", "reklamacj", "szkoda", "umowa", BOX):
        assert personal not in logged


def test_a_failure_tells_nothing_personal(agency: Duly) -> None:
    """What goes wrong is counted and logged by its kind and place."""
    counted: list[str] = []
    key = lay_down(a_mail())
    ports = replace(agency.ports(), count=lambda name, value: counted.append(name))

    class Broken:
        def __getattr__(self, name: str) -> Any:
            if name == "copy":
                raise RuntimeError(ANNA)
            return getattr(agency.ports().bucket, name)

    broken: Any = Broken()
    later = wiring.real_now() + timedelta(minutes=6)
    with agency.logs() as lines:
        mail.handle(
            replace(ports, bucket=broken, real_now=later),
            {},
            Context().get_remaining_time_in_millis,
        )
    assert counted == ["mail_failed"]
    assert key in agency.objects()
    assert ANNA not in "\n".join(lines)
    assert base64.b64encode(ANNA.encode()).decode() not in "\n".join(lines)
