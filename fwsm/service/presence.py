"""Whether the hub answers while somebody looks at a twin again and again, and for how long it has not."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from tenacity import sleep_using_event

from fwsm.errors import Kind, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["HubAway", "HubBack", "Presence", "TwinReader", "pause"]

_T = TypeVar("_T")

_LONGEST_PAUSE_S: Final = 10.0
# A hub that has been away so long is not coming back while somebody sits and watches.
_AWAY_LIMIT_S: Final = 600.0

pause: Callable[[float], None] = sleep_using_event(threading.Event())
"""Waits so many seconds; Ctrl-C ends it."""


class TwinReader(Protocol):
    """Where twins come from; `Client` is one."""

    def twin(self, device_id: str, *, patient: bool = True) -> dict[str, Any]:
        """Return a twin in the shape of the REST resource; with `patient` off, without trying again."""
        ...


@dataclass(frozen=True, slots=True)
class HubAway:
    """The hub stopped answering; the watch goes on."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class HubBack:
    """The hub answers again, after so many seconds."""

    away_s: float


class Presence:
    """Looks at something in the hub, and notes when the hub does not answer.

    Args:
        clock: seconds, never running backwards.
        met: whether a hub that does not answer at first is away, and not an error.
    """

    def __init__(self, clock: Callable[[], float], *, met: bool = False) -> None:
        self._clock = clock
        self._met = met
        self._misses = 0
        self._away_since = 0.0

    def look(self, read: Callable[[bool], _T]) -> Generator[HubAway | HubBack, None, _T | None]:
        """Return what `read` returns, None while the hub is away; yield when that begins and ends.

        Args:
            read: told whether to have patience of its own.

        Raises:
            ServiceError: the hub could not be reached at first, was away for ten minutes, or said no.
        """
        try:
            # Before it was met once, a hub that does not answer is an error and no absence; so this look has patience.
            found = read(not self._met)
        except ServiceError as error:
            self._miss(error)
            if self._misses == 1:
                yield HubAway(error)
            return None
        if self._misses:
            yield HubBack(self._clock() - self._away_since)
        self._met, self._misses = True, 0
        return found

    def _miss(self, error: ServiceError) -> None:
        if not self._misses:
            self._away_since = self._clock()
        if not self._met or error.kind is not Kind.TRANSIENT or self._clock() - self._away_since > _AWAY_LIMIT_S:
            raise error
        self._misses += 1

    def pause_s(self, interval_s: float) -> float:
        """The pause before the next look: twice as long with each miss in a row, up to ten seconds."""
        return min(interval_s * float(2**self._misses), max(interval_s, _LONGEST_PAUSE_S))
