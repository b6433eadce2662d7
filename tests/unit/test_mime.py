"""The bytes of a letter: what a mail program reads out of them is what was put in, and nothing
else."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.documents.sheet import Controller, SheetAnswer
from chalicelib.letters import facts
from chalicelib.letters.compose import compose
from chalicelib.letters.mime import Address, Attachment, UnsafeHeader, build

LINK = "https://zgody.bursztyn.example/c#v1.k3.eyJvcmciOiJidXJzenR5biJ9.Zm9vYmFyYmF6"
HEADERS = [
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]
PDF = Attachment("Zgody – Żółć.pdf", "application/pdf", b"%PDF-1.7\n\x00\xff")


def a_confirmation() -> facts.ConfirmConsents:
    wording = "Zgadzam się, aby administrator danych przesyłał mi informacje handlowe. " * 5
    return facts.ConfirmConsents(
        controller=Controller(
            name="САО «Янтарь»",
            address="ul. Długa 12/3, 80-831 Gdańsk",
            registry_number="KNF 11234567/A",
            email="dane@bursztyn.example",
            phone="+48585550123",
        ),
        client_name="Екатерина Щукина",
        staff_name="Łukasz Żółć",
        answers=(SheetAnswer(title="E-mail", text=wording, answer=True, kind="consent"),),
        link=LINK,
        preferences="https://zgody.example/p#v1.k1.own",
        expires_at=datetime(2026, 12, 6, 14, 5, tzinfo=UTC),
        reminder=False,
    )


def raw(**changed: Any) -> bytes:
    told: dict[str, Any] = {
        "from_": Address("Agencja Bursztyn", "zgody@bursztyn.example"),
        "reply_to": Address("Łukasz Żółć", "lukasz@bursztyn.example"),
        "to": Address("Екатерина Щукина", "client@example.com"),
        "subject": "Ubezpieczenie",
        "text": "Dzień dobry\n",
        "html": "<p>Dzień dobry</p>\n",
        "attachments": (PDF,),
        "message_id": "<let_01.abc@bursztyn.example>",
        "date": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
        "language": "pl",
        **changed,
    }
    return build(**told)


def as_sent(content: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


def said(message: EmailMessage, kind: str) -> str:
    """The decoded text or HTML, its lines parted as Python parts them."""
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def test_the_message_says_what_was_put_in() -> None:
    """S44-S46, S50: sender, reply to the person who sent it, one addressee, subject, both parts,
    file."""
    message = as_sent(raw())
    assert message.keys() == HEADERS
    assert str(message["from"]) == "Agencja Bursztyn <zgody@bursztyn.example>"
    assert str(message["reply-to"]) == "Łukasz Żółć <lukasz@bursztyn.example>"
    assert str(message["to"]) == "Екатерина Щукина <client@example.com>"
    assert message["subject"] == "Ubezpieczenie"
    assert message["date"].datetime == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert message["message-id"] == "<let_01.abc@bursztyn.example>"
    assert message["content-language"] == "pl"
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
    ]
    assert said(message, "plain") == "Dzień dobry\n"
    assert said(message, "html") == "<p>Dzień dobry</p>\n"
    (file,) = message.iter_attachments()
    assert file.get_filename() == PDF.filename
    assert file.get_content() == PDF.content


def test_the_subject_of_a_polish_letter_stands_on_the_wire_as_it_is() -> None:
    """S45: not encoded, nothing before it, nothing after it."""
    assert b"\r\nSubject: Ubezpieczenie\r\n" in raw()


def test_without_files_the_message_is_the_two_alternatives() -> None:
    """S46."""
    assert as_sent(raw(attachments=())).get_content_type() == "multipart/alternative"


def test_lines_are_short_and_end_as_smtp_wants() -> None:
    """S44: no relay has a reason to break or rewrite a line."""
    letter = compose(a_confirmation(), "pl")
    content = raw(text=letter.text, html=letter.html, subject=letter.subject)
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    content.decode("ascii")


def test_the_parts_decode_to_the_very_words_in_every_language() -> None:
    """S46, R19: the link survives the encoding whole and alone on its line."""
    for language in ("pl", "en", "ru"):
        letter = compose(a_confirmation(), language)
        message = as_sent(raw(text=letter.text, html=letter.html, language=language))
        assert said(message, "plain") == letter.text
        assert said(message, "html") == letter.html
        assert LINK in said(message, "plain").splitlines()


def test_the_same_letter_gives_the_same_bytes() -> None:
    """R20: a letter sent twice is the same message twice."""
    assert raw() == raw()
    other = raw(message_id="<let_02.abc@bursztyn.example>")
    boundary = as_sent(raw()).get_boundary()
    assert boundary is not None
    assert boundary.encode() not in other


def test_the_archive_differs_from_what_was_sent_in_the_token_alone() -> None:
    """R17: no part of the archived bytes, decoded or not, has the token."""
    token = LINK.partition("#")[2]
    told = a_confirmation()
    for language in ("pl", "en", "ru"):
        sent = compose(told, language)
        kept = compose(replace(told, link=facts.masked(LINK)), language)
        archived = raw(text=kept.text, html=kept.html)
        assert token.encode() not in archived
        for part in as_sent(archived).walk():
            if part.get_content_maintype() == "text":
                assert token not in part.get_content()
        assert kept.text == sent.text.replace(token, "masked")
        assert kept.html == sent.html.replace(token, "masked")


def test_importing_the_letters_loads_nothing_heavy() -> None:
    """No route pays for jinja2 or for the header parser of `email`."""
    code = (
        "import sys; import chalicelib.letters.compose, chalicelib.letters.mime; "
        "print({'jinja2', 'email.policy', 'email.headerregistry'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert loaded.stdout.strip() == b"set()"


INJECTIONS = [
    "=?utf-8?q?=0ABcc:_victim=40example.org?=",
    "x =?utf-8?b?CkJjYzogdkBlLm9yZw==?= y",
    "=?",
    "a\r\nBcc: victim@example.org",
    "a\nBcc: victim@example.org",
    "a\rBcc: victim@example.org",
    "a\n\nbody",
    "a\x00b",
    "a\tb",
    "a\x0bb",
    "a\x0cb",
    "a\x85b",
    "a\u2028Bcc: victim@example.org",
    "a\u2029b",
    "a\u202egnp.exe",
    "a\u2066b",
    "a\ud800b",
    " ",
    "a" * 500,
]


@pytest.mark.parametrize("hostile", INJECTIONS)
@pytest.mark.parametrize("place", ["from_", "reply_to", "to"])
def test_a_name_that_could_open_a_header_is_refused(place: str, hostile: str) -> None:
    """S44, S50: the trap of Python before 3.13 included."""
    with pytest.raises(UnsafeHeader) as refused:
        raw(**{place: Address(hostile, "client@example.com")})
    assert hostile.strip() not in str(refused.value) or not hostile.strip()


@pytest.mark.parametrize("hostile", [*INJECTIONS, ""])
def test_a_subject_or_a_file_name_that_could_open_a_header_is_refused(hostile: str) -> None:
    """S45, S41."""
    with pytest.raises(UnsafeHeader):
        raw(subject=hostile)
    with pytest.raises(UnsafeHeader):
        raw(attachments=(Attachment(hostile, "application/pdf", b""),))


@pytest.mark.parametrize(
    "email",
    [
        "",
        "client",
        "client@",
        "@example.com",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "<a@example.com>",
        "A <a@example.com>",
        "a@b@example.com",
        "a@example.com\n",
        "a@example.com\r\nBcc: b@example.org",
        '"a b"@example.com',
        "a..b@example.com",
        "a@[127.0.0.1]",
        "żółć@example.com",
        "a@exämple.com",
        "=?x?=@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 60 + ("." + "c" * 60) * 4 + ".com",
    ],
)
@pytest.mark.parametrize("place", ["from_", "reply_to", "to"])
def test_only_one_plain_mailbox_is_an_address(place: str, email: str) -> None:
    """S44, S50."""
    with pytest.raises(UnsafeHeader):
        raw(**{place: Address("Anna", email)})


@pytest.mark.parametrize("name", ["../x.pdf", "a\\b.pdf"])
def test_a_file_name_is_no_path(name: str) -> None:
    """S41."""
    with pytest.raises(UnsafeHeader):
        raw(attachments=(replace(PDF, filename=name),))


@pytest.mark.parametrize(
    "kind",
    ["", "pdf", "text/plain; name=x", "multipart/mixed", "message/rfc822", "a/b\r\nBcc: x@y.z"],
)
def test_a_content_type_is_a_plain_one(kind: str) -> None:
    """S41."""
    with pytest.raises(UnsafeHeader):
        raw(attachments=(replace(PDF, content_type=kind),))


def test_headers_of_automatic_letters_are_kept_and_others_refused() -> None:
    """S44, R19: no recipient, no read receipt, no second subject by the side door."""
    message = as_sent(raw(headers={"Auto-Submitted": "auto-generated"}))
    assert message["auto-submitted"] == "auto-generated"
    assert len(message.keys()) == len(HEADERS) + 1
    for name in ("Bcc", "To", "subject", "Disposition-Notification-To", "X\r\nBcc", ""):
        with pytest.raises(UnsafeHeader):
            raw(headers={name: "x"})
    for value in ("", "a\r\nBcc: x@y.z", "a\nb", "é", "=?utf-8?q?x?=", "a" * 901):
        with pytest.raises(UnsafeHeader):
            raw(headers={"Auto-Submitted": value})


@pytest.mark.parametrize("wrong", ["let_01", "<a b@c.d>", "<a@b>\r\nBcc: x@y.z", "<a@b><c@d>"])
def test_a_message_id_is_one_id(wrong: str) -> None:
    """S44."""
    with pytest.raises(UnsafeHeader):
        raw(message_id=wrong)


def test_the_language_and_the_date_are_what_they_claim_to_be() -> None:
    """S44."""
    with pytest.raises(UnsafeHeader):
        raw(language="pl\r\nBcc: x@y.z")
    with pytest.raises(ValueError, match="time zone"):
        raw(date=datetime(2026, 11, 22, 8, 30))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    "name",
    [
        "Żaneta Gąsienica-Świątek",
        "Екатерина Щукина",
        "O'Neill",
        'Agencja „Bursztyn" Sp. z o.o., Oddział Ubezpieczeń Komunikacyjnych i Majątkowych w Łodzi',
        "ООО «Страховая компания „Янтарь“», филиал в Санкт-Петербурге и Ленинградской области",
        "Nowak, Jan (agent); <x@example.org>",
        "a@example.org, b",
        "Ł" * 120,
        "🙂 Anna",
    ],
)
def test_names_arrive_as_they_are_written(name: str) -> None:
    """S44, S50: Polish and Russian names, commas, quotes and brackets, however long."""
    message = as_sent(raw(to=Address(name, "client@example.com"), subject=name))
    (address,) = message["to"].addresses
    assert (address.username, address.domain) == ("client", "example.com")
    # Python's own reader wrongly keeps the space between two encoded words of a name.
    assert address.display_name.replace(" ", "") == name.replace(" ", "")
    assert message["subject"] == name
    assert message.keys() == HEADERS


def test_a_mailbox_without_a_name_is_just_the_mailbox() -> None:
    """S44."""
    assert b"\r\nTo: client@example.com\r\n" in raw(to=Address("", "client@EXAMPLE.com"))


@given(st.text(max_size=120), st.text(max_size=120), st.text(max_size=120))
def test_whatever_is_typed_reaches_one_reader_or_nobody(
    name: str, subject: str, filename: str
) -> None:
    """S44, S45, S50: refused, or exactly the expected headers, one addressee, the same subject."""
    to = Address(name, "client@example.com")
    try:
        content = raw(to=to, subject=subject, attachments=(replace(PDF, filename=filename),))
    except UnsafeHeader:
        return
    message = as_sent(content)
    assert message.keys() == HEADERS
    assert [address.addr_spec for address in message["to"].addresses] == ["client@example.com"]
    assert re.sub(r"\s+", "", message["subject"]) != ""
    (file,) = message.iter_attachments()
    assert set(map(str.lower, file.keys())) == {
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "mime-version",
    }
    assert file.get_content() == PDF.content
