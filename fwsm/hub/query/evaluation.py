"""The value of an expression on one document.

What is not there, and what makes no sense, is undefined; a document meets a condition whose value is exactly true.
Values compare only if both are primitive. Equality between two types is false, order between them undefined.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from fwsm.hub.query.syntax import (
    UNDEFINED,
    Arithmetic,
    Array,
    Call,
    Comparison,
    Expression,
    Literal,
    Logical,
    Membership,
    Negative,
    Not,
    Path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["holds", "kind_of", "value_at", "value_of"]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CALCULATE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
}


def holds(condition: Expression | None, document: Mapping[str, Any]) -> bool:
    """Say whether `document` meets `condition`; every document meets None."""
    return condition is None or value_of(condition, document) is True


def value_of(expression: Expression, document: Mapping[str, Any]) -> Any:  # noqa: C901, PLR0911 - a case a kind of node
    """Return the value of `expression` on `document`: JSON, or `UNDEFINED`."""
    match expression:
        case Literal(value):
            return value
        case Path(segments):
            return value_at(segments, document)
        case Array(items):
            return [value_of(item, document) for item in items]
        case Negative(operand):
            return _calculated("-", 0, value_of(operand, document))
        case Arithmetic(first, steps):
            value = value_of(first, document)
            for sign, operand in steps:
                value = _calculated(sign, value, value_of(operand, document))
            return value
        case Comparison(sign, left, right):
            return _compared(sign, value_of(left, document), value_of(right, document))
        case Membership(item, array, negated):
            return _member(value_of(item, document), value_of(array, document), negated=negated)
        case Not(operand):
            value = value_of(operand, document)
            return not value if isinstance(value, bool) else UNDEFINED
        case Logical(sign, operands):
            return _joined(sign == "OR", operands, document)
        case Call(name, arguments):
            return _called(name, [value_of(argument, document) for argument in arguments])


def value_at(segments: tuple[str, ...], document: Mapping[str, Any]) -> Any:
    """Return what stands at a path, or `UNDEFINED`. The hub's own names, at the top, are found in any case."""
    first, *rest = segments
    if first not in document:
        first = next((name for name in document if name.lower() == first.lower()), first)
    value: Any = document
    for segment in (first, *rest):
        if not isinstance(value, dict) or segment not in value:
            return UNDEFINED
        value = value[segment]
    return value


def kind_of(value: Any) -> str | None:
    """Return the type of a primitive value; None for objects, arrays and `UNDEFINED`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else None


def _compared(sign: str, left: Any, right: Any) -> Any:
    kind, other = kind_of(left), kind_of(right)
    if kind is None or other is None:
        return UNDEFINED
    if sign in {"=", "!="}:
        equal = kind == other and left == right
        return equal if sign == "=" else not equal
    return _ORDER[sign](left, right) if kind == other and kind != "null" else UNDEFINED


def _member(item: Any, array: Any, *, negated: bool) -> Any:
    if kind_of(item) is None or not isinstance(array, list):
        return UNDEFINED
    return any(_compared("=", item, other) is True for other in array) is not negated


def _joined(decides: bool, operands: tuple[Expression, ...], document: Mapping[str, Any]) -> Any:
    """Return `decides` if any operand has that value, its opposite if all have that, else `UNDEFINED`."""
    outcome: Any = not decides
    for operand in operands:
        value = value_of(operand, document)
        if value is decides:
            return decides
        if not isinstance(value, bool):
            outcome = UNDEFINED
    return outcome


def _calculated(sign: str, left: Any, right: Any) -> Any:
    if kind_of(left) != "number" or kind_of(right) != "number":
        return UNDEFINED
    try:
        return _CALCULATE[sign](float(left), float(right))  # whole numbers would grow with every step
    except (ArithmeticError, ValueError):  # a division by zero, a number that is too large, the rest of infinity
        return UNDEFINED


def _called(name: str, arguments: list[Any]) -> Any:
    if name == "IS_DEFINED":
        return arguments[0] is not UNDEFINED
    text, start = arguments
    return text.startswith(start) if isinstance(text, str) and isinstance(start, str) else UNDEFINED
