"""The ring of events, and its readers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fwsm.errors import HubError
from fwsm.hub.bags import Bag
from fwsm.hub.events import Connected, Events, Sender, Subscribed, TelemetryReceived, TwinAdded, TwinChanged
from fwsm.hub.feed import EventStream, Feed
from fwsm.hub.refusal import Refusal
from fwsm.hub.turn import Turn
from fwsm.hub.twin import Twin
from tests.hub.test_turn import LoggedState
from tests.patience import PATIENCE_S


def _telemetry(body: bytes = b"x") -> TelemetryReceived:
    return TelemetryReceived("d1", Bag({"message-id": "1"}, {"a": None}), body, Sender("d1", "device", "sas", 1))


def _numbers(feed: Feed, position: int) -> list[int]:
    return [event.sequence_number for event in feed.after(position)]


def _feed(most_events: int = 100, most_bytes: int = 100_000) -> tuple[Events, Feed]:
    events = Events()
    return events, Feed(events, lambda: 1.5, most_events=most_events, most_bytes=most_bytes)


def test_events_are_read_from_a_position() -> None:
    """What operators do not see has no number; reading takes nothing away."""
    events, feed = _feed()
    assert feed.after(0) == []
    for event in (Connected("d1"), Subscribed("d1"), _telemetry(b"1"), _telemetry(b"2")):
        events.publish(event)
    assert [_numbers(feed, position) for position in (0, 1, 3)] == [[1, 2, 3], [2, 3], []]
    assert [event.body for event in feed.after(1, most=1)] == [b"1"]
    assert feed.position == 3
    assert feed.after(2)[0].enqueued_at == 1.5


def test_event_is_shown_once_it_is_durable() -> None:
    """It has its number and its time before; when the commit fails it comes with the next one that does not."""
    events, feed = _feed()
    state = LoggedState([])
    woken: list[int] = []
    feed.wake(lambda: woken.append(feed.position))

    async def scene() -> None:
        turn = Turn(state, asyncio.get_running_loop())
        feed.show_behind(turn)
        events.publish(_telemetry(b"1"))
        events.publish(_telemetry(b"2"))
        assert (feed.position, feed.after(0), feed.after(2), feed.wait_beyond(0, 0), woken) == (2, [], [], False, [])
        await turn.committed()
        assert (_numbers(feed, 0), woken) == ([1, 2], [2])
        state.fails = True
        events.publish(_telemetry(b"3"))
        with pytest.raises(HubError, match="full"):
            await turn.committed()
        assert (_numbers(feed, 0), feed.wait_beyond(2, 0), woken) == ([1, 2], False, [2])
        state.fails = False
        events.publish(_telemetry(b"4"))
        await turn.committed()
        assert (_numbers(feed, 0), feed.wait_beyond(2, 0), woken) == ([1, 2, 3, 4], True, [2, 4])
        await turn.committed()
        assert woken == [2, 4]

    asyncio.run(scene())


def test_event_that_comes_of_an_answer_waits_for_the_next_commit() -> None:
    """What is decided while the hub speaks is not part of the commit before."""
    events, feed = _feed()
    shown: list[list[int]] = []

    async def scene() -> None:
        turn = Turn(LoggedState([]), asyncio.get_running_loop())
        feed.show_behind(turn)
        turn.then(lambda _: events.publish(_telemetry(b"2")))
        events.publish(_telemetry(b"1"))
        turn.then(lambda _: shown.append(_numbers(feed, 0)))
        await turn.committed()
        await turn.committed()
        shown.append(_numbers(feed, 0))

    asyncio.run(scene())
    assert shown == [[1], [1, 2]]


def test_event_does_not_wait_for_an_answer() -> None:
    """A message with QoS 0 is not answered, and shown nevertheless."""
    events, feed = _feed()

    async def scene() -> None:
        feed.show_behind(Turn(LoggedState([]), asyncio.get_running_loop()))
        events.publish(_telemetry(b"1"))
        await asyncio.sleep(0)
        assert _numbers(feed, 0) == [1]

    asyncio.run(scene())


def test_position_that_is_not_there_yet_is_refused() -> None:
    """It belongs to another hub, or to an earlier life of this one."""
    _, feed = _feed()
    with pytest.raises(Refusal, match="not yet at 1"):
        feed.after(1)


def test_old_events_make_room_for_new_ones() -> None:
    """A reader who comes too late is told where to go on."""
    events, feed = _feed(most_events=3)
    for _ in range(5):
        events.publish(_telemetry())
    with pytest.raises(Refusal, match="up to 2 are no longer kept; go on behind 2"):
        feed.after(1)
    assert _numbers(feed, 2) == [3, 4, 5]


def test_memory_of_the_feed_is_bounded() -> None:
    """Large events push out more of the old ones; one that is larger than all the room stays alone."""
    events, feed = _feed(most_bytes=10_000)
    for _ in range(10):
        events.publish(_telemetry(b"x" * 4000))
    assert _numbers(feed, feed.position - 2) == [9, 10]
    with pytest.raises(Refusal):
        feed.after(7)
    events.publish(_telemetry(b"x" * 20_000))
    assert _numbers(feed, 10) == [11]
    big = {f"k{number}": "x" * 100 for number in range(100)}
    twin = Twin.new(1.0).with_replacement({}, big, 1.0)
    for event in (TwinAdded("d1", twin), TwinChanged("d1", {"tags": big}, 1, {}, 1.0)):
        events.publish(event)
        assert len(_numbers(feed, feed.position - 1)) == 1
        with pytest.raises(Refusal):
            feed.after(feed.position - 2)


def test_reader_waits_for_the_next_event() -> None:
    """In another thread; from where it stands."""
    events, feed = _feed()
    events.publish(_telemetry(b"before"))
    stream = EventStream(feed, feed.position, lambda: False)
    assert stream.next(0.01) is None
    threading.Timer(0.05, events.publish, [_telemetry(b"after")]).start()
    assert next(stream).body == b"after"
    assert stream.position == 2


def test_reader_finds_what_it_waits_for() -> None:
    """What it has read past is not read again; waiting is bounded."""
    events, feed = _feed()
    for body in (b"1", b"2", b"3"):
        events.publish(_telemetry(body))
    stream = EventStream(feed, 0, lambda: False)
    assert stream.wait_for(lambda event: event.body == b"2", PATIENCE_S).sequence_number == 2
    with pytest.raises(HubError, match=r"within 0\.01 s: 1 others came"):
        stream.wait_for(lambda event: event.body == b"1", 0.01)


def test_reader_ends_with_the_hub() -> None:
    """A loop over events comes to its end."""
    _, feed = _feed()
    assert list(EventStream(feed, 0, lambda: True)) == []


def test_reader_that_is_too_slow_is_told() -> None:
    """It does not silently miss events."""
    events, feed = _feed(most_events=1)
    stream = EventStream(feed, 0, lambda: False)
    events.publish(_telemetry())
    events.publish(_telemetry())
    with pytest.raises(HubError, match=r"no longer kept.*sooner"):
        next(stream)


def test_wakers_are_called_until_they_are_forgotten() -> None:
    """So that readers in the hub's own thread need not wait in a thread."""
    events, feed = _feed()
    woken: list[int] = []

    def waker() -> None:
        woken.append(feed.position)

    feed.wake(waker)
    events.publish(_telemetry())
    feed.forget(waker)
    events.publish(_telemetry())
    assert woken == [1]


def test_feed_that_ends_wakes_its_readers_and_does_not_wait_for_ever() -> None:
    """One who does not go is left behind."""
    _, feed = _feed()
    news: list[str] = []

    def leave() -> None:
        news.append("woken")
        asyncio.get_running_loop().call_soon(feed.forget, leave)

    feed.wake(leave)
    asyncio.run(feed.end())
    assert (news, feed.ended) == (["woken"], True)
    feed.wake(lambda: news.append("stays"))
    asyncio.run(asyncio.wait_for(feed.end(), PATIENCE_S))
    assert news == ["woken", "stays"]
