"""One connection without a socket: every rule of the protocol that IoT Hub has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.bags import Bag
from fwsm.hub.cloudmessages import CloudMessage
from fwsm.hub.codec import Decoder, encode
from fwsm.hub.connection import Connection
from fwsm.hub.engine import Engine
from fwsm.hub.events import TelemetryReceived
from fwsm.hub.faults import (
    CutAfterAck,
    CutBeforeAck,
    CutInside,
    Delay,
    Lose,
    Operation,
    Refuse,
    WithholdAck,
    WithholdAnswer,
)
from fwsm.hub.packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)
from fwsm.hub.sas import sign
from fwsm.hub.state import EphemeralState
from fwsm.hub.throttles import Load
from fwsm.hub.topics import DESIRED, METHODS, TWIN_ANSWERS

if TYPE_CHECKING:
    from fwsm.hub.faults import Effect

REPORT = "$iothub/twin/PATCH/properties/reported/?$rid="
READ = "$iothub/twin/GET/?$rid="


class World:
    """A hub without doors that knows d1 and d2, whose clocks stand still until they are moved."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.monotonic = 0.0
        self.engine = Engine(EphemeralState(), lambda: self.wall, lambda: self.monotonic)
        for device_id in ("d1", "d2"):
            self.engine.registry.create(device_id, {})
        self.telemetry: list[TelemetryReceived] = []
        self.engine.events.subscribe(self._on_event)

    def _on_event(self, event: object) -> None:
        if isinstance(event, TelemetryReceived):
            self.telemetry.append(event)

    def sleep(self, seconds: float) -> None:
        """Move both clocks."""
        self.wall += seconds
        self.monotonic += seconds


class Peer:
    """The device's end of a connection."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.closed = False
        self._decoder = Decoder()
        self.connection = Connection(world.engine, self)

    def write(self, data: bytes) -> None:
        """Take bytes from the hub."""
        assert not self.closed
        self._decoder.feed(data)

    def close(self) -> None:
        """Take note of the end."""
        self.closed = True

    def say(self, *packets: Packet) -> list[Packet]:
        """Send packets to the hub and return what it has said since."""
        self.connection.receive(b"".join(encode(packet) for packet in packets))
        return self.heard()

    def heard(self) -> list[Packet]:
        """Return what the hub has said since the last time."""
        packets = []
        while (packet := self._decoder.next_packet()) is not None:
            packets.append(packet)
        return packets

    def connect(self, device_id: str = "d1", **fields: Any) -> Peer:
        """Come in as a device, with a good token for an hour."""
        key = self.world.engine.registry.get(device_id).primary_key
        token = sign(f"hub/devices/{device_id}", key, int(self.world.wall) + 3600)
        options = {"clean_session": False, **fields}
        packet = Connect(device_id, user_name=f"hub/{device_id}/?api-version=1", password=token.encode(), **options)
        (answer,) = self.say(packet)
        assert isinstance(answer, ConnAck)
        assert answer.code == 0
        return self

    def subscribe(self, *filters: str) -> Peer:
        """Subscribe with QoS 1."""
        self.say(Subscribe(1, tuple((topic_filter, 1) for topic_filter in filters)))
        return self


@pytest.fixture
def world() -> World:
    """Return a world of its own for each test."""
    return World()


def _answer(packet: Packet) -> tuple[str, Any]:
    assert isinstance(packet, Publish)
    assert packet.qos == 0
    return packet.topic, json.loads(packet.payload) if packet.payload else None


def test_twin_is_read_and_reported(world: World) -> None:
    """PUBACK comes first, then the answer with the version; null deletes."""
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    patch = Publish(f"{REPORT}1", b'{"a": {"b": 1}, "c": 2}', 1, 5)
    ack, answer = peer.say(patch)
    assert (ack, _answer(answer)) == (PubAck(5), ("$iothub/twin/res/204/?$rid=1&$version=2", None))
    peer.say(Publish(f"{REPORT}2", b'{"a": {"b": null}}', 1, 6))
    (answer,) = peer.say(Publish(f"{READ}3", b" "))
    topic, twin = _answer(answer)
    assert topic == "$iothub/twin/res/200/?$rid=3"
    assert twin == {"desired": {"$version": 1}, "reported": {"a": {}, "c": 2, "$version": 3}}


def test_bad_report_is_answered_with_status_and_code(world: World) -> None:
    """The status is in the topic for one SDK, errorCode in the body for the other; nothing is changed."""
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    bodies = [b"{", b"[]", b'{"a.b": 1}', b'{"$version": 1}', b'{"a": [null]}']
    for body in bodies:
        ack, answer = peer.say(Publish(f"{REPORT}1", body, 1, 5))
        topic, detail = _answer(answer)
        assert (ack, topic) == (PubAck(5), "$iothub/twin/res/400/?$rid=1")
        assert detail["errorCode"] // 1000 == 400
    assert world.engine.twins.get("d1").reported.version == 1


def test_report_on_a_stale_version_is_answered_412(world: World) -> None:
    """The base version is checked when the device gives one."""
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    (answer,) = peer.say(Publish(f"{REPORT}1&$version=7", b"{}"))
    assert _answer(answer)[0] == "$iothub/twin/res/412/?$rid=1"


def test_device_without_the_subscription_gets_no_answer(world: World) -> None:
    """The report counts all the same."""
    peer = Peer(world).connect()
    assert peer.say(Publish(f"{REPORT}1", b'{"a": 1}', 1, 5)) == [PubAck(5)]
    assert world.engine.twins.get("d1").reported.values == {"a": 1}


def test_twins_of_two_devices_never_mix(world: World) -> None:
    """The same topics mean another twin on another connection."""
    first = Peer(world).connect("d1").subscribe(TWIN_ANSWERS, DESIRED)
    second = Peer(world).connect("d2").subscribe(TWIN_ANSWERS, DESIRED)
    first.say(Publish(f"{REPORT}1", b'{"who": "d1"}'))
    world.engine.twins.update("d1", {"properties": {"desired": {"x": 1}}})
    assert world.engine.twins.get("d2").reported.values == {}
    assert second.heard() == []


def test_desired_change_reaches_the_device(world: World) -> None:
    """The notification has the change and its version."""
    peer = Peer(world).connect().subscribe(DESIRED)
    world.engine.twins.update("d1", {"properties": {"desired": {"a": 1, "b": None}}})
    (packet,) = peer.heard()
    assert _answer(packet) == (
        "$iothub/twin/PATCH/properties/desired/?$version=2",
        {"a": 1, "b": None, "$version": 2},
    )


def test_telemetry_is_acknowledged(world: World) -> None:
    """QoS 1 gets a receipt, QoS 0 none."""
    peer = Peer(world).connect()
    assert peer.say(Publish("devices/d1/messages/events/", b"x", 1, 9)) == [PubAck(9)]
    assert peer.say(Publish("devices/d1/messages/events/", b"x")) == []


def test_method_answer_of_nobody_is_acknowledged(world: World) -> None:
    """An answer whose caller has gone does no harm."""
    assert Peer(world).connect().say(Publish("$iothub/methods/res/200/?$rid=zz", b"", 1, 9)) == [PubAck(9)]


def test_subscriptions_survive_the_connection(world: World) -> None:
    """A device that comes back with CleanSession 0 is told that its session is there, and hears again."""
    first = Peer(world).connect().subscribe(DESIRED)
    first.connection.lost()
    second = Peer(world)
    second.connect()
    world.engine.twins.update("d1", {"properties": {"desired": {"a": 1}}})
    assert len(second.heard()) == 1


@pytest.mark.parametrize(("clean", "present"), [(False, True), (True, False)])
def test_session_present_is_told(world: World, *, clean: bool, present: bool) -> None:
    """CONNACK says whether the hub remembers the device."""
    Peer(world).connect().connection.lost()
    key = world.engine.registry.get("d1").primary_key
    token = sign("hub/devices/d1", key, int(world.wall) + 60).encode()
    packet = Connect("d1", clean, user_name="hub/d1/?api-version=1", password=token)
    assert Peer(world).say(packet) == [ConnAck(0, present)]


def test_subscriptions_are_granted_at_most_qos_1(world: World) -> None:
    """Codes come in the order of the filters; a filter given twice is one subscription."""
    peer = Peer(world).connect()
    filters = ((METHODS, 2), (DESIRED, 0), ("devices/d1/messages/devicebound/#", 1), (METHODS, 0))
    assert peer.say(Subscribe(3, filters)) == [SubAck(3, (0, 0, 1, 0))]
    assert peer.say(Unsubscribe(4, (METHODS, "unknown"))) == [UnsubAck(4)]
    assert not peer.connection.listens_to(METHODS)
    assert peer.connection.listens_to(DESIRED)


def test_ping_is_answered(world: World) -> None:
    """A sign of life gets one back; receipts are taken in silence."""
    assert Peer(world).connect().say(PubAck(1), PingReq()) == [PingResp()]


@pytest.mark.parametrize(
    "packet",
    [
        Publish("devices/d2/messages/events/"),
        Publish("some/topic"),
        Publish("devices/d1/messages/events/", b"", 2, 1),
        Subscribe(1, (("#", 0),)),
        Subscribe(1, (("devices/d2/messages/devicebound/#", 0),)),
        Subscribe(1, ((METHODS, 0),) * 6),
        Connect("d1"),
        PubRel(1),
        PingResp(),
    ],
)
def test_breach_ends_the_connection(world: World, packet: Packet) -> None:
    """MQTT has no negative answer, so the hub hangs up, and nothing that follows counts."""
    peer = Peer(world).connect()
    assert peer.say(packet, Publish(f"{REPORT}1", b'{"a": 1}')) == []
    assert peer.closed
    assert not world.engine.links.connected("d1")
    assert world.engine.twins.get("d1").reported.values == {}


@pytest.mark.parametrize(
    "data", [encode(PingReq()), b"GET / HTTP/1.1\r\nHost: " + b"h" * 60, b"\x10\xff\xff\xff\xff\xff"]
)
def test_peer_that_does_not_say_connect_is_cut_off(world: World, data: bytes) -> None:
    """Strangers get no answer."""
    peer = Peer(world)
    peer.connection.receive(data)
    assert peer.closed
    assert peer.heard() == []


def test_stranger_is_told_and_cut_off(world: World) -> None:
    """A refused CONNECT gets its code, then the end."""
    peer = Peer(world)
    assert peer.say(Connect("d1", user_name="hub/d1/?api-version=1", password=b"x")) == [ConnAck(5)]
    assert peer.closed


def test_goodbye_ends_the_connection(world: World) -> None:
    """After DISCONNECT the device is offline."""
    peer = Peer(world).connect()
    peer.say(Disconnect())
    assert peer.closed
    assert not world.engine.links.connected("d1")


def test_second_connection_takes_over(world: World) -> None:
    """The older connection is closed before the newer is let in, and the device counts as connected throughout."""
    old, new = Peer(world).connect(), Peer(world).connect()
    assert old.closed
    assert not new.closed
    old.connection.lost()
    assert world.engine.links.connected("d1")


@pytest.mark.parametrize(("keep_alive_s", "allowed_s"), [(60, 90), (1, 1.5), (0, 1767), (60_000, 1767)])
def test_silence_ends_the_connection(world: World, keep_alive_s: int, allowed_s: float) -> None:
    """One and a half times the keep-alive, at most what IoT Hub allows; any packet starts it anew."""
    peer = Peer(world).connect(keep_alive_s=keep_alive_s)
    world.monotonic += allowed_s - 0.5
    peer.say(PingReq())
    assert peer.connection.due_in_s() == allowed_s
    world.monotonic += allowed_s - 0.25
    peer.connection.check_time()
    assert not peer.closed
    world.monotonic += 0.25
    peer.connection.check_time()
    assert peer.closed


def test_silence_before_connect_ends_the_connection(world: World) -> None:
    """A peer that never says who it is does not hold a connection."""
    peer = Peer(world)
    world.sleep(peer.connection.due_in_s())
    peer.connection.check_time()
    assert peer.closed


def test_expiry_of_the_token_ends_the_connection(world: World) -> None:
    """A live connection ends with the token that opened it."""
    peer = Peer(world).connect(keep_alive_s=0)
    world.sleep(3599)
    peer.say(PingReq())
    assert peer.connection.due_in_s() == 1
    world.sleep(1)
    peer.connection.check_time()
    assert peer.closed


@pytest.mark.parametrize(
    ("effect", "acknowledged", "closed"),
    [(CutBeforeAck(), False, True), (CutAfterAck(), True, True), (WithholdAnswer(), True, False)],
)
def test_fault_at_a_report_strikes_after_the_hub_has_acted(
    world: World, effect: Effect, *, acknowledged: bool, closed: bool
) -> None:
    """The device cannot know whether its report counted: it did."""
    world.engine.faults.inject(Operation.REPORTED_PATCH, effect, device_id="d1")
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    assert peer.say(Publish(f"{REPORT}1", b'{"a": 1}', 1, 5)) == ([PubAck(5)] if acknowledged else [])
    assert peer.closed is closed
    assert world.engine.twins.get("d1").reported.values == {"a": 1}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_refused_report_does_not_count(world: World, status: int) -> None:
    """A throttled or failing hub says so and has done nothing."""
    world.engine.faults.inject(Operation.REPORTED_PATCH, Refuse(status))
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    ack, answer = peer.say(Publish(f"{REPORT}1", b'{"a": 1}', 1, 5))
    topic, detail = _answer(answer)
    assert (ack, topic) == (PubAck(5), f"$iothub/twin/res/{status}/?$rid=1")
    assert detail["errorCode"] // 1000 == status
    assert world.engine.twins.get("d1").reported.values == {}


def test_withheld_twin_is_not_sent(world: World) -> None:
    """The request is acknowledged and then nothing comes; the next one is answered."""
    world.engine.faults.inject(Operation.TWIN_READ, WithholdAnswer())
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    assert peer.say(Publish(f"{READ}1", b" ", 1, 5)) == [PubAck(5)]
    assert len(peer.say(Publish(f"{READ}2", b" ", 1, 6))) == 2


def test_telemetry_is_told_with_its_properties_and_its_sender(world: World) -> None:
    """RETAIN, which IoT Hub does not know, leaves a mark."""
    peer = Peer(world).connect()
    peer.say(Publish("devices/d1/messages/events/%24.ct=a%2Fb&x=1", b"body", 1, 9, retain=True))
    (event,) = world.telemetry
    assert (event.client_id, event.body) == ("d1", b"body")
    assert event.bag == Bag({"content-type": "a/b"}, {"x": "1", "mqtt-retain": "true"})
    assert (event.sender.scope, event.sender.kind) == ("device", "sas")


@pytest.mark.parametrize(("size", "closed"), [(256 * 1024 - 27, False), (256 * 1024 - 26, True)])
def test_message_over_256_kib_ends_the_connection(world: World, size: int, *, closed: bool) -> None:
    """Counted with its topic; a larger one is not told."""
    peer = Peer(world).connect()
    peer.say(Publish("devices/d1/messages/events/", b"x" * size))
    assert peer.closed is closed
    assert len(world.telemetry) == (0 if closed else 1)


_WILL = Will("devices/d1/messages/events/x=1", b"gone", 1)


def test_will_counts_as_telemetry_when_the_device_vanishes(world: World) -> None:
    """Whatever the reason; with the mark of a will."""
    Peer(world).connect(will=_WILL).connection.lost()
    Peer(world).connect(will=_WILL).say(PubRel(1))
    Peer(world).connect(will=_WILL)
    Peer(world).connect()
    assert [(event.body, event.bag.system) for event in world.telemetry] == [
        (b"gone", {"iothub-MessageType": "Will"})
    ] * 3
    assert world.telemetry[0].bag.application == {"x": "1"}


def test_will_is_dropped_at_a_goodbye(world: World) -> None:
    """DISCONNECT ends it."""
    peer = Peer(world).connect(will=_WILL)
    peer.say(Disconnect())
    peer.connection.lost()
    assert world.telemetry == []


def test_five_subscriptions_at_most(world: World) -> None:
    """Counted over all requests."""
    peer = Peer(world).connect().subscribe(METHODS, DESIRED)
    peer.connection._session.subscriptions.update({str(number): 0 for number in range(3)})  # type: ignore[union-attr]
    peer.say(Subscribe(2, ((METHODS, 1),)))
    assert not peer.closed
    peer.say(Subscribe(3, ((TWIN_ANSWERS, 1),)))
    assert peer.closed


def test_messages_come_behind_the_connack(world: World) -> None:
    """A device that comes back gets what waited for it, and its receipt ends it."""
    inbox = "devices/d1/messages/devicebound/#"
    Peer(world).connect().subscribe(inbox).connection.lost()
    world.engine.messages.send("d1", CloudMessage(b"hello"))
    peer = Peer(world)
    key = world.engine.registry.get("d1").primary_key
    token = sign("hub/devices/d1", key, int(world.wall) + 60).encode()
    welcome, message = peer.say(Connect("d1", clean_session=False, user_name="hub/d1/?api-version=1", password=token))
    assert welcome == ConnAck(0, session_present=True)
    assert isinstance(message, Publish)
    assert message.packet_id is not None
    assert (message.payload, message.qos, message.dup) == (b"hello", 1, False)
    peer.say(PubAck(message.packet_id))
    assert world.engine.messages.count("d1") == 0


def test_messages_come_with_the_qos_that_was_granted(world: World) -> None:
    """QoS 0 has no receipt, so the message is done at once."""
    peer = Peer(world).connect()
    peer.say(Subscribe(1, (("devices/d1/messages/devicebound/#", 0),)))
    world.engine.messages.send("d1", CloudMessage(b"hello"))
    (message,) = peer.heard()
    assert isinstance(message, Publish)
    assert (message.qos, message.packet_id) == (0, None)
    assert world.engine.messages.count("d1") == 0


def test_delayed_packet_holds_up_what_comes_behind_it(world: World) -> None:
    """Order is kept, nothing is read meanwhile, and the waiting is not taken for silence."""
    world.engine.faults.inject(Operation.REPORTED_PATCH, Delay(100.0))
    peer = Peer(world).connect(keep_alive_s=10).subscribe(TWIN_ANSWERS)
    assert peer.say(Publish(f"{REPORT}1", b'{"a": 1}', 1, 5), PingReq()) == []
    held, due_s = peer.connection.held, peer.connection.due_in_s()
    assert (held, due_s) == (True, 100)
    world.sleep(99)
    peer.connection.check_time()
    assert peer.heard() == []
    world.sleep(1)
    peer.connection.check_time()
    ack, _, pong = peer.heard()
    assert (ack, pong) == (PubAck(5), PingResp())
    assert peer.connection.due_in_s() == 15


def test_delayed_connect_is_let_in_later(world: World) -> None:
    """The CONNACK comes when its time has come."""
    world.engine.faults.inject(Operation.CONNECT, Delay(5.0))
    key = world.engine.registry.get("d1").primary_key
    token = sign("hub/devices/d1", key, int(world.wall) + 60).encode()
    peer = Peer(world)
    assert peer.say(Connect("d1", user_name="hub/d1/?api-version=1", password=token)) == []
    world.sleep(5)
    peer.connection.check_time()
    assert peer.heard() == [ConnAck()]


@pytest.mark.parametrize("code", [2, 3, 5])
def test_ordered_fault_keeps_a_good_device_out(world: World, code: int) -> None:
    """A throttled hub says 3, for as often as was ordered."""
    world.engine.faults.inject(Operation.CONNECT, Refuse(code))
    packet = Connect("d1", user_name="hub/d1/?api-version=1", password=b"")
    assert Peer(world).say(packet) == [ConnAck(code)]
    assert Peer(world).connect().connection.client_id == "d1"


@pytest.mark.parametrize(("effect", "closed"), [(WithholdAnswer(), False), (CutBeforeAck(), True), (CutInside(), True)])
def test_fault_at_a_connect_keeps_the_connack_back(world: World, effect: Effect, *, closed: bool) -> None:
    """The device does not hear that it was let in."""
    world.engine.faults.inject(Operation.CONNECT, effect)
    key = world.engine.registry.get("d1").primary_key
    token = sign("hub/devices/d1", key, int(world.wall) + 60).encode()
    peer = Peer(world)
    assert peer.say(Connect("d1", user_name="hub/d1/?api-version=1", password=token)) == []
    assert peer.closed is closed
    assert world.engine.links.connected("d1") is not closed


@pytest.mark.parametrize(
    ("effect", "heard", "closed"),
    [
        (WithholdAck(), 1, False),
        (CutInside(), 1, True),
        (Lose(), 2, False),
    ],
)
def test_fault_at_a_report_leaves_half_an_answer(world: World, effect: Effect, heard: int, *, closed: bool) -> None:
    """No receipt, or an answer that breaks off; or all seems well and the report is lost."""
    world.engine.faults.inject(Operation.REPORTED_PATCH, effect)
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    packets = peer.say(Publish(f"{REPORT}1", b'{"a": 1}', 1, 5))
    assert len(packets) == heard
    assert peer.closed is closed
    assert world.engine.twins.get("d1").reported.values == ({} if isinstance(effect, Lose) else {"a": 1})
    if isinstance(effect, Lose):
        assert _answer(packets[1])[0] == "$iothub/twin/res/204/?$rid=1&$version=2"


@pytest.mark.parametrize("effect", [CutBeforeAck(), CutAfterAck(), CutInside(), WithholdAck(), Lose()])
def test_fault_at_telemetry(world: World, effect: Effect) -> None:
    """Only what is lost does not reach the feed."""
    world.engine.faults.inject(Operation.TELEMETRY, effect)
    peer = Peer(world).connect()
    acknowledged = peer.say(Publish("devices/d1/messages/events/", b"x", 1, 5)) == [PubAck(5)]
    assert acknowledged is isinstance(effect, CutAfterAck | Lose)
    assert peer.closed is isinstance(effect, CutBeforeAck | CutAfterAck | CutInside)
    assert len(world.telemetry) == (0 if isinstance(effect, Lose) else 1)


def test_lost_call_and_change_do_not_reach_the_device(world: World) -> None:
    """The hub believes that it has sent them."""
    peer = Peer(world).connect().subscribe(METHODS, DESIRED)
    for operation in (Operation.METHOD_CALL, Operation.DESIRED_CHANGE):
        world.engine.faults.inject(operation, Lose())
    for _ in range(2):
        peer.connection.publish("$iothub/methods/POST/go/?$rid=1", b"")
        world.engine.twins.update("d1", {"properties": {"desired": {"a": 1}}})
    assert len(peer.heard()) == 2


@pytest.mark.parametrize("effect", [Lose(), CutBeforeAck(), CutInside()])
def test_message_that_is_disturbed_comes_again(world: World, effect: Effect) -> None:
    """With the next connection, marked as one that may be known; those behind it come in their turn."""
    Peer(world).connect().subscribe("devices/d1/messages/devicebound/#").connection.lost()
    for body in (b"1", b"2"):
        world.engine.messages.send("d1", CloudMessage(body))
    world.engine.faults.inject(Operation.CLOUD_MESSAGE, effect)
    token = sign("hub/devices/d1", world.engine.registry.get("d1").primary_key, int(world.wall) + 60).encode()
    welcome = Connect("d1", clean_session=False, user_name="hub/d1/?api-version=1", password=token)
    first, second = Peer(world), Peer(world)
    heard = [packet.payload for packet in first.say(welcome) if isinstance(packet, Publish)]
    assert heard == {Lose: [b"2"], CutBeforeAck: [b"1"], CutInside: []}[type(effect)]
    assert first.closed is not isinstance(effect, Lose)
    first.connection.lost()
    again = [(packet.payload, packet.dup) for packet in second.say(welcome) if isinstance(packet, Publish)]
    assert again == [(b"1", True), (b"2", isinstance(effect, Lose))]


def test_expiry_can_be_had_at_once(world: World) -> None:
    """The connection ends as if the token had run out."""
    peer = Peer(world).connect()
    world.engine.links.expire("d1")
    world.engine.links.expire("d2")
    assert peer.closed


def test_throttled_hub_refuses_twin_work(world: World) -> None:
    """429 on the fifty-first report within a second; reads have a limit of their own."""
    world.engine.throttles.set(1)
    peer = Peer(world).connect().subscribe(TWIN_ANSWERS)
    answers = peer.say(*(Publish(f"{REPORT}1", b"{}") for _ in range(51)))
    topic, detail = _answer(answers[-1])
    assert (topic, detail["errorCode"]) == ("$iothub/twin/res/429/?$rid=1", 429001)
    assert "/204/" in _answer(answers[-2])[0]
    (answer,) = peer.say(Publish(f"{READ}2", b" "))
    assert "/200/" in _answer(answer)[0]


def test_throttled_hub_lets_telemetry_wait(world: World) -> None:
    """It comes through late; a device that sends far too much is cut off."""
    world.engine.throttles.set(1)
    peer = Peer(world).connect()
    peer.say(*(Publish("devices/d1/messages/events/", b"x") for _ in range(101)))
    assert (len(world.telemetry), peer.connection.held) == (100, True)
    world.sleep(0.01)
    peer.connection.check_time()
    assert len(world.telemetry) == 101
    for _ in range(1001):
        world.engine.throttles.wait_s(Load.TELEMETRY)
    peer.say(Publish("devices/d1/messages/events/", b"x"))
    assert peer.closed


@given(pieces=st.lists(st.binary(max_size=60), max_size=5), connected=st.booleans())
def test_no_bytes_break_a_connection(pieces: list[bytes], *, connected: bool) -> None:
    """Whatever a peer sends, the connection lives on or is closed; nothing is raised."""
    peer = Peer(World())
    if connected:
        peer.connect()
    for piece in pieces:
        peer.connection.receive(piece)
    assert peer.closed == peer.connection.closed
