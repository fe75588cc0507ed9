"""What people get wrong: each is told in words, with a documented exit code, and costs nothing.

The commands are the real ones, in processes of their own, against a real hub. A second agent on the same directory is
in tests/kill/test_process.py.
"""

from __future__ import annotations

import base64
import contextlib
import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import State
from fwsm.hub import Hub
from fwsm.testing.image_faults import Fault
from fwsm.testing.image_server import ImageServer
from tests.e2e.commands import Ended, fwsm, operator
from tests.kill.unit import Unit
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

IMAGE = random.Random(11).randbytes(1 << 20)
WRONG_KEY = base64.b64encode(b"not the key of this device at all").decode()
URI = "https://images.example.com/firmware.img"


@pytest.fixture
def address(loopback: Callable[[], str]) -> str:
    """Return an address for hub and image server."""
    return loopback()


@pytest.fixture
def hub(address: str) -> Iterator[Hub]:
    """Return a running hub."""
    with Hub(address) as hub:
        yield hub


@pytest.fixture
def server(address: str) -> Iterator[ImageServer]:
    """Return a running image server."""
    with ImageServer(address, {}) as server:
        yield server


@pytest.fixture
def unit(hub: Hub, server: ImageServer, tmp_path: Path) -> Iterator[Unit]:
    """Return a device that has never run; at the end its log shows no traceback and its database can be read."""
    with Unit("unit", hub, server, tmp_path / "unit", IMAGE) as unit:
        yield unit
    assert "Traceback" not in unit.process.log.read_text()
    assert fwsm("device", "status", "--state-dir", unit.process.state_dir).code == 0


def triggered(unit: Unit, **changes: str) -> Ended:
    """Trigger the unit's update, with these changes, and watch it to its end."""
    payload = unit.payload | changes
    return fwsm(
        "trigger",
        unit.name,
        *("--uri", payload["fwPackageUri"], "--sha256", payload["fwPackageCheckValue"], "--watch"),
        variables=operator(unit.hub),
    )


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["HostName", "DeviceId", "SharedAccessKey"])
def test_a_device_string_without_a_part_is_refused(part: str, tmp_path: Path) -> None:
    """The missing part is named, the key is not shown, and nothing is made on disk."""
    parts = {"HostName": "127.0.0.1", "DeviceId": "d1", "SharedAccessKey": WRONG_KEY}
    string = ";".join(f"{name}={value}" for name, value in parts.items() if name != part)
    variables = {"FWSM_CONNECTION_STRING": string}
    said = fwsm("device", "run", "--state-dir", tmp_path / "state", variables=variables)
    assert said.code == 11
    assert said.explains(part)
    assert WRONG_KEY not in said.out + said.err
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("part", ["HostName", "SharedAccessKeyName", "SharedAccessKey"])
def test_an_operators_string_without_a_part_is_refused(part: str) -> None:
    """The missing part is named, and the key is not shown."""
    parts = {"HostName": "127.0.0.1", "SharedAccessKeyName": "service", "SharedAccessKey": WRONG_KEY}
    string = ";".join(f"{name}={value}" for name, value in parts.items() if name != part)
    said = fwsm("trigger", "d1", "--uri", URI, variables={"FWSM_SERVICE_CONNECTION_STRING": string})
    assert said.code == 11
    assert said.explains(part)
    assert WRONG_KEY not in said.out + said.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("soak_s = = 3", ["device.toml", "not TOML", "line 1"]),
        ("\nsoaks = 3", ["device.toml", "line 2", "soaks", "soak_s"]),
        ('soak_s = "long"', ["device.toml", "line 1", "soak_s", "a number"]),
        ("max_bytes = -1", ["max_bytes", "greater than 0"]),
        ('window = "at night"', ["at night", "02:00-04:30"]),
        ('ca_file = "/nowhere.pem"', ["/nowhere.pem", "PEM"]),
    ],
)
def test_a_bad_setting_is_refused_with_its_place(content: str, words: list[str], tmp_path: Path) -> None:
    """The file, the line and what was expected there are named."""
    file = tmp_path / "device.toml"
    file.write_text(content)
    variables = {"FWSM_CONNECTION_STRING": f"HostName=127.0.0.1;DeviceId=d1;SharedAccessKey={WRONG_KEY}"}
    places = ("--state-dir", tmp_path / "state", "--slots-dir", tmp_path / "board")
    said = fwsm("device", "run", "--config", file, *places, variables=variables)
    assert said.code == 11
    assert all(word in said.err for word in ["error: ", "fix: ", *words]), said.err
    assert "Traceback" not in said.out + said.err


# -- who is who ------------------------------------------------------------------------------------------------------


def test_an_operator_with_a_wrong_key_is_told_so(hub: Hub) -> None:
    """Exit code 15, also for programs."""
    string = f"HostName={hub.address}:8443;SharedAccessKeyName=service;SharedAccessKey={WRONG_KEY}"
    said = fwsm(
        "trigger", "d1", "--uri", URI, "--json", variables=operator(hub) | {"FWSM_SERVICE_CONNECTION_STRING": string}
    )
    assert said.code == 15
    assert said.explains()
    (document,) = said.documents
    assert (document["error"]["code"], document["error"]["exitCode"]) == ("unauthorized", 15)


def test_a_device_with_a_wrong_key_says_so_and_keeps_trying(hub: Hub, unit: Unit) -> None:
    """It does not give up, because it may be the hub that is wrong; and once the keys agree, all is well."""
    right_key = hub.device(unit.name).primary_key
    hub.remove_device(unit.name)
    hub.add_device(unit.name, primary_key=WRONG_KEY)
    unit.process.start()
    unit.await_fact(lambda: "next try in" in log_of(unit), "announcement of another try")
    assert all(word in log_of(unit) for word in (hub.address, f"'{unit.name}'", "its key is wrong", "SharedAccessKey"))
    assert right_key not in log_of(unit)
    assert unit.process.terminate() == 0

    hub.remove_device(unit.name)
    hub.add_device(unit.name, primary_key=right_key)
    unit.start()
    assert triggered(unit).code == 0


def test_an_unknown_device_is_told_apart_from_one_that_is_offline(hub: Hub) -> None:
    """Exit codes 16 and 5, so that a script can wait for the second."""
    hub.add_device("asleep")
    unknown, offline = (fwsm("trigger", name, "--uri", URI, variables=operator(hub)) for name in ("nobody", "asleep"))
    assert unknown.code == 16
    assert unknown.explains("nobody")
    assert offline.code == 5
    assert offline.explains("asleep")


def test_a_hub_on_a_port_in_use_names_it(hub: Hub) -> None:
    """Exit code 17, and the hub that was there first goes on."""
    said = fwsm("hub", "run", "--address", hub.address, "--ephemeral")
    assert said.code == 17
    assert said.explains(hub.address, "8883")
    hub.add_device("still-here")
    assert fwsm("trigger", "still-here", "--uri", URI, variables=operator(hub)).code == 5


# -- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ("this is { not JSON", "payload"),
        (None, "payload"),
        (["https://images.example.com/firmware.img"], "payload"),
        ({}, "fwPackageUri"),
        ({"fwPackageUri": None}, "fwPackageUri"),
        ({"fwPackageUri": "ftp://images.example.com/firmware.img"}, "fwPackageUri"),
        ({"fwPackageUri": URI, "fwPackageCheckValue": "abc"}, "fwPackageCheckValue"),
    ],
)
def test_a_malformed_payload_is_answered_with_field_reason_and_fix(
    payload: Any, field: str, hub: Hub, unit: Unit
) -> None:
    """Status 400; no update begins, and the next request is taken."""
    unit.start()
    answer = hub.call_method(unit.name, "firmwareUpdate", payload)
    assert answer.status == 400
    assert answer.payload["field"] == field
    assert answer.payload["reason"]
    assert answer.payload["fix"]
    assert unit.process.update() is None
    assert unit.told == {}
    assert unit.trigger()


def test_an_operators_uri_is_checked_before_it_is_sent(hub: Hub) -> None:
    """Exit code 2, in the words of the command's options."""
    said = fwsm("trigger", "d1", "--uri", "firmware.img", variables=operator(hub))
    assert said.code == 2
    assert "--uri" in said.err
    assert "Traceback" not in said.err


# -- images ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("served", "settings", "code"),
    [
        (None, {}, "artifactMissing"),
        (IMAGE[:-1], {}, "artifactDamaged"),
        (bytes(len(IMAGE)), {}, "artifactDamaged"),
        (IMAGE, {"max_bytes": "100000"}, "artifact"),
    ],
    ids=["missing", "short", "another", "too large"],
)
def test_an_image_that_will_not_do_ends_the_update_with_the_reason(
    served: bytes | None, settings: dict[str, str], code: str, server: ImageServer, unit: Unit
) -> None:
    """The watching operator gets exit code 7, the twin names the error, and the next update works."""
    server.put("/other.img", served or b"")
    unit.start(**settings)
    fault = Fault(status=404, body=b"no such image\n")
    with server.fault("/other.img", fault) if served is None else contextlib.nullcontext():
        said = triggered(unit, fwPackageUri=server.url("/other.img"))
    assert said.code == 7
    assert said.explains(code)
    assert (unit.told["status"], unit.told["error"]["code"]) == ("downloadFailed", code)
    assert code in fwsm("device", "status", "--state-dir", unit.process.state_dir).out

    unit.kill()
    unit.start()
    assert triggered(unit).code == 0


def test_a_transfer_that_keeps_breaking_off_is_named_and_goes_on(server: ImageServer, unit: Unit) -> None:
    """Time may help, so the update does not fail: the twin says what is wrong, and the rest comes when it can."""
    unit.start()
    with server.fault("/unit.img", Fault(ends_after_bytes=1000)):
        assert unit.trigger()
        unit.await_fact(lambda: bool(unit.told.get("error")), "error on the twin")
        assert (unit.told["status"], unit.told["error"]["code"]) == ("downloading", "downloadInterrupted")
    unit.await_told(status="applyComplete")
    unit.check(State.APPLY_COMPLETE)
    assert unit.told.get("error") is None


def test_a_disk_without_room_for_the_image_is_named(
    hub: Hub, unit: Unit, small_disk: Callable[[Path, str], list[str]]
) -> None:
    """Exit code 7 with the code for space; with more of it a retry is all it takes."""
    directory = unit.process.state_dir / "artifacts"
    unit.start(under=small_disk(directory, "1m"))
    said = triggered(unit)
    assert said.code == 7
    assert said.explains("noSpace", "Free some space")
    assert unit.told["error"]["code"] == "noSpace"

    unit.kill()
    unit.start()
    assert hub.call_method(unit.name, "firmwareUpdateRetry").status == 200
    unit.await_told(status="applyComplete")
    unit.check(State.APPLY_COMPLETE)


def test_a_disk_without_room_for_the_database_is_named(
    unit: Unit, small_disk: Callable[[Path, str], list[str]]
) -> None:
    """The device comes up and refuses the update, and log and operator get the reason; then there is room."""
    unit.start(under=small_disk(unit.process.state_dir, "16k"))
    unit.hub.wait_reachable(unit.name, PATIENCE_S)
    said = triggered(unit)
    assert said.code == 19
    assert all(word in said.out for word in ("503", "the disk is full", "Free some space"))
    assert all(word in log_of(unit) for word in ("no update is taken", "the disk is full", "Free some space"))
    assert unit.process.terminate() == 0
    unit.start()
    assert triggered(unit).code == 0


@pytest.fixture
def small_disk(tool: Callable[[str], str]) -> Callable[[Path, str], list[str]]:
    """Return a function for a command that runs another one in a world where a directory is a disk of so many bytes."""
    isolate = [tool("unshare"), "--user", "--map-root-user", "--mount"]
    if subprocess.run([*isolate, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow user namespaces")

    def command(directory: Path, size: str) -> list[str]:
        directory.mkdir(parents=True, exist_ok=True)
        script = f'mount -t tmpfs -o size={size},mode=700 tmpfs "$0" && exec "$@"'
        return [*isolate, "sh", "-c", script, f"{directory}"]

    return command


def log_of(unit: Unit) -> str:
    """What the device has written."""
    return unit.process.log.read_text()
