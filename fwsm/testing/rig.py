"""One whole device in this process, whose power can be cut at any durable operation.

Everything on the way to the disk is real: the store on SQLite, the download over HTTPS, the slots and their boot
loader. Time, the hub, and the thread are in hand, so that a run is the same every time. Downloads and slots are on a
disk that forgets whatever was not synced, at each cut of the whole board and at each reboot.

    rig = Rig(directory, {"fwPackageUri": uri}, ca_pem, factory)
    rig.run(PowerSwitch(17))           # the power goes at moment 17; then life goes on until the update has settled

With `bench` the device gets an installer of another kind, on a board of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fwsm.core.lifecycle import NO_EXTENSION, Extension
from fwsm.device.agent import Agent
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk
from fwsm.device.examined import Examiner
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.slots import SlotInstaller
from fwsm.device.job import InlineRunner
from fwsm.device.mishaps import Mishaps
from fwsm.device.ports import MethodCall
from fwsm.device.reporter import Reporter
from fwsm.testing.clock import FakeClock
from fwsm.testing.link import MemoryLink
from fwsm.testing.lossy import LossyDisk
from fwsm.testing.power import CutInstaller, CutStore, PowerLossError, PowerSwitch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.core.update import Update
    from fwsm.device.ports import Installer

__all__ = ["Rig", "RigBench"]

_STEPS = 2000


class RigBench(Protocol):
    """What a rig is told of an installer and its board. The files of both outlive each installer that is made here."""

    def new_installer(self, disk: Disk, on_reboot: Callable[[], None]) -> Installer:
        """An installer as a process that has just started makes it.

        Args:
            disk: changes files; what is changed through it can be cut at every step.
            on_reboot: to be called when a reboot is ordered.
        """
        ...

    def boot(self, disk: Disk) -> str:
        """What a boot does to the board; names the boot, which never had that name before."""
        ...


class _SlotBench:
    """Two slots and their boot loader."""

    def __init__(self, directory: Path, factory: Path) -> None:
        self._directory = directory
        self._factory = factory

    def new_installer(self, disk: Disk, on_reboot: Callable[[], None]) -> SlotInstaller:
        """Make it."""
        return SlotInstaller(self._directory, disk=disk, on_reboot=on_reboot, factory=self._factory)

    def boot(self, disk: Disk) -> str:
        """Boot."""
        board = self.board(disk)
        board.power_cycle()
        return board.status().boot_id

    def board(self, disk: Disk) -> Board:
        """The board, made if there is none."""
        board = Board(self._directory, disk=disk)
        board.prepare(self._factory)
        return board


@dataclass
class Rig:
    """A device that can be cut off.

    Attributes:
        directory: its database, and its flash.
        payload: what an operator sends; sent again until it is answered, as a person would.
        ca_pem: the authority that signs the image server.
        factory: the image in the slot that runs first.
        bench: makes the installer; None for that of the two slots.
        link: the hub.
        clock: time.
        extension: what the program adds to the lifecycle.
        settled: the update at the end; None while there is none.
    """

    directory: Path
    payload: dict[str, Any]
    ca_pem: str
    factory: Path
    bench: RigBench | None = None
    link: MemoryLink = field(default_factory=MemoryLink)
    clock: FakeClock = field(default_factory=FakeClock)
    extension: Extension = NO_EXTENSION
    settled: Update | None = None
    _rebooting: bool = False
    _disk: LossyDisk | None = None

    @property
    def flash(self) -> Path:
        """Where the downloads are, in `artifacts`, and the slots, in `board`."""
        return self.directory / "flash"

    def run(self, power: PowerSwitch, *, board_too: bool = True, then: PowerSwitch | None = None) -> list[str]:
        """Lives until the update has settled and all is reported; after a cut, life goes on.

        Args:
            power: where the cut is.
            board_too: whether the cut is one of the whole board, which then boots; else only the process dies.
            then: where the next cut is, counted from when life goes on; None for none.

        Returns:
            What the cut fell on, if there was one, and the reboots, in order.

        Raises:
            AssertionError: the device does not come to rest, or the installer has answered what it must not.
        """
        story: list[str] = []
        for _ in range(20):
            try:
                if self._life(power):
                    return story
                story.append("reboot")
            except PowerLossError as cut:
                story.append(str(cut))
                self._rebooting = self._rebooting or board_too
                power, then = then or PowerSwitch(), None
        raise AssertionError(f"the device does not come to rest: {story}")

    def board(self) -> Board:
        """The board with its slots."""
        return _SlotBench(self.flash / "board", self.factory).board(Disk())

    def forget_unsynced(self) -> None:
        """Take from the flash what was written and not synced."""
        disk, self._disk = self._disk, None
        if disk is not None:
            disk.lose()

    def _plugged(self, power: PowerSwitch) -> LossyDisk:
        """The flash behind a switch; what was not synced before the process ended is still in memory."""
        if self._disk is None:
            self.flash.mkdir(parents=True, exist_ok=True)
            self._disk = LossyDisk(self.flash, power)
        self._disk.plug(power)
        return self._disk

    def _life(self, power: PowerSwitch) -> bool:
        """One life of the process; True if it ends settled, False if it ends in a reboot."""
        if self._rebooting:
            self.forget_unsynced()
        disk = self._plugged(power)
        bench = self.bench or _SlotBench(self.flash / "board", self.factory)
        if self._rebooting:
            self.clock.reboot(bench.boot(disk))
            self._rebooting = False
        mishaps = Mishaps()
        examined = Examiner(mishaps).installer(bench.new_installer(disk, self._order_reboot))
        installer = CutInstaller(examined, power)
        store = CutStore(self.directory / "state", power)
        outbox = store.outbox()
        try:
            reporter = Reporter(outbox, self.link, self.clock, progress_every_s=None)
            agent = self._agent(store, reporter, installer, disk)
            settled = self._work(agent, reporter)
        finally:
            outbox.close()
            store.close()
        for mishap in mishaps.taken():  # a device lives with it; the author of the installer is to know
            raise AssertionError(mishap.message)
        return settled

    def _agent(self, store: CutStore, reporter: Reporter, installer: Installer, disk: Disk) -> Agent:
        return Agent(
            store,
            reporter,
            download=HttpsDownload(self.flash / "artifacts", disk=disk, clock=self.clock, ca_pem=self.ca_pem),
            installer=installer,
            clock=self.clock,
            extension=self.extension,
            runner=InlineRunner(),
            chance=lambda: 0.5,
        )

    def _work(self, agent: Agent, reporter: Reporter) -> bool:
        if agent.update is None:
            agent.deliver(MethodCall("firmwareUpdate", self.payload, lambda _status, _body: None))
        for _ in range(_STEPS):
            wait_s = agent.step(self.clock.now())
            if self._rebooting:
                return False
            while reporter.step() == 0.0:
                pass
            if wait_s is None and agent.update is not None and agent.update.state.settled:
                self.settled = agent.update
                return True
            self.clock.advance(wait_s or 0.0)
        raise AssertionError(f"the agent does not come to rest: {agent.update}")

    def _order_reboot(self) -> None:
        self._rebooting = True
