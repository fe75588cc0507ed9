"""Strict JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.jsontext import compact, parse, parse_object
from fwsm.hub.refusal import Refusal, Why

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(_values)
def test_values_survive(value: Any) -> None:
    """What is written compactly is read back equal."""
    assert parse(compact(value)) == value


def test_numbers_come_back_as_they_were_written() -> None:
    """A whole number stays whole and a fraction stays one."""
    assert compact(parse(b'{"a": 1, "b": 1.0}')) == b'{"a":1,"b":1.0}'
    assert float(parse(b"9" * 300)) == 1e300


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"NaN",
        b"[-Infinity]",
        b"1e999",
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b"[" * 100_000,
        b"1" * 301,
        b"1" * 5000,
    ],
)
def test_what_others_could_not_read_is_refused(text: bytes) -> None:
    """Malformed text and what only Python takes for JSON give one refusal."""
    with pytest.raises(Refusal) as caught:
        parse(text)
    assert caught.value.why is Why.FORMAT


@given(st.binary(max_size=50))
def test_arbitrary_bytes_are_json_or_refused(data: bytes) -> None:
    """No bytes raise anything but a refusal."""
    try:
        value = parse(data)
    except Refusal:
        return
    assert json.loads(data) == value


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"x"'])
def test_object_is_asked_for_and_nothing_else_given(text: bytes) -> None:
    """Where an object is needed, other values are refused."""
    with pytest.raises(Refusal, match="not a JSON object"):
        parse_object(text)


@given(st.integers(95, 110), st.sampled_from([(b"[", b"]"), (b'{"a":', b"}")]))
def test_nesting_has_a_bound(depth: int, brackets: tuple[bytes, bytes]) -> None:
    """What is deeper than a hundred would end the stack somewhere on its way."""
    text = brackets[0] * depth + b"1" + brackets[1] * depth
    if depth <= 100:
        assert compact(parse(text)) == text
    else:
        with pytest.raises(Refusal, match="nested deeper than 100"):
            parse(text)


def test_much_side_by_side_is_not_deep() -> None:
    """A thousand objects in a list are two levels."""
    assert len(parse(b"[" + b"{}," * 999 + b"{}]")) == 1000
