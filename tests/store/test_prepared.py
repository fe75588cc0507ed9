"""Statements that are compiled once, and the transactions around them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, select

from fwsm.errors import StoreError
from fwsm.store.engine import connect
from fwsm.store.prepared import Prepared, driver_of, inserted, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

THINGS = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("colour", Text),
)
INSERT = inserted(THINGS)
ALL = Prepared(select(THINGS).order_by(THINGS.c.number))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A connection to a database with a table."""
    connection = connect(tmp_path / "fwsm.db")
    driver_of(connection).execute("CREATE TABLE things (number INTEGER PRIMARY KEY, name TEXT NOT NULL, colour TEXT)")
    yield connection
    connection.close()


def test_rows_come_back_by_the_names_of_their_columns(connection: Connection) -> None:
    """An insertion takes all columns but the number."""
    with writing(connection, "cannot write") as driver:
        INSERT.run(driver, {"name": "a", "colour": None})
        INSERT.run(driver, {"colour": "red", "name": "b"})
    assert ALL.rows(driver_of(connection)) == [
        {"number": 1, "name": "a", "colour": None},
        {"number": 2, "name": "b", "colour": "red"},
    ]


def test_what_a_statement_fixes_itself_is_not_asked_for(connection: Connection) -> None:
    """A limit, or a value that is always the same; those that change are given by name, whatever their order."""
    fixed = Prepared(THINGS.insert().values(name="always", colour=bindparam("colour")))
    found = Prepared(
        select(THINGS.c.number).where(THINGS.c.colour == bindparam("colour"), THINGS.c.name == "always").limit(1)
    )
    with writing(connection, "cannot write") as driver:
        for colour in ("red", "blue", "blue"):
            fixed.run(driver, {"colour": colour})
    assert found.rows(driver_of(connection), {"colour": "blue"}) == [{"number": 2}]


def test_a_block_that_raises_leaves_nothing(connection: Connection) -> None:
    """Whatever it raises, also what is no Exception; the next block works."""
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            _insert(connection, "a", error)
    with pytest.raises(StoreError, match="cannot write: NOT NULL constraint failed"):
        _insert(connection, None)
    assert ALL.rows(driver_of(connection)) == []
    _insert(connection, "a")
    assert len(ALL.rows(driver_of(connection))) == 1


def test_a_transaction_that_the_database_has_ended_itself_is_an_error_like_any_other(connection: Connection) -> None:
    """After some errors SQLite rolls back by itself."""
    driver_of(connection).execute(
        "CREATE TRIGGER broken BEFORE INSERT ON things BEGIN SELECT RAISE(ROLLBACK, 'broken on purpose'); END"
    )
    with pytest.raises(StoreError, match="cannot write: broken on purpose"):
        _insert(connection, "a")
    assert not driver_of(connection).in_transaction


def test_what_was_written_is_seen_by_others_when_the_block_has_ended(connection: Connection, tmp_path: Path) -> None:
    """And not before."""
    other = sqlite3.connect(tmp_path / "fwsm.db")
    with writing(connection, "cannot write") as driver:
        INSERT.run(driver, {"name": "a", "colour": None})
        assert other.execute("SELECT count(*) FROM things").fetchone() == (0,)
    assert other.execute("SELECT count(*) FROM things").fetchone() == (1,)
    other.close()


def _insert(connection: Connection, name: str | None, error: type[BaseException] | None = None) -> None:
    with writing(connection, "cannot write") as driver:
        INSERT.run(driver, {"name": name, "colour": None})
        if error is not None:
            raise error
