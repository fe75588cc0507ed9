"""What each state does: the only place where a state leads to work.

Given the record and the moment, a state either knows a fact at once, or has work to do that will end in a fact, or
has to wait. Whatever it does here may have been done before by a process that died, so all of it is safe to do twice.
Nothing here touches the database or decides what comes next: the facts go into the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.core.lifecycle import Trigger
from fwsm.core.moment import Deadline
from fwsm.core.policy import NotBefore
from fwsm.core.update import State
from fwsm.device.outcome import Fact, Task, Wait, log_failure

if TYPE_CHECKING:
    import threading

    from fwsm.core.moment import Moment
    from fwsm.core.policy import Policy
    from fwsm.core.update import Update
    from fwsm.device.applying import Applying
    from fwsm.device.loading import Loading
    from fwsm.device.steps import Steps

__all__ = ["Work"]

# When a policy that failed is asked again: seldom enough for the log, soon enough for a window.
_POLICY_PAUSE_S = 60.0
# A policy that names no time is not asked in a circle, nor is a new answer stored each time.
_SHORTEST_WAIT_S = 1.0


class Work:
    """The work of all states.

    Args:
        policy: whether to go on.
        loading: the work on the artifact.
        applying: the work on the image.
        steps: the work that the program has added.
    """

    def __init__(self, policy: Policy, loading: Loading, applying: Applying, steps: Steps) -> None:
        self._policy = policy
        self._loading = loading
        self._applying = applying
        self._steps = steps
        # What this life of the process knows; all of it may be forgotten.
        self._ask_again: tuple[str, State, Deadline] | None = None
        self._swept: str | None = None

    def begin(self, update: Update, now: Moment) -> Fact | Task | Wait:  # noqa: PLR0911  # one return a state
        """What to do in this state at this moment."""
        applying = self._applying
        match update.state:
            case State.WAITING:
                return self._found(update) or self._asked(update, now) or Fact(Trigger.POLICY_ALLOWED)
            case State.DOWNLOADING:
                return _pause(update, now) or Task(lambda stop: self._loading.fetch(update, stop))
            case State.DOWNLOAD_COMPLETE:
                return self._asked(update, now) or Task(lambda stop: self._prove(update, stop))
            case State.INSTALLING:
                return _pause(update, now) or Task(lambda stop: applying.install(update, stop))
            case State.REBOOTING:
                return applying.rebooting(update, now) or Task(lambda _stop: applying.order_reboot(update))
            case State.CONFIRMING:
                return Task(lambda _stop: applying.confirm(update))
            case State.ROLLING_BACK:
                known = _pause(update, now) or applying.rebooting(update, now)
                return known or Task(lambda _stop: applying.roll_back(update))
            case step if step in self._steps:
                return _pause(update, now) or Task(lambda stop: self._steps.run(update, stop))
            case State.APPLY_COMPLETE if self._swept != update.id:
                return Task(lambda _stop: self._sweep(update))
            case _:
                return Wait()

    def on_restart(self, update: Update) -> dict[str, Any]:
        """What the world looks like to a process that comes back to this state.

        A port that cannot tell must not keep the update from going on, or the restarts would not even be counted.
        """
        match update.state:
            case State.DOWNLOADING:
                return {"progress": self._loading.progress(update)}
            case State.INSTALLING:
                return self._applying.installed(update)
            case State.ROLLING_BACK:
                return {}
            case state if state.status == "applying":
                return {"target_runs": self._applying.may_run(update)}
            case _:
                return {}

    def _found(self, update: Update) -> Fact | None:
        """Whether there is nothing to do, because the image is in place and has proved itself."""
        image = self._applying.runs_already(update) if update.request.sha256 else None
        return Fact(Trigger.FOUND_RUNNING, {"artifact": image}) if image else None

    def _asked(self, update: Update, now: Moment) -> Fact | Wait | None:
        """Ask the policy, but not before the time it named. None to go on."""
        if (left_s := self._asking_left_s(update, now)) > 0:
            return Wait(left_s)
        verdict = self._verdict(update, now)
        if verdict is None:
            return None
        self._ask_again = (update.id, update.state, Deadline.after(now, max(verdict.wait_s, _SHORTEST_WAIT_S)))
        if (update.reason, update.until) == (verdict.reason, verdict.until):
            return Wait(self._asking_left_s(update, now))
        deadline = Deadline.after(now, verdict.wait_s)
        return Fact(Trigger.POLICY_DEFERRED, {"reason": verdict.reason, "until": verdict.until, "deadline": deadline})

    def _asking_left_s(self, update: Update, now: Moment) -> float:
        """How long the policy need not be asked again. The first question of each life and each state is free."""
        if self._ask_again is None or update.reason is None or self._ask_again[:2] != (update.id, update.state):
            return 0.0
        return self._ask_again[2].remaining_s(now)

    def _verdict(self, update: Update, now: Moment) -> NotBefore | None:
        try:
            return self._policy.verdict(update, now)
        except Exception as error:  # noqa: BLE001  # it may be the embedder's code, and no answer is not a yes
            log_failure(f"the policy failed; it is asked again in {_POLICY_PAUSE_S:.0f} s", error)
            return NotBefore("policyFailed", None, _POLICY_PAUSE_S)

    def _prove(self, update: Update, stop: threading.Event) -> Fact:
        damage = self._loading.damage(update, stop)
        return damage or Fact(Trigger.POLICY_ALLOWED, {"target_slot": self._applying.target_slot()})

    def _sweep(self, update: Update) -> Wait:
        self._swept = update.id
        self._loading.sweep()
        return Wait()


def _pause(update: Update, now: Moment) -> Wait | None:
    """The rest of the pause between two tries."""
    if update.reason != "retry" or update.deadline is None:
        return None
    left_s = update.deadline.remaining_s(now)
    return Wait(left_s) if left_s > 0 else None
