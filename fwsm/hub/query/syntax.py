"""The tree that a query is read into."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

__all__ = [
    "UNDEFINED",
    "Aggregate",
    "Arithmetic",
    "Array",
    "Call",
    "Collection",
    "Column",
    "Comparison",
    "Expression",
    "Literal",
    "Logical",
    "Membership",
    "Negative",
    "Not",
    "Path",
    "Query",
]


class _Undefined(enum.Enum):
    UNDEFINED = "undefined"


UNDEFINED: Final = _Undefined.UNDEFINED
"""The value of a property that is not there, and of an operation that makes no sense."""


class Collection(enum.Enum):
    """What can be asked about; the value is its name behind FROM."""

    DEVICES = "devices"
    MODULES = "devices.modules"
    JOBS = "devices.jobs"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: a string, a number, true, false, null, or `UNDEFINED`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """A property of the document, from its top."""

    segments: tuple[str, ...]

    def within(self, collection: Collection) -> Path:
        """Return this path without the collection's own name, which may stand in front of every property."""
        prefix = collection.value.split(".")
        own = [segment.lower() for segment in self.segments[: len(prefix)]]
        return Path(self.segments[len(prefix) :]) if own == prefix and len(self.segments) > len(prefix) else self


@dataclass(frozen=True, slots=True)
class Array:
    """`[a, b, …]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments; `name` is in upper case."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """`-a`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`a + b - c`, or `a * b / c % d`: operators of one rank, from left to right."""

    first: Expression
    steps: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a = b` and its like; `<>` has become `!=`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Membership:
    """`a IN [b, c]`, or NIN when `negated`."""

    item: Expression
    array: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT a`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Logical:
    """`a AND b AND c`, or the same with OR."""

    operator: str
    operands: tuple[Expression, ...]


Expression: TypeAlias = Literal | Path | Array | Call | Negative | Arithmetic | Comparison | Membership | Not | Logical


@dataclass(frozen=True, slots=True)
class Aggregate:
    """COUNT, AVG, SUM, MIN or MAX of what the group has at `path`; None counts documents."""

    function: str
    path: Path | None

    def within(self, collection: Collection) -> Aggregate:
        """Return this aggregate with its path `within` a collection."""
        return Aggregate(self.function, self.path and self.path.within(collection))


@dataclass(frozen=True, slots=True)
class Column:
    """One item of the list behind SELECT, and the name that it has in a row."""

    name: str
    value: Path | Aggregate

    def within(self, collection: Collection) -> Column:
        """Return this column with its path `within` a collection."""
        return Column(self.name, self.value.within(collection))


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query.

    Attributes:
        columns: None for `*`.
        where: None when every document counts.
        top: the most rows, None for all.
    """

    collection: Collection
    columns: tuple[Column, ...] | None = None
    where: Expression | None = None
    group_by: Path | None = None
    top: int | None = None

    @property
    def grouped(self) -> bool:
        """Whether rows stand for groups of documents, not for documents."""
        return self.group_by is not None or any(isinstance(column.value, Aggregate) for column in self.columns or ())
