"""The feed tells of nothing that a hub that is killed in this moment would not know afterwards.

At each event that is shown, in the hub's own thread and before anything else happens there, another hub is brought up
from what is on the disk, and asked. So a feed that is told before the commit is caught at the first write, each time;
`test_kill_at_random` has real kills, which find that only by luck.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from fwsm.hub import Hub
from fwsm.hub.codec import encode
from fwsm.hub.diskstate import DiskState
from fwsm.hub.engine import Engine
from fwsm.hub.packets import Connect, Publish, Will
from fwsm.hub.sas import sign
from tests.hub.configurations.scene import body as configuration
from tests.hub.jobs.scene import twin as job
from tests.hub.mqttclient import PUBACK, MqttClient
from tests.hub.rest.asking import Operator
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.hub import Device, EventData


class Auditor:
    """Reads the feed of a running hub and compares it with the disk.

    Attributes:
        told: the operation of each event that was shown, and whom it is about.
        untrue: what was told and is not on the disk.
    """

    def __init__(self, hub: Hub, state: Path) -> None:
        self.told: list[tuple[str, str]] = []
        self.untrue: list[str] = []
        self._feed = hub._live.engine.feed
        self._path = state / "hub.db"
        self._position = self._feed.position
        self._feed.wake(self._audit)

    def leave(self) -> None:
        """Read no more, so that the hub need not wait for it at its end."""
        self._feed.forget(self._audit)

    def _audit(self) -> None:
        disk = DiskState(self._path)
        survivor = Engine(disk, lambda: 0.0, lambda: 0.0)
        for event in self._feed.after(self._position):
            self._position = event.sequence_number
            operation = event.application.get("opType") or event.source
            client_id = f"{event.device_id}/{event.module_id}" if event.module_id else event.device_id
            self.told.append((operation, client_id))
            if not _knows(survivor, operation, client_id, event):
                self.untrue.append(f"{operation} of {client_id}")
        disk.close()


def _knows(hub: Engine, operation: str, client_id: str, event: EventData) -> bool:
    there, trace = hub.registry.find(client_id) is not None, hub.presence.trace(client_id)
    match operation:
        case "createDeviceIdentity":
            return there
        case "deleteDeviceIdentity":
            return not there
        case "updateTwin" | "replaceTwin":
            return there and hub.twins.get(client_id).version >= event.json()["version"]
        case "deviceConnected" | "deviceDisconnected":
            return trace.changed_at is not None and trace.changed_at >= event.enqueued_at  # not that of an earlier one
        case _:
            return operation == "Telemetry"  # it is kept nowhere else


class World:
    """A hub on disk that knows d1 and its module m1, and whoever writes to it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.ask = Operator(hub).ask
        self.context = Operator(hub).context
        self.device = hub.add_device("d1")
        hub.add_module("d1", "m1")

    def visit(self) -> None:
        """Connect as d1, report, send telemetry, and vanish."""
        asyncio.run(self._visit(self.device))

    async def _visit(self, device: Device) -> None:
        address, name = self.hub.address, device.device_id
        token = sign(f"{address}/devices/{name}", device.primary_key, int(time.time()) + 3600).encode()
        will = Will(f"devices/{name}/messages/events/", b"gone")
        connect = Connect(name, user_name=f"{address}/{name}/?api-version=1", password=token, will=will)
        client = await MqttClient.open(address, self.hub.mqtt_port, self.context, encode(connect))
        receipts: asyncio.Queue[int] = asyncio.Queue()
        client.on_packet = lambda kind, _: receipts.put_nowait(kind)
        for topic in ("$iothub/twin/PATCH/properties/reported/?$rid=1", f"devices/{name}/messages/events/"):
            client.transport.write(encode(Publish(topic, b"{}", 1, 1)))
            assert await receipts.get() == PUBACK
        client.transport.abort()
        await client.gone


PATCH = {"tags": {"t": 1}, "properties": {"desired": {"a": 1}}}
CONTENT = {"deviceContent": {"properties.desired.a": 1}}
BULK = [{"id": "d2", "importMode": "create", "tags": {"t": 1}}, {"id": "d1", "moduleId": "m1", "importMode": "delete"}]

# Each kind of write, and what the feed tells of it.
WRITES: dict[str, tuple[Callable[[World], object], list[tuple[str, str]]]] = {
    "device added": (lambda w: w.ask("PUT", "/devices/d2", {"deviceId": "d2"}), [("createDeviceIdentity", "d2")]),
    "device added in Python": (lambda w: w.hub.add_device("d2"), [("createDeviceIdentity", "d2")]),
    "module added": (
        lambda w: w.ask("PUT", "/devices/d1/modules/m2", {"deviceId": "d1", "moduleId": "m2"}),
        [("createDeviceIdentity", "d1/m2")],
    ),
    "device deleted": (
        lambda w: w.ask("DELETE", "/devices/d1", If_Match="*"),
        [("deleteDeviceIdentity", "d1/m1"), ("deleteDeviceIdentity", "d1")],
    ),
    "many changed": (
        lambda w: w.ask("POST", "/devices", BULK),
        [("createDeviceIdentity", "d2"), ("updateTwin", "d2"), ("deleteDeviceIdentity", "d1/m1")],
    ),
    "twin patched": (lambda w: w.ask("PATCH", "/twins/d1", PATCH), [("updateTwin", "d1")]),
    "twin patched in Python": (lambda w: w.hub.update_twin("d1", tags={"t": 1}), [("updateTwin", "d1")]),
    "module's twin patched": (lambda w: w.ask("PATCH", "/twins/d1/modules/m1", PATCH), [("updateTwin", "d1/m1")]),
    "twin replaced": (lambda w: w.ask("PUT", "/twins/d1", PATCH), [("replaceTwin", "d1")]),
    "digital twin patched": (
        lambda w: w.ask("PATCH", "/digitaltwins/d1", [{"op": "add", "path": "/a", "value": 1}]),
        [("updateTwin", "d1")],
    ),
    "content applied": (
        lambda w: w.ask("POST", "/devices/d1/applyConfigurationContent", CONTENT),
        [("updateTwin", "d1")],
    ),
    "configuration carried out": (
        lambda w: w.ask("PUT", "/configurations/c", configuration()),
        [("updateTwin", "d1")],
    ),
    "job carried out": (lambda w: w.ask("PUT", "/jobs/v2/j", job("*")), [("updateTwin", "d1")]),
    "device's visit": (
        World.visit,
        [
            ("deviceConnected", "d1"),
            ("updateTwin", "d1"),
            ("Telemetry", "d1"),
            ("Telemetry", "d1"),
            ("deviceDisconnected", "d1"),
        ],
    ),
}


@pytest.mark.parametrize("write", WRITES)
def test_feed_tells_of_what_is_on_the_disk(write: str, address: str, tmp_path: Path) -> None:
    """Whoever has written, by whichever door."""
    act, told = WRITES[write]
    with Hub(address, state=tmp_path) as hub:
        world, events = World(hub), hub.events()
        auditor = Auditor(hub, tmp_path)
        act(world)
        for _ in told:
            assert events.next(PATIENCE_S), auditor.told
        hub._live.decide(bool)  # the audit of the last event has ended
        hub._live.decide(auditor.leave)
    assert (auditor.told[: len(told)], auditor.untrue) == (told, [])
