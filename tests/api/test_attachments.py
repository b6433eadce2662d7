"""Files that go with a message: uploaded past the API, checked, kept; by hand or by default."""

import io
import urllib.error
import urllib.request
import uuid
import zipfile
from typing import Any

import pytest

from tests.duly import ADMIN, AGENT, HEAD, Duly

PDF = b"%PDF-1.7\nDystrybutor\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def document(*names: str) -> bytes:
    """An office file that holds these parts."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as package:
        for name in names:
            package.writestr(name, "x")
    return raw.getvalue()


def sent_form(form: Any, content: bytes, **changes: str) -> int:
    """What the storage answers to the form and the file, as a browser sends them."""
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (form["fields"] | changes).items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    raw = b"".join([*parts, head.encode(), content, f"\r\n--{edge}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    request = urllib.request.Request(form["url"], raw, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def uploaded(
    duly: Duly,
    where: str,
    content: bytes = PDF,
    name: str = "dystrybutor.pdf",
    content_type: str = "application/pdf",
    **options: Any,
) -> Any:
    """The answer to keeping a file that was uploaded; `where` is its owner's path."""
    claim = {"name": name, "content_type": content_type}
    form = duly.staff("POST", f"{where}/files", claim | {"size": len(content)}, **options)
    assert form.status == 201, form.json
    assert sent_form(form.json, content) in (200, 204)
    return duly.staff("PUT", f"{where}/files/{form.json['file_id']}", claim, **options)


def owner(client: Any) -> str:
    """The path of a client."""
    return f"/api/clients/{client['client_id']}"


def test_a_file_is_uploaded_checked_and_kept(duly: Duly) -> None:
    """S41: the browser sends it to the storage itself; kept once, downloaded as it was."""
    client = duly.client()
    kept = uploaded(duly, owner(client))
    assert kept.status == 200, kept.json
    with urllib.request.urlopen(kept.json["url"], timeout=10) as answer:
        assert answer.read() == PDF
        assert "attachment" in answer.headers["Content-Disposition"]
    again = duly.staff(
        "PUT",
        f"{owner(client)}/files/{kept.json['file_id']}",
        {"name": "dystrybutor.pdf", "content_type": "application/pdf"},
    )
    assert again.json["sha256"] == kept.json["sha256"]
    listed = duly.staff("GET", f"{owner(client)}/files").json["files"]
    assert [one["file_id"] for one in listed] == [kept.json["file_id"]]
    assert duly.events(client["client_id"]).count("file_kept") == 1


def test_a_file_is_not_lost_when_its_owner_changes_meanwhile(duly: Duly) -> None:
    """S41, S60: two files at once, one is told to try again, and need not be uploaded again."""
    client = duly.client()
    with duly.meanwhile(lambda: uploaded(duly, owner(client), name="pierwszy.pdf")):
        late = uploaded(duly, owner(client), name="drugi.pdf")
    assert (late.status, late.json["code"]) == (409, "changed_meanwhile")
    (waiting,) = [key for key in duly.objects() if key.startswith("quarantine/")]
    claim = {"name": "drugi.pdf", "content_type": "application/pdf"}
    again = duly.staff("PUT", f"{owner(client)}/files/{waiting.rpartition('/')[2]}", claim)
    assert again.status == 200, again.json
    assert not [key for key in duly.objects() if key.startswith("quarantine/")]
    files = duly.staff("GET", f"{owner(client)}/files").json["files"]
    assert {one["name"] for one in files} == {"pierwszy.pdf", "drugi.pdf"}


def test_an_attached_file_goes_with_the_message(duly: Duly) -> None:
    """S41, S46: shown in the preview, and in the message byte for byte."""
    client = duly.client()
    file_id = uploaded(duly, owner(client)).json["file_id"]
    path = f"{owner(client)}/declarations"
    body = {"answers": {"marketing": True}, "attachments": [file_id]}
    draft = duly.staff("POST", path, body)
    assert draft.status == 201, draft.json
    shown = duly.staff("GET", duly.where(draft.json) + "/preview").json["attachments"]
    assert [one["name"] for one in shown][1:] == ["dystrybutor.pdf"]
    assert duly.act(draft.json, "send").status == 202
    duly.tick()
    (mail,) = duly.mailbox.sent
    went = {one.get_filename(): one.get_content() for one in mail.message.iter_attachments()}
    assert went["dystrybutor.pdf"] == PDF


def test_default_files_go_with_each_message_of_their_person(duly: Duly) -> None:
    """S42: chosen once, attached by themselves; not to another's messages; one may leave them."""
    file_id = uploaded(duly, "/api/organisation", by=ADMIN).json["file_id"]
    version = duly.staff("GET", "/api/staff").json["version"]
    path = f"/api/staff/{AGENT}/default-attachments"
    chosen = duly.staff("PUT", path, {"files": [file_id]}, version=version)
    assert chosen.status == 200, chosen.json
    client = duly.client()
    path, body = f"{owner(client)}/declarations", {"answers": {"marketing": True}}
    with_it = duly.staff("POST", path, body).json
    assert [one["file_id"] for one in with_it["attachments"]] == [file_id]
    assert duly.staff("POST", path, body, by=HEAD).json["attachments"] == []
    assert duly.staff("POST", path, body | {"attachments": []}).json["attachments"] == []


def test_a_default_file_must_be_there(duly: Duly) -> None:
    """S42: one of the organisation's own files."""
    client = duly.client()
    foreign = uploaded(duly, owner(client)).json["file_id"]
    version = duly.staff("GET", "/api/staff").json["version"]
    path = f"/api/staff/{AGENT}/default-attachments"
    for wrong in (foreign, "x", "A" * 22):
        answer = duly.staff("PUT", path, {"files": [wrong]}, version=version)
        assert (answer.status, answer.json["field"]) == (422, "files")


def test_only_known_files_are_attached(duly: Duly) -> None:
    """S41: the client's own or the organisation's; another client's is not there; none twice."""
    client, other = duly.client(), duly.client(email="b@klient.example")
    foreign = uploaded(duly, owner(other)).json["file_id"]
    own = uploaded(duly, owner(client)).json["file_id"]
    for wrong in ([foreign], ["x"], ["A" * 22], [own, own]):
        body = {"answers": {"marketing": True}, "attachments": wrong}
        answer = duly.staff("POST", f"{owner(client)}/declarations", body)
        assert (answer.status, answer.json["field"]) == (422, "attachments"), wrong


@pytest.mark.parametrize(
    ("name", "content_type", "size", "field"),
    [
        ("a.exe", "application/octet-stream", 10, "content_type"),
        ("a.svg", "image/svg+xml", 10, "content_type"),
        ("a.html", "text/html", 10, "content_type"),
        ("a.exe", "application/pdf", 10, "content_type"),
        ("../a.pdf", "application/pdf", 10, "content_type"),
        ("a.pdf", "application/pdf", 0, "size"),
        ("a.pdf", "application/pdf", 5 * 1024 * 1024 + 1, "size"),
        ("a\u202efdp.pdf", "application/pdf", 10, "name"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_it_is_sent(
    duly: Duly, name: str, content_type: str, size: int, field: str
) -> None:
    """S41; issue 2, 5: type, ending, name and size."""
    body = {"name": name, "content_type": content_type, "size": size}
    answer = duly.staff("POST", f"{owner(duly.client())}/files", body)
    assert (answer.status, answer.json["field"]) == (422, field)


@pytest.mark.parametrize(
    ("content", "name", "content_type"),
    [
        (b"MZ\x90\x00 a program", "a.pdf", "application/pdf"),
        (PNG, "a.jpg", "image/jpeg"),
        (b"<html><script>", "a.png", "image/png"),
        (PDF, "a.docx", DOCX),
        (document("[Content_Types].xml", "word/vbaProject.bin"), "a.docx", DOCX),
        (document("other.txt"), "a.docx", DOCX),
    ],
)
def test_a_file_that_is_not_what_it_says_is_not_kept(
    duly: Duly, content: bytes, name: str, content_type: str
) -> None:
    """S41; issue 2, 5: the first bytes are those of the type, and no macro hides in it."""
    client = duly.client()
    kept = uploaded(duly, owner(client), content, name, content_type)
    assert (kept.status, kept.json["code"]) == (422, "file_content_refused")
    assert duly.staff("GET", f"{owner(client)}/files").json["files"] == []


def test_office_files_and_images_are_taken(duly: Duly) -> None:
    """S41; issue 2, 5: PDF, images, office files."""
    where = owner(duly.client())
    assert uploaded(duly, where, PNG, "a.png", "image/png").status == 200
    assert uploaded(duly, where, b"\xff\xd8\xff\xe0x", "A.JPEG", "image/jpeg").status == 200
    plain = document("[Content_Types].xml", "word/document.xml")
    assert uploaded(duly, where, plain, "a.docx", DOCX).status == 200


def test_the_storage_itself_enforces_the_form(duly: Duly) -> None:
    """Robustness, attachments: exact key, type and size, whatever the browser was made to send."""
    body = {"name": "a.pdf", "content_type": "application/pdf", "size": len(PDF)}
    where = owner(duly.client())
    form = duly.staff("POST", f"{where}/files", body).json
    assert sent_form(form, bytes(5 * 1024 * 1024 + 1)) in (400, 403)
    assert sent_form(form, b"") in (400, 403)
    assert sent_form(form, PDF, **{"Content-Type": "text/html"}) == 403
    assert sent_form(form, PDF, key=form["fields"]["key"] + "x") == 403
    assert duly.objects() == {}
    claim = {"name": "a.pdf", "content_type": "application/pdf"}
    answer = duly.staff("PUT", f"{where}/files/{form['file_id']}", claim)
    assert (answer.status, answer.json["code"]) == (409, "not_uploaded")


def test_uploading_over_a_kept_file_changes_nothing(duly: Duly) -> None:
    """S41; robustness, attachments: a form works until it expires; what was read is kept."""
    client = duly.client()
    claim = {"name": "a.pdf", "content_type": "application/pdf"}
    form = duly.staff("POST", f"{owner(client)}/files", claim | {"size": len(PDF)}).json
    assert sent_form(form, PDF) in (200, 204)
    path = f"{owner(client)}/files/{form['file_id']}"
    kept = duly.staff("PUT", path, claim).json
    assert sent_form(form, PDF + b"other") in (200, 204)
    assert duly.staff("PUT", path, claim).json["sha256"] == kept["sha256"]
    with urllib.request.urlopen(kept["url"], timeout=10) as answer:
        assert answer.read() == PDF
