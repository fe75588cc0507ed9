"""Both doors together."""

from __future__ import annotations

import pytest

from fwsm.errors import HubError, PortInUseError
from fwsm.hub.doors import bind_all, check_address
from fwsm.hub.listener import bind


@pytest.mark.parametrize("address", ["127.0.0.1", "127.200.3.4", "::1"])
def test_loopback_addresses_are_good(address: str) -> None:
    """Any address that other machines cannot reach will do."""
    check_address(address, allow_remote=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_addresses_must_be_allowed(address: str) -> None:
    """A hub is not put into the open by accident."""
    with pytest.raises(HubError, match="other machines could reach it"):
        check_address(address, allow_remote=False)
    check_address(address, allow_remote=True)


@pytest.mark.parametrize("address", ["", "localhost", "127.0.0.1:8883"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """Names are not resolved; the message shows what to give."""
    with pytest.raises(HubError, match=r"is not an IP address.*Use one such as 127\.0\.0\.1"):
        check_address(address, allow_remote=True)


def test_ports_are_bound_all_or_none(address: str) -> None:
    """When one port is taken the others are free again."""
    with bind(address, 8443):
        with pytest.raises(PortInUseError, match="port 8443"):
            bind_all(address, (8883, 8443))
        bind(address, 8883).close()
