"""The fields of MQTT packets, one by one."""

from __future__ import annotations

import pytest

from fwsm.hub.fields import FieldReader, MalformedPacketError, encode_blob, encode_identifier, encode_text, framed


def test_fields_come_back_in_their_order() -> None:
    """What was written as identifier, text and blob is read as such, and nothing is left."""
    reader = FieldReader(encode_identifier(7) + encode_text("ünï") + encode_blob(b"\0\1") + b"tail")
    assert (reader.packet_id(), reader.text(), reader.blob(), reader.more()) == (7, "ünï", b"\0\1", True)
    assert (reader.rest(), reader.more()) == (b"tail", False)


def test_field_that_is_cut_off_is_malformed() -> None:
    """A length that promises more than there is does not read beyond the end."""
    with pytest.raises(MalformedPacketError, match="ends inside"):
        FieldReader(b"\x00\x05abc").blob()


@pytest.mark.parametrize("value", [0, -1, 65536])
def test_identifier_outside_two_bytes_is_not_written(value: int) -> None:
    """The wire has room for 1 to 65535."""
    with pytest.raises(ValueError, match=str(value)):
        encode_identifier(value)


@pytest.mark.parametrize(
    ("length", "header"), [(0, "0000"), (127, "007f"), (128, "008001"), (16383, "00ff7f"), (16384, "00808001")]
)
def test_a_frame_says_the_length_in_as_few_bytes_as_it_takes(length: int, header: str) -> None:
    """Seven bits a byte, the lowest first (2.2.3)."""
    assert framed(0, bytes(length), 16384) == bytes.fromhex(header) + bytes(length)


def test_a_body_over_the_limit_is_not_framed() -> None:
    """It is a fault of the program."""
    with pytest.raises(ValueError, match="a packet of 16385 bytes"):
        framed(0, bytes(16385), 16384)
