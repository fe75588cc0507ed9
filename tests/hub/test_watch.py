"""Eyes for other threads."""

from __future__ import annotations

import threading

import pytest

from fwsm.errors import HubError
from fwsm.hub.bags import Bag
from fwsm.hub.events import Connected, Events, JobEnded, Reported, Sender, TelemetryReceived, WorkWaiting
from fwsm.hub.watch import Watch
from tests.patience import PATIENCE_S


def test_reports_are_kept_in_order_by_device() -> None:
    """Each device has its own log, oldest first."""
    events = Events()
    watch = Watch(events)
    for number in range(3):
        events.publish(Reported("d1", {"n": number}, number + 2))
    events.publish(Reported("d2", {}, 2))
    assert watch.reports("d1") == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert watch.reports("d3") == []


def test_oldest_reports_of_all_devices_are_forgotten() -> None:
    """By their size together, so that a hub which runs for months stays as large as it is."""
    events = Events()
    watch = Watch(events, most_bytes=10_000)
    for number in range(100):
        for device_id in ("d1", f"e{number}"):
            events.publish(Reported(device_id, {"n": number, "text": "x" * 492}, 2))
    assert [report["n"] for report in watch.reports("d1")] == [96, 97, 98, 99]
    assert [number for number in range(100) if watch.reports(f"e{number}")] == [95, 96, 97, 98, 99]
    assert len(watch._reports) == 6


def test_waiting_ends_when_the_fact_becomes_true() -> None:
    """The fact is asked again after an event, and its answer is returned."""
    events, facts, asked = Events(), list[str](), threading.Event()
    watch = Watch(events)

    def fact() -> str:
        asked.set()
        return facts[0] if facts else ""

    def come_true() -> None:
        asked.wait(PATIENCE_S)
        facts.append("yes")
        events.publish(Connected("d1"))

    other = threading.Thread(target=come_true)
    other.start()
    assert watch.wait_for(fact, "it", timeout_s=PATIENCE_S) == "yes"
    other.join()


def test_every_event_but_telemetry_is_news() -> None:
    """A hub under load has thousands of messages a second, of which no fact here comes true."""
    events = Events()
    watch = Watch(events)
    bag, sender = Bag(), Sender("d1", "device", "sas", 1)
    for event in (Connected("d1"), TelemetryReceived("d1", bag, b"", sender), WorkWaiting(), JobEnded("j")):
        events.publish(event)
    assert watch._news == 3


def test_waiting_is_bounded_also_when_there_is_other_news() -> None:
    """The error says what was waited for and how long."""
    watch = Watch(Events())
    with pytest.raises(HubError, match=r"a miracle did not happen within 0\.01 s"):
        watch.wait_for(lambda: False, "a miracle", timeout_s=0.01)
