"""The load of the hub's benchmark: many MQTT connections in a process of their own. Prints what it took as JSON."""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import http.client
import json
import ssl
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from fwsm.hub.codec import encode
from fwsm.hub.packets import Connect, Publish, Subscribe
from fwsm.hub.sas import sign
from fwsm.hub.topics import METHODS
from tests.hub.mqttclient import PUBACK, PUBLISH, MqttClient

# asyncio keeps 256 KiB a connection otherwise; thousands of them are held here.
asyncio.sslproto.SSLProtocol.max_size = 16 * 1024  # type: ignore[misc]
AT_ONCE = 20
IN_FLIGHT = 4


class Load:
    """Connections to one server."""

    def __init__(self, address: str, ca_file: str, keys: list[str]) -> None:
        self._address = address
        self._context = ssl.create_default_context(cafile=ca_file)
        expiry = int(time.time()) + 3600
        self._connects = [self._connect(f"d{number}", key, expiry) for number, key in enumerate(keys)]

    def _connect(self, name: str, key: str, expiry: int) -> bytes:
        token = sign(f"{self._address}/devices/{name}", key, expiry).encode()
        user = f"{self._address}/{name}/?api-version=1"
        return encode(Connect(name, user_name=user, password=token, keep_alive_s=600))

    async def open(self, count: int) -> list[MqttClient]:
        """Open so many connections, some of them at a time."""
        clients: list[MqttClient] = []
        for first in range(0, count, AT_ONCE):
            batch = self._connects[first : min(first + AT_ONCE, count)]
            clients += await asyncio.gather(
                *(MqttClient.open(self._address, 8883, self._context, connect) for connect in batch)
            )
        return clients

    async def connects(self, count: int) -> float:
        """Return how many connections a second were let in."""
        begin = time.perf_counter()
        clients = await self.open(count)
        took = time.perf_counter() - begin
        await _close(clients)
        return count / took

    async def publishes(self, connections: int, count: int, topic: str, body: str) -> float:
        """Return how many messages a second were acknowledged, some in flight on each connection."""
        clients = await self.open(connections)
        begin = time.perf_counter()
        await asyncio.gather(
            *(
                _publish(client, count // connections, topic.format(number), body.encode())
                for number, client in enumerate(clients)
            )
        )
        took = time.perf_counter() - begin
        await _close(clients)
        return count / took

    async def calls(self, count: int, connection_string: str) -> float:
        """Return how many milliseconds a direct method took, one at a time on one connection: the median."""
        (device,) = await self.open(1)
        ready = asyncio.get_running_loop().create_future()

        def on_packet(kind: int, body: memoryview) -> None:
            if kind == PUBLISH:
                rid = bytes(body).partition(b"$rid=")[2].partition(b"{")[0].decode()
                device.transport.write(encode(Publish(f"$iothub/methods/res/200/?$rid={rid}", b"{}")))
            else:
                ready.set_result(None)

        device.on_packet = on_packet
        device.transport.write(encode(Subscribe(1, ((METHODS, 0),))))
        await ready
        took = await asyncio.to_thread(self._call, count, connection_string)
        await _close([device])
        return took

    def _call(self, count: int, connection_string: str) -> float:
        fields = dict(part.split("=", 1) for part in connection_string.split(";"))
        token = sign(fields["HostName"], fields["SharedAccessKey"], int(time.time()) + 600, "service")
        headers = {"Authorization": token, "Content-Type": "application/json"}
        operator = http.client.HTTPSConnection(fields["HostName"], context=self._context)
        body = json.dumps({"methodName": "bench", "payload": {}})
        took = []
        for _ in range(count):
            begin = time.perf_counter()
            operator.request("POST", "/twins/d0/methods?api-version=2021-04-12", body, headers)
            answer = operator.getresponse()
            answer.read()
            took.append(time.perf_counter() - begin)
            if answer.status != http.client.OK:
                raise RuntimeError(f"the call was answered with {answer.status}")
        operator.close()
        return 1000 * statistics.median(took)

    async def idle(self, count: int) -> float:
        """Hold so many connections until a line comes from whoever measures."""
        clients = await self.open(count)
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await _close(clients)
        return float(count)


async def _publish(client: MqttClient, count: int, topic: str, body: bytes) -> None:
    done = asyncio.get_running_loop().create_future()
    # The identifier stands before the body, and is all that changes.
    head = encode(Publish(topic, body, 1, 1))[: -len(body) - 2]
    sent = min(IN_FLIGHT, count)
    acknowledged = 0

    def on_packet(kind: int, _body: memoryview) -> None:
        nonlocal sent, acknowledged
        if kind != PUBACK:
            return
        acknowledged += 1
        if sent < count:
            sent += 1
            client.transport.write(head + (sent % 65535 + 1).to_bytes(2, "big") + body)
        elif acknowledged == count:
            done.set_result(None)

    client.on_packet = on_packet
    client.transport.write(b"".join(head + (n + 1).to_bytes(2, "big") + body for n in range(1, sent + 1)))
    await done


async def _close(clients: list[MqttClient]) -> None:
    for client in clients:
        client.transport.abort()
    await asyncio.gather(*(client.gone for client in clients))


def main() -> None:
    """Do what the first line of standard input asks for, as JSON: address, ca_file, keys, work, arguments."""
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    load = Load(asked["address"], asked["ca_file"], asked["keys"])
    print(json.dumps(asyncio.run(getattr(load, asked["work"])(*asked["arguments"]))), flush=True)


if __name__ == "__main__":
    main()
