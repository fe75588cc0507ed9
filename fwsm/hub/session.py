"""MQTT sessions: what a device is subscribed to, from one connection to the next.

With CleanSession 0 the hub remembers the subscriptions. The Azure SDKs rely on it: after a reconnect they do not
subscribe again, and a hub that forgets leaves them deaf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fwsm.hub.events import IdentityChanged

if TYPE_CHECKING:
    from fwsm.hub.events import Event, Events
    from fwsm.hub.registry import Registry
    from fwsm.hub.state import State

__all__ = ["MAX_SUBSCRIPTIONS", "Session", "Sessions"]

# Of one device, says "Use MQTT to communicate with IoT Hub".
MAX_SUBSCRIPTIONS = 5

_KIND = "session"


@dataclass(slots=True)
class Session:
    """The subscriptions of one device: topic filter and granted QoS. One that is `clean` ends with its connection."""

    client_id: str
    clean: bool
    subscriptions: dict[str, int] = field(default_factory=dict)

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
        events.subscribe(self._on_event)

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

    def _on_event(self, event: Event) -> None:
        if isinstance(event, IdentityChanged) and self._registry.find(event.client_id) is None:
            self._forget(event.client_id)
