"""The rows of a query: which documents count, what of them is shown, how they are grouped."""

from __future__ import annotations

import json
import math
from itertools import islice
from typing import TYPE_CHECKING, Any

from fwsm.hub.query.evaluation import holds, kind_of, value_at
from fwsm.hub.query.syntax import UNDEFINED, Path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fwsm.hub.query.syntax import Aggregate, Query

__all__ = ["rows"]


def rows(query: Query, documents: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the rows of `query` over `documents`, in their order; what is undefined has no key in a row.

    Documents are taken one by one as rows are asked for, unless the query groups them.
    """
    matching = (document for document in documents if holds(query.where, document))
    return islice(_grouped(query, matching) if query.grouped else _plain(query, matching), query.top)


def _plain(query: Query, documents: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for document in documents:
        yield document if query.columns is None else _row(query, [document])


def _grouped(query: Query, documents: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    if query.group_by is None:
        groups[""] = list(documents)
    else:
        for document in documents:
            value = value_at(query.group_by.segments, document)
            label = "" if value is UNDEFINED else json.dumps(value, sort_keys=True)
            groups.setdefault(label, []).append(document)
    for group in groups.values():
        yield _row(query, group)


def _row(query: Query, group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the row of a group; a property has the same value in all of it."""
    row = {}
    for column in query.columns or ():
        at = column.value
        value = value_at(at.segments, group[0]) if isinstance(at, Path) else _aggregated(at, group)
        if value is not UNDEFINED:
            row[column.name] = value
    return row


def _aggregated(aggregate: Aggregate, group: Sequence[Mapping[str, Any]]) -> Any:
    if aggregate.path is None:
        return len(group)
    values = [value_at(aggregate.path.segments, document) for document in group]
    if aggregate.function == "COUNT":
        return sum(value is not UNDEFINED for value in values)
    if aggregate.function in {"MIN", "MAX"}:
        return _extreme(aggregate.function, values)
    numbers = [value for value in values if kind_of(value) == "number"]
    if not numbers:
        return UNDEFINED
    total = sum(numbers)
    outcome = total if aggregate.function == "SUM" else total / len(numbers)
    return outcome if math.isfinite(outcome) else UNDEFINED


def _extreme(function: str, values: list[Any]) -> Any:
    """Return the least or the largest number; of strings, if there are no numbers."""
    for kind in ("number", "string"):
        if candidates := [value for value in values if kind_of(value) == kind]:
            return min(candidates) if function == "MIN" else max(candidates)
    return UNDEFINED
