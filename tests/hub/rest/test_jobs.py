"""Jobs over REST."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fwsm.hub.timestamp import timestamp
from tests.hub.jobs.scene import method, twin
from tests.hub.rest.asking import Operator, refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from fwsm.hub import Hub


def _wait_over(hub: Hub) -> None:
    hub._live.watch.wait_for(lambda: not hub._live.engine.jobs.active(), "the end of the job", PATIENCE_S)


def test_job_is_carried_out_and_its_outcomes_can_be_asked_for(hub: Hub, owner: Operator) -> None:
    """Queued at first, then completed; each device has its row."""
    hub.add_device("d1")
    created = owner.ask("PUT", "/jobs/v2/j", twin())
    assert (created.status, created.body["status"], created.body["updateTwin"]["etag"]) == (200, "queued", "*")
    _wait_over(hub)
    assert owner.ask("GET", "/jobs/v2/j").body["deviceJobStatistics"]["succeededCount"] == 1
    assert hub.twin("d1")["properties"]["desired"]["a"] == 1
    rows = owner.ask("POST", "/devices/query", {"query": "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j'"})
    assert rows.headers["x-ms-item-type"] == "DeviceJob"
    assert [(row["deviceId"], row["status"]) for row in rows.body] == [("d1", "completed")]
    assert refused(owner.ask("PUT", "/jobs/v2/j", twin())) == (409, "JobAlreadyExists")


def test_unknown_job_has_an_unknown_status(owner: Operator) -> None:
    """It is not an error to read it; it is one to cancel it."""
    unknown = owner.ask("GET", "/jobs/v2/nothing")
    assert (unknown.status, unknown.body["type"], unknown.body["status"]) == (200, "unknown", "unknown")
    assert refused(owner.ask("POST", "/jobs/v2/nothing/cancel")) == (404, "JobNotFound")


def test_scheduled_job_is_in_the_way_of_others_until_it_is_cancelled(hub: Hub, owner: Operator) -> None:
    """429 with the advice of the service, no Retry-After, and the end of the connection."""
    assert owner.ask("PUT", "/jobs/v2/j", method(startTime=timestamp(time.time() + 3600))).status == 200
    second = owner.ask("PUT", "/jobs/v2/k", method())
    assert refused(second) == (429, "ThrottlingMaxActiveJobCountExceeded")
    assert (second.headers["connection"], "retry-after" in second.headers) == ("close", False)
    assert "10 seconds" in second.body["Message"]
    assert owner.ask("POST", "/jobs/v2/j/cancel").status == 200
    _wait_over(hub)
    assert owner.ask("GET", "/jobs/v2/j").body["status"] == "cancelled"
    assert refused(owner.ask("POST", "/jobs/v2/j/cancel")) == (405, "OperationNotAllowedInCurrentState")
    assert owner.ask("PUT", "/jobs/v2/k", method()).status == 200


def test_jobs_are_listed_by_type_and_status_in_pages(hub: Hub, owner: Operator) -> None:
    """A bare array; the header says how to go on."""
    hub.add_device("d1")
    for job_id, body in (("a", twin()), ("b", method()), ("c", twin())):
        assert owner.ask("PUT", f"/jobs/v2/{job_id}", body).status == 200
        _wait_over(hub)
    path = "/jobs/v2/query"
    first = owner.ask("GET", path, x_ms_max_item_count="2")
    second = owner.ask("GET", path, x_ms_continuation=first.headers["x-ms-continuation"])
    assert [job["jobId"] for job in first.body + second.body] == ["a", "b", "c"]
    assert [job["jobId"] for job in owner.ask("GET", f"{path}?jobType=scheduleUpdateTwin").body] == ["a", "c"]
    assert owner.ask("GET", f"{path}?jobStatus=running").body == []


def test_status_that_no_job_has_is_refused(owner: Operator) -> None:
    """With those that there are."""
    assert refused(owner.ask("GET", "/jobs/v2/query?jobStatus=odd")) == (400, "ArgumentInvalid")


def test_devices_are_not_imported_or_exported_by_blob(owner: Operator) -> None:
    """The hub says what it cannot do and what it can, and that there are no such jobs."""
    for kind in ("import", "export"):
        asked = {"type": kind, "outputBlobContainerUri": "https://store.example/c?sig=x"}
        refusal = owner.ask("POST", "/jobs/create", asked)
        assert refused(refusal) == (400, "BlobContainerValidationError")
        assert "POST /devices" in refusal.body["Message"]
    assert refused(owner.ask("POST", "/jobs/create", {"type": "backup"})) == (400, "ArgumentInvalid")
    assert (owner.ask("GET", "/jobs").status, owner.ask("GET", "/jobs").body) == (200, [])
    for verb in ("GET", "DELETE"):
        assert refused(owner.ask(verb, "/jobs/j")) == (404, "JobNotFound")


def test_import_takes_the_right_to_write_the_registry(hub: Hub) -> None:
    """To look for such jobs takes the right to read it."""
    reader = Operator(hub, "registryRead")
    assert reader.ask("GET", "/jobs").status == 200
    assert reader.ask("POST", "/jobs/create", {"type": "import"}).status == 401
    assert Operator(hub, "service").ask("GET", "/jobs").status == 401
