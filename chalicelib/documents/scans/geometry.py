"""Plane geometry of a photographed page: one projection from its own millimetres to pixels."""

from collections.abc import Sequence

Point = tuple[float, float]
# x' = (a x + b y + c) / (g x + h y + 1), y' = (d x + e y + f) / (g x + h y + 1)
Projection = tuple[float, float, float, float, float, float, float, float]


class Degenerate(ValueError):
    """Points on one line, or the same point twice: no projection follows from them."""


def projection(ours: Sequence[Point], theirs: Sequence[Point]) -> Projection:
    """What takes `ours` to `theirs`, four points or more (then the least squares).

    `Degenerate` where no projection does.
    """
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(ours, theirs, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    if len(rows) > 8:
        rows = [
            [sum(row[i] * row[j] for row in rows) for j in range(9)] for i in range(8)
        ]  # normal equations
    a, b, c, d, e, f, g, h = _solved(rows)
    return (a, b, c, d, e, f, g, h)


def project(how: Projection, point: Point) -> Point:
    """Where a point goes."""
    a, b, c, d, e, f, g, h = how
    x, y = point
    w = g * x + h * y + 1
    if abs(w) < 1e-9:
        raise Degenerate
    return (a * x + b * y + c) / w, (d * x + e * y + f) / w


def affinity(ours: Sequence[Point], theirs: Sequence[Point]) -> Projection:
    """As `projection`, without perspective: three points or more, carried far beyond them."""
    columns = [[x, y, 1.0] for x, y in ours]
    answers = []
    for axis in (0, 1):
        rows = [
            [sum(one[i] * one[j] for one in columns) for j in range(3)]
            + [sum(one[i] * to[axis] for one, to in zip(columns, theirs, strict=True))]
            for i in range(3)
        ]
        answers.append(_solved(rows))
    (a, b, c), (d, e, f) = answers
    return (a, b, c, d, e, f, 0.0, 0.0)


def _solved(rows: list[list[float]]) -> list[float]:
    """Gauss, with the largest pivot; every row ends with its right side."""
    rows = [row[:] for row in rows]
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda n: abs(rows[n][column]))
        if abs(rows[pivot][column]) < 1e-12:
            raise Degenerate
        rows[column], rows[pivot] = rows[pivot], rows[column]
        top = rows[column]
        for row in rows[column + 1 :]:
            factor = row[column] / top[column]
            if factor:
                for n in range(column, size + 1):
                    row[n] -= factor * top[n]
    found = [0.0] * size
    for n in reversed(range(size)):
        known = sum(rows[n][k] * found[k] for k in range(n + 1, size))
        found[n] = (rows[n][size] - known) / rows[n][n]
    return found
