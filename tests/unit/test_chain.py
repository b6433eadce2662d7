"""The hash chain, and the verifier that anybody may run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import chain
from chalicelib.kernel.chain import Broken

KEY = "O#agencja#CLIENT#abc"
BODIES: list[dict[str, Any]] = [{"name": "Łucja Żółć"}, {}, {"n": [1, True, None, 1.5], "s": "\\"}]


def events(bodies: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """A chain of these bodies, and its head."""
    head, made = chain.GENESIS, []
    for version, body in enumerate(bodies, 1):
        envelope = {"aggregate": KEY, "version": version, "kind": "k", "previous": head}
        salt = f"salt-{version}"
        digest = chain.digest(salt, chain.canonical(body))
        head = chain.link(envelope, digest)
        made.append(
            {"envelope": envelope, "digest": digest, "hash": head, "body": body, "salt": salt}
        )
    return made, head


def an_export(bodies: list[dict[str, Any]] = BODIES) -> str:
    """The export of such a chain."""
    made, head = events(bodies)
    return chain.export(KEY, head, made)


def edited(change: Any) -> str:
    """An export whose content was changed, spelled as Duly would."""
    whole = json.loads(an_export())
    change(whole)
    return chain.export(whole["aggregate"], whole["head"], whole["events"])


def test_an_export_that_nobody_touched_stands() -> None:
    """R23: every event is counted."""
    assert chain.verify(an_export()) == 3
    assert chain.verify(an_export([])) == 0


def test_no_byte_of_an_export_can_change_unnoticed_and_the_event_is_named() -> None:
    """R23: exhaustive over a chain of three events, two flips of each byte."""
    raw = an_export().encode()
    closing = [match.start() for match in re.finditer(rb"\n  \}", raw)]
    first = raw.index(b"\n  {")
    for place in range(len(raw)):
        for bit in (0x01, 0x20):
            flipped = bytearray(raw)
            flipped[place] ^= bit
            try:
                given_ = flipped.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(Broken) as broken:
                chain.verify(given_)
            number = sum(end + 3 < place for end in closing) + 1
            if first + 3 <= place <= closing[-1] + 3 and raw[place] != 0x0A:
                found = re.search(r"event (\d)", str(broken.value))
                assert found is not None, (place, bytes(flipped[place - 20 : place + 20]))
                assert int(found[1]) == number, (place, str(broken.value))


def test_erased_bodies_leave_the_chain_whole() -> None:
    """GDPR Art. 17: body and salt go together, the rest stands."""

    def erase(whole: Any) -> None:
        for event in whole["events"]:
            del event["body"], event["salt"]

    assert chain.verify(edited(erase)) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w["events"].pop(), "does not end where its head says"),
        (lambda w: w["events"].pop(0), "event 1: the envelope"),
        (lambda w: w["events"].reverse(), "event 1: the envelope"),
        (lambda w: w.update(head=w["events"][1]["hash"]), "after event 3"),
        (lambda w: w.update(aggregate="O#other#CLIENT#abc"), "event 1: the envelope"),
        (lambda w: w["events"][1]["envelope"].update(previous=""), "event 2: it does not follow"),
        (lambda w: w["events"][1]["envelope"].update(kind="x"), "event 2: envelope and digest"),
        (lambda w: w["events"][2].update(body={}), "event 3: the body"),
        (lambda w: w["events"][2].update(salt="x"), "event 3: the body"),
        (lambda w: w["events"][0].pop("salt"), "event 1: it needs"),
        (lambda w: w["events"][0].pop("hash"), "event 1: it needs"),
        (lambda w: w["events"][0].update(more=1), "event 1: it needs"),
        (lambda w: w["events"][0].update(envelope=[]), "event 1: envelope or salt"),
        (lambda w: w["events"][0].update(salt=1), "event 1: envelope or salt"),
        (lambda w: w["events"].insert(1, "x"), "event 2: it needs"),
        (lambda w: w.update(events={}), "events is no list"),
    ],
)
def test_an_edited_history_is_told_with_its_place(change: Any, said: str) -> None:
    """R23: left out, turned round, moved, swapped: each is named."""
    with pytest.raises(Broken, match=re.escape(said)):
        chain.verify(edited(change))


@pytest.mark.parametrize(
    "given_",
    ["", "[]", "{}", "null", '{"aggregate": 1}', "[" * 100_000, "1" * 5000, "\x00", '"\\ud800"'],
)
def test_what_is_no_export_is_told_so(given_: str) -> None:
    """Nothing but `Broken` comes out of the verifier."""
    with pytest.raises(Broken):
        chain.verify(given_)


def test_another_spelling_of_the_same_content_is_told() -> None:
    """R23: no byte is free, not even a space; duplicate keys hide nothing."""
    text = an_export()
    for given_ in (text + "\n", text.rstrip("\n"), json.dumps(json.loads(text))):
        with pytest.raises(Broken, match="not spelled as Duly writes it"):
            chain.verify(given_)
    doubled = text.replace('   "name"', '   "name": "Kto inny",\n    "name"')
    with pytest.raises(Broken, match="event 1"):
        chain.verify(doubled)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON), max_size=4))
def test_whatever_a_body_holds_its_export_stands(bodies: list[dict[str, Any]]) -> None:
    """R23: any JSON, any script."""
    assert chain.verify(an_export(bodies)) == len(bodies)


@given(JSON)
def test_canonical_json_is_one_spelling_that_reads_back(value: Any) -> None:
    """The order of keys says nothing; no space, no escape that UTF-8 does not need."""
    spelled = chain.canonical(value)
    assert json.loads(spelled) == value
    assert chain.canonical(json.loads(spelled)) == spelled
    if isinstance(value, dict):
        assert chain.canonical(dict(reversed(list(value.items())))) == spelled


def test_canonical_json_is_spelled_as_documented() -> None:
    """Anybody can write it in any language."""
    assert chain.canonical({"b": [1, None], "a": "ż"}) == '{"a":"ż","b":[1,null]}'.encode()


def test_the_command_tells_by_its_exit_code(tmp_path: Path) -> None:
    """R23: 0 where all stand, 1 with the place of the first that does not."""
    good, bad, garbage = (tmp_path / name for name in ("good.json", "bad.json", "garbage.json"))
    good.write_text(an_export(), encoding="utf-8")
    bad.write_text(an_export().replace("Łucja", "Lucja"), encoding="utf-8")
    garbage.write_bytes(b"\xff\xfe")
    stands = run(good)
    assert (stands.returncode, stands.stdout) == (0, f"{good}: 3 events, the chain stands\n")
    fallen = run(good, bad)
    assert fallen.returncode == 1
    assert f"{bad}: BROKEN: event 1: the body does not match its digest" in fallen.stdout
    assert chain.main([str(garbage)]) == 1
    assert chain.main([str(good), str(good)]) == 0
    assert chain.main([]) == 0


def run(*files: Path) -> "subprocess.CompletedProcess[str]":
    """The verifier as an outsider runs it."""
    return subprocess.run(
        [sys.executable, "-m", "chalicelib.kernel.chain", *map(str, files)],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[2],
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
