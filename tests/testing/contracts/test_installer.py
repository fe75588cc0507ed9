"""Our installers keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.slots import SlotInstaller
from fwsm.testing.contracts import InstallerContract

if TYPE_CHECKING:
    from pathlib import Path


class SlotBench:
    """A board in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def new_installer(self) -> SlotInstaller:
        """On the board."""
        return SlotInstaller(self.directory / "board", on_reboot=lambda: None)

    def new_artifact(self, number: int) -> Path:
        """Some bytes."""
        path = self.directory / f"{number}.img"
        path.write_bytes(bytes([number]) * 100_000)
        return path

    def reboot(self) -> None:
        """Cycle the power."""
        Board(self.directory / "board", disk=Disk()).power_cycle()


class TestSlotInstaller(InstallerContract):
    """The built-in one."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> SlotBench:
        """A new board."""
        return SlotBench(tmp_path)
