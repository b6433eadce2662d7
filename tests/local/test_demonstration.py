"""The demonstration's organisations: whole enough to show everything, and made up throughout."""

from pathlib import Path

import pytest

from chalicelib.organisations.domain import Role, checked
from infra import organisation
from local import seed

FILES = sorted(seed.FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_role_is_there_and_complaints_are_watched_over(path: Path) -> None:
    """M32: staff of each kind with their departments, a mailbox, and somebody outside who looks."""
    founding = organisation.read(path)
    assert {one.role for one in founding.staff} == set(Role)
    assert all(one.department for one in founding.staff)
    assert sum(one.role is Role.QUALITY for one in founding.staff) > 1
    rules = checked(founding.settings).complaints
    own = rules.mailbox.rpartition("@")[2]
    assert own
    assert rules.country
    assert rules.watch_email.rpartition("@")[2] not in ("", own)


def test_one_organisation_wants_a_second_person_and_one_does_not() -> None:
    """Item 7: approval where the organisation asks for it."""
    wanted = [organisation.read(path).settings.complaints.approval for path in FILES]
    assert sorted(wanted) == [False, True]


def test_nobody_real_is_written_to() -> None:
    """The demonstration's addresses belong to nobody (RFC 2606)."""
    people = [one.email for path in FILES for one in organisation.read(path).staff]
    people += [one["email"] for known in seed.CLIENTS.values() for one in known if "email" in one]
    assert people
    assert all(one.endswith(".duly.example") for one in people)
