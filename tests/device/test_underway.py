"""One job at a time, and what comes of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import Request, State, Update
from fwsm.device.job import InlineRunner, ThreadRunner
from fwsm.device.outcome import Fact, Task, Wait
from fwsm.device.underway import Underway
from fwsm.testing.clock import FakeClock
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

UPDATE = Update(id="u1", request=Request("https://images.example/1.img"), state=State.DOWNLOADING, boot_id="boot-1")
LOADED = Fact(Trigger.DOWNLOAD_VERIFIED)


class Script:
    """What a state asks for, said in advance; counts how often it was asked, and hears the bell."""

    def __init__(self, *answers: Fact | Task | Wait) -> None:
        self.answers = list(answers)
        self.rings = 0

    def begin(self, _update: Update, _now: object) -> Fact | Task | Wait:
        """The next answer."""
        return self.answers.pop(0)

    def ring(self) -> None:
        """A job has ended."""
        self.rings += 1


def at_once(result: Fact | Wait) -> Task:
    """Work that takes no time."""
    return Task(lambda _stop: result)


def started(*answers: Fact | Task | Wait) -> tuple[Underway, Script, FakeClock]:
    """One with this script, whose jobs run at once."""
    script = Script(*answers)
    return Underway(script.begin, InlineRunner(), script.ring), script, FakeClock()


@pytest.mark.parametrize("wait_s", [None, 5.0])
def test_what_needs_no_job_is_told_at_once(wait_s: float | None) -> None:
    """A fact, or a wait."""
    underway, script, clock = started(LOADED, Wait(wait_s))
    assert underway.step(UPDATE, clock.now()) is LOADED
    assert underway.step(UPDATE, clock.now()) == wait_s
    assert script.rings == 0


def test_a_result_is_told_until_it_is_settled() -> None:
    """A commit that failed costs no work: the job does not run again."""
    underway, script, clock = started(at_once(LOADED), Wait(1.0))
    assert underway.step(UPDATE, clock.now()) == 0.0
    assert script.rings == 1
    assert [underway.step(UPDATE, clock.now()) for _ in range(3)] == [LOADED] * 3
    underway.settle()
    assert underway.step(UPDATE, clock.now()) == 1.0


def test_a_job_that_asks_for_time_gets_it() -> None:
    """Then the state is asked again; a fact meanwhile ends the pause."""
    underway, script, clock = started(at_once(Wait(30.0)), at_once(Wait(30.0)), LOADED)
    assert [underway.step(UPDATE, clock.now()) for _ in range(2)] == [0.0, 0.0]
    clock.advance(10.0)
    assert underway.step(UPDATE, clock.now()) == pytest.approx(20.0)
    clock.advance(20.0)
    assert [underway.step(UPDATE, clock.now()) for _ in range(2)] == [0.0, 0.0]
    assert not script.answers[1:]
    underway.settle()
    assert underway.step(UPDATE, clock.now()) is LOADED


def test_a_job_may_leave_the_rest_to_the_bell() -> None:
    """As one that has ordered a reboot: after it, the state is asked again at the next ring."""
    underway, _script, clock = started(at_once(Wait(30.0)), at_once(Wait()), LOADED)
    for _ in range(2):
        underway.step(UPDATE, clock.now())
    clock.advance(30.0)
    assert underway.step(UPDATE, clock.now()) == 0.0
    assert underway.step(UPDATE, clock.now()) is None
    assert underway.step(UPDATE, clock.now()) is LOADED


def test_what_comes_of_it_counts_only_for_the_update_it_was_begun_for() -> None:
    """A record that was cancelled meanwhile is another one."""
    underway, _script, clock = started(at_once(LOADED), Wait(7.0))
    underway.step(UPDATE, clock.now())
    cancelled = replace(UPDATE, state=State.DOWNLOAD_FAILED)
    underway.abandon()
    assert underway.step(cancelled, clock.now()) == 0.0
    assert underway.step(cancelled, clock.now()) == 7.0


def test_a_pause_ends_when_the_update_is_another_one() -> None:
    """It was for what is no more."""
    underway, _script, clock = started(at_once(Wait(30.0)), LOADED)
    for _ in range(2):
        underway.step(UPDATE, clock.now())
    underway.abandon()
    assert underway.step(UPDATE, clock.now()) is LOADED


@pytest.mark.parametrize("end", [Underway.abandon, Underway.close])
def test_a_job_is_told_to_break_off(end: Callable[[Underway], None]) -> None:
    """Whether the update or the agent has ended; an end waits for it."""
    seen: list[bool] = []

    def work(stop: threading.Event) -> Wait:
        seen.append(stop.wait(PATIENCE_S))
        return Wait()

    script = Script(Task(work))
    underway = Underway(script.begin, ThreadRunner(), script.ring)
    assert underway.step(UPDATE, FakeClock().now()) is None
    assert underway.step(UPDATE, FakeClock().now()) is None
    end(underway)
    underway.close()
    assert seen == [True]


def test_there_may_be_nothing_to_end() -> None:
    """No job, no pause."""
    underway, _script, clock = started(LOADED)
    underway.abandon()
    underway.settle()
    underway.close()
    assert underway.step(UPDATE, clock.now()) is LOADED


def test_a_job_shows_that_it_lives_by_looking_at_its_stop_event() -> None:
    """Each look makes another sign; without a job, or when it has ended, there is none."""
    asked, looked, end = threading.Event(), threading.Event(), threading.Event()

    def work(stop: threading.Event) -> Fact:
        asked.wait(PATIENCE_S)
        stop.is_set()
        looked.set()
        end.wait(PATIENCE_S)
        return LOADED

    ended = threading.Event()
    underway = Underway(Script(Task(work)).begin, ThreadRunner(), ended.set)
    signs = [underway.sign_of_life]
    underway.step(UPDATE, FakeClock().now())
    signs += [underway.sign_of_life, underway.sign_of_life]
    asked.set()
    assert looked.wait(PATIENCE_S)
    signs.append(underway.sign_of_life)
    end.set()
    assert ended.wait(PATIENCE_S)
    signs.append(underway.sign_of_life)
    before, first, still, later, after = signs
    assert before is None
    assert after is None
    assert first == still != later
    assert None not in {first, later}


def test_the_work_knows_that_it_is_under_way_from_its_first_moment() -> None:
    """Whoever closes the device there must not wait for himself."""
    seen: list[bool] = []

    def look(_stop: threading.Event) -> Wait:
        seen.append(underway.runs_here)
        return Wait(1.0)

    underway, _, clock = started(Task(look))
    assert not underway.runs_here
    underway.step(UPDATE, clock.now())
    assert seen == [True]
    assert not underway.runs_here


def test_work_that_cannot_begin_is_not_under_way() -> None:
    """The machine has no thread left: what is raised is raised, and the next step begins it again."""

    class Full:
        def start(self, _job: object) -> None:
            raise RuntimeError("can't start new thread")

    script = Script(at_once(LOADED), at_once(LOADED))
    underway = Underway(script.begin, Full(), script.ring)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            underway.step(UPDATE, FakeClock().now())
    assert script.answers == []
