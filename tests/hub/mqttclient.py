"""A bare MQTT client on asyncio, for many connections in one process. What it sends is for its user to encode."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self, cast

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = ["CONNACK", "PUBACK", "PUBLISH", "MqttClient"]

# Packet types, in the upper half of a packet's first byte.
CONNACK, PUBLISH, PUBACK = 2, 3, 4


class MqttClient(asyncio.Protocol):
    """One connection.

    Attributes:
        on_packet: called with the type and the body of each packet behind CONNACK.
        transport: to write to.
        gone: done once the connection has ended.
    """

    transport: asyncio.Transport

    def __init__(self, connect: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.on_packet: Callable[[int, memoryview], None] = lambda kind, body: None  # noqa: ARG005
        self.gone: asyncio.Future[None] = loop.create_future()
        self._connect = connect
        self._let_in: asyncio.Future[int] = loop.create_future()
        self._rest = b""

    @classmethod
    async def open(cls, address: str, port: int, context: ssl.SSLContext, connect: bytes) -> Self:
        """Connect, and return the client once CONNACK has let it in; raises ConnectionError when it is not let in."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(
            lambda: cls(connect), address, port, ssl=context, server_hostname=address
        )
        code = await client._let_in
        if code:
            raise ConnectionRefusedError(f"CONNACK {code}")
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say CONNECT."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._connect)

    def data_received(self, data: bytes) -> None:
        """Take what has come whole, and keep the rest."""
        buffer = memoryview(self._rest + data)
        while (found := _body(buffer)) is not None:
            begin, end = found
            self._take(buffer[0] >> 4, buffer[begin:end])
            buffer = buffer[end:]
        self._rest = bytes(buffer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if not self._let_in.done():
            self._let_in.set_exception(exc or ConnectionResetError("the server has hung up before CONNACK"))
        self.gone.set_result(None)

    def _take(self, kind: int, body: memoryview) -> None:
        if kind == CONNACK:
            self._let_in.set_result(body[1])
        else:
            self.on_packet(kind, body)


def _body(buffer: memoryview) -> tuple[int, int] | None:
    """Return where the body of the first packet begins and ends; None when it has not come whole."""
    length = 0
    for place, byte in enumerate(buffer[1:5]):
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            end = place + 2 + length
            return (place + 2, end) if len(buffer) >= end else None
    return None
