"""The clock that jumps."""

from __future__ import annotations

import threading
from datetime import timedelta

from fwsm.testing.clock import FakeClock


def test_time_passes_when_somebody_waits_and_never_by_itself() -> None:
    """Both clocks go on by what was waited for, at once."""
    clock = FakeClock()
    before = clock.now()
    assert clock.now() == before
    assert not clock.wait(threading.Event(), 3600.0)
    after = clock.now()
    assert after.boottime_s - before.boottime_s == 3600.0
    assert after.wall - before.wall == timedelta(hours=1)


def test_an_event_that_is_set_is_not_waited_for() -> None:
    """Nor does time pass for it, or for a wait without an end."""
    clock, event = FakeClock(), threading.Event()
    before = clock.now()
    assert not clock.wait(event, None)
    event.set()
    assert clock.wait(event, 3600.0)
    assert clock.now() == before


def test_a_reboot_starts_the_boot_clock_again() -> None:
    """Wall time goes on, and the boot has another name."""
    clock = FakeClock()
    before = clock.now()
    clock.reboot("boot-2")
    after = clock.now()
    assert (after.wall, after.boot_id) == (before.wall, "boot-2")
    assert after.boottime_s < before.boottime_s
