"""When an import of scans needs attention once its pages are settled (S37, GDPR Art. 5(1)(e))."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.consents import imports
from chalicelib.consents.imports import FileState, PageState, ScanFile, ScanImport, ScanPage
from chalicelib.kernel.change import Actor, Held

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
PAGE = ScanPage(
    number=1,
    file=0,
    in_file=1,
    state=PageState.UNMATCHED,
    reason="no_code",
    object_key="scans/agencja/i/00001.jpg",
    sha256="b" * 64,
)
BY = Actor("staff", "somebody")


def held(**changes: Any) -> Held[ScanImport]:
    """An import with one page of nobody, that is done."""
    file = ScanFile(file_id="f", name="skan.pdf", state=FileState.READ, sha256="a" * 64)
    root = ScanImport(by=BY.id, created=NOW, files=(file,), pages=1, unmatched=1, finished=NOW)
    root = replace(root, **changes)
    return Held(key=imports.key("agencja", "i"), value=root, version=3, head="")


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({}, 14),  # the names of its files
        ({"files": ()}, 76),
        ({"files": (), "reminded": True}, 90),
        ({"files": (), "unmatched": 0}, None),
        ({"files": (), "unmatched_days": 10}, 5),
        ({"files": (), "unmatched_days": 10, "reminded": True}, 10),
    ],
)
def test_the_next_term_is_the_earliest(changes: dict[str, Any], days: int | None) -> None:
    """S37: names after two weeks, the reminder before the term, the term by the import's own."""
    due = held(**changes).value.due_at
    assert due == (None if days is None else NOW + timedelta(days=days))


def test_what_a_person_says_of_another_page_moves_no_term() -> None:
    """S15: neither the names of the files nor a page of nobody stays longer for it."""
    later = NOW + timedelta(days=5)
    change = imports.dismiss(held(unmatched=2, finished=NOW), PAGE, by=BY, now=later)
    assert change.due_at == later  # its picture goes first
    left = replace(held(), value=change.root, version=4)
    (page,) = [part.data for part in change.parts]
    after = imports.erased(left, [page], now=later)
    assert (after.root.unmatched, after.root.gone) == (1, 0)
    assert after.due_at == NOW + imports.NAMES_KEPT


def test_of_a_page_whose_time_is_over_stays_that_there_was_one() -> None:
    """GDPR Art. 5(1)(e): no digest, no reason; its key until the picture is erased, and no list."""
    late = NOW + timedelta(days=90)
    change = imports.lapse(held(files=held().value.files), [PAGE], now=late)
    (part,) = change.parts
    assert part.list_name == ""
    where = PAGE.object_key
    over = ScanPage(number=1, file=0, in_file=1, state=PageState.OVER, object_key=where)
    assert part.data == over
    assert over.gone
    assert (change.due_at, change.root.unmatched, change.root.gone) == (late, 0, 1)
    (seen,) = change.lookups
    assert (seen.digest, seen.remove) == ("a" * 64, True)
    done = imports.erased(replace(held(), value=change.root, version=4), [over], now=late)
    assert done.parts[0].data == replace(over, object_key="")


def test_a_page_of_a_rejected_paper_is_its_clients() -> None:
    """S37: only what belongs to nobody goes; a client's page is kept with its owner."""
    theirs = replace(PAGE, state=PageState.REJECTED, declaration_id="d", client_id="c")
    assert not theirs.gone
    assert not PAGE.gone


def test_an_assigned_page_counts_no_longer() -> None:
    """S37: the term is of what nobody knows; an assigned page has a client."""
    change = imports.assign(
        held(),
        PAGE,
        client_id="c",
        declaration_id="d",
        code="C",
        number=1,
        total=1,
        by=BY,
        now=NOW,
    )
    assert (change.root.unmatched, change.root.open) == (0, 1)


def test_whoever_imported_it_is_reminded_once() -> None:
    """S37: word to them, with the day after which it is gone."""
    change = imports.remind(held(), on=NOW.date(), now=NOW)
    (notice,) = change.notices
    assert (notice.person, notice.data["on"]) == (BY.id, "2027-01-04")
    assert change.root.reminded
