"""An update, and entries into states as the lifecycle makes them, for the tests of what keeps them."""

from __future__ import annotations

from datetime import UTC, datetime

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Entry, Lifecycle, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update

__all__ = ["NOW", "UPDATE", "allowed", "entry_of"]

NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1000.0, "boot-1")
UPDATE = Update(id="u1", request=Request("https://images.example/fw"), state=State.WAITING, boot_id="boot-1")


def entry_of(update: Update, trigger: Trigger, facts: Facts) -> Entry:
    """The entry that this trigger leads to."""
    entries: list[Entry] = []
    Lifecycle([entries.append]).fire(update, trigger, facts)
    return entries[0]


def allowed(update: Update, now: Moment) -> Entry:
    """The entry into downloading, once the policy lets the update go on."""
    return entry_of(update, Trigger.POLICY_ALLOWED, Facts(now=now))
