"""What a configuration writes into a twin."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.configurations.content import check_content, desired_with
from fwsm.hub.refusal import Refusal, Why


def test_place_is_set_as_a_whole() -> None:
    """What it held is gone, what stands beside it stays, and the old properties are not touched."""
    old = {"firmware": {"version": "1", "old": True}, "other": 1}
    content = {"properties.desired.firmware": {"version": "2", "gone": None}, "properties.desired.a.b": 3}
    assert desired_with(content, old) == {"firmware": {"version": "2"}, "other": 1, "a": {"b": 3}}
    assert old == {"firmware": {"version": "1", "old": True}, "other": 1}


def test_null_removes_a_place() -> None:
    """Also one that is not there."""
    assert desired_with({"properties.desired.a.b": None, "properties.desired.x": None}, {"a": {"b": 1}}) == {"a": {}}


def test_root_is_a_place_too() -> None:
    """All desired properties at once."""
    assert desired_with({"properties.desired": {"a": 1}}, {"b": 2}) == {"a": 1}


def test_value_on_the_way_to_a_place_gives_way() -> None:
    """A number cannot hold properties."""
    assert desired_with({"properties.desired.a.b": 1}, {"a": 5}) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        [],
        {"tags.a": 1},
        {"properties.reported.a": 1},
        {"properties": {}},
        {"properties.desired.": 1},
        {"properties.desired.a..b": 1},
        {"properties.desired": 1},
        {"properties.desired.a b": 1},
        {"properties.desired.a": {"x": [None]}},
        {"properties.desired.a": ["x" * 4096] * 9},
    ],
)
def test_content_that_no_twin_can_hold_is_refused(content: Any) -> None:
    """Tags, other keys, values beyond the limits of twins."""
    with pytest.raises(Refusal) as caught:
        check_content(content)
    assert caught.value.why is Why.BAD_CONTENT


VALUES = st.recursive(st.integers() | st.none(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner))
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES)
PLACES = st.sampled_from(["properties.desired.a", "properties.desired.a.b", "properties.desired.c"])


@given(st.dictionaries(PLACES, VALUES, min_size=1), OBJECTS)
def test_content_written_twice_is_content_written_once(content: dict[str, Any], values: dict[str, Any]) -> None:
    """So a twin that has it already need not be written again."""
    once = desired_with(content, values)
    assert desired_with(content, once) == once
