"""What a device answers."""

from __future__ import annotations

import pytest

from fwsm.errors import RefusedError
from fwsm.service.answer import Answer


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (None, ""),
        ("busy", "busy"),
        ({"message": "busy", "code": "refused"}, "busy"),
        ({"error": {"message": "busy"}}, "busy"),
        ({"error": "busy"}, "busy"),
        ({"why": "busy"}, '{"why": "busy"}'),
        ([1, "x"], '[1, "x"]'),
        (7, "7"),
    ],
)
def test_any_json_has_words(payload: object, text: str) -> None:
    """The device's words are found where devices put them; else the JSON is shown."""
    assert Answer("d1", "update", 200, payload).text == text


@pytest.mark.parametrize(
    ("payload", "update_id"),
    [({"updateId": "u1"}, "u1"), ({"updateId": ""}, None), ({"updateId": 1}, None), ("u1", None), ([], None)],
)
def test_update_id_is_a_text_in_an_object(payload: object, update_id: str | None) -> None:
    """Nothing else is taken for one."""
    assert Answer("d1", "update", 200, payload).update_id == update_id


@pytest.mark.parametrize("status", [400, 409, 500])
def test_refusal_carries_the_devices_reason(status: int) -> None:
    """A status from 400 on means that the device has not taken the request."""
    with pytest.raises(RefusedError, match=rf"d1 refused the update \(status {status}\): no space left"):
        Answer("d1", "update", status, {"message": "no space left."}).require_accepted()


def test_refusal_of_our_device_is_told_in_its_parts() -> None:
    """What happened, why, and what to do next come from the device."""
    payload = {"message": "a b c", "reason": "it is over", "fix": "There is nothing to stop"}
    answer = Answer("d1", "cancel", 409, payload)
    assert not answer.accepted
    with pytest.raises(RefusedError) as caught:
        answer.require_accepted()
    assert (caught.value.what, caught.value.why, caught.value.fix) == (
        "d1 refused the cancel (status 409)",
        "it is over",
        "There is nothing to stop",
    )


@pytest.mark.parametrize(("command", "told"), [("update", False), ("cancel", True)])
def test_device_without_the_method_is_explained(command: str, told: bool) -> None:
    """A device of the tutorial answers 404 to what came after it; every device has the update itself."""
    with pytest.raises(RefusedError) as caught:
        Answer("d1", command, 404, "not implemented").require_accepted()
    assert ("Not every device has this method" in caught.value.fix) is told
