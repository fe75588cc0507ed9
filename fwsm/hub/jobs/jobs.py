"""All jobs of a hub, and their outcomes on each device: created, cancelled, listed, and forgotten after a month.

What IoT Hub is known to do, this does: a job that nobody created has the status `unknown`, and a second one is refused
while one is active, also if that one only waits for its time (the limit of the tiers F1 and S1).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fwsm.hub.events import JobEnded, WorkWaiting
from fwsm.hub.jobs.job import DeviceJob, Job, Status
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.hub.events import Events
    from fwsm.hub.jobs.order import Order
    from fwsm.hub.state import State

__all__ = ["Jobs"]

_JOB, _DEVICE_JOB = "job", "deviceJob"
_MOST_ACTIVE = 1
_KEPT_S = 30 * 24 * 3600


class Jobs:
    """The jobs of one hub. They are carried out by a `runner`.

    Args:
        state: where they are kept.
        events: told when there is something to do, and when a job is over.
        wall: the time in epoch seconds.
    """

    def __init__(self, state: State, events: Events, wall: Callable[[], float]) -> None:
        self._state = state
        self._events = events
        self._wall = wall
        self._jobs = {key: Job.from_record(record) for key, record in state.load(_JOB)}
        self._devices: dict[str, dict[str, DeviceJob]] = {job_id: {} for job_id in self._jobs}
        for _, record in state.load(_DEVICE_JOB):
            outcome = DeviceJob.from_record(record)
            self._devices[outcome.job_id][outcome.device_id] = outcome

    def create(self, order: Order) -> Job:
        """Take an order.

        Raises:
            Refusal: 409104, there is a job of this name; 429004, as many jobs are active as may be.
        """
        if order.job_id in self._jobs:
            raise Refusal(Why.JOB_EXISTS, f"A job with ID '{order.job_id}' exists already.")
        if len(self.active()) >= _MOST_ACTIVE:
            raise Refusal(
                Why.TOO_MANY_JOBS,
                f"{_MOST_ACTIVE} job is active or scheduled, and more are not allowed. Try again in 10 seconds.",
            )
        job = Job(order, self._wall())
        self._devices[order.job_id] = {}
        self.keep(job)
        self._events.publish(WorkWaiting())
        return job

    def cancel(self, job_id: str) -> Job:
        """Let a job end before it starts; it is cancelled a little later.

        Raises:
            Refusal: 404002, no such job; 405102, it has started, or has ended.
        """
        job = self._jobs.get(job_id)
        if job is None:
            raise Refusal(Why.JOB_NOT_FOUND, f"There is no job {job_id}.")
        if job.status not in {Status.QUEUED, Status.SCHEDULED}:
            raise Refusal(Why.NOT_ALLOWED_NOW, f"The job {job_id} is {job.status} and cannot be cancelled.")
        job = replace(job, cancelling=True)
        self.keep(job)
        self._events.publish(WorkWaiting())
        return job

    def find(self, job_id: str) -> Job | None:
        """Return a job, or None when there is no such."""
        return self._jobs.get(job_id)

    def listed(self) -> list[Job]:
        """Return all jobs in the order of their names."""
        return [self._jobs[job_id] for job_id in sorted(self._jobs)]

    def active(self) -> list[Job]:
        """Return the jobs that are not over."""
        return [job for job in self._jobs.values() if not job.over]

    def document(self, job: Job) -> dict[str, Any]:
        """Return a job as an operator reads it."""
        return job.document(Counter(outcome.status for outcome in self._devices[job.order.job_id].values()))

    def outcomes(self, job: Job) -> list[DeviceJob]:
        """Return how far a job has come on each of its devices, in the order of their names."""
        devices = self._devices[job.order.job_id]
        return [devices[device_id] for device_id in sorted(devices)]

    def all_outcomes(self) -> Iterator[DeviceJob]:
        """Return the outcomes of all jobs."""
        for job in self.listed():
            yield from self.outcomes(job)

    def keep(self, job: Job) -> None:
        """Put a job in the place of its older self."""
        self._jobs[job.order.job_id] = job
        self._state.put(_JOB, job.order.job_id, job)
        if job.over:
            self._events.publish(JobEnded(job.order.job_id))

    def keep_outcome(self, outcome: DeviceJob) -> None:
        """Put an outcome in the place of its older self."""
        self._devices[outcome.job_id][outcome.device_id] = outcome
        self._state.put(_DEVICE_JOB, outcome.key, outcome)

    def forget_old(self) -> None:
        """Forget the jobs that ended a month ago, with their outcomes."""
        before = self._wall() - _KEPT_S
        for job in [job for job in self._jobs.values() if job.ended_at is not None and job.ended_at < before]:
            for outcome in self.outcomes(job):
                self._state.put(_DEVICE_JOB, outcome.key, None)
            self._state.put(_JOB, job.order.job_id, None)
            del self._jobs[job.order.job_id], self._devices[job.order.job_id]
