"""What an IoT Hub of size S1 takes of each kind of work in a second; switched off unless asked for.

Token buckets: after a pause, as much comes through at once as one period allows.
Source: "IoT Hub quotas and throttling".
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from fwsm.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Load", "Throttles"]


class Load(enum.Enum):
    """A kind of work."""

    CONNECT = "connections"
    TELEMETRY = "device-to-cloud messages"
    TWIN_READ = "twin reads"
    TWIN_UPDATE = "twin updates"
    METHOD = "direct methods"
    MESSAGE = "cloud-to-device messages"
    REGISTRY = "registry operations"
    QUERY = "queries"
    JOB = "job operations"
    CONFIGURATION = "configuration operations"


# At least this many, and this many a unit, in a period of so many seconds.
_LIMITS = {
    Load.CONNECT: (100, 12, 1),
    Load.TELEMETRY: (100, 12, 1),
    Load.TWIN_READ: (100, 0, 1),
    Load.TWIN_UPDATE: (50, 0, 1),
    Load.METHOD: (0, 40, 1),  # 160 KB/s in steps of 4 KB a call
    Load.MESSAGE: (0, 100, 60),
    Load.REGISTRY: (0, 100, 60),
    Load.QUERY: (0, 20, 60),
    Load.JOB: (0, 100, 60),
    Load.CONFIGURATION: (20, 0, 60),
}


class Throttles:
    """The limits of one hub.

    Args:
        monotonic: a clock that never jumps, in seconds.

    Attributes:
        units: how many S1 units the hub has; 0 for no limits.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.units = 0
        self._monotonic = monotonic
        self._buckets: dict[Load, tuple[float, float]] = {}

    def set(self, units: int) -> None:
        """Be a hub of so many S1 units from now on, 1 to 200; 0 for no limits.

        Raises:
            HubError: there is no such hub.
        """
        if not 0 <= units <= 200:  # noqa: PLR2004 - the most that the service sells
            raise HubError(f"an IoT Hub does not have {units} S1 units", fix="Use 1 to 200, or 0 for no limits.")
        self.units = units
        self._buckets.clear()

    def admits(self, load: Load) -> bool:
        """Say whether the hub takes one more of this kind now, and count it if so."""
        if not self.units:
            return True
        left, _ = self._filled(load)
        if left < 1:
            return False
        self._buckets[load] = (left - 1, self._monotonic())
        return True

    def wait_s(self, load: Load) -> float:
        """Count one more of this kind, and say how long it has to wait for its turn, in seconds."""
        if not self.units:
            return 0.0
        left, rate = self._filled(load)
        self._buckets[load] = (left - 1, self._monotonic())
        return max(1 - left, 0.0) / rate

    def _filled(self, load: Load) -> tuple[float, float]:
        """Return what is left in the bucket now, and what flows in a second."""
        least, a_unit, period_s = _LIMITS[load]
        most = float(max(least, a_unit * self.units))
        rate = most / period_s
        now = self._monotonic()
        left, at = self._buckets.get(load, (most, now))
        return min(most, left + (now - at) * rate), rate
