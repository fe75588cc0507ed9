"""All the ways by which the unmodified azure-iot-device comes to a hub, and what it can do there beside twins."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from azure.iot.device import IoTHubDeviceClient
from azure.iot.device.exceptions import CredentialError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fwsm.hub import Hub
from tests.device.iothub.bench import Twins, new_link
from tests.device.iothub.states import States
from tests.hub.pki import Pki
from tests.patience import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.sdk,
    # The SDK leaves its own exception in a thread that nobody joins.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# Their constructors have no types.
sdk: Any = importlib.import_module("azure.iot.device")


@pytest.fixture
def elsewhere(address: str) -> Iterator[Hub]:
    """Return a hub on ports that no SDK dials, with a SOCKS5 door."""
    with Hub(address, mqtt_port=18883, rest_port=18443, socks_port=18080) as hub:
        yield hub


@contextlib.contextmanager
def _connected(client: Any) -> Iterator[Any]:
    try:
        client.connect()
        yield client
    finally:
        client.shutdown()


def _reports(client: Any, hub: Hub) -> None:
    client.patch_twin_reported_properties({"here": True})
    assert client.get_twin()["reported"]["here"] is True
    assert hub.connected("d1")


def _certificate(directory: Path) -> tuple[Any, str]:
    """Return a certificate as the SDK wants it, signed by nobody but itself, and its thumbprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "d1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2001, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = directory / "device.pem", directory / "device.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return sdk.X509(str(certificate_path), str(key_path)), certificate.fingerprint(hashes.SHA1()).hex()


def test_device_comes_with_its_certificate(hub: Hub, tmp_path: Path) -> None:
    """The registry knows its thumbprint, and nobody has signed it."""
    certificate, thumbprint = _certificate(tmp_path)
    device = hub.add_device("d1", thumbprint=thumbprint)
    assert device.connection_string == f"HostName={hub.address};DeviceId=d1;x509=true"
    stream = hub.events()
    client = IoTHubDeviceClient.create_from_x509_certificate(
        certificate, hub.address, "d1", server_verification_cert=hub.ca_pem
    )
    with _connected(client) as client:
        _reports(client, hub)
        client.send_message("hello")
    event = stream.wait_for(lambda event: event.source == "Telemetry")
    assert json.loads(event.annotations["iothub-connection-auth-method"])["type"] == "x509"


def test_device_comes_with_a_certificate_of_an_authority(hub: Hub, tmp_path: Path) -> None:
    """The SDK sends the file as it is, the device's certificate and the one that has signed it."""
    root = Pki("root")
    hub.add_authority("root", root.pem)
    hub.add_device("d1", by_authority=True)
    certificate, key = Pki("line", root).files("d1", tmp_path)
    client = IoTHubDeviceClient.create_from_x509_certificate(
        sdk.X509(str(certificate), str(key)), hub.address, "d1", server_verification_cert=hub.ca_pem
    )
    with _connected(client) as client:
        _reports(client, hub)


def test_other_certificate_is_a_credential_error(hub: Hub, tmp_path: Path) -> None:
    """TLS lets it pass, and CONNACK 5 says what is wrong."""
    certificate, _ = _certificate(tmp_path)
    hub.add_device("d1", thumbprint="AB" * 20)
    client = IoTHubDeviceClient.create_from_x509_certificate(
        certificate, hub.address, "d1", server_verification_cert=hub.ca_pem
    )
    with pytest.raises(CredentialError), _connected(client):
        pass


@pytest.mark.parametrize("websockets", [False, True])
def test_device_comes_through_the_socks_door(elsewhere: Hub, *, websockets: bool) -> None:
    """It dials 8883, or 443 for WebSocket, and the door leads it to where the hub is; user and password do no harm."""
    client = IoTHubDeviceClient.create_from_connection_string(
        elsewhere.add_device("d1").connection_string,
        server_verification_cert=elsewhere.ca_pem,
        proxy_options=sdk.ProxyOptions("SOCKS5", elsewhere.address, 18080, "user", "secret"),
        websockets=websockets,
    )
    with _connected(client) as client:
        _reports(client, elsewhere)


def test_device_comes_over_websocket_at_the_usual_port(address: str) -> None:
    """443 is shared with REST; it takes a privileged port, and so this test root."""
    if os.geteuid() != 0:
        pytest.skip("port 443 takes root")
    with Hub(address, rest_port=443) as hub:
        client = IoTHubDeviceClient.create_from_connection_string(
            hub.add_device("d1").connection_string, server_verification_cert=hub.ca_pem, websockets=True
        )
        with _connected(client) as client:
            _reports(client, hub)


_PROGRAM = """
import sys
from azure.iot.device import IoTHubDeviceClient
client = IoTHubDeviceClient.create_from_connection_string(sys.argv[1])
client.connect()
client.patch_twin_reported_properties({"here": True})
client.shutdown()
"""


def test_program_that_knows_of_nothing_comes_by_its_environment(elsewhere: Hub) -> None:
    """Even under a name of the cloud; nothing in it was changed for this hub."""
    text = elsewhere.add_device("d1").connection_string.replace(elsewhere.address, "my-hub.azure-devices.net")
    environment = {"PATH": os.environ.get("PATH", ""), **elsewhere.environment}
    subprocess.run([sys.executable, "-c", _PROGRAM, text], env=environment, check=True, timeout=PATIENCE_S)
    assert elsewhere.twin("d1")["properties"]["reported"]["here"] is True


def test_device_comes_over_ipv6() -> None:
    """To ::1, which has but one hub at a time: the SDK, and the package's own link, which takes brackets as well."""
    with Hub("::1", rest_port=28443) as hub:
        text = hub.add_device("d1").connection_string
        client = IoTHubDeviceClient.create_from_connection_string(text, server_verification_cert=hub.ca_pem)
        with _connected(client) as client:
            _reports(client, hub)
        for number, spelling in enumerate((text, text.replace("::1", "[::1]"))):
            states = States()
            link = new_link(hub, states, spelling)
            link.start(Twins())
            link.report({"spelling": number})
            link.stop()
        assert hub.twin("d1")["properties"]["reported"]["spelling"] == 1


def test_message_from_the_cloud_arrives_with_its_properties(hub: Hub) -> None:
    """What was sent while the device was away, and what is sent while it is there; each receipt is fed back."""
    client = IoTHubDeviceClient.create_from_connection_string(
        hub.add_device("d1").connection_string, server_verification_cert=hub.ca_pem
    )
    hub.mail.send("d1", "early", message_id="m 1", ack="full", properties={"room": "5&6", "flag": None})
    got: queue.Queue[Any] = queue.Queue()
    with _connected(client) as client:
        client.on_message_received = got.put
        early = got.get(timeout=PATIENCE_S)
        hub.mail.send("d1", b"\xff", content_type="a/b")
        late = got.get(timeout=PATIENCE_S)
        assert eventually(lambda: hub.mail.waiting("d1") == 0)
    assert (early.data, early.message_id, early.ack) == (b"early", "m 1", "full")
    assert early.custom_properties == {"room": "5&6", "flag": None}
    assert (late.data, late.content_type) == (b"\xff", "a/b")
    (record,) = hub.mail.feedback()
    assert (record["originalMessageId"], record["statusCode"]) == ("m 1", "Success")


def test_telemetry_arrives_with_its_properties(hub: Hub) -> None:
    """As an operator would read it from the event endpoint, between the news of the device's coming and going."""
    stream = hub.events()
    client = IoTHubDeviceClient.create_from_connection_string(
        hub.add_device("d1").connection_string, server_verification_cert=hub.ca_pem
    )
    with _connected(client) as client:
        message = sdk.Message('{"t": 20}', message_id="1", content_encoding="utf-8", content_type="application/json")
        message.custom_properties["room"] = "5"
        client.send_message(message)
        client.patch_twin_reported_properties({"a": 1})
    hub.wait_disconnected("d1")
    hub.remove_device("d1")
    seen = [next(stream) for _ in range(6)]
    assert [(event.source, event.application.get("opType")) for event in seen] == [
        ("deviceLifecycleEvents", "createDeviceIdentity"),
        ("deviceConnectionStateEvents", "deviceConnected"),
        ("Telemetry", None),
        ("twinChangeEvents", "updateTwin"),
        ("deviceConnectionStateEvents", "deviceDisconnected"),
        ("deviceLifecycleEvents", "deleteDeviceIdentity"),
    ]
    telemetry = seen[2]
    assert (telemetry.json(), telemetry.application) == ({"t": 20}, {"room": "5"})
    assert telemetry.system["content-type"] == "application/json"
