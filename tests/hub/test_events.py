"""News reaches every listener in order."""

from __future__ import annotations

from fwsm.hub.events import Connected, Disconnected, Event, Events, Subscribed


def test_every_listener_hears_everything_in_order() -> None:
    """Listeners are told in the order in which they came, event by event."""
    events = Events()
    heard: list[tuple[str, Event]] = []
    events.subscribe(lambda event: heard.append(("first", event)))
    events.subscribe(lambda event: heard.append(("second", event)))
    events.publish(Connected("d1"))
    events.publish(Disconnected("d1"))
    assert heard == [
        ("first", Connected("d1")),
        ("second", Connected("d1")),
        ("first", Disconnected("d1")),
        ("second", Disconnected("d1")),
    ]


def test_listener_hears_what_it_asked_for() -> None:
    """Kinds that it did not name do not reach it, also when it came after the first of them was told."""
    events = Events()
    heard: list[Event] = []
    events.publish(Connected("d1"))
    events.subscribe(heard.append, Connected, Subscribed)
    for event in (Connected("d2"), Disconnected("d2"), Subscribed("d3")):
        events.publish(event)
    assert heard == [Connected("d2"), Subscribed("d3")]
