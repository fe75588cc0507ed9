"""The board: what it boots, and what it makes of damage."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Artifact
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.pointer import Mark, Slot
from fwsm.errors import NoSpaceError, SlotError

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

FACTORY = b"factory" * 1000
NEW = b"new" * 1000
COPIES = ("boot.json", "boot.backup.json")


class _Refusing(Disk):
    """A disk that refuses to open some files."""

    def __init__(self, number: int, *names: str) -> None:
        self._number = number
        self._names = names

    def read(self, path: Path) -> FileIO:
        if path.name in self._names:
            raise OSError(self._number, os.strerror(self._number), str(path))
        return super().read(path)

    def open(self, path: Path) -> FileIO:
        if path.name in self._names:
            raise OSError(self._number, os.strerror(self._number), str(path))
        return super().open(path)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """A board as it comes from the factory."""
    (tmp_path / "factory.img").write_bytes(FACTORY)
    board = Board(tmp_path / "board", disk=Disk())
    board.prepare(tmp_path / "factory.img")
    return board


def activate(board: Board, content: bytes = NEW, tries: int = 3) -> None:
    """Put an image into slot b and on trial."""
    board.slot_path("b").write_bytes(content)
    image = Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    board.save(board.load().writing("b", Slot(image=image, update_id="u1")).activated("b", tries))


def test_a_new_board_runs_the_factory_image(board: Board) -> None:
    """An empty directory becomes a board whose slot a is good and holds the given image."""
    pointer = board.status()
    assert (pointer.booted, pointer.primary, pointer.trial) == ("a", "a", None)
    assert (pointer.slots["a"].mark, pointer.slots["b"].mark) == (Mark.GOOD, Mark.EMPTY)
    assert board.slot_path("a").read_bytes() == FACTORY
    assert board.whole(pointer, "a")
    assert not board.whole(pointer, "b")


def test_without_a_factory_image_slot_a_is_empty_and_whole(tmp_path: Path) -> None:
    """A board can be made out of nothing, and boots."""
    board = Board(tmp_path, disk=Disk())
    board.prepare()
    assert board.power_cycle() == "a"
    assert board.slot_path("a").read_bytes() == b""


def test_preparing_again_changes_nothing(board: Board, tmp_path: Path) -> None:
    """A board that is there keeps what it has, whatever factory image is given."""
    before = board.status()
    (tmp_path / "other.img").write_bytes(b"other")
    board.prepare(tmp_path / "other.img")
    assert board.status() == before
    assert board.slot_path("a").read_bytes() == FACTORY


def test_a_factory_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path is said, and the next start with a right one makes the board."""
    board = Board(tmp_path / "board", disk=Disk())
    with pytest.raises(SlotError, match=r"cannot make the slots: No such file or directory \(.*nowhere.img\)"):
        board.prepare(tmp_path / "nowhere.img")
    board.prepare()
    assert board.power_cycle() == "a"


def test_each_boot_has_an_id_of_its_own(board: Board) -> None:
    """A power cycle names the boot anew; looking and loading do not."""
    ids = [board.status().boot_id, board.load().boot_id]
    board.power_cycle()
    ids.append(board.status().boot_id)
    assert ids[0] == ids[1] != ids[2]


def test_a_trial_boots_and_falls_back_after_its_tries(board: Board) -> None:
    """An image that is never confirmed gets its tries, then the old one runs for good."""
    activate(board, tries=2)
    assert [board.power_cycle() for _ in range(5)] == ["b", "b", "a", "a", "a"]
    assert board.status().slots["b"].mark is Mark.BAD


def test_a_damaged_trial_is_not_booted(board: Board) -> None:
    """One flipped byte in the new image and the board stays with the old one."""
    activate(board)
    board.slot_path("b").write_bytes(b"N" + NEW[1:])
    assert board.power_cycle() == "a"
    assert board.status().trial is None


def test_a_trial_that_is_gone_is_not_booted(board: Board) -> None:
    """A missing slot file is as bad as a damaged one."""
    activate(board)
    board.slot_path("b").unlink()
    assert board.power_cycle() == "a"


def test_a_slot_that_cannot_be_read_is_not_booted(board: Board) -> None:
    """An I/O error under the new image is no reason not to boot the old one."""
    activate(board)
    assert Board(board.directory, disk=_Refusing(errno.EIO, "b.img")).power_cycle() == "a"


def test_a_rotten_primary_slot_gives_way(board: Board) -> None:
    """When the primary slot has rotted the other one is booted and becomes the primary one."""
    activate(board)
    board.power_cycle()
    board.save(board.load().confirmed())
    board.slot_path("b").write_bytes(b"rot")
    assert board.power_cycle() == "a"
    assert board.status().settled


def test_nothing_whole_is_an_error_and_changes_nothing(board: Board) -> None:
    """A board without a whole image says so."""
    before = board.status()
    board.slot_path("a").write_bytes(b"rot")
    with pytest.raises(SlotError, match="no slot holds a whole image"):
        board.power_cycle()
    assert board.status() == before


@pytest.mark.parametrize("damaged", COPIES)
@pytest.mark.parametrize("damage", ["flipped", "torn", "empty", "gone"])
def test_one_damaged_copy_loses_nothing(board: Board, damaged: str, damage: str) -> None:
    """The other copy still says everything, and the next one who acts makes both whole again."""
    activate(board)
    before = board.status()
    spoil(board.directory / damaged, damage)
    again = Board(board.directory, disk=Disk())
    assert again.status() == before
    assert again.load() == before
    (spared,) = set(COPIES) - {damaged}
    spoil(board.directory / spared, "flipped")
    assert again.status() == before
    assert again.power_cycle() == "b"


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_a_lost_pointer_is_said_and_not_guessed(board: Board, damage: str) -> None:
    """With both copies lost nothing is overwritten: neither looking nor preparing makes up a pointer."""
    activate(board)
    for name in COPIES:
        spoil(board.directory / name, damage)
    for act in (board.status, board.load, board.prepare, board.power_cycle):
        with pytest.raises(SlotError, match=r"boot pointer in .* is lost"):
            act()
    assert board.slot_path("a").read_bytes() == FACTORY


def test_no_board_is_said(tmp_path: Path) -> None:
    """Asking for the status of a directory that is not there says that it is not."""
    with pytest.raises(SlotError, match="there is no board in"):
        Board(tmp_path / "nowhere", disk=Disk()).status()


def test_a_pointer_that_may_not_be_read_is_not_called_lost(board: Board) -> None:
    """A refusal by the system is passed on as such."""
    with pytest.raises(SlotError, match=r"cannot read the boot pointer: Permission denied .* Give the slots"):
        Board(board.directory, disk=_Refusing(errno.EACCES, *COPIES)).status()


def test_one_copy_that_cannot_be_read_does_no_harm(board: Board) -> None:
    """A bad sector under one copy is what the other one is for."""
    activate(board)
    again = Board(board.directory, disk=_Refusing(errno.EIO, COPIES[0]))
    assert again.status() == board.status()
    assert again.power_cycle() == "b"


def test_a_boot_that_cannot_be_recorded_did_not_happen(board: Board) -> None:
    """On a full disk the try cannot be counted, so it is not made."""
    activate(board)
    before = board.status()
    full = _Refusing(errno.ENOSPC, *(f"{name}.tmp" for name in COPIES))
    with pytest.raises(NoSpaceError, match="cannot write the boot pointer"):
        Board(board.directory, disk=full).power_cycle()
    assert board.status() == before


def test_status_writes_nothing(board: Board) -> None:
    """Looking is free: it neither mends nor touches a file."""
    spoil(board.directory / COPIES[0], "torn")
    before = {path.name: path.read_bytes() for path in board.directory.glob("*.json*")}
    Board(board.directory, disk=Disk()).status()
    assert {path.name: path.read_bytes() for path in board.directory.glob("*.json*")} == before


def spoil(path: Path, damage: str) -> None:
    """Damage a file."""
    data = path.read_bytes()
    match damage:
        case "flipped":
            path.write_bytes(data[:80] + bytes([data[80] ^ 1]) + data[81:])
        case "torn":
            path.write_bytes(data[: len(data) // 2])
        case "empty":
            path.write_bytes(b"")
        case "gone":
            path.unlink()
