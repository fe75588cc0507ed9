"""The fakes keep what the ports promise; what is built on them rests on that."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fwsm.core.update import Probe, Progress, Request, State, Update
from fwsm.errors import ArtifactDamagedError, DownloadError, InstallError
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller

URI = "https://images.example/fw"
UPDATE = Update(id="u1", request=Request(URI), state=State.DOWNLOADING, boot_id="boot-1")


@pytest.fixture
def go_on() -> threading.Event:
    """A stop event that nobody sets."""
    return threading.Event()


def test_a_download_that_breaks_off_keeps_half_and_then_goes_on(go_on: threading.Event) -> None:
    """What is noted is what is kept."""
    download = MemoryDownload({URI: b"abcd"}, failures=[DownloadError("broken")])
    noted: list[Progress] = []
    with pytest.raises(DownloadError, match="broken"):
        download.fetch(UPDATE, noted.append, go_on)
    assert noted == [download.progress(UPDATE)] == [Progress(2, 4)]
    assert download.fetch(UPDATE, noted.append, go_on).bytes == 4
    assert download.progress(UPDATE) == Progress(4, 4)


def test_a_file_that_has_changed_is_thrown_away(go_on: threading.Event) -> None:
    """As the port says: it is gone or not the same."""
    download = MemoryDownload({URI: b"abcd"})
    update = replace(UPDATE, artifact=download.fetch(UPDATE, lambda _progress: None, go_on))
    download.verify(update, go_on)
    download.kept["u1"] = b"abcx"
    with pytest.raises(ArtifactDamagedError):
        download.verify(update, go_on)
    assert download.kept == {}


def test_only_what_is_to_be_kept_is_kept() -> None:
    """Another update's files go, and all of them if there is none to keep."""
    download = MemoryDownload({}, kept={"u1": b"", "u2": b""})
    download.discard(UPDATE)
    assert set(download.kept) == {"u1"}
    download.discard(None)
    assert download.kept == {}


def test_whoever_is_told_to_stop_does_nothing(go_on: threading.Event) -> None:
    """Both break off with the error of their port."""
    go_on.set()
    download, installer = MemoryDownload({URI: b"abcd"}), MemoryInstaller(Board())
    with pytest.raises(DownloadError):
        download.fetch(UPDATE, lambda _progress: None, go_on)
    with pytest.raises(InstallError):
        installer.install(UPDATE, Path("u1"), go_on)
    assert (download.kept, installer.board) == ({}, Board())


def test_a_board_tries_a_slot_once_and_falls_back(go_on: threading.Event) -> None:
    """Installed, it waits for the boot; booted, it runs; not confirmed, the next boot is one into the old slot."""
    installer = MemoryInstaller(Board())
    assert installer.probe(UPDATE) is Probe.NOT_BEGUN
    assert installer.install(UPDATE, Path("u1"), go_on)
    assert (installer.probe(UPDATE), installer.runs(UPDATE)) == (Probe.DONE, False)
    installer.board.power_cycle()
    assert installer.runs(UPDATE)
    installer.board.power_cycle()
    assert not installer.runs(UPDATE)


def test_what_is_installed_is_not_installed_again(go_on: threading.Event) -> None:
    """Neither while it waits for its boot nor while it runs on trial."""
    board = Board()
    installer = MemoryInstaller(board)
    assert installer.install(UPDATE, Path("u1"), go_on)
    assert installer.install(UPDATE, Path("u1"), go_on)
    board.power_cycle()
    assert not installer.install(UPDATE, Path("u1"), go_on)
    assert (board.installed, board.content) == (["u1"], {"b": "u1"})


def test_a_confirmed_slot_is_booted_from_then_on(go_on: threading.Event) -> None:
    """And a boot loader that does not accept the trial boots the old one."""
    for accepts, booted in ((True, "b"), (False, "a")):
        installer = MemoryInstaller(Board(accepts=accepts))
        installer.install(UPDATE, Path("u1"), go_on)
        installer.board.power_cycle()
        if installer.runs(UPDATE):
            installer.confirm(UPDATE)
        installer.board.power_cycle()
        assert installer.board.booted == booted


def test_rolling_back_takes_a_reboot_only_while_the_new_image_runs(go_on: threading.Event) -> None:
    """Before the boot, it is enough to forget the trial."""
    installer = MemoryInstaller(Board())
    installer.install(UPDATE, Path("u1"), go_on)
    assert not installer.roll_back(UPDATE)
    installer.install(UPDATE, Path("u1"), go_on)
    installer.board.power_cycle()
    assert installer.roll_back(UPDATE)
    installer.board.power_cycle()
    assert not installer.roll_back(UPDATE)
