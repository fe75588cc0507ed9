"""The device as a process on a database that is garbage, read-only, or on a full disk: it comes up and says so."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import State
from tests.patience import PATIENCE_S
from tests.store.vanishing import VANISHINGS

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub import Hub
    from fwsm.testing.image_server import ImageServer
    from tests.kill.conftest import NewUnit
    from tests.kill.unit import Unit

pytestmark = pytest.mark.kill

IMAGE = random.Random(9).randbytes(1 << 20)
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
FULL = 'mount -t tmpfs -o size=64k none "$0" && { head -c 100000 /dev/zero > "$0/filler"; exec "$@"; }'


def _may_mount() -> bool:
    """Whether an ordinary user, or a container, may make a mount namespace of its own here."""
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True)
    return tried.returncode == 0


def _updated(unit: Unit) -> None:
    """Bring it to the end of an update, and kill it."""
    unit.start()
    assert unit.trigger()
    unit.await_told(status="applyComplete")
    unit.kill()


def _on(directory: Path, mounts: str) -> list[str]:
    """Runs a program with the directory mounted as said, for this program alone."""
    return ["unshare", "-rm", "sh", "-c", mounts, str(directory)]


def _call(unit: Unit, name: str) -> tuple[int, dict[str, Any]]:
    payload = unit.payload if name == "firmwareUpdate" else None
    answer = unit.hub.call_method(unit.name, name, payload, response_timeout_s=PATIENCE_S)
    return answer.status, answer.payload


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 5000, b"no database\n" * 1000], ids=["empty", "bytes", "text"])
def test_a_garbage_database_is_set_aside_and_the_twin_remembers(
    new_unit: NewUnit, server: ImageServer, garbage: bytes
) -> None:
    """The device comes up, knows its update, says what happened, and installs nothing again."""
    unit = new_unit(IMAGE)
    _updated(unit)
    update_id = unit.update.id
    state_dir = unit.process.state_dir
    for part in state_dir.glob("fwsm.db-*"):
        part.unlink()
    (state_dir / "fwsm.db").write_bytes(garbage)

    unit.start()
    unit.await_fact(lambda: "incident" in unit.told, "an incident on the twin")
    unit.await_fact(lambda: unit.process.update() is not None, "a record that is there again")
    assert (unit.update.id, unit.update.state) == (update_id, State.APPLY_COMPLETE)
    assert unit.trigger()
    unit.await_told(status="applyComplete")
    assert len(server.requests) == 1
    assert len(list(state_dir.glob("fwsm.db.damaged-1-*Z"))) == bool(garbage)
    assert unit.process.terminate() == 0


@pytest.mark.parametrize("how", ["removed", "moved away"])
def test_a_database_that_vanishes_under_a_download_is_replaced(
    new_unit: NewUnit, server: ImageServer, how: str
) -> None:
    """The update goes on to its end, and the next process finds it; with the downloads gone, they are loaded again."""
    unit = new_unit(IMAGE)
    server.bytes_per_s = len(IMAGE) / 2
    unit.start()
    assert unit.trigger()
    unit.await_fact(lambda: (unit.told.get("progress") or {}).get("percent", 0) >= 25, "progress on the twin")
    update_id = unit.update.id
    VANISHINGS[how](unit.process.state_dir / "fwsm.db")
    server.bytes_per_s = None
    unit.await_told(status="applyComplete", updateId=update_id)
    assert unit.told["incident"]["code"] == "storeLost"
    unit.kill()
    assert unit.update.id == update_id
    unit.start()
    unit.await_told(status="applyComplete", updateId=update_id)
    assert unit.process.terminate() == 0
    assert "Traceback" not in unit.process.log.read_text()


@pytest.mark.skipif(not _may_mount(), reason="nobody may mount here")
def test_a_read_only_state_directory_takes_no_update_and_tells_the_last(new_unit: NewUnit, hub: Hub) -> None:
    """Flash that has failed is often mounted so at the next boot."""
    unit = new_unit(IMAGE)
    _updated(unit)
    unit.start(_on(unit.process.state_dir, READ_ONLY))
    hub.wait_reachable(unit.name, PATIENCE_S)
    status, body = _call(unit, "firmwareUpdate")
    assert (status, body["code"]) == (503, "store")
    assert body["reason"] == "its file system is mounted read-only"
    status, body = _call(unit, "firmwareUpdateStatus")
    assert (status, body["status"]) == (200, "applyComplete")
    assert unit.process.terminate() == 0


@pytest.mark.skipif(not _may_mount(), reason="nobody may mount here")
def test_a_full_disk_takes_no_update_and_says_why(new_unit: NewUnit, hub: Hub) -> None:
    """Not even a first database fits."""
    unit = new_unit(IMAGE)
    unit.process.state_dir.mkdir()
    unit.start(_on(unit.process.state_dir, FULL))
    hub.wait_reachable(unit.name, PATIENCE_S)
    status, body = _call(unit, "firmwareUpdate")
    assert (status, body["code"]) == (503, "storeFull")
    assert _call(unit, "firmwareUpdateStatus") == (200, {"message": "this device has had no update yet"})
    assert unit.process.terminate() == 0
