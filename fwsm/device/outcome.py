"""What work comes to: a fact, a wait, or more work to be done beside the agent's thread."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fwsm.core.moment import Deadline
from fwsm.errors import FwsmError, Kind

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from fwsm.core.lifecycle import Trigger
    from fwsm.core.update import Failure, Limits, Update
    from fwsm.device.ports import Clock

__all__ = ["Fact", "Pauses", "Task", "Wait", "log_failure"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something is known now: a trigger, and what to tell the table beside it."""

    trigger: Trigger
    known: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do for so many seconds; None until something happens."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Work for a job. It ends in a fact or in a wait."""

    run: Callable[[threading.Event], Fact | Wait]


class Pauses:
    """How long to wait between two tries in the same state.

    Args:
        clock: from when it counts.
        limits: how long.
        chance: random numbers in [0, 1) for the jitter.
    """

    def __init__(self, clock: Clock, limits: Limits, chance: Callable[[], float]) -> None:
        self._clock = clock
        self._limits = limits
        self._chance = chance

    def after(self, update: Update, asked_s: float | None = None) -> dict[str, Any]:
        """The pause after a try that failed, as facts for the table; `asked_s` is what a server asked for."""
        pause_s = self._limits.retry_in_s(update.attempt, self._chance(), asked_s)
        deadline = Deadline.after(self._clock.now(), pause_s)
        return {"reason": "retry", "until": deadline.wall_at, "deadline": deadline}

    def after_failure(self, update: Update, failure: Failure, asked_s: float | None = None) -> dict[str, Any]:
        """The failure, and the pause if time helps against it."""
        known = self.after(update, asked_s) if failure.kind is Kind.TRANSIENT else {}
        return {"failure": failure} | known


def log_failure(what: str, error: BaseException) -> None:
    """Expected failures in one line; a foreign exception is a bug and shows where it came from."""
    _log.warning("%s: %s", what, error, exc_info=None if isinstance(error, FwsmError) else error)
