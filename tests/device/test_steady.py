"""A clock that fails is gone on with."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from fwsm.core.moment import Moment
from fwsm.core.update import State
from fwsm.device.examined import Examiner
from fwsm.device.mishaps import Mishaps
from fwsm.device.ports import MethodCall
from fwsm.errors import ConfigError
from fwsm.testing.clock import FakeClock
from fwsm.testing.link import MemoryLink
from tests.device.life import URI, Life
from tests.device.test_device import new_device
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path


class WildClock(FakeClock):
    """Reads what a test gives it.

    Attributes:
        reading: what `now` answers, or raises; None for the time.
        waited: what `wait` answers, or raises; None for what is so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reading: Any = None
        self.waited: Any = None

    def now(self) -> Moment:
        """As told."""
        return cast("Moment", _given(self.reading)) if self.reading is not None else super().now()

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """As told."""
        return bool(_given(self.waited)) if self.waited is not None else super().wait(event, timeout_s)


def _given(answer: object) -> object:
    if isinstance(answer, Exception):
        raise answer
    return answer


GOOD = FakeClock().now()


@pytest.mark.parametrize(
    "reading",
    [
        5.0,
        replace(GOOD, wall=datetime(2026, 1, 1)),  # noqa: DTZ001  # that is what is wrong with it
        replace(GOOD, wall=datetime.max.replace(tzinfo=UTC)),
        replace(GOOD, boottime_s=math.nan),
        replace(GOOD, boottime_s=GOOD.boottime_s - 50.0),
        OSError("the chip does not answer"),
    ],
)
def test_a_clock_that_fails_is_gone_on_with(reading: object, caplog: pytest.LogCaptureFixture) -> None:
    """From its last good reading, in the same boot, forwards; it is said once, and it may recover."""
    mishaps, clock = Mishaps(), WildClock()
    examined = Examiner(mishaps).clock(clock)
    clock.reading = reading
    readings = [GOOD, *(examined.now() for _ in range(5))]
    assert sorted(readings, key=lambda moment: moment.boottime_s) == readings
    assert {moment.boot_id for moment in readings} == {GOOD.boot_id}
    assert sorted(readings, key=lambda moment: moment.wall) == readings
    (mishap,) = mishaps.taken()
    assert mishap.message.startswith("the clock's now ")
    assert len(caplog.records) == 1
    clock.reading = None
    clock.advance(1000.0)
    assert examined.now() == clock.now()


def test_an_update_goes_on_under_a_clock_that_fails(life: Life) -> None:
    """No wrong time is stored."""
    clock = WildClock()
    life.clock = clock
    life.restart()
    clock.reading = Moment(cast("datetime", None), math.nan, cast("str", None))
    life.agent.deliver(MethodCall("firmwareUpdate", {"fwPackageUri": URI}, lambda _status, _body: None))
    now = GOOD
    while life.agent.update is None or life.agent.update.state is not State.REBOOTING:
        life.agent.step(now)
    assert life.agent.update.started_waiting_at is not None
    assert life.agent.update.started_waiting_at.year == GOOD.wall.year


def test_a_wait_that_fails_is_made_good() -> None:
    """The agent does not go round in a circle for it, and a bell still ends it."""
    mishaps, clock, event = Mishaps(), WildClock(), threading.Event()
    examined = Examiner(mishaps).clock(clock)
    clock.waited = OSError("no such timer")
    waited: list[bool] = []

    def wait() -> None:
        waited.append(examined.wait(event, 0.01))
        event.set()
        waited.extend([examined.wait(event, None), examined.wait(event, 1e12)])

    elsewhere = threading.Thread(target=wait)
    elsewhere.start()
    elsewhere.join(PATIENCE_S)
    assert waited == [False, True, True]
    (mishap,) = mishaps.taken()
    assert mishap.message == "the clock's wait raised OSError: no such timer"


def test_a_wait_that_answers_nothing_is_made_good() -> None:
    """In any thread: nobody has raised anything."""

    class Mute(FakeClock):
        def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
            super().wait(event, timeout_s)
            return cast("bool", None)

    mishaps, event = Mishaps(), threading.Event()
    examined = Examiner(mishaps).clock(Mute())
    assert not examined.wait(event, 0.01)
    event.set()
    assert examined.wait(event, None)
    assert [mishap.message.split(":")[0] for mishap in mishaps.taken()] == ["the clock's wait answered None"]


def test_what_is_raised_in_the_main_thread_may_come_from_a_signal_handler() -> None:
    """So it comes through, and ends the run; the clock is not blamed for it."""
    mishaps, clock = Mishaps(), WildClock()
    clock.waited = OSError("the handler of a program")
    with pytest.raises(OSError, match="the handler of a program"):
        Examiner(mishaps).clock(clock).wait(threading.Event(), 0.01)
    assert list(mishaps.taken()) == []


def test_a_clock_that_cannot_be_read_at_all_is_refused(tmp_path: Path) -> None:
    """When the device is made: there is nothing to go on from."""
    clock = WildClock()
    clock.reading = 5.0
    with pytest.raises(ConfigError, match=r"the clock cannot be used: the clock's now answered 5\.0, and a Moment is"):
        new_device(tmp_path / "state", MemoryLink(), clock=clock)
    clock.reading = OSError("no such chip")
    with pytest.raises(ConfigError, match="OSError: no such chip"):
        new_device(tmp_path / "state", MemoryLink(), clock=clock)
    assert list(tmp_path.iterdir()) == []
