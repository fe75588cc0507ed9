"""MQTT 3.1.1 between packets and bytes, without I/O.

    decoder = Decoder()
    decoder.feed(data)                                # whatever the socket gave, cut anywhere
    while (packet := decoder.next_packet()) is not None:
        ...
    socket.send(encode(PubAck(7)))

The decoder trusts nothing. A packet announces its length in its first bytes, so it is refused before
it is stored when it is larger than IoT Hub allows; what is buffered is therefore never more than one
packet plus one read. Everything that breaks the standard ends in `MalformedPacketError`, and so does every
call after that: the only thing left to do with such a peer is to close the connection.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from fwsm.hub.fields import (
    FieldReader,
    MalformedPacketError,
    encode_blob,
    encode_identifier,
    encode_text,
    framed,
    refuse,
    topic_of,
)
from fwsm.hub.packets import (
    ConnAck,
    Connect,
    Disconnect,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.packets import Packet

__all__ = ["MAX_PACKET_BYTES", "Decoder", "MalformedPacketError", "encode"]

# A message of IoT Hub holds 256 KiB; its topic, with the property bag in it, comes on top.
MAX_PACKET_BYTES = 256 * 1024 + 16 * 1024

_MOST_LENGTH_BYTES = 4  # of seven bits each (2.2.3)
_PROTOCOL = b"\x00\x04MQTT\x04"

_USER_NAME, _PASSWORD, _WILL_RETAIN, _WILL, _CLEAN, _RESERVED = 0x80, 0x40, 0x20, 0x04, 0x02, 0x01
_RETAIN, _DUP = 0x01, 0x08
_QOS_LIMIT = 2
_REFUSED = 0x80


class Decoder:
    """Cuts a stream of bytes into packets.

    Args:
        max_packet_bytes: the largest packet that is taken, counted without its fixed header.
    """

    def __init__(self, max_packet_bytes: int = MAX_PACKET_BYTES) -> None:
        self._max_packet_bytes = max_packet_bytes
        self._buffer: bytes | bytearray = b""
        self._at = 0
        # A device says most of what it says on one topic.
        self._usual_topic: tuple[bytes | None, str] = (None, "")
        self._fault: MalformedPacketError | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes as they came."""
        if self._at == len(self._buffer):  # mostly: peers send whole packets
            self._buffer = data
        else:
            # Grows in place: a large packet may come in small pieces.
            rest = self._buffer if isinstance(self._buffer, bytearray) else bytearray(self._buffer)
            del rest[: self._at]
            rest += data
            self._buffer = rest
        self._at = 0

    def next_packet(self) -> Packet | None:
        """Return the next whole packet, or None when more bytes are needed.

        Raises:
            MalformedPacketError: the stream is not MQTT 3.1.1; every later call raises it again.
        """
        if self._fault is not None:
            raise self._fault
        try:
            return self._cut()
        except MalformedPacketError as error:
            self._fault = error
            self._buffer, self._at = b"", 0
            raise

    def _cut(self) -> Packet | None:
        buffer, at = self._buffer, self._at + 1
        length = shift = 0
        while True:
            if at >= len(buffer):
                return None
            byte = buffer[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the top bit says that another byte follows
                break
            shift += 7
            if shift == 7 * _MOST_LENGTH_BYTES:
                refuse("the remaining length has more than four bytes")
        if length > self._max_packet_bytes:
            refuse(f"a packet of {length} bytes is larger than the limit of {self._max_packet_bytes}")
        if len(buffer) - at < length:
            return None
        first = buffer[self._at]
        self._at = at + length
        data = bytes(buffer[at : self._at])
        kind, flags = first >> 4, first & 0x0F
        return self._publish(flags, data) if kind == _PUBLISH else _decode(kind, flags, FieldReader(data))

    def _publish(self, flags: int, data: bytes) -> Publish:
        # By hand, where the others use a reader of fields: nearly every packet is one of these.
        qos = flags >> 1 & 0x03
        dup = bool(flags & _DUP)
        if qos > _QOS_LIMIT or (dup and qos == 0):
            refuse(f"PUBLISH with flags {flags}")
        topic_end = 2 + (data[0] << 8 | data[1]) if len(data) >= 2 else 2  # noqa: PLR2004 - the length of the topic
        end = topic_end + 2 if qos else topic_end
        if len(data) < end:
            refuse("the packet ends inside a field")
        packet_id = data[topic_end] << 8 | data[topic_end + 1] if qos else None
        if packet_id == 0:
            refuse("packet identifier 0")
        encoded = data[2:topic_end]
        known, topic = self._usual_topic
        if encoded != known:
            topic = topic_of(encoded)
            self._usual_topic = (encoded, topic)
        return Publish(topic, data[end:], qos, packet_id, dup, bool(flags & _RETAIN))


def _decode(kind: int, flags: int, body: FieldReader) -> Packet:
    row = _DECODERS.get(kind)
    if row is None:
        refuse(f"packet type {kind} does not exist")
    expected_flags, decode = row
    if flags != expected_flags:
        refuse(f"packet type {kind} with flags {flags}")
    packet = decode(body)
    if body.more():
        refuse(f"packet type {kind} is longer than its fields")
    return packet


def _decode_connect(body: FieldReader) -> Connect:
    body.literal(_PROTOCOL, "CONNECT is not of MQTT 3.1.1 (protocol name MQTT, level 4)")
    flags = body.byte()
    keep_alive_s = body.number()
    client_id = body.text()
    will = _decode_will(flags, body)
    if flags & _PASSWORD and not flags & _USER_NAME:
        refuse("CONNECT with a password but no user name")
    user_name = body.text() if flags & _USER_NAME else None
    password = body.blob() if flags & _PASSWORD else None
    return Connect(client_id, bool(flags & _CLEAN), keep_alive_s, user_name, password, will)


def _decode_will(flags: int, body: FieldReader) -> Will | None:
    qos = flags >> 3 & 0x03
    retain = bool(flags & _WILL_RETAIN)
    wanted = bool(flags & _WILL)
    if flags & _RESERVED or qos > _QOS_LIMIT or (not wanted and (qos or retain)):
        refuse(f"CONNECT with flags {flags:#04x}")
    return Will(body.topic(), body.blob(), qos, retain) if wanted else None


def _decode_connack(body: FieldReader) -> ConnAck:
    flags = body.byte()
    if flags > 1:
        refuse(f"CONNACK with flags {flags}")
    return ConnAck(body.byte(), bool(flags))


def _decode_subscribe(body: FieldReader) -> Subscribe:
    packet_id = body.packet_id()
    filters = []
    while body.more():
        topic_filter, qos = body.text(), body.byte()
        if not topic_filter or qos > _QOS_LIMIT:
            refuse("SUBSCRIBE with an empty filter or an impossible QoS")
        filters.append((topic_filter, qos))
    if not filters:
        refuse("SUBSCRIBE without a filter")
    return Subscribe(packet_id, tuple(filters))


def _decode_suback(body: FieldReader) -> SubAck:
    packet_id, codes = body.packet_id(), tuple(body.rest())
    if not codes or any(code > _QOS_LIMIT and code != _REFUSED for code in codes):
        refuse("SUBACK without codes or with an impossible one")
    return SubAck(packet_id, codes)


def _decode_unsubscribe(body: FieldReader) -> Unsubscribe:
    packet_id = body.packet_id()
    filters = []
    while body.more():
        filters.append(body.text())
    if not filters or "" in filters:
        refuse("UNSUBSCRIBE without a filter or with an empty one")
    return Unsubscribe(packet_id, tuple(filters))


def encode(packet: Packet) -> bytes:
    """Return the bytes of a packet.

    Raises:
        ValueError: the packet cannot exist on this wire: more than `MAX_PACKET_BYTES`, a string over 65535 bytes, an
            identifier outside 1..65535, a QoS without its identifier. It is a fault of the caller.
    """
    if isinstance(packet, PubAck):  # by hand: it is most of what a hub says
        return b"\x40\x02" + encode_identifier(packet.packet_id)
    if isinstance(packet, Publish):
        return _encode_publish(packet)
    first, body = _ENCODERS[type(packet)]
    return framed(first, body(packet), MAX_PACKET_BYTES)


def _encode_publish(packet: Publish) -> bytes:
    if (packet.qos > 0) != (packet.packet_id is not None):
        raise ValueError(f"QoS {packet.qos} with packet identifier {packet.packet_id}")
    first = _PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
    identifier = b"" if packet.packet_id is None else encode_identifier(packet.packet_id)
    return framed(first, encode_text(packet.topic) + identifier + packet.payload, MAX_PACKET_BYTES)


def _encode_connect(packet: Connect) -> bytes:
    flags = _CLEAN if packet.clean_session else 0
    payload = encode_text(packet.client_id)
    if packet.will is not None:
        flags |= _WILL | packet.will.qos << 3 | (_WILL_RETAIN if packet.will.retain else 0)
        payload += encode_text(packet.will.topic) + encode_blob(packet.will.payload)
    if packet.user_name is not None:
        flags |= _USER_NAME
        payload += encode_text(packet.user_name)
    if packet.password is not None:
        if packet.user_name is None:
            raise ValueError("a password without a user name")
        flags |= _PASSWORD
        payload += encode_blob(packet.password)
    return _PROTOCOL + struct.pack(">BH", flags, packet.keep_alive_s) + payload


def _encode_subscribe(packet: Subscribe) -> bytes:
    return encode_identifier(packet.packet_id) + b"".join(
        encode_text(name) + bytes((qos,)) for name, qos in packet.filters
    )


def _encode_unsubscribe(packet: Unsubscribe) -> bytes:
    return encode_identifier(packet.packet_id) + b"".join(encode_text(name) for name in packet.filters)


def _encode_receipt(packet: PubAck | PubRec | PubRel | PubComp | UnsubAck) -> bytes:
    return encode_identifier(packet.packet_id)


# PUBLISH stands apart: its flags are fields of the packet.
_PUBLISH = 3

# Packet type, the flags it must carry (2.2.2), its class, its body as bytes, its body from bytes.
_LAYOUT: tuple[tuple[int, int, type[Any], Callable[[Any], bytes], Callable[[FieldReader], Packet]], ...] = (
    (1, 0, Connect, _encode_connect, _decode_connect),
    (2, 0, ConnAck, lambda p: bytes((p.session_present, p.code)), _decode_connack),
    (4, 0, PubAck, _encode_receipt, lambda body: PubAck(body.packet_id())),
    (5, 0, PubRec, _encode_receipt, lambda body: PubRec(body.packet_id())),
    (6, 2, PubRel, _encode_receipt, lambda body: PubRel(body.packet_id())),
    (7, 0, PubComp, _encode_receipt, lambda body: PubComp(body.packet_id())),
    (8, 2, Subscribe, _encode_subscribe, _decode_subscribe),
    (9, 0, SubAck, lambda p: encode_identifier(p.packet_id) + bytes(p.codes), _decode_suback),
    (10, 2, Unsubscribe, _encode_unsubscribe, _decode_unsubscribe),
    (11, 0, UnsubAck, _encode_receipt, lambda body: UnsubAck(body.packet_id())),
    (12, 0, PingReq, lambda _: b"", lambda _: PingReq()),
    (13, 0, PingResp, lambda _: b"", lambda _: PingResp()),
    (14, 0, Disconnect, lambda _: b"", lambda _: Disconnect()),
)
_DECODERS = {kind: (flags, decode) for kind, flags, _, _, decode in _LAYOUT}
_ENCODERS = {cls: (kind << 4 | flags, body) for kind, flags, cls, body, _ in _LAYOUT}
