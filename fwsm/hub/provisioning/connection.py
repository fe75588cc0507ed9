"""One device's MQTT connection to the provisioning service, apart from its socket.

The topics are few: the device subscribes to `$dps/registrations/res/#`, publishes to `…/PUT/iotdps-register/` and then
to `…/GET/iotdps-get-operationstatus/`, and each answer carries its `$rid`. Everything else ends the connection.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fwsm.hub.codec import Decoder, MalformedPacketError, encode
from fwsm.hub.jsontext import compact
from fwsm.hub.packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Disconnect,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
)
from fwsm.hub.sas import BadTokenError
from fwsm.hub.topics import UnknownTopicError, request_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.mqtt import Wire
    from fwsm.hub.packets import Packet
    from fwsm.hub.provisioning.enrollments import Answer, Enrolled, Enrollments

__all__ = ["ProvisioningConnection"]

_ANSWERS = "$dps/registrations/res/#"
_REGISTER = "$dps/registrations/PUT/iotdps-register/"
_PROGRESS = "$dps/registrations/GET/iotdps-get-operationstatus/"
_USER_NAME = re.compile(r"(?P<scope>[^/]+)/registrations/(?P<id>[^/]+)/\??(?:.*&)?api-version=.+", re.DOTALL)
# A registration is over in seconds; who says nothing for so long has gone.
_LONGEST_SILENCE_S = 90.0

_log = logging.getLogger(__name__)


class _BreachError(Exception):
    """The device did what ends a connection."""


class ProvisioningConnection:
    """The server's end of one connection.

    Args:
        enrollments: who may register.
        wire: the way back to the device.
        thumbprints: of the certificate that the device has shown, if any.
        monotonic: seconds that only go up.
    """

    held = False  # no packet has to wait here

    def __init__(
        self,
        enrollments: Enrollments,
        wire: Wire,
        thumbprints: frozenset[str],
        monotonic: Callable[[], float],
    ) -> None:
        self._enrollments = enrollments
        self._wire = wire
        self._thumbprints = thumbprints
        self._monotonic = monotonic
        self._decoder = Decoder()
        self._enrolled: Enrolled | None = None
        self._heard_at = monotonic()
        self.closed = False

    def receive(self, data: bytes) -> None:
        """Take bytes from the device."""
        self._heard_at = self._monotonic()
        self._decoder.feed(data)
        try:
            while not self.closed and (packet := self._decoder.next_packet()) is not None:
                self._handle(packet)
        except (MalformedPacketError, UnknownTopicError, _BreachError) as breach:
            self.close(str(breach))

    def lost(self) -> None:
        """Note that the socket has gone."""
        self.close("the device has gone")

    def close(self, reason: str) -> None:
        """End the connection from this side. Does nothing when it has ended."""
        if not self.closed:
            self.closed = True
            _log.info("provisioning: connection closed: %s", reason)
            self._wire.close()

    def due_in_s(self) -> float:
        """Say in how many seconds `check_time` is to be called."""
        return max(self._heard_at + _LONGEST_SILENCE_S - self._monotonic(), 0.0)

    def check_time(self) -> None:
        """Close if the device was silent too long."""
        if self._monotonic() - self._heard_at >= _LONGEST_SILENCE_S:
            self.close(f"nothing was heard for {_LONGEST_SILENCE_S:g} s")

    def _handle(self, packet: Packet) -> None:
        if self._enrolled is None:
            if not isinstance(packet, Connect):
                raise _BreachError(f"the first packet is {type(packet).__name__}, not CONNECT")
            self._on_connect(packet)
            return
        match packet:
            case Publish():
                self._on_publish(packet, self._enrolled)
            case Subscribe(packet_id, filters):
                if any(topic_filter != _ANSWERS for topic_filter, _ in filters):
                    raise _BreachError(f"{filters} is not the topic filter of the provisioning service")
                self._send(SubAck(packet_id, tuple(min(qos, 1) for _, qos in filters)))
            case PingReq():
                self._send(PingResp())
            case Disconnect():
                self.close("the device said goodbye")
            case _:
                raise _BreachError(f"{type(packet).__name__} cannot come from a device now")

    def _on_connect(self, packet: Connect) -> None:
        name = _USER_NAME.fullmatch(packet.user_name or "")
        code, why = ConnectCode.BAD_USER_NAME, "the user name is not {scope}/registrations/{id}/api-version={version}"
        if name is not None:
            code, why = ConnectCode.NOT_AUTHORIZED, "client id or ID scope is another"
        if name is not None and (name["scope"], name["id"]) == (self._enrollments.id_scope, packet.client_id):
            try:
                self._enrolled = self._enrollments.admit(packet.client_id, packet.password, self._thumbprints)
            except BadTokenError as error:
                why = str(error)
        if self._enrolled is None:
            self._send(ConnAck(code))
            self.close(f"{packet.client_id} is not let in (CONNACK {code}): {why}")
        else:
            self._send(ConnAck())

    def _on_publish(self, packet: Publish, enrolled: Enrolled) -> None:
        path, fields = request_parts(packet.topic)
        rid = fields.get("$rid", "")
        if packet.qos > 1 or not rid or path not in {_REGISTER, _PROGRESS}:
            raise _BreachError(f"a device may not publish to {packet.topic}")
        if packet.packet_id is not None:
            self._send(PubAck(packet.packet_id))
        if path == _REGISTER:
            answer = self._enrollments.register(enrolled)
        else:
            answer = self._enrollments.progress(enrolled, unquote(fields.get("operationId", "")))
        if answer is not None:
            self._answer(rid, answer)

    def _answer(self, rid: str, answer: Answer) -> None:
        wait = "" if answer.retry_after_s is None else f"&retry-after={answer.retry_after_s}"
        topic = f"$dps/registrations/res/{answer.status}/?$rid={rid}{wait}"
        self._send(Publish(topic, compact(answer.body)))

    def _send(self, packet: Packet) -> None:
        self._wire.write(encode(packet))
