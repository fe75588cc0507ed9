"""The hub as programs and tests use it."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import DeviceNotFoundError, DeviceOfflineError, HubError, PortInUseError
from fwsm.hub import Hub
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path


def test_twin_is_a_copy(hub: Hub) -> None:
    """Whoever changes what was handed out or handed in changes nothing in the hub."""
    hub.add_device("d1")
    desired = {"a": {"b": [1]}}
    twin = hub.update_twin("d1", desired=desired, tags={"t": 1})
    desired["a"]["b"].append(2)
    twin["properties"]["desired"]["a"]["b"].append(3)
    assert hub.twin("d1")["properties"]["desired"]["a"] == {"b": [1]}
    assert hub.twin("d1")["tags"] == {"t": 1}


def test_unknown_device_is_an_error_of_the_public_tree(hub: Hub) -> None:
    """Every door into the hub says it in the same class."""
    for ask in (hub.device, hub.twin, hub.remove_device, hub.update_twin):
        with pytest.raises(DeviceNotFoundError, match="d1 is not registered"):
            ask("d1")
    with pytest.raises(DeviceNotFoundError):
        hub.call_method("d1", "go")


def test_method_of_a_device_that_is_away_fails_at_once(hub: Hub) -> None:
    """Offline is another class than unknown."""
    hub.add_device("d1")
    with pytest.raises(DeviceOfflineError, match="d1"):
        hub.call_method("d1", "go")


def test_malformed_call_and_change_are_refused(hub: Hub) -> None:
    """What REST would refuse, Python does as well."""
    hub.add_device("d1")
    with pytest.raises(HubError, match="methodName 'a/b'"):
        hub.call_method("d1", "a/b")
    with pytest.raises(HubError, match="NaN is not a JSON number"):
        hub.update_twin("d1", desired={"a": float("nan")})
    with pytest.raises(HubError, match="Infinity is not a JSON number"):
        hub.call_method("d1", "go", [float("inf")])
    with pytest.raises(HubError, match=r"the key 'a\.b'"):
        hub.update_twin("d1", desired={"a.b": 1})


def test_unknown_policy_is_named_with_those_that_exist(hub: Hub) -> None:
    """A typing error is easily mended."""
    with pytest.raises(HubError, match=r"no policy owner.*iothubowner"):
        hub.policy_connection_string("owner")


def test_hub_that_does_not_run_says_so(address: str) -> None:
    """Before the start and after the stop."""
    hub = Hub(address)
    for _ in range(2):
        with pytest.raises(HubError, match="does not run"):
            hub.add_device("d1")
        hub.stop()
        with hub, pytest.raises(HubError, match="runs already"):
            hub.start()


def test_stopped_hub_leaves_nothing(address: str) -> None:
    """No thread, no file, no port: it can be started again at once."""
    before = set(threading.enumerate())
    for _ in range(3):
        with Hub(address) as hub:
            home = hub.ca_path.parent
        assert not home.exists()
    assert set(threading.enumerate()) <= before


def test_busy_port_leaves_nothing_half_open(hub: Hub, tmp_path: Path) -> None:
    """The second hub on an address fails with its name, and gives its directory back."""
    for _ in range(2):
        with pytest.raises(PortInUseError, match=hub.address):
            Hub(hub.address, state=tmp_path).start()


def test_state_survives_the_hub(address: str, tmp_path: Path) -> None:
    """Devices, keys, policies, twins and the authority are there again; what was deleted is not."""
    with Hub(address, state=tmp_path) as hub:
        device = hub.add_device("d1")
        hub.add_device("d2")
        hub.remove_device("d2")
        twin = hub.update_twin("d1", desired={"a": 1}, tags={"t": 1})
        before = (hub.owner_connection_string, hub.ca_pem)
    with Hub(address, state=tmp_path) as hub:
        assert (hub.owner_connection_string, hub.ca_pem) == before
        assert hub.device("d1") == device
        assert hub.twin("d1") == twin
        with pytest.raises(DeviceNotFoundError):
            hub.device("d2")


def test_acknowledged_is_committed(address: str, tmp_path: Path) -> None:
    """When a call has returned, its outcome is in the database of the running hub."""
    with Hub(address, state=tmp_path) as hub:
        hub.add_device("d1")
        hub.update_twin("d1", desired={"a": 1})
        with sqlite3.connect(tmp_path / "hub.db") as database:
            (body,) = database.execute("SELECT body FROM record WHERE kind = 'twin' AND key = 'd1'").fetchone()
        database.close()
        assert json.loads(body)["desired"]["a"] == 1


def test_two_hubs_do_not_share_a_state(address: str, tmp_path: Path) -> None:
    """The second is refused, wherever it listens."""
    with Hub(address, state=tmp_path), pytest.raises(HubError, match="another hub runs"):
        Hub(address, mqtt_port=8884, rest_port=8444, state=tmp_path).start()


def test_running_hub_leaves_its_card(address: str, tmp_path: Path) -> None:
    """A command line finds a running hub by the file in its directory; a stopped hub takes it away."""
    with Hub(address, state=tmp_path) as hub:
        card = json.loads((tmp_path / "hub.json").read_text())
        assert (tmp_path / "hub.json").stat().st_mode & 0o777 == 0o600
        assert card == {
            "address": address,
            "mqttPort": 8883,
            "restPort": 8443,
            "caPath": str(hub.ca_path),
            "ownerConnectionString": hub.owner_connection_string,
        }
    assert not (tmp_path / "hub.json").exists()


def test_card_that_cannot_be_written_stops_the_start(address: str, tmp_path: Path) -> None:
    """A hub that nobody could find does not run, and leaves nothing locked."""
    (tmp_path / "hub.json.part").mkdir()
    for _ in range(2):
        with pytest.raises(HubError, match="cannot keep its files"):
            Hub(address, state=tmp_path).start()


def test_paused_hub_can_be_stopped(address: str) -> None:
    """The end may come in the middle of an outage."""
    with Hub(address) as hub:
        hub.pause()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, 8883), timeout=PATIENCE_S)


def test_damaged_state_is_named(address: str, tmp_path: Path) -> None:
    """The error says which file and what to do, and nothing stays locked."""
    (tmp_path / "hub.db").write_bytes(b"damaged" * 1000)
    for _ in range(2):
        with pytest.raises(HubError, match=r"hub\.db.*Restore"):
            Hub(address, state=tmp_path).start()
