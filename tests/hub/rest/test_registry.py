"""The registry over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hub.rest.asking import refused

if TYPE_CHECKING:
    from fwsm.hub import Hub
    from tests.hub.rest.asking import Operator


def test_device_lives_from_creation_to_deletion(owner: Operator) -> None:
    """Create, read, update with the etag, list, delete."""
    created = owner.ask("PUT", "/devices/d1", {"deviceId": "d1"})
    assert (created.status, created.headers["etag"]) == (200, f'"{created.body["etag"]}"')
    assert owner.ask("GET", "/devices/d1").body == created.body
    updated = owner.ask("PUT", "/devices/d1", {"status": "disabled"}, If_Match=created.headers["etag"])
    assert updated.body["status"] == "disabled"
    assert owner.ask("GET", "/devices").body == owner.ask("GET", "/devices/").body == [updated.body]
    assert owner.ask("DELETE", "/devices/d1", If_Match='"*"').status == 204
    assert refused(owner.ask("GET", "/devices/d1")) == (404, "DeviceNotFound")


def test_registry_refuses_by_the_rules(owner: Operator) -> None:
    """Conflicts, missing and stale etags, and bad descriptions have their codes."""
    owner.ask("PUT", "/devices/d1", {})
    assert refused(owner.ask("PUT", "/devices/d1", {})) == (409, "DeviceAlreadyExists")
    assert refused(owner.ask("PUT", "/devices/d2", {}, If_Match="*")) == (404, "DeviceNotFound")
    assert refused(owner.ask("PUT", "/devices/d1", {}, If_Match='"old"')) == (412, "PreconditionFailed")
    assert refused(owner.ask("DELETE", "/devices/d1")) == (412, "PreconditionFailed")
    assert refused(owner.ask("PUT", "/devices/d%20x", {})) == (400, "ArgumentInvalid")
    assert refused(owner.ask("PUT", "/devices/d3", {"deviceId": "d4"})) == (400, "ArgumentInvalid")


@pytest.mark.parametrize("top", ["0", "1001", "x", "-1", "%C2%B2", "9" * 5000])
def test_list_takes_a_limit_from_1_to_1000(owner: Operator, top: str) -> None:
    """Other values are refused, whatever they are."""
    assert refused(owner.ask("GET", f"/devices?top={top}")) == (400, "ArgumentInvalid")


def test_module_lives_from_creation_to_deletion(hub: Hub, owner: Operator) -> None:
    """Under its device, by the same rules."""
    hub.add_device("d1")
    path = "/devices/d1/modules/m1"
    created = owner.ask("PUT", path, {"deviceId": "d1", "moduleId": "m1", "managedBy": "me"})
    assert (created.status, created.body["managedBy"]) == (200, "me")
    assert owner.ask("GET", path).body == created.body
    assert owner.ask("GET", "/devices/d1/modules").body == [created.body]
    assert refused(owner.ask("PUT", path, {})) == (409, "ModuleAlreadyExistsOnDevice")
    assert owner.ask("PUT", path, {}, If_Match=created.headers["etag"]).body["managedBy"] is None
    assert refused(owner.ask("DELETE", path)) == (412, "PreconditionFailed")
    assert owner.ask("DELETE", path, If_Match="*").status == 204
    assert refused(owner.ask("GET", path)) == (404, "ModuleNotFound")
    assert refused(owner.ask("GET", "/devices/d2/modules")) == (404, "DeviceNotFound")


def test_many_devices_are_changed_at_once(owner: Operator) -> None:
    """200 when all went well; 400 with the errors of those that did not."""
    good = owner.ask("POST", "/devices", [{"id": f"d{number}", "importMode": "create"} for number in range(100)])
    assert (good.status, good.body) == (200, {"isSuccessful": True, "errors": [], "warnings": []})
    partly = owner.ask(
        "POST", "/devices/", [{"id": "d0", "importMode": "create"}, {"id": "d1", "importMode": "delete"}]
    )
    assert (partly.status, [error["deviceId"] for error in partly.body["errors"]]) == (400, ["d0"])
    assert len(owner.ask("GET", "/devices?top=1000").body) == 99
    assert refused(owner.ask("POST", "/devices", {})) == (400, "ArgumentInvalid")


def test_devices_are_counted(hub: Hub, owner: Operator) -> None:
    """All, enabled, disabled, connected."""
    hub.add_device("d1")
    owner.ask("PUT", "/devices/d2", {"status": "disabled"})
    counts = {"totalDeviceCount": 2, "enabledDeviceCount": 1, "disabledDeviceCount": 1}
    assert owner.ask("GET", "/statistics/devices").body == counts
    assert owner.ask("GET", "/statistics/service").body == {"connectedDeviceCount": 0}
