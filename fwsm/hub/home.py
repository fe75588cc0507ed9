"""The directory of one hub: its files, readable by its owner only, and the lock that keeps a second hub out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from fwsm.errors import HubError, HubLockedError

__all__ = ["Home"]

_LOCK = "hub.lock"


class Home:
    """A directory that belongs to one running hub.

    Args:
        path: the directory, made if it is missing; None for one that vanishes with the hub.

    Raises:
        HubLockedError: another hub runs on it.
        HubError: it cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self.ephemeral = path is None
        with contextlib.ExitStack() as undo:
            if path is None:
                path = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="fwsm-hub-")))
            self.path = path
            self._lock = _locked(path)
            undo.callback(os.close, self._lock)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Release the directory; an ephemeral one is deleted."""
        self._undo.close()

    def write(self, name: str, data: bytes) -> Path:
        """Write a file that only its owner can read, whole or not at all, and return its path.

        Raises:
            HubError: it cannot be written.
        """
        path, part = self.path / name, self.path / f"{name}.part"
        try:
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        except OSError as error:
            raise _unusable(self.path, error) from error
        return path

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)


def _locked(path: Path) -> int:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        # The lock ends with the process, however that ends; the file stays and means nothing by itself.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise HubLockedError(
            f"the hub cannot use {path}",
            why="another hub runs on this directory",
            fix="Stop it, or give this hub a directory of its own.",
        ) from error
    return lock


def _unusable(path: Path, error: OSError) -> HubError:
    return HubError(
        f"the hub cannot keep its files in {path}",
        why=error.strerror or str(error),
        fix="Give it a directory that you can write to, on a disk with room.",
    )
