"""The connection to the database, and why each setting is as it is.

- `journal_mode=WAL`: one fsync a commit instead of three or four, and readers never wait for the writer.
- `synchronous=FULL` for the agent: with NORMAL, a power cut in WAL mode loses acknowledged commits. The outbox's
  cursor may be lost, because a report sent twice does no harm, so its connection uses NORMAL: no fsync.
- `page_size=512`: a commit writes whole pages, each with what has changed of a record of some hundred bytes; so the
  smallest wear out the flash least. A database that was made with larger ones keeps them.
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
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from fwsm.errors import StoreDamagedError, StoreError, StoreFullError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

__all__ = ["connect", "look", "transaction", "translated", "trouble"]

_TROUBLE: Final = "fwsm.trouble"
_LOOKS: Final = "fwsm.looks"

_BUSY_TIMEOUT_MS = 5000
# So many pages, 256 KiB, stay in the WAL before they are moved: what a dozen updates write, each page moved once.
_AUTOCHECKPOINT_PAGES = 512


def connect(path: Path, *, synchronous: str = "FULL", make: bool = True) -> Connection:
    """Open the database file, and hold one connection to it; one that is missing is made with mode 0600, or refused.

    Close it with `connection.close()`. It may be used by another thread than the one that opened it, by one at a time.

    Raises:
        StoreError: the file cannot be opened, or is no database.
    """
    with translated(f"cannot open the database {path}"):
        if make:
            _make_private(path)
        settings = (
            "page_size=512",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            f"wal_autocheckpoint={_AUTOCHECKPOINT_PAGES}",
        )
        return _engine(lambda: _driver(path, "mode=rw"), settings).connect()


def look(path: Path) -> Connection:
    """Open a database file to read only; nothing of it is changed, and nobody is kept waiting.

    It works beside a running agent, and on a disk that is read-only.

    Raises:
        StoreError: the file cannot be opened, or is no database.
    """
    doing = f"cannot open the database {path}"
    try:
        with translated(doing):
            connection = _engine(lambda: _read_only_driver(path), ()).connect()
    except StoreDamagedError as error:
        raise _seen_in_looking(error) from error
    connection.info[_LOOKS] = True
    return connection


def _make_private(path: Path) -> None:
    """Make the file with mode 0600, unless it is there.

    A file that is there is not opened, not even for a moment: closing a second descriptor drops the locks that this
    process holds on it through SQLite (POSIX). Another process would then take itself for the last one, and remove the
    write-ahead log under our feet.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _driver(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=_BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )


def _read_only_driver(path: Path) -> sqlite3.Connection:
    """A driver's connection that cannot write.

    To read a log, SQLite needs its index, a file that it would have to make on a disk that it cannot write. Without a
    log there is nothing to index: whoever had the database open has moved all into it, and nobody has it open now.
    """
    driver = _driver(path, "mode=ro")
    try:
        driver.execute("SELECT 1 FROM sqlite_master")
    except sqlite3.OperationalError as error:
        driver.close()
        if not error.sqlite_errorname.startswith("SQLITE_CANTOPEN") or path.with_name(f"{path.name}-wal").exists():
            raise
        return _driver(path, "immutable=1")
    return driver


def _engine(driver: Callable[[], sqlite3.Connection], settings: tuple[str, ...]) -> Engine:
    engine = create_engine("sqlite://", creator=driver, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def configure(driver: sqlite3.Connection, _record: object) -> None:
        for setting in settings:
            driver.execute(f"PRAGMA {setting}")

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
    with translated(doing, connection), connection.begin():
        yield connection


def trouble(connection: Connection) -> StoreError | None:
    """Why this connection is of no use any more; None if it is."""
    found: StoreError | None = connection.info.get(_TROUBLE)
    return found


@contextmanager
def translated(doing: str, connection: Connection | None = None) -> Iterator[None]:
    """Turn what SQLite and the operating system raise into StoreError.

    Args:
        doing: what the block does, for the error message: "cannot …".
        connection: what it is done on. For `trouble`, it is kept in mind what another try on it would not help against:
            damage, and that it can only read. SQLite opens a connection so without a word if the disk fails just then,
            and so it stays after the disk is well again. Whoever only looks is not told what the agent does.
    """
    try:
        yield
    except StoreDamagedError as error:
        if _looks(connection):
            raise _seen_in_looking(error) from error
        _keep_in_mind(connection, error)
        raise
    except (DBAPIError, sqlite3.Error, OSError) as error:
        cause = (error.orig or error) if isinstance(error, DBAPIError) else error
        translation = _store_error(doing, cause)
        if isinstance(translation, StoreDamagedError) or _name(cause).startswith("SQLITE_READONLY"):
            _keep_in_mind(connection, translation)
        if isinstance(translation, StoreDamagedError) and _looks(connection):
            raise _seen_in_looking(translation) from error
        raise translation from error


def _looks(connection: Connection | None) -> bool:
    """Whether it is one of somebody who changes nothing."""
    return connection is not None and _LOOKS in connection.info


def _seen_in_looking(error: StoreDamagedError) -> StoreDamagedError:
    """The same, in words for whoever only looks."""
    fix = (
        "Nothing was changed. If a newer program has written the file, look with that one; "
        "if not, the storage under it is going bad"
    )
    return StoreDamagedError(error.what, why=error.why, fix=fix)


def _keep_in_mind(connection: Connection | None, error: StoreError) -> None:
    if connection is not None:
        connection.info[_TROUBLE] = error


def _name(error: BaseException) -> str:
    """What SQLite calls an error; empty if it is none of SQLite's."""
    return getattr(error, "sqlite_errorname", "") or ""


# The second is what SQLite calls it when the file of shared memory beside the database cannot grow.
_NO_ROOM: Final = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
# SQLITE_ERROR is what a missing table or column comes to. A page that the disk does not give back is as good as lost,
# and so is one behind the end of a file that something has cut off.
_DAMAGED: Final = (
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
    "SQLITE_ERROR",
    "SQLITE_IOERR_READ",
    "SQLITE_IOERR_SHORT_READ",
    "SQLITE_IOERR_CORRUPTFS",
    "SQLITE_IOERR_DATA",
)
_NO_TEXT: Final = "Could not decode to UTF-8"  # what Python says of a text that is none; it has no name


def _store_error(doing: str, error: BaseException) -> StoreError:
    name = _name(error)
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
