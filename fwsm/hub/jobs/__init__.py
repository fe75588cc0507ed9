"""Jobs: a method call or a change of twins on many devices, now or at a time to come.

    order         what an operator asks for, read and checked
    job           a job and what has become of it on each device: records
    jobs          all jobs of a hub: created, cancelled, listed, forgotten after a month
    runner        carries them out

Source: "Schedule jobs on multiple devices" and the service's OpenAPI description.
"""

from __future__ import annotations

from fwsm.hub.jobs.job import DeviceJob, Job, Status
from fwsm.hub.jobs.jobs import Jobs
from fwsm.hub.jobs.order import Order
from fwsm.hub.jobs.runner import JobRunner

__all__ = ["DeviceJob", "Job", "JobRunner", "Jobs", "Order", "Status"]
