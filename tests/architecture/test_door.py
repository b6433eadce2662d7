"""No letter leaves except through the gate (issue 4): proven on the import graph and on the calls.

The mail service has one client, that client one maker, what it makes one caller, and the caller
asks `contact` before it hands anything over, and once more each time.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp

from chalicelib.agenda import OWNERS
from chalicelib.contact.domain import Ground
from chalicelib.letters.service import GROUNDS

ROOT = Path(__file__).parent.parent.parent
DOOR, GATE = "chalicelib.letters.service", "chalicelib.contact.domain"
TO_STAFF = {
    *("client_confirmed", "client_disputed", "client_withdrew", "link_expired", "link_requested"),
    *("undeliverable", "case_digest", "monthly_digest", "alive_report"),
}
SERVICES = {"ses", "sesv2", "pinpoint", "sns"}  # by which AWS lets anything leave for a person


@cache
def graph() -> grimp.ImportGraph:
    """What imports what, late imports too."""
    return grimp.build_graph("chalicelib", cache_dir=None)


def test_the_mail_service_has_one_client_and_that_one_maker() -> None:
    """Nobody but `wiring` reaches the code that talks to SES; nobody else names its service."""
    assert graph().find_modules_that_directly_import("chalicelib.aws.mailer") == {
        "chalicelib.wiring"
    }
    asked = {
        module
        for module in graph().modules
        for call in _calls(module)
        if ast.unparse(call.func).rpartition(".")[2] in {"client", "resource", "create_client"}
        and {one.value for one in call.args if isinstance(one, ast.Constant)} & SERVICES
    }
    assert asked == {"chalicelib.aws.mailer"}
    libraries = {"smtplib", "boto3"}
    assert {m for m in graph().modules if libraries & set(_outside(m))} == set()


def test_one_module_hands_letters_over() -> None:
    """The port `mailer` is touched where it is made and at the door; its `send` is called once."""
    touched = {
        module
        for module in graph().modules
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Attribute) and node.attr == "mailer"
    }
    assert touched == {DOOR}
    sends = [call for call in _calls(DOOR) if ast.unparse(call.func).endswith("mailer.send")]
    assert len(sends) == 1


def test_the_door_asks_the_gate() -> None:
    """The door imports the gate; it alone asks, for a promise and again for a sending (S57)."""
    assert GATE in graph().find_modules_directly_imported_by(DOOR)
    asking = {
        module
        for module in graph().modules
        for call in _calls(module)
        if ast.unparse(call.func).endswith("may_write")
    }
    assert DOOR in asking
    assert {one for one in asking if not one.startswith("chalicelib.contact")} == {DOOR}
    callers = _callers(DOOR)
    assert callers["contact.may_write"] == {"_verdict"}
    assert callers["_verdict"] == {"_asked", "deliver"}
    assert callers["_asked"] == {"promised"}
    assert callers["_send"] == {"deliver"}
    sending = [
        call
        for node in _tree(DOOR).body
        if isinstance(node, ast.FunctionDef) and node.name == "deliver"
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    ]
    lines = {ast.unparse(call.func): call.lineno for call in sending}
    assert lines["_verdict"] < lines["_send"]


def test_whoever_promises_asks_the_gate_first() -> None:
    """A change with letters to people goes through `promised`, wherever it is committed."""
    for feature in ("consents", "complaints"):
        calls = {ast.unparse(call.func) for call in _calls(f"chalicelib.{feature}.service")}
        assert "letters.promised" in calls, feature


def test_the_gate_leads_to_no_door() -> None:
    """What decides whether somebody may be written to can't write to anybody."""
    graph_ = graph()
    assert not graph_.chain_exists(importer=GATE, imported=DOOR)
    assert not graph_.chain_exists(importer=GATE, imported="chalicelib.aws.mailer")


def test_every_letter_to_a_person_states_its_ground() -> None:
    """Duty or consent, or it is not sent; what has none goes to staff and to who watches alone."""
    composed = {name for owner in OWNERS.values() for name in owner.composers}
    assert set(GROUNDS) <= composed
    assert composed - set(GROUNDS) == TO_STAFF
    assert {one for one, ground in GROUNDS.items() if ground is Ground.CONSENT} == {"offer"}


def _callers(module: str) -> dict[str, set[str]]:
    """For each function that is called in a module, the functions of it that call it."""
    found: dict[str, set[str]] = {}
    for node in _tree(module).body:
        if isinstance(node, ast.FunctionDef):
            for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
                found.setdefault(ast.unparse(call.func), set()).add(node.name)
    return found


def _calls(module: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(_tree(module)) if isinstance(node, ast.Call))


def _outside(module: str) -> Iterator[str]:
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@cache
def _tree(module: str) -> ast.Module:
    path = ROOT / module.replace(".", "/")
    file = path.with_suffix(".py")
    if not file.exists():
        file = path / "__init__.py"
    return ast.parse(file.read_text(encoding="utf-8"))
