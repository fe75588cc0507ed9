"""Following many devices, on canned twins and a clock that only moves when the watcher sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.errors import DeviceNotFoundError, HubUnreachableError, ServiceError, UnauthorizedError
from fwsm.service.fleet import Lost, Seen, sections, watch_fleet
from fwsm.service.presence import HubAway, HubBack
from fwsm.service.watch import Interest
from tests.service.player import TUTORIAL_REPORTS, Player

if TYPE_CHECKING:
    from fwsm.hub import Hub
    from fwsm.service import Client

_AWAY = HubUnreachableError("no connection")


class _Twins:
    """Shows each device's prepared statuses, one a look, the last one for ever; errors are raised. Also the clock."""

    def __init__(self, **looks: list[str | ServiceError]) -> None:
        self._looks = looks
        self.now = 0.0
        self.slept: list[float] = []
        self.read: list[str] = []

    def twin(self, device_id: str, *, patient: bool = True) -> dict[str, Any]:
        del patient
        self.read.append(device_id)
        looks = self._looks[device_id]
        look = looks.pop(0) if len(looks) > 1 else looks[0]
        if isinstance(look, ServiceError):
            raise look
        update_id, _, status = look.partition(" ")
        return {"properties": {"reported": {"iothubDM": {"firmwareUpdate": {"updateId": update_id, "status": status}}}}}

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def watch(self, **options: Any) -> list[Any]:
        interests = {name: Interest(name, "u2", None) for name in self._looks}
        events = watch_fleet(self, interests, clock=lambda: self.now, sleep=self.sleep, **options)
        return [(e.device_id, e.section.status) if isinstance(e, Seen) else e for e in events]


def test_each_device_is_followed_to_its_own_end() -> None:
    """One that has settled is read no more; what an earlier update left does not count."""
    twins = _Twins(d1=["u2 waiting", "u2 applyComplete"], d2=["u1 applyFailed", "u2 waiting", "u2 applyFailed"])
    assert twins.watch() == [("d1", "waiting"), ("d1", "applyComplete"), ("d2", "waiting"), ("d2", "applyFailed")]
    assert twins.read == ["d1", "d2", "d1", "d2", "d2"]


def test_device_that_is_lost_does_not_hold_up_the_others() -> None:
    """Deleted, or turned to another update."""
    twins = _Twins(
        d1=[DeviceNotFoundError("gone")], d2=["u2 waiting", "u3 waiting"], d3=["u2 waiting", "u2 applyComplete"]
    )
    events = twins.watch()
    lost = {event.device_id: event.error.what for event in events if isinstance(event, Lost)}
    assert lost == {"d1": "gone", "d2": "d2 has turned to another update"}
    assert events[-1] == ("d3", "applyComplete")


def test_absence_of_the_hub_is_told_once_for_all() -> None:
    """The round is broken off, not repeated for each device."""
    twins = _Twins(d1=["u2 waiting", _AWAY, _AWAY, "u2 applyComplete"], d2=["u2 applyComplete"])
    assert twins.watch() == [
        ("d1", "waiting"),
        ("d2", "applyComplete"),
        HubAway(_AWAY),
        HubBack(3.0),
        ("d1", "applyComplete"),
    ]


def test_time_runs_out() -> None:
    """The watch ends without an error: what is known of each device is the result."""
    twins = _Twins(d1=["u2 waiting"], d2=["u2 applyComplete"])
    assert twins.watch(timeout_s=1.2) == [("d1", "waiting"), ("d2", "applyComplete")]
    assert twins.now == pytest.approx(1.2)


def test_many_devices_are_read_twenty_a_second_at_most() -> None:
    """The hub's room for reads is the devices' too."""
    twins = _Twins(
        **{f"d{number}": list[str | ServiceError](["u2 waiting", "u2 applyComplete"]) for number in range(100)}
    )
    twins.watch()
    assert twins.slept == [5.0]


def test_what_concerns_all_devices_is_raised() -> None:
    """A key that was taken back ends the watch."""
    with pytest.raises(UnauthorizedError):
        _Twins(d1=["u2 waiting", UnauthorizedError("no")], d2=["u2 waiting"]).watch()


def test_no_device_is_no_wait() -> None:
    """If none has accepted there is nothing to follow."""
    assert _Twins().watch() == []


def test_what_was_reported_before_is_read_by_condition(hub: Hub, client: Client) -> None:
    """By device; those without an update are left out."""
    hub.add_device("d2")
    hub.add_device("d3")
    with Player(hub, "d1") as player:
        player.report(TUTORIAL_REPORTS[0])
        hub.wait_twin("d1", lambda twin: "iothubDM" in twin["properties"]["reported"])
    found = sections(client, "deviceId IN ['d1', 'd2']")
    assert {name: section.status for name, section in found.items()} == {"d1": "waiting"}
    assert set(sections(client, "*")) == {"d1"}
