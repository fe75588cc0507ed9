"""When each device was last heard of, and since when it has been connected or not.

Operators find stale devices by it: `SELECT * FROM devices WHERE lastActivityTime < '2026-11-01T00:00:00Z'`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from fwsm.hub.events import Connected, Disconnected, Reported, TelemetryReceived, TwinRemoved
from fwsm.hub.timestamp import NEVER, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.events import Events
    from fwsm.hub.state import State

__all__ = ["Presence", "Trace"]

_KIND = "presence"


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of one device or module.

    Attributes:
        changed_at: when it connected or was disconnected, in epoch seconds; None for never, as for `active_at`.
        active_at: when it last connected, reported or sent a message.
        model_id: the model that it claimed when it last connected; "" for none.
    """

    changed_at: float | None = None
    active_at: float | None = None
    model_id: str = ""

    @property
    def state_changed(self) -> str:
        """`changed_at` as the hub writes it."""
        return NEVER if self.changed_at is None else timestamp(self.changed_at)

    @property
    def last_active(self) -> str:
        """`active_at` as the hub writes it."""
        return NEVER if self.active_at is None else timestamp(self.active_at)

    def record(self) -> dict[str, float | str | None]:
        """Return it as it is stored."""
        return asdict(self)


_NOTHING = Trace()


class Presence:
    """The traces that devices and modules have left.

    Only coming and going is written to the disk: a hub that was killed may have forgotten later activity.

    Args:
        state: where they are kept.
        events: tells of what devices do.
        wall: the time in epoch seconds.
    """

    def __init__(self, state: State, events: Events, wall: Callable[[], float]) -> None:
        self._state = state
        self._wall = wall
        self._traces = {key: Trace(**record) for key, record in state.load(_KIND)}
        self._active_at: dict[str, float] = {}  # what came behind the trace
        events.subscribe(self._on_activity, Reported, TelemetryReceived)
        events.subscribe(self._on_event, Connected, Disconnected, TwinRemoved)

    def trace(self, client_id: str) -> Trace:
        """Return what is known of a device or module."""
        trace = self._traces.get(client_id, _NOTHING)
        active_at = self._active_at.get(client_id)
        return trace if active_at is None else replace(trace, active_at=active_at)

    def _on_activity(self, event: Reported | TelemetryReceived) -> None:
        self._active_at[event.client_id] = self._wall()

    def _on_event(self, event: Connected | Disconnected | TwinRemoved) -> None:
        match event:
            case Connected():
                self._keep(event.client_id, Trace(self._wall(), self._wall(), event.model_id))
            case Disconnected() if event.client_id in self._traces:  # not that of a device which was just deleted
                self._keep(event.client_id, replace(self.trace(event.client_id), changed_at=self._wall()))
            case TwinRemoved():
                self._traces.pop(event.client_id, None)
                self._active_at.pop(event.client_id, None)
                self._state.put(_KIND, event.client_id, None)

    def _keep(self, client_id: str, trace: Trace) -> None:
        self._traces[client_id] = trace
        self._active_at.pop(client_id, None)
        self._state.put(_KIND, client_id, trace)
