"""A disk that forgets at a power cut whatever was not synced."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fwsm.testing.power import CutDisk

if TYPE_CHECKING:
    from io import FileIO

    from fwsm.testing.power import PowerSwitch

__all__ = ["LossyDisk"]


class LossyDisk(CutDisk):
    """The worst that a kernel may do: nothing gets to the disk before it is synced, neither contents nor names.

    Args:
        root: a directory; all that is in it now is on disk.
        power: where it may be cut.
    """

    def __init__(self, root: Path, power: PowerSwitch) -> None:
        super().__init__(power)
        self._root = root
        self._names: dict[Path, dict[str, int]] = {}  # of each directory: names and inodes that are on disk
        self._contents: dict[int, bytes] = {}  # by inode
        for directory in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            self._names[directory] = _listing(directory)
        for path in root.rglob("*"):
            if path.is_file():
                self._contents[path.stat().st_ino] = path.read_bytes()

    def plug(self, power: PowerSwitch) -> None:
        """Go on behind another switch; what was not synced is still in memory."""
        self._power = power

    def open(self, path: Path) -> FileIO:
        """Open; a new file has nothing on disk, whoever had its inode before."""
        known = path.exists()
        file = super().open(path)
        if not known:
            self._contents.pop(os.fstat(file.fileno()).st_ino, None)
        return file

    def sync(self, file: FileIO) -> None:
        """Sync; the content is on disk."""
        super().sync(file)
        path = Path(f"/proc/self/fd/{file.fileno()}")
        self._contents[path.stat().st_ino] = path.read_bytes()

    def sync_directory(self, directory: Path) -> None:
        """Sync; the names are on disk."""
        super().sync_directory(directory)
        if directory in self._names:
            self._names[directory] = _listing(directory)

    def make_name(self, directory: Path) -> None:
        """Make a directory; there is nothing in it on disk."""
        self._names.setdefault(directory, {})
        super().make_name(directory)

    def lose(self) -> None:
        """The power goes: what was only in memory is gone. This disk is of no more use."""
        shutil.rmtree(self._root)
        self._restore(self._root)

    def _restore(self, directory: Path) -> None:
        directory.mkdir()
        for name, inode in self._names[directory].items():
            path = directory / name
            if path in self._names:
                self._restore(path)
            else:
                path.write_bytes(self._contents.get(inode, b""))


def _listing(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in directory.iterdir()}
