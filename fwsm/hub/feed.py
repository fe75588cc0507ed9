"""The event feed: what operators read from IoT Hub's event endpoint, kept for a while.

A ring in memory: the oldest events make room for new ones. A reader has a position, the sequence number of the last
event that it has seen, and is told when it was so slow that events are lost to it. An event is shown once what it tells
of is durable: a hub that is killed has told of nothing that it does not know afterwards. Written in the hub's thread,
read from any.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from fwsm.errors import HubError
from fwsm.hub.eventdata import event_data
from fwsm.hub.events import Connected, Disconnected, TelemetryReceived, TwinAdded, TwinChanged, TwinRemoved
from fwsm.hub.limits import size_bytes
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.eventdata import EventData
    from fwsm.hub.events import Event, Events
    from fwsm.hub.turn import Turn
    from fwsm.hub.twin import Twin

__all__ = ["EventStream", "Feed"]

_MOST_EVENTS = 10_000
_MOST_BYTES = 64 * 1024 * 1024
# How long readers may take to say that the feed is over.
_GONE_WITHIN_S = 0.5
# What an event costs beside its content, roughly.
_OVERHEAD_BYTES = 500

# What operators see. The rest is the hub's own affair.
_SHOWN = (Connected, Disconnected, TelemetryReceived, TwinAdded, TwinChanged, TwinRemoved)


class Feed:
    """The events that are kept.

    Args:
        events: of the hub.
        wall: the time in epoch seconds.
        hub_name: what the hub calls itself in its news.
        most_events: how many are kept at most.
        most_bytes: how large they may be together, roughly.
    """

    def __init__(
        self,
        events: Events,
        wall: Callable[[], float],
        hub_name: str = "localhost",
        *,
        most_events: int = _MOST_EVENTS,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self.hub_name = hub_name
        self._wall = wall
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._kept: deque[tuple[float, Event, int]] = deque()  # rendered when somebody reads: mostly nobody does
        self._bytes = 0
        self._last = 0
        self._shown = 0  # up to here: what comes behind may not be durable yet
        self._turn: Callable[[], None] = self._show  # begins one, at whose commit `_show` is called
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._waiting = 0  # threads that wait for news
        self._wakers: list[Callable[[], None]] = []
        self._ended = False
        events.subscribe(self._on_event, *_SHOWN)

    @property
    def position(self) -> int:
        """The sequence number of the last event, shown or not; 0 when there was none."""
        return self._last

    @property
    def oldest(self) -> int:
        """The sequence number of the oldest event that is kept; that of the next one when none is."""
        return self._last - len(self._kept) + 1

    @property
    def ended(self) -> bool:
        """Whether nothing more comes, because the hub stops."""
        return self._ended

    def after(self, position: int, most: int = 100) -> list[EventData]:
        """Return the next events behind `position`, oldest first, without waiting.

        Raises:
            Refusal: 400004, the feed has not come so far; 404000, it no longer holds what comes next.
        """
        with self._lock:
            first = self.oldest
            if position > self._last:
                raise Refusal(Why.ARGUMENT_INVALID, f"The feed is at {self._last}, and not yet at {position}.")
            if position + 1 < first:
                raise Refusal(
                    Why.ROUTE_NOT_FOUND, f"The events up to {first - 1} are no longer kept; go on behind {first - 1}."
                )
            start = position + 1 - first
            chosen = [self._kept[index] for index in range(start, min(start + most, self._shown + 1 - first))]
        shown = (
            event_data(self.hub_name, position + number, at, event) for number, (at, event, _) in enumerate(chosen, 1)
        )
        return [data for data in shown if data is not None]

    def show_behind(self, turn: Turn) -> None:
        """Show each event from now on once the turn in which it came is committed."""
        turn.witness(self._show)
        self._turn = turn.begin

    def wait_beyond(self, position: int, timeout_s: float) -> bool:
        """Wait in another thread until there is something behind `position`; False when nothing came."""
        with self._news:
            self._waiting += 1
            try:
                return self._news.wait_for(lambda: self._shown > position, timeout_s)
            finally:
                self._waiting -= 1

    def wake(self, waker: Callable[[], None]) -> None:
        """Call `waker` in the hub's thread at every event that is shown, until `forget`."""
        self._wakers.append(waker)

    def forget(self, waker: Callable[[], None]) -> None:
        """Do not call `waker` any more."""
        self._wakers.remove(waker)

    async def end(self) -> None:
        """Wake the readers in the hub's thread a last time, and wait a moment until they have gone."""
        self._ended = True
        for waker in self._wakers:
            waker()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GONE_WITHIN_S):
                while self._wakers:  # noqa: ASYNC110 - they go within a few rounds of the loop
                    await asyncio.sleep(0)

    def _on_event(self, event: Event) -> None:
        size = _size(event)
        with self._lock:
            self._kept.append((self._wall(), event, size))
            self._last += 1
            self._bytes += size
            while len(self._kept) > self._most_events or (self._bytes > self._most_bytes and len(self._kept) > 1):
                self._bytes -= self._kept.popleft()[2]
        self._turn()

    def _show(self) -> None:
        if self._shown == self._last:
            return
        with self._lock:
            self._shown = self._last
            if self._waiting:
                self._news.notify_all()
        for waker in self._wakers:
            waker()


class EventStream:
    """A reader of the feed, from now or from a position; an iterator that waits for the next event.

    Args:
        feed: of the hub.
        position: the sequence number of the last event that is not wanted.
        stopped: says whether the hub has stopped; then the iteration ends.
    """

    def __init__(self, feed: Feed, position: int, stopped: Callable[[], bool]) -> None:
        self._feed = feed
        self._stopped = stopped
        self.position = position

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> EventData:
        """Wait for the next event; ends when the hub has stopped.

        Raises:
            HubError: the reader was so slow that events are lost to it.
        """
        while (event := self.next(0.5)) is None:
            if self._stopped():
                raise StopIteration
        return event

    def next(self, timeout_s: float) -> EventData | None:
        """Return the next event, or None when none came within `timeout_s`; raises HubError as the iteration does."""
        if not self._feed.wait_beyond(self.position, timeout_s):
            return None
        try:
            (event,) = self._feed.after(self.position, 1)
        except Refusal as refusal:
            raise HubError(refusal.message.rstrip("."), fix="Read the events sooner.") from None
        self.position = event.sequence_number
        return event

    def wait_for(self, predicate: Callable[[EventData], object], timeout_s: float = 30.0) -> EventData:
        """Read on to the first event for which `predicate` holds, and return that.

        Raises:
            HubError: none came within `timeout_s`, or events were lost.
        """
        give_up_at = time.monotonic() + timeout_s
        seen = 0
        while (event := self.next(max(give_up_at - time.monotonic(), 0.0))) is not None:
            if predicate(event):
                return event
            seen += 1
        raise HubError(f"the wanted event did not come within {timeout_s:g} s", why=f"{seen} others came")


def _size(event: Event) -> int:
    """Return roughly how much memory an event holds."""
    match event:
        case TelemetryReceived():
            return _OVERHEAD_BYTES + len(event.body) + event.bag.size
        case TwinChanged():
            return _OVERHEAD_BYTES + _twin_size(event.replacement) + size_bytes(event.change)
        case TwinAdded() | TwinRemoved():
            return _OVERHEAD_BYTES + _twin_size(event.twin)
        case _:
            return _OVERHEAD_BYTES


def _twin_size(twin: Twin | None) -> int:
    return 0 if twin is None else sum(map(size_bytes, (twin.tags, twin.desired.values, twin.reported.values)))
