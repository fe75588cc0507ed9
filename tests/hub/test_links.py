"""The live connections."""

from __future__ import annotations

import json

from fwsm.hub.events import Connected, DesiredChanged, Disconnected, Event, Events, IdentityChanged
from fwsm.hub.links import Links
from fwsm.hub.topics import DESIRED, METHODS


class FakeLink:
    """A connection that writes down what happens to it."""

    def __init__(self, *filters: str) -> None:
        self.filters = filters
        self.sent: list[tuple[str, bytes]] = []
        self.closed_for: list[str] = []

    def listens_to(self, topic_filter: str) -> bool:
        """Say whether the filter was given."""
        return topic_filter in self.filters

    def publish(self, topic: str, payload: bytes) -> None:
        """Keep the message."""
        self.sent.append((topic, payload))

    def deliver(self, topic: str, payload: bytes, packet_id: int, *, again: bool) -> bool:
        """Keep the message; no receipt will come."""
        assert packet_id > 0
        assert not again
        self.sent.append((topic, payload))
        return False

    def expire(self) -> None:
        """Close."""
        self.close("the token has expired")

    def close(self, reason: str) -> None:
        """Keep the reason."""
        self.closed_for.append(reason)


def test_newer_connection_takes_the_place_of_the_older() -> None:
    """The older one is closed, and its end later does not cut off the newer."""
    links, old, new = Links(Events()), FakeLink(), FakeLink()
    links.attach("d1", old)
    links.make_room("d1")
    links.attach("d1", new)
    assert "400027" in old.closed_for[0]
    links.detach("d1", old)
    assert links.connected("d1")
    links.detach("d1", new)
    assert not links.connected("d1")


def test_coming_and_going_is_told() -> None:
    """Each arrival and each real departure is an event."""
    events, heard, link = Events(), list[Event](), FakeLink()
    links = Links(events)
    events.subscribe(heard.append)
    links.attach("d1", link)
    links.detach("d1", FakeLink())
    links.detach("d1", link)
    assert heard == [Connected("d1"), Disconnected("d1")]


def test_listener_is_connected_and_subscribed() -> None:
    """A connection without the subscription does not count."""
    links, link = Links(Events()), FakeLink(METHODS)
    assert links.listener("d1", METHODS) is None
    links.attach("d1", link)
    assert links.listener("d1", METHODS) is link
    assert links.listener("d1", DESIRED) is None


def test_desired_change_goes_to_subscribers_only() -> None:
    """The notification carries the change with its nulls, and the version twice, as IoT Hub sends it."""
    events, deaf, listening = Events(), FakeLink(), FakeLink(DESIRED)
    links = Links(events)
    links.attach("d1", deaf)
    links.attach("d2", listening)
    for device_id in ("d1", "d2", "d3"):
        events.publish(DesiredChanged(device_id, {"a": None}, 4))
    ((topic, payload),) = listening.sent
    assert topic == "$iothub/twin/PATCH/properties/desired/?$version=4"
    assert json.loads(payload) == {"a": None, "$version": 4}
    assert deaf.sent == []


def test_device_that_may_not_be_connected_is_cut_off() -> None:
    """Disabling and deleting end the connection; other changes do not."""
    events, link = Events(), FakeLink()
    links = Links(events)
    links.attach("d1", link)
    events.publish(IdentityChanged("d1", admitted=True))
    assert link.closed_for == []
    events.publish(IdentityChanged("d1", admitted=False))
    assert "disabled or deleted" in link.closed_for[0]
