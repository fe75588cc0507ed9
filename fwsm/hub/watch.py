"""Eyes on a running hub, for other threads: what was reported, and waiting for things to come true."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from fwsm.errors import HubError
from fwsm.hub.events import Event, Reported, TelemetryReceived
from fwsm.hub.limits import size_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.events import Events

__all__ = ["Watch"]

_T = TypeVar("_T")

# Telemetry changes nothing that can be waited for here, and there are thousands a second of it; see `feed`.
_NEWS = tuple(kind for kind in get_args(Event) if kind is not TelemetryReceived)
# A hub that runs for months remembers the last reports, not all of them.
_MOST_BYTES = 64 * 1024 * 1024
# What a report costs beside its content, roughly.
_OVERHEAD_BYTES = 500


class Watch:
    """Listens to the events of a hub.

    Args:
        events: of the hub; they come in the hub's thread, everything else is called from any thread.
        most_bytes: how large the reports of all devices may be together, roughly.
    """

    def __init__(self, events: Events, *, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._news = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0  # threads that wait for news
        self._reports: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self._order: deque[tuple[str, int]] = deque()  # whose each report is and its size, oldest first
        self._bytes = 0
        events.subscribe(self._on_event, *_NEWS)

    def reports(self, client_id: str) -> list[dict[str, Any]]:
        """Return the reported patches that were accepted from a device and are remembered, oldest first."""
        with self._lock:
            return list(self._reports.get(client_id, ()))

    def wait_for(self, fact: Callable[[], _T | None], what: str, timeout_s: float) -> _T:
        """Ask `fact` after each event but telemetry until its answer is true, and return that.

        Raises:
            HubError: `what` has not happened within `timeout_s`.
        """
        give_up_at = time.monotonic() + timeout_s
        while True:
            # `fact` runs without the lock: it may use the hub, whose thread must be free to publish.
            news = self._news
            answer = fact()
            if answer:
                return answer
            with self._changed:
                self._waiting += 1
                came = self._changed.wait_for(lambda: self._news != news, give_up_at - time.monotonic())  # noqa: B023
                self._waiting -= 1
            if not came:
                raise HubError(f"{what} did not happen within {timeout_s:g} s")

    def _on_event(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, Reported):
                self._remember(event)
            self._news += 1
            if self._waiting:
                self._changed.notify_all()

    def _remember(self, event: Reported) -> None:
        size = _OVERHEAD_BYTES + size_bytes(event.patch)
        self._reports[event.client_id].append(event.patch)
        self._order.append((event.client_id, size))
        self._bytes += size
        while self._bytes > self._most_bytes:
            oldest, size = self._order.popleft()
            self._bytes -= size
            reports = self._reports[oldest]
            reports.popleft()
            if not reports:
                del self._reports[oldest]
