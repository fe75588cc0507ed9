"""One whole device in this process, whose power can be cut at any durable operation.

Everything on the way to the disk is real: the store on SQLite, the download over HTTPS, the slots and their boot
loader. Time, the hub, and the thread are in hand, so that a run is the same every time. Downloads and slots are on a
disk that forgets whatever was not synced, at each cut of the whole board and at each reboot.

    rig = Rig(directory, {"fwPackageUri": uri}, ca_pem, factory)
    rig.run(PowerSwitch(17))           # the power goes at moment 17; then life goes on until the update has settled
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fwsm.core.lifecycle import NO_EXTENSION, Extension
from fwsm.device.agent import Agent
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.slots import SlotInstaller
from fwsm.device.job import InlineRunner
from fwsm.device.ports import MethodCall
from fwsm.device.reporter import Reporter
from fwsm.testing.clock import FakeClock
from fwsm.testing.link import MemoryLink
from fwsm.testing.lossy import LossyDisk
from fwsm.testing.power import CutStore, PowerLossError, PowerSwitch

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.core.update import Update

__all__ = ["Rig"]

_STEPS = 2000


@dataclass
class Rig:
    """A device that can be cut off.

    Attributes:
        directory: its database, and its flash.
        payload: what an operator sends; sent again until it is answered, as a person would.
        ca_pem: the authority that signs the image server.
        factory: the image in the slot that runs first.
        link: the hub.
        clock: time.
        extension: what the program adds to the lifecycle.
        settled: the update at the end; None while there is none.
    """

    directory: Path
    payload: dict[str, Any]
    ca_pem: str
    factory: Path
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
            AssertionError: the device does not come to rest.
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
        return self._prepared(Disk())

    def forget_unsynced(self) -> None:
        """Take from the flash what was written and not synced."""
        disk, self._disk = self._disk, None
        if disk is not None:
            disk.lose()

    def _prepared(self, disk: Disk) -> Board:
        board = Board(self.flash / "board", disk=disk)
        board.prepare(self.factory)
        return board

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
        board = self._prepared(disk)
        if self._rebooting:
            board.power_cycle()
            self._rebooting = False
        self.clock.boot_id = board.status().boot_id
        store = CutStore(self.directory / "state", power)
        outbox = store.outbox()
        try:
            reporter = Reporter(outbox, self.link, self.clock, progress_every_s=None)
            agent = self._agent(store, reporter, disk)
            return self._work(agent, reporter)
        finally:
            outbox.close()
            store.close()

    def _agent(self, store: CutStore, reporter: Reporter, disk: Disk) -> Agent:
        return Agent(
            store,
            reporter,
            download=HttpsDownload(self.flash / "artifacts", disk=disk, clock=self.clock, ca_pem=self.ca_pem),
            installer=SlotInstaller(self.flash / "board", disk=disk, on_reboot=self._order_reboot),
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
