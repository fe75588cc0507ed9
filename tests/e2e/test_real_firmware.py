"""The main job on real input: real firmware, a real web server, the real SDK, and a kill on the way."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import State
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.hub import Hub
from fwsm.testing.process import DeviceProcess
from tests.e2e.commands import begin, ended, operator
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import StartNginx

pytestmark = pytest.mark.e2e


def test_a_boot_loader_from_debian_arrives_although_the_device_is_killed(
    start_nginx: StartNginx, firmware: Path, loopback: Callable[[], str], tmp_path: Path
) -> None:
    """The operator's command ends well, nginx was asked only for the rest, and the slot holds the file."""
    size_bytes = firmware.stat().st_size
    digest = hashlib.sha256(firmware.read_bytes()).hexdigest()
    nginx = start_nginx(firmware.parent, limit_rate=str(size_bytes // 4))
    with Hub(loopback()) as hub:
        bundle = tmp_path / "authorities.pem"
        bundle.write_text(hub.ca_pem + nginx.ca_path.read_text())
        string = hub.add_device("board").connection_string
        with DeviceProcess(tmp_path / "board", string, bundle, {"progress_every_s": "0.1"}) as device:
            hub.wait_reachable("board")
            uri = nginx.url(firmware.name)
            trigger = begin("trigger", "board", "--uri", uri, "--sha256", digest, "--watch", variables=operator(hub))
            hub.wait_twin("board", lambda twin: loaded_percent(twin) >= 25, PATIENCE_S)
            device.kill()
            (part,) = (device.state_dir / "artifacts").glob("*.part")
            kept_bytes = part.stat().st_size
            update = device.update()
            device.start()
            said = ended(trigger)
        log = device.log.read_text()

    assert said.code == 0, said.err
    assert update is not None
    assert update.state is State.DOWNLOADING
    first, second = sorted(nginx.transfers(2), key=lambda transfer: transfer.status)
    assert (first.status, first.range) == (200, "")
    assert size_bytes // 4 <= kept_bytes <= first.sent_bytes < size_bytes
    assert (second.status, second.range) == (206, f"bytes={kept_bytes}-")
    assert second.sent_bytes == size_bytes - kept_bytes
    board = Board(device.slots_dir, disk=Disk())
    pointer = board.status()
    assert pointer.settled
    assert board.slot_path(pointer.booted).read_bytes() == firmware.read_bytes()
    assert "Traceback" not in said.out + said.err + log


def loaded_percent(twin: dict[str, Any]) -> int:
    """How much of the image the device has reported to have; 0 before it has said."""
    section = twin["properties"]["reported"].get("iothubDM", {}).get("firmwareUpdate", {})
    return int((section.get("progress") or {}).get("percent", 0))
