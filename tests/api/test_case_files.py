"""Files of a case from quarantine to whoever may open them."""

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import wiring
from chalicelib.aws import clients
from chalicelib.complaints import acts, files, receipt, store
from chalicelib.complaints.case import CaseFile
from chalicelib.kernel.change import SYSTEM, Key
from tests import cases
from tests.api.test_attachments import sent_form
from tests.duly import Duly
from tests.public_form import a_proof, filled

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


# A form that is used again


def versioned() -> None:
    """The bucket keeps what is written over, as the deployed one does."""
    clients.client("s3").put_bucket_versioning(
        Bucket=wiring.setting("BUCKET_NAME"), VersioningConfiguration={"Status": "Enabled"}
    )


def submitted(duly: Duly, *contents: bytes) -> tuple[Any, dict[str, Any]]:
    """A file that came by one form, used as often as there are contents; and what names it."""
    kind = {"slot": 0, "name": "polisa.pdf", "content_type": "application/pdf"}
    file = kind | {"size": len(contents[0])}
    signed = duly.public("/complaints/files", {"proof": a_proof(duly), **file}).json
    for content in contents:
        assert sent_form(signed, content) == 204
    return signed, file | {"folder": signed["folder"]}


def looked_at(duly: Duly) -> CaseFile:
    """The one file of the one case, after the tick."""
    duly.tick()
    (pk,) = {pk for pk, sk in duly.table() if "#COMPLAINT#" in pk and sk == "ROOT"}
    (file,) = store.files(duly.ports(), Key("agencja", "COMPLAINT", pk.rpartition("#")[2]))
    return file


@pytest.mark.parametrize("late", [False, True], ids=["before the submission", "after it"])
def test_a_form_used_again_brings_nothing(duly: Duly, late: bool) -> None:
    """Issue 3: what came first is read, whatever came over it; staff see that something did."""
    versioned()
    other = PDF.replace(b"1.7", b"1.4")
    signed, file = submitted(duly, PDF, *([] if late else [other, other]))
    assert duly.public("/complaints", filled(a_proof(duly), files=[file])).status == 201
    if late:
        assert sent_form(signed, other) == 204
    seen = looked_at(duly)
    assert (seen.state, seen.reason) == ("held", "replaced")
    assert duly.objects()[seen.object_key] == PDF
    assert sent_form(signed, other) == 204
    duly.tick()
    assert duly.objects()[seen.object_key] == PDF


def test_the_same_bytes_again_are_the_same_file(duly: Duly) -> None:
    """M13: a browser whose line broke sends them twice; nobody is bothered with it."""
    versioned()
    _, file = submitted(duly, PDF, PDF)
    assert duly.public("/complaints", filled(a_proof(duly), files=[file])).status == 201
    assert looked_at(duly).state == "kept"


def test_a_file_chosen_instead_of_another_is_no_form_used_again(duly: Duly) -> None:
    """M13: taken out of the list and another put in its place before anything was sent."""
    versioned()
    submitted(duly, PDF.replace(b"1.7", b"1.4"))
    _, file = submitted(duly, PDF)
    assert duly.public("/complaints", filled(a_proof(duly), files=[file])).status == 201
    seen = looked_at(duly)
    assert (seen.state, duly.objects()[seen.object_key]) == ("kept", PDF)


def test_a_file_that_never_came_is_missing(duly: Duly) -> None:
    """M13: and one whose key begins alike is another."""
    versioned()
    file = waiting(duly, 10)[0]
    near = replace(file, object_key=file.object_key[:-1])
    one = cases.received(duly, files=(near,))
    duly.tick()
    (seen,) = store.files(duly.ports(), one.key)
    assert (seen.state, seen.reason) == ("missing", "not_uploaded")
