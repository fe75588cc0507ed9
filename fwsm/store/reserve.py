"""Room on the disk that is kept for the end of an update.

Whatever fills the disk, an update that has begun must be able to end, and to say so. So a file beside the database
takes up room that nobody else can have. When a commit finds the disk full, it gives up a slice of it and commits again.
A slice is little more than what a commit takes: were all of it given up at once, the program that has filled the disk
would take it. An update is only begun with the whole of it, and what was given up is taken back once there is room.

The file holds noise, because there are file systems that make room for a run of zeros only when it is overwritten. It
is not synced: after a power cut it may be shorter, and is made up at the start.
"""

from __future__ import annotations

import logging
import os
import random
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeVar

from fwsm.errors import StoreError, StoreFullError
from fwsm.store.engine import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["RESERVE_BYTES", "SLICE_BYTES", "Reserve"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

# The largest commit, an update of the longest URI that supersedes one which failed, takes some 20 KiB, and the index
# of the log 32 KiB; an update as a whole some 25 KiB. A test measures how much of it the worst end of one takes.
RESERVE_BYTES: Final = 256 * 1024
SLICE_BYTES: Final = 16 * 1024


class Reserve:
    """The file that keeps room. The agent and the reporter share one; either thread may give up some of it.

    Args:
        database: the database beside which it lies.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name("reserve")
        self._found_whole = False

    @property
    def size_bytes(self) -> int:
        """How much room it keeps; 0 if there is no such file."""
        try:
            status = self._path.lstat()
        except OSError:
            return 0
        return status.st_size if stat.S_ISREG(status.st_mode) else 0

    def keep(self, *, beside_bytes: int = 0) -> None:
        """Make it whole, unless it is.

        Args:
            beside_bytes: so much room must be left for others.

        Raises:
            StoreFullError: there is not so much room.
            StoreError: the file cannot be written.
        """
        there = self.size_bytes
        if there >= RESERVE_BYTES:
            return
        with translated("cannot keep room on the disk for the end of an update"):
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < RESERVE_BYTES - there + beside_bytes:
                raise StoreFullError(
                    "cannot keep room on the disk for the end of an update",
                    why="the disk is full",
                    fix="Free some space on it",
                )
            self._make_way()
            self._write(there)

    def refill(self) -> None:
        """Take back what was given up if there is plenty of room, so that nobody is put into need by it.

        It comes after every commit, so the disk is only asked when something may be lacking.
        """
        if self._found_whole:
            return
        self._found_whole = True  # said beforehand: another thread may give up some of it meanwhile
        try:
            self.keep(beside_bytes=RESERVE_BYTES)
        except StoreError as error:
            self._found_whole = False
            _log.debug("%s", error)

    def give(self) -> bool:
        """Give up a slice; False if nothing is left."""
        self._found_whole = False
        size = self.size_bytes
        with suppress(OSError), self._opened(0) as file:
            os.truncate(file, max(0, size - SLICE_BYTES))
            return size > 0
        return False

    def backed(self, work: Callable[[], T]) -> T:
        """Do what writes to the database; as long as the disk is full, give up a slice and do it again.

        Raises:
            StoreError: what `work` raises, and nothing is left that could help against it.
        """
        while True:
            try:
                return work()
            except StoreFullError as error:
                if not self.give():
                    raise
                _log.warning("%s; %d KiB of the reserve are left", error, self.size_bytes // 1024)

    def _make_way(self) -> None:
        """Set aside what has the name of the file and is none: it keeps no room, and every update would be refused."""
        if os.path.lexists(self._path) and not stat.S_ISREG(self._path.lstat().st_mode):
            aside = self._path.with_name("reserve.set-aside")
            self._path.rename(aside)
            _log.warning("%s is no file, and was set aside as %s", self._path, aside)

    def _write(self, there: int) -> None:
        noise = random.Random(there).randbytes(RESERVE_BYTES - there)  # noqa: S311  # no secret
        with self._opened(os.O_CREAT) as file:
            while noise:
                written = os.pwrite(file, noise, there)
                there, noise = there + written, noise[written:]

    @contextmanager
    def _opened(self, how: int) -> Iterator[int]:
        # Without O_NONBLOCK, a pipe of this name would be opened once somebody reads from it.
        file = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | how, 0o600)
        try:
            yield file
        finally:
            os.close(file)
