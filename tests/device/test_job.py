"""Jobs and what runs them."""

from __future__ import annotations

import threading

import pytest

from fwsm.device.job import InlineRunner, Job, StopEvent, ThreadRunner
from tests.patience import PATIENCE_S


@pytest.mark.parametrize("runner", [InlineRunner(), ThreadRunner()])
def test_a_job_rings_and_gives_its_result(runner: InlineRunner | ThreadRunner) -> None:
    """The bell rings when the work has ended, and then there is a result."""
    bell = threading.Event()
    job = Job(lambda _stop: 42, bell.set)
    runner.start(job)
    assert bell.wait(PATIENCE_S)
    assert job.ended
    assert job.result() == 42


def test_a_job_raises_in_the_thread_that_takes_the_result() -> None:
    """What the work raised, even a BaseException, reaches whoever asks for the result."""

    class CutError(BaseException):
        pass

    def work(_stop: threading.Event) -> None:
        raise CutError

    job = Job(work, lambda: None)
    ThreadRunner().start(job)
    assert job.wait(PATIENCE_S)
    with pytest.raises(CutError):
        job.result()


def test_a_job_sees_its_stop_event() -> None:
    """The work gets the event that `job.stop` is."""
    job = Job(lambda stop: stop.wait(PATIENCE_S), lambda: None)
    ThreadRunner().start(job)
    assert not job.wait(0)
    job.stop.set()
    assert job.wait(PATIENCE_S)
    assert job.result() is True


def test_looking_at_the_stop_event_is_counted() -> None:
    """Asking and waiting alike; setting it is not looking."""
    stop = StopEvent()
    stop.set()
    assert stop.looks == 0
    assert stop.is_set()
    looks = stop.looks
    assert stop.wait(0)
    assert 0 < looks < stop.looks


def test_a_job_knows_whether_it_is_asked_by_its_own_work() -> None:
    """Which must not wait for the end of it; in another thread, and afterwards, it is asked by somebody else."""
    seen: list[bool] = []
    job = Job(lambda _stop: seen.append(job.runs_here), lambda: None)
    assert not job.runs_here
    ThreadRunner().start(job)
    assert job.wait(PATIENCE_S)
    assert seen == [True]
    job.run()
    assert seen == [True, True]
    assert not job.runs_here
