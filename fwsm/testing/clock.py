"""A clock that jumps: time passes when somebody waits, and never by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fwsm.core.moment import Moment

if TYPE_CHECKING:
    import threading

__all__ = ["FakeClock"]


class FakeClock:
    """A clock in the hands of a test; `fwsm.device.ports.Clock`.

    Args:
        wall: the first wall time.
        boot_id: the first boot.
    """

    def __init__(self, wall: datetime = datetime(2026, 1, 1, tzinfo=UTC), boot_id: str = "boot-1") -> None:
        self.wall = wall
        self.boottime_s = 100.0
        self.boot_id = boot_id

    def now(self) -> Moment:
        """The present moment."""
        return Moment(self.wall, self.boottime_s, self.boot_id)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += timedelta(seconds=seconds)
        self.boottime_s += seconds

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Let `timeout_s` seconds pass at once, unless the event is set already."""
        if not event.is_set():
            self.advance(timeout_s or 0.0)
        return event.is_set()

    def reboot(self, boot_id: str) -> None:
        """A new boot: the boot clock starts again, wall time goes on."""
        self.boot_id = boot_id
        self.boottime_s = 1.0
