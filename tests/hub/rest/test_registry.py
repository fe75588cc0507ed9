"""The registry over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hub.rest.asking import refused

if TYPE_CHECKING:
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
