"""The device whose power can be cut; the sweeps of tests/crash drive the whole of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from fwsm.core.update import State
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.slots import SlotInstaller
from fwsm.testing.image_server import ImageServer
from fwsm.testing.power import PowerSwitch
from fwsm.testing.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.device.durable import Disk


@pytest.fixture
def rig_of(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Rig]]:
    """Makes a device beside a server that has one image; takes what to change in the payload."""
    image, factory = tmp_path / "firmware.img", tmp_path / "factory.img"
    image.write_bytes(bytes(range(256)) * 400)
    factory.write_bytes(b"factory")
    with ImageServer("127.0.0.1", {"/firmware.img": image}) as server:
        payload = {"fwPackageUri": server.url("/firmware.img")}
        yield lambda changes: Rig(tmp_path / "device", payload | changes, server.ca_pem, factory)


def test_a_clean_run_ends_settled_after_one_reboot(rig_of: Callable[[dict[str, Any]], Rig]) -> None:
    """The story of it is that reboot."""
    rig = rig_of({})
    assert rig.run(PowerSwitch()) == ["reboot"]
    assert rig.settled is not None
    assert rig.settled.state is State.APPLY_COMPLETE
    assert rig.board().status().booted == "b"


def test_a_cut_is_part_of_the_story(rig_of: Callable[[dict[str, Any]], Rig]) -> None:
    """It says what it fell on; then the device boots, and life goes on."""
    rig = rig_of({})
    first, *others = rig.run(PowerSwitch(0))
    assert first == "at moment 0, mkdir"
    assert others == ["reboot"]


def test_an_update_that_fails_settles_without_a_reboot(rig_of: Callable[[dict[str, Any]], Rig]) -> None:
    """The old slot goes on running."""
    rig = rig_of({"fwPackageCheckValue": hashlib.sha256(b"another").hexdigest()})
    assert rig.run(PowerSwitch()) == []
    assert rig.settled is not None
    assert rig.settled.state is State.DOWNLOAD_FAILED
    assert rig.board().status().booted == "a"


def test_a_wrong_answer_of_an_installer_is_told_to_its_author(rig_of: Callable[[dict[str, Any]], Rig]) -> None:
    """A device would live with it, and nobody would see it in the sweep."""

    class Hasty(SlotInstaller):
        def target_slot(self) -> str:
            return cast("str", Path("/dev/b"))

    class Bench:
        def __init__(self, directory: Path, factory: Path) -> None:
            self.directory, self.factory = directory, factory

        def new_installer(self, disk: Disk, on_reboot: Callable[[], None]) -> Hasty:
            return Hasty(self.directory, disk=disk, on_reboot=on_reboot, factory=self.factory)

        def boot(self, disk: Disk) -> str:
            board = Board(self.directory, disk=disk)
            board.power_cycle()
            return board.status().boot_id

    rig = rig_of({})
    rig.bench = Bench(rig.flash / "board", rig.factory)
    with pytest.raises(AssertionError, match=r"the installer's target_slot answered PosixPath\('/dev/b'\)"):
        rig.run(PowerSwitch())
