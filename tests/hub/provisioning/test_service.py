"""The unmodified SDK registers with the provisioning service, and the hub then lets the device in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.iot.device import ProvisioningDeviceClient
from azure.iot.device.exceptions import CredentialError

from fwsm.errors import HubError
from fwsm.hub import Hub
from fwsm.hub.provisioning import ProvisioningService, derive_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]


@pytest.fixture
def hub(loopback: Callable[[], str]) -> Iterator[Hub]:
    """A hub that knows nobody."""
    with Hub(loopback()) as hub:
        yield hub


@pytest.fixture
def service(hub: Hub, loopback: Callable[[], str]) -> Iterator[ProvisioningService]:
    """A provisioning service in front of it."""
    with hub.provisioning(loopback()) as service:
        yield service


def _client(hub: Hub, service: ProvisioningService, name: str, key: str) -> ProvisioningDeviceClient:
    return ProvisioningDeviceClient.create_from_symmetric_key(
        service.address, name, service.id_scope, key, server_verification_cert=hub.ca_pem
    )


def test_an_enrolled_device_is_assigned_the_hub(hub: Hub, service: ProvisioningService) -> None:
    """The answer names hub and device, and the registry has it with the same key."""
    enrolled = service.enroll("r1", device_id="d1")
    result = _client(hub, service, "r1", enrolled.primary_key).register()
    assert result.status == "assigned"
    assert result.registration_state is not None
    assert (result.registration_state.assigned_hub, result.registration_state.device_id) == (hub.address, "d1")
    assert hub.device("d1").primary_key == enrolled.primary_key
    assert service.registered() == ["r1"]


def test_a_device_of_a_group_has_a_key_of_its_own(hub: Hub, service: ProvisioningService) -> None:
    """It is derived from the group's; the id is the registration's."""
    key = derive_key(service.enroll_group(), "pump-7")
    state = _client(hub, service, "pump-7", key).register().registration_state
    assert state is not None
    assert state.device_id == "pump-7"
    assert hub.device("pump-7").primary_key == key


def test_a_wrong_key_and_a_strange_device_are_not_let_in(hub: Hub, service: ProvisioningService) -> None:
    """CONNACK 5, as at the hub."""
    key = service.enroll("r1").primary_key
    for name, wrong in (("r1", service.enroll("r2").primary_key), ("r3", key)):
        client = _client(hub, service, name, wrong)
        with pytest.raises(CredentialError):
            client.register()
    service.remove("r1")
    assert service.registered() == []


def test_bad_settings_are_told(hub: Hub, service: ProvisioningService) -> None:
    """A key that is none, an address that is none; and a hub that stops takes the service with it."""
    with pytest.raises(HubError, match="base64 of 16 to 64 bytes"):
        service.enroll("r1", primary_key="short")
    with pytest.raises(HubError, match="is not an IP address"):
        hub.provisioning("dps.example")
    with pytest.raises(HubError, match="another process listens there"):
        hub.provisioning(service.address)
    hub.stop()
    service.stop()
