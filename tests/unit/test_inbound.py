"""E-mail that comes in: read whole where it can be, never refused, never answered by mistake."""

import base64
import hashlib
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.complaints import inbound
from chalicelib.complaints.inbound import Inbound, Kind, NoteCode, read
from chalicelib.kernel import ids, text
from chalicelib.kernel.tokens import KeyRing

PLAIN = "Składam reklamację.\n\nProszę o zwrot 1 200 zł."
RUSSIAN = "Прошу рассмотреть мою жалобу.\n\nС уважением, Ёлкина"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 8


def mail(
    body: str | bytes = PLAIN,
    *,
    type_: str = "text/plain; charset=utf-8",
    transfer: str = "8bit",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    subject: str = "Reklamacja",
) -> bytes:
    """A mail as bytes, with nothing between the test and the wire."""
    lines = [
        ("From", "Anna Kowalska <anna@klient.example>"),
        ("To", "reklamacje@agencja.example"),
        ("Subject", subject),
        ("Date", "Thu, 12 Feb 2026 18:05:00 +0100"),
        ("Message-ID", "<1@klient.example>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", type_),
        ("Content-Transfer-Encoding", transfer),
    ]
    changed = dict(headers)
    lines = [(name, changed.pop(name, value)) for name, value in lines] + list(changed.items())
    head = "".join(f"{name}: {value}\r\n" for name, value in lines if value)
    return head.encode() + b"\r\n" + (body.encode() if isinstance(body, str) else body)


def parts(*given_: bytes, kind: str = "mixed", boundary: str = "b") -> tuple[bytes, str]:
    """A multipart's body and its type."""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + one + b"\r\n" for one in given_)
    return body + b"--" + boundary.encode() + b"--\r\n", f'multipart/{kind}; boundary="{boundary}"'


def part(body: bytes | str, *lines: str) -> bytes:
    """One part with its headers."""
    head = "".join(f"{line}\r\n" for line in lines).encode()
    return head + b"\r\n" + (body.encode() if isinstance(body, str) else body)


def multipart(*given_: bytes, kind: str = "mixed", boundary: str = "b", **more: Any) -> bytes:
    """A mail of parts."""
    body, type_ = parts(*given_, kind=kind, boundary=boundary)
    return mail(body, type_=type_, transfer="", **more)


HTML_TYPE = "Content-Type: text/html; charset=utf-8"
TEXT_TYPE = "Content-Type: text/plain; charset=utf-8"


def codes(one: Inbound) -> set[NoteCode]:
    """What was noted."""
    return {note.code for note in one.notes}


def clean(one: Inbound) -> bool:
    """Whether every text holds to the rules of `kernel.text`."""
    blocks = [one.text, one.quoted, *(inner.text for inner in one.forwarded)]
    lines = [one.subject, *(file.name for file in one.attachments)]
    lines += [box.name for box in (one.sender, one.reply_to) if box]
    lines += [inner.subject for inner in one.forwarded] + [note.about for note in one.notes]
    lines += [one.message_id, one.in_reply_to, *one.references]
    for block in filter(None, blocks):
        text.block(block, "text", most=inbound.MOST_TEXT)
    for line in filter(None, lines):
        text.line(line, "line", most=600)
    for box in filter(None, (one.sender, one.reply_to)):
        text.email(box.address, "email")
    return True


# --- What is read ---------------------------------------------------------------------------------


def test_an_ordinary_mail_is_read_whole() -> None:
    """M2, M3, M33: an e-mailed complaint gives its writer, its words and what it says of itself."""
    one = read(mail(headers={"References": "<a@x.example> <b@x.example>", "In-Reply-To": "<b@x>"}))
    assert one.kind is Kind.LETTER
    assert one.sender == one.answer_to
    assert one.sender is not None
    assert (one.sender.name, one.sender.address) == ("Anna Kowalska", "anna@klient.example")
    assert one.recipients == ("reklamacje@agencja.example",)
    assert (one.subject, one.text, one.quoted) == ("Reklamacja", PLAIN, "")
    assert (one.message_id, one.in_reply_to) == ("<1@klient.example>", "<b@x>")
    assert one.references == ("<a@x.example>", "<b@x.example>")
    assert one.notes == ()


def test_the_date_as_sent_is_only_what_the_sender_says() -> None:
    """M41: the clock starts at receipt; a date of the sender's is kept in UTC, or noted."""
    assert read(mail()).sent_at == datetime(2026, 2, 12, 17, 5, tzinfo=UTC)
    odd = read(mail(headers={"Date": "the day before yesterday"}))
    assert odd.sent_at is None
    assert NoteCode.DATE_UNREADABLE in codes(odd)


@pytest.mark.parametrize(
    ("charset", "codec", "words"),
    [
        ("utf-8", "utf-8", PLAIN),
        ("windows-1250", "cp1250", PLAIN),
        ("iso-8859-2", "iso-8859-2", PLAIN),
        ("windows-1251", "cp1251", RUSSIAN),
        ("koi8-r", "koi8-r", RUSSIAN),
        ("utf-16", "utf-16", RUSSIAN),
        ("utf-16", "utf-16-be", RUSSIAN),
        ("utf-16le", "utf-16-le", PLAIN),
        ("iso-8859-2", "cp1250", "„Składam” – śćź"),
    ],
)
@pytest.mark.parametrize("transfer", ["base64", "quoted-printable"])
def test_polish_and_russian_charsets_are_read(
    charset: str, codec: str, words: str, transfer: str
) -> None:
    """M2, M33: what Polish and Russian mailers send, Windows' letters under ISO's name included."""
    raw = words.replace("\n", "\r\n").encode(codec)
    packed = base64.encodebytes(raw)
    if transfer == "quoted-printable":
        packed = b"".join(b"=%02X" % byte for byte in raw)
    one = read(mail(packed, type_=f"text/plain; charset={charset}", transfer=transfer))
    assert one.text == words
    assert one.notes == ()


@pytest.mark.parametrize(
    "charset", ["utf-8", "x-klingon", "zlib", "unicode_escape", "a\\0b", "hex"]
)
def test_a_wrong_charset_loses_letters_only_and_is_noted(charset: str) -> None:
    """M33: an unknown or wrong charset is no reason to refuse; what can't be read is replaced."""
    one = read(mail("Zażalenie".encode("cp1250"), type_=f"text/plain; charset={charset}"))
    assert one.text == "Za\ufffdalenie"
    assert NoteCode.CHARSET_REPLACED in codes(one)
    assert (NoteCode.CHARSET_UNKNOWN in codes(one)) == (charset != "utf-8")


def test_utf_8_under_another_name_is_still_read() -> None:
    """M33: a label that does not fit the bytes gives way to UTF-8."""
    one = read(mail(PLAIN, type_="text/plain; charset=us-ascii"))
    assert one.text == PLAIN
    assert NoteCode.CHARSET_REPLACED in codes(one)


def test_html_alone_becomes_readable_text() -> None:
    """M2: lists, links, entities and quotes are kept, scripts and styles are not."""
    source = (
        "<html><head><title>t</title><style>p {color:red}</style></head><body>"
        "<p>Dzie&#324; dobry &amp; witam,<br>sk&#322;adam <b>reklamacj&#281;</b></p>"
        "<script>if (a<b) alert('<p>x</p>')</script><!-- hidden <p>no</p> -->"
        "<ol><li>pierwsza</li><li>druga</li></ol><ul><li>inna</ul><hr/>"
        '<a href="https://x.example/a?b=1&amp;c=2">tutaj</a> '
        '<a href="mailto:a@x.example">a@x.example</a>'
        "<table><tr><td>Kwota</td><td>1200</td></tr></table><img alt='Podpis'>1 < 2 &lt;3"
        "<blockquote>dawne słowa</blockquote></body></html>"
    )
    one = read(mail(source, type_="text/html; charset=utf-8"))
    assert one.text == (
        "Dzień dobry & witam,\nskładam reklamację\n\n1. pierwsza\n2. druga\n\n- inna\n\n---\n"
        "tutaj <https://x.example/a?b=1&c=2> a@x.example\n\nKwota 1200\n\n[Podpis]1 < 2 <3"
    )
    assert one.quoted == "> dawne słowa"


def test_of_two_alternatives_the_plain_one_is_read() -> None:
    """M2: the words are not read twice."""
    both = part(PLAIN, TEXT_TYPE), part("<p>Składam <b>reklamację</b>", HTML_TYPE)
    one = read(multipart(*both, kind="alternative"))
    assert one.text == PLAIN
    assert one.attachments == ()


@pytest.mark.parametrize("stub", ["", "Your mail program can't show HTML."])
def test_an_empty_or_poor_plain_alternative_gives_way_to_the_html(stub: str) -> None:
    """M33: the words are where the writer put them."""
    rich = part("<p>" + "Składam reklamację. " * 60, HTML_TYPE)
    one = read(multipart(part(stub, TEXT_TYPE), rich, kind="alternative"))
    assert one.text.startswith("Składam reklamację.")


def test_attachments_keep_their_bytes_and_get_safe_names() -> None:
    """M2: a file is what came, under a name that stumbles nowhere."""
    message = EmailMessage(policy=SMTP)
    message.set_content(PLAIN)
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="umowa ł.pdf")
    message.add_attachment(
        PDF, maintype="image", subtype="png", filename="../../etc/..\\zdjęcie?.png"
    )
    one = read(bytes(message))
    first, second = one.attachments
    assert (first.name, first.declared_type) == ("umowa ł.pdf", "application/pdf")
    assert (first.content, first.size) == (PDF, len(PDF))
    assert first.sha256 == hashlib.sha256(PDF).hexdigest()
    assert second.name == "zdjęcie_.png"
    assert one.text == PLAIN


@pytest.mark.parametrize(
    "given_",
    [
        'filename="=?utf-8?b?xYLDs2QucGRm?="',
        "filename*=UTF-8''%C5%82%C3%B3d.pdf",
        "filename*0*=iso-8859-2'pl'%B3;\r\n filename*1*=%F3;\r\n filename*2=d.pdf",
        "filename*=UTF-8''%C5%82%C3%B3d.pdf; filename=lod.pdf",
        'filename="łód.pdf"',
        'filename="C:\\\\moje\\\\łód.pdf"',
        "filename=łód.pdf",
    ],
)
def test_names_of_files_are_read_in_every_spelling(given_: str) -> None:
    """M2: RFC 2231, RFC 2047 where it is forbidden, and raw letters."""
    file = part(PDF, "Content-Type: application/pdf", f"Content-Disposition: attachment; {given_}")
    assert [one.name for one in read(multipart(file)).attachments] == ["łód.pdf"]


def test_a_forwarded_mail_gives_its_words_and_files() -> None:
    """M2, M33: nested mails are flattened, to any depth that is read, and marked."""
    file = part(PDF, "Content-Type: application/pdf", "Content-Disposition: attachment")
    inner = multipart(part("Wewnątrz", TEXT_TYPE), file, boundary="inner", subject="Dawna")
    one = read(
        multipart(part("Przekazuję.", TEXT_TYPE), part(inner, "Content-Type: message/rfc822"))
    )
    assert one.text == "Przekazuję."
    assert [(f.subject, f.text) for f in one.forwarded] == [("Dawna", "Wewnątrz")]
    assert one.forwarded[0].sender == one.sender
    assert [(f.name, f.content, f.forwarded) for f in one.attachments] == [
        ("attachment-1.pdf", PDF, True)
    ]


def test_a_forwarded_mail_in_base64_is_read_though_it_is_forbidden() -> None:
    """M33: RFC 2046 forbids it, mailers do it."""
    packed = base64.encodebytes(mail(subject="Dawna"))
    headers = "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64"
    one = read(multipart(part(packed, *headers)))
    assert [(f.subject, f.text) for f in one.forwarded] == [("Dawna", PLAIN)]


def test_lines_of_preformatted_html_stay_lines() -> None:
    """M2: what was laid out by hand is kept so."""
    one = read(mail("<pre>a   b\n  c</pre>d", type_="text/html; charset=utf-8"))
    assert one.text == "a   b\n  c\nd"


def test_an_outlook_name_cut_inside_a_letter_is_read() -> None:
    """M2: encoded words cut a letter in two; they are joined before they are decoded."""
    raw = "Жалоба на агента".encode()
    words = [base64.b64encode(raw[:7]).decode(), base64.b64encode(raw[7:]).decode()]
    subject = "\r\n ".join(f"=?UTF-8?B?{one}?=" for one in words)
    assert read(mail(subject=subject)).subject == "Жалоба на агента"


# --- What is quoted -------------------------------------------------------------------------------

QUOTES = [
    "On Thu, 12 Feb 2026 at 10:00, Agencja <r@agencja.example> wrote:\n\n> dawne\n> słowa",
    "On Thu, 12 Feb 2026 at 10:00, Agencja Ubezpieczeń\n<r@agencja.example> wrote:\n> dawne słowa",
    "czw., 12 lut 2026 o 10:00 Agencja <r@agencja.example> napisał(a):\n> dawne słowa",
    "W dniu 12.02.2026 o 10:00, Agencja pisze:\n> dawne słowa",
    "чт, 12 февр. 2026 г. в 10:00, Агентство <r@agencja.example>:\n> dawne słowa",
    "12.02.2026 10:00, Агентство пишет:\n> dawne słowa",
    "-----Original Message-----\nFrom: Agencja\ndawne słowa",
    "-------- Wiadomość oryginalna --------\ndawne słowa",
    "-------- Исходное сообщение --------\ndawne słowa",
    "From: Agencja <r@agencja.example>\nSent: Thursday\nTo: Anna\nSubject: x\n\ndawne słowa",
    "Od: Agencja\nWysłano: czwartek, 12 lutego\nDo: Anna\nTemat: x\n\ndawne słowa",
    "От: Агентство\nОтправлено: четверг\nКому: Anna\nТема: x\n\ndawne słowa",
    "Dnia 12 lutego 2026 10:00 Agencja <r@agencja.example> napisał(a):\n\ndawne słowa",
]


@pytest.mark.parametrize("quote", QUOTES)
def test_what_a_reply_quotes_stands_apart(quote: str) -> None:
    """M2: the writer's own words alone, in Outlook's, Gmail's and Thunderbird's three languages."""
    one = read(mail(f"Nie zgadzam się.\n\n{quote}\n"))
    assert (one.text, one.quoted) == ("Nie zgadzam się.", quote)


def test_answers_between_quotes_are_the_writers_own() -> None:
    """M33: nothing of his is taken for a quote because it stands below one."""
    one = read(mail("> czy zapłacono?\nTak.\n> kiedy?\nWczoraj."))
    assert (one.text, one.quoted) == ("Tak.\nWczoraj.", "> czy zapłacono?\n> kiedy?")


def test_a_story_is_not_taken_for_a_quote() -> None:
    """M33: what the agent wrote in May may be the very complaint."""
    story = "Dnia 5 maja agent napisał:\n„nic nie wypłacimy”. To oburzające."
    assert read(mail(story)).text == story


def test_a_mail_of_quotes_alone_keeps_its_words() -> None:
    """M33: there is always something for a person to look at."""
    one = read(mail("> pierwsza\n> druga"))
    assert one.text == "> pierwsza\n> druga"
    assert NoteCode.ALL_QUOTED in codes(one)


@pytest.mark.parametrize(
    "mark",
    [
        "---------- Forwarded message ---------",
        "---------- Wiadomość przekazana dalej ----------",
        "-------- Пересылаемое сообщение --------",
        "Begin forwarded message:",
    ],
)
def test_what_is_passed_on_in_the_text_is_no_quote(mark: str) -> None:
    """M49, M33: an agent hands a complaint over by forwarding it."""
    one = read(mail(f"Przekazuję.\n\n{mark}\nOd: Klient\n\nSkładam reklamację."))
    assert (one.text, one.quoted) == ("Przekazuję.", "")
    assert one.forwarded[0].text == f"{mark}\nOd: Klient\n\nSkładam reklamację."


def test_what_outlook_passes_on_is_told_by_the_subject() -> None:
    """M49, M33: its quotes of a reply and of a forwarded mail look the same."""
    one = read(mail(f"Przekazuję.\n\n{QUOTES[10]}", subject="FW: Reklamacja"))
    assert (one.text, one.quoted) == ("Przekazuję.", "")
    assert one.forwarded[0].text == QUOTES[10]


# --- What is never answered -----------------------------------------------------------------------

MACHINES: list[tuple[Kind, dict[str, str]]] = [
    (Kind.AUTO_REPLY, {"Auto-Submitted": "auto-replied"}),
    (Kind.SPAM_SUSPECT, {"Auto-Submitted": "auto-generated; owner-email=x"}),
    (Kind.SPAM_SUSPECT, {"X-Auto-Response-Suppress": "All"}),
    (Kind.AUTO_REPLY, {"X-Auto-Response-Suppress": "All", "Auto-Submitted": "auto-generated"}),
    (Kind.AUTO_REPLY, {"X-Auto-Response-Suppress": "OOF", "Subject": "Poza biurem"}),
    (Kind.AUTO_REPLY, {"Precedence": "auto_reply"}),
    (Kind.SPAM_SUSPECT, {"Return-Path": "<>"}),
    (Kind.SPAM_SUSPECT, {"From": "postmaster@kancelaria.example"}),
    (Kind.AUTO_REPLY, {"From": "postmaster@mx.example", "Return-Path": "<>"}),
    (Kind.AUTO_REPLY, {"X-Autoreply": "yes"}),
    (Kind.AUTO_REPLY, {"Subject": "Automatic reply: Reklamacja"}),
    (Kind.SPAM_SUSPECT, {"Subject": "Out of Office"}),
    (Kind.AUTO_REPLY, {"Subject": "Odpowiedź automatyczna: Reklamacja"}),
    (Kind.SPAM_SUSPECT, {"Subject": "=?utf-8?q?Nieobecno=C5=9B=C4=87_w_biurze?="}),
    (Kind.AUTO_REPLY, {"Subject": "Автоматический ответ: Жалоба"}),
    (Kind.SPAM_SUSPECT, {"Subject": "Я в отпуске до 3 мая"}),
    (Kind.BOUNCE, {"From": "MAILER-DAEMON@mx.example", "Return-Path": "<>"}),
    (Kind.BOUNCE, {"Return-Path": "<>", "Subject": "Undeliverable: Potwierdzenie"}),
    (Kind.BOUNCE, {"X-Failed-Recipients": "anna@klient.example"}),
    (Kind.SPAM_SUSPECT, {"List-Unsubscribe": "<https://x.example>"}),
    (Kind.SPAM_SUSPECT, {"List-Id": "<l.x.example>"}),
    (Kind.SPAM_SUSPECT, {"Precedence": "bulk"}),
    (Kind.SPAM_SUSPECT, {"X-SES-Spam-Verdict": "FAIL"}),
]


@pytest.mark.parametrize(("kind", "headers"), MACHINES)
def test_nothing_automatic_is_ever_answered(kind: Kind, headers: dict[str, str]) -> None:
    """M33, RFC 3834: machines are told by name, kept, and get no answer: no loop can start."""
    one = read(mail(headers=headers))
    assert one.kind is kind
    assert one.signs
    assert one.answer_to is None
    assert one.text == PLAIN


@pytest.mark.parametrize(
    ("report", "kind"),
    [("delivery-status", Kind.BOUNCE), ("disposition-notification", Kind.AUTO_REPLY)],
)
def test_a_report_is_told_by_its_form(report: str, kind: Kind) -> None:
    """RFC 6522: a bounce and a read receipt are both reports; neither is answered."""
    status = part("Status: 5.1.1\r\n", f"Content-Type: message/{report}")
    letter = part(mail(), "Content-Type: message/rfc822")
    body, type_ = parts(part("Failed.", TEXT_TYPE), status, letter, kind="report")
    one = read(mail(body, type_=f"{type_}; report-type={report}", transfer=""))
    assert one.kind is kind
    assert one.answer_to is None
    assert one.forwarded[0].text == PLAIN


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "no"},
        {"X-Auto-Response-Suppress": "None"},
        {"Return-Path": "<anna@klient.example>"},
        {"Subject": "Nieobecność agenta w umówionym terminie"},
        {"Subject": "Автоматическое списание без согласия"},
        {"Subject": "Office closed, out of patience"},
        {"Subject": "Auto: odmowa wypłaty odszkodowania"},
        {"Subject": "Re: Auto: szkoda 123"},
        {"Subject": "Нет на месте вашего агента"},
        {"Subject": "Не в офисе, не по телефону вас не застать"},
        {"Subject": "Я в отпуске до 5 мая заболел, отказ в выплате"},
        {"Subject": "Автоответчик вместо сотрудника"},
        {"Subject": "Poza biurem nikt nie odbiera telefonu"},
        {"Subject": "Out of office hours nobody answers"},
    ],
)
def test_a_person_is_not_taken_for_a_machine(headers: dict[str, str]) -> None:
    """M33: a complaint about an absent agent is no out-of-office note."""
    assert read(mail(headers=headers)).kind is Kind.LETTER


def test_nobody_is_answered_at_a_no_reply_address() -> None:
    """RFC 3834: a shop's form is a letter all the same; the answer goes where it asks for it."""
    one = read(mail(headers={"From": "no-reply@sklep.example"}))
    assert (one.kind, one.answer_to) == (Kind.LETTER, None)
    asked = {"From": "no-reply@sklep.example", "Reply-To": "anna@klient.example"}
    to = read(mail(headers=asked)).answer_to
    assert to is not None
    assert to.address == "anna@klient.example"


# --- What bad input gets --------------------------------------------------------------------------


def test_a_missing_boundary_is_guessed() -> None:
    """M33: a file is still found, and a person is told how."""
    body, _ = parts(part(PLAIN, TEXT_TYPE), part(PDF, "Content-Type: application/pdf"))
    one = read(mail(body, type_="multipart/mixed", transfer=""))
    assert one.text == PLAIN
    assert one.attachments[0].content == PDF
    assert codes(one) == {NoteCode.BOUNDARY_MISSING}


def test_a_boundary_that_never_comes_leaves_the_text() -> None:
    """M33: what can't be taken apart is read as it stands."""
    one = read(mail(PLAIN, type_="multipart/mixed; boundary=none", transfer=""))
    assert one.text == PLAIN
    assert NoteCode.BOUNDARY_MISSING in codes(one)


def test_a_mail_cut_off_on_its_way_keeps_what_came() -> None:
    """M33: truncated inside a file; text and the piece of the file are there, and it is said."""
    packed = part(
        base64.encodebytes(PDF),
        "Content-Type: application/pdf",
        "Content-Transfer-Encoding: base64",
    )
    one = read(multipart(part(PLAIN, TEXT_TYPE), packed)[:-120])
    assert one.text == PLAIN
    assert PDF.startswith(one.attachments[0].content)
    assert NoteCode.MULTIPART_UNCLOSED in codes(one)


def test_text_after_the_last_part_is_named() -> None:
    """M33: what is not read is told."""
    whole = multipart(part(PLAIN, TEXT_TYPE)) + b"\r\nI hid this.\r\n"
    assert codes(read(whole)) == {NoteCode.TEXT_OUTSIDE_PARTS}


def test_endless_nesting_ends_and_the_rest_is_kept_as_a_file() -> None:
    """M33: 2,000 parts inside each other cost a dozen levels, no recursion, no loss."""
    head = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(2000)
    )
    one = read((head + "\r\nRdzeń").encode())
    assert NoteCode.NESTING_TOO_DEEP in codes(one)
    assert "Rdzeń".encode() in one.attachments[0].content


def test_nested_mails_end_as_nested_parts_do() -> None:
    """M33: message/rfc822 inside itself a thousand times."""
    one = read(b"Content-Type: message/rfc822\r\n\r\n" * 1000 + b"\r\nend")
    assert len(one.forwarded) == inbound.MOST_DEPTH
    assert NoteCode.NESTING_TOO_DEEP in codes(one)


def test_more_parts_than_anyone_sends_are_counted() -> None:
    """M33: the first two hundred are read, the rest is named."""
    one = read(multipart(*[part(f"{n}", "Content-Type: a/b") for n in range(500)]))
    assert len(one.attachments) < inbound.MOST_PARTS
    assert NoteCode.PARTS_UNREAD in codes(one)


def test_text_longer_than_anyone_reads_is_kept_as_a_file() -> None:
    """M33: the start as text, the whole as a file, and a note."""
    long = "a" * (inbound.MOST_TEXT + 1)
    one = read(mail(long))
    assert one.text == long[:-1]
    assert one.attachments[0].content == long.encode()
    assert NoteCode.TEXT_CUT in codes(one)


def test_broken_base64_gives_what_it_holds() -> None:
    """M33: garbage between, padding in the middle, a letter too many."""
    packed = base64.b64encode(b"Sk") + b"\r\n!!" + base64.b64encode("ładam".encode()) + b"A"
    one = read(mail(packed, transfer="base64"))
    assert one.text == "Składam"
    assert codes(one) == {NoteCode.BASE64_BROKEN}


def test_broken_quoted_printable_gives_what_it_holds() -> None:
    """M33: half an escape is shown as it stands."""
    one = read(mail("Sk=C5=82adam =ZZ =", transfer="quoted-printable"))
    assert one.text.startswith("Składam =ZZ")
    assert codes(one) == {NoteCode.QUOTED_PRINTABLE_BROKEN}


def test_headers_that_come_twice_are_named_and_the_first_is_taken() -> None:
    """M33: two senders are a trick; it is shown to a person."""
    one = read(b"From: b@x.example\r\n" + mail())
    assert one.sender is not None
    assert one.sender.address == "b@x.example"
    assert inbound.Note(NoteCode.HEADER_TWICE, "from") in one.notes


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "Anna",
        "<>",
        "a@b",
        "@",
        "<a@x.example\x00>",
        '"<a@x.example>',
        "ł" * 5000,
        "((((" * 4000,
    ],
)
def test_a_sender_that_can_not_be_written_to_is_noted(sender: str) -> None:
    """M33: registered without a sender; a person sees why."""
    one = read(mail(headers={"From": sender}))
    assert one.text == PLAIN
    if one.sender is None:
        assert NoteCode.SENDER_UNUSABLE in codes(one)
        assert one.answer_to is None


def test_the_address_is_what_stands_last_in_brackets() -> None:
    """M33, S44: a name that looks like an address is a name."""
    spoofed = '"prezes@agencja.example <prezes@agencja.example>" <anna@klient.example>'
    one = read(mail(headers={"From": spoofed}))
    assert one.sender is not None
    assert one.sender.address == "anna@klient.example"


def test_a_sender_in_letters_of_his_own_is_read() -> None:
    """M2: a name in encoded words, a domain in Cyrillic."""
    one = read(mail(headers={"From": "=?koi8-r?B?4c7OwQ==?= <anna@почта.рф>"}))
    assert one.sender is not None
    assert (one.sender.name, one.sender.address) == ("Анна", "anna@xn--80a1acny.xn--p1ai")


def test_what_no_honest_text_needs_is_taken_out() -> None:
    """M33, R16: controls, bidi controls and lone surrogates go, the words stay."""
    dirty = "Skła\x00dam\x1b \u202ereklamację\u2069\ufeff\r\njutro\x0bteraz\u2028i potem"
    one = read(mail(dirty, subject="=?utf-8?q?a=0D=0ABcc:_x_=E2=80=AE=3D=3Futf-8?="))
    assert one.text == "Składam reklamację\njutro\nteraz\ni potem"
    assert one.subject == "a Bcc: x = ?utf-8"
    assert clean(one)


def test_headers_followed_by_text_without_an_empty_line_lose_nothing() -> None:
    """M33: the line that is no header starts the text; one between headers is junk."""
    one = read(b"From: a@x.example\r\njunk\r\nSubject: s\r\nSkarga\r\ndalej")
    assert (one.subject, one.text) == ("s", "Skarga\ndalej")
    assert NoteCode.HEADER_BROKEN in codes(one)


def test_an_unknown_transfer_encoding_leaves_the_text_as_it_stands() -> None:
    """M33: read as it is, and noted."""
    one = read(mail(transfer="x-rot13"))
    assert one.text == PLAIN
    assert inbound.Note(NoteCode.ENCODING_UNKNOWN, "x-rot13") in one.notes


def test_html_that_hides_its_end_is_noted() -> None:
    """M33: what stands in a comment that never closes is only in the raw mail."""
    one = read(mail("<p>Widoczne<!-- reszta", type_="text/html; charset=utf-8"))
    assert one.text == "Widoczne"
    assert codes(one) == {NoteCode.HTML_UNCLOSED}


def test_a_mail_larger_than_any_that_is_taken_in_is_cut_and_noted() -> None:
    """M33, R16: the caller keeps the rest."""
    one = read(mail(b"a" * inbound.MOST_BYTES))
    assert one.text.startswith("aaa")
    assert {NoteCode.MAIL_CUT, NoteCode.TEXT_CUT} == codes(one)


def test_encrypted_mail_is_named() -> None:
    """M33: a person must ask for it in clear."""
    one = read(mail(base64.b64encode(PDF), type_="application/pkcs7-mime", transfer="base64"))
    assert NoteCode.ENCRYPTED in codes(one)
    assert one.attachments[0].content == PDF


MEGABYTE = 1_000_000
BOMBS = {
    "a header line of a megabyte": b"Subject: " + b"a" * MEGABYTE + b"\r\n\r\nx",
    "a folded header": b"Subject: a\r\n" + b" b\r\n" * 250_000 + b"\r\nx",
    "a hundred thousand headers": b"".join(b"H%d: v\r\n" % n for n in range(100_000)) + b"\r\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\r\n\r\nx",
    "encoded words that never end": b"Subject: " + b"=?utf-8?q?" * 100_000 + b"\r\n\r\nx",
    "brackets": b"From: " + b"(" * MEGABYTE + b"\r\n\r\nx",
    "quotes": b"From: " + b'"\\' * 500_000 + b"\r\n\r\nx",
    "parameters": b"Content-Type: text/plain" + b'; a*0="' * 100_000 + b"\r\n\r\nx",
    "false boundaries": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b x\n" * 200_000,
    "boundaries": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\n" * 250_000,
    "NULs": b"\0" * MEGABYTE,
    "quote marks": b"\r\n" + b"> " * 500_000,
    "dates": b"\r\n" + b"1 2 3 4 <\n" * 100_000,
    "long lines of dates": b"\r\n" + (b"1" * 290 + b"\n") * 3000,
    "marks": b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "\u0316\u0301".encode() * 250_000,
    "equals signs": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A=" * 500_000,
    "half escapes": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=  " * 300_000,
}
HTML_BOMBS = {
    "open comments": b"<!--" * 250_000,
    "open tags": b"<a " * 300_000,
    "tags in tags": b"<" * MEGABYTE,
    "declarations": b"<!" * 500_000,
    "scripts": b"<script>" * 120_000,
    "open ends": b"<script></script" * 60_000,
    "quotes in quotes": b"<blockquote>" * 80_000 + b"x",
    "links": b"<a href=http://x>" * 60_000 + b"</a>" * 60_000,
    "lists": b"<ol><li>" * 100_000,
    "ampersands": b"&" * MEGABYTE,
    "a number": b"&#" + b"1" * MEGABYTE + b";",
    "a number in a link": b"<a href='&#" + b"1" * 5000 + b";'>x</a>",
    "attributes": b"<a " + b"b=' " * 1990 + b">",
}
_HTML_HEAD = b"Content-Type: text/html; charset=utf-8\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [*BOMBS.values(), *(_HTML_HEAD + one for one in HTML_BOMBS.values())],
    ids=[*BOMBS, *HTML_BOMBS],
)
def test_a_bomb_costs_seconds_at_most(raw: bytes) -> None:
    """M33, R16: a megabyte of anything is read in time, and leaves text that may be kept."""
    started = time.process_time()
    assert clean(read(raw))
    assert time.process_time() - started < 20  # most take far less than one; measured slowly too


@given(st.binary(max_size=3000))
@example(b"")
@example(b"\n")
@example(b":")
@example(b"\xff\xfe")
def test_no_bytes_stop_the_reader(raw: bytes) -> None:
    """M33: any bytes are a submission for a person to look at."""
    assert clean(read(raw))


def _real() -> list[bytes]:
    file = part(
        base64.encodebytes(PDF),
        "Content-Type: application/pdf; name*0*=utf-8''%C5",
        "Content-Disposition: attachment; filename==?utf-8?q?=C5=82?=",
        "Content-Transfer-Encoding: base64",
    )
    rich = part("<p>a <a href='http://x'>b</a><ul><li>c &#324;", HTML_TYPE)
    both, type_ = parts(part(PLAIN, TEXT_TYPE), rich, kind="alternative", boundary="inner")
    inner = part(
        mail(RUSSIAN.encode("koi8-r"), type_="text/plain; charset=koi8-r"),
        "Content-Type: message/rfc822",
    )
    replied = mail(f"Tak.\n\n{QUOTES[1]}", headers={"Reply-To": '"A, B" <a@x.example>'})
    return [multipart(part(both, f"Content-Type: {type_}"), file, inner), replied]


_TOKENS = st.sampled_from(
    [b"\0", b"\r\n", b"\n\n", b"--b", b"--b--", b"--inner", b"=?utf-8?b?", b"?=", b"=", b"%", b'"',
     b"<", b">", b";", b"\xed\xa0\x80", b"\xff\xfe",
     b"Content-Type: multipart/mixed; boundary=b\r\n",
     b"Content-Transfer-Encoding: base64\r\n", b"<!--", b"&#xD800;", b"\n> ", b"charset=utf-16"]
) | st.binary(max_size=8)  # fmt: skip


@given(
    st.sampled_from(_real()),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), _TOKENS), max_size=8),
)
def test_no_mutation_of_a_real_mail_stops_the_reader(
    raw: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    """M33: bytes lost, added and changed anywhere."""
    for where, many, instead in changes:
        at = int(where * len(raw))
        raw = raw[:at] + instead + raw[at + many :]
    assert clean(read(raw))


@given(st.text(alphabet="<>/!-=\"' &#;abplisxtyle\n", max_size=300))
def test_no_html_stops_the_reader(source: str) -> None:
    """M33: tags of every wrong kind."""
    assert clean(read(_HTML_HEAD + source.encode()))


_LINES = st.sampled_from(["> a", "", "On 5 May, B <b@x.example> wrote:", "Original message", "c"])


@given(
    st.text(min_size=1, max_size=300).map(lambda one: one.encode("utf-8", "replace").decode())
    | st.lists(_LINES | st.text("a>\n ", max_size=9), max_size=9).map("\n".join)
)
def test_the_words_of_a_clean_text_come_through(words: str) -> None:
    """M33: whatever `kernel.text` takes is read as it was written, quoted or not."""
    try:
        wanted = text.block(words, "text")
    except text.TextRefused:
        return
    one = read(mail(base64.encodebytes(wanted.encode()), transfer="base64"))
    found = [one.text, one.quoted, *(inner.text for inner in one.forwarded)]
    assert sorted("\n".join(found).split()) == sorted(wanted.split())


# --- The address that a reply comes back to -------------------------------------------------------

KEYS = KeyRing(signing="k2", keys={"k2": b"b" * 64, "k1": b"a" * 64})
OLD = KeyRing(signing="k1", keys={"k1": b"a" * 64})
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CASE = ids.from_bytes(b"case-id-16-bytes")
DOMAIN = "reklamacje.example"


def case(address: str, **changes: Any) -> str | None:
    """The case that it names, at the right place and time unless told otherwise."""
    place: dict[str, Any] = {
        "org": "agencja", "keys": KEYS, "stage": "prod", "domain": DOMAIN, "now": NOW
    }  # fmt: skip
    return inbound.case_of(address, **(place | changes))


@given(st.binary(min_size=16, max_size=16))
def test_a_reply_comes_back_to_its_case_in_any_case(raw: bytes) -> None:
    """M2, RFC 5321: 64 characters before the @ at most, and mail systems may change their case."""
    address = inbound.reply_address(ids.from_bytes(raw), "agencja", KEYS, "prod", DOMAIN)
    assert len(address.partition("@")[0]) <= 64
    assert text.email(address, "email") == address
    for spelt in (address, address.upper(), address.title()):
        assert case(spelt) == ids.from_bytes(raw)


def test_a_rotated_key_still_joins_replies_until_its_time_is_over() -> None:
    """R11: an address that is out works for as long as its key does."""
    address = inbound.reply_address(CASE, "agencja", OLD, "prod", DOMAIN)
    until = {"k1": int((NOW + timedelta(days=1)).timestamp())}
    keys = KeyRing(signing="k2", keys=KEYS.keys, until=until)
    assert case(address, keys=keys) == CASE
    assert case(address, keys=keys, now=NOW + timedelta(days=1)) is None


OTHER = KeyRing(signing="k1", keys={"k1": b"c" * 64})


@pytest.mark.parametrize(
    "changes", [{"org": "inna"}, {"stage": "test"}, {"domain": "x.example"}, {"keys": OTHER}]
)
def test_an_address_is_good_at_one_place_only(changes: dict[str, Any]) -> None:
    """R8, R16: of another organisation, stage, domain or key it names nothing."""
    address = inbound.reply_address(CASE, "agencja", KEYS, "prod", DOMAIN)
    assert case(address) == CASE
    assert case(address, **changes) is None


@given(st.integers(0, 60), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567.+-8K\u0131\u212a"))
def test_no_changed_address_names_a_case(at: int, instead: str) -> None:
    """R10, R16: one spelling only; a letter that lower-cases into ours is not ours."""
    address = inbound.reply_address(CASE, "agencja", KEYS, "prod", DOMAIN)
    changed = address[:at] + instead + address[at + 1 :]
    assert (case(changed) is None) == (changed.lower() != address or not changed.isascii())


@given(st.text(max_size=120))
def test_no_text_stops_the_look_at_an_address(given_: str) -> None:
    """R16: whatever stands in To is looked at, and names nothing."""
    assert case(given_) is None
    assert case(f"r+{given_}@{DOMAIN}") is None


def test_only_an_id_of_ours_gets_an_address() -> None:
    """R7: a mistake of ours is found when the address is made."""
    with pytest.raises(ValueError, match="not an id"):
        inbound.reply_address("case-1", "agencja", KEYS, "prod", DOMAIN)
