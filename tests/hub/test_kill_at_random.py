"""A hub that is killed at a random moment while many write to it: nothing that it acknowledged is lost."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import random
import signal
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub import Hub
from fwsm.hub.codec import encode
from fwsm.hub.packets import Connect, Publish
from fwsm.hub.sas import sign
from tests.hub.mqttclient import PUBACK, MqttClient
from tests.hub.rest.asking import Operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEVICES = 100
OPERATORS = 10
ROUNDS = 3
# Reports of a device in flight.
WINDOW = 4
# The kill comes when the devices have seen so many more acknowledged.
REPORTS = (100, 1000)
# On a machine that is busy with something else.
_PATIENCE_S = 20


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
        while self.sent < self.acknowledged + WINDOW:
            self.sent += 1
            topic = f"$iothub/twin/PATCH/properties/reported/?$rid={self.sent}"
            self._client.transport.write(encode(Publish(topic, b'{"n": %d}' % self.sent, 1, self.sent)))


class Writing:
    """An operator that tags one twin with w = 1, 2, 3, …, each write with a connection of its own."""

    def __init__(self, operator: Operator, name: str) -> None:
        self._operator = operator
        self._name = name
        self.acknowledged = self.sent = 0

    def write(self) -> None:
        """Write until the hub is gone."""
        while True:
            self.sent = self.acknowledged + 1
            try:
                answer = self._operator.ask("PATCH", f"/twins/{self._name}", {"tags": {"w": self.sent}})
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                return
            assert answer.status == 200
            self.acknowledged = self.sent


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
        devices = [hub.add_device(f"d{number}") for number in range(DEVICES)]
        self._reporting = {d.device_id: Reporting(hub.address, d.device_id, d.primary_key) for d in devices}
        self._writing = {f"d{number}": Writing(self._owner, f"d{number}") for number in range(OPERATORS)}
        self._watching = Watching(self._owner)

    async def use(self, process: subprocess.Popen[bytes], reports: int) -> None:
        """Use the hub until it is killed, when so many reports have been acknowledged."""
        countdown = itertools.count(reports - 1, -1)

        def on_acknowledged() -> None:
            if next(countdown) == 0:
                process.kill()

        reporting = self._reporting.values()
        works = [self._watching.watch, *(writing.write for writing in self._writing.values())]
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(len(works)) as pool:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await asyncio.gather(*(device.connect(self._context) for device in reporting))
                    others = [loop.run_in_executor(pool, work) for work in works]
                    devices = (device.report(on_acknowledged) for device in reporting)
                    await asyncio.gather(*devices, *others)
            finally:
                process.kill()  # the others wait for it

    def check(self) -> None:
        """Compare what was acknowledged with what the hub has kept."""
        found = self._owner.ask("POST", "/devices/query", {"query": "SELECT * FROM devices"}).body
        twins = {twin["deviceId"]: twin for twin in found}
        for name, reporting in self._reporting.items():
            kept = twins[name]["properties"]["reported"].get("n", 0)
            assert reporting.acknowledged <= kept <= reporting.sent, f"reports of {name}"
        for name, writing in self._writing.items():
            assert writing.acknowledged <= twins[name]["tags"].get("w", 0) <= writing.sent, f"tags of {name}"
        for name, version in self._watching.versions.items():
            assert version <= twins[name]["version"], f"the feed has told more of {name} than was kept"

    @property
    def acknowledged(self) -> tuple[int, int, int]:
        """How many reports, how many writes, and of how many twins the feed has told."""
        reports = sum(reporting.acknowledged for reporting in self._reporting.values())
        writes = sum(writing.acknowledged for writing in self._writing.values())
        return reports, writes, len(self._watching.versions)


@contextlib.contextmanager
def _running(address: str, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the program `fwsm hub run`; it is killed in the end, if it was not before."""
    command = [sys.executable, "-m", "fwsm", "hub", "run", "--address", address, "--state", f"{state}", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"{")
            yield process
        finally:
            process.kill()


@pytest.mark.kill
@pytest.mark.timeout(90)  # four starts of the program, on a machine that may be busy
def test_hub_that_is_killed_at_random_has_kept_all_it_acknowledged(address: str, tmp_path: Path) -> None:
    """While 100 devices patch and 10 operators write; and the feed has told of nothing that was not kept."""
    with Hub(address, state=tmp_path) as hub:
        crowd = Crowd(hub)
    for _ in range(ROUNDS):
        with _running(address, tmp_path) as process:
            crowd.check()
            asyncio.run(crowd.use(process, random.randint(*REPORTS)))
        assert process.returncode == -signal.SIGKILL
    with _running(address, tmp_path):
        crowd.check()
    assert all(crowd.acknowledged)
