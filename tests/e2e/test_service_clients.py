"""The operators' SDKs, unmodified, against the hub: the same scenes on each, and where a client is broken, how."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.e2e.programs import NODE, PYTHON_2_14, PYTHON_SERVICE, Client, full_hub, running
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.hub import Hub

pytestmark = pytest.mark.e2e

CLIENTS = [Client(PYTHON_SERVICE, "clients/service.py"), Client(NODE, "node/service.js")]
DEVICE = Client(PYTHON_2_14, "clients/device_sync.py")


@pytest.fixture(params=CLIENTS, ids=["python", "node"])
def client(request: pytest.FixtureRequest) -> Client:
    """Return one after the other."""
    found: Client = request.param
    return found


@pytest.fixture
def hub(client: Client, loopback: Callable[[], str]) -> Iterator[Hub]:
    """Return a hub that knows d1 and d2; for Node at port 443, because it takes no other."""
    with full_hub(loopback(), https=client.home == NODE) as hub:
        hub.add_device("d1")
        hub.add_device("d2")
        yield hub


@pytest.fixture
def play(
    hub: Hub, client: Client, missing: Callable[[str], NoReturn], tool: Callable[[str], str]
) -> Callable[[str], Any]:
    """Return a function that plays a scene and returns what the client has seen."""
    command = client.command(missing, tool)
    # The port of its own scheme is what the Node client cannot read in a host name.
    text = hub.owner_connection_string.replace(":443;", ";")

    def scene(name: str) -> Any:
        ended = subprocess.run(
            [*command, name],
            env={"PATH": os.defpath} | hub.environment | {"CONNECTION_STRING": text},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return scene


def test_registry(play: Callable[[str], Any], client: Client) -> None:
    """Identities and modules come and go; Node's update sends `*`, so it overwrites what it has not seen."""
    seen = play("registry")
    overwritten = client.home == NODE
    assert (seen.pop("stale"), seen.pop("status"), seen.pop("disabled")) == (
        (None, "enabled", 0) if overwritten else (412, "disabled", 1)
    )
    assert seen == {"again": 409, "key": "A" * 43 + "=", "listed": ["d1", "d2", "d3"], "modules": ["m1"], "gone": 404}


def test_twin(play: Callable[[str], Any], hub: Hub) -> None:
    """A change with the etag is taken, and one with a stale etag is not."""
    assert play("twin") == {"stale": 412, "tags": {"site": "a"}, "x": {"y": [1]}}
    assert hub.twin("d1")["properties"]["desired"]["x"] == {"y": [1]}


def test_bulk(play: Callable[[str], Any], client: Client) -> None:
    """Many identities come and go in one request; if one is there already that is a 400, whose body Python reads."""
    seen = play("bulk")
    assert seen.pop("again") == (400 if client.home == NODE else False)
    assert seen == {"created": True, "listed": ["b1", "b2", "d1", "d2"], "deleted": True, "left": ["d1", "d2"]}


def test_replaced_twin(play: Callable[[str], Any], client: Client) -> None:
    """What the new one does not have is gone. The Node client has no call for it."""
    if client.home == NODE:
        pytest.skip("azure-iothub cannot replace a twin")
    assert play("replaced") == {"stale": 412, "tags": {"new": 1}, "desired": {"new": 1}}


def test_module_twin(play: Callable[[str], Any], hub: Hub) -> None:
    """As that of a device, which it leaves alone."""
    assert play("module_twin") == {"stale": 412, "tags": {"site": "a"}, "x": 1}
    assert (hub.twin("d1").get("tags"), "x" in hub.twin("d1")["properties"]["desired"]) == ({}, False)


@pytest.fixture
def listening(
    hub: Hub,
    client: Client,  # noqa: ARG001 - without the operator's client no device is started
    missing: Callable[[str], NoReturn],
    tool: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Let a real device be d1."""
    variables = hub.environment | {"CONNECTION_STRING": hub.device("d1").connection_string}
    log = tmp_path_factory.mktemp("device") / "device.log"
    with running([*DEVICE.command(missing, tool), DEVICE.transport], variables, log):
        hub.wait_reachable("d1", PATIENCE_S)
        yield


@pytest.mark.usefixtures("listening")
def test_method(play: Callable[[str], Any]) -> None:
    """A real device answers it; one that is not there is a 404."""
    assert play("method") == {"status": 200, "payload": {"name": "echo", "payload": {"a": [1]}}, "offline": 404}


@pytest.mark.usefixtures("listening")
def test_digital_twin(play: Callable[[str], Any]) -> None:
    """A component's command reaches the device under both names."""
    assert play("digital_twin") == {
        "id": "d1",
        "t1": 20,
        "command": {"name": "go", "payload": {"a": 1}},
        "component": {"name": "t1*go", "payload": "now"},
        "offline": 404,
    }


@pytest.mark.usefixtures("listening")
def test_method_job(play: Callable[[str], Any]) -> None:
    """A job calls whom it can reach, and counts the others."""
    assert play("method_job") == {"status": "completed", "succeeded": 1, "failed": 1}


def test_cancelled_job(play: Callable[[str], Any], hub: Hub) -> None:
    """One that has not begun never does."""
    assert play("cancelled") == {"before": "scheduled", "after": "cancelled"}
    assert hub.twin("d1")["tags"] == {}


def test_query(play: Callable[[str], Any]) -> None:
    """Page by page to the end, and a syntax error is a 400."""
    assert play("query") == {"pages": [["d1"], ["d2"]], "wrong": 400}


def test_jobs(play: Callable[[str], Any], hub: Hub, client: Client) -> None:
    """A job changes both twins; the Python client cannot read the list of jobs, which is an array."""
    assert play("jobs") == {
        "again": 409,
        "status": "completed",
        "succeeded": 2,
        "listed": ["j1"] if client.home == NODE else ["DeserializationError"],
        "unknown": "unknown",
        "cancelled": 404,
    }
    assert [hub.twin(name)["tags"] for name in ("d1", "d2")] == [{"job": 1}] * 2


def test_configurations(play: Callable[[str], Any], hub: Hub, client: Client) -> None:
    """One reaches its device; Python sends an etag as it is given, and without quotes it is refused."""
    seen = play("configurations")
    assert seen.pop("unquoted", None) == (None if client.home == NODE else 409)
    assert seen == {"priority": 5, "listed": ["c1"], "gone": 404}
    hub.wait_twin("d1", lambda twin: twin["properties"]["desired"].get("fw") == {"v": 2}, PATIENCE_S)
