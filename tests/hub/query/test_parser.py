"""From text to tree."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.query.parser import parse_condition, parse_query
from fwsm.hub.query.scanner import QueryError, QueryTooLongError
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

A, B, C = Path(("a",)), Path(("b",)), Path(("c",))
ONE, TWO = Literal(1), Literal(2)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("SELECT * FROM devices", Query(Collection.DEVICES)),
        ("select top 3 * from Devices.Modules", Query(Collection.MODULES, top=3)),
        ("SELECT * FROM devices.jobs WHERE devices.jobs.a = 1", Query(Collection.JOBS, where=Comparison("=", A, ONE))),
        (
            "SELECT deviceId, devices.tags.a AS x, tags.from FROM devices",
            Query(
                Collection.DEVICES,
                (
                    Column("deviceId", Path(("deviceId",))),
                    Column("x", Path(("tags", "a"))),
                    Column("from", Path(("tags", "from"))),
                ),
            ),
        ),
        (
            "SELECT a AS status, COUNT() AS n, max(b) FROM devices GROUP BY devices.a",
            Query(
                Collection.DEVICES,
                (Column("status", A), Column("n", Aggregate("COUNT", None)), Column("$3", Aggregate("MAX", B))),
                group_by=A,
            ),
        ),
        ("SELECT count FROM devices", Query(Collection.DEVICES, (Column("count", Path(("count",))),))),
    ],
)
def test_query_is_read(text: str, query: Query) -> None:
    """Keywords and collections in any case; a column without a name is called like its property."""
    assert parse_query(text) == query


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a OR b AND NOT c", Logical("OR", (A, Logical("AND", (B, Not(C)))))),
        ("(a OR b) AND c", Logical("AND", (Logical("OR", (A, B)), C))),
        ("NOT NOT a", A),
        ("a <> 1", Comparison("!=", A, ONE)),
        ("a + 1 * 2 - b > 1", Comparison(">", Arithmetic(A, (("+", Arithmetic(ONE, (("*", TWO),))), ("-", B))), ONE)),
        ("a = -1", Comparison("=", A, Negative(ONE))),
        ("a = - -1", Comparison("=", A, ONE)),
        ("a IN ['x', 1]", Membership(A, Array((Literal("x"), ONE)), negated=False)),
        ("a NIN []", Membership(A, Array(()), negated=True)),
        ("is_defined(a)", Call("IS_DEFINED", (A,))),
        ("STARTSWITH(a, 'x')", Call("STARTSWITH", (A, Literal("x")))),
        ("a = true", Comparison("=", A, Literal(True))),
        ("a = undefined", Comparison("=", A, Literal(UNDEFINED))),
        ("a = null", Comparison("=", A, Literal(None))),
        ("tags.[[group]].order.[[x.y]]", Path(("tags", "group", "order", "x.y"))),
        ("configurations.[[c-1]].status", Path(("configurations", "c-1", "status"))),
        ("properties.desired.$version", Path(("properties", "desired", "$version"))),
        ("*", None),
        (" * ", None),
    ],
)
def test_condition_is_read_by_rank(text: str, tree: Expression | None) -> None:
    """OR binds least, then AND, NOT, comparison, sum, product, sign."""
    assert parse_condition(text) == tree


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "expected SELECT, found the end, at character 1"),
        ("DELETE * FROM devices", "expected SELECT, found DELETE, at character 1"),
        ("SELECT FROM devices", "expected a name, found FROM, at character 8"),
        ("SELECT *", "expected , or FROM, found the end, at character 9"),
        ("SELECT * FROM", "expected a name, found the end, at character 14"),
        ("SELECT * FROM things", "there is no collection 'things'; there are devices, devices.modules, devices.jobs"),
        ("SELECT * FROM devices ORDER BY a", "expected the end, found ORDER, at character 23"),
        ("SELECT * FROM devices WHERE", "expected a name, found the end, at character 28"),
        ("SELECT * FROM devices WHERE a =", "expected a name, found the end, at character 32"),
        ("SELECT * FROM devices WHERE (a", "expected ), found the end, at character 31"),
        ("SELECT * FROM devices WHERE a = 1 = 2", "expected the end, found =, at character 35"),
        ("SELECT * FROM devices WHERE a IN [1,", "expected a name, found the end, at character 37"),
        ("SELECT * FROM devices GROUP a", "expected BY, found a, at character 29"),
        ("SELECT TOP 0 * FROM devices", "TOP takes a whole number from 1 to 2147483647, at character 12"),
        ("SELECT TOP 2147483648 * FROM devices", "TOP takes a whole number from 1 to 2147483647, at character 12"),
        ("SELECT TOP x * FROM devices", "TOP takes a whole number from 1 to 2147483647, at character 12"),
        ("SELECT AVG() AS n FROM devices", "AVG takes a property"),
        ("SELECT * FROM devices GROUP BY a", "SELECT * cannot be grouped: name the properties and the aggregates"),
        ("SELECT tags.a, COUNT() AS n FROM devices", "tags.a is neither an aggregate nor what GROUP BY names"),
        ("SELECT a FROM devices.jobs", "devices.jobs takes SELECT * only"),
        ("SELECT * FROM devices WHERE ABS(a) = 1", "there is no function ABS; there is IS_DEFINED, at character 29"),
        ("SELECT * FROM devices WHERE IS_DEFINED(1)", "IS_DEFINED takes a property, at character 29"),
        ("SELECT * FROM devices WHERE IS_DEFINED(a, b)", "IS_DEFINED takes 1 argument(s), not 2, at character 29"),
    ],
)
def test_what_is_no_query_is_refused_with_the_reason(text: str, fault: str) -> None:
    """The message says what was expected, what stands there, and where."""
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert str(caught.value) == fault


def test_condition_does_not_nest_without_bound() -> None:
    """Depth that would exhaust the stack is refused; length is no trouble."""
    for text in ("(" * 8000, "[ " * 1000, "IS_DEFINED(" * 700):
        with pytest.raises(QueryError, match="nests deeper than 50"):
            parse_condition(text)
    assert isinstance(parse_condition(" AND ".join(["a = 1"] * 800)), Logical)
    assert parse_condition("NOT " * 2000 + "a") == A


def test_text_has_a_length_that_is_too_much() -> None:
    """Where IoT Hub has been seen to refuse it, to the character; both a query and a condition that stands alone."""
    for read, start in ((parse_query, "SELECT * FROM devices WHERE "), (parse_condition, "")):
        longest = start + "a" * (8192 - len(start))
        read(longest)
        with pytest.raises(QueryTooLongError, match="8193 characters are more than 8192"):
            read(longest + "a")


@pytest.mark.parametrize("text", ["FROM devices.modules WHERE a", "select * from devices where a", "WHERE a"])
def test_condition_is_no_query(text: str) -> None:
    """Whoever writes one in its place is told what is wanted."""
    with pytest.raises(QueryError, match="expected a condition as it stands behind WHERE, found"):
        parse_condition(text)


_WORDS = (
    "SELECT TOP FROM WHERE GROUP BY AS AND OR NOT IN NIN COUNT SUM IS_DEFINED STARTSWITH devices devices.jobs deviceId "
    "tags.a [[x]] * ( ) [ ] , . = != < >= + - / % 1 0x1 2.5 'a' \"b\" true null undefined"
)
WORDS = st.sampled_from(_WORDS.split())


@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail in another way."""
    for read in (parse_query, parse_condition):
        with contextlib.suppress(QueryError):
            read(text)
