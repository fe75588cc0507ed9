"""The REST door: uvicorn's HTTP protocol on the hub's own listener, in the hub's own event loop.

uvicorn's `Server` wants to own the sockets, waits in steps of a tenth of a second and leaves idle connections to
their peers when it stops; a hub has to stop at once and to come back on the same port. So only its protocol is used,
fed by `listener`, and the hub decides when a connection ends.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

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


def _is_failure(record: logging.LogRecord) -> bool:
    """Say whether what uvicorn tells has gone wrong; a request that a stopping hub has cut off has not."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


class RestDoor:
    """Makes one protocol for each connection.

    Args:
        app: the application that answers.
        mqtt: makes the MQTT protocol of a connection that becomes a WebSocket.
    """

    def __init__(self, app: Starlette, mqtt: Callable[[], asyncio.Protocol]) -> None:
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
        return H11Protocol(self._config, self._state, self._shared, asyncio.get_running_loop())
