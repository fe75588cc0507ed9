"""Every answer to a method as the hub's caller gets it: through the real SDK, the agent and the database."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.commands import Command, Outcome, decide
from fwsm.core.policy import Delay
from fwsm.core.request import METHOD
from fwsm.core.update import State
from fwsm.device.device import Device
from fwsm.device.iothub import IoTHubLink
from fwsm.errors import ArtifactMissingError, HealthError, HubError, InstallError
from fwsm.hub import Hub
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller
from tests.core.test_request import BAD
from tests.patience import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fwsm.core.update import Artifact, Progress, Update

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]

MOST_BYTES = 128 * 1024  # what a hub passes on
URI = "https://images.example/one.img"
OTHER = "https://images.example/two.img"
REQUEST = {"fwPackageUri": URI, "fwVersion": "2.0"}


class Gates:
    """Where the update is held."""

    def __init__(self, held: State | None) -> None:
        self.held = held
        self.opened = threading.Event()

    def pass_through(self, state: State, stop: threading.Event) -> None:
        """Wait if it is held in this state."""
        while self.held is state and not stop.is_set() and not self.opened.wait(0.05):
            pass


class HeldDownload(MemoryDownload):
    """May be held while it loads, and while it proves what it has loaded."""

    gates: Gates

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        """As ever, in the end."""
        self.gates.pass_through(State.DOWNLOADING, stop)
        return super().fetch(update, note, stop)

    def verify(self, update: Update, stop: threading.Event) -> Path:
        """As ever, in the end."""
        self.gates.pass_through(State.DOWNLOAD_COMPLETE, stop)
        return super().verify(update, stop)


class HeldInstaller(MemoryInstaller):
    """May be held while it installs; what it brought runs at once."""

    gates: Gates

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
        """As ever, in the end, but without a reboot."""
        self.gates.pass_through(State.INSTALLING, stop)
        super().install(update, artifact, stop)
        return False

    def runs(self, update: Update) -> bool:  # noqa: ARG002 - there is no other image
        """What was installed."""
        return True

    def roll_back(self, update: Update) -> bool:  # noqa: ARG002 - same
        """Nothing has been touched."""
        return False


@pytest.fixture(scope="module")
def hub(loopback: Callable[[], str]) -> Iterator[Hub]:
    """A hub for all of them."""
    with Hub(loopback()) as hub:
        yield hub


@contextmanager
def device_in(hub: Hub, state: State | None, directory: Path, **options: Any) -> Iterator[Device]:
    """A device that has come as far as `state`, and is held there."""
    name = directory.name
    string = hub.add_device(name).connection_string
    gates = Gates(state)
    download = HeldDownload({URI: b"image" * 1000, OTHER: b"egami" * 1000})
    installer = HeldInstaller(Board())
    download.gates = installer.gates = gates
    if state is State.DOWNLOAD_FAILED:
        download.failures = [ArtifactMissingError("gone")]
    if state is State.APPLY_FAILED:
        installer.failures = [InstallError("the slot is too small")]
    policy = Delay(3600.0) if state is State.WAITING else None
    link = IoTHubLink(string, ca_pem=hub.ca_pem)
    with Device(directory, link=link, installer=installer, download=download, policy=policy, **options) as device:
        device.start()
        hub.wait_reachable(name, PATIENCE_S)
        if state is not None:
            assert hub.call_method(name, METHOD, REQUEST).status == 200
            assert eventually(lambda: device.update is not None and device.update.state is state), device.update
        yield device
        gates.opened.set()


HELD = [
    None,
    State.WAITING,
    State.DOWNLOADING,
    State.DOWNLOAD_COMPLETE,
    State.DOWNLOAD_FAILED,
    State.INSTALLING,
    State.APPLY_COMPLETE,
    State.APPLY_FAILED,
]


@pytest.mark.parametrize("state", HELD, ids=lambda state: str(state or "no update"))
def test_what_cannot_be_done_is_answered_409_with_the_reason_and_changes_nothing(
    hub: Hub, state: State | None, tmp_path: Path
) -> None:
    """In each state, each command that the table refuses, and status, which it never does."""
    with device_in(hub, state, tmp_path) as device:
        before = device.update
        calls = {Command.CANCEL: None, Command.RETRY: None, Command.OTHER_UPDATE: {"fwPackageUri": OTHER}}
        for command, payload in calls.items():
            answer = decide(before, command)
            if answer.outcome is not Outcome.REFUSED:
                continue
            name = METHOD if payload else f"{METHOD}{command.value.capitalize()}"
            result = hub.call_method(tmp_path.name, name, payload)
            assert (result.status, result.payload["reason"], result.payload["fix"]) == (409, answer.why, answer.fix)
            assert result.payload["code"] == "refused"
            after = device.update
            assert (after and (after.id, after.state)) == (before and (before.id, before.state))
        status = hub.call_method(tmp_path.name, f"{METHOD}Status")
        assert status.status == 200
        assert status.payload.get("updateId") == (before.id if before else None)


@pytest.mark.parametrize("state", [State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE], ids=str)
def test_before_applying_another_update_takes_the_place_of_the_first(hub: Hub, state: State, tmp_path: Path) -> None:
    """The same request is the same update; another is answered 200 with an id of its own, and waits for nobody."""
    name = tmp_path.name
    with device_in(hub, state, tmp_path) as device:
        first = device.update
        assert first is not None
        again = hub.call_method(name, METHOD, REQUEST)
        assert (again.status, again.payload["updateId"]) == (200, first.id)
        other = hub.call_method(name, METHOD, {"fwPackageUri": OTHER})
        assert (other.status, other.payload["message"]) == (200, "FirmwareUpdate started")
        assert other.payload["updateId"] != first.id
        ended = [row for row in device.history(first.id) if row.state.settled]
        assert [(row.state, row.failure_code) for row in ended] == [(State.DOWNLOAD_FAILED, "superseded")]


def test_what_is_malformed_is_answered_400_with_field_reason_and_fix(hub: Hub, tmp_path: Path) -> None:
    """Whatever a hub lets through; and nothing has happened afterwards."""
    tried = 0
    with device_in(hub, None, tmp_path) as device:
        for payload, field, *_ in BAD:
            try:
                text = json.dumps(payload, allow_nan=False)
            except (TypeError, ValueError):
                continue  # no JSON: a hub would not take it
            if len(text) > MOST_BYTES or json.loads(text) != payload:
                continue
            try:
                result = hub.call_method(tmp_path.name, METHOD, payload)
            except HubError as error:
                if "The body is not JSON" not in error.what:
                    raise
                continue  # half a character, or a number beyond all bounds
            assert (result.status, result.payload["field"]) == (400, field), payload
            assert all(result.payload[part] for part in ("message", "code", "reason", "fix"))
            tried += 1
        for name in ("Cancel", "Retry", "Status"):
            result = hub.call_method(tmp_path.name, f"{METHOD}{name}", {"fwPackageUri": URI})
            assert (result.status, result.payload["field"]) == (400, "fwPackageUri")
        assert device.update is None
    assert tried > 20


def test_other_methods_are_the_programs_own(hub: Hub, tmp_path: Path) -> None:
    """Answered by it, 500 with the reason if it fails, and 404 with what there is if nobody knows the method."""

    def add(payload: Any) -> tuple[int, dict[str, Any]]:
        return 207, {"sum": sum(payload)}

    def fail(_payload: Any) -> tuple[int, dict[str, Any]]:
        raise HealthError("the lamp is broken")

    with device_in(hub, None, tmp_path, methods={"add": add, "fail": fail}):
        name = tmp_path.name
        assert hub.call_method(name, "add", [1, 2]) == hub.call_method(name, "add", [2, 1])
        assert hub.call_method(name, "add", [1, 2]).payload == {"sum": 3}
        failed = hub.call_method(name, "fail")
        assert (failed.status, failed.payload["code"]) == (500, "internal")
        assert "the lamp is broken" in failed.payload["reason"]
        unknown = hub.call_method(name, "reboot")
        assert unknown.status == 404
        assert "add, fail, firmwareUpdate, firmwareUpdateCancel" in unknown.payload["reason"]
