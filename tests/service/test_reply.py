"""Reading an answer of the hub."""

from __future__ import annotations

import pytest

from fwsm.errors import DeviceNotFoundError, ServiceError
from fwsm.service.reply import accepted, json_object, objects
from fwsm.service.transport import Reply


@pytest.mark.parametrize("status", [200, 201, 204])
def test_what_was_not_refused_is_returned(status: int) -> None:
    """The answer itself."""
    reply = Reply(status)
    assert accepted(reply) is reply


def test_refusal_becomes_an_error() -> None:
    """With the device that it was about."""
    with pytest.raises(DeviceNotFoundError, match="d1"):
        accepted(Reply(404, {"iothub-errorcode": "DeviceNotFound"}), "d1")
    with pytest.raises(ServiceError, match="302"):
        accepted(Reply(302))


def test_documents_are_read() -> None:
    """An object, and a list of them."""
    assert json_object(Reply(200, body=b'{"a": 1}')) == {"a": 1}
    assert objects(Reply(200, body=b'[{"a": 1}, {}]')) == [{"a": 1}, {}]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"7", b"[" * 100_000])
def test_answer_that_is_no_hub_s_is_an_error(body: bytes) -> None:
    """What to check is said."""
    for read in (json_object, objects):
        with pytest.raises(ServiceError, match=r"cannot be read.*HostName"):
            read(Reply(200, body=body))
