"""The listening socket."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
from typing import TYPE_CHECKING, cast

import pytest

from fwsm.errors import HubError, PortInUseError
from fwsm.hub.certificates import Authority, server_file
from fwsm.hub.home import Home
from fwsm.hub.listener import Listener, bind
from fwsm.hub.tls import TlsDoor, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 8883


class Echo(asyncio.Protocol):
    """Sends back what it gets, and knows who lives."""

    live: set[asyncio.Transport]

    def __init__(self, live: set[asyncio.Transport]) -> None:
        self.live = live

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the living."""
        self.transport = cast("asyncio.Transport", transport)
        self.live.add(self.transport)

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the living."""
        assert exc is None
        self.live.discard(self.transport)


class Door:
    """An echo server and what its clients need."""

    def __init__(self, address: str, home: Home) -> None:
        authority = Authority.kept_in(home)
        self.address = address
        self.live: set[asyncio.Transport] = set()
        tls = TlsDoor("echo", tls_context(server_file(authority, address, home)), lambda: Echo(self.live))
        self.listener = Listener("echo", tls.protocol, tls.transports)
        self.client = ssl.create_default_context(cafile=authority.path)

    def open(self) -> None:
        """Listen."""
        self.listener.open(bind(self.address, PORT))

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect a client that has been served once."""
        reader, writer = await asyncio.open_connection(self.address, PORT, ssl=self.client)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        return reader, writer


@pytest.fixture
def door(address: str) -> Iterator[Door]:
    """Return a closed echo server."""
    home = Home(None)
    yield Door(address, home)
    home.close()


def test_small_writes_are_not_held_back(door: Door) -> None:
    """Accepted sockets have TCP_NODELAY."""

    async def scene() -> int:
        door.open()
        _, writer = await door.connect()
        (transport,) = door.live
        nodelay = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await door.listener.close()
        return int(nodelay)

    assert asyncio.run(scene()) == 1


def test_close_cuts_off_everyone_and_refuses_the_next(door: Door) -> None:
    """An outage ends live connections at once; after it the same port serves again."""

    async def scene() -> None:
        door.open()
        reader, writer = await door.connect()
        await door.listener.close()
        assert door.live == set()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(door.address, PORT)
        door.open()
        _, writer = await door.connect()
        writer.close()
        await door.listener.close()

    asyncio.run(scene())


def test_close_ends_handshakes_that_go_on(door: Door) -> None:
    """A peer that says nothing holds no socket over the end; warnings are errors here."""

    async def scene() -> None:
        door.open()
        reader, writer = await asyncio.open_connection(door.address, PORT)
        await door.listener.close()
        with contextlib.suppress(ConnectionResetError):  # the other way in which an end looks
            assert await reader.read() == b""
        writer.close()

    asyncio.run(scene())


def test_peer_without_tls_does_not_disturb_others(door: Door) -> None:
    """Someone who speaks something else is dropped, and the next is served."""

    async def scene() -> None:
        door.open()
        reader, writer = await asyncio.open_connection(door.address, PORT)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
        _, writer = await door.connect()
        writer.close()
        await door.listener.close()

    asyncio.run(scene())


def test_listener_survives_a_process_without_file_descriptors(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """Who comes while there are none left is served as soon as there are."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def scene() -> None:
        listening = bind(door.address, PORT)
        waiting = socket.create_connection((door.address, PORT))
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            door.listener.open(listening)
            for _ in range(3):
                await asyncio.sleep(0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        waiting.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=waiting, ssl=door.client, server_hostname=door.address)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()
        await door.listener.close()

    asyncio.run(scene())
    assert "Too many open files" in caplog.text


def test_busy_port_is_named(address: str) -> None:
    """The error says which address and port, and what to do."""
    with bind(address, PORT), pytest.raises(PortInUseError, match=f"{address} port {PORT}: another process") as caught:
        bind(address, PORT)
    assert "another address" in caught.value.fix


def test_address_of_another_machine_is_named() -> None:
    """An address that this machine does not have is an error of the hub."""
    with pytest.raises(HubError, match=r"192\.0\.2\.1 port 8883: Cannot assign"):
        bind("192.0.2.1", PORT)
