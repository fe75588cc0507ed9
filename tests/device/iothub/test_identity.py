"""Every way of proof that needs no provisioning service, against the embedded hub; and tokens that end."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import Certificate, SharedAccessSignature, TokenFile
from fwsm.core.proxy import Proxy
from fwsm.device.iothub import IoTHubLink
from fwsm.device.iothub.identity import FixedIdentity, TokenIdentity
from fwsm.device.iothub.loop import LoopThread
from fwsm.errors import ConfigError, ConnectionStringError, LinkAuthError, LinkError, LinkTakenError
from fwsm.hub import Hub
from fwsm.hub.sas import sign
from tests.device.iothub.certificates import make_certificate
from tests.device.iothub.proxies import HttpProxy, Socks4Proxy
from tests.device.iothub.states import States
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fwsm.core.connection_string import Credentials


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A loop that nothing here needs."""
    loop = LoopThread("test-identity")
    yield loop
    loop.stop(PATIENCE_S)


def _token(hub: Hub, ends_in_s: float) -> str:
    return sign(f"{hub.address}/devices/d1", hub.device("d1").primary_key, int(time.time() + ends_in_s))


def _reports(hub: Hub, credentials: Credentials | str, **options: Any) -> None:
    """Connect, report, leave."""
    states = States()
    link = IoTHubLink(credentials, ca_pem=hub.ca_pem, on_state=states, deadline_s=PATIENCE_S, **options)
    link.start(lambda _message: None)
    try:
        states.wait(lambda: states.connections() == 1)
        link.report({"a": 1})
    finally:
        link.stop()
    assert hub.reports("d1") == [{"a": 1}]


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_certificate_lets_a_device_in(hub: Hub, tmp_path: Path) -> None:
    """By its thumbprint; the connection string says x509=true."""
    shown = make_certificate(tmp_path, passphrase="open")
    hub.remove_device("d1")
    hub.add_device("d1", thumbprint=shown.thumbprint)
    _reports(hub, DeviceConnection.parse(f"HostName={hub.address};DeviceId=d1;x509=true", shown.certificate))


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_certificate_that_the_hub_does_not_know_is_told(hub: Hub, tmp_path: Path) -> None:
    """The message speaks of the certificate, not of a key."""
    shown, states = make_certificate(tmp_path).certificate, States()
    link = IoTHubLink(DeviceConnection(hub.address, "d1", shown), ca_pem=hub.ca_pem, on_state=states)
    link.start(lambda _message: None)
    error = states.wait_error()
    link.stop()
    assert isinstance(error, LinkAuthError)
    assert "its certificate is wrong" in error.why
    assert "thumbprint" in error.fix


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_token_lets_a_device_in(hub: Hub) -> None:
    """In the connection string; test_a_token_that_is_renewed shows the file."""
    _reports(hub, f"HostName={hub.address};DeviceId=d1;SharedAccessSignature={_token(hub, 600)}")


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_token_that_is_renewed_is_taken_at_the_next_connect(hub: Hub, tmp_path: Path) -> None:
    """A file with an expired token is told and looked at again; no new start is needed."""
    file, states = tmp_path / "token", States()
    file.write_text(_token(hub, -1))
    options = {"backoff_base_s": 0.05, "backoff_cap_s": 0.2, "on_state": states}
    link = IoTHubLink(TokenFile(str(file)), ca_pem=hub.ca_pem, **options)  # type: ignore[arg-type]
    link.start(lambda _message: None)
    error = states.wait_error()
    assert isinstance(error, LinkAuthError)
    assert "has expired: it ended at" in str(error)
    file.write_text(_token(hub, 600))
    states.wait(lambda: states.connections() == 1)
    link.stop()


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_gateway_is_connected_to_in_the_place_of_the_hub(hub: Hub) -> None:
    """User name and token keep the name of the hub, which need not be known here."""
    key = hub.device("d1").primary_key
    name = "fwsm-test.azure-devices.net"
    _reports(hub, f"HostName={name};DeviceId=d1;SharedAccessKey={key};GatewayHostName={hub.address}")


@pytest.mark.e2e
@pytest.mark.sdk
@pytest.mark.parametrize("websockets", [False, True])
def test_a_proxy_is_gone_through(address: str, websockets: bool) -> None:
    """SOCKS5, with ports behind it that the SDK could not dial; MQTT and WebSocket."""
    with Hub(address, mqtt_port=18883, rest_port=18443, socks_port=11080) as hub:
        hub.add_device("d1")
        _reports(hub, hub.device("d1").connection_string, proxy=Proxy("socks5", address, 11080), websockets=websockets)


@pytest.mark.e2e
@pytest.mark.sdk
@pytest.mark.parametrize("websockets", [False, True])
@pytest.mark.parametrize("kind", ["http", "socks4"])
def test_proxies_of_every_kind_are_gone_through(hub: Hub, kind: str, websockets: bool) -> None:
    """HTTP with name and password, and SOCKS4 with a user; both are asked for the hub by its own name and port."""
    ports = {443: hub.rest_port}
    made = HttpProxy(hub.address, ports, "me:se@cret") if kind == "http" else Socks4Proxy(hub.address, ports)
    with made as proxy:
        password = "se@cret" if kind == "http" else ""
        way = Proxy(kind, hub.address, proxy.port, "me", password)
        _reports(hub, hub.device("d1").connection_string, proxy=way, websockets=websockets)
    assert proxy.asked == [f"{hub.address}:{443 if websockets else 8883}"]
    assert proxy.proofs == ["bWU6c2VAY3JldA==" if kind == "http" else "me"]


@pytest.mark.e2e
@pytest.mark.sdk
@pytest.mark.parametrize("trouble", ["refused", "absent"])
def test_a_proxy_that_leads_nowhere_is_told_as_one_without_its_password(hub: Hub, trouble: str) -> None:
    """One that lets nobody through, and one that is not there: not as a hub that does not know the device."""
    states = States()
    with HttpProxy(hub.address, login="me:other") as proxy:
        port = proxy.port if trouble == "refused" else 9
        way = Proxy("http", hub.address, port, "me", "se@cret")
        link = IoTHubLink(hub.device("d1").connection_string, ca_pem=hub.ca_pem, on_state=states, proxy=way)
        link.start(lambda _message: None)
        error = states.wait_error()
        link.stop()
    assert type(error) is LinkError
    assert error.what == f"the hub {hub.address} cannot be reached through the proxy"
    assert ("407" if trouble == "refused" else "Connection refused") in error.why
    assert "se@cret" not in str(error)


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_second_link_waits_until_the_first_has_left(hub: Hub) -> None:
    """Two as one device would throw each other off; whoever is second says so and takes over in the end."""
    text, first_states, second_states = hub.device("d1").connection_string, States(), States()
    first = IoTHubLink(text, ca_pem=hub.ca_pem, on_state=first_states)
    options = {"backoff_base_s": 0.05, "backoff_cap_s": 0.2, "on_state": second_states}
    second = IoTHubLink(text, ca_pem=hub.ca_pem, **options)  # type: ignore[arg-type]
    first.start(lambda _message: None)
    first_states.wait(lambda: first_states.connections() == 1)
    second.start(lambda _message: None)
    assert isinstance(second_states.wait_error(), LinkTakenError)
    assert first.connected
    assert first_states.connections() == 1
    first.stop()
    second_states.wait(lambda: second_states.connections() == 1)
    second.stop()


def test_files_are_looked_at_before_anything_begins(tmp_path: Path) -> None:
    """A certificate that is none, a token file that is missing, garbled, or none of text."""
    with pytest.raises(ConfigError, match="certificate of this device cannot be used"):
        FixedIdentity(DeviceConnection("h", "d", Certificate("/nowhere.pem", "/nowhere.key")))
    with pytest.raises(ConfigError, match=r"cannot read sas_token_file .*No such file"):
        TokenIdentity(TokenFile(str(tmp_path / "none")))
    (tmp_path / "token").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="it is not text"):
        TokenIdentity(TokenFile(str(tmp_path / "token")))
    (tmp_path / "token").write_text("token")
    with pytest.raises(ConnectionStringError, match="not a shared access signature"):
        TokenIdentity(TokenFile(str(tmp_path / "token")))


def test_an_expired_token_is_not_sent(loop: LoopThread) -> None:
    """A fixed one as well; and one that lives is."""
    token = SharedAccessSignature("t", "h", "d", expires_at=int(time.time()) + 600)
    connection = DeviceConnection("h", "d", token)
    identity = FixedIdentity(connection)
    assert identity.connection(loop) is connection
    identity.noted(None)
    identity.abandon()
    with pytest.raises(LinkAuthError, match="it ended at 1970-01-01 00:00:01 UTC"):
        FixedIdentity(replace(connection, proof=replace(token, expires_at=1))).connection(loop)
