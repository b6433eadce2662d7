"""The code of a paper and the payload of its QR codes (S28, S35)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.documents import codes
from chalicelib.kernel.errors import DomainError

CODE = codes.new_code(bytes.fromhex("39d1f7a42b6c"))
random_bytes = st.binary(min_size=codes.RANDOM_BYTES, max_size=16)
ALPHANUMERIC_MODE = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@given(random_bytes)
def test_a_code_is_ten_readable_characters_and_parses_to_itself(raw: bytes) -> None:
    """S35: what is printed is what finds the paper."""
    code = codes.new_code(raw)
    assert len(code) == codes.LENGTH
    assert set(code) <= set(codes.ALPHABET)
    assert codes.parse_code(code) == codes.parse_code(codes.group(code)) == code


def test_all_45_random_bits_are_used() -> None:
    """S35: nobody finds a paper by trying."""
    drawn = {codes.new_code((1 << bit).to_bytes(6, "big")) for bit in range(45)}
    assert len(drawn) == 45


def test_too_few_random_bytes_make_no_code() -> None:
    """S35: a code is never weaker than it looks."""
    with pytest.raises(ValueError, match="6 random bytes"):
        codes.new_code(b"12345")


@given(random_bytes, st.integers(0, codes.LENGTH - 1), st.sampled_from(codes.ALPHABET))
def test_any_single_wrong_character_is_caught(raw: bytes, place: int, wrong: str) -> None:
    """S35, S37: a mistyped code never names another paper."""
    code = codes.new_code(raw)
    mistyped = code[:place] + wrong + code[place + 1 :]
    if mistyped != code:
        with pytest.raises(codes.PaperCodeRefused):
            codes.parse_code(mistyped)


def test_any_two_exchanged_characters_are_caught() -> None:
    """S35, S37: whichever two places, if their characters differ."""
    for first in range(codes.LENGTH):
        for second in range(first):
            swapped = list(CODE)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            if "".join(swapped) != CODE:
                with pytest.raises(codes.PaperCodeRefused):
                    codes.parse_code("".join(swapped))


@pytest.mark.parametrize(
    "typed",
    [
        "CVA8-TV7T-SD",
        " cva8 tv7t sd\n",
        "cva8\u2013tv7t\u2013sd",
        "c-v-a-8-t-v-7-t-s-d",
        "С\u0056А8-ТV7Т-SD",
    ],
)
def test_a_code_is_read_however_it_was_typed(typed: str) -> None:
    """S35: case, blanks, hyphens and look-alike letters don't matter."""
    assert codes.parse_code(typed) == CODE == "CVA8TV7TSD"


def test_o_is_zero_and_i_and_l_are_one() -> None:
    """S35: Crockford's alphabet has no O, I or L, so they can only be digits."""
    code = codes.new_code(bytes.fromhex("000000000001"))
    assert "0" in code
    assert "1" in code
    for letter in "IL":
        assert codes.parse_code(code.replace("0", "o").replace("1", letter.lower())) == code


@pytest.mark.parametrize(
    "typed",
    ["", "CVA8TV7TS", "CVA8TV7TSDD", "CVA8TV7TSU", "CVA8TV7T*D", "https://x.example", "CVA8TV7TS٣"],
)
def test_what_is_no_code_is_refused_by_name(typed: str) -> None:
    """S37: a refusal with a stable code; the text itself is in no message."""
    with pytest.raises(codes.PaperCodeRefused) as refusal:
        codes.parse_code(typed)
    assert isinstance(refusal.value, DomainError)
    assert isinstance(refusal.value, ValueError)
    assert refusal.value.code == "paper_code_refused"
    assert not typed or typed not in str(refusal.value)


def test_a_code_is_grouped_as_it_is_read() -> None:
    """S35: four, four and two."""
    assert codes.group("7K3F9QXM2J") == "7K3F-9QXM-2J"


@given(
    st.from_regex(r"[a-z][a-z0-9-]{1,22}[a-z0-9]", fullmatch=True),
    random_bytes,
    st.integers(1, 999),
    st.integers(0, 998),
)
def test_a_payload_reads_back_and_fits_the_alphanumeric_mode(
    org: str, raw: bytes, page: int, more: int
) -> None:
    """S35: which organisation, paper and page, in the densest mode that QR has for it."""
    code, pages = codes.new_code(raw), min(999, page + more)
    text = codes.qr_payload(org=org, code=code, page=page, pages=pages, layout="D1")
    assert set(text) <= ALPHANUMERIC_MODE
    assert len(text) <= 67  # QR version 4, level Q
    assert codes.parse_payload(text) == codes.Payload(
        org=org, code=code, page=page, pages=pages, layout="D1"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://duly.example/DULY1/AGENCY/CVA8TV7TSD/1/1/D1",
        "DULY1/AGENCY/CVA8TV7TSD/1/1/D1\n",
        " DULY1/AGENCY/CVA8TV7TSD/1/1/D1",
        "DULY2/AGENCY/CVA8TV7TSD/1/1/D1",
        "duly1/agency/cva8tv7tsd/1/1/d1",
        "DULY1/AGENCY/CVA8TV7TSE/1/1/D1",
        "DULY1/AGENCY/CVA8-TV7T-SD/1/1/D1",
        "DULY1/AGENCY/CVA8TV7TSD/2/1/D1",
        "DULY1/AGENCY/CVA8TV7TSD/0/1/D1",
        "DULY1/AGENCY/CVA8TV7TSD/01/1/D1",
        "DULY1/AGENCY/CVA8TV7TSD/١/١/D1",
        "DULY1/-AGENCY/CVA8TV7TSD/1/1/D1",
        "DULY1/AGENCY/CVA8TV7TSD/1/1/D1/MORE",
        "DULY1/AGENCY/CVA8TV7TSD/1/1",
    ],
)
def test_any_other_qr_code_is_not_ours(text: str) -> None:
    """S37: an address, a payment or a forgery in a scan names no paper."""
    assert codes.parse_payload(text) is None


@pytest.mark.parametrize(
    "wrong", [{"org": "Agency"}, {"org": "a/b"}, {"code": "CVA8TV7TSE"}, {"page": 3}, {"page": 0}]
)
def test_a_payload_that_could_not_be_read_back_is_never_made(wrong: dict[str, object]) -> None:
    """S35: better no paper than one that finds nobody."""
    right: dict[str, object] = {
        "org": "agency", "code": CODE, "page": 1, "pages": 2, "layout": "D1",
    }  # fmt: skip
    with pytest.raises(ValueError, match="not a page"):
        codes.qr_payload(**{**right, **wrong})  # type: ignore[arg-type]
