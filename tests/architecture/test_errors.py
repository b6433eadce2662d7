"""Refusals: one table of kinds gives every refusal its status, and codes are a stable interface."""

import inspect
import re
from collections import Counter

from chalicelib.kernel import errors
from chalicelib.web import problem
from infra.openapi import refusals


def test_every_refusal_has_a_status() -> None:
    """The nearest kind gives the status; `DomainError` itself is a base and is raised by nobody."""
    for refusal in refusals():
        assert 400 <= problem.status(refusal()) <= 503, refusal


def test_no_two_refusals_share_a_code() -> None:
    """A page tells refusals apart by their code alone."""
    counted = Counter(one.code for one in refusals())
    assert [code for code, times in counted.items() if times > 1] == []
    assert all(re.fullmatch("[a-z][a-z_]{2,40}", code) for code in counted)
    assert "internal" not in counted


def test_every_refusal_says_its_own_code_and_sentence() -> None:
    """A class that inherits its code would hide behind its kind."""
    for refusal in refusals():
        assert "code" in vars(refusal), refusal
        assert "sentence" in vars(refusal), refusal
        assert refusal.sentence.endswith("."), refusal
        assert refusal.code in problem.body(refusal())["code"]


def test_a_kind_is_a_direct_child_of_the_base() -> None:
    """The table of kinds is whole: no refusal falls through it."""
    kinds = {
        one
        for _, one in inspect.getmembers(errors, inspect.isclass)
        if one.__bases__ == (errors.DomainError,)
    }
    assert kinds == set(problem.STATUSES)
