"""The registry's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub.diskstate import DiskState
from fwsm.hub.events import Event, Events, IdentityChanged
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.registry import Registry
from fwsm.hub.sas import is_key, new_key
from fwsm.hub.state import EphemeralState
from fwsm.hub.timestamp import NEVER, timestamp

if TYPE_CHECKING:
    from pathlib import Path


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
    assert first.document()["status"] == "enabled"


def test_description_is_taken_over(registry: Registry) -> None:
    """Keys, status and its reason come from the body."""
    primary, secondary = new_key(), new_key()
    keys = {"symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}}
    body = {"deviceId": "d1", "status": "disabled", "statusReason": "lost", "authentication": keys}
    identity = registry.create("d1", body)
    document = identity.document()
    assert identity.keys == (primary, secondary)
    assert (document["status"], document["statusReason"]) == ("disabled", "lost")


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


@pytest.mark.parametrize("device_id", ["", "a b", "ä", "x" * 129, "d1/", "d1/a b", "d1/a/b"])
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
        {"authentication": {"type": "tpm"}},
        {"authentication": {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": "12"}}},
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


def test_module_lives_on_its_device(registry: Registry) -> None:
    """A module has keys of its own, is listed with its device and not among devices, and is made once."""
    assert _why(registry, "create", "d1/m1", {}) is Why.DEVICE_NOT_FOUND
    device = registry.create("d1", {})
    module = registry.create("d1/m1", {"moduleId": "m1", "managedBy": "me", "status": "disabled"})
    assert (module.client_id, module.managed_by, module.status) == ("d1/m1", "me", "enabled")
    assert set(module.keys).isdisjoint(device.keys)
    assert (registry.list(9), registry.modules("d1"), registry.get("d1/m1")) == ([device], [module], module)
    assert _why(registry, "create", "d1/m1", {}) is Why.MODULE_EXISTS
    assert _why(registry, "get", "d1/m2") is Why.MODULE_NOT_FOUND
    assert _why(registry, "update", "d1/m1", {"moduleId": "m2"}, "*") is Why.ARGUMENT_INVALID
    assert registry.update("d1/m1", {}, module.etag).managed_by is None
    registry.delete("d1/m1", "*")
    assert registry.modules("d1") == []


def test_module_goes_with_its_device(registry: Registry, events: Events) -> None:
    """What is done to a device is done to its modules, too."""
    registry.create("d1", {})
    registry.create("d1/m1", {})
    heard: list[Event] = []
    events.subscribe(heard.append)
    registry.update("d1", {"status": "disabled"}, "*")
    assert not registry.admits("d1/m1")
    registry.update("d1", {}, "*")
    assert registry.admits("d1/m1")
    registry.delete("d1", "*")
    states: dict[str, list[bool]] = {"d1": [], "d1/m1": []}
    for event in heard:
        assert isinstance(event, IdentityChanged)
        states[event.client_id].append(event.admitted)
    assert states == {"d1": [False, True, False], "d1/m1": [False, True, False]}
    registry.create("d1", {})
    assert registry.find("d1/m1") is None


def test_device_has_at_most_fifty_modules(registry: Registry) -> None:
    """The fifty-first is refused."""
    registry.create("d1", {})
    for number in range(50):
        registry.create(f"d1/m{number}", {})
    assert _why(registry, "create", "d1/m50", {}) is Why.TOO_MANY_MODULES


def test_list_is_limited(registry: Registry) -> None:
    """No more devices are listed than asked for."""
    for number in range(5):
        registry.create(f"d{number}", {})
    assert [identity.device_id for identity in registry.list(3)] == ["d0", "d1", "d2"]


def test_restart_brings_everything_back(events: Events, tmp_path: Path) -> None:
    """Devices and modules survive being stored."""
    states = [DiskState(tmp_path / "hub.db") for _ in range(2)]
    before = Registry(states[0], events, lambda: 1000.0)
    kept = [before.create("d1", {"status": "disabled", "statusReason": "lost"}), before.create("d1/m1", {})]
    states[0].commit()
    after = Registry(states[1], Events(), lambda: 1000.0)
    assert [after.get("d1"), after.get("d1/m1")] == kept
    for state in states:
        state.close()


def test_change_of_status_has_its_time(registry: Registry) -> None:
    """Other changes have not."""
    registry.create("d1", {})
    assert registry.update("d1", {}, "*").document()["statusUpdatedTime"] == NEVER
    changed = registry.update("d1", {"status": "disabled"}, "*").document()["statusUpdatedTime"]
    assert (
        changed == registry.update("d1", {"status": "disabled"}, "*").document()["statusUpdatedTime"] == timestamp(1000)
    )


def test_keys_that_are_empty_are_not_given(registry: Registry) -> None:
    """So service SDKs ask for random ones."""
    empty = {"symmetricKey": {"primaryKey": "", "secondaryKey": ""}}
    assert all(is_key(key) for key in registry.create("d1", {"authentication": empty}).keys)


def test_client_ids_are_those_of_devices_and_modules(registry: Registry) -> None:
    """In no order that is promised."""
    for client_id in ("d1", "d2", "d1/m"):
        registry.create(client_id, {})
    assert sorted(registry.client_ids()) == ["d1", "d1/m", "d2"]
