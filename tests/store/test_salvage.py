"""Databases that cannot be used: how they are set aside, and what is read of them."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store import Store
from fwsm.store.salvage import Shelf, require_files, salvage
from tests.store.damage import DAMAGES, left_behind
from tests.store.entries import NOW, UPDATE

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

AT = NOW.wall


def _names(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def _put(shelf: Shelf, at: datetime = AT) -> Path:
    kept = shelf.put(at)
    assert kept is not None
    return kept


def test_all_parts_are_set_aside_under_one_name(path: Path) -> None:
    """So that SQLite finds them together later."""
    kept = _put(Shelf(path))
    assert kept.name == "fwsm.db.damaged-1-20260504T120000Z"
    assert _names(path) == [kept.name, f"{kept.name}-shm", f"{kept.name}-wal"]
    assert salvage(kept) == UPDATE
    assert Shelf(path).unsettled() == kept


def test_the_last_two_are_kept(path: Path) -> None:
    """By number: the clock may stand still, or run backwards."""
    shelf = Shelf(path)
    for number in range(12):
        path.write_text(str(number))
        if number == 5:
            path.unlink()
            path.mkdir()
            (path / "inside").touch()
        shelf.put(AT)
    assert _names(path) == [f"fwsm.db.damaged-{number}-20260504T120000Z" for number in (11, 12)]
    newest = shelf.unsettled()
    assert newest is not None
    assert newest.read_text() == "11"


def test_a_log_follows_its_database_after_a_crash(path: Path) -> None:
    """The power went behind the first rename."""

    class Cut(Shelf):
        def rename(self, source: Path, target: Path) -> None:
            super().rename(source, target)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cut(path).put(AT)
    with pytest.raises(StoreDamagedError, match="its write-ahead log is still there"):
        require_files(path)
    kept = _put(Shelf(path), AT.replace(year=2027))
    assert kept.name == "fwsm.db.damaged-1-20260504T120000Z"
    assert salvage(kept) == UPDATE


def test_what_is_settled_is_not_taken_up_again(path: Path) -> None:
    """Neither by a log of today that has lost its database, nor by anybody who looks for the newest update."""
    shelf = Shelf(path)
    kept = _put(shelf)
    kept.with_name(f"{kept.name}-wal").unlink()
    assert shelf.unsettled() == kept
    for _ in range(2):
        shelf.settle()
        assert shelf.unsettled() is None
    path.with_name("fwsm.db-wal").write_text("of today")
    later = _put(shelf)
    assert later.name.startswith("fwsm.db.damaged-2-")
    assert shelf.unsettled() == later


def test_a_mark_that_cannot_be_made_is_made_later(path: Path) -> None:
    """A disk that is full, or read-only, keeps nobody from going on."""

    class Stuck(Shelf):
        def mark(self, path: Path) -> None:
            raise OSError(errno.EROFS, "Read-only file system", str(path))

    kept = _put(Shelf(path))
    Stuck(path).settle()
    assert Shelf(path).unsettled() == kept


def test_a_mark_goes_with_what_it_marks(path: Path) -> None:
    """The oldest of three is thrown away, all of it."""
    shelf = Shelf(path)
    for number in range(3):
        path.write_text(str(number))
        shelf.put(AT)
        shelf.settle()
    kept = [f"fwsm.db.damaged-{number}-20260504T120000Z" for number in (2, 3)]
    assert _names(path) == [name + end for name in kept for end in ("", ".settled")]


def test_a_log_without_a_database_is_set_aside_by_itself(path: Path) -> None:
    """Another one was set aside before, and has its own log."""
    Shelf(path).put(AT)
    path.with_name("fwsm.db-wal").touch()
    assert _put(Shelf(path)).name == "fwsm.db.damaged-2-20260504T120000Z"


def test_where_nothing_is_nothing_is_set_aside(path: Path) -> None:
    """And what was set aside before stays as it is."""
    kept = _put(Shelf(path))
    assert Shelf(path).put(AT) is None
    assert _names(path) == [kept.name, f"{kept.name}-shm", f"{kept.name}-wal"]


def test_what_cannot_be_set_aside_is_told(tmp_path: Path) -> None:
    """Nothing can be renamed in /proc."""
    with pytest.raises(StoreError, match="cannot set the database /proc/version aside"):
        Shelf(tmp_path.__class__("/proc/version")).put(AT)


def test_a_directory_that_cannot_be_read_has_no_shelf(tmp_path: Path) -> None:
    """It is another trouble then that is told."""
    assert Shelf(tmp_path / "nowhere" / "fwsm.db").unsettled() is None


def test_a_missing_database_can_be_one(tmp_path: Path) -> None:
    """The first start."""
    require_files(tmp_path / "fwsm.db")


@pytest.mark.parametrize("part", ["", "-wal", "-shm"])
def test_what_is_no_file_is_no_database(path: Path, part: str) -> None:
    """Through a symbolic link we would write who knows where."""
    place = path.with_name(f"fwsm.db{part}")
    place.unlink()
    place.symlink_to("/etc/hostname")
    with pytest.raises(StoreDamagedError, match=f"fwsm.db{part} is no file"):
        require_files(path)
    if part != "-shm":  # that one is not read
        assert salvage(path) is None


@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_but_the_truth_is_salvaged(path: Path, damage: str) -> None:
    """What can be read is what was there, or nothing; the file is left as it was."""
    DAMAGES[damage](path)
    before = {found.name: found.stat().st_size for found in path.parent.iterdir()}
    assert salvage(path) in (None, UPDATE)
    assert {found.name: found.stat().st_size for found in path.parent.iterdir()} == before


def test_the_newest_update_is_salvaged_from_a_database_that_lacks_others(path: Path) -> None:
    """Only the tables that are read must be whole."""
    DAMAGES["tables"](path)
    assert salvage(path) == UPDATE


def test_a_database_without_an_update_has_none(tmp_path: Path) -> None:
    """Of a device that never had one."""
    with Store(tmp_path / "state") as store:
        path = left_behind(tmp_path / "state", tmp_path / "left")
        assert store.latest() is None
    assert salvage(path) is None


def test_a_file_that_is_far_too_large_is_not_copied(path: Path) -> None:
    """It could fill what holds temporary files."""
    os.truncate(path, 65 * 1024 * 1024)
    assert salvage(path) is None


@pytest.mark.parametrize("damage", [slice(0, 512), slice(7, 8)], ids=["all of it", "its own account of its gaps"])
def test_whichever_page_is_damaged_nothing_older_is_taken_for_the_newest(tmp_path: Path, damage: slice) -> None:
    """Where some of the table cannot be trusted, none of it is; and pages of other tables do not matter."""
    with Store(tmp_path / "state") as store:
        for number in range(30):
            store.accept(replace(UPDATE, id=f"u{number}"), NOW)
    path = tmp_path / "state" / "fwsm.db"
    whole = path.read_bytes()
    found = set()
    for at in range(0, len(whole), 512):
        page = bytearray(whole[at : at + 512])
        page[damage] = bytes(byte ^ 0xFF for byte in page[damage])
        path.write_bytes(whole[:at] + page + whole[at + 512 :])
        update = salvage(path)
        found.add(None if update is None else update.id)
    assert found == {None, "u29"}
