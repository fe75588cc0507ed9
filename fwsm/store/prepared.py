"""Statements that are turned into SQL once, and transactions around them.

A statement is written with SQLAlchemy's Core, so that it names tables and columns that exist. What SQLAlchemy does with
it at every execution (compile, cache, contexts, events) costs more than SQLite itself; a device does the same dozen
statements for years. So each is compiled when it is first used, and then handed to the driver's connection, which
SQLAlchemy holds for us. It took the time of a durable state from three times that of bare `sqlite3` to half as much
again.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite.pysqlite import dialect

from fwsm.store.engine import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Executable, Table

__all__ = ["Prepared", "driver_of", "inserted", "reading", "writing"]

_DIALECT: Final = dialect()


class Prepared:
    """One statement.

    Args:
        statement: of SQLAlchemy's Core; what changes from call to call is a `bindparam` with a name.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement

    def run(self, driver: sqlite3.Connection, values: Mapping[str, Any] | None = None) -> sqlite3.Cursor:
        """Execute it; `values` by the names of its parameters."""
        sql, names, fixed = self._compiled
        known = {**fixed, **values} if fixed and values else values or fixed
        return driver.execute(sql, [known[name] for name in names])

    def rows(self, driver: sqlite3.Connection, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Execute it, and return what it finds, each row by the names of its columns."""
        cursor = self.run(driver, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        """The SQL, the names of its parameters in their order, and the values that are always the same."""
        compiled = self._statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]  # every executable clause has it
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return str(compiled), tuple(compiled.positiontup), fixed


def inserted(table: Table) -> Prepared:
    """The insertion of a row into a table that numbers its rows; one parameter for every other column."""
    return Prepared(table.insert().values({c.name: bindparam(c.name) for c in table.c if c.name != "number"}))


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's connection behind ours."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # the engine is made for it
    return driver


@contextmanager
def reading(connection: Connection, doing: str) -> Iterator[sqlite3.Connection]:
    """One statement that reads, or several that need not see the same moment.

    Args:
        connection: the held connection.
        doing: what the block does, for the error message: "cannot …".

    Raises:
        StoreError: it cannot be read.
    """
    with translated(doing, connection):
        yield driver_of(connection)


@contextmanager
def writing(connection: Connection, doing: str) -> Iterator[sqlite3.Connection]:
    """All of the block or nothing of it, durable when the block ends.

    Args:
        connection: the held connection.
        doing: what the block does, for the error message: "cannot …".

    Raises:
        StoreError: nothing of the block has been kept.
    """
    with translated(doing, connection):
        driver = driver_of(connection)
        driver.execute("BEGIN IMMEDIATE")
        try:
            yield driver
            driver.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
                driver.rollback()
            raise
