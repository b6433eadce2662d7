"""Tables that people open in a spreadsheet: RFC 4180, every cell quoted, no cell is a formula."""

from collections.abc import Iterable

CSV = "text/csv; charset=utf-8"
MARK = "\ufeff"  # without it a spreadsheet takes UTF-8 for the alphabet of the country
# What a spreadsheet takes for a formula, or steps over on its way to one; full-width signs, too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """A value as a cell shows it: what would act as a formula is text (ASVS 1.2.10)."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    told = "" if value is None else str(value)
    return f"'{told}" if told.startswith(FORMULA) else told


def lines(rows: Iterable[Iterable[object]]) -> bytes:
    """These rows as text, without the mark: the first lines of a file begin with it."""
    import csv
    import io

    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(one) for one in row] for row in rows)
    return out.getvalue().encode()


def head(columns: Iterable[str]) -> bytes:
    """How a file begins: the mark, and the names of its columns."""
    return MARK.encode() + lines([columns])


def unquoted(text: str) -> str:
    """What a cell of ours says when it is read again."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
