"""What the clock says, and deadlines that survive a restart and a reboot.

Wall time jumps: a board without a battery starts in 1970, a time server moves it by years. So waiting is counted
on the boot clock (CLOCK_BOOTTIME, which also runs while the machine is suspended), and wall time is only for
reports and maintenance windows. The boot clock starts again at every boot, so a deadline also carries the boot it
was counted in. In a later boot wall time is the only witness left, and it is trusted only as far as it cannot do
harm: what remains is never more than the whole span and never less than nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["Deadline", "Moment"]

# A sum and a difference of floats, the largest of them some years in seconds.
_ROUNDING_S = 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the clock.

    Attributes:
        wall: UTC wall time; may be wrong by years.
        boottime_s: seconds since boot, suspension included; never runs backwards within a boot.
        boot_id: names the boot, as /proc/sys/kernel/random/boot_id does.
    """

    wall: datetime
    boottime_s: float
    boot_id: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time, so and so many seconds after the moment it was set.

    Attributes:
        boot_id: the boot in which it was set.
        boottime_s: when it falls due on that boot's clock.
        wall_at: when it falls due on the wall clock, as far as that could be trusted when it was set.
        span_s: how far off it was when it was set.
    """

    boot_id: str
    boottime_s: float
    wall_at: datetime
    span_s: float

    @classmethod
    def after(cls, now: Moment, span_s: float) -> Deadline:
        """The deadline `span_s` seconds from `now`."""
        span_s = max(0.0, span_s)
        try:
            wall_at = now.wall + timedelta(seconds=span_s)
        except OverflowError:
            wall_at = datetime.max.replace(tzinfo=UTC)
        return cls(boot_id=now.boot_id, boottime_s=now.boottime_s + span_s, wall_at=wall_at, span_s=span_s)

    def remaining_s(self, now: Moment) -> float:
        """Seconds left, between 0 and `span_s`."""
        if now.boot_id == self.boot_id:
            left_s = self.boottime_s - now.boottime_s
        else:
            left_s = (self.wall_at - now.wall).total_seconds()
        return min(max(left_s, 0.0), self.span_s)

    def anchored(self, now: Moment, longest_s: float = math.inf) -> Deadline:
        """The same deadline, counted on the clock of the boot that runs now.

        A restart calls it, so that wall time is consulted once per boot and a clock that stands still or runs
        backwards cannot put the deadline off for ever. One that claims to have been set later than now, or that is
        farther off than it can have been set, comes from damage; it too is not put off again.

        Args:
            now: the moment.
            longest_s: how far off a deadline of its kind can be.
        """
        of_the_future = self.boottime_s - self.span_s > now.boottime_s + _ROUNDING_S
        left_s = self.remaining_s(now)
        if now.boot_id == self.boot_id and not of_the_future and left_s <= longest_s + _ROUNDING_S:
            return self
        return Deadline.after(now, min(left_s, longest_s))
