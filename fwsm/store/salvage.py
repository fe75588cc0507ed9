"""What becomes of a database that cannot be used: it is set aside, and what can be trusted of it is read.

Setting aside is renaming, so it needs no room, loses nothing, and an expert can look at the file later. The main file
goes first: a write-ahead log without its database is seen at the next start and follows it, while a database without
its log would be taken for whole, as it was some commits ago.

What another database knows of is marked: should that one be gone one day, nothing is taken from a file of long ago.

Reading is done on a copy, because SQLite repairs while it reads and would spoil the evidence. Only the newest update is
of use: the twin is told all of it once, so that nothing hangs on what had been reported before.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store.engine import translated
from fwsm.store.mapping import understood, update_of

if TYPE_CHECKING:
    from datetime import datetime

    from fwsm.core.update import Update

__all__ = ["Shelf", "require_files", "salvage"]

_KEPT: Final = 2
_PARTS: Final = ("", "-wal", "-shm")
_MARK: Final = ".settled"
_LARGEST_BYTES: Final = 64 * 1024 * 1024  # a copy of more could fill what holds temporary files


class Shelf:
    """The place beside a database for those that could not be used.

    A name there is `<database>.damaged-<number>-<UTC time>`, with `-wal` and `-shm` behind it where there were such
    files, and an empty `.settled` once another database knows of it. The number tells which is newer: on a device the
    time may be wrong by years.

    Args:
        path: the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = re.compile(re.escape(path.name) + r"\.damaged-(\d{1,9})-\w+")

    def unsettled(self) -> Path | None:
        """The last one that was set aside; None if it is settled, if there is none, or if that cannot be told."""
        newest = next(reversed(self._numbered().values()), None)
        return None if newest is None or os.path.lexists(_with(newest, _MARK)) else newest

    def settle(self) -> None:
        """Mark the last one: another database knows of it now. A mark that cannot be made is made at another start."""
        newest = self.unsettled()
        if newest is not None:
            with suppress(OSError):
                self.mark(_with(newest, _MARK))

    def put(self, at: datetime) -> Path | None:
        """Set the database aside, durably, and throw away all but the last two. Safe to call again after a crash.

        Args:
            at: UTC wall time, for people.

        Returns:
            Where it is now; None if nothing of it was there.

        Raises:
            StoreError: that did not work.
        """
        with translated(f"cannot set the database {self._path} aside"):
            if not any(os.path.lexists(_with(self._path, part)) for part in _PARTS):
                return None
            target = self._interrupted() or self._next(at)
            for part in _PARTS:
                with suppress(FileNotFoundError):
                    self.rename(_with(self._path, part), _with(target, part))
            self.sync()
            for old in list(self._numbered().values())[:-_KEPT]:
                for part in (*_PARTS, _MARK):
                    self.remove(_with(old, part))
        return target

    def _next(self, at: datetime) -> Path:
        number = max(self._numbered(), default=0) + 1
        return self._path.with_name(f"{self._path.name}.damaged-{number}-{at:%Y%m%dT%H%M%SZ}")

    def _interrupted(self) -> Path | None:
        """Where a log belongs whose database was set aside just before a crash; None if there was none."""
        newest = self.unsettled()
        if newest is None or os.path.lexists(self._path) or os.path.lexists(_with(newest, "-wal")):
            return None
        return newest

    # Steps; a crash harness cuts the power at one of them.

    def rename(self, source: Path, target: Path) -> None:
        """Give a file, or whatever it is, another name."""
        source.rename(target)

    def sync(self) -> None:
        """Return when the names are on disk."""
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def mark(self, path: Path) -> None:
        """Make an empty file."""
        path.touch(mode=0o600, exist_ok=False)

    def remove(self, path: Path) -> None:
        """Remove it, whatever it is; nothing happens if there is none."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def _numbered(self) -> dict[int, Path]:
        """What is there by its number, oldest first. A log that lost its database in a crash counts with it."""
        found: dict[int, Path] = {}
        with suppress(OSError):
            for path in self._path.parent.iterdir():
                match = self._name.match(path.name)
                if match is not None:
                    found[int(match[1])] = path.with_name(match[0])
        return dict(sorted(found.items()))


def require_files(path: Path) -> None:
    """Look whether what stands in the place of a database can be one.

    Raises:
        StoreDamagedError: it is a directory, a symbolic link or the like; or a log lies there whose database is gone.
        StoreError: it cannot be told.
    """
    with translated(f"cannot look at the database {path}"):
        sizes = {part: _size(_with(path, part)) for part in _PARTS}
    if not sizes[""] and sizes["-wal"]:
        raise StoreDamagedError(
            f"the database {path} is gone",
            why="its write-ahead log is still there",
            fix="The agent sets the log aside; find out what removed the database",
        )


def salvage(path: Path) -> Update | None:
    """The newest update in a database that need not be whole; None if there is none that can be trusted.

    Nobody may have the database open in this process: the copying would drop its locks.
    """
    unreadable = suppress(OSError, sqlite3.Error, UnicodeDecodeError, StoreError)
    with unreadable, tempfile.TemporaryDirectory(prefix="fwsm-") as directory:
        copy = Path(directory) / "copy.db"
        for part in ("", "-wal"):
            source = _with(path, part)
            if (_size(source) or 0) > _LARGEST_BYTES:
                return None
            if source.exists():
                shutil.copyfile(source, _with(copy, part), follow_symlinks=False)
        with closing(sqlite3.connect(copy)) as connection:
            return _newest(connection)
    return None


def _newest(connection: sqlite3.Connection) -> Update | None:
    connection.row_factory = sqlite3.Row
    if [tuple(row) for row in connection.execute("PRAGMA quick_check(updates)")] != [("ok",)]:
        return None
    row = connection.execute("SELECT * FROM updates ORDER BY number DESC LIMIT 1").fetchone()
    with understood("the newest update"):
        return update_of(dict(row)) if row else None


def _size(path: Path) -> int | None:
    """Size of a regular file; None if there is nothing.

    Raises:
        StoreDamagedError: it is something else.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise StoreDamagedError(
            f"{path} is no file",
            why="something else has its name",
            fix="The agent sets it aside; find out what it is",
        )
    return status.st_size


def _with(path: Path, part: str) -> Path:
    return path.with_name(path.name + part)
