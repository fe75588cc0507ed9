"""The registry's rules."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.hub.events import Event, Events, IdentityChanged
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.registry import Identity, Registry
from fwsm.hub.sas import new_key
from fwsm.hub.state import EphemeralState


@pytest.fixture
def events() -> Events:
    """Return the events of one registry."""
    return Events()


@pytest.fixture
def registry(events: Events) -> Registry:
    """Return an empty registry."""
    return Registry(EphemeralState(), events, lambda: 1000.0)


def _why(registry: Registry, method: str, *args: Any) -> Why:
    with pytest.raises(Refusal) as caught:
        getattr(registry, method)(*args)
    return caught.value.why


def test_new_device_has_random_keys_and_is_enabled(registry: Registry) -> None:
    """A body that says nothing gives a device that works."""
    first, second = registry.create("d1", {}), registry.create("d2", {})
    assert len({*first.keys, *second.keys}) == 4
    assert registry.get("d1") is first
    assert first.document(connected=False)["status"] == "enabled"


def test_description_is_taken_over(registry: Registry) -> None:
    """Keys, status and its reason come from the body."""
    primary, secondary = new_key(), new_key()
    keys = {"symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}}
    body = {"deviceId": "d1", "status": "disabled", "statusReason": "lost", "authentication": keys}
    identity = registry.create("d1", body)
    document = identity.document(connected=True)
    assert identity.keys == (primary, secondary)
    assert (document["status"], document["statusReason"], document["connectionState"]) == (
        "disabled",
        "lost",
        "Connected",
    )


def test_device_is_created_once(registry: Registry) -> None:
    """A second creation is a conflict and changes nothing."""
    first = registry.create("d1", {})
    assert _why(registry, "create", "d1", {}) is Why.DEVICE_EXISTS
    assert registry.get("d1") is first


def test_update_needs_the_current_etag(registry: Registry) -> None:
    """A stale etag is refused; the right one and the star pass, and move the etag."""
    first = registry.create("d1", {})
    second = registry.update("d1", {}, first.etag)
    assert second.etag != first.etag
    assert _why(registry, "update", "d1", {}, first.etag) is Why.PRECONDITION
    assert registry.update("d1", {}, "*").etag != second.etag


def test_update_without_keys_makes_new_ones(registry: Registry) -> None:
    """As on the service, an update that is silent about keys mints new ones."""
    first = registry.create("d1", {})
    assert set(first.keys).isdisjoint(registry.update("d1", {}, "*").keys)


def test_delete_needs_the_current_etag(registry: Registry) -> None:
    """A device that someone has changed is not deleted by accident."""
    registry.create("d1", {})
    assert _why(registry, "delete", "d1", "stale") is Why.PRECONDITION
    registry.delete("d1", "*")
    assert registry.find("d1") is None


@pytest.mark.parametrize(("method", "args"), [("get", ()), ("update", ({}, "*")), ("delete", ("*",))])
def test_unknown_device_is_not_found(registry: Registry, method: str, args: tuple[Any, ...]) -> None:
    """Everything but creation needs the device."""
    assert _why(registry, method, "d1", *args) is Why.DEVICE_NOT_FOUND


@pytest.mark.parametrize("device_id", ["", "a b", "a/b", "ä", "x" * 129])
def test_malformed_name_is_refused(registry: Registry, device_id: str) -> None:
    """Names are those that IoT Hub allows."""
    assert _why(registry, "create", device_id, {}) is Why.ARGUMENT_INVALID


@pytest.mark.parametrize(
    "body",
    [
        {"deviceId": "d2"},
        {"status": "on"},
        {"authentication": 1},
        {"authentication": {"type": "selfSigned"}},
        {"authentication": {"symmetricKey": 1}},
        {"authentication": {"symmetricKey": {"primaryKey": "AAAA", "secondaryKey": "AAAA"}}},
        {"authentication": {"symmetricKey": {"primaryKey": "A" * 44}}},
    ],
)
def test_malformed_description_is_refused(registry: Registry, body: dict[str, Any]) -> None:
    """A description that cannot be carried out creates nothing."""
    assert _why(registry, "create", "d1", body) is Why.ARGUMENT_INVALID
    assert registry.find("d1") is None


def test_changes_are_told(registry: Registry, events: Events) -> None:
    """Whoever listens learns whether the device may be connected."""
    heard: list[Event] = []
    events.subscribe(heard.append)
    registry.create("d1", {})
    registry.update("d1", {"status": "disabled"}, "*")
    registry.delete("d1", "*")
    assert heard == [IdentityChanged("d1", admitted=admitted) for admitted in (True, False, False)]


def test_list_is_limited(registry: Registry) -> None:
    """No more devices are listed than asked for."""
    for number in range(5):
        registry.create(f"d{number}", {})
    assert [identity.device_id for identity in registry.list(3)] == ["d0", "d1", "d2"]


def test_record_brings_the_identity_back(registry: Registry) -> None:
    """An identity survives being stored."""
    identity = registry.create("d1", {"status": "disabled", "statusReason": "lost"})
    assert Identity(**identity.record()) == identity
