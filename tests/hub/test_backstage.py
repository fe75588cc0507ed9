"""What a hub does by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fwsm.errors import HubError
from fwsm.hub.backstage import Backstage
from fwsm.hub.engine import Engine
from fwsm.hub.jobs import Order
from fwsm.hub.state import EphemeralState
from fwsm.hub.turn import Turn
from tests.hub.jobs.scene import twin, until

if TYPE_CHECKING:
    import pytest


class StubbornState(EphemeralState):
    """A state that fails for a number of commits."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def commit(self) -> None:
        """Fail, or not."""
        if self.failures:
            self.failures -= 1
            raise HubError("the disk is full")


async def _until_done(state: StubbornState) -> None:
    engine = Engine(state, lambda: 0.0, lambda: 0.0)
    await Backstage(engine, Turn(state, asyncio.get_running_loop())).start()
    await until(lambda: not state.failures)
    engine.jobs.create(Order.from_body("j", twin(), 0.0))
    await until(lambda: not engine.jobs.active())


def test_word_of_work_is_heeded_at_once() -> None:
    """A job starts without waiting for the next look around."""
    asyncio.run(_until_done(StubbornState(0)))


def test_failed_commit_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and work goes on."""
    asyncio.run(_until_done(StubbornState(1)))
    assert "the disk is full" in caplog.text


class Knocked:
    """A clock that fails until it has been looked at so often."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self) -> float:
        """Return the time."""
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the spring is gone")
        return 0.0


def test_fault_of_one_part_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    """What has failed is logged, and tried again at the next look; the other parts go on."""

    async def scene() -> None:
        clock = Knocked(0)
        state = EphemeralState()
        engine = Engine(state, clock, lambda: 0.0)
        clock.failures = 1
        await Backstage(engine, Turn(state, asyncio.get_running_loop())).start()
        await until(lambda: not clock.failures)
        engine.jobs.create(Order.from_body("j", twin(), 0.0))
        await until(lambda: not engine.jobs.active())

    asyncio.run(scene())
    assert caplog.text.count("a part of the hub's own work has failed") == 1
    assert "the spring is gone" in caplog.text
