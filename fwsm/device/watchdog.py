"""Lets the supervisor know that the agent gets on; and lets it notice when not.

The agent's own loop calls `Watchdog.beat` in each turn, so an agent that hangs is silent by itself. A job that hangs
beside it would not be noticed that way. So each job shows that it lives by looking at its stop event, as all long work
does between two pieces; one that has not looked for too long is stuck, and from then on the supervisor is told nothing
until it ends the process. What was going on goes on at the next start, and the table counts it as a restart.

A hub or an image server that is away is no reason: waiting for it is work that looks at its stop event.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.moment import Moment
    from fwsm.device.notify import Notifier

__all__ = ["Watchdog"]

_log = logging.getLogger(__name__)

_BEATS: Final = 3  # in the time that the supervisor allows, so that one may come late
_STATUS_EVERY_S: Final = 10.0  # where nobody wants beats


class Watchdog:
    """Tells the supervisor that the program has come up, how it is, and that it gets on.

    Args:
        notifier: the way to the supervisor.
        stuck_after_s: how long a job may go without a sign of life.
        status: what the program is doing, in one line.
    """

    def __init__(self, notifier: Notifier, *, stuck_after_s: float, status: Callable[[], str]) -> None:
        self._notifier = notifier
        self._every_s = _STATUS_EVERY_S if notifier.watchdog_s is None else notifier.watchdog_s / _BEATS
        self._stuck_after_s = stuck_after_s
        self._status = status
        self._told: str | None = None
        self._beaten_at_s: float | None = None
        self._sign: object = None
        self._silent_s = 0.0

    def beat(self, now: Moment, sign: object) -> float:
        """The agent has come round.

        Args:
            now: the moment.
            sign: the sign of life of the job under way, another one each time it shows that it lives; None for no job.

        Returns:
            Seconds until the next beat is due.
        """
        if self._beaten_at_s is None:
            self._notifier.ready()
        else:
            since_s = now.boottime_s - self._beaten_at_s
            if since_s < self._every_s:
                return self._every_s - since_s
            # A machine that was suspended must not count as a job that was silent.
            self._listen(sign, min(since_s, 2 * self._every_s))
        self._beaten_at_s = now.boottime_s
        self._tell()
        return self._every_s

    def _listen(self, sign: object, since_s: float) -> None:
        alive = sign is None or sign != self._sign
        was_stuck = self._stuck
        self._sign = sign
        self._silent_s = 0.0 if alive else self._silent_s + since_s
        if self._stuck and not was_stuck:
            _log.error(
                "the work under way has given no sign of life for %.0f s; the supervisor is to start this program anew",
                self._silent_s,
            )

    @property
    def _stuck(self) -> bool:
        return self._silent_s > self._stuck_after_s

    def _tell(self) -> None:
        status = "stuck: the work under way gives no sign of life" if self._stuck else self._status()
        if status != self._told:
            self._notifier.status(status)
            self._told = status
        if not self._stuck and self._notifier.watchdog_s is not None:
            self._notifier.alive()
