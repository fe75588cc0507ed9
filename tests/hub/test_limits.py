"""The limits of twins, each on both sides of its edge."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.hub.limits import MAX_SECTION_BYTES, check_section, check_values
from fwsm.hub.refusal import Refusal, Why


def _nested(depth: int, inside: Any) -> dict[str, Any]:
    for _ in range(depth):
        inside = {"o": inside}
    return dict(inside)


def _array(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    "values",
    [
        {"": 1, "größe": "x" * 4096, "k" * 1024: True},
        {"low": -(2**52), "high": 2**52 - 1, "pi": 3.14, "gone": None},
        {"list": [1, "a", {"b": [True]}], "deep": _array(10), "umlaut": "ü" * 2048},
        {"tenth": _nested(9, {"scalar": 1})},
    ],
)
def test_values_within_the_limits_pass(values: dict[str, Any]) -> None:
    """The largest allowed values are allowed."""
    check_values("desired", values)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"a.b": 1}, "desired: the key 'a.b'"),
        ({"a": {"$b": 1}}, r"desired\.a: the key"),
        ({"a b": 1}, "the key"),
        ({"a#": 1}, "the key"),
        ({"a\n": 1}, "the key"),
        ({"a\x85": 1}, "the key"),
        ({"k" * 1025: 1}, "a key is longer"),
        ({"a": "x" * 4097}, r"desired\.a: a string is longer"),
        ({"a": "ü" * 2049}, "a string is longer"),
        ({"a": 2**52}, "lies outside"),
        ({"a": -(2**52) - 1}, "lies outside"),
        ({"a": [None]}, r"desired\.a\[0\]: null"),
        ({"a": [{"b": None}]}, "null"),
        ({"a": _nested(10, {"scalar": 1})}, "objects nest"),
        ({"a": _array(11)}, "arrays nest"),
    ],
)
def test_values_beyond_a_limit_are_refused(values: dict[str, Any], fault: str) -> None:
    """Each limit has its message, with the place of the offender."""
    with pytest.raises(Refusal, match=fault) as caught:
        check_values("desired", values)
    assert caught.value.why is Why.ARGUMENT_INVALID


@pytest.mark.parametrize("section", ["tags", "desired", "reported"])
def test_section_may_be_exactly_as_large_as_allowed(section: str) -> None:
    """Keys and strings count by their bytes, numbers 8, booleans 4, control characters nothing."""
    limit = MAX_SECTION_BYTES[section]
    values: dict[str, Any] = {"n": 1, "b": [True, {"c": "ü\n"}]}
    used = 1 + 8 + 1 + 4 + 1 + 2
    values["s"] = "x" * (limit - used - 1)
    check_section(section, values)
    values["s"] += "x"
    with pytest.raises(Refusal, match=f"{limit + 1} bytes"):
        check_section(section, values)
