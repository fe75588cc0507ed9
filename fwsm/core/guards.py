"""Pure predicates that decide between rows of the table. Their names are the guards in the diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from fwsm.core.update import Probe
from fwsm.errors import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.entry import Facts
    from fwsm.core.update import Limits, Update

__all__ = [
    "Guard",
    "attempts_left",
    "boot_unchanged",
    "cause_transient",
    "damages_left",
    "must_roll_back",
    "probe_done",
    "reboot_required",
    "reboots_left",
    "request_lost",
    "restarts_left",
    "target_runs",
]

Guard: TypeAlias = "Callable[[Update, Facts, Limits], bool]"


def cause_transient(_update: Update, facts: Facts, _limits: Limits) -> bool:
    """Time helps against what went wrong."""
    return facts.failure is not None and facts.failure.kind is Kind.TRANSIENT


def attempts_left(update: Update, facts: Facts, limits: Limits) -> bool:
    """This state may be tried again; a try that made progress does not count."""
    return update.attempt < limits.attempts or facts.progressed(update, limits)


def restarts_left(update: Update, facts: Facts, limits: Limits) -> bool:
    """The process may come back to this state again; a life that made progress does not count."""
    return update.restarts < limits.restarts or facts.progressed(update, limits)


def reboots_left(update: Update, _facts: Facts, limits: Limits) -> bool:
    """The device may be told to reboot again."""
    return update.reboots < limits.reboots


def damages_left(update: Update, _facts: Facts, limits: Limits) -> bool:
    """The artifact may be downloaded again."""
    return update.damages < limits.damages


def reboot_required(_update: Update, facts: Facts, _limits: Limits) -> bool:
    """The installed image only runs after a reboot."""
    return facts.reboot_required


def boot_unchanged(update: Update, facts: Facts, _limits: Limits) -> bool:
    """The device has not rebooted since this state was entered."""
    return facts.now.boot_id == update.boot_id


def target_runs(_update: Update, facts: Facts, _limits: Limits) -> bool:
    """What runs now is the image of this update."""
    return facts.target_runs


def probe_done(_update: Update, facts: Facts, _limits: Limits) -> bool:
    """The installer finds its work done."""
    return facts.probe is Probe.DONE


def must_roll_back(_update: Update, facts: Facts, _limits: Limits) -> bool:
    """The installer was interrupted and must not simply do its work again."""
    return facts.probe is Probe.UNFINISHED and not facts.repeatable


def request_lost(_update: Update, facts: Facts, _limits: Limits) -> bool:
    """The record was lost, and what the hub and the installer know is not enough to go on with."""
    return facts.request_lost
