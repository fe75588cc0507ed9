"""The connection to the database, and why each setting is as it is.

- `journal_mode=WAL`: one fsync a commit instead of three or four, and readers never wait for the writer.
- `synchronous=FULL` for the agent: with NORMAL, a power cut in WAL mode loses acknowledged commits. The outbox's
  cursor may be lost, because a report sent twice does no harm, so its connection uses NORMAL: no fsync.
- `page_size=1024`: a commit writes whole pages, and a record fits in one; a quarter of the flash wear of 4096.
- Driver in autocommit, transactions begun by us with BEGIN IMMEDIATE: Python's sqlite3 begins none before DDL, so a
  migration that fails half-way would leave its tables behind; and IMMEDIATE takes the write lock at the start, where
  waiting for it is safe.
- `busy_timeout`: the agent and the reporter write from two connections; each transaction takes milliseconds.
- One held connection per owner and prebuilt Core statements: measured four times as fast as a pool and ORM sessions.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from fwsm.errors import StoreDamagedError, StoreError, StoreFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

__all__ = ["connect", "damage", "noticed", "transaction", "translated"]

_DAMAGE: Final = "fwsm.damage"

_BUSY_TIMEOUT_MS = 5000
# Up to 256 pages of 1 KiB stay in the WAL before they are moved: a whole update's writes, moved once.
_AUTOCHECKPOINT_PAGES = 256


def connect(path: Path, *, synchronous: str = "FULL") -> Connection:
    """Open the database file, made with mode 0600 if it is missing, and hold one connection to it.

    Close it with `connection.close()`. It may be used by another thread than the one that opened it, by one at a time.

    Raises:
        StoreError: the file cannot be opened, or is no database.
    """
    with translated(f"cannot open the database {path}"):
        _make_private(path)
        return _engine(path, synchronous).connect()


def _make_private(path: Path) -> None:
    """Make the file with mode 0600, unless it is there.

    A file that is there is not opened, not even for a moment: closing a second descriptor drops the locks that this
    process holds on it through SQLite (POSIX). Another process would then take itself for the last one, and remove the
    write-ahead log under our feet.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _engine(path: Path, synchronous: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),  # not a text: a `?` in the path would begin a query
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def configure(driver: Any, _record: object) -> None:
        driver.isolation_level = None
        cursor = driver.cursor()
        cursor.execute("PRAGMA page_size=1024")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={_AUTOCHECKPOINT_PAGES}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def transaction(connection: Connection, doing: str) -> Iterator[Connection]:
    """All of the block or nothing of it, durable when the block ends.

    Args:
        connection: the held connection.
        doing: what the block does, for the error message: "cannot …".

    Raises:
        StoreError: nothing of the block has been kept.
    """
    with noticed(connection), translated(doing), connection.begin():
        yield connection


@contextmanager
def noticed(connection: Connection) -> Iterator[None]:
    """Keep in mind what is found damaged, for `damage`."""
    try:
        yield
    except StoreDamagedError as error:
        connection.info[_DAMAGE] = error
        raise


def damage(connection: Connection) -> StoreDamagedError | None:
    """What a transaction on this connection has found damaged; None if nothing."""
    found: StoreDamagedError | None = connection.info.get(_DAMAGE)
    return found


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what SQLite and the operating system raise into StoreError."""
    try:
        yield
    except DBAPIError as error:
        raise _store_error(doing, error.orig or error) from error
    except (sqlite3.Error, OSError) as error:
        raise _store_error(doing, error) from error


# The second is what SQLite calls it when the file of shared memory beside the database cannot grow.
_NO_ROOM: Final = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
# SQLITE_ERROR is what a missing table or column comes to. A page that the disk does not give back is as good as lost.
_DAMAGED: Final = (
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
    "SQLITE_ERROR",
    "SQLITE_IOERR_READ",
    "SQLITE_IOERR_CORRUPTFS",
    "SQLITE_IOERR_DATA",
)
_NO_TEXT: Final = "Could not decode to UTF-8"  # what Python says of a text that is none; it has no name


def _store_error(doing: str, error: BaseException) -> StoreError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(_NO_ROOM) or getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
        return StoreFullError(doing, why="the disk is full", fix="Free some space on it")
    if name.startswith(_DAMAGED) or str(error).startswith(_NO_TEXT):
        fix = "The agent sets the file aside and goes on with a new one; check the storage under it"
        return StoreDamagedError(doing, why=str(error), fix=fix)
    fixes = {
        "SQLITE_BUSY": "Another process holds the database for long; end it",
        "SQLITE_LOCKED": "Another process holds the database for long; end it",
        "SQLITE_READONLY": "Make the state directory writable",
        "SQLITE_CANTOPEN": "Check that the state directory exists and is writable",
    }
    fix = next(
        (text for prefix, text in fixes.items() if name.startswith(prefix)), "Check the disk and its permissions"
    )
    return StoreError(doing, why=str(error), fix=fix)
