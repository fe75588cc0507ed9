"""The program of docs/how-to/embed.md, as it stands there: on the real SDK, killed, rebooted, and stopped."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.hub import Hub
from fwsm.testing.image_server import ImageServer
from tests.patience import PATIENCE_S
from tests.test_examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

IMAGE = bytes(range(256)) * 4000
(SERVICE,) = [example for example in examples() if example.mark == "service"]


@pytest.fixture
def address(loopback: Callable[[], str]) -> str:
    """Return an address for both servers."""
    return loopback()


@pytest.fixture
def hub(address: str) -> Iterator[Hub]:
    """Return a running hub with the device d1."""
    with Hub(address) as hub:
        hub.add_device("d1")
        yield hub


@pytest.fixture
def server(address: str) -> Iterator[ImageServer]:
    """Return a running image server."""
    with ImageServer(address, {}) as server:
        server.put("/fw.img", IMAGE)
        yield server


def test_the_program_of_the_page_survives_a_kill_and_ends_when_it_is_told(
    hub: Hub, server: ImageServer, tmp_path: Path
) -> None:
    """Killed in its delay, started again, rebooted, confirmed; then SIGTERM ends it without a complaint."""
    (tmp_path / "program.py").write_text(SERVICE.code)
    authorities = tmp_path / "authorities.pem"
    authorities.write_text(hub.ca_pem + server.ca_pem)
    environment = os.environ | {
        "FWSM_CONNECTION_STRING": hub.device("d1").connection_string,
        "SSL_CERT_FILE": str(authorities),
        "PYTHONUNBUFFERED": "1",
    }

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    first = start()
    with ended(first):
        hub.wait_reachable("d1", PATIENCE_S)
        payload = {"fwPackageUri": server.url("/fw.img"), "fwPackageCheckValue": hashlib.sha256(IMAGE).hexdigest()}
        assert hub.call_method("d1", "firmwareUpdate", payload).status == 200
        wait_told(hub, status="waiting", reason="delay")
        first.kill()

    second = start()
    with ended(second):
        assert second.wait(PATIENCE_S) == 0, second.communicate()
    board = Board(tmp_path / "slots", disk=Disk())
    board.power_cycle()

    third = start()
    with ended(third):
        wait_told(hub, status="applyComplete")
        third.send_signal(signal.SIGTERM)
        said, complained = third.communicate(timeout=PATIENCE_S)
    assert third.returncode == 0
    assert complained == ""
    assert said == f"what runs now came from {server.url('/fw.img')}\n"
    assert board.slot_path(board.status().booted).read_bytes() == IMAGE


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leaves no process behind."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_told(hub: Hub, **fields: Any) -> None:
    """Wait until the twin shows these fields."""

    def told(twin: dict[str, Any]) -> bool:
        section = twin["properties"]["reported"].get("iothubDM", {}).get("firmwareUpdate", {})
        return bool(fields.items() <= section.items())

    hub.wait_twin("d1", told, PATIENCE_S)
