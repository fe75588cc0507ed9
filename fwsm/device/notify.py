"""Tells systemd how the program is: one datagram a message, as sd_notify(3) describes it.

The variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say whether anybody listens. Where nobody does, nothing is
sent; and a listener that is gone or busy never holds anything up.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Notifier"]

_log = logging.getLogger(__name__)

_PATIENCE_S: Final = 1.0


class Notifier:
    """The way to whoever supervises this process; usable from any thread and from signal handlers.

    Args:
        environ: the environment.
        pid: of this process.

    Attributes:
        watchdog_s: how often the supervisor wants to hear that all is well, at the least; None if it does not.
    """

    def __init__(self, environ: Mapping[str, str], pid: int | None = None) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        own = environ.get("WATCHDOG_PID", "") in {"", str(os.getpid() if pid is None else pid)}
        text = environ.get("WATCHDOG_USEC", "")
        usec = int(text) if text.isascii() and text.isdigit() else 0
        self.watchdog_s = usec / 1e6 if own and usec and self._address else None

    @property
    def heard(self) -> bool:
        """Whether there is a supervisor."""
        return self._address is not None

    def ready(self) -> None:
        """The program has come up."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """One line for people, which `systemctl status` shows."""
        self._send(f"STATUS={' '.join(text.split())}")

    def alive(self) -> None:
        """All is well; without this for `watchdog_s`, the program is ended and started anew."""
        self._send("WATCHDOG=1")

    def stopping(self, within_s: float) -> None:
        """The program ends by itself, within so many seconds."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={_usec(within_s)}")

    def starting(self, within_s: float) -> None:
        """The program is still coming up, and needs so many seconds more."""
        self._send(f"EXTEND_TIMEOUT_USEC={_usec(within_s)}")

    def _send(self, text: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                door.settimeout(_PATIENCE_S)
                door.sendto(text.encode(errors="replace"), self._address)
        except OSError as error:
            _log.debug("the supervisor was not told %s: %s", text.partition("=")[0], error)


def _address(text: str) -> str | None:
    """A path, or with an at sign a name that is in no directory; the kernel wants a zero byte for that."""
    if text.startswith("/"):
        return text
    if text.startswith("@"):
        return f"\0{text[1:]}"
    if text:
        _log.warning("NOTIFY_SOCKET is %r, which is no path: nobody is told how this program is", text)
    return None


def _usec(seconds: float) -> int:
    return int(seconds * 1_000_000)
