"""The steps that a program has added to the lifecycle: their work, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import Failure
from fwsm.device.fitting import require_done
from fwsm.device.outcome import Fact, log_failure
from fwsm.errors import FwsmError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from fwsm.core.lifecycle import Step
    from fwsm.core.update import Update
    from fwsm.device.outcome import Pauses

__all__ = ["Steps"]


class Steps:
    """All steps of an extended lifecycle, by their states.

    Args:
        steps: what was added.
        pauses: how long to wait between two tries.
    """

    def __init__(self, steps: Sequence[Step], pauses: Pauses) -> None:
        self._steps = {step.state: step for step in steps}
        self._pauses = pauses

    def __contains__(self, state: object) -> bool:
        return state in self._steps

    def run(self, update: Update, stop: threading.Event) -> Fact:
        """Do the work of the step that the update is in."""
        step = self._steps[update.state]
        run: Callable[..., object] = step.run
        try:
            require_done(run(update, stop))
        except Exception as error:  # noqa: BLE001  # it is the embedder's code; the table decides
            log_failure(f"the step {step.name} failed", error)
            asked_s = error.retry_after_s if isinstance(error, FwsmError) else None
            return Fact(Trigger.STEP_FAILED, self._pauses.after_failure(update, Failure.of(error), asked_s))
        return Fact(Trigger.STEP_DONE)
