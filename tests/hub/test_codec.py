"""The codec: every packet survives the wire, and no bytes harm the decoder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.codec import Decoder, MalformedPacketError, encode
from fwsm.hub.packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
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

_ids = st.integers(1, 0xFFFF)
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
_filters = _texts.filter(bool)
_topics = st.text(st.characters(codec="utf-8", exclude_characters="\0#+"), min_size=1, max_size=40)
_blobs = st.binary(max_size=300)
_qos = st.integers(0, 2)
_wills = st.builds(Will, _topics, _blobs, _qos, st.booleans())


@st.composite
def _connects(draw: st.DrawFn) -> Connect:
    user_name = draw(st.none() | _texts)
    password = None if user_name is None else draw(st.none() | _blobs)
    return Connect(
        draw(_texts), draw(st.booleans()), draw(st.integers(0, 0xFFFF)), user_name, password, draw(st.none() | _wills)
    )


@st.composite
def _publishes(draw: st.DrawFn) -> Publish:
    qos = draw(_qos)
    return Publish(
        draw(_topics),
        draw(_blobs),
        qos,
        draw(_ids) if qos else None,
        draw(st.booleans()) if qos else False,
        draw(st.booleans()),
    )


_packets: st.SearchStrategy[Packet] = st.one_of(
    _connects(),
    st.builds(ConnAck, st.integers(0, 255), st.booleans()),
    _publishes(),
    st.builds(PubAck, _ids),
    st.builds(PubRec, _ids),
    st.builds(PubRel, _ids),
    st.builds(PubComp, _ids),
    st.builds(Subscribe, _ids, st.lists(st.tuples(_filters, _qos), min_size=1, max_size=4).map(tuple)),
    st.builds(SubAck, _ids, st.lists(st.sampled_from([0, 1, 2, 0x80]), min_size=1, max_size=4).map(tuple)),
    st.builds(Unsubscribe, _ids, st.lists(_filters, min_size=1, max_size=4).map(tuple)),
    st.builds(UnsubAck, _ids),
    st.just(PingReq()),
    st.just(PingResp()),
    st.just(Disconnect()),
)


def _drain(decoder: Decoder) -> list[Packet]:
    packets = []
    while (packet := decoder.next_packet()) is not None:
        packets.append(packet)
    return packets


def _decode(data: bytes) -> list[Packet]:
    decoder = Decoder()
    decoder.feed(data)
    return _drain(decoder)


@given(_packets)
def test_every_packet_survives_the_wire(packet: Packet) -> None:
    """What is encoded comes back equal."""
    assert _decode(encode(packet)) == [packet]


@given(st.lists(_packets, max_size=5), st.data())
def test_stream_may_be_cut_anywhere(packets: list[Packet], data: st.DataObject) -> None:
    """The pieces in which bytes arrive make no difference."""
    stream = b"".join(encode(packet) for packet in packets)
    decoder, received, at = Decoder(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        decoder.feed(stream[at : at + size])
        received += _drain(decoder)
        at += size
    assert received == packets


@given(st.binary(max_size=2000))
def test_arbitrary_bytes_give_packets_or_the_one_error(junk: bytes) -> None:
    """No input ends in anything but packets, a wait for more, or MalformedPacketError."""
    try:
        packets = _decode(junk)
    except MalformedPacketError:
        return
    for packet in packets:
        assert _decode(encode(packet)) == [packet]


@given(_packets, st.data())
def test_damaged_packet_gives_packets_or_the_one_error(packet: Packet, data: st.DataObject) -> None:
    """One flipped byte in a good packet never escapes as another exception."""
    stream = bytearray(encode(packet))
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        packets = _decode(bytes(stream))
    except MalformedPacketError:
        return
    assert len(packets) <= len(stream) // 2


def test_topics_may_change_from_packet_to_packet() -> None:
    """The decoder remembers the last one, and takes no other for it."""
    packets: list[Packet] = [Publish(topic) for topic in ("a", "a", "b", "ab", "a")]
    assert _decode(b"".join(map(encode, packets))) == packets
    with pytest.raises(MalformedPacketError, match="empty"):
        _decode(encode(Publish("a")) + b"\x30\x02\x00\x00")


def test_long_packet_survives_the_wire() -> None:
    """A message of 256 KiB, the largest of IoT Hub, passes."""
    packet = Publish("devices/d1/messages/events/", b"x" * 256 * 1024, 1, 7)
    assert _decode(encode(packet)) == [packet]


def test_oversize_packet_is_refused_by_its_header_alone() -> None:
    """The decoder does not wait for, nor store, the body of a packet that is too large."""
    decoder = Decoder(max_packet_bytes=1000)
    decoder.feed(b"\x30\xe9\x07")
    with pytest.raises(MalformedPacketError, match="1001 bytes"):
        decoder.next_packet()


@given(st.lists(st.binary(max_size=300) | st.just(b"\x30\x64"), max_size=30))
def test_decoder_keeps_no_more_than_a_packet_and_a_read(pieces: list[bytes]) -> None:
    """Whatever comes, for however long."""
    decoder = Decoder(max_packet_bytes=100)
    for piece in pieces:
        decoder.feed(piece)
        try:
            while decoder.next_packet() is not None:
                pass
        except MalformedPacketError:
            assert len(decoder._buffer) == 0
            return
        assert len(decoder._buffer) <= 100 + 5 + 300


def test_faulty_stream_stays_faulty() -> None:
    """After the first fault nothing more is taken from the peer."""
    decoder = Decoder()
    decoder.feed(b"\x00\x00")
    for _ in range(2):
        with pytest.raises(MalformedPacketError):
            decoder.next_packet()
        decoder.feed(encode(PingReq()))


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xf0\x00", "type 15"),
        (b"\xc1\x00", "flags 1"),
        (b"\xc0\x01x", "longer than its fields"),
        (b"\x30\xff\xff\xff\xff\x01", "remaining length"),
        (b"\x36\x05\x00\x01a\x00\x01", "flags 6"),
        (b"\x38\x03\x00\x01a", "flags 8"),
        (b"\x30\x03\x00\x01#", "wildcard"),
        (b"\x30\x02\x00\x00", "empty"),
        (b"\x30\x03\x00\x01\xff", "UTF-8"),
        (b"\x30\x03\x00\x01\x00", "null character"),
        (b"\x30\x03\x00\x09a", "ends inside"),
        (b"\x30\x00", "ends inside"),
        (b"\x30\x01\x00", "ends inside"),
        (b"\x32\x04\x00\x01a\x00", "ends inside"),
        (b"\x32\x05\x00\x01a\x00\x00", "identifier 0"),
        (b"\x82\x02\x00\x01", "without a filter"),
        (b"\x82\x06\x00\x01\x00\x01a\x03", "impossible QoS"),
        (b"\x90\x03\x00\x01\x03", "SUBACK"),
        (b"\xa2\x02\x00\x01", "UNSUBSCRIBE"),
        (b"\x20\x02\x02\x00", "CONNACK"),
        (b"\x10\x0c\x00\x04MQTT\x05\x00\x00\x00\x00\x00", "not of MQTT 3.1.1"),
        (b"\x10\x0c\x00\x04MQTT\x04\x01\x00\x00\x00\x00", "flags 0x01"),
        (b"\x10\x0c\x00\x04MQTT\x04\x08\x00\x00\x00\x00", "flags 0x08"),
        (b"\x10\x0e\x00\x04MQTT\x04\x40\x00\x00\x00\x00\x00\x00", "no user name"),
    ],
)
def test_breach_of_the_standard_is_named(data: bytes, fault: str) -> None:
    """Each fault closes with a message that says what was wrong."""
    with pytest.raises(MalformedPacketError, match=fault):
        _decode(data)


@pytest.mark.parametrize(
    "packet",
    [
        Publish("a", b"", 1, None),
        Publish("a", b"", 0, 1),
        Publish("a" * 65536),
        Publish("a", b"", 1, 65536),
        Publish("a", b"x" * 300_000),
        PubAck(0),
        Connect("d1", password=b"secret"),
    ],
)
def test_impossible_packet_is_not_encoded(packet: Packet) -> None:
    """What the wire cannot carry is the caller's fault and says so."""
    with pytest.raises(ValueError, match=r"."):
        encode(packet)
