"""The request for a job."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.jobs.order import METHOD, Order
from fwsm.hub.jsontext import compact
from fwsm.hub.methods import Call
from fwsm.hub.refusal import Refusal, Why
from tests.hub.anyjson import VALUES, bodies
from tests.hub.jobs.scene import method, twin


def test_order_takes_over_what_was_asked() -> None:
    """And shows it again; it comes back from its record."""
    body = method("deviceId = 'd1'", jobId="j-1", startTime="1970-01-01T00:20:00Z", maxExecutionTimeInSeconds=60)
    order = Order.from_body("j-1", body, 1000.0)
    assert (order.type, order.start_at, order.max_execution_s) == (METHOD, 1200.0, 60)
    assert order.call == Call("go", 1)
    assert order.document() == {**body, "startTime": "1970-01-01T00:20:00.0000000Z"}
    assert Order(**order.record()) == order


def test_order_without_a_time_is_for_now() -> None:
    """As is one whose time has passed; both have an hour."""
    for body in (twin(), twin(startTime="0001-01-01T00:00:00Z"), twin(startTime="1970-01-01T00:00:00")):
        order = Order.from_body("j", body, 1000.0)
        assert (order.start_at, order.max_execution_s) == (1000.0, 3600)


def test_change_of_twins_may_name_an_etag() -> None:
    """Which is the star unless it is said, with quotes or without."""
    change: dict[str, Any] = {"properties": {"desired": {}}}
    etags = [Order.from_body("j", twin(updateTwin={**change, **etag}), 0).if_match for etag in ({}, {"etag": '"x"'})]
    assert etags == ["*", "x"]


def test_condition_that_is_too_long_has_failed_a_precondition() -> None:
    """At once, unlike one that cannot be read: so it was seen on the service."""
    with pytest.raises(Refusal, match="queryCondition is too long: 9000 characters are more than 8192") as caught:
        Order.from_body("j", twin("x" * 9000), 1000.0)
    assert caught.value.why is Why.PRECONDITION


@pytest.mark.parametrize(
    ("job_id", "body", "fault"),
    [
        ("J", twin(), "'J' is not a job id"),
        ("j" * 65, twin(), "is not a job id"),
        ("j", twin(jobId="k"), "jobId in the body is 'k', in the path 'j'"),
        ("j", {}, "type is None, not one of scheduleDeviceMethod, scheduleUpdateTwin"),
        ("j", twin(type="export"), "type is 'export'"),
        ("j", twin(condition=""), "queryCondition is missing"),
        ("j", twin(updateTwin=None), "takes an object updateTwin"),
        ("j", twin(updateTwin={"tags": {"a.b": 1}}), "the key 'a.b'"),
        ("j", method(cloudToDeviceMethod={}), "methodName"),
        ("j", twin(startTime="soon"), "startTime is 'soon', not a time such as 1970-01-01T00:16:40.0000000Z"),
        ("j", twin(startTime=5), "startTime is 5"),
        ("j", twin(startTime="1970-01-08T00:16:41Z"), "startTime is more than 168 hours ahead"),
        ("j", twin(maxExecutionTimeInSeconds=-1), "maxExecutionTimeInSeconds is -1"),
        ("j", twin(maxExecutionTimeInSeconds=True), "maxExecutionTimeInSeconds is True"),
        ("j", twin(maxExecutionTimeInSeconds="9"), "maxExecutionTimeInSeconds is '9'"),
    ],
)
def test_order_that_cannot_be_carried_out_is_refused(job_id: str, body: dict[str, Any], fault: str) -> None:
    """400004, with the part that is wrong. The condition is not looked at: the service takes any."""
    with pytest.raises(Refusal) as caught:
        Order.from_body(job_id, body, 1000.0)
    assert caught.value.why is Why.ARGUMENT_INVALID
    assert fault in caught.value.message


@given(
    st.text() | st.just("j"),
    bodies(
        jobId="j",
        type=st.sampled_from(["scheduleDeviceMethod", "scheduleUpdateTwin"]),
        queryCondition="*",
        cloudToDeviceMethod=bodies(methodName="go", responseTimeoutInSeconds=30, connectTimeoutInSeconds=5, payload={}),
        updateTwin=bodies(tags=VALUES, etag="*", properties=bodies(desired=VALUES)),
        startTime="1970-01-01T00:20:00Z",
        maxExecutionTimeInSeconds=60,
    ),
)
def test_any_body_is_an_order_or_refused(job_id: str, body: dict[str, Any]) -> None:
    """Nothing else is raised, and an order can be shown and kept."""
    try:
        order = Order.from_body(job_id, body, 1000.0)
    except Refusal:
        return
    compact([order.document(), order.record()])
