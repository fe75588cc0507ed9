"""The fourteen control packets of MQTT 3.1.1, as values.

A packet is what one side says, free of bytes and sockets; `codec` turns packets into bytes and back.
Section numbers in the docstrings are those of the OASIS standard "MQTT Version 3.1.1".
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "ConnAck",
    "Connect",
    "ConnectCode",
    "Disconnect",
    "Packet",
    "PingReq",
    "PingResp",
    "PubAck",
    "PubComp",
    "PubRec",
    "PubRel",
    "Publish",
    "SubAck",
    "Subscribe",
    "UnsubAck",
    "Unsubscribe",
    "Will",
]


class ConnectCode(enum.IntEnum):
    """What a CONNACK says (3.2.2.3)."""

    ACCEPTED = 0
    BAD_PROTOCOL_VERSION = 1
    IDENTIFIER_REJECTED = 2
    SERVER_UNAVAILABLE = 3
    BAD_USER_NAME = 4
    NOT_AUTHORIZED = 5


@dataclass(frozen=True, slots=True)
class Will:
    """The message that the server publishes when the client vanishes without a DISCONNECT (3.1.2.5)."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    """The first packet of a client (3.1)."""

    client_id: str
    clean_session: bool = True
    keep_alive_s: int = 0
    user_name: str | None = None
    password: bytes | None = None
    will: Will | None = None


@dataclass(frozen=True, slots=True)
class ConnAck:
    """The answer to CONNECT (3.2)."""

    code: int = ConnectCode.ACCEPTED
    session_present: bool = False


@dataclass(slots=True)  # to make a frozen one takes four times as long, and a hub under load makes little else
class Publish:
    """A message, either way (3.3). `packet_id` is there exactly when `qos` is above 0."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    packet_id: int | None = None
    dup: bool = False
    retain: bool = False


@dataclass(slots=True)  # as `Publish`
class PubAck:
    """The receipt of a QoS 1 message (3.4)."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class PubRec:
    """The first receipt of a QoS 2 message (3.5)."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class PubRel:
    """The release of a QoS 2 message (3.6)."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class PubComp:
    """The last receipt of a QoS 2 message (3.7)."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A wish for messages: pairs of topic filter and highest QoS (3.8)."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SubAck:
    """The answer to SUBSCRIBE: the granted QoS of each filter, or 0x80 for a refusal (3.9)."""

    packet_id: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """The end of subscriptions (3.10)."""

    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnsubAck:
    """The answer to UNSUBSCRIBE (3.11)."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class PingReq:
    """A sign of life (3.12)."""


@dataclass(frozen=True, slots=True)
class PingResp:
    """The answer to a sign of life (3.13)."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """An orderly goodbye of the client (3.14)."""


Packet: TypeAlias = (
    Connect
    | ConnAck
    | Publish
    | PubAck
    | PubRec
    | PubRel
    | PubComp
    | Subscribe
    | SubAck
    | Unsubscribe
    | UnsubAck
    | PingReq
    | PingResp
    | Disconnect
)
