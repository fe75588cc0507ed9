"""TLS on real sockets, against the standard library's client."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fwsm.hub.certificates import Authority, server_file
from fwsm.hub.home import Home
from fwsm.hub.listener import Listener, bind
from fwsm.hub.shown import NOTHING_SHOWN
from fwsm.hub.tls import CERTIFICATE, TlsDoor, tls_context
from tests.hub.pki import Pki, of_no_version
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

PORT = 8883


class Server(asyncio.Protocol):
    """Sends back what it gets, and writes down what happens to it."""

    transport: asyncio.Transport

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Write it down."""
        self.log.append("gone" if exc is None else type(exc).__name__)
        self.gone.set()

    def pause_writing(self) -> None:
        """Write it down."""
        self.log.append("pause")

    def resume_writing(self) -> None:
        """Write it down."""
        self.log.append("resume")


class Scene:
    """A TLS server and what its clients need."""

    def __init__(self, home: Home, address: str) -> None:
        authority = Authority.kept_in(home)
        self.address = address
        self.log: list[str] = []
        self.servers: list[Server] = []
        self.door = TlsDoor("test", tls_context(server_file(authority, address, home)), self._serve)
        self.listener = Listener("test", self.door.protocol, self.door.transports)
        self.client = ssl.create_default_context(cafile=authority.path)

    def _serve(self) -> Server:
        server = Server(self.log)
        self.servers.append(server)
        return server

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect a client that has been served once."""
        reader, writer = await asyncio.open_connection(self.address, PORT, ssl=self.client)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        return reader, writer

    def play(self, act: Callable[[], Awaitable[None]]) -> None:
        """Let `act` happen while the server runs; nothing may be left of it."""

        async def scene() -> None:
            self.listener.open(bind(self.address, PORT))
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await act()
            finally:
                await self.listener.close()
            assert self.door.transports() == []

        asyncio.run(scene())


@pytest.fixture
def scene(address: str) -> Iterator[Scene]:
    """Return a server that does not run yet."""
    home = Home(None)
    yield Scene(home, address)
    home.close()


def _certificate(directory: Path) -> tuple[Path, bytes]:
    """Return a file with a key and a certificate that nobody but itself has signed, long expired; and its DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "d1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2001, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2002, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = directory / "client.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path, certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_may_show_any_certificate(scene: Scene, tmp_path: Path, version: ssl.TLSVersion) -> None:
    """It is asked for one, and its thumbprints are known behind the handshake; who signed it makes no difference."""
    path, der = _certificate(tmp_path)
    scene.client.minimum_version = scene.client.maximum_version = version
    scene.client.load_cert_chain(path)

    async def act() -> None:
        _, writer = await scene.connect()
        (server,) = scene.servers
        expected = {hashlib.sha1(der).hexdigest().upper(), hashlib.sha256(der).hexdigest().upper()}
        assert server.transport.get_extra_info(CERTIFICATE).thumbprints == expected
        writer.close()

    scene.play(act)


def test_certificate_that_cannot_be_read_counts_for_nothing(scene: Scene, tmp_path: Path) -> None:
    """OpenSSL takes it and no library reads it; the connection lives, and nothing was shown."""
    path, key = Pki().files("d1", tmp_path)
    path.write_text(of_no_version(x509.load_pem_x509_certificate(path.read_bytes())))
    scene.client.load_cert_chain(path, key)

    async def act() -> None:
        _, writer = await scene.connect()
        assert scene.servers[0].transport.get_extra_info(CERTIFICATE) == NOTHING_SHOWN
        writer.close()

    scene.play(act)


def test_client_need_not_show_a_certificate(scene: Scene) -> None:
    """Then nothing was shown; what the socket knows, the transport knows."""

    async def act() -> None:
        _, writer = await scene.connect()
        transport = scene.servers[0].transport
        assert transport.get_extra_info(CERTIFICATE) == NOTHING_SHOWN
        assert transport.get_extra_info("sockname") == (scene.address, PORT)
        assert transport.get_extra_info("sslcontext") is scene.door.context
        writer.close()

    scene.play(act)


def test_old_tls_is_refused(scene: Scene) -> None:
    """1.2 is the least; the client learns why."""
    scene.client.set_ciphers("DEFAULT@SECLEVEL=0")
    scene.client.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    scene.client.maximum_version = ssl.TLSVersion.TLSv1_1

    async def act() -> None:
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
            await asyncio.open_connection(scene.address, PORT, ssl=scene.client)

    scene.play(act)


def test_much_crosses_in_order_both_ways(scene: Scene) -> None:
    """Far more than a record and than the socket's buffers, while the peer is slow to read."""
    data = bytes(range(256)) * 20_000

    async def act() -> None:
        reader, writer = await scene.connect()
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
        await scene.servers[0].gone.wait()
        assert scene.log[-1] == "gone"

    scene.play(act)


def test_reading_can_be_paused_in_the_middle_of_a_record(scene: Scene) -> None:
    """What was not taken comes when reading goes on."""

    async def act() -> None:
        reader, writer = await scene.connect()
        transport = scene.servers[0].transport
        transport.pause_reading()
        assert not transport.is_reading()
        writer.write(b"x" * 40_000)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.05)
        transport.resume_reading()
        transport.resume_reading()
        assert transport.is_reading()
        assert await reader.readexactly(40_000) == b"x" * 40_000
        writer.close()

    scene.play(act)


def test_last_words_arrive_although_the_peer_still_talks(scene: Scene) -> None:
    """Closing at once would answer unread bytes with a reset, and the reset would overtake what was said."""

    async def act() -> None:
        reader, writer = await scene.connect()
        transport = scene.servers[0].transport
        transport.write(b"goodbye")
        transport.close()
        transport.close()
        assert transport.is_closing()
        transport.write(b"too late")
        writer.write(b"x" * 100_000)
        assert await reader.read() == b"goodbye"
        writer.close()
        await scene.servers[0].gone.wait()

    scene.play(act)


def test_peer_that_vanishes_is_noticed(scene: Scene) -> None:
    """With a goodbye of TLS or without one."""

    async def act() -> None:
        _, writer = await scene.connect()
        writer.transport.abort()
        await scene.servers[0].gone.wait()

    scene.play(act)


def test_peer_that_breaks_tls_is_cut_off(scene: Scene) -> None:
    """Damaged records end the connection, and nobody else's."""

    async def act() -> None:
        _, other = await scene.connect()
        loop = asyncio.get_running_loop()
        raw = socket.create_connection((scene.address, PORT))
        raw.setblocking(False)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = scene.client.wrap_bio(incoming, outgoing, server_hostname=scene.address)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await loop.sock_sendall(raw, outgoing.read())
                incoming.write(await loop.sock_recv(raw, 65536))
        await loop.sock_sendall(raw, outgoing.read() + b"\x17\x03\x03\x00\x20" + b"x" * 32)
        while await loop.sock_recv(raw, 65536):
            pass
        raw.close()
        await scene.servers[1].gone.wait()
        assert not scene.servers[0].gone.is_set()
        other.close()

    scene.play(act)


def test_protocol_can_be_changed(scene: Scene) -> None:
    """An HTTP connection may become a WebSocket."""

    async def act() -> None:
        reader, writer = await scene.connect()
        first = scene.servers[0]
        second = Server(scene.log)
        second.connection_made(first.transport)
        first.transport.set_protocol(second)
        assert first.transport.get_protocol() is second
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        first.transport.abort()
        await second.gone.wait()
        assert not first.gone.is_set()
        writer.close()

    scene.play(act)


def test_buffers_are_those_of_the_socket(scene: Scene) -> None:
    """A protocol can ask how much waits, and say when that is too much."""

    async def act() -> None:
        _, writer = await scene.connect()
        transport = scene.servers[0].transport
        transport.set_write_buffer_limits(1000, 100)
        assert transport.get_write_buffer_limits() == (100, 1000)
        assert transport.get_write_buffer_size() == 0
        assert not transport.can_write_eof()
        writer.close()

    scene.play(act)
