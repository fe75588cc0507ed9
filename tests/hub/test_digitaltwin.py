"""Twins as operators of Plug and Play devices see them."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.hub.digitaltwin import desired_change, digital_twin
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.timestamp import timestamp
from fwsm.hub.twin import Twin

THEN = timestamp(2.0)


def _twin(reported: dict[str, Any], desired: dict[str, Any] | None = None) -> Twin:
    return Twin.new(1.0).with_change(None, desired or {}, 1.0).with_reported(reported, None, 2.0)


def test_properties_stand_beside_what_is_known_of_them() -> None:
    """A read-only one has the time of its report."""
    assert digital_twin(_twin({"serial": "a1"}), "d1", "dtmi:x;1") == {
        "$dtId": "d1",
        "$metadata": {"$model": "dtmi:x;1", "serial": {"lastUpdateTime": THEN}},
        "serial": "a1",
    }


def test_writable_property_shows_wish_and_acknowledgement() -> None:
    """Its value is what the device reports; as long as it has not, there is only the wish."""
    report = {"target": {"value": 20, "ac": 200, "av": 2, "ad": "done"}, "plain": {"value": 1}}
    shown = digital_twin(_twin(report, {"target": 20, "waiting": 5}), "d1", "")
    assert (shown["target"], shown["plain"], "waiting" in shown) == (20, {"value": 1}, False)
    assert shown["$metadata"] == {
        "$model": "",
        "target": {
            "desiredValue": 20,
            "desiredVersion": 2,
            "ackVersion": 2,
            "ackCode": 200,
            "ackDescription": "done",
            "lastUpdateTime": THEN,
        },
        "plain": {"lastUpdateTime": THEN},
        "waiting": {"desiredValue": 5, "desiredVersion": 2},
    }


@pytest.mark.parametrize("sides", [(True, True), (True, False), (False, True)])
def test_component_is_a_twin_within_the_twin(sides: tuple[bool, bool]) -> None:
    """Whichever section knows it; its mark is not shown."""
    reported = {"t1": {"__t": "c", "max": 25}} if sides[0] else {}
    desired = {"t1": {"__t": "c", "target": 20}} if sides[1] else {}
    component = digital_twin(_twin(reported, desired), "d1", "")["t1"]
    assert component == {
        **({"max": 25} if sides[0] else {}),
        "$metadata": {
            **({"max": {"lastUpdateTime": THEN}} if sides[0] else {}),
            **({"target": {"desiredValue": 20, "desiredVersion": 2}} if sides[1] else {}),
        },
    }


@pytest.mark.parametrize(
    ("operations", "change"),
    [
        ([], {}),
        ([{"op": "add", "path": "/a", "value": 1}, {"op": "remove", "path": "/b"}], {"a": 1, "b": None}),
        ([{"op": "replace", "path": "/a~1b", "value": {"c": 1}}], {"a/b": {"c": 1}}),
        (
            [{"op": "replace", "path": "/t1/x", "value": 1}, {"op": "remove", "path": "/t1/y"}],
            {"t1": {"__t": "c", "x": 1, "y": None}},
        ),
        ([{"op": "add", "path": "/t2", "value": {"x": 1, "$metadata": {}}}], {"t2": {"__t": "c", "x": 1}}),
        (
            [{"op": "remove", "path": "/t1"}, {"op": "add", "path": "/t1/x", "value": 1}],
            {"t1": {"__t": "c", "x": 1}},
        ),
    ],
)
def test_patch_becomes_a_change_of_desired_properties(operations: list[Any], change: dict[str, Any]) -> None:
    """Operations count in their order."""
    assert desired_change(_twin({"t1": {"__t": "c"}, "a": 1}), operations) == change


@pytest.mark.parametrize(
    "operations",
    [
        None,
        {},
        [1],
        [{"op": "move", "path": "/a", "from": "/b"}],
        [{"op": "add", "path": "/a"}],
        [{"op": "add", "value": 1}],
        [{"op": "add", "path": 7, "value": 1}],
        [{"op": "add", "path": "a", "value": 1}],
        [{"op": "add", "path": "/", "value": 1}],
        [{"op": "add", "path": "/t1/x/y", "value": 1}],
        [{"op": "add", "path": "/a/x", "value": 1}],
        [{"op": "add", "path": "/$metadata", "value": {"a": 1}}],
        [{"op": "remove", "path": "/$metadata"}],
        [{"op": "replace", "path": "/t1/$metadata", "value": 1}],
        [{"op": "replace", "path": "/$dtId", "value": "d2"}],
    ],
)
def test_patch_that_cannot_be_meant_is_refused(operations: Any) -> None:
    """No list, no operation, no value, no path, too deep, into a property, the hub's own."""
    with pytest.raises(Refusal) as caught:
        desired_change(_twin({"t1": {"__t": "c"}, "a": 1}), operations)
    assert caught.value.why is Why.ARGUMENT_INVALID
