"""When the agent takes its steps: one after the other, as long as there is something to do; else it sleeps.

A sleep ends when the bell rings or the time has come. None is long: it does not count the time that the machine was
suspended, and deadlines do; and a database tells nobody that it was removed.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from fwsm.errors import StoreError, StoreLockedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.moment import Moment
    from fwsm.device.ports import Clock

__all__ = ["Turns"]

_log = logging.getLogger(__name__)

# A step that could not commit tries again after this long; the disk may be full, or busy with a migration.
_STORE_PAUSE_S: Final = 5.0
_LONGEST_SLEEP_S: Final = 60.0


class Turns:
    """The loop around the steps. All but `run` may be called from any thread.

    Args:
        step: one unit of work; seconds until the next has something to do, None if only the bell can bring that.
        beat: called behind each step; seconds until it wants to be called again, None for no wish.
        clock: sleeps.
    """

    def __init__(
        self, step: Callable[[Moment], float | None], beat: Callable[[Moment], float | None], clock: Clock
    ) -> None:
        self._step = step
        self._beat = beat
        self._clock = clock
        self._bell = threading.Event()
        self._stopping = threading.Event()

    def ring(self) -> None:
        """There is something to do."""
        self._bell.set()

    def stop(self) -> None:
        """Make `run` return soon. Not from a signal handler: it may have interrupted the bell."""
        self._stopping.set()
        self._bell.set()

    def run(self) -> None:
        """Take them until `stop`.

        Raises:
            StoreLockedError: another agent works on the state directory meanwhile.
            Exception: what else a step raises; but other errors of the store may pass, and are only told.
        """
        while True:
            self._bell.clear()
            if self._stopping.is_set():  # looked at behind the clear, which may have taken the bell of `stop`
                return
            wait_s = self._step_or_pause()
            beat_s = self._beat(self._clock.now())
            if wait_s != 0:
                waits = [each for each in (wait_s, beat_s, _LONGEST_SLEEP_S) if each is not None]
                self._clock.wait(self._bell, min(waits))

    def _step_or_pause(self) -> float | None:
        try:
            return self._step(self._clock.now())
        except StoreLockedError:
            raise
        except StoreError as error:
            _log.error("%s", error)
            return _STORE_PAUSE_S
