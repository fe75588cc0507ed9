"""May we go on now? Yes, or not before T because R.

A policy is asked before the download and again before the image is applied, each time with the whole record. It has
no side effects and no memory; what it answers is stored, reported, and asked again when its time has come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from fwsm.core.moment import Deadline
from fwsm.core.update import State
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fwsm.core.moment import Moment
    from fwsm.core.update import Update

__all__ = ["AllOf", "Always", "Delay", "NotBefore", "Policy", "Window", "zone_of"]

_LONGEST_WINDOW_WAIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class NotBefore:
    """Wait.

    Attributes:
        reason: a short stable word for the twin, such as "window".
        until: till when, UTC wall time, for people; None if that is not known. Name the same time as long as it is
            the same wait: each new one is stored and reported.
        wait_s: when to ask again, in seconds from now.
    """

    reason: str
    until: datetime | None
    wait_s: float


class Policy(Protocol):
    """Decides when an update may go on."""

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:
        """None to go on now, or why and how long to wait.

        `update.state` tells what for: `waiting` for the download, `downloadComplete` for the installation.
        """
        ...


@dataclass(frozen=True, slots=True)
class Always:
    """Go on at once."""

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:  # noqa: ARG002
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait a while before the download, so that people at the device can see what is coming.

    It is counted on the boot clock from the first time it was asked; the deadline is on disk, so restarts do not
    prolong it. There is one deadline, that of whoever makes the update wait; so a delay is asked before all others, and
    is over once another one makes it wait.

    Raises:
        ConfigError: it is no number of seconds that has an end.
    """

    delay_s: float

    def __post_init__(self) -> None:
        """What cannot be counted would fail at each question, and the update would wait for ever."""
        if not isinstance(self.delay_s, int | float) or not math.isfinite(self.delay_s):
            raise ConfigError(
                f"'{self.delay_s}' is no delay", why="it must be a number of seconds", fix="Give one, 0 for none"
            )

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:
        """Wait in `waiting` until the stored deadline is over."""
        if update.state is not State.WAITING or self.delay_s <= 0 or update.reason not in {None, "delay"}:
            return None
        deadline = update.deadline or Deadline.after(now, self.delay_s)
        if deadline.remaining_s(now) > self.delay_s:  # it comes from damage, or the setting was longer then
            deadline = Deadline.after(now, self.delay_s)
        left_s = deadline.remaining_s(now)
        return NotBefore("delay", deadline.wall_at, left_s) if left_s > 0 else None


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        ConfigError: there is none, or this machine does not know it.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"time zone '{name}' is not known here", why=str(error), fix="Use a name like Europe/Zurich or UTC"
        ) from error


@dataclass(frozen=True, slots=True)
class Window:
    """Apply only inside a daily maintenance window; download at any time.

    Attributes:
        start, end: local times of day; a window over midnight has `end` before `start`.
        zone: the time zone they are meant in.

    Raises:
        ConfigError: the two are the same, or carry a zone of their own.
    """

    start: time
    end: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        """A window that never or always is open is a mistake."""
        if self.start == self.end or self.start.tzinfo or self.end.tzinfo:
            raise ConfigError(
                f"'{self.start:%H:%M}-{self.end:%H:%M}' is not a maintenance window",
                why="start and end must differ and carry no zone of their own",
                fix="Write it like 02:00-04:30 and give the zone beside it",
            )

    @classmethod
    def parse(cls, text: str, zone: str = "UTC") -> Window:
        """Read `HH:MM-HH:MM`.

        Raises:
            ConfigError: the text is no window, or the zone is unknown.
        """
        first, _, last = text.partition("-")
        try:
            start, end = time.fromisoformat(first.strip()), time.fromisoformat(last.strip())
        except ValueError as error:
            raise ConfigError(
                f"'{text}' is not a maintenance window",
                why="it takes two times of day with a dash between them",
                fix="Write it like 02:00-04:30",
            ) from error
        return cls(start, end, zone_of(zone))

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:
        """Wait in `downloadComplete` until the window opens."""
        if update.state is not State.DOWNLOAD_COMPLETE or self._open(now.wall):
            return None
        opens_at = self._next_start(now.wall)
        # Wall time may be set right while we wait, so ask again at least once an hour.
        wait_s = min((opens_at - now.wall).total_seconds(), _LONGEST_WINDOW_WAIT_S)
        return NotBefore("window", opens_at, wait_s)

    def _open(self, wall: datetime) -> bool:
        local = wall.astimezone(self.zone).time().replace(tzinfo=None)
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def _next_start(self, wall: datetime) -> datetime:
        """When the window opens next.

        On the day that is an hour short `start` may not exist: then the window opens an hour later on the clock, or
        not at all if it is over by then. On the day that is an hour long it may come twice.
        """
        today = wall.astimezone(self.zone).date()
        starts = (
            datetime.combine(today + timedelta(days=days), self.start, self.zone).replace(fold=fold).astimezone(UTC)
            for days in (0, 1, 2)
            for fold in (0, 1)
        )
        return min(start for start in starts if start > wall and self._open(start))


@dataclass(frozen=True, slots=True)
class AllOf:
    """Go on when every one of several policies says so. They are asked in order, and the first that waits is shown.

    Raises:
        ConfigError: a `Delay` is not the first, where it would be forgotten or never asked.
    """

    policies: Sequence[Policy]

    def __post_init__(self) -> None:
        """Look where delays are."""
        if any(_delays(policy) for policy in self.policies[1:]):
            raise ConfigError(
                "a Delay stands behind another policy",
                why="only one of them can keep its deadline, and a delay needs it",
                fix="Put one Delay first",
            )

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:
        """The wait of the first that waits, or None."""
        verdicts = (policy.verdict(update, now) for policy in self.policies)
        return next((verdict for verdict in verdicts if verdict is not None), None)


def _delays(policy: Policy) -> bool:
    return isinstance(policy, Delay) or (isinstance(policy, AllOf) and any(map(_delays, policy.policies)))
