"""A crowd that uses a hub until it is killed, and knows afterwards what the hub has acknowledged.

What was acknowledged must be there in the next life of the hub; what was sent and not acknowledged may be.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import random
import re
import ssl
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from fwsm.hub.codec import encode
from fwsm.hub.packets import Connect, Publish
from fwsm.hub.sas import sign
from tests.hub.configurations.scene import body as configuration
from tests.hub.jobs.scene import twin as job
from tests.hub.mqttclient import PUBACK, MqttClient
from tests.hub.rest.asking import Operator
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from fwsm.hub import Hub

__all__ = ["Crowd"]

_DEVICES = 100
_OPERATORS = 10
# For configurations and jobs: they are to be kept, and not to write as well.
_NOBODY = "deviceId = 'nobody'"
# Reports of a device in flight. More would leave the operators, who wait for each answer, little of the hub's time.
_WINDOW = 1
# The kill comes with the receipt that makes so many of reports, or of writes, whichever is first.
_REPORTS = (200, 5000)
_WRITES = (20, 150)
# On a machine that is busy with something else.


class Reporting:
    """A device that reports n = 1, 2, 3, …, from one life of the hub to the next.

    Attributes:
        acknowledged: the last n with a PUBACK.
        sent: the last n that the hub may have.
    """

    def __init__(self, address: str, name: str, key: str) -> None:
        token = sign(f"{address}/devices/{name}", key, int(time.time()) + 600).encode()
        self._connect = encode(Connect(name, user_name=f"{address}/{name}/?api-version=1", password=token))
        self._address = address
        self.acknowledged = self.sent = 0

    async def connect(self, context: ssl.SSLContext) -> None:
        """Connect anew."""
        self._client = await MqttClient.open(self._address, 8883, context, self._connect)
        self._client.on_packet = self._on_packet

    async def report(self, on_acknowledged: Callable[[], object]) -> None:
        """Report until the connection breaks."""
        self._on_acknowledged = on_acknowledged
        self.sent = self.acknowledged  # what was in flight may be kept, and is reported again
        self._fill()
        await self._client.gone

    def _on_packet(self, kind: int, body: memoryview) -> None:
        if kind == PUBACK:
            self.acknowledged = int.from_bytes(body, "big")
            self._on_acknowledged()
            self._fill()

    def _fill(self) -> None:
        while self.sent < self.acknowledged + _WINDOW:
            self.sent += 1
            topic = f"$iothub/twin/PATCH/properties/reported/?$rid={self.sent}"
            self._client.transport.write(encode(Publish(topic, b'{"n": %d}' % self.sent, 1, self.sent)))


class Writing:
    """An operator who writes w = 1, 2, 3, … to a twin, the registry, a configuration and the jobs, on one connection.

    Attributes:
        acknowledged: the last w of each kind of write that was answered.
        sent: the last w of each kind that the hub may have.
        devices: for each device that it made or deleted, whether it is there; None when that was not answered.
        jobs: those whose creation was answered.
        count: how many writes were answered.
    """

    def __init__(self, operator: Operator, number: int) -> None:
        self._operator = operator
        self.name = f"d{number}"
        self.configuration = f"c{number}"
        self.acknowledged: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.devices: dict[str, bool | None] = {}
        self.jobs: set[str] = set()
        self.count = 0
        self._last = 0
        self._turns = itertools.cycle((self._twin, self._add, self._configuration, self._remove, self._twin, self._job))

    async def connect(self) -> None:
        """Connect anew."""
        self._reader, self._writer = await self._operator.open()
        self._token = self._operator.token()

    async def write(self, on_acknowledged: Callable[[], object]) -> None:
        """Write until the hub is gone."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                self._last += 1
                await next(self._turns)(self._last)
                self.count += 1
                on_acknowledged()
        self._writer.close()

    async def _twin(self, w: int) -> None:
        self.sent["tags"] = self.sent["desired"] = w
        await self._ask("PATCH", f"/twins/{self.name}", {"tags": {"w": w}, "properties": {"desired": {"w": w}}})
        self.acknowledged["tags"] = self.acknowledged["desired"] = w

    async def _configuration(self, w: int) -> None:
        self.sent["configuration"] = w
        await self._ask("PUT", f"/configurations/{self.configuration}", configuration(_NOBODY, w), if_match='"*"')
        self.acknowledged["configuration"] = w

    async def _add(self, w: int) -> None:
        device = f"{self.name}-{w}"
        self.devices[device] = None
        await self._ask("PUT", f"/devices/{device}", {"deviceId": device})
        self.devices[device] = True

    async def _remove(self, _: int) -> None:
        there = [device for device, is_there in self.devices.items() if is_there]
        for device in there[:-1]:  # one stays
            self.devices[device] = None
            await self._ask("DELETE", f"/devices/{device}", if_match="*")
            self.devices[device] = False

    async def _job(self, w: int) -> None:
        name = f"{self.name}-{w}"
        # One at a time is what the service allows.
        if await self._ask("PUT", f"/jobs/v2/{name}", job(_NOBODY), busy=429) == http.client.OK:
            self.jobs.add(name)

    async def _ask(self, method: str, path: str, body: Any = None, *, busy: int = 0, if_match: str = "") -> int:
        data = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} {path}?api-version=2021-04-12 HTTP/1.1",
            "Host: hub",
            f"Authorization: {self._token}",
            f"Content-Length: {len(data)}",
            *([f"If-Match: {if_match}"] if if_match else []),
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"\r\ncontent-length: (\d+)", head)
        text = await self._reader.readexactly(int(length[1]) if length else 0)
        status = int(head.split()[1])
        assert status in {200, 204, busy}, text
        return status


class Watching:
    """An operator that reads the event feed.

    Attributes:
        versions: of each twin, the latest of which the feed has told.
    """

    def __init__(self, owner: Operator) -> None:
        self._owner = owner
        self.versions: dict[str, int] = {}

    def watch(self) -> None:
        """Read until the hub is gone."""
        connection = self._owner.connection()
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/$fwsm/events", headers={"Authorization": self._owner.token()})
            for line in connection.getresponse():
                if line.startswith(b"data: ") and line.endswith(b"\n"):
                    self._note(json.loads(line.removeprefix(b"data: ")))
        connection.close()

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("annotations", {}).get("iothub-message-source") == "twinChangeEvents":
            self.versions[event["annotations"]["iothub-connection-device-id"]] = event["body"]["version"]


class Crowd:
    """Everyone who uses the hub, from one of its lives to the next."""

    def __init__(self, hub: Hub) -> None:
        self._context = ssl.create_default_context(cafile=hub.ca_path)
        self._owner = Operator(hub)
        devices = [hub.add_device(f"d{number}") for number in range(_DEVICES)]
        self._reporting = {d.device_id: Reporting(hub.address, d.device_id, d.primary_key) for d in devices}
        self._writing = [Writing(self._owner, number) for number in range(_OPERATORS)]
        for writing in self._writing:
            created = self._owner.ask("PUT", f"/configurations/{writing.configuration}", configuration(_NOBODY))
            assert created.status == http.client.OK
        self._watching = Watching(self._owner)

    async def use(self, process: subprocess.Popen[bytes]) -> None:
        """Use the hub, and kill it at a random receipt."""
        reports, writes = (itertools.count(random.randint(*most), -1) for most in (_REPORTS, _WRITES))

        def on_acknowledged(countdown: itertools.count[int]) -> None:
            if next(countdown) == 0:
                process.kill()

        reporting = self._reporting.values()
        watching = threading.Thread(target=self._watching.watch)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*(device.connect(self._context) for device in reporting))
                await asyncio.gather(*(writing.connect() for writing in self._writing))
                watching.start()
                devices = (device.report(lambda: on_acknowledged(reports)) for device in reporting)
                operators = (writing.write(lambda: on_acknowledged(writes)) for writing in self._writing)
                await asyncio.gather(*devices, *operators)
        finally:
            process.kill()
            watching.join()

    def check(self) -> None:
        """Compare what was acknowledged with what the hub has kept."""
        question = {"query": "SELECT * FROM devices"}
        found = self._owner.ask("POST", "/devices/query", question, x_ms_max_item_count="1000").body
        twins = {twin["deviceId"]: twin for twin in found}
        priorities = {found["id"]: found["priority"] for found in self._owner.ask("GET", "/configurations").body}
        jobs = {found["jobId"] for found in self._owner.ask("GET", "/jobs/v2/query", x_ms_max_item_count="1000").body}
        for name, reporting in self._reporting.items():
            kept = twins[name]["properties"]["reported"].get("n", 0)
            assert reporting.acknowledged <= kept <= reporting.sent, f"reports of {name}"
        for writing in self._writing:
            twin = twins[writing.name]
            kept_by_kind = {
                "tags": twin["tags"].get("w", 0),
                "desired": twin["properties"]["desired"].get("w", 0),
                "configuration": priorities[writing.configuration],
            }
            for kind, kept in kept_by_kind.items():
                assert writing.acknowledged[kind] <= kept <= writing.sent[kind], f"{kind} of {writing.name}"
            for device, is_there in writing.devices.items():
                assert is_there is None or is_there == (device in twins), f"device {device}"
            assert writing.jobs <= jobs, f"jobs of {writing.name}"
        for name, version in self._watching.versions.items():
            if name in self._reporting:  # the others come and go
                assert version <= twins[name]["version"], f"the feed has told more of {name} than was kept"

    @property
    def acknowledged(self) -> dict[str, int]:
        """How much of each kind was acknowledged, and of how many twins the feed has told."""
        return {
            "reports": sum(reporting.acknowledged for reporting in self._reporting.values()),
            "writes": sum(writing.count for writing in self._writing),
            "jobs": sum(len(writing.jobs) for writing in self._writing),
            "deletions": sum(list(writing.devices.values()).count(False) for writing in self._writing),
            "told": len(self._watching.versions),
        }
