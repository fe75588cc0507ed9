"""Our clocks keep the contract."""

from __future__ import annotations

import pytest

from fwsm.device.clock import SystemClock
from fwsm.testing.clock import FakeClock
from fwsm.testing.contracts import ClockContract


class TestSystemClock(ClockContract):
    """The machine's."""

    @pytest.fixture
    def clock(self) -> SystemClock:
        """With the kernel's boot id."""
        return SystemClock()


class TestFakeClock(ClockContract):
    """The one for tests."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """At its first moment."""
        return FakeClock()
