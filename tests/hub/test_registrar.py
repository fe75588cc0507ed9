"""Registering devices and authorities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.iot.device import IoTHubModuleClient

from fwsm.errors import DeviceNotFoundError, HubError
from tests.hub.pki import Pki

if TYPE_CHECKING:
    from fwsm.hub import Hub


def test_connection_strings_say_where_and_with_which_key(hub: Hub) -> None:
    """Devices dial the address alone, operators with the port."""
    device = hub.add_device("d1")
    assert device.connection_string == f"HostName={hub.address};DeviceId=d1;SharedAccessKey={device.primary_key}"
    assert hub.device("d1") == device
    assert hub.owner_connection_string.startswith(f"HostName={hub.address}:8443;SharedAccessKeyName=iothubowner;")
    assert "SharedAccessKeyName=service;" in hub.service_connection_string
    assert hub.ca_pem.startswith("-----BEGIN CERTIFICATE-----")


def test_key_can_be_given(hub: Hub) -> None:
    """A test may want to know the key beforehand; a bad one is refused."""
    assert hub.add_device("d1", primary_key="A" * 44).primary_key == "A" * 44
    with pytest.raises(HubError, match="16 to 64 bytes"):
        hub.add_device("d2", primary_key="short")


def test_module_has_a_string_of_its_own(hub: Hub) -> None:
    """With which an SDK connects; it goes with its device."""
    hub.add_device("d1")
    module = hub.add_module("d1", "m1")
    assert (module.device_id, module.module_id) == ("d1", "m1")
    place = f"HostName={hub.address};DeviceId=d1;ModuleId="
    assert module.connection_string == f"{place}m1;SharedAccessKey={module.primary_key}"
    assert hub.device("d1/m1") == module
    assert hub.add_module("d1", "m2", thumbprint="AB" * 20).connection_string == f"{place}m2;x509=true"
    client = IoTHubModuleClient.create_from_connection_string(
        module.connection_string, server_verification_cert=hub.ca_pem
    )
    client.connect()
    assert hub.connected("d1/m1")
    client.shutdown()
    with pytest.raises(HubError, match="has a module 'm1' already"):
        hub.add_module("d1", "m1")
    with pytest.raises(DeviceNotFoundError):
        hub.add_module("d2", "m1")
    with pytest.raises(HubError, match="not a device or module id"):
        hub.add_module("d1", "m/1")
    hub.remove_device("d1/m1")
    with pytest.raises(DeviceNotFoundError):
        hub.device("d1/m1")


def test_removed_device_is_gone(hub: Hub) -> None:
    """Its name is free for a new one."""
    first = hub.add_device("d1")
    with pytest.raises(HubError, match="already registered"):
        hub.add_device("d1")
    hub.remove_device("d1")
    assert hub.add_device("d1").primary_key != first.primary_key


def test_authority_may_be_proved_in_python(hub: Hub) -> None:
    """As over REST; without that it is trusted at once."""
    pki, authorities = Pki(), hub._live.engine.authorities
    hub.add_authority("trusted", pki.pem)
    hub.add_authority("factory", pki.pem, verified=False)
    assert [authority.verified for authority in authorities.listed()] == [False, True]
    code = hub.verification_code("factory")
    with pytest.raises(HubError, match="not the verification code"):
        hub.verify_authority("factory", pki.pem)
    hub.verify_authority("factory", pki.device_pem(code))
    assert [authority.verified for authority in authorities.listed()] == [True, True]
    with pytest.raises(HubError, match="no authority other"):
        hub.verification_code("other")


def test_device_may_come_with_a_certificate(hub: Hub) -> None:
    """By thumbprint or by authority; then there is no key."""
    hub.add_authority("factory", Pki().pem)
    for device in (hub.add_device("d1", thumbprint="AB" * 20), hub.add_device("d2", by_authority=True)):
        assert device.primary_key == ""
        assert device.connection_string == f"HostName={hub.address};DeviceId={device.device_id};x509=true"
    with pytest.raises(HubError, match="CA:TRUE"):
        hub.add_authority("factory", "no certificate")
