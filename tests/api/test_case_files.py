"""Files of a case from quarantine to whoever may open them."""

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.complaints import acts, files, receipt, store
from chalicelib.complaints.case import CaseFile
from chalicelib.kernel.change import SYSTEM, Key
from tests import cases
from tests.duly import Duly

PDF = b"%PDF-1.7\n%%EOF\n"
LARGE = 20 * 1024 * 1024


def waiting(duly: Duly, *sizes: int) -> tuple[CaseFile, ...]:
    """Files that were uploaded, of these sizes as their sender says."""
    found = []
    for number, size in enumerate(sizes):
        key = f"quarantine/agencja/form-{'0' * 32}/{number}"
        duly.ports().bucket.put(key, PDF, content_type="application/pdf", sha256="")
        now = duly.ports().now
        name = f"skan-{number}.pdf"
        found.append(receipt.new_file(name, "application/pdf", size, key, source="form", now=now))
    return tuple(found)


def test_large_files_are_written_down_one_after_the_other(
    duly: Duly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M13: a run that dies at the second file has the first one kept, and begins with the second.

    So files that take longer than one run has are never begun from the start for ever.
    """
    one = cases.received(duly, files=waiting(duly, LARGE, LARGE, 10, 10))
    looked: list[str] = []
    seen = files._seen

    def dying(ports: Any, key: Key, file: CaseFile) -> CaseFile:
        looked.append(file.name)
        if len(looked) == 2:
            raise SystemExit
        return seen(ports, key, file)

    monkeypatch.setattr(files, "_seen", dying)
    duly.wait(hours=72)
    with pytest.raises(SystemExit):
        duly.tick()
    assert looked == ["skan-0.pdf", "skan-1.pdf"]
    duly.tick()
    assert looked[2:] == ["skan-1.pdf", "skan-2.pdf", "skan-3.pdf"]
    found = store.files(duly.ports(), one.key)
    assert [file.state for file in found] == ["kept"] * 4
    assert cases.case_of(duly, one.key.id).value.unchecked == 0


def test_a_count_of_files_that_are_not_there_ends(duly: Duly) -> None:
    """Item 9: a case is never due again and again for nothing."""
    held = cases.registered(duly)
    ports = duly.ports()
    odd = replace(held.value, unchecked=2)
    ports.ledger.commit(
        acts.done(held, odd, cases.house(duly), "file_added", by=SYSTEM, now=ports.now)
    )
    duly.tick()
    assert cases.case_of(duly, held.key.id).value.unchecked == 0
    version = cases.case_of(duly, held.key.id).version
    duly.tick()
    assert cases.case_of(duly, held.key.id).version == version
