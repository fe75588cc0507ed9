"""The work that is under way: at most one job, or the pause before the next.

The agent asks it at each step, and is told a fact or how long to sleep. A fact is told again and again until the agent
has settled it: had its commit failed, the result would be taken once more, not the work done once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.moment import Deadline
from fwsm.device.job import Job
from fwsm.device.outcome import Fact, Task, Wait

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from fwsm.core.moment import Moment
    from fwsm.core.update import Update
    from fwsm.device.job import Runner

__all__ = ["Underway"]

# How long a stop waits for the job. Whatever it leaves behind is what a crash would leave.
_STOP_WAIT_S: Final = 5.0


class Underway:
    """What is being done for the update. Everything here happens in the agent's thread, except where it says so.

    Args:
        begin: what the state of an update asks for at this moment.
        runner: how jobs run.
        ring: called, from any thread, when a job has ended.
    """

    def __init__(
        self, begin: Callable[[Update, Moment], Fact | Task | Wait], runner: Runner, ring: Callable[[], None]
    ) -> None:
        self._begin = begin
        self._runner = runner
        self._ring = ring
        self._job: tuple[Update, Job[Fact | Wait]] | None = None
        self._not_before: Deadline | None = None

    def step(self, update: Update, now: Moment) -> Fact | float | None:
        """Begin what the state of the update asks for, or take the result of it.

        Returns:
            A fact, which is to be settled; or seconds until the next step; None if only the bell can bring that.
        """
        if self._job is not None:
            return self._result(*self._job, update, now)
        if self._not_before is not None and (left_s := self._not_before.remaining_s(now)) > 0:
            return left_s
        match self._begin(update, now):
            case Fact() as fact:
                return fact
            case Wait(seconds):
                return seconds
            case Task(run):
                job = Job(run, self._ring)
                self._job = (update, job)  # before it begins: it may look at once whether it is this
                try:
                    self._runner.start(job)
                except BaseException:
                    self._job = None
                    raise
                return 0.0 if job.ended else None

    @property
    def sign_of_life(self) -> object:
        """Of the job under way: another one each time it has looked at its stop event. None if no job is."""
        if self._job is None or self._job[1].ended:
            return None
        _update, job = self._job
        return id(job), job.stop.looks

    @property
    def runs_here(self) -> bool:
        """Whether it is this very thread that does the work; from any thread."""
        under_way = self._job
        return under_way is not None and under_way[1].runs_here

    def settle(self) -> None:
        """The fact has been committed: the next state begins at once."""
        self._job = None
        self._not_before = None

    def abandon(self) -> None:
        """The update is another one now: the job is to break off, and what comes of it does not count."""
        if self._job is not None:
            self._job[1].stop.set()
        self._not_before = None

    def close(self) -> None:
        """Break off, and wait a little for it."""
        if self._job is not None:
            _update, job = self._job
            job.stop.set()
            job.wait(_STOP_WAIT_S)

    def _result(self, begun_for: Update, job: Job[Fact | Wait], update: Update, now: Moment) -> Fact | float | None:
        if not job.ended:
            return None
        if begun_for is not update:
            self._job = None
            return 0.0  # cancelled or superseded meanwhile
        result = job.result()
        if isinstance(result, Fact):
            return result
        self._job = None
        self._not_before = None if result.seconds is None else Deadline.after(now, result.seconds)
        return None if result.seconds is None else 0.0
