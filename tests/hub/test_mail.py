"""Cloud-to-device messages as programs send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.errors import DeviceNotFoundError, HubError

if TYPE_CHECKING:
    from fwsm.hub import Hub


def test_message_waits_until_it_is_purged(hub: Hub) -> None:
    """The sender finds out if it asked for it."""
    hub.add_device("d1")
    hub.mail.send("d1", "text", message_id="1", ack="negative")
    hub.mail.send("d1", b"bytes", correlation_id="c", content_type="t", content_encoding="e", properties={"a": None})
    assert hub.mail.waiting("d1") == 2
    assert hub.mail.purge("d1") == 2
    assert [(record["originalMessageId"], record["statusCode"]) for record in hub.mail.feedback()] == [("1", "Purged")]
    assert hub.mail.waiting("d1") == 0
    assert hub.mail.feedback() == []


def test_message_that_cannot_be_sent_is_an_error_of_the_public_tree(hub: Hub) -> None:
    """Unknown devices, full queues, and messages outside their limits."""
    with pytest.raises(DeviceNotFoundError):
        hub.mail.send("d1", "")
    with pytest.raises(DeviceNotFoundError):
        hub.mail.purge("d1")
    hub.add_device("d1")
    with pytest.raises(HubError, match="ack is 'maybe'"):
        hub.mail.send("d1", "", ack="maybe")
    for _ in range(50):
        hub.mail.send("d1", "")
    with pytest.raises(HubError, match="50 messages waiting"):
        hub.mail.send("d1", "")
