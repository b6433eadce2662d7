"""An import of old consents as it is kept: `O#<org>#CONSENTS#<id>`, one list, line by line.

It is read whole before anything is done, then tried without effect (the dry run), then, when a
person says so, applied. Each step is one Change with the number of the last part that is done, so
that a crash loses one step at most; what was done is found done. The lines lie in the bucket until
the import is over, then nothing of them stays but results: numbers, codes and names of columns.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chalicelib.kernel.change import SYSTEM, Actor, Change, Event, Held, Key
from chalicelib.kernel.errors import Conflict, NotFound

KIND = "CONSENTS"
MOST_BYTES = 50 * 1024 * 1024
MOST_LINES = 100_000
PART = 500  # lines of one step
MOST_PROBLEMS = 50
KEPT = timedelta(days=7)


class State(StrEnum):
    """How far an import has come."""

    READING = "reading"
    CHECKING = "checking"
    CHECKED = "checked"
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"
    OVER = "over"


class Result(StrEnum):
    """What became of a line, or would become of it."""

    CREATED = "created"
    UPDATED = "updated"
    HISTORY = "history"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Told(msgspec.Struct, frozen=True, array_like=True):
    """The result of one line; `code` and `field` where it was refused."""

    line: int
    result: Result
    code: str = ""
    field: str = ""
    client_id: str = ""


class ConsentImport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root. `trouble` says why the whole list is refused, `trouble_at` where.

    `part` is the last part that the stage at work has done; `checked` and `applied` count results.
    """

    by: str
    name: str
    created: datetime
    state: State = State.READING
    trouble: str = ""
    trouble_at: int = 0
    trouble_field: str = ""
    sha256: str = ""
    written_in: str = ""
    ignored: tuple[str, ...] = ()
    lines: int = 0
    parts: int = 0
    part: int = 0
    checked: dict[str, int] = {}
    applied: dict[str, int] = {}
    problems: tuple[Told, ...] = ()
    applying_by: Actor | None = None
    finished: datetime | None = None


class ImportUnknown(NotFound):
    code = "consent_import_unknown"
    sentence = "There is no such import."


class NotChecked(Conflict):
    """Only what was tried is applied, once, and within the days for which its lines are kept."""

    code = "import_not_checked"
    sentence = "This import does not wait to be applied."


def key(org: str, import_id: str) -> Key:
    """Where an import is kept."""
    return Key(org, KIND, import_id)


def create(where: Key, name: str, *, by: Actor, now: datetime) -> Change:
    """A list that was uploaded, to be read and tried at once."""
    return Change(
        key=where,
        version=0,
        head="",
        root=ConsentImport(by=by.id, name=name, created=now),
        event=Event(kind="consents_uploaded", actor=by, at=now),
        due_at=now,
    )


def refused(
    held: Held[ConsentImport], trouble: str, *, at: int = 0, field: str = "", now: datetime
) -> Change:
    """The whole list can't be taken; nothing of it was done."""
    root = replace(
        held.value, state=State.REFUSED, trouble=trouble, trouble_at=at, trouble_field=field
    )
    body = {"trouble": trouble, "line": at, "field": field}
    return _step(held, replace(root, finished=now), "consents_refused", body, now)


def was_read(
    held: Held[ConsentImport],
    *,
    sha256: str,
    written_in: str,
    ignored: tuple[str, ...],
    lines: int,
    parts: int,
    now: datetime,
) -> Change:
    """Every line was read; next they are tried."""
    root = replace(
        held.value,
        state=State.CHECKING,
        sha256=sha256,
        written_in=written_in,
        ignored=ignored,
        lines=lines,
        parts=parts,
    )
    body = {"sha256": sha256, "lines": lines, "written_in": written_in}
    return _step(held, root, "consents_read", body, now)


def went_on(held: Held[ConsentImport], told: tuple[Told, ...], *, now: datetime) -> Change:
    """One more part was tried, or applied; after the last one the stage is over."""
    root, stage = held.value, held.value.state
    name = "checked" if stage is State.CHECKING else "applied"
    counts = dict(getattr(root, name))
    for one in told:
        counts[one.result] = counts.get(one.result, 0) + 1
    problems = (*root.problems, *(one for one in told if one.result is Result.REFUSED))
    root = replace(root, part=root.part + 1, problems=problems[:MOST_PROBLEMS], **{name: counts})
    if root.part == root.parts:
        after = State.CHECKED if stage is State.CHECKING else State.DONE
        root = replace(root, state=after, finished=now if after is State.DONE else None)
    body = {"stage": name, "part": held.value.part + 1, "results": _counted(told)}
    return _step(held, root, "consents_import_step", body, now)


def apply(held: Held[ConsentImport], *, by: Actor, now: datetime) -> Change:
    """A person has seen the dry run, and wants it done."""
    if held.value.state is not State.CHECKED:
        raise NotChecked
    root = replace(held.value, state=State.APPLYING, part=0, problems=(), applying_by=by)
    return _step(held, root, "consents_import_begun", {"lines": root.lines}, now, by=by)


def forget(held: Held[ConsentImport], *, now: datetime) -> Change | None:
    """Days later, name and lines go; what was not applied by then has to be uploaded again."""
    root = held.value
    if root.state is State.OVER or not root.name:
        return None
    state = root.state if root.state in (State.DONE, State.REFUSED) else State.OVER
    root = replace(root, state=state, name="", ignored=(), finished=root.finished or now)
    return _step(held, root, "consents_import_forgotten", {}, now)


def stage_of(root: ConsentImport) -> Literal["check", "apply"]:
    """Which of the two reports is being written."""
    return "check" if root.state is State.CHECKING else "apply"


def _counted(told: tuple[Told, ...]) -> Mapping[str, int]:
    return {kind: sum(one.result is kind for one in told) for kind in Result}


def _step(
    held: Held[ConsentImport],
    root: ConsentImport,
    kind: str,
    body: dict[str, Any],
    now: datetime,
    by: Actor = SYSTEM,
) -> Change:
    at_work = root.state in (State.READING, State.CHECKING, State.APPLYING)
    due = now if at_work else now + KEPT if root.name else None
    event = Event(kind=kind, actor=by, at=now, body=body)
    return Change.of(held, root, event, due_at=due)
