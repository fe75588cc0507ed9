"""Writing an image and reading it back."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Artifact
from fwsm.device.durable import Disk
from fwsm.device.installers.image import CHECKPOINT_BYTES, PIECE_BYTES, copy, measure
from fwsm.errors import InstallError
from fwsm.testing.power import CutDisk, PowerSwitch

if TYPE_CHECKING:
    from pathlib import Path


def artifact(content: bytes) -> Artifact:
    """What is known of a content."""
    return Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


@pytest.mark.parametrize("size_bytes", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_a_copy_is_identical(tmp_path: Path, size_bytes: int) -> None:
    """Every byte arrives, around the borders of pieces as well, and nothing of a longer content before stays."""
    content = bytes(range(251)) * (size_bytes // 251 + 1)
    content = content[:size_bytes]
    (tmp_path / "source").write_bytes(content)
    (tmp_path / "target").write_bytes(b"old" * (2 * PIECE_BYTES))
    disk = Disk()
    with disk.read(tmp_path / "source") as source, disk.open(tmp_path / "target") as target:
        assert copy(disk, source, target, size_bytes) == artifact(content)
    assert (tmp_path / "target").read_bytes() == content
    assert measure(disk, tmp_path / "target") == artifact(content)


def test_little_is_unsynced_at_any_time(tmp_path: Path) -> None:
    """A long copy is synced at checkpoints and at its end."""
    power = PowerSwitch()
    disk = CutDisk(power)
    (tmp_path / "source").write_bytes(bytes(2 * CHECKPOINT_BYTES + 1))
    with disk.read(tmp_path / "source") as source, disk.open(tmp_path / "target") as target:
        copy(disk, source, target, 2 * CHECKPOINT_BYTES + 1)
    syncs = [number for number, name in enumerate(power.names) if name == "sync"]
    assert len(syncs) == 3
    assert syncs[-1] == len(power.names) - 1


def test_a_source_that_has_grown_is_seen_and_not_written(tmp_path: Path) -> None:
    """What is beyond the limit does not get onto the disk, but makes the result differ."""
    (tmp_path / "source").write_bytes(b"x" * (2 * PIECE_BYTES))
    disk = Disk()
    with disk.read(tmp_path / "source") as source, disk.open(tmp_path / "target") as target:
        copied = copy(disk, source, target, PIECE_BYTES)
    assert copied != artifact(b"x" * PIECE_BYTES)
    assert (tmp_path / "target").stat().st_size == PIECE_BYTES


def test_stop_breaks_off(tmp_path: Path) -> None:
    """A set event ends writing and reading back with an error of ours."""
    stop = threading.Event()
    stop.set()
    (tmp_path / "source").write_bytes(b"x")
    disk = Disk()
    with (
        disk.read(tmp_path / "source") as source,
        disk.open(tmp_path / "target") as target,
        pytest.raises(InstallError, match="broken off"),
    ):
        copy(disk, source, target, 1, stop)
    with pytest.raises(InstallError, match="broken off"):
        measure(disk, tmp_path / "source", stop)
