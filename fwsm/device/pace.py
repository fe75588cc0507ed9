"""How often the progress of a download is told: bounded in time, and in steps of what has been loaded.

A hub takes so many changes of twins a second from all its devices together (50 with one unit of S1), and the entries
into states have to go through. So a download of any size is told in some twenty steps, two of them never close
together; one that hardly moves is told now and then all the same, so that whoever watches can see that it moves at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fwsm.core.moment import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.core.moment import Moment

__all__ = ["Pace"]

_STEP_PERCENT: Final = 5
# Ten thousand devices that all crawl at the usual five seconds stay below one unit's share: 33 a second.
_CRAWLS: Final = 60


class Pace:
    """Says when the next progress may be told.

    Args:
        every_s: the shortest time between two; a progress that is no step further waits sixty times as long.
    """

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self._told: Mapping[str, Any] | None = None
        self._soonest: Deadline | None = None
        self._latest: Deadline | None = None

    def wait_s(self, progress: Mapping[str, Any], now: Moment) -> float:
        """Return how many seconds this progress has to wait; 0 for none.

        Args:
            progress: as the twin shows it: `bytes`, and `totalBytes` and `percent` where they are known.
            now: the moment.
        """
        deadline = self._soonest if self._is_a_step(progress) else self._latest
        return 0.0 if deadline is None else max(0.0, deadline.remaining_s(now))

    def tell(self, progress: Mapping[str, Any], now: Moment) -> None:
        """It is told now."""
        self._told = progress
        self._soonest = Deadline.after(now, self.every_s)
        self._latest = Deadline.after(now, self.every_s * _CRAWLS)

    def spare(self, seconds: float, now: Moment) -> None:
        """The hub asks for patience: nothing for so long."""
        self._soonest = Deadline.after(now, max(seconds, self.every_s))
        self._latest = Deadline.after(now, max(seconds, self.every_s * _CRAWLS))

    def begin(self) -> None:
        """What is told next belongs to another download, or to another try: it is a step."""
        self._told = None

    def _is_a_step(self, progress: Mapping[str, Any]) -> bool:
        if self._told is None:
            return True
        before, after = self._told.get("percent"), progress.get("percent")
        if before is not None and after is not None:
            return bool(after >= before + _STEP_PERCENT or after < before or (after == 100 > before))  # noqa: PLR2004
        # Of how much is not known: by a twentieth of what there was.
        size, grown = self._told.get("bytes") or 0, progress.get("bytes") or 0
        return bool(grown < size or grown > size * (1 + _STEP_PERCENT / 100))
