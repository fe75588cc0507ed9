"""What MQTT packets are made of (1.5, 2.2): numbers, strings, identifiers, the frame; from bytes and to bytes.

Reading trusts nothing and ends in `MalformedPacketError`; writing ends in ValueError, because what this program sends
wrongly is its own fault.
"""

from __future__ import annotations

from typing import NoReturn

__all__ = [
    "FieldReader",
    "MalformedPacketError",
    "encode_blob",
    "encode_identifier",
    "encode_text",
    "framed",
    "refuse",
    "topic_of",
]

_LONGEST_FIELD_BYTES = 0xFFFF


class MalformedPacketError(Exception):
    """The peer does not speak MQTT 3.1.1. The connection is to be closed."""


def refuse(fault: str) -> NoReturn:
    """Raise MalformedPacketError."""
    raise MalformedPacketError(fault)


class FieldReader:
    """Reads the fields of one packet's body from front to back; every method raises MalformedPacketError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            refuse("the packet ends inside a field")
        part = self._data[self._at : end]
        self._at = end
        return part

    def byte(self) -> int:
        """Return the next byte."""
        return self._take(1)[0]

    def number(self) -> int:
        """Return the next two bytes, big end first."""
        return int.from_bytes(self._take(2), "big")

    def packet_id(self) -> int:
        """Return the next packet identifier, which is never 0 (2.3.1)."""
        value = self.number()
        if value == 0:
            refuse("packet identifier 0")
        return value

    def blob(self) -> bytes:
        """Return the next bytes, which their length precedes."""
        return self._take(self.number())

    def text(self) -> str:
        """Return the next string: UTF-8 without U+0000 (1.5.3)."""
        return _text(self.blob())

    def topic(self) -> str:
        """Return the next topic name: a string, not empty, without wildcards (3.3.2.1)."""
        return topic_of(self.blob())

    def literal(self, expected: bytes, fault: str) -> None:
        """Step over exactly these bytes; `fault` says what it means when others come."""
        if self._data[self._at : self._at + len(expected)] != expected:
            refuse(fault)
        self._at += len(expected)

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self._take(len(self._data) - self._at)

    def more(self) -> bool:
        """Say whether anything is left."""
        return self._at < len(self._data)


def topic_of(data: bytes) -> str:
    """Return the topic name that a field holds (see `FieldReader.topic`); raises MalformedPacketError."""
    topic = _text(data)
    if not topic or "#" in topic or "+" in topic:
        refuse("a topic name is empty or holds a wildcard")
    return topic


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        refuse("a string is not UTF-8")
    if "\0" in text:
        refuse("a string holds a null character")
    return text


def encode_blob(data: bytes) -> bytes:
    """Return `data` behind its length; raises ValueError over 65535 bytes."""
    if len(data) > _LONGEST_FIELD_BYTES:
        raise ValueError(f"a field of {len(data)} bytes")
    return len(data).to_bytes(2, "big") + data


def encode_text(text: str) -> bytes:
    """Return `text` in UTF-8 behind its length; raises ValueError over 65535 bytes."""
    return encode_blob(text.encode())


def encode_identifier(value: int) -> bytes:
    """Return a packet identifier; raises ValueError outside 1 to 65535."""
    if not 0 < value <= 0xFFFF:  # noqa: PLR2004 - two bytes, not zero (2.3.1)
        raise ValueError(f"packet identifier {value}")
    return value.to_bytes(2, "big")


def framed(first: int, body: bytes, most_bytes: int) -> bytes:
    """Return a packet: its first byte, its length (2.2.3), its body; raises ValueError over `most_bytes`."""
    length = len(body)
    if length < 0x80:  # noqa: PLR2004 - one byte says it, and mostly does
        return bytes((first, length)) + body
    if length > most_bytes:
        raise ValueError(f"a packet of {length} bytes")
    header = bytearray((first,))
    while length > 0x7F:  # noqa: PLR2004 - seven bits a byte
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return bytes(header) + body
