"""The switch, and what hangs on it."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Request, State, Update
from fwsm.store import Store
from fwsm.testing.clock import FakeClock
from fwsm.testing.fakes import Board, MemoryInstaller
from fwsm.testing.power import CutDisk, CutInstaller, CutStore, PowerLossError, PowerSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = FakeClock().now()
UPDATE = Update(id="u1", request=Request("https://x/y"), state=State.WAITING, boot_id="boot-1")


def done(power: PowerSwitch) -> list[str]:
    """Two operations; what was done of them before the power went."""
    effects: list[str] = []
    try:
        for name in ("first", "second"):
            with power.operation(name):
                effects.append(name)
    except PowerLossError as error:
        effects.append(str(error))
    return effects


@pytest.mark.parametrize(
    ("cut_at", "effects"),
    [
        (None, ["first", "second"]),
        (0, ["at moment 0, first"]),
        (1, ["first", "at moment 1, first"]),
        (2, ["first", "at moment 2, second"]),
        (3, ["first", "second", "at moment 3, second"]),
        (4, ["first", "second"]),
    ],
)
def test_each_operation_has_a_moment_before_and_one_behind_it(cut_at: int | None, effects: list[str]) -> None:
    """Before: nothing of it happens. Behind: all of it did, and nobody hears so."""
    assert done(PowerSwitch(cut_at)) == effects


def test_a_clean_run_counts_the_moments() -> None:
    """That is how often a sweep has to cut."""
    power = PowerSwitch()
    done(power)
    assert (power.names, power.moments, power.off) == (["first", "second"], 4, False)


def test_once_the_power_is_off_it_stays_off() -> None:
    """Clean-up code that would still touch the disk gets nowhere."""
    power = PowerSwitch(0)
    assert [done(power), done(power)] == [["at moment 0, first"], ["at moment 2, first"]]


def test_no_clause_for_exceptions_swallows_a_cut() -> None:
    """Product code may catch Exception; a power cut is none."""
    assert not issubclass(PowerLossError, Exception)


def test_the_power_may_go_behind_an_operation_that_fails() -> None:
    """A full disk does not protect from a cut."""
    power = PowerSwitch(1)
    with pytest.raises(PowerLossError), power.operation("write"):
        raise OSError(28, "No space left on device")


def test_a_write_is_torn_in_the_middle(tmp_path: Path) -> None:
    """Half of the data is in the file, as after a real cut."""
    power = PowerSwitch()
    disk = CutDisk(power)
    with disk.create(tmp_path / "file") as file:
        power.cut_at = power.moments + 2
        with pytest.raises(PowerLossError):
            disk.write(file, b"abcdef", 0)
    assert (tmp_path / "file").read_bytes() == b"abc"


@pytest.mark.parametrize(("cut_at", "there"), [(0, False), (1, True)])
def test_a_commit_is_whole_or_not_there(tmp_path: Path, cut_at: int, there: bool) -> None:
    """A transaction is one operation."""
    with CutStore(tmp_path, PowerSwitch(cut_at)) as store, pytest.raises(PowerLossError):
        store.accept(UPDATE, NOW)
    with Store(tmp_path) as found:
        assert (found.latest() is not None) == there


@pytest.mark.parametrize(("cut_at", "pending"), [(2, 1), (3, 0)])
def test_an_acknowledgement_is_lost_or_kept(tmp_path: Path, cut_at: int, pending: int) -> None:
    """Lost, the report is sent again after the restart."""
    with CutStore(tmp_path, PowerSwitch(cut_at)) as store, closing(store.outbox()) as outbox:
        store.accept(UPDATE, NOW)
        with pytest.raises(PowerLossError):
            outbox.acknowledge(1)
    with Store(tmp_path) as found, closing(found.outbox()) as left:
        assert len(left.pending()) == pending


ACTS: dict[str, Callable[[CutInstaller], object]] = {
    "install": lambda installer: installer.install(UPDATE, Path("image"), threading.Event()),
    "order reboot": lambda installer: installer.reboot(),
    "confirm": lambda installer: installer.confirm(UPDATE),
    "roll back": lambda installer: installer.roll_back(UPDATE),
}


@pytest.mark.parametrize("name", ACTS)
def test_the_acts_of_an_installer_are_operations(name: str) -> None:
    """A cut before one of them leaves nothing of it, and looking is none."""
    board, power = Board(), PowerSwitch(0)
    installer = CutInstaller(MemoryInstaller(board, repeatable=False), power)
    assert (installer.target_slot(), installer.probe(UPDATE), installer.runs(UPDATE)) == ("b", "notBegun", False)
    assert (installer.image_of(UPDATE), installer.runs_already(UPDATE.request)) == (None, None)
    assert not installer.repeatable
    assert power.names == []
    with pytest.raises(PowerLossError):
        ACTS[name](installer)
    assert (power.names, board) == ([name], Board())


def test_an_installer_behind_a_switch_works() -> None:
    """What the real one does is done, and what it says is said."""
    board = Board()
    installer = CutInstaller(MemoryInstaller(board), PowerSwitch())
    assert ACTS["install"](installer) is True
    board.power_cycle()
    installer.confirm(UPDATE)
    assert (board.primary, installer.runs(UPDATE), installer.roll_back(UPDATE)) == ("b", True, True)
