"""The bench's own arithmetic: what is counted wrongly here would be promised wrongly elsewhere."""

import pytest

from bench.figures import figure
from bench.memory import Table
from bench.units import index_units, item_size


def test_an_item_weighs_its_names_and_values_in_utf8() -> None:
    """Issue 2, figures: write units come from real item sizes."""
    assert item_size({"PK": {"S": "żó"}, "v": {"N": "1234"}}) == 2 + 4 + 1 + 3


@pytest.mark.parametrize(("before", "after", "units"), [("", "1", 1), ("1", "1", 0), ("1", "2", 2)])
def test_an_index_costs_only_what_changes_in_it(before: str, after: str, units: int) -> None:
    """Issue 2, figures: one unit to appear or vanish, two to move, none to stay."""

    def item(due_at: str) -> dict[str, dict[str, str]]:
        index = {"shard": {"S": "due#0"}, "due_at": {"S": due_at}} if due_at else {}
        return {"PK": {"S": "a"}, "SK": {"S": "b"}, **index}

    assert index_units(item(before), item(after), ("shard", "due_at")) == units


def test_a_figure_over_its_limit_is_not_ok() -> None:
    """Issue 2, figures: the bench fails where a figure is over its limit."""
    assert not figure("pdf_ms", 101, "ms", 50, at_most=100).ok
    assert figure("cold_start", 250, "ms", 200, at_most=1.25, bounds="ratio").ok
    assert not figure("cold_start", 251, "ms", 200, at_most=1.25, bounds="ratio").ok


def test_the_agenda_in_memory_is_read_page_by_page() -> None:
    """Issue 2, figures: items are counted as DynamoDB would read them, in the order of due_at."""
    values = {"SK": {"S": "ROOT"}, "shard": {"S": "s"}}
    table = Table(
        {**values, "PK": {"S": f"p{n}"}, "due_at": {"S": f"2026-0{9 - n}"}} for n in range(5)
    )
    asked = {
        "IndexName": "agenda",
        "ExpressionAttributeValues": {":shard": {"S": "s"}, ":until": {"S": "2026-08"}},
        "Limit": 3,
    }
    first = table.answer("Query", asked)["Items"]
    assert [one["PK"]["S"] for one in first] == ["p4", "p3", "p2"]
    rest = table.answer("Query", {**asked, "ExclusiveStartKey": first[-1]})["Items"]
    assert [one["PK"]["S"] for one in rest] == ["p1"]
