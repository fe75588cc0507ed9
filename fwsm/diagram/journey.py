"""An update's way through its states, as its history tells it: what is drawn of a device is made from this.

Wall time is all that the history has, and it is no good witness: a board without a battery starts in 1970, a time
server sets a clock back. So how long something took is only said where it can be believed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

from fwsm.core.lifecycle import Trigger
from fwsm.store.history import ACCEPTED, RESTORED

if TYPE_CHECKING:
    from fwsm.core.update import State, Update
    from fwsm.store.history import HistoryRow
    from fwsm.store.incidents import Incident
    from fwsm.store.logbook import Logbook

__all__ = ["Journey", "Sign", "Stay", "Visit", "between_s"]

_COMMANDS: Final = {Trigger.CANCELLED, Trigger.SUPERSEDED, Trigger.RETRY_REQUESTED}
# Before this there was no such update; a clock that says so has not been set since the power came.
_CLOCKS_ARE_SET: Final = datetime(2016, 1, 1, tzinfo=UTC)


class Sign(enum.StrEnum):
    """What an entry into a state is, beside being one."""

    RESTART = "restart"  # the process came back
    RETRY = "retry"  # the same work is tried again
    DEFERRED = "deferred"  # it goes on waiting
    COMMAND = "command"  # an operator asked for it


@dataclass(frozen=True, slots=True)
class Stay:
    """From one entry into a state to the next one, into whichever state.

    Attributes:
        entry: the history row.
        span_s: how long it took, or has taken until now; None if the clock cannot be believed. 0 at the end.
        again: whether the state was the same before.
        rebooted: whether the device has booted since the entry before it.
        reported: whether the hub has acknowledged its report.
    """

    entry: HistoryRow
    span_s: float | None
    again: bool
    rebooted: bool
    reported: bool

    @property
    def sign(self) -> Sign | None:
        """What the entry is, beside being one; None if nothing."""
        if self.entry.trigger == Trigger.RESTARTED:
            return Sign.RESTART
        if self.entry.trigger in _COMMANDS:
            return Sign.COMMAND
        if not self.again:
            return None
        return Sign.DEFERRED if self.entry.trigger == Trigger.POLICY_DEFERRED else Sign.RETRY


@dataclass(frozen=True, slots=True)
class Visit:
    """All stays in one state that follow each other; at least one."""

    stays: tuple[Stay, ...]

    @property
    def state(self) -> State:
        """Where."""
        return self.stays[0].entry.state

    @property
    def tries(self) -> int:
        """How often its work was begun, other than after a restart."""
        return 1 + self.count(Sign.RETRY)

    def count(self, sign: Sign) -> int:
        """How many entries have a sign; the way in that a restart has opened is none of the visit's."""
        return sum(stay.sign is sign for stay in self.stays if stay.again)


@dataclass(frozen=True, slots=True)
class Journey:
    """One update from its first entry to its last.

    Attributes:
        update: the record as it stands.
        stays: in order; none if the whole history was pruned.
        incidents: what went wrong beside it.
        until: UTC wall time of looking.
    """

    update: Update
    stays: tuple[Stay, ...]
    incidents: tuple[Incident, ...]
    until: datetime

    @classmethod
    def of(cls, logbook: Logbook, now: datetime) -> Journey:
        """What a logbook tells, at this UTC wall time."""
        rows = logbook.rows
        followers = (*rows[1:], None)
        stays = tuple(
            Stay(
                entry=row,
                span_s=_span_s(row, following, now),
                again=before is not None and before.state is row.state,
                rebooted=before is not None and before.boot_id != row.boot_id,
                reported=row.number <= logbook.told,
            )
            for before, row, following in zip((None, *rows), rows, followers, strict=False)
        )
        return cls(logbook.update, stays, logbook.incidents, now)

    @property
    def whole(self) -> bool:
        """Whether it is all there, from the first entry on."""
        return bool(self.stays) and self.stays[0].entry.trigger in {ACCEPTED, RESTORED}

    @property
    def open(self) -> bool:
        """Whether it still goes on."""
        return not self.update.state.settled

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The stays, those in one state together."""
        return tuple(Visit(tuple(stays)) for _, stays in groupby(self.stays, lambda stay: stay.entry.state))

    @property
    def moves(self) -> tuple[tuple[Stay, Stay], ...]:
        """Each stay with the one that followed it."""
        return tuple(pairwise(self.stays))

    @property
    def pending(self) -> int:
        """How many reports the hub has not acknowledged."""
        return sum(not stay.reported for stay in self.stays)


def _span_s(row: HistoryRow, following: HistoryRow | None, now: datetime) -> float | None:
    if following is None and row.state.settled:
        return 0.0
    return between_s(row.at, following.at if following else now)


def between_s(earlier: datetime, later: datetime) -> float | None:
    """Seconds from one moment to a later one; None if the clock was set in between."""
    if later < earlier or (earlier < _CLOCKS_ARE_SET) != (later < _CLOCKS_ARE_SET):
        return None
    return (later - earlier).total_seconds()
