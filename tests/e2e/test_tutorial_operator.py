"""The tutorial's operator app, on the Node service SDK, against our device: `fwsm device run` on the real SDK."""

from __future__ import annotations

import json
import os
import random
import subprocess
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from fwsm.core.update import State
from fwsm.testing.image_server import ImageServer
from tests.e2e.programs import NODE, Client, full_hub
from tests.kill.unit import Unit
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

OPERATOR = Client(NODE, "node/operator.js")
IMAGE = random.Random(16).randbytes(1 << 20)
STATUSES = ["waiting", "downloading", "downloadComplete", "applying", "applyComplete"]
APPLIED, FAILED, NOT_TAKEN = 0, 1, 2
LASTS_S = 3.0  # each of the phases that the operator has to see, at two looks a second


@pytest.fixture
def unit(loopback: Callable[[], str], tmp_path: Path) -> Iterator[Unit]:
    """Return a device that has never run, on a hub at port 443: the Node SDK for operators takes no other."""
    address = loopback()
    with (
        full_hub(address, https=True) as hub,
        ImageServer(address, {}, bytes_per_s=len(IMAGE) / LASTS_S) as server,
        Unit("tutorial", hub, server, tmp_path / "device", IMAGE, delay_s=f"{LASTS_S}", soak_s=f"{LASTS_S}") as unit,
    ):
        yield unit


@pytest.fixture
def operate(
    unit: Unit, missing: Callable[[str], NoReturn], tool: Callable[[str], str]
) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """Return a function that runs the app to its end: its exit code, and what it has shown."""
    command = OPERATOR.command(missing, tool)

    def run(payload: object = None) -> tuple[int, list[dict[str, Any]]]:
        variables = {
            "PATH": os.defpath,
            # The port of its own scheme is what the Node client cannot read in a host name.
            "CONNECTION_STRING": unit.hub.service_connection_string.replace(":443;", ";"),
            "DEVICE": unit.name,
            "PAYLOAD": json.dumps(payload or unit.payload),
        }
        ended = subprocess.run(
            command,
            env=unit.hub.environment | variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ended.stderr == ""
        return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]

    return run


def test_the_tutorials_operator_sees_our_update_through(
    unit: Unit, operate: Callable[..., tuple[int, list[dict[str, Any]]]]
) -> None:
    """It sees every phase that lasts, in order and with its time, to the end; and the device runs the image."""
    unit.start()
    code, shown = operate()

    assert shown[0]["answer"]["status"] == 200
    assert shown[0]["answer"]["payload"]["message"] == "FirmwareUpdate started"
    looks = [line["reported"] for line in shown[1:]]
    statuses = [status for status, _ in groupby(look["status"] for look in looks)]
    # The phase between download and installation may be over between two looks.
    assert [status for status in STATUSES if status in statuses] == statuses
    assert {*STATUSES} - {*statuses} <= {"downloadComplete"}
    assert (code, looks[-1]["status"]) == (APPLIED, "applyComplete")
    assert "error" not in looks[-1]
    fields = ("startedWaitingTime", "downloadCompleteTime", "startedApplyingImage", "lastFirmwareUpdate")
    times = [datetime.fromisoformat(looks[-1][field]) for field in fields]
    assert times == sorted(times)
    percents = [look["progress"]["percent"] for look in looks if "progress" in look]
    assert percents == sorted(percents)
    unit.check(State.APPLY_COMPLETE)


def test_the_tutorials_operator_learns_why_our_update_failed(
    unit: Unit, operate: Callable[..., tuple[int, list[dict[str, Any]]]]
) -> None:
    """An image that is not the one that was asked for ends in the tutorial's failure, with code and message."""
    unit.start(delay_s="0")
    code, shown = operate(unit.payload | {"fwPackageCheckValue": "0" * 64})

    last = shown[-1]["reported"]
    assert (code, last["status"], last["error"]["code"]) == (FAILED, "downloadFailed", "artifactDamaged")
    assert last["error"]["message"]
    assert unit.update.state is State.DOWNLOAD_FAILED
    assert not (unit.process.slots_dir / "slots" / "b.img").exists()


def test_the_tutorials_operator_is_told_why_a_request_is_refused(
    unit: Unit, operate: Callable[..., tuple[int, list[dict[str, Any]]]]
) -> None:
    """Offline, malformed, or at the wrong time: the SDK hands each to the operator, and the update goes on."""
    code, shown = operate()
    assert (code, shown[0]["answer"]["refusedByHub"]) == (NOT_TAKEN, 404)

    unit.start(soak_s="3600", confirm_s="7200", delay_s="0")
    code, shown = operate({"fwPackageUri": "ftp://images.example.com/firmware.bin"})
    answer = shown[0]["answer"]
    assert (code, len(shown), answer["status"]) == (NOT_TAKEN, 1, 400)
    assert answer["payload"]["field"] == "fwPackageUri"
    assert answer["payload"]["reason"]
    assert answer["payload"]["fix"]
    assert unit.process.update() is None

    assert unit.trigger()
    unit.await_told(status="applying", substatus="confirming")
    code, shown = operate({"fwPackageUri": "https://images.example.com/other.bin"})
    answer = shown[0]["answer"]
    assert (code, len(shown), answer["status"]) == (NOT_TAKEN, 1, 409)
    assert answer["payload"]["reason"]
    assert unit.update.request.uri == unit.payload["fwPackageUri"]
    assert unit.told["status"] == "applying"
