"""Cloud-to-device messages: a queue for each device, which survives its absence.

A message waits until the device has acknowledged it, it expires, or it is purged; what became of it is told by a
feedback record, if the sender asked for one. Source: "Understand cloud-to-device messaging from an IoT hub".
"""

from __future__ import annotations

import base64
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fwsm.hub.bags import Bag, encode_bag
from fwsm.hub.events import Connected, Disconnected, IdentityChanged, Subscribed
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.timestamp import timestamp
from fwsm.hub.topics import inbox_filter, inbox_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fwsm.hub.events import Event, Events
    from fwsm.hub.links import Links
    from fwsm.hub.registry import Registry
    from fwsm.hub.state import State

__all__ = ["ACKS", "CloudMessage", "CloudMessages"]

ACKS = ("none", "positive", "negative", "full")

_KIND = "message"
_MOST_MESSAGES = 50
_MAX_BYTES = 64 * 1024
_LONGEST_TOPIC = 0xFFFF  # (MQTT 3.1.1, 1.5.3)
_DEFAULT_TTL_S = 3600.0
_LONGEST_TTL_S = 2 * 24 * 3600.0
_MOST_FEEDBACK = 10_000


@dataclass(frozen=True, slots=True)
class CloudMessage:
    """What an operator sends.

    Attributes:
        body: at most 64 KiB, the properties included.
        system: by IoT Hub's names: `message-id`, `correlation-id`, `user-id`, `content-type`, `content-encoding`.
        properties: of the operator's own.
        ack: which outcomes are told by feedback: none, positive, negative or full.
        ttl_s: seconds until it expires, at most two days.

    Raises:
        Refusal: 413001, it is too large; 400004, a part is outside its limits.
    """

    body: bytes
    system: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str | None] = field(default_factory=dict)
    ack: str = "none"
    ttl_s: float = _DEFAULT_TTL_S

    def __post_init__(self) -> None:
        size = len(self.body) + len(encode_bag(Bag(self.system, self.properties)))
        if size > _MAX_BYTES:
            raise Refusal(Why.TOO_LARGE, f"A message of {size} bytes is over the limit of {_MAX_BYTES}.")
        if self.ack not in ACKS:
            raise Refusal(Why.ARGUMENT_INVALID, f"ack is {self.ack!r:.40}, not one of {', '.join(ACKS)}.")
        if not 0 < self.ttl_s <= _LONGEST_TTL_S:
            raise Refusal(
                Why.ARGUMENT_INVALID, f"A message expires after {self.ttl_s:g} s, not within 1 s and two days."
            )


@dataclass(slots=True)
class _Queued:
    """A message in its queue; `sent` says that the device has it, but has not acknowledged it on this connection."""

    number: int
    message: CloudMessage
    expires_at: float
    deliveries: int = 0
    sent: bool = False

    @property
    def packet_id(self) -> int:
        """The same at every delivery, as MQTT demands; unique, because a queue is short (4.4)."""
        return self.number % 0xFFFF + 1

    def record(self) -> dict[str, Any]:
        """Return the message as it is stored."""
        message = self.message
        return {
            "body": base64.b64encode(message.body).decode(),
            "system": dict(message.system),
            "properties": dict(message.properties),
            "ack": message.ack,
            "ttl_s": message.ttl_s,
            "expires_at": self.expires_at,
            "deliveries": self.deliveries,
        }


class CloudMessages:
    """The queues of all devices, and the feedback.

    Args:
        registry: whose devices they belong to.
        links: the way to the devices.
        state: where the messages are kept; feedback is not.
        events: tells who listens, who goes, and which devices are deleted.
        wall: the time in epoch seconds.
    """

    def __init__(
        self, registry: Registry, links: Links, state: State, events: Events, wall: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._links = links
        self._state = state
        self._wall = wall
        self._queues: dict[str, deque[_Queued]] = {}
        self._feedback: deque[dict[str, Any]] = deque(maxlen=_MOST_FEEDBACK)
        self._last = 0
        for key, record in state.load(_KIND):
            self._restore(key, record)
        events.subscribe(self._on_event, Connected, Subscribed, Disconnected, IdentityChanged)

    def send(self, device_id: str, message: CloudMessage) -> None:
        """Queue a message, and send it if the device listens.

        Raises:
            Refusal: 404001, there is no such device; 400004, it is a module; 403004, its queue is full; 413001, the
                properties are too large.
        """
        if self._registry.get(device_id).module_id is not None:
            raise Refusal(Why.ARGUMENT_INVALID, f"{device_id} is a module, and messages go to devices only.")
        if len(_topic(device_id, message)) > _LONGEST_TOPIC:  # all of it is ASCII
            raise Refusal(Why.TOO_LARGE, "The properties of the message are larger than a topic of MQTT can be.")
        self._expire(device_id)
        queue = self._queues.setdefault(device_id, deque())
        if len(queue) >= _MOST_MESSAGES:
            raise Refusal(
                Why.QUEUE_FULL, f"{device_id} has {_MOST_MESSAGES} messages waiting; purge them or let it receive them."
            )
        self._last += 1
        queued = _Queued(self._last, message, self._wall() + message.ttl_s)
        queue.append(queued)
        self._keep(device_id, queued)
        self._deliver(device_id)

    def count(self, device_id: str) -> int:
        """Return how many messages wait for a device."""
        self._expire(device_id)
        return len(self._queues.get(device_id, ()))

    def purge(self, device_id: str) -> int:
        """Delete what waits for a device and return how many messages that were; raises Refusal 404001."""
        self._registry.get(device_id)
        self._expire(device_id)
        purged = list(self._queues.get(device_id, ()))
        for queued in purged:
            self._settle(device_id, queued, "Purged")
        return len(purged)

    def acknowledged(self, device_id: str, packet_id: int) -> None:
        """Take a device's receipt; one for a message that has gone means nothing."""
        for queued in self._queues.get(device_id, ()):
            if queued.sent and queued.packet_id == packet_id:
                self._settle(device_id, queued, "Success")
                return

    def feedback(self) -> list[dict[str, Any]]:
        """Return the feedback that has come since the last call, oldest first, and forget it."""
        for device_id in list(self._queues):
            self._expire(device_id)
        records = list(self._feedback)
        self._feedback.clear()
        return records

    def _restore(self, key: str, record: dict[str, Any]) -> None:
        device_id, _, number = key.rpartition("/")
        expires_at, deliveries = record.pop("expires_at"), record.pop("deliveries")
        message = CloudMessage(base64.b64decode(record.pop("body")), **record)
        self._queues.setdefault(device_id, deque()).append(_Queued(int(number), message, expires_at, deliveries))
        self._last = max(self._last, int(number))

    def _deliver(self, device_id: str) -> None:
        link = self._links.listener(device_id, inbox_filter(device_id))
        if link is None:
            return
        self._expire(device_id)
        for queued in list(self._queues.get(device_id, ())):
            if self._links.listener(device_id, inbox_filter(device_id)) is not link:
                return  # the connection has ended with the last one
            if queued.sent:
                continue
            queued.sent, again = True, queued.deliveries > 0
            queued.deliveries += 1
            topic = _topic(device_id, queued.message)
            if not link.deliver(topic, queued.message.body, queued.packet_id, again=again):
                self._settle(device_id, queued, "Success")  # QoS 0: sent is all that can be known

    def _settle(self, device_id: str, queued: _Queued, outcome: str) -> None:
        self._queues[device_id].remove(queued)
        self._state.put(_KIND, _key(device_id, queued), None)
        if queued.message.ack in {"full", "positive" if outcome == "Success" else "negative"}:
            self._feedback.append(
                {
                    "originalMessageId": queued.message.system.get("message-id", ""),
                    "enqueuedTimeUtc": timestamp(self._wall()),
                    "statusCode": outcome,
                    "description": outcome,
                    "deviceId": device_id,
                    "deviceGenerationId": str(self._registry.get(device_id).generation),
                }
            )

    def _expire(self, device_id: str) -> None:
        now = self._wall()
        for queued in [queued for queued in self._queues.get(device_id, ()) if queued.expires_at <= now]:
            self._settle(device_id, queued, "Expired")

    def _keep(self, device_id: str, queued: _Queued) -> None:
        self._state.put(_KIND, _key(device_id, queued), queued)

    def _on_event(self, event: Event) -> None:
        match event:
            case Connected() | Subscribed():
                self._deliver(event.client_id)
            case Disconnected():
                for queued in self._queues.get(event.client_id, ()):
                    queued.sent = False
            case IdentityChanged() if self._registry.find(event.client_id) is None:
                for queued in self._queues.pop(event.client_id, ()):
                    self._state.put(_KIND, _key(event.client_id, queued), None)
                kept = [record for record in self._feedback if record["deviceId"] != event.client_id]
                self._feedback = deque(kept, maxlen=_MOST_FEEDBACK)


def _key(device_id: str, queued: _Queued) -> str:
    return f"{device_id}/{queued.number:016}"


def _topic(device_id: str, message: CloudMessage) -> str:
    """Return the topic on which a message comes, with its properties in it."""
    to = f"/{inbox_topic(device_id)}".rstrip("/")
    bag = Bag({"to": to, **message.system}, {**_asked(message), **message.properties})
    return inbox_topic(device_id) + encode_bag(bag)


def _asked(message: CloudMessage) -> dict[str, str | None]:
    return {} if message.ack == "none" else {"iothub-ack": message.ack}
