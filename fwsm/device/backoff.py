"""Trying again after seconds: tenacity with full jitter, a sleep that is passed in, and a way out.

Full jitter: the pause before try n+1 is drawn evenly from 0 to `base_s * 2**(n-1)`, and never more than `cap_s`. So
devices that lost a hub at the same moment do not come back at the same moment, which plain doubling does not prevent.

Only what time heals is tried again (`Kind.TRANSIENT`), unless the caller says otherwise. If the caller lets other
errors through, such as a refused identity, the pause after them is drawn from the upper half of the cap from the first
try on: a person has to act first, and a device that asks every second only loads the hub.

A pause limits how often something is tried. So where a try itself takes its time before it fails, as a connection does
that lasts for a while, that may count as a part of the pause.

Waits of minutes, and all that must outlast the process, are not made here but by rows of the lifecycle.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_never, wait_random_exponential

from fwsm.errors import FwsmError, Kind

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tenacity import RetryCallState

    from fwsm.device.ports import Clock

__all__ = ["is_transient", "retrying"]


def is_transient(error: BaseException) -> bool:
    """Whether time alone helps against `error`."""
    return isinstance(error, FwsmError) and error.kind is Kind.TRANSIENT


def retrying(
    clock: Clock,
    stop: threading.Event,
    *,
    base_s: float,
    cap_s: float,
    attempts: int | None = None,
    within_s: float | None = None,
    when: Callable[[BaseException], bool] = is_transient,
    before_sleep: Callable[[BaseException, float], None] | None = None,
    spent_s: Callable[[], float] = lambda: 0.0,
) -> Retrying:
    """The tries of one call; make a new one for each call, as it remembers the last error.

    Use it as `retrying(...)(function, argument)` or as `for attempt in retrying(...): with attempt: ...`. In the end
    the error of the last try is raised, never one of tenacity's own.

    Args:
        clock: makes the pauses.
        stop: once it is set, there is no further pause and no further try.
        base_s: the longest first pause.
        cap_s: the longest pause of all, also where the other side asks for more (`FwsmError.retry_after_s`).
        attempts: how many tries there are at most; None for no limit.
        within_s: no further try once so many seconds have passed since the first began; None for no limit.
        when: whether an error is worth another try.
        before_sleep: told the error and the length of the pause that follows.
        spent_s: how much of the pause after the last try is over already, as that try took so long. A moment is waited
            all the same.
    """
    latest: BaseException | None = None
    limit = stop_never if attempts is None else stop_after_attempt(attempts)
    began_s = clock.now().boottime_s

    def is_over(state: RetryCallState) -> bool:
        too_late = within_s is not None and clock.now().boottime_s - began_s >= within_s
        return stop.is_set() or too_late or limit(state)

    def remember(state: RetryCallState) -> None:
        nonlocal latest
        latest = _error(state)
        if before_sleep is not None:
            before_sleep(latest, state.upcoming_sleep)

    def pause(seconds: float) -> None:
        if clock.wait(stop, seconds):
            assert latest is not None  # noqa: S101 - tenacity calls `remember` before each pause
            raise latest

    return Retrying(
        sleep=pause,
        stop=is_over,
        wait=_Wait(base_s, cap_s, spent_s),
        retry=retry_if_exception(when),
        before_sleep=remember,
        reraise=True,
    )


class _Wait:
    """How long the pause after a failed try is."""

    def __init__(self, base_s: float, cap_s: float, spent_s: Callable[[], float]) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._spent_s = spent_s
        self._full_jitter = wait_random_exponential(multiplier=base_s, max=cap_s)

    def __call__(self, state: RetryCallState) -> float:
        pause_s = self._drawn(state)
        least_s = random.uniform(0, min(self._base_s, pause_s))  # noqa: S311 - spreads load, hides nothing
        return max(least_s, pause_s - self._spent_s())

    def _drawn(self, state: RetryCallState) -> float:
        error = _error(state)
        if not is_transient(error):
            return random.uniform(self._cap_s / 2, self._cap_s)  # noqa: S311 - spreads load, hides nothing
        asked_s = error.retry_after_s if isinstance(error, FwsmError) else None
        if asked_s is not None:
            # Everyone is asked for the same pause, so it needs a jitter of its own.
            return min(asked_s + random.uniform(0, self._base_s), self._cap_s)  # noqa: S311 - as above
        return self._full_jitter(state)


def _error(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome is not None else None
    assert error is not None  # noqa: S101 - only a failed try is waited after
    return error
