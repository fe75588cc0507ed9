"""One program at a time as one device of one hub.

Two that connect as the same device throw each other off some fifty times a second. The database's lock keeps a second
agent from the same state directory; this keeps one with another state directory from the same identity. It is a name in
the kernel (an abstract socket, see unix(7)): there is no file to be writable or stale, and it ends with the process,
however that dies. It reaches as far as the network namespace; a program in another container, or on another machine,
is only noticed by its doings.
"""

from __future__ import annotations

import errno
import hashlib
import socket
from typing import TYPE_CHECKING

from fwsm.core.credentials import dialled
from fwsm.errors import LinkTakenError

if TYPE_CHECKING:
    from fwsm.core.connection_string import DeviceConnection

__all__ = ["Exclusive"]


class Exclusive:
    """Holds at most one identity for this program."""

    def __init__(self) -> None:
        self._held: tuple[bytes, socket.socket] | None = None

    def take(self, connection: DeviceConnection) -> None:
        """Hold the identity of `connection` and no other; does nothing if it is held already.

        Raises:
            LinkTakenError: another program, or another link of this one, holds it.
        """
        name = _name(connection)
        if self._held is not None and self._held[0] == name:
            return
        self.release()
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.bind(name)
        except OSError as error:
            door.close()
            if error.errno != errno.EADDRINUSE:
                raise
            raise LinkTakenError(
                f"another program on this machine is the device '{connection.device_id}' of {connection.host}",
                why="two that connect as one device throw each other off the hub",
                fix="End that one, or give this one an identity of its own; it connects once the other has ended",
            ) from error
        self._held = (name, door)

    def release(self) -> None:
        """Let go; harmless the second time."""
        held, self._held = self._held, None
        if held is not None:
            held[1].close()


def _name(connection: DeviceConnection) -> bytes:
    # A hash, because names are short and everybody on the machine can see them.
    identity = f"{dialled(connection.host).lower()}/{connection.device_id}"
    return b"\0fwsm-device-" + hashlib.sha256(identity.encode()).hexdigest().encode()
