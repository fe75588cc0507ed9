"""MQTT over WebSocket, on real sockets and with a client of another make."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from fwsm.hub.codec import Decoder, encode
from fwsm.hub.packets import ConnAck, Connect, Disconnect, Packet, PingReq, PingResp
from fwsm.hub.sas import sign
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from typing import Self

    from fwsm.hub import Hub

PATH = "/$iothub/websocket"


class Client:
    """A WebSocket client of a hub."""

    def __init__(self, hub: Hub, path: str = PATH, subprotocols: tuple[str, ...] = ("mqtt",)) -> None:
        context = ssl.create_default_context(cafile=hub.ca_path)
        raw = socket.create_connection((hub.address, hub.rest_port), timeout=PATIENCE_S)
        self.socket = context.wrap_socket(raw, server_hostname=hub.address)
        self.frames = WSConnection(ConnectionType.CLIENT)
        self.decoder = Decoder()
        self.say(Request(host=hub.address, target=path, subprotocols=list(subprotocols)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *events: Event) -> None:
        """Send events in one piece."""
        self.socket.sendall(b"".join(self.frames.send(event) for event in events))

    def hear(self) -> list[Event]:
        """Return the next events, or none when the hub has hung up."""
        while True:
            events = list(self.frames.events())
            if events:
                return events
            data = self.socket.recv(65536)
            if not data:
                return []
            self.frames.receive_data(data)

    def packets(self, count: int) -> list[Packet]:
        """Return the next MQTT packets."""
        found: list[Packet] = []
        while len(found) < count:
            for event in self.hear():
                assert isinstance(event, BytesMessage)
                self.decoder.feed(bytes(event.data))
            while (packet := self.decoder.next_packet()) is not None:
                found.append(packet)
        return found


def _connect(hub: Hub) -> bytes:
    device = hub.add_device("d1")
    token = sign(f"{hub.address}/devices/d1", device.primary_key, int(time.time()) + 60)
    return encode(Connect("d1", user_name=f"{hub.address}/d1/?api-version=1", password=token.encode()))


@pytest.mark.parametrize("path", [PATH, f"{PATH}?iothub-no-client-cert=true"])
def test_packets_pass_in_frames_of_any_size(hub: Hub, path: str) -> None:
    """A packet over three frames, then two packets in one; the end of the socket is the end of the connection."""
    with Client(hub, path) as client:
        (accepted,) = client.hear()
        assert isinstance(accepted, AcceptConnection)
        assert accepted.subprotocol == "mqtt"
        packet = _connect(hub)
        client.say(
            BytesMessage(packet[:1]), BytesMessage(packet[1:9], message_finished=False), BytesMessage(packet[9:])
        )
        assert client.packets(1) == [ConnAck()]
        client.say(BytesMessage(encode(PingReq()) * 2))
        assert client.packets(2) == [PingResp()] * 2
        hub.wait_connected("d1")
    hub.wait_disconnected("d1")


def test_goodbye_of_mqtt_closes_the_websocket(hub: Hub) -> None:
    """In order, with its own goodbye."""
    with Client(hub) as client:
        client.hear()
        client.say(BytesMessage(_connect(hub) + encode(Disconnect())))
        client.packets(1)
        (farewell,) = client.hear()
        assert isinstance(farewell, CloseConnection)
        assert farewell.code == 1000


def test_goodbye_of_the_websocket_is_answered(hub: Hub) -> None:
    """Also before any packet."""
    with Client(hub) as client:
        client.hear()
        client.say(CloseConnection(1001))
        (farewell,) = client.hear()
        assert isinstance(farewell, CloseConnection)
        assert client.hear() == []


def test_ping_of_the_websocket_is_answered(hub: Hub) -> None:
    """With what it carried."""
    with Client(hub) as client:
        client.hear()
        client.say(Ping(b"x"))
        (pong,) = client.hear()
        assert isinstance(pong, Pong)
        assert pong.payload == b"x"


@pytest.mark.parametrize(
    ("path", "subprotocols", "status"),
    [("/elsewhere", ("mqtt",), 404), (PATH, (), 400), (PATH, ("AMQPWSB10",), 400)],
)
def test_other_websockets_are_refused(hub: Hub, path: str, subprotocols: tuple[str, ...], status: int) -> None:
    """There is one path and one subprotocol."""
    with Client(hub, path, subprotocols) as client:
        (refused, *_) = client.hear()
        assert isinstance(refused, RejectConnection)
        assert refused.status_code == status


def test_text_ends_the_connection(hub: Hub) -> None:
    """MQTT comes in binary frames (MQTT 3.1.1, 6.0)."""
    with Client(hub) as client:
        client.hear()
        client.say(TextMessage("hello"))
        (farewell,) = client.hear()
        assert isinstance(farewell, CloseConnection)
        assert farewell.code == 1003


@pytest.mark.parametrize("ping", [[], [Ping(b"x")]])
def test_what_comes_behind_the_end_means_nothing(hub: Hub, ping: list[Event], caplog: pytest.LogCaptureFixture) -> None:
    """Neither a packet nor a ping, which cannot be answered any more."""
    connect = BytesMessage(_connect(hub))
    events = hub.events()
    with Client(hub) as client:
        client.hear()
        client.say(TextMessage("hello"), *ping, connect)
        (farewell,) = client.hear()
        assert isinstance(farewell, CloseConnection)
        assert client.hear() == []
    hub._live.decide(bool)  # whatever came of it has come
    assert events.next(0) is None
    # That the socket has gone may be noticed before or after this; nothing else is there to say.
    assert set(caplog.messages) <= {"unknown device: connection closed: the device has gone"}


@pytest.mark.parametrize("data", [b"\xff" * 20, b"\x82\x05hello"])
def test_broken_frames_end_the_connection(hub: Hub, data: bytes) -> None:
    """Reserved bits, or a frame that is not masked."""
    with Client(hub) as client:
        client.hear()
        client.socket.sendall(data)
        (farewell,) = client.hear()
        assert isinstance(farewell, CloseConnection)
        assert farewell.code == 1002
