"""Queries over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.hub.rest.asking import Operator, refused

if TYPE_CHECKING:
    from fwsm.hub import Hub

PATH = "/devices/query"


def _query(text: str) -> dict[str, str]:
    return {"query": text}


def test_query_comes_in_pages(hub: Hub, owner: Operator) -> None:
    """Headers say what the rows are and how to go on; the last page has no token."""
    for device_id in ("d1", "d2", "d3"):
        hub.add_device(device_id)
    text = _query("SELECT * FROM devices")
    first = owner.ask("POST", PATH, text, x_ms_max_item_count="2")
    assert first.headers["x-ms-item-type"] == "Twin"
    second = owner.ask("POST", PATH, text, x_ms_continuation=first.headers["x-ms-continuation"])
    assert "x-ms-continuation" not in second.headers
    assert [row["deviceId"] for row in first.body + second.body] == ["d1", "d2", "d3"]
    assert second.body == [owner.ask("GET", "/twins/d3").body]


def test_query_takes_the_right_of_the_service(hub: Hub) -> None:
    """Twins are read by it."""
    text = _query("SELECT COUNT() AS n FROM devices")
    assert Operator(hub, "service").ask("POST", PATH, text).body == [{"n": 0}]
    assert Operator(hub, "registryReadWrite").ask("POST", PATH, text).status == 401


@pytest.mark.parametrize("body", [{}, {"query": 1}, {"query": "SELECT"}])
def test_body_without_a_query_is_refused(owner: Operator, body: dict[str, Any]) -> None:
    """400 ArgumentInvalid, as for a syntax error."""
    assert refused(owner.ask("POST", PATH, body)) == (400, "ArgumentInvalid")
