"""JSON as the hub takes it: strict, and never an exception of the parser's own."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["compact", "parse", "parse_object"]


# Ours. What is deeper may be JSON, but somewhere on its way through the hub the stack would end.
_MAX_DEPTH = 100
# Of a whole number: it fits a double, as numbers of other kinds do.
_MOST_DIGITS = 300


def parse(data: bytes) -> Any:
    """Return the value that `data` says.

    Python's parser alone takes NaN and Infinity, turns 1e999 into infinity, takes whole numbers that no other number
    can be compared with, accepts half a surrogate pair, and answers deep nesting with RecursionError; none of these is
    JSON that a peer could read back. Nor is there more than `_MAX_DEPTH` of nesting.

    Raises:
        Refusal: 400006, the bytes are not JSON.
    """
    deep = data.count(b"{") + data.count(b"[") > _MAX_DEPTH
    try:
        value = _DECODER.decode(data.decode())
        if b"\\u" in data:  # the only way to half a surrogate pair
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise Refusal(Why.FORMAT, "The body is nested too deeply.") from None
    except ValueError as error:
        raise Refusal(Why.FORMAT, f"The body is not JSON: {error}.") from None
    if deep and _depth(value) > _MAX_DEPTH:
        raise Refusal(Why.FORMAT, f"The body is nested deeper than {_MAX_DEPTH}.")
    return value


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that `data` says.

    Raises:
        Refusal: 400006, the bytes are not a JSON object.
    """
    value = parse(data)
    if not isinstance(value, dict):
        raise Refusal(Why.FORMAT, "The body is not a JSON object.")
    return value


def compact(value: Any) -> bytes:
    """Return `value` as JSON without spaces."""
    return _ENCODER.encode(value).encode()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"{text[:10]}… is too large")
    return int(text)


# Made once: `json.loads` and `json.dumps` make one a call when they are given such options.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole)
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [child for parent in level for child in _children(parent)]:
        depth += 1
    return depth


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
