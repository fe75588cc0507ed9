"""Cuts the power at any durable operation, in process.

The model is MCUboot's simulator: run once and count the operations that change the disk, then run again for each of
them and cut there. The product has no hook for this. It changes files through a `Disk` and records through a `Store`;
here are both, with a switch in the line.

A cut is an exception that is no `Exception`, so no clause of the product can swallow it; and once the power is off,
every further operation ends the same way, whichever thread it comes from.

What this does not show is the loss of written but unsynced data; `fwsm.testing.lossy` is for that.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fwsm.device.durable import Disk
from fwsm.device.ports import Installer
from fwsm.store import Outbox, Retention, Store
from fwsm.store.salvage import Shelf

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from io import FileIO
    from pathlib import Path

    from fwsm.core.desired import Acknowledgement
    from fwsm.core.lifecycle import Entry
    from fwsm.core.moment import Moment
    from fwsm.core.update import Artifact, Probe, Request, Update
    from fwsm.store.reserve import Reserve

__all__ = ["CutDisk", "CutInstaller", "CutOutbox", "CutShelf", "CutStore", "PowerLossError", "PowerSwitch"]


class PowerLossError(BaseException):
    """The power went. Not an Exception on purpose."""


class PowerSwitch:
    """Counts operations, and cuts at one of them.

    Args:
        cut_at: the moment to cut, counted from 0: moment 2k is just before operation k, moment 2k + 1 just behind it.
            None never cuts.

    Attributes:
        names: the operations so far, in order.
    """

    def __init__(self, cut_at: int | None = None) -> None:
        self.cut_at = cut_at
        self.names: list[str] = []
        self.off = False

    @property
    def moments(self) -> int:
        """How many moments there were to cut at."""
        return 2 * len(self.names)

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """One durable operation; nothing of it happens if the power is off, or goes before it."""
        moment = self.moments
        self.names.append(name)
        self._at(moment, name)
        try:
            yield
        finally:  # also behind one that failed
            self._at(moment + 1, name)

    def _at(self, moment: int, name: str) -> None:
        if self.off or moment == self.cut_at:
            self.off = True
            raise PowerLossError(f"at moment {moment}, {name}")


class CutDisk(Disk):
    """The real disk behind a switch."""

    def __init__(self, power: PowerSwitch) -> None:
        self._power = power

    def write(self, file: FileIO, data: bytes | bytearray | memoryview, at_bytes: int) -> None:
        """Write; a cut may fall into the middle of the data, too."""
        half = len(data) // 2
        with self._power.operation("write first half"):
            super().write(file, data[:half], at_bytes)
        with self._power.operation("write second half"):
            super().write(file, data[half:], at_bytes + half)

    def truncate(self, file: FileIO, size_bytes: int) -> None:
        """Truncate."""
        with self._power.operation("truncate"):
            super().truncate(file, size_bytes)

    def sync(self, file: FileIO) -> None:
        """Sync."""
        with self._power.operation("sync"):
            super().sync(file)

    def sync_directory(self, directory: Path) -> None:
        """Sync a directory."""
        with self._power.operation("sync directory"):
            super().sync_directory(directory)

    def rename(self, source: Path, target: Path) -> None:
        """Rename."""
        with self._power.operation("rename"):
            super().rename(source, target)

    def unlink(self, path: Path) -> None:
        """Unlink."""
        with self._power.operation("unlink"):
            super().unlink(path)

    def make_name(self, directory: Path) -> None:
        """Make a directory."""
        with self._power.operation("mkdir"):
            super().make_name(directory)


class CutStore(Store):
    """The real store behind a switch. A transaction is one operation: SQLite sees to that."""

    def __init__(self, directory: Path, power: PowerSwitch, retention: Retention = Retention()) -> None:  # noqa: B008
        self._power = power
        super().__init__(directory, shelf=CutShelf(directory / "fwsm.db", power), retention=retention)

    def _new_outbox(self) -> CutOutbox:
        return CutOutbox(self.path, self._reserve, self._power)

    def _operation(self, name: str) -> AbstractContextManager[None]:
        return self._power.operation(name)

    def restore(self, update: Update, now: Moment, *, code: str, message: str) -> None:
        """Keep an update that the twin knew of."""
        with self._operation("commit restored"):
            super().restore(update, now, code=code, message=message)

    def settle_loss(self, now: Moment, update: Update | None, message: str) -> None:
        """Keep what was lost."""
        with self._operation("commit loss"):
            super().settle_loss(now, update, message)

    def accept(
        self,
        update: Update,
        now: Moment,
        *,
        superseding: Entry | None = None,
        acknowledging: Acknowledgement | None = None,
    ) -> None:
        """Take a new update."""
        with self._operation("commit accepted"):
            super().accept(update, now, superseding=superseding, acknowledging=acknowledging)

    def advance(self, entry: Entry, *, acknowledging: Acknowledgement | None = None) -> None:
        """Keep an entry into a state."""
        with self._operation(f"commit {entry.after.state}"):
            super().advance(entry, acknowledging=acknowledging)

    def acknowledge(self, acknowledgement: Acknowledgement, now: Moment) -> None:
        """Keep what was done about the desired property."""
        with self._operation("commit acknowledgement"):
            super().acknowledge(acknowledgement, now)

    def note(self, code: str, message: str, now: Moment, update_id: str | None = None) -> None:
        """Keep that something went wrong beside the update."""
        with self._operation("commit incident"):
            super().note(code, message, now, update_id)


class CutShelf(Shelf):
    """The real shelf for databases that cannot be used, behind a switch."""

    def __init__(self, path: Path, power: PowerSwitch) -> None:
        self._power = power
        super().__init__(path)

    def rename(self, source: Path, target: Path) -> None:
        """Give a part of it another name; one that is not there is no operation."""
        if not os.path.lexists(source):
            raise FileNotFoundError(source)
        with self._power.operation(f"set {source.name} aside"):
            super().rename(source, target)

    def sync(self) -> None:
        """Sync the directory."""
        with self._power.operation("sync the shelf"):
            super().sync()

    def mark(self, path: Path) -> None:
        """Mark one that is settled."""
        with self._power.operation("mark on the shelf"):
            super().mark(path)

    def remove(self, path: Path) -> None:
        """Remove an old one."""
        with self._power.operation("remove from the shelf"):
            super().remove(path)


class CutOutbox(Outbox):
    """The real outbox behind a switch: a cut before its one operation loses that the hub has acknowledged."""

    def __init__(self, path: Path, reserve: Reserve, power: PowerSwitch) -> None:
        self._power = power
        super().__init__(path, reserve)

    def acknowledge(self, number: int) -> None:
        """Note what the hub has."""
        with self._power.operation("commit acknowledged"):
            super().acknowledge(number)


class CutInstaller(Installer):
    """An installer behind a switch, whatever it changes its files with: a cut falls before or behind each of its acts.

    One that changes them through a `CutDisk` is cut in between as well.

    Args:
        installer: the real one.
        power: where it may be cut.
    """

    def __init__(self, installer: Installer, power: PowerSwitch) -> None:
        self._installer = installer
        self._power = power
        self.repeatable = installer.repeatable

    def target_slot(self) -> str | None:
        """Look."""
        return self._installer.target_slot()

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
        """Install."""
        with self._power.operation("install"):
            return self._installer.install(update, artifact, stop)

    def probe(self, update: Update) -> Probe:
        """Look."""
        return self._installer.probe(update)

    def image_of(self, update: Update) -> Artifact | None:
        """Look."""
        return self._installer.image_of(update)

    def runs_already(self, request: Request) -> Artifact | None:
        """Look."""
        return self._installer.runs_already(request)

    def reboot(self) -> None:
        """Order a reboot."""
        with self._power.operation("order reboot"):
            self._installer.reboot()

    def runs(self, update: Update) -> bool:
        """Look."""
        return self._installer.runs(update)

    def confirm(self, update: Update) -> None:
        """Confirm."""
        with self._power.operation("confirm"):
            self._installer.confirm(update)

    def roll_back(self, update: Update) -> bool:
        """Roll back."""
        with self._power.operation("roll back"):
            return self._installer.roll_back(update)
