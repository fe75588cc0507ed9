"""Entries into states, as the lifecycle makes them, for the tests of what keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Entry, Lifecycle, Trigger

if TYPE_CHECKING:
    from fwsm.core.moment import Moment
    from fwsm.core.update import Update

__all__ = ["allowed", "entry_of"]


def entry_of(update: Update, trigger: Trigger, facts: Facts) -> Entry:
    """The entry that this trigger leads to."""
    entries: list[Entry] = []
    Lifecycle([entries.append]).fire(update, trigger, facts)
    return entries[0]


def allowed(update: Update, now: Moment) -> Entry:
    """The entry into downloading, once the policy lets the update go on."""
    return entry_of(update, Trigger.POLICY_ALLOWED, Facts(now=now))
