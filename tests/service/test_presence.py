"""Whether the hub answers. How a watch shows it is in test_watch."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.errors import DeviceNotFoundError, HubUnreachableError, ServiceError
from fwsm.service.presence import HubAway, HubBack, Presence

_AWAY = HubUnreachableError("no connection")


class _Hub:
    """Answers, or fails, as it was told last. Also the clock."""

    def __init__(self) -> None:
        self.error: ServiceError | None = None
        self.now = 0.0
        self.patience: list[bool] = []

    def read(self, patient: bool) -> dict[str, Any]:
        self.patience.append(patient)
        if self.error is not None:
            raise self.error
        return {"deviceId": "d1"}

    def look(self, presence: Presence) -> tuple[list[object], dict[str, Any] | None]:
        events: list[object] = []
        looking = presence.look(self.read)
        while True:
            try:
                events.append(next(looking))
            except StopIteration as end:
                return events, end.value


def test_beginning_and_end_of_an_absence_are_told_once() -> None:
    """With its length; there is no twin meanwhile."""
    hub = _Hub()
    presence = Presence(lambda: hub.now)
    assert hub.look(presence) == ([], {"deviceId": "d1"})
    hub.error = _AWAY
    assert hub.look(presence) == ([HubAway(_AWAY)], None)
    hub.now = 3.0
    assert hub.look(presence) == ([], None)
    hub.error = None
    assert hub.look(presence) == ([HubBack(3.0)], {"deviceId": "d1"})
    assert hub.patience == [True, False, False, False]


def test_pause_doubles_with_each_miss_up_to_ten_seconds() -> None:
    """Whoever waits anyway does not hammer a hub that is in trouble."""
    hub = _Hub()
    presence = Presence(lambda: hub.now)
    hub.look(presence)
    hub.error = _AWAY
    pauses = []
    for _ in range(7):
        pauses.append(presence.pause_s(0.5))
        hub.look(presence)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@pytest.mark.parametrize("error", [DeviceNotFoundError("gone"), ServiceError("no")])
def test_what_time_does_not_cure_is_raised(error: ServiceError) -> None:
    """A device that is gone does not come back by looking."""
    hub = _Hub()
    presence = Presence(lambda: hub.now)
    hub.look(presence)
    hub.error = error
    with pytest.raises(type(error)):
        hub.look(presence)
