"""Conditions and metrics tried before they are used."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from fwsm.hub.configurations.trial import query_faults
from tests.hub.anyjson import VALUES, bodies

METRIC = "SELECT deviceId FROM devices WHERE tags.a = 1"


def test_nothing_wrong_is_nothing_said() -> None:
    """Either part may be left out."""
    assert query_faults("tags.a = 1", {"m": METRIC}) == query_faults(None, None) == {}


def test_star_and_nothing_are_not_conditions_that_can_be_tested() -> None:
    """Though a configuration may have them."""
    for text in ("*", " ", 1):
        assert "is not a condition" in query_faults(text, {})["targetConditionError"]


def test_each_fault_is_said_for_itself() -> None:
    """With the parser's reason."""
    faults = query_faults("tags. = 1", {"good": METRIC, "bad": "SELECT *", "worse": 1})
    assert faults == {
        "targetConditionError": "expected a name, found =, at character 7.",
        "customMetricQueryErrors": {
            "bad": "expected , or FROM, found the end, at character 9.",
            "worse": "it is not a text.",
        },
    }


@given(VALUES, bodies(m="SELECT deviceId FROM devices", n=VALUES) | VALUES)
def test_anything_can_be_tried(target: Any, metrics: Any) -> None:
    """Nothing is raised."""
    query_faults(target, metrics)
