"""Carries jobs out, through the same rooms of the hub that an operator's own request would go through.

Commit, then act: the devices of a job are written down when it starts, and a method call is written down before it
goes out. So a hub that was killed goes on where it was; only of a call whose answer it did not live to see can it not
tell whether the device acted, and as it never repeats a call, that device fails with just this reason. A change of a
twin and its outcome are one transaction, so it happens exactly once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from fwsm.errors import HubError
from fwsm.hub.jobs.job import DeviceJob, DeviceStatus, Job, Status
from fwsm.hub.jobs.order import METHOD
from fwsm.hub.queries import meeting
from fwsm.hub.query import QueryError, parse_condition
from fwsm.hub.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.hub.engine import Engine
    from fwsm.hub.turn import Turn

__all__ = ["JobRunner"]

# Devices that a job works on side by side.
_AT_ONCE = 100

_log = logging.getLogger(__name__)


class JobRunner:
    """Starts jobs when their time has come, and ends those that take too long.

    Args:
        engine: the hub.
        turn: says when what was decided is durable.
    """

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self._engine = engine
        self._jobs = engine.jobs
        self._turn = turn
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def tick(self) -> None:
        """Do what is due now; to be called about once a second, in the hub's event loop."""
        for job in self._jobs.active():
            self._advance(job, self._engine.wall())
        self._jobs.forget_old()

    def _advance(self, job: Job, now: float) -> None:
        if job.cancelling:
            self._jobs.keep(job.ended(Status.CANCELLED, now))
        elif job.status is Status.RUNNING and now >= job.give_up_at:
            self._expire(job, now)
        elif job.status is not Status.RUNNING and now < job.order.start_at:
            if job.status is not Status.SCHEDULED:
                self._jobs.keep(job.scheduled())
        elif job.order.job_id not in self._tasks:
            self._tasks[job.order.job_id] = asyncio.create_task(self._run(job))

    def _expire(self, job: Job, now: float) -> None:
        fault = f"the job did not end within {job.order.max_execution_s} s"
        for outcome in self._jobs.outcomes(job):
            if not outcome.over:
                self._jobs.keep_outcome(outcome.failed(now, "JobExpired", f"{fault}; {_uncertain(outcome)}"))
        self._jobs.keep(job.ended(Status.FAILED, now, fault))
        if task := self._tasks.get(job.order.job_id):
            task.cancel()

    async def _run(self, job: Job) -> None:
        try:
            outcomes = self._resumed(job) if job.status is Status.RUNNING else await self._begun(job)
            await self._turn.committed()
            pending = iter(outcomes)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_AT_ONCE, len(outcomes))):
                    group.create_task(self._work(job, pending))
            self._complete(job)
            await self._turn.committed()
        except* HubError as errors:
            # What was decided stays noted and is committed with the next turn; the next tick takes the job up again.
            _log.warning("the job %s is held up: %s", job.order.job_id, errors.exceptions[0])
        finally:
            del self._tasks[job.order.job_id]

    async def _begun(self, job: Job) -> list[DeviceJob]:
        try:
            condition = parse_condition(job.order.condition)
        except QueryError as error:
            fault = f"the queryCondition cannot be read: {error}"
            self._jobs.keep(job.ended(Status.FAILED, self._engine.wall(), fault))
            return []
        devices = await meeting(self._engine, condition)
        if self._jobs.find(job.order.job_id) is not job:  # it was cancelled while its devices were looked for
            return []
        now = self._engine.wall()
        self._jobs.keep(job.started(now))
        outcomes = [DeviceJob(job.order.job_id, job.order.type, device_id, now, now) for device_id in devices]
        for outcome in outcomes:
            self._jobs.keep_outcome(outcome)
        return outcomes

    def _resumed(self, job: Job) -> list[DeviceJob]:
        outcomes = [outcome for outcome in self._jobs.outcomes(job) if not outcome.over]
        for outcome in outcomes:
            if outcome.status is DeviceStatus.RUNNING:
                fault = f"the hub was stopped during the call; {_uncertain(outcome)}"
                self._jobs.keep_outcome(outcome.failed(self._engine.wall(), "Interrupted", fault))
        return [outcome for outcome in outcomes if outcome.status is DeviceStatus.PENDING]

    def _complete(self, job: Job) -> None:
        current = self._jobs.find(job.order.job_id)
        if current is not None and current.status is Status.RUNNING:
            self._jobs.keep(current.ended(Status.COMPLETED, self._engine.wall()))

    async def _work(self, job: Job, pending: Iterator[DeviceJob]) -> None:
        for outcome in pending:
            if job.order.type == METHOD:
                await self._call(job, outcome)
            else:
                self._change(job, outcome)
            await self._turn.committed()

    async def _call(self, job: Job, outcome: DeviceJob) -> None:
        started = outcome.started(self._engine.wall())
        self._jobs.keep_outcome(started)
        await self._turn.committed()
        try:
            result = await self._engine.methods.call(outcome.device_id, job.order.call)
        except Refusal as refusal:
            ended = started.failed(self._engine.wall(), refusal.why.label, refusal.message)
        else:
            answer = {"deviceMethodResponse": {"status": result.status, "payload": result.payload}}
            ended = started.completed(self._engine.wall(), answer)
        self._keep(ended)

    def _change(self, job: Job, outcome: DeviceJob) -> None:
        started = outcome.started(self._engine.wall())
        try:
            self._engine.twins.update(outcome.device_id, job.order.work, job.order.if_match)
        except Refusal as refusal:
            ended = started.failed(self._engine.wall(), refusal.why.label, refusal.message)
        else:
            ended = started.completed(self._engine.wall())
        self._keep(ended)

    def _keep(self, outcome: DeviceJob) -> None:
        """Keep an outcome, unless the job has run out of time meanwhile: then that is the outcome."""
        job = self._jobs.find(outcome.job_id)
        if job is not None and not job.over:
            self._jobs.keep_outcome(outcome)


def _uncertain(outcome: DeviceJob) -> str:
    return "the device may have acted" if outcome.status is DeviceStatus.RUNNING else "it was never the device's turn"
