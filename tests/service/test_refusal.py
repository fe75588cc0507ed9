"""What the hub means when it says no."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.errors import (
    DeviceNotFoundError,
    DeviceOfflineError,
    DeviceTimeoutError,
    FwsmError,
    HubUnreachableError,
    RefusedError,
    ServiceError,
    ThrottledError,
    UnauthorizedError,
)
from fwsm.service.refusal import refusal
from fwsm.service.transport import Reply

_OFFLINE = {"errorCode": 404103, "message": "d1 is not online.", "trackingId": "1", "timestampUtc": "now"}


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (404, "DeviceNotFound", DeviceNotFoundError),
        (404, "DeviceNotOnline", DeviceOfflineError),
        (504, "GatewayTimeout", DeviceTimeoutError),
        (504, "", DeviceTimeoutError),
        (401, "IotHubUnauthorizedAccess", UnauthorizedError),
        (429, "ThrottlingException", ThrottledError),
        (503, "ServiceUnavailable", ThrottledError),
        (403, "IotHubQuotaExceeded", ThrottledError),
        (403, "DeviceMaximumInflightMethodExceeded", ServiceError),
        (409, "DeviceAlreadyExists", RefusedError),
        (412, "PreconditionFailed", RefusedError),
        (500, "ServerError", HubUnreachableError),
        (502, "BadDeviceResponse", ServiceError),
        (400, "ArgumentInvalid", ServiceError),
        (302, "", ServiceError),
    ],
)
def test_header_and_status_choose_the_error(status: int, name: str, kind: type[FwsmError]) -> None:
    """Each outcome that IoT Hub documents has its own leaf of the error tree."""
    headers = {"iothub-errorcode": name} if name else {}
    assert type(refusal(Reply(status, headers), "d1")) is kind


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ({"Message": "ErrorCode:DeviceNotFound;No d1."}, DeviceNotFoundError, "No d1"),
        (_OFFLINE, DeviceOfflineError, "d1 is not online"),
        (
            {"Message": json.dumps(_OFFLINE), "ExceptionMessage": "Tracking ID:1"},
            DeviceOfflineError,
            "d1 is not online",
        ),
    ],
)
def test_body_chooses_where_the_header_is_missing(body: object, kind: type[FwsmError], text: str) -> None:
    """Both body shapes, and the one within the other, tell the error's name and words."""
    error = refusal(Reply(404, {}, json.dumps(body).encode()), "d1")
    assert (type(error), error.why) == (kind, text)


def test_patience_is_as_long_as_the_hub_says() -> None:
    """A Retry-After in seconds comes through."""
    assert refusal(Reply(429, {"Retry-After": "7"})).retry_after_s == 7


def test_request_that_the_hub_cannot_read_is_to_be_mended() -> None:
    """What is wrong with it, the hub has said; a condition of a user's, for one."""
    body = json.dumps({"Message": "ErrorCode:ArgumentInvalid;The query cannot be read"}).encode()
    assert refusal(Reply(400, {}, body)).fix == "Mend what it names, then try again"
    assert refusal(Reply(405, {}, body)).fix == ""


def test_page_of_a_proxy_is_shown_in_short() -> None:
    """A body that is no JSON is cut, and on one line."""
    error = refusal(Reply(418, {}, b"<html>\n" + b"teapot " * 200))
    assert error.why.startswith("<html> teapot")
    assert len(error.why) == 300


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["Message", "message", "errorCode", "x"]), inner),
    max_leaves=6,
)


@given(st.integers(300, 599), _json.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_any_answer_becomes_an_error(status: int, body: bytes) -> None:
    """Whatever stands in a body, the reader gets an error that says something."""
    assert refusal(Reply(status, {}, body)).what
