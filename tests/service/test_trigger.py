"""Asking a device for an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.errors import RequestError
from fwsm.service.trigger import requested, trigger
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
