"""The built-in installer: two slots, a boot pointer, and trial boots.

The order makes it safe, and it is RAUC's: the target slot loses its mark, is written, synced and read back, and only
then does one durable write of the pointer activate it, on trial and with the name of its update. Whatever step a power
cut falls on, the pointer names a slot that is whole. How far an installation got is in the pointer as well, so there
is no second record that could disagree with it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fwsm.core.update import Probe
from fwsm.device.durable import Disk
from fwsm.device.fitting import require_call
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.faults import translated
from fwsm.device.installers.image import copy, measure
from fwsm.device.installers.pointer import Mark, Slot, other
from fwsm.errors import ArtifactDamagedError, ConfigError, InstallError, NoSpaceError, SlotError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from io import FileIO

    from fwsm.core.update import Artifact, Request, Update
    from fwsm.device.installers.pointer import BootPointer

__all__ = ["SlotInstaller"]

_RESERVE_BYTES: Final = 1024 * 1024  # left free for the pointer and for a database that has to say what happened


class SlotInstaller:
    """Installs into the slot that does not run; `fwsm.device.ports.Installer`.

    Args:
        directory: where the slots and the boot pointer are. An empty one becomes a board whose slot a runs.
        disk: changes files; None for the real one.
        on_reboot: ends this program, soon. Whoever started it calls `Board.power_cycle` before starting it again; a
            program that ends in any other way has not rebooted the board.
        factory: the image that slot a of a new board holds; None for one of no bytes.
        slot_bytes: how much a slot can hold; None for as much as the disk has.
        tries: how often an image that has not been confirmed is booted. One would make every power cut during the
            trial the end of it.

    Attributes:
        board: what is installed on; for its status and its power switch.
        repeatable: an installation that was interrupted simply begins again.

    Raises:
        ConfigError: `tries` is below 1, or `on_reboot` is no plain function.
        SlotError, NoSpaceError: the directory cannot be used.
    """

    repeatable = True

    def __init__(
        self,
        directory: Path | str,
        *,
        disk: Disk | None = None,
        on_reboot: Callable[[], None],
        factory: Path | None = None,
        slot_bytes: int | None = None,
        tries: int = 3,
    ) -> None:
        if tries < 1:
            raise ConfigError(
                f"an image would be tried {tries} times",
                why="without a try it never runs",
                fix="Give at least one, better three",
            )
        require_call("on_reboot", on_reboot)
        self._disk = disk or Disk()
        self.board = Board(Path(directory).absolute(), disk=self._disk)
        self._on_reboot = on_reboot
        self._slot_bytes = slot_bytes
        self._tries = tries
        self.board.prepare(factory)

    def target_slot(self) -> str:
        """The slot that the next image goes to: the one that does not run."""
        return other(self.board.load().booted)

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
        """Write the image, prove what was written, and activate it on trial. Nothing is done twice.

        Returns:
            Whether a reboot is required before the new image runs.

        Raises:
            ArtifactDamagedError: the file is not, or no longer, the one that was downloaded.
            NoSpaceError: it does not fit.
            SlotError: the slot cannot be used, or does not hold what was written.
            InstallError: `stop` was set.
        """
        if update.artifact is None:
            raise InstallError(
                "nothing is known of the image", why="the update has no finished download", fix="Download it first"
            )
        if self.probe(update) is Probe.DONE:
            return not self.runs(update)
        pointer = self.board.load()
        target = other(pointer.booted)
        if not pointer.settled:
            raise SlotError(
                f"slot {target} must not be overwritten",
                why=f"it is what the board falls back to from slot {pointer.booted}, which is not confirmed",
                fix="Wait for the reboot that this failure leads to, then retry",
            )
        self._require_room(target, update.artifact)
        content = Slot(image=update.artifact, version=update.request.version, update_id=update.id)
        pointer = pointer.writing(target, content)
        self.board.save(pointer)
        with _opened(self._disk, artifact) as source:
            self._write(target, source, update.artifact, stop)
        self._prove(target, update.artifact, stop)
        self.board.save(pointer.activated(target, self._tries))
        return True

    def probe(self, update: Update) -> Probe:
        """How far `install` got. Reads the whole slot if it was activated and has not run yet."""
        pointer = self.board.load()
        name = pointer.slot_of(update.id)
        if name is None:
            return Probe.NOT_BEGUN
        content = pointer.slots[name]
        if content.image != update.artifact:
            return Probe.UNFINISHED
        if name == pointer.booted:
            return Probe.DONE if content.mark is not Mark.BAD else Probe.UNFINISHED
        return Probe.DONE if name == pointer.trial and self.board.whole(pointer, name) else Probe.UNFINISHED

    def image_of(self, update: Update) -> Artifact | None:
        """The image that this update brought, or was bringing, into a slot; None if none holds it any more."""
        pointer = self.board.load()
        name = pointer.slot_of(update.id)
        return pointer.slots[name].image if name else None

    def runs_already(self, request: Request) -> Artifact | None:
        """The image that runs and has been confirmed, if its digest and version are those of a request."""
        pointer = self.board.load()
        running = pointer.slots[pointer.booted]
        if running.image is None or running.mark is not Mark.GOOD or not pointer.settled:
            return None
        same = (running.image.sha256, running.version) == (request.sha256, request.version)
        return running.image if same else None

    def reboot(self) -> None:
        """Order a reboot and return."""
        self._on_reboot()

    def runs(self, update: Update) -> bool:
        """Whether the slot that runs holds what this update brought, and its image."""
        pointer = self.board.load()
        running = pointer.slots[pointer.booted]
        return running.update_id == update.id and (update.artifact is None or running.image == update.artifact)

    def confirm(self, update: Update) -> None:
        """Mark the running image good and boot it from now on, durably.

        Raises:
            SlotError: it does not run, or the pointer cannot be written.
            NoSpaceError: there is no room for the pointer.
        """
        pointer = self.board.load()
        if pointer.slots[pointer.booted].update_id != update.id:
            raise SlotError(
                f"update {update.id} cannot be confirmed",
                why=f"slot {pointer.booted} runs, and does not hold it",
                fix="Look at the slots with `fwsm device status`",
            )
        self._change(pointer, pointer.confirmed())

    def roll_back(self, update: Update) -> bool:
        """Boot what worked before from now on, durably, even if this update was confirmed already.

        An update that found the board running what an earlier one should have left, because its reboot never came,
        leads it back as well: nothing could be installed before that.

        Returns:
            Whether what shall not be booted any more still runs, so that a reboot is required.

        Raises:
            SlotError: the other slot holds nothing whole to go back to, or the pointer cannot be written.
            NoSpaceError: there is no room for the pointer.
        """
        pointer = self.board.load()
        name = pointer.slot_of(update.id)
        if name is None:
            if pointer.settled:
                return False
            name = pointer.booted
        if name in {pointer.booted, pointer.primary} and not self.board.whole(pointer, other(name)):
            raise SlotError(
                f"slot {name} cannot be left",
                why=f"slot {other(name)} holds no whole image to go back to",
                fix="Send an update that works",
            )
        self._change(pointer, pointer.rolled_back(name))
        return name == pointer.booted

    def _change(self, before: BootPointer, after: BootPointer) -> None:
        """Save the pointer, unless it says so already; `load` has made sure that what it says is durable."""
        if after != before:
            self.board.save(after)

    def _require_room(self, target: str, image: Artifact) -> None:
        if self._slot_bytes is not None and image.bytes > self._slot_bytes:
            raise SlotError(
                f"the image does not fit into slot {target}",
                why=f"it has {image.bytes} bytes, and a slot holds {self._slot_bytes}",
                fix="Build a smaller image",
            )
        with translated(f"look at slot {target}"):
            path = self.board.slot_path(target)
            held_bytes = path.stat().st_blocks * 512 if path.exists() else 0
            room_bytes = self._disk.free_bytes(path.parent) + held_bytes - _RESERVE_BYTES
        if image.bytes > room_bytes:
            raise NoSpaceError(
                f"the image does not fit into slot {target}",
                why=f"it has {image.bytes} bytes, and the disk has room for {max(room_bytes, 0)}",
                fix="Make room beside the slots, then retry",
            )

    def _write(self, target: str, source: FileIO, image: Artifact, stop: threading.Event) -> None:
        with translated(f"write slot {target}"), self._disk.create(self.board.slot_path(target)) as slot:
            try:
                read = copy(self._disk, source, slot, image.bytes, stop)
            except OSError:
                with suppress(OSError):  # half an image is of no use, and others need the room
                    self._disk.truncate(slot, 0)
                raise
        if read != image:
            raise ArtifactDamagedError(
                "the file changed while it was being installed",
                why=f"it had SHA-256 {image.sha256}, and now has {read.sha256}",
                fix="Check the storage that holds the downloads, then retry",
            )

    def _prove(self, target: str, image: Artifact, stop: threading.Event) -> None:
        with translated(f"read slot {target} back"):
            found = measure(self._disk, self.board.slot_path(target), stop)
        if found != image:
            raise SlotError(
                f"slot {target} does not hold what was written",
                why=f"SHA-256 {image.sha256} was written, and {found.sha256} was read back",
                fix="Check the storage that holds the slots",
            )


def _opened(disk: Disk, artifact: Path) -> FileIO:
    try:
        return disk.read(artifact)
    except OSError as error:
        raise ArtifactDamagedError(
            "the downloaded file cannot be read", why=f"{error.strerror} ({artifact})", fix="Retry the update"
        ) from error
