"""IoT Hub's query language for twins and jobs, without the hub: text to tree, tree and documents to rows. Pure.

    SELECT [TOP n] * | path [AS name], … | COUNT() AS n, … FROM devices [WHERE condition] [GROUP BY path]

    scanner       text -> tokens
    parser        tokens -> syntax (the tree)
    evaluation    the value of an expression on one document
    selection     the rows of a query over many documents

Source: "IoT Hub query language for device and module twins, jobs, and message routing".
"""

from __future__ import annotations

from fwsm.hub.query.evaluation import holds
from fwsm.hub.query.parser import check_length, parse_condition, parse_query
from fwsm.hub.query.scanner import QueryError, QueryTooLongError
from fwsm.hub.query.selection import rows
from fwsm.hub.query.syntax import Collection, Expression, Query

__all__ = [
    "Collection",
    "Expression",
    "Query",
    "QueryError",
    "QueryTooLongError",
    "check_length",
    "holds",
    "parse_condition",
    "parse_query",
    "rows",
]
