"""The slot installer and its board under anything in any order."""

from __future__ import annotations

import hashlib
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fwsm.core.update import Artifact, Request, State, Update
from fwsm.device.installers.pointer import other
from fwsm.device.installers.slots import SlotInstaller
from fwsm.errors import SlotError
from fwsm.testing.lossy import LossyDisk
from fwsm.testing.power import PowerLossError, PowerSwitch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Cut = tuple[int, bool]

IMAGES = [b"zero", b"one", b"two", b"three"]  # small ones, so that many runs fit into a second


class BoardMachine(RuleBasedStateMachine):
    """What boots is whole, and one of the images that may boot: `may_boot` is the specification.

    Attributes:
        root: a directory for one board at a time.
    """

    root: Path

    # Where to cut, if at all, and whether that is a power cut; otherwise the process is killed.
    cuts = st.none() | st.tuples(st.integers(0, 60), st.booleans())

    @initialize()
    def make(self) -> None:
        """A new board."""
        shutil.rmtree(self.root, ignore_errors=True)
        (self.root / "disk").mkdir(parents=True)
        (self.root / "factory").write_bytes(IMAGES[0])
        self.images: dict[str, bytes] = {}
        self.may_boot = {IMAGES[0]}
        self.start(LossyDisk(self.root / "disk", PowerSwitch()))

    @rule(content=st.sampled_from(IMAGES[1:]), cut=cuts)
    def install(self, content: bytes, cut: Cut | None) -> None:
        """Install an update of its own; not while what runs may still have to be left."""
        update_id = f"u{len(self.images)}"
        self.images[update_id] = content
        (self.root / "download").write_bytes(content)

        def install() -> None:
            self.installer.install(self.update(update_id), self.root / "download", threading.Event())

        if not self.board.status().settled:
            with pytest.raises(SlotError, match="must not be overwritten"):
                install()
            return
        self.may_boot.add(content)  # beside what was activated before, until this one is
        if self.attempt(cut, install):
            self.may_boot = {self.running_image(), content}

    @rule(at=st.none() | st.integers(0, 60))
    def boot(self, at: int | None) -> None:
        """Boot."""
        if self.attempt(None if at is None else (at, True), self.board.power_cycle):
            self.start(self.disk)
            assert self.running_image() in self.may_boot

    @rule(cut=cuts)
    def confirm(self, cut: Cut | None) -> None:
        """Confirm what runs; nothing else can be confirmed."""
        update = self.present_update()
        if not self.installer.runs(update):
            with pytest.raises(SlotError, match="cannot be confirmed"):
                self.installer.confirm(update)
            return
        running = self.running_image()
        self.may_boot.add(running)  # it may have been rolled back before
        if self.attempt(cut, lambda: self.installer.confirm(update)):
            self.may_boot = {running}

    @rule(cut=cuts)
    def roll_back(self, cut: Cut | None) -> None:
        """Roll back what runs, or else the last update; not if there is nothing to go back to."""
        update = self.present_update()
        if self.installer.runs(update) and not self.idle_whole():
            with pytest.raises(SlotError, match="no whole image to go back to"):
                self.installer.roll_back(update)
            return
        name = self.board.status().slot_of(update.id)
        if name is None:
            return
        remains = self.board.slot_path(other(name)).read_bytes()
        self.may_boot.add(remains)
        if self.attempt(cut, lambda: self.installer.roll_back(update)):
            self.may_boot = {remains}

    @rule(copy=st.sampled_from(["boot.json", "boot.backup.json"]), at=st.integers(0, 400))
    def damage_pointer(self, copy: str, at: int) -> None:
        """One copy of the pointer rots while the device is off."""
        self.flip(self.root / "disk" / "board" / copy, at)

    @precondition(lambda self: self.idle_whole())
    @rule(at=st.integers(0, 4))
    def damage_slot(self, at: int) -> None:
        """The slot that does not run rots while the device is off."""
        self.flip(self.board.slot_path(self.installer.target_slot()), at)
        self.may_boot.add(self.running_image())  # better a rejected image than none

    @invariant()
    def what_runs_is_whole(self) -> None:
        """The slot that runs holds a known image, byte by byte, and the pointer says which."""
        pointer = self.board.status()
        running = self.running_image()
        assert running in IMAGES
        assert pointer.slots[pointer.booted].image == known(running)

    def attempt(self, cut: Cut | None, do: Callable[[], Any]) -> bool:
        """Do something that may be cut; whether it was done."""
        at, power_goes = cut or (None, False)
        self.disk.plug(PowerSwitch(at))
        try:
            do()
        except PowerLossError:
            if power_goes:
                self.lose_power()
            else:
                self.start(self.disk)
            return False
        self.disk.plug(PowerSwitch())
        return True

    def lose_power(self) -> None:
        """What was not synced is gone, and the board boots."""
        self.disk.lose()
        self.start(LossyDisk(self.root / "disk", PowerSwitch()))
        self.board.power_cycle()
        assert self.running_image() in self.may_boot

    def start(self, disk: LossyDisk) -> None:
        """Another life of the process."""
        self.disk = disk
        disk.plug(PowerSwitch())
        self.installer = SlotInstaller(
            self.root / "disk" / "board", disk=disk, on_reboot=lambda: None, factory=self.root / "factory"
        )
        self.board = self.installer.board

    def flip(self, path: Path, at: int) -> None:
        """Flip a byte on disk while no process runs."""
        data = bytearray(path.read_bytes())
        data[at % len(data)] ^= 0xFF
        path.write_bytes(data)
        self.start(LossyDisk(self.root / "disk", PowerSwitch()))

    def running_image(self) -> bytes:
        """What is in the slot that runs."""
        return self.board.slot_path(self.board.status().booted).read_bytes()

    def idle_whole(self) -> bool:
        """Whether there is an image in the slot that does not run."""
        name = self.installer.target_slot()
        bootable = self.board.status().slots[name].bootable
        return bootable and self.board.slot_path(name).read_bytes() in IMAGES

    def present_update(self) -> Update:
        """The update whose image runs, or else the last one."""
        pointer = self.board.status()
        return self.update(pointer.slots[pointer.booted].update_id or next(reversed(self.images), "none"))

    def update(self, update_id: str) -> Update:
        """An update whose download is complete."""
        return Update(
            id=update_id,
            request=Request("https://images.example/one.img"),
            state=State.INSTALLING,
            boot_id="boot",
            artifact=known(self.images.get(update_id, b"")),
        )


def known(content: bytes) -> Artifact:
    """Digest and size of a content."""
    return Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


@pytest.mark.stateful
def test_any_order_of_anything(tmp_path: Path) -> None:
    """Installations, boots, confirmations, rollbacks, kills, cuts and damage in any order leave a board that boots."""

    class Machine(BoardMachine):
        root = tmp_path / "run"

    profile = settings()
    few = settings(profile, max_examples=profile.max_examples // 4, stateful_step_count=25)
    run_state_machine_as_test(Machine, settings=few)
