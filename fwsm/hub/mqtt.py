"""The MQTT door: sockets on one side, `connection` on the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from fwsm.hub.connection import Connection

if TYPE_CHECKING:
    from fwsm.errors import HubError
    from fwsm.hub.engine import Engine
    from fwsm.hub.turn import Turn

__all__ = ["MqttDoor"]

# A device that does not read what it is sent is cut off when this much waits for it: more than a hundred of the
# largest twins.
_MAX_WAITING_BYTES = 8 * 1024 * 1024


class MqttDoor:
    """Makes one protocol for each connection and knows those that live.

    Args:
        engine: the hub.
        turn: holds answers back until they are durable.
    """

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self.engine = engine
        self.turn = turn
        self.live: set[_MqttProtocol] = set()

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _MqttProtocol(self)

    def transports(self) -> list[asyncio.Transport]:
        """Return the transports of all live connections."""
        return [protocol.transport for protocol in self.live]


class _MqttProtocol(asyncio.Protocol):
    """Carries bytes between a transport and a `Connection`, and is its `Wire`."""

    transport: asyncio.Transport
    _timer: asyncio.TimerHandle

    def __init__(self, door: MqttDoor) -> None:
        self._door = door
        self._connection = Connection(door.engine, self)
        self._outgoing = bytearray()
        self._speaking = False
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._door.live.add(self)
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._connection.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it was lost makes no difference
        self._door.live.discard(self)
        self._timer.cancel()
        self._connection.lost()

    def pause_writing(self) -> None:
        # A device that does not read gets no chance to ask for more.
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        self._outgoing += data
        if len(self._outgoing) + self.transport.get_write_buffer_size() > _MAX_WAITING_BYTES:
            self.transport.abort()
            self._connection.close("the device does not read what it is sent")
        self._speak_later()

    def close(self) -> None:
        self._closing = True
        self._speak_later()

    def _speak_later(self) -> None:
        if not self._speaking:
            self._speaking = True
            self._door.turn.then(self._speak)

    def _speak(self, error: HubError | None) -> None:
        self._speaking = False
        data, self._outgoing = bytes(self._outgoing), bytearray()
        if error is not None:
            # What cannot be kept must not be acknowledged: the device asks again.
            self.transport.abort()
            return
        if data and not self.transport.is_closing():
            self.transport.write(data)
        if self._closing:
            self.transport.close()

    def _watch(self) -> None:
        self._connection.check_time()
        if not self._connection.closed:
            self._timer = self._door.turn.loop.call_later(self._connection.due_in_s(), self._watch)
