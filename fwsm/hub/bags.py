"""Property bags: what a message carries beside its body, URL-encoded behind the topic.

    devices/d1/messages/events/$.ct=application%2Fjson&$.ce=utf-8&room=5

Names that begin with `$.` are system properties. A property without a value is written as its name alone, an empty one
with an equals sign. Source: "Use MQTT to communicate with IoT Hub" and "Create and read IoT Hub messages".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Bag", "encode_bag", "parse_bag"]

# On the wire, and as IoT Hub calls them wherever it shows them.
_NAMES = {
    "$.mid": "message-id",
    "$.cid": "correlation-id",
    "$.uid": "user-id",
    "$.to": "to",
    "$.ct": "content-type",
    "$.ce": "content-encoding",
    "$.exp": "absolute-expiry-time",
    "$.ctime": "creation-time-utc",
    "$.on": "output-name",
    "$.sub": "dt-subject",
    "$.ifid": "interface-id",
    "$.schema": "message-schema",
}
_WIRE_NAMES = {name: wire for wire, name in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class Bag:
    """The properties of one message.

    Attributes:
        system: by IoT Hub's names, such as `content-type`.
        application: by the names that the sender chose; None is a property without a value.
        size: the length of all names and values.
    """

    system: Mapping[str, str] = field(default_factory=dict)
    application: Mapping[str, str | None] = field(default_factory=dict)
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parts = (*self.system.items(), *self.application.items())
        object.__setattr__(self, "size", sum(len(name) + len(value or "") for name, value in parts))

    def marked(self, *, retain: bool = False, will: bool = False) -> Bag:
        """Return this bag with the marks that IoT Hub sets on what MQTT can do and it cannot: RETAIN, and wills."""
        if not retain and not will:
            return self
        system = {**self.system, "iothub-MessageType": "Will"} if will else self.system
        return Bag(system, {**self.application, "mqtt-retain": "true"} if retain else self.application)


def parse_bag(text: str) -> Bag:
    """Return what stands behind the topic. Whatever that is, it is a bag: there is no wrong one."""
    system: dict[str, str] = {}
    application: dict[str, str | None] = {}
    for part in text.strip("/").removeprefix("?").split("&"):
        encoded, equals, value = part.partition("=")
        name = unquote(encoded)
        if name in _NAMES:
            system[_NAMES[name]] = unquote(value)
        elif name:
            application[name] = unquote(value) if equals else None
    return Bag(system, application)


def encode_bag(bag: Bag) -> str:
    """Return a bag as it stands behind a topic."""
    parts = [f"{quote(_WIRE_NAMES[name], safe='')}={quote(value, safe='')}" for name, value in bag.system.items()]
    for name, value in bag.application.items():
        encoded = quote(name, safe="")
        parts.append(encoded if value is None else f"{encoded}={quote(value, safe='')}")
    return "&".join(parts)
