"""The mailbox page: shows each e-mail, and lets none of them do anything."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from pathlib import Path

import pytest

from chalicelib.complaints.inbound import read
from local.mail import MailStore, mail_from
from local.mailbox import mailbox

SUBJECT = "<b>Ubezpieczenie</b> & żółć"


@pytest.fixture
def store(tmp_path: Path) -> MailStore:
    message = EmailMessage()
    message["From"] = "Agencja <zgody@duly.example>"
    message["To"] = "jan@klient.example"
    message["Subject"] = SUBJECT
    message.set_content("Otwórz http://localhost:8080/c#v1.x\n")
    message.add_alternative('<p><a href="http://localhost/c#v1.x">Otwórz</a></p>', subtype="html")
    message.add_attachment(
        b"<script>alert(1)</script>", maintype="text", subtype="html", filename="zgoda ż.html"
    )
    store, mime = MailStore(tmp_path), message.as_bytes()
    store.add(mail_from({}, mime, "m-1", datetime(2026, 11, 22, tzinfo=UTC)), mime)
    return store


@pytest.fixture
def address(store: MailStore) -> Iterator[str]:
    with mailbox(0, store) as origin:
        yield origin


def ask(
    url: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, Message, str]:
    request = urllib.request.Request(url, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read().decode()


def test_the_list_shows_subject_and_recipient_as_text(address: str) -> None:
    """Whoever tries Duly out sees what was sent, and to whom."""
    status, headers, page = ask(address)
    assert status == 200
    assert "&lt;b&gt;Ubezpieczenie&lt;/b&gt; &amp; żółć" in page
    assert "jan@klient.example" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("view", ["html", "text", "headers", "source", "unknown"])
def test_every_view_of_a_mail_opens(address: str, view: str) -> None:
    """HTML, text, headers and source are each one click away."""
    status, _, page = ask(f"{address}/00000001?view={view}")
    assert status == 200
    assert "zgoda ż.html" in page
    assert "<b>Ubezpieczenie" not in page


def test_the_html_part_can_run_nothing_and_load_nothing(address: str) -> None:
    """A letter is foreign content: no script, no network, no frame but the mailbox's own."""
    status, headers, page = ask(f"{address}/messages/00000001/html")
    policy = headers["Content-Security-Policy"]
    assert status == 200
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert page.startswith('<base target="_blank">')


def test_an_attachment_is_saved_and_never_shown(address: str) -> None:
    """A page that was sent as an attachment must not run in the mailbox's origin."""
    status, headers, body = ask(f"{address}/messages/00000001/attachments/0")
    assert (status, body) == (200, "<script>alert(1)</script>")
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''zgoda%20%C5%BC.html"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(f"{address}/messages/00000001/attachments/1")[0] == 404


def test_tests_read_the_list_the_parts_and_the_source(address: str, store: MailStore) -> None:
    """The demonstration and the browser tests read the mailbox as JSON."""
    [listed] = json.loads(ask(f"{address}/messages")[2])
    assert (listed["number"], listed["subject"]) == ("00000001", SUBJECT)
    assert json.loads(ask(f"{address}/messages?to=Jan@klient.example")[2]) == [listed]
    assert json.loads(ask(f"{address}/messages?to=other@klient.example")[2]) == []
    read = json.loads(ask(f"{address}/messages/00000001")[2])
    assert "http://localhost:8080/c#v1.x" in read["text"]
    assert [each["name"] for each in read["attachments"]] == ["zgoda ż.html"]
    _, headers, raw = ask(f"{address}/messages/00000001/raw")
    found = store.get("00000001")
    assert found is not None and raw.encode() == found[1]
    assert headers["Content-Type"] == "message/rfc822"


def test_the_mailbox_is_emptied_from_here_and_not_from_elsewhere(
    address: str, store: MailStore
) -> None:
    """A page of another site can neither empty the mailbox nor reach it under another name."""
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert ask(f"{address}/empty", "POST", foreign)[0] == 403
    assert ask(f"{address}/messages", headers={"Host": "evil.example"})[0] == 421
    assert len(store.newest_first()) == 1
    assert ask(f"{address}/messages", "DELETE")[0] == 204
    assert store.newest_first() == []
    assert ask(f"{address}/00000001")[0] == 404


WRITTEN = {
    "from": "anna@klient.example",
    "to": "reklamacje@agencja.example",
    "subject": "Reklamacja żółć",
    "text": "Składam reklamację.\r\nProszę o odpowiedź.",
}


def form(fields: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, str]:
    """A form with files, as a browser sends it, and its type."""
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()
        for name, text in fields.items()
    ]
    parts += [
        f'Content-Disposition: form-data; name="files"; filename="{name}"\r\n'
        "Content-Type: application/pdf\r\n\r\n".encode()
        + content
        for name, content in files.items()
    ]
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return body, "multipart/form-data; boundary=b"


def send(address: str, fields: dict[str, str], files: dict[str, bytes]) -> tuple[int, str]:
    """Fill in the form and send it."""
    body, kind = form(fields, files)
    request = urllib.request.Request(
        f"{address}/write", method="POST", data=body, headers={"Content-Type": kind}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_a_person_writes_an_e_mail_with_files_to_an_organisation(store: MailStore) -> None:
    """M2, M3: what reaches Duly is the MIME that a mail program would send."""
    came: list[tuple[bytes, str]] = []
    content = b"%PDF-1.7\r\n\x00\xff--b\n" + bytes(range(256))

    def receive(raw: bytes, to: str) -> bool:
        came.append((raw, to))
        return True

    with mailbox(0, store, receive) as origin:
        status, page = send(origin, WRITTEN, {"umowa żółta.pdf": content, "": b""})
        assert 'href="/write"' in ask(origin)[2]
    assert status == 200
    assert "The e-mail is sent." in page
    ((raw, to),) = came
    assert to == WRITTEN["to"]
    mail = read(raw)
    assert mail.sender is not None
    assert (mail.sender.address, mail.subject) == (WRITTEN["from"], WRITTEN["subject"])
    assert mail.text == WRITTEN["text"].replace("\r\n", "\n")
    (file,) = mail.attachments
    assert (file.name, file.content) == ("umowa żółta.pdf", content)
    assert not mail.notes


def test_a_mail_to_nobody_stays_in_the_form(store: MailStore) -> None:
    """Nothing that was written is lost, and nothing of it is markup."""
    fields = WRITTEN | {"text": "<script>alert(1)</script>"}
    with mailbox(0, store, lambda raw, to: False) as origin:
        status, page = send(origin, fields, {})
        assert status == 422
        assert "No organisation here takes complaints at this address." in page
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        status, page = send(origin, WRITTEN | {"from": "a@b.example, c@d.example"}, {})
        assert status == 422
        assert "Fill in one address" in page


def test_a_reply_is_addressed_as_the_letter_says(tmp_path: Path) -> None:
    """M3: the signed address of the case, from who got the letter."""
    letter = EmailMessage()
    letter["From"], letter["To"] = "Agencja <zgody@agencja.example>", "Jan <jan@klient.example>"
    letter["Reply-To"], letter["Subject"] = "Agencja <r+x.y@agencja.example>", "Sprawa"
    letter.set_content("Dzień dobry")
    store = MailStore(tmp_path)
    raw = letter.as_bytes()
    store.add(mail_from({}, raw, "m-1", datetime(2026, 11, 22, tzinfo=UTC)), raw)
    (number, _), *_ = store.newest_first()
    with mailbox(0, store, lambda raw, to: True) as origin:
        assert f'href="/write?to={number}"' in ask(f"{origin}/{number}")[2]
        page = ask(f"{origin}/write?to={number}")[2]
    for filled in ("jan@klient.example", "r+x.y@agencja.example", "Re: Sprawa"):
        assert f'value="{filled}"' in page
