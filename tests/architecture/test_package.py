"""The package: what is in it, what is refused, and that it is the same every time."""

import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra import deploy, package

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00"
X86_64, AARCH64 = b"\x3e\x00", b"\xb7\x00"


def refusal(file: Path) -> str:
    with pytest.raises(package.PackageError) as refused:
        package.check_zip(file, for_lambda=True)
    return str(refused.value)


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    package.write_zip(first, {"b.py": b"2", "a.py": b"1"})
    package.write_zip(second, {"a.py": b"1", "b.py": b"2"})
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as content:
        assert content.namelist() == ["a.py", "b.py"]
        assert content.read("b.py") == b"2"


def test_a_library_for_x86_64_passes(tmp_path: Path) -> None:
    good = {"lib/a.cpython-313-x86_64-linux-gnu.so": ELF + X86_64}
    package.write_zip(tmp_path / "good.zip", good)
    package.check_zip(tmp_path / "good.zip", for_lambda=True)


def test_what_was_built_here_is_refused(tmp_path: Path) -> None:
    """Chalice carries on after compiling a library that can't run on Lambda (Chalice 9)."""
    wheel = b"Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n"
    package.write_zip(tmp_path / "bad.zip", {"pillow-13.dist-info/WHEEL": wheel})
    assert "can't run on Lambda" in refusal(tmp_path / "bad.zip")


@pytest.mark.parametrize("content", [ELF + AARCH64, b"\xcf\xfa\xed\xfe" + bytes(20), b""])
def test_a_library_for_another_machine_is_refused(tmp_path: Path, content: bytes) -> None:
    package.write_zip(tmp_path / "bad.zip", {"lib/a.so": content})
    assert "x86-64" in refusal(tmp_path / "bad.zip")
    package.check_zip(tmp_path / "bad.zip", for_lambda=False)


@pytest.mark.parametrize(
    "name", ["botocore/session.py", "boto3/__init__.py", "a/__pycache__/b.cpython-313.pyc"]
)
def test_what_the_runtime_brings_is_refused(tmp_path: Path, name: str) -> None:
    package.write_zip(tmp_path / "bad.zip", {name: b""})
    assert "does not belong" in refusal(tmp_path / "bad.zip")


def test_byte_code_is_shipped_that_needs_no_check(tmp_path: Path) -> None:
    """Lambda can't write byte code: without it every cold start compiles all modules."""
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "one.py").write_text("value = 1\n")
    package.add_byte_code(folder)
    first = {file.name: file.read_bytes() for file in folder.rglob("*.pyc")}
    assert [code[4:8] for code in first.values()] == [b"\x01\0\0\0"]
    package.add_byte_code(folder)
    assert {file.name: file.read_bytes() for file in folder.rglob("*.pyc")} == first
    files = {f"library/__pycache__/{name}": code for name, code in first.items()}
    package.write_zip(tmp_path / "good.zip", files)
    package.check_zip(tmp_path / "good.zip", for_lambda=True)


def test_the_functions_carry_no_command_of_chalices() -> None:
    """Chalice needs botocore, pip and more for its command; a function needs none of them."""
    lines = (package.ROOT / "requirements.in").read_text().splitlines()
    names = package.runtime_names(line for line in lines if line and line[0] not in "#-")
    assert {"cryptography", "fonttools", "msgspec", "pillow", "pyjwt"} <= names
    assert not names & {"chalice", "botocore", "boto3", "pip", "setuptools", "inquirer", "click"}
    pinned = package.locked((package.ROOT / "requirements.txt").read_text(), names)
    first = [line for line in pinned.splitlines() if not line.startswith(" ")]
    assert {re.split(r"[=\[]", line)[0] for line in first} == names
    assert pinned.count("--hash=sha256:") >= len(names)


def test_a_library_without_a_pin_is_refused() -> None:
    with pytest.raises(package.PackageError, match="segno"):
        package.locked("jinja2==3.1.6 \\\n    --hash=sha256:00\n", frozenset({"jinja2", "segno"}))


def test_stack_traces_are_never_shown(tmp_path: Path) -> None:
    """Chalice 15: with debug on, a client would read them."""
    project = tmp_path / "project"
    for folder in ("chalicelib", ".chalice", "static_site"):
        (project / folder).mkdir(parents=True)
    (project / "app.py").write_text(
        "from chalice import Chalice\napp = Chalice('duly', debug=True)\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(package.PackageError, match=r"app\.debug"):
        package.chalice_package("prod", project, scratch)


def test_the_app_is_shipped_without_what_python_leaves_behind(tmp_path: Path) -> None:
    package.chalice_package("prod", package.ROOT, tmp_path)
    with zipfile.ZipFile(tmp_path / "deployment.zip") as content:
        names = content.namelist()
    assert {"app.py", "chalice/app.py", "chalicelib/wiring.py"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_a_package_is_deployed_to_its_own_stage_alone(tmp_path: Path) -> None:
    made = {"Parameters": {"Stage": {"Default": "local"}}, "Resources": {}}
    (tmp_path / "template.json").write_text(json.dumps(made))
    with pytest.raises(deploy.DeployError, match="local"):
        deploy.deploy("prod", tmp_path)


def test_the_site_is_stored_so_that_browsers_take_it(tmp_path: Path) -> None:
    """Under nosniff a module of the wrong type does not run."""
    for name in ("index.html", "main.mjs", "style.css", "pl.json", "font.woff2", ".hidden"):
        (tmp_path / name).touch()
    stored = {key: headers for key, _, headers in deploy.site_files(tmp_path)}
    assert stored["main.mjs"]["ContentType"] == "text/javascript; charset=utf-8"
    assert stored["style.css"]["ContentType"] == "text/css; charset=utf-8"
    assert stored["pl.json"]["ContentType"] == "application/json; charset=utf-8"
    assert stored["font.woff2"]["ContentType"] == "font/woff2"
    assert stored["main.mjs"]["CacheControl"] == "no-cache"
    assert "CacheControl" not in stored["index.html"]
    assert ".hidden" not in stored


def test_a_failed_deployment_says_why() -> None:
    """In CloudFormation's own words, of this deployment alone, the first cause first."""
    session = boto3.session.Session("x", "x", region_name="eu-central-1")
    cloud = deploy.Cloud(session, None)
    moment = datetime(2026, 11, 22, tzinfo=UTC)

    def event(name: str, status: str, reason: str) -> dict[str, Any]:
        about = {"StackId": "s", "EventId": name, "StackName": "duly-dev", "Timestamp": moment}
        told = {"ResourceStatus": status, "ResourceStatusReason": reason}
        return {**about, "LogicalResourceId": name, **told}

    events = [
        event("Tick", "CREATE_FAILED", "cancelled"),
        event("Table", "CREATE_FAILED", "no such index"),
        event("duly-dev", "UPDATE_IN_PROGRESS", "User Initiated"),
        event("Bucket", "UPDATE_FAILED", "last week"),
    ]
    stack = {"StackName": "duly-dev", "CreationTime": moment, "StackStatus": "ROLLBACK_COMPLETE"}
    with Stubber(cloud.cloudformation) as answers:
        answers.add_client_error("describe_stacks", "ValidationError", "duly-dev does not exist")
        answers.add_response("create_stack", {"StackId": "s"})
        answers.add_response("describe_stacks", {"Stacks": [stack]})
        answers.add_response("describe_stack_events", {"StackEvents": events})
        with pytest.raises(deploy.DeployError) as failed:
            cloud.stack("duly-dev", "https://example.com/t", {}, ["EdgeSecret"])
    assert str(failed.value) == "Table: no such index\nTick: cancelled"


def test_an_update_keeps_what_is_not_given() -> None:
    """The edge's secret is drawn once: with a new one, edge and API disagree for minutes."""
    session = boto3.session.Session("x", "x", region_name="eu-central-1")
    cloud = deploy.Cloud(session, None)
    stack = {
        "StackName": "duly-dev",
        "CreationTime": datetime(2026, 11, 22, tzinfo=UTC),
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [
            {"ParameterKey": "EdgeSecret", "ParameterValue": "****"},
            {"ParameterKey": "MailRate", "ParameterValue": "1"},
            {"ParameterKey": "Dropped", "ParameterValue": "1"},
        ],
        "Outputs": [{"OutputKey": "TableName", "OutputValue": "t"}],
    }
    asked = {
        "StackName": "duly-dev",
        "TemplateURL": "https://example.com/t",
        "Parameters": [
            {"ParameterKey": "MailRate", "ParameterValue": "7"},
            {"ParameterKey": "EdgeSecret", "UsePreviousValue": True},
        ],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    known = ["EdgeSecret", "MailRate"]
    with Stubber(cloud.cloudformation) as answers:
        answers.add_response("describe_stacks", {"Stacks": [stack]})
        answers.add_client_error(
            "update_stack",
            "ValidationError",
            "No updates are to be performed.",
            expected_params=asked,
        )
        answers.add_response("describe_stacks", {"Stacks": [stack]})
        outputs = cloud.stack("duly-dev", "https://example.com/t", {"MailRate": "7"}, known)
    assert outputs == {"TableName": "t"}
