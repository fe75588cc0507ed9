"""The disk that forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.testing.lossy import LossyDisk
from fwsm.testing.power import PowerLossError, PowerSwitch

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with a file that is on disk."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "old").write_bytes(b"old")
    return root


def test_what_was_synced_stays(root: Path) -> None:
    """Contents and names."""
    disk = LossyDisk(root, PowerSwitch())
    disk.make_directory(root / "box")
    disk.write_file(root / "box" / "new", b"new")
    disk.lose()
    assert (root / "box" / "new").read_bytes() == b"new"
    assert (root / "old").read_bytes() == b"old"


def test_a_content_that_was_not_synced_is_lost(root: Path) -> None:
    """What was there before comes back; a new file is empty."""
    disk = LossyDisk(root, PowerSwitch())
    for name in ("old", "new"):
        with disk.create(root / name) as file:
            disk.write(file, b"written", 0)
    disk.lose()
    assert ((root / "old").read_bytes(), (root / "new").read_bytes()) == (b"old", b"")


def test_a_name_that_was_not_synced_is_lost(root: Path) -> None:
    """A new one is gone, one that was taken away is back, and so it is with directories."""
    disk = LossyDisk(root, PowerSwitch())
    with disk.open(root / "new") as file:
        disk.sync(file)
    disk.rename(root / "old", root / "renamed")
    disk.make_name(root / "box")
    disk.lose()
    assert [path.name for path in root.iterdir()] == ["old"]


def test_a_kill_loses_nothing(root: Path) -> None:
    """Behind another switch the next process finds what the kernel has in memory."""
    disk = LossyDisk(root, PowerSwitch(2))
    with pytest.raises(PowerLossError), disk.open(root / "new") as file:
        disk.write(file, b"ab", 0)
    disk.plug(PowerSwitch())
    with disk.open(root / "new") as file:
        assert file.read() == b"a"
        disk.write(file, b"xyz", 0)
    assert (root / "new").read_bytes() == b"xyz"
