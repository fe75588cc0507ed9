"""Our clocks keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from fwsm.device.clock import SystemClock
from fwsm.errors import PartError
from fwsm.testing.clock import FakeClock
from fwsm.testing.contracts import ClockContract

if TYPE_CHECKING:
    import threading

    from fwsm.core.moment import Moment


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


class Hasty(FakeClock):
    """Answers what it must not."""

    def now(self) -> Moment:
        """A number."""
        return cast("Moment", self.boottime_s)

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Nothing."""
        super().wait(event, timeout_s)
        return cast("bool", None)


def test_a_wrong_answer_is_told_to_its_author() -> None:
    """In the words that a device would use."""
    contract = ClockContract()
    with pytest.raises(PartError, match=r"the clock's now answered 100\.0: a Moment is wanted"):
        contract.test_a_reading_is_a_moment(Hasty())
    with pytest.raises(PartError, match="the clock's wait answered None: True or False is wanted"):
        contract.test_waiting_ends_without_the_event(Hasty())
