"""The MQTT door: sockets on one side, conversations such as `connection` on the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

from fwsm.hub.shown import NOTHING_SHOWN
from fwsm.hub.tls import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.errors import HubError
    from fwsm.hub.shown import ShownCertificate
    from fwsm.hub.turn import Turn

__all__ = ["Conversation", "MqttDoor", "Wire"]

# A device that does not read what it is sent is cut off when this much waits for it: more than a hundred of the
# largest twins.
_MAX_WAITING_BYTES = 8 * 1024 * 1024


class Wire(Protocol):
    """The socket of a connection."""

    def write(self, data: bytes) -> None:
        """Send bytes, in order, once what was decided before is durable."""
        ...

    def close(self) -> None:
        """Send what was written, then end the connection."""
        ...


class Conversation(Protocol):
    """What a connection is to its socket; see `connection` for the methods."""

    closed: bool

    @property
    def held(self) -> bool: ...  # noqa: D102

    def receive(self, data: bytes) -> None: ...  # noqa: D102

    def lost(self) -> None: ...  # noqa: D102

    def close(self, reason: str) -> None: ...  # noqa: D102

    def due_in_s(self) -> float: ...  # noqa: D102

    def check_time(self) -> None: ...  # noqa: D102


class MqttDoor:
    """Makes one protocol for each connection.

    Args:
        turn: holds answers back until they are durable.
        converse: makes the server's end of one connection, given the way back to the device and what certificate it
            has shown.
    """

    def __init__(self, turn: Turn, converse: Callable[[Wire, ShownCertificate], Conversation]) -> None:
        self.turn = turn
        self.converse = converse

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _MqttProtocol(self)


class _MqttProtocol(asyncio.Protocol):
    """Carries bytes between a transport and a `Connection`, and is its `Wire`."""

    transport: asyncio.Transport
    _timer: asyncio.TimerHandle

    _connection: Conversation

    def __init__(self, door: MqttDoor) -> None:
        self._door = door
        self._outgoing = bytearray()
        self._speaking = False
        self._closing = False
        self._choked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._connection = self._door.converse(self, transport.get_extra_info(CERTIFICATE, NOTHING_SHOWN))
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._connection.receive(data)
        if self._connection.held:
            self.transport.pause_reading()
            self._timer.cancel()
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it was lost makes no difference
        self._timer.cancel()
        self._connection.lost()

    def pause_writing(self) -> None:
        # A device that does not read gets no chance to ask for more.
        self._choked = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self._choked = False
        self._read_on()

    def _read_on(self) -> None:
        if not self._choked and not self._connection.held:
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        self._outgoing += data
        # Unless it is choked, the transport itself holds next to nothing.
        waiting_bytes = self.transport.get_write_buffer_size() if self._choked else 0
        if len(self._outgoing) + waiting_bytes > _MAX_WAITING_BYTES:
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
        was_held = self._connection.held
        self._connection.check_time()
        if was_held:
            self._read_on()
        if not self._connection.closed:
            self._timer = self._door.turn.loop.call_later(self._connection.due_in_s(), self._watch)
