"""A server that keeps to a script, for what the embedded hub would never do: fail, hang up, or talk nonsense."""

from __future__ import annotations

import contextlib
import re
import socketserver
import ssl
import threading
from typing import TYPE_CHECKING

from fwsm.core.connection_string import ServiceConnection
from fwsm.hub import Hub
from fwsm.service.sas import SharedAccess
from fwsm.service.transport import Transport

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SILENCE", "Scripted", "Site", "answering"]

SILENCE = b"silence"


def answering(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return an answer for the script."""
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Scripted(socketserver.ThreadingTCPServer):
    """A TLS server that sends one answer of the script for each request it reads.

    An empty answer hangs up; that of `SILENCE` never comes.

    Its certificate is that of an embedded hub on the same address.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str, pem: Path, script: list[bytes], port: int = 0) -> None:
        self.requests: list[bytes] = []
        self._script = iter(script)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        super().__init__((address, port), socketserver.BaseRequestHandler)

    def finish_request(self, request: object, _: object) -> None:
        """Answer one request."""
        assert not isinstance(request, tuple)
        with contextlib.suppress(OSError), self._context.wrap_socket(request, server_side=True) as connection:  # type: ignore[arg-type]
            self.requests.append(_whole_request(connection))
            answer = next(self._script)
            if answer is SILENCE:
                connection.recv(1)  # until the client gives up
            connection.sendall(answer)


def _whole_request(connection: ssl.SSLSocket) -> bytes:
    data = b""
    while not _is_whole(data):
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the client hung up within its request")
        data += chunk
    return data


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


class Site:
    """A place for scripted servers.

    Args:
        address: where they listen.
        state: a directory for their certificates.
        servers: ends them.

    Attributes:
        ca_file: the authority of their certificates.
        slept: the pauses that transports made, which took no time.
        waits: the reasons that they gave.
    """

    def __init__(self, address: str, state: Path, servers: contextlib.ExitStack) -> None:
        self.address = address
        self.slept: list[float] = []
        self.waits: list[str] = []
        self.ca_file = state / "ca.pem"
        self._state = state
        self._servers = servers
        with Hub(address, state=state):
            pass  # leaves an authority and a certificate behind

    def serve(self, *script: bytes, port: int = 0) -> tuple[Scripted, Transport]:
        """Return a running server and a transport to it; without a port at one that is free."""
        server = self._servers.enter_context(Scripted(self.address, self._state / "server.pem", list(script), port))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self._servers.callback(thread.join)
        self._servers.callback(server.shutdown)
        return server, self.transport(server.server_address[1])

    def transport(self, port: int) -> Transport:
        """Return a transport to a port of this place."""
        connection = ServiceConnection(self.address, port, f"{self.address}:{port}", "service", "c2VjcmV0")
        transport = Transport(
            SharedAccess(connection),
            ca_file=self.ca_file,
            sleep=self.slept.append,
            on_wait=lambda why, _: self.waits.append(why),
        )
        self._servers.callback(transport.close)
        return transport
