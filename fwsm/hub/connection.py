"""One device's MQTT connection, apart from its socket.

Bytes go in (`receive`), bytes and the wish to close come out through a `Wire`; time is asked of the engine's clocks.
So every rule can be tried without a network.

MQTT 3.1.1 has no negative answer: where the hub cannot accept what a device sends (a wrong topic, QoS 2, a packet
that is too large) it ends the connection, as IoT Hub does. The reason goes to the log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fwsm.hub.admission import NotAdmittedError, admit
from fwsm.hub.codec import Decoder, MalformedPacketError, encode
from fwsm.hub.events import Subscribed, TelemetryReceived
from fwsm.hub.faults import CutBeforeAck, CutInside, Delay, Lose, Operation, Refuse, WithholdAnswer
from fwsm.hub.inbox import operation_of, receive_publication
from fwsm.hub.lifetime import Lifetime
from fwsm.hub.packets import (
    ConnAck,
    Connect,
    Disconnect,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    Subscribe,
    Unsubscribe,
)
from fwsm.hub.session import ForbiddenSubscriptionError
from fwsm.hub.shown import NOTHING_SHOWN
from fwsm.hub.subscribing import subscribe, unsubscribe
from fwsm.hub.throttles import Load
from fwsm.hub.topics import (
    DESIRED,
    METHODS,
    TWIN_ANSWERS,
    Telemetry,
    UnknownTopicError,
    inbox_filter,
    parse_publication,
)

if TYPE_CHECKING:
    from fwsm.hub.admission import Admission
    from fwsm.hub.engine import Engine
    from fwsm.hub.faults import Effect
    from fwsm.hub.mqtt import Wire
    from fwsm.hub.packets import Packet
    from fwsm.hub.session import Session
    from fwsm.hub.shown import ShownCertificate
    from fwsm.hub.topics import Publication

__all__ = ["Connection"]

# Of telemetry, its properties included.
_MAX_MESSAGE_BYTES = 256 * 1024
# A throttled hub lets telemetry wait for its turn; who would wait longer than this is cut off (429002).
_LONGEST_TURN_S = 10.0

# What the hub says of its own accord, by the beginning of the topic.
_SPOKEN = (
    (METHODS.removesuffix("#"), Operation.METHOD_CALL),
    (DESIRED.removesuffix("#"), Operation.DESIRED_CHANGE),
)

_log = logging.getLogger(__name__)


class _BreachError(Exception):
    """The device did what ends a connection."""


class Connection:
    """The server's end of one MQTT connection.

    Args:
        engine: the hub.
        wire: the way back to the device.
        shown: the certificate of the device, if it has shown one.
    """

    def __init__(self, engine: Engine, wire: Wire, shown: ShownCertificate = NOTHING_SHOWN) -> None:
        self._engine = engine
        self._wire = wire
        self._shown = shown
        self._decoder = Decoder()
        self._session: Session | None = None
        self._admission: Admission | None = None
        self._lifetime = Lifetime(engine.wall, engine.monotonic)
        # A device says most of what it says on one topic.
        self._usual: tuple[str, Publication] | None = None
        self.client_id = ""
        self.closed = False

    @property
    def held(self) -> bool:
        """Whether a packet waits for its time, and all that the device sends behind it; nothing should be read then."""
        return self._lifetime.holds

    def receive(self, data: bytes) -> None:
        """Take bytes from the device."""
        if self.closed:
            return
        self._lifetime.heard()
        self._decoder.feed(data)
        self._take_up()

    def lost(self) -> None:
        """Note that the socket has gone."""
        self.close("the device has gone")

    def close(self, reason: str) -> None:
        """End the connection from this side. Does nothing when it has ended."""
        if self.closed:
            return
        self.closed = True
        _log.info("%s: connection closed: %s", self.client_id or "unknown device", reason)
        if self._session is not None and self._admission is not None:
            self._say_last_word(self._session.client_id, self._admission)
            self._engine.links.detach(self._session.client_id, self)
        self._wire.close()

    def expire(self) -> None:
        """Treat the token as expired."""
        self.close("the token has expired (401003)")

    def due_in_s(self) -> float:
        """Say in how many seconds `check_time` is to be called."""
        return self._lifetime.due_in_s()

    def check_time(self) -> None:
        """Take up what has waited for its time; close if the device was silent too long or its token has expired."""
        reason = self._lifetime.end()
        if reason is not None:
            self.close(reason)
        elif (packet := self._lifetime.release()) is not None:
            self._take_up(packet)

    def listens_to(self, topic_filter: str) -> bool:
        """Say whether the device has subscribed to `topic_filter`."""
        return self._session is not None and topic_filter in self._session.subscriptions

    def publish(self, topic: str, payload: bytes) -> None:
        """Send the device a message with QoS 0."""
        for beginning, operation in _SPOKEN:
            if topic.startswith(beginning) and isinstance(self._struck(operation), Lose):
                return
        self.send(Publish(topic, payload))

    def deliver(self, topic: str, payload: bytes, packet_id: int, *, again: bool) -> bool:
        """Send a cloud-to-device message with the QoS that was granted; say whether a receipt will come."""
        receipt = self._session is not None and self._session.subscriptions[inbox_filter(self.client_id)] > 0
        effect = self._struck(Operation.CLOUD_MESSAGE)
        if not isinstance(effect, Lose):
            packet = Publish(topic, payload, 1, packet_id, dup=again) if receipt else Publish(topic, payload)
            self._say([packet], inside=isinstance(effect, CutInside))
        if isinstance(effect, CutBeforeAck | CutInside):
            self.close("a fault was ordered")
        return receipt

    def send(self, packet: Packet) -> None:
        """Send a packet, unless the connection has ended."""
        if not self.closed:
            self._wire.write(encode(packet))

    def _take_up(self, late: Packet | None = None) -> None:
        """Handle what has come, behind a packet whose time has come."""
        try:
            if late is not None:
                self._handle(late, late=True)
            while not (self.closed or self._lifetime.holds) and (packet := self._decoder.next_packet()) is not None:
                self._handle(packet)
        except (MalformedPacketError, UnknownTopicError, ForbiddenSubscriptionError, _BreachError) as breach:
            self.close(str(breach))

    def _handle(self, packet: Packet, *, late: bool = False) -> None:
        if self._session is None or self._admission is None:
            if not isinstance(packet, Connect):
                raise _BreachError(f"the first packet is {type(packet).__name__}, not CONNECT")
            self._on_connect(packet, late=late)
            return
        match packet:
            case Publish():
                self._on_publish(packet, self._admission, late=late)
            case PubAck():
                self._engine.messages.acknowledged(self.client_id, packet.packet_id)
            case Subscribe():
                self._on_subscribe(self._session, packet)
            case Unsubscribe():
                self.send(unsubscribe(self._engine, self._session, packet))
            case PingReq():
                self.send(PingResp())
            case Disconnect():
                self._admission = None  # and with it the will
                self._engine.links.detach(self.client_id, self)
                self.close("the device said goodbye")
            case _:
                raise _BreachError(f"{type(packet).__name__} cannot come from a device now")

    def _on_connect(self, packet: Connect, *, late: bool) -> None:
        effect = None if late else self._engine.faults.strike(Operation.CONNECT, packet.client_id)
        if isinstance(effect, Delay):
            self._lifetime.hold(effect.seconds, packet)
            return
        try:
            admission = self._admit(packet, effect)
        except NotAdmittedError as refusal:
            self.send(ConnAck(refusal.code))
            self.close(f"{packet.client_id} is not let in (CONNACK {refusal.code}): {refusal}")
            return
        self._lifetime.let_in(packet.keep_alive_s, admission.expires_at)
        self._engine.links.make_room(packet.client_id)
        session, present = self._engine.sessions.open(packet.client_id, clean=packet.clean_session)
        if not isinstance(effect, WithholdAnswer | CutBeforeAck):
            self._say([ConnAck(session_present=present)], inside=isinstance(effect, CutInside))
        self._session, self._admission, self.client_id = session, admission, packet.client_id
        _log.info("%s: connected", packet.client_id)
        self._engine.links.attach(packet.client_id, self, admission.sender.model_id)
        if isinstance(effect, CutBeforeAck | CutInside):
            self.close("a fault was ordered")

    def _admit(self, packet: Connect, effect: Effect | None) -> Admission:
        if isinstance(effect, Refuse):
            raise NotAdmittedError(effect.status, "a fault was ordered")
        return admit(self._engine, packet, self._shown)

    def _on_publish(self, packet: Publish, admission: Admission, *, late: bool) -> None:
        if packet.qos > 1:
            raise _BreachError("QoS 2 is not supported")
        publication = self._publication(packet)
        effect = None
        if not late:
            effect = self._struck(operation_of(publication))
            wait_s = effect.seconds if isinstance(effect, Delay) else self._turn_s(publication)
            if wait_s:
                self._lifetime.hold(wait_s, packet)
                return
        outcome = receive_publication(self._engine, admission.sender, publication, packet.payload, effect)
        packets: list[Packet] = []
        if outcome.acknowledge and packet.packet_id is not None:
            packets.append(PubAck(packet.packet_id))
        if outcome.answer is not None and self.listens_to(TWIN_ANSWERS):
            packets.append(Publish(*outcome.answer))
        self._say(packets, inside=outcome.inside)
        if outcome.cut:
            self.close("a fault was ordered")

    def _publication(self, packet: Publish) -> Publication:
        if self._usual is not None and self._usual[0] == packet.topic:
            publication = self._usual[1]
        else:
            publication = parse_publication(packet.topic, self.client_id)
            self._usual = (packet.topic, publication)
        if isinstance(publication, Telemetry):
            if len(packet.payload) + len(packet.topic) > _MAX_MESSAGE_BYTES:
                raise _BreachError(f"a message is larger than {_MAX_MESSAGE_BYTES} bytes (413001)")
            if packet.retain:
                return Telemetry(publication.bag.marked(retain=True))
        return publication

    def _on_subscribe(self, session: Session, packet: Subscribe) -> None:
        receipt, cut = subscribe(self._engine, session, packet)
        if receipt is not None:
            self.send(receipt)
        self._engine.events.publish(Subscribed(session.client_id))
        if cut:
            self.close("a fault was ordered")

    def _struck(self, operation: Operation) -> Effect | None:
        return self._engine.faults.strike(operation, self.client_id)

    def _turn_s(self, publication: object) -> float:
        if not isinstance(publication, Telemetry):
            return 0.0
        wait_s = self._engine.throttles.wait_s(Load.TELEMETRY)
        if wait_s > _LONGEST_TURN_S:
            raise _BreachError("too many messages wait for their turn (429002)")
        return wait_s

    def _say(self, packets: list[Packet], *, inside: bool) -> None:
        """Send packets; with `inside`, only half of the last one."""
        if not packets or self.closed:
            return
        data = b"".join(map(encode, packets))
        if inside:
            last = len(encode(packets[-1]))
            data = data[: len(data) - last + last // 2]
        self._wire.write(data)

    def _say_last_word(self, client_id: str, admission: Admission) -> None:
        if admission.last_word is not None:
            bag, body = admission.last_word.telemetry.bag, admission.last_word.body
            self._engine.events.publish(TelemetryReceived(client_id, bag.marked(will=True), body, admission.sender))
