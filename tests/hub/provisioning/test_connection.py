"""The rules of a connection to the provisioning service, without a network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fwsm.hub.codec import Decoder, encode
from fwsm.hub.engine import Engine
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
    Unsubscribe,
)
from fwsm.hub.provisioning.connection import ProvisioningConnection
from fwsm.hub.provisioning.enrollments import Enrollments
from fwsm.hub.sas import sign
from fwsm.hub.state import EphemeralState

if TYPE_CHECKING:
    from fwsm.hub.packets import Packet

FILTER = "$dps/registrations/res/#"
REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid=7"


class Wire:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.closed = False

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self.decoder.feed(data)

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def packets(self) -> list[Packet]:
        """What has been sent since the last call."""
        packets = []
        while (packet := self.decoder.next_packet()) is not None:
            packets.append(packet)
        return packets


class Peer:
    """A device at the other end of a connection."""

    def __init__(self) -> None:
        engine = Engine(EphemeralState(), time.time, time.monotonic)
        self.enrollments = Enrollments(engine, "127.0.7.1", "0ne1")
        self.key = self.enrollments.enroll("r1", "d1", None, None).primary_key
        self.wire = Wire()
        self.now = 0.0
        self.connection = ProvisioningConnection(self.enrollments, self.wire, frozenset(), lambda: self.now)

    def says(self, packet: Packet) -> list[Packet]:
        """Send a packet and return the answers."""
        self.connection.receive(encode(packet))
        return self.wire.packets()

    def connects(self, user_name: str = "0ne1/registrations/r1/api-version=2019-03-31") -> list[Packet]:
        """Send a CONNECT."""
        token = sign("0ne1/registrations/r1", self.key, int(time.time()) + 3600, "registration")
        return self.says(Connect("r1", True, 60, user_name, token.encode()))


@pytest.fixture
def peer() -> Peer:
    """A device that is enrolled as r1."""
    return Peer()


def test_a_device_subscribes_and_registers(peer: Peer) -> None:
    """The receipt comes first, then the answer with its number and the time to wait."""
    assert peer.connects() == [ConnAck()]
    assert peer.says(Subscribe(1, ((FILTER, 1),))) == [SubAck(1, (1,))]
    receipt, answer = peer.says(Publish(REGISTER, b"{}", 1, 2))
    assert receipt == PubAck(2)
    assert isinstance(answer, Publish)
    assert answer.topic == "$dps/registrations/res/202/?$rid=7&retry-after=1"
    assert peer.says(PingReq()) == [PingResp()]
    assert peer.says(Disconnect()) == []
    assert peer.wire.closed


@pytest.mark.parametrize(
    ("user_name", "code"),
    [("r1", 4), ("0ne2/registrations/r1/api-version=1", 5), ("0ne1/registrations/r2/api-version=1", 5)],
)
def test_a_strange_user_name_is_not_let_in(peer: Peer, user_name: str, code: int) -> None:
    """Malformed is 4; another scope or device is 5."""
    assert peer.connects(user_name) == [ConnAck(code)]
    assert peer.wire.closed


@pytest.mark.parametrize(
    "packet",
    [
        Subscribe(1, (("$iothub/twin/res/#", 1),)),
        Publish("devices/r1/messages/events/", b"", 0),
        Publish("$dps/registrations/PUT/iotdps-register/", b"", 0),
        Publish(f"$dps/registrations/PUT/iotdps-register/?$rid={'7' * 1025}", b"", 0),
        Unsubscribe(1, (FILTER,)),
        Connect("r1", True, 60),
    ],
    ids=lambda packet: type(packet).__name__,
)
def test_everything_else_ends_the_connection(peer: Peer, packet: Packet) -> None:
    """There is no negative answer in MQTT."""
    peer.connects()
    assert peer.says(packet) == []
    assert peer.wire.closed


def test_the_first_packet_is_connect(peer: Peer) -> None:
    """Nothing is answered before."""
    assert peer.says(PingReq()) == []
    assert peer.wire.closed


def test_who_is_silent_has_gone(peer: Peer) -> None:
    """After a minute and a half; and a socket that has gone ends it at once."""
    peer.connects()
    peer.now = 89.0
    peer.connection.check_time()
    assert not peer.wire.closed
    assert peer.connection.due_in_s() == 1.0
    peer.now = 90.0
    peer.connection.check_time()
    assert peer.connection.closed
    peer.connection.lost()
    assert peer.connection.closed


def test_a_service_that_is_told_to_be_silent_is(peer: Peer) -> None:
    """The receipt comes, the answer does not."""
    peer.connects()
    peer.enrollments.withheld = 1
    assert peer.says(Publish(REGISTER, b"{}", 1, 2)) == [PubAck(2)]
