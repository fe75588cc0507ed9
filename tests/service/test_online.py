"""Calling a device that may be offline."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.errors import (
    DeviceNotFoundError,
    DeviceOfflineError,
    DeviceTimeoutError,
    HubUnreachableError,
    ServiceError,
    ThrottledError,
)
from fwsm.service.online import first_look, when_online
from fwsm.service.presence import HubAway, HubBack

_OFFLINE = DeviceOfflineError("d1 is offline", why="the hub says so")
_AWAY = HubUnreachableError("no connection")


class _Device:
    """A device whose connection, as the hub shows it, and whose answers to calls are prepared. Also the clock.

    Args:
        calls: what becomes of each call: an answer, or an error.
        seen: what each look at the twin finds: whether it is connected, or an error; the last one for ever.
    """

    def __init__(self, calls: list[str | ServiceError], seen: list[bool | ServiceError]) -> None:
        self._calls = calls
        self._seen = seen
        self.now = 0.0
        self.called_at: list[float] = []
        self.events: list[object] = []

    def call(self) -> str:
        self.called_at.append(self.now)
        outcome = self._calls.pop(0)
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome

    def twin(self, device_id: str, *, patient: bool = True) -> dict[str, Any]:
        del patient
        seen = self._seen.pop(0) if len(self._seen) > 1 else self._seen[0]
        if isinstance(seen, ServiceError):
            raise seen
        return {"deviceId": device_id, "connectionState": "Connected" if seen else "Disconnected"}

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def look(self, timeout_s: float | None = None) -> dict[str, Any]:
        return first_look(
            lambda patient: self.twin("d1", patient=patient),
            timeout_s=timeout_s,
            on_event=self.events.append,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def wait(self, timeout_s: float | None = None) -> str:
        return when_online(
            self.call,
            self,
            "d1",
            timeout_s=timeout_s,
            on_event=self.events.append,
            clock=lambda: self.now,
            sleep=self.sleep,
        )


def test_device_that_is_there_is_called_at_once() -> None:
    """Nothing is waited for, and nothing told."""
    device = _Device(["yes"], [False])
    assert device.wait() == "yes"
    assert (device.called_at, device.events) == ([0.0], [])


def test_device_is_called_again_once_the_hub_sees_it() -> None:
    """In between only its twin is read, in growing pauses; that it is waited for is told once."""
    device = _Device([_OFFLINE, "yes"], [False, False, True])
    assert device.wait() == "yes"
    assert device.called_at == [0.0, 1.0 + 2.0 + 4.0]
    assert device.events == [_OFFLINE]


def test_device_that_does_not_listen_yet_is_called_again() -> None:
    """What the hub shows may be late, so only a call tells; there is a pause before each."""
    device = _Device([_OFFLINE, _OFFLINE, _OFFLINE, "yes"], [True])
    assert device.wait() == "yes"
    assert device.called_at == [0.0, 1.0, 3.0, 7.0]
    assert device.events == [_OFFLINE]


def test_pauses_stay_below_ten_seconds() -> None:
    """A device that comes after an hour is called within ten seconds."""
    device = _Device([_OFFLINE, "yes"], [*[False] * 100, True])
    device.wait()
    assert device.called_at[1] == 1 + 2 + 4 + 8 + 97 * 10


def test_waiting_has_an_end() -> None:
    """The device is still offline then, so nothing has reached it; the last pause is cut to the time that is left."""
    device = _Device([_OFFLINE], [False])
    with pytest.raises(DeviceOfflineError, match="not come online within 5 s: the hub says so") as caught:
        device.wait(timeout_s=5.0)
    assert "Nothing has reached it" in caught.value.fix
    assert device.now == 5.0


def test_call_that_may_have_run_is_not_made_again() -> None:
    """Silence is no absence."""
    device = _Device([_OFFLINE, DeviceTimeoutError("no answer")], [True])
    with pytest.raises(DeviceTimeoutError):
        device.wait()
    assert len(device.called_at) == 2


def test_absence_of_the_hub_is_survived() -> None:
    """The hub may go away while somebody waits for a device."""
    device = _Device([_OFFLINE, "yes"], [False, _AWAY, True])
    assert device.wait() == "yes"
    assert device.events == [_OFFLINE, HubAway(_AWAY), HubBack(8.0)]


def test_device_that_is_deleted_is_waited_for_no_longer() -> None:
    """What time does not cure is raised."""
    with pytest.raises(DeviceNotFoundError):
        _Device([_OFFLINE], [DeviceNotFoundError("gone")]).wait()


@pytest.mark.parametrize("error", [_AWAY, ThrottledError("429")], ids=["away", "throttling"])
def test_first_look_waits_for_the_hub(error: ServiceError) -> None:
    """That it is away, or asks for patience, is told once, and when it is there."""
    device = _Device([], [error, error, True])
    assert device.look()["deviceId"] == "d1"
    assert device.events == [HubAway(error), HubBack(1.0 + 2.0)]


@pytest.mark.parametrize(("timeout_s", "waited_s"), [(10.0, 10.0), (None, 605.0)])
def test_first_look_has_an_end(timeout_s: float | None, waited_s: float) -> None:
    """After the timeout, or ten minutes; the reason is what the hub, or its absence, said."""
    device = _Device([], [_AWAY])
    with pytest.raises(HubUnreachableError, match="no connection"):
        device.look(timeout_s)
    assert device.now == waited_s


def test_first_look_at_nobody_fails_at_once() -> None:
    """Time does not cure that."""
    device = _Device([], [DeviceNotFoundError("gone")])
    with pytest.raises(DeviceNotFoundError):
        device.look(10.0)
    assert device.now == 0.0


def test_timeout_may_have_begun_before() -> None:
    """What it was given is told, not what is left of it."""
    device = _Device([_OFFLINE], [False])
    device.now = 7.0
    with pytest.raises(DeviceOfflineError, match="within 9 s"):
        when_online(
            device.call,
            device,
            "d1",
            timeout_s=9.0,
            since=0.0,
            on_event=device.events.append,
            clock=lambda: device.now,
            sleep=device.sleep,
        )
    assert device.now == 9.0
