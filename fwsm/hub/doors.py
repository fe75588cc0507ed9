"""The doors of a hub on one address: MQTT, REST with WebSocket, SOCKS5. They open and close together."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
from typing import TYPE_CHECKING

from fwsm.errors import HubAddressError
from fwsm.hub.connection import Connection
from fwsm.hub.listener import Listener, bind
from fwsm.hub.mqtt import MqttDoor
from fwsm.hub.rest import rest_app
from fwsm.hub.restdoor import RestDoor
from fwsm.hub.socks import SocksDoor
from fwsm.hub.tls import TlsDoor

if TYPE_CHECKING:
    import socket

    from OpenSSL import SSL

    from fwsm.hub.engine import Engine
    from fwsm.hub.reach import Ports
    from fwsm.hub.turn import Turn

__all__ = ["Doors", "bind_all", "check_address"]


def check_address(address: str, *, allow_remote: bool) -> None:
    """Check that the hub may listen on `address`.

    Raises:
        HubAddressError: it is not an IP address, or other machines could reach it though `allow_remote` is off.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError as error:
        raise HubAddressError(
            f"{address!r} is not an IP address",
            why="the hub's certificate is made for an IP address",
            fix="Use one such as 127.0.0.1.",
        ) from error
    if not ip.is_loopback and not allow_remote:
        raise HubAddressError(
            f"the hub does not listen on {address}",
            why="other machines could reach it there, and its keys are in the open on this one",
            fix="Use an address of 127.0.0.0/8, or allow others with --allow-remote (in Python: allow_remote=True).",
        )


def bind_all(address: str, ports: tuple[int, ...]) -> list[socket.socket]:
    """Return sockets that listen on all `ports` of `address`, or none; raises PortInUseError or HubError."""
    with contextlib.ExitStack() as undo:
        sockets = [undo.enter_context(contextlib.closing(bind(address, port))) for port in ports]
        undo.pop_all()
    return sockets


class Doors:
    """The ways into one hub. Lives in the thread of its event loop.

    Args:
        engine: the hub.
        turn: holds answers back until they are durable.
        context: the server's side of TLS.
        ports: where they are.
    """

    def __init__(self, engine: Engine, turn: Turn, context: SSL.Context, ports: Ports) -> None:
        devices = MqttDoor(turn, functools.partial(Connection, engine))
        mqtt = TlsDoor("MQTT", context, devices.protocol)
        rest = TlsDoor("REST", context, RestDoor(rest_app(engine, turn), devices.protocol).protocol)
        self._listeners = [Listener(door.name, door.protocol, door.transports) for door in (mqtt, rest)]
        if ports.socks is not None:
            ways = dict.fromkeys(ports.mqtt_names(), mqtt.protocol) | dict.fromkeys(ports.rest_names(), rest.protocol)
            socks = SocksDoor(ways)
            self._listeners.append(Listener("SOCKS", socks.protocol, socks.transports))

    async def open(self, sockets: list[socket.socket]) -> None:
        """Let clients in; the sockets are those of `Ports.listening`, in this order."""
        for listener, listening in zip(self._listeners, sockets, strict=True):
            listener.open(listening)

    async def close(self) -> None:
        """Stop listening and cut off everyone, first at the door that leads to the others."""
        for listener in reversed(self._listeners):
            await listener.close()
