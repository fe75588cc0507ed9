"""The value of an expression on one document."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.query.evaluation import holds, kind_of, value_at, value_of
from fwsm.hub.query.parser import parse_condition
from fwsm.hub.query.syntax import UNDEFINED, Expression, Literal

TWIN: dict[str, Any] = {
    "deviceId": "pump-7",
    "status": "enabled",
    "statusReason": None,
    "tags": {"floor": 3, "building": "43", "ok": True, "list": ["a", 1], "group": {"name": "north"}},
    "properties": {"desired": {"$version": 4}, "reported": {"temp": -0.5, "one": 1}},
    "configurations": {"c-1": {"status": "Applied"}},
}


def _value(text: str) -> Any:
    condition = parse_condition(text)
    assert condition is not None
    return value_of(condition, TWIN)


@pytest.mark.parametrize(
    "text",
    [
        "deviceId = 'pump-7'",
        "DeviceId IN ['pump-7', 'x']",
        "devices.deviceId != 'x'",
        "STARTSWITH(deviceId, 'pump')",
        "tags.floor = 3 AND tags.floor < 4 AND tags.floor >= 3.0",
        "tags.floor = 0x3",
        "tags.floor <> '3'",
        "tags.ok",
        "tags.ok = true",
        "tags.ok != 1",
        "tags.building > '42'",
        "statusReason = null",
        "tags.floor NIN [1, 2]",
        "'a' IN tags.list",
        "IS_DEFINED(tags.group) AND NOT IS_DEFINED(tags.nothing)",
        "tags.[[group]].name = 'north'",
        "configurations.[[c-1]].status = 'Applied'",
        "properties.desired.$version = 2 * 2",
        "(tags.floor + 1) / 2 % 2 = 0",
        "tags.floor - 4 = -1",
        "properties.reported.temp = -0.5",
        "tags.nothing = 1 OR tags.ok",
        "NOT (tags.nothing = 1 AND NOT tags.ok)",
    ],
)
def test_condition_holds(text: str) -> None:
    """On a device as an operator would ask for it."""
    assert holds(parse_condition(text), TWIN)


@pytest.mark.parametrize(
    "text",
    [
        "tags.nothing = 1",
        "tags.nothing != 1",
        "NOT tags.nothing = 1",
        "tags.nothing NIN [1]",
        "tags.Floor = 3",
        "tags.group = 'north'",
        "tags.group != 'north'",
        "tags.list = 'a'",
        "tags.floor.deeper = 1",
        "tags.floor < '4'",
        "tags.floor IN 3",
        "tags.group IN ['north']",
        "tags.floor",
        "NOT tags.floor",
        "NOT tags.ok",
        "tags.ok AND tags.floor",
        "tags.building + 1 = 44",
        "1 / 0 = 1",
        "1 % 0 = 1",
        "-tags.building = -43",
        "statusReason < 1",
        "statusReason < null",
        "STARTSWITH(tags.floor, 'x')",
        "1e308 * 10 = undefined",
    ],
)
def test_condition_does_not_hold(text: str) -> None:
    """What is undefined, of another type or not exactly true leaves a device out, also under NOT."""
    assert not holds(parse_condition(text), TWIN)


def test_every_document_meets_no_condition() -> None:
    """`*` asks nothing."""
    assert holds(None, {})


def test_kinds_are_those_of_json() -> None:
    """A boolean is not a number; objects, arrays and what is undefined do not compare."""
    values: list[Any] = [None, True, 1, 1.5, "a", {}, [], UNDEFINED]
    assert [kind_of(value) for value in values] == ["null", "boolean", "number", "number", "string", None, None, None]


def test_path_leads_to_a_value_or_nowhere() -> None:
    """Only the hub's own names are found in any case."""
    assert value_at(("DEVICEID",), TWIN) == "pump-7"
    assert value_at(("tags", "GROUP"), TWIN) is UNDEFINED
    assert value_at(("tags", "building", "x"), TWIN) is UNDEFINED


def test_number_beyond_all_bounds_is_undefined() -> None:
    """No calculation raises."""
    assert _value("9" * 400 + " / 0.5") is UNDEFINED
    assert _value("1 % (1e308 * 10)") == 1
    assert _value(" * ".join(["9" * 300] * 2)) == math.inf
    assert _value("(1e308 * 10) % 2") is UNDEFINED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OPERATIONS = st.sampled_from(
    [
        *("{a} = {b}", "{a} != {b}", "{a} < {b}", "{a} >= {b}", "{a} + {b} * {a}", "{a} / {b}", "{a} % -{b}"),
        *("{a} IN [{b}]", "{a} NIN {b}", "NOT {a}", "{a} AND {b}", "{a} OR NOT {b}", "STARTSWITH({a}, {b})"),
    ]
)
PATHS = st.sampled_from(["a", "b", "a.a", "b.c", "1", "'a'", "null", "true", "undefined"])


@given(st.dictionaries(st.sampled_from("abc"), JSON), OPERATIONS, PATHS, PATHS)
def test_any_operation_has_a_value_on_any_document(document: dict[str, Any], text: str, a: str, b: str) -> None:
    """Nothing raises; equality is its own opposite wherever it is defined."""
    condition = parse_condition(text.format(a=a, b=b))
    assert condition is not None
    value_of(condition, document)
    equal, unequal = (parse_condition(f"{a} {sign} {b}") for sign in ("=", "!="))
    values = [value_of(side or Literal(None), document) for side in (equal, unequal)]
    assert values in ([True, False], [False, True], [UNDEFINED, UNDEFINED])


@given(st.lists(st.sampled_from([True, False, UNDEFINED, 1]), min_size=2, max_size=4))
def test_logic_has_three_values(values: list[Any]) -> None:
    """AND is the negation of OR of the negations, also when operands are undefined."""

    def joined(sign: str, operands: list[Any]) -> Any:
        terms = [f"x{index}" for index in range(len(operands))]
        document = {name: value for name, value in zip(terms, operands, strict=True) if value is not UNDEFINED}
        condition: Expression | None = parse_condition(f" {sign} ".join(terms))
        assert condition is not None
        return value_of(condition, document)

    def opposite(value: Any) -> Any:
        return not value if isinstance(value, bool) else value

    both, either = joined("AND", values), joined("OR", [opposite(value) for value in values])
    assert opposite(both) == either
