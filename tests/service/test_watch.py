"""Following an update, on canned twins and a clock that only moves when the watcher sleeps."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from fwsm.errors import (
    DeviceNotFoundError,
    DeviceTimeoutError,
    HubUnreachableError,
    ServiceError,
    ThrottledError,
    UpdateFailedError,
)
from fwsm.service.presence import HubAway, HubBack
from fwsm.service.section import Section
from fwsm.service.watch import Snapshot, watch

_Look: TypeAlias = "dict[str, Any] | ServiceError | None"

_AWAY = HubUnreachableError("no connection")


class _Twins:
    """A hub that shows one prepared section, or fails, at each look; the last one for ever. Also the clock."""

    def __init__(self, *looks: _Look) -> None:
        self._looks = list(looks)
        self.now = 1000.0
        self.slept: list[float] = []
        self.patience: list[bool] = []

    def twin(self, device_id: str, *, patient: bool = True) -> dict[str, Any]:
        assert device_id == "d1"
        self.patience.append(patient)
        look = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        if isinstance(look, ServiceError):
            raise look
        return {"properties": {"reported": {} if look is None else {"iothubDM": {"firmwareUpdate": look}}}}

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def watch(self, **options: Any) -> list[Any]:
        events = watch(self, "d1", clock=self.clock, sleep=self.sleep, **options)
        return [
            ((event.section.update_id, event.section.status) if isinstance(event, Snapshot) else event)
            for event in events
        ]


def _section(status: str, update_id: str | None = "u2", **more: Any) -> dict[str, Any]:
    return {"status": status} | ({"updateId": update_id} if update_id else {}) | more


def test_each_change_is_shown_once_until_the_end() -> None:
    """A look that finds nothing new says nothing, and the watch ends with the settled section."""
    twins = _Twins(_section("waiting"), _section("waiting"), _section("applying"), _section("applyComplete"))
    assert twins.watch() == [("u2", "waiting"), ("u2", "applying"), ("u2", "applyComplete")]
    assert twins.slept == [0.5] * 3


def test_snapshot_tells_when() -> None:
    """Elapsed seconds count from the beginning of the watch."""
    twins = _Twins(_section("waiting"), _section("applyComplete"))
    events = list(watch(twins, "d1", interval_s=2.0, clock=twins.clock, sleep=twins.sleep))
    assert [event.elapsed_s for event in events if isinstance(event, Snapshot)] == [0.0, 2.0]


def test_progress_is_a_change() -> None:
    """The same status with more bytes is news."""
    looks = [_section("downloading", progress={"percent": percent}) for percent in (1, 2)]
    assert len(_Twins(*looks, _section("applyComplete")).watch()) == 3


def test_end_of_an_earlier_update_does_not_count_by_id() -> None:
    """Right after a trigger the twin still shows how the last update went."""
    twins = _Twins(_section("applyFailed", "u1"), _section("applyFailed", "u1"), _section("applyComplete"))
    assert twins.watch(update_id="u2") == [("u2", "applyComplete")]


def test_same_update_asked_for_twice_is_settled_at_once() -> None:
    """A device that answers with the id of an update which it has done already needs no second one."""
    done = _section("applyComplete")
    assert _Twins(done).watch(update_id="u2", before=Section(done)) == [("u2", "applyComplete")]


def test_end_of_an_earlier_update_does_not_count_by_change() -> None:
    """A device without ids is watched from the first change on; a second failure like the first is an end again."""
    old = _section("downloadfailed", None, startedWaitingTime="1")
    twins = _Twins(old, old, old | {"status": "waiting", "startedWaitingTime": "2"}, old)
    assert twins.watch(before=Section(old)) == [("", "waiting"), ("", "downloadFailed")]


def test_update_that_gives_way_to_another_ends_the_watch() -> None:
    """Once ours was seen, another id on the twin means that it was superseded."""
    twins = _Twins(_section("downloading"), _section("waiting", "u3"))
    with pytest.raises(UpdateFailedError, match="instead of u2"):
        twins.watch(update_id="u2")


def test_device_that_reports_nothing_is_waited_for() -> None:
    """No section yet is no end."""
    assert _Twins(None, None, _section("applyComplete")).watch() == [("u2", "applyComplete")]


@pytest.mark.parametrize(
    ("look", "why"), [(_section("downloading"), "it is downloading"), (None, "the device has not reported it yet")]
)
def test_time_runs_out_with_the_last_that_is_known(look: _Look, why: str) -> None:
    """A watch ends in time even if the last pause would be longer; the update goes on."""
    twins = _Twins(look)
    with pytest.raises(DeviceTimeoutError, match=r"within 1\.2 s") as caught:
        twins.watch(timeout_s=1.2)
    assert caught.value.why == why
    assert twins.now == pytest.approx(1001.2)


@pytest.mark.parametrize("error", [_AWAY, ThrottledError("patience")])
def test_absence_of_the_hub_is_told_once_and_survived(error: ServiceError) -> None:
    """The watch looks again in growing pauses, and says for how long the hub was away."""
    twins = _Twins(_section("waiting"), error, error, error, _section("applyComplete"))
    assert twins.watch() == [("u2", "waiting"), HubAway(error), HubBack(7.0), ("u2", "applyComplete")]
    assert twins.slept == [0.5, 1.0, 2.0, 4.0]


def test_second_absence_is_told_again() -> None:
    """Each absence has its own beginning and end."""
    twins = _Twins(_section("waiting"), _AWAY, _section("waiting"), _AWAY, _section("applyComplete"))
    assert twins.watch()[1:-1] == [HubAway(_AWAY), HubBack(1.0), HubAway(_AWAY), HubBack(1.0)]


def test_hub_that_was_never_there_is_an_error() -> None:
    """Only the first look has patience of its own; when that ends, so does the watch."""
    twins = _Twins(_AWAY)
    with pytest.raises(HubUnreachableError):
        twins.watch()
    assert twins.patience == [True]


def test_hub_that_stays_away_is_given_up() -> None:
    """Nobody sits and watches nothing for more than about ten minutes."""
    twins = _Twins(_section("waiting"), _AWAY)
    with pytest.raises(HubUnreachableError):
        twins.watch()
    assert 600 < twins.now - 1000 < 620
    assert max(twins.slept) == 10.0
    assert not any(twins.patience[1:])


def test_device_that_is_deleted_ends_the_watch() -> None:
    """What time does not cure is raised."""
    with pytest.raises(DeviceNotFoundError):
        _Twins(_section("waiting"), DeviceNotFoundError("gone")).watch()


def test_timeout_may_have_begun_before_the_watch() -> None:
    """What it was given is told, not what is left of it."""
    twins = _Twins(_section("waiting"))
    with pytest.raises(DeviceTimeoutError, match="not settled within 30 s"):
        twins.watch(timeout_s=30.0, since=980.0)
    assert twins.now == 1010.0
