"""Every device SDK, unmodified, against the hub: what one can do all can, unless a test says how not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from fwsm.hub import Hub, Operation, Refuse
from tests.e2e.programs import NODE, PYTHON_2_14, PYTHON_2_15, Client, full_hub, running
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.e2e

CLIENTS = [
    Client(home, program, transport)
    for home, programs in {
        PYTHON_2_14: ["clients/device_sync.py", "clients/device_aio.py"],
        PYTHON_2_15: ["clients/device_sync.py", "clients/device_aio.py"],
        NODE: ["node/echo.js"],
    }.items()
    for program in programs
    for transport in ("mqtt", "websocket")
]


@pytest.fixture(scope="module", params=CLIENTS, ids=lambda client: client.name)
def client(request: pytest.FixtureRequest) -> Client:
    """Return one of them after the other."""
    found: Client = request.param
    return found


@pytest.fixture(scope="module")
def hub(
    client: Client,
    loopback: Callable[[], str],
    missing: Callable[[str], NoReturn],
    tool: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Hub]:
    """Return a hub to which the client has come as the device d1, and listens; starting one takes long."""
    command = client.command(missing, tool)
    with full_hub(loopback(), https=client.transport == "websocket") as hub:
        variables = hub.environment | {"CONNECTION_STRING": hub.add_device("d1").connection_string}
        log = tmp_path_factory.mktemp(client.name) / "client.log"
        with running([*command, client.transport], variables, log):
            hub.wait_twin("d1", lambda twin: twin["properties"]["reported"].get("ready"), PATIENCE_S)
            yield hub


def _call(hub: Hub, name: str, payload: Any = None) -> Any:
    result = hub.call_method("d1", name, payload, response_timeout_s=PATIENCE_S, connect_timeout_s=PATIENCE_S)
    assert result.status == 200, result.payload
    return result.payload


def _heard(hub: Hub, **properties: Any) -> dict[str, Any]:
    """Change desired properties, and return what the device says that it has heard of it."""
    version = hub.update_twin("d1", desired=properties)["properties"]["desired"]["$version"]

    def heard(twin: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(twin["properties"]["reported"].get("heard", "{}"))
        return found if found.get("$version") == version else {}

    return heard(hub.wait_twin("d1", heard, PATIENCE_S))


def test_method_passes_its_payload_both_ways(hub: Hub) -> None:
    """Of every type of JSON, and beyond ASCII."""
    payload: dict[str, Any] = {"text": "ü ☃", "list": [1, 2.5, None, True, {"deep": {}}]}
    assert _call(hub, "echo", payload) == {"name": "echo", "payload": payload}


def test_twin_is_read_and_reported(hub: Hub) -> None:
    """Reports merge, null deletes, and the device reads what the hub has."""
    version = _heard(hub, wanted={"a": [1]})["$version"]
    _call(hub, "report", {"a": {"b": 1, "c": [1, {"d": 2}]}})
    _call(hub, "report", {"a": {"b": None}, "e": "ü"})
    read = _call(hub, "read")
    assert read["reported"]["a"] == {"c": [1, {"d": 2}]}
    assert read["reported"]["e"] == "ü"
    assert (read["desired"]["wanted"], read["desired"]["$version"]) == ({"a": [1]}, version)


def test_desired_change_is_heard(hub: Hub) -> None:
    """With its nulls and its version, and nothing beside."""
    version = _heard(hub, b=1)["$version"]
    assert _heard(hub, a={"x": 1}, b=None) == {"a": {"x": 1}, "b": None, "$version": version + 1}


def test_telemetry_arrives(hub: Hub) -> None:
    """As it was sent."""
    stream = hub.events()
    _call(hub, "send", {"t": 20})
    assert stream.wait_for(lambda event: event.source == "Telemetry").json() == {"t": 20}


@pytest.mark.parametrize("status", [400, 429, 500])
def test_refused_report_is_told_to_the_program(hub: Hub, status: int) -> None:
    """And the next one goes through."""
    hub.faults.inject(Operation.REPORTED_PATCH, Refuse(status), device_id="d1")
    refused = hub.call_method("d1", "report", {"a": 1}, response_timeout_s=PATIENCE_S)
    assert refused.status == 500
    _call(hub, "report", {"a": 2})
    assert hub.twin("d1")["properties"]["reported"]["a"] == 2


def test_it_comes_back_after_a_cut(hub: Hub) -> None:
    """And hears methods and changes as before."""
    hub.disconnect("d1")
    assert _call(hub, "echo", 1) == {"name": "echo", "payload": 1}
    assert _heard(hub, a=1)["a"] == 1


def test_it_comes_back_after_an_outage(hub: Hub) -> None:
    """By itself, however often it finds the door shut."""
    with hub.offline():
        hub.wait_disconnected("d1")
    hub.wait_connected("d1", PATIENCE_S)
    assert _call(hub, "read")["reported"]["ready"] is True
