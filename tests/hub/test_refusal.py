"""Refusals: both bodies, and the errors that Python sees."""

from __future__ import annotations

import json

import pytest

from fwsm.errors import DeviceNotFoundError, DeviceOfflineError, DeviceTimeoutError, FwsmError, HubError
from fwsm.hub.refusal import Refusal, Why, refusals_as_errors


def test_detail_carries_the_code_that_devices_look_for() -> None:
    """The Node SDK takes an answer for an error when its body has errorCode."""
    detail = Refusal(Why.ARGUMENT_INVALID, "no").detail(now=0)
    assert (detail["errorCode"], detail["message"]) == (400004, "no")
    assert detail["timestampUtc"] == "1970-01-01T00:00:00.0000000Z"
    assert detail["trackingId"]


def test_http_body_is_of_the_older_shape() -> None:
    """Service SDKs split Message at `;` and `:`."""
    body = Refusal(Why.DEVICE_NOT_FOUND, "no d1").http_body(now=0)
    assert body["Message"] == "ErrorCode:DeviceNotFound;no d1"
    assert body["ExceptionMessage"].startswith("Tracking ID:")


def test_nested_http_body_holds_the_newer_shape() -> None:
    """For direct methods Message is JSON, with the same tracking id."""
    body = Refusal(Why.DEVICE_NOT_ONLINE, "away").http_body(now=0, nested=True)
    detail = json.loads(body["Message"])
    assert detail["errorCode"] == 404103
    assert detail["trackingId"] in body["ExceptionMessage"]


@pytest.mark.parametrize("why", list(Why))
def test_code_begins_with_its_status(why: Why) -> None:
    """Every reason's code is its HTTP status and three digits, and its status finds a reason of the same status."""
    assert why.code // 1000 == why.status
    assert Why.of_status(why.status).status == why.status


@pytest.mark.parametrize(
    ("why", "error"),
    [
        (Why.DEVICE_NOT_FOUND, DeviceNotFoundError),
        (Why.DEVICE_NOT_ONLINE, DeviceOfflineError),
        (Why.DEVICE_TIMEOUT, DeviceTimeoutError),
        (Why.DEVICE_EXISTS, HubError),
    ],
)
def test_python_sees_the_public_errors(why: Why, error: type[FwsmError]) -> None:
    """Callers in Python get leaves of the public tree, with the hub's words."""
    with pytest.raises(error, match=f"the words: the hub refused: {why.label}"), refusals_as_errors():
        raise Refusal(why, "the words.")
