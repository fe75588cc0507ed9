"""What a row does to the record of an update.

`Facts` come in with a trigger; `successor` makes the next record from the last one. It is the only place where
counters move, times are noted and failures are kept or cleared.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.moment import Deadline
from fwsm.core.update import State

if TYPE_CHECKING:
    from datetime import datetime

    from fwsm.core.moment import Moment
    from fwsm.core.update import Artifact, Failure, Limits, Probe, Progress, Update

__all__ = ["Effect", "Facts", "successor"]


class Effect(enum.StrEnum):
    """What a row does to the record beside moving it."""

    COUNT_ATTEMPT = "attempt + 1"
    COUNT_RESTART = "restart + 1"
    COUNT_REBOOT = "reboot + 1"
    COUNT_DAMAGE = "damage + 1"
    START_AFRESH = "counters start again"  # an operator asked for a retry
    NOTE_OLD_RUNS = "old firmware runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when a trigger fires. Only `now` is always known.

    Attributes:
        now: the moment.
        failure: what went wrong.
        reason, until, deadline: why to wait, till when for people, and till when on the boot clock.
        progress: what is on disk.
        artifact: the finished download.
        target_slot: the slot that will receive the image.
        reboot_required: whether the installed image needs a reboot to run.
        probe: what the installer found on coming back.
        repeatable: whether the installer may do an unfinished installation again.
        request_lost: whether the record was recalled from the twin and lacks what the work of its state needs.
        target_runs: whether what runs now is the image of this update.
    """

    now: Moment
    failure: Failure | None = None
    reason: str | None = None
    until: datetime | None = None
    deadline: Deadline | None = None
    progress: Progress | None = None
    artifact: Artifact | None = None
    target_slot: str | None = None
    reboot_required: bool = False
    probe: Probe | None = None
    repeatable: bool = False
    request_lost: bool = False
    target_runs: bool = False

    def progressed(self, update: Update, limits: Limits) -> bool:
        """Whether a worthwhile part of the artifact is on disk that was not there when this last was so."""
        return self.progress is not None and self.progress.bytes - update.reached_bytes >= limits.progress_bytes


def successor(
    update: Update, target: State, facts: Facts, limits: Limits, *, effects: frozenset[Effect], failure: Failure | None
) -> Update:
    """The record after entering `target`.

    Args:
        update: the record before.
        target: the state that is entered; may be the same one again.
        facts: what came with the trigger.
        limits: what counts as progress, and how long a state may take.
        effects: what the row does beside moving.
        failure: what the row says went wrong, if the facts do not know better.
    """
    changes: dict[str, Any] = {"state": target, "boot_id": facts.now.boot_id}
    changes |= _counters(update, target, facts, limits, effects)
    changes |= _wait(update, target, facts, limits)
    changes |= _times(update, target, facts)
    changes["failure"] = _failure(update, target, facts.failure or failure)
    known = {"progress": facts.progress, "artifact": facts.artifact, "target_slot": facts.target_slot}
    changes |= {name: value for name, value in known.items() if value is not None}
    if Effect.NOTE_OLD_RUNS in effects:
        changes["rolled_back"] = True
    if facts.progress is not None and facts.progressed(update, limits):
        changes["reached_bytes"] = facts.progress.bytes
    if Effect.COUNT_DAMAGE in effects:
        changes |= {"artifact": None, "progress": facts.progress, "reached_bytes": 0}
    if Effect.START_AFRESH in effects:
        changes |= _AFRESH | {"started_waiting_at": facts.now.wall}
    return replace(update, **changes)


_AFRESH: Final[dict[str, Any]] = {
    "attempt": 1,
    "restarts": 0,
    "reboots": 0,
    "damages": 0,
    "rolled_back": False,
    "target_slot": None,
    "reached_bytes": 0,
    "download_complete_at": None,
    "started_applying_at": None,
    "applied_at": None,
}


def _counters(
    update: Update, target: State, facts: Facts, limits: Limits, effects: frozenset[Effect]
) -> dict[str, int]:
    fresh = target is not update.state or facts.progressed(update, limits)
    return {
        "attempt": 1 if fresh else update.attempt + (Effect.COUNT_ATTEMPT in effects),
        "restarts": (0 if fresh else update.restarts) + (Effect.COUNT_RESTART in effects),
        "resumed": update.resumed + (Effect.COUNT_RESTART in effects),
        "reboots": update.reboots + (Effect.COUNT_REBOOT in effects),
        "damages": update.damages + (Effect.COUNT_DAMAGE in effects),
    }


def _wait(update: Update, target: State, facts: Facts, limits: Limits) -> dict[str, Any]:
    """Why it waits and till when. Only who stays waits: a new state begins at once, whatever pause the facts name.

    A state that is entered again without a new wait keeps the one it had, and its own time runs on.
    """
    if target is not update.state:
        deadline = Deadline.after(facts.now, limits.confirm_s) if target is State.CONFIRMING else None
        return {"reason": None, "until": None, "deadline": deadline}
    if facts.deadline is not None or facts.reason is not None:
        return {"reason": facts.reason, "until": facts.until, "deadline": facts.deadline}
    return {"deadline": update.deadline.anchored(facts.now, _longest_s(update, limits))} if update.deadline else {}


def _longest_s(update: Update, limits: Limits) -> float:
    """How far off the deadline of a record can be. What a policy wants may take any time."""
    if update.state is State.CONFIRMING:
        return limits.confirm_s
    return limits.retry_cap_s if update.reason == "retry" else math.inf


def _times(update: Update, target: State, facts: Facts) -> dict[str, datetime]:
    """The tutorial's times: the moment in which the state was entered, which is after the work before it is done."""
    if target.status == "applying":
        return {} if update.state.status == "applying" else {"started_applying_at": facts.now.wall}
    name = _TIME_OF_ENTRY.get(target)
    return {} if name is None or target is update.state else {name: facts.now.wall}


_TIME_OF_ENTRY: Final = {
    State.DOWNLOAD_COMPLETE: "download_complete_at",
    State.APPLY_COMPLETE: "applied_at",
}


def _failure(update: Update, target: State, new: Failure | None) -> Failure | None:
    """A failure stays known until the update is past it.

    While rolling back, the failure that led there is the one that people must see, so it outlives later ones.
    """
    if update.state is State.ROLLING_BACK:
        return update.failure or new
    if target is State.ROLLING_BACK or target is update.state:
        return new or update.failure
    return new
