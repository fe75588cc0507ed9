"""When the agent takes its steps, and how long it sleeps in between."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from fwsm.device.clock import SystemClock
from fwsm.device.turns import Turns
from fwsm.errors import StoreError, StoreLockedError
from fwsm.testing.clock import FakeClock
from tests.device.life import LateEvent
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from fwsm.core.moment import Moment


class Slept(FakeClock):
    """Notes how long each sleep is."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeps: list[float | None] = []

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Note it, and let the time pass."""
        self.sleeps.append(timeout_s)
        return super().wait(event, timeout_s)


def slept(*answers: float | StoreError | None, beats: float | None = None) -> list[float | None]:
    """How long it sleeps after steps that come to this, the last of them stopped."""
    clock, script = Slept(), list(answers)

    def step(_now: Moment) -> float | None:
        answer = script.pop(0)
        if not script:
            turns.stop()
        if isinstance(answer, StoreError):
            raise answer
        return answer

    turns = Turns(step, lambda _now: beats, clock)
    turns.run()
    return clock.sleeps


@pytest.mark.parametrize(
    ("wait_s", "beats", "sleeps_s"), [(3.0, None, 3.0), (3.0, 2.0, 2.0), (None, 7.0, 7.0), (1e9, 1e8, 60.0)]
)
def test_it_sleeps_until_the_first_wants_to_be_called(
    wait_s: float | None, beats: float | None, sleeps_s: float
) -> None:
    """The step, or the heartbeat; and never long."""
    assert slept(wait_s, 0.0, beats=beats) == [sleeps_s]


def test_while_there_is_something_to_do_it_does_not_sleep() -> None:
    """Step after step."""
    assert slept(0.0, 0.0, 0.0, 0.0) == []


def test_with_nothing_to_do_it_looks_each_minute() -> None:
    """A database that was removed rings no bell."""
    assert slept(None, None, 0.0) == [60.0, 60.0]


def test_a_store_that_says_no_is_asked_again_after_a_pause() -> None:
    """The disk may be full."""
    assert slept(StoreError("the disk is full"), StoreError("still"), 0.0) == [5.0, 5.0]


@pytest.mark.parametrize("error", [LookupError("a bug"), StoreLockedError("another agent works here")])
def test_whatever_else_a_step_raises_ends_them(error: Exception) -> None:
    """A bug; or a second agent, beside which this one must do nothing."""

    def step(_now: Moment) -> float | None:
        raise error

    with pytest.raises(type(error)):
        Turns(step, lambda _now: None, FakeClock()).run()


def test_a_stop_is_never_missed() -> None:
    """One that comes just after `run` has looked for it still wakes it."""
    turns = Turns(lambda _now: None, lambda _now: None, SystemClock("boot-1"))
    turns._stopping = LateEvent(turns.stop)
    running = threading.Thread(target=turns.run, daemon=True)
    running.start()
    running.join(PATIENCE_S)
    assert not running.is_alive()
