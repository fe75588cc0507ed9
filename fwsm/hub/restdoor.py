"""The REST door: uvicorn's HTTP protocol on the hub's own listener, in the hub's own event loop.

uvicorn's `Server` wants to own the sockets, waits in steps of a tenth of a second and leaves idle connections to
their peers when it stops; a hub has to stop at once and to come back on the same port. So only its protocol is used,
fed by `listener`, and the hub decides when a connection ends. It also ends those of peers that begin a request and do
not come to its end, which uvicorn would wait for for ever.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from fwsm.hub.websocket import MQTT, WEBSOCKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

__all__ = ["RestDoor"]

# Longer than the pools of HTTP clients keep a connection, so that the client is the one who closes.
_KEEP_ALIVE_S = 75
# How long a request may take to come, from its first byte, or from the connection when it is the first one.
_WHOLE_WITHIN_S = 60.0
# Of the door, while it can still say that what has come is no HTTP.
_UNANSWERED = (h11.IDLE, h11.SEND_RESPONSE)
# Of the peer, while it owes a part of a request.
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


def _is_failure(record: logging.LogRecord) -> bool:
    """Say whether what uvicorn tells has gone wrong; a request that a stopping hub has cut off has not."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


class RestDoor:
    """Makes one protocol for each connection.

    Args:
        app: the application that answers.
        mqtt: makes the MQTT protocol of a connection that becomes a WebSocket.
        whole_within_s: how long a request may take to come.
    """

    def __init__(
        self, app: Starlette, mqtt: Callable[[], asyncio.Protocol], *, whole_within_s: float = _WHOLE_WITHIN_S
    ) -> None:
        self._whole_within_s = whole_within_s
        self._shared = {MQTT: mqtt}
        self._config = Config(
            app,
            http=H11Protocol,
            ws=WEBSOCKET,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
        self._config.load()
        logging.getLogger("uvicorn.error").addFilter(_is_failure)
        self._state = ServerState()

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _HttpProtocol(self._config, self._state, self._shared, self._whole_within_s)


class _HttpProtocol(H11Protocol):
    """One connection."""

    def __init__(self, config: Config, state: ServerState, shared: dict[str, Any], whole_within_s: float) -> None:
        super().__init__(config, state, shared, asyncio.get_running_loop())
        self._whole_within_s = whole_within_s
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_watching()

    def send_400_response(self, msg: str) -> None:
        """End a connection on which no HTTP comes, and the request that it has come in; say why if that is possible."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in _UNANSWERED:
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _watch(self) -> None:
        if self.conn.their_state not in _UNFINISHED:
            self._stop_watching()
        elif self._patience is None:
            self._patience = self.loop.call_later(self._whole_within_s, self.transport.close)

    def _stop_watching(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
