"""The contract of a clock."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fwsm.device.answers import Asked

if TYPE_CHECKING:
    from fwsm.device.ports import Clock

__all__ = ["ClockContract"]


class ClockContract:
    """What `fwsm.device.ports.Clock` promises."""

    @pytest.fixture
    def clock(self) -> Clock:
        """The clock; override this."""
        raise NotImplementedError

    def test_a_reading_is_a_moment(self, clock: Clock) -> None:
        """With all that the device needs of it; one that is not is not used."""
        Asked("clock", "now").moment(clock.now())

    def test_wall_time_is_utc(self, clock: Clock) -> None:
        """Reports are written in UTC, so a reading says that it is."""
        assert clock.now().wall.utcoffset() == timedelta(0)

    def test_the_boot_clock_never_runs_backwards(self, clock: Clock) -> None:
        """Deadlines are counted on it."""
        readings = [clock.now().boottime_s for _ in range(100)]
        assert readings == sorted(readings)

    def test_a_boot_has_one_name(self, clock: Clock) -> None:
        """Another name means that the device was rebooted."""
        boots = {clock.now().boot_id for _ in range(10)}
        assert len(boots) == 1
        assert boots.pop()

    def test_waiting_ends_at_once_when_the_event_is_set(self, clock: Clock) -> None:
        """However long the timeout is, and without one."""
        event = threading.Event()
        event.set()
        assert _wait(clock, event, 3600.0)
        assert _wait(clock, event, None)

    def test_waiting_ends_without_the_event(self, clock: Clock) -> None:
        """And says that the event was not set."""
        assert not _wait(clock, threading.Event(), 0.01)

    def test_another_thread_may_read_it(self, clock: Clock) -> None:
        """The agent, the reporter and the download all do."""
        read: list[str] = []
        thread = threading.Thread(target=lambda: read.append(clock.now().boot_id))
        thread.start()
        thread.join(10)
        assert read == [clock.now().boot_id]


def _wait(clock: Clock, event: threading.Event, timeout_s: float | None) -> bool:
    return Asked("clock", "wait").yes_or_no(clock.wait(event, timeout_s))
