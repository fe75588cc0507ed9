"""A clock of the program's own that goes on when it fails.

Everything in the device reads the clock, in every thread, so there is nobody whom a failure of it could be raised to. A
reading that is none, or runs backwards within a boot, is replaced by the last good one, as much later as the machine's
own boot clock says; so it stays in the same boot, and no wait becomes endless or is over too soon.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from fwsm.core.text import said_by
from fwsm.device.answers import Asked, unusable
from fwsm.errors import PartError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.moment import Moment
    from fwsm.device.ports import Clock

__all__ = ["SteadyClock"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A good reading, and the machine's boot clock when it was made."""

    moment: Moment
    made_s: float

    def gone_on(self) -> _Reading:
        """What the clock would say now, had it gone on."""
        now_s = _boottime_s()
        since_s = now_s - self.made_s
        moment = self.moment
        return _Reading(
            replace(moment, wall=moment.wall + timedelta(seconds=since_s), boottime_s=moment.boottime_s + since_s),
            now_s,
        )


class SteadyClock:
    """A clock that can be relied on, made of one that may fail; `fwsm.device.ports.Clock`.

    Args:
        clock: which may fail.
        failed: told which method has failed and how; returns whether that is new.

    Raises:
        ConfigError: it cannot be read now; there is nothing to go on from.
    """

    def __init__(self, clock: Clock, failed: Callable[[str, Exception], bool]) -> None:
        self._clock = clock
        self._failed = failed
        try:
            self._last = _Reading(Asked("clock", "now").moment(clock.now()), _boottime_s())
        except Exception as error:
            raise unusable("clock", error) from error

    def now(self) -> Moment:
        """The present moment, or what it would be had the last good reading gone on."""
        last = self._last  # read first: another thread may meanwhile have made a later reading
        try:
            reading = _Reading(Asked("clock", "now").moment(self._clock.now(), since=last.moment), _boottime_s())
        except Exception as error:  # noqa: BLE001  # it may be the embedder's code
            self._told("now", error)
            reading = last.gone_on()
        self._last = reading
        return reading.moment

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Sleep until `event` is set or `timeout_s` seconds have passed; True if it is set.

        Raises:
            Exception: what the clock, or a signal handler, has raised in the main thread.
        """
        began_s = _boottime_s()
        try:
            return Asked("clock", "wait").yes_or_no(self._clock.wait(event, timeout_s))
        except Exception as error:
            if not isinstance(error, PartError) and threading.current_thread() is threading.main_thread():
                raise  # most likely what a signal handler has raised, which finds the main thread here
            self._told("wait", error)
        # It may have waited before it failed.
        left_s = None if timeout_s is None else max(0.0, timeout_s - (_boottime_s() - began_s))
        return event.wait(None if left_s is None else min(left_s, threading.TIMEOUT_MAX))

    def _told(self, method: str, error: Exception) -> None:
        if self._failed(method, error):
            _log.error("%s. The machine's own clock goes on from its last good reading", said_by(error))


def _boottime_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
