"""The slot installer: what it does, and what it refuses."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from fwsm.core.update import Artifact, Probe, Request, State, Update
from fwsm.device.durable import Disk
from fwsm.device.installers.pointer import Mark
from fwsm.device.installers.slots import SlotInstaller
from fwsm.errors import ArtifactDamagedError, ConfigError, InstallError, Kind, NoSpaceError, SlotError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

    from fwsm.device.ports import Installer

IMAGE = bytes(range(256)) * 5000  # 1.25 MiB: more than one piece
FACTORY = b"factory" * 100


class Device:
    """A board with an installer, and the file of an update.

    Attributes:
        reboots: how many reboots were ordered.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.artifact = directory / "download.img"
        self.artifact.write_bytes(IMAGE)
        (directory / "factory.img").write_bytes(FACTORY)
        self.reboots = 0
        self.start()

    def start(self, disk: Disk | None = None, slot_bytes: int | None = None) -> None:
        """Begin another life of the process."""
        self.installer = SlotInstaller(
            self.directory / "board",
            disk=disk or Disk(),
            on_reboot=self._count_reboot,
            factory=self.directory / "factory.img",
            slot_bytes=slot_bytes,
        )
        self.board = self.installer.board

    def install(self, update: Update, stop: threading.Event | None = None) -> bool:
        """Install the file."""
        return self.installer.install(update, self.artifact, stop or threading.Event())

    def mark(self, name: str) -> Mark:
        """The mark of a slot."""
        return self.board.status().slots[name].mark

    def running_bytes(self) -> bytes:
        """The image that runs."""
        return self.board.slot_path(self.board.status().booted).read_bytes()

    def _count_reboot(self) -> None:
        self.reboots += 1


def an_update(content: bytes = IMAGE, update_id: str = "u1") -> Update:
    """An update whose download is complete."""
    return Update(
        id=update_id,
        request=Request("https://images.example/one.img", version="2.0"),
        state=State.INSTALLING,
        boot_id="boot",
        artifact=Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)),
    )


UPDATE = an_update()


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A device that runs its factory image."""
    return Device(tmp_path)


class _Acting(Disk):
    """A disk on which something happens at a write into a slot.

    Args:
        act: called before the write with the number of writes so far.
    """

    def __init__(self, act: Callable[[int], None]) -> None:
        self._act = act
        self._writes = 0

    def write(self, file: FileIO, data: bytes | bytearray | memoryview, at_bytes: int) -> None:
        if Path(f"/proc/self/fd/{file.fileno()}").readlink().suffix == ".img":
            self._act(self._writes)
            self._writes += 1
        super().write(file, data, at_bytes)


def failing(number: int) -> _Acting:
    """A disk whose second write into a slot fails."""

    def act(writes: int) -> None:
        if writes == 1:
            raise OSError(number, os.strerror(number))

    return _Acting(act)


def test_it_is_an_installer(device: Device) -> None:
    """It keeps the port's shape, and declares that an installation may simply be repeated."""
    port: Installer = device.installer
    assert port.repeatable
    assert port.target_slot() == "b"


def test_no_tries_are_refused(tmp_path: Path) -> None:
    """An installer that would never boot what it installs is not made."""
    with pytest.raises(ConfigError, match="cannot be on_reboot: it cannot be called"):
        SlotInstaller(tmp_path, disk=Disk(), on_reboot=cast("Callable[[], None]", "reboot"))
    with pytest.raises(ConfigError, match="tried 0 times"):
        SlotInstaller(tmp_path, disk=Disk(), on_reboot=lambda: None, tries=0)


def test_an_update_goes_its_way(device: Device) -> None:
    """Installed on trial, booted, confirmed: the image is identical, and the next target is the other slot."""
    assert device.install(UPDATE)
    assert (device.mark("b"), device.installer.runs(UPDATE)) == (Mark.TRIAL, False)
    device.installer.reboot()
    assert device.reboots == 1
    assert device.board.power_cycle() == "b"
    assert device.installer.runs(UPDATE)
    device.installer.confirm(UPDATE)
    assert device.running_bytes() == IMAGE
    assert (device.mark("b"), device.board.status().primary) == (Mark.GOOD, "b")
    assert device.installer.target_slot() == "a"
    assert [device.board.power_cycle() for _ in range(4)] == ["b"] * 4


def test_the_slot_record_tells_what_is_there(device: Device) -> None:
    """Digest, size, version and update are kept with the slot."""
    device.install(UPDATE)
    content = device.board.status().slots["b"]
    assert (content.image, content.version, content.update_id) == (UPDATE.artifact, "2.0", "u1")


def test_a_restart_of_the_process_is_no_reboot(device: Device) -> None:
    """Slot and boot id stay when the process dies and comes back."""
    device.install(UPDATE)
    before = device.board.status()
    device.start()
    assert device.board.status() == before
    assert not device.installer.runs(UPDATE)


def test_a_second_update_overwrites_the_old_slot(device: Device) -> None:
    """After a confirmed update the next one goes to the slot that does not run any more."""
    device.install(UPDATE)
    device.board.power_cycle()
    device.installer.confirm(UPDATE)
    second = an_update(IMAGE[::-1], "u2")
    device.artifact.write_bytes(IMAGE[::-1])
    assert device.install(second)
    assert device.board.power_cycle() == "a"
    assert device.running_bytes() == IMAGE[::-1]


def test_installing_again_writes_nothing(device: Device) -> None:
    """What is installed is not installed again, before the reboot or after it, even without the file."""
    device.install(UPDATE)
    before = device.board.status()
    device.artifact.unlink()
    assert device.install(UPDATE)
    assert device.board.status() == before
    device.board.power_cycle()
    assert not device.install(UPDATE)


def test_without_a_download_nothing_is_installed(device: Device) -> None:
    """An update whose image is not known is refused."""
    with pytest.raises(InstallError, match="no finished download"):
        device.install(replace(UPDATE, artifact=None))
    assert device.mark("b") is Mark.EMPTY


def test_what_is_not_confirmed_does_not_lose_its_way_back(device: Device) -> None:
    """While an unconfirmed image runs, nothing may overwrite the slot that it would fall back to."""
    device.install(UPDATE)
    device.board.power_cycle()
    with pytest.raises(SlotError, match="slot a must not be overwritten"):
        device.install(an_update(update_id="u2"))
    device.installer.roll_back(UPDATE)
    with pytest.raises(SlotError, match="slot a must not be overwritten"):
        device.install(UPDATE)
    assert device.board.slot_path("a").read_bytes() == FACTORY


def test_a_file_that_changes_meanwhile_is_not_installed(device: Device) -> None:
    """Bytes that differ from what the download proved do not get activated, though they were written well."""

    def swap(writes: int) -> None:
        if writes == 0:
            device.artifact.write_bytes(IMAGE[:-1] + b"!")

    device.start(_Acting(swap))
    with pytest.raises(ArtifactDamagedError, match="changed while it was being installed"):
        device.install(UPDATE)
    assert (device.mark("b"), device.board.power_cycle()) == (Mark.WRITING, "a")


@pytest.mark.parametrize("content", [IMAGE[:-1], IMAGE + b"x", b""])
def test_a_file_of_another_size_is_not_installed(device: Device, content: bytes) -> None:
    """A file that is shorter or longer than the download is not the download."""
    device.artifact.write_bytes(content)
    with pytest.raises(ArtifactDamagedError):
        device.install(UPDATE)
    assert device.board.power_cycle() == "a"


def test_a_file_that_is_gone_is_said(device: Device) -> None:
    """Without its file an installation fails with the file's name."""
    device.artifact.unlink()
    with pytest.raises(ArtifactDamagedError, match=r"No such file or directory \(.*download.img\)"):
        device.install(UPDATE)


def test_what_is_read_back_must_be_what_was_written(device: Device) -> None:
    """A storage that changes a byte on its way is found out before activation."""

    class _Lying(Disk):
        def write(self, file: FileIO, data: bytes | bytearray | memoryview, at_bytes: int) -> None:
            changed = bytearray(data)
            changed[0] ^= at_bytes > 0  # only the second piece of an image starts there
            super().write(file, changed, at_bytes)

    device.start(_Lying())
    with pytest.raises(SlotError, match="does not hold what was written"):
        device.install(UPDATE)
    assert (device.mark("b"), device.board.power_cycle()) == (Mark.WRITING, "a")


def test_an_image_larger_than_a_slot_is_refused(device: Device) -> None:
    """Nothing is touched for an image that cannot fit."""
    device.start(slot_bytes=len(IMAGE) - 1)
    with pytest.raises(SlotError, match=f"has {len(IMAGE)} bytes, and a slot holds {len(IMAGE) - 1}"):
        device.install(UPDATE)
    assert device.mark("b") is Mark.EMPTY
    device.start(slot_bytes=len(IMAGE))
    assert device.install(UPDATE)


def test_an_image_larger_than_the_disk_is_refused(device: Device) -> None:
    """Room is looked for before anything is touched, and some is left for others."""

    class _Small(Disk):
        def free_bytes(self, directory: Path) -> int:  # noqa: ARG002
            return len(IMAGE)

    device.start(_Small())
    with pytest.raises(NoSpaceError, match="the disk has room for"):
        device.install(UPDATE)
    assert device.mark("b") is Mark.EMPTY


def test_the_room_of_the_old_image_counts(device: Device) -> None:
    """What the target slot holds now is room for the new image."""

    class _Full(Disk):
        def free_bytes(self, directory: Path) -> int:  # noqa: ARG002
            return 1024 * 1024

    device.board.slot_path("b").write_bytes(IMAGE)
    device.start(_Full())
    assert device.install(UPDATE)


def test_a_disk_that_fills_up_gives_its_room_back(device: Device) -> None:
    """When the disk is full half-way it is said, the half image is dropped, and a retry with room succeeds."""
    device.start(failing(errno.ENOSPC))
    with pytest.raises(NoSpaceError, match="cannot write slot b: No space left on device") as caught:
        device.install(UPDATE)
    assert caught.value.kind is Kind.NEEDS_OPERATOR
    assert device.board.slot_path("b").stat().st_size == 0
    assert device.installer.probe(UPDATE) is Probe.UNFINISHED
    device.start()
    assert device.install(UPDATE)


def test_a_broken_disk_is_said(device: Device) -> None:
    """An I/O error ends the installation, and what ran still runs."""
    device.start(failing(errno.EIO))
    with pytest.raises(SlotError, match="cannot write slot b: Input/output error"):
        device.install(UPDATE)
    assert device.board.power_cycle() == "a"


def test_a_link_in_place_of_the_slot_is_not_followed(device: Device) -> None:
    """A slot that points elsewhere is refused, and what it points to stays as it was."""
    precious = device.directory / "precious"
    precious.write_bytes(b"precious")
    device.board.slot_path("b").symlink_to(precious)
    with pytest.raises(SlotError, match="symbolic link"):
        device.install(UPDATE)
    assert precious.read_bytes() == b"precious"


def test_stop_breaks_off_and_the_next_try_succeeds(device: Device) -> None:
    """A stop in the middle leaves an unfinished slot that is written anew."""
    stop = threading.Event()
    device.start(_Acting(lambda _writes: stop.set()))
    with pytest.raises(InstallError, match="broken off"):
        device.install(UPDATE, stop)
    assert device.installer.probe(UPDATE) is Probe.UNFINISHED
    device.start()
    assert device.install(UPDATE)
    assert device.installer.probe(UPDATE) is Probe.DONE


def test_probe_knows_nothing_of_others(device: Device) -> None:
    """An update that this installer has not seen has not begun, whatever others did."""
    assert device.installer.probe(UPDATE) is Probe.NOT_BEGUN
    device.install(UPDATE)
    assert device.installer.probe(an_update(update_id="u2")) is Probe.NOT_BEGUN


def test_probe_follows_an_update_all_the_way(device: Device) -> None:
    """Done when activated, while it runs on trial, and when confirmed; not when it was rolled back."""
    device.install(UPDATE)
    found = [device.installer.probe(UPDATE)]
    device.board.power_cycle()
    found.append(device.installer.probe(UPDATE))
    device.installer.confirm(UPDATE)
    found.append(device.installer.probe(UPDATE))
    assert found == [Probe.DONE] * 3
    device.installer.roll_back(UPDATE)
    assert device.installer.probe(UPDATE) is Probe.UNFINISHED
    device.board.power_cycle()
    assert device.installer.probe(UPDATE) is Probe.UNFINISHED


def test_probe_reads_what_waits_for_its_boot(device: Device) -> None:
    """An activated image that rotted before it ever ran is not done."""
    device.install(UPDATE)
    device.board.slot_path("b").write_bytes(IMAGE[:-1] + b"!")
    assert device.installer.probe(UPDATE) is Probe.UNFINISHED
    assert device.install(UPDATE)
    assert device.board.power_cycle() == "b"


def test_probe_sees_a_trial_that_fell_back(device: Device) -> None:
    """When all tries are used up the installation is not done any more."""
    device.install(UPDATE)
    assert [device.board.power_cycle() for _ in range(4)] == ["b", "b", "b", "a"]
    assert device.installer.probe(UPDATE) is Probe.UNFINISHED
    assert not device.installer.runs(UPDATE)


def test_probe_tells_another_file_of_the_same_update_apart(device: Device) -> None:
    """A retry that brought other bytes is not done because the first bytes are there."""
    device.install(UPDATE)
    assert device.installer.probe(an_update(IMAGE[::-1])) is Probe.UNFINISHED


def test_confirming_what_does_not_run_is_refused(device: Device) -> None:
    """Only the running image can be marked good."""
    device.install(UPDATE)
    with pytest.raises(SlotError, match="slot a runs, and does not hold it"):
        device.installer.confirm(UPDATE)
    assert device.mark("b") is Mark.TRIAL


def test_confirming_twice_is_confirming_once(device: Device) -> None:
    """The second time changes nothing."""
    device.install(UPDATE)
    device.board.power_cycle()
    device.installer.confirm(UPDATE)
    before = device.board.status()
    device.installer.confirm(UPDATE)
    assert device.board.status().sequence == before.sequence


def test_the_last_try_can_still_be_confirmed(device: Device) -> None:
    """An image on its last try that proves itself stays."""
    device.install(UPDATE)
    for _ in range(3):
        device.board.power_cycle()
    device.installer.confirm(UPDATE)
    assert device.board.power_cycle() == "b"


def test_rolling_back_what_has_not_booted_needs_no_reboot(device: Device) -> None:
    """The trial is forgotten, and the old image goes on running."""
    device.install(UPDATE)
    assert not device.installer.roll_back(UPDATE)
    assert device.board.power_cycle() == "a"


def test_rolling_back_what_runs_needs_a_reboot(device: Device) -> None:
    """True while the new image runs, however often it is asked; False once the old one does."""
    device.install(UPDATE)
    device.board.power_cycle()
    assert device.installer.roll_back(UPDATE)
    assert device.installer.roll_back(UPDATE)
    assert device.board.power_cycle() == "a"
    assert not device.installer.roll_back(UPDATE)
    assert device.running_bytes() == FACTORY


def test_a_confirmed_update_can_be_rolled_back(device: Device) -> None:
    """A crash right behind the confirmation may still lead to a rollback."""
    device.install(UPDATE)
    device.board.power_cycle()
    device.installer.confirm(UPDATE)
    assert device.installer.roll_back(UPDATE)
    assert device.board.power_cycle() == "a"


def test_rolling_back_what_never_began_does_nothing(device: Device) -> None:
    """An update that touched nothing leaves nothing to undo."""
    before = device.board.status()
    assert not device.installer.roll_back(UPDATE)
    assert device.board.status().sequence == before.sequence


@pytest.mark.parametrize("rolled_back", [False, True])
def test_an_update_leads_back_from_what_an_earlier_one_has_left(device: Device, rolled_back: bool) -> None:
    """It is refused, since the other slot is the way back; it orders the reboot that never came, and can be retried."""
    device.install(UPDATE)
    device.board.power_cycle()
    if rolled_back:
        assert device.installer.roll_back(UPDATE)
    later = replace(UPDATE, id="later")
    with pytest.raises(SlotError, match="must not be overwritten"):
        device.install(later)
    assert device.installer.roll_back(later)
    assert device.board.power_cycle() == "a"
    assert not device.installer.roll_back(later)
    assert device.install(later)


def test_rolling_back_half_an_image_needs_no_reboot(device: Device) -> None:
    """After an installation that failed half-way, the old image simply goes on."""
    device.start(failing(errno.EIO))
    with pytest.raises(SlotError):
        device.install(UPDATE)
    assert not device.installer.roll_back(UPDATE)
    assert (device.mark("b"), device.board.power_cycle()) == (Mark.WRITING, "a")


def test_there_is_no_way_back_to_a_rotten_image(device: Device) -> None:
    """An image that works badly is better than one that does not boot."""
    device.install(UPDATE)
    device.board.power_cycle()
    device.board.slot_path("a").write_bytes(b"rot")
    with pytest.raises(SlotError, match="slot a holds no whole image to go back to"):
        device.installer.roll_back(UPDATE)
    assert device.board.power_cycle() == "b"


def test_it_remembers_what_it_holds(device: Device) -> None:
    """By update, and by what was asked for; a version is part of that."""
    update = an_update()
    assert update.artifact is not None
    asked_for = replace(update.request, sha256=update.artifact.sha256)
    assert (device.installer.image_of(update), device.installer.runs_already(asked_for)) == (None, None)
    device.install(update)
    device.board.power_cycle()
    device.start()
    assert (device.installer.image_of(update), device.installer.runs_already(asked_for)) == (update.artifact, None)
    device.installer.confirm(update)
    assert device.installer.runs_already(asked_for) == update.artifact
    assert device.installer.runs_already(replace(asked_for, version="another")) is None
    assert device.installer.runs_already(replace(asked_for, sha256=None)) is None


def test_another_image_under_the_same_update_does_not_run(device: Device) -> None:
    """An id that came back from a lost database is no proof."""
    device.install(an_update())
    device.board.power_cycle()
    assert device.installer.runs(an_update())
    assert not device.installer.runs(an_update(b"something else"))
