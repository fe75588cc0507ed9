"""Registering devices and authorities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.errors import HubError
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


def test_removed_device_is_gone(hub: Hub) -> None:
    """Its name is free for a new one."""
    first = hub.add_device("d1")
    with pytest.raises(HubError, match="already registered"):
        hub.add_device("d1")
    hub.remove_device("d1")
    assert hub.add_device("d1").primary_key != first.primary_key


def test_device_may_come_with_a_certificate(hub: Hub) -> None:
    """By thumbprint or by authority; then there is no key."""
    hub.add_authority("factory", Pki().pem)
    for device in (hub.add_device("d1", thumbprint="AB" * 20), hub.add_device("d2", by_authority=True)):
        assert device.primary_key == ""
        assert device.connection_string == f"HostName={hub.address};DeviceId={device.device_id};x509=true"
    with pytest.raises(HubError, match="CA:TRUE"):
        hub.add_authority("factory", "no certificate")
