"""The tutorial's device app, on the Node SDK, against our hub and our operator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from fwsm.hub import Hub
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.e2e

APP = Path(__file__).parent / "node" / "device.js"
URI = "https://images.example.com/firmware-2.0.bin"
SUCCESS = ["waiting", "downloading", "downloadComplete", "applying", "applyComplete"]


@pytest.fixture
def hub(loopback: Callable[[], str]) -> Iterator[Hub]:
    """A hub that knows the device `tutorial`."""
    with Hub(loopback()) as hub:
        hub.add_device("tutorial")
        yield hub


@pytest.fixture
def start_device(
    hub: Hub, tool: Callable[[str], str], missing: Callable[[str], NoReturn], tmp_path: Path
) -> Iterator[Callable[..., None]]:
    """Return a function that starts the app, with further environment variables, and waits until it listens."""
    if not (APP.parent / "node_modules" / ".package-lock.json").exists():  # written by npm at its end
        missing("Node SDK")
    processes = []

    def start(**variables: str) -> None:
        settings = {
            "CONNECTION_STRING": hub.device("tutorial").connection_string,
            "NODE_EXTRA_CA_CERTS": f"{hub.ca_path}",
        }
        with (tmp_path / "device.log").open("wb") as log:
            processes.append(
                subprocess.Popen(
                    [tool("node"), f"{APP}"], env=os.environ | settings | variables, stdout=log, stderr=log
                )
            )
        hub.wait_reachable("tutorial", PATIENCE_S)

    yield start
    for process in processes:
        process.kill()
        process.wait(PATIENCE_S)


def trigger(hub: Hub) -> subprocess.CompletedProcess[str]:
    """Run the operator's command to its end."""
    settings = {"FWSM_SERVICE_CONNECTION_STRING": hub.service_connection_string, "FWSM_CA_FILE": f"{hub.ca_path}"}
    command = [sys.executable, "-m", "fwsm", "trigger", "tutorial", "--uri", URI, "--watch"]
    return subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def statuses(hub: Hub) -> list[str]:
    """What the device said of itself, in order."""
    return [report["iothubDM"]["firmwareUpdate"]["status"] for report in hub.reports("tutorial")]


def section(hub: Hub) -> dict[str, Any]:
    """What stands on the twin at last."""
    found: dict[str, Any] = hub.twin("tutorial")["properties"]["reported"]["iothubDM"]["firmwareUpdate"]
    return found


def test_the_operator_sees_the_tutorials_update_through(hub: Hub, start_device: Callable[..., None]) -> None:
    """Every phase is reported in order with its time, and the operator's command ends well when it is done."""
    start_device()
    ended = trigger(hub)

    assert ended.returncode == 0, ended.stderr
    assert "FirmwareUpdate started" in ended.stdout + ended.stderr
    assert "applyComplete" in ended.stdout
    assert statuses(hub) == SUCCESS
    told = section(hub)
    assert told["fwPackageUri"] == URI
    fields = ("startedWaitingTime", "downloadCompleteTime", "startedApplyingImage", "lastFirmwareUpdate")
    times = [datetime.fromisoformat(told[field]) for field in fields]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("fail_in", "seen", "code"),
    [
        ("download", ["waiting", "downloading", "downloadFailed"], "DownloadError"),
        ("apply", ["waiting", "downloading", "downloadComplete", "applying", "applyFailed"], "ApplyError"),
    ],
)
def test_the_operator_learns_why_the_tutorials_update_failed(
    hub: Hub, start_device: Callable[..., None], fail_in: str, seen: list[str], code: str
) -> None:
    """A failure ends the command with the code for a failed update, and with the device's own reason."""
    start_device(FAIL_IN=fail_in)
    ended = trigger(hub)

    assert ended.returncode == 7, ended.stderr
    assert code in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert statuses(hub) == seen
    assert section(hub)["error"]["code"] == code


def test_the_payload_may_be_text_as_in_2016(hub: Hub, start_device: Callable[..., None]) -> None:
    """The first back end sent JSON inside a JSON string; the answer is the tutorial's."""
    start_device(STEP_MS="1")
    answer = hub.call_method("tutorial", "firmwareUpdate", json.dumps({"fwPackageUri": URI}))
    assert (answer.status, answer.payload) == (200, "FirmwareUpdate started")
    hub.wait_twin("tutorial", lambda twin: "applyComplete" in json.dumps(twin), PATIENCE_S)
    assert statuses(hub) == SUCCESS


def test_the_app_refuses_what_it_cannot_load(hub: Hub, start_device: Callable[..., None]) -> None:
    """An address that is missing or not secure is answered 400, and nothing is reported."""
    start_device()
    for payload in ({}, {"fwPackageUri": "http://images.example.com/firmware-2.0.bin"}):
        assert hub.call_method("tutorial", "firmwareUpdate", payload).status == 400
    assert hub.reports("tutorial") == []


def test_the_app_does_one_update_at_a_time(hub: Hub, start_device: Callable[..., None]) -> None:
    """A second request is refused while the first one runs."""
    start_device(STEP_MS="60000")
    statuses_of_calls = [hub.call_method("tutorial", "firmwareUpdate", {"fwPackageUri": URI}).status for _ in range(2)]
    assert statuses_of_calls == [200, 409]
