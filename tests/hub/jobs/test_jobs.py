"""The jobs of a hub: who may order and cancel what, and how long it is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.hub.diskstate import DiskState
from fwsm.hub.events import Event, Events, WorkWaiting
from fwsm.hub.jobs.job import DeviceJob, Job, Status
from fwsm.hub.jobs.jobs import Jobs
from fwsm.hub.jobs.order import Order
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.state import EphemeralState
from tests.hub.jobs.scene import twin

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub.state import State

MONTH_S = 30 * 24 * 3600


class Calendar:
    """A clock that a test sets, and jobs that go by it."""

    def __init__(self, state: State | None = None) -> None:
        self.now = 1000.0
        self.heard: list[Event] = []
        events = Events()
        events.subscribe(self.heard.append)
        self.jobs = Jobs(state or EphemeralState(), events, lambda: self.now)

    def create(self, job_id: str) -> Job:
        """Order a change of twins."""
        return self.jobs.create(Order.from_body(job_id, twin(), self.now))

    def why_not(self, action: str, job_id: str) -> Why:
        """Return why the job is not created or cancelled."""
        with pytest.raises(Refusal) as caught:
            self.create(job_id) if action == "create" else self.jobs.cancel(job_id)
        return caught.value.why


def test_one_job_may_be_active() -> None:
    """A second one is refused, also while the first only waits; its name is taken even after its end."""
    calendar = Calendar()
    job = calendar.create("j")
    assert calendar.heard == [WorkWaiting()]
    assert calendar.why_not("create", "k") is Why.TOO_MANY_JOBS
    assert calendar.why_not("create", "j") is Why.JOB_EXISTS
    calendar.jobs.keep(job.ended(Status.COMPLETED, 1001.0))
    assert calendar.why_not("create", "j") is Why.JOB_EXISTS
    calendar.create("k")
    assert [job.order.job_id for job in calendar.jobs.listed()] == ["j", "k"]
    assert [job.order.job_id for job in calendar.jobs.active()] == ["k"]


def test_job_can_be_cancelled_until_it_starts() -> None:
    """That takes effect a little later; afterwards it is not allowed."""
    calendar = Calendar()
    assert calendar.why_not("cancel", "j") is Why.JOB_NOT_FOUND
    job = calendar.create("j")
    assert (calendar.jobs.cancel("j").status, calendar.jobs.cancel("j").cancelling) == (Status.QUEUED, True)
    for later in (job.started(1001.0), job.ended(Status.COMPLETED, 1002.0)):
        calendar.jobs.keep(later)
        assert calendar.why_not("cancel", "j") is Why.NOT_ALLOWED_NOW


def test_outcomes_are_counted_and_listed() -> None:
    """By the names of their devices."""
    calendar = Calendar()
    job = calendar.create("j")
    outcomes = [DeviceJob("j", job.order.type, device_id, 0.0, 0.0) for device_id in ("d2", "d1")]
    for outcome in outcomes:
        calendar.jobs.keep_outcome(outcome)
    calendar.jobs.keep_outcome(outcomes[0].completed(1.0))
    assert [outcome.key for outcome in calendar.jobs.all_outcomes()] == ["j/d1", "j/d2"]
    statistics = calendar.jobs.document(job)["deviceJobStatistics"]
    assert (statistics["pendingCount"], statistics["succeededCount"]) == (1, 1)


def test_jobs_come_back_from_disk_until_they_are_a_month_old(tmp_path: Path) -> None:
    """With their outcomes; what is forgotten is gone from the disk."""
    counts: list[tuple[int, int]] = []
    for now in (1000.0, 1000.0 + MONTH_S, 1001.0 + MONTH_S, 0.0):
        state = DiskState(tmp_path / "hub.db")
        calendar = Calendar(state)
        calendar.now = now
        if not counts:
            job = calendar.create("j")
            calendar.jobs.keep_outcome(DeviceJob("j", job.order.type, "d1", 0.0, 0.0).completed(1.0))
            calendar.jobs.keep(job.ended(Status.COMPLETED, 1000.0))
        calendar.jobs.forget_old()
        counts.append((len(calendar.jobs.listed()), len(list(calendar.jobs.all_outcomes()))))
        state.commit()
        state.close()
    assert counts == [(1, 1), (1, 1), (0, 0), (0, 0)]


def test_job_that_is_not_over_is_not_forgotten() -> None:
    """However old it is."""
    calendar = Calendar()
    calendar.create("j")
    calendar.now += 2 * MONTH_S
    calendar.jobs.forget_old()
    assert calendar.jobs.find("j") is not None
