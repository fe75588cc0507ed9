"""Writing an image into a slot and reading it back.

Memory stays flat whatever the size, and so does the amount that is not yet on disk: the kernel may keep hundreds of
megabytes of written pages, and a single sync at the end would then stand still for minutes.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fwsm.core.update import Artifact
from fwsm.errors import InstallError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

    from fwsm.device.durable import Disk

__all__ = ["copy", "measure"]

PIECE_BYTES: Final = 1024 * 1024
CHECKPOINT_BYTES: Final = 16 * PIECE_BYTES  # a cheap eMMC writes this much in a second or two


def copy(disk: Disk, source: FileIO, target: FileIO, limit_bytes: int, stop: threading.Event | None = None) -> Artifact:
    """Replace the content of `target` by that of `source`; it is on disk at the return.

    Args:
        disk: changes the target.
        source: an open file, read from where it stands.
        target: an open file.
        limit_bytes: how much to take at most; one more byte is read, to see a source that has grown.
        stop: when set, break off.

    Returns:
        What was read, which is not yet proof of what was written.

    Raises:
        InstallError: `stop` was set.
        OSError: the disk.
    """
    disk.truncate(target, 0)
    digest = hashlib.sha256()
    size_bytes = unsynced_bytes = 0
    for piece in _pieces(source, stop):
        digest.update(piece)
        if size_bytes + len(piece) > limit_bytes:
            size_bytes += len(piece)
            break
        disk.write(target, piece, size_bytes)
        size_bytes += len(piece)
        unsynced_bytes += len(piece)
        if unsynced_bytes >= CHECKPOINT_BYTES:
            disk.sync(target)
            unsynced_bytes = 0
    disk.sync(target)
    return Artifact(sha256=digest.hexdigest(), bytes=size_bytes)


def measure(disk: Disk, path: Path, stop: threading.Event | None = None) -> Artifact:
    """Read a file and hash it, from the storage and not from memory as far as the kernel agrees.

    Raises:
        InstallError: `stop` was set.
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    size_bytes = 0
    with disk.read(path) as file:
        with suppress(OSError):  # a wish; some file systems have no say in it
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        for piece in _pieces(file, stop):
            digest.update(piece)
            size_bytes += len(piece)
    return Artifact(sha256=digest.hexdigest(), bytes=size_bytes)


def _pieces(file: FileIO, stop: threading.Event | None) -> Iterator[memoryview]:
    """The content in pieces. Each is valid until the next one is asked for: they share one buffer."""
    buffer = memoryview(bytearray(PIECE_BYTES))
    while taken := file.readinto(buffer):
        if stop is not None and stop.is_set():
            raise InstallError("the installation was broken off", fix="It is done again at the next start")
        yield buffer[:taken]
