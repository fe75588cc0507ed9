"""What the twin shows after trouble, on the real SDK and the embedded hub: the truth, and nothing out of order."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.policy import Delay
from fwsm.core.twin import section
from fwsm.core.update import State, Update
from fwsm.device.device import Device
from fwsm.device.iothub import IoTHubLink
from fwsm.errors import DeviceTimeoutError
from fwsm.hub import CutAfterAck, CutBeforeAck, Effect, Hub, Operation, Refuse, WithholdAnswer
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller
from tests.patience import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]

URI = "https://images.example/one.img"


@pytest.fixture
def hub(loopback: Callable[[], str]) -> Iterator[Hub]:
    """Return a running hub with the device d1."""
    with Hub(loopback()) as hub:
        hub.add_device("d1")
        yield hub


def new_link(hub: Hub, deadline_s: float = PATIENCE_S) -> IoTHubLink:
    """A link with short pauses."""
    text = hub.device("d1").connection_string
    return IoTHubLink(text, ca_pem=hub.ca_pem, deadline_s=deadline_s, backoff_base_s=0.05, backoff_cap_s=0.2)


def new_device(hub: Hub, directory: Path, deadline_s: float = PATIENCE_S, **parts: Any) -> Device:
    """A device on the real link."""
    download = MemoryDownload({URI: b"image" * 1000})
    link = new_link(hub, deadline_s)
    return Device(directory, link=link, download=download, installer=MemoryInstaller(Board()), **parts)


def told(hub: Hub) -> dict[str, Any]:
    """The section on the twin."""
    reported = hub.twin("d1")["properties"]["reported"]
    found: dict[str, Any] = (reported.get("iothubDM") or {}).get("firmwareUpdate", {})
    return found


def shown(update: Update | None) -> dict[str, Any]:
    """What the twin should show."""
    assert update is not None
    return {name: value for name, value in section(update).items() if value is not None}


def wait_until(fact: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait for a fact."""
    assert eventually(fact), what()


@contextlib.contextmanager
def another_client(hub: Hub) -> Iterator[IoTHubLink]:
    """Somebody else with the device's key, while the device is away."""
    link, connected = new_link(hub), threading.Event()
    link.start(lambda _message: connected.set())
    assert connected.wait(PATIENCE_S)
    yield link
    link.stop()
    hub.wait_disconnected("d1")


@pytest.mark.parametrize(
    "effect",
    [CutBeforeAck(), CutAfterAck(), WithholdAnswer(), Refuse(429), Refuse(500), Refuse(400), Refuse(413)],
    ids=lambda effect: f"{type(effect).__name__} {getattr(effect, 'status', '')}".strip(),
)
def test_trouble_with_any_report_leaves_a_true_twin(hub: Hub, tmp_path: Path, effect: Effect) -> None:
    """Each fault falls on several reports; in the end the twin shows the record, and no status came out of order."""
    hub.faults.inject(Operation.REPORTED_PATCH, effect, times=3)
    deadline_s = 1.0 if isinstance(effect, WithholdAnswer) else PATIENCE_S  # what it takes until it counts as withheld
    with new_device(hub, tmp_path, deadline_s, progress_every_s=None) as device:
        device.start()
        hub.wait_reachable("d1", PATIENCE_S)
        with contextlib.suppress(DeviceTimeoutError):  # the end of the connection may take the answer with it
            answer = hub.call_method("d1", "firmwareUpdate", {"fwPackageUri": URI}, response_timeout_s=5.0)
            assert answer.status == 200
        wait_until(lambda: device.update is not None and device.update.state is State.REBOOTING, lambda: device.update)
        wait_until(lambda: told(hub) == shown(device.update), lambda: (told(hub), shown(device.update)))
        order = [row.state.status for row in device.history()]
    seen = [report["iothubDM"]["firmwareUpdate"].get("status") for report in hub.reports("d1")]
    ranks = [order.index(status) for status in seen if status is not None]
    assert ranks == sorted(ranks), (seen, order)


def test_what_the_hub_lost_while_the_device_was_away_comes_back(hub: Hub, tmp_path: Path) -> None:
    """A twin that was emptied shows the section again after the next connect; what is not ours stays."""
    with new_device(hub, tmp_path, policy=Delay(3600.0)) as device:
        device.start()
        device.request({"fwPackageUri": URI})
        wait_until(lambda: told(hub).get("reason") == "delay", lambda: told(hub))
        whole = told(hub)
    hub.wait_disconnected("d1")
    with another_client(hub) as other:
        other.report({"iothubDM": None, "location": "cellar"})
    with new_device(hub, tmp_path, policy=Delay(3600.0)) as device:
        device.start()
        wait_until(lambda: told(hub).get("reason") == "delay", lambda: told(hub))
        wait_until(lambda: told(hub) == shown(device.update), lambda: (told(hub), shown(device.update)))
    assert told(hub).keys() == whole.keys()
    assert hub.twin("d1")["properties"]["reported"]["location"] == "cellar"


def test_a_brimful_twin_still_shows_how_the_update_ended(hub: Hub, tmp_path: Path) -> None:
    """Another program has filled the 32 KB; what is vital goes in nevertheless."""
    with another_client(hub) as other:
        for number in range(8):
            other.report({f"filler{number}": "x" * 3950})
        other.report({"filler8": "x" * 700})
    with new_device(hub, tmp_path, policy=Delay(3600.0)) as device:
        device.start()
        device.request({"fwPackageUri": "https://images.example/" + "long/" * 100 + "gone.img"})
        device.cancel()
        wait_until(lambda: told(hub).get("status") == "downloadFailed", lambda: told(hub))
        assert told(hub)["error"]["code"] == "cancelled"


def test_days_offline_end_in_a_true_twin(hub: Hub, tmp_path: Path) -> None:
    """Many entries of several updates wait; each end is told in its order, in few patches."""
    hub.pause()
    with new_device(hub, tmp_path, policy=Delay(3600.0)) as device:
        device.start()
        ends = []
        for number in range(4):
            ends.append(device.request({"fwPackageUri": URI, "fwVersion": f"{number}"}).id)
            for _ in range(8):
                device.cancel()
                device.retry()
        device.cancel()
        hub.resume()
        wait_until(lambda: told(hub).get("updateId") == ends[-1], lambda: told(hub))
        wait_until(lambda: told(hub) == shown(device.update), lambda: (told(hub), shown(device.update)))
        entries = len(device.history())
    named = [report["iothubDM"]["firmwareUpdate"].get("updateId") for report in hub.reports("d1")]
    assert [name for name in named if name] == ends
    assert len(named) < 25 < entries
