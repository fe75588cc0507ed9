"""The SOCKS5 door, without a socket and with a client of another make."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ssl
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub import Hub
from fwsm.hub.socks import SocksDoor
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

socks: Any = importlib.import_module("socks")

NAME = b"\x05\x01\x00\x03\x0bexample.org"
PORT = (8883).to_bytes(2, "big")
GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


class FakeTransport(asyncio.Transport):
    """A transport that writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the data."""
        self.sent += bytes(data)

    def close(self) -> None:
        """Note the end."""
        self.ended = True

    def abort(self) -> None:
        """Note the end."""
        self.ended = True

    def is_closing(self) -> bool:
        """Say whether the end has come."""
        return self.ended

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Note who took over."""
        self.successor = protocol


class Target(asyncio.Protocol):
    """The door behind."""

    data = b""

    def data_received(self, data: bytes) -> None:
        """Keep the data."""
        self.data += data


def _talk(*pieces: bytes) -> tuple[FakeTransport, Target]:
    """Say these pieces to a door that leads to 8883; what it had open is closed again."""
    transport, target = FakeTransport(), Target()

    async def scene() -> None:
        door = SocksDoor({8883: lambda: target})
        protocol = door.protocol()
        protocol.connection_made(transport)
        assert door.transports() == [cast("asyncio.Transport", transport)]
        for piece in pieces:
            if not hasattr(transport, "successor"):
                protocol.data_received(piece)
        if not hasattr(transport, "successor"):
            protocol.connection_lost(None)
        assert door.transports() == []

    asyncio.run(scene())
    return transport, target


@pytest.mark.parametrize(
    "address", [b"\x01\x7f\x00\x00\x01", b"\x03\x0bexample.org", b"\x04" + bytes(15) + b"\x01", b"\x03\x00"]
)
def test_way_leads_to_the_door_whatever_host_is_named(address: bytes) -> None:
    """IPv4, name, IPv6; what comes behind the request goes to the door."""
    transport, target = _talk(b"\x05\x02\x02\x00" + b"\x05\x01\x00" + address + PORT + b"hello")
    assert transport.sent == b"\x05\x00" + GRANTED
    assert transport.successor is target
    assert target.data == b"hello"


def test_way_can_be_asked_for_byte_by_byte() -> None:
    """As slow as it may come."""
    stream = b"\x05\x01\x02" + b"\x01\x04user\x04pass" + NAME + PORT
    transport, target = _talk(*(bytes((byte,)) for byte in stream))
    assert transport.sent == b"\x05\x02" + b"\x01\x00" + GRANTED
    assert transport.successor is target


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"\x04\x01", b""),
        (b"GET / HTTP/1.1", b""),
        (b"\x05\x01\x01", b"\x05\xff"),
        (b"\x05\x01\x02\x05", b"\x05\x02"),
        (b"\x05\x01\x00\x04\x01\x00\x01\x00", b"\x05\x00"),
        (b"\x05\x01\x00\x05\x02\x00\x01\x7f", b"\x05\x00\x05\x07" + GRANTED[2:]),
        (b"\x05\x01\x00\x05\x01\x00\x09\x7f", b"\x05\x00\x05\x08" + GRANTED[2:]),
        (b"\x05\x01\x00" + NAME + b"\x00\x50", b"\x05\x00\x05\x02" + GRANTED[2:]),
    ],
)
def test_what_cannot_be_had_is_refused(said: bytes, answer: bytes) -> None:
    """Other versions, methods, commands, kinds of address and ports, each with its code if there is one."""
    transport, _ = _talk(said)
    assert (transport.sent, transport.ended) == (answer, True)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_break_the_door(pieces: list[bytes]) -> None:
    """Whatever comes, it ends in a refusal, a way, or waiting."""
    transport, _ = _talk(*pieces)
    assert len(transport.sent) <= 30


@pytest.fixture
def elsewhere(address: str) -> Iterator[Hub]:
    """Return a hub on ports that no SDK dials."""
    with Hub(address, mqtt_port=18883, rest_port=18443, socks_port=18080) as hub:
        yield hub


@pytest.mark.parametrize("port", [8883, 443, 18883, 18443])
def test_tls_begins_behind_the_door(elsewhere: Hub, port: int) -> None:
    """With a name that only the proxy resolves, and that the certificate is good for."""
    raw = socks.socksocket()
    raw.set_proxy(socks.SOCKS5, elsewhere.address, 18080, rdns=True)
    raw.settimeout(PATIENCE_S)
    raw.connect(("some-hub.azure-devices.net", port))
    context = ssl.create_default_context(cafile=elsewhere.ca_path)
    with context.wrap_socket(raw, server_hostname="some-hub.azure-devices.net") as connection:
        if port in {443, 18443}:
            connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 404")
        else:
            connection.sendall(b"\xc0\x00")
            assert connection.recv(1) == b""


def test_pause_closes_the_door_too(elsewhere: Hub) -> None:
    """An outage ends what came through it."""
    raw = socks.socksocket()
    raw.set_proxy(socks.SOCKS5, elsewhere.address, 18080)
    raw.settimeout(PATIENCE_S)
    raw.connect((elsewhere.address, 8883))
    with raw:
        elsewhere.pause()
        with contextlib.suppress(ConnectionResetError):  # the other way in which an end looks
            assert raw.recv(1) == b""
