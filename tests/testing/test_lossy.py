"""What a disk has kept when the power goes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Request, State, Update
from fwsm.store import Store
from fwsm.testing.clock import FakeClock
from fwsm.testing.lossy import LossyDisk, LossyStore, SyncedState
from fwsm.testing.power import PowerSwitch

if TYPE_CHECKING:
    from pathlib import Path

NOW = FakeClock().now()
UPDATE = Update(id="u1", request=Request("https://x/y"), state=State.WAITING, boot_id="boot-1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory to lose."""
    path = tmp_path / "disk"
    path.mkdir()
    return path


def test_what_was_there_before_is_on_disk(root: Path) -> None:
    """The disk begins with what is in its directory."""
    (root / "below").mkdir()
    (root / "below" / "file").write_bytes(b"old")
    LossyDisk(root, PowerSwitch()).lose()
    assert (root / "below" / "file").read_bytes() == b"old"


def test_an_unsynced_name_is_lost(root: Path) -> None:
    """Even if the content of the file was synced."""
    disk = LossyDisk(root, PowerSwitch())
    with disk.open(root / "file") as file:
        disk.write(file, b"content", 0)
        disk.sync(file)
    disk.lose()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(("synced", "content"), [(True, b"content"), (False, b"")])
def test_unsynced_content_is_lost(root: Path, synced: bool, content: bytes) -> None:
    """The name is on disk then, and nothing behind it."""
    disk = LossyDisk(root, PowerSwitch())
    with disk.create(root / "file") as file:
        disk.write(file, b"content", 0)
        if synced:
            disk.sync(file)
    disk.lose()
    assert (root / "file").read_bytes() == content


def test_a_new_directory_is_kept_with_its_name(root: Path) -> None:
    """What was made durably is there, and empty."""
    disk = LossyDisk(root, PowerSwitch())
    disk.make_directory(root / "one" / "two")
    disk.lose()
    assert list((root / "one" / "two").iterdir()) == []


def test_a_new_file_does_not_inherit_the_content_of_a_removed_one(root: Path) -> None:
    """The kernel gives away the number of a removed file at once."""
    disk = LossyDisk(root, PowerSwitch())
    with disk.create(root / "old") as file:
        disk.write(file, b"secret", 0)
        disk.sync(file)
    disk.remove(root / "old")
    disk.create(root / "new").close()
    disk.lose()
    assert (root / "new").read_bytes() == b""


def test_a_killed_process_loses_nothing(root: Path) -> None:
    """The kernel goes on, and a later sync still counts."""
    disk = LossyDisk(root, PowerSwitch(0))
    disk.plug(PowerSwitch())
    with disk.create(root / "file") as file:
        disk.write(file, b"content", 0)
        disk.sync(file)
    disk.lose()
    assert (root / "file").read_bytes() == b"content"


def test_what_the_agent_commits_is_on_disk_and_what_the_reporter_commits_need_not_be(tmp_path: Path) -> None:
    """So a report that the hub has acknowledged may be sent again after a cut, and an update is never lost."""
    synced = SyncedState(tmp_path)
    with LossyStore(tmp_path, PowerSwitch(), synced) as store, closing(store.outbox()) as outbox:
        store.accept(UPDATE, NOW)
        outbox.acknowledge(1)
        assert outbox.pending() == []
    synced.lose()
    with Store(tmp_path) as found, closing(found.outbox()) as left:
        assert found.latest() == UPDATE
        assert [report.number for report in left.pending()] == [1]
