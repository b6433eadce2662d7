"""A figure, and the table of all of them."""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value beside the floor that was measured in the same run.

    `at_most` bounds the value, or the ratio of value and floor where `bounds` says so; a figure
    without it is told and never fails, unless `ok` was decided by whoever measured it.
    """

    name: str
    value: float
    unit: str
    floor: float
    ratio: float | None
    at_most: float | None = None
    bounds: Literal["value", "ratio"] = "value"
    ok: bool = True
    note: str = ""


def figure(
    name: str,
    value: float,
    unit: str,
    floor: float,
    *,
    at_most: float | None = None,
    bounds: Literal["value", "ratio"] = "value",
    note: str = "",
) -> Figure:
    """The figure, held to its limit; ValueError for a bounded ratio without a floor."""
    ratio = round(value / floor, 3) if floor else None
    bounded = value if bounds == "value" else ratio
    if bounded is None:
        raise ValueError(f"{name} has no ratio")
    return Figure(
        name=name,
        value=round(value, 3),
        unit=unit,
        floor=round(floor, 3),
        ratio=ratio,
        at_most=at_most,
        bounds=bounds,
        ok=at_most is None or bounded <= at_most,
        note=note,
    )


def table(figures: Iterable[Figure]) -> str:
    """The figures for people."""
    rows: list[tuple[str, ...]] = [("figure", "value", "unit", "floor", "ratio", "at most", "")]
    rows += [_row(one) for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [
            cell.ljust(width) if column == 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row[1:6], widths[1:], strict=True), 1)
        ]
        lines.append("  ".join([*cells, row[6]]).rstrip())
    return "\n".join(lines)


def _row(one: Figure) -> tuple[str, ...]:
    limit = "" if one.at_most is None else f"{one.at_most:g}{'x' if one.bounds == 'ratio' else ''}"
    ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
    return (
        one.name,
        f"{one.value:g}",
        one.unit,
        f"{one.floor:g}",
        ratio,
        limit,
        "" if one.ok else "OVER",
    )
