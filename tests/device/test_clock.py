from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from fwsm.device.clock import SystemClock


def test_wall_time_is_utc() -> None:
    """The wall time carries its zone and lies between two readings of the machine's own."""
    before = datetime.now(UTC)
    wall = SystemClock().now().wall
    assert wall.tzinfo is UTC
    assert before <= wall <= datetime.now(UTC)


def test_boottime_is_the_boot_clock() -> None:
    """The boot clock is the kernel's, suspension included."""
    before_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    boottime_s = SystemClock().now().boottime_s
    assert before_s <= boottime_s <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_the_boot_id_is_the_kernels() -> None:
    """Without an own boot id the kernel's names the boot."""
    assert SystemClock().now().boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_a_boot_id_can_be_given() -> None:
    """A fixed boot id stands for the kernel's."""
    assert SystemClock("boot-7").now().boot_id == "boot-7"


def test_a_simulated_reboot_changes_the_boot_id() -> None:
    """A function is asked for the boot id at each reading."""
    boots = iter(["boot-1", "boot-2"])
    clock = SystemClock(lambda: next(boots))
    assert [clock.now().boot_id, clock.now().boot_id] == ["boot-1", "boot-2"]


def test_wait_ends_with_the_event() -> None:
    """A set event ends a wait of any length, one without end included."""
    event = threading.Event()
    event.set()
    assert SystemClock().wait(event, None)
    assert SystemClock().wait(event, 1e300)


def test_wait_ends_with_the_time() -> None:
    """Without the event the wait ends after its time, and says so."""
    before_s = time.monotonic()
    assert not SystemClock().wait(threading.Event(), 0.01)
    assert time.monotonic() - before_s >= 0.01
    assert not SystemClock().wait(threading.Event(), -5)
