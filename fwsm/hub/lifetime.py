"""How long a connection may go on, and what waits for its time on it.

It ends when its token has expired, or when the device was silent for longer than it promised. A packet may be held,
for a fault or because a throttled hub lets it wait; then the device cannot be heard, and silence does not count.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.packets import Packet

__all__ = ["Lifetime"]

# How long a peer may take to say CONNECT.
_CONNECT_WITHIN_S = 30.0
# The server waits one and a half times the keep-alive (3.1.2.10), IoT Hub at most this long, also when none is asked.
_LONGEST_SILENCE_S = 1767.0


class Lifetime:
    """The time of one connection, from its first moment.

    Args:
        wall: the time in epoch seconds; tokens go by it.
        monotonic: a clock that never jumps, in seconds; silence goes by it.

    Attributes:
        holds: whether a packet waits for its time.
    """

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._silence_s = _CONNECT_WITHIN_S
        self._heard_at = monotonic()
        self._expires_at = math.inf
        self._late: tuple[float, Packet] | None = None
        self.holds = False

    def let_in(self, keep_alive_s: int, expires_at: float) -> None:
        """Go by what CONNECT has promised, from now on."""
        self._expires_at = expires_at
        self._silence_s = min(1.5 * keep_alive_s or _LONGEST_SILENCE_S, _LONGEST_SILENCE_S)

    def heard(self) -> None:
        """Note that bytes have come."""
        self._heard_at = self._monotonic()

    def hold(self, seconds: float, packet: Packet) -> None:
        """Keep a packet for so long."""
        self._late = (self._monotonic() + seconds, packet)
        self.holds = True

    def due_in_s(self) -> float:
        """Say in how many seconds something is to happen: `end` or `release`."""
        due_at = self._heard_at + self._silence_s if self._late is None else self._late[0]
        return max(min(due_at - self._monotonic(), self._expires_at - self._wall()), 0.0)

    def end(self) -> str | None:
        """Return why the connection is over now; None when it may go on."""
        if self._wall() >= self._expires_at:
            return "the token has expired (401003)"
        if self._late is None and self._monotonic() - self._heard_at >= self._silence_s:
            return f"nothing was heard for {self._silence_s:g} s"
        return None

    def release(self) -> Packet | None:
        """Give back the packet that was held, if its time has come."""
        if self._late is None or self._monotonic() < self._late[0]:
            return None
        _, packet = self._late
        self._late, self.holds = None, False
        self.heard()
        return packet
