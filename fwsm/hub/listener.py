"""A listening socket that can be closed for good, with everything that came in through it.

asyncio's own server forgets the connections that it accepts; to simulate an outage, and to stop without a leak, the
hub has to own each of them from the first moment. So it accepts by itself.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
from typing import TYPE_CHECKING

from fwsm.errors import HubAddressError, PortInUseError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["Listener", "bind"]

_BACKLOG = 1024
# How long cut connections may take to go; a few rounds of the loop.
_GONE_WITHIN_S = 2.0
# When the process has no file descriptor left, accepting again at once would only spin.
_BREATHER_S = 0.2

_log = logging.getLogger(__name__)


def bind(address: str, port: int) -> socket.socket:
    """Return a socket that listens on `address`, an IP address.

    Raises:
        PortInUseError: another process listens there.
        HubAddressError: the address cannot be used.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET  # noqa: PLR2004
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit this. Without it the second of two small writes waits 40 ms for the peer's receipt.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"the hub cannot listen on {address} port {port}",
                why="another process listens there",
                fix="Stop it, or give this hub another address of 127.0.0.0/8 or other ports.",
            ) from error
        raise HubAddressError(
            f"the hub cannot listen on {address} port {port}",
            why=error.strerror or str(error),
            fix="Give it an address of this machine and a port that you may use.",
        ) from error
    return listening


class Listener:
    """Accepts connections. Lives in the thread of its event loop.

    Args:
        name: what the log calls it.
        protocol: makes the protocol of one connection.
        transports: returns the transports of all live connections that `protocol` made.
    """

    def __init__(
        self,
        name: str,
        protocol: Callable[[], asyncio.Protocol],
        transports: Callable[[], Collection[asyncio.Transport]],
    ) -> None:
        self._name = name
        self._protocol = protocol
        self._transports = transports
        self._listening: socket.socket | None = None
        self._arrivals: set[asyncio.Task[object]] = set()

    def open(self, listening: socket.socket) -> None:
        """Accept connections from now on; the socket (see `bind`) belongs to the listener."""
        self._listening = listening
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    async def close(self) -> None:
        """Stop listening and cut off every connection, without a goodbye."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        await asyncio.gather(*self._arrivals)
        for transport in self._transports():
            transport.abort()
        async with asyncio.timeout(_GONE_WITHIN_S):
            while self._transports():  # noqa: ASYNC110 - they go within a few rounds of the loop
                await asyncio.sleep(0)

    def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_BACKLOG):
            try:
                accepted, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                _log.warning("%s: a connection could not be accepted: %s", self._name, error)
                loop.remove_reader(listening)
                loop.call_later(_BREATHER_S, self._breathe, listening)
                return
            accepted.setblocking(False)
            # Waits for nothing but the next round of the loop; then the transport owns the socket.
            arrival = loop.create_task(loop.connect_accepted_socket(self._protocol, accepted))
            self._arrivals.add(arrival)
            arrival.add_done_callback(self._arrivals.discard)

    def _breathe(self, listening: socket.socket) -> None:
        if listening is self._listening:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)
