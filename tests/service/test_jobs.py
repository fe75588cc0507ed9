"""Commands for many devices, against the embedded hub; and against what a hub is known to do that this one does not."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.errors import (
    DeviceNotFoundError,
    DeviceTimeoutError,
    HubUnreachableError,
    RequestError,
    ServiceError,
    ThrottledError,
)
from fwsm.service import Client
from fwsm.service.command import RETRY, update
from fwsm.service.jobs import Job, Outcome, count, follow_job, jobs, outcomes, start_job
from fwsm.service.trigger import requested
from tests.service.player import Player
from tests.service.scripted import answering

if TYPE_CHECKING:
    from fwsm.hub import Hub
    from tests.service.scripted import Site


def _document(status: str, **counts: int) -> dict[str, Any]:
    return {"status": status, "deviceJobStatistics": {f"{name}Count": number for name, number in counts.items()}}


def _end(client: Client, job_id: str) -> Job:
    (*_, last) = follow_job(client, job_id)
    assert isinstance(last, Job)
    return last


def test_each_device_has_an_outcome(hub: Hub, client: Client) -> None:
    """One accepts, one refuses, one is offline; the payload is that of a single call, and each is asked once."""
    command = update(requested("https://h/fw", None, "1.2"))
    hub.add_device("d3")
    hub.add_device("other")
    with (
        Player(hub, "d1", payload={"message": "started", "updateId": "u1"}) as one,
        Player(hub, "d2", status=409, payload={"message": "busy"}) as two,
    ):
        condition = "deviceId IN ['d1', 'd2', 'd3']"
        assert count(client, condition) == 3
        job_id = start_job(client, command, condition)
        job = _end(client, job_id)
        found = outcomes(client, job)
    assert (job.status, job.devices, job.succeeded, job.failed, job.percent) == ("completed", 3, 2, 1, 100)
    assert [(each.device_id, each.result, each.detail) for each in found][:2] == [
        ("d1", "accepted", "started"),
        ("d2", "refused", "busy"),
    ]
    assert (found[2].result, found[2].code) == ("offline", "DeviceNotOnline")
    assert found[0].answer is not None
    assert found[0].answer.update_id == "u1"
    assert one.calls == two.calls == [command.payload]
    assert [each.job_id for each in jobs(client)] == [job_id]


def test_outcomes_of_many_devices_come_page_by_page(hub: Hub, client: Client) -> None:
    """More devices than a page has rows."""
    names = [f"d{number:03}" for number in range(230)]
    for name in names:
        hub.add_device(name)
    job = _end(client, start_job(client, RETRY, "*"))
    found = outcomes(client, job)
    assert [each.device_id for each in found] == names
    assert {each.result for each in found} == {"offline"}


def test_second_job_is_told_of_the_first_at_once(hub: Hub, client: Client) -> None:
    """Patience of seconds does not help against a limit that lasts as long as another job."""
    with ExitStack() as stack:
        stack.enter_context(Player(hub, "d1"))
        order = {
            "type": "scheduleUpdateTwin",
            "updateTwin": {"tags": {"a": 1}, "etag": "*"},
            "queryCondition": "*",
            "startTime": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),  # a job that waits counts as well
        }
        client.create_job("first", order)
        with pytest.raises(ThrottledError, match="as many jobs are active as it allows") as caught:
            start_job(client, RETRY, "*")
    assert "fwsm job list" in caught.value.fix


def test_condition_is_tried_before_anything_is_begun(hub: Hub, client: Client) -> None:
    """A job with a wrong condition would be accepted by the hub, and fail later."""
    hub.add_device("d1")
    with pytest.raises(RequestError, match="the condition is empty"):
        count(client, " ")
    with pytest.raises(DeviceNotFoundError, match="no device meets the condition"):
        count(client, "deviceId = 'x'")
    with pytest.raises(ServiceError, match="refused"):
        count(client, "deviceId = ")
    assert count(client, "*") == 1


def test_condition_that_no_hub_takes_is_refused_before_it_is_asked(hub: Hub, client: Client) -> None:
    """IoT Hub's own answer speaks of an etag; what is just short enough gets through."""
    hub.add_device("d1")
    long = "deviceId IN ['d1'" + ", 'd1'" * 1400 + "]"
    with pytest.raises(RequestError, match="has 8418 characters, and IoT Hub takes some 8000") as caught:
        count(client, long)
    assert "a tag" in caught.value.fix
    assert count(client, long.replace(", 'd1'", "", 70)) == 1


def test_unknown_job_is_told(client: Client) -> None:
    """The hub answers 200 to it."""
    with pytest.raises(RequestError, match="knows no job 'nobody'"):
        list(follow_job(client, "nobody"))


@pytest.mark.parametrize("name", ["", "A", "a' OR 1=1 --", "a/b", "x" * 65])
def test_impossible_job_is_told_before_anything_is_sent(client: Client, name: str) -> None:
    """A name is put into a query."""
    with pytest.raises(RequestError, match="is no job id"):
        client.job(name)


@pytest.mark.parametrize("known", [True, False])
def test_order_that_broke_off_is_looked_for(site: Site, known: bool) -> None:
    """The name of the job is ours alone: if the hub knows it, the order has arrived."""
    answer = json.dumps(_document("queued" if known else "unknown")).encode()
    server, transport = site.serve(b"", answering(200, answer))
    client = Client(transport)
    if known:
        assert start_job(client, RETRY, "*", new_id=lambda: "ours") == "ours"
    else:
        with pytest.raises(HubUnreachableError):
            start_job(client, RETRY, "*", new_id=lambda: "ours")
    assert server.requests[0].startswith(b"PUT /jobs/v2/ours?")
    assert server.requests[1].startswith(b"GET /jobs/v2/ours?")


def test_job_that_does_not_end_in_time_goes_on(site: Site) -> None:
    """The watch says how to look again; looks at a job that does not move are ever farther apart."""
    running = answering(200, json.dumps(_document("running", device=2, pending=2)).encode())
    _, transport = site.serve(*[running] * 9)
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    with pytest.raises(DeviceTimeoutError, match="within 20 s: it is running") as caught:
        list(follow_job(Client(transport), "j", timeout_s=20.0, clock=lambda: now[0], sleep=sleep))
    assert slept == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 2.5]
    assert "fwsm job watch j" in caught.value.fix


def test_index_that_lags_is_asked_again(site: Site) -> None:
    """A job is over before the rows of its devices are; what is missing in the end is left out."""
    rows = [{"deviceId": "d2", "status": "running"}, {"deviceId": "d1", "status": "completed"}]
    late = [answering(200, json.dumps(rows[:number]).encode()) for number in (0, 1, 2)]
    whole = answering(200, json.dumps([row | {"status": "completed"} for row in rows]).encode())
    slept: list[float] = []
    _, transport = site.serve(*late, whole)
    found = outcomes(Client(transport), Job("j", "completed", devices=2), sleep=slept.append)
    assert [each.device_id for each in found] == ["d1", "d2"]
    assert slept == [1.0, 2.0, 4.0]
    _, transport = site.serve(*[late[1]] * 5)
    assert len(outcomes(Client(transport), Job("j", "completed", devices=2), sleep=slept.append)) == 1


@pytest.mark.parametrize(
    ("row", "result", "detail"),
    [
        ({"status": "pending"}, "pending", ""),
        ({"status": "failed", "error": {"code": "DeviceNotOnline", "description": ""}}, "offline", "DeviceNotOnline"),
        ({"status": "failed", "error": {"code": "GatewayTimeout", "description": "late"}}, "failed", "late"),
        ({"status": "failed", "error": "odd", "outcome": []}, "failed", ""),
        ({"status": "completed", "outcome": {"deviceMethodResponse": {"status": 200}}}, "accepted", ""),
        ({"status": "completed", "outcome": {"deviceMethodResponse": {"status": "x"}}}, "failed", ""),
    ],
)
def test_outcome_is_read_whatever_the_row_holds(row: dict[str, Any], result: str, detail: str) -> None:
    """A word for each device, and a sentence if there is one."""
    outcome = Outcome.of({"deviceId": "d1"} | row)
    assert (outcome.result, outcome.detail) == (result, detail)
