"""Ports, strings and variables by which a hub is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from fwsm.errors import HubAddressError
from fwsm.hub import Hub
from fwsm.hub.identity import Identity
from fwsm.hub.reach import Ports, Reach

CA = Path("/somewhere/ca.pem")


def test_string_of_a_device_has_its_key_or_says_that_it_has_none() -> None:
    """An address of IPv6 stands as the SDKs dial it; elsewhere it has brackets."""
    reach = Reach("::1", Ports(), CA)
    assert (
        reach.device(Identity("d1", "KEY", "KEY")).connection_string == "HostName=::1;DeviceId=d1;SharedAccessKey=KEY"
    )
    assert reach.device(Identity("d1", "", "")).connection_string == "HostName=::1;DeviceId=d1;x509=true"


@pytest.mark.parametrize(
    ("ports", "names"),
    [
        ((8443, 8443, None), "mqtt_port and rest_port are both 8443"),
        ((8883, 8443, 8883), "mqtt_port and socks_port are both 8883"),
        ((8883, 8443, 8443), "rest_port and socks_port are both 8443"),
    ],
)
def test_each_door_has_a_port_of_its_own(ports: tuple[int, int, int | None], names: str) -> None:
    """Both are named, before anything listens; nobody else is blamed."""
    with pytest.raises(HubAddressError, match=names):
        Ports(*ports)
    with pytest.raises(HubAddressError, match=names):
        Hub(mqtt_port=ports[0], rest_port=ports[1], socks_port=ports[2])


def test_string_of_a_policy_has_the_port() -> None:
    """Operators can be told of one."""
    text = Reach("127.0.0.2", Ports(rest=9443), CA).policy("service", "KEY")
    assert text == "HostName=127.0.0.2:9443;SharedAccessKeyName=service;SharedAccessKey=KEY"
    assert Reach("::1", Ports(), CA).policy("service", "KEY").startswith("HostName=[::1]:8443;")


def test_environment_names_the_authority_and_the_socks_door() -> None:
    """For Python, requests and Node; the proxy only where there is one."""
    trust = {"SSL_CERT_FILE": str(CA), "REQUESTS_CA_BUNDLE": str(CA), "NODE_EXTRA_CA_CERTS": str(CA)}
    assert Reach("127.0.0.2", Ports(), CA).environment() == trust
    assert Reach("127.0.0.2", Ports(socks=1080), CA).environment() == {
        **trust,
        "mqtt_proxy": "socks://127.0.0.2:1080",
    }


def test_card_has_the_socks_door_if_there_is_one() -> None:
    """Beside what every hub has."""
    assert "socksPort" not in Reach("127.0.0.2", Ports(), CA).card("owner")
    assert Reach("127.0.0.2", Ports(socks=1080), CA).card("owner") == {
        "address": "127.0.0.2",
        "mqttPort": 8883,
        "restPort": 8443,
        "socksPort": 1080,
        "caPath": str(CA),
        "ownerConnectionString": "owner",
    }


@pytest.mark.parametrize(
    ("ports", "mqtt", "rest"),
    [
        (Ports(), {8883}, {8443, 443}),
        (Ports(18883, 18443, 1), {8883, 18883}, {443, 18443}),
        (Ports(443, 8883, 1), {443}, {8883}),
    ],
)
def test_socks_door_leads_by_usual_and_by_own_ports(ports: Ports, mqtt: set[int], rest: set[int]) -> None:
    """What listens on a port has it, also where another is usual."""
    assert (ports.mqtt_names(), ports.rest_names()) == (mqtt, rest)
    assert ports.listening() == tuple(port for port in (ports.mqtt, ports.rest, ports.socks) if port is not None)
