"""MQTT over WebSocket: `GET /$iothub/websocket` with the subprotocol `mqtt`.

Between a transport of the REST door, whose port IoT Hub shares with it, and the protocol of the MQTT door: what comes
in binary frames goes to the one as bytes, what that says goes out in binary frames. Frames and packets need not
coincide (MQTT 3.1.1, 6.0).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.config import Config
    from uvicorn.server import ServerState

__all__ = ["MQTT", "WEBSOCKET"]

# The name under which the REST door's state has the function that makes an MQTT protocol.
MQTT = "mqtt"

_PATH = "/$iothub/websocket"
_SUBPROTOCOL = "mqtt"


class _WebSocket(asyncio.Transport, asyncio.Protocol):
    """One connection: to the socket a protocol, to the MQTT protocol behind it a transport.

    uvicorn makes it with these arguments when a request asks for the upgrade, and hands over the request's bytes.
    """

    _outer: asyncio.Transport
    _inner: asyncio.Protocol | None = None

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:  # noqa: ARG002
        super().__init__()
        self._make_inner: Callable[[], asyncio.Protocol] = app_state[MQTT]
        self._frames = WSConnection(ConnectionType.SERVER)

    # What the socket calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._outer = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._outer.is_closing():
            return
        try:
            self._frames.receive_data(data)
            for event in self._frames.events():
                if self._outer.is_closing():
                    return  # what comes behind the end means nothing
                self._take(event)
        except RemoteProtocolError as error:
            self._end(error.event_hint or CloseConnection(CloseReason.PROTOCOL_ERROR))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    # What the MQTT protocol calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._frames.state is ConnectionState.OPEN:
            self._outer.write(self._frames.send(BytesMessage(bytes(data))))

    def close(self) -> None:
        self._end(CloseConnection(CloseReason.NORMAL_CLOSURE))

    def abort(self) -> None:
        self._outer.abort()

    def is_closing(self) -> bool:
        return self._outer.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._outer.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._outer.pause_reading()

    def resume_reading(self) -> None:
        self._outer.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._outer.get_write_buffer_size()

    def _take(self, event: Event) -> None:
        match event:
            case Request():
                self._open(event)
            case BytesMessage() if self._inner is not None:
                self._inner.data_received(bytes(event.data))
            case TextMessage():
                self._end(CloseConnection(CloseReason.UNSUPPORTED_DATA, "MQTT comes in binary frames"))
            case Ping():
                self._outer.write(self._frames.send(event.response()))
            case CloseConnection():
                self._end(event.response())

    def _open(self, request: Request) -> None:
        if request.target.partition("?")[0] != _PATH:
            self._end(RejectConnection(status_code=404))
        elif _SUBPROTOCOL not in request.subprotocols:
            self._end(RejectConnection(status_code=400))
        else:
            self._outer.write(self._frames.send(AcceptConnection(subprotocol=_SUBPROTOCOL)))
            self._inner = self._make_inner()
            self._inner.connection_made(self)

    def _end(self, farewell: Event) -> None:
        with contextlib.suppress(LocalProtocolError):  # it has been said
            self._outer.write(self._frames.send(farewell))
        self._outer.close()


# What uvicorn is told to make of a request for an upgrade.
WEBSOCKET: type[asyncio.Protocol] = _WebSocket
