"""The rows of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub.query.parser import parse_query
from fwsm.hub.query.selection import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

TWINS: list[dict[str, Any]] = [
    {"deviceId": "a", "tags": {"floor": 1, "temp": 10, "kind": "pump"}},
    {"deviceId": "b", "tags": {"floor": 2, "temp": 20.5, "kind": "fan"}},
    {"deviceId": "c", "tags": {"floor": 1, "temp": "hot", "kind": {"x": 1}}},
    {"deviceId": "d", "tags": {}},
]


def _rows(text: str) -> list[dict[str, Any]]:
    return list(rows(parse_query(text), TWINS))


def test_star_gives_whole_documents() -> None:
    """Those that meet the condition, in their order."""
    assert _rows("SELECT * FROM devices WHERE tags.floor = 1") == [TWINS[0], TWINS[2]]


def test_projection_gives_named_values() -> None:
    """What a document does not have is left out of its row."""
    assert _rows("SELECT deviceId, tags.kind AS k FROM devices WHERE NOT tags.floor = 2 OR deviceId = 'd'") == [
        {"deviceId": "a", "k": "pump"},
        {"deviceId": "c", "k": {"x": 1}},
        {"deviceId": "d"},
    ]


def test_top_bounds_the_rows() -> None:
    """No more documents are looked at than it takes."""

    def documents() -> Iterator[dict[str, Any]]:
        yield from TWINS[:2]
        raise AssertionError

    assert list(rows(parse_query("SELECT TOP 2 * FROM devices"), documents())) == TWINS[:2]


def test_aggregates_make_one_row() -> None:
    """Numbers count for sums; a property counts where it is defined."""
    text = (
        "SELECT COUNT() AS n, COUNT(tags.temp) AS defined, SUM(tags.temp) AS s, AVG(tags.temp) AS a, "
        "MIN(tags.temp) AS least, MAX(tags.temp) AS most, MIN(deviceId) AS first FROM devices"
    )
    row = {"n": 4, "defined": 3, "s": 30.5, "a": 15.25, "least": 10, "most": 20.5, "first": "a"}
    assert _rows(text) == [row]


def test_aggregate_of_nothing_is_left_out() -> None:
    """There is no average of no numbers; the count is 0."""
    assert _rows("SELECT COUNT() AS n, AVG(tags.temp) AS a, MAX(tags.temp) AS m FROM devices WHERE false") == [{"n": 0}]


def test_sum_beyond_all_bounds_is_left_out() -> None:
    """Infinity is not JSON."""
    assert list(rows(parse_query("SELECT SUM(x) AS s FROM devices"), [{"x": 1e308}] * 2)) == [{}]


def test_groups_have_a_row_each() -> None:
    """One for each value, and one for the documents that have none."""
    assert _rows("SELECT tags.floor AS floor, COUNT() AS n FROM devices GROUP BY tags.floor") == [
        {"floor": 1, "n": 2},
        {"floor": 2, "n": 1},
        {"n": 1},
    ]


@pytest.mark.parametrize("text", ["SELECT tags.floor FROM devices GROUP BY tags.floor"])
def test_grouping_without_aggregates_gives_the_distinct_values(text: str) -> None:
    """As a row each; 1 and true are two groups."""
    assert _rows(text) == [{"floor": 1}, {"floor": 2}, {}]
    assert len(list(rows(parse_query(text), [{"tags": {"floor": value}} for value in (1, True, "1")]))) == 3


def test_group_is_filtered_and_bounded() -> None:
    """WHERE comes before, TOP after."""
    text = "SELECT TOP 1 tags.floor, COUNT() AS n FROM devices WHERE tags.floor > 1 GROUP BY tags.floor"
    assert _rows(text) == [{"floor": 2, "n": 1}]
