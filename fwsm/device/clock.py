"""The real clock of a Linux machine."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fwsm.core.moment import Moment
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SystemClock"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """Wall time, boot clock and boot id as the kernel gives them.

    Args:
        boot_id: names the present boot; a function is asked at each reading, so that a simulated reboot can have an
            id of its own. None takes the kernel's.

    Raises:
        ConfigError: the kernel does not tell a boot id.
    """

    def __init__(self, boot_id: str | Callable[[], str] | None = None) -> None:
        self._boot_id = _kernel_boot_id() if boot_id is None else boot_id

    def now(self) -> Moment:
        """The present moment."""
        boot_id = self._boot_id if isinstance(self._boot_id, str) else self._boot_id()
        return Moment(datetime.now(UTC), time.clock_gettime(time.CLOCK_BOOTTIME), boot_id)

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Sleep until `event` is set or `timeout_s` seconds have passed; True if it is set.

        Time in suspend does not count towards `timeout_s`, so a caller that has a deadline looks at `now` again.
        """
        return event.wait(None if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX))


def _kernel_boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError as error:
        raise ConfigError(
            "the kernel does not tell a boot id",
            why=f"{_BOOT_ID}: {error.strerror}",
            fix="Mount /proc, or give SystemClock a boot id",
        ) from error
