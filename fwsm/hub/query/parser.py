"""From text to tree, by recursive descent: a method a rule, weakest operator first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.query.scanner import Kind, QueryError, QueryTooLongError, scan
from fwsm.hub.query.syntax import (
    UNDEFINED,
    Aggregate,
    Arithmetic,
    Array,
    Call,
    Collection,
    Column,
    Comparison,
    Expression,
    Literal,
    Logical,
    Membership,
    Negative,
    Not,
    Path,
    Query,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.query.scanner import Token

__all__ = ["check_length", "parse_condition", "parse_query"]

_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_AGGREGATES = ("COUNT", "AVG", "SUM", "MIN", "MAX")
# How many arguments each function takes. The documentation has IS_DEFINED alone; operators' tools use STARTSWITH.
_FUNCTIONS = {"IS_DEFINED": 1, "STARTSWITH": 2, "STARTS_WITH": 2}
_COMPARISONS = ("=", "!=", "<>", "<", ">", "<=", ">=")
_MEMBERSHIPS = ("IN", "NIN")
# Words that begin or join parts of a query; a property of that name is written [[name]].
_RESERVED = {"SELECT", "TOP", "FROM", "WHERE", "GROUP", "BY", "AS", "AND", "OR", "NOT", *_MEMBERSHIPS}
# Where the service has been seen to stop; its documentation names no limit.
_MOST_CHARS = 8192
_MAX_DEPTH = 50
_MOST_ROWS = 2**31 - 1


def check_length(text: str) -> None:
    """Raise QueryTooLongError if `text` is longer than a query or a condition may be."""
    if len(text) > _MOST_CHARS:
        raise QueryTooLongError(len(text), _MOST_CHARS)


def parse_query(text: str) -> Query:
    """Return the query that `text` says; raises QueryError."""
    check_length(text)
    parser = _Parser(text)
    query = parser.query()
    parser.end()
    return query


def parse_condition(text: str, collection: Collection = Collection.DEVICES) -> Expression | None:
    """Return the condition that stands alone in `text`, as behind WHERE; None for `*`, which everything meets.

    Raises:
        QueryError: it is none.
    """
    check_length(text)
    if text.strip() == "*":
        return None
    parser = _Parser(text, collection)
    parser.begins_with_a_condition()
    condition = parser.condition()
    parser.end()
    return condition


class _Parser:
    def __init__(self, text: str, collection: Collection = Collection.DEVICES) -> None:
        self._tokens = scan(text)
        self._at = 0
        self._depth = 0
        self._collection = collection

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def _is(self, *wanted: str) -> bool:
        """Say whether the next token is one of these words (in any case) or symbols."""
        return self._next.kind in {Kind.WORD, Kind.SYMBOL} and self._next.text.upper() in wanted

    def _accept(self, *wanted: str) -> str | None:
        return self._take().text.upper() if self._is(*wanted) else None

    def _expect(self, *wanted: str) -> None:
        if not self._accept(*wanted):
            self._refuse(" or ".join(wanted))

    def _refuse(self, expected: str) -> None:
        raise QueryError(f"expected {expected}, found {self._next.text[:40]}", self._next.at)

    def end(self) -> None:
        if self._next.kind is not Kind.END:
            self._refuse("the end")

    def begins_with_a_condition(self) -> None:
        if self._is("SELECT", "FROM", "WHERE"):
            self._refuse("a condition as it stands behind WHERE")

    # ── the query ──

    def query(self) -> Query:
        self._expect("SELECT")
        top, columns = self._top(), self._columns()
        if not self._accept("FROM"):
            self._refuse(", or FROM")
        self._collection = self._source()
        if columns is not None:
            columns = tuple(column.within(self._collection) for column in columns)
        where = self.condition() if self._accept("WHERE") else None
        group_by = self._grouping() if self._accept("GROUP") else None
        query = Query(self._collection, columns, where, group_by, top)
        _check(query)
        return query

    def _source(self) -> Collection:
        name = self._name().lower()
        if self._accept("."):
            name += f".{self._name().lower()}"
        try:
            return Collection(name)
        except ValueError:
            choices = ", ".join(collection.value for collection in Collection)
            raise QueryError(f"there is no collection {name[:40]!r}; there are {choices}") from None

    def _top(self) -> int | None:
        if not self._accept("TOP"):
            return None
        token = self._take()
        if token.kind is not Kind.NUMBER or not isinstance(token.value, int) or not 1 <= token.value <= _MOST_ROWS:
            raise QueryError(f"TOP takes a whole number from 1 to {_MOST_ROWS}", token.at)
        return token.value

    def _columns(self) -> tuple[Column, ...] | None:
        if self._accept("*"):
            return None
        columns = [self._column(1)]
        while self._accept(","):
            columns.append(self._column(len(columns) + 1))
        return tuple(columns)

    def _column(self, number: int) -> Column:
        value = self._aggregate() if self._is(*_AGGREGATES) and self._is_call() else self._name_path()
        if self._accept("AS"):
            return Column(self._name(), value)
        return Column(value.segments[-1] if isinstance(value, Path) else f"${number}", value)

    def _aggregate(self) -> Aggregate:
        function = self._take().text.upper()
        self._expect("(")
        path = None if self._is(")") else self._name_path()
        self._expect(")")
        if path is None and function != "COUNT":
            raise QueryError(f"{function} takes a property")
        return Aggregate(function, path)

    def _grouping(self) -> Path:
        self._expect("BY")
        return self._path()

    # ── conditions and values ──

    def condition(self) -> Expression:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise QueryError(f"the condition nests deeper than {_MAX_DEPTH}", self._next.at)
        condition = self._joined("OR", lambda: self._joined("AND", self._negation))
        self._depth -= 1
        return condition

    def _joined(self, operator: str, operand: Callable[[], Expression]) -> Expression:
        operands = [operand()]
        while self._accept(operator):
            operands.append(operand())
        return operands[0] if len(operands) == 1 else Logical(operator, tuple(operands))

    def _negation(self) -> Expression:
        negated = False
        while self._accept("NOT"):
            negated = not negated
        operand = self._comparison()
        return Not(operand) if negated else operand

    def _comparison(self) -> Expression:
        left = self._sum()
        if operator := self._accept(*_COMPARISONS):
            return Comparison("!=" if operator == "<>" else operator, left, self._sum())
        if operator := self._accept(*_MEMBERSHIPS):
            return Membership(left, self._sum(), negated=operator == "NIN")
        return left

    def _sum(self) -> Expression:
        return self._calculated(("+", "-"), lambda: self._calculated(("*", "/", "%"), self._signed))

    def _calculated(self, operators: tuple[str, ...], operand: Callable[[], Expression]) -> Expression:
        first, steps = operand(), []
        while operator := self._accept(*operators):
            steps.append((operator, operand()))
        return Arithmetic(first, tuple(steps)) if steps else first

    def _signed(self) -> Expression:
        negative = False
        while sign := self._accept("-", "+"):
            negative ^= sign == "-"
        operand = self._operand()
        return Negative(operand) if negative else operand

    def _operand(self) -> Expression:
        if self._next.kind in {Kind.STRING, Kind.NUMBER}:
            return Literal(self._take().value)
        if self._accept("("):
            inner = self.condition()
            self._expect(")")
            return inner
        if self._accept("["):
            return Array(self._list("]"))
        if self._next.kind is Kind.WORD and self._is_call():
            return self._call()
        if self._is(*_CONSTANTS):
            return Literal(_CONSTANTS[self._take().text.upper()])
        return self._path()

    def _is_call(self) -> bool:
        return self._tokens[self._at + 1].text == "("

    def _call(self) -> Call:
        token = self._take()
        name = token.text.upper()
        if name not in _FUNCTIONS:
            raise QueryError(f"there is no function {token.text[:40]}; there is IS_DEFINED", token.at)
        self._expect("(")
        arguments = self._list(")")
        if len(arguments) != _FUNCTIONS[name]:
            raise QueryError(f"{name} takes {_FUNCTIONS[name]} argument(s), not {len(arguments)}", token.at)
        if name == "IS_DEFINED" and not isinstance(arguments[0], Path):
            raise QueryError("IS_DEFINED takes a property", token.at)
        return Call(name, arguments)

    def _list(self, closing: str) -> tuple[Expression, ...]:
        """Return what stands between here and `closing`, separated by commas."""
        if self._accept(closing):
            return ()
        items = [self.condition()]
        while self._accept(","):
            items.append(self.condition())
        self._expect(closing)
        return tuple(items)

    def _path(self) -> Path:
        return self._name_path().within(self._collection)

    def _name_path(self) -> Path:
        segments = [self._name()]
        while self._accept("."):
            segments.append(self._name())
        return Path(tuple(segments))

    def _name(self) -> str:
        """Return a name; a reserved word is one behind a dot, and in double brackets."""
        behind_dot = self._at > 0 and self._tokens[self._at - 1].text == "."
        reserved = self._next.text.upper() in _RESERVED and not behind_dot
        if self._next.kind is Kind.QUOTED or (self._next.kind is Kind.WORD and not reserved):
            return str(self._take().value)
        raise QueryError(f"expected a name, found {self._next.text[:40]}", self._next.at)


def _check(query: Query) -> None:
    """Refuse what the grammar allows and the hub does not know; raises QueryError."""
    if query.collection is Collection.JOBS and (query.columns is not None or query.group_by is not None):
        raise QueryError("devices.jobs takes SELECT * only")
    if query.group_by is not None and query.columns is None:
        raise QueryError("SELECT * cannot be grouped: name the properties and the aggregates")
    if not query.grouped:
        return
    for column in query.columns or ():
        if isinstance(column.value, Path) and column.value != query.group_by:
            raise QueryError(f"{'.'.join(column.value.segments)} is neither an aggregate nor what GROUP BY names")
