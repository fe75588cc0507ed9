"""THE table: everything that may happen to an update.

Theory of operation. Everything that may happen to an update is a row of `TABLE`: in this state, when this fact is
known and these guards hold, that state follows. Nothing happens outside the table; what has no row is an error and
changes nothing.

- A trigger is a fact in the past tense ("the download failed"), never an order. Work is done elsewhere, in the state
  that the row leads to, and every piece of it is safe to do twice.
- Rows of the same trigger and source are tried in order, and the last of them has no guard. So a trigger that the
  state knows always leads somewhere.
- Guards are pure. They see the record of the update, the facts that came with the trigger, and the limits.
- A restart of the process is a fact like any other: `restarted` has a row in every state, and there is no other way
  to come back. What a crash, a kill or a power cut leads to can be read here and drawn.
- A row names its effects. Counters are on disk with the state, so a loop ends even if every turn of it dies.
- Entering a state runs the entry callbacks of the machine, in the order they were given: first the one that makes
  the row durable, then the others. If that first one raises, the state has not changed, on disk or in memory.

Seven states are the tutorial's. `applying` has children, so that no step of it hides behind a flag. A program may add
children and guarded rows (`extension`). Firmware that is rolled back may bring a program that does not know a child in
which the update stands: on coming back such a child is taken for `confirming`, where what runs decides.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.entry import Effect
from fwsm.core.guards import (
    attempts_left,
    boot_unchanged,
    cause_transient,
    damages_left,
    must_roll_back,
    probe_done,
    reboot_required,
    reboots_left,
    request_lost,
    restarts_left,
    target_runs,
)
from fwsm.core.update import Failure, State
from fwsm.errors import Kind

if TYPE_CHECKING:
    from fwsm.core.guards import Guard

__all__ = ["FELL_BACK", "RESTART_LOOP", "TABLE", "Row", "Trigger"]


class Trigger(enum.StrEnum):
    """Facts that move an update. The values are stored in the history; they never change."""

    POLICY_ALLOWED = "policy_allowed"
    POLICY_DEFERRED = "policy_deferred"
    FOUND_RUNNING = "found_running"
    DOWNLOAD_VERIFIED = "download_verified"
    DOWNLOAD_FAILED = "download_failed"
    ARTIFACT_DAMAGED = "artifact_damaged"
    INSTALLED = "installed"
    INSTALL_FAILED = "install_failed"
    REBOOT_OVERDUE = "reboot_overdue"
    HEALTH_CONFIRMED = "health_confirmed"
    HEALTH_FAILED = "health_failed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    RESTARTED = "restarted"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    RETRY_REQUESTED = "retry_requested"
    STEP_DONE = "step_done"  # only in an extended lifecycle
    STEP_FAILED = "step_failed"  # likewise


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        trigger: the fact.
        source: the state in which it is known.
        target: the state that follows; None if the fact changes nothing here.
        guards: all must hold.
        effects: what it does to the record beside moving it.
        failure: what the row itself says went wrong, used when the facts bring no failure of their own.
    """

    trigger: Trigger
    source: State
    target: State | None
    guards: tuple[Guard, ...] = ()
    effects: frozenset[Effect] = frozenset()
    failure: Failure | None = None


_CANCELLED = Failure("cancelled", "the operator cancelled the update", Kind.NEEDS_OPERATOR)
_SUPERSEDED = Failure("superseded", "a newer request took its place", Kind.PERMANENT)
RESTART_LOOP = Failure(
    "restartLoop",
    "the program was restarted too often in this state without getting further. Look for what ends it, then retry",
    Kind.NEEDS_OPERATOR,
)
_STORE_LOST = Failure(
    "storeLost",
    "the device lost its database, and the hub does not know enough to go on. Send the request again; with the same "
    "fwPackageCheckValue, what was loaded is kept",
    Kind.NEEDS_OPERATOR,
)
_REBOOT_IGNORED = Failure(
    "rebootIgnored",
    "the device was told to reboot and did not. Check that the program may reboot it, then retry",
    Kind.NEEDS_OPERATOR,
)
FELL_BACK = Failure(
    "bootFellBack",
    "the new image was activated, but the device came up with the old one: the boot loader did not accept it",
    Kind.PERMANENT,
)
_INTERRUPTED = Failure(
    "installInterrupted",
    "the installation was interrupted and the installer does not allow to repeat it",
    Kind.NEEDS_OPERATOR,
)


def _rows(
    trigger: Trigger,
    sources: State | tuple[State, ...],
    target: State | None,
    *conditions: Guard | Effect,
    failure: Failure | None = None,
) -> tuple[Row, ...]:
    """The same row for one or several sources; guards and effects as they come."""
    effects = frozenset(item for item in conditions if isinstance(item, Effect))
    guards = tuple(item for item in conditions if not isinstance(item, Effect))
    each = sources if isinstance(sources, tuple) else (sources,)
    return tuple(Row(trigger, source, target, guards, effects, failure) for source in each)


def _table() -> tuple[Row, ...]:
    t, s, row = Trigger, State, _rows
    before_applying = (s.WAITING, s.DOWNLOADING, s.DOWNLOAD_COMPLETE)
    failed = (s.DOWNLOAD_FAILED, s.APPLY_FAILED)
    attempt, reboot, damage = Effect.COUNT_ATTEMPT, Effect.COUNT_REBOOT, Effect.COUNT_DAMAGE
    restart, old_runs, afresh = Effect.COUNT_RESTART, Effect.NOTE_OLD_RUNS, Effect.START_AFRESH
    # fmt: off
    on_the_way = (
        *row(t.POLICY_ALLOWED,    s.WAITING,           s.DOWNLOADING),
        *row(t.POLICY_DEFERRED,   s.WAITING,           s.WAITING),
        *row(t.FOUND_RUNNING,     s.WAITING,           s.APPLY_COMPLETE),
        *row(t.DOWNLOAD_VERIFIED, s.DOWNLOADING,       s.DOWNLOAD_COMPLETE),
        *row(t.DOWNLOAD_FAILED,   s.DOWNLOADING,       s.DOWNLOADING, cause_transient, attempts_left, attempt),
        *row(t.DOWNLOAD_FAILED,   s.DOWNLOADING,       s.DOWNLOAD_FAILED),
        *row(t.POLICY_ALLOWED,    s.DOWNLOAD_COMPLETE, s.INSTALLING),
        *row(t.POLICY_DEFERRED,   s.DOWNLOAD_COMPLETE, s.DOWNLOAD_COMPLETE),
        *row(t.ARTIFACT_DAMAGED,  s.DOWNLOAD_COMPLETE, s.DOWNLOADING, damages_left, damage),
        *row(t.ARTIFACT_DAMAGED,  s.DOWNLOAD_COMPLETE, s.DOWNLOAD_FAILED),
        *row(t.INSTALLED,         s.INSTALLING,        s.REBOOTING, reboot_required, reboot),
        *row(t.INSTALLED,         s.INSTALLING,        s.CONFIRMING),
        *row(t.INSTALL_FAILED,    s.INSTALLING,        s.INSTALLING, cause_transient, attempts_left, attempt),
        *row(t.INSTALL_FAILED,    s.INSTALLING,        s.ROLLING_BACK),
        *row(t.REBOOT_OVERDUE,    s.REBOOTING,         s.REBOOTING, reboots_left, reboot),
        *row(t.REBOOT_OVERDUE,    s.REBOOTING,         s.ROLLING_BACK, failure=_REBOOT_IGNORED),
        *row(t.HEALTH_CONFIRMED,  s.CONFIRMING,        s.APPLY_COMPLETE),
        *row(t.HEALTH_FAILED,     s.CONFIRMING,        s.ROLLING_BACK),
        *row(t.ROLLED_BACK,       s.ROLLING_BACK,      s.APPLY_FAILED, old_runs),
        *row(t.ROLLBACK_FAILED,   s.ROLLING_BACK,      s.ROLLING_BACK, attempts_left, attempt),
        *row(t.ROLLBACK_FAILED,   s.ROLLING_BACK,      s.APPLY_FAILED),
        *row(t.REBOOT_OVERDUE,    s.ROLLING_BACK,      s.ROLLING_BACK, attempts_left, attempt),
        *row(t.REBOOT_OVERDUE,    s.ROLLING_BACK,      s.APPLY_FAILED, failure=_REBOOT_IGNORED),
    )
    process_comes_back = (
        *row(t.RESTARTED, before_applying,     s.DOWNLOAD_FAILED, request_lost, restart, failure=_STORE_LOST),
        *row(t.RESTARTED, s.WAITING,           s.WAITING, restart),
        *row(t.RESTARTED, s.DOWNLOADING,       s.DOWNLOADING, restarts_left, restart),
        *row(t.RESTARTED, s.DOWNLOADING,       s.DOWNLOAD_FAILED, restart, failure=RESTART_LOOP),
        *row(t.RESTARTED, s.DOWNLOAD_COMPLETE, s.DOWNLOAD_COMPLETE, restart),
        *row(t.RESTARTED, s.INSTALLING,        s.CONFIRMING, probe_done, target_runs, restart),
        *row(t.RESTARTED, s.INSTALLING,        s.REBOOTING, probe_done, reboot_required, restart, reboot),
        *row(t.RESTARTED, s.INSTALLING,        s.CONFIRMING, probe_done, restart),
        *row(t.RESTARTED, s.INSTALLING,        s.ROLLING_BACK, request_lost, restart, failure=_STORE_LOST),
        *row(t.RESTARTED, s.INSTALLING,        s.ROLLING_BACK, must_roll_back, restart, failure=_INTERRUPTED),
        *row(t.RESTARTED, s.INSTALLING,        s.INSTALLING, restarts_left, restart),
        *row(t.RESTARTED, s.INSTALLING,        s.ROLLING_BACK, restart, failure=RESTART_LOOP),
        *row(t.RESTARTED, s.REBOOTING,         s.REBOOTING, boot_unchanged, reboots_left, restart, reboot),
        *row(t.RESTARTED, s.REBOOTING,         s.ROLLING_BACK, boot_unchanged, restart, failure=_REBOOT_IGNORED),
        *row(t.RESTARTED, s.REBOOTING,         s.CONFIRMING, target_runs, restart),
        *row(t.RESTARTED, s.REBOOTING,         s.APPLY_FAILED, restart, old_runs, failure=FELL_BACK),
        *row(t.RESTARTED, s.CONFIRMING,        s.CONFIRMING, target_runs, restarts_left, restart),
        *row(t.RESTARTED, s.CONFIRMING,        s.ROLLING_BACK, target_runs, restart, failure=RESTART_LOOP),
        *row(t.RESTARTED, s.CONFIRMING,        s.APPLY_FAILED, restart, old_runs, failure=FELL_BACK),
        *row(t.RESTARTED, s.ROLLING_BACK,      s.ROLLING_BACK, restarts_left, restart),
        *row(t.RESTARTED, s.ROLLING_BACK,      s.APPLY_FAILED, restart, failure=RESTART_LOOP),
        *row(t.RESTARTED, (*failed, s.APPLY_COMPLETE), None),
    )
    commands = (
        *row(t.CANCELLED,       before_applying, s.DOWNLOAD_FAILED, failure=_CANCELLED),
        *row(t.SUPERSEDED,      before_applying, s.DOWNLOAD_FAILED, failure=_SUPERSEDED),
        *row(t.RETRY_REQUESTED, failed,          s.WAITING, afresh),
    )
    # fmt: on
    return on_the_way + process_comes_back + commands


TABLE: Final[tuple[Row, ...]] = _table()
