"""A disk that forgets at a power cut whatever was not synced, and a store on such a disk.

It is the worst that a kernel may do: nothing gets to the disk before it is synced, neither contents nor names. So a
sync that was forgotten shows at the first cut behind it.

    disk = LossyDisk(root, PowerSwitch(17))
    ...                                # the program works, and PowerLossError ends it
    disk.lose()                        # what it had not synced is gone

A killed process loses nothing of this kind: go on with the same disk, behind another switch (`plug`).
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fwsm.store import Retention
from fwsm.store.prepared import driver_of
from fwsm.testing.power import CutDisk, CutStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from fwsm.testing.power import PowerSwitch

__all__ = ["LossyDisk", "LossyStore", "SyncedState"]

_SYNCED_COMMITS: Final = 2  # what SQLite answers for synchronous=FULL
_PARTS: Final = ("", "-wal")


class LossyDisk(CutDisk):
    """Forgets, at a cut, contents and names that were not synced.

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

    def rot(self, path: Path, at_bytes: int) -> None:
        """A bit of a file flips, on disk; nobody is told."""
        inode = path.stat().st_ino
        path.write_bytes(_flipped(path.read_bytes(), at_bytes))
        if inode in self._contents:
            self._contents[inode] = _flipped(self._contents[inode], at_bytes)

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


class SyncedState:
    """What is on disk of a state directory's database; it outlives the processes that work on it.

    Args:
        directory: the state directory.
    """

    def __init__(self, directory: Path) -> None:
        self._database = directory / "fwsm.db"
        self._synced: dict[Path, bytes] = {}

    def take(self) -> None:
        """All of the database is on disk now, its log included."""
        paths = [self._database.with_name(self._database.name + part) for part in _PARTS]
        self._synced = {path: path.read_bytes() for path in paths if path.exists()}

    def lose(self) -> None:
        """The power went: what was only in memory is gone. No process may have the database open."""
        for path in self._database.parent.glob(f"{self._database.name}*"):
            path.unlink()
        for path, content in self._synced.items():
            path.write_bytes(content)


class LossyStore(CutStore):
    """The real store behind a switch, on a disk that keeps no more of it than was synced.

    Each commit of the agent's is synced, and with it all that lies before it; the reporter's are not. Whether that is
    so is asked of SQLite, so a store that syncs less loses here what it had acknowledged.

    Args:
        directory: the state directory.
        power: where it may be cut.
        synced: what is on disk of it; give the same to the next life of the process.
        retention: how much of the history is kept.
    """

    def __init__(
        self,
        directory: Path,
        power: PowerSwitch,
        synced: SyncedState,
        retention: Retention = Retention(),  # noqa: B008  # a value that never changes
    ) -> None:
        self._synced = synced
        super().__init__(directory, power, retention)
        synced.take()  # a log that is there is read, and repaired, when it is opened

    @contextmanager
    def _operation(self, name: str) -> Iterator[None]:
        with super()._operation(name):
            yield
            if self._syncs():
                self._synced.take()

    def _syncs(self) -> bool:
        (answer,) = driver_of(self._connection).execute("PRAGMA synchronous").fetchone()
        return bool(answer >= _SYNCED_COMMITS)


def _listing(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in directory.iterdir()}


def _flipped(content: bytes, at_bytes: int) -> bytes:
    if not content:
        return content
    at_bytes %= len(content)
    return content[:at_bytes] + bytes([content[at_bytes] ^ 1]) + content[at_bytes + 1 :]
