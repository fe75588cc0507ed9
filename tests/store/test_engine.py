"""The connection: its settings as SQLite reports them, its transactions, and what is said when it fails."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.errors import FwsmError, Kind, StoreDamagedError, StoreError, StoreFullError
from fwsm.store.engine import connect, look, transaction, translated, trouble
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

FULL, NORMAL = 2, 1

_ASIDE = "The agent sets the file aside and goes on with a new one; check the storage under it"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database will be."""
    return tmp_path / "fwsm.db"


@pytest.fixture
def connection(path: Path) -> Iterator[Connection]:
    """A connection to a database with one table."""
    connection = connect(path)
    with transaction(connection, "cannot make the table"):
        connection.exec_driver_sql("CREATE TABLE things (name TEXT UNIQUE)")
    yield connection
    connection.close()


def _pragma(connection: Connection, name: str) -> Any:
    with transaction(connection, "cannot look"):
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def _things(connection: Connection) -> list[str]:
    with transaction(connection, "cannot look"):
        return [str(row[0]) for row in connection.exec_driver_sql("SELECT name FROM things")]


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", FULL),
        ("page_size", 512),
        ("busy_timeout", 5000),
        ("wal_autocheckpoint", 512),
    ],
)
def test_setting_is_in_force(connection: Connection, name: str, value: object) -> None:
    """What the head of the module promises is what SQLite reports."""
    assert _pragma(connection, name) == value


def test_outbox_asks_for_less(path: Path, connection: Connection) -> None:
    """`synchronous` is a setting of the connection, so one file serves both."""
    second = connect(path, synchronous="NORMAL")
    assert _pragma(second, "synchronous") == NORMAL
    assert _pragma(connection, "synchronous") == FULL
    second.close()


def test_files_are_for_their_owner_only(path: Path, connection: Connection) -> None:
    """The database, its log and its index hold URIs that may be secrets, so the umask is not trusted."""
    connection.close()
    old = os.umask(0)
    try:
        again = connect(path.with_name("other.db"))
        with transaction(again, "cannot write"):
            again.exec_driver_sql("CREATE TABLE things (name TEXT)")
        files = list(path.parent.glob("other.db*"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
        again.close()
    finally:
        os.umask(old)
    assert modes == {"other.db": 0o600, "other.db-wal": 0o600, "other.db-shm": 0o600}


def test_any_path_is_taken_as_it_is(tmp_path: Path) -> None:
    """A question mark is no query, and a percent sign no escape."""
    path = tmp_path / "a?mode=ro#b%41 é.db"
    connect(path).close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_connection_serves_another_thread(connection: Connection) -> None:
    """It may be opened in one thread and used in another."""
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(_things(connection)))
    thread.start()
    thread.join(PATIENCE_S)
    assert found == [[]]


# -- transactions ------------------------------------------------------------------------------------------------------


def test_transaction_keeps_all_of_its_block(path: Path, connection: Connection) -> None:
    """When the block has ended, another connection sees what it did."""
    with transaction(connection, "cannot write"):
        connection.exec_driver_sql("INSERT INTO things VALUES ('a'), ('b')")
    second = connect(path)
    assert _things(second) == ["a", "b"]
    second.close()


@pytest.mark.parametrize("error", [ValueError("of the block"), KeyboardInterrupt()])
def test_transaction_keeps_nothing_of_a_block_that_fails(connection: Connection, error: BaseException) -> None:
    """A foreign error comes through as it is, and tables made in the block are gone as well as rows."""

    def write_and_fail() -> None:
        with transaction(connection, "cannot write"):
            connection.exec_driver_sql("INSERT INTO things VALUES ('a')")
            connection.exec_driver_sql("CREATE TABLE more (name TEXT)")
            raise error

    with pytest.raises(type(error)) as caught:
        write_and_fail()
    assert caught.value is error
    assert _things(connection) == []
    with pytest.raises(StoreError, match="no such table: more"), transaction(connection, "cannot look"):
        connection.exec_driver_sql("SELECT * FROM more")


def test_statement_that_fails_undoes_those_before_it(connection: Connection) -> None:
    """The error says what was being done, and the connection goes on working."""

    def write_twice() -> None:
        with transaction(connection, "cannot write the names"):
            connection.exec_driver_sql("INSERT INTO things VALUES ('a')")
            connection.exec_driver_sql("INSERT INTO things VALUES ('a')")

    with pytest.raises(StoreError) as caught:
        write_twice()
    assert str(caught.value).startswith("cannot write the names: UNIQUE constraint failed: things.name. ")
    assert isinstance(caught.value.__cause__, Exception)
    assert _things(connection) == []


def test_transaction_takes_the_write_lock_at_its_start(path: Path, connection: Connection) -> None:
    """Waiting is safe there; a reader that turns writer could be refused half-way."""
    second = sqlite3.connect(path, timeout=0, isolation_level=None)
    with transaction(connection, "cannot look"), pytest.raises(sqlite3.OperationalError, match="locked"):
        second.execute("BEGIN IMMEDIATE")
    second.execute("BEGIN IMMEDIATE")
    second.close()


def test_database_held_by_another_is_an_error_that_passes(path: Path, connection: Connection) -> None:
    """After the busy timeout nothing has changed, and once the other is gone the connection works again."""
    connection.exec_driver_sql("PRAGMA busy_timeout=1")
    connection.rollback()
    second = sqlite3.connect(path, isolation_level=None)
    second.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(StoreError, match="Another process holds the database") as caught:
            _things(connection)
        assert caught.value.kind is Kind.TRANSIENT
    second.close()
    assert _things(connection) == []


def test_full_database_is_an_error_that_passes(connection: Connection) -> None:
    """When the disk has room again, the same connection writes again."""
    size = _pragma(connection, "page_count")
    assert _pragma(connection, f"max_page_count={size}") == size
    with pytest.raises(StoreFullError, match=r"cannot write: the disk is full\. Free some space"):
        _fill(connection)
    assert _things(connection) == []
    _pragma(connection, "max_page_count=1000")
    _fill(connection)
    assert len(_things(connection)) == 1


def _fill(connection: Connection) -> None:
    with transaction(connection, "cannot write"):
        connection.exec_driver_sql(f"INSERT INTO things VALUES ('{'a' * 10_000}')")


# -- errors ------------------------------------------------------------------------------------------------------------


def _sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("in SQLite's words")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "cls", "fix"),
    [
        (_sqlite_error("SQLITE_FULL"), StoreFullError, "Free some space on it"),
        (_sqlite_error("SQLITE_IOERR_SHMSIZE"), StoreFullError, "Free some space on it"),
        (OSError(errno.ENOSPC, "No space left on device"), StoreFullError, "Free some space on it"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), StoreFullError, "Free some space on it"),
        (_sqlite_error("SQLITE_BUSY_SNAPSHOT"), StoreError, "Another process holds the database for long; end it"),
        (_sqlite_error("SQLITE_LOCKED"), StoreError, "Another process holds the database for long; end it"),
        (_sqlite_error("SQLITE_CORRUPT_INDEX"), StoreDamagedError, _ASIDE),
        (_sqlite_error("SQLITE_IOERR_READ"), StoreDamagedError, _ASIDE),
        (_sqlite_error("SQLITE_IOERR_SHORT_READ"), StoreDamagedError, _ASIDE),
        (sqlite3.OperationalError("Could not decode to UTF-8 column 'uri'"), StoreDamagedError, _ASIDE),
        (_sqlite_error("SQLITE_READONLY_DBMOVED"), StoreError, "Make the state directory writable"),
        (_sqlite_error("SQLITE_CANTOPEN"), StoreError, "Check that the state directory exists and is writable"),
        (_sqlite_error("SQLITE_IOERR_FSYNC"), StoreError, "Check the disk and its permissions"),
        (sqlite3.OperationalError("without a name"), StoreError, "Check the disk and its permissions"),
        (OSError(errno.EACCES, "Permission denied"), StoreError, "Check the disk and its permissions"),
    ],
    ids=str,
)
def test_error_says_what_to_do(error: Exception, cls: type[FwsmError], fix: str) -> None:
    """Each family of SQLite's codes, and the operating system's errors, have their remedy."""
    with pytest.raises(StoreError) as caught, translated("cannot write"):
        raise error
    assert type(caught.value) is cls
    assert (caught.value.what, caught.value.fix) == ("cannot write", fix)
    assert caught.value.why
    assert caught.value.__cause__ is error


def test_foreign_error_is_left_alone() -> None:
    """A bug must not look like a bad disk."""
    with pytest.raises(ZeroDivisionError), translated("cannot write"):
        raise ZeroDivisionError


def test_file_that_is_no_database_is_named(path: Path) -> None:
    """Nothing is written over it."""
    content = b"a letter to a friend\n" * 100
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        connect(path)
    assert str(caught.value) == f"cannot open the database {path}: file is not a database. {_ASIDE}"
    assert path.read_bytes() == content


def test_damaged_page_is_named(path: Path, connection: Connection) -> None:
    """The schema's own page is overwritten; the header is left."""
    connection.close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 900)
    with pytest.raises(StoreError, match=_ASIDE):
        _things(connect(path))


def test_write_protected_database_is_named(connection: Connection) -> None:
    """The write lock is asked for at the start, so it shows before anything was done."""
    connection.exec_driver_sql("PRAGMA query_only=1")
    connection.rollback()
    with pytest.raises(StoreError, match="Make the state directory writable"), transaction(connection, "cannot write"):
        connection.exec_driver_sql("INSERT INTO things VALUES ('a')")


def test_log_that_cannot_be_opened_is_named(path: Path) -> None:
    """The directory matters as much as the file."""
    path.with_name("fwsm.db-wal").mkdir()
    with pytest.raises(StoreError, match="Check the disk and its permissions"):
        connect(path)


def test_whoever_comes_beside_makes_no_database(tmp_path: Path) -> None:
    """An empty one would have to be set aside before a new one is made."""
    with pytest.raises(StoreError, match="unable to open database file"):
        connect(tmp_path / "fwsm.db", make=False)
    assert list(tmp_path.iterdir()) == []


def test_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A directory in the file's place, or no directory at all."""
    for path in (tmp_path, tmp_path / "missing" / "fwsm.db"):
        with pytest.raises(StoreError, match="cannot open the database") as caught:
            connect(path)
        assert caught.value.fix


# -- connections that are of no use any more ---------------------------------------------------------------------------


def _write_name(connection: Connection) -> None:
    with transaction(connection, "cannot write"):
        connection.exec_driver_sql("INSERT INTO things VALUES ('a')")


def test_a_connection_that_can_only_read_is_trouble(path: Path, connection: Connection) -> None:
    """It stays so, whatever becomes of the disk; a new one may write."""
    reading = look(path)
    with pytest.raises(StoreError, match="cannot write: attempt to write a readonly database") as caught:
        _write_name(reading)
    assert trouble(reading) is caught.value
    reading.close()
    assert trouble(connection) is None


def test_a_transaction_that_may_succeed_later_is_no_trouble(connection: Connection) -> None:
    """The connection is used again."""
    with pytest.raises(StoreError, match="UNIQUE"), transaction(connection, "cannot write"):
        connection.exec_driver_sql("INSERT INTO things VALUES ('a'), ('a')")
    assert trouble(connection) is None
