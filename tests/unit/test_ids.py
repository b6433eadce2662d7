"""Ids of 128 random bits in their one spelling."""

import secrets

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.kernel import ids, tables


@given(st.binary(min_size=16, max_size=16))
def test_sixteen_bytes_have_one_spelling(raw: bytes) -> None:
    """R7, R10: there and back again, 22 characters."""
    spelled = ids.from_bytes(raw)
    assert len(spelled) == 22
    assert ids.to_bytes(spelled) == raw


@given(st.text(max_size=30))
def test_whatever_is_an_id_spells_back_to_itself(wild: str) -> None:
    """R10: no alias of an id is an id."""
    if ids.is_id(wild):
        assert ids.from_bytes(ids.to_bytes(wild)) == wild
    else:
        with pytest.raises(ValueError, match="not an id"):
            ids.to_bytes(wild)


def test_the_aliases_that_base64_would_take_are_no_ids() -> None:
    """R10: the last character holds two bits; its other fifteen spellings are refused."""
    spelled = ids.from_bytes(b"\0" * 16)
    good = [c for c in _ALPHABET if ids.is_id(spelled[:-1] + c)]
    assert good == ["A", "Q", "g", "w"]
    for bad in (spelled + "\n", spelled + "=", " " + spelled, spelled[:-1], "é" * 22):
        assert not ids.is_id(bad)


def test_new_ids_differ() -> None:
    """R7: 16 random bytes each."""
    assert len({ids.new_id() for _ in range(1000)}) == 1000
    assert all(ids.is_id(ids.new_id()) for _ in range(100))


def test_a_new_id_stands_in_a_spreadsheet_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 4, 10: one that would begin with a hyphen is drawn anew."""
    drawn = iter([b"\xf8" * 16, b"\xfb" * 16, b"\x00" * 16])
    monkeypatch.setattr(secrets, "token_bytes", lambda _: next(drawn))
    fresh = ids.new_id()
    assert fresh == ids.from_bytes(b"\x00" * 16)
    assert tables.cell(fresh) == fresh


@given(st.text())
@example("205")  # its first digest would spell a hyphen
def test_a_derived_id_is_always_the_same_one(said: str) -> None:
    """Issue 4, 9: what is said again has the id that it had; it stands in a spreadsheet, too."""
    found = ids.derived(said)
    assert found == ids.derived(said)
    assert ids.is_id(found)
    assert tables.cell(found) == found
    assert found != ids.derived(said + ".")


@pytest.mark.parametrize("slug", ["abc", "agencja", "a-1", "a" * 24, "a1b"])
def test_a_slug_is_short_and_plain(slug: str) -> None:
    """R8: it stands in every key and in every link."""
    assert ids.is_org(slug)


@pytest.mark.parametrize(
    "slug", ["", "ab", "a" * 25, "1ab", "-ab", "ab-", "Abc", "a#b", "a_b", "żab", "abc\n"]
)
def test_anything_else_is_no_slug(slug: str) -> None:
    """R8: nothing that could mean another key."""
    assert not ids.is_org(slug)


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
