"""What a configuration writes into a twin: values for places in the desired properties. Pure.

    {"properties.desired.firmware": {"version": "2.0"}}

A place is set as a whole: what it held before is gone, what stands beside it stays; null removes it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from fwsm.hub.limits import check_section, check_values
from fwsm.hub.refusal import Refusal, Why

__all__ = ["Content", "check_content", "desired_with"]

Content: TypeAlias = dict[str, Any]

_ROOT = ["properties", "desired"]
# Of a twin; what else is wrong with its values, its own limits say.
_MAX_DEPTH = 10


def check_content(content: Any) -> Content:
    """Return `content` if a twin can hold it; raises Refusal 400402 if not."""
    if not isinstance(content, dict) or not content:
        raise _invalid("It is not an object with keys such as properties.desired.firmware.")
    for place in content:
        root, below = (segments := place.split("."))[:2], segments[2:]
        if root != _ROOT or not all(below) or len(below) > _MAX_DEPTH:
            raise _invalid(f"The key {place[:140]!r} is not properties.desired or a place in it.")
    if not isinstance(content.get("properties.desired", {}), dict):
        raise _invalid("properties.desired is not an object.")
    try:
        desired = desired_with(content, {})
        check_values("desired", desired)
        check_section("desired", desired)
    except Refusal as refusal:
        raise _invalid(refusal.message) from None
    return content


def desired_with(content: Content, values: dict[str, Any]) -> dict[str, Any]:
    """Return the desired properties that `values` become with `content`; `values` stay as they are."""
    for place, value in content.items():
        values = _set(values, place.split(".")[2:], value)
    return values


def _set(values: Any, below: list[str], value: Any) -> Any:
    if not below:
        return _without_nulls(value)
    first, *rest = below
    changed = dict(values) if isinstance(values, dict) else {}
    if value is None and not rest:
        changed.pop(first, None)
    else:
        changed[first] = _set(changed.get(first), rest, value)
    return changed


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(child) for key, child in value.items() if child is not None}


def _invalid(fault: str) -> Refusal:
    return Refusal(Why.BAD_CONTENT, f"The content cannot be deployed. {fault}")
