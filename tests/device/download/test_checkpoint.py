"""Checkpoints and the record they write."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.device.download.checkpoint import Checkpoints, Record
from fwsm.device.download.header import Validator
from fwsm.device.durable import Disk

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

_RECORD = Record("boot-1", 3, 10, Validator('"a"', "Wed, 01 Jan 2025 00:00:00 GMT"), renewed=True)


class _BadDisk(Disk):
    """A disk whose syncs fail."""

    def sync(self, file: FileIO) -> None:
        raise OSError(errno.EIO, "Input/output error", file.name)


def test_a_record_is_read_back(tmp_path: Path) -> None:
    """What was known of a part is known again after a restart."""
    (tmp_path / "r").write_bytes(_RECORD.encode())
    assert Record.read(tmp_path / "r", Disk()) == _RECORD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "{" * 50_000,
        json.dumps({**json.loads(_RECORD.encode()), "format": 2}),
        json.dumps({**json.loads(_RECORD.encode()), "safeBytes": -1}),
        json.dumps({**json.loads(_RECORD.encode()), "safeBytes": True}),
        json.dumps({**json.loads(_RECORD.encode()), "totalBytes": "10"}),
        json.dumps({**json.loads(_RECORD.encode()), "bootId": None}),
        json.dumps({**json.loads(_RECORD.encode()), "renewed": 1}),
    ],
)
def test_what_is_no_record_is_none(tmp_path: Path, text: str) -> None:
    """A damaged or foreign record costs the part, not the update."""
    (tmp_path / "r").write_text(text)
    assert Record.read(tmp_path / "r", Disk()) is None


@given(cut=st.integers(0, len(_RECORD.encode()) - 1))
def test_a_torn_record_is_none(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """A record cut off anywhere is recognised."""
    path = tmp_path_factory.mktemp("torn") / "r"
    path.write_bytes(_RECORD.encode()[:cut])
    assert Record.read(path, Disk()) is None


def test_a_stored_validator_that_is_none_is_dropped(tmp_path: Path) -> None:
    """What would break the next request does not get into it."""
    (tmp_path / "r").write_text(json.dumps({**json.loads(_RECORD.encode()), "etag": '"a"\r\nX: y', "lastModified": 7}))
    record = Record.read(tmp_path / "r", Disk())
    assert record is not None
    assert record.validator == Validator()


def test_a_finished_checkpoint_is_on_disk(tmp_path: Path) -> None:
    """The record says what is safe once the checkpoint is done, and not before."""
    disk = Disk()
    with disk.create(tmp_path / "p") as file:
        checkpoints = Checkpoints(disk, file, tmp_path / "r", Record("boot-1"))
        disk.write(file, b"abc", 0)
        checkpoints.begin(_RECORD)
        assert checkpoints.asked_bytes == 3
        checkpoints.finish()
        checkpoints.close()
    assert checkpoints.record == _RECORD
    assert Record.read(tmp_path / "r", disk) == _RECORD


def test_a_failed_sync_cuts_the_part_back(tmp_path: Path) -> None:
    """After a failed sync the kernel calls pages clean that are not on disk, so they must not count."""
    disk = _BadDisk()
    with disk.create(tmp_path / "p") as file:
        disk.write(file, b"abcdef", 0)
        checkpoints = Checkpoints(disk, file, tmp_path / "r", Record("boot-1", 2))
        checkpoints.begin(Record("boot-1", 6))
        with pytest.raises(OSError, match="Input/output"):
            checkpoints.finish()
        checkpoints.close()
    assert (tmp_path / "p").read_bytes() == b"ab"
    assert checkpoints.record.safe_bytes == 2
    assert not (tmp_path / "r").exists()


def test_polling_does_not_wait(tmp_path: Path) -> None:
    """Without a checkpoint under way there is nothing to take note of."""
    disk = Disk()
    with disk.create(tmp_path / "p") as file:
        checkpoints = Checkpoints(disk, file, tmp_path / "r", _RECORD)
        checkpoints.poll()
        checkpoints.close()
    assert checkpoints.record == _RECORD
