"""MQTT sessions: what a device is subscribed to, from one connection to the next.

With CleanSession 0 the hub remembers the subscriptions. The Azure SDKs rely on it: after a reconnect they do not
subscribe again, and a hub that forgets leaves them deaf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fwsm.hub.events import IdentityChanged
from fwsm.hub.topics import allowed_filters

if TYPE_CHECKING:
    from fwsm.hub.events import Events
    from fwsm.hub.registry import Registry
    from fwsm.hub.state import State

__all__ = ["MAX_SUBSCRIPTIONS", "ForbiddenSubscriptionError", "Session", "Sessions"]

# Of one device, says "Use MQTT to communicate with IoT Hub".
MAX_SUBSCRIPTIONS = 5

_KIND = "session"


class ForbiddenSubscriptionError(Exception):
    """A device may not subscribe to this, or to no more."""


@dataclass(slots=True)
class Session:
    """The subscriptions of one device: topic filter and granted QoS. One that is `clean` ends with its connection."""

    client_id: str
    clean: bool
    subscriptions: dict[str, int] = field(default_factory=dict)

    def subscribe(self, filters: tuple[tuple[str, int], ...]) -> tuple[int, ...]:
        """Take subscriptions, pairs of topic filter and highest QoS, and return the QoS that is granted for each.

        Raises:
            ForbiddenSubscriptionError: one is no topic filter of this device, or there are too many.
        """
        allowed = allowed_filters(self.client_id)
        for topic_filter, _ in filters:
            if topic_filter not in allowed:
                raise ForbiddenSubscriptionError(f"{topic_filter} is not a topic filter of IoT Hub")
        granted = {topic_filter: min(qos, 1) for topic_filter, qos in filters}
        if len(filters) > MAX_SUBSCRIPTIONS or len(self.subscriptions | granted) > MAX_SUBSCRIPTIONS:
            raise ForbiddenSubscriptionError(f"a device has at most {MAX_SUBSCRIPTIONS} subscriptions")
        self.subscriptions.update(granted)
        return tuple(granted[topic_filter] for topic_filter, _ in filters)

    def record(self) -> dict[str, Any]:
        """Return the session as it is stored."""
        return {"subscriptions": self.subscriptions}


class Sessions:
    """The sessions of all devices.

    Args:
        registry: a session ends when its device is deleted.
        state: where persistent sessions are kept.
        events: tells of devices that are deleted.
    """

    def __init__(self, registry: Registry, state: State, events: Events) -> None:
        self._registry = registry
        self._state = state
        self._kept = {key: Session(key, clean=False, **record) for key, record in state.load(_KIND)}
        events.subscribe(self._on_identity, IdentityChanged)

    def open(self, client_id: str, *, clean: bool) -> tuple[Session, bool]:
        """Return the session for a new connection, and whether it was there before."""
        if clean:
            self._forget(client_id)
            return Session(client_id, clean=True), False
        present = client_id in self._kept
        session = self._kept.setdefault(client_id, Session(client_id, clean=False))
        if not present:
            self.keep(session)
        return session, present

    def keep(self, session: Session) -> None:
        """Note that the subscriptions of a session have changed."""
        if not session.clean:
            self._state.put(_KIND, session.client_id, session)

    def _forget(self, client_id: str) -> None:
        if self._kept.pop(client_id, None) is not None:
            self._state.put(_KIND, client_id, None)

    def _on_identity(self, event: IdentityChanged) -> None:
        if self._registry.find(event.client_id) is None:
            self._forget(event.client_id)
