"""The contract of an installer."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from fwsm.core.update import Artifact, Probe, Request, State, Update
from fwsm.device.examined import Examiner
from fwsm.device.mishaps import Mishaps
from fwsm.errors import ArtifactDamagedError, InstallError

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.device.ports import Installer

__all__ = ["InstallerBench", "InstallerContract"]


class InstallerBench(Protocol):
    """What an installer is tried on: a board that can be rebooted."""

    def new_installer(self) -> Installer:
        """An installer as a process that has just started makes it, on the board as it is."""
        ...

    def new_artifact(self, number: int) -> Path:
        """A file that can be installed; another one for each number, and the same one for the same number."""
        ...

    def reboot(self) -> None:
        """What a reboot does to the board: it boots what is to be booted."""
        ...


class InstallerContract:
    """What `fwsm.device.ports.Installer` promises."""

    @pytest.fixture
    def bench(self) -> InstallerBench:
        """The bench; override this."""
        raise NotImplementedError

    @pytest.fixture
    def update(self, bench: InstallerBench) -> Update:
        """An update with a finished download."""
        return _update("u1", bench.new_artifact(1))

    def test_the_target_slot_has_a_name(self, bench: InstallerBench) -> None:
        """One that can be stored and shown; or the installer has no slots."""
        _new(bench).target_slot()

    def test_before_the_installation_nothing_is_begun(self, bench: InstallerBench, update: Update) -> None:
        """And the image does not run."""
        installer = _new(bench)
        assert installer.probe(update) is Probe.NOT_BEGUN
        assert not installer.runs(update)

    def test_an_installation_is_found_by_the_next_process(self, bench: InstallerBench, update: Update) -> None:
        """A process that died behind it does not do it again."""
        _install(bench, update)
        assert _new(bench).probe(update) is Probe.DONE

    def test_an_installation_done_twice_is_the_same(self, bench: InstallerBench, update: Update) -> None:
        """A process that died before it could say so does it once more."""
        assert _install(bench, update) == _install(bench, update)
        assert _new(bench).probe(update) is Probe.DONE

    def test_what_runs_on_trial_is_not_installed_again(self, bench: InstallerBench, update: Update) -> None:
        """A device that has lost its last commits does it once more; what it falls back to must still be there."""
        self.run_new(bench, update)
        _new(bench).confirm(update)
        second = _update("u2", bench.new_artifact(2))
        self.run_new(bench, second, number=2)
        assert not _install(bench, second, number=2)
        assert _new(bench).probe(second) is Probe.DONE
        assert _new(bench).runs(second)
        if _new(bench).roll_back(second):
            bench.reboot()
        assert _new(bench).runs(update)

    def test_what_was_confirmed_stays(self, bench: InstallerBench, update: Update) -> None:
        """Over any number of reboots; to confirm twice does no harm."""
        self.run_new(bench, update)
        _new(bench).confirm(update)
        _new(bench).confirm(update)
        bench.reboot()
        bench.reboot()
        assert _new(bench).runs(update)

    def test_what_was_rolled_back_does_not_run(self, bench: InstallerBench, update: Update) -> None:
        """After the reboot that the installer asks for; to roll back twice does no harm."""
        self.run_new(bench, update)
        for _ in range(2):
            if _new(bench).roll_back(update):
                bench.reboot()
        assert not _new(bench).roll_back(update)
        assert not _new(bench).runs(update)

    def test_rolling_back_what_was_not_begun_changes_nothing(self, bench: InstallerBench, update: Update) -> None:
        """A process may have died before it began."""
        assert not _new(bench).roll_back(update)
        assert not _new(bench).runs(update)

    def test_what_worked_before_comes_back(self, bench: InstallerBench, update: Update) -> None:
        """A second update that is rolled back leaves the first one running."""
        self.run_new(bench, update)
        _new(bench).confirm(update)
        second = _update("u2", bench.new_artifact(2))
        self.run_new(bench, second, number=2)
        assert not _new(bench).runs(update)
        if _new(bench).roll_back(second):
            bench.reboot()
        assert _new(bench).runs(update)

    def test_another_update_is_not_taken_for_this_one(self, bench: InstallerBench, update: Update) -> None:
        """What one update brought says nothing about the next."""
        self.run_new(bench, update)
        second = _update("u2", bench.new_artifact(2))
        assert not _new(bench).runs(second)
        assert _new(bench).probe(second) is Probe.NOT_BEGUN

    def test_a_damaged_file_is_refused_and_nothing_changes(self, bench: InstallerBench, update: Update) -> None:
        """What ran before runs still, also after a reboot."""
        path = bench.new_artifact(1)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        with pytest.raises((ArtifactDamagedError, InstallError)):
            _new(bench).install(update, path, threading.Event())
        bench.reboot()
        assert not _new(bench).runs(update)

    def test_a_missing_file_is_refused(self, bench: InstallerBench, update: Update) -> None:
        """With an error of ours, so that it is reported in words."""
        path = bench.new_artifact(1)
        path.unlink()
        with pytest.raises((ArtifactDamagedError, InstallError)):
            _new(bench).install(update, path, threading.Event())

    def test_what_it_remembers_is_the_image_of_the_update(self, bench: InstallerBench, update: Update) -> None:
        """An installer that keeps no account says nothing; another one says the truth, and nothing of other updates."""
        assert _new(bench).image_of(update) is None
        self.run_new(bench, update)
        assert _new(bench).image_of(update) in {None, update.artifact}
        assert _new(bench).image_of(_update("u2", bench.new_artifact(2))) is None

    def test_only_what_is_confirmed_runs_already(self, bench: InstallerBench, update: Update) -> None:
        """A trial may still be rolled back; and another image is another one."""
        assert update.artifact is not None
        same = replace(update.request, sha256=update.artifact.sha256)
        self.run_new(bench, update)
        assert _new(bench).runs_already(same) is None
        _new(bench).confirm(update)
        assert _new(bench).runs_already(same) in {None, update.artifact}
        assert _new(bench).runs_already(replace(same, sha256="0" * 64)) is None

    def run_new(self, bench: InstallerBench, update: Update, number: int = 1) -> None:
        """Install, reboot if it takes that, and see the new image run."""
        if _install(bench, update, number):
            bench.reboot()
        assert _new(bench).runs(update)


def _new(bench: InstallerBench) -> Installer:
    """One whose answers are examined as on a device: a wrong one raises PartError."""
    return Examiner(Mishaps()).installer(bench.new_installer())


def _install(bench: InstallerBench, update: Update, number: int = 1) -> bool:
    return _new(bench).install(update, bench.new_artifact(number), threading.Event())


def _update(name: str, artifact: Path) -> Update:
    content = artifact.read_bytes()
    return Update(
        id=name,
        request=Request(f"https://images.example/{name}.img"),
        state=State.INSTALLING,
        boot_id="boot-1",
        artifact=Artifact(hashlib.sha256(content).hexdigest(), len(content)),
    )
