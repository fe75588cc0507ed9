"""Two small proxies that relay to a hub: HTTP with CONNECT (RFC 9110), and SOCKS4 with names (SOCKS4a)."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HttpProxy", "RelayingProxy", "Socks4Proxy"]


class RelayingProxy:
    """A proxy on a port of its own; a context manager.

    Args:
        address: where it listens.
        ports: where it leads instead, by the port that is asked for; others are taken as they are.

    Attributes:
        asked: the places that were asked for, as they were written.
        proofs: what the clients showed of themselves.
    """

    def __init__(self, address: str, ports: Mapping[int, int] | None = None) -> None:
        self.asked: list[str] = []
        self.proofs: list[str] = []
        self._ports = ports or {}
        self._door = socket.create_server((address, 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._door.getsockname()[1]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for peer in (self._door, *self._open):
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for peer in (self._door, *self._open):
            peer.close()

    def greet(self, client: socket.socket) -> tuple[str, int] | None:
        """Hear where a client wants to go, and answer; None if it is not let through."""
        raise NotImplementedError

    def reached(self, client: socket.socket) -> None:
        """Tell the client that it is there."""
        raise NotImplementedError

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self._open.append(client)
                self._begin(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        place = self.greet(client)
        if place is None:
            client.shutdown(socket.SHUT_RDWR)
            return
        self.asked.append(f"{place[0]}:{place[1]}")
        server = socket.create_connection((place[0], self._ports.get(place[1], place[1])))
        self._open.append(server)
        self.reached(client)
        self._begin(_relay, server, client)
        _relay(client, server)

    def _begin(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


class HttpProxy(RelayingProxy):
    """Lets those through who know name and password, if there are any.

    Args:
        address: where it listens.
        ports: see `RelayingProxy`.
        login: `name:password`; empty for everybody.
    """

    def __init__(self, address: str, ports: Mapping[int, int] | None = None, login: str = "") -> None:
        super().__init__(address, ports)
        self._wanted = base64.b64encode(login.encode()).decode()

    def greet(self, client: socket.socket) -> tuple[str, int] | None:
        """CONNECT host:port, and perhaps Proxy-Authorization."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        request, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = request.split()
        given = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        self.proofs.append(given.get("proxy-authorization", "").rpartition(" ")[2])  # behind the word Basic
        if method != "CONNECT" or self.proofs[-1] != self._wanted:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return None
        host, _, port = target.rpartition(":")
        return host, int(port)

    def reached(self, client: socket.socket) -> None:
        """200."""
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


class Socks4Proxy(RelayingProxy):
    """Lets everybody through, and remembers the user."""

    def greet(self, client: socket.socket) -> tuple[str, int] | None:
        """Version, command, port, address, user; and a name where the address is 0.0.0.x."""
        version, command, high, low, *address = _read(client, 8)
        assert (version, command) == (4, 1)
        self.proofs.append(_read_text(client))
        is_name = address[:3] == [0, 0, 0] and address[3] != 0
        host = _read_text(client) if is_name else ".".join(map(str, address))
        return host, high * 256 + low

    def reached(self, client: socket.socket) -> None:
        """Granted."""
        client.sendall(bytes((0, 90, 0, 0, 0, 0, 0, 0)))


def _read(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += client.recv(count - len(data))
    return data


def _read_text(client: socket.socket) -> str:
    text = b""
    while (byte := _read(client, 1)) != b"\0":
        text += byte
    return text.decode()


def _relay(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for peer in (source, target):
        with contextlib.suppress(OSError):
            peer.shutdown(socket.SHUT_RDWR)
