"""Bad input, at every route: a 4xx with code and field, nothing written, no e-mail, no trace.

The routes are walked by what they state of themselves, so a new one is in the battery at once.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from chalicelib.web.blueprint import Nothing
from tests.duly import Answer, Duly, a_settings
from tests.examples import Example, Examples

SECRET = "Sekretna"
# Whatever is sent to ask for a new link, the answer is the same to everybody (R24).
SAME_TO_ALL = {"renew_link"}
# What is asked about is not there, whatever else the body says.
NOTHING_TO_BLAME = {
    *("asked", "link_invalid", "not_stuck", "not_uploaded", "answers_changed", "not_closed"),
    *("case_file_unknown", "answer_not_submitted", "answer_not_out"),
}
TRAPS = {
    "control": f"{SECRET}\x00\x07",
    "newline": f"{SECRET}\r\nBcc: x@y.example",
    "bidi": f"{SECRET}\u202egnp.exe",
    "separator": f"{SECRET}\u2028x",
    "encoded word": f"=?utf-8?q?{SECRET}=0ABcc:_x?=",
    "long": SECRET * 3000,
}
# Texts of several lines.
WORDS = {"text", "substance", "elements__position"}
# A trap for machines: whatever is in it flags, never refuses, and is kept nowhere.
TRAPPED = {"website"}
OWNED = {"{client_id}", "{declaration_id}", "{wording_id}", "{case_id}"}
WRONG_TYPES: tuple[Any, ...] = (None, 7, True, [SECRET], {SECRET: SECRET})


@pytest.fixture
def examples(duly: Duly) -> Examples:
    """A good request for every route."""
    return Examples(duly)


@pytest.fixture(autouse=True)
def _without_a_trace(examples: Examples) -> Iterator[None]:
    """Around every test here: no item of the table differs, no e-mail left, no secret is logged."""
    duly = examples.duly
    before, sent = duly.table(), len(duly.mailbox.sent)
    with duly.logs() as lines:
        yield
    after = {key: one for key, one in duly.table().items() if key[0].split("#")[1] == "agencja"}
    assert after == before
    duly.tick()
    assert len(duly.mailbox.sent) == sent
    said = "".join(lines)
    assert '"request"' in said
    for personal in (SECRET, "klient.example", "600100", examples.token):
        assert personal not in said


def test_a_body_with_an_unknown_field(examples: Examples) -> None:
    """Issue 2, bad input: the field is named, at the top and inside."""
    for one in bodies(examples):
        answer = examples.ask(one, one.body | {"zzz": SECRET})
        refused(one, answer, 422, "zzz")
        for name, value in one.body.items():
            if isinstance(value, dict) and name not in {"answers", "texts"}:
                answer = examples.ask(one, one.changed(**{f"{name}__zzz": SECRET}))
                refused(one, answer, 422, f"{name}.zzz")


def test_a_body_with_wrong_types(examples: Examples) -> None:
    """Issue 2, bad input: each field of each body with each other type of JSON."""
    for one in bodies(examples):
        known = {f.encode_name: f.type for f in msgspec.structs.fields(one.spec.takes)}
        for name in one.body:
            for wrong in WRONG_TYPES:
                if fits(wrong, known[name]):
                    continue
                answer = examples.ask(one, one.changed(**{name: wrong}))
                refused(one, answer, 422, name)
        whole: Any
        for whole in (None, 7, "x", [], True):
            answer = examples.ask(one, raw=json.dumps(whole))
            refused(one, answer, 422)


def test_a_body_without_a_required_field(examples: Examples) -> None:
    """Issue 2, bad input: what is missing is named."""
    for one in bodies(examples):
        for field in msgspec.structs.fields(one.spec.takes):
            if field.required:
                rest = {k: v for k, v in one.body.items() if k != field.name}
                refused(one, examples.ask(one, rest), 422, field.name)


def test_a_body_that_is_not_strict_json(examples: Examples) -> None:
    """Robustness, JSON row: duplicate keys, NaN, 200,000 levels, lone surrogates, broken text."""
    for one in bodies(examples):
        good = json.dumps(one.body)
        first = json.dumps(next(iter(one.body)))
        for bad in (
            f"{{{first}: 1, {good[1:]}",
            f'{{"zzz": NaN, {good[1:]}',
            f'{{"zzz": -Infinity, {good[1:]}',
            f'{{"zzz": 1e999, {good[1:]}',
            f'{{"zzz": {"9" * 5000}, {good[1:]}',
            "[" * 200_000,
            '{"a":' * 40_000,
            f'{{"zzz": {"[" * 60}{"]" * 60}, {good[1:]}',
            f'{{"zzz": "{SECRET}\\ud800", {good[1:]}',
            f'{{"\\udfff": 1, {good[1:]}',
            good[:-1],
            good + "x",
            "",
        ):
            refused(one, examples.ask(one, raw=bad), (400, 422))


def test_a_body_that_is_not_text(examples: Examples) -> None:
    """Issue 2, bad input: broken UTF-8, UTF-16, broken base64, and 10 MB of anything."""
    for one in bodies(examples):
        for raw in (b'{"zzz": "\xff\xfe"}', json.dumps(one.body).encode("utf-16"), b"\x00"):
            coded = b64encode(raw).decode()
            refused(one, examples.ask(one, raw=coded, base64=True), 400)
        refused(one, examples.ask(one, raw="%%%", base64=True), 400)
        large = '"' + "x" * 10_000_000 + '"'
        refused(one, examples.ask(one, raw=large), 413)


def test_a_body_of_another_media_type(examples: Examples) -> None:
    """R2; issue 2, bad input: JSON alone is read, and only where it says so."""
    for one in bodies(examples):
        for wrong in (
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/jsonp",
        ):
            answer = examples.ask(one, headers={"Content-Type": wrong})
            refused(one, answer, 415)


def test_text_with_controls_or_header_tricks(examples: Examples) -> None:
    """Robustness, trap 2 and injection: controls, bidi, `=?`, far too long, in every text."""
    for one in bodies(examples):
        for way in texts(one.body):
            for kind, trap in TRAPS.items():
                block = way.startswith("texts__") and way.endswith("__text")
                block = block or way in WORDS
                if way in TRAPPED or (block and kind in {"newline", "encoded word"}):
                    continue  # words of several lines; they reach no header
                answer = examples.ask(one, one.changed(**{way: trap}))
                refused(one, answer, range(400, 423))
                blamed = answer.json.get("field") or answer.json["code"] in NOTHING_TO_BLAME
                assert blamed, (one.spec.name, way, answer.json)


def test_two_addresses_in_one_field(examples: Examples) -> None:
    """S44, S50: exactly one address, wherever an address stands."""
    for one in bodies(examples):
        for way in texts(one.body):
            if way.rpartition("__")[2] != "email":
                continue
            for wrong in (
                "a@x.example, b@y.example",
                "a@x.example;b@y.example",
                "a@x.example b@y.example",
                "A <a@x.example>",
                "a@x.example\n",
                "a@@x.example",
                '"a b"@x.example',
                "a@[127.0.0.1]",
                "ą@x.example",
            ):
                answer = examples.ask(one, one.changed(**{way: wrong}))
                refused(one, answer, 422, way.replace("__", "."))


def test_a_query_that_is_not_known(examples: Examples) -> None:
    """Issue 2, bad input: unknown parameters, and text that no search can hold."""
    for one in examples.all:
        where = one.where + ("&" if "?" in one.where else "?") + "zzz=1"
        refused(one, examples.ask(one, where=where), 422, "zzz")
    find = next(one for one in examples.all if one.spec.name == "find_clients")
    for query in (
        "",
        "email=a@x.example&phone=1234567",
        "email=a@x.example,b@y.example",
        "phone=abc",
        "name=%00",
        "name=%E2%80%AE",
        "name=%CC%81",
        "name=" + "x" * 2000,
        "name=x&cursor=zzz",
        "name=x&cursor=%C5%81",
    ):
        refused(find, examples.ask(find, where=f"{find.where}?{query}"), 422)


def test_a_cursor_of_another_query(examples: Examples) -> None:
    """Issue 2, bad input: a cursor is good for the very query and organisation it came from."""
    from chalicelib.web import paging

    keys = examples.duly.ports().link_keys()
    other = paging.seal("3", "events\0O#inna#CLIENT#x", keys)
    for one in examples.all:
        if "cursor" not in one.spec.query.__struct_fields__:
            continue
        known = {"name": "x"} if "name" in one.spec.query.__struct_fields__ else {}
        known |= {"list": "mine"} if "list" in one.spec.query.__struct_fields__ else {}
        for cursor in (other, other[:-1] + "A", "AAAA", "=", "!" * 40):
            query = "&".join(f"{k}={v}" for k, v in (known | {"cursor": cursor}).items())
            answer = examples.ask(one, where=f"{one.where}?{query}")
            refused(one, answer, 422, "cursor")
            assert answer.json["code"] == "cursor_refused"


def test_ids_that_cannot_exist(examples: Examples) -> None:
    """Issue 2, bad input: whatever is no id is not found; it never reaches a key."""
    for one in examples.all:
        for name in (part[1:-1] for part in one.spec.path.split("/") if part.startswith("{")):
            for wrong in ("x", "ą" * 22, "#" * 22, "a" * 500, "%00", "..", "A" * 22 + "\n"):
                bad = examples.of(one.spec, **{name: wrong})
                refused(bad, examples.ask(bad), 404)


def test_the_wrong_headers(examples: Examples) -> None:
    """Issue 2, bad input: If-Match and Idempotency-Key that are none."""
    for one in examples.all:
        if one.spec.changes:
            for wrong in ("", "*", '"x"', "-1", "1e9", "9" * 30, "²"):
                answer = examples.ask(one, headers={"If-Match": wrong})
                refused(one, answer, 422, "If-Match")
        if one.spec.creates:
            for wrong in ("", "short", "x" * 65, "ą" * 20, "a b" * 8):
                answer = examples.ask(one, headers={"Idempotency-Key": wrong})
                refused(one, answer, 400, "Idempotency-Key")


def test_settings_of_the_last_hair(examples: Examples) -> None:
    """Issue 2, 1: values that are well-formed JSON and still no settings."""
    one = next(one for one in examples.all if one.spec.name == "change_settings")
    for way, wrong in (
        ("host", "https://a.example\nX: y"),
        ("host", "https://ą.example"),
        ("host", "http://a.example"),
        ("host", "javascript:alert(1)"),
        ("host", "https://a.example/path"),
        ("help_link", "https://a.example/\u202e"),
        ("help_link", "http://a.example/"),
        ("help_link", "https://a.example/ x"),
        ("languages", []),
        ("languages", ["pl", "pl"]),
        ("languages", ["de"]),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("policy_pack", "pl"),
        ("link_days", 0),
        ("link_days", 61),
        ("link_days", 10**30),
        ("reminder_days", 14),
        ("reminder_days", -1),
        ("controller__dpo__email", "x"),
    ):
        answer = examples.ask(one, one.changed(**{way: wrong}))
        refused(one, answer, 422, way.replace("__", "."))


def bodies(examples: Examples) -> Iterator[Example]:
    """The examples of the routes that take a body."""
    assert len(examples.all) > 30
    for one in examples.all:
        if one.spec.takes is not Nothing:
            assert one.body is not None, f"{one.spec.name} needs an example"
            yield one


def texts(body: Any, way: str = "") -> Iterator[str]:
    """The way to every text of a body, as `Example.changed` takes it."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from texts(value, f"{way}{name}__")
        elif isinstance(value, str):
            yield way + name


def fits(value: Any, kind: Any) -> bool:
    """Whether the value is of the field's type after all."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def refused(
    one: Example, answer: Answer, status: "int | tuple[int, ...] | range", field: str = ""
) -> None:
    """A documented refusal: its status, a code, a sentence; its field where one is to blame."""
    if one.spec.name in SAME_TO_ALL and answer.status == 202:
        return
    statuses = (status,) if isinstance(status, int) else status
    told = (one.spec.name, answer.status, answer.json)
    assert answer.status in statuses, told
    assert answer.json["code"], told
    assert answer.json["message"], told
    assert SECRET not in answer.json["message"], told
    if field:
        assert str(answer.json.get("field", "")).startswith(field), told


def test_ids_of_another_organisation(examples: Examples) -> None:
    """Issue 2, 11 and bad input: at every route, what is another organisation's is not there."""
    duly = examples.duly
    duly.found("inna", controller=msgspec.structs.replace(a_settings().controller, name="Inna"))
    before = duly.table()
    ask: Callable[..., Answer] = duly.request
    for one in examples.all:
        owned = OWNED & set(one.spec.path.split("/"))
        if not owned:
            continue
        answer = ask(one.spec.method, one.where, one.body, headers=one.headers("inna"))
        refused(one, answer, 404)
    found = duly.staff("GET", "/api/clients?name=luc", org="inna")
    assert found.json["clients"] == []
    token = {"token": examples.token}
    assert duly.public("/links/read", token, org="inna").json["code"] == "link_invalid"
    assert duly.table() == before
