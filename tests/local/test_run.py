"""`make run`, `make stop` and `make clock`: what they refuse, and in which words."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.clock import seconds_of
from local.run import _alone, stop
from local.settings import HOST, ROOT, LocalCloudError, Place, Ports


def test_a_taken_port_is_named_with_the_variable_that_changes_it() -> None:
    """Ports taken get a sentence that says what to do."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalCloudError, match=rf"Port {port} .* DULY_MAILBOX_PORT=\d+"):
            Ports(mailbox=port).refuse_taken()


@pytest.mark.parametrize("text", ["", "0", "65536", "8o80", "-1", "²"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    """A mistyped setting is said, not guessed."""
    with pytest.raises(LocalCloudError, match="DULY_SITE_PORT"):
        Ports.from_environment({"DULY_SITE_PORT": text})


def test_ports_come_from_the_environment() -> None:
    """Each port has a variable of its own; the rest keep their numbers."""
    assert Ports.from_environment({"DULY_SITE_PORT": "9000"}) == Ports(site=9000)


def test_a_second_run_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    """Two Dulys over one state would destroy it."""
    place = Place(folder=tmp_path)
    with _alone(place) as ended_well:
        assert ended_well
        with (
            pytest.raises(LocalCloudError, match=f"process {os.getpid()}.*make stop"),
            _alone(place),
        ):
            pass
    with _alone(place) as ended_well:
        assert ended_well


def test_a_run_that_was_killed_is_noticed(tmp_path: Path) -> None:
    """After a kill -9 the next run waits for the engine to end, instead of blaming its port."""
    place = Place(folder=tmp_path)
    place.lock.write_text("4711")
    with _alone(place) as ended_well:
        assert not ended_well


def test_stopping_what_does_not_run_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make reset` stops first, whether or not there is something to stop."""
    stop(Place(folder=tmp_path))
    assert "not running" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("15m", 900), ("6h", 21_600), ("3d", 259_200), ("2w", 1_209_600)],
)
def test_the_clock_moves_by_units_that_people_use(text: str, seconds: int) -> None:
    """`make clock BY=3d`."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "-1d", "3 d", "d", "1y", "1.5d", "٣d", "9999999w"])
def test_the_clock_refuses_what_it_does_not_understand(text: str) -> None:
    """The clock never runs back, and never by a guess."""
    with pytest.raises(LocalCloudError):
        seconds_of(text)


def test_a_machine_without_python_gets_a_sentence(tmp_path: Path) -> None:
    """A missing Python gets a sentence that says what to do; a broken shim is not taken."""
    (tmp_path / "local").mkdir()
    for name in ("setup.sh", "setup.py"):
        (tmp_path / "local" / name).write_bytes((ROOT / "local" / name).read_bytes())
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "ls", "sort"):
        found = next(
            Path(folder) / name for folder in ("/bin", "/usr/bin") if Path(folder, name).exists()
        )
        (tools / name).symlink_to(found)
    shim = tools / "python3.13"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    done = subprocess.run(
        [str(tools / "sh"), str(tmp_path / "local" / "setup.sh")],
        env={"PATH": str(tools), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Duly needs Python 3.13, 3.12 or 3.11 and found none. Install one" in done.stderr


def test_a_finished_setup_is_known_as_such() -> None:
    """A second `make setup` costs one start of Python."""
    script = ROOT / "local" / "setup.py"
    done = subprocess.run([sys.executable, str(script), "--done"], check=False)
    assert done.returncode == 0
