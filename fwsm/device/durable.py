"""Files that survive a power cut.

What a program has written is on disk only after a sync, and a name that it made, changed or took away only after a
sync of the directory. Between two syncs the kernel writes in any order it likes. So there are two kinds of methods
here:

- steps: one system call that changes the disk, which a power cut may fall before, into or behind. By itself none of
  them is durable except the syncs.
- wholes: steps in the one order that leaves either the old or the new, whichever step the cut falls on; durable when
  they return.

All code that must survive a cut changes files through a `Disk` that it was given. A crash harness passes a subclass
that counts the steps and ends the program at one of them; the code itself knows nothing of that.

A sync that failed must not be tried again in hope: Linux marks the pages clean all the same, and the second sync says
that all is well. Truncate to what is known to be safe, and write again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

__all__ = ["Disk"]

_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
_FILE_MODE, _DIRECTORY_MODE = 0o600, 0o700


class Disk:
    """The real disk. Every method may raise OSError; a symbolic link in place of a file is one (ELOOP).

    Files are private to their owner (0600), are never inherited by child processes, and never reached through a
    symbolic link in the last part of their path. Two threads may use one `Disk`, and two methods on one file.
    """

    # Steps.

    def open(self, path: Path) -> FileIO:
        """Open a file for reading and writing, unbuffered; make an empty one if there is none."""
        return open(os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, _FILE_MODE), "r+b", buffering=0)  # noqa: PTH123

    def write(self, file: FileIO, data: bytes | bytearray | memoryview, at_bytes: int) -> None:
        """Write all of `data` at an offset. After an error any part of it may have been written."""
        rest = memoryview(data)
        while rest:
            written = os.pwrite(file.fileno(), rest, at_bytes)
            at_bytes += written
            rest = rest[written:]

    def truncate(self, file: FileIO, size_bytes: int) -> None:
        """Cut a file off, or lengthen it with zeros."""
        os.ftruncate(file.fileno(), size_bytes)

    def sync(self, file: FileIO) -> None:
        """Return when the content and the size of a file are on disk."""
        os.fdatasync(file.fileno())

    def sync_directory(self, directory: Path) -> None:
        """Return when the names in a directory are on disk."""
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name in the same file system; what had that name before is gone."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Take a name away. FileNotFoundError if there is none."""
        path.unlink()

    def make_name(self, directory: Path) -> None:
        """Make one directory, unless it is there."""
        directory.mkdir(_DIRECTORY_MODE, exist_ok=True)

    # Wholes.

    def create(self, path: Path) -> FileIO:
        """Open a file as `open` does; its name is on disk."""
        file = self.open(path)
        try:
            self.sync_directory(path.parent)
        except BaseException:
            file.close()
            raise
        return file

    def write_file(self, path: Path, data: bytes) -> None:
        """Make `data` the content of a file: a reader finds the old content or the new, never a mixture.

        What a cut may leave behind is one file beside it, `<name>.tmp`, which the next call uses again.
        """
        temporary = path.with_name(path.name + ".tmp")
        with self.open(temporary) as file:
            self.truncate(file, 0)
            self.write(file, data, 0)
            self.sync(file)
        self.move(temporary, path)

    def move(self, source: Path, target: Path) -> None:
        """Rename a file, durably. Its content must have been synced before."""
        self.rename(source, target)
        self.sync_directory(target.parent)
        if source.parent != target.parent:
            self.sync_directory(source.parent)

    def remove(self, path: Path) -> None:
        """Remove a file, durably; nothing happens if there is none."""
        with suppress(FileNotFoundError):
            self.unlink(path)
            self.sync_directory(path.parent)

    def make_directory(self, directory: Path) -> None:
        """Make a directory (0700) with those above it, durably; nothing happens if it is there."""
        if not directory.is_dir():
            self.make_directory(directory.parent)
            self.make_name(directory)
            self.sync_directory(directory.parent)

    # Looking changes nothing.

    def read(self, path: Path) -> FileIO:
        """Open a file for reading, unbuffered."""
        return open(os.open(path, os.O_RDONLY | _FLAGS), "rb", buffering=0)  # noqa: PTH123

    def free_bytes(self, directory: Path) -> int:
        """How much an ordinary user can still write into a directory's file system."""
        status = os.statvfs(directory)
        return status.f_bavail * status.f_frsize
