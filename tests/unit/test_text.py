"""What text may be stored, and what may reach an e-mail header."""

import unicodedata
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import text
from chalicelib.kernel.errors import Invalid
from chalicelib.kernel.text import EmailRefused, PhoneRefused, TextRefused

INJECTIONS = [
    "a\r\nBcc: x@y.example",
    "a\rBcc: x@y.example",
    "=?utf-8?q?=0ABcc:_x?=",
    "Anna =?utf-8?b?DQpCY2M6IHg=?=",
    "a\x00b",
    "a\x0bb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\x1b[31mb",
]
BIDI = ["\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c"]
UNUSABLE = ["\ud800", "\udfff", "\ufeff", "\ufffe", "\uffff", "\x7f", "\x9f"]


@pytest.mark.parametrize("given_", INJECTIONS + [f"Anna{one}annA" for one in BIDI + UNUSABLE])
def test_no_line_lets_a_header_in_nor_turns_a_name_round(given_: str) -> None:
    """S44, trap 2: controls, encoded words, bidi controls and surrogates are refused by name."""
    with pytest.raises(TextRefused) as refused:
        text.line(given_, "name")
    assert refused.value.field == "name"
    assert given_ not in str(refused.value)


@pytest.mark.parametrize("given_", [f"a{one}b" for one in BIDI + UNUSABLE] + ["a\rb", " \n "])
def test_a_block_refuses_the_same_characters(given_: str) -> None:
    """Trap 2: a text of several lines holds no more than lines."""
    with pytest.raises(TextRefused):
        text.block(given_, "text")


def test_a_line_is_trimmed_folded_composed_and_no_longer_than_its_bound() -> None:
    """One spelling of one name is stored (NFC)."""
    assert text.line("  Z\u0307o\u0301łć \t\n Anna ", "name") == "Żółć Anna"
    assert text.line("x" * 200, "name") == "x" * 200
    for bad in ("", " \t\n ", "x" * 201):
        with pytest.raises(TextRefused):
            text.line(bad, "name")


def test_a_block_keeps_its_lines_and_its_bound() -> None:
    """Windows line ends become one; an encoded word harms no body."""
    assert text.block(" a\r\n\r\nb =?x?= \n", "text") == "a\n\nb =?x?="
    with pytest.raises(TextRefused):
        text.block("x" * 11, "text", most=10)


@given(st.text(max_size=60))
def test_whatever_a_line_lets_through_makes_one_header_line(wild: str) -> None:
    """Trap 2: the parsed message as sent has the headers that we set and no other."""
    try:
        kept = text.line(wild, "name")
    except TextRefused:
        return
    assert text.line(kept, "name") == kept
    assert unicodedata.is_normalized("NFC", kept)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = kept
    assert len(kept.splitlines()) == 1
    assert message.keys() == ["Subject"]
    assert message["Subject"].encode("utf-8", "strict")


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("lucja@klient.example", "lucja@klient.example"),
        ("Lucja.Zolc+rodo@Klient.EXAMPLE", "Lucja.Zolc+rodo@klient.example"),
        ("o'hara@a-b.co.uk", "o'hara@a-b.co.uk"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("a" * 64 + "@b.example", "a" * 64 + "@b.example"),
    ],
)
def test_a_plain_address_is_kept_with_its_domain_in_lower_case(given_: str, kept: str) -> None:
    """S44: one address, one spelling."""
    assert text.email(given_, "email") == kept


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "a",
        "a@b",
        "@b.example",
        "a@",
        "a@b..example",
        ".a@b.example",
        "a.@b.example",
        "a..b@c.example",
        "a@b.example,c@d.example",
        "a@b.example c@d.example",
        "a@b.example\n",
        "a@b.example\r\nBcc: x@y.example",
        "Anna <a@b.example>",
        '"a b"@c.example',
        "a@[127.0.0.1]",
        "a@b.example.",
        "a@-b.example",
        "a@b-.example",
        "żółć@b.example",
        "a@żółć.example",
        "=?utf-8?q?x?=@b.example",
        "a" * 65 + "@b.example",
        "a@" + "b" * 64 + ".example",
        "a@" + "b." * 130 + "example",
        "a@b.example\u2028",
        "a@b.123",
    ],
)
def test_anything_but_one_plain_address_is_refused(given_: str) -> None:
    """S44, S50: never two, never a header, never what a mail server reads otherwise."""
    with pytest.raises(EmailRefused):
        text.email(given_, "email")


@given(st.text(alphabet="ab.@-+?=_ ,<>\r\n\u2028ż", max_size=40))
def test_an_accepted_address_is_ascii_and_its_own_normal_form(wild: str) -> None:
    """S44: a fixed point, with one @ and no white space."""
    try:
        kept = text.email(wild, "email")
    except EmailRefused:
        return
    assert kept.isascii() and kept.count("@") == 1 and not any(c in kept for c in " ,<>\r\n")
    assert text.email(kept, "email") == kept


@pytest.mark.parametrize(
    ("given_", "kept"),
    [("+48 (600) 100-200", "+48600100200"), ("600.100.200", "600100200"), ("12345", "12345")],
)
def test_a_number_is_its_digits(given_: str, kept: str) -> None:
    """S18: spaces, brackets, dots and hyphens say nothing."""
    assert text.phone(given_, "phone") == kept


@pytest.mark.parametrize(
    "given_",
    ["", "1234", "1" * 16, "+", "48+600100200", "++48600100200", "60010O200", "٠١٢٣٤٥", "1,2345"],
)
def test_anything_but_one_number_is_refused(given_: str) -> None:
    """S18: 5 to 15 ASCII digits, + in front alone."""
    with pytest.raises(PhoneRefused):
        text.phone(given_, "phone")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Łucja ŻÓŁĆ", "lucja zolc"),
        ("Семён", "семен"),
        ("  Anna\tMaria ", "anna maria"),
        ("Straße", "STRASSE"),
        ("Acme™", "acmetm"),
        ("Ångström", "angstrom"),
        ("ℌans", "hans"),
    ],
)
def test_names_are_compared_without_case_and_accents(one: str, other: str) -> None:
    """A client is found however its name is typed."""
    assert text.fold(one) == text.fold(other)


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(wild: str) -> None:
    """What is looked for is compared with what is stored: both are folded."""
    assert text.fold(text.fold(wild)) == text.fold(wild)


def _fields() -> list[tuple[Any, str]]:
    return [(text.line, "a.b"), (text.block, "c"), (text.email, "d"), (text.phone, "e")]


@pytest.mark.parametrize(("rule", "field"), _fields())
def test_a_refusal_names_the_field_and_repeats_nothing_personal(rule: Any, field: str) -> None:
    """Its message ends up in logs."""
    with pytest.raises(Invalid) as no:
        rule("secret\x00 name", field)
    assert getattr(no.value, "field", None) == field
    assert "secret" not in str(no.value)
