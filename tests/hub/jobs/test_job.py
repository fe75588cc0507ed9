"""A job and its outcomes as records."""

from __future__ import annotations

from fwsm.hub.jobs.job import DeviceJob, DeviceStatus, Job, Status
from fwsm.hub.jobs.order import METHOD, Order
from tests.hub.jobs.scene import method

ORDER = Order.from_body("j", method(), 1000.0)


def test_job_shows_how_far_it_is() -> None:
    """Times as they come, counts by what has become of the devices."""
    queued = Job(ORDER, 1000.0)
    running = queued.scheduled().started(1001.0)
    failed = running.ended(Status.FAILED, 1002.0, "out of time")
    counts = dict(zip(DeviceStatus, (1, 2, 3, 4), strict=True))
    assert (queued.document({})["status"], "endTime" in queued.document({})) == ("queued", False)
    document = failed.document(counts)
    assert document["deviceJobStatistics"] == {
        "deviceCount": 10,
        "failedCount": 4,
        "succeededCount": 3,
        "runningCount": 2,
        "pendingCount": 1,
    }
    assert (document["status"], document["failureReason"]) == ("failed", "out of time")
    assert [document[name][14:19] for name in ("createdTime", "startTime", "endTime")] == ["16:40", "16:41", "16:42"]
    assert [job.over for job in (queued, running, failed)] == [False, False, True]


def test_job_has_until_its_time_is_up() -> None:
    """Counted from its start."""
    assert Job(ORDER, 1000.0).started(1500.0).give_up_at == 1500.0 + 3600


def test_outcome_shows_answer_or_error() -> None:
    """What is not there has no key."""
    pending = DeviceJob("j", METHOD, "d1", 1000.0, 1000.0)
    good = pending.started(1001.0).completed(1002.0, {"deviceMethodResponse": {"status": 200, "payload": None}})
    bad = pending.failed(1003.0, "DeviceNotOnline", "not online")
    assert pending.document() == {
        "deviceId": "d1",
        "jobId": "j",
        "jobType": METHOD,
        "status": "pending",
        "createdDateTimeUtc": "1970-01-01T00:16:40.0000000Z",
        "lastUpdatedDateTimeUtc": "1970-01-01T00:16:40.0000000Z",
    }
    assert good.document()["outcome"] == {"deviceMethodResponse": {"status": 200, "payload": None}}
    assert bad.document()["error"] == {"code": "DeviceNotOnline", "description": "not online"}
    assert [outcome.document()["lastUpdatedDateTimeUtc"][17:19] for outcome in (good, bad)] == ["42", "43"]
    assert [outcome.over for outcome in (pending, pending.started(0), good, bad)] == [False, False, True, True]


def test_both_come_back_from_their_records() -> None:
    """With their enumerations and what they are made of."""
    job = Job(ORDER, 1000.0).started(1001.0)
    outcome = DeviceJob("j", METHOD, "d1", 1000.0, 1000.0).started(1001.0)
    assert Job.from_record(job.record()) == job
    assert DeviceJob.from_record(outcome.record()) == outcome
    assert Job.from_record(job.record()).status is Status.RUNNING
    assert DeviceJob.from_record(outcome.record()).status is DeviceStatus.RUNNING
