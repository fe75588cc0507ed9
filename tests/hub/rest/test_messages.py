"""Cloud-to-device messages over REST."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.hub.rest.asking import Operator, refused

if TYPE_CHECKING:
    from fwsm.hub import Hub

PATH = "/$fwsm/devices/d1/messages"


def test_message_is_sent_purged_and_fed_back(hub: Hub, owner: Operator) -> None:
    """Purging is IoT Hub's own resource."""
    hub.add_device("d1")
    message = {"body": {"a": 1}, "messageId": "m", "properties": {"p": "1", "q": None}, "ack": "full", "ttlSeconds": 9}
    assert owner.ask("POST", PATH, message).status == 204
    assert owner.ask("POST", PATH, {"body": "text"}).status == 204
    assert owner.ask("POST", PATH, {"bodyBase64": base64.b64encode(b"\xff").decode()}).status == 204
    assert hub.mail.waiting("d1") == 3
    purged = owner.ask("DELETE", "/devices/d1/commands")
    assert (purged.status, purged.body) == (200, {"deviceId": "d1", "moduleId": None, "totalMessagesPurged": 3})
    (record,) = owner.ask("GET", "/$fwsm/feedback").body
    assert (record["originalMessageId"], record["statusCode"]) == ("m", "Purged")


@pytest.mark.parametrize(
    "body",
    [
        {"messageId": 1},
        {"bodyBase64": "!"},
        {"bodyBase64": 1},
        {"properties": []},
        {"properties": {"a": 1}},
        {"ttlSeconds": "1"},
        {"ttlSeconds": True},
        {"ttlSeconds": -1},
        {"ack": []},
    ],
)
def test_malformed_message_is_refused(hub: Hub, owner: Operator, body: dict[str, Any]) -> None:
    """With the part that is wrong."""
    hub.add_device("d1")
    assert refused(owner.ask("POST", PATH, body)) == (400, "ArgumentInvalid")


def test_full_queue_and_large_message_have_their_codes(hub: Hub, owner: Operator) -> None:
    """As on AMQP."""
    hub.add_device("d1")
    assert refused(owner.ask("POST", PATH, {"body": "x" * 65537})) == (413, "MessageTooLarge")
    for _ in range(50):
        hub.mail.send("d1", "")
    assert refused(owner.ask("POST", PATH, {})) == (403, "DeviceMaximumQueueDepthExceeded")
    assert refused(owner.ask("POST", PATH.replace("d1", "d2"), {})) == (404, "DeviceNotFound")


def test_messages_take_the_right_of_the_service(hub: Hub) -> None:
    """Keepers of the registry have no mail."""
    hub.add_device("d1")
    assert Operator(hub, "service").ask("POST", PATH, {}).status == 204
    assert Operator(hub, "registryReadWrite").ask("POST", PATH, {}).status == 401
