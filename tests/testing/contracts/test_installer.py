"""Our installers keep the contract."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.slots import SlotInstaller
from fwsm.errors import PartError
from fwsm.testing.contracts import InstallerContract


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


class Hasty(SlotInstaller):
    """Answers a path where a name is wanted."""

    def target_slot(self) -> str:
        """Which the database could not store."""
        return cast("str", Path("/dev/b"))


def test_a_wrong_answer_is_told_to_its_author(tmp_path: Path) -> None:
    """In the words that a device would use."""

    class Bench(SlotBench):
        def new_installer(self) -> SlotInstaller:
            return Hasty(self.directory / "board", on_reboot=lambda: None)

    with pytest.raises(PartError, match=r"the installer's target_slot answered PosixPath\('/dev/b'\)"):
        InstallerContract().test_the_target_slot_has_a_name(Bench(tmp_path))
