"""The devices that are connected now, and the way to them.

At most one connection a device: a new one closes the old one, which is how IoT Hub treats two clients that use one
device id (400027, ConnectionForcefullyClosedOnNewConnection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fwsm.hub.events import Connected, DesiredChanged, Disconnected, IdentityChanged
from fwsm.hub.jsontext import compact
from fwsm.hub.topics import DESIRED, desired_topic

if TYPE_CHECKING:
    from fwsm.hub.events import Events

__all__ = ["Link", "Links"]


class Link(Protocol):
    """The connection of one device."""

    def listens_to(self, topic_filter: str) -> bool:
        """Say whether the device has subscribed to this filter."""
        ...

    def publish(self, topic: str, payload: bytes) -> None:
        """Send the device a message with QoS 0, as IoT Hub does for twins and methods."""
        ...

    def deliver(self, topic: str, payload: bytes, packet_id: int, *, again: bool) -> bool:
        """Send a message with the QoS that the device asked for; say whether a receipt will come.

        Args:
            topic: on which it comes.
            payload: its body.
            packet_id: what the receipt will name.
            again: whether the device may have it already.
        """
        ...

    def expire(self) -> None:
        """Treat the token that opened the connection as expired."""
        ...

    def close(self, reason: str) -> None:
        """End the connection; `reason` goes to the log, MQTT has no place for it."""
        ...


class Links:
    """The live connections by device id.

    Args:
        events: told who comes and goes; tells of changes that concern a connected device.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._links: dict[str, Link] = {}
        events.subscribe(self._on_desired, DesiredChanged)
        events.subscribe(self._on_identity, IdentityChanged)

    def make_room(self, client_id: str) -> None:
        """Close the connection that a device has, because another one has come."""
        self.close(client_id, "another connection has come with the same device id (400027)")

    def attach(self, client_id: str, link: Link, model_id: str = "") -> None:
        """Let a connection in, behind `make_room`; `model_id` is what the device claims to be, "" for nothing."""
        self._links[client_id] = link
        self._events.publish(Connected(client_id, model_id))

    def detach(self, client_id: str, link: Link) -> None:
        """Note that a connection has ended; nothing happens when another one has taken its place."""
        if self._links.get(client_id) is link:
            del self._links[client_id]
            self._events.publish(Disconnected(client_id))

    def connected(self, client_id: str) -> bool:
        """Say whether the device is connected."""
        return client_id in self._links

    def listener(self, client_id: str, topic_filter: str) -> Link | None:
        """Return the device's connection if it is there and has subscribed to `topic_filter`."""
        link = self._links.get(client_id)
        return link if link is not None and link.listens_to(topic_filter) else None

    def close(self, client_id: str, reason: str) -> None:
        """Cut a device off, if it is connected; it may come back."""
        link = self._links.get(client_id)
        if link is not None:
            link.close(reason)

    def expire(self, client_id: str) -> None:
        """Let the token of a device's connection expire now, if it is connected."""
        link = self._links.get(client_id)
        if link is not None:
            link.expire()

    def _on_desired(self, event: DesiredChanged) -> None:
        link = self.listener(event.client_id, DESIRED)
        if link is not None:
            link.publish(desired_topic(event.version), compact({**event.patch, "$version": event.version}))

    def _on_identity(self, event: IdentityChanged) -> None:
        if not event.admitted:
            self.close(event.client_id, "the device was disabled or deleted (403012, 404001)")
