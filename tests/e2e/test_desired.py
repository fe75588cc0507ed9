"""The desired property through a real hub, the real SDK, and a real database."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.policy import Delay
from fwsm.device.clock import SystemClock
from fwsm.device.device import Device
from fwsm.device.iothub import IoTHubLink
from fwsm.hub import Hub
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]

URI = "https://images.example/one.img"


@contextmanager
def running(hub: Hub, directory: Path) -> Iterator[Device]:
    """A device with a delay, so that an update waits."""
    clock = SystemClock("boot-1")
    connection = DeviceConnection.parse(hub.device("d1").connection_string)
    device = Device(
        directory,
        link=IoTHubLink(connection, clock=clock, ca_pem=hub.ca_pem, backoff_base_s=0.1, backoff_cap_s=0.5),
        download=MemoryDownload({URI: b"image"}),
        installer=MemoryInstaller(Board()),
        clock=clock,
        policy=Delay(3600),
    )
    with device:
        thread = threading.Thread(target=device.run)
        thread.start()
        try:
            yield device
        finally:
            device.stop()
            thread.join(PATIENCE_S)


def shown(twin: Mapping[str, Any]) -> dict[str, Any]:
    """The reported section."""
    found = twin["properties"]["reported"].get("iothubDM", {}).get("firmwareUpdate", {})
    return dict(found)


def desire(hub: Hub, content: object) -> int:
    """Change the desired property, and tell the version of it."""
    twin = hub.update_twin("d1", desired={"iothubDM": {"firmwareUpdate": content}})
    version: int = twin["properties"]["desired"]["$version"]
    return version


def test_the_desired_property_starts_refuses_and_cancels(loopback: Callable[[], str], tmp_path: Path) -> None:
    """Set while the device is away, changed for the worse, delivered again to the next process, and taken back."""
    with Hub(loopback()) as hub:
        hub.add_device("d1")
        version = desire(hub, {"fwPackageUri": URI})
        with running(hub, tmp_path):
            twin = hub.wait_twin("d1", lambda twin: shown(twin).get("desired", {}).get("av") == version)
            assert shown(twin)["desired"]["ac"] == 200
            update_id = shown(twin)["updateId"]
            version = desire(hub, {"fwVersion": "a\nb"})
            twin = hub.wait_twin("d1", lambda twin: shown(twin)["desired"]["av"] == version)
            assert shown(twin)["desired"]["ac"] == 400
            assert "fwVersion is no version" in shown(twin)["desired"]["ad"]
            version = desire(hub, {"fwVersion": None})
            hub.wait_twin("d1", lambda twin: shown(twin)["desired"]["av"] == version)
        with running(hub, tmp_path) as device:
            hub.wait_reachable("d1")
            assert device.update is not None
            assert device.update.id == update_id
            desire(hub, None)
            twin = hub.wait_twin("d1", lambda twin: shown(twin).get("error", {}).get("code") == "cancelled")
            assert shown(hub.wait_twin("d1", lambda twin: "desired" not in shown(twin)))["updateId"] == update_id


def test_what_is_reported_while_a_twin_is_acted_on_does_not_seem_lost(
    loopback: Callable[[], str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A hook on the new update may take its time; the twin that ordered it is older than the report of it."""
    with Hub(loopback()) as hub:
        hub.add_device("d1")
        with running(hub, tmp_path) as device:
            told = threading.Event()
            device.on_report(lambda _patch: told.set())
            device.on_enter()(lambda _entered: told.wait(PATIENCE_S))
            hub.wait_reachable("d1")
            desire(hub, {"fwPackageUri": URI})
            hub.wait_twin("d1", lambda twin: shown(twin).get("reason") == "delay")
            version = desire(hub, {"fwVersion": "2.0"})  # behind the comparison
            hub.wait_twin("d1", lambda twin: shown(twin).get("desired", {}).get("av") == version)
        assert "does not show" not in caplog.text
