"""A SOCKS5 door, for hubs on other ports than those that the SDKs dial.

The Azure SDKs cannot be told a port: they dial 8883, or 443 for WebSocket. But they can be told of a proxy, by an
option or by the variable `mqtt_proxy`, and a proxy resolves names by itself. So whatever host a device asks for at port
8883 or 443, it gets this hub; other ports are refused. Nothing is copied: the socket goes to the door that was wanted.
Source: RFC 1928 and 1929.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SocksDoor"]

_WITHIN_S = 20.0

_VERSION, _PASSWORD_VERSION = 5, 1
_NO_PROOF, _PASSWORD, _NO_METHOD = 0, 2, 0xFF
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_GRANTED, _FAILURE, _FORBIDDEN, _NO_COMMAND, _NO_ADDRESS = 0, 1, 2, 7, 8

_log = logging.getLogger(__name__)


class SocksDoor:
    """Leads to other doors.

    Args:
        doors: makes the protocol of a new socket, by the port that is asked for.
    """

    def __init__(self, doors: Mapping[int, Callable[[], asyncio.Protocol]]) -> None:
        self.doors = doors
        self.live: set[asyncio.Transport] = set()

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new socket."""
        return _Socks(self)

    def transports(self) -> list[asyncio.Transport]:
        """Return the transports of those that have yet to say where they want to go."""
        return list(self.live)


class _BrokenError(Exception):
    """The peer cannot be helped; `answer` is what it is told."""

    def __init__(self, why: str, answer: bytes = b"") -> None:
        super().__init__(why)
        self.answer = answer


class _Socks(asyncio.Protocol):
    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle

    def __init__(self, door: SocksDoor) -> None:
        self._door = door
        self._data = b""
        self._step = self._greeting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._door.live.add(self._transport)
        self._timer = asyncio.get_running_loop().call_later(_WITHIN_S, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._data += data
        try:
            while not self._transport.is_closing() and self._step():
                pass
        except _BrokenError as broken:
            _log.info("SOCKS: %s", broken)
            self._transport.write(broken.answer)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it was lost makes no difference
        self._leave()

    def _leave(self) -> None:
        self._timer.cancel()
        self._door.live.discard(self._transport)

    def _take(self, count: int) -> bytes:
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    # Each step returns whether there was enough for it, and names the next one.

    def _greeting(self) -> bool:
        if len(self._data) < 2 or len(self._data) < 2 + self._data[1]:  # noqa: PLR2004 - version, number of methods
            return self._more(_VERSION)
        version, _, *methods = self._take(2 + self._data[1])
        self._expect(version, _VERSION)
        if _NO_PROOF in methods:
            self._answer(_NO_PROOF, self._request)
        elif _PASSWORD in methods:
            self._answer(_PASSWORD, self._proof)
        else:
            raise _BrokenError("no method that this proxy knows", bytes((_VERSION, _NO_METHOD)))
        return True

    def _proof(self) -> bool:
        """Take any name and password: some SDKs cannot go without."""
        data = self._data
        if len(data) < 2 or len(data) < (at := 2 + data[1]) + 1 or len(data) < at + 1 + data[at]:  # noqa: PLR2004
            return self._more(_PASSWORD_VERSION)
        self._expect(self._take(at + 1 + data[at])[0], _PASSWORD_VERSION)
        self._transport.write(bytes((_PASSWORD_VERSION, 0)))
        self._step = self._request
        return True

    def _request(self) -> bool:
        data = self._data
        if len(data) < 5:  # noqa: PLR2004 - version, command, a zero, the kind of address, its first byte
            return self._more(_VERSION)
        version, command, _, kind, first = data[:5]
        self._expect(version, _VERSION)
        sizes = {_IPV4: 4, _NAME: 1 + first, _IPV6: 16}
        if command != _CONNECT:
            raise _BrokenError(f"command {command}", _reply(_NO_COMMAND))
        if kind not in sizes:
            raise _BrokenError(f"address of kind {kind}", _reply(_NO_ADDRESS))
        end = 4 + sizes[kind] + 2
        if len(data) < end:
            return False
        port = int.from_bytes(self._take(end)[-2:], "big")
        if port not in self._door.doors:
            raise _BrokenError(f"nothing of this hub is on port {port}", _reply(_FORBIDDEN))
        self._hand_over(self._door.doors[port]())
        return False

    def _hand_over(self, protocol: asyncio.Protocol) -> None:
        self._leave()
        self._transport.write(_reply(_GRANTED))
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if self._data:
            protocol.data_received(self._data)

    def _more(self, version: int) -> bool:
        """Wait for more, unless what is there is wrong already."""
        if self._data:
            self._expect(self._data[0], version)
        return False

    def _expect(self, version: int, wanted: int) -> None:
        if version != wanted:
            raise _BrokenError(f"version {version}, not {wanted}")

    def _answer(self, method: int, step: Callable[[], bool]) -> None:
        self._transport.write(bytes((_VERSION, method)))
        self._step = step


def _reply(code: int) -> bytes:
    """Return the answer to a request; the address in it means nothing for a connection of this kind."""
    return bytes((_VERSION, code, 0, _IPV4, 0, 0, 0, 0, 0, 0))
