"""One agent at a time on a state directory.

Two agents on one database would write one slot at once, and two connections with one device identity throw each other
off the hub some fifty times a second. The lock is the kernel's (flock), so it ends with the process, however that dies.
It is a lock on the file and not on its name: whoever finds the name free, because something has removed the file, gets
a lock of his own. So the holder looks now and then whether his is still the one that others would find.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from fwsm.errors import StoreError, StoreLockedError
from fwsm.store.place import identity

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOCK", "Lock", "holder"]

LOCK: Final = "lock"
"""The file in a state directory."""

_LOOKED_AT_S: Final = 0.05  # whoever only looks holds it for an instant


class Lock:
    """Held from construction until `release`.

    Raises:
        StoreLockedError: another process holds it; the message names its pid.
        StoreError: the directory cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            no_file = error.errno in {errno.ELOOP, errno.EISDIR}
            fix = f"Remove {path}, which is no file" if no_file else "Make the state directory writable"
            raise StoreError(f"cannot open the lock {path}", why=str(error), fix=fix) from error
        try:
            _take(self._file)
        except BlockingIOError as error:
            process = _noted(self._file)
            os.close(self._file)
            raise StoreLockedError(
                f"another agent works on {path.parent}",
                why=f"process {process} holds its lock" if process else "its lock is held",
                fix="End that one first, or give this one a state directory of its own",
            ) from error
        except OSError as error:
            os.close(self._file)
            raise StoreError(
                f"cannot lock {path}", why=str(error), fix="Put the state directory on a disk of this machine"
            ) from error
        with contextlib.suppress(OSError):  # the pid is a courtesy; a full disk must not keep the device from coming up
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        self._path = os.fspath(path)
        status = os.fstat(self._file)
        self._identity = status.st_dev, status.st_ino
        _held.add(self)

    def trouble(self) -> StoreError | None:
        """Why it keeps nobody out any more; None if it does, or if that cannot be told."""
        try:
            found = identity(self._path)
        except OSError:
            return None
        if found == self._identity:
            return None
        return StoreError(
            f"the lock {self._path} is gone",
            why="something has removed or replaced it while the agent ran",
            fix="The agent takes another one, or ends if a second agent has done so; find out what did that",
        )

    def release(self) -> None:
        """Let go; harmless the second time."""
        if self._file >= 0:
            try:
                # The lock is that of the open file, which a child process that was forked may have open, too.
                fcntl.flock(self._file, fcntl.LOCK_UN)
            finally:
                self.leave()

    def leave(self) -> None:
        """Forget it without letting go: in a child process it is still the parent's."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_held: Final[WeakSet[Lock]] = WeakSet()


def _leave_to_parent() -> None:
    for lock in list(_held):
        lock.leave()


os.register_at_fork(after_in_child=_leave_to_parent)


def holder(path: Path) -> str | None:
    """Tell which process holds a lock: its id, or "" if that is not known; None if nobody does. Changes nothing.

    Raises:
        StoreError: the lock cannot be looked at.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"cannot look at the lock {path}", why=str(error), fix="Ask as the user who runs the agent, or as root"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _noted(file)
    finally:
        os.close(file)  # and let go at once
    return None


def _take(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        threading.Event().wait(_LOOKED_AT_S)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _noted(file: int) -> str:
    return os.pread(file, 20, 0).decode(errors="replace").strip()
