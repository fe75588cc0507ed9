"""Limits of a real hub, on a clock that stands still until it is moved."""

from __future__ import annotations

import pytest

from fwsm.errors import HubError
from fwsm.hub.throttles import Load, Throttles


class Clock:
    """A monotonic clock in hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_hub_without_limits_takes_everything() -> None:
    """Throttling is off unless it is asked for."""
    throttles = Throttles(Clock())
    assert all(throttles.admits(Load.TWIN_UPDATE) for _ in range(1000))
    assert throttles.wait_s(Load.TELEMETRY) == 0


def test_twin_updates_are_fifty_a_second() -> None:
    """The fifty-first is refused; a fiftieth of a second later one more comes through."""
    clock = Clock()
    throttles = Throttles(clock)
    throttles.set(1)
    assert [throttles.admits(Load.TWIN_UPDATE) for _ in range(52)] == [True] * 50 + [False] * 2
    clock.now += 0.021
    assert [throttles.admits(Load.TWIN_UPDATE) for _ in range(2)] == [True, False]
    assert throttles.admits(Load.TWIN_READ)


def test_units_count_where_they_do() -> None:
    """A hundred connections a second, or twelve a unit if that is more."""
    throttles = Throttles(Clock())
    throttles.set(10)
    assert sum(throttles.admits(Load.CONNECT) for _ in range(200)) == 120


def test_telemetry_waits_for_its_turn() -> None:
    """Beyond the limit each message waits a hundredth of a second longer than the one before."""
    throttles = Throttles(Clock())
    throttles.set(1)
    waits = [throttles.wait_s(Load.TELEMETRY) for _ in range(103)]
    assert waits[:100] == [0.0] * 100
    assert waits[100:] == pytest.approx([0.01, 0.02, 0.03])


def test_limits_can_be_lifted_again() -> None:
    """0 units are no limits."""
    throttles = Throttles(Clock())
    throttles.set(1)
    while throttles.admits(Load.MESSAGE):
        pass
    throttles.set(0)
    assert throttles.admits(Load.MESSAGE)


@pytest.mark.parametrize("units", [-1, 201])
def test_impossible_hub_is_refused(units: int) -> None:
    """The service sells 1 to 200 units."""
    with pytest.raises(HubError, match="1 to 200"):
        Throttles(Clock()).set(units)
