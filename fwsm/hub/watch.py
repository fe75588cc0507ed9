"""Eyes on a running hub, for other threads: what was reported, and waiting for things to come true."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, TypeVar

from fwsm.errors import HubError
from fwsm.hub.events import Reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.events import Event, Events

__all__ = ["Watch"]

_T = TypeVar("_T")

# A hub that runs for months remembers the last reports of a device, not all of them.
_REPORTS_KEPT = 10_000


class Watch:
    """Listens to the events of a hub.

    Args:
        events: of the hub; they come in the hub's thread, everything else is called from any thread.
    """

    def __init__(self, events: Events) -> None:
        self._news = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0  # threads that wait for news
        self._reports: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_REPORTS_KEPT))
        events.subscribe(self._on_event)

    def reports(self, client_id: str) -> list[dict[str, Any]]:
        """Return the reported patches that were accepted from a device, oldest first."""
        with self._lock:
            return list(self._reports.get(client_id, ()))

    def wait_for(self, fact: Callable[[], _T | None], what: str, timeout_s: float) -> _T:
        """Ask `fact` after each event until its answer is true, and return that.

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
                self._reports[event.client_id].append(event.patch)
            self._news += 1
            if self._waiting:
                self._changed.notify_all()
