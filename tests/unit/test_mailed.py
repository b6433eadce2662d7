"""An e-mail as a submission: whatever the bytes are, it can be registered."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.complaints import mailed, receipt
from chalicelib.complaints.case import MOST_SUBSTANCE, Flag
from chalicelib.complaints.inbound import read
from chalicelib.organisations.domain import ComplaintSettings
from tests.duly import a_settings
from tests.unit.test_inbound import mail, part, parts

NOW = datetime(2026, 2, 12, 18, 5, tzinfo=UTC)
SETTINGS = a_settings(complaints=ComplaintSettings(mailbox="reklamacje@agencja.example"))
HEADERS = b"From: A <a@b.example>\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n"


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
@example(HEADERS + "a\u0301".encode() * 20_000)
@example(HEADERS + b" " * 30_000 + b"x")
@example(HEADERS + b"x" * 19_999 + b" \n y")
@example(b"From: =?utf-8?q?=3D=3Futf-8=3F_x?= <a@b.example>\r\nSubject: =?x\r\n\r\n")
def test_whatever_comes_can_be_registered(raw: bytes) -> None:
    """M33, D3: nothing in a mail bars it; with the raw bytes kept, no field is refused."""
    for source in (raw, HEADERS + raw):
        one = mailed.submission(read(source), SETTINGS, received_at=NOW)
        files = tuple(file for file, _ in mailed.attached(read(source), NOW))
        whole = replace(one, raw="mail/x", files=files)
        checked = receipt.checked(whole, SETTINGS, now=NOW + timedelta(seconds=1))
        assert len(checked.substance) <= MOST_SUBSTANCE


def test_no_mail_makes_more_files_than_one_transaction_holds() -> None:
    """A hundred attachments and too long a text: forty files, the text among them."""
    pieces = [part("x" * 30_000, "Content-Type: text/plain")]
    pieces += [part("y", f'Content-Disposition: attachment; filename="{n}.txt"') for n in range(99)]
    body, kind = parts(*pieces)
    found = [file for file, _ in mailed.attached(read(mail(body, type_=kind)), NOW)]
    assert len(found) == mailed.MOST_ATTACHED
    assert found[0].name == "message.txt"


def test_a_sender_who_cannot_be_answered_is_flagged() -> None:
    """A web form of somebody's behind a no-reply address: a person looks for who wrote."""
    one = read(mail(headers={"From": "Formularz <no-reply@portal.example>"}))
    found = mailed.submission(one, SETTINGS, received_at=NOW)
    assert found.flags == (Flag.SPAM_SUSPECT,)
    assert not mailed.answerable(one)


def test_an_answer_goes_where_the_writer_wants_it() -> None:
    """Reply-To, as mail programs do; the name is the sender's."""
    one = read(mail(headers={"Reply-To": "prywatny@dom.example"}))
    writer = mailed.submission(one, SETTINGS, received_at=NOW).writer
    assert (writer.name, writer.email) == ("Anna Kowalska", "prywatny@dom.example")
