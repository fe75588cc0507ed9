"""The MQTT door on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from fwsm.errors import HubError
from fwsm.hub.codec import Decoder, encode
from fwsm.hub.connection import Connection
from fwsm.hub.engine import Engine
from fwsm.hub.mqtt import MqttDoor
from fwsm.hub.packets import ConnAck, Connect, Packet, PingReq, PingResp, Publish, Subscribe
from fwsm.hub.sas import sign
from fwsm.hub.state import EphemeralState
from fwsm.hub.topics import TWIN_ANSWERS
from fwsm.hub.turn import Turn
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub import Hub


def _dial(hub: Hub) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=hub.ca_path)
    raw = socket.create_connection((hub.address, hub.mqtt_port), timeout=PATIENCE_S)
    return context.wrap_socket(raw, server_hostname=hub.address)


def _hear(connection: ssl.SSLSocket, count: int) -> list[Packet]:
    decoder, packets = Decoder(), list[Packet]()
    while len(packets) < count:
        data = connection.recv(65536)
        assert data, "the hub has hung up"
        decoder.feed(data)
        while (packet := decoder.next_packet()) is not None:
            packets.append(packet)
    return packets


def _connect(hub: Hub, device_id: str) -> bytes:
    token = sign(f"{hub.address}/devices/{device_id}", hub.device(device_id).primary_key, int(time.time()) + 3600)
    return encode(Connect(device_id, user_name=f"{hub.address}/{device_id}/?api-version=1", password=token.encode()))


class FakeTransport(asyncio.Transport):
    """A transport that writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str | bytes] = []
        self.ended = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Keep the data."""
        self.log.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        """Everything has been sent."""
        return 0

    def is_closing(self) -> bool:
        """Say whether the end has been ordered."""
        return "close" in self.log or "abort" in self.log

    def close(self) -> None:
        """Keep the order."""
        self.log.append("close")
        self.ended.set()

    def abort(self) -> None:
        """Keep the order."""
        self.log.append("abort")

    def pause_reading(self) -> None:
        """Keep the order."""
        self.log.append("pause")

    def resume_reading(self) -> None:
        """Keep the order."""
        self.log.append("resume")


class BrokenState(EphemeralState):
    """A state whose disk is full."""

    def commit(self) -> None:
        """Fail."""
        raise HubError("the disk is full")


class Scene:
    """One connection on a fake transport, inside a running loop."""

    def __init__(self, state: EphemeralState, late_s: float = 0.0) -> None:
        self.now = 0.0
        times = iter((0.0,))  # the connection is made at 0; whoever asks later is told the present
        engine = Engine(state, lambda: self.now, lambda: next(times, self.now))
        self.door = MqttDoor(Turn(state, asyncio.get_running_loop()), functools.partial(Connection, engine))
        self.protocol = self.door.protocol()
        self.transport = FakeTransport()
        self.now = late_s
        self.protocol.connection_made(self.transport)


def _play(state: EphemeralState, act: Callable[[Scene], None]) -> list[str | bytes]:
    """Let `act` happen and the turn end, and return what the transport was told."""

    async def scene() -> list[str | bytes]:
        stage = Scene(state)
        act(stage)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        log = list(stage.transport.log)
        stage.protocol.connection_lost(None)
        await asyncio.sleep(0)
        return log

    return asyncio.run(scene())


STRANGER = encode(Connect("d1", user_name="x/d1/?api-version=1", password=b""))


def test_answer_goes_out_at_the_end_of_the_turn() -> None:
    """The refusal is written, then the connection is closed in order."""
    log = _play(EphemeralState(), lambda scene: scene.protocol.data_received(STRANGER))
    assert log == [encode(ConnAck(5)), "close"]


def test_what_cannot_be_kept_is_not_acknowledged() -> None:
    """When the commit fails the device hears nothing and will ask again."""
    assert _play(BrokenState(), lambda scene: scene.protocol.data_received(STRANGER)) == ["abort"]


def test_device_that_does_not_read_is_not_read() -> None:
    """While its answers wait, no more questions are taken."""

    def act(scene: Scene) -> None:
        scene.protocol.pause_writing()
        scene.protocol.resume_writing()

    assert _play(EphemeralState(), act) == ["pause", "resume"]


def test_silent_peer_is_closed_when_its_time_is_up() -> None:
    """The protocol asks the connection when to look again, and looks."""

    async def scene() -> None:
        stage = Scene(EphemeralState(), late_s=29.99)
        stage.now = 30.0
        await asyncio.wait_for(stage.transport.ended.wait(), PATIENCE_S)
        assert stage.transport.log == ["close"]

    asyncio.run(scene())


def test_packets_cross_the_socket_in_any_pieces(hub: Hub) -> None:
    """A CONNECT that comes byte by byte and a ping behind it are answered in order."""
    hub.add_device("d1")
    with _dial(hub) as connection:
        for byte in _connect(hub, "d1"):
            connection.send(bytes((byte,)))
        connection.send(encode(PingReq()))
        assert _hear(connection, 2) == [ConnAck(), PingResp()]
        hub.wait_connected("d1")
    hub.wait_disconnected("d1")


def test_refusal_arrives_before_the_end(hub: Hub) -> None:
    """The CONNACK with the reason is sent, then the connection ends."""
    with _dial(hub) as connection:
        connection.send(encode(Connect("d1", user_name="x/d1/?api-version=1", password=b"")))
        assert _hear(connection, 1) == [ConnAck(5)]
        assert connection.recv(1) == b""


def test_device_that_does_not_read_is_cut_off(hub: Hub) -> None:
    """What the hub keeps for a device is bounded: one that asks on and on without reading loses its connection."""
    hub.add_device("d1")
    big = {f"key{number}": "x" * 4000 for number in range(7)}
    hub.update_twin("d1", desired=big)
    flood = encode(Publish("$iothub/twin/GET/?$rid=1", b" ")) * 5_000
    with _dial(hub) as connection:
        connection.send(_connect(hub, "d1") + encode(Subscribe(1, ((TWIN_ANSWERS, 0),))))
        _hear(connection, 2)
        with contextlib.suppress(ConnectionError):  # the hub may hang up before all of it is sent
            connection.sendall(flood)
        hub.wait_disconnected("d1")
