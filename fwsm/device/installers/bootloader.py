"""A board with two slots and a boot loader, in one directory.

It stands for a real one: U-Boot with a boot count, two partitions, and the environment in two copies. A program that
ends does not touch it. Only `power_cycle` is a boot: that counts the try, picks the slot, and names the boot.

The pointer is written twice, each copy atomically and one after the other. A cut leaves at least one of them whole,
and damage to one of them later loses nothing. The second copy is begun when the first one is durable. So what two
equal copies say is on disk; where they differ, a killed process may have left a name that is only in memory, and
whoever reads in order to act writes both anew: no decision rests on something that a power cut could undo.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fwsm.core.update import Artifact
from fwsm.device.installers.faults import translated
from fwsm.device.installers.image import copy, measure
from fwsm.device.installers.pointer import BootPointer, Mark, Slot
from fwsm.errors import NoSpaceError, SlotError

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.device.durable import Disk

__all__ = ["Board"]

_NO_BYTES: Final = Artifact(sha256=hashlib.sha256().hexdigest(), bytes=0)


class Board:
    """The board in a directory. Nothing is touched before the first call.

    Args:
        directory: where the slots and the boot pointer are.
        disk: changes files.
    """

    def __init__(self, directory: Path, *, disk: Disk) -> None:
        self.directory = directory
        self._disk = disk
        self._copies = (directory / "boot.json", directory / "boot.backup.json")
        self._settled = False  # whether what the copies say is known to be on disk

    def slot_path(self, name: str) -> Path:
        """Where the image of a slot is."""
        return self.directory / "slots" / f"{name}.img"

    def prepare(self, factory: Path | None = None) -> None:
        """Make the board if the directory is empty: slot a runs, and is good. Otherwise mend its pointer if need be.

        Args:
            factory: the image for slot a; None for an image of no bytes.

        Raises:
            SlotError: the boot pointer is lost, or a file cannot be used.
            NoSpaceError: the image does not fit.
        """
        if self._newest() is not None:
            with suppress(SlotError, NoSpaceError):  # one whole copy is enough to come up with; `load` tries again
                self.load()
            return
        if any(path.exists() for path in (*self._copies, self.slot_path("b"))):
            raise self._lost()
        with translated("make the slots"):
            self._disk.make_directory(self.slot_path("a").parent)
            # A process that was killed may have made it without getting as far as the sync.
            self._disk.sync_directory(self.directory.parent)
            image = self._factory_image(factory)
        slots = {"a": Slot(mark=Mark.GOOD, image=image), "b": Slot()}
        self.save(BootPointer(boot_id=_new_boot_id(), booted="a", primary="a", slots=slots))

    def status(self) -> BootPointer:
        """What runs and what is in the slots. Changes nothing, so any process may ask at any time.

        Raises:
            SlotError: there is no board here, or its pointer is lost.
        """
        newest = self._newest()
        if newest is None:
            raise self._lost()
        return newest

    def load(self) -> BootPointer:
        """What `status` says, durable: fit to act upon.

        Raises:
            SlotError: as `status`.
            NoSpaceError: a copy of the pointer has to be made again and there is no room for it.
        """
        newest = self.status()
        if not self._settled:
            if self._found() != [newest, newest]:
                self.save(newest)
            self._settled = True
        return newest

    def save(self, pointer: BootPointer) -> None:
        """Make this the pointer, durably; a cut leaves the old one or the new one.

        Raises:
            SlotError, NoSpaceError: it could not be written; the old one or the new one holds.
        """
        self._settled = False
        newest = self._newest()
        sequence = newest.sequence + 1 if newest else 1
        with translated("write the boot pointer"):
            for path in self._copies:
                self._disk.write_file(path, pointer.numbered(sequence).encoded())
        self._settled = True

    def whole(self, pointer: BootPointer, name: str) -> bool:
        """Whether a slot may be booted and holds what the pointer says, by reading all of it."""
        content = pointer.slots[name]
        if not content.bootable or content.image is None:
            return False
        path = self.slot_path(name)
        try:
            return path.stat().st_size == content.image.bytes and measure(self._disk, path) == content.image
        except OSError:  # a slot that cannot be read cannot be booted
            return False

    def power_cycle(self) -> str:
        """Boot, and tell the slot that runs now.

        Raises:
            SlotError: there is nothing to boot; nothing has changed.
            NoSpaceError: the boot could not be recorded; nothing has changed.
        """
        pointer = self.load()
        for name in pointer.candidates:
            if self.whole(pointer, name):
                self.save(pointer.after_boot(name, _new_boot_id()))
                return name
        raise SlotError("the board does not boot", why="no slot holds a whole image", fix=f"Make {self.directory} anew")

    def _factory_image(self, factory: Path | None) -> Artifact:
        with self._disk.create(self.slot_path("a")) as target:
            if factory is not None:
                with self._disk.read(factory) as source:
                    return copy(self._disk, source, target, os.fstat(source.fileno()).st_size)
            self._disk.truncate(target, 0)
            self._disk.sync(target)
            return _NO_BYTES

    def _newest(self) -> BootPointer | None:
        return max(self._found(), key=lambda pointer: pointer.sequence, default=None)

    def _found(self) -> list[BootPointer]:
        """The pointers in those copies that are there and whole. Raises if one is refused and the other is no help."""
        found = []
        refused = None
        for path in self._copies:
            try:
                with self._disk.read(path) as file:
                    pointer = BootPointer.decoded(file.readall())
            except FileNotFoundError:
                continue
            except OSError as error:
                refused = error
            else:
                found += [pointer] if pointer else []
        if refused is not None and not found:
            with translated("read the boot pointer"):
                raise refused
        return found

    def _lost(self) -> SlotError:
        if not self.directory.exists():
            return SlotError(
                f"there is no board in {self.directory}", fix="Check the path; `fwsm device run` makes a new board"
            )
        return SlotError(
            f"the boot pointer in {self.directory} is lost",
            why="both of its copies are missing or damaged",
            fix="Restore boot.json from a copy, or empty the directory to begin with the factory image",
        )


def _new_boot_id() -> str:
    return str(uuid.uuid4())
