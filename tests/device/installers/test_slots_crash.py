"""The slot installer, cut at every operation that changes the disk.

For each thing that it or the boot loader does, a clean run counts the operations, and each moment before and behind
each of them gets a run of its own. Two things can happen there: the process is killed, and what it wrote stays
visible; or the power goes, and what it had not synced is lost.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import Artifact, Probe, Request, State, Update
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.slots import SlotInstaller
from fwsm.testing.lossy import LossyDisk
from fwsm.testing.power import PowerLossError, PowerSwitch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.device.installers.pointer import BootPointer

TRIES = 3
FACTORY = b"factory" * 3000
FIRST = b"first" * 4000
IMAGE = bytes(range(256)) * 4097  # a little more than one piece
KNOWN = {FACTORY, FIRST, IMAGE}


def an_update(update_id: str, content: bytes) -> Update:
    """An update whose download is complete."""
    return Update(
        id=update_id,
        request=Request(f"https://images.example/{update_id}.img"),
        state=State.INSTALLING,
        boot_id="boot",
        artifact=Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)),
    )


UPDATE = an_update("u1", IMAGE)


class Device:
    """One life of the process on a board in `root / "board"`."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.files = root.parent / "files"
        self.installer = SlotInstaller(
            root / "board",
            disk=disk or Disk(),
            on_reboot=lambda: None,
            factory=self.files / "factory",
            tries=TRIES,
        )
        self.board = self.installer.board

    def install(self, update: Update = UPDATE) -> None:
        """Install the file of an update."""
        self.installer.install(update, self.files / update.id, threading.Event())

    def boot(self, times: int = 1) -> None:
        """Boot."""
        for _ in range(times):
            self.board.power_cycle()

    def confirm(self) -> None:
        """Confirm the update."""
        self.installer.confirm(UPDATE)

    def roll_back(self) -> None:
        """Roll the update back."""
        self.installer.roll_back(UPDATE)

    def complete_another(self) -> None:
        """Bring an update before this one all the way."""
        first = an_update("u0", FIRST)
        self.install(first)
        self.boot()
        self.installer.confirm(first)

    def running(self) -> bytes:
        """The image that runs, which is what the pointer says it is."""
        pointer = self.board.status()
        content = self.board.slot_path(pointer.booted).read_bytes()
        recorded = pointer.slots[pointer.booted].image
        assert recorded == Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        return content


@dataclass(frozen=True)
class Act:
    """Something that is done, what was done before, and which image must run after all."""

    before: tuple[Callable[[Device], Any], ...]
    do: Callable[[Device], Any]
    ends: bytes


ON_TRIAL = (Device.install, Device.boot)
ACTS = {
    "make": Act((), lambda _device: None, FACTORY),
    "install": Act((), Device.install, IMAGE),
    "install over an older one": Act((Device.complete_another,), Device.install, IMAGE),
    "confirm": Act(ON_TRIAL, Device.confirm, IMAGE),
    "roll back what has not booted": Act((Device.install,), Device.roll_back, FACTORY),
    "roll back what runs": Act(ON_TRIAL, Device.roll_back, FACTORY),
    "roll back what is confirmed": Act((*ON_TRIAL, Device.confirm), Device.roll_back, FACTORY),
}
BOOTS = {
    "boot the trial": Act((Device.install,), Device.boot, IMAGE),
    "boot what is confirmed": Act((*ON_TRIAL, Device.confirm), Device.boot, IMAGE),
    "fall back": Act((Device.install, lambda device: device.boot(TRIES)), Device.boot, FACTORY),
}


class Sweep:
    """Runs of one act from one beginning."""

    def __init__(self, directory: Path, act: Act) -> None:
        self.act = act
        self._origin = directory / "origin"
        self._root = directory / "run"
        (directory / "files").mkdir()
        for name, content in {"factory": FACTORY, "u0": FIRST, "u1": IMAGE}.items():
            (directory / "files" / name).write_bytes(content)
        self._origin.mkdir()
        if act is not ACTS["make"]:
            device = Device(self._origin)
            for step in act.before:
                step(device)

    def run(self, power: PowerSwitch) -> LossyDisk:
        """Do it on a new disk in the state from before; the disk, whether it was cut or not."""
        shutil.rmtree(self._root, ignore_errors=True)
        shutil.copytree(self._origin, self._root)
        disk = LossyDisk(self._root, power)
        try:
            self.act.do(Device(self._root, disk))
        except PowerLossError:
            assert power.off
        return disk

    def moments(self) -> int:
        """How many moments there are to cut at."""
        power = PowerSwitch()
        self.run(power)
        assert power.moments > 0
        return power.moments

    def device(self, disk: Disk | None = None) -> Device:
        """Another life of the process on the disk of the last run."""
        return Device(self._root, disk)

    def status(self) -> BootPointer:
        """What the board says, without the name of the boot."""
        return replace(Board(self._root / "board", disk=Disk()).status(), boot_id="")


@pytest.fixture
def sweep(tmp_path: Path, request: pytest.FixtureRequest) -> Sweep:
    """Return the sweep over the act that the test is parametrized with."""
    return Sweep(tmp_path, request.param)


def over(acts: dict[str, Act]) -> pytest.MarkDecorator:
    """Run the test for each of these acts."""
    return pytest.mark.parametrize("sweep", acts.values(), ids=acts.keys(), indirect=True)


@over(ACTS | BOOTS)
def test_what_has_returned_is_durable(sweep: Sweep) -> None:
    """A power cut right behind an act loses nothing of it."""
    disk = sweep.run(PowerSwitch())
    before = sweep.status()
    running = sweep.device().running()
    disk.lose()
    assert sweep.status() == before
    assert sweep.device().running() == running


@pytest.mark.crash
@over(ACTS)
def test_killed_anywhere_and_done_again(sweep: Sweep) -> None:
    """A killed process leaves the running slot alone, and doing it again ends as if nothing had been, durably."""
    disk = sweep.run(PowerSwitch())
    clean = sweep.status()
    runs = sweep.device().running()
    for moment in range(sweep.moments()):
        disk = sweep.run(PowerSwitch(moment))
        disk.plug(PowerSwitch())
        device = sweep.device(disk)
        assert device.running() == runs, moment
        sweep.act.do(device)
        assert sweep.status() == clean, moment
        disk.lose()
        assert sweep.status() == clean, moment


@pytest.mark.crash
@over(ACTS)
def test_a_kill_is_no_reboot(sweep: Sweep) -> None:
    """Whatever the process was doing when it was killed, the boot keeps its name; only a new board gets one."""
    before = None
    if sweep.act is not ACTS["make"]:
        sweep.run(PowerSwitch(0))
        before = sweep.device().board.status()
    for moment in range(sweep.moments()):
        sweep.run(PowerSwitch(moment))
        after = sweep.device().board.status()
        assert before is None or (after.boot_id, after.booted) == (before.boot_id, before.booted), moment


@pytest.mark.crash
@over(ACTS | BOOTS)
def test_power_cut_anywhere_boots_a_whole_image(sweep: Sweep) -> None:
    """After a cut the board boots an image that is whole and known, and the update can be brought to its end."""
    for moment in range(sweep.moments()):
        sweep.run(PowerSwitch(moment)).lose()
        device = sweep.device()
        device.boot()
        assert device.running() in KNOWN, moment
        (finish_update if sweep.act.ends == IMAGE else finish_rollback)(device)
        device.boot()
        assert device.running() == sweep.act.ends, moment


def finish_update(device: Device) -> None:
    """Go on as the lifecycle does, from what the installer says of itself."""
    if not device.installer.runs(UPDATE):
        if device.installer.probe(UPDATE) is not Probe.DONE:
            device.install()
        device.boot()
    device.confirm()


def finish_rollback(device: Device) -> None:
    """Roll back until the old image runs; one reboot is enough."""
    if device.installer.roll_back(UPDATE):
        device.boot()
    assert not device.installer.roll_back(UPDATE)
