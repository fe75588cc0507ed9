"""Whether the files of an open database still stand where they were opened.

A file that was removed, or in whose place another one was put, lives on for whoever has it open: SQLite goes on writing
without a word, and all of that is gone when the process ends. So the agent looks before each step, and now and then.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store.engine import translated

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Place", "identity"]

_FIND_OUT: Final = "find out what did that"


class Place:
    """What stands under the names of a database and its write-ahead log at the moment when this is made.

    The files are not opened, not even for a moment: that would drop the locks that SQLite holds on them (POSIX).

    Args:
        path: the database, which has just been opened and read.

    Raises:
        StoreError: that cannot be told.
    """

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._log_path = f"{path}-wal"
        with translated(f"cannot look at the database {path}"):
            self._database, self._log = identity(self._path), identity(self._log_path)

    def trouble(self) -> StoreError | None:
        """Why what is written from now on would be lost; None if it would not, or if that cannot be told.

        Where only the log is gone, what it holds can still be moved into the database.
        """
        try:
            found = identity(self._path)
            log_is_there = self._log is None or identity(self._log_path) == self._log
        except OSError:  # the disk fails just now, for one: whoever reads or writes next is told
            return None
        if found is None:
            return StoreDamagedError(
                f"the database {self._path} is gone",
                why="something has removed it while the agent ran",
                fix=f"The agent goes on with a new one; {_FIND_OUT}",
            )
        if found != self._database:
            return StoreDamagedError(
                f"the database {self._path} is not the one that was opened",
                why="something has put another file into its place while the agent ran",
                fix="The agent sets that file aside and goes on with a new one. To have it used, stop the agent first",
            )
        if not log_is_there:
            return StoreError(
                f"the write-ahead log of the database {self._path} is gone",
                why="something has removed or replaced it while the agent ran",
                fix=f"The agent opens the database anew, with another log; {_FIND_OUT}",
            )
        return None


def identity(path: str) -> tuple[int, int] | None:
    """Device and inode of what has this name; None if nothing has.

    Raises:
        OSError: that cannot be told.
    """
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
