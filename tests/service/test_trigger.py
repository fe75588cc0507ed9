"""Asking a device for an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.errors import RefusedError, RequestError
from fwsm.service.trigger import Answer, requested, trigger
from tests.service.player import Player

if TYPE_CHECKING:
    from fwsm.hub import Hub
    from fwsm.service import Client

_SHA256 = "AB" * 32


@pytest.mark.parametrize(
    ("given", "payload"),
    [
        (("https://h/fw",), {"fwPackageUri": "https://h/fw"}),
        (
            ("https://h/fw", _SHA256, "1.2"),
            {"fwPackageUri": "https://h/fw", "fwPackageCheckValue": _SHA256.lower(), "fwVersion": "1.2"},
        ),
    ],
)
def test_payload_holds_what_was_given(
    hub: Hub, client: Client, given: tuple[str, ...], payload: dict[str, str]
) -> None:
    """A device of the tutorial sees its one field and nothing that it does not know."""
    with Player(hub, "d1") as player:
        answer = trigger(client, "d1", requested(*given))
    assert player.calls == [payload]
    assert (answer.status, answer.text, answer.update_id) == (200, "FirmwareUpdate started", None)
    answer.require_accepted()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("ftp://h/fw",), "fwPackageUri"),
        (("https://",), "fwPackageUri"),
        (("https://h/fw", "abc"), "fwPackageCheckValue"),
        (("https://h/fw", None, ""), "fwVersion"),
    ],
)
def test_malformed_request_stays_here(given: tuple[Any, ...], field: str) -> None:
    """What is wrong is said before a device is bothered."""
    with pytest.raises(RequestError) as caught:
        requested(*given)
    assert caught.value.field == field


def test_plain_http_is_for_the_device_to_judge() -> None:
    """A tutorial's device may take it."""
    assert requested("http://h/fw").uri == "http://h/fw"


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
    assert Answer("d1", 200, payload).text == text


@pytest.mark.parametrize(
    ("payload", "update_id"),
    [({"updateId": "u1"}, "u1"), ({"updateId": ""}, None), ({"updateId": 1}, None), ("u1", None), ([], None)],
)
def test_update_id_is_a_text_in_an_object(payload: object, update_id: str | None) -> None:
    """Nothing else is taken for one."""
    assert Answer("d1", 200, payload).update_id == update_id


@pytest.mark.parametrize("status", [400, 409, 500])
def test_refusal_carries_the_devices_reason(status: int) -> None:
    """A status from 400 on means that the device has not taken the request."""
    with pytest.raises(RefusedError, match=rf"d1 refused the update \(status {status}\): no space left"):
        Answer("d1", status, {"message": "no space left."}).require_accepted()
