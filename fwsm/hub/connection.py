"""One device's MQTT connection, apart from its socket.

Bytes go in (`receive`), bytes and the wish to close come out through a `Wire`; time is asked of the engine's clocks.
So every rule can be tried without a network.

MQTT 3.1.1 has no negative answer: where the hub cannot accept what a device sends (a wrong topic, QoS 2, a packet
that is too large) it ends the connection, as IoT Hub does. The reason goes to the log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from fwsm.hub.admission import NotAdmittedError, admit
from fwsm.hub.codec import Decoder, MalformedPacketError, encode
from fwsm.hub.events import Subscribed
from fwsm.hub.inbox import receive_publication
from fwsm.hub.packets import (
    ConnAck,
    Connect,
    Disconnect,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)
from fwsm.hub.session import MAX_SUBSCRIPTIONS
from fwsm.hub.topics import TWIN_ANSWERS, UnknownTopicError, allowed_filters, parse_publication

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.packets import Packet
    from fwsm.hub.session import Session

__all__ = ["Connection", "Wire"]

# How long a peer may take to say CONNECT.
_CONNECT_WITHIN_S = 30.0
# The server waits one and a half times the keep-alive (3.1.2.10), IoT Hub at most this long, also when none is asked.
_LONGEST_SILENCE_S = 1767.0

_log = logging.getLogger(__name__)


class Wire(Protocol):
    """The socket of a connection."""

    def write(self, data: bytes) -> None:
        """Send bytes, in order, once what was decided before is durable."""
        ...

    def close(self) -> None:
        """Send what was written, then end the connection."""
        ...


class _BreachError(Exception):
    """The device did what ends a connection."""


class Connection:
    """The server's end of one MQTT connection.

    Args:
        engine: the hub.
        wire: the way back to the device.
    """

    def __init__(self, engine: Engine, wire: Wire) -> None:
        self._engine = engine
        self._wire = wire
        self._decoder = Decoder()
        self._session: Session | None = None
        self._silence_s = _CONNECT_WITHIN_S
        self._heard_at = engine.monotonic()
        self._expires_at: float | None = None
        self.closed = False

    @property
    def client_id(self) -> str:
        """The device at the other end; "" as long as it has not been let in."""
        return "" if self._session is None else self._session.client_id

    def receive(self, data: bytes) -> None:
        """Take bytes from the device."""
        if self.closed:
            return
        self._heard_at = self._engine.monotonic()
        try:
            self._decoder.feed(data)
            while not self.closed and (packet := self._decoder.next_packet()) is not None:
                self._handle(packet)
        except (MalformedPacketError, UnknownTopicError, _BreachError) as breach:
            self.close(str(breach))

    def lost(self) -> None:
        """Note that the socket has gone."""
        self.close("the device has gone")

    def close(self, reason: str) -> None:
        """End the connection from this side. Does nothing when it has ended."""
        if self.closed:
            return
        self.closed = True
        _log.info("%s: connection closed: %s", self.client_id or "unknown device", reason)
        if self._session is not None:
            self._engine.links.detach(self._session.client_id, self)
        self._wire.close()

    def due_in_s(self) -> float:
        """Say in how many seconds `check_time` is to be called."""
        due_s = self._heard_at + self._silence_s - self._engine.monotonic()
        if self._expires_at is not None:
            due_s = min(due_s, self._expires_at - self._engine.wall())
        return max(due_s, 0.0)

    def check_time(self) -> None:
        """Close the connection if the device has been silent for too long or its token has expired."""
        if self._engine.monotonic() - self._heard_at >= self._silence_s:
            self.close(f"nothing was heard for {self._silence_s:g} s")
        elif self._expires_at is not None and self._engine.wall() >= self._expires_at:
            self.close("the token has expired (401003)")

    def listens_to(self, topic_filter: str) -> bool:
        """Say whether the device has subscribed to `topic_filter`."""
        return self._session is not None and topic_filter in self._session.subscriptions

    def publish(self, topic: str, payload: bytes) -> None:
        """Send the device a message with QoS 0."""
        self.send(Publish(topic, payload))

    def send(self, packet: Packet) -> None:
        """Send a packet, unless the connection has ended."""
        if not self.closed:
            self._wire.write(encode(packet))

    def _handle(self, packet: Packet) -> None:
        if self._session is None:
            if not isinstance(packet, Connect):
                raise _BreachError(f"the first packet is {type(packet).__name__}, not CONNECT")
            self._on_connect(packet)
            return
        match packet:
            case Publish():
                self._on_publish(self._session, packet)
            case PubAck():
                pass  # nothing that the hub sends waits for a receipt
            case Subscribe():
                self._on_subscribe(self._session, packet)
            case Unsubscribe():
                self._on_unsubscribe(self._session, packet)
            case PingReq():
                self.send(PingResp())
            case Disconnect():
                self.close("the device said goodbye")
            case _:
                raise _BreachError(f"{type(packet).__name__} cannot come from a device now")

    def _on_connect(self, packet: Connect) -> None:
        try:
            self._expires_at = admit(self._engine, packet)
        except NotAdmittedError as refusal:
            self.send(ConnAck(refusal.code))
            self.close(f"{packet.client_id} is not let in (CONNACK {refusal.code}): {refusal}")
            return
        asked_s = 1.5 * packet.keep_alive_s
        self._silence_s = min(asked_s or _LONGEST_SILENCE_S, _LONGEST_SILENCE_S)
        self._session, present = self._engine.sessions.open(packet.client_id, clean=packet.clean_session)
        self._engine.links.attach(packet.client_id, self)
        self.send(ConnAck(session_present=present))

    def _on_publish(self, session: Session, packet: Publish) -> None:
        if packet.qos > 1:
            raise _BreachError("QoS 2 is not supported")
        publication = parse_publication(packet.topic, session.client_id)
        outcome = receive_publication(self._engine, session.client_id, publication, packet.payload)
        if outcome.acknowledge and packet.packet_id is not None:
            self.send(PubAck(packet.packet_id))
        if outcome.cut:
            self.close("a fault was ordered")
        if outcome.answer is not None and self.listens_to(TWIN_ANSWERS):
            self.publish(*outcome.answer)

    def _on_subscribe(self, session: Session, packet: Subscribe) -> None:
        allowed = allowed_filters(session.client_id)
        for topic_filter, _ in packet.filters:
            if topic_filter not in allowed:
                raise _BreachError(f"{topic_filter} is not a topic filter of IoT Hub")
        if len(packet.filters) > MAX_SUBSCRIPTIONS:
            raise _BreachError(f"a device has at most {MAX_SUBSCRIPTIONS} subscriptions")
        granted = {topic_filter: min(qos, 1) for topic_filter, qos in packet.filters}
        session.subscriptions.update(granted)
        self._engine.sessions.keep(session)
        self.send(SubAck(packet.packet_id, tuple(granted[topic_filter] for topic_filter, _ in packet.filters)))
        self._engine.events.publish(Subscribed(session.client_id))

    def _on_unsubscribe(self, session: Session, packet: Unsubscribe) -> None:
        for topic_filter in packet.filters:
            session.subscriptions.pop(topic_filter, None)
        self._engine.sessions.keep(session)
        self.send(UnsubAck(packet.packet_id))
