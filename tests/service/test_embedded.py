"""What the embedded hub has beside IoT Hub's own, against the hub and against nonsense."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import DeviceNotFoundError, HubUnreachableError, RequestError, ServiceError, UnauthorizedError
from fwsm.hub.faults import _POSSIBLE, Operation, Refuse
from fwsm.hub.faults import EFFECTS as HUB_EFFECTS
from fwsm.service import EFFECTS, LOST, OPERATIONS, EmbeddedClient, Transport
from fwsm.service.sas import SharedAccess
from tests.service.scripted import answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.hub import Hub
    from tests.service.scripted import Site


@pytest.fixture
def embedded(hub: Hub) -> Iterator[EmbeddedClient]:
    """Return an operator with all rights."""
    with EmbeddedClient(Transport(SharedAccess.parse(hub.owner_connection_string), ca_file=hub.ca_path)) as client:
        yield client


def test_names_are_those_of_the_hub() -> None:
    """They are written twice, because operators do without the packages of the hub."""
    assert tuple(operation.value for operation in Operation) == tuple(OPERATIONS)
    assert tuple(HUB_EFFECTS) == EFFECTS
    for operation, (effects, _) in _POSSIBLE.items():
        assert {HUB_EFFECTS[name] for name in OPERATIONS[operation.value]} == set(effects)


def test_events_come_from_a_position(hub: Hub, embedded: EmbeddedClient) -> None:
    """Those of one device, if asked for; the position is good to go on behind it."""
    for device_id in ("d1", "d2"):
        hub.add_device(device_id)
    hub.update_twin("d1", tags={"a": 1})
    first, second = islice(embedded.events(0, "d1"), 2)
    assert [first.source, second.source] == ["deviceLifecycleEvents", "twinChangeEvents"]
    assert second.document["body"]["tags"] == {"a": 1}
    (again,) = islice(embedded.events(first.position, "d1"), 1)
    assert again == second


def test_events_come_from_now(hub: Hub, embedded: EmbeddedClient) -> None:
    """What was before is not told; what the hub no longer has is told as lost."""
    hub.add_device("d1")
    feed = hub._live.engine.feed
    hub._live.decide(setattr, feed, "_most_events", 2)
    for number in range(4):
        hub.update_twin("d1", tags={"n": number})
    lost, third, fourth = islice(embedded.events(1), 3)
    assert (lost.source, lost.document) == (LOST, {"from": 2, "to": 3})
    assert [event.document["body"]["tags"]["n"] for event in (third, fourth)] == [2, 3]


def test_reader_is_told_that_the_hub_has_gone(hub: Hub, embedded: EmbeddedClient) -> None:
    """Whether it stops in good order or not, and also when it never was there."""
    hub.add_device("d1")
    events = embedded.events(0)
    next(events)
    hub.stop()
    with pytest.raises(HubUnreachableError, match="has ended the feed: it has stopped"):
        next(events)
    with pytest.raises(HubUnreachableError, match="no connection"):
        next(embedded.events())


def test_reader_is_told_of_an_accident_in_plain_words(hub: Hub, embedded: EmbeddedClient) -> None:
    """Not in those of the library that met it."""
    hub.add_device("d1")
    events = embedded.events(0)
    next(events)
    hub.pause()
    with pytest.raises(
        HubUnreachableError, match=r"has ended the feed: the connection broke off \(the hub closed it\)"
    ):
        next(events)


def test_feed_that_cannot_be_had_is_refused(hub: Hub, embedded: EmbeddedClient) -> None:
    """A position that has not come yet; a policy without the right."""
    with pytest.raises(ServiceError, match="not yet at 7"):
        next(embedded.events(7))
    access = SharedAccess.parse(hub.policy_connection_string("registryRead"))
    with EmbeddedClient(Transport(access, ca_file=hub.ca_path)) as other, pytest.raises(UnauthorizedError):
        next(other.events())


@pytest.mark.parametrize(
    "body", [b"data: 7\n\n", b"id: x\ndata: {}\n\n", b"id: 1\n\n", b"id: 1\ndata: {\n\n", b"id: 1\ndata: []\n\n"]
)
def test_nonsense_is_no_event(site: Site, body: bytes) -> None:
    """Another server at this address is found out."""
    _, transport = site.serve(answering(200, b": a comment\n\n" + body))
    with EmbeddedClient(transport) as client, pytest.raises(ServiceError, match="cannot be read"):
        next(client.events())


def test_faults_are_ordered_listed_and_forgotten(hub: Hub, embedded: EmbeddedClient) -> None:
    """What cannot be is refused with the reason."""
    order = {"operation": "reported patch", "effect": "refuse", "status": 429, "times": 2}
    made = embedded.add_fault(order)
    assert made["timesLeft"] == 2
    assert embedded.faults() == [made]
    assert [fault.effect for fault in hub.faults.pending()] == [Refuse(429)]
    embedded.clear_faults()
    assert embedded.faults() == []
    with pytest.raises(ServiceError, match="cannot strike a connect"):
        embedded.add_fault({"operation": "connect", "effect": "lose"})


def test_message_waits_for_its_device(hub: Hub, embedded: EmbeddedClient) -> None:
    """Nobody gets one who is not registered."""
    hub.add_device("d1")
    embedded.send_message("d1", "open")
    assert hub.mail.waiting("d1") == 1
    with pytest.raises(DeviceNotFoundError):
        embedded.send_message("d2", "open")
    with pytest.raises(RequestError, match="no text in UTF-8"):
        embedded.send_message("d1", "\udcff")  # what Python makes of an argument that is none
    assert hub.mail.waiting("d1") == 1
