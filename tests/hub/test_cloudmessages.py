"""The queues of cloud-to-device messages, on links and clocks in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub.bags import Bag, parse_bag
from fwsm.hub.cloudmessages import CloudMessage
from fwsm.hub.codec import encode
from fwsm.hub.diskstate import DiskState
from fwsm.hub.engine import Engine
from fwsm.hub.events import Subscribed
from fwsm.hub.packets import Publish
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.state import EphemeralState
from fwsm.hub.topics import inbox_filter

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub.state import State


class Inbox:
    """A device's connection that keeps what is delivered."""

    def __init__(self, *, receipts: bool = True) -> None:
        self.receipts = receipts
        self.got: list[tuple[bytes, int, bool]] = []
        self.topics: list[str] = []

    def listens_to(self, topic_filter: str) -> bool:
        """Listen to messages only."""
        return topic_filter == inbox_filter("d1")

    def publish(self, topic: str, payload: bytes) -> None:
        """Nothing of the kind comes here."""
        raise AssertionError((topic, payload))

    def deliver(self, topic: str, payload: bytes, packet_id: int, *, again: bool) -> bool:
        """Keep the message."""
        self.topics.append(topic)
        self.got.append((payload, packet_id, again))
        return self.receipts

    def expire(self) -> None:
        """Do nothing."""

    def close(self, reason: str) -> None:
        """Do nothing."""


class World:
    """A hub that knows d1."""

    def __init__(self, state: State | None = None) -> None:
        self.now = 1000.0
        self.engine = Engine(state or EphemeralState(), lambda: self.now, lambda: 0.0)
        self.messages = self.engine.messages
        if self.engine.registry.find("d1") is None:
            self.engine.registry.create("d1", {})

    def send(self, body: bytes, **options: Any) -> None:
        """Send a message that asks for all feedback."""
        self.messages.send("d1", CloudMessage(body, **{"ack": "full", "system": {"message-id": "m"}, **options}))

    def outcomes(self) -> list[str]:
        """Return what became of messages since the last time."""
        return [record["statusCode"] for record in self.messages.feedback()]


@pytest.fixture
def world() -> World:
    """Return a world of its own."""
    return World()


def test_message_waits_for_its_device(world: World) -> None:
    """It is delivered when the device is there and listens, and is done with its receipt."""
    world.send(b"1")
    world.send(b"2")
    inbox = Inbox()
    world.engine.links.attach("d1", inbox)
    world.engine.events.publish(Subscribed("d1"))
    assert [(body, again) for body, _, again in inbox.got] == [(b"1", False), (b"2", False)]
    assert world.messages.count("d1") == 2
    for _, packet_id, _ in inbox.got:
        world.messages.acknowledged("d1", packet_id)
        world.messages.acknowledged("d1", packet_id)
    assert world.messages.count("d1") == 0
    assert world.outcomes() == ["Success", "Success"]
    assert world.outcomes() == []


def test_message_says_what_it_is(world: World) -> None:
    """Its properties are on the topic, with where it goes."""
    inbox = Inbox()
    world.engine.links.attach("d1", inbox)
    world.send(b"", properties={"a": "1", "b": None, "c": ""})
    (topic,) = inbox.topics
    beginning = "devices/d1/messages/devicebound/"
    assert topic.startswith(beginning)
    assert parse_bag(topic.removeprefix(beginning)) == Bag(
        {"to": "/devices/d1/messages/devicebound", "message-id": "m"},
        {"iothub-ack": "full", "a": "1", "b": None, "c": ""},
    )


def test_properties_fit_a_topic(world: World) -> None:
    """What no packet can carry is refused before it is queued: it would cut its device off at each connect."""
    with pytest.raises(Refusal, match="larger than a topic") as caught:
        world.send(b"", properties={"a": "x" * 65_500})
    assert (caught.value.why, world.messages.count("d1")) == (Why.TOO_LARGE, 0)
    inbox = Inbox()
    world.engine.links.attach("d1", inbox)
    world.send(b"", properties={"a": "x" * 65_300})
    assert len(encode(Publish(inbox.topics[0], b"", 1, 1))) > 65_300


def test_unacknowledged_message_comes_again(world: World) -> None:
    """After a reconnect, under the same packet identifier, marked as a repetition; a late receipt means nothing."""
    first, second = Inbox(), Inbox()
    world.engine.links.attach("d1", first)
    world.send(b"1")
    world.engine.links.detach("d1", first)
    ((_, packet_id, _),) = first.got
    world.messages.acknowledged("d1", packet_id)
    assert world.messages.count("d1") == 1
    world.engine.links.attach("d1", second)
    assert second.got == [(b"1", packet_id, True)]


def test_message_without_a_receipt_is_done_when_it_is_sent(world: World) -> None:
    """A device that subscribed with QoS 0 gives none."""
    world.engine.links.attach("d1", Inbox(receipts=False))
    world.send(b"1")
    assert world.messages.count("d1") == 0


def test_fifty_messages_wait_at_most(world: World) -> None:
    """The next is refused with 403004 until there is room."""
    for _ in range(50):
        world.send(b"")
    with pytest.raises(Refusal) as caught:
        world.send(b"")
    assert (caught.value.why, caught.value.why.code) == (Why.QUEUE_FULL, 403004)
    assert world.messages.purge("d1") == 50
    world.send(b"")
    assert world.outcomes() == ["Purged"] * 50


def test_message_expires(world: World) -> None:
    """It is not delivered any more, makes room, and is told of."""
    world.send(b"old", ttl_s=10)
    world.send(b"new")
    world.now += 10
    assert world.messages.count("d1") == 1
    inbox = Inbox()
    world.engine.links.attach("d1", inbox)
    assert [body for body, _, _ in inbox.got] == [b"new"]
    assert world.outcomes() == ["Expired"]


@pytest.mark.parametrize(
    ("ack", "told"),
    [("none", []), ("positive", ["Success"]), ("negative", ["Purged"]), ("full", ["Success", "Purged"])],
)
def test_only_the_outcomes_that_were_asked_for_are_told(world: World, ack: str, told: list[str]) -> None:
    """One message succeeds, one is purged."""
    inbox = Inbox()
    world.engine.links.attach("d1", inbox)
    world.send(b"", ack=ack)
    world.messages.acknowledged("d1", inbox.got[0][1])
    world.send(b"", ack=ack)
    world.messages.purge("d1")
    assert world.outcomes() == told


def test_feedback_says_whose_message_it_was(world: World) -> None:
    """In the form of the documentation."""
    world.send(b"")
    world.messages.purge("d1")
    assert world.messages.feedback() == [
        {
            "originalMessageId": "m",
            "enqueuedTimeUtc": "1970-01-01T00:16:40.0000000Z",
            "statusCode": "Purged",
            "description": "Purged",
            "deviceId": "d1",
            "deviceGenerationId": str(world.engine.registry.get("d1").generation),
        }
    ]


def test_messages_and_feedback_go_with_their_device(world: World) -> None:
    """A new device of the same name begins with an empty queue."""
    world.send(b"1")
    world.messages.purge("d1")
    world.send(b"2")
    world.engine.registry.delete("d1", "*")
    world.engine.registry.create("d1", {})
    assert world.messages.count("d1") == 0
    assert world.outcomes() == []


def test_unknown_device_and_modules_are_refused(world: World) -> None:
    """Messages go to devices that exist."""
    world.engine.registry.create("d1/m1", {})
    for client_id, why in (("d2", Why.DEVICE_NOT_FOUND), ("d1/m1", Why.ARGUMENT_INVALID)):
        with pytest.raises(Refusal) as caught:
            world.messages.send(client_id, CloudMessage(b""))
        assert caught.value.why is why
    with pytest.raises(Refusal):
        world.messages.purge("d2")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"body": b"x" * 65537}, 413001),
        ({"body": b"x" * 65536, "properties": {"a": None}}, 413001),
        ({"body": b"", "ack": "sometimes"}, 400004),
        ({"body": b"", "ttl_s": 0}, 400004),
        ({"body": b"", "ttl_s": 200_000}, 400004),
        ({"body": b"", "ttl_s": float("nan")}, 400004),
    ],
)
def test_message_outside_the_limits_is_refused(options: dict[str, Any], code: int) -> None:
    """64 KiB with its properties, two days, and four kinds of feedback."""
    with pytest.raises(Refusal) as caught:
        CloudMessage(**options)
    assert caught.value.why.code == code


def test_messages_survive_the_hub(tmp_path: Path) -> None:
    """In order, with all that was said of them; what was acknowledged does not come back."""
    state = DiskState(tmp_path / "hub.db")
    world, inbox = World(state), Inbox()
    world.engine.links.attach("d1", inbox)
    for body in (b"done", b"\xff", b"2"):
        world.send(body, properties={"a": None}, ttl_s=100)
    world.messages.acknowledged("d1", inbox.got[0][1])
    state.commit()
    state.close()
    state = DiskState(tmp_path / "hub.db")
    world, again = World(state), Inbox()
    world.engine.links.attach("d1", again)
    assert [(body, number) for body, number, _ in again.got] == [(body, number) for body, number, _ in inbox.got[1:]]
    assert again.topics == inbox.topics[1:]
    world.send(b"3")
    assert len({number for _, number, _ in again.got}) == 3
    world.now += 100
    assert world.outcomes() == ["Expired", "Expired"]
    state.close()
