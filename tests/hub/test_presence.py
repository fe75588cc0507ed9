"""When devices were last heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.bags import parse_bag
from fwsm.hub.diskstate import DiskState
from fwsm.hub.events import (
    Connected,
    Disconnected,
    Events,
    Reported,
    Sender,
    Subscribed,
    TelemetryReceived,
    TwinRemoved,
)
from fwsm.hub.presence import Presence, Trace
from fwsm.hub.state import EphemeralState
from fwsm.hub.timestamp import NEVER, timestamp
from fwsm.hub.twin import Twin

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub.events import Event
    from fwsm.hub.state import State

TELEMETRY = TelemetryReceived("d1", parse_bag(""), b"", Sender("d1", "device", "sas", 1))


class Diary:
    """Presence under a clock that goes on by one second an event."""

    def __init__(self, state: State | None = None) -> None:
        self.now = 1000.0
        self.events = Events()
        self.presence = Presence(state or EphemeralState(), self.events, lambda: self.now)

    def after(self, *events: Event) -> Trace:
        """Return the trace of d1 after these events."""
        for event in events:
            self.now += 1
            self.events.publish(event)
        return self.presence.trace("d1")


def test_what_a_device_does_leaves_a_trace() -> None:
    """To come is to be active; to go is not; a report and a message are."""
    diary = Diary()
    assert diary.after() == Trace()
    assert diary.after(Connected("d1")) == Trace(1001.0, 1001.0)
    assert diary.after(Reported("d1", {}, 2)) == Trace(1001.0, 1002.0)
    assert diary.after(TELEMETRY, Subscribed("d1")) == Trace(1001.0, 1003.0)
    assert diary.after(Disconnected("d1")) == Trace(1005.0, 1003.0)


def test_deleted_device_leaves_none() -> None:
    """Also when its connection ends after it."""
    diary = Diary()
    assert diary.after(Connected("d1", "dtmi:x;1")).model_id == "dtmi:x;1"
    assert diary.after(Disconnected("d1")).model_id == "dtmi:x;1"
    assert diary.after(Connected("d1"), TwinRemoved("d1", Twin.new(0)), Disconnected("d1")) == Trace()


def test_trace_is_written_as_the_hub_writes_times() -> None:
    """What has never been has a time of its own."""
    assert (Trace().state_changed, Trace().last_active) == (NEVER, NEVER)
    assert (Trace(1.0, 2.0).state_changed, Trace(1.0, 2.0).last_active) == (timestamp(1), timestamp(2))


def test_coming_and_going_is_kept(tmp_path: Path) -> None:
    """Of a hub that was killed, later activity may be lost."""
    state = DiskState(tmp_path / "hub.db")
    diary = Diary(state)
    diary.after(Connected("d1"))
    state.commit()
    diary.after(Reported("d1", {}, 2))
    state.commit()
    assert Diary(state).after() == Trace(1001.0, 1001.0)
    state.close()
